#!/bin/sh
# messages.sh - what people say to each other in spaces, about records and on
# lines of two; what they have read stays with them; what is written is told as
# it comes.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/meet.sh"

# let_in SPACE CHAIR NAME: by an invitation of the chair, without a link.
let_in() {
    as "$2" invite "$1" --endpoint tcp://127.0.0.1:9
    as "$3" join --offline "$(cat "$work/out")"
    request=$(cat "$work/out")
    as "$2" member admit "$1" "$request"
}

# unread NODE: how many messages its status counts in all spaces.
unread() {
    "$build/cli/entente" --home "$work/$1" status --json |
        sed -n 's/.*"unread": \([0-9]*\).*/\1/p' | head -1
}

for name in a b c; do
    as $name init --org "Org $name" --country BDI
    as $name whoami --json
    sed -n 's/.*"key": *"\([0-9a-f]*\)".*/\1/p' "$work/out" >"$work/$name.key"
done
as a space create bdi --title-en Burundi
let_in bdi a b
let_in bdi a c
as a add organisation code=org-b name="Organisation B"
as a add contact code=ctc-1 display_name="Ann" org_id=org-b
as a add contact code=ctc-10 display_name="Béa"
as a add training code=evt-1 title_fr="Formation"
meet b a

# --------------------------------------------------------------------- saying

node=$work/a
exits 0 "a message is written in a space" say bdi "Où est le rapport ?" \
    --subject Rapport
first=$(cat "$work/out")
check "its id is all that is printed" test "${#first}" -eq 36
exits 0 "several words need no quotes" say bdi tout va bien
exits 0 "a message is written about a record" say evt-1 \
    "@ctc-1 : combien de participants ?"
about=$(cat "$work/out")
entente show "$about" --json
check "it names the record" prints '"about": "evt-1"'
check "and when it was sent" prints '"sent_at": "20'
exits 2 "nothing is no message" say bdi
exits 2 "nor are blanks" say bdi "   "
exits 3 "a place that is not there is not found" say nowhere hello
exits 5 "what is no text is refused" say bdi "$(printf 'a\033[31m')"
before=$(digest bdi)
exits 0 "a dry run says what would be said" --dry-run say bdi Bonjour
check "where" tells bdi
check "and says nothing" same "$(digest bdi)" "$before"
as c say bdi "not yet"
meet b a
meet c a
node=$work/c
exits 0 "who has no say yet has one once it met the chair" say bdi Salut

# -------------------------------------------------------------------- reading

check "status counts what was not read" same "$(unread b)" 3
node=$work/b
exits 0 "the unread ones are listed" inbox --keep
check "with their text" prints "Où est le rapport ?"
check "and who wrote them" prints "Org a"
check "and how many they are" prints "Unread: 3. All messages: 3."
check "they were kept unread" same "$(unread b)" 3
exits 0 "in French too" --lang fr inbox --keep
check "with the day first" grep -Eq \
    "$(date -u +%d/%m/%Y) [0-9]{2}:[0-9]{2}" "$work/out"
exits 0 "for programs, too" inbox --keep --json
check "with subject and space" prints '"space": "bdi", "about": null, "subject": "Rapport"'
check "as unread" prints '"unread": true'
exits 0 "only some are listed" inbox --limit 1 --json
check "as many as were asked for" same "$(grep -c '"id"' "$work/out")" 1
check "and those alone are read now" same "$(unread b)" 2
exits 0 "the rest" inbox
check "then none is unread" same "$(unread b)" 0
exits 0 "the inbox is empty" inbox
check "and says so" prints "Unread: 0. All messages: 3."
exits 0 "read ones are listed when asked for" inbox --all --json
check "all of them" same "$(grep -c '"id"' "$work/out")" 3
check "as read" lacks '"unread": true'
check "who wrote them has nothing to read" same "$(unread a)" 0
before=$(digest bdi)
meet b a
check "nobody learns what was read" same "$(digest bdi)" \
    "$(node=$work/a digest bdi)"

# ------------------------------------------------------------------- answering

exits 0 "a message is answered" say "$first" "Il arrive demain, @Org a."
answer=$(cat "$work/out")
exits 0 "or with --reply-to" say bdi "Ou lundi." --reply-to "$answer"
exits 2 "what is answered is a message" say bdi no --reply-to evt-1
exits 0 "an answer about a record" say "$about" "Vingt-quatre."
meet b a
meet c a
meet a c
node=$work/a
exits 0 "the one who asked sees the answers" thread "$first"
check "one below the other" grep -Eq "  ↳ Il arrive demain" "$work/out"
check "set in" grep -Eq "    ↳ Ou lundi" "$work/out"
check "and nothing else" lacks "tout va bien"
exits 0 "from any of them" thread "$answer" --json
check "with its depth" grep -q '"depth": 2' "$work/out"
check "the whole thread" same "$(grep -c '"id"' "$work/out")" 3
exits 0 "what was said about a record" thread evt-1
check "with the answers" prints "Vingt-quatre."
exits 0 "a record nobody spoke about" thread ctc-1
check "is told" tells "no message is about"
exits 3 "what is not there has no thread" thread thr-none

# -------------------------------------------------------------------- mentions

node=$work/a
as a say bdi "Write to ann@ctc-1.example or @ctc-10"
as a say bdi "Nothing for you"
exits 0 "whom nobody knows may be called" say bdi "@ctc-11 et @Org A, à 5 @ 7"
check "and it is said" tells '"@ctc-11"'
check "with who may be meant" tells '"@ctc-1'
check "but not of who is known" sh -c "! grep -q Org '$work/err'"
exits 0 "nor of who is named right" say bdi "@CTC-1, @org b : ann@nosuch.example"
check "nothing" test ! -s "$work/err"
exits 0 "nor when nothing is to be said" --quiet say bdi "@nobody"
check "nothing" test ! -s "$work/err"
meet b a
node=$work/b
exits 0 "whom this node belongs to is said" config me=ctc-1
exits 0 "what is for you" inbox --all --mine
check "names you" prints "combien de participants"
check "not another whose code begins so" lacks "@ctc-10"
check "nor does an address" lacks "ctc-1.example"
as b config me=ctc-10
exits 0 "who is called so" inbox --all --mine
check "is meant" prints "@ctc-10"
check "the other is not" lacks "combien"
as a say bdi "@org-b, @ORG B : merci à tous"
as b say bdi "Qui vient ?"
question=$(cat "$work/out")
meet b a
meet c b
as c say "$question" "Moi."
meet c b
node=$work/b
as b config me=ctc-1
exits 0 "a mention of your organisation is for you" inbox --mine
check "by code or name" prints "merci à tous"
check "it is marked so" grep -Eq "merci à tous +(yes)? +yes" "$work/out"
check "so is what answers you" prints "Moi."
node=$work/c
entente inbox --all --mine --json
check "who has no contact is named by its organisation" lacks "merci"

# ---------------------------------------------------- whose a message is (M9)

node=$work/b
exits 4 "another's message is not changed" set "$first" body=non
exits 4 "nor deleted" delete "$first"
exits 0 "one's own is" set "$answer" body="Il arrive lundi."
exits 0 "its history says so" log "$answer"
check "with what was replaced" prints "Il arrive demain"
exits 0 "and who gets it is explained" explain "$answer"
check "and that only its author changes it" prints "only its author"

# ---------------------------------------------------------------- names thread

as a import --package "$demo" --space bdi
node=$work/a
exits 0 "messages of a thread with a name" thread thr-rapport
check "the first" prints "Merci d'envoyer le rapport"
check "and its answers" grep -q "    ↳ La suppléance" "$work/out"
exits 0 "by one of them" thread msg-003 --json
check "all the same" same "$(grep -c '"id"' "$work/out")" 3

# ------------------------------------------------------------------- two alone

as d init --org "Org d"
exits 2 "a line needs an address" line "Org b"
node=$work/a
exits 0 "a line is tried" --dry-run line "Org b" --endpoint tcp://127.0.0.1:9
check "it says its name" tells "org-a_org-b"
check "nothing is made" test "$(entente space list --format csv; \
    grep -c org-a_org-b "$work/out")" -eq 0
node=$work/a
exits 2 "there is nobody at its other end but another" line "Org a" \
    --endpoint tcp://127.0.0.1:9
exits 0 "a line is made" line "Org b" --endpoint tcp://127.0.0.1:9
line=$(cat "$work/out")
exits 0 "and one for programs" --json line "Org f" --endpoint tcp://127.0.0.1:9
check "with its space" prints '"space": "org-a_org-f"'
check "and the invitation" prints '"invitation": "entente-invite-'
exits 0 "as an invitation is" --json invite org-a_org-f \
    --endpoint tcp://127.0.0.1:9
check "which has an end" grep -Eq '"expires": "20[0-9-]*T' "$work/out"
exits 2 "once" line "Org b" --endpoint tcp://127.0.0.1:9
as b join --offline "$line"
request=$(cat "$work/out")
node=$work/a
exits 0 "the other one enters" member admit org-a_org-b "$request"
meet b a
as a say org-a_org-b "Entre nous."
meet b a
node=$work/b
exits 0 "it sees whom it is with" space list
check "both are in its name" prints "Org a – Org b"
exits 0 "and what is said" inbox --space org-a_org-b
check "there" prints "Entre nous."
meet c a
node=$work/c
entente inbox --all
check "nobody else hears it" lacks "Entre nous"

# ------------------------------------------------------------------- watching

# wait_for TEXT FILE: until it stands there.
wait_for() {
    tries=0
    while [ $tries -lt 100 ] && ! grep -qF -e "$1" "$2"; do
        sleep 0.1
        tries=$((tries + 1))
    done
    grep -qF -e "$1" "$2"
}

start a
"$build/cli/entente" --home "$work/a" watch >"$work/watched" 2>&1 &
watcher=$!
"$build/cli/entente" --home "$work/a" watch bdi --json >"$work/watched.json" \
    2>&1 &
watcher_json=$!
daemons="$daemons $watcher $watcher_json"
sleep 0.5
node=$work/a
entente set evt-1 participants=24
check "a change is told" wait_for "evt-1  Participants: 24" "$work/watched"
node=$work/b
entente peer add "$at_a" "$(cat "$work/a.key")"
entente sync "$(cat "$work/a.key")" --timeout 20s
entente set evt-1 participants=26 modules+=M1
entente add contact code=ctc-20 display_name="Cléo" --space bdi
entente delete ctc-10
entente say evt-1 "$(printf 'Bien\nrecu')"
entente sync "$(cat "$work/a.key")" --timeout 20s
check "so is one that comes from another node" \
    wait_for "Org b  Training evt-1  Participants: 24 → 26" "$work/watched"
check "an element of a set" wait_for "evt-1  Modules + " "$work/watched"
check "a new record, on one line" \
    wait_for "Contact ctc-20  new record: Cléo" "$work/watched"
check "a deletion" wait_for "Contact ctc-10  deleted" "$work/watched"
check "a message" wait_for "Message" "$work/watched"
check "for programs, one object a line" \
    wait_for '"field": "participants", "action": "written", "value": 26, "was": [24]' \
    "$work/watched.json"
check "with every field of a new record" \
    wait_for '"field": "display_name", "action": "written", "value": "Cléo"' \
    "$work/watched.json"
check "each of them good JSON" /usr/bin/python3 -c 'import json, sys
for line in open(sys.argv[1]):
    assert json.loads(line)["org"]' "$work/watched.json"
entente undo
entente sync "$(cat "$work/a.key")" --timeout 20s
check "an undo is told like any change" \
    sh -c "grep -c 'Message.*deleted' '$work/watched' >/dev/null ||
        sleep 2; grep -q 'Message.*deleted' '$work/watched'"
ticks() {
    awk '{ print $14 + $15 }' "/proc/$watcher/stat"
}
used=$(ticks)
sleep 2
check "it waits without working" test $(($(ticks) - used)) -lt 20
kill -INT "$watcher" 2>/dev/null
kill -TERM "$watcher_json" 2>/dev/null
wait "$watcher"
check "an interrupted watch has done what it was asked for" same $? 0
wait "$watcher_json"
check "and so has one that was ended" same $? 0
node=$work/a
exits 2 "it prints no table of another form" watch --format csv
exits 3 "nor of a space that is not there" watch nowhere
stop_all
finish
