#!/bin/sh
# sharing.sh - how far a record may be passed on, and what leaves a node.
. "$(dirname "$0")/lib.sh"

# has NAMES...: these contacts were printed, and no others.
has() {
    same "$(grep -o 'ctc-[a-z]*' "$work/out" | sort -u | tr '\n' ' ')" \
        "${*:+$* }"
}

# rows TABLE: of the snapshot.
rows() {
    sqlite3 "$work/$file" "SELECT count(*) FROM $1"
}

entente init --org "Org A" --country BDI
entente space create s
for level in group network public; do
    entente add contact code=ctc-$level display_name="Ann $level" \
        sharing=$level iso3=BDI title=Coordinatrice email=$level@example.org
done
entente add contact code=ctc-unsaid display_name="Ann unsaid" iso3=BDI
entente add trainer code=trn-1 contact_id=ctc-public iso3=BDI
entente add trainer code=trn-2 contact_id=ctc-group iso3=BDI

exits 0 "unasked, all that is here is exported" export contact --columns code
check "also what is the group's" has ctc-group ctc-network ctc-public ctc-unsaid
exits 0 "for the group" export contact --columns code --sharing group
check "all of it is" has ctc-group ctc-network ctc-public ctc-unsaid
check "and nothing is said" same "$(cat "$work/err")" ""
exits 0 "for the network" export contact --columns code --sharing network
check "what may go there is" has ctc-network ctc-public
check "and how much may not" tells "2 records are left out"
exits 0 "for everybody, by the word people read" --lang fr export contact \
    --columns code --sharing Public
check "only what is public is" has ctc-public
exits 0 "conditions" export contact title=Coordinatrice --columns code \
    --sharing public
check "hold, too" tells "2 records are left out"
exits 0 "so it is in vCards" --format vcf export contact --sharing public
check "alone" same "$(grep -c BEGIN:VCARD "$work/out")" 1
exits 0 "in JSON" --json export contact --columns code --sharing public
check "as well" has ctc-public
exits 2 "there is no other level" export contact --sharing everybody
check "which is said" tells "private, group, network or public"

exits 0 "in a package" export --package "$work/pkg" --sharing public
check "it is alone, too" same "$(sed 1,2d "$work/pkg/contacts.csv" | wc -l)" 1
check "and who says nothing stays" test ! -e "$work/pkg/trainers.csv"
check "all are counted" tells "5 records are left out"

# --------------------------------------------------- kinds without the field

entente kinds add-field trainer sharing --space s --type enum --values sharing \
    --loudness ask
exits 0 "a space gives a kind the field" set trn-1 sharing=public
exits 5 "nothing is written as private" set trn-2 sharing=private
exits 0 "then it counts" export trainer --sharing public
check "record by record" same "$(grep -c '^trn-' "$work/out")" 1
check "others are the group's" tells "1 record is left out"

# ----------------------------------------------------- reports and snapshots

exits 0 "a report" report trainer-roster --format csv
check "is made of all" same "$(grep -c '^trn-' "$work/out")" 2
exits 0 "unless what may not leave is kept out" report trainer-roster \
    --format csv --sharing public
check "of it" same "$(grep -o '^trn-[0-9]' "$work/out")" trn-1
check "and said" tells "1 record is left out"
exits 0 "of merged records" merge ctc-group ctc-public
exits 0 "the narrowest counts" sql \
    "SELECT group_concat(sharing) FROM main.contacts"
printf 'SELECT code, display_name FROM contacts ORDER BY 1' >"$work/mine.sql"
mine=$work/configs
cp -r "$here/../../configs" "$mine"
cp "$work/mine.sql" "$mine/reports/mine.sql"
ENTENTE_DATADIR=$mine "$build/cli/entente" --home "$node" report mine \
    --sharing public --format csv >"$work/out" 2>"$work/err"
check "for all of them" has
ENTENTE_DATADIR=$mine "$build/cli/entente" --home "$node" report mine \
    --sharing network --format csv >"$work/out" 2>"$work/err"
check "not for others" has ctc-network
entente unmerge ctc-group
exits 2 "a report that is no SQL takes none" report freshness --sharing public

file=all.db
exits 0 "a snapshot" snapshot "$work/$file"
check "has all" same "$(rows contacts) $(rows trainers)" "4 2"
file=public.db
exits 0 "or what is public" snapshot "$work/$file" --sharing public
check "alone" same "$(rows contacts) $(rows trainers)" "1 1"
check "which is said" tells "4 records are left out"
file=hashed.db
exits 0 "without names" snapshot "$work/$file" --anonymise
check "what is the group's is there" same "$(rows contacts)" 4
finish
