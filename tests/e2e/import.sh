#!/bin/sh
# import.sh - tables and packages in and out: nothing half imported, nothing
# twice, every row of a split package exactly once, and back out as it came.
. "$(dirname "$0")/lib.sh"

# resource kind, as in the demonstration package
resources="organisations:organisation groups:group contacts:contact
memberships:assignment trainers:trainer trainings:training
participations:participation plans:plan activities:activity
milestones:milestone challenges:challenge support_links:support_link
sessions:support_session requests:request lessons:lesson messages:message
places:place countries:country survey_results:survey_tally facts:fact"

# A set has no order: the elements of each cell, sorted.
sort_sets() {
    awk -F, -v OFS=, '{
        for (i = 1; i <= NF; i++) {
            n = split($i, e, "|")
            for (j = 2; j <= n; j++)
                for (k = j; k > 1 && e[k] < e[k - 1]; k--) {
                    t = e[k]; e[k] = e[k - 1]; e[k - 1] = t
                }
            $i = e[1]
            for (j = 2; j <= n; j++)
                $i = $i "|" e[j]
        }
        print
    }' | sort
}

# Data rows of a table whose second row is tags.
source_rows() {
    awk 'NR > 2' "$demo/$1.csv" | sort_sets
}

entente init --org "Org A"
entente space create demo
entente space create scratch

# ------------------------------------------------------------------ package

exits 0 "a dry run of the package" --dry-run import --package "$demo" \
    --space demo
check "counts" prints Contact
check "and writes nothing" same "$(count contact)" 0
exits 0 "the package is imported" import --package "$demo" --space demo \
    --format csv
cp "$work/out" "$work/first"
check "every contact is new" grep -q '^contact,107,0,0,' "$work/first"
check "the vocabulary is only compared" tells vocabulary
check "no reference is left hanging" sh -c "! grep -q check '$work/err'"
before=$(digest demo)
exits 0 "it is imported again" import --package "$demo" --space demo \
    --format csv
check "nothing is new or changed" sh -c \
    "tail -n +2 '$work/out' | grep -qv ',0,0,[0-9]*,0\$'; test \$? -eq 1"
check "the digest is the same" same "$(digest demo)" "$before"
exits 0 "the replica is as it should be" verify --deep

# --------------------------------------------------------------- references

before=$(digest demo)
printf 'id,plan_id,responsible_id\nact-r1,pln-bdi,ctc-pf-bdi-1\n' \
    >"$work/ref.csv"
printf 'act-r2,ctc-pf-bdi-01,\nact-r3,org-bdi-ingo01,\n' >>"$work/ref.csv"
exits 5 "a reference to a record of another kind is refused" import activity \
    "$work/ref.csv" --space demo
check "with file, line and field" tells "ref.csv:3: plan_id"
check "and what it is" tells "contact"
check "each" tells "ref.csv:4: plan_id"
check "and nothing is written" same "$(digest demo)" "$before"
printf 'id,plan_id,responsible_id\nact-r1,pln-bdi,ctc-pf-bdi-1\n' \
    >"$work/ref.csv"
for i in 2 3 4 5 6 7 8 9; do
    echo "act-r$i,pln-nowhere-$i,ctc-pf-bdi-1"
done >>"$work/ref.csv"
exits 0 "what is not here may come later" --dry-run import activity \
    "$work/ref.csv" --space demo
check "it is counted" tells "17 references lead to no record held here"
check "the first are told" tells "ref.csv:2: responsible_id"
check "with what may be meant" tells '"ctc-pf-bdi-01"'
check "each once" same "$(grep -c ctc-pf-bdi-1 "$work/err")" 1
check "and not all of them" sh -c "! grep -q nowhere-9 '$work/err'"
printf 'id,name_fr,parent_id\ngrp-r1,Un,grp-r2\ngrp-r2,Deux,\n' >"$work/ref.csv"
exits 0 "rows may name others further down" --dry-run import group \
    "$work/ref.csv" --space demo
check "nothing is said of it" sh -c "! grep -q reference '$work/err'"

# ------------------------------------------------------------------- totals

exits 0 "the reports are listed" report
check "by name" prints cascade
exits 0 "the cascade" report cascade --on 2019-03-01 --format csv
check "adds up to 60, 48, 2, 10 and 8" prints ",60,48,2,10,8"
exits 0 "trainings held and reported" report held-reported --on 2019-03-01 \
    --format csv
check "reach 144 organisations" sh -c "tail -1 '$work/out' | grep -q ',144\$'"
exits 0 "a report of one country" report cascade --country BDI
check "ends with who contributed" prints "Org A"
exits 0 "in French" --lang fr report cascade
check "with French headings" prints "Formés"
exits 3 "an unknown report is not found" report casacde
exits 3 "nor one outside the folder" report ../kinds/01-organisation
exits 3 "nor is an unknown group" report cascade --group grp-none
exits 5 "a broken date is refused" report cascade --on 2019-13-01

# ------------------------------------------------------------------- export

for pair in $resources; do
    resource=${pair%%:*}
    kind=${pair##*:}
    entente export "$kind" --space demo --hxl
    head -2 "$work/out" >"$work/head"
    tail -n +3 "$work/out" | sort_sets >"$work/rows"
    source_rows "$resource" >"$work/source"
    check "the table of $kind comes out as it went in" \
        cmp -s "$work/rows" "$work/source"
    check "with the same heading and tags" \
        sh -c "head -2 '$demo/$resource.csv' | cmp -s - '$work/head'"
done
exits 0 "columns can be chosen" export contact --columns code,phone
check "phones stay as they are" prints "+44 7700 900001"
exits 0 "TSV has tabs" --format tsv export country
check "between its cells" grep -q "^BDI	Burundi" "$work/out"
exits 0 "JSON has lists" --format json export trainer
check "of elements" prints '"languages": ["fr", "rn"]'
exits 0 "a table for a French spreadsheet" export activity --for excel-fr
check "has semicolons" prints ";"
exits 0 "a package is written" export --package "$work/pkg" --space demo
exits 2 "and not written over" export --package "$work/pkg" --space demo
exits 0 "what was written is imported elsewhere" \
    import --package "$work/pkg" --space scratch
exits 0 "and written again" export --package "$work/pkg2" --space scratch
rm -f "$work/pkg/datapackage.json" "$work/pkg2/datapackage.json"
check "it is the same" diff -r "$work/pkg" "$work/pkg2"
exits 0 "a field that came later is filled" add activity code=act-new \
    partners=org-irc --space demo
entente export activity --space demo
check "and has a column then" same \
    "$(head -1 "$work/out" | tr , '\n' | tail -1)" partners
entente delete act-new
entente export activity --space demo
check "but none while nobody fills it" \
    sh -c "! head -1 '$work/out' | grep -q partners"

# ------------------------------------------------------------------- a split

node=$work/split
entente init --org "Org S"
for space in bdi ner rest; do
    entente space create $space
done
exits 0 "one part" import --package "$demo" --space bdi --where iso3=BDI
exits 0 "another part" import --package "$demo" --space ner --where iso3=NER
exits 0 "the rest" import --package "$demo" --space rest \
    --where iso3!=BDI --where iso3!=NER
for pair in $resources; do
    resource=${pair%%:*}
    kind=${pair##*:}
    "$build/cli/entente" --home "$node" export "$kind" | tail -n +2 |
        sort_sets >"$work/rows"
    source_rows "$resource" >"$work/source"
    check "every row of $resource lies in exactly one part" \
        cmp -s "$work/rows" "$work/source"
done
check "a row without a country goes with what it refers to" \
    same "$(count assignment --space bdi code=mem-001)" 1
exits 0 "check finds every reference in some space" check --format csv
check "and lists none" same "$(wc -l <"$work/out")" 1
exits 0 "a country of a split may be said by its name" --dry-run \
    import --package "$demo" --space bdi --where iso3=burundi --format csv
check "and is the same" grep -q "^contact,0,0,[1-9][0-9]*,0\$" "$work/out"
exits 5 "but not by none" import --package "$demo" --space bdi \
    --where iso3=Burundy
exits 5 "a split by a field nobody has is refused" \
    import --package "$demo" --space bdi --where iso=BDI
check "and the nearest is named" tells iso3
exits 2 "a split that is no comparison is wrong usage" \
    import --package "$demo" --space bdi --where iso3

# ------------------------------------------------------------ one bad table

node=$work/bad
entente init --org "Org X"
entente space create x
bad=$work/bad.csv
refused() {
    sentence=$1
    shift
    exits 5 "$sentence" import "$@"
    check "and nothing of it is imported" \
        same "$(count contact)$(count trainer)" 00
}

printf 'id,dislay_name\nc-1,Ann\n' >"$bad"
refused "an unknown column is refused" contact "$bad"
check "with file, line and column" tells "bad.csv:1: dislay_name"
check "and the nearest field" tells '"display_name"'

printf 'id,display_name,role\nc-1,Ann,focal_point\nc-2,Bo,focal_pont\n' >"$bad"
refused "an unknown code is refused" contact "$bad"
check "with file, line and field" tells "bad.csv:3: role"
check "and the nearest code" tells "did you mean focal_point"

printf 'id,display_name,consent_on\nc-1,Ann,2018-02-30\n' >"$bad"
refused "a day that does not exist is refused" contact "$bad"
check "with what would be taken" tells "2017-06-15"

printf 'id,display_name\nc-1,Ann\nc-2,B\303\050o\n' >"$bad"
refused "bytes that are not UTF-8 are refused" contact "$bad"
check "with file, line and field" tells "bad.csv:3: display_name"
check "with the value" tells '"B\xc3(o" is not valid UTF-8 at byte 2'
check "and how to save it" tells "save the file as UTF-8"
printf 'id,display_name,pr\351nom\nc-1,Ann,A\n' >"$bad"
refused "so are they in a heading" contact "$bad"
check "with how to save it" tells "save the file as UTF-8"

printf 'id;budget\na-1;1.250,50\na-2;1250,x\n' >"$bad"
exits 5 "a point in a number between semicolons is refused" \
    import activity "$bad"
check "with the number" tells 'bad.csv:2: budget: "1.250,50"'
check "as it may be written there" tells "write 1250,50 or 1 250,50"
printf 'id,budget\na-1,1\342\200\257250.50\n' >"$bad"
exits 5 "a blank in a number between commas is refused" import activity "$bad"
check "also one that does not break the line" tells "no-break"

{
    printf 'id,display_name\nc-1,'
    head -c 20971520 /dev/zero | tr '\0' x
    printf '\nc-2,Bo\n'
} >"$bad"
refused "a field of 20 MiB is refused" contact "$bad"
check "with its line" tells "bad.csv:2"

printf 'id,display_name\nc-1,"Ann\nc-2,Bo\n' >"$bad"
refused "an open quotation mark is refused" contact "$bad"
printf 'id,display_name\nc-1,Ann,x\n' >"$bad"
refused "a cell too many is refused" contact "$bad"
printf 'id,display_name\n,Ann\n' >"$bad"
refused "a row without its code is refused" contact "$bad"
printf 'id,display_name,display_name\nc-1,a,b\n' >"$bad"
refused "two columns of one name are refused" contact "$bad"
: >"$bad"
refused "an empty file is refused" contact "$bad"
awk 'BEGIN { print "id,role,sharing"
    for (i = 1; i <= 1100; i++) print "c-" i ",nobody,nowhere" }' >"$bad"
refused "many faults are told at once" contact "$bad"
check "of a thousand rows" same "$(grep -c 'bad.csv:' "$work/err")" 2000
check "all there is of each" tells "bad.csv:1001: sharing"
check "and the rest counted" tells "200 more"
exits 3 "a file that is not there is not found" import contact "$work/none.csv"
exits 3 "nor is a kind" import contcat "$bad"

# --------------------------------------------------------------- good tables

printf '\357\273\277id;display_name;role\r\nc-1;"Ann; Bo";Point focal\r\n' >"$bad"
exits 0 "semicolons, a mark and labels are understood" import contact "$bad"
exits 0 "the record" --json show c-1
check "has its name" prints '"display_name": "Ann; Bo"'
check "and its code" prints '"role": "focal_point"'

printf '\357\273\277sep=;\r\nid;family\r\nc-1;Bo\r\n' >"$bad"
exits 0 "a first line that names the separator is none of the table" \
    import contact "$bad"

printf 'id,title\nc-1,\n' >"$bad"
entente set c-1 title=Chef
exits 0 "an empty cell" import contact "$bad"
entente --json show c-1
check "leaves the field alone" prints '"title": "Chef"'

printf 'id,languages\nt-1,fr|rn\n' >"$bad"
exits 0 "a set" import trainer "$bad"
printf 'id,languages\nt-1,en|fr\n' >"$bad"
exits 0 "and another" import trainer "$bad"
entente --json show t-1
check "are one set" prints '"languages": ["fr", "rn", "en"]'

printf 'id;languages;training_languages\nt-2;français|Arabic;FR|rundi|fr-bi\n' >"$bad"
exits 0 "languages by their names, English and French" import trainer "$bad"
entente --json show t-2
check "are codes" prints '"languages": ["fr", "ar"]'
check "those of a country, too" prints \
    '"training_languages": ["fr", "rn", "fr-BI"]'
printf 'id,languages\nt-2,frenche\n' >"$bad"
exits 5 "a language nobody knows is refused" import trainer "$bad"
check "with the nearest" tells \
    'bad.csv:2: languages: "frenche" is no language; did you mean fr (French)?'

printf 'display_name\nDan\n' >"$bad"
exits 0 "a table without codes is imported" import contact "$bad"
check "and what that means is said" tells "again"

printf '%s' '[{"id": "c-j1", "title": 12345678901234567890123,
  "display_name": 1e3, "family": -0.10}, {"id": "c-j2", "title": "1e3"}]' \
    >"$work/numbers.json"
exits 0 "numbers of JSON" import contact "$work/numbers.json"
entente --json show c-j1
check "keep their digits in a text" prints '"title": "12345678901234567890123"'
check "as they were written" prints '"display_name": "1e3"'
check "zeros too" prints '"family": "-0.10"'
printf '%s' '[{"id": "a-j1", "budget": 1.5e3, "progress_pct": 1e1,
  "due_on": "2018-06"}]' >"$work/numbers.json"
exits 0 "where figures stand they are figures" import activity \
    "$work/numbers.json"
entente --json show a-j1
check "of that size" prints '"budget": 1500'
check "also whole ones" prints '"progress_pct": 10'
printf '[{"id": "a-j1", "budget": 01}]' >"$work/numbers.json"
exits 5 "what is no number of JSON is refused" import activity \
    "$work/numbers.json"
printf '[{"id": "t-j1", "languages": ["fr", "r|n"]}]' >"$work/bars.json"
exits 5 "an element with a bar is refused" import trainer "$work/bars.json"
check "by its field" tells "languages: an element holds a bar"
printf '[{"id": "s-j1", "questions": ["q1:text:a|b"]}]' >"$work/bars.json"
exits 5 "of a set of texts too" import survey "$work/bars.json"
printf '[{"id": "c-j3", "title": ["a|b"]}]' >"$work/bars.json"
exits 0 "in a text it is kept" import contact "$work/bars.json"
entente --json show c-j3
check "whole" prints '"title": "a|b"'
printf '[{"id": "t-j1", "languages": [["fr"], {"a": 1}]}]' >"$work/bars.json"
exits 5 "a list in a list is refused" import trainer "$work/bars.json"

printf 'Code,Nom,Age\nc-7,Eve,30\n' >"$bad"
printf '# columns\nCode = id\nNom = display_name\nAge =\n' >"$work/map"
exits 0 "a map renames columns and leaves one out" \
    import contact "$bad" --map "$work/map"
check "and the record is there" same "$(count contact code=c-7)" 1
printf 'Code : id\n' >"$work/map"
exits 5 "a broken map is refused" import contact "$bad" --map "$work/map"
check "with its line" tells "map:1"
printf 'Cod = id\n' >"$work/map"
exits 5 "so is a map of another table" \
    import contact "$bad" --map "$work/map"

entente delete c-7
printf 'id,display_name\nc-7,Eva\n' >"$bad"
exits 0 "a deleted record" import contact "$bad"
check "stays deleted" same "$(count contact code=c-7)" 0
check "which is said" tells undelete

# Formulas: guarded on the way out, as they were on the way back.
entente add organisation code=o-1 name="=1+1" acronym="'=quoted"
entente add organisation code=o-2 name="+44 7700 900001" acronym="-x"
entente export organisation
cp "$work/out" "$work/org.csv"
check "a formula is guarded" prints "'=1+1"
check "one that had an apostrophe gets another" prints "''=quoted"
check "a telephone number is not" prints ",+44 7700 900001,"
before=$(digest x)
exits 0 "what was exported is imported" import organisation "$work/org.csv"
check "and nothing changes" same "$(digest x)" "$before"

# ------------------------------------------------------- a package from afar

pkg=$work/evil
mkdir "$pkg"
package() {
    printf '{"resources": [{"name": "%s", "path": "%s"}]}' "$1" "$2" \
        >"$pkg/datapackage.json"
}
printf 'id,display_name\nc-9,Zoe\n' >"$pkg/contacts.csv"
package contacts ../evil/contacts.csv
exits 5 "a path out of the folder is refused" import --package "$pkg"
package contacts /etc/passwd
exits 5 "so is one from the root" import --package "$pkg"
ln -s contacts.csv "$pkg/link.csv"
package contacts link.csv
exits 5 "so is a link" import --package "$pkg"
rm "$pkg/link.csv"
exits 5 "so is a table that is not there" import --package "$pkg"
{
    printf 'id,display_name\nc-9,"'
    head -c 2000000 /dev/zero | tr '\0' x
    printf '"\n'
} >"$pkg/long.csv"
package contacts long.csv
exits 5 "a row without an end is refused" import --package "$pkg"
check "with its line and column" tells "long.csv:2: the row"
check "by name" tells "display_name"
mkfifo "$pkg/pipe.csv"
package contacts pipe.csv
exits 5 "so is a pipe" import --package "$pkg"
package contcats contacts.csv
exits 5 "so is a resource nobody knows" import --package "$pkg"
check "and the nearest is named" tells contacts
printf '{"resources": [' >"$pkg/datapackage.json"
exits 5 "so is a broken description" import --package "$pkg"
printf '{}' >"$pkg/datapackage.json"
exits 5 "so is an empty one" import --package "$pkg"
exits 3 "a folder without one is not found" import --package "$work"
package vocabulary vocabulary.csv
printf 'list,code\nrole,king\n' >"$pkg/vocabulary.csv"
exits 5 "a term nobody knows is refused" import --package "$pkg"
check "with its line" tells "vocabulary.csv:2"
check "nothing came in" same "$(count contact code=c-9)" 0
finish
