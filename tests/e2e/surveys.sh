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
exits 5 "a question that is none is refused" add survey code=svy-0 \
    questions=foo
check "with what one looks like" tells "CODE:FORM:TEXT"
exits 5 "so is one with an answer that is none" add survey code=svy-0 \
    "questions=q1:extnt:Did it help?"
check "with the list that may be meant" tells '"extent"'
exits 5 "and a question asked twice" add survey code=svy-0 \
    "questions=q1:extent:Did it help?|q1:text:What else?"
check "by its name" tells "q1"
exits 5 "also when one is there" set svy-1 "questions+=q1:text:Again?"
exits 5 "and one without a name" set svy-1 questions+=:text:Why?
printf 'code,questions\nsvy-0,q1:text:Why?\nsvy-00,q1;text;Why?\n' \
    >"$work/surveys.csv"
exits 5 "in files, too" import survey "$work/surveys.csv" --space s
check "with the line and the field" tells "surveys.csv:3: questions:"
exits 0 "a draft changes" set svy-1 "questions-=q5:text:Autre" \
    "questions+=q5:text:Autre ?"
exits 0 "back" set svy-1 "questions-=q5:text:Autre ?" \
    "questions+=q5:text:Autre"
exits 0 "it begins as a draft" move svy-1 draft
exits 0 "it is opened" move svy-1 open --on 2019-02-01
meet field office

exits 5 "then its questions stay" set svy-1 "questions+=q6:text:Et puis ?"
check "as people may have answered them" tells "answer"
exits 5 "none is taken out" set svy-1 "questions-=q5:text:Autre"
exits 5 "nor all" set svy-1 questions=
printf '#!/bin/sh\nsed "s/Autre/Et puis/" "$1" >"$1.new"\nmv "$1.new" "$1"\n' \
    >"$work/editor"
chmod +x "$work/editor"
EDITOR=$work/editor exits 5 "nor in an editor" edit svy-1
printf 'code,questions,title_en\nsvy-1,q6:text:Why?,After\n' >"$work/surveys.csv"
exits 5 "nor by a file" import survey "$work/surveys.csv" --space s
printf 'code,questions,title_en\nsvy-1,q5:text:Autre,After\n' \
    >"$work/surveys.csv"
exits 0 "which may say the same again" import survey "$work/surveys.csv" --space s
exits 0 "other fields change" set svy-1 "title_en=After the training"
exits 0 "its state may be set back by hand" set svy-1 status=draft
exits 5 "but what was asked was asked" set svy-1 "questions+=q6:text:Et puis ?"
check "as is said" tells "no draft any more (open)"
exits 0 "it is what the moves say" undo
exits 5 "also then" set svy-1 "questions+=q6:text:Et puis ?"
node=$work/office
entente add survey code=svy-u questions=q1:text:Why?
meet field office
as field set svy-u questions+=q2:text:When?
meet field office
as office move svy-u draft
as office move svy-u open
meet field office
node=$work/field
exits 5 "nor by undoing what was asked before it opened" undo
check "as is said" tells "answer"

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
exits 0 "the counts are records" list survey_tally --format csv \
    --columns survey,question,category,value
check "of a question how many answered" prints "svy-1,q1,total,5"
check "and no answer that fewer than five gave" same "$(count survey_tally)" 2
check "nor those that fewer did not give" lacks time
check "questions that fewer answered are not there" lacks q3
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
check "one and the other" prints "q2,Quels obstacles ?,total,10,2"
check "an answer that one of them told" prints "q2,Quels obstacles ?,time,5,1"
check "and what is not told may be few" prints "q2,Quels obstacles ?,budget,<5,0"
cp "$work/out" "$work/results"
exits 0 "the tallies go out as a table" export survey_tally --format csv \
    --output "$work/tallies.csv"
exits 0 "and come in again" import survey_tally "$work/tallies.csv"
entente survey results svy-1 --format csv
check "nobody is counted twice" cmp -s "$work/out" "$work/results"
exits 0 "in French" --lang fr survey results svy-1
check "with the words of the list" prints "Manque de temps"
check "and headings" prints "valeur"

# ------------------------------------------- nothing follows by subtraction

values() {
    "$build/cli/entente" --home "$node" list survey_tally question=$1 \
        --columns category,value,survey --format csv |
        sed -n 's/.*,\([a-z0-9]*,[0-9]*\),svy-2$/\1/p' | sort | tr '\n' ' '
}
answer() {
    for i in $(seq "$1"); do
        as office survey answer svy-2 "$2"
    done
}
as office add survey code=svy-2 "questions=a:extent:A|b:extent:B|c:number:C|d:yesno:D"
as office move svy-2 draft
as office move svy-2 open
answer 9 a=4
answer 6 a=3
answer 2 a=2
answer 8 b=4
answer 1 b=1
answer 1 b=2
answer 6 c=2
as office move svy-2 closed
exits 0 "answers of several sizes are counted" survey tally svy-2
check "the next smallest is left out beside the one below five" \
    same "$(values a)" "4,9 total,17 "
check "and beside two that are below five together" \
    same "$(values b)" "total,10 "
check "numbers are counted and summed" same "$(values c)" "count,6 sum,12 "
before=$(digest s)
exits 0 "the same again writes nothing" survey tally svy-2
check "not a byte" same "$(digest s)" "$before"
as office move svy-2 open
answer 4 a=2
as office move svy-2 closed
before=$(digest s)
exits 0 "four more answers to one question" survey tally svy-2
check "are told to wait" tells "1 question stays as it was counted"
check "and it stays" same "$(values a)" "4,9 total,17 "
as office move svy-2 open
answer 1 b=4
as office move svy-2 closed
as office move svy-2 open
answer 1 c=2
as office move svy-2 closed
before=$(digest s)
exits 5 "when every question has to wait" survey tally svy-2
check "it is said why" tells "since it was counted"
check "and nothing is written" same "$(digest s)" "$before"
as office move svy-2 open
answer 1 a=1
as office move svy-2 closed
exits 0 "a fifth answer lets it be counted" survey tally svy-2
check "without the one who stands alone" same "$(values a)" "3,6 4,9 total,22 "

# Nor by the difference to what was told before.
more() {
    as office move svy-2 open
    answer "$1" d=yes
    answer "$2" d=no
    as office move svy-2 closed
    entente survey tally svy-2
}
more 6 6
check "both answers are told" same "$(values d)" "no,6 total,12 yes,6 "
more 4 1
check "four and one more are told as five" same "$(values d)" "total,17 "
more 1 4
check "when it is five and five they are told again" \
    same "$(values d)" "no,11 total,22 yes,11 "
more 5 1
check "one who said no among six is not told of" same "$(values d)" "total,28 "
more 1 5
check "but among twelve, of whom six did" \
    same "$(values d)" "no,17 total,34 yes,17 "

meet field office
as field list survey_tally question=a category=total --json
as field set "$(sed -n 's/.*"id": "\([^"]*\)".*/\1/p' "$work/out")" value=1
meet field office
as office move svy-2 open
answer 1 a=4
as office move svy-2 closed
entente survey tally svy-2
check "what somebody else wrote into it does not" same "$(values a)" \
    "3,6 4,9 total,1 "
as office set svy-2 code=svy-9
as office move svy-9 open
for i in 1 2 3 4 5; do
    as office survey answer svy-9 a=4
done
as office move svy-9 closed
rows=$(count survey_tally question=a)
exits 0 "under another code it is the same survey" survey tally svy-9
check "with the same records" same "$(count survey_tally question=a)" "$rows"
exits 0 "whose tallies are found" survey results svy-9 --format csv
check "all" prints "b,B,total,10,1"

# ------------------------------------------------------------------ to the end

exits 0 "it is tallied" move svy-1 tallied
exits 0 "and published" move svy-1 published
as office survey tally svy-1
check "and counted no more" tells "is not closed (published)"
exits 0 "a second tally changes what the first wrote" move svy-1 published

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
