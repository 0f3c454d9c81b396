/* limits.h - every limit of the format, each a documented error when met.
 * Counts in bytes from outside meet their limit before memory is asked for
 * (rule L5). Changing one changes the format version. */
#ifndef ENT_BASE_LIMITS_H
#define ENT_BASE_LIMITS_H

#define ENT_FORMAT_VERSION 1

#define ENT_ENTRY_CHANGES_MAX 256      /* changes in an entry */
#define ENT_ENTRY_BYTES_MAX (64 << 10) /* packed entry, payloads included */
/* The same once some of its values were erased: each change may have a salt and
 * a commitment instead. */
#define ENT_ENTRY_STUB_BYTES_MAX                                               \
    (ENT_ENTRY_BYTES_MAX + ENT_ENTRY_CHANGES_MAX * 64)
#define ENT_VALUE_BYTES_MAX (16 << 10) /* one value */
#define ENT_DEPTH_MAX 8                /* arrays within arrays */
#define ENT_OPS_MAX 4096               /* operations in a change */
#define ENT_DOTS_MAX 16384             /* dots named by an operation */
#define ENT_REFS_MAX 4096              /* entries referred to by an entry */
#define ENT_FIELD_MAX 0x7fffffff       /* kind and field numbers, 31 bits */
#define ENT_SEQ_MAX (((int64_t)1 << 40) - 1) /* entries in a log */
#define ENT_TIME_MS_MAX 253402300799999      /* end of the year 9999 */

#define ENT_ROSTER_BYTES_MAX (128 << 10) /* one roster entry */
#define ENT_NAME_BYTES_MAX 512           /* a name or title */
#define ENT_HANDLE_MAX 64                /* a local space handle, in bytes */
#define ENT_ENDPOINT_MAX 256             /* an endpoint, in bytes */
#define ENT_ENDPOINTS_MAX 8              /* endpoints of a node */

#define ENT_FRAME_BYTES_MAX (1 << 20)   /* one message on a link */
#define ENT_BATCH_BYTES_MAX (256 << 10) /* packed entries in one batch */
/* A run under one signature, and how it may grow where values were erased. */
#define ENT_RUN_BYTES_MAX (ENT_BATCH_BYTES_MAX + ENT_ENTRY_BYTES_MAX)
#define ENT_RUN_STUB_BYTES_MAX (512 << 10)
#define ENT_ITEMS_MAX (1 << 17)   /* msgpack items in one frame */
#define ENT_HELLO_SPACES_MAX 1024 /* spaces in a hello */

#define ENT_INVITE_LINE_MAX 4096 /* an invitation or request as a line */
#define ENT_GUESSES_MAX 10       /* wrong requests a minute for one space */
#define ENT_GUESSES_ALL_MAX 60   /* and for all of them, before a pause */
#define ENT_GUESSES_PAUSE_MS (5 * 60 * 1000)

/* A member with more logs and branches in a space than that gets another one
 * taken by each node only so often (A8). */
#define ENT_LOGS_FREE 64
#define ENT_LOG_PAUSE_MS (10 * 1000)

/* Of one author in a space, kept aside where others offer it (A4). */
#define ENT_OFFER_ENTRIES_MAX 16384
#define ENT_OFFER_BYTES_MAX (4 << 20)

#define ENT_VOID_ENTRIES_MAX 1000 /* void roster entries of one author */
#define ENT_VOID_ENTRIES_HOUR 64  /* and beyond that, taken in an hour */

#define ENT_CLOCK_ODD_MS (2 * 60 * 1000) /* clock difference called odd */
#define ENT_TIME_MS_FIRST 1577836800000  /* 2020: earlier claims are odd */

#endif
