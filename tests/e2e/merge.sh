#!/bin/sh
# merge.sh - what working groups do apart and bring together later, on real
# nodes: two offices of one country and headquarters.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/meet.sh"

# all_meet: until each has what the others have.
all_meet() {
    meet north hq
    meet south hq
    meet north hq
}

# equal SENTENCE: all three hold the same.
equal() {
    first=$(node=$work/hq digest bdi)
    check "$1" same "$(node=$work/north digest bdi) $(node=$work/south \
        digest bdi)" "$first $first"
}

# value NODE ID FIELD: one value as JSON.
value() {
    "$build/cli/entente" --home "$work/$1" show "$2" --json |
        sed -n "s/.*\"fields\": {.*\"$3\": \\(\"[^\"]*\"\\|[^,}]*\\).*/\\1/p"
}

for name in hq north south; do
    as $name init --org "Org $name" --country BDI
    as $name whoami --json
    sed -n 's/.*"key": *"\([0-9a-f]*\)".*/\1/p' "$work/out" >"$work/$name.key"
done
as hq space create bdi --title-en Burundi
for name in north south; do
    as hq invite bdi --endpoint tcp://127.0.0.1:9
    as $name join --offline "$(cat "$work/out")"
    request=$(cat "$work/out")
    as hq member admit bdi "$request"
done
as hq add group code=grp-1 name_fr=Nord
as hq add group code=grp-2 name_fr=Sud
as hq add contact code=ctc-1 display_name=Ann
as hq add contact code=ctc-2 display_name=Ben
as hq add plan code=pln-1 title_fr="Plan" status=in_progress
as hq add activity code=act-1 title_fr="Suivi" plan_id=pln-1 \
    responsible_id=ctc-1 due_on=2019-02-09 status=planned
as hq add training code=evt-1 title_fr="Formation de juillet"
as hq add request code=req-1 title_fr="Appui" status=tor_drafting
as hq add trainer code=trn-1 contact_id=ctc-1
all_meet

# ------------------- headquarters closes a plan, the country adds an expense

node=$work/hq
exits 0 "headquarters closes a plan" set pln-1 status=completed
node=$work/north
exits 0 "an expense is added meanwhile" add expense code=exp-1 \
    activity_id=act-1 amount=125.50 currency=USD spent_on=2019-02-01
all_meet
equal "all hold the same afterwards"
for name in hq north south; do
    check "the plan is closed on $name" same "$(value $name pln-1 status)" \
        '"completed"'
    check "and the expense stays there" same "$(value $name exp-1 amount)" \
        125.5
done
node=$work/hq
exits 0 "nothing of it is a conflict" conflicts --check
exits 4 "and nobody else changes the figure" set exp-1 amount=1

# --------- who leaves and the back-up both move a date; two offices reassign

node=$work/north
exits 0 "who leaves moves the date" set act-1 due_on=2019-03-01 \
    responsible_id=ctc-2
node=$work/south
exits 0 "so does the back-up" set act-1 due_on=2019-03-15 responsible_id=ctc-1
exits 0 "who reassigns what was so already has changed nothing there" \
    log act-1 --format csv
all_meet
equal "all hold the same"
for name in hq north south; do
    node=$work/$name
    exits 6 "$name lists a conflict" conflicts --check --json
    check "with the one date" prints "2019-03-01"
    check "and the other" prints "2019-03-15"
    check "of both offices" prints '"org": "Org south"'
    check "and of this one" prints '"org": "Org north"'
done
node=$work/south
exits 6 "a plain change waits for a decision" set act-1 due_on=2019-04-01
exits 0 "which anybody can take" resolve act-1 due_on --value 2019-03-10
node=$work/north
entente set act-1 responsible_id=ctc-2
as south set act-1 responsible_id=
as south set act-1 responsible_id=ctc-1
as north set act-1 responsible_id=
as north set act-1 responsible_id=ctc-2
all_meet
for name in hq north south; do
    check "$name has the date that was decided" \
        same "$(value $name act-1 due_on)" '"2019-03-10"'
    node=$work/$name
    exits 6 "$name lists who should do it" conflicts --check --json
    check "the one" prints '"value": "ctc-1"'
    check "and the other" prints '"value": "ctc-2"'
done
exits 0 "the history tells who wanted what" log act-1 --format csv
check "the north" grep -q "Org north,responsible_id,written,ctc-2" "$work/out"
check "and the south" grep -q "Org south,responsible_id,written,ctc-1" \
    "$work/out"
node=$work/hq
exits 0 "headquarters takes the one shown" resolve act-1 responsible_id --take 1
all_meet
equal "all hold the same then"
exits 0 "and nothing is open" conflicts --check

# ----------------- 24 participants by the one co-trainer, 26 by the other

as north set evt-1 participants=24
as south set evt-1 participants=26
all_meet
node=$work/hq
exits 6 "two figures stand beside each other" conflicts --check --json
check "the one" prints '"value": 24'
check "and the other" prints '"value": 26'
exits 0 "both are shown" show evt-1
check "marked" same "$(grep -c conflict "$work/out")" 2
as hq set evt-1 kind=in_country status=delivered iso3=BDI start_on=2018-07-02
as hq add training code=evt-2 title_fr="Formation" kind=in_country \
    status=delivered iso3=BDI start_on=2018-08-01 participants=20
exits 0 "a report on them" report held-reported --on 2019-03-01 --format csv
check "adds up both" grep -q "^BDI,2,0,.*,44-46,0$" "$work/out"
check "so does its total" grep -q "^TOTAL,2,0,,44-46,0$" "$work/out"
exits 0 "programs read a text there" --json report held-reported
check "and figures elsewhere" prints '"participants": "44-46", "organisations": 0'
exits 0 "in French" --lang fr report held-reported
check "a range is written with its dash" prints "44–46"
as north set evt-1 modules+=M1
as south set evt-1 modules+=M2
all_meet
check "what each adds to a set is in it" grep -q '"modules": \["M[12]", "M[12]"\]' \
    "$(node=$work/hq entente show evt-1 --json; echo "$work/out")"
as hq resolve evt-1 participants --take 1
all_meet
equal "once it is decided all hold the same"

# ------------------------------------- two groups made each other's parent

as north set grp-1 parent_id=grp-2
as south set grp-2 parent_id=grp-1
all_meet
for name in hq north south; do
    node=$work/$name
    entente check
    check "$name sees the circle" prints circle
    exits 0 "$name can still show the groups" list group
done
as hq set grp-1 parent_id=
all_meet
entente check
check "once it is opened no circle is left" lacks circle

# --------------------------------- three approvals come in any order

as north add approval code=apr-1 subject=req-1 role=focal_point
as south add approval code=apr-2 subject=req-1 role=secretariat
as hq add approval code=apr-3 subject=req-1 role=donor
meet south north
meet hq south
meet north hq
meet south hq
for name in hq north south; do
    node=$work/$name
    check "$name has all approvals" same "$(count approval)" 3
done
equal "whichever way they came"

# ------------------- what a program writes leaves the rest of a record alone

as north set ctc-1 review_by=2020-01-01
as south set ctc-1 display_name="Ann N." email=ann@example.org
all_meet
for name in hq north south; do
    check "$name has what the program wrote" \
        same "$(value $name ctc-1 review_by)" '"2020-01-01"'
    check "and what the person did" \
        same "$(value $name ctc-1 display_name)" '"Ann N."'
done
exits 0 "which is no conflict" conflicts --check

# ------------------------------ the same progress saved on two devices

as north set trn-1 "precourse_modules_done+=evaluation|part1"
as south set trn-1 "precourse_modules_done+=part1|part2"
all_meet
for name in hq north south; do
    node=$work/$name
    exits 0 "$name shows what was done" show trn-1 --json
    check "on either device" sh -c "for part in evaluation part1 part2; do
        grep -q '\"precourse_modules_done\": \[[^]]*\"'\$part '$work/out' ||
            exit 1; done"
done
equal "and all hold the same"

# ---------------------------- sharing narrowed here and widened there

as north set ctc-2 sharing=group
sleep 1
as south set ctc-2 sharing=public
all_meet
for name in hq north south; do
    check "$name has the narrower in force" \
        same "$(value $name ctc-2 sharing)" '"group"'
    node=$work/$name
    entente list contact code=ctc-2 --columns sharing --format csv
    check "in its table, too" prints ",group"
    exits 6 "and lists both" conflicts --check
done
node=$work/hq
exits 0 "who decides may widen it" resolve ctc-2 sharing --value network
all_meet

# ------------------------------------------- a clock that is a year ahead

node=$work/north
clock=$((365 * 24 * 60 * 60))
exits 0 "a clock a year ahead writes" set ctc-2 display_name="From the future"
clock=
as south set ctc-2 display_name="From today"
all_meet
node=$work/hq
exits 6 "both values are listed" conflicts --check --json
check "the one whose claim is odd is marked" prints '"odd": true'
check "and only it" same "$(grep -o '"odd": true' "$work/out" | wc -l)" 1
exits 0 "who decides replaces it for good" resolve ctc-2 display_name \
    --value "From today"
all_meet
as south set ctc-2 display_name="From tomorrow"
all_meet
for name in hq north south; do
    check "$name has what was written last" \
        same "$(value $name ctc-2 display_name)" '"From tomorrow"'
done
exits 0 "the future does not win for ever" conflicts --check
equal "all hold the same in the end"
node=$work/south
clock=-1900000000
exits 0 "a clock before 1970 writes, too" set ctc-2 display_name="From 1966"
clock=
all_meet
node=$work/hq
exits 0 "what it claims is shown" log ctc-2
check "with a mark" sh -c "grep -Eq '^19[0-9-]+ [0-9:]+ \\(\\?\\)' '$work/out'"
exits 0 "also to programs" --json log ctc-2
check "whole" sh -c "grep -Eq '\"claimed\": \"19[0-9]{2}-' '$work/out'"
for name in hq north south; do
    node=$work/$name
    exits 0 "$name is sound" verify --deep
done
finish
