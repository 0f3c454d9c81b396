#!/usr/bin/python3
"""read_replica.py - reads a replica with no line of ours but this file.

Opens replica.db with sqlite3 and rebuilds everything that is hashed or signed
from the packed entries: salts, commitments, bodies, headers, the chain, the
signatures, the roster and the space's id, who is accepted and owns what,
what stands, and the state digest. What it finds must be what the replica says, and what
`entente digest --json` prints.

    read_replica.py REPLICA.DB [DIGEST.JSON]

Prints what it counted; exits with 1 and the first differences. Runs with
Debian's python3, python3-nacl and python3-msgpack.
"""
import hashlib
import json
import os
import sqlite3
import struct
import sys

import msgpack
import nacl.encoding
import nacl.exceptions
import nacl.hash
import nacl.signing

FORMAT = 1
DEPTH_MAX = 8
WRITE, ADD, REMOVE, LIVE, DEAD, ERASE = 1, 2, 3, 4, 5, 6
FOUND, ADMIT, REPLACE = 1, 2, 6
ROSTER_ERASE = 10
OWNED = {16, *range(500, 600)}  # kinds (M9)
READER, EDITOR, CHAIR = 1, 2, 3
ACCEPTED, NO_ROLE, CUT, NOT_OWNER = 0, 1, 3, 4
ZERO32 = bytes(32)
SHOWN_MAX = 20

faults = []
counts = {}


def fault(text):
    faults.append(text)


def count(what, by=1):
    counts[what] = counts.get(what, 0) + by


class Refused(Exception):
    """Bytes that are not what the format allows."""


# ------------------------------------------------------- canonical msgpack (L1)

class Reader:
    """One canonical item, read top down: shortest forms only, no maps, no
    floats, no extension types, UTF-8 checked, arrays at most 8 deep."""

    def __init__(self, data):
        self.data = data
        self.at = 0

    def take(self, size):
        if self.at + size > len(self.data):
            raise Refused("cut off")
        part = self.data[self.at:self.at + size]
        self.at += size
        return part

    def number(self, size, least):
        value = int.from_bytes(self.take(size), "big")
        if value < least:
            raise Refused("not in its shortest form")
        return value

    def negative(self, size, most):
        value = int.from_bytes(self.take(size), "big", signed=True)
        if value > most:
            raise Refused("not in its shortest form")
        return value

    def text(self, size):
        try:
            return self.take(size).decode("utf-8", "strict")
        except UnicodeDecodeError:
            raise Refused("text that is not UTF-8") from None

    def array(self, size, depth):
        if depth == DEPTH_MAX:
            raise Refused("nested too deep")
        return [self.item(depth + 1) for _ in range(size)]

    def item(self, depth=0):
        tag = self.take(1)[0]
        if tag < 0x80:
            return tag
        if tag >= 0xe0:
            return tag - 0x100
        if 0x90 <= tag <= 0x9f:
            return self.array(tag & 15, depth)
        if 0xa0 <= tag <= 0xbf:
            return self.text(tag & 31)
        plain = {0xc0: None, 0xc2: False, 0xc3: True}
        if tag in plain:
            return plain[tag]
        unsigned = {0xcc: (1, 1 << 7), 0xcd: (2, 1 << 8), 0xce: (4, 1 << 16),
                    0xcf: (8, 1 << 32)}
        if tag in unsigned:
            return self.number(*unsigned[tag])
        signed = {0xd0: (1, -33), 0xd1: (2, -129), 0xd2: (4, -32769),
                  0xd3: (8, -2147483649)}
        if tag in signed:
            return self.negative(*signed[tag])
        binary = {0xc4: (1, 0), 0xc5: (2, 1 << 8), 0xc6: (4, 1 << 16)}
        if tag in binary:
            return self.take(self.number(*binary[tag]))
        text = {0xd9: (1, 32), 0xda: (2, 1 << 8), 0xdb: (4, 1 << 16)}
        if tag in text:
            return self.text(self.number(*text[tag]))
        array = {0xdc: (2, 16), 0xdd: (4, 1 << 16)}
        if tag in array:
            return self.array(self.number(*array[tag]), depth)
        raise Refused("a type the format does not have")


def unpack(data):
    reader = Reader(data)
    value = reader.item()
    if reader.at != len(data):
        raise Refused("bytes behind the end")
    if msgpack.unpackb(data, raw=False) != value:
        raise Refused("msgpack reads something else")
    return value


def pack(value):
    return msgpack.packb(value, use_bin_type=True)


def slices(data):
    """The bytes of each element of an array of bytes read before."""
    reader = Reader(data)
    tag = reader.take(1)[0]
    size = (tag & 15 if tag < 0xa0
            else reader.number(2, 0) if tag == 0xdc else reader.number(4, 0))
    parts = []
    for _ in range(size):
        start = reader.at
        reader.item()
        parts.append(data[start:reader.at])
    return parts


# ------------------------------------------------------------------- hashes

def blake2b(data, size=32):
    return hashlib.blake2b(data, digest_size=size).digest()


def commitment(values, salt):
    return hashlib.blake2b(values, digest_size=32, salt=salt,
                           person=b"entente/value/1\0").digest()


def rotate(value, by):
    return (value << by | value >> (32 - by)) & 0xffffffff


def quarter(x, a, b, c, d):
    x[a] = (x[a] + x[b]) & 0xffffffff
    x[d] = rotate(x[d] ^ x[a], 16)
    x[c] = (x[c] + x[d]) & 0xffffffff
    x[b] = rotate(x[b] ^ x[c], 12)
    x[a] = (x[a] + x[b]) & 0xffffffff
    x[d] = rotate(x[d] ^ x[a], 8)
    x[c] = (x[c] + x[d]) & 0xffffffff
    x[b] = rotate(x[b] ^ x[c], 7)


def chacha20_block(key, counter, nonce):
    """RFC 8439 section 2.3."""
    start = list(struct.unpack("<4I", b"expand 32-byte k") +
                 struct.unpack("<8I", key) + (counter,) +
                 struct.unpack("<3I", nonce))
    x = list(start)
    for _ in range(10):
        for a, b, c, d in ((0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14),
                           (3, 7, 11, 15), (0, 5, 10, 15), (1, 6, 11, 12),
                           (2, 7, 8, 13), (3, 4, 9, 14)):
            quarter(x, a, b, c, d)
    return struct.pack("<16I", *((p + q) & 0xffffffff
                                 for p, q in zip(x, start)))


def check_chacha20():
    """The vector of RFC 8439 section 2.3.2."""
    block = chacha20_block(bytes(range(32)), 1,
                           bytes.fromhex("000000090000004a00000000"))
    if block[:16] != bytes.fromhex("10f1e7e4d13b5915500fdd1fa32071c4"):
        raise SystemExit("this ChaCha20 is wrong")


def salts_of(seed, number):
    """Bytes 16i to 16i+15 of ChaCha20 keyed by the seed's hash (L4)."""
    key = blake2b(seed)
    stream = b"".join(chacha20_block(key, i, bytes(12))
                      for i in range((number + 3) // 4))
    return [stream[16 * i:16 * i + 16] for i in range(number)]


def siphash(key, message):
    out = nacl.hash.siphashx24(message, key, encoder=nacl.encoding.RawEncoder)
    return int.from_bytes(out, "little")


def write_sum(kind, record, entry, field, ordinal, code):
    """What one standing write adds to the state digest (S5)."""
    key = siphash(entry[:16], struct.pack("<I", kind) + record) | 1
    mark = siphash(b"entente/digest/1",
                   struct.pack("<3I", field, ordinal, code))
    return key * mark % 2**128


def verify(key, message, signature):
    try:
        nacl.signing.VerifyKey(key).verify(message, signature)
        return True
    except (nacl.exceptions.BadSignatureError, ValueError):
        return False


# ------------------------------------------------------------------- entries

def header_bytes(space, log, seq, prev, entry, body):
    return pack(["entente/entry/1", FORMAT, space, log["author"], log["id"],
                 seq, prev, list(entry["roster"]), entry["time"],
                 [list(ref) for ref in entry["refs"]], blake2b(body)])


def ascending(items):
    return all(a < b for a, b in zip(items, items[1:]))


def read_op(item):
    """(code, field, [(reference, ordinal)...])"""
    if isinstance(item, int):
        return WRITE, item, []
    code, field = item[:2]
    seen = [(s, 0) if isinstance(s, int) else tuple(s)
            for s in (item[2] if len(item) == 3 else [])]
    return code, field, seen


def read_ops(items):
    """Life is left out when it is live and replaces what the others name."""
    ops = [read_op(item) for item in items]
    if not ops or ops[0][1] != 0:
        named = sorted({ref for _, _, seen in ops for ref, _ in seen})
        ops.insert(0, (LIVE, 0, [(ref, 0) for ref in named]))
    return ops


def check_ops(ops, refs):
    last = (-1, 0)
    for code, field, seen in ops:
        if not WRITE <= code <= ERASE or not 0 <= field < 1 << 31:
            raise Refused("an operation out of range")
        if code == ERASE and (len(ops) > 1 or seen):
            raise Refused("an erasure with something beside it")
        if (field == 0) != (code in (LIVE, DEAD, ERASE)):
            raise Refused("life on another field")
        if (field, code) < last or ((field, code) == last and code != ADD) or \
                (field == last[0] and last[1] != ADD):
            raise Refused("operations out of order")
        if not ascending(seen) or any(ref >= len(refs) for ref, _ in seen):
            raise Refused("replaced writes out of order")
        last = (field, code)
    if ops[0][1] != 0:
        raise Refused("a change that says nothing of life")


def read_entry(packed, own_origin):
    """A packed entry: [time, roster, refs, seed, changes]."""
    parts = unpack(packed)
    time, roster, refs, seed, changes = parts
    refs = [(own_origin, *ref) if len(ref) == 2 else tuple(ref)
            for ref in refs]
    if not ascending(refs):
        raise Refused("references out of order")
    if isinstance(seed, bytes):
        salts = salts_of(seed, len(changes))
    else:
        salts = seed
    entry = {"time": time, "roster": tuple(roster), "refs": refs,
             "changes": [], "kept": []}
    raw = slices(slices(packed)[4])
    for (kind, record, items, values), salt, part in zip(changes, salts, raw):
        ops = read_ops(items)
        check_ops(ops, refs)
        if ops[0][0] == ERASE and kind not in OWNED:
            raise Refused("an erasure of a record that has no owner")
        bearing = sum(code in (WRITE, ADD) for code, _, _ in ops)
        kept = bearing > 0
        if isinstance(values, bytes):
            committed = values
            kept = False
            count("changes erased")
        elif bearing:
            if len(values) != bearing:
                raise Refused("values that do not match operations")
            committed = commitment(slices(part)[3], salt)
        else:
            committed = None
        entry["changes"].append((kind, record, ops, committed))
        if kept:
            entry["kept"].append((kind, record))
    if not ascending([change[:2] for change in entry["changes"]]):
        raise Refused("changes out of order")
    return entry


def body_bytes(entry):
    return pack([[kind, record,
                  [[code, field, [list(dot) for dot in seen]]
                   for code, field, seen in ops], committed]
                 for kind, record, ops, committed in entry["changes"]])


# -------------------------------------------------------------------- roster

def read_roster(db, space, space_id):
    """Roster entries by hash, each checked alone."""
    entries = {}
    for hash_, pos, header, sig, body in db.execute(
            "SELECT hash, pos, header, sig, body FROM roster WHERE space = ?",
            (space,)):
        name = "roster entry %d %s" % (pos, hash_.hex()[:8])
        try:
            head = unpack(header)
            said = unpack(body)
        except Refused as why:
            fault("%s: %s" % (name, why))
            continue
        tag, version, in_space, author, origin, seq, prev = head[:7]
        if (tag, version) != ("entente/roster/1", FORMAT):
            fault("%s: another tag or version" % name)
        if blake2b(header) != hash_:
            fault("%s: another hash is stored" % name)
        if seq != pos or origin != bytes(16) or head[9] != []:
            fault("%s: out of shape" % name)
        if in_space != (bytes(16) if pos == 1 else space_id):
            fault("%s: of another space" % name)
        if pos == 1 and hash_[:16] != space_id:
            fault("%s: does not make the space's id" % name)
        if head[10] != blake2b(body):
            fault("%s: another body" % name)
        if not verify(author, header, sig):
            fault("%s: the signature does not hold" % name)
        entries[hash_] = {"hash": hash_, "pos": pos, "prev": prev,
                          "author": author, "term": said[0], "kind": said[1],
                          "args": said[2:]}
        count("roster entries")
    return entries


def roster_chain(entries):
    """The valid chain: of those who follow one entry the lowest hash (A2)."""
    chain = [e for e in entries.values()
             if e["pos"] == 1 and e["kind"] == FOUND]
    while chain:
        head = chain[-1]
        nexts = [e for e in entries.values()
                 if e["prev"] == head["hash"] and e["pos"] == head["pos"] + 1
                 and e["term"] == head["term"] and e["kind"] != FOUND
                 and e["author"] == chain[0]["author"]]
        if not nexts:
            break
        chain.append(min(nexts, key=lambda e: e["hash"]))
    return chain


def people(chain):
    """The roles of all keys after these entries, and of each new key the one
    it replaced (A2)."""
    roles, was = {}, {}
    for entry in chain:
        if entry["kind"] == FOUND:
            roles[entry["author"]] = CHAIR
        key, arg = (*entry["args"], None, None)[:2]
        if entry["kind"] == ADMIT and roles.get(key) != CHAIR:
            roles[key] = arg
        if entry["kind"] == REPLACE and roles.get(key) in (READER, EDITOR) \
                and arg not in roles and key not in was.values():
            roles[arg], roles[key], was[arg] = roles[key], 0, key
    return roles, was


def own_id(space_id, author, record):
    """What an id that begins so is when its record is this author's (M9)."""
    tail = bytearray(blake2b(space_id + author + record[:8], 16)[:8])
    tail[0] = tail[0] & 0x3f | 0x80
    return record[:8] + bytes(tail)


def role_at(entries, chain, named, key):
    """The role of a key at the roster head an entry names (A3); None when the
    head is not held."""
    pos, hash8 = named
    head = next((e for e in entries.values()
                 if e["pos"] == pos and e["hash"][:8] == hash8), None)
    held = {e["hash"] for e in chain}
    while head is not None and head["hash"] not in held:
        head = entries.get(head["prev"])
    if head is None:
        return None
    return people(chain[:head["pos"]])[0].get(key, 0)


# ------------------------------------------------------------------- a space

class Space:
    def __init__(self, db, number, space_id):
        self.db = db
        self.number = number
        self.id = space_id
        self.roster = read_roster(db, number, space_id)
        self.chain = roster_chain(self.roster)
        self.writes = {}  # (kind, id, field) -> {(origin, seq, hash8, ordinal)}
        self.named = set()
        self.state = 0
        self.heads = []
        self.roles = {}
        self.was = people(self.chain)[1]
        self.kept = []  # (kind, id) of changes whose values are here
        self.erased = {tuple(entry["args"][:2]) for entry in self.chain
                       if entry["kind"] == ROSTER_ERASE}
        if self.roster and not self.chain:
            fault("space %s: no founding entry" % space_id.hex())

    def owns(self, author, record):
        while author is not None:
            if own_id(self.id, author, record) == record:
                return True
            author = self.was.get(author)
        return False

    def verdict(self, log, entry):
        """What becomes of an entry, cuts aside; None when it names a roster
        head that is not held."""
        key = (entry["roster"], log["author"])
        if key not in self.roles:
            self.roles[key] = role_at(self.roster, self.chain, *key)
        role = self.roles[key]
        if role is None:
            return None
        if role < EDITOR:
            return NO_ROLE
        owned = [record for kind, record, _, _ in entry["changes"]
                 if kind in OWNED]
        count("changes to owned records", len(owned))
        return ACCEPTED if all(self.owns(log["author"], record)
                               for record in owned) else NOT_OWNER

    def apply(self, log, seq, hash_, entry):
        self.state += int.from_bytes(hash_[:16], "little")
        for kind, record, ops, _ in entry["changes"]:
            if ops[0][0] == ERASE:
                self.erased.add((kind, record))
                continue
            ordinals = {}
            for code, field, seen in ops:
                place = (kind, record, field)
                for ref, ordinal in seen:
                    self.named.add((*place, *entry["refs"][ref], ordinal))
                if code == REMOVE:
                    continue
                ordinal = ordinals.get(field, 0)
                ordinals[field] = ordinal + 1
                dot = (*place, log["id"], seq, hash_[:8], ordinal)
                self.writes[dot] = (hash_, code)

    def finish(self):
        live = set()
        records = set()
        for dot, (hash_, code) in self.writes.items():
            if dot in self.named:
                continue
            kind, record, field, _, _, _, ordinal = dot
            if (kind, record) in self.erased:
                continue
            self.state += write_sum(kind, record, hash_, field,
                                    ordinal, code)
            records.add((kind, record))
            if code == LIVE:
                live.add((kind, record))
            count("writes that stand")
        for kind, record in self.kept:
            if (kind, record) in self.erased:
                fault("values of the erased record %s" % record.hex())
        count("records erased", len(self.erased))
        count("records", len(records))
        count("records shown", len(live))
        self.state %= 1 << 128

    def digests(self):
        roster = blake2b(b"".join(sorted(self.roster)))
        heads = b"".join(author + origin + struct.pack(">Q", seq) + hash_
                         for author, origin, seq, hash_ in sorted(self.heads))
        return {"roster": roster.hex(), "entries": blake2b(heads).hex(),
                "state": self.state.to_bytes(16, "little").hex()}


def read_log(space, log, hashes, own_key):
    """Entries of one log, or of one branch from its base on. `hashes` has
    those of all logs read before, by branch: a branch comes after the one
    that it left."""
    name = "log %s.%d" % (log["id"].hex()[:8], log["o"])
    count("logs")
    # All of it is aside, and may be what it left (A4).
    if space.db.execute("SELECT 1 FROM log WHERE n > ? AND n < ?",
                        (log["o"] << 40, (log["o"] + 1) << 40)
                        ).fetchone() is None:
        return
    before = log
    while log["base"] > 0 and before is not None and \
            before["base"] >= log["base"]:
        before = before["left"]
    prev = ZERO32
    if log["base"] > 0:
        prev = hashes.get((before or {}).get("o", 0), {}).get(log["base"])
        if prev is None:
            fault("%s: what it left is not here" % name)
            return
    expected = log["base"] + 1
    signed = None
    older = dict(space.db.execute(
        "SELECT n, sig FROM signature WHERE n > ? AND n < ?",
        (log["o"] << 40, (log["o"] + 1) << 40)))
    for n, at, verdict, stored, packed in space.db.execute(
            "SELECT n, at, verdict, hash, entry FROM log"
            " WHERE n > ? AND n < ? ORDER BY n",
            (log["o"] << 40, (log["o"] + 1) << 40)):
        seq = n & ((1 << 40) - 1)
        where = "%s entry %d" % (name, seq)
        if seq != expected:
            fault("%s: %d was expected" % (where, expected))
        expected = seq + 1
        try:
            entry = read_entry(packed, log["id"])
        except (Refused, TypeError, ValueError, IndexError) as why:
            fault("%s: %s" % (where, why))
            return
        body = body_bytes(entry)
        header = header_bytes(space.id, log, seq, prev, entry, body)
        for form in (header, body):
            unpack(form)
        prev = blake2b(header)
        if prev != stored:
            fault("%s: hash %s is stored, %s was made" %
                  (where, stored.hex()[:16], prev.hex()[:16]))
            return
        if at != entry["time"]:
            fault("%s: another time is stored" % where)
        if seq == log["signed"]:
            signed = header
        if n in older:
            count("older signatures")
            if not verify(log["author"], header, older.pop(n)):
                fault("%s: the older signature does not hold" % where)
        hashes.setdefault(log["o"], {})[seq] = prev
        if log["left"] is not None and seq == log["base"] + 1 and \
                prev != log["branch"]:
            fault("%s: it is another branch" % where)
        right = space.verdict(log, entry)
        if right is None:
            fault("%s: names a roster head that is not held" % where)
        elif verdict not in (right, CUT):
            fault("%s: verdict %d is stored, %d is right" %
                  (where, verdict, right))
        count("entries" if verdict == ACCEPTED else
              "entries quarantined")
        count("changes", len(entry["changes"]))
        space.kept += entry["kept"]
        if verdict == ACCEPTED:
            space.apply(log, seq, prev, entry)
    if expected > log["base"] + 1 and expected - 1 not in log["shared"]:
        space.heads.append((log["author"], log["id"], expected - 1, prev))
    for n in older:
        fault("%s: a signature over an entry that is not here" % name)
    if signed is not None and verify(log["author"], signed, log["sig"]):
        count("signatures")
    elif signed is not None:
        fault("%s: the signature does not hold" % name)
    if log["signed"] != expected - 1 and expected - 1 not in log["shared"]:
        count("own tails not signed yet")
        if log["author"] != own_key:
            fault("%s: signed up to %d of %d" %
                  (name, log["signed"], expected - 1))


def read_space(db, number, space_id, own_key):
    space = Space(db, number, space_id)
    hashes = {}
    logs = [dict(zip(("o", "author", "id", "branch", "base", "signed", "sig",
                      "parent"), row))
            for row in db.execute(
                "SELECT o, author, id, branch, base, signed, sig, parent"
                " FROM origin WHERE space = ? ORDER BY o", (number,))]
    by_o = {log["o"]: log for log in logs}
    for log in logs:
        log["left"] = by_o.get(log["parent"])
        # Its entries that a branch with entries goes on from are no heads.
        log["shared"] = {
            base for o, base in db.execute(
                "SELECT o, base FROM origin WHERE parent = ?", (log["o"],))
            if db.execute("SELECT 1 FROM log WHERE n > ? AND n < ?",
                          (o << 40, (o + 1) << 40)).fetchone()}
    for log in logs:
        read_log(space, log, hashes, own_key)
    space.finish()
    count("spaces")
    return space


def own_key_of(path):
    """The public key of the node the replica belongs to, if its key is there:
    only that node may have entries without a signature over them."""
    try:
        with open(os.path.join(os.path.dirname(path), "key")) as file:
            seed = bytes.fromhex(file.read().split()[1])
        return bytes(nacl.signing.SigningKey(seed).verify_key)
    except (OSError, IndexError, ValueError):
        return None


def read_digests(text):
    if os.path.exists(text):
        with open(text, encoding="utf-8") as file:
            text = file.read()
    rows = json.loads(text)
    return rows if isinstance(rows, list) else [rows]


def main(args):
    if len(args) not in (2, 3):
        print(__doc__.split("\n\n")[2].strip(), file=sys.stderr)
        return 2
    check_chacha20()
    db = sqlite3.connect("file:%s?mode=ro" % args[1], uri=True)
    db.text_factory = bytes
    own_key = own_key_of(args[1])
    names = {number: name.decode() for number, name in
             db.execute("SELECT space, name FROM local_space")}
    made = {}
    for number, space_id, adjust in db.execute(
            "SELECT space, id, adjust FROM space").fetchall():
        space = read_space(db, number, space_id, own_key)
        made[names.get(number, space_id.hex())] = space.digests()
        total = int.from_bytes(adjust, "little")
        for (sum_,) in db.execute(
                "SELECT l.sum FROM origin AS o JOIN log AS l ON l.n ="
                " (SELECT max(n) FROM log WHERE n > o.o << 40"
                "  AND n < (o.o + 1) << 40) WHERE o.space = ?", (number,)):
            total += int.from_bytes(sum_, "little")
        if total % (1 << 128) != space.state:
            fault("space %s: the sums stored give another state" %
                  names.get(number))
    if len(args) == 3:
        for row in read_digests(args[2]):
            for part in ("roster", "entries", "state"):
                if made[row["space"]][part] != row[part]:
                    fault("space %s: digest of %s: %s is printed, %s was made"
                          % (row["space"], part, row[part],
                             made[row["space"]][part]))
            count("digests compared")
    for what in sorted(counts):
        print("%8d  %s" % (counts[what], what))
    for text in faults[:SHOWN_MAX]:
        print(text, file=sys.stderr)
    if len(faults) > SHOWN_MAX:
        print("and %d more" % (len(faults) - SHOWN_MAX), file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
