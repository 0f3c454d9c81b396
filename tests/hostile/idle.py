#!/usr/bin/python3
"""idle.py - hundreds of connections that hold a place and say nothing: an
honest pair goes on as fast as without them, memory and descriptors stay.

    idle.py BUILD"""
import os
import resource
import sys
import time

import nodes
from nodes import check, check_memory, note, wait_for

from curve import Link

CONNECTIONS = 500
DESCRIPTORS = 2 * CONNECTIONS + 100
ROUNDS = 3
ROWS = 20000
SLOWER_MAX = 2
MEMORY_MIB = 16
SILENT_MAX = 128  # rule S7
SILENT_S = 30
SILENT_HELD = 100


def allow_descriptors():
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if most != resource.RLIM_INFINITY and most < DESCRIPTORS:
        print("1..0 # SKIP no more than %d files may be open" % most)
        sys.exit(77)
    resource.setrlimit(resource.RLIMIT_NOFILE, (DESCRIPTORS, most))


def nobody(node):
    return []


def idle_sockets(node, count=CONNECTIONS):
    address, key = node.address(), node.key()
    return [Link(address, key) for _ in range(count)]


def idle_keys(node, count=CONNECTIONS):
    """Each with a key of its own that nobody knows."""
    links = []
    address, key = node.address(), node.key()
    for _ in range(count):
        links.append(Link(address, key))
        if not links[-1].shake_hands():
            raise RuntimeError("no handshake: " + node.log()[-2000:])
    return links


def close(links):
    for link in links:
        link.tcp.close()


def memory(node):
    """Of a node that has nothing else to do."""
    before = node.rss_kib()
    for attack in (idle_sockets, idle_keys):
        links = attack(node)
        node.rss_kib()
        close(links)
    check_memory(node, before, MEMORY_MIB,
                 "%d idle TCP sockets, then as many of unknown keys, cost at "
                 "most %d MiB" % (CONNECTIONS, MEMORY_MIB))


def write_rows(node, prefix):
    path = os.path.join(node.world.work, prefix + ".csv")
    with open(path, "w") as table:
        table.write("code,display_name\n")
        for i in range(ROWS):
            table.write("%s-%d,Name %d of %s\n" % (prefix, i, i, prefix))
    node.ask("import", "contact", path, "--quiet")


def meet(node, honest, prefix):
    """The seconds from the start of the honest node's daemon, which has
    something to tell, until both hold the same."""
    write_rows(honest, prefix)
    want = honest.digest("s")
    begin = time.monotonic()
    honest.start()
    good = wait_for(lambda: node.digest("s") == want)
    seconds = time.monotonic() - begin
    honest.stop()
    if not good:
        raise RuntimeError("they never became equal: " + node.log()[-2000:])
    return seconds


def main(build):
    allow_descriptors()
    took = {attack: [] for attack in (nobody, idle_sockets, idle_keys)}
    with nodes.World(build) as world:
        silent = world.listening("c")
        silent_files = silent.files()
        begin = time.monotonic()
        held = idle_keys(silent, SILENT_HELD)
        check("%d silent ones may stay for a while" % SILENT_HELD,
              silent.files() == silent_files + SILENT_HELD)
        memory(world.listening("d"))
        node = world.listening("a", "s")
        honest = world.joined("b", node, "s")
        honest.ask("add", "contact", "code=honest")
        meet(node, honest, "first")
        files = node.files()
        for i in range(ROUNDS):
            for attack, seconds in took.items():
                links = attack(node)
                seconds.append(meet(node, honest, "%s%d" % (attack.__name__,
                                                            i)))
                close(links)
        usual = min(took[nobody])
        for attack, what in ((idle_sockets, "idle TCP sockets"),
                             (idle_keys, "idle connections of unknown keys")):
            now = min(took[attack])
            check("with %d %s a pair is equal in less than %d times the time" %
                  (CONNECTIONS, what, SLOWER_MAX), now < SLOWER_MAX * usual,
                  took)
            note("%.2f s instead of %.2f s" % (now, usual))
        check("their descriptors come back",
              wait_for(lambda: node.files() <= files), node.files() - files)
        links = idle_keys(node)
        check("no more than %d silent ones are kept" % SILENT_MAX,
              wait_for(lambda: node.files() <= files + SILENT_MAX),
              node.files() - files)
        close(links)
        check("after %d s of silence none is left" % SILENT_S,
              wait_for(lambda: silent.files() <= silent_files, SILENT_S),
              silent.files() - silent_files)
        note("gone %.0f s after the first one came" %
             (time.monotonic() - begin))
        close(held)
        check("the daemon ends as it should", node.stop() == 0)
    nodes.finish()


if __name__ == "__main__":
    main(sys.argv[1])
