#!/usr/bin/python3
"""hostile.py - what an outsider on the network can do to a running entented.

    hostile.py ENDPOINT KEY [--pid PID] [--idle N] [--growth MIB]

KEY is the node's key as `entente whoami` prints it. Every attack is followed
by an honest handshake: the daemon must still be there for others. Prints what
it saw; with --pid also the daemon's memory. Exit status 1 when a promise was
broken: no handshake, an answer to somebody without a key, a connection left
open that should have been cut, or memory grown beyond --growth.
"""
import argparse
import os
import socket
import struct
import sys
import time

import zmq
from nacl.bindings import crypto_sign_ed25519_pk_to_curve25519
from zmq.utils import z85
from zmq.utils.monitor import recv_monitor_message

FRAME_MAX = 1 << 20
HANDSHAKE_S = 5  # the daemon's deadline for a stranger
EVENTS = zmq.EVENT_ALL & ~zmq.EVENT_MONITOR_STOPPED
failures = []


def say(text):
    print(text, flush=True)


def check(good, text):
    say(("ok      " if good else "FAILED  ") + text)
    if not good:
        failures.append(text)


class Target:
    def __init__(self, args):
        self.endpoint = args.endpoint
        host, port = args.endpoint[len("tcp://"):].rsplit(":", 1)
        self.address = (host.strip("[]"), int(port))
        self.curve = crypto_sign_ed25519_pk_to_curve25519(
            bytes.fromhex(args.key))
        self.pid = args.pid
        self.context = zmq.Context()

    def rss_kib(self):
        if self.pid is None:
            return 0
        with open(f"/proc/{self.pid}/status") as status:
            for line in status:
                if line.startswith("VmRSS:"):
                    return int(line.split()[1])
        return 0

    def tcp(self, patience=HANDSHAKE_S + 3):
        return socket.create_connection(self.address, timeout=patience)

    def dealer(self, mechanism="CURVE", server_key=None, routing_id=None):
        dealer = self.context.socket(zmq.DEALER)
        dealer.linger = 0
        dealer.setsockopt(zmq.RECONNECT_IVL, -1)
        dealer.setsockopt(zmq.IPV6, 1)
        dealer.sndtimeo = 2000
        if routing_id is not None:
            dealer.setsockopt(zmq.ROUTING_ID, routing_id)
        if mechanism == "PLAIN":
            dealer.plain_username = b"admin"
            dealer.plain_password = b"admin"
        if mechanism == "CURVE":
            dealer.curve_publickey, dealer.curve_secretkey = zmq.curve_keypair()
            dealer.curve_serverkey = z85.encode(server_key or self.curve)
        return dealer

    def handshake(self, dealer, patience=HANDSHAKE_S + 3):
        """Connect: the name of what came of it, and the seconds it took."""
        outcomes = {
            zmq.EVENT_HANDSHAKE_SUCCEEDED: "succeeded",
            zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL: "failed",
            zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL: "failed",
            zmq.EVENT_HANDSHAKE_FAILED_AUTH: "refused",
            zmq.EVENT_CLOSED: "closed",
            zmq.EVENT_DISCONNECTED: "closed",
        }
        monitor = dealer.get_monitor_socket(EVENTS)
        begin = time.monotonic()
        dealer.connect(self.endpoint)
        outcome = "nothing"
        while time.monotonic() - begin < patience and monitor.poll(
                int(1000 * patience)):
            event = recv_monitor_message(monitor)["event"]
            if event in outcomes:
                outcome = outcomes[event]
                break
        return outcome, time.monotonic() - begin


def was_cut(dealer, patience):
    """Whether a connection that stood ends within the time."""
    monitor = dealer.get_monitor_socket(EVENTS)  # the one of the handshake
    until = time.monotonic() + patience
    while monitor.poll(max(0, int(1000 * (until - time.monotonic())))):
        if recv_monitor_message(monitor)["event"] == zmq.EVENT_DISCONNECTED:
            return True
    return False


def close(dealer):
    monitor = dealer.get_monitor_socket(EVENTS)
    dealer.monitor(None, 0)  # first: libzmq waits for a reader of the last
    monitor.close(linger=0)
    dealer.close()


def honest(target, after):
    dealer = target.dealer()
    outcome, seconds = target.handshake(dealer)
    check(outcome == "succeeded",
          f"after {after}: an honest handshake {outcome}"
          f" in {1000 * seconds:.1f} ms")
    close(dealer)


def read_to_end(tcp):
    """The bytes until the other side closes, and whether it did."""
    got = b""
    try:
        while True:
            some = tcp.recv(4096)
            if not some:
                return got, True
            got += some
    except ConnectionError:
        return got, True
    except (TimeoutError, socket.timeout):
        return got, False


def greeting(mechanism, as_server=0):
    return (b"\xff" + 8 * b"\0" + b"\x7f" + bytes([3, 0]) +
            mechanism.ljust(20, b"\0") + bytes([as_server]) + 31 * b"\0")


def garbage(target):
    inputs = [
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"\0" * 4096,
        b"\xff" * 4096,
        os.urandom(65536),
        b"\xff" + 8 * b"\0" + b"\x7f" + os.urandom(4096),
        greeting(b"CURVE") + os.urandom(4096),
        greeting(b"CURVE") + b"\x04\xc8\x05HELLO" + os.urandom(194),
        greeting(b"CURVE") + b"\x04\x06\x05HELLO",
        greeting(b"NOPE") + os.urandom(100),
        greeting(b"") + b"\x04\xff" + os.urandom(255),
    ]
    closed = 0
    for data in inputs:
        with target.tcp() as tcp:
            try:
                tcp.sendall(data)
            except ConnectionError:
                pass
            closed += read_to_end(tcp)[1]
    check(closed == len(inputs),
          f"garbage: {closed} of {len(inputs)} connections were cut")


def large_claims(target):
    """Frames that claim 300 MiB and 2^63 bytes, before and in the handshake."""
    closed = 0
    claims = [300 << 20, 1 << 62, (1 << 63) - 1, 1 << 63, (1 << 64) - 1]
    cases = [(m, f, n) for m in (b"NULL", b"CURVE") for f in (2, 6)
             for n in claims]
    for mechanism, flags, claim in cases:
        with target.tcp() as tcp:
            try:
                tcp.sendall(greeting(mechanism) + bytes([flags]) +
                            struct.pack(">Q", claim) + b"x" * 1000)
            except ConnectionError:
                pass
            closed += read_to_end(tcp)[1]
    check(closed == len(cases),
          f"large claims: {closed} of {len(cases)} connections were cut")


def idle(target, count):
    """Connections that never say a word, or only a greeting."""
    held = []
    for i in range(count):
        try:
            tcp = target.tcp()
        except OSError as error:
            say(f"        idle: connection {i} was not taken: {error}")
            break
        if i % 2:
            try:
                tcp.sendall(greeting(b"CURVE"))
            except ConnectionError:
                pass
        held.append(tcp)
    honest(target, f"opening {len(held)} idle connections")
    say(f"        idle: memory {target.rss_kib()} KiB")
    until = time.monotonic() + HANDSHAKE_S + 3
    closed = 0
    for tcp in held:
        tcp.settimeout(max(0.05, until - time.monotonic()))
        closed += read_to_end(tcp)[1]
        tcp.close()
    check(closed == len(held), f"idle: {closed} of {len(held)} were cut")


def wrong_mechanisms(target):
    for mechanism in ("NULL", "PLAIN"):
        dealer = target.dealer(mechanism)
        outcome, _ = target.handshake(dealer)
        check(outcome in ("failed", "refused", "closed"),
              f"mechanism {mechanism}: {outcome}")
        close(dealer)
    dealer = target.dealer(server_key=zmq.utils.z85.decode(
        zmq.curve_keypair()[0]))
    outcome, _ = target.handshake(dealer)
    check(outcome in ("failed", "refused", "closed"),
          f"another server key: {outcome}")
    close(dealer)


def junk_frames(target):
    """A key nobody knows, with frames of every kind."""
    frames = [
        b"", b"\0", b"\xc1", b"\xdd\xff\xff\xff\xff", b"\xdf\xff\xff\xff\xff",
        b"\xc6\xff\xff\xff\xff", b"\x91" * 100000, b"\xdd\x0f\xff\xff\xff" * 31,
        b"\xc0" * FRAME_MAX, os.urandom(1000), os.urandom(FRAME_MAX),
        b"\x28\xb5\x2f\xfd" + os.urandom(200),
    ]
    answered = 0
    for frame in frames:
        dealer = target.dealer()
        outcome, _ = target.handshake(dealer)
        if outcome != "succeeded":
            check(False, f"junk frames: the handshake {outcome}")
        dealer.send(frame)
        dealer.send(frame)
        if dealer.poll(200):
            answered += len(dealer.recv()) > 0
        close(dealer)
    say(f"        junk frames: {answered} of {len(frames)} got an answer")


def over_the_limit(target):
    dealer = target.dealer()
    target.handshake(dealer)
    dealer.send(b"\0" * (FRAME_MAX + 1))
    check(was_cut(dealer, 5), "a frame over the limit: cut")
    close(dealer)


def several_parts(target):
    dealer = target.dealer()
    target.handshake(dealer)
    for i in range(50):
        dealer.send_multipart([b"part"] * (1 + 20 * i))
    time.sleep(0.3)
    close(dealer)


def without_end(target):
    """One message of many parts: libzmq holds it all until the last one."""
    part = zmq.Frame(b"\0" * (1 << 16))
    dealer = target.dealer()
    target.handshake(dealer)
    dealer.send(b"\0")
    peak = 0
    for i in range(1 << 12):
        dealer.send(part, zmq.SNDMORE if i + 1 < 1 << 12 else 0, copy=False)
    until = time.monotonic() + 10
    cut = False
    while not cut and time.monotonic() < until:
        cut = was_cut(dealer, 0.01)
        peak = max(peak, target.rss_kib())
    check(cut, f"256 MiB in one message: cut, memory at most {peak} KiB")
    close(dealer)


def own_names(target):
    dealers = []
    for name in (b"a", b"abcde", 255 * b"x"):
        dealer = target.dealer(routing_id=name)
        target.handshake(dealer)
        dealer.send(b"hello")
        dealers.append(dealer)
    time.sleep(0.3)
    for dealer in dealers:
        close(dealer)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("endpoint")
    parser.add_argument("key")
    parser.add_argument("--pid", type=int)
    parser.add_argument("--idle", type=int, default=200)
    parser.add_argument("--growth", type=int, default=16, metavar="MIB")
    args = parser.parse_args()
    target = Target(args)
    before = target.rss_kib()
    attacks = [
        ("nothing", lambda t: None),
        ("garbage", garbage),
        ("large claims", large_claims),
        ("idle connections", lambda t: idle(t, args.idle)),
        ("wrong mechanisms", wrong_mechanisms),
        ("junk frames", junk_frames),
        ("a frame over the limit", over_the_limit),
        ("messages of several parts", several_parts),
        ("names of their own", own_names),
    ]
    for name, attack in attacks:
        attack(target)
        honest(target, name)
        if args.pid is not None:
            say(f"        memory {target.rss_kib()} KiB")
    grown = target.rss_kib() - before
    if args.pid is not None:
        check(grown <= args.growth << 10,
              f"memory grew by {grown} KiB of at most {args.growth} MiB")
    without_end(target)
    honest(target, "a message without end")
    target.context.destroy(linger=0)
    say(f"{len(failures)} promises broken")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
