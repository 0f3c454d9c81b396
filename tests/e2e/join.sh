#!/bin/sh
# join.sh - invitations: over a link and without one, once, in time, by the
# right chair, with every mistake in copying told; and as a QR code.
. "$(dirname "$0")/lib.sh"

endpoint=tcp://127.0.0.1:$((20000 + $$ % 20000))

# start HOME ENDPOINT: a daemon that listens there.
start() {
    "$build/node/entented" --home "$1" --listen "$2" 2>>"$work/daemon" &
    daemons="$daemons $!"
    tries=0
    while [ $tries -lt 50 ] && [ ! -S "$1/entented.sock" ]; do
        sleep 0.1
        tries=$((tries + 1))
    done
}

# as NODE ARGS...: the program on that node.
as() {
    node=$work/$1
    shift
    entente "$@"
}

# invite ROLE [OPTION...]: a line of the chair's, in $line.
invite() {
    role=$1
    shift
    as chair invite s --role "$role" --endpoint "$endpoint" "$@"
    line=$(cat "$work/out")
}

# ask NODE: its request to join with $line, in $request.
ask() {
    as "$1" join --offline "$line"
    request=$(cat "$work/out")
}

for name in chair other a b c d e; do
    as $name init --org "Org $name"
done
as other space create s
as chair space create s --title-en "Support"
as chair space create t
as chair add contact code=ctc-1 display_name=Ann --space s

# ------------------------------------------------------------ without a link

invite reader
node=$work/a
exits 0 "a request is written without a link" \
    join --offline "$line" --out "$work/request"
check "what to do with it is told" tells "member admit"
exits 0 "the space is expected" space list
check "by a node that is not admitted yet" prints "not admitted yet"
exits 1 "a file that is there is not written over" \
    join --offline "$line" --out "$work/request"
exits 0 "a dry run says what would be" --dry-run join --offline "$line"
check "and prints no request" same "$(cat "$work/out")" ""
exits 0 "the request is also printed" join --offline "$line"
check "the same line" same "$(cat "$work/out")" "$(cat "$work/request")"
check "of text" prints "entente-request-1:"
exits 2 "--out wants --offline" join "$line" --out "$work/nothing"

node=$work/chair
exits 0 "the chair is told what it would do" \
    --dry-run member admit s "$work/request"
check "whom it would let in, and as what" \
    tells "would admit Org a to s as reader"
as chair member list s
check "and nobody is in by that" same "$(grep -c "Org" "$work/out")" 1
exits 0 "the chair takes the file" member admit s "$work/request"
check "and is told whom it let in" tells "admitted Org a to s as reader"
exits 0 "the same request again is answered again" \
    member admit s "$work/request"
as chair member list s
check "and admits nobody twice" same "$(grep -c "Org a" "$work/out")" 1

start "$work/chair" "$endpoint"
node=$work/a
exits 0 "the next sync completes it" sync --timeout 20s
exits 0 "the record is here" show ctc-1
as a space list
check "as a reader" prints "reader"

ask b
node=$work/chair
exits 4 "a second organisation cannot use the line" member admit s "$request"
check "and it is said why" tells "was used already"

# Whether it is too late says the chair's clock alone.
invite reader --expires 1h
node=$work/late
as late init --org "Org late"
clock=7200
exits 0 "a clock that is ahead asks all the same" join --offline "$line"
check "and is told what it takes for the time" tells "by this machine's clock"
clock=
node=$work/chair
clock=7200
exits 4 "the chair's clock says no" member admit s "$(cat "$work/out")"
clock=

invite editor
ask b
node=$work/chair
exits 0 "a request is taken as a line too" member admit s "  $request "
exits 4 "in another space it is no good" member admit t "$request"
check "and it is said why" tells "another space"
node=$work/b
exits 0 "it syncs" sync --timeout 20s
exits 0 "and writes, as the invitation has it" set ctc-1 title=Coordinatrice

# Left, and back by another invitation, over a link or without.
node=$work/b
exits 0 "a space is left" space leave s
as b space show s --json
check "which is seen" prints '"left": true'
invite reader
node=$work/b
exits 0 "another invitation brings it back" join "$line" --timeout 20s
check "with the role it had" prints editor
as b space show s --json
check "and it is left no more" prints '"left": false'
exits 0 "it can be written to again" set ctc-1 "title=Coordinatrice again"
as b space leave s
invite reader
ask b
as b space show s --json
check "a request brings it back as well" prints '"left": false'
node=$work/chair
exits 0 "which the chair takes" member admit s "$request"
check "as what the member is" tells "as editor"
node=$work/b
exits 0 "and it syncs" sync --timeout 20s

invite editor
ask c
node=$work/other
exits 4 "another chair does not take it" member admit s "$request"
check "and it is said why" tells "another space"
node=$work/a
exits 4 "nor does a member who is no chair" member admit s "$request"

invite editor --expires 1s
ask c
sleep 1.1
node=$work/chair
exits 4 "after its time it is no good" member admit s "$request"
check "and it is said why" tells "has expired"
node=$work/c
exits 0 "the joiner's node sees it too" join --offline "$line"
check "and tells" tells "the invitation was good until"

# ------------------------------------------------------------ wrong copies

# Each character of a line changed once: none of them is taken for a good one.
changes() {
    /usr/bin/python3 - "$1" <<'PYTHON'
import sys
for i, c in enumerate(sys.argv[1]):
    print(sys.argv[1][:i] + ("B" if c != "B" else "C") + sys.argv[1][i + 1:])
PYTHON
}

invite editor
ask c
node=$work/chair
changes "$request" >"$work/changed"
wrong=0
while read -r changed; do
    entente --dry-run member admit s "$changed"
    [ $? -eq 5 ] && wrong=$((wrong + 1))
done <"$work/changed"
check "each character of a request changed once is told" \
    same $wrong ${#request}
exits 5 "a request that lost its end" member admit s "${request%??}"
check "is told" tells "cut off or mistyped"
exits 5 "an invitation is no request" member admit s "$line"
echo "$request" | sed 's/...$//' >"$work/cut"
exits 5 "a file that lost its end" member admit s "$work/cut"
check "is named" tells "cut: "
exits 2 "the role stands in the invitation" \
    member admit s "$request" --role editor
key=$("$build/cli/entente" --home "$work/d" whoami --json |
    sed -n 's/.*"key": *"\([0-9a-f]*\)".*/\1/p')
as d join --offline "$line"
cp "$work/out" "$work/request-of-d"
node=$work/chair
exits 2 "a key wants a role" member admit s "$key"
exits 0 "and is admitted with one" \
    member admit s "$key" --role reader --org "Org d"
exits 0 "a member is not admitted again" member admit s "$work/request-of-d"
check "and it is said why" tells "Org d is a member of s already, as reader"
node=$work/c
exits 5 "a request is no invitation" join "$request"
changes "$line" | sed -n '1~9p' >"$work/changed"
wrong=0
while read -r changed; do
    entente join "$changed"
    [ $? -eq 5 ] && wrong=$((wrong + 1))
done <"$work/changed"
check "so are those of an invitation" \
    same $wrong "$(wc -l <"$work/changed")"

# -------------------------------------------------------------- over a link

node=$work/c
exits 0 "the line still is good" join "$line" --timeout 20s
node=$work/e
exits 4 "a used line is refused over a link" join "$line" --timeout 20s
check "with the reason" tells "was used already"
exits 4 "in the reader's language" --lang fr join "$line" --timeout 20s
check "whatever the chair's is" tells "a déjà servi"
invite editor --expires 1s
sleep 1.1
node=$work/e
exits 5 "one whose time is over is not even tried" join "$line"

# The chair put back from before the invitation: it does not know it.
for pid in $daemons; do
    kill "$pid"
    wait "$pid"
done
daemons=
cp -a "$work/chair" "$work/before"
invite editor
unknown=$line
rm -rf "$work/chair"
cp -a "$work/before" "$work/chair"
start "$work/chair" "$endpoint"
node=$work/e
exits 4 "a line that the chair does not know is refused" \
    join "$unknown" --timeout 20s
check "with the reason" tells "not known"

# A line of this chair's for a space that it does not hold.
invite editor
foreign=$(/usr/bin/python3 - "$line" <<'PYTHON'
import base64
import hashlib
import sys
tag, text = sys.argv[1].split(":")
raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))[:-4]
raw = b"another space---" + raw[16:]
raw += hashlib.blake2b(raw, digest_size=16).digest()[:4]
print(tag + ":" + base64.urlsafe_b64encode(raw).decode().rstrip("="))
PYTHON
)
node=$work/e
exits 4 "a line of a space that the chair does not hold is refused" \
    join "$foreign" --timeout 20s
check "with the reason" tells "another space or another chair"

# ------------------------------------------------------------------- drawing

node=$work/chair
for address in ipc:///tmp/x "tcp://h.example:1;tcp://h.example:2" \
    tcp://h.example:99999 tcp://h.example:0 tcp://h.example:http h.example:1; do
    exits 5 "nobody is sent to $address" invite s --endpoint "$address"
    exits 5 "nor dials it" peer add "$address" "$(printf '%064d' 0)"
    check "as is said" tells "is not an address that can be dialled"
done
exits 0 "an invitation is drawn" invite s --qr --endpoint "$endpoint"
line=$(cat "$work/out")
check "stdout is the line alone" same "$(wc -l <"$work/out")" 1
cp "$work/err" "$work/drawn"
/usr/bin/python3 "$here/qr.py" "$work/drawn" "$line" - >"$work/out"
check "as a QR code: size, quiet zone, finder and timing patterns" \
    same $? 0
said=$(/usr/bin/python3 "$here/qr.py" "$work/drawn" "$line")
check "which is the line ($said)" same $? 0
check "without colours, into a file" \
    same "$(tr -cd '\033' <"$work/drawn" | wc -c)" 0
finish
