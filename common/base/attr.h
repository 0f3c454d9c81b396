/* attr.h - compiler attributes and the assertion that stays on. */
#ifndef ENT_BASE_ATTR_H
#define ENT_BASE_ATTR_H

#define ENT_NODISCARD __attribute__((warn_unused_result))
#define ENT_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#define ENT_ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

/* For our own mistakes only; on in release builds too. Bytes from a peer, a
 * file or a user get an error, never an assertion. */
#define ENT_ASSERT(cond)                                                       \
    ((cond) ? (void)0 : ent_assert_failed(#cond, __FILE__, __LINE__))

__attribute__((noreturn)) void ent_assert_failed(const char *cond,
                                                 const char *file, int line);

#endif
