/* kinds.h - reads the kind definitions of configs/kinds.
 * One file a kind, in libconfuse's form; a file dropped in adds a kind. */
#ifndef ENT_TEXT_KINDS_H
#define ENT_TEXT_KINDS_H

#include "base/err.h"
#include "model/kind.h"

/* Reads every *.conf file of `dir`, in name order. Numbers and names must be
 * unique, field 1 of every kind must be `code`, every list must have a name
 * made of a-z, 0-9 and _. ENT_EREFUSED names file and line. */
ENT_NODISCARD int ent_kinds_load(const char *dir, struct ent_kinds *kinds,
                                 struct ent_err *err);

#endif
