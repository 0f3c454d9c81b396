/* writer.h - what gathers local changes in the next entry of the own log.
 * Changes are applied as they come; an entry is sealed when the next change
 * does not fit, when that change meets a write of the entry itself (a dot of
 * the same entry cannot be named, rule L5), and at the commit. Signing waits
 * until somebody asks for the log (L3). */
#ifndef ENT_STORE_WRITER_H
#define ENT_STORE_WRITER_H

#include "store/records.h"
#include "store/replica.h"
#include "store/seal.h"
#include "store/state.h"

/* Bytes of a packed entry besides its changes: never less than is packed. */
#define ENT_WRITER_ENTRY_BYTES 128
/* Values of an entry and of the change that no longer fits. */
#define ENT_WRITER_VALUES_ROOM (2 * ENT_ENTRY_BYTES_MAX)
/* A power of two, over twice the references of an entry. */
#define ENT_WRITER_REF_SLOTS 1024
#define ENT_WRITER_REFS_MAX (ENT_WRITER_REF_SLOTS / 2)

struct ent_writer {
    struct ent_store *store;
    struct ent_log *log;
    int64_t space;
    uint64_t roster_pos;
    struct ent_hash roster_hash;
    int64_t now_ms;
    int64_t first; /* number of the first entry it can write */
    bool failed;
    bool forgets; /* what it writes cannot be undone, nor what was before it */

    /* The entry being gathered. */
    struct ent_apply apply;
    struct ent_arena arena;
    struct ent_change changes[ENT_ENTRY_CHANGES_MAX];
    size_t change_count;
    struct ent_ref refs[ENT_WRITER_REFS_MAX];
    int64_t ref_n[ENT_WRITER_REFS_MAX];
    size_t ref_count;
    /* Index of a reference + 1 by its n; 0: free. */
    uint16_t ref_slot[ENT_WRITER_REF_SLOTS];
    size_t bytes;

    /* Kept from entry to entry. */
    struct ent_seal seal;
    struct ent_buf values; /* of all changes; has room, so that it stays put */
    struct ent_buf packed;
};

/* Seal the entry being gathered, append it, and begin the next one; nothing
 * for an entry without changes. */
ENT_NODISCARD int ent_writer_seal(struct ent_writer *writer,
                                  struct ent_err *err);
/* Name dots in an operation; sealing brings them in order. ENT_EUSAGE: one of
 * them is not here. */
ENT_NODISCARD int ent_writer_name(struct ent_writer *writer,
                                  const struct ent_dot *dots, size_t count,
                                  struct ent_op *op, struct ent_err *err);

/* ---------------------------------------------------------- edits (edit.c) */

/* Check an operation against its definition and the limits. ENT_EREFUSED. */
ENT_NODISCARD int ent_edit_check(const struct ent_writer *writer,
                                 const struct ent_kind *kind,
                                 const struct ent_edit_op *op,
                                 const struct ent_field **field,
                                 struct ent_err *err);
/* Fill in everything but life; operations that would change nothing are left
 * out. `change->ops` has room for one more than the edit has. ENT_EREFUSED;
 * ENT_ECONFLICT: several values stand, and `resolve` is not set. */
ENT_NODISCARD int ent_edit_put_ops(struct ent_writer *writer,
                                   const struct ent_kind *kind,
                                   const struct ent_edit *edit, bool resolve,
                                   const struct ent_state *state,
                                   struct ent_change *change,
                                   struct ent_err *err);
/* Fill in life (M6): an edit names the lives it saw; deleting and undeleting
 * name all. */
ENT_NODISCARD int ent_edit_put_life(struct ent_writer *writer,
                                    const struct ent_state *state,
                                    enum ent_edit_life life,
                                    struct ent_change *change,
                                    struct ent_err *err);

#endif
