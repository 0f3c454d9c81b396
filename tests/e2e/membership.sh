#!/bin/sh
# membership.sh - what the chair of a space decides, on real nodes over loopback:
# removal with a cut, roles, readmission, deputies, another chair, a new key;
# and whose a message is meanwhile.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/meet.sh"

# value NODE: what stands in the title of the record.
value() {
    as "$1" show "$id" --format json
}

for name in chair ann ben thief; do
    as $name init --org "Org $name" --country BDI
    as $name whoami --json
    sed -n 's/.*"key": *"\([0-9a-f]*\)".*/\1/p' "$work/out" >"$work/$name.key"
done
as chair space create s --title-en Support
for name in ann ben thief; do
    as chair invite s --role editor --endpoint tcp://127.0.0.1:9
    line=$(cat "$work/out")
    as $name join --offline "$line"
    request=$(cat "$work/out")
    as chair member admit s "$request"
    meet $name chair
done
meet ann chair
node=$work/ann
exits 0 "who was let in sees the members" member list s
check "all of them" prints "Org thief"

# ----------------------------------------------------------------- a removal

as thief add contact code=c-1 "display_name=before the theft" --space s
id=$(cat "$work/out")
meet thief chair
meet thief ann
as thief set "$id" "display_name=after the theft"
meet thief ann
value ann
check "ann has what the thief wrote last" prints "after the theft"

node=$work/ben
exits 4 "an editor cannot remove anybody" member remove s "Org thief"
node=$work/chair
exits 3 "nor can the chair remove somebody who is no member" \
    member remove s "Org nobody"
exits 0 "a dry run says what would be" \
    --dry-run member remove s "Org thief" --reason stolen
as chair member list s
check "and changes nothing" prints "Org thief"
node=$work/chair
exits 0 "the chair removes a member by its organisation" \
    member remove s "Org thief" --reason stolen
check "and is told what that does not do" tells "keeps what it has received"
meet ann chair
value ann
check "what came after the cut is taken out" prints "before the theft"
check "and is nowhere to be seen" lacks "after the theft"
node=$work/ann
exits 0 "it is listed" quarantine s
check "with its reason" prints "beyond what the chair kept"
node=$work/chair
exits 0 "also by the chair, which never had it" quarantine s
check "with the same reason" prints "beyond what the chair kept"
meet ben ann
check "who comes later gets the same" same "$(node=$work/ben digest s)" \
    "$(node=$work/ann digest s)"
for name in chair ann ben; do
    node=$work/$name
    exits 0 "the replica of $name is sound" verify --deep
done
meet thief chair
check "the removed node is told at once" tells "s: Org chair removed this node"
node=$work/thief
exits 4 "the removed node learns it, and cannot write" \
    set "$id" "display_name=once more"
check "and is told who removed it" \
    tells "Org chair removed this node from the space on"
check "and why" tells "(stolen)"
exits 4 "also when it names no space" add contact "display_name=anywhere"
check "it is told" tells "s: Org chair removed this node from the space on"
exits 0 "its status" status
check "says it too" prints "(stolen)"
check "and what became of its entries" prints "(entries: 1)"
exits 0 "a list of spaces" space list
check "has it as removed" prints "removed"
check "and says who did it" tells "Org chair removed this node"
exits 0 "in French" --lang fr status
check "likewise" prints "Org chair a exclu ce nœud de l’espace le"
exits 0 "what is set aside is listed" quarantine s
check "with its reason" prints "beyond what the chair kept"
start chair
eval "endpoint=\$at_chair"
as thief peer add "$endpoint" "$(cat "$work/chair.key")"
exits 0 "another exchange ends at once, with nothing" sync --timeout 20s
check "and nothing is said twice" same "$(cat "$work/err")" ""
stop_all
as chair --lang fr member remove s "Org nobody"
check "the chair is spoken to in French" tells "aucun membre"

# -------------------------------------------------------------------- a role

meet ben chair
as chair member role s "Org ben" reader
meet ben chair
node=$work/ben
exits 4 "a reader cannot write" set "$id" "display_name=by a reader"
as chair member role s "Org ben" editor
meet ben chair
node=$work/ben
exits 0 "an editor again can" set "$id" "display_name=by ben"
meet ben chair
value chair
check "and is read" prints "by ben"

# ---------------------------------------------------------------- the chair

node=$work/chair
exits 0 "the chair asks for a version" space require s 0.1.0
exits 2 "not for one newer than its own" space require s 99
exits 2 "nor for what is none" space require s 1.x
exits 0 "and for any again" space require s 0
exits 0 "one deputy is named" deputies s "Org ann"
check "which is not enough, and said" tells "fewer than two"
exits 0 "two are" deputies s "Org ann" "Org ben"
meet ann chair
meet ben chair
node=$work/ben
exits 0 "a deputy votes" succeed s "Org ann"
vote=$(cat "$work/out")
node=$work/ann
exits 4 "one vote does not make a chair" succeed s "Org ann"
exits 5 "nor does a changed one" succeed s "Org ann" --sign "${vote%??}ff"
exits 0 "two do" succeed s "Org ann" --sign "$vote"
exits 0 "nothing is void yet" member void s
check "and it is said" tells "no entry of the roster is void"
as chair member role s "Org ben" reader # it has not heard of it
meet ben ann
as ben member list s
check "others see the new chair" prints chair
node=$work/ann
exits 0 "who hands over" handover-chair s "Org ben"
cat "$work/out" >"$work/vote"
node=$work/ben
exits 0 "to the next, by a file" succeed s "Org ben" --sign "$work/vote"
meet chair ben
node=$work/chair
exits 4 "the first chair is an editor now" member remove s "Org ann"
exits 0 "and writes" set "$id" "display_name=by the first chair"
meet ben chair
node=$work/ben
exits 0 "what the first chair decided meanwhile is void" member void s
check "with what it was" prints "member role"
check "of whom" prints "Org ben"
exits 0 "the chair is asked" status
check "whether to repeat it" \
    prints '"member role" of Org ben by Org chair is void since'
exits 0 "in French" --lang fr status
check "too" prints "est nul depuis"

# ---------------------------------------------------------- whose a record is

as ann add message code=msg-1 "body=by ann" --space s
message=$(cat "$work/out")
meet ann ben
before=$(node=$work/ben digest s)
node=$work/ben
exits 4 "another's message cannot be changed" set msg-1 "body=by ben"
check "which is said" tells "belongs to another member"
exits 4 "nor emptied" set msg-1 body=
exits 4 "nor deleted" delete msg-1
exits 4 "not even for show" --dry-run set msg-1 "body=by ben"
exits 4 "in French too" --lang fr set "$message" "body=par Ben"
check "which is said in French" tells "appartient à un autre membre"
printf 'code,body\nmsg-2,by ben\nmsg-1,by ben\n' >"$work/messages.csv"
exits 4 "nor by an import" import message "$work/messages.csv" --space s
check "which names the line" tells "messages.csv:3"
check "and nothing of all that is written" same "$before" \
    "$(node=$work/ben digest s)"
printf 'code,body\nmsg-2,by ben\nmsg-1,by ann\n' >"$work/messages.csv"
exits 0 "a row that says the same is no change" \
    import message "$work/messages.csv" --space s
exits 0 "one's own message is changed" set msg-2 "body=once more by ben"
as ann set msg-1 "body=once more by ann"
meet ann ben
for name in ann ben; do
    as $name list message --format csv
    check "$name reads the one" prints "once more by ann"
    check "$name reads the other" prints "once more by ben"
done

# ---------------------------------------------------------------- a lost key

as fresh init --org "Org fresh" --country BDI
as fresh whoami --json
sed -n 's/.*"key": *"\([0-9a-f]*\)".*/\1/p' "$work/out" >"$work/fresh.key"
node=$work/ben
exits 5 "a mangled key is told" member replace s "Org ann" 1234
exits 0 "a new key takes over" \
    member replace s "Org ann" "$(cat "$work/fresh.key")"
as ben member list s --format csv
check "under the old name" prints "Org ann"
as ben invite s --role editor --endpoint tcp://127.0.0.1:9
as fresh join --offline "$(cat "$work/out")" # which space it is
meet fresh ben
node=$work/fresh
exits 0 "the new one changes what the old one wrote" \
    set msg-1 "body=with the new key"
exits 4 "and nobody else's" set msg-2 "body=with the new key"
meet fresh ben
as ben show msg-1
check "others take it" prints "with the new key"
as ben quarantine s --format csv
check "as good" lacks "belongs to somebody else"
meet ann ben
node=$work/ann
exits 4 "and the old one writes no more" set "$id" "display_name=by the old key"

# ------------------------------------------------------ a chair is put back

node=$work/ben
exits 0 "the chair takes a backup" backup "$work/ben.db"
exits 0 "and is put back" restore "$work/ben.db" --force
exits 4 "it does not decide before it has met a member" \
    member role s "Org chair" reader
check "which is said" tells "exchange with a member of the space first"
exits 4 "nor does a dry run" --dry-run member role s "Org chair" reader
exits 0 "in French" --lang fr status
check "also in its status" prints "décide de nouveau des membres"
exits 0 "what is no decision it may do" set "$id" "display_name=put back"
meet chair ben
node=$work/ben
exits 0 "then it decides" member role s "Org chair" reader
exits 0 "its status" status
check "has nothing to say of it" lacks "decides about members"

# --------------------------------------------------- what was cut comes back

meet chair ben
node=$work/ben
exits 0 "who is the chair now was given what was cut" quarantine s --format csv
n=$(sed -n '2s/,.*//p' "$work/out")
exits 0 "and readmits it" quarantine readmit "$n"
exits 0 "it is listed no more" quarantine s
check "as that" lacks "beyond what the chair kept"
value ben
check "and counts" prints "after the theft"
meet chair ben
value chair
check "everywhere" prints "after the theft"
node=$work/chair
exits 0 "where nothing of it is aside" quarantine s
check "any more" lacks "beyond what the chair kept"

stop_all
finish
