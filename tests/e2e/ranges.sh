#!/bin/sh
# ranges.sh - figures that two offices gave differently: no report, and no
# total, silently takes a side.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/meet.sh"

on=2019-03-01

row() {
    grep -qxF -e "$1" "$work/out"
}

csv() {
    name=$1
    shift
    exits 0 "the report $name" report "$name" --format csv "$@"
}

begins() {
    grep -q -e "^$1" "$work/out"
}

# apart ID FIELD ONE OTHER: the two nodes give it different values.
apart() {
    as a set "$1" "$2=$3"
    as b set "$1" "$2=$4"
    node=$work/a
}

for name in a b; do
    as $name init --org "Org $name" --country BDI
    as $name whoami --json
    sed -n 's/.*"key": *"\([0-9a-f]*\)".*/\1/p' "$work/out" >"$work/$name.key"
done
as a space create s
as a import --package "$demo" --space s
as a invite s --role editor --endpoint tcp://127.0.0.1:9
as b join --offline "$(cat "$work/out")"
request=$(cat "$work/out")
as a member admit s "$request"
meet b a
node=$work/a
csv plans --country BDI --on $on
check "without a conflict there is one figure" \
    row "BDI,pln-bdi,in_progress,7,4,0,3,0,USD,20200,16750,83"
csv challenges
check "of challenges, too" row "budget,7,5,59"
apart act-bdi-3 budget 9900 10000.5
apart act-bdi-4 spent 1100 1600
apart ses-back-demo1 person_days 10.5 12.5
apart pln-ner/budget rank 2 5
apart evt-tot-bdi/trn-bdi-01/participant post_test_pct 61 85
apart svy-tot-2018/q1_country/MMR value 6 8
apart evt-bdi-1 participants 24 28
apart evt-bdi-1 orgs_represented 9 12
as a set evt-bdi-2 participants=
as b set evt-bdi-2 participants=20
as a set evt-ner-1 title_fr=Formation
as b set evt-ner-1 title_fr=Atelier
apart act-bdi-5 due_on 2018-11-27 2019-04
apart act-ner-4 due_on 2018-10 2018-11-30
apart trn-bdi-02 certified_on 2018-10-02 2018-10
as a add survey code=svy-tot-2018 title_fr=Enquête
meet b a
node=$work/a

csv plans --on $on
check "what is late, what is planned, what is spent and the share of it" row \
    "BDI,pln-bdi,in_progress,7,4,0-1,2-3,0,USD,20300-20400.5,14250-14750,70-73"
check "the totals of them" row \
    "TOTAL,,,60,35,0-1,23-24,1,USD,175190-175290.5,135155-135655,77"
csv overdue --on $on
check "what may be late, with both days" begins \
    "BDI,act-bdi-5,[^,]*,2018-11-27/2019-04,"
check "and what is late by both" begins \
    "NER,act-ner-4,[^,]*,2018-10/2018-11-30,"
csv overdue --on 2018-11-27
check "but not before the first of them" lacks act-bdi-5
csv trainer-roster --country BDI
check "when somebody was certified" prints ",certified,2018-10/2018-10-02,"
csv follow-up
check "person-days" row "NER,2,3,0,6,67,28.5-30.5"
check "and their total" row "TOTAL,19,24,4,53,55,28.5-30.5"
csv challenges
check "ranks, and the points they give" row "budget,7,4-5,55-58"
csv knowledge-gain
check "means of tests, and the gain" row "BDI,8,55.5,78.1-81.1,22.6-25.6"
csv held-reported --country BDI
check "participants, an empty side aside, and organisations" \
    row "BDI,2,1,evt-bdi-2,44-48,9-12"
csv 4w --country BDI
check "a single budget shows both sides" \
    grep -q "Supervisor trainings.*,9900-10000.5,USD," "$work/out"
check "and so does a day" prints ",2018-11-27/2019-04,"
exits 0 "tallies added up" survey results svy-tot-2018 --format csv
check "are a range, too" grep -q ",MMR,6-8,1$" "$work/out"

exits 0 "programs read figures" --json report follow-up
check "and a text where there are two" prints '"person_days": "28.5-30.5"'
exits 0 "people in English" report follow-up
check "read them as they are" prints "28.5-30.5"
exits 0 "in French" --lang fr report plans --on $on
check "with comma and dash" prints "20300–20400,5"
exits 0 "tallies, too" --lang fr survey results svy-tot-2018
check "in the same way" prints "6–8"
exits 0 "in French, other figures" --lang fr list support_session \
    code=ses-back-demo1
check "with their comma" sh -c "grep -q '12,5\|10,5' '$work/out'"
exits 0 "what is contested" --lang fr conflicts
check "too" prints "10000,5"
exits 0 "what one record has" --lang fr show act-bdi-3
check "too" prints "10000,5"
exits 0 "but not for programs" --lang fr --format csv conflicts
check "who read a point" prints ",10000.5,"

exits 0 "a training was entered twice" add training code=evt-bdi-3 \
    kind=in_country status=delivered iso3=BDI start_on=2018-06
exits 0 "and is merged" merge evt-bdi-1 evt-bdi-3
csv held-reported --country BDI
check "it counts once, with both sides" row "BDI,2,1,evt-bdi-2,44-48,9-12"
exits 0 "a decision" resolve act-bdi-3 budget --value 10000.5
exits 0 "ends the range" report plans --country BDI --on $on --format csv
check "there, not elsewhere" row \
    "BDI,pln-bdi,in_progress,7,4,0-1,2-3,0,USD,20400.5,14250-14750,70-72"
exits 2 "a report of its own names a field there is" \
    sql "SELECT ent_low('activity.bugdet', space, id, 1) FROM activities"
check "or is told" tells "no such field"
finish
