"""curve.py - ZMTP 3.0 with CURVE (RFC 23 and 26 of ZeroMQ) on a bare TCP
socket, one step at a time, so that each can be left out, cut or wrong."""
import os
import socket
import struct

from nacl.bindings import (crypto_box, crypto_box_afternm,
                           crypto_box_beforenm, crypto_box_keypair,
                           crypto_box_open, crypto_box_open_afternm,
                           crypto_sign_ed25519_pk_to_curve25519)
from nacl.exceptions import CryptoError

PATIENCE_S = 10
SOME = 1 << 16
LONG, COMMAND = 2, 4  # flags of a frame
MORE = 1              # flag of a message, inside its box


def greeting(mechanism=b"CURVE", as_server=0):
    return (b"\xff" + 8 * b"\0" + b"\x7f" + bytes([3, 0]) +
            mechanism.ljust(20, b"\0") + bytes([as_server]) + 31 * b"\0")


def frame(flags, body):
    if len(body) < 256:
        return bytes([flags, len(body)]) + body
    return claim(flags, len(body)) + body


def claim(flags, size):
    """The beginning of a long frame that says it has this size."""
    return bytes([flags | LONG]) + struct.pack(">Q", size)


def property_of(name, value):
    return bytes([len(name)]) + name + struct.pack(">I", len(value)) + value


class Link:
    """One connection to the node with that Ed25519 key."""

    def __init__(self, address, key, name=b""):
        self.tcp = socket.create_connection(address, timeout=PATIENCE_S)
        self.server = crypto_sign_ed25519_pk_to_curve25519(key)
        self.public, self.secret = crypto_box_keypair()
        self.short_public, self.short_secret = crypto_box_keypair()
        self.name = name
        self.count = 0
        self.got = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.tcp.close()

    def nonce(self):
        self.count += 1
        return struct.pack(">Q", self.count)

    # -------------------------------------------------------------- the bytes

    def put(self, data):
        """False when the other side has closed, or does not read."""
        try:
            self.tcp.sendall(data)
            return True
        except OSError:
            return False

    def take(self, size):
        while len(self.got) < size:
            some = self.tcp.recv(SOME)
            if not some:
                raise ConnectionError("closed")
            self.got += some
        part, self.got = self.got[:size], self.got[size:]
        return part

    def take_frame(self):
        flags, size = self.take(2)
        if flags & LONG:
            size = struct.unpack(">Q", bytes([size]) + self.take(7))[0]
        return flags, self.take(size)

    def is_cut(self, seconds=PATIENCE_S):
        """Whether the other side ends the connection; what it still says is
        in `got`."""
        self.tcp.settimeout(seconds)
        try:
            while True:
                some = self.tcp.recv(SOME)
                if not some:
                    return True
                self.got += some
        except (socket.timeout, TimeoutError):
            return False
        except OSError:
            return True

    # ---------------------------------------------------------- the handshake

    def hello_bytes(self):
        nonce = self.nonce()
        box = crypto_box(64 * b"\0", b"CurveZMQHELLO---" + nonce, self.server,
                         self.short_secret)
        return frame(COMMAND, b"\x05HELLO\1\0" + 72 * b"\0" +
                     self.short_public + nonce + box)

    def take_welcome(self):
        _, body = self.take_frame()
        if not body.startswith(b"\x07WELCOME"):
            raise ConnectionError("no WELCOME: %r" % body[:16])
        plain = crypto_box_open(body[24:], b"WELCOME-" + body[8:24],
                                self.server, self.short_secret)
        self.their_short, self.cookie = plain[:32], plain[32:]
        self.shared = crypto_box_beforenm(self.their_short, self.short_secret)

    def initiate_bytes(self):
        vouch_nonce = os.urandom(16)
        vouch = crypto_box(self.short_public + self.server,
                           b"VOUCH---" + vouch_nonce, self.their_short,
                           self.secret)
        metadata = (property_of(b"Socket-Type", b"DEALER") +
                    property_of(b"Identity", self.name))
        nonce = self.nonce()
        box = crypto_box_afternm(self.public + vouch_nonce + vouch + metadata,
                                 b"CurveZMQINITIATE" + nonce, self.shared)
        return frame(COMMAND, b"\x08INITIATE" + self.cookie + nonce + box)

    def shake_hands(self):
        """All of it; False when the other side does not go along."""
        try:
            self.put(greeting())
            self.take(64)
            self.put(self.hello_bytes())
            self.take_welcome()
            self.put(self.initiate_bytes())
            _, body = self.take_frame()
            return body.startswith(b"\x05READY")
        except (OSError, CryptoError):
            return False

    # --------------------------------------------------------------- messages

    def message_bytes(self, data, more=False):
        nonce = self.nonce()
        box = crypto_box_afternm(bytes([MORE if more else 0]) + data,
                                 b"CurveZMQMESSAGEC" + nonce, self.shared)
        return frame(0, b"\x07MESSAGE" + nonce + box)

    def send(self, data, more=False):
        return self.put(self.message_bytes(data, more))

    def receive(self):
        """One message; OSError when there is none in time, or no more."""
        while True:
            flags, body = self.take_frame()
            if flags & COMMAND or not body.startswith(b"\x07MESSAGE"):
                continue
            plain = crypto_box_open_afternm(
                body[16:], b"CurveZMQMESSAGES" + body[8:16], self.shared)
            if not plain[0] & 2:
                return plain[1:]
