"""peer.py - the session of docs/protocol.md spoken by a program that shares
no line with ours: CURVE from pyzmq, the format from tests/compat.

A Peer says what it is told to say, true or not. Writer makes entries."""
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "../compat"))

import msgpack
import zmq
import zstandard
from nacl.bindings import (crypto_sign_ed25519_pk_to_curve25519,
                           crypto_sign_ed25519_sk_to_curve25519)
from nacl.signing import SigningKey
from zmq.utils import z85
from zmq.utils.monitor import recv_monitor_message

from read_replica import (ZERO32, blake2b, body_bytes, header_bytes, pack,
                          read_entry)

(HELLO, WELCOME, OPEN, ROSTER_HAVE, ROSTER, FRONTIER, WANT, RUNS, MORE,
 SETTLED, SAID_HAVE, SAID, NEWS, JOIN, JOINED, ASIDE,
 ASIDE_WANT) = range(1, 18)
EQUAL, DIFFERS = 1, 2
PATIENCE_S = 10
ZERO8 = bytes(8)
CONTACT, CODE, NAME = 3, 1, 2  # kind and fields, as in configs/kinds
ENDED = zmq.EVENT_DISCONNECTED | zmq.EVENT_CLOSED


def h8(data):
    return blake2b(data, 16)[:8]


def now_ms():
    return int(time.time() * 1000)


class Peer:
    """One connection to a node, under the key made of `seed`."""

    def __init__(self, node, seed=None, routing_id=None):
        self.key = SigningKey(seed or os.urandom(32))
        self.curve = crypto_sign_ed25519_pk_to_curve25519(
            bytes(self.key.verify_key))
        self.server = crypto_sign_ed25519_pk_to_curve25519(node.key())
        self.nonce = os.urandom(8)
        self.frames = []
        self.context = zmq.Context()
        self.dealer = self.context.socket(zmq.DEALER)
        self.dealer.linger = 0
        self.dealer.setsockopt(zmq.RECONNECT_IVL, -1)
        if routing_id is not None:
            self.dealer.setsockopt(zmq.ROUTING_ID, routing_id)
        self.dealer.curve_publickey = z85.encode(self.curve)
        self.dealer.curve_secretkey = z85.encode(
            crypto_sign_ed25519_sk_to_curve25519(
                bytes(self.key) + bytes(self.key.verify_key)))
        self.dealer.curve_serverkey = z85.encode(self.server)
        self.monitor = self.dealer.get_monitor_socket(ENDED)
        self.dealer.connect(node.endpoint)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.dealer.monitor(None, 0)  # first: libzmq waits for its reader
        self.monitor.close(linger=0)
        self.dealer.close()
        self.context.term()

    def has_room(self):
        """Wait until something can be said; False: never."""
        return self.dealer.poll(1000 * PATIENCE_S, zmq.POLLOUT)

    def say(self, *frame):
        """False when there is no room, or nobody takes it any more."""
        try:
            self.dealer.send(pack(list(frame)), zmq.DONTWAIT)
            return True
        except zmq.Again:
            return False

    def next(self, seconds=PATIENCE_S):
        """The next frame, or None; all are kept in `frames`."""
        if not self.dealer.poll(int(1000 * seconds)):
            return None
        self.frames.append(msgpack.unpackb(self.dealer.recv(), raw=False))
        return self.frames[-1]

    def hear(self, *types, seconds=PATIENCE_S):
        """The next frame of one of these types; others are passed over."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            got = self.next(left)
            if got is not None and got[0] in types:
                return got
        return None

    def is_dropped(self, seconds=PATIENCE_S):
        """Whether the other side ends the connection; what it says until then
        is kept in `frames`."""
        poller = zmq.Poller()
        poller.register(self.dealer, zmq.POLLIN)
        poller.register(self.monitor, zmq.POLLIN)
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            ready = dict(poller.poll(int(1000 * left)))
            if self.dealer in ready:
                self.next(0)
            if self.monitor in ready and self.dealer not in ready:
                recv_monitor_message(self.monitor)
                return True
        return False

    # ------------------------------------------------------------- the session

    def tag(self, space):
        return h8(space + self.curve + self.server + self.nonce)

    def hello(self, *spaces):
        """Name spaces; the answer to each, or None without a welcome."""
        slots = b"".join(self.tag(space) + os.urandom(8) for space in spaces)
        self.say(HELLO, 1, now_ms(), self.nonce, slots)
        welcome = self.hear(WELCOME)
        if welcome is None:
            return None
        return [welcome[3][i // 4] >> i % 4 * 2 & 3
                for i in range(len(spaces))]

    def roster(self, space):
        """All of it: [(header, signature, body)...]"""
        self.say(ROSTER_HAVE, self.tag(space), b"")
        entries = []
        while True:
            got = self.hear(ROSTER)
            if got is None:
                return None
            entries += got[2]
            if got[3]:
                return entries

    def open(self, space, heads=()):
        """Begin with a space as a member who holds what the node holds and
        these heads. The roster's head as entries name it."""
        answer = self.hello(space)
        opened = self.hear(OPEN)
        if answer != [DIFFERS] or opened is None or opened[3] is None:
            raise RuntimeError("the node does not take us for a member: %r" %
                               self.frames)
        self.theirs = opened[3]
        roster = self.roster(space)
        self.say(OPEN, self.tag(space), opened[2],
                 sorted([*self.theirs, *heads]))
        last = max((entry[0] for entry in roster),
                   key=lambda header: msgpack.unpackb(header)[5])
        return [msgpack.unpackb(last)[5], blake2b(last)[:8]]

    def settle(self):
        """Say that we hold what the node says it holds: only then what comes
        later is news to us."""
        settled = self.hear(SETTLED)
        return settled is not None and self.say(*settled)

    def news(self, space, heads, *runs):
        return self.say(NEWS, self.tag(space), heads,
                        compress(runs) if runs else b"")

    def offer(self, space, heads, *runs):
        return self.say(ASIDE, self.tag(space), heads,
                        compress(runs) if runs else b"")

    def answer_want(self, space, *runs):
        self.say(RUNS, self.tag(space), compress(runs), True)


def compress(runs):
    return zstandard.ZstdCompressor().compress(pack(list(runs)))


class Writer:
    """A log of entries, one contact or record of another kind each; signed
    with `key`, which may be another than the author's."""

    def __init__(self, space, roster_head, author, origin=None):
        self.space = space
        self.roster_head = roster_head
        self.author = author
        self.origin = origin or os.urandom(16)
        self.prev = ZERO32
        self.entries = []  # (packed, header)

    def write(self, code, kind=CONTACT, record=None):
        packed = pack([now_ms(), self.roster_head, [], os.urandom(16),
                       [[kind, record or os.urandom(16), [CODE, NAME],
                         [code, "Name of " + code]]]])
        entry = read_entry(packed, self.origin)
        header = header_bytes(
            self.space, {"author": self.author, "id": self.origin},
            len(self.entries) + 1, self.prev, entry, body_bytes(entry))
        self.prev = blake2b(header)
        self.entries.append((packed, header))
        return self

    def head(self):
        return [self.author, self.origin, len(self.entries), self.prev[:8]]

    def prev8(self, number):
        return blake2b(self.entries[number - 2][1])[:8] if number > 1 \
            else ZERO8

    def run(self, key, start=1):
        """From an entry on to the newest."""
        return [self.author, self.origin, start, self.prev8(start),
                [packed for packed, _ in self.entries[start - 1:]],
                key.sign(self.entries[-1][1]).signature]
