#!/bin/sh
# workflows.sh - records go from state to state: by the allowed moves only, with
# what a move needs, and apart on two nodes; and what is due on a day.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/meet.sh"

# state RECORD [NODE]: its state, from JSON.
state() {
    "$build/cli/entente" --home "$work/${2:-office}" --json show "$1" |
        sed -n 's/.*"state": "\([a-z_|]*\)".*/\1/p'
}

# value RECORD FIELD: of office.
value() {
    "$build/cli/entente" --home "$work/office" --json show "$1" |
        sed -n "s/.*\"$2\": \"*\([^\",}]*\).*/\1/p"
}

as office init --org "Org Office"
as office whoami --json
sed -n 's/.*"key": *"\([0-9a-f]*\)".*/\1/p' "$work/out" >"$work/office.key"
as office space create s
exits 0 "the demonstration data is imported" import --package "$demo" --space s

# ------------------------------------------------------------- what there is

exits 0 "the workflows are listed" workflow
check "requests have several" prints technical_assistance
exits 0 "the states of one are listed" --json workflow training
check "with the value that reports read" \
    prints '"state": "report_sent", "label": "Report sent", "value": "delivered"'
exits 0 "in French" --lang fr workflow activity
check "by their French labels" prints "Bloquée"
exits 3 "what is neither workflow nor record is not found" workflow nothing
check "imported data has the state that its fields say" \
    same "$(state evt-bdi-1)" report_sent
check "of several states with one value the one that has its name" \
    same "$(state evt-bdi-2)" delivered
check "a mission that is closed has noted its lessons" \
    same "$(state req-back-demo)" lessons_noted
check "an assignment without an end is active" same "$(state mem-001)" active
check "and one with an end has ended" same "$(state mem-024)" ended

# ------------------------------------------------------------- allowed moves

exits 5 "a move that is not allowed is refused" move act-bdi-7 blocked
check "with the states that are" tells "in_progress (In progress), cancelled"
exits 5 "a state that is none is refused" move act-bdi-7 in_progres
check "with the nearest" tells '"in_progress"'
exits 0 "people read what may follow" --lang fr --format table \
    workflow act-bdi-7
check "as the code that move takes, and its label" \
    prints "in_progress (En cours)"
exits 0 "of a workflow likewise" --lang fr --format table \
    workflow technical_assistance
check "each state that follows" prints "closed (Close)"
check "and who must approve" prints "focal_point (Point focal)"
exits 0 "programs read the codes alone" --lang fr --json workflow act-bdi-7
check "in a list" prints '"next": ["in_progress", "cancelled"]'
exits 5 "a way that does not exist is refused in words" \
    --lang fr move act-bdi-7 done
check "from a state to a state" tells "planned (Prévue)"
check "and what may follow" tells "in_progress (En cours)"
exits 0 "a dry run says what would be" --dry-run move act-bdi-7 in_progress
check "and moves nothing" same "$(state act-bdi-7)" planned
exits 0 "an allowed move is made" move act-bdi-7 in_progress \
    --on 2019-01-04 --by ctc-pf-bdi-01 --note "le budget est là"
check "the state follows" same "$(state act-bdi-7)" in_progress
check "and the field that reports read" same \
    "$(value act-bdi-7 status)" in_progress
exits 0 "the same again changes nothing" move act-bdi-7 in_progress
check "and says so" tells "nothing to change"
exits 5 "a state that needs a reason is not entered without" \
    move act-bdi-7 blocked
check "and the reasons are named" tells trainers_available
exits 5 "nor with one that is none" move act-bdi-7 blocked --reason rain
exits 5 "a state that has no reason takes none" \
    move act-bdi-7 done --reason budget
exits 0 "with one of the list it is" move act-bdi-7 blocked --reason budget
exits 0 "a label is a name, too" --lang fr move act-bdi-7 "En cours"
exits 0 "the history is shown" --json workflow act-bdi-7
check "with who moved it" prints '"by": "ctc-pf-bdi-01"'
check "and why" prints '"reason": "budget"'
check "the last one marked" same \
    "$(grep -c '"last": true' "$work/out")" 1
exits 3 "a contact that is not here moves nothing" \
    move act-bdi-7 done --by ctc-nobody
exits 5 "a day that does not exist is refused" \
    move act-bdi-7 done --on 2019-02-30
exits 5 "a record without a workflow is not moved" move org-irc active
exits 0 "an imported training goes on from where it is" \
    move evt-bdi-2 report_sent --on 2018-08-20
check "its status is what reports count" same \
    "$(value evt-bdi-2 status)" delivered
check "and its report is there" same "$(value evt-bdi-2 reported)" yes
check "since that day" same "$(value evt-bdi-2 reported_on)" 2018-08-20
as office report held-reported --on 2019-03-01 --format csv
check "the report counts it" prints "BDI,2,2"

exits 0 "the shells are told what may come next" complete -- move act-bdi-6 ""
check "from the state the record is in" same \
    "$(cut -f1 "$work/out" | tr '\n' ' ')" "in_progress cancelled "
exits 0 "and in which roles one approves" complete -- approve act-bdi-6 --as s
check "by their codes" prints secretariat
exits 0 "and the workflows" complete -- workflow tech
check "by their names" prints technical_assistance

# ------------------------------------------- somebody sets the field by hand

exits 0 "a status is set by hand" set act-bdi-7 status=done
check "the field counts" same "$(state act-bdi-7)" done
exits 0 "the disagreement is shown" --json workflow act-bdi-7
check "as such" prints '"differs": true'
exits 0 "to people, too" show act-bdi-7
check "in words" prints "the moves say otherwise"
exits 0 "a move closes the gap" move act-bdi-7 done
exits 0 "then" --json workflow act-bdi-7
check "they agree" prints '"differs": false'

# ----------------------------------------------------------------- approvals

as office add request code=req-1 kind=technical_assistance title_fr=Coûts \
    iso3=BDI status=tor_drafting
exits 5 "terms of reference wait for three approvals" move req-1 tor_approved
check "which are named" tells "focal_point (Focal point), secretariat"
exits 0 "one comes" approve req-1 --as donor --on 2018-09-02
exits 0 "another" approve req-1 --as focal_point --by ctc-pf-bdi-01
exits 5 "two are not enough" move req-1 tor_approved
check "the third is named" tells "approval of: secretariat ("
exits 5 "a country is nothing to approve" approve BDI --as donor
exits 5 "nobody approves as what is no role" approve req-1 --as pope
exits 0 "one is refused" approve req-1 --as secretariat --refuse --on 2018-09-03
exits 5 "which is no approval" move req-1 tor_approved
exits 0 "and given later" approve req-1 --as secretariat --on 2018-09-10
exits 0 "then they are approved" move req-1 tor_approved --on 2018-09-11
check "on that day" same "$(value req-1 tor_approved_on)" 2018-09-11

as office add trainer code=trn-9 display_name="Formateur 9" status=active \
    attended_tot=yes
as office move trn-9 delivered
as office move trn-9 reported
exits 5 "nobody is certified without a training that was reported" \
    move trn-9 certified
check "and it is said" tells "one training delivered and reported"
as office set evt-bdi-2 trainers+=trn-9
exits 0 "with one they are" move trn-9 certified
exits 0 "a plan waits for its working group" --json workflow plan
check "by an approval" prints "approval as working_group"

# ------------------------------------------------------------------- listing

exits 0 "a listing has the state" list activity code=act-bdi-7 --format csv
check "behind the fields" prints ",done,"
exits 0 "a column of its own" list training --columns code,state \
    --format csv code=evt-bdi-2
check "by its name" prints "evt-bdi-2,report_sent"
exits 0 "people read it in their language" --lang fr list training \
    code=evt-bdi-2
check "in place of the status" prints "Rapport transmis"

# ------------------------------------------------------------------ the flags

exits 0 "what is due on a day is listed" flags --on 2019-03-01 --format csv
check "activities after their day" prints "overdue,2019-01-15,activity,act-bdi-6"
check "trainings without a report" prints "report_due,2018-11-16,training,evt-tur-5"
check "not those that were reported" lacks evt-bdi-2
check "roles that nobody holds" prints "vacant,2018-11-30,assignment,mem-024"
exits 0 "before its day nothing is due" flags activity --on 2018-01-01 \
    --format csv
check "nothing" same "$(wc -l <"$work/out")" 1
exits 0 "plans that nobody touched" flags plan --on 2099-01-01 --country BDI \
    --format csv
check "are stalled" prints "stalled,"
exits 0 "a record shows its flags" --json show act-bdi-6
check "as a list" prints '"flags": ["overdue"]'
exits 0 "and a listing" --lang fr list activity code=act-bdi-6
check "in words" prints "en retard"
exits 5 "half a day is no day" flags --on 2019-03

# ------------------------------------- what was given and then taken back

# flagged RECORD FLAG: it has that flag, alone.
flagged() {
    as office --json show "$1"
    prints "\"flags\": [\"$2\"]"
}
exits 0 "somebody is asked" add contact code=ctc-asked \
    review_by=2019-01-31 display_name=Ada
as office move ctc-asked asked
as office add consent code=own-1 contact_id=ctc-asked action=granted \
    scope=directory dated_on=2018-01-10
as office add consent code=own-2 contact_id=ctc-asked action=withdrawn \
    dated_on=2018-02-10
exits 5 "a consent that was withdrawn gives none" move ctc-asked granted
check "and that is said" tells "no later one withdraws"
as office --json show ctc-asked
check "who is only asked has nothing to withdraw" prints '"flags": []'
as office add consent code=own-3 contact_id=ctc-asked action=granted \
    "scope=directory|survey" dated_on=2018-03-10
exits 0 "one that was given again does" move ctc-asked granted --on 2018-03-10
as office add consent code=own-4 contact_id=ctc-asked action=withdrawn \
    scope=survey dated_on=2018-04-10
check "who withdraws a part leaves the rest" flagged ctc-asked lapsed
as office add consent code=own-5 contact_id=ctc-asked action=withdrawn
check "who withdraws all is told, though the state says granted" \
    flagged ctc-asked consent_withdrawn
exits 0 "to people, too" --lang fr show ctc-asked
check "in words" prints "consentement retiré"
exits 0 "and nothing lapses any more" agenda --on 2019-03-01 --format csv
check "in the agenda either" prints ",consent_withdrawn,contact,ctc-asked,"
check "which asks to review the contact still" \
    prints "2019-01-31,review,contact,ctc-asked,"
exits 0 "who is moved to it" move ctc-asked withdrawn
as office --json show ctc-asked
check "has nothing open" prints '"flags": []'
exits 0 "what a contact of the files said" add consent code=own-6 \
    contact_id=ctc-pf-ner-01 action=withdrawn dated_on=2018-05-01 \
    scope=directory
check "counts without any move" flagged ctc-pf-ner-01 consent_withdrawn
exits 0 "but not before that day" flags contact --on 2018-04-30 --format csv
check "at all" lacks consent_withdrawn
exits 0 "moved to withdrawn without a record" move ctc-pf-ner-02 withdrawn
exits 0 "nothing lapses" flags contact --on 2021-02-01 --format csv
check "for that contact" lacks ctc-pf-ner-02
check "but for others" prints ",contact,ctc-pf-bdi-01,"

exits 0 "a certificate" add certificate code=own-7 trainer_id=trn-bdi-01 \
    action=issued dated_on=2018-09-30
exits 0 "is revoked" add certificate code=own-8 trainer_id=trn-bdi-01 \
    action=revoked dated_on=2018-12-01
check "which is told of who is certified" flagged trn-bdi-01 certificate_revoked
exits 0 "in the agenda, too" agenda --on 2019-03-01 --format csv
check "since that day" \
    prints "2018-12-01,certificate_revoked,trainer,trn-bdi-01,"
as office add certificate code=own-9 trainer_id=trn-bdi-01 action=issued \
    dated_on=2018-12-15
as office --json show trn-bdi-01
check "until it is issued again" prints '"flags": []'

# --------------------------------------------------------- two moves, apart

as field init --org "Org Field"
as office invite s --role editor --endpoint tcp://127.0.0.1:9
as field join --offline "$(cat "$work/out")"
request=$(cat "$work/out")
as office member admit s "$request"
meet field office
check "the other node has the same states" same "$(state evt-bdi-2 field)" \
    report_sent
exits 0 "the one completes the plan" move pln-bdi completed
node=$work/office
exits 0 "the other cancels it" move pln-bdi cancelled --note "faute de fonds"
exits 0 "and takes back a training" move evt-bdi-2 reviewed
as field move evt-bdi-2 reviewed
meet field office
exits 6 "that is a conflict" conflicts --check
exits 0 "the status counts it" --json status
check "the state and the field" prints '"conflicts": 2'
exits 0 "so do reports" report cascade
check "as many" prints "Open conflicts: 2."
check "of each who has a side in them" prints "(2 open conflicts)"
exits 0 "the one on freshness" report freshness --format csv
check "for each node" same "$(grep -c ',2,' "$work/out")" 2
exits 0 "of the state" --json conflicts
check "told once" same "$(grep -c '"field": "state"' "$work/out")" 1
check "with the one" prints '"value": "completed"'
check "and the other" prints '"value": "cancelled"'
check "both states are shown" sh -c \
    "printf '%s' '$(state pln-bdi field)' | grep -q '|'"
check "two who say the same are of one mind" same \
    "$(state evt-bdi-2 field)" reviewed
exits 6 "nothing is moved on from there" move pln-bdi in_progress
check "and the way out is told" tells "resolve pln-bdi state --take N"
exits 0 "list marks it" --json list plan code=pln-bdi
check "as contested" prints '"conflicts": 2'
exits 0 "and the cell with both states" list plan code=pln-bdi \
    --columns code,state
check "in words" sh -c "grep -Eq '^pln-bdi +[^ ]+ / [^ ]+ ≠ ' '$work/out'"
as field --format csv conflicts
n=$(grep ',state,.*,completed,' "$work/out" | cut -d, -f5)
exits 0 "a dry run settles nothing" --dry-run resolve pln-bdi state --take "$n"
exits 6 "it stands" conflicts --check
exits 0 "one command settles state and status" \
    resolve pln-bdi state --take "$n"
exits 0 "nothing is open" conflicts --check
check "the state is the one taken" same "$(state pln-bdi field)" completed
exits 3 "there is nothing more to settle" resolve pln-bdi state --take 1
meet field office
check "the others see it so" same "$(state pln-bdi)" completed
check "and hold the same" same "$(node=$work/field digest s)" \
    "$(node=$work/office digest s)"

# Two states that stand for one value of the field, from two like moves made
# apart.
node=$work/field
exits 0 "a report is accepted" move evt-bdi-2 accepted
exits 0 "its move follows both that led there" --json list transition \
    subject=evt-bdi-2 to_state=accepted
check "as its record says" sh -c \
    "grep -o '\"follows\": \[[^]]*\]' '$work/out' | grep -c mov-.*mov- >/dev/null"
as office move evt-bdi-2 report_sent --note "à compléter"
meet field office
exits 0 "the field is of one mind" --json show evt-bdi-2
check "and says what it said" prints '"status": "delivered"'
exits 6 "but the state is not" conflicts --check
exits 0 "people read both" --lang fr conflicts
check "in their words" prints "accepted (Rapport accepté)"
exits 3 "a state that is none settles nothing" resolve evt-bdi-2 status --take 1
exits 0 "another state may be said, too" resolve evt-bdi-2 state \
    --value reviewed
exits 0 "then nothing is open" conflicts --check
check "and the record is there" same "$(state evt-bdi-2 field)" reviewed

# Headquarters closes a plan while the country spends on it.
as office move pln-ner completed
as field add expense code=exp-9 activity_id=act-ner-1 amount=75 currency=USD
meet field office
check "a plan that was closed is closed" same "$(state pln-ner field)" completed
check "and what was spent meanwhile is there" same \
    "$(node=$work/office count expense code=exp-9)" 1

# The three approvals in any order, from different nodes.
as field add request code=req-2 kind=technical_assistance status=tor_drafting
as field approve req-2 --as secretariat
meet field office
as office approve req-2 --as donor
as field approve req-2 --as focal_point
meet field office
exits 0 "approvals count wherever they came from" move req-2 tor_approved
node=$work/office
exits 0 "on both sides" --json workflow req-2
node=$work/field
exits 0 "a note in the package" export --package "$work/pkg"
check "has the moves" test -s "$work/pkg/transitions.csv"
as field space create t
exits 0 "and is imported elsewhere" import --package "$work/pkg" --space t
exits 0 "where the history is the same" list transition --space t --format csv
check "every move of it" same "$(tail -n +2 "$work/out" | wc -l)" \
    "$(count transition --space s)"

# What says the same code in another space is another record's: who holds both
# spaces must not be told other than who holds one.
as field add request --space s code=req-4 kind=technical_assistance \
    status=tor_drafting
for role in donor focal_point secretariat; do
    as field add approval --space t subject=req-4 role="$role" \
        decision=approved decided_on=2018-09-02
done
exits 5 "approvals in another space approve nothing" move req-4 tor_approved
check "all are missing" tells "focal_point (Focal point), secretariat"

# A consent of somebody else's contact under the same code is not this one's.
as field space create u
for space in t u; do
    as field add contact --space $space code=ctc-two display_name="Two in $space"
done
as field list contact code=ctc-two --space t --json
two=$(sed -n 's/.*"id": "\([^"]*\)".*/\1/p' "$work/out")
as field move "$two" asked
as field add consent --space u contact_id=ctc-two action=granted scope=directory
exits 5 "a consent of another space's contact gives none" move "$two" granted
as field add contact --space t code=ctc-one display_name=One
as field move ctc-one asked
as field add consent --space u contact_id=ctc-one action=granted scope=directory
exits 0 "one that means this contact does, wherever it is" move ctc-one granted
exits 0 "all is sound" verify --deep

# ---------------------------------------------------------------- a long way

# More moves than anybody makes: the last one still says the state.
as field space create long
as field add activity --space long code=act-long
awk 'BEGIN {
    print "code,subject,workflow,from_state,to_state,moved_on,follows"
    for (i = 1; i <= 5000; i++)
        printf "mov-l%05d,act-long,activity,%s,%s,2019-01-01,%s\n", i,
            i % 2 ? "blocked" : "in_progress",
            i == 5000 ? "done" : i % 2 ? "in_progress" : "blocked",
            (i > 1 ? sprintf("mov-l%05d", i - 1) : "")
}' >"$work/long.csv"
exits 0 "five thousand moves of one record" import transition \
    "$work/long.csv" --space long
exits 0 "lead to one state" --json workflow act-long
check "the last" prints '"state": "done"'
check "uncontested" prints '"contested": false'

# Many who say one thing do not drown the one who says another.
as field add activity --space long code=act-many
awk 'BEGIN {
    print "code,subject,workflow,to_state,moved_on"
    for (i = 1; i <= 40; i++)
        printf "mov-m%02d,act-many,activity,%s,2019-01-%02d\n", i,
            i == 40 ? "cancelled" : "done", i < 30 ? i : 30
}' >"$work/many.csv"
exits 0 "forty moves made apart" import transition "$work/many.csv" --space long
exits 0 "one of which leads elsewhere" --json workflow act-many
check "are contested" prints '"contested": true'
exits 0 "the two states" --format csv conflicts --space long
check "are the sides" same "$(grep -c ',state,' "$work/out")" 2
exits 0 "and one command settles all" resolve act-many state --value done
exits 0 "so that nothing is open" conflicts --space long --check

# Who has not heard of a record's code moves it by its id.
as field add activity --space long title_fr=Atelier
id=$(cat "$work/out")
as field move "$id" planned --on 2019-01-01
move=mov-$(tr -d - <"$work/out" | tail -c 17)
as field set "$id" code=act-named
cat >"$work/named.csv" <<EOF
code,subject,workflow,to_state,moved_on,follows
mov-n1,act-named,activity,in_progress,2019-01-02,$move
mov-n2,$id,activity,cancelled,2019-01-03,$move
EOF
exits 0 "two moves of one record under two names" import transition \
    "$work/named.csv" --space long
exits 0 "are one conflict" --format csv conflicts --space long
check "of two sides" same "$(grep -c ',state,' "$work/out")" 2
finish
