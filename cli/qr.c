/* qr.c - see qr.h. */
#include "cli/qr.h"

#include <qrencode.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define QUIET 4 /* light modules on each side (ISO/IEC 18004) */

/* The second white is brighter, where the terminal has one. */
#define BLACK_ON_WHITE "\033[0;30;47;107m"
#define AS_BEFORE "\033[0m"

static bool is_dark(const QRcode *code, int x, int y)
{
    return x >= 0 && y >= 0 && x < code->width && y < code->width &&
           (code->data[y * code->width + x] & 1) != 0;
}

static void draw_row(const QRcode *code, int y, bool in_colour)
{
    static const char *const halves[] = {" ", "▀", "▄", "█"};

    if (in_colour)
        fputs(BLACK_ON_WHITE, stderr);
    for (int x = -QUIET; x < code->width + QUIET; x++)
        fputs(halves[is_dark(code, x, y) + 2 * is_dark(code, x, y + 1)],
              stderr);
    fputs(in_colour ? AS_BEFORE "\n" : "\n", stderr);
}

void qr_draw(struct cmd_ctx *ctx, const char *text)
{
    /* A screen is clean: the lowest level of correction, the smallest code. */
    QRcode *code = QRcode_encodeString8bit(text, 0, QR_ECLEVEL_L);
    bool in_colour = isatty(STDERR_FILENO) == 1;
    struct winsize size;
    int columns;

    if (code == NULL) {
        cmd_say(ctx, "%s", _("the line is too long for a QR code"));
        return;
    }
    columns = code->width + 2 * QUIET;
    if (in_colour && ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 &&
        size.ws_col > 0 && size.ws_col < columns) {
        cmd_say(ctx,
                _("the QR code needs %d columns, and the terminal has %d: make "
                  "it wider, or its letters smaller"),
                columns, size.ws_col);
        QRcode_free(code);
        return;
    }
    for (int y = -QUIET; y < code->width + QUIET; y += 2)
        draw_row(code, y, in_colour);
    QRcode_free(code);
}
