#!/bin/sh
# texts.sh - texts of other scripts in tables: columns stay where their headings
# are, and nothing in a cell turns the line around.
. "$(dirname "$0")/lib.sh"

# The distribution's interpreter: it alone sees the distribution's modules.
column() {
    /usr/bin/python3 "$here/columns.py" "$@"
}

# add_text NAME TEXT [SHOWN [MARKED]]: a contact with that title, how it is shown,
# and how in markdown.
add_text() {
    added=$((added + 1))
    entente add contact "code=$added-$1" "title=$2" role=trainer
    printf '%s\n' "${3-$2}" >>"$work/shown"
    printf '%s\n' "${4-${3-$2}}" >>"$work/marked"
}

# The cells under the heading are the texts that were written.
under() {
    column "$1" "$2" <"$work/out" >"$work/cells" && cmp "$work/cells" "$3" &&
        [ -s "$3" ]
}

unturned() {
    ! LC_ALL=C grep -q "$(printf '\342\200[\252-\256]\\|\342\201[\246-\251]')" "$work/out"
}

added=10 # so that codes sort as they were written
entente init --org "Org A" --country BDI
entente space create s
add_text arabic "منسق إقليمي للدعم"
add_text accents "Éléonore, là-bas à l’école"
add_text split "$(printf 'e\314\201le\314\200ve')" "élève"
add_text marks "$(printf 'q\314\201\314\202\314\203z n\314\243i')" \
    "$(printf 'q\314\201\314\202\314\203z \341\271\207i')"
add_text wide "東京の研修 (報告)"
add_text korean "교육 훈련"
add_text emoji "$(printf '\360\237\221\251\360\237\217\276\342\200\215\360\237\217\253 ok \360\237\216\211')"
add_text thai "ผู้ฝึกอบรม"
add_text turned "$(printf 'a\342\200\256b\342\201\246c')" "aU+202EbU+2066c"
add_text bars "a|b \\ c" "a|b \\ c" "a\\|b \\\\ c"

exits 0 "texts of many scripts are listed" list contact --sort code \
    --columns code,title,role
check "each in its column" under table Title "$work/shown"
check "the next column where its heading is" sh -c \
    "/usr/bin/python3 '$here/columns.py' table Role <'$work/out' | sort -u |
        grep -qx Trainer"
check "and nothing turns a line" unturned
exits 0 "as markdown" list contact --sort code --columns code,title,role \
    --format markdown
check "each in its cell" under markdown Title "$work/marked"
check "and nothing turns a line there" unturned

n=0
for name in arabic accents split marks wide korean emoji thai turned bars; do
    n=$((n + 1))
    printf '%s\n%s\n%s\n' "$((n + 10))-$name" "$(sed -n "${n}p" "$work/shown")" \
        "trainer (Trainer)" >"$work/one"
    printf '%s\n%s\n%s\n' "$((n + 10))-$name" "$(sed -n "${n}p" "$work/marked")" \
        "trainer (Trainer)" >"$work/one.marked"
    exits 0 "a record with $name is shown" show "$((n + 10))-$name"
    check "in its column" under table value "$work/one"
    check "with nothing that turns a line" unturned
    entente show "$((n + 10))-$name" --format markdown
    check "and in markdown in its cell" under markdown value "$work/one.marked"
done

column terminal 44 "$build/cli/entente" --home "$node" list contact \
    --columns code,title,role >"$work/out"
check "on a narrow terminal texts are wrapped" \
    [ "$(wc -l <"$work/out")" -gt 12 ]
check "within their column" sh -c \
    "/usr/bin/python3 '$here/columns.py' table Title <'$work/out' >/dev/null"
check "and no line is wider than the terminal" /usr/bin/python3 -c "
import ctypes, locale, sys
locale.setlocale(locale.LC_ALL, 'C.UTF-8')
width = ctypes.CDLL(None).wcwidth
lines = open(sys.argv[1], encoding='utf-8').read().split('\n')
sys.exit(any(sum(width(ord(c)) for c in line) > 44 for line in lines))" \
    "$work/out"

# -------------------------------------------------------------- days in French

entente add plan code=pln-1
entente add activity code=act-1 plan_id=pln-1 status=planned start_on=2018-07 \
    due_on=2018-07-19 budget=12.5
entente add activity code=act-2 start_on=2018 due_on=2018-08
exits 0 "people read days as French has them" --lang fr list activity \
    --columns code,start_on,due_on --sort code
check "with the day in front" grep -q "^act-1  07/2018  19/07/2018" "$work/out"
check "as much of it as is known" grep -q "^act-2  2018  *08/2018" "$work/out"
entente add participation code=par-1 "attended_days=2018-07-19|2018-07-20"
exits 0 "in a set of them, too" --lang fr list participation \
    --columns attended_days
check "each" prints "19/07/2018, 20/07/2018"
entente --lang fr list participation --columns attended_days --format csv
check "but for programs" prints "2018-07-19|2018-07-20"
exits 0 "of one record, too" --lang fr show act-1
check "beside its label" grep -q "^due_on .*  19/07/2018 " "$work/out"
exits 0 "in its history" --lang fr log act-1
check "as well" prints "19/07/2018"
exits 0 "in the agenda" --lang fr agenda --on 2019-01-01
check "in front" grep -q "^19/07/2018 " "$work/out"
exits 0 "in what needs attention" --lang fr flags --on 2019-01-01
check "as well" prints "19/07/2018"
exits 0 "in reports" --lang fr report overdue --on 2019-01-01
check "as well" prints "19/07/2018"
exits 0 "in the history of a state" --lang fr move act-1 in_progress \
    --on 2018-07-20
entente --lang fr workflow act-1
check "as well" grep -q "^20/07/2018 " "$work/out"
entente say s "Bonjour"
entente --lang fr list message --columns sent_at
check "moments are told like those of columns in UTC" \
    grep -qE "^[0-9]{2}/[0-9]{2}/[0-9]{4} [0-9]{2}:[0-9]{2}" "$work/out"
for format in csv tsv json jsonl; do
    exits 0 "programs read $format" --lang fr --format $format list activity \
        --columns code,start_on,due_on
    check "with days as they are" prints 2018-07-19
done
exits 0 "in English days stay as they are" list activity
check "too" prints 2018-07-19
exits 5 "a day is typed as it is kept" --lang fr set act-1 due_on=19/07/2018
check "and how is said" tells "2017-06-15"

finish
