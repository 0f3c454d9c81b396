#!/bin/sh
# files.sh - what other programs read and write: vCards, calendars, workbooks,
# tables of French spreadsheets, SQLite files for BI tools. What goes out comes
# back whole, and nothing of it runs in the program that opens it.
. "$(dirname "$0")/lib.sh"

# The distribution's interpreter: it alone sees the distribution's modules.
python=/usr/bin/python3

entente init --org "Org A"
entente space create demo
entente space create copy
entente import --package "$demo" --space demo

# ------------------------------------------------------------ there and back

for pair in organisation:vcf contact:vcf group:vcf activity:ics \
    milestone:ics training:ics support_session:ics; do
    kind=${pair%%:*}
    format=${pair##*:}
    for lang in fr en; do
        exits 0 "$kind as $format ($lang)" --lang $lang export "$kind" \
            --space demo --format "$format" --output "$work/$kind.$lang.$format"
    done
    entente export "$kind" --space demo
    cp "$work/out" "$work/$kind.csv"
    exits 0 "is read elsewhere" import "$kind" "$work/$kind.fr.$format" \
        --space copy
    entente export "$kind" --space copy
    check "and every cell of it is the same" \
        cmp -s "$work/out" "$work/$kind.csv"
    exits 0 "in the other language, too" import "$kind" \
        "$work/$kind.en.$format" --space copy --format csv
    check "and nothing changes" grep -q "^$kind,0,0,[0-9]*,0\$" "$work/out"
    exits 0 "written again it is the same" --lang fr export "$kind" \
        --space demo --format "$format"
    check "to the byte" cmp -s "$work/out" "$work/$kind.fr.$format"
done
exits 0 "vCard 3.0" export contact --space demo --format vcf --vcard 3.0 \
    --output "$work/three.vcf"
chmod 600 "$work/three.vcf"
exits 0 "it is written again" export contact --space demo --format vcf \
    --output "$work/three.vcf"
check "and stays as closed as it was" same \
    "$(stat -c %a "$work/three.vcf")" 600
exits 0 "is read, too" import contact "$work/three.vcf" --space copy \
    --format csv
check "without a change" grep -q '^contact,0,0,107,0$' "$work/out"

check "a country has its name in French" grep -q "^ADR:;;;;;;Burundi" \
    "$work/contact.fr.vcf"
check "the UID is the code" grep -q "^UID:ctc-pf-bdi-01" \
    "$work/contact.fr.vcf"
check "an organisation says that it is one" grep -q "^KIND:org" \
    "$work/organisation.fr.vcf"
check "a group names its members" \
    grep -q "^MEMBER;VALUE=text:ctc-pf-bdi-01" "$work/group.fr.vcf"
check "a state is that of calendars" grep -q "^STATUS:NEEDS-ACTION" \
    "$work/activity.fr.ics"
check "an event ends before the day after" \
    sh -c "tr -d '\r' <'$work/training.fr.ics' |
        grep -A12 '^UID:evt-tot-bdi\$' | grep -q '^DTEND;VALUE=DATE:2018'"
check "no line is longer than 75 bytes" sh -c \
    "! tr -d '\r' <'$work/training.fr.ics' | LC_ALL=C grep -q '.\{76\}'"
exits 0 "the focal points of a country" export contact --space demo \
    iso3=BDI role=focal_point --format vcf
check "are its focal points" same "$(grep -c '^BEGIN:VCARD' "$work/out")" \
    "$(count contact --space demo iso3=BDI role=focal_point)"
check "and some" prints "UID:ctc-pf-bdi-01"
exits 0 "what is due later" export activity --space demo "due_on>=2019" \
    --columns code
check "is what is listed" same "$(tail -n +2 "$work/out" | wc -l)" \
    "$(count activity --space demo "due_on>=2019")"
exits 2 "a condition must be one" export contact iso3
exits 5 "of a field there is" export contact iso=BDI
exits 2 "a plan is no vCard" export plan --format vcf
check "and what is one is named" tells "contact"
exits 2 "a contact is no event" export contact --format ics
exits 2 "a listing is no vCard" list contact --format vcf
exits 2 "vCard 2.1 is not written" export contact --format vcf --vcard 2.1

# ----------------------------------------------------- what other programs do

if "$python" -c 'import vobject, icalendar, openpyxl' 2>/dev/null; then
    for lang in fr en; do
        for kind in contact organisation group; do
            cp "$work/$kind.$lang.vcf" "$work/$kind.vcf"
        done
        for kind in activity milestone training support_session; do
            cp "$work/$kind.$lang.ics" "$work/$kind.ics"
        done
        if "$python" "$here/foreign.py" read "$work" >"$work/foreign" 2>&1; then
            cat "$work/foreign"
        else
            cat "$work/foreign"
            failed=1
        fi
    done
    "$python" "$here/foreign.py" write "$work"
    node=$work/foreign-node
    entente init --org "Org F"
    entente space create f
    entente add organisation code=org-x name="Org Étrangère" acronym=OX
    exits 0 "vCards of python3-vobject are read" import contact \
        "$work/foreign.vcf" --format csv
    check "all of them" grep -q '^contact,2,0,0,0$' "$work/out"
    check "what has no field is counted" tells "PHOTO 1"
    entente --json show foreign-1
    check "the name" prints '"display_name": "Ann; Dupont, née \"X\""'
    check "the preferred address" prints '"email": "ann@example.org"'
    check "the organisation, by its name" prints '"org_id": "org-x"'
    check "the country, by its name" prints '"iso3": "COD"'
    exits 0 "they are read again" import contact "$work/foreign.vcf" \
        --format csv
    check "and nothing changes" grep -q '^contact,0,0,2,0$' "$work/out"
    exits 0 "a calendar of python3-icalendar is read" import activity \
        "$work/foreign.ics" --format csv
    check "all of it" grep -q '^activity,2,0,0,0$' "$work/out"
    entente --json show todo-1
    check "its state" prints '"status": "in_progress"'
    check "its day" prints '"due_on": "2019-02-09"'
    check "its long title" prints "$(printf 'é%.0s' $(seq 1 60))"
    exits 0 "an event of it is a training, too" import training \
        "$work/events.ics"
    entente --json show event-1
    check "that ends on its last day" prints '"end_on": "2019-03-05"'
    node=$work/a
fi

# What another program changed counts, whatever stands beside it.
sed 's/^STATUS:NEEDS-ACTION/STATUS:COMPLETED/; s/^DUE;VALUE=DATE:2019....$/DUE;VALUE=DATE:20191231/' \
    "$work/activity.fr.ics" >"$work/changed.ics"
exits 0 "a calendar that was changed elsewhere" import activity \
    "$work/changed.ics" --space copy
check "changes states" same "$(count activity --space copy status=planned)" 0

# --------------------------------------------------------------- bad objects

node=$work/bad
entente init --org "Org B"
entente space create b
bad=$work/bad.vcf
refused() {
    sentence=$1
    shift
    exits 5 "$sentence" import "$@"
    check "and nothing of it is imported" same "$(count contact)" 0
}
printf 'BEGIN:VCARD\r\nVERSION:4.0\r\nUID:a\r\nFN:A\r\n' >"$bad"
refused "a vCard without an end is refused" contact "$bad"
check "with its line" tells "bad.vcf:1"
printf 'BEGIN:VCARD\nUID:a b\nFN:A\nEND:VCARD\nBEGIN:VCARD\nUID:b\nFN:B\nX-ENTENTE-ROLE:king\nEND:VCARD\n' >"$bad"
refused "a UID with a blank is refused" contact "$bad"
check "with its line and name" tells "bad.vcf:1: UID"
check "and all faults are told at once" tells "bad.vcf:8: role"
printf 'BEGIN:VCARD\nFN:A\nthis is none\nEND:VCARD\n' >"$bad"
refused "a line that is no property is refused" contact "$bad"
check "with its line" tells "bad.vcf:3"
printf 'BEGIN:VCARD\nFN;CHARSET=ISO-8859-1:Ren\351\nEND:VCARD\n' >"$bad"
refused "text that is not UTF-8 is refused" contact "$bad"
check "and the way out is said" tells "UTF-8"
printf 'BEGIN:VCARD\nUID:a\nFN:A\nEND:VCARD\nBEGIN:VCARD\nUID:a\nFN:B\nEND:VCARD\n' >"$bad"
refused "one UID twice is refused" contact "$bad"
printf 'BEGIN:VCALENDAR\nEND:VCALENDAR\n' >"$work/empty.ics"
exits 5 "a calendar with nothing in it is refused" import activity \
    "$work/empty.ics"
printf 'BEGIN:VCALENDAR\nBEGIN:VTODO\nUID:a\nSUMMARY:A\nDUE;VALUE=DATE:20181340\nSTATUS:FINI\nPERCENT-COMPLETE:110\nEND:VTODO\nBEGIN:VTODO\nUID:b\nDTSTART;VALUE=DATE:20180229\nSTATUS:CONFIRMED\nX-OTHER:1\nEND:VTODO\nEND:VCALENDAR\n' >"$work/empty.ics"
exits 5 "a day that does not exist is refused" import activity \
    "$work/empty.ics"
check "with its line, name, value and what would be taken" tells \
    'empty.ics:5: DUE: "20181340" is not a date; write 20170615'
check "so is a state that is none" tells \
    'STATUS: "FINI" is no state of a calendar; write NEEDS-ACTION, IN-PROCESS, COMPLETED, CANCELLED'
check "so is more than all" tells 'PERCENT-COMPLETE: "110"'
check "of all objects at once" tells 'empty.ics:11: DTSTART: "20180229"'
check "a state that an event may have is no fault" same \
    "$(grep -c STATUS: "$work/err")" 1
check "and nothing of it is imported" same "$(count activity)" 0
sed -i '/^DUE\|^DTSTART\|:FINI\|^PERCENT/d' "$work/empty.ics"
exits 0 "without these it is read" import activity "$work/empty.ics"
check "and what no field can hold is counted" tells "X-OTHER 1, STATUS 1"
printf 'BEGIN:VCALENDAR\nEND:VCALENDAR\n' >"$work/empty.ics"
exits 2 "a calendar has no contacts" import contact "$work/empty.ics"

printf 'BEGIN:VCARD\r\nVERSION:2.1\r\nUID:old\r\nN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:Dupont;Ren=\r\n=C3=A9e\r\nTEL;CELL;PREF:+257 22\r\nROLE:Head of everything\r\nEND:VCARD\r\n' >"$bad"
exits 0 "a card of an old telephone is read" import contact "$bad"
check "what is not ours is counted" tells "ROLE 1"
entente --json show old
check "with its name" prints '"display_name": "Renée Dupont"'
{
    printf 'BEGIN:VCARD\nUID:pic\nFN:P\nPHOTO;ENCODING=b:'
    head -c 300000 /dev/zero | tr '\0' A
    printf '\nEND:VCARD\n'
} >"$bad"
exits 0 "a picture does not keep a card out" import contact "$bad"
check "it is only counted" tells "PHOTO 1"
entente add contact code=c-esc display_name="$(printf 'Bad\\; \342\200\256gpj, Ann')"
exits 0 "a name that turns the direction of writing" export contact \
    --format vcf --output "$work/esc.vcf"
exits 0 "comes back" import contact "$work/esc.vcf" --format csv
check "unchanged" grep -q '^contact,0,0,3,0$' "$work/out"

# Kinds with more fields for what a card has: several addresses, a name in
# parts. Where the shipped contact has none of these they are added.
cp -r "$here/../../configs" "$work/configs"
conf=$work/configs/kinds/03-contact.conf
if ! grep -q 'field emails' "$conf"; then
    sed -i '$d' "$conf"
    number=90
    for field in family given emails; do
        number=$((number + 1))
        several=
        [ $field = emails ] && several='rule = set'
        printf 'field %s { number = %s type = text %s loud = quiet\n' \
            $field $number "$several"
        printf 'personal = yes hxl = "#contact+%s" label_en = "%s"\n' \
            $field $field
        printf 'label_fr = "%s" }\n' $field
    done >>"$conf"
    echo '}' >>"$conf"
fi
ENTENTE_DATADIR=$work/configs
export ENTENTE_DATADIR
node=$work/more
entente init --org "Org M"
entente space create m
entente space create n
printf 'BEGIN:VCARD\nUID:f1\nN:Dupont;Zoé;;;\nFN:Zoé Dupont\nEMAIL:one@example.org\nEMAIL;TYPE=pref:two@example.org\nEMAIL:three@example.org\nEND:VCARD\n' >"$bad"
exits 0 "a card with several addresses" import contact "$bad" --space m
entente --json show f1
check "has the preferred one in its field" prints '"email": "two@example.org"'
check "and the others in theirs" \
    prints '"emails": ["one@example.org", "three@example.org"]'
check "and the parts of the name" prints '"family": "Dupont"'
entente add contact --space m code=f2 display_name=Di family=Di
entente add contact --space m code=f3 display_name=Ed given=Ed emails=e@example.org
entente export contact --space m
cp "$work/out" "$work/more.csv"
for version in 4.0 3.0; do
    entente export contact --space m --format vcf --vcard $version \
        --output "$work/more.vcf"
    exits 0 "all of it goes out as vCard $version" \
        import contact "$work/more.vcf" --space n
    entente export contact --space n
    check "and comes back" cmp -s "$work/out" "$work/more.csv"
done
unset ENTENTE_DATADIR
node=$work/bad

# A terminal is shown what would turn its writing or move its cursor.
if command -v script >/dev/null 2>&1; then
    script -qec "'$build/cli/entente' --home '$node' export contact \
        --format vcf" "$work/tty" >/dev/null 2>&1
    check "a terminal gets the turn spelled out" grep -q 'U+202E' "$work/tty"
    check "and not the turn" sh -c "! grep -q $(printf '\342\200\256') '$work/tty'"
    script -qec "'$build/cli/entente' --home '$node' export contact" \
        "$work/tty" >/dev/null 2>&1
    check "nor in a table" sh -c "grep -q 'U+202E' '$work/tty' &&
        ! grep -q $(printf '\342\200\256') '$work/tty'"
    script -qec "'$build/cli/entente' --home '$node' export contact \
        --format xlsx" "$work/tty" >/dev/null 2>&1
    check "a workbook is not put on it" grep -q -e '--output' "$work/tty"
fi

# --------------------------------------------------------- French spreadsheets

printf '\357\273\277id;title_fr;iso3;due_on;budget;spent\r\na-1;Atelier;Rép. dém. du Congo;;;\r\n' >"$work/fr.csv"
exits 5 "a country nobody knows is refused" import activity "$work/fr.csv"
check "with file, line, field and value" tells "fr.csv:2: iso3: \"Rép. dém."
printf '\357\273\277id;title_fr;iso3;due_on;budget;spent\r\na-1;Atelier;République démocratique du Congo;15/06/2017;1 250,50;"12,5"\r\na-2;Cours;burundi;01.02.2018;3\302\240000,25;-7\r\na-3;Fin;BDI;2018-06;10.5;0\r\n' >"$work/fr.csv"
exits 0 "names of countries, days and commas of a French spreadsheet" \
    import activity "$work/fr.csv"
entente --json show a-1
check "the country is a code" prints '"iso3": "COD"'
check "the day is one" prints '"due_on": "2017-06-15"'
check "the comma is a point" prints '"budget": 1250.5'
entente --json show a-2
check "whatever the case" prints '"iso3": "BDI"'
check "and whatever blank" prints '"budget": 3000.25'
printf 'id,iso3\na-4,Burundy\n' >"$work/fr.csv"
exits 5 "a country misspelt is refused" import activity "$work/fr.csv"
check "and the nearest named" tells "did you mean Burundi?"
printf 'id,iso3\na-4,BUX\n' >"$work/fr.csv"
exits 5 "so is a code that no country has" import activity "$work/fr.csv"
printf 'id,iso3\na-4,XKX\na-5,Kenya\n' >"$work/fr.csv"
exits 0 "codes for users of ISO are taken" import activity "$work/fr.csv"
printf 'id,budget\na-4,"1,250"\n' >"$work/fr.csv"
exits 5 "between commas a comma is no decimal point" \
    import activity "$work/fr.csv"
exits 0 "what is written for a French spreadsheet" export activity \
    --for excel-fr --output "$work/back.csv"
check "has decimal commas" grep -q "1250,5" "$work/back.csv"
before=$(digest b)
exits 0 "is read back" import activity "$work/back.csv"
check "and nothing changes" same "$(digest b)" "$before"

# ------------------------------------------------------- headings of all sorts

printf 'Contacts 2019;;\r\n;;\r\nIdentifiant;Qui;Adresse\r\n;#contact +NAME;#contact+email\r\nc-h;Ann;ann@example.org\r\n' |
    sed '4s/^/#contact+code/' >"$work/hxl.csv"
exits 0 "titles above, foreign headings and tags below them" \
    import contact "$work/hxl.csv"
entente --json show c-h
check "say what the columns are" prints '"email": "ann@example.org"'
printf '#contact+code,#contact+name\nc-h2,Bo\n' >"$work/hxl.csv"
exits 0 "tags alone are a heading" import contact "$work/hxl.csv"
check "of a record" same "$(count contact code=c-h2 display_name=Bo)" 1
printf 'Code,Nom,Courriel\nc-h3,Cy,cy@example.org\n' >"$work/hxl.csv"
exits 0 "so are the labels people see" import contact "$work/hxl.csv"
check "in their language" same "$(count contact display_name=Cy)" 1
printf 'x,y\nThe title,\ncode,nom\n#contact+code,#contact+none\nc-h4,Di\n' \
    >"$work/hxl.csv"
exits 5 "a tag nobody knows does not help" import contact "$work/hxl.csv"

# ------------------------------------------------------------------------ JSON

node=$work/a
for pair in activity:json participation:json trainer:jsonl country:json; do
    kind=${pair%%:*}
    exits 0 "$kind as ${pair##*:}" export "$kind" --space demo \
        --output "$work/$kind.${pair##*:}"
    entente export "$kind" --space demo
    cp "$work/out" "$work/$kind.csv"
    exits 0 "is read elsewhere" import "$kind" "$work/$kind.${pair##*:}" \
        --space copy
    entente export "$kind" --space copy
    check "and every cell of it is the same" \
        cmp -s "$work/out" "$work/$kind.csv"
done
node=$work/bad
printf '[{"id": "c-j1", "display_name": "A", "role": "king"}, {"id": "c-j2", "nam": 1}, 5]' \
    >"$work/bad.json"
exits 5 "what is wrong in JSON is refused" import contact "$work/bad.json"
check "with the number of the object and the field" tells "bad.json:1: role"
check "all of it at once" tells "bad.json:2: nam"
check "also what is no object" tells "bad.json:3: "
printf '[{"id": "c-j1"' >"$work/bad.json"
exits 5 "so is JSON that is cut off" import contact "$work/bad.json"
printf '[{"id": "c-j1", "display_name": {"a": 1}}]' >"$work/bad.json"
exits 5 "so is an object in a field" import contact "$work/bad.json"
printf '[{"id": "c-j1", "display_name": "A\\u0000B"}]' >"$work/bad.json"
exits 5 "so is a text with a NUL in it" import contact "$work/bad.json"
check "with the place" tells "U+0000 at byte 35"
check "nothing of it is imported" same "$(count contact code=c-j1)" 0
printf '[{"id": "c-j2", "display_name": "C:\\\\u0000"}]' >"$work/good.json"
exits 0 "a backslash in front of u0000 is none" import contact "$work/good.json"

# ------------------------------------------------------------------- workbooks

node=$work/a
exits 0 "a workbook of a kind" export activity --space demo \
    --output "$work/a.xlsx"
exits 0 "of a listing" list contact --space demo --output "$work/l.xlsx"
exits 0 "of a report" --lang fr report cascade --output "$work/r.xlsx"
exits 0 "of a record" show mem-001 --output "$work/s.xlsx"
for name in replica.db key config high-water; do
    [ -e "$node/$name" ] || : >"$node/$name"
    cp "$node/$name" "$work/kept"
    exits 2 "a file of the node is not replaced: $name" report plans \
        --format csv --output "$work/../${work##*/}/a/$name"
    check "and is as it was" cmp -s "$node/$name" "$work/kept"
done
exits 2 "a file has a name" list activity --output ""
check "which is missing" tells "--output"
for name in L.CSV L.Xlsx; do
    exits 0 "capitals say a format as well: $name" list contact --space demo \
        --output "$work/$name"
done
check "a table" grep -q '^id,' "$work/L.CSV"
check "a workbook" sh -c "head -c 2 '$work/L.Xlsx' | grep -q PK"
printf 'before\n' >"$work/real.csv"
ln -s real.csv "$work/link.csv"
exits 0 "through a link" list contact --space demo --output "$work/link.csv"
check "it is written where the link leads" grep -q '^id,' "$work/real.csv"
check "and the link is one" test -h "$work/link.csv"
ln -s nowhere "$work/lost.csv"
exits 2 "a link that leads nowhere is refused" list contact \
    --output "$work/lost.csv"
check "and stays" test -h "$work/lost.csv"
exits 0 "to a pipe" list activity --format xlsx
check "is one" sh -c "head -c 2 '$work/out' | grep -q PK"
node=$work/bad
entente add organisation code=o-1 name='=1+1' acronym='@cmd'
exits 0 "of a name that looks like a formula" export organisation \
    --output "$work/f.xlsx"
if "$python" -c 'import openpyxl' 2>/dev/null; then
    if "$python" "$here/foreign.py" books "$work" >"$work/foreign" 2>&1; then
        cat "$work/foreign"
    else
        cat "$work/foreign"
        failed=1
    fi
fi

# -------------------------------------------------------------- whole or not

node=$work/a
echo old >"$work/kept.csv"
exits 3 "a failing command" export contcat --output "$work/kept.csv"
check "leaves the file that was there" same "$(cat "$work/kept.csv")" old
check "and nothing beside it" \
    same "$(find "$work" -name 'kept.csv.*' | wc -l)" 0
exits 0 "a good one" export country --output "$work/kept.csv"
check "replaces it" grep -q '^iso3,' "$work/kept.csv"
exits 1 "a folder that is not there is no place" export country \
    --output "$work/no/such.csv"
exits 2 "nor is a device" export country --output /dev/null

# ------------------------------------------------------------------- snapshots

exits 0 "a file for BI tools" snapshot "$work/s.db" --space demo
exits 2 "is not written over" snapshot "$work/s.db"
exits 0 "without persons" snapshot "$work/anon.db" --space demo --anonymise
exits 0 "a dry run of an export" --dry-run export contact --output "$work/dry.csv"
check "says what it would write" tells "would write $work/dry.csv"
check "and writes nothing" test ! -e "$work/dry.csv"
exits 0 "a dry run" --dry-run snapshot "$work/dry.db"
check "writes none" test ! -e "$work/dry.db"
ask() {
    sqlite3 -readonly "file:$work/$1?immutable=1" "$2" 2>&1
}
check "it is one file, without a journal" \
    same "$(find "$work" -name 's.db*' | wc -l)" 1
check "its header says so" \
    same "$(od -An -tu1 -j18 -N2 "$work/s.db" | tr -s ' ')" " 1 1"
check "it has the rows" \
    same "$(ask s.db 'SELECT count(*) FROM contacts')" 107
check "numbers are numbers" \
    same "$(ask s.db 'SELECT sum(spent) > 1000 FROM activities')" 1
check "a view speaks French" same \
    "$(ask s.db "SELECT \"État\" FROM v_activities_fr WHERE Code = 'act-bdi-1'")" \
    Terminée
check "and English" same \
    "$(ask s.db "SELECT \"Responsible\" FROM v_activities_en WHERE Code = 'act-bdi-1'")" \
    "Point focal BDI 01"
check "no log, key or member is in it" same "$(ask s.db "SELECT count(*)
    FROM sqlite_master WHERE name IN ('log', 'origin', 'roster', 'local_node',
    'local_invite', 'frontier')")" 0
for view in $(ask s.db "SELECT name FROM sqlite_master WHERE type = 'view'"); do
    check "$view can be read" same \
        "$(ask s.db "SELECT count(*) > -1 FROM $view")" 1
    check "without persons, too" same \
        "$(ask anon.db "SELECT count(*) > -1 FROM $view")" 1
done
check "no address is left" sh -c "! grep -q 'example.org' '$work/anon.db'"
check "no name is left" sh -c "! grep -q 'Point focal BDI' '$work/anon.db'"
for code in ctc- trn- mem-; do
    check "no code like $code is left, also not within another" \
        sh -c "! grep -q '$code' '$work/anon.db'"
done
check "tables can still be joined" same "$(ask anon.db "SELECT count(*) =
    (SELECT count(*) FROM assignments) FROM assignments a
    JOIN contacts c ON c.code = a.contact_id")" 1
ask anon.db 'SELECT id, title, role FROM contacts' >"$work/order"
check "the order of rows says nothing" env LC_ALL=C sort -c "$work/order"
exits 0 "another one" snapshot "$work/anon2.db" --space demo --anonymise
check "has other hashes" sh -c "test \
    \"$(ask anon.db 'SELECT min(code) FROM contacts')\" != \
    \"$(ask anon2.db 'SELECT min(code) FROM contacts')\""
# Fields that two spaces gave one name share a column.
entente kinds add-field contact badge --space demo --type text
entente kinds add-field contact badge --space copy --type text --personal yes
entente kinds add-field contact visa --space demo --type text
entente kinds add-field contact visa --space copy --type text \
    --personal indirect
entente add contact --space demo display_name=Ann badge=open1234 visa=grade1234
entente add contact --space copy display_name=Bob badge=shut5678 visa=grade5678
exits 0 "one over all spaces" snapshot "$work/anon3.db" --anonymise
for text in open1234 shut5678 grade1234 grade5678; do
    check "what is personal in one space is so in all: $text" \
        sh -c "! grep -q '$text' '$work/anon3.db'"
done
exits 0 "one of the space where it is not" snapshot "$work/anon4.db" \
    --space demo --anonymise
check "has it" grep -q open1234 "$work/anon4.db"
# Help tells the formats of that very command.
exits 0 "export tells its formats" export --help
check "those for contacts and calendars" prints "vcf or ics"
check "but no picture" sh -c "! grep -q svg '$work/out'"
exits 0 "report does" report --help
check "pictures" prints "xlsx or svg"
check "but no contacts" sh -c "! grep -q vcf '$work/out'"
exits 0 "others have none of these" list --help
check "but tables" prints "markdown or xlsx"

# What is said again of a field leaves what is not said as it was.
entente kinds add-field contact passport --space demo --personal yes \
    --loudness ask --label-en "Passport" --label-fr "Passeport"
exits 0 "a label of a field is said again" kinds add-field contact passport \
    --space demo --label-fr "Numéro de passeport"
entente --json kinds contact
check "the label is the new one" prints '"label_fr": "Numéro de passeport"'
check "the other stays" prints '"label_en": "Passport"'
check "so does how loud it is" sh -c \
    "grep passport '$work/out' | grep -q '\"loudness\": \"ask\"'"
entente add contact --space demo display_name=Zoe passport=zz998877
exits 0 "and that it is personal" snapshot "$work/anon5.db" --space demo \
    --anonymise
check "an anonymous copy has nothing of it" \
    sh -c "! grep -q zz998877 '$work/anon5.db'"
exits 0 "less protected only when said" kinds add-field contact passport \
    --space demo --personal no
exits 0 "then a copy" snapshot "$work/anon6.db" --space demo --anonymise
check "has it" grep -q zz998877 "$work/anon6.db"
exits 0 "a set is one still, and takes its terms from where it did" \
    kinds add-field contact skills --space demo --type enum --values tool \
    --several
exits 0 "when only its label is said" kinds add-field contact skills \
    --space demo --label-en Skills
entente --json kinds contact
check "the terms are there" sh -c \
    "grep skills '$work/out' | grep -q observation"
# ------------------------------------------------------ a file at its limit

(
    ulimit -f 8
    "$build/cli/entente" --home "$node" snapshot "$work/limited.db" \
        >"$work/out" 2>"$work/err"
)
check "a file that may not grow is a matter of storage" same $? 7
check "and nothing of it is left" test ! -e "$work/limited.db"
exits 0 "the replica is sound" verify --deep
finish
