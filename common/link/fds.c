/* fds.c - see fds.h. */
#include "link/fds.h"

#include <linux/tcp.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/err.h"

#define SLOTS_FIRST 64

void ent_fds_fini(struct ent_fds *fds)
{
    free(fds->slots);
    memset(fds, 0, sizeof(*fds));
}

struct ent_fd *ent_fds_at(struct ent_fds *fds, int fd)
{
    if (fd < 0 || (size_t)fd >= fds->count || !fds->slots[fd].open)
        return NULL;
    return &fds->slots[fd];
}

static int make_room(struct ent_fds *fds, size_t fd)
{
    size_t count = fds->count == 0 ? SLOTS_FIRST : fds->count;
    struct ent_fd *slots;

    if (fd < fds->count)
        return 0;
    while (count <= fd)
        count *= 2;
    slots = realloc(fds->slots, count * sizeof(*slots));
    if (slots == NULL)
        return ENT_ENOMEM;
    memset(slots + fds->count, 0, (count - fds->count) * sizeof(*slots));
    fds->slots = slots;
    fds->count = count;
    return 0;
}

static bool silent(const struct ent_fds *fds, const struct ent_fd *slot)
{
    return fds->inbound && slot->open && !slot->spoken && !slot->cut;
}

/* The newest stays: an honest peer speaks within a round trip or two, so it
 * gets through among any number that only hold a place. */
static void cut_oldest_silent(struct ent_fds *fds)
{
    size_t oldest = fds->count;

    for (size_t i = 0; i < fds->count; i++)
        if (silent(fds, &fds->slots[i]) &&
            (oldest == fds->count ||
             fds->slots[i].opened_ms < fds->slots[oldest].opened_ms))
            oldest = i;
    if (oldest < fds->count)
        ent_fds_cut(fds, (int)oldest);
}

int ent_fds_opened(struct ent_fds *fds, int fd, uint64_t now_ms)
{
    ENT_ASSERT(fd >= 0);
    if (make_room(fds, (size_t)fd) < 0) {
        shutdown(fd, SHUT_RDWR);
        return ENT_ENOMEM;
    }
    fds->slots[fd] = (struct ent_fd){.open = true, .opened_ms = now_ms};
    fds->opened_ms = now_ms;
    if (fds->inbound && ++fds->silent > ENT_FDS_SILENT_MAX)
        cut_oldest_silent(fds);
    return 0;
}

uint32_t ent_fds_closed(struct ent_fds *fds, int fd)
{
    struct ent_fd *slot = ent_fds_at(fds, fd);

    if (slot == NULL)
        return 0;
    if (silent(fds, slot))
        fds->silent--;
    slot->open = false;
    return slot->conn;
}

void ent_fds_heard(struct ent_fds *fds, int fd)
{
    struct ent_fd *slot = ent_fds_at(fds, fd);

    if (slot == NULL)
        return;
    if (silent(fds, slot))
        fds->silent--;
    slot->spoken = true;
    slot->heard = true;
}

void ent_fds_cut(struct ent_fds *fds, int fd)
{
    struct ent_fd *slot = ent_fds_at(fds, fd);

    if (slot == NULL || slot->cut)
        return;
    if (silent(fds, slot))
        fds->silent--;
    slot->cut = true;
    shutdown(fd, SHUT_RDWR);
}

/* How much came since the last message was complete. */
static uint64_t unfinished(struct ent_fd *slot, int fd)
{
    struct tcp_info info = {0};
    socklen_t len = sizeof(info);

    if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) != 0)
        return 0;
    if (slot->heard || info.tcpi_bytes_received < slot->base)
        slot->base = info.tcpi_bytes_received;
    slot->heard = false;
    return info.tcpi_bytes_received - slot->base;
}

static void cut_most_unfinished(struct ent_fds *fds)
{
    size_t most = 0;

    for (size_t i = 1; i < fds->count; i++)
        if (fds->slots[i].unfinished > fds->slots[most].unfinished)
            most = i;
    fds->unfinished -= fds->slots[most].unfinished;
    fds->slots[most].unfinished = 0;
    ent_fds_cut(fds, (int)most);
}

bool ent_fds_watched(const struct ent_fds *fds, uint64_t now_ms)
{
    return fds->unfinished > ENT_FDS_WATCHED_BYTES ||
           (fds->opened_ms != 0 &&
            now_ms - fds->opened_ms < ENT_FDS_WATCHED_MS);
}

void ent_fds_check(struct ent_fds *fds, uint64_t now_ms)
{
    if (now_ms - fds->checked_ms <
        (ent_fds_watched(fds, now_ms) ? ENT_FDS_WATCH_MS : ENT_FDS_CHECK_MS))
        return;
    fds->checked_ms = now_ms;
    fds->unfinished = 0;
    for (size_t i = 0; i < fds->count; i++) {
        struct ent_fd *slot = &fds->slots[i];

        slot->unfinished = 0;
        if (!slot->open || slot->cut)
            continue;
        slot->unfinished = unfinished(slot, (int)i);
        fds->unfinished += slot->unfinished;
        if (silent(fds, slot) && now_ms - slot->opened_ms > ENT_FDS_SILENT_MS)
            ent_fds_cut(fds, (int)i);
        if (slot->unfinished > ENT_FDS_UNFINISHED_MAX)
            ent_fds_cut(fds, (int)i);
    }
    while (fds->unfinished > ENT_FDS_UNFINISHED_ALL)
        cut_most_unfinished(fds);
}
