#!/bin/sh
# erase.sh - a person asks to be forgotten: a contact is erased by the chair
# while a laptop that has been away for three months still edits it.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/meet.sh"

# holds NODE TEXT: some file of its node holds that text.
holds() {
    grep -rqiF -e "$2" "$work/$1"
}

# free NODE TEXT: none does.
free() {
    ! holds "$@"
}

# confirmed ORG: by the last `erase --status`, whether it has carried it out.
confirmed() {
    sed -n "s/.*\"org\": \"$1\".*\"confirmed\": \\([a-z]*\\).*/\\1/p" "$work/out"
}

for name in hq laptop office reader; do
    as $name init --org "Org $name" --country BDI
    as $name whoami --json
    sed -n 's/.*"key": *"\([0-9a-f]*\)".*/\1/p' "$work/out" >"$work/$name.key"
done
as hq space create bdi --title-en Burundi
for name in laptop office reader; do
    role=editor
    [ $name = reader ] && role=reader
    as hq invite bdi --role $role --endpoint tcp://127.0.0.1:9
    as $name join --offline "$(cat "$work/out")"
    request=$(cat "$work/out")
    as hq member admit bdi "$request"
done
cat >"$work/contacts.csv" <<'C'
code,display_name,email,role
ctc-1,Béatrice Niyonzima,beatrice@example.org,focal_point
ctc-2,Ann,ann@example.org,focal_point
C
node=$work/laptop
meet laptop hq
exits 0 "two contacts are imported on the laptop" import contact \
    "$work/contacts.csv"
as laptop add assignment code=as-1 contact_id=ctc-1 group_id=
meet laptop hq
meet office hq
meet reader hq
as office find beatrice
check "the office finds the one" prints ctc-1
check "whose name is in its files" holds office beatrice

# ------------------------------------------------------------------- asking

node=$work/office
exits 0 "a member that is not the chair asks for it" \
    erase ctc-1 --reason "asked by telephone"
check "and is told that it stands until then" tells "chair of bdi"
exits 0 "it stands" show ctc-1
node=$work/reader
exits 4 "a reader has to ask outside the program" erase ctc-1
check "and is told so" tells "chair"
meet office hq
node=$work/hq
exits 0 "the chair's status speaks of it" status
check "with the command that lists it" prints "erase --status"
exits 0 "which lists it" erase --status --json
check "as asked for" prints '"state": "asked"'
check "by the office" prints "Org office"

exits 0 "it looks at what that would do" erase ctc-1 --preview --format csv
check "to the record" prints "record,contact,"
check "and to what names it" prints "reference,assignment,"
exits 0 "a dry run says the same" --dry-run erase ctc-1
exits 0 "and changes nothing" show ctc-1

# ------------------------- erased while the laptop edits it, three months away

node=$work/laptop
exits 0 "the laptop edits it meanwhile" set ctc-1 phones=+25779111222
exits 0 "twice" set ctc-1 "display_name=Béatrice N. Ndayizeye"
exits 0 "and the other one" set ctc-2 phones=+25779333444
node=$work/hq
exits 0 "the chair erases it" erase ctc-1
check "and is told what is not reached" tells "backups"
id=$(cat "$work/out")
check "its files are free of the name" free hq beatrice
check "and of the address" free hq niyonzima
exits 3 "it is gone" show ctc-1
check "and one is told when and by whom" tells "erased for good by Org hq"
exits 3 "nothing can be written to it" set ctc-1 email=b@example.org
exits 0 "by the id that was printed" erase "$id" --status
check "it is spoken of" prints "Org laptop"
exits 2 "it cannot be erased and looked at at once" erase ctc-1 --preview --status
exits 0 "who has carried it out is listed" erase ctc-1 --status --json
check "headquarters has" same "$(confirmed "Org hq")" true
check "the laptop has not" same "$(confirmed "Org laptop")" false

meet office hq
meet laptop office
meet hq office
meet reader hq
meet hq office
for name in laptop office reader hq; do
    node=$work/$name
    exits 3 "it is gone on $name" show ctc-1
    for word in beatrice niyonzima Ndayizeye 79111222; do
        check "no file of $name holds $word" free $name $word
    done
    as $name find ann
    check "the other one is found on $name" prints ctc-2
    check "with what was edited apart" holds $name 25779333444
    exits 0 "$name is sound" verify --deep
done
first=$(node=$work/hq digest bdi)
for name in laptop office reader; do
    check "$name holds the same as headquarters" same \
        "$(node=$work/$name digest bdi)" "$first"
done
node=$work/hq
exits 0 "the late edits are counted" erase --status --json
check "two of them" prints '"late": 2'
check "by all four it is carried out" prints '"confirmed": 4, "members": 4'
check "nothing is asked for any more" test "$(grep -c '"asked"' \
    "$work/out")" -eq 0

# ------------------------------------------------------- it does not come back

node=$work/laptop
exits 5 "the same file is not imported again" import contact \
    "$work/contacts.csv"
check "the line is named" tells "contacts.csv:2"
check "with the reason" tells "erased for good"
exits 3 "undo does not bring it back" undelete ctc-1
sed -i 2d "$work/contacts.csv"
exits 0 "without that row it is" import contact "$work/contacts.csv"
exits 0 "the replica is made anew" rebuild
exits 3 "and it is gone all the same" show ctc-1

# --------------------------------------- what was written with it can be undone

printf 'code,display_name\nctc-5,Eve\nctc-6,Fay\n' >"$work/two.csv"
meet office hq
node=$work/office
exits 0 "two more are imported by the office" import contact "$work/two.csv"
printf 'code,display_name\nctc-5,Eva\nctc-6,Faye\n' >"$work/two.csv"
exits 0 "and changed by one command" import contact "$work/two.csv"
meet office hq
node=$work/hq
exits 0 "one of them is erased" erase ctc-5
meet office hq
node=$work/office
exits 0 "the office takes back what it changed" undo
check "of the one that stands" prints Fay
exits 0 "it is as it was" show ctc-6
check "with the first name" prints "Fay "
exits 3 "and the other one is gone" show ctc-5

# ------------------------------------------------------ what belongs to an owner

node=$work/office
exits 0 "a message is said" say bdi "Secret of zqoffice"
message=$(cat "$work/out")
meet laptop office
check "it comes to the laptop" holds laptop zqoffice
node=$work/office
exits 0 "its author erases it" erase "$message"
check "without a word left" free office zqoffice
exits 3 "and cannot take that back" undo
meet laptop office
check "nor on the laptop" free laptop zqoffice
node=$work/laptop
exits 3 "where it is gone" show "$message"
exits 0 "which says when" --lang fr erase "$message" --status
check "in French, too" prints "Org office"
finish
