#!/bin/sh
# scenarios.sh - what seldom happens, on real nodes over loopback: two lives of
# one replica under one number, a removal that nobody knew of who chose the next
# chair, a member that is removed twice.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/meet.sh"

# save NAME, put_back NAME: a virtual machine and an older picture of its disk;
# nothing on it tells that time went on elsewhere.
save() {
    mkdir "$work/saved.$1"
    cp -p "$work/$1"/replica.db* "$work/$1/high-water" "$work/saved.$1"
}

put_back() {
    for file in replica.db replica.db-wal replica.db-shm high-water; do
        if [ -e "$work/saved.$1/$file" ]; then
            cat "$work/saved.$1/$file" >"$work/$1/$file"
        else
            rm -f "$work/$1/$file"
        fi
    done
    rm -r "$work/saved.$1"
}

# equal NAME...: all have the same digest, and are sound.
equal() {
    first=$(node=$work/$1 digest s)
    for name in "$@"; do
        check "$name has what $1 has" same "$(node=$work/$name digest s)" \
            "$first"
        node=$work/$name
        exits 0 "and is sound" verify --deep
    done
}

# let_in NAME: by an invitation of $chair.
let_in() {
    as $chair invite s --role editor --endpoint tcp://127.0.0.1:9
    as $1 join --offline "$(cat "$work/out")"
    request=$(cat "$work/out")
    as $chair member admit s "$request"
    meet $1 $chair
}

chair=office
for name in office ann ben cat; do
    as $name init --org "Org $name" --country BDI
    as $name whoami --json
    sed -n 's/.*"key": *"\([0-9a-f]*\)".*/\1/p' "$work/out" >"$work/$name.key"
done
as office space create s --title-en Support
for name in ann ben cat; do
    let_in $name
done

# ----------------------------------------------------- two lives of one replica

as cat add contact code=c-1 "display_name=zero" --space s
as cat add contact code=c-2 "display_name=zero" --space s
for name in cat ann ben; do
    meet $name office
done
save cat
as cat set c-1 "display_name=the first life"
as cat set c-2 "display_name=the first life"
meet cat office
put_back cat
node=$work/cat
exits 0 "a picture that was put back writes on" \
    set c-1 "display_name=the second life"
as cat set c-2 "display_name=the second life"
as cat status
check "and nothing tells it from before" lacks "writes a new log"
meet cat ben
node=$work/ben
exits 0 "who saw one life replaces what that one wrote" \
    set c-1 "display_name=by ben"
meet ann office
meet ann ben
node=$work/ann
exits 0 "who saw both has both" conflicts --space s
check "what the one wrote" prints "the first life"
check "and the other" prints "the second life"
exits 0 "and settles it" resolve c-2 display_name --value "settled by ann"
meet ben office
meet cat ann
meet office cat
meet ben cat
meet ann ben
for name in office ann ben cat; do
    node=$work/$name
    exits 0 "$name lists what is open" conflicts --space s
    check "what ben had not seen stands" prints "the first life"
    check "beside his own" prints "by ben"
    check "what he replaced does not" lacks "the second life"
    as $name show c-2
    check "what was settled is" prints "settled by ann"
    as $name status
    check "and it is said whose log has two branches" \
        prints "Org cat wrote two different entries"
done
as cat status
check "which it does not write any more" prints "writes a new log"
equal office ann ben cat
node=$work/ann
exits 0 "the rest is settled" resolve c-1 display_name --value "settled too"
meet ann office

# ------------------------------------------- a removal that nobody knew of

as office deputies s "Org ann" "Org ben" "Org cat"
for name in ann ben cat; do
    meet $name office
done
node=$work/office
exits 0 "the chair removes a deputy" member remove s "Org cat"
node=$work/cat
exits 0 "which has not heard of it, and writes" \
    set c-2 "display_name=written meanwhile"
exits 4 "and cannot make itself the chair" succeed s "Org cat"
as ben succeed s "Org ann"
vote=$(cat "$work/out")
node=$work/ann
exits 0 "two who have not heard of it either make another chair" \
    succeed s "Org ann" --sign "$vote"
exits 0 "the new chair writes" add contact code=c-3 \
    "display_name=not for cat yet" --space s
meet office ann
meet ben office
for name in office ann ben; do
    node=$work/$name
    exits 0 "$name knows the roster" member list s --format csv
    check "the removed one is back" prints "Org cat"
    exits 0 "and what is void" member void s
    check "its removal" prints "member remove"
    meet cat $name
    node=$work/cat
    exits 3 "but $name does not speak to it" show c-3
done
node=$work/ann
exits 0 "until the chair says that it stays what it was" \
    member role s "Org cat" editor
exits 0 "status" status
check "has no more to ask" lacks "is void"
meet cat ann
meet office ann
meet ben cat
for name in office ann ben cat; do
    as $name show c-3
    check "$name has what was not for it" prints "not for cat yet"
    as $name show c-2
    check "and what it wrote meanwhile" prints "written meanwhile"
done
equal ann office ben cat

# ------------------------------------------------------- a member removed twice

chair=ann
as cat add contact code=c-10 "display_name=kept" --space s
meet cat ann
as cat add contact code=c-11 "display_name=lost to the cut" --space s
meet cat ben
node=$work/ann
exits 0 "a member is removed" member remove s "Org cat"
meet cat ann
meet office ann
let_in cat
node=$work/cat
exits 0 "let in again it writes on" \
    add contact code=c-12 "display_name=after it came back" --space s
meet cat ann
node=$work/ann
exits 0 "and leaves later" member remove s "Org cat" --reason "has left"
meet ben office
meet office ann
meet ben ann
for name in ann ben office; do
    as $name list contact --format csv
    check "$name has what the first cut kept" prints "kept"
    check "and what the second one did" prints "after it came back"
    check "not what lay between" lacks "lost to the cut"
done
equal ann office ben
node=$work/ben
exits 0 "who has it" quarantine s
check "lists it" prints "beyond what the chair kept"

stop_all
finish
