/* zap.h - the ZAP handler (RFC 27): every CURVE key may shake hands.
 * Without a handler libzmq lets every key in and gives messages no User-Id;
 * with ours the User-Id is the proven key in hex, and who may have which
 * message is decided above, on every message. */
#ifndef ENT_LINK_ZAP_H
#define ENT_LINK_ZAP_H

#include "base/attr.h"
#include "base/err.h"

#define ENT_ZAP_ENDPOINT "inproc://zeromq.zap.01"
#define ENT_ZAP_DOMAIN "entente"

/* Bind the handler in `context`; before any CURVE bind. ENT_EFAIL: there is
 * one already, or no memory. */
ENT_NODISCARD int ent_zap_open(void *context, void **zap, struct ent_err *err);

/* Answer what is waiting, without blocking: 200 to CURVE with a key of 32
 * bytes, 400 to everything else. */
void ent_zap_serve(void *zap);

#endif
