#!/usr/bin/python3
"""member.py - a member that lies: entries with the signature of another, a
broken chain, from another space, said again and again, news without end.
What it says is refused and counted, and the others do not notice.

    member.py BUILD"""
import os
import re
import sys
import time
import uuid

import nodes
from nodes import check, check_memory, equal, note, wait_for

from nacl.signing import SigningKey

from peer import (ASIDE_WANT, DIFFERS, OPEN, RUNS, WANT, WELCOME, Peer, Writer,
                  compress)
from read_replica import own_id

FLOOD = 3000          # news
FLOOD_HEADS = 20      # in each, of logs that nobody has
FLOOD_EDITS = 5       # of the honest node meanwhile
EDIT_S = 10           # the longest one may take to arrive
MEMORY_MIB = 16
MESSAGE = 16          # a kind whose records belong to their author
COUNTED = ("applied", "duplicate", "quarantined", "refused", "waiting")


class Liar:
    """A member's key and what the attacked node counts of it."""

    def __init__(self, node, home, space):
        self.node = node
        self.seed = home.seed()
        self.key = SigningKey(self.seed)
        self.author = bytes(self.key.verify_key)
        self.space = space

    def counts(self):
        peer = self.node.peer(self.author)
        return {name: peer.get(name, 0) for name in COUNTED}

    def session(self, lie):
        """What was counted of the run in which `lie(peer, roster head)` told
        its news, and whether the session went on."""
        before = self.counts()
        with Peer(self.node, self.seed) as peer:
            head = peer.open(self.space)
            lie(peer, head)
            # The next hello is answered when all before it was taken.
            alive = peer.hello() is not None
        after = self.counts()
        return {name: after[name] - before[name] for name in COUNTED
                if after[name] != before[name]}, alive

    def told(self, sentence, want, lie):
        got, alive = self.session(lie)
        check(sentence, got == want and alive, "%s, %s" % (
            got, "the session went on" if alive else "the session ended"))

    def writer(self, head, author=None, space=None, origin=None):
        return Writer(space or self.space, head, author or self.author, origin)


def truth(liar):
    """Everything else would prove nothing without it."""
    def say(peer, head):
        writer = liar.writer(head).write("true-1").write("true-2")
        peer.news(liar.space, [writer.head()], writer.run(liar.key))

    liar.told("a member's entries are taken from a session made in Python",
              {"applied": 2}, say)
    check("and shown", {"true-1", "true-2"} <= liar.node.codes())


def signatures(liar, honest):
    def by(author, key):
        def say(peer, head):
            writer = liar.writer(head, author).write("forged-1")
            writer.write("forged-2")
            peer.news(liar.space, [], writer.run(key))
        return say

    stranger = SigningKey.generate()
    liar.told("entries in another member's name are refused", {"refused": 2},
              by(honest.key(), liar.key))
    liar.told("and in the name of a key that is no member", {"refused": 2},
              by(bytes(stranger.verify_key), stranger))

    def flipped(peer, head):
        run = liar.writer(head).write("flipped").run(liar.key)
        run[5] = bytes([run[5][0] ^ 1]) + run[5][1:]
        peer.news(liar.space, [], run)

    def changed(peer, head):
        run = liar.writer(head).write("changed-1").write("changed-2").run(
            liar.key)
        run[4][0] = run[4][0].replace(b"changed-1", b"changed-9")
        peer.news(liar.space, [], run)

    liar.told("a signature with one wrong bit is refused", {"refused": 1},
              flipped)
    liar.told("and an entry with one wrong byte", {"refused": 2}, changed)


def chains(liar):
    def gap(peer, head):
        writer = liar.writer(head)
        for i in range(3):
            writer.write("gap-%d" % i)
        run = writer.run(liar.key)
        del run[4][1]
        peer.news(liar.space, [], run)

    def no_predecessor(peer, head):
        writer = liar.writer(head).write("first").write("second")
        peer.news(liar.space, [], writer.run(liar.key, start=2))

    def wrong_predecessor(peer, head):
        writer = liar.writer(head).write("kept")
        peer.news(liar.space, [], writer.run(liar.key))
        writer.write("second")
        run = writer.run(liar.key, start=2)
        run[3] = os.urandom(8)
        peer.news(liar.space, [], run)

    liar.told("a chain with an entry left out is refused", {"refused": 2}, gap)
    liar.told("entries without the one before them wait", {"waiting": 1},
              no_predecessor)
    liar.told("and with another one before them",
              {"applied": 1, "waiting": 1}, wrong_predecessor)


def replays(liar):
    def say(peer, head):
        writer = liar.writer(head).write("again")
        for _ in range(3):
            peer.news(liar.space, [], writer.run(liar.key))

    liar.told("entries said three times are taken once",
              {"applied": 1, "duplicate": 2}, say)
    check("and shown once", [row["code"] for row in liar.node.json(
        "list", "contact")].count("again") == 1)


def owned(liar, honest):
    """Rule M9: a good signature under what is somebody else's."""
    honest.ask("add", "message", "code=msg-1", "body=What was said")
    wait_for(lambda: liar.node.json("list", "message"), EDIT_S)
    record = uuid.UUID(liar.node.json("list", "message")[0]["id"]).bytes

    def foreign(peer, head):
        writer = liar.writer(head).write("taken-over", MESSAGE, record)
        writer.write("behind-it")
        peer.news(liar.space, [writer.head()], writer.run(liar.key))

    def own(peer, head):
        made = own_id(liar.space, liar.author, os.urandom(16))
        writer = liar.writer(head).write("msg-of-m", MESSAGE, made)
        peer.news(liar.space, [writer.head()], writer.run(liar.key))

    liar.told("a change to another's message is quarantined, and what comes "
              "behind it taken", {"applied": 1, "quarantined": 1}, foreign)
    check("the message is its author's", liar.node.json(
        "list", "message")[0]["code"] == "msg-1")
    check("the entry is listed with its reason",
          "belongs to somebody else" in liar.node.ask("quarantine", "s"))
    check("what came behind it is shown", "behind-it" in liar.node.codes())
    liar.told("a message of its own is taken", {"applied": 1}, own)


def other_spaces(liar, second, third):
    def elsewhere(peer, head):
        writer = liar.writer(head, space=second).write("of-another-space")
        peer.news(liar.space, [], writer.run(liar.key))

    liar.told("an entry of one space is refused in another", {"refused": 1},
              elsewhere)
    before = liar.counts()["refused"]
    with Peer(liar.node, liar.seed) as peer:
        answer = peer.hello(third)
        opened = peer.hear(OPEN)
        check("of a space it is no member of, a member is shown no frontier",
              answer == [DIFFERS] and opened and opened[3] is None,
              peer.frames)
        writer = liar.writer([1, bytes(8)], space=third).write("intruder")
        peer.news(third, [writer.head()], writer.run(liar.key))
        dropped = peer.is_dropped()
        check("and a message about it ends the session, counted as refused",
              dropped and RUNS not in {frame[0] for frame in peer.frames} and
              liar.counts()["refused"] == before + 1, peer.frames)


def answers(liar):
    """Heads that do not exist are asked for; what comes then is checked."""
    before = liar.counts()
    with Peer(liar.node, liar.seed) as peer:
        head = peer.open(liar.space)
        writer = liar.writer(head).write("promised")
        peer.news(liar.space, [writer.head()])
        want = peer.hear(WANT)
        run = writer.run(SigningKey.generate())
        peer.answer_want(liar.space, run)
        check("what was asked for is checked as well",
              want and want[2][0][1] == writer.origin and
              peer.hello() is not None and
              liar.counts()["refused"] == before["refused"] + 1, want)
        peer.answer_want(liar.space, run)
        check("what was not asked for ends the session",
              peer.is_dropped() and
              liar.counts()["refused"] == before["refused"] + 2)


def offers(liar):
    """As beyond a cut, of somebody whom no cut is about."""
    before = liar.counts()
    with Peer(liar.node, liar.seed) as peer:
        writer = liar.writer(peer.open(liar.space)).write("promised-2")
        peer.offer(liar.space, [writer.head()])
        want = peer.hear(ASIDE_WANT)
        check("of what no cut takes nothing is asked for",
              want and want[2:] == [[], False], want)
        peer.offer(liar.space, [], writer.run(liar.key))
        check("and when it comes all the same the session ends",
              peer.is_dropped() and
              liar.counts()["refused"] == before["refused"] + 1)


def out_of_form(liar):
    bomb = compress([[bytes(32), bytes(16), 1, bytes(8),
                      [bytes(1 << 24)], bytes(64)]])
    for name, frame in (
            ("a frame of an unknown type", (99, bytes(8))),
            ("one that is no zstd", (13, None, [], b"\x28\xb5\x2f\xfd????")),
            ("one that grows beyond its limit", (13, None, [], bomb))):
        before = liar.counts()["refused"]
        with Peer(liar.node, liar.seed) as peer:
            peer.open(liar.space)
            peer.say(*[peer.tag(liar.space) if part is None else part
                       for part in frame])
            check("%s ends the session, counted as refused" % name,
                  peer.is_dropped() and
                  liar.counts()["refused"] == before + 1)


def flood(liar, honest):
    """News about logs that nobody has, as fast as they are taken."""
    node = liar.node
    before = node.rss_kib()
    edits = ["meanwhile-%d" % i for i in range(FLOOD_EDITS)]
    slowest = 0
    with Peer(node, liar.seed) as peer:
        peer.open(liar.space)
        sent = 0
        for code in edits:
            for _ in range(FLOOD // FLOOD_EDITS):
                heads = sorted([liar.author, os.urandom(16), 9, os.urandom(8)]
                               for _ in range(FLOOD_HEADS))
                sent += peer.has_room() and peer.news(liar.space, heads)
                node.rss_kib()
            honest.ask("add", "contact", "code=" + code)
            begin = time.monotonic()
            wait_for(lambda: code in node.codes(), EDIT_S)
            slowest = max(slowest, time.monotonic() - begin)
        check("a flood of news does not keep an honest member's from coming",
              set(edits) <= node.codes() and slowest < EDIT_S, slowest)
        note("%d news were sent, the slowest edit took %.2f s" %
             (sent, slowest))
    check_memory(node, before, MEMORY_MIB,
                 "the flood costs at most %d MiB" % MEMORY_MIB)


def main(build):
    with nodes.World(build) as world:
        node = world.listening("a", "s", "t", "u")
        honest = world.joined("b", node, "s").start()
        home = world.joined("m", node, "s", "t")
        honest.ask("add", "contact", "code=honest")
        liar = Liar(node, home, node.space_id("s"))
        told = len(node.log())
        truth(liar)
        signatures(liar, honest)
        chains(liar)
        replays(liar)
        owned(liar, honest)
        other_spaces(liar, node.space_id("t"), node.space_id("u"))
        answers(liar)
        offers(liar)
        out_of_form(liar)
        flood(liar, honest)
        check("nothing of it is shown",
              not [code for code in node.codes()
                   if re.match("forged|flipped|changed|gap|of-another|"
                               "intruder|promised", code)])
        check("nothing was refused of the honest member",
              node.peer(honest.key()).get("refused") == 0)
        check("whose link stood all the while",
              "no longer connected with " + honest.key().hex()[:16]
              not in node.log()[told:], node.log()[told:])
        honest.ask("add", "contact", "code=afterwards")
        check("the honest pair is equal afterwards",
              wait_for(lambda: equal(node, honest, "s")) and
              "afterwards" in node.codes())
        for each in (node, honest):
            check("verify finds nothing on %s" % each.name,
                  each.json("verify", "--deep") == [])
            check("and its daemon ends as it should", each.stop() == 0)
    nodes.finish()


if __name__ == "__main__":
    main(sys.argv[1])
