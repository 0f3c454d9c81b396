/* joined.h - fewer writes to the WAL.
 * SQLite hands out a commit's pages one by one, each as a header of 24 bytes
 * and the page behind it. Here they are held and written as one piece when the
 * page that commits is there, so that a commit of two pages is one write
 * instead of four. Nobody sees the difference: what is held is written before
 * the commit is synced or made known to other connections, before anything else
 * is done with the file, and thrown away with the write lock when it was not
 * committed. All else goes to SQLite's own file system unchanged. */
#ifndef ENT_STORE_JOINED_H
#define ENT_STORE_JOINED_H

/* The name to open a connection with. Call ent_joined_init before, once. */
#define ENT_JOINED "entente-joined"

/* An SQLite code. */
int ent_joined_init(void);

#endif
