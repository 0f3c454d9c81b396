/* wall.h - the clocks: the only place the daemon reads them. */
#ifndef ENT_NODE_WALL_H
#define ENT_NODE_WALL_H

#include <stdint.h>

/* What this node claims the time is, Unix milliseconds; --now-offset moves it
 * for tests. */
int64_t wall_now_ms(int64_t offset_ms);

/* Never goes back; for timeouts. */
int64_t wall_mono_ms(void);

#endif
