#!/bin/sh
# limits.sh - values that no field takes, wherever people write them; and what
# others wrote before anybody asked, which stays readable.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/meet.sh"

# ------------------------------------------------------------------- a node

exits 5 "no node is made in a country that does not exist" \
    init --org "Org A" --country XYZ
check "and what would be accepted is said" tells "ISO 3166-1"
exits 0 "a country may be said by its name" init --org "Org A" --country Burundi
check "and is kept as its code" prints BDI
entente space create bdi

# --------------------------------------------------------------------- size

exits 5 "less than nobody cannot take part" add training participants=-5
check "the field, the value and the least are named" \
    tells 'participants: "-5" is less than 0'
exits 5 "no progress is above 100 %" add activity progress_pct=150
check "both limits are named" tells '"150" is not from 0 to 100'
exits 5 "nor is a test" add participation pre_test_pct=300
exits 5 "no rank is below 1" add challenge rank=0
exits 5 "money has limits, too" add activity budget=-0.5
exits 0 "the limits themselves are accepted" \
    add activity code=act-1 progress_pct=100 budget=0
exits 5 "set has the limits of add" set act-1 progress_pct=101
exits 0 "a listing may ask for what nobody can write any more" \
    list activity "progress_pct>100"

# --------------------------------------------------------------------- form

exits 5 "an e-mail address has an @" add contact email=notanemail
check "as the example shows" tells "name@example.org"
exits 5 "in a set likewise" add contact "emails=a@example.org|b c@example.org"
exits 0 "an address is kept as it is" \
    add contact code=ctc-1 email=Ann.N@example.org
exits 5 "a currency that nobody has is refused" add plan currency=XXQ
check "and what would be accepted is said" tells "ISO 4217"
exits 0 "small letters are taken for large ones" \
    add plan code=pln-1 currency=usd
entente --json show pln-1
check "and kept as such" prints '"currency": "USD"'
if [ -d /usr/share/zoneinfo ]; then
    exits 5 "a time zone of another planet is refused" \
        add contact timezone=Mars/Phobos
    check "and an example is given" tells "Africa/Bujumbura"
fi
exits 5 "no name leads out of the zones" add contact timezone=../passwd
exits 0 "a time zone is taken" set ctc-1 timezone=Africa/Bujumbura
exits 5 "a digest has 64 digits" add document sha256=zz
check "of base 16" tells "64"
exits 0 "which may be large" add document code=doc-1 \
    sha256=9F86D081884C7D659A2FEAA0C55AD015A3BF4F1B2B0B822CD15D6C15B0F00A08

# ------------------------------------------------------- one field by another

exits 5 "nothing ends before it starts" \
    add training start_on=2018-07-19 end_on=2018-07-02
check "both fields are named" \
    tells "end_on: \"2018-07-02\" is before start_on, which is 2018-07-19"
exits 0 "what is known of a date is compared" \
    add training code=evt-1 start_on=2018-07-19 end_on=2018-07
exits 5 "the other day may stand already" set evt-1 end_on=2018-06
exits 5 "from either side" set evt-1 start_on=2018-08-01
exits 0 "both may move at once" set evt-1 start_on=2018-08-01 end_on=2018-08-03
exits 0 "an end alone is one" add training end_on=2018-06
exits 5 "nobody ranks one challenge twice" \
    add ballot rank_1=turnover rank_2=turnover
check "and the first is named" tells "rank_1"
exits 0 "different ones are ranked" \
    add ballot code=bal-1 rank_1=turnover rank_2=time
exits 5 "nor later" set bal-1 rank_3=time
exits 0 "two may change places" set bal-1 rank_1=time rank_2=turnover

# --------------------------------------------------------------- other doors

before=$(count training)
exits 5 "a record of which nothing is said is not added" add training title_fr=
check "and nothing is" same "$(count training)" "$before"
printf 'id,participants,start_on,end_on\ne1,-5,,\ne2,3,2018-02,2018-01\n' \
    >"$work/t.csv"
exits 5 "a table has the limits, too" import training "$work/t.csv"
check "with its line" tells 't.csv:2: participants: "-5"'
printf 'id,participants,start_on,end_on\ne2,3,2018-02,2018-01\n' >"$work/t.csv"
exits 5 "also those of two fields" import training "$work/t.csv"
check "with its line" tells 't.csv:2: end_on: "2018-01" is before'
check "and nothing of it is written" same "$(count training)" "$before"
printf '#!/bin/sh\nsed -i "s/^# *end_on = .*//; s/^end_on = .*/end_on = 2017/" "$1"\n' \
    >"$work/editor"
chmod +x "$work/editor"
EDITOR=$work/editor exits 5 "so has the editor" edit evt-1
check "in its words" tells 'end_on: "2017" is before start_on'
exits 0 "the demonstration data keep within them" \
    import --package "$demo" --space bdi

# -------------------------------------------------------------- transitions

exits 5 "a transition leads to a state" add transition to_state=foo
check "or is told so" tells '"foo"'
exits 5 "of its workflow" \
    add transition workflow=training to_state=in_progress
check "whose states are named" tells "planned, confirmed, delivered"
exits 5 "a workflow exists" add transition workflow=trainin to_state=planned
check "or those that do are named" tells "backstopping"
exits 0 "what is one is written" \
    add transition code=tra-1 workflow=training from_state=planned \
    to_state=confirmed
exits 5 "and not made otherwise" set tra-1 to_state=foo

# ------------------------------------------------------- written by others

# A node whose definitions know no limits, as those of older programs do.
mkdir "$work/old"
cp -R "$here/../../configs/." "$work/old"
sed -i '/^ *min = /d; /^ *format = /d; /^ *not_before = /d' "$work"/old/kinds/*
as b init --org "Org B"
for name in a b; do
    as $name whoami --json
    sed -n 's/.*"key": *"\([0-9a-f]*\)".*/\1/p' "$work/out" >"$work/$name.key"
done
as a invite bdi --role editor --endpoint tcp://127.0.0.1:9
as b join --offline "$(cat "$work/out")"
request=$(cat "$work/out")
as a member admit bdi "$request"
meet b a
ENTENTE_DATADIR=$work/old
export ENTENTE_DATADIR
as b add training code=evt-old participants=-5 start_on=2018-07 end_on=2018-01
as b add contact code=ctc-old "emails=here|a@example.org" email=there
unset ENTENTE_DATADIR
meet b a
node=$work/a
exits 0 "what others wrote comes in" --json show evt-old
check "as it was written" prints '"participants": -5'
exits 0 "its other fields change" set evt-old title_fr=Formation
exits 0 "what is wrong may be repeated with the rest" \
    set evt-old end_on=2018-01 place=Gitega
exits 0 "and be put right" set evt-old end_on=2018-08 participants=5
exits 0 "what should not be in a set is taken out" set ctc-old emails-=here
exits 0 "the replica is in order" verify --deep
exits 0 "and made anew" rebuild
entente --json show ctc-old
check "nothing of it is lost" prints '"email": "there"'

finish
