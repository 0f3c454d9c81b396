#!/bin/sh
# reader.sh - a replica made by the program is read by a program that shares
# nothing with it (read_replica.py), and both come to the same digests.
. "$(dirname "$0")/../e2e/lib.sh"

reader=$here/read_replica.py
/usr/bin/python3 -c 'import msgpack, nacl.hash' 2>/dev/null || {
    echo "1..0 # SKIP python3-msgpack or python3-nacl is not here"
    exit 77
}

# reads SENTENCE: the reader finds no fault, and the digests printed.
reads() {
    entente digest --json
    cp "$work/out" "$work/digest.json"
    check "$1" /usr/bin/python3 "$reader" "$node/replica.db" \
        "$work/digest.json"
}

exits 0 "a node is made" init --org "Ministère" --country BDI
exits 0 "a space is made" space create bdi --title-en Burundi \
    --title-fr "Burundi"
reads "an empty space is read"

exits 0 "a record is added" add contact code=ctc-1 display_name="Béa" \
    role=focal_point
exits 0 "another one" add contact code=ctc-2 display_name="Ann"
exits 0 "a field is changed" set ctc-1 display_name="Béa Niyonzima"
exits 0 "and emptied" set ctc-1 role=
exits 0 "a set gains elements" add trainer code=trn-1 "languages=fr|rn"
exits 0 "gains and loses some" set trn-1 languages+=en languages-=fr
exits 0 "a record is deleted" delete ctc-2
reads "changes of every sort are read"
exits 0 "what was deleted comes back" undelete ctc-2
reads "and that is read"

exits 0 "a message is written" add message code=msg-1 body="Bonjour"
exits 0 "and changed by its author" set msg-1 body="Bonjour à tous"
reads "a record that belongs to its author is read"

exits 0 "a record is erased" erase ctc-2
exits 0 "and one by its owner, who is the chair" erase msg-1
reads "erased records are read"

exits 0 "a package is imported" import --package "$demo" --space bdi
reads "an import is read"
exits 0 "the replica is rebuilt" rebuild
reads "a rebuilt replica is read"
finish
