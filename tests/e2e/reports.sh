#!/bin/sh
# reports.sh - what headquarters asks for, from the demonstration data, whose
# figures are known; what is changed, contested or kept from being recognised;
# tables, terminals and pictures.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/meet.sh"

on=2019-03-01

# row CELLS: that line of CSV was printed, whole.
row() {
    grep -qxF -e "$1" "$work/out"
}

# begins CELLS: a line of CSV begins so.
begins() {
    grep -q -e "^$1" "$work/out"
}

lines() {
    same "$(wc -l <"$work/out")" "$1"
}

csv() {
    name=$1
    shift
    exits 0 "the report $name" report "$name" --format csv "$@"
}

# on_terminal ARGS...: what the program shows on one of 130 columns.
on_terminal() {
    /usr/bin/python3 - "$build/cli/entente" --home "$node" "$@" \
        >"$work/out" 2>"$work/err" <<'PYTHON'
import fcntl, os, pty, struct, subprocess, sys, termios
ours, theirs = pty.openpty()
fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 130, 0, 0))
done = subprocess.Popen(sys.argv[1:], stdout=theirs)
os.close(theirs)
shown = b""
try:
    while chunk := os.read(ours, 65536):
        shown += chunk
except OSError:
    pass
sys.stdout.buffer.write(shown.replace(b"\r\n", b"\n"))
sys.exit(done.wait())
PYTHON
}

# picture LANG: what was printed is SVG that is well formed, says its title,
# description and language, and holds nothing that runs or is fetched.
picture() {
    /usr/bin/python3 - "$1" "$work/out" <<'PYTHON'
import sys
import xml.etree.ElementTree as tree
svg = "{http://www.w3.org/2000/svg}"
root = tree.parse(sys.argv[2]).getroot()
assert root.tag == svg + "svg", root.tag
assert root.get("lang") == sys.argv[1], root.attrib
assert root.get("role") == "img"
named = [root.find("*[@id='%s']" % name)
         for name in root.get("aria-labelledby").split()]
assert [part.tag for part in named] == [svg + "title", svg + "desc"]
assert all(part.text.strip() for part in named)
allowed = {svg + name for name in ("svg", "title", "desc", "rect", "text")}
for part in root.iter():
    assert part.tag in allowed, part.tag
    for name, value in part.attrib.items():
        assert not name.startswith("on") and "href" not in name, name
        assert "url(" not in value and "javascript" not in value, value
    if part.tag == svg + "rect" and part.get("x"):
        assert int(part.get("width")) > 0
        assert int(part.get("x")) + int(part.get("width")) <= 800
PYTHON
}

# ------------------------------------------------------------- known figures

for name in a b; do
    as $name init --org "Org $name" --country BDI
    as $name whoami --json
    sed -n 's/.*"key": *"\([0-9a-f]*\)".*/\1/p' "$work/out" >"$work/$name.key"
done
node=$work/a
entente space create s
exits 0 "without any record the reports run" report cascade --format csv
check "and add up to nothing" row "TOTAL,0,0,0,0,0"
entente import --package "$demo" --space s

csv cascade --on $on
check "of 60 people 48 reported, 2 were late, 10 did not deliver, 8 left" \
    row "TOTAL,60,48,2,10,8"
check "5 of the 10 in SYR" begins "SYR,[0-9]*,[0-9]*,[0-9]*,5,"
csv held-reported --on $on
check "Burundi held two trainings and reported one" begins "BDI,2,1,evt-bdi-2,"
check "144 organisations came" sh -c "grep -q '^TOTAL,.*,144\$' '$work/out'"
csv precourse
check "TOT-BDI: 16 did all" row "TOT-BDI,16,100,100,100"
check "TOT-UGA: 100, 89, 79 %" row "TOT-UGA,19,100,89,79"
check "TOT-JOR: 97, 80, 57 %" row "TOT-JOR,30,97,80,57"
csv knowledge-gain --on $on
check "Burundi and Nigeria gained most" same \
    "$(sed -n '2,3s/,.*//p' "$work/out" | tr '\n' ' ')" "BDI NGA "
check "of all 60" begins "TOTAL,60,"
csv plans --on $on
check "a plan's activities, money and share" \
    row "BDI,pln-bdi,in_progress,7,4,0,3,0,USD,20200,16750,83"
check "a total for each currency" same "$(grep -c ^TOTAL "$work/out")" 2
check "that of the first" \
    row "TOTAL,,,60,35,0,24,1,USD,175090,137655,79"
csv overdue --on $on
check "24 activities are overdue" lines 25
check "one whose responsible has left, with the back-up" begins \
    "SYR,act-syr-4,.*,2018-08-25,blocked,ctc-pf-syr-01,.*,2018-11-30,ctc-pf-syr-02,"
csv challenges
check "time is the first of the challenges" \
    same "$(sed -n 2p "$work/out")" "time,8,6,69"
csv cover --on $on
check "two groups have lost their focal point" lines 3
check "one is in SYR" row "SYR,grp-syr-pe,Child protection working group SYR,0,1,1"
csv cover --on 2018-11-30
check "who leaves on a day is there on that day" begins \
    "SYR,grp-syr-pe,.*,1,1,1"
csv follow-up --on $on
check "19 of 24 calls were held" begins "TOTAL,19,24,4,53,"
check "Niger's with the share of remote sessions" row "NER,2,3,0,6,67,30"
csv follow-up --on 2017-12-07
check "where nobody is trained yet no call is expected" begins "TOTAL,0,9,"
csv requests --on $on
check "8 applications were selected" row "country_application,selected,8,,"
check "and 7 were not" row "country_application,not_selected,7,,"
check "months are read as their first day" \
    row "technical_assistance,closed,1,59,122"
csv lessons
check "34 lessons" row "TOTAL,34,34,0,0,0,0,0,0"
csv trainer-roster --country BDI
check "with trainers of one country" lines 9
check "and their languages" begins "trn-bdi-03,.*,fr|rn|en,"
csv 4w --on $on --hxl
check "one row for each activity, below heading and tags" lines 65
check "with the agreed tags" begins "#org+impl+name,#org+lead+name,"
csv documents
check "without documents nothing is listed" lines 1
exits 0 "all are listed" report --json
check "also those that are no SQL" prints '"name": "freshness"'

# ------------------------------------------------------------- what is asked

csv cascade --country bdi
check "a country in small letters" lines 3
csv plans --group grp-bdi-pe --on $on
check "what is below a group belongs to it" begins "BDI,pln-bdi,"
check "and nothing else" same "$(grep -c pln- "$work/out")" 1
csv challenges --group grp-bdi-pe
check "so do its challenges" begins "budget,1,"
csv cascade --group grp-cpaor
check "so do the people of the countries below it" row "TOTAL,60,48,2,10,8"
csv held-reported --group grp-cpaor --on $on
check "their trainings" begins "BDI,2,1,evt-bdi-2,"
check "those of the groups below alone" sh -c "! grep -q TJK '$work/out'"
csv precourse --group grp-cpaor
check "their pre-course" row "TOT-JOR,30,97,80,57"
csv knowledge-gain --group grp-cpaor --on $on
check "their tests" begins "TOTAL,60,"
csv trainer-roster --group grp-cpaor
check "their pool" lines 66
csv follow-up --group grp-cpaor --on $on
check "their calls" begins "TOTAL,19,24,4,"
csv requests --group grp-cpaor --on $on
check "their requests" row "country_application,selected,8,,"
csv requests --group grp-bdi-pe --on $on
check "not what is of others" row "country_application,selected,1,,"
csv cascade --group grp-bdi-equipe
check "below a group of one country there is only that" lines 3
csv overdue --on 2018-07-19
check "on its last day nothing is late" lines 1
csv overdue --on 2018-07-20
check "but the day after" lines 2
entente set act-ner-3 due_on=2018-07
csv overdue --on 2018-07-31
check "what is due in a month is not late in it" \
    sh -c "! grep -q act-ner-3 '$work/out'"
csv overdue --on 2018-08
check "but after it; a month means its last day" begins "NER,act-ner-3,"
entente set act-ner-3 due_on=2018-07-19
exits 5 "a country of two letters is refused" report cascade --country BD
check "with one there is" tells '--country: "BD" is no country; did you mean'
csv cascade --country bdi
cp "$work/out" "$work/by-code"
csv cascade --country Burundi
check "a country may be said by its name" cmp -s "$work/out" "$work/by-code"
exits 2 "a report without countries refuses one" report lessons --country BDI
exits 2 "so does one that is no SQL" report freshness --group grp-bdi-pe
exits 3 "a group nobody has is not found" report plans --group grp-none
exits 5 "a broken date is refused" report plans --on 2019-02-30
exits 3 "a report nobody has is not found" report plan
exits 2 "tags are for tables of programs" report 4w --hxl
exits 2 "a report without tags has none" report plans --hxl --format csv
exits 0 "people read terms" --lang fr report plans --on $on
check "in their language" prints "En cours"
check "and no code" sh -c "! grep -q in_progress '$work/out'"
exits 0 "in JSON figures are numbers" --json report cascade --country BDI
check "and text is text" prints '"iso3": "BDI", "trained": 8'

# ----------------------------------------------------- expenses, votes, others

entente add expense code=exp-1 activity_id=act-bdi-1 amount=100.5 \
    currency=USD spent_on=2018-03-01
entente add expense code=exp-2 activity_id=act-bdi-1 amount=200 \
    spent_on=2018-04-01
entente add expense code=exp-3 activity_id=act-bdi-1 amount=1000 \
    currency=BIF spent_on=2018-04-01
csv plans --country BDI --on $on
check "expenses take the place of the figure of their activity" \
    row "BDI,pln-bdi,in_progress,7,4,0,3,0,USD,20200,16650.5,82"
check "money of another currency stands for itself" \
    row "BDI,pln-bdi,in_progress,0,0,0,0,0,BIF,,1000,"
csv plans --country BDI --on 2018-03-31
check "later expenses do not count" sh -c \
    "grep -q ',20200,16450.5,81\$' '$work/out'"
entente add ballot plan_id=pln-bdi rank_1=turnover rank_2=time
entente add ballot plan_id=pln-bdi rank_1=turnover rank_2=budget
csv challenges --country BDI
check "ballots take the place of an entered ranking" row "turnover,1,1,10"
check "and equal votes give equal ranks" row "budget,1,1,9"
check "nothing else is left of it" lines 4
entente add adoption lesson_id=les-08 org_id=org-bdi-ngo01 status=applied
entente add adoption lesson_id=les-09 org_id=org-bdi-ngo01 status=accepted
csv lessons
check "an organisation that took two lessons is one" \
    row "organisation,5,5,0,0,0,0,1,1"
entente add document code=doc-1 "title=Guide" kind=module language=en
entente add document code=doc-1-fr "title=Le guide" language=fr \
    translation_of=doc-1 translation_status=draft
entente add document code=doc-1-fr2 "title=Le guide" language=fr \
    translation_of=doc-1 translation_status=validated
entente add document code=doc-1-rn language=rn translation_of=doc-1 \
    translation_status=draft
entente add document code=doc-2 "title=Outils" language=fr
csv documents
check "the furthest translation counts" \
    row "doc-1,Guide,module,,en,,validated,original,rn: draft"
check "and a missing one is told" row "doc-2,Outils,,,fr,,original,missing,"
entente add contribution activity_id=act-bdi-3 units=12
entente add contribution activity_id=act-bdi-3 units=14
entente set act-bdi-3 adm1_pcodes="BDI017|BDI018" partners+=org-bdi-ngo02 \
    funder_org_ids+=org-irc
csv 4w --country BDI --on $on
check "an activity in two places has two rows" \
    same "$(grep -c 'Supervisor trainings' "$work/out")" 2
check "its units, added up, and its budget stand in one of them" \
    same "$(grep -c ',26,9800,USD,' "$work/out")" 1
entente add request code=req-own kind=backstopping status=draft iso3=BDI
csv requests --group grp-bdi-pe
check "what names no group is of those of its country" \
    row "backstopping,draft,1,,"
csv requests --group grp-ner-pe
check "and of no other" sh -c "! grep -q backstopping,draft '$work/out'"
entente set req-own group_id=grp-ner-pe
csv requests --group grp-bdi-pe
check "and what names one is of that" \
    sh -c "! grep -q backstopping,draft '$work/out'"
entente add training_report training_id=evt-bdi-2 submitted_on=2019-01-10
csv held-reported --country BDI --on $on
check "a report that came makes a training reported" begins "BDI,2,2,,"
csv held-reported --country BDI --on 2019-01-09
check "but not before it came" begins "BDI,2,1,evt-bdi-2,"

# ------------------------------------------ what trainers did, and until when

csv cascade --country BDI --on 2018-02-08
check "before the end of their training nobody is trained" \
    row "TOTAL,0,0,0,0,0"
csv cascade --country BDI --on 2018-05-31
check "before theirs were held nobody has delivered" row "BDI,8,0,0,8,0"
csv cascade --country BDI --on 2018-06-30
check "then they have, but not reported" row "BDI,8,0,0,0,0"
csv cascade --country BDI --on $on
check "as later on" row "BDI,8,8,0,0,0"
node=$work/pool
entente init --org "Org pool"
entente space create pool
for i in 1 2 3 4 5; do
    entente add trainer code=t-$i iso3=KEN attended_tot=yes
done
entente add trainer code=t-6 iso3=KEN attended_tot=yes \
    outcome=no_funding
csv cascade --country KEN
check "who gave no training has not delivered" row "KEN,6,0,0,6,0"
entente add training code=evt-k0 kind=tot status=delivered end_on=2018-02-01 \
    reported=yes trainers=t-2
entente add training code=evt-k1 kind=in_country status=delivered \
    end_on=2018-05-10 "trainers=t-1|t-6"
csv cascade --country KEN --on 2018-06-01
check "who gave one and did not report is in neither column" \
    row "KEN,6,0,0,5,0"
entente add training_report training_id=evt-k1 submitted_on=2018-05-20
csv cascade --country KEN --on 2018-05-19
check "until the day of the report" row "KEN,6,0,0,5,0"
csv cascade --country KEN --on 2018-05-20
check "who delivered and reported counts without anybody entering it" \
    row "KEN,6,1,0,5,0"
entente --json show t-2
id=$(sed -n 's/.*"id": "\([^"]*\)".*/\1/p' "$work/out" | head -1)
entente add training code=evt-k2 kind=refresher status=delivered \
    reported=yes reported_on=2018-07-02 start_on=2018-07-01
entente add participation training_id=evt-k2 trainer_id="$id" \
    role=co_trainer
entente add participation training_id=evt-k2 trainer_id=t-3 \
    role=participant
csv cascade --country KEN --on 2018-07-31
check "so does who took part as a trainer, not who was trained" \
    row "KEN,6,2,0,4,0"
entente set t-3 status=active
entente move t-3 delivered --on 2018-08-01
csv cascade --country KEN --on 2018-08-01
check "a trainer who was moved to it has delivered" row "KEN,6,2,0,3,0"
entente move t-3 reported --on 2018-08-02
entente set t-4 status=certified certified_on=2018-08-03
csv cascade --country KEN --on 2018-08-03
check "reported, and nobody is certified without" row "KEN,6,4,0,2,0"
entente set t-5 outcome=delivered_late status=active
entente move t-5 inactive --reason turnover --on 2018-09-01
csv cascade --country KEN --on 2018-08-31
check "an outcome that was entered stands" row "KEN,6,4,1,1,0"
csv cascade --country KEN
check "and who left has left since that day" row "KEN,6,4,1,1,1"
exits 0 "the pool" trainers --country KEN --format csv
check "says the same of who delivered and reported" same \
    "$(grep -c ',delivered_reported,' "$work/out")" 4
check "of who did not" same "$(grep -c ',no_funding,' "$work/out")" 1
entente delete evt-k2
entente trainers --country KEN --format csv
check "and of who lacks a training" begins "t-2,.*,not_delivered,"

# -------------------------------------------------- nobody can be recognised

# tested COUNTRY PEOPLE: trainers of it with tests.
tested() {
    i=0
    while [ $i -lt "$2" ]; do
        i=$((i + 1))
        entente add trainer code="t-$1-$i" iso3="$1" cohort="C-$1" --space few
        entente add participation training_id=evt-x trainer_id="t-$1-$i" \
            pre_test_pct=40 post_test_pct=$((50 + 10 * i)) --space few
    done
}
node=$work/few
entente init --org "Org few"
entente space create few
tested BDI 5
tested NER 4
csv knowledge-gain
check "five people are shown" row "BDI,5,40.0,80.0,40.0"
check "four are not" row 'NER,<5,,,'
check "nor does the total tell" row "TOTAL,5,40.0,80.0,40.0"
tested SSD 3
csv knowledge-gain
check "seven in two hidden cells enter the total" begins "TOTAL,12,"
csv knowledge-gain --country SSD
check "a country alone is hidden too" row 'SSD,<5,,,'
check "with its total" lines 2
entente add participation training_id=evt-y trainer_id=t-NER-1 \
    pre_test_pct=10 post_test_pct=20
csv knowledge-gain
check "somebody tested twice is one" row 'NER,<5,,,'
csv precourse
check "a small cohort is hidden" row 'C-NER,<5,,,'
check "one of five is not" row 'C-BDI,5,0,0,0'
entente set t-BDI-1 precourse_modules_done+=evaluation
entente set t-BDI-2 "precourse_modules_done+=part1|part2"
entente set t-BDI-3 precourse_modules_done+=part1 precourse_completed=no
entente set t-BDI-4 precourse_evaluation=yes precourse_completed=yes
csv precourse
check "parts that were done count as the fields do" row 'C-BDI,5,40,40,0'
check "today there is nothing to say" sh -c "! grep -q dates '$work/err'"
csv precourse --on 2018-03-01
check "as of another day the report says that it knows none" \
    tells "These figures have no dates: they are today's, not those of 2018-03-01."
exits 0 "to people, too" report precourse --on 2018-03-01
check "below the figures" prints "These figures have no dates"
csv cascade --on 2018-03-01
check "one that knows days does not" sh -c "! grep -q dates '$work/err'"
exits 0 "in JSON a hidden cell is text among numbers" --json \
    report knowledge-gain
check "like this" prints '"people": "<5", "pre_pct": null'

# ----------------------------------------------------- how fresh, how settled

as a invite s --role editor --endpoint tcp://127.0.0.1:9
as b join --offline "$(cat "$work/out")"
request=$(cat "$work/out")
as a member admit s "$request"
meet b a
as a set evt-bdi-1 participants=24
as b set evt-bdi-1 participants=28
as a set trn-tur-09 precourse_modules_done+=part1
as b set trn-tur-09 "precourse_modules_done+=evaluation|part2"
meet b a
node=$work/b
csv precourse
check "what was done on two devices is done" row "TOT-JOR,30,97,83,57"
node=$work/a
csv held-reported --country BDI --on $on
check "both figures of a conflict are in the sum" begins "BDI,2,2,,48-52,"
check "the freshness is told beside the rows" tells "Last changes received"
check "with each node's conflicts" tells "Org b"
check "and in all" tells "Open conflicts: 1."
exits 0 "people read it below" report held-reported
check "for one organisation" prints "(1 open conflict)"
exits 0 "--quiet leaves it away" --quiet report cascade --format csv
check "on stderr" same "$(cat "$work/err")" ""
exits 0 "freshness for programs" report freshness --format csv
check "has a row for each node" lines 3
check "with its conflicts" sh -c "grep -q '^Org b,.*Z,1,' '$work/out'"
exits 0 "open conflicts are a report, too" --json report conflicts
check "with both values" prints '"value": 28'

# ------------------------------------------------------- terminals, pictures

on_terminal report cascade --on $on
check "on a terminal bars show the share" prints "██████████"
check "for people in French, too" on_terminal --lang fr report challenges
exits 0 "in a file there are none" report cascade
check "but figures" sh -c "! grep -q █ '$work/out'"
exits 0 "the cascade as a picture" report cascade --on $on --format svg
check "is well formed and says what it shows" picture en
check "in words, too" prints "Delivered and reported 48"
check "how fresh it is stands below" prints ">Last changes received (UTC): "
check "in lines of its own" prints ">Open conflicts: 1.</text>"
check "and no line's end is told as a letter" lacks '\x0a'
exits 0 "the plans" --lang fr report plans --on $on --format svg
check "are in French" picture fr
check "with French words" prints "Terminées"
for code in '<script>' "a&b'\"" a-name-of-more-letters-than-there-is-room; do
    entente add plan "code=$code" status=in_progress
    entente add activity "plan_id=$code" status=done
done
exits 0 "what looks like markup" report plans --format svg
check "is text" prints "&lt;script&gt;"
check "what is long is cut" prints "a-name-of-more-letters-than-the…"
check "beside its bar, and nothing else" picture en
node=$work/b
exits 0 "without any row" report plans --format svg --country ZZZ
check "there is a picture, too" picture en
node=$work/a
exits 2 "a report without a picture says so" report cover --format svg
exits 2 "so does one that is no SQL" report freshness --format svg
exits 2 "and a command that draws none" list plan --format svg

# --------------------------------------------------- a file is a new report

mine=$work/configs
cp -r "$here/../../configs" "$mine"
ENTENTE_DATADIR=$mine
export ENTENTE_DATADIR
drop() {
    cat >"$mine/reports/mine.sql"
}
echo "SELECT 1 AS one, 'x' AS two" | drop
exits 0 "a query alone is a report" report mine --format csv
check "with its own names" row "one,two"
exits 0 "it is listed" report --format csv
check "by its name" row "mine,mine"
printf -- '-- chart one: one two three\nSELECT 1 AS one, 2 AS two' | drop
exits 5 "a picture of what is not there is refused" report mine --format svg
check "by name" tells '"three"'
printf -- '-- bar three\nSELECT 1 AS one, 2 AS two' | drop
on_terminal report mine
check "so are bars" same "$?" 5
printf -- '-- chart a: a a a a a a a\nSELECT 1 AS a' | drop
exits 5 "and a picture of too much" report mine --format svg
echo "DELETE FROM log" | drop
exits 2 "a report cannot write" report mine
echo "SELECT secret FROM local_invite" | drop
exits 2 "nor read secrets" report mine
finish
