#!/bin/sh
# surveys.sh - answers stay where they were collected, tallies of five and more
# are shared and added up; adoption of lessons and other owned records.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/meet.sh"

state() {
    "$build/cli/entente" --home "$work/$1" --json show "$2" |
        sed -n 's/.*"state": "\([a-z_|]*\)".*/\1/p'
}

for name in office field; do
    as $name init --org "Org $name"
    as $name whoami --json
    sed -n 's/.*"key": *"\([0-9a-f]*\)".*/\1/p' "$work/out" >"$work/$name.key"
done
as office space create s
as office invite s --role editor --endpoint tcp://127.0.0.1:9
as field join --offline "$(cat "$work/out")"
request=$(cat "$work/out")
as office member admit s "$request"
meet field office

# ------------------------------------------------------------------- opening

node=$work/office
exits 0 "a survey is drawn up" add survey code=svy-1 "title_fr=Après la formation" \
    language=fr "questions=q1:extent:La formation vous a-t-elle servi ?|q2:challenge:Quels obstacles ?|q3:yesno:Avez-vous formé ?|q4:number:Combien de superviseurs ?|q5:text:Autre"
exits 5 "a draft takes no answers" survey answer svy-1 q1=3
check "and it is said" tells "is not open (draft)"
exits 0 "it begins as a draft" move svy-1 draft
exits 0 "it is opened" move svy-1 open --on 2019-02-01
meet field office

# ------------------------------------------------------------------- answers

node=$work/office
exits 5 "an answer that is none is refused" survey answer svy-1 q1=5
check "with those there are" tells '"5" is none of: 1, 2, 3, 4'
exits 5 "a question that is none is refused" survey answer svy-1 q9=1
exits 5 "a number is a number" survey answer svy-1 q4=beaucoup
exits 2 "a word that is no answer is wrong usage" survey answer svy-1 q1
exits 2 "a question is answered once" survey answer svy-1 q1=1 q1=2
exits 0 "a dry run keeps nothing" --dry-run survey answer svy-1 q1=3
exits 0 "five people answer here" survey answer svy-1 q1=3 q2=time \
    q3=oui q4=2 "q5=le gouverneur de Rumonge"
for answers in "q1=3 q2=time|budget q3=yes q4=4" "q1=Beaucoup q2=budget q4=1" \
    "q1=4 q2=time q3=no q4=1.5" "q1=4 q2=time"; do
    as office survey answer svy-1 $answers
done
exits 0 "they are kept" sql "SELECT count(*) AS n FROM local_answer"
check "each of them" prints 5
node=$work/field
for i in 1 2 3 4; do
    as field survey answer svy-1 q1=3 q2=time
done
exits 5 "an open survey is not counted" survey tally svy-1
check "but closed first" tells "is not closed (open)"

# -------------------------------------------------------------------- tallies

node=$work/office
exits 5 "it is tallied only when it was" move svy-1 tallied
exits 0 "it is closed" move svy-1 closed
exits 5 "then it takes no answers" survey answer svy-1 q1=3
exits 5 "without a tally it is not tallied" move svy-1 tallied
check "and what is missing is told" tells "survey tally"
exits 0 "a dry run counts" --dry-run survey tally svy-1
check "and writes nothing" same "$(count survey_tally)" 0
exits 0 "the answers here are counted" survey tally svy-1
check "of questions that five answered" same \
    "$(count survey_tally survey=svy-1)" 4
exits 0 "the counts are records" list survey_tally --format csv \
    --columns question,category,value
check "one for each answer" prints "q1,4,3"
check "of several answers each" prints "q2,time,4"
check "those that fewer than five gave are not there" lacks q3
check "nor numbers" lacks q4
check "nor any text" lacks q5
meet field office
node=$work/field
exits 5 "four answers are not counted" survey tally svy-1
check "as they would tell who gave them" tells "has 5 answers here"
exits 0 "the answers of others did not come" sql \
    "SELECT count(*) AS n FROM local_answer"
check "only its own are here" prints 4
check "nor in any of its files" sh -c \
    "! grep -aq 'gouverneur de Rumonge' '$work/field/replica.db'*"
as office move svy-1 open
meet field office
as field survey answer svy-1 q1=3 q2=time
as field move svy-1 closed
exits 0 "five are" survey tally svy-1
meet field office
node=$work/office
exits 0 "the tallies of all are added up" survey results svy-1 --format csv
check "one and the other" prints "q2,Quels obstacles ?,time,9,2"
check "and what is below five is not told" prints "budget,<5"
exits 0 "in French" --lang fr survey results svy-1
check "with the words of the list" prints "Manque de temps"
exits 0 "it is tallied" move svy-1 tallied
exits 0 "and published" move svy-1 published
as office survey tally svy-1
check "and counted no more" tells "is not closed (published)"
exits 0 "a second tally changes what the first wrote" move svy-1 published
check "there are as many records" same "$(count survey_tally survey=svy-1)" 6

# ----------------------------------------------------------- owned by authors

exits 0 "a lesson is written" add lesson code=les-1 audience=organisation \
    "text_fr=Recenser les superviseurs"
exits 0 "an organisation adopts it" add adoption code=adp-1 lesson_id=les-1
exits 0 "with a state of its own" move adp-1 open
exits 0 "that it moves on" move adp-1 accepted --on 2019-03-01
check "by its workflow" same "$(state office adp-1)" accepted
exits 0 "a spending is noted" add expense code=exp-1 activity_id=act-1 \
    amount=120.50 currency=USD
meet field office
node=$work/field
exits 4 "nobody moves another's adoption" move adp-1 in_progress
exits 4 "nor changes another's spending" set exp-1 amount=1

exits 0 "a hand-over has its way" add assignment code=asg-1 role=focal_point \
    start_on=2018-01-01
exits 5 "one who leaves gives notice first" move asg-1 handed_over
exits 0 "then" move asg-1 notice
exits 0 "hands over" move asg-1 handed_over
exits 5 "and ends" move asg-1 ended
check "for a reason" tells "turnover, mandate_ended"
exits 0 "which is told" move asg-1 ended --reason turnover --on 2019-01-31
exits 0 "its end stands in it" --json show asg-1
check "as a day" prints '"end_on": "2019-01-31"'
exits 0 "handed over" flags assignment --format csv
check "it is not vacant" lacks asg-1
exits 0 "one that was not" add assignment code=asg-2 role=coordinator \
    end_on=2018-06
exits 0 "is" flags assignment --format csv
check "since its end" prints "vacant,2018-06,assignment,asg-2"
exits 0 "all is sound" verify --deep
finish
