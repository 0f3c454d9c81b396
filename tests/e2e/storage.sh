#!/bin/sh
# storage.sh BUILD - a disk that fills up at any step: nothing of the command
# remains, what was there can be read, and with room again all goes on.
. "$(dirname "$0")/lib.sh"

disk=$work/disk
mkdir "$disk"
if ! mount -t tmpfs -o size=1400k entente-test "$disk" 2>/dev/null; then
    echo "skip - a full disk (mounting a small one needs root)"
    exit 77
fi
trap 'umount "$disk" 2>/dev/null; clean_up' EXIT

# Leave so many KiB free.
leave() {
    rm -f "$disk/ballast"
    free=$(df -k --output=avail "$disk" | tail -1)
    dd if=/dev/zero of="$disk/ballast" bs=1k count=$((free - $1)) \
        2>/dev/null
}

empty() {
    rm -f "$disk/ballast"
}

# ------------------------------------------------------------------- making

node=$disk/a
for room in 0 4 16 64 200; do
    leave $room
    exits 7 "with $room KiB free no node is made" init --org "Org A"
    check "and nothing of it remains" test ! -e "$node/replica.db" -a \
        ! -e "$node/key"
done
empty
exits 0 "with room a node is made" init --org "Org A"
exits 0 "and a space" space create bdi --title-en Burundi
exits 0 "and a record" add contact code=ctc-0 display_name="The first"

# ------------------------------------------------------------------- adding

leave 60
added=0
while [ $added -lt 400 ]; do
    entente add contact "code=ctc-a$added" \
        "display_name=Somebody with a name of some length, number $added" ||
        break
    added=$((added + 1))
done
got=$?
entente add contact code=ctc-full display_name=Nobody
check "a full disk ends with 7" test $? -eq 7
check "and says so" test -s "$work/err"
check "some were added before" test $added -gt 0
check "those that were added are there" same "$(count contact)" \
    $((added + 1))
before=$(digest bdi)
for i in 1 2 3; do
    exits 7 "again ($i)" set ctc-0 display_name="A longer name than before $i"
done
exits 0 "reading goes on" show ctc-0
check "with what was" prints "The first"
check "nothing of a failed change remains" same "$(digest bdi)" "$before"
leave 0
exits 0 "a disk without a free byte is read" list contact --format csv
check "in full" same "$(count contact)" $((added + 1))
empty
exits 0 "with room again it is written" set ctc-0 display_name="The second"
exits 0 "and verifies" verify --deep

# ------------------------------------------------------- backing up, and back

before=$(digest bdi)
exits 0 "a backup goes to another disk" backup "$work/b.db"
for room in 0 8 60 120; do
    leave $room
    exits 7 "with $room KiB free no backup is taken" backup "$disk/b.db"
    check "and nothing of it remains" same "$(ls "$disk")" "$(printf \
        'a\nballast')"
    exits 7 "nor is one put back" restore "$work/b.db" --force
    check "and the replica is where it was" test -s "$node/replica.db" -a \
        -z "$(ls -d "$node/replaced-"* "$node/replica.db.restored" \
            2>/dev/null)"
done
empty
check "which is what it was" same "$(digest bdi)" "$before"
exits 0 "with room it verifies" verify --deep

# ---------------------------------------------------------------- importing

{
    echo "code,display_name"
    i=0
    while [ $i -lt 1500 ]; do
        echo "imp-$i,Somebody who came by a table in the row with number $i"
        i=$((i + 1))
    done
} >"$work/contacts.csv"
rows=$(count contact)
before=$(digest bdi)
for room in 60 100 140 200; do
    leave $room
    exits 7 "an import with $room KiB free fails" import contact \
        "$work/contacts.csv" --space bdi
    check "nothing of it remains" same "$(digest bdi)" "$before"
    check "no row either" same "$(count contact)" "$rows"
done
empty
exits 0 "with room a record is changed" set ctc-0 display_name="The third"
exits 0 "and its words are indexed" find third
leave 0
exits 0 "a clean replica is read without a free byte" show ctc-0
check "as it was" prints "The third"
check "and why only so is said" tells "disk is full"
for room in 0 8; do
    leave $room
    exits 0 "with $room KiB free it is listed" list contact --format csv
    check "in full" same "$(tail -n +2 "$work/out" | wc -l)" "$rows"
    exits 0 "searched" find third
    check "with what is found" prints ctc-0
    exits 0 "reported on" report freshness
    exits 7 "and not written" set ctc-0 display_name="The fourth"
    check "for that reason" tells "the disk is full; nothing was written"
done
empty
exits 0 "with room it is read as it was" show ctc-0
check "in full" prints "The third"

mount -o remount,size=20m "$disk"
exits 0 "with room the import succeeds" import contact "$work/contacts.csv" \
    --space bdi
check "every row is there" same "$(count contact)" $((rows + 1500))
exits 0 "the replica verifies" verify --deep
finish
