#!/bin/sh
# archive.sh - records that were put away, and come back as soon as somebody
# changes them; on two nodes that meet.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/meet.sh"

# archived NODE ID: what `show` says of it.
archived() {
    "$build/cli/entente" --home "$work/$1" show "$2" --json |
        sed -n 's/.*"archived": \([a-z]*\).*/\1/p'
}

for name in a b; do
    as $name init --org "Org $name" --country BDI
    as $name whoami --json
    sed -n 's/.*"key": *"\([0-9a-f]*\)".*/\1/p' "$work/out" >"$work/$name.key"
done
as a space create s
as a invite s --role editor --endpoint tcp://127.0.0.1:9
as b join --offline "$(cat "$work/out")"
request=$(cat "$work/out")
as a member admit s "$request"
as a add plan code=pln-1 title_fr=Plan status=in_progress
for i in 1 2 3 4; do
    as a add activity code=act-$i title_fr="Suivi" plan_id=pln-1 iso3=BDI \
        due_on=2019-0$i-01 status=planned budget=$i
done
as a add contact code=ctc-1 display_name="Ann Ndayizeye" email=ann@example.org
as a add contact code=ctc-2 display_name="Ann Ndayizeye" email=ann@example.org
meet b a
node=$work/a

# --------------------------------------------------------------- put away

exits 0 "two namesakes are proposed" duplicates --format csv
check "as duplicates" prints ctc-2
exits 0 "a dry run says how many" --dry-run archive act-1 act-2
check "it would put away" tells "would archive 2 records"
check "and puts none away" same "$(count activity)" 4
exits 0 "several are put away at once" archive act-1 ctc-2
check "show says so" same "$(archived a act-1)" true
check "and of no other" same "$(archived a act-2)" false
exits 0 "people are told" show act-1
check "since when, and by whom" grep -q "^archived.*Org a" "$work/out"
exits 0 "the history has it" log act-1 --format csv
check "as a time" grep -q "archived,written,20..-" "$work/out"
check "it is listed no more" same "$(count activity)" 3
exits 0 "in a listing" list activity
check "this is said" tells "1 archived record is left out"
exits 0 "but asked for" list activity --archived --format csv
check "alone" same "$(sed 1d "$work/out" | wc -l)" 1
check "it is" prints act-1
check "filters mind it" same "$(count activity budget=1)" 0
exits 0 "it can be found" find suivi
check "by its words" prints act-1
exits 0 "and stands" export activity --space s
check "in what is exported" prints act-1
exits 0 "the agenda" agenda --on 2019-05-01 --format csv
check "leaves it out" lacks act-1
check "and it alone" prints act-2
exits 0 "so do flags" flags --on 2019-05-01 --format csv
check "of that kind" lacks act-1
exits 0 "and what is overdue" report overdue --on 2019-05-01 --format csv
check "in its report" lacks act-1
exits 0 "but figures" report plans --on 2019-05-01 --format csv
check "are what they were" grep -q ",4,0,.*,10,," "$work/out"
exits 0 "a namesake that is put away" duplicates --format csv
check "is no duplicate" lacks ctc-2
exits 0 "again is no error" archive act-1
check "but said" tells "archived already"
exits 0 "nor is bringing back what is here" unarchive act-2
check "said, too" tells "not archived"

# ------------------------------------------------------------- brought back

exits 0 "it is brought back" unarchive act-1
check "as it was" same "$(archived a act-1)" false
check "and listed" same "$(count activity)" 4
exits 0 "which is taken back" undo
check "with the day it was put away, as log tells it" grep -q \
    "Archived .*written back  *20[0-9][0-9]-[01][0-9]-" "$work/out"
check "and it is away again" same "$(archived a act-1)" true
exits 0 "whoever changes it" set act-1 status=in_progress
check "brings it back" same "$(archived a act-1)" false
exits 0 "it is put away anew" archive act-1
check "though it was before" same "$(archived a act-1)" true
exits 0 "which is taken back" undo
check "and it is there" same "$(archived a act-1)" false
exits 0 "away with it" archive act-1
exits 0 "deleted" delete act-1
exits 0 "what is deleted" list activity --archived --format csv
check "is not archived" same "$(wc -l <"$work/out")" 1
exits 0 "and brought back" undelete act-1
check "it is there" same "$(archived a act-1)" false
exits 3 "what nobody has is not found" archive act-9
exits 5 "nobody sets that by hand" add activity archived=1

# -------------------------------------------------------------------- apart

meet b a
as a archive act-2 act-3 act-4
as b set act-2 title_fr="Suivi de terrain"
as b archive act-3
meet b a
for name in a b; do
    check "$name shows what was changed meanwhile" \
        same "$(archived $name act-2)" false
    check "$name hides what both put away" same "$(archived $name act-3)" true
    check "$name hides what one put away" same "$(archived $name act-4)" true
done
check "both hold the same" same "$(node=$work/a digest s)" \
    "$(node=$work/b digest s)"
node=$work/b
exits 0 "nothing of it is a conflict" conflicts --check
exits 0 "the other brings it back" set act-4 status=done
meet b a
check "for both" same "$(archived a act-4)" false
node=$work/a
exits 0 "after a rebuild" rebuild
check "all is as it was" same "$(archived a act-3) $(archived a act-4)" \
    "true false"

# ---------------------------------------------------------- merged, foreign

exits 0 "the namesake is back" unarchive ctc-2
entente merge ctc-2 ctc-1
exits 0 "of merged records" archive ctc-2
check "the one that leads is put away" same "$(count contact)" 0
exits 0 "changed by either name" set ctc-1 title=Coordinatrice
check "they are back" same "$(count contact)" 1
as b add expense code=exp-1 activity_id=act-2 amount=3
meet b a
node=$work/a
exits 4 "what belongs to another is not put away" archive exp-1
finish
