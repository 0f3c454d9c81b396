#!/bin/sh
# run.sh - the main job of Entente with four nodes on this machine: a Burundi
# agency, a Niger NGO, a regional office and a headquarters edit apart, meet,
# and headquarters reports. Installs what is needed, builds, and ends with the
# report and exit status 0.
#
#   sh configs/demo/run.sh [--keep DIR]    DIR keeps the four nodes
set -eu

here=$(cd "$(dirname "$0")/../.." && pwd)
. "$here/configs/packages.sh"

keep=
case "${1-}" in
--keep) keep=${2:?--keep needs a directory} ;;
"") ;;
*)
    echo "usage: sh configs/demo/run.sh [--keep DIR]" >&2
    exit 2
    ;;
esac

install_packages $build_packages

# quietly COMMAND...: what it says is shown when it fails.
quietly() {
    said=$("$@" 2>&1) || {
        echo "$said" >&2
        exit 1
    }
}

build=${BUILD:-$here/build}
[ -f "$build/build.ninja" ] || quietly meson setup "$build" "$here"
quietly ninja -C "$build" cli/entente node/entented \
    cli/po/fr/LC_MESSAGES/entente.mo

work=$(mktemp -d "${TMPDIR:-/tmp}/entente-demo.XXXXXX")
daemons=

stop_daemons() {
    for pid in $daemons; do
        kill "$pid" 2>/dev/null || :
    done
    for pid in $daemons; do
        wait "$pid" 2>/dev/null || :
    done
    daemons=
}

finish() {
    stop_daemons
    if [ -n "$keep" ]; then
        mkdir -p "$keep" && cp -R "$work/." "$keep/"
        echo "the four nodes are kept in $keep"
    fi
    rm -rf "$work"
}
trap finish EXIT
trap 'exit 1' INT TERM

# on NODE COMMAND...: a command on one node.
on() {
    whose=$1
    shift
    "$build/cli/entente" --home "$work/$whose" "$@"
}

say() {
    printf '\n== %s\n' "$*"
}

fail() {
    echo "demo: $*" >&2
    for log in "$work"/*.log; do
        echo "--- $log" >&2
        tail -n 20 "$log" >&2
    done
    exit 1
}

# link_up NODE: its daemon listens on a free port of this machine, the same
# one each time so that the others find it again.
link_up() {
    port=$(cat "$work/$1.port" 2>/dev/null || echo '*')
    : >"$work/$1.log"
    "$build/node/entented" --home "$work/$1" \
        --listen "tcp://127.0.0.1:$port" --config "$work/entented.conf" \
        2>>"$work/$1.log" &
    daemons="$daemons $!"
    tries=0
    until grep -q 'listening on' "$work/$1.log"; do
        tries=$((tries + 1))
        [ $tries -lt 100 ] || fail "the daemon of $1 does not listen"
        sleep 0.1
    done
    sed -n 's/.*listening on tcp:.*:\([0-9][0-9]*\).*/\1/p' \
        "$work/$1.log" | tail -n 1 >"$work/$1.port"
}

# digests SPACE NODE...: wait until all replicas of a space are equal, then
# show it.
digests() {
    space=$1
    shift
    tries=0
    while :; do
        for each; do
            on "$each" --format tsv digest "$space" | tail -n 1 | cut -f 2-
        done >"$work/digests"
        [ "$(sort -u "$work/digests" | wc -l)" = 1 ] && break
        tries=$((tries + 1))
        [ $tries -lt 300 ] ||
            fail "the replicas of $space did not become equal"
        sleep 0.2
    done
    for each; do
        printf '%-9s %-7s state %s\n' "$each" "$space" \
            "$(head -n 1 "$work/digests" | cut -f 3)"
    done
}

cat >"$work/entented.conf" <<'C'
dial_seconds = 1
C

say "Four organisations, four nodes"
on burundi init --org "Agence BDI" --country BDI
on niger init --org "ONG NER" --country NER
on region init --org "Bureau régional" --country KEN
on hq init --org "Siège" --country CHE

say "Three spaces: each is founded by who chairs it"
on burundi space create bdi --title-fr "Burundi" --title-en "Burundi"
on niger space create ner --title-fr "Niger" --title-en "Niger"
on region space create global --title-fr "Groupe mondial" \
    --title-en "Global group"

say "Links up: members join over ZeroMQ with CURVE"
for node in burundi niger region hq; do
    link_up $node
done
for node in burundi niger; do
    on region invite global --role editor >"$work/line"
    on $node join "$(cat "$work/line")" >/dev/null
done
for space in burundi:bdi niger:ner region:global; do
    on "${space%:*}" invite "${space#*:}" --role reader >"$work/line"
    on hq join "$(cat "$work/line")" >/dev/null
done
on hq space list

say "The demonstration data, in parts"
data=$here/configs/demo/data
on burundi import --package "$data" --space bdi --where iso3=BDI
on niger import --package "$data" --space ner --where iso3=NER
on region import --package "$data" --space global \
    --where iso3!=BDI --where iso3!=NER
digests global region burundi niger hq

say "Links down: everybody edits apart"
stop_daemons
on burundi set act-syr-4 due_on=2019-02-28
on niger set act-syr-4 due_on=2019-03-31
on burundi add lesson --space global code=les-bdi-99 audience=working_group \
    theme=workforce "text_fr=Prévoir deux suppléants par équipe" status=open
on niger set les-01 status=accepted
on burundi set evt-bdi-2 participants=26
on region set org-irc "name=International Rescue Committee (IRC)"

say "They meet"
for node in burundi niger region hq; do
    link_up $node
done
digests bdi burundi hq
digests ner niger hq
digests global region burundi niger hq

say "Both values of the contested field are kept, and one is chosen"
on region conflicts --space global
status=0
on region conflicts --check >/dev/null || status=$?
[ $status = 6 ] || fail "conflicts --check gave $status instead of 6"
on region resolve act-syr-4 due_on --value 2019-03-31
digests global region burundi niger hq
on region conflicts --check >/dev/null || fail "a conflict is still open"

say "What headquarters knows, from its own replica"
on hq --lang fr report cascade
on hq report held-reported >"$work/held"
total=$(on hq --format tsv report cascade | tail -n 1 | cut -f 2-6)
[ "$total" = "60	48	2	10	8" ] || fail "the cascade gives $total"
grep -q '144' "$work/held" || fail "not 144 organisations"
cat "$work/held"
for node in burundi niger region hq; do
    on $node verify >/dev/null || fail "$node does not verify"
done
printf '\nAll replicas are equal; every node verifies.\n'
