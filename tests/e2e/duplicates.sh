#!/bin/sh
# duplicates.sh - records that may be one and the same: proposed with reasons,
# shown as one, taken apart again, and the same on every node whoever merged
# what.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/meet.sh"

# listed NODE ARGS...: what a list of that node says, as text.
listed() {
    "$build/cli/entente" --home "$work/$1" list "$2" --format csv \
        --columns "$3"
}

# score CODE CODE: what the last `duplicates --format csv` gives the pair.
score() {
    grep -e "$1.*$2" "$work/out" | cut -d, -f1
}

entente init --org HQ --country KEN
entente whoami --format tsv
entente space create global
exits 0 "the demonstration data are imported" import --package "$demo" \
    --space global --quiet

# ---------------------------------------------------------------- proposals

exits 0 "the demonstration data have next to no duplicates" duplicates \
    --format csv
check "hardly one" test "$(wc -l <"$work/out")" -le 2

exits 0 "a contact" add contact code=ctc-x1 \
    "display_name=Béatrice NIYONZIMA" email=bea@example.org iso3=BDI
exits 0 "the same with the name turned round, without accents" add contact \
    code=ctc-x2 "display_name=Niyonzima, Beatrice" "phone=+257 79 123 456"
exits 0 "the same by her first name" add contact code=ctc-x3 display_name=Bea \
    "phone=079123456" email=BEA@example.org "languages=fr|rn"
exits 0 "somebody with another country's number" add contact code=ctc-x4 \
    display_name=Other "phone=+250 79 123 456"
exits 0 "a namesake in another country" add contact code=ctc-x5 \
    "display_name=Beatrice Niyonzima" iso3=NER
exits 0 "a code that is there already" add contact code=ctc-x5 \
    display_name=Somebody
exits 0 "duplicates are proposed" duplicates contact --format csv
check "by name, without case, accents and order" prints '60,contact,ctc-x1,'
check "with the reason" same "$(grep -c 'ctc-x1.*ctc-x2.*name' "$work/out")" 1
check "by e-mail, without case" \
    same "$(grep -c 'ctc-x1.*ctc-x3.*email' "$work/out")" 1
check "by telephone, without its prefix" \
    same "$(grep -c 'ctc-x2.*ctc-x3.*phone' "$work/out")" 1
check "but not over two countries' prefixes" \
    same "$(grep -c 'ctc-x2.*ctc-x4' "$work/out")" 0
check "nor by the name alone over two countries" \
    same "$(grep -c 'ctc-x1.*ctc-x5' "$work/out")" 0
check "by a code that two have" \
    same "$(grep -c 'ctc-x5.*ctc-x5.*code' "$work/out")" 1
check "the surest first" same "$(sed -n 2p "$work/out" | cut -d, -f1)" 90
exits 0 "two reasons say more than one" set ctc-x3 \
    "display_name=Beatrice Niyonzima"
entente duplicates contact --format csv
check "together" same "$(score ctc-x1 ctc-x3)" 92
exits 0 "in French they are explained" --lang fr duplicates contact
check "to people" prints "même courriel"
exits 0 "JSON has a list of reasons" --json duplicates contact
check "by word" prints '"reasons": ["name", "email"]'
exits 0 "--limit shows the first" duplicates contact --limit 1 --format csv
check "alone" same "$(wc -l <"$work/out")" 2
exits 3 "an unknown kind is not found" duplicates contcat

# ------------------------------------------------------------------ merging

exits 0 "what refers to one" add assignment code=mem-x contact_id=ctc-x2 \
    group_id=grp-bdi-rumonge role=focal_point
exits 2 "kinds do not mix" merge ctc-x1 mem-x
exits 2 "nothing is merged with itself" merge ctc-x1 ctc-x1
exits 3 "nor with what is not there" merge ctc-x1 ctc-none
before=$(digest global)
exits 0 "a dry run says what would be" --dry-run merge ctc-x2 ctc-x1
check "and writes nothing" same "$(digest global)" "$before"
exits 0 "two are merged" merge ctc-x2 ctc-x1
lead=$(cat "$work/out")
exits 0 "merging them again" merge ctc-x1 ctc-x2
check "is nothing new" tells "already"
check "the list shows them once" same "$(count contact 'code~ctc-x')" 5
exits 0 "a third goes in by either" merge ctc-x3 ctc-x2
check "the list shows all as one" same "$(count contact 'code~ctc-x')" 4
exits 0 "each name shows it" --json show ctc-x3
check "under the lowest id" prints "\"id\": \"$lead\""
check "with the values of all" prints '"phone": "+257 79 123 456"'
check "and the elements of their sets" prints '"languages": ["fr", "rn"]'
check "and who they are" prints '"code": "ctc-x2"'
exits 0 "one of them can be looked at apart" --json show ctc-x3 --apart
check "as it was written" prints '"phone": "079123456"'
exits 0 "a filter finds what any of them has" list contact \
    "email=bea@example.org" "phone=+257 79 123 456" --format csv
check "once" same "$(wc -l <"$work/out")" 2
exits 0 "find shows one" find niyonzima --format csv
check "and the namesake" same "$(wc -l <"$work/out")" 3
exits 0 "references lead to it" --json show mem-x
check "in show" prints '"contact_id": "ctc-x1"'
exits 0 "in lists" list assignment contact_id=ctc-x1 --format csv
check "whichever code is asked for" prints "mem-x"
exits 0 "also the old one" list assignment contact_id=ctc-x3 --format csv
check "too" prints "mem-x"
exits 0 "in who" who --group rumonge --role focal_point --format csv
check "with what is known of all" prints "ctc-x1,Béatrice NIYONZIMA"
check "the telephone of another" prints "+257 79 123 456"
exits 0 "reports count one" sql \
    "SELECT count(*) FROM contacts WHERE code LIKE 'ctc-x%'" --format csv
check "too" prints 4
entente check --format csv
check "check finds nothing wrong" same "$(wc -l <"$work/out")" 1
exits 0 "they are proposed no more" duplicates contact --format csv
check "as each other's" same "$(grep -c 'ctc-x1.*ctc-x[23]' "$work/out")" 0
exits 0 "a change goes to the one that is shown" set ctc-x3 title=Conseil
entente --json show ctc-x2 --apart
check "not beside it" lacks Conseil
entente --json show ctc-x1 --apart
check "but on it" prints Conseil
exits 3 "a code of two records is ambiguous" show ctc-x5
entente list contact code=ctc-x5 --format csv --columns code
first=$(sed -n 2p "$work/out" | cut -d, -f1)
second=$(sed -n 3p "$work/out" | cut -d, -f1)
exits 0 "they are merged by their ids" merge "$first" "$second"
exits 0 "then the code names them" show ctc-x5
exits 0 "what has no other" unmerge evt-bdi-1
check "is told so" tells "merged with no other"

exits 0 "the one in the middle leaves" unmerge ctc-x2
check "the others stay one" same "$(count contact 'code~ctc-x')" 4
entente --json show ctc-x3
check "under the same id" prints "\"id\": \"$lead\""
entente --json show mem-x
check "references mean it alone again" prints '"contact_id": "ctc-x2"'
entente --json show ctc-x2
check "it has what it had" prints '"phone": "+257 79 123 456"'
exits 0 "it comes back" merge ctc-x2 ctc-x3
exits 0 "one of them is deleted" delete ctc-x2
entente check --format csv
check "what refers to it leads to the others" same "$(wc -l <"$work/out")" 1
entente list assignment contact_id=ctc-x1 --format csv
check "in lists, too" prints "mem-x"
exits 5 "what is deleted is not merged" merge ctc-x2 ctc-x5
before=$(digest global)
exits 0 "it leaves without coming back to life" unmerge ctc-x2
entente --json show ctc-x2
check "it stays deleted" prints '"live": false'
exits 0 "it is brought back" undelete ctc-x2
check "by itself" same "$(count contact 'code~ctc-x')" 4
entente merge ctc-x2 ctc-x3
entente delete ctc-x2
check "who hides another than the one that is shown is told what stays" \
    tells "ctc-x1"
entente undelete ctc-x2
exits 0 "a dry run" --dry-run delete ctc-x1
check "says how many go with the one that is shown" tells "3 records"
check "and hides none" same "$(count contact 'code~ctc-x')" 3
exits 0 "what is shown is deleted as one" delete ctc-x1
check "as is said" tells "3 records"
check "none of them is left in lists" same "$(count contact 'code~ctc-x')" 2
exits 0 "they are brought back as one" undelete ctc-x3
check "as is said" tells "3 records"
check "one" same "$(count contact 'code~ctc-x')" 3
entente --json show ctc-x1
check "with the values of all" prints '"phone": "+257 79 123 456"'
exits 0 "it is deleted again" delete ctc-x1
exits 0 "undo is of all" undo
check "and brings back one" same "$(count contact 'code~ctc-x')" 3
exits 0 "one that went before" delete ctc-x2
entente delete ctc-x1
exits 0 "does not come back with the others" undelete ctc-x1
check "they went together" tells "2 records"
entente --json show ctc-x2 --apart
check "it did not" prints '"live": false'
entente undelete ctc-x2
exits 0 "it leaves" unmerge ctc-x2
exits 0 "all of it is in the log" rebuild
check "and comes out of it" same "$(count contact 'code~ctc-x')" 4
exits 0 "the replica is sound" verify --deep

# -------------------------------------------------------------- three nodes

# known NAME: its key is kept for meet.
known() {
    as "$1" whoami --json
    sed -n 's/.*"key": *"\([0-9a-f]*\)".*/\1/p' "$work/out" >"$work/$1.key"
}

# met A B: they have met; another test may have had the port.
met() {
    for try in 1 2 3; do
        meet "$1" "$2"
        prints done && return
    done
    say_not_ok "$1 and $2 meet"
}

# all_meet: until everybody has everything.
all_meet() {
    met b a
    met c a
    met b a
}

# alike SENTENCE KIND COLUMNS: all nodes list the same.
alike() {
    check "$1" same "$(listed a "$2" "$3")" "$(listed b "$2" "$3")"
    check "on every node" same "$(listed a "$2" "$3")" "$(listed c "$2" "$3")"
    check "with one digest" same "$(node=$work/b digest global)" \
        "$(node=$work/c digest global)"
}

known a
for name in b c; do
    as $name init --org "Org $name" --country BDI
    known $name
    as a invite global --role editor --endpoint tcp://127.0.0.1:9
    as $name join --offline "$(cat "$work/out")"
    as a member admit global "$(cat "$work/out")"
    met $name a
done

# Each merges something else while nobody hears of the others: a circle, and
# what the one joins with is what another joins with a third.
for i in 1 2 3 4 5 6; do
    as a add contact code=ctc-y$i "display_name=Person $i"
done
all_meet
as a merge ctc-y1 ctc-y2
as b merge ctc-y2 ctc-y3
as c merge ctc-y3 ctc-y1
as a merge ctc-y4 ctc-y5
as b merge ctc-y4 ctc-y6
as c merge ctc-y5 ctc-y4
as c merge ctc-y6 ctc-y3
all_meet
alike "merges made apart end the same" contact code,display_name
node=$work/b
check "in one" same "$(count contact 'code~ctc-y')" 1
exits 0 "nothing has to be settled" conflicts --check
exits 0 "one goes" unmerge ctc-y5
check "by itself" same "$(count contact 'code~ctc-y')" 2
exits 0 "another joins it" merge ctc-y3 ctc-y5
check "and all are one again" same "$(count contact 'code~ctc-y')" 1
exits 0 "it goes again" unmerge ctc-y5
node=$work/c
exits 0 "while somebody, apart, merges it anew" merge ctc-y5 ctc-x5
all_meet
alike "both of it counts" contact code,display_name
check "the one that was left" same "$(count contact code=ctc-y1)" 1
check "is not shown as the other" same "$(count contact code=ctc-y5)" 0
exits 0 "what it was merged with" --json show ctc-y5
check "is" prints '"code": "ctc-x5"'

# One node deletes what is shown as one, while another merges a third with it,
# and a third node changes what is shown.
for i in 1 2 3; do
    as a add contact code=ctc-z$i "display_name=Person z$i"
done
all_meet
as a merge ctc-z1 ctc-z2
all_meet
as a delete ctc-z1
as b merge ctc-z3 ctc-z2
as c set ctc-z2 title=Head
all_meet
alike "what the deletion did not see is not hidden by it" \
    contact code,display_name
node=$work/c
check "it is shown" same "$(count contact 'code~ctc-z')" 1
exits 6 "and what was changed meanwhile has to be looked at" conflicts --check
check "by its name" prints "ctc-z1"
exits 0 "it is all deleted by who has seen all" delete ctc-z1
all_meet
alike "then it is" contact code,display_name
for name in a b c; do
    node=$work/$name
    check "on $name" same "$(count contact 'code~ctc-z')" 0
    exits 0 "with nothing open" conflicts --check
done
as c undelete ctc-z3
all_meet
as a delete ctc-z1
as b delete ctc-z1
all_meet
alike "deleted twice is deleted" contact code,display_name
node=$work/c
exits 0 "and brought back once" undelete ctc-z3
all_meet
alike "everywhere" contact code,display_name
check "in one" same "$(count contact 'code~ctc-z')" 1
as a delete ctc-z1
all_meet

# Two trainers enter the same training of July while they are cut off.
as a add training code=evt-july-a kind=in_country iso3=BDI \
    title_fr="Formation de juillet" start_on=2018-09 participants=24 \
    lead_org_id=org-bdi-ingo01 status=delivered
as a add training_report code=rep-a training_id=evt-july-a \
    submitted_on=2018-10-01
as b add training code=evt-july-b kind=in_country iso3=BDI \
    title_fr="Superviseurs de Rumonge" start_on=2018-09-17 participants=26 \
    status=delivered adm1_pcode=BDI018
as b add training_report code=rep-b training_id=evt-july-b \
    submitted_on=2018-10-03
all_meet
node=$work/c
exits 0 "two entries of one training are proposed" duplicates training \
    --format csv
check "by country, type and month" \
    same "$(grep -c 'evt-july-a.*evt-july-b.*event' "$work/out")" 1
exits 0 "one merge" merge evt-july-b evt-july-a
all_meet
alike "shows one training everywhere" training code,title_fr,adm1_pcode
node=$work/a
check "once" same "$(count training 'code~evt-july')" 1
entente --json show evt-july-b
check "with what only the one says" prints '"adm1_pcode": "BDI018"'
entente list training 'code~evt-july' --columns code --format csv
shown=$(sed -n 2p "$work/out" | cut -d, -f4)
check "both reports are attached to it" \
    same "$(count training_report training_id="$shown")" 2
entente --json show rep-a
check "whichever it was given with" prints "\"training_id\": \"$shown\""
entente agenda --on 2018-12-01 --format csv
check "so no report is missing" same "$(grep -c evt-july "$work/out")" 0
check "nothing was written to either" same \
    "$(entente --json show evt-july-a --apart; grep -c 24 "$work/out")" 1
exits 0 "it can be taken back" unmerge evt-july-a
check "and both are there" same "$(count training 'code~evt-july')" 2

# One spreadsheet imported on two nodes is one set of records.
printf 'code,display_name,email\nctc-sheet-1,One,one@example.org\n' \
    >"$work/sheet.csv"
printf 'ctc-sheet-2,Two,two@example.org\n' >>"$work/sheet.csv"
as b import contact "$work/sheet.csv" --space global
as c import contact "$work/sheet.csv" --space global
all_meet
alike "one spreadsheet imported twice is there once" contact code,display_name
node=$work/a
check "row by row" same "$(count contact 'code~ctc-sheet')" 2
entente duplicates contact --format csv
check "and nothing is proposed" same "$(grep -c ctc-sheet "$work/out")" 0
exits 0 "nor has to be settled" conflicts --check

# Of a kind that belongs to its author each import makes its own.
printf 'code,subject,body\nnote-s1,ctc-sheet-1,Rappeler vendredi\n' \
    >"$work/notes.csv"
as b import note "$work/notes.csv" --space global
as c import note "$work/notes.csv" --space global
all_meet
node=$work/a
check "notes imported twice are two" same "$(count note code=note-s1)" 2
exits 0 "and are proposed" duplicates note --format csv
check "by their code" \
    same "$(grep -c 'note-s1.*note-s1.*code' "$work/out")" 1
first=$(sed -n 2p "$work/out" | cut -d, -f5)
second=$(sed -n 2p "$work/out" | cut -d, -f8)
exits 4 "who wrote neither cannot merge them" merge "$first" "$second"
node=$work/b
exits 0 "who wrote one of them can" merge "$first" "$second"
all_meet
alike "and all see one" note code,body
node=$work/a
check "once" same "$(count note code=note-s1)" 1
exits 4 "nor can they take it apart" unmerge note-s1
for name in b c; do
    node=$work/$name
    for id in "$first" "$second"; do
        entente set "$id" "body=by $name" && echo "$name" >>"$work/wrote"
    done
done
check "each author changes what is theirs" \
    same "$(sort -u "$work/wrote" | tr '\n' ' ')" "b c "

for name in a b c; do
    node=$work/$name
    exits 0 "$name is sound" verify --deep
done
finish
