#!/bin/sh
# everyday.sh - what a focal point does every day, on the demonstration data:
# what is due, who does what, who can be asked, and leaving a post.
. "$(dirname "$0")/lib.sh"

# row CODE: its line of the last listing.
row() {
    grep -e "\(^\|,\)$1\(,\|\$\)" "$work/out"
}

# says CODE TEXT: that line has it.
says() {
    row "$1" | grep -qF -e "$2"
}

# silent CODE: there is no such line.
silent() {
    ! row "$1" >/dev/null
}

entente init --org HQ --country KEN
entente space create global
exits 0 "the demonstration data are imported" import --package "$demo" \
    --space global --quiet

# ------------------------------------------------------------------- agenda

exits 0 "what is due is listed" agenda --on 2019-02-01 --format csv
check "what is late" says act-bdi-5 "2018-11-26,overdue,activity"
check "with whose it is" says act-bdi-5 "ctc-pf-bdi-01,Point focal BDI 01"
check "what is due within 30 days" says act-bdi-7 "2019-02-09,due,activity"
check "not what is due later" silent act-bdi-8
check "nor what is done" silent act-bdi-1
check "milestones that were not reached" says mst-ner-1 ",overdue,milestone"
check "not those that were" silent mst-bdi-1
check "the report that never came" says evt-bdi-2 \
    "2018-08-30,report_missing,training"
check "30 days after the end of a month" says evt-bdi-2 "org-bdi-ingo01"
check "not the one that came" silent evt-bdi-1
check "a call that was missed" says ses-appel-syr-3 "call_missed"
check "and links whose rhythm has stopped" says sup-appui-bdi-1 "call_missed"
exits 0 "--next says how far" agenda --on 2019-02-01 --next 7d --format csv
check "not so far" silent act-bdi-7
exits 2 "in days" agenda --next soon
exits 2 "on a day" agenda --on 2019-13-01
exits 0 "before the 30 days a report is only due" agenda --on 2018-08-10 \
    --format csv
check "by its day" says evt-bdi-2 "2018-08-30,report_due"
exits 0 "of one country" agenda --on 2019-02-01 --country NER --format csv
check "its own" says mst-ner-1 milestone
check "and no other" silent act-bdi-5
exits 0 "contacts to be reviewed" agenda --on 2021-01-01 --format csv
check "are in it" says ctc-pf-bdi-01 "2021-01-15,review,contact"
exits 0 "once the day has passed" agenda --on 2021-02-01 --format csv
check "a consent has lapsed" says ctc-pf-bdi-01 "2021-01-15,lapsed,contact"
exits 0 "posts that nobody took over" agenda --on 2019-02-01 --format csv
check "are vacant" grep -q ",vacant,assignment,mem-[0-9]*,focal_point," "$work/out"
check "which is the group's" says vacant grp-
check "today no plan is stalled" silent stalled
far=$(date -u -d "+70 days" +%Y-%m-%d)
exits 0 "after two months" agenda --on "$far" --format csv
check "one where nothing happens is" says pln-bdi "stalled,plan"
exits 0 "a call is planned" add support_session code=ses-next \
    kind=monthly_call support_id=sup-appui-bdi-1 group_id=grp-bdi-equipe \
    held_on=2019-02-10 status=planned iso3=BDI
exits 0 "an assignment ends" set mem-002 end_on=2019-02-20
exits 0 "both are" agenda --on 2019-02-01 --format csv
check "the call" says ses-next "2019-02-10,planned"
check "so the link is not silent" silent sup-appui-bdi-1
check "the end" says mem-002 "2019-02-20,ending,assignment"
exits 0 "a report that is a record" add training_report code=rep-1 \
    training_id=evt-bdi-2 submitted_on=2019-01-20
exits 0 "takes the training out" agenda --on 2019-02-01 --format csv
check "of the agenda" silent evt-bdi-2

exits 2 "--mine needs to know who works here" agenda --mine
check "and says how" tells "config me="
exits 0 "who works here is said" config me=ctc-pf-ner-01
exits 0 "--mine" agenda --mine --on 2019-02-01 --format csv
check "lists what is theirs" says act-ner-3 overdue
check "not what is others'" silent act-bdi-5
exits 0 "--as asks for somebody else" --as ctc-pf-bdi-01 agenda \
    --on 2019-02-01 --format csv
check "theirs" says act-bdi-5 overdue
check "alone" silent act-ner-3
exits 3 "who is a contact" agenda --as act-bdi-5
exits 0 "people read it in French" --lang fr agenda --on 2019-02-01
check "with reasons" prints "en retard"
exits 0 "JSON has names" --json agenda --on 2019-02-01 --country BDI
check "of its columns" prints '"why": "overdue"'

# ---------------------------------------------------------------------- who

exits 0 "who is the back-up in Rumonge" who --role backup --group Rumonge \
    --on 2019-02-01
check "is one command" prints "ctc-pf-bdi-02"
check "with the telephone" prints "+44 7700 900003"
check "it says that the group above answers" tells "grp-bdi-pe"
exits 0 "a focal point's back-up is named" who --role "Point focal" \
    --group grp-bdi-pe --on 2019-02-01 --format csv
check "with the telephone, too" says ctc-pf-bdi-01 "+44 7700 900003"
check "and the organisation by its name" says ctc-pf-bdi-01 \
    "ONG internationale BDI 01"
exits 0 "of one country" who --role focal_point --country NER --format csv
check "its own" says ctc-pf-ner-01 grp-ner-pe
check "alone" silent ctc-pf-bdi-01
cp "$work/out" "$work/ner"
exits 0 "by its name" who --role focal_point --country niger --format csv
check "the same" cmp -s "$work/out" "$work/ner"
exits 5 "a country that is none is refused" who --country Nigerr
check "and the nearest is named" tells "did you mean Niger?"
exits 5 "in the agenda, too" agenda --country Nigerr
exits 5 "and among what needs attention" flags --country Nigerr
exits 0 "a list takes names of countries" list training iso3=Burundi \
    --format csv
check "for their codes" same "$(tail -n +2 "$work/out" | wc -l)" \
    "$(count training iso3=BDI)"
check "some" test "$(count training iso3!=Burundi)" -lt "$(count training)"
exits 5 "and of no others" list training iso3=Burundy
exits 0 "groups without one are told" who --role focal_point --on 2019-02-01
check "where somebody left" tells "nobody in grp-ssd-pe"
exits 0 "quietly they are not" --quiet who --role focal_point --on 2019-02-01
check "at all" test ! -s "$work/err"
exits 0 "somebody has duties" set mem-002 \
    "duties=monthly_call|report_review" end_on=
exits 0 "somebody else one of them" set mem-003 duties=monthly_call
exits 0 "who holds a duty" who --duty monthly_call --group grp-bdi-pe \
    --on 2019-02-01 --format csv
check "the one" says ctc-pf-bdi-01 monthly_call
check "and the other" says ctc-pf-bdi-02 monthly_call
check "two are one too many" tells "2 people in grp-bdi-pe"
exits 0 "a duty that nobody holds" who --duty certificates --group grp-bdi-pe
check "is told" tells "nobody in grp-bdi-pe"
exits 2 "a role that is none is wrong usage" who --role focal_pont
check "and the nearest is named" tells "focal_point"
exits 3 "a group that is not there is not found" who --group Atlantis
exits 0 "before it began nobody is it" who --role focal_point \
    --group grp-bdi-pe --on 2010-01-01 --format csv
check "indeed" same "$(wc -l <"$work/out")" 1

# ----------------------------------------------------------------- trainers

exits 0 "trainers are listed" trainers --format csv
check "all of them" same "$(tail -n +2 "$work/out" | wc -l)" "$(count trainer)"
exits 0 "before the command --lang is the language of headings" \
    --lang fr trainers --country BDI
check "in French" prints "langues"
exits 0 "behind it, that of trainers" --lang fr trainers --lang en --country BDI
check "each for itself" prints "langues"
check "as many as there are" same \
    "$("$build/cli/entente" --home "$node" trainers --lang en --country BDI \
        --format csv)" \
    "$("$build/cli/entente" --home "$node" --lang=en trainers --lang=en \
        --country BDI --format csv)"
exits 2 "only fr and en are languages of headings" --lang rn trainers
exits 0 "by language, time and country" trainers --lang rn --country BDI \
    --available 2019-03 --format csv
check "who can be asked" says trn-bdi-01 available
check "not who cannot" same "$(grep -c ',unavailable,' "$work/out")" 0
exits 0 "a trainer has time in spring" set trn-bdi-01 \
    "specialities=soutien_psychosocial|care" available_from=2019-04 \
    available_to=2019-05
exits 0 "before it" trainers --country BDI --available 2019-03 --format csv
check "they cannot be asked" silent trn-bdi-01
exits 0 "in the month" trainers --available 2019-04-02 \
    --speciality PSYCHOSOCIAL --format csv
check "they can, by part of a speciality" says trn-bdi-01 available
check "who has another is left out" same "$(wc -l <"$work/out")" 2
for lang in français French fra FR; do
    exits 0 "the language may be called $lang" trainers --lang $lang --format csv
    cp "$work/out" "$work/$lang"
    entente trainers --lang fr --format csv
    check "it is the same" cmp -s "$work/out" "$work/$lang"
done
exits 5 "what is no language is refused" trainers --lang frnch
check "and the nearest is named" tells \
    '--lang: "frnch" is no language; did you mean fr (French)?'
exits 5 "a speciality that nobody has is refused" trainers --speciality cares
check "and the nearest is named" tells "did you mean care?"
exits 0 "a profile that nobody has is none that is wrong" trainers \
    --speciality fluent_en
exits 5 "a country that is none is refused" trainers --country Atlantis
exits 2 "a day is a day" trainers --available tomorrow

# ----------------------------------------------------------------- handover

exits 0 "a note on the one who leaves" add note code=note-1 \
    subject=ctc-pf-bdi-01 body="Appeler le vendredi"
before=$(digest global)
exits 0 "a dry run says what would go over" --dry-run handover ctc-pf-bdi-01 \
    --to ctc-pf-bdi-02 --on 2019-02-01 --format csv
check "the open work" says act-bdi-5 "responsible_id=ctc-pf-bdi-02"
check "and writes nothing" same "$(digest global)" "$before"
exits 2 "nobody hands over to themselves" handover ctc-pf-bdi-01 \
    --to ctc-pf-bdi-01
exits 3 "nor to who is not there" handover ctc-pf-bdi-01 --to ctc-none
exits 2 "for a reason of the list" handover ctc-pf-bdi-01 \
    --to ctc-pf-bdi-02 --reason bored
exits 0 "a focal point hands over to the back-up" --as ctc-coord-bdi-01 \
    handover ctc-pf-bdi-01 --to ctc-pf-bdi-02 --on 2019-02-01 \
    --reason turnover --format csv
check "what is open" says act-bdi-5 responsible_id
check "not what is done" silent act-bdi-1
entente --json show act-bdi-6
check "names the other" prints '"responsible_id": "ctc-pf-bdi-02"'
entente --json show act-bdi-1
check "what is done keeps who did it" \
    prints '"responsible_id": "ctc-pf-bdi-01"'
entente --json show mem-002
check "the assignment has its end" prints '"end_on": "2019-02-01"'
check "and the reason" prints '"end_reason": "turnover"'
entente who --group grp-bdi-pe --role focal_point --on 2019-02-02 --format csv
check "the other is focal point" says ctc-pf-bdi-02 focal_point
check "with the duties" says ctc-pf-bdi-02 "monthly_call|report_review"
check "and no longer the own back-up" silent ctc-pf-bdi-01
entente --json show note-1
check "the note goes with the work" prints '"subject": "ctc-pf-bdi-02"'
entente list note "subject=ctc-pf-bdi-02" --columns body,author_id --format csv
check "another note tells of it" prints "Handed over"
check "with who did it" prints "ctc-coord-bdi-01"
check "and what went over" prints "act-bdi-5, act-bdi-6"
exits 0 "there is nothing left to hand over" handover ctc-pf-bdi-01 \
    --to ctc-pf-bdi-02 --on 2019-02-01
check "and that is said" tells "nothing open"
exits 0 "the replica is sound" verify --deep

exits 0 "another space" space create other
exits 0 "with something open of the same person" add activity code=act-other \
    --space other responsible_id=ctc-pf-syr-01 status=planned
exits 0 "they hand over" handover ctc-pf-syr-01 --to ctc-pf-syr-02 \
    --on 2019-02-01
check "what stays is told" tells "1 open record lies in another space"

# What two people say differently is settled before it is handed over.
. "$(dirname "$0")/meet.sh"
for name in a b; do
    [ $name = b ] && as b init --org "Org B"
    as $name whoami --json
    sed -n 's/.*"key": *"\([0-9a-f]*\)".*/\1/p' "$work/out" >"$work/$name.key"
done
as a invite global --role editor --endpoint tcp://127.0.0.1:9
as b join --offline "$(cat "$work/out")"
as a member admit global "$(cat "$work/out")"
meet b a
as a set act-ner-3 responsible_id=ctc-coord-ner-01
as b set act-ner-3 responsible_id=ctc-pf-ner-02
as b set act-ner-3 responsible_id=ctc-pf-ner-01
meet b a
node=$work/b
entente --json conflicts
before=$(digest global)
exits 6 "what is contested is not handed over" handover ctc-pf-ner-01 \
    --to ctc-pf-ner-02 --on 2019-02-01
check "and is named" tells "act-ner-3"
check "nothing else is written" same "$(digest global)" "$before"
exits 0 "when it is settled" resolve act-ner-3 responsible_id \
    --value ctc-pf-ner-01
exits 0 "it is" handover ctc-pf-ner-01 --to ctc-pf-ner-02 --on 2019-02-01
finish
