/* undo.h - what the last command of this node wrote, taken back by new writes
 * in its own log. Nothing is taken away: an undo is a change like any other, so
 * it can be undone in turn, and merges with what others do meanwhile. What
 * somebody has written over since is not touched. */
#ifndef ENT_STORE_UNDO_H
#define ENT_STORE_UNDO_H

#include "store/records.h"

/* Why a step cannot be taken back. */
enum ent_undo_bar {
    ENT_UNDO_FREE,
    ENT_UNDO_WRITTEN, /* somebody has written to it since: by, at */
    ENT_UNDO_GONE,    /* what stood before is not here any more (E3) */
};

/* One write that undoing makes. */
struct ent_undo_step {
    struct ent_record_ref ref;
    uint32_t field; /* 0: the whole record */
    uint32_t code;  /* WRITE (NIL: emptied), ADD, REMOVE, LIVE or DEAD */
    struct ent_value value;
    bool again; /* another value of a field that had several before */
    const struct ent_dot *seen; /* of WRITE and REMOVE: what goes */
    size_t seen_count;
    enum ent_undo_bar bar;
    struct ent_key by;
    int64_t by_ms;
};

struct ent_undo {
    int64_t at_ms; /* when the last command wrote, as it claimed */
    struct ent_undo_step *steps;
    size_t count;
    size_t barred;
    struct ent_arena arena; /* owns the above */
};

/* Whether the steps may be done, where that is more than what a store knows. */
typedef int ent_undo_check_fn(void *with, const struct ent_undo *undo,
                              struct ent_err *err);

/* Undo what the last command wrote; `dry`: only say what would be done. `check`
 * (or NULL) is asked before anything is written, and its error is given. The
 * steps are given in every case but ENT_ENOTFOUND: nothing was written here, or
 * nothing of it stands any more. ENT_ECONFLICT: some are barred, and nothing
 * was done. ENT_EDENIED: as for ent_writer_open. */
ENT_NODISCARD int ent_undo_last(struct ent_store *store, int64_t now_ms,
                                bool dry, ent_undo_check_fn *check, void *with,
                                struct ent_undo *undo, struct ent_err *err);
void ent_undo_fini(struct ent_undo *undo);

#endif
