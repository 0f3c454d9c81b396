/* qr.h - a line of text as a QR code, for a telephone's camera. */
#ifndef ENT_CLI_QR_H
#define ENT_CLI_QR_H

#include "cli/cmd.h"

/* Draw `text` on stderr, two modules to a character: black on white when that
 * is a terminal, whatever its colours are. Says so when it does not fit. */
void qr_draw(struct cmd_ctx *ctx, const char *text);

#endif
