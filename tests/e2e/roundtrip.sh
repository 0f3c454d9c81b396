#!/bin/sh
# roundtrip.sh - whatever can be written can be read back, to the same record:
# records of every kind, with little in them and with all, go out as a package
# and come in again where they are, and on another node.
. "$(dirname "$0")/lib.sh"

every=$here/every.py
kinds=$here/../../configs/kinds

entente init --org "Org A"
entente space create here
for file in "$kinds"/*.conf; do
    kind=$(sed -n 's/^kind \([a-z_]*\) {.*/\1/p' "$file")
    key=$(sed -n 's/^    key = "\(.*\)"/\1/p' "$file")
    entente kinds "$kind" --json
    printf '%s\t%s\t%s\n' "$kind" "$key" "$(tr '\n' ' ' <"$work/out")"
done >"$work/kinds"

# Every row of the tables in a package, sorted: who wrote first sorts first.
rows() {
    for table in "$1"/*.csv; do
        sed "s|^|$(basename "$table"): |" "$table"
    done | sort
}

for much in least keyed whole; do
    /usr/bin/python3 "$every" $much <"$work/kinds" >"$work/adds"
    made=yes
    while read -r line; do
        eval "entente $line"
        got=$?
        [ $got -eq 0 ] || { made=no; say_not_ok "$line (exit $got)"; }
    done <"$work/adds"
    check "records of every kind are made ($much)" same $made yes
done

before=$(digest here)
exits 0 "a package of all of them is written" export --package "$work/one"
exits 0 "what was exported is imported" import --package "$work/one" \
    --format csv
check "none is new or changed" sh -c \
    "tail -n +2 '$work/out' | grep -v ',0,0,[0-9]*,0\$'; test \$? -eq 1"
check "and nothing is written" same "$(digest here)" "$before"

for kind in $(cut -f 1 "$work/kinds"); do
    entente export "$kind" --format json --output "$work/table"
    exits 0 "$kind comes back as JSON" import "$kind" "$work/table"
    rm "$work/table"
done
check "and nothing is written by any of these" same "$(digest here)" "$before"

# ------------------------------------------------------- vCards and calendars

entente add contact title=Chef
entente add contact code=ctc-none title=Chef
entente add contact code=ctc-family family=Diallo
entente add contact code=ctc-given given=Awa
entente add contact code=ctc-same family=ctc-same
entente add contact code=ctc-whole display_name=Diallo family=Diallo
entente add contact code=ctc-parts display_name="Awa Diallo" family=Diallo \
    given=Awa
entente space create cards3
entente space create cards4
for what in contact:vcf:4.0:cards4 contact:vcf:3.0:cards3 \
    organisation:vcf:4.0:cards4 organisation:vcf:3.0:cards3 \
    group:vcf:4.0:cards4 group:vcf:3.0:cards3 activity:ics::cards4 \
    milestone:ics::cards4 training:ics::cards4 support_session:ics::cards4; do
    kind=${what%%:*}
    format=$(echo "$what" | cut -d : -f 2)
    version=$(echo "$what" | cut -d : -f 3)
    space=${what##*:}
    entente export "$kind" --format "$format" ${version:+--vcard $version} \
        --space here --output "$work/cards"
    exits 0 "$kind comes back as $format $version" import "$kind" \
        "$work/cards" --space here --format csv
    check "and nothing is changed" grep -q "^$kind,0,0,[0-9]*,0\$" "$work/out"
    exits 0 "it is read where there is nothing" import "$kind" \
        "$work/cards" --space "$space"
    entente export "$kind" --space here
    sort "$work/out" >"$work/here.csv"
    entente export "$kind" --space "$space"
    sort "$work/out" >"$work/there.csv"
    check "and every cell of it is the same" \
        diff "$work/here.csv" "$work/there.csv"
    rm "$work/cards"
done

node=$work/b
entente init --org "Org B"
entente space create there
exits 0 "another node imports the package" import --package "$work/one"
exits 0 "twice" import --package "$work/one" --format csv
check "the second time nothing is new or changed" sh -c \
    "tail -n +2 '$work/out' | grep -v ',0,0,[0-9]*,0\$'; test \$? -eq 1"
exits 0 "it writes a package" export --package "$work/two"
rows "$work/one" >"$work/rows1"
rows "$work/two" >"$work/rows2"
check "with the same rows" diff "$work/rows1" "$work/rows2"

# What its author alone can make has its UUID as a code elsewhere, and is found
# by it.
node=$work/a
entente add training_report --space here training_id=nowhere-1
report=$(cat "$work/out")
entente add report_review --space here report_id="$report" accepted=yes
entente export training_report --space here
cp "$work/out" "$work/reports.csv"
entente export report_review --space here
cp "$work/out" "$work/reviews.csv"
node=$work/b
exits 0 "another's report is imported" import training_report \
    "$work/reports.csv"
exits 0 "and what was said of it" import report_review "$work/reviews.csv"
check "the reference leads there" sh -c "! grep -q 'leads to no' '$work/err'"
exits 0 "it has its name there" show "$report"

# ------------------------------------------------------------- names and keys

node=$work/c
entente init --org "Org C"
entente space create c
exits 0 "a person who is no trainer takes part" add participation \
    training_id=evt-1 contact_id=ctc-1 role=participant
entente add participation training_id=evt-1 trainer_id=trn-1 role=trainer
entente export participation
check "a row that its key does not name has its id" same \
    "$(head -c 3 "$work/out")" id,
cp "$work/out" "$work/p.csv"
exits 0 "and is imported" import participation "$work/p.csv" --format csv
check "to the same record" grep -q '^participation,0,0,2,0$' "$work/out"

cut -d, -f 2- "$work/p.csv" >"$work/bare.csv"
exits 0 "without that column" import participation "$work/bare.csv" \
    --format csv
check "such rows are new ones" grep -q '^participation,2,0,0,0$' "$work/out"
check "which is said of the one without a key" tells \
    "bare.csv: 1 row lacks a part of what names it"
exits 0 "the shared results of a survey are imported" \
    import survey_tally "$demo/survey_results.csv"
entente export survey_tally --hxl
check "and go out without another column" same "$(head -1 "$work/out")" \
    "$(head -1 "$demo/survey_results.csv")"

finish
