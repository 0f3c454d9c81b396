/* records.h - records written and read by the people and programs of this
 * node. Merging is store/apply.h's; here is what a command needs. */
#ifndef ENT_STORE_RECORDS_H
#define ENT_STORE_RECORDS_H

#include "store/store.h"

/* ------------------------------------------------------------------ writing */

/* One write that a writer saw, as display gave it (rule M8). */
struct ent_dot {
    int64_t n; /* the entry's place in the log table */
    uint32_t ordinal;
};

struct ent_edit_op {
    uint32_t code; /* ENT_OP_WRITE, ENT_OP_ADD, ENT_OP_REMOVE */
    uint32_t field;
    struct ent_value value; /* of REMOVE: every element of that value goes */
    const struct ent_dot *seen; /* NULL: what stands now; of REMOVE: the
                                 * elements that go */
    size_t seen_count;
};

enum ent_edit_life {
    ENT_EDIT_TOUCH,    /* live, naming what is live: an ordinary change */
    ENT_EDIT_DELETE,   /* dead, naming all that stands */
    ENT_EDIT_UNDELETE, /* live, naming all that stands */
};

struct ent_edit {
    uint32_t kind;
    struct ent_id id;
    enum ent_edit_life life;
    bool fresh; /* a hint: the record is probably not there yet */
    const struct ent_edit_op *ops; /* any order */
    size_t op_count;
};

enum ent_written {
    ENT_WRITTEN_NOTHING, /* everything was so already */
    ENT_WRITTEN_NEW,     /* the record was not here before */
    ENT_WRITTEN_CHANGED,
};

/* A writer is one local transaction in one space: it holds the replica's
 * write lock from open to commit or abort. Changes are gathered into as few
 * entries as the limits allow (L5); a put that goes in id order is faster. */
struct ent_writer;

/* ENT_EDENIED: reader, no member, or the space was left. */
ENT_NODISCARD int ent_writer_open(struct ent_store *store, int64_t space,
                                  int64_t now_ms, struct ent_writer **writer,
                                  struct ent_err *err);

/* One record's change. Operations that would change nothing (the same value,
 * uncontested) are left out; when nothing is left nothing is written. With
 * `resolve` false a WRITE without `seen` on a contested field that asks is
 * refused: ENT_ECONFLICT. ENT_EREFUSED: a limit, or not the kind's field.
 * ENT_EDENIED: the record is another member's (M9). After a failure the writer
 * can only be aborted. */
ENT_NODISCARD int ent_writer_put(struct ent_writer *writer,
                                 const struct ent_edit *edit, bool resolve,
                                 enum ent_written *written,
                                 struct ent_err *err);

/* Erase a record of this node for good (E1). ENT_EDENIED: it is another
 * member's (M9). */
ENT_NODISCARD int ent_writer_erase(struct ent_writer *writer, uint32_t kind,
                                   const struct ent_id *id,
                                   struct ent_err *err);

/* Chain the entries, keep the high-water mark, commit; frees the writer in
 * every case. 0 means durable on disk. */
ENT_NODISCARD int ent_writer_commit(struct ent_writer *writer,
                                    struct ent_err *err);
/* Nothing was written; frees the writer. */
void ent_writer_abort(struct ent_writer *writer);

/* A fresh id for a record of `kind`, in the owned form when the kind is owned
 * (M9). */
struct ent_id ent_record_new_id(struct ent_store *store, int64_t space,
                                const struct ent_kind *kind, int64_t now_ms);

/* The id of an imported record (M11): UUID version 5 of space, kind and code;
 * for owned kinds of this node in the owned form. */
struct ent_id ent_record_named_id(struct ent_store *store, int64_t space,
                                  const struct ent_kind *kind,
                                  struct ent_slice code);

/* Whether this node may change a record: of an owned kind only what it, or a
 * key whose place it has, made (M9). */
bool ent_record_may_change(struct ent_store *store, int64_t space,
                           uint32_t kind, const struct ent_id *id);

/* ------------------------------------------------------------------ reading */

struct ent_record_ref {
    int64_t space;
    uint32_t kind;
    struct ent_id id;
};

/* Find a record by id, by an unambiguous tail of 4 or more hex digits, or by
 * its code; in all spaces (space 0) or one, in all kinds (kind 0) or one; live
 * or deleted, but a deleted one by its code only when none lives that has it.
 * Up to `max` matches; the number found. */
ENT_NODISCARD int ent_record_find(struct ent_store *store, const char *name,
                                  int64_t space, uint32_t kind,
                                  struct ent_record_ref *refs, size_t max,
                                  size_t *count, struct ent_err *err);

/* The deleted records of that code, in all spaces; likewise. */
ENT_NODISCARD int ent_record_find_dead(struct ent_store *store,
                                       const char *code,
                                       struct ent_record_ref *refs, size_t max,
                                       size_t *count, struct ent_err *err);

/* One surviving write, as display shows it. */
struct ent_shown {
    uint32_t field;
    uint32_t code; /* ENT_OP_WRITE or ENT_OP_ADD; ENT_OP_LIVE/DEAD for life */
    struct ent_value value;
    bool missing; /* its payload is not here (E3) */
    struct ent_dot dot;
    struct ent_key author;
    int64_t claimed_ms;
};

struct ent_record {
    struct ent_record_ref ref;
    bool live;                /* shown */
    bool life_contested;      /* a deletion and an edit that did not see it */
    struct ent_shown *writes; /* by field; of one field the shown one first */
    size_t write_count;
    struct ent_arena arena; /* owns the above */
};

/* All surviving writes of a record. ENT_ENOTFOUND. */
ENT_NODISCARD int ent_record_read(struct ent_store *store,
                                  const struct ent_record_ref *ref,
                                  struct ent_record *record,
                                  struct ent_err *err);
void ent_record_fini(struct ent_record *record);

/* Append what a record shows in some of its columns, as text, nothing where it
 * shows nothing: for listings, which need no writers and no conflicts.
 * ENT_ENOTFOUND: it is deleted, or its kind has no table. */
ENT_NODISCARD int ent_record_shown(struct ent_store *store,
                                   const struct ent_record_ref *ref,
                                   const struct ent_field *const *fields,
                                   size_t count, struct ent_buf *texts,
                                   struct ent_err *err);

/* True when the field has several different values standing and asks. Equal
 * values are one; sets are never contested. */
bool ent_record_contested(const struct ent_record *record,
                          const struct ent_field *field);

/* One step of a record's history, newest first. */
struct ent_history {
    int64_t n;
    struct ent_key author;
    int64_t claimed_ms;
    uint32_t field;
    uint32_t code;
    uint32_t ordinal;
    struct ent_value value;
    bool has_value;
    bool stands;                /* not replaced by anything; of REMOVE always */
    struct ent_key replaced_by; /* valid when it does not stand */
    int64_t replaced_ms;
};

/* The history of a record, found by following the writes its writes name;
 * the items live in `arena`. */
ENT_NODISCARD int ent_record_history(struct ent_store *store,
                                     const struct ent_record_ref *ref,
                                     struct ent_arena *arena,
                                     struct ent_history **items, size_t *count,
                                     struct ent_err *err);

/* ---------------------------------------------------------------- conflicts */

struct ent_conflict {
    struct ent_record_ref ref;
    uint32_t field; /* 0: a deletion against an edit */
};

/* Fields that ask and have several different values, and contested lives; of
 * one space or all (0). The list lives in `arena`. */
ENT_NODISCARD int ent_conflict_list(struct ent_store *store, int64_t space,
                                    struct ent_arena *arena,
                                    struct ent_conflict **list, size_t *count,
                                    struct ent_err *err);

/* ------------------------------------------------------------------- search */

/* Bring the word index up to date with the log; cheap when it is. */
ENT_NODISCARD int ent_search_catch_up(struct ent_store *store,
                                      struct ent_err *err);

/* Records with all the words (accents folded, the last one may be a
 * beginning), best first, at most `max`. Words are taken literally. */
ENT_NODISCARD int ent_search(struct ent_store *store, const char *words,
                             struct ent_record_ref *refs, size_t max,
                             size_t *count, struct ent_err *err);

#endif
