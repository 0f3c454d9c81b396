#!/usr/bin/python3
"""wire.py - bytes on the daemon's port that no honest node sends: garbage,
handshakes left half done, other mechanisms, frames beyond every limit,
messages that never end.

    wire.py BUILD"""
import os
import re
import sys
import threading
import time

import nodes
from nodes import MIB, check, check_memory, check_well, wait_for

import msgpack
from nacl.signing import SigningKey

from curve import COMMAND, Link, claim, frame, greeting

HANDSHAKE_S = 5  # rule S7
AT_ONCE_S = 2
FRAME_MAX = 1 << 20
CURVE_BYTES = 33
UNFINISHED = 13 * MIB  # by one of many: less than what cuts one alone
PARTS = [bytes(200), bytes(60000)]
TOGETHER = 24
MEMORY_MIB = 16
MEMORY_UNFINISHED_MIB = 128
SERVICE = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                       "../../configs/entented.service.in")


def linked(node, count):
    links = [Link(node.address(), node.key()) for _ in range(count)]
    if not all(link.shake_hands() for link in links):
        raise RuntimeError("no handshake: " + node.log()[-2000:])
    return links


def pour(link, data):
    at = 0
    view = memoryview(data)
    link.tcp.settimeout(1)
    try:
        while at < len(view):
            at += link.tcp.send(view[at:at + MIB])
    except OSError:
        pass


def garbage(node):
    inputs = [
        b"\0" * 4096,
        b"\xff" * 4096,
        os.urandom(65536),
        b"\xff" + 8 * b"\0" + b"\x7f" + os.urandom(4096),
        greeting() + os.urandom(4096),
        greeting() + frame(COMMAND, b"\x05HELLO" + os.urandom(194)),
        greeting() + frame(COMMAND, b"\x05HELLO"),
        greeting(b"NOPE") + os.urandom(100),
        greeting(b"") + frame(COMMAND, os.urandom(255)),
    ]
    check("garbage is cut", all_cut(node, inputs))
    check("an HTTP request is cut",
          all_cut(node, [b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"]))


def all_cut(node, inputs, seconds=HANDSHAKE_S + 3):
    """Each in a connection of its own, all at the same time."""
    links = [Link(node.address(), node.key()) for _ in inputs]
    for link, data in zip(links, inputs):
        link.put(data)
    cut = [link.is_cut(seconds) for link in links]
    for link in links:
        link.tcp.close()
    return all(cut)


def half_done(node):
    """Every step of the handshake, left open there."""
    def up_to(step):
        link = Link(node.address(), node.key())
        if step == 0:
            return link
        link.put(greeting()[:10 if step == 1 else 64])
        if step <= 2:
            return link
        link.take(64)
        hello = link.hello_bytes()
        link.put(hello[:100] if step == 3 else hello)
        if step <= 4:
            return link
        link.take_welcome()
        link.put(link.initiate_bytes()[:-1])
        return link

    links = [up_to(step) for step in range(6)]
    begin = time.monotonic()
    check_well(node, "handshakes left half done")
    cut = [link.is_cut(HANDSHAKE_S + 3) for link in links]
    seconds = time.monotonic() - begin
    check("a handshake left half done is cut in %d s" % HANDSHAKE_S,
          all(cut) and seconds < HANDSHAKE_S + 3, "%s %.1f" % (cut, seconds))


def other_mechanisms(node):
    ready = frame(COMMAND, b"\x05READY\x0bSocket-Type\0\0\0\x06DEALER")
    hello = frame(COMMAND, b"\x05HELLO\x05admin\x05admin")
    for name, command in ((b"NULL", ready), (b"PLAIN", hello)):
        with Link(node.address(), node.key()) as link:
            link.put(greeting(name) + command + frame(0, b"\x91\x01"))
            cut = link.is_cut(HANDSHAKE_S + 3)
            check("the mechanism %s is refused without a word" %
                  name.decode(), cut and len(link.got) <= 64, link.got[64:])
    with Link(node.address(), bytes(SigningKey.generate().verify_key)) as link:
        check("who expects another key gets no handshake",
              not link.shake_hands() and link.is_cut())


def large(node):
    """Announced, before, in and after the handshake, and really sent."""
    sizes = (300 * MIB, 1 << 62, (1 << 64) - 1)
    early = [greeting(name) + claim(flags, size) + bytes(1000)
             for name in (b"NULL", b"CURVE") for flags in (0, COMMAND)
             for size in sizes]
    check("a frame of 300 MiB is cut at once before the handshake",
          all_cut(node, early, AT_ONCE_S))
    cut = 0
    for size in sizes:
        link, = linked(node, 1)
        link.put(claim(0, size))
        cut += link.is_cut(AT_ONCE_S)
        link.tcp.close()
    check("and after it", cut == len(sizes))
    link, = linked(node, 1)
    pour(link, claim(0, 300 * MIB) + bytes(300 * MIB))
    check("also when it is sent", link.is_cut(AT_ONCE_S))
    link.tcp.close()


def hello(link):
    """Say it and be welcomed."""
    link.send(msgpack.packb([1, 1, 0, bytes(8), b""]))
    try:
        return msgpack.unpackb(link.receive())[0] == 2
    except OSError:
        return False


def at_the_limit(node):
    """Frames about no space of this node are passed over, whatever size."""
    def of_size(size):
        overhead = len(msgpack.packb([8, bytes(8), bytes(size), True])) - size
        return msgpack.packb([8, bytes(8), bytes(size - overhead), True])

    told = len(node.log())
    link, = linked(node, 1)
    good = hello(link) and link.send(of_size(FRAME_MAX)) and hello(link)
    check("a frame of 1 MiB is taken", good)
    link.send(of_size(FRAME_MAX + 1))
    check("one byte more is cut, before anybody reads it",
          link.is_cut() and "refused" not in node.log()[told:])
    link.tcp.close()


# ------------------------------------------------------ messages without end

def pour_all(node, links, data):
    """All at once; the daemon's memory is looked at meanwhile."""
    threads = [threading.Thread(target=pour, args=pair)
               for pair in zip(links, data)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        node.rss_kib()
        threads[0].join(0.005)
    for thread in threads:
        thread.join()


def without_end(node):
    for part in PARTS:
        link, = linked(node, 1)
        parts = [link.message_bytes(part, more=True)
                 for _ in range(48 * MIB // (len(part) + CURVE_BYTES))]
        pour_all(node, [link], [b"".join(parts)])
        check("a message of parts of %d bytes for ever is cut" % len(part),
              link.is_cut())
        link.tcp.close()


def many_without_end(node):
    """Each stays below what is taken from one connection."""
    for again in ("", " once more"):
        links = linked(node, TOGETHER)
        part = PARTS[-1]
        pour_all(node, links, [
            b"".join(link.message_bytes(part, more=True)
                     for _ in range(UNFINISHED // len(part)))
            for link in links])
        check("of %d messages without end most are cut%s" % (TOGETHER, again),
              sum(link.is_cut(1) for link in links) > TOGETHER / 2)
        for link in links:
            link.tcp.close()


def many_unfinished_handshakes(node):
    """A command of the largest size, but for its last byte."""
    links = [Link(node.address(), node.key()) for _ in range(5 * TOGETHER)]
    data = greeting() + claim(COMMAND, FRAME_MAX) + bytes(FRAME_MAX - 1)
    pour_all(node, links, [data] * len(links))
    for link in links:
        link.tcp.close()


def memory_max():
    with open(SERVICE, encoding="utf-8") as service:
        found = re.search(r"^MemoryMax=(\d+)M$", service.read(), re.M)
    return int(found.group(1)) if found else 0


def main(build):
    with nodes.World(build) as world:
        node = world.listening("a", "s")
        check_well(node, "nothing")
        before = node.rss_kib()
        files = node.files()
        for attack in (garbage, half_done, other_mechanisms, large,
                       at_the_limit):
            attack(node)
            check_well(node, attack.__name__.replace("_", " "))
        check_memory(node, before, MEMORY_MIB,
                     "all of this costs at most %d MiB" % MEMORY_MIB)
        for attack in (without_end, many_without_end,
                       many_unfinished_handshakes):
            attack(node)
            check_well(node, attack.__name__.replace("_", " "))
        check_memory(node, before, MEMORY_UNFINISHED_MIB,
                     "messages without end cost at most %d MiB" %
                     MEMORY_UNFINISHED_MIB)
        check("MemoryMax of the service is above that, with room to work",
              memory_max() >= MEMORY_UNFINISHED_MIB * 3 // 2)
        check("no file descriptor is left behind",
              wait_for(lambda: node.files() <= files), node.files() - files)
        check("the daemon ends as it should", node.stop() == 0)
    nodes.finish()


if __name__ == "__main__":
    main(sys.argv[1])
