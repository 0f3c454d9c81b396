#!/bin/sh
# records.sh - records made, changed, listed, explained and settled, as a
# person at a terminal would.
. "$(dirname "$0")/lib.sh"

# ---------------------------------------------------------- the first minute

exits 3 "without a node a command says so" list contact
exits 0 "a node is made" init --org "Org A" --country BDI
exits 4 "without a space nothing can be written" add contact display_name=Ann
check "and what to do is said" tells "space create"
exits 0 "a space is made" space create bdi --title-en Burundi

exits 0 "kinds are listed" kinds
check "contact is one of them" prints contact
exits 0 "the fields of a kind are listed" kinds contact --format csv
check "with their type, rule and loudness" prints "org_id,ref,register,ask"
exits 3 "an unknown kind is not found" kinds contcat
check "and the nearest is named" tells '"contact"'
exits 2 "an unknown option is wrong usage" list contact --colums code
exits 2 "a missing argument is wrong usage" show

# ------------------------------------------------------------------- adding

exits 0 "a record is added" add contact code=ctc-1 \
    display_name="Ann Ndayizeye" role=focal_point "phone=+44 7700 900001"
ann=$(cat "$work/out")
check "its id is all that is printed" test "${#ann}" -eq 36
exits 0 "labels are taken for codes, in French too" add contact code=ctc-2 \
    display_name="Béa Niyonzima" "role=Point focal" org_id=org-1
exits 5 "an unknown field is refused" add contact dislay_name=Ann
check "and the nearest is named" tells "display_name"
exits 5 "an unknown code is refused" add contact role=focal_pont
check "with field and suggestion" tells "focal_point"
exits 5 "a day that does not exist is refused" add plan start_on=2018-02-30
check "and a form is shown" tells "2017-06-15"
exits 5 "what must stay here cannot be written" add contact sharing=private
exits 2 "a word that is no field is wrong usage" add contact Ann
exits 2 "a field said twice is wrong usage" add contact title=a title=b
exits 5 "a set is no place for a bad element" add trainer languages="fr|r n"
exits 0 "a dry run says what would be" --dry-run add contact code=ctc-9
check "and adds nothing" same "$(count contact)" 2
exits 0 "--json prints an object" --json add trainer code=trn-1 \
    languages="fr|rn" attended_tot=oui
check "with the id" prints '"id": '

# ------------------------------------------------------------------ showing

exits 0 "a record is shown by its code" show ctc-1
check "with the label of a code" prints "Focal point"
check "and who wrote it" prints "Org A"
exits 0 "in French the labels are French" --lang fr show ctc-1
check "as those of codes are" prints "Point focal"
exits 0 "a tail of the id is enough" show "${ann#${ann%??????}}"
exits 0 "also behind an ellipsis" show "…${ann#${ann%??????}}"
exits 3 "three digits are not" show "${ann#${ann%???}}"
exits 0 "JSON has fields and conflicts" --json show ctc-1
check "fields by name" prints '"display_name": "Ann Ndayizeye"'
check "no conflict is an empty list" prints '"conflicts": []'
exits 0 "a set is a list" --json show trn-1
check "in the order it was given" prints '"languages": ["fr", "rn"]'
exits 3 "what is not there is not found" show ctc-none

exits 0 "a second record may have the same code" add contact code=ctc-2 \
    display_name="Another"
check "but it is said" tells "already"
exits 3 "then the code is ambiguous" show ctc-2
check "and the candidates are listed" tells "Another"

# ------------------------------------------------------------------ changing

exits 0 "a field is set" set ctc-1 title=Coordinatrice
exits 0 "the same again changes nothing" set ctc-1 title=Coordinatrice
check "and says so" tells "nothing to change"
exits 0 "elements are put into a set and taken out" \
    set trn-1 languages+=en languages-=rn
entente --json show trn-1
check "and the set holds the others" prints '"languages": ["fr", "en"]'
exits 0 "languages may be said by name" set trn-1 languages+=English
entente --json show trn-1
check "and are the same ones" prints '"languages": ["fr", "en"]'
exits 5 "what is no language is refused" set trn-1 languages+=zz
exits 5 "with the nearest" set trn-1 languages+=kirundi
check "by code and name" tells "did you mean rn (Rundi)?"
exits 0 "another country is called Congo here" add country iso3=COD \
    name_fr=Congo
exits 5 "a name of two countries is refused" add training iso3=congo
check "and both are told" tells \
    'several countries are called "congo"; write the code of one: COD (Congo, The Democratic Republic of the), COG (Congo)'
exits 0 "a set is given anew" set trn-1 "languages=sw|fr"
entente --json show trn-1
check "what stays keeps its place" prints '"languages": ["fr", "sw"]'
exits 5 "nothing is put into a single value" set ctc-1 title+=x
exits 0 "a field is emptied" set ctc-1 title=
entente --json show ctc-1
check "and is empty" prints '"title": null'
before=$(digest bdi)
exits 0 "a dry run of a change" --dry-run set ctc-1 title=Directrice
check "tells old and new" tells "title=Directrice"
check "and leaves the digest" same "$(digest bdi)" "$before"

exits 0 "the history is listed" log ctc-1 --format csv
check "with what was written" prints Coordinatrice
check "and that it was emptied" prints emptied

exits 0 "a record is deleted" delete ctc-1
exits 0 "twice is no error" delete ctc-1
check "but it is said" tells "deleted already"
check "it is listed no more" same "$(count contact code=ctc-1)" 0
exits 5 "a deleted record is not changed" set ctc-1 title=x
exits 0 "it can be shown" --json show ctc-1
check "as deleted" prints '"live": false'
exits 0 "and brought back" undelete ctc-1
check "with its fields" same "$(count contact code=ctc-1)" 1

# ------------------------------------------------------------------- listing

for i in 1 2 3 4; do
    exits 0 "activity $i is added" add activity code=act-$i \
        title_fr="Activité $i à l'école" budget=$i.50 due_on=2018-0$i-15 \
        status=planned iso3=BDI
done
check "= takes equal ones" same "$(count activity iso3=BDI)" 4
check "!= takes the others" same "$(count activity code!=act-1)" 3
check "< compares numbers" same "$(count activity 'budget<3')" 2
check ">= compares dates" same "$(count activity 'due_on>=2018-03-15')" 2
check "~ folds accents and case" same "$(count activity 'title_fr~ACTIVITE')" 4
check "~ takes % as it stands" same "$(count activity 'title_fr~%')" 0
check "filters mean and" \
    same "$(count activity 'budget>1' 'budget<4')" 3
check "--limit ends early" same "$(count activity --limit 2)" 2
exits 0 "--sort - goes down" list activity --sort -budget --columns code \
    --format csv
check "the greatest first" same "$(sed -n 2p "$work/out" | grep -c act-4)" 1
exits 0 "a list is for people" --lang fr list activity code=act-1 \
    --columns code,status
check "who read terms, not codes" prints "Prévue"
exits 0 "and yes in their language" --lang fr list trainer \
    --columns code,attended_tot
check "as they would say it" prints "oui"
entente --lang fr list trainer --columns code,languages
check "and languages by their names" prints "français, swahili"
entente list trainer --columns code,languages
check "in theirs" prints "French, Swahili"
exits 0 "show has code and name" show trn-1
check "beside each other" prints "fr (French)"
exits 0 "programs read codes" list trainer --columns languages --format csv
check "of languages" prints "fr|sw"
exits 0 "JSON has numbers" --json list activity code=act-1
check "as numbers" prints '"budget": 1.5'
exits 5 "a filter on an unknown field is refused" list activity bugdet=1
check "with the nearest" tells budget
exits 2 "a word that is no filter is wrong usage" list activity budget
exits 2 "a column is asked for once" list activity --columns code,status,code
check "and it is named" tells "code is given twice"
exits 2 "the state too" list activity --columns state,code,state
for columns in code,,status ,code code, ""; do
    exits 2 "a column has a name: \"$columns\"" list activity \
        --columns "$columns"
    check "and the place is told" tells "a name is missing in \"$columns\""
done
exits 2 "in an export as well" export activity --columns code,code

exits 0 "words are found, accents folded" find ecole activite --format csv
check "in every record that has them" \
    same "$(tail -n +2 "$work/out" | wc -l)" 4
exits 0 "query signs are only words" find '"act* OR (NEAR' --format csv

exits 0 "explain tells who has a record" explain ctc-1 --format csv
check "and why" prints "this node"

exits 0 "check lists references that lead nowhere" check --format csv
check "with their target" prints org-1
exits 0 "what they lead to is added" add organisation code=org-1 name=Org
entente check --format csv
check "and they are listed no more" same "$(wc -l <"$work/out")" 1

for i in 1 2 3; do
    exits 0 "group $i is put under another" add group code=grp-$i \
        parent_id=grp-$((i % 3 + 1))
done
exits 0 "a group beside them" add group code=grp-4 parent_id=grp-1
exits 0 "check lists the circle" check --format csv
check "with every record in it" \
    same "$(grep -c 'parent_id.*in a circle' "$work/out")" 3
check "but none beside it" sh -c "! grep -q grp-4 '$work/out'"
check "and what is ignored, the last that was written" \
    grep -q "grp-3,.*ignored\$" "$work/out"
exits 0 "the circle is opened" set grp-2 parent_id=
entente check --format csv
check "and is listed no more" same "$(wc -l <"$work/out")" 1

# A newline, an escape and a change of direction from a hostile colleague.
exits 5 "controls are refused where text enters" \
    add contact "title=$(printf 'a\033[31mb')"
exits 0 "a change of direction is kept" \
    add contact code=ctc-rtl "title=$(printf 'a\342\200\256b')"
entente show ctc-rtl
check "but shown as what it is" prints U+202E

# ------------------------------------------------------------ the node's own

exits 0 "who works here is kept" config me=ctc-1
exits 0 "and is told" --json config me
check "as it was given" prints '"me": "ctc-1"'
exits 5 "a name is no code" config "me=Ann Ndayizeye"
exits 0 "who is not here may come" config me=ctc-11
check "but it is said" tells "no contact"
check "with who may be meant" tells '"ctc-1"'
exits 3 "what is no contact does not work here" config me=act-1
check "as is said" tells "not a contact"
exits 0 "nobody works here any more" config me=
entente --json config me
check "and nobody is told" prints '"me": null'
exits 3 "an unknown setting is not found" config mee=ctc-1

# ------------------------------------------------------------ other statuses

exits 0 "no conflict is no error" conflicts --check
exits 3 "nothing to settle is not found" resolve ctc-1 title --take 1
exits 2 "resolve needs a choice" resolve ctc-1 title
if [ -e /dev/full ]; then
    "$build/cli/entente" --home "$node" list contact >/dev/full 2>"$work/err"
    check "output that cannot be written is a failure" same $? 1
fi
cp -r "$node" "$work/broken"
dd if=/dev/zero of="$work/broken/replica.db" bs=4096 count=4 conv=notrunc \
    2>/dev/null
node=$work/broken
exits 7 "a damaged replica is a matter of storage" list contact
node=$work/a
exits 0 "the replica is as it should be" verify --deep

# ------------------------------------------------- two nodes that disagree

if [ ! -x "$build/node/entented" ]; then
    echo "not ok - there is no entented in this build"
    exit 1
fi
endpoint=tcp://127.0.0.1:$((20000 + $$ % 20000))
"$build/node/entented" --home "$work/a" --listen "$endpoint" \
    2>"$work/daemon" &
daemons=$!
tries=0
while [ $tries -lt 50 ] && [ ! -S "$work/a/entented.sock" ]; do
    sleep 0.1
    tries=$((tries + 1))
done
exits 0 "the status tells" --json status
check "that the daemon runs" prints '"daemon": true'
exits 0 "an invitation is made" invite bdi --role editor
line=$(cat "$work/out")
node=$work/b
exits 0 "a second node is made" init --org "Org B"
exits 0 "it joins" join "$line" --timeout 20s
exits 0 "it has the records" show act-1
exits 0 "it writes a figure" set act-1 progress_pct=24
node=$work/a
exits 0 "the other writes another" set act-1 progress_pct=26
exits 0 "and deletes what the other keeps" delete act-2
node=$work/b
exits 0 "which the first has changed" set act-2 progress_pct=5
exits 0 "they meet" sync --timeout 20s
exits 6 "conflicts --check tells" conflicts --check
exits 0 "both values are kept" --json conflicts
check "the one" prints '"value": 24'
check "and the other" prints '"value": 26'
check "a deletion against an edit too" prints '"field": "life"'
exits 0 "list marks the cell" list activity code=act-1 \
    --columns code,progress_pct,status
check "of those that are contested" sh -c "grep -Eq '^act-1 +2[46] ≠ ' '$work/out'"
check "and no other" same "$(grep '^act-1' "$work/out" | grep -o ≠ | wc -l)" 1
check "and counts" prints "1 record has open conflicts (≠)"
exits 0 "a table in Markdown has the mark" --format markdown list activity \
    code=act-1 --columns code,progress_pct
check "too" prints " ≠ |"
exits 0 "programs get the figure alone" list activity code=act-1 \
    --columns code,progress_pct --format csv
check "unmarked" test -z "$(grep ≠ "$work/out")"
exits 0 "a listing of another form counts them" find act
check "below" prints "Open conflicts: 2."
exits 0 "so does the agenda" agenda
check "below" prints "Open conflicts: 2."
exits 0 "a table has one value" export activity
check "which is told" tells "conflicts are open: one value of each is written"
exits 0 "where there is none" export contact
check "nothing is" test ! -s "$work/err"
exits 6 "a plain set does not choose" set act-1 progress_pct=30
check "and names resolve" tells "resolve"
entente conflicts --format csv
n=$(grep progress_pct "$work/out" | grep ',26,' | cut -d, -f5)
exits 0 "a dry run settles nothing" --dry-run resolve act-1 progress_pct \
    --take "$n"
exits 6 "the conflict stands" conflicts --check
exits 2 "there is no third value" resolve act-1 progress_pct --take 3
exits 0 "the value is taken by its number" resolve act-1 progress_pct \
    --take "$n"
entente --json show act-1
check "and is the only one" prints '"progress_pct": 26'
exits 0 "the deletion stands when it is taken" resolve act-2 life --take dead
exits 0 "nothing is open" conflicts --check
exits 0 "they meet again" sync --timeout 20s
check "and are equal" same "$(digest bdi)" "$(node=$work/a digest bdi)"
exits 0 "explain tells that both have it" explain act-1 --format csv
check "the other too" prints "Org A"

# ----------------------------------------- references to what is not here

node=$work/a
entente add plan --space bdi code=pln-ref-1 title_fr=Plan
exits 0 "a reference leads to a record" add activity --space bdi \
    code=act-ref-1 title_fr=Suivi plan_id=pln-ref-1 responsible_id=ctc-1
check "nothing is said of it" test ! -s "$work/err"
exits 0 "what it names may come later" set act-ref-1 plan_id=pln-rfe-1
check "but it is said" tells "plan_id: "
check "with what is not here" tells '"pln-rfe-1"'
check "and what may be meant" tells '"pln-ref-1"'
exits 0 "also when a record is added" add activity --space bdi \
    title_fr=Suivi responsible_id=ctc-999
check "by its field" tells "responsible_id: "
exits 0 "nothing is said to who wants quiet" --quiet set act-ref-1 \
    plan_id=pln-rfe-2
check "nothing" test ! -s "$work/err"
exits 5 "a contact is no plan" set act-ref-1 plan_id=ctc-1
check "as is said" tells "contact"
check "and what would be taken" tells "plan"
exits 5 "nor when a record is added" add activity --space bdi plan_id=ctc-1
exits 5 "nor in a dry run" --dry-run set act-ref-1 plan_id=ctc-1
printf '#!/bin/sh\nsed "s/pln-rfe-2/$WORD/" "$1" >"$1.new"\nmv "$1.new" "$1"\n' \
    >"$work/editor"
chmod +x "$work/editor"
WORD=ctc-1 EDITOR=$work/editor exits 5 "nor in an editor" edit act-ref-1
WORD=pln-rfe-3 EDITOR=$work/editor exits 0 "where a typing error" edit act-ref-1
check "is told" tells '"pln-rfe-3"'
exits 0 "what is deleted was here" delete pln-ref-1
exits 0 "and is no typing error" set act-ref-1 plan_id=pln-ref-1
check "nothing is said of it" test ! -s "$work/err"

# ------------------------------------------------- a code of several records

node=$work/a
entente add contact --space bdi code=ctc-7 display_name=Seven
first=$(cat "$work/out")
exits 0 "a code that is taken may be given again" add contact --space bdi \
    code=ctc-7 display_name=Octave
check "but it is said" tells "already a record"
second=$(cat "$work/out")
exits 3 "then it names two" show ctc-7
exits 0 "one of them is deleted" delete "$second"
for command in show log explain; do
    exits 0 "the code is again that of the one which lives: $command" \
        $command ctc-7
done
entente --json show ctc-7
check "that one" prints '"display_name": "Seven"'
exits 0 "it is changed by its code" set ctc-7 title=Head
exits 0 "and what is deleted shown by its id" --json show "$second"
check "itself" prints '"display_name": "Octave"'
node=$work/b
exits 0 "they meet" sync --timeout 20s
exits 0 "so it is on other nodes" --json show ctc-7
check "that one" prints '"display_name": "Seven"'
exits 0 "undelete is about what is deleted" undelete ctc-7
exits 3 "then it names two again" show ctc-7
exits 0 "of which one" delete "$second"
exits 0 "and then the other goes" delete ctc-7
exits 3 "two that are deleted are told apart" undelete ctc-7
check "by their ids" tells "$first"
exits 0 "one by one" undelete "$first"
exits 0 "what has the code of a deleted record" delete ctc-7
exits 0 "is told so" --dry-run add contact --space bdi code=ctc-7 title=x
check "as one that is deleted" tells "deleted record"

# --------------------------------------------------------------- own fields

node=$work/a
exits 0 "a dry run says which field there would be" --dry-run \
    kinds add-field contact radio --space bdi
check "and defines none" test -z "$(entente kinds contact --format csv
    grep radio "$work/out")"
exits 0 "the chair gives a kind a field" kinds add-field contact radio \
    --space bdi --label-en "Radio call sign" --label-fr "Indicatif radio" \
    --loudness ask
exits 0 "and one with the terms of a list, several at a time" \
    kinds add-field contact tools --space bdi --type enum --values tool --several
exits 0 "and one with figures" kinds add-field contact height --space bdi \
    --type decimal
exits 2 "not one that is there" kinds add-field contact title --space bdi
check "and says so" tells "title"
exits 2 "nor a list that is none" kinds add-field contact colour --space bdi \
    --type enum --values colours
exits 2 "nor a type that is none" kinds add-field contact colour --space bdi \
    --type rainbow
check "and names those there are" tells "decimal"
for name in title "bad name" radio; do
    exits 2 "a dry run refuses the same: $name" --dry-run kinds add-field \
        contact "$name" --space bdi --type integer
done
exits 5 "a label has no control characters" kinds add-field contact colour \
    --space bdi --label-fr "$(printf 'a\033[31m')"
check "and the label is named" tells "--label-fr"
exits 5 "nor what turns the direction of writing" kinds add-field contact \
    colour --space bdi --label-en "$(printf 'a\342\200\256b')"
check "as is said" tells "direction"
turned=$(printf 'a\342\200\256b')
exits 5 "neither has a space's title" space create turned --title-fr "$turned"
exits 5 "nor the name of a line" line "$turned"
node=$work/turned
exits 5 "nor an organisation" init --org "$turned"
check "which is not made" test ! -e "$work/turned/replica.db"
exits 5 "nor has any a line end" init --org "$(printf 'a\rb')"
node=$work/a
exits 0 "and what could be, it would do" --dry-run kinds add-field contact \
    fresh --space bdi --type integer
exits 0 "the fields of the kind have it" --lang fr kinds contact
check "with its label" prints "Indicatif radio"
exits 0 "it is set" set ctc-1 "radio=Kilo 7" "tools=shadowing|observation" \
    height=1.75
exits 5 "a term that is none is refused" set ctc-1 tools+=hammer
exits 0 "an element is taken out" set ctc-1 tools-=shadowing
exits 0 "it is shown" show ctc-1
check "with its label and value" prints "Kilo 7"
exits 0 "in JSON by its name" --json show ctc-1
check "as text" prints '"radio": "Kilo 7"'
check "as a list" prints '"tools": ["observation"]'
check "as a number" prints '"height": 1.75'
exits 0 "log names it" log ctc-1
check "by its name" prints "radio"
exits 0 "a listing has it" list contact --columns code,radio,tools --format csv
check "in the row" prints "ctc-1,Kilo 7,"
exits 0 "it filters" list contact radio~kilo --format csv --columns code
check "the row" prints "ctc-1"
exits 0 "figures by their size" list contact "height>1.7" --format csv
check "more" prints "ctc-1"
entente list contact "height>10" --format csv
check "not by their digits" test -z "$(grep ctc-1 "$work/out")"
exits 0 "elements one by one" list contact tools=observation --format csv
check "each" prints "ctc-1"
exits 0 "it sorts" list contact --sort=-radio --columns code --limit 1 \
    --format csv
check "first" prints "ctc-1"
node=$work/b
exits 5 "who has not met the chair does not know it" set ctc-1 radio=Lima
exits 0 "they meet" sync --timeout 20s
exits 0 "then it does" set ctc-1 "radio=Lima 1"
exits 4 "only the chair defines fields" kinds add-field contact hat --space bdi
node=$work/a
exits 0 "while the other writes another" set ctc-1 "radio=Mike 2"
node=$work/b
exits 0 "they meet again" sync --timeout 20s
node=$work/a
exits 6 "the field asks" conflicts --check
exits 6 "a plain set does not choose" set ctc-1 radio=November
exits 0 "list marks the row" --json list contact code=ctc-1
check "as one with a conflict" prints '"conflicts": 1'
exits 0 "resolve does" resolve ctc-1 radio --value "Lima 1"
exits 0 "export has it" export contact --space bdi
check "in a column" prints "radio"
sed -n -e 1p -e /^ctc-1,/p "$work/out" >"$work/contacts.csv"
exits 0 "and import reads it back" import contact "$work/contacts.csv" \
    --space bdi --format csv
check "without a change" prints "contact,0,0,"
exits 0 "find finds its words" find lima
check "in the record" prints "ctc-1"
kill "$daemons" && wait "$daemons" 2>/dev/null
daemons=
exits 0 "and when it has ended" --json status
check "that it does not" prints '"daemon": false'
exits 8 "a peer that does not answer is not reached" sync --timeout 2s
# --------------------------------------------------------------- older values

# Before names of languages were read a field of codes took any.
node=$work/old
cp -r "$here/../../configs" "$work/configs"
sed -i 's/field languages/field tongues/; s/+language+code/+tongue+code/' \
    "$work/configs/kinds/05-trainer.conf"
(
    ENTENTE_DATADIR=$work/configs
    export ENTENTE_DATADIR
    entente init --org "Org O"
    entente space create o
    entente add trainer code=trn-o "tongues=fr|Arabe|foo"
)
exits 0 "a language that is none can still be read" --json show trn-o
check "as it is" prints '"languages": ["fr", "Arabe", "foo"]'
exits 0 "and taken out" set trn-o languages-=foo languages-=français
exits 0 "or written as it should be" set trn-o languages-=Arabe \
    languages+=Arabe
entente --json show trn-o
check "and is a code then" prints '"languages": ["ar"]'

finish
