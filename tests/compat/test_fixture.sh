#!/bin/sh
# test_fixture.sh BUILD - replicas of earlier schema versions open and hold
# what they held; what is no replica of ours, or a newer one, is left alone.
. "$(dirname "$0")/../e2e/lib.sh"

fixtures=$here/fixtures

# unpack NAME DIR: the fixture's home as DIR.
unpack() {
    mkdir "$work/$2" && tar -C "$work/$2" --strip-components=1 -xzf \
        "$fixtures/$1.tar.gz"
}

sum() {
    sha256sum <"$1" | cut -d' ' -f1
}

for file in "$fixtures"/replica-*.tar.gz; do
    name=$(basename "$file" .tar.gz)
    unpack "$name" "$name"
    node=$work/$name
    exits 0 "$name opens" status
    exits 0 "$name: its digest is printed" digest --format csv
    check "$name: it is the one it had" cmp -s "$work/out" \
        "$fixtures/$name.digest"
    exits 0 "$name: contacts are listed" list contact --format csv
    check "$name: one that was not deleted" prints "Béa Niyonzima"
    check "$name: and not the other" test "$(count contact)" -eq 1
    exits 0 "$name: a set is shown" show trn-1
    check "$name: with what was put in" prints " en "
    check "$name: and not what was taken out" test "$(grep -c " rn " \
        "$work/out")" -eq 0
    exits 0 "$name: what a newer author wrote is kept" sql \
        "SELECT 'kept ' || count(*) FROM cell WHERE kind = 990"
    check "$name: unread" prints "kept 3"
    exits 6 "$name: its conflicts are open" conflicts --check
    exits 0 "$name: they are listed" conflicts --format csv
    check "$name: the figure that two wrote" prints progress_pct
    exits 0 "$name verifies" verify --deep
    exits 0 "$name is rebuilt" rebuild
    exits 0 "$name: its digest is printed again" digest --format csv
    check "$name: and is the same" cmp -s "$work/out" \
        "$fixtures/$name.digest"
    exits 0 "$name can be written" add contact code=ctc-9 display_name=New
    check "$name: there it is" test "$(count contact)" -eq 2
    exits 0 "$name: what is written can be taken back" undo
    check "$name: then it is not there" test "$(count contact)" -eq 1
    exits 0 "$name: a message is written" say bdi "Bonjour"
    exits 0 "$name: and listed" inbox --all
    check "$name: as it was written" prints "Bonjour"
    check "$name: the file as it came stands beside it" \
        test -s "$node/replica.db.schema-${name#replica-}"
    exits 0 "$name: a kind that is newer can be written" \
        add survey code=svy-1 "questions=q1:text:Why?" status=open
    exits 0 "$name: and what was not kept then is" survey answer svy-1 q1=because
    exits 0 "$name verifies then" verify --deep
done

# ----------------------------------------------------- what is left alone

# refused NAME: exit 7 for reading and writing, and no byte changed.
refused() {
    before=$(sum "$node/replica.db")
    exits 7 "$1 is a matter of storage to a reader" list contact
    exits 7 "and to a writer" add contact code=ctc-8 display_name=Nobody
    check "$1 is left as it was" same "$(sum "$node/replica.db")" "$before"
}

# Four bytes at an offset of a file, from hexadecimal.
poke() {
    /usr/bin/python3 -c 'import sys
with open(sys.argv[1], "r+b") as file:
    file.seek(int(sys.argv[2]))
    file.write(bytes.fromhex(sys.argv[3]))' "$@"
}

unpack replica-1 newer
node=$work/newer
poke "$node/replica.db" 60 00000063
refused "a replica of a newer schema"
check "which is said" tells "newer"

# A newer program was killed before what it wrote was copied into the file: its
# version stands in the WAL alone.
unpack replica-1 killed
node=$work/killed
python3 -c 'import os, sqlite3, sys
db = sqlite3.connect(sys.argv[1], isolation_level=None)
db.execute("PRAGMA wal_autocheckpoint = 0")
db.execute("PRAGMA user_version = 99")
os._exit(0)' "$node/replica.db"
held=$(sha256sum "$node/replica.db" "$node/replica.db-wal" "$node/high-water")
exits 7 "a replica that a newer program was killed over is not opened" status
check "which is said" tells "newer"
exits 7 "nor again" list contact
check "and left as it is" same "$held" "$(sha256sum "$node/replica.db" \
    "$node/replica.db-wal" "$node/high-water")"

unpack replica-1 foreign
node=$work/foreign
poke "$node/replica.db" 68 12345678
refused "a database of another program"

unpack replica-1 text
node=$work/text
echo "this is no database at all" >"$node/replica.db"
refused "a file of text"

unpack replica-1 hollow
node=$work/hollow
: >"$node/replica.db"
refused "an empty file"

unpack replica-1 short
node=$work/short
size=$(wc -c <"$node/replica.db")
truncate -s $((size / 2)) "$node/replica.db"
before=$(sum "$node/replica.db")
exits 7 "half a replica is a matter of storage" list contact
check "and is left as it was" same "$(sum "$node/replica.db")" "$before"

unpack replica-1 stub
node=$work/stub
truncate -s 60 "$node/replica.db"
refused "sixty bytes"

# ------------------------------------------------------- a disk to read only

# Permissions do not hold root; a mount does.
unpack replica-1 fixed
node=$work/fixed
if [ "$(id -u)" -ne 0 ]; then
    chmod -R a-w "$node"
    thaw="chmod -R u+w $node"
elif mount --bind "$node" "$node" 2>/dev/null &&
    mount -o remount,ro,bind "$node" 2>/dev/null; then
    thaw="umount $node"
else
    umount "$node" 2>/dev/null
    thaw=
    echo "skip - a replica that cannot be written (root, and no mount allowed)"
fi
if [ -n "$thaw" ]; then
    before=$(sum "$node/replica.db")
    exits 7 "what cannot be written is a matter of storage" \
        add contact code=ctc-7 display_name=Nobody
    check "and is left as it was" same "$(sum "$node/replica.db")" "$before"
    $thaw
    exits 0 "once it can be, it is" add contact code=ctc-7 display_name=Now
fi
finish
