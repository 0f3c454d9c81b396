#!/bin/sh
# make_fixture.sh BUILD - writes fixtures/replica-N.tar.gz, N the version of
# the schema: a small replica that every later version must open, and beside
# it its digest. Run by hand, once a version, and never again for that one.
. "$(dirname "$0")/../e2e/lib.sh"

version=$(sed -n "s/^#define ENT_SCHEMA_VERSION //p" \
    "$here/../../common/store/store.h")
endpoint=tcp://127.0.0.1:$((20000 + $$ % 20000))

need() {
    "$@" || {
        echo "failed: $*" >&2
        cat "$work/err" "$work/out" >&2
        exit 1
    }
}

# A kind that only the second author has heard of.
cp -r "$here/../../configs" "$work/configs"
cat >"$work/configs/kinds/99-later.conf" <<'C'
kind later {
    number = 990
    table = "laters"
    package = "laters"
    key = "id"
    title = "text"
    label_en = "Later"
    label_fr = "Plus tard"

    field code {
        number = 1   type = code
        loud = quiet   personal = no
        label_en = "Code"
        label_fr = "Code"
    }

    field text {
        number = 2   type = text
        loud = ask   personal = no
        label_en = "Text"
        label_fr = "Texte"
    }
}
C

need entente init --org "Ministère de la Santé" --country BDI
need entente space create bdi --title-en Burundi --title-fr "Burundi"
need entente add contact code=ctc-1 display_name="Béa Niyonzima" \
    role=focal_point
need entente add contact code=ctc-2 display_name="Ann" role=focal_point
need entente add trainer code=trn-1 "languages=fr|rn"
need entente set trn-1 languages+=en languages-=rn
need entente add activity code=act-1 title_fr="Formation" progress_pct=10
need entente add activity code=act-2 title_fr="Supervision"

"$build/node/entented" --home "$work/a" --listen "$endpoint" \
    2>"$work/daemon" &
daemons=$!
tries=0
while [ $tries -lt 50 ] && [ ! -S "$work/a/entented.sock" ]; do
    sleep 0.1
    tries=$((tries + 1))
done
need entente invite bdi --role editor --endpoint "$endpoint"
line=$(cat "$work/out")
node=$work/b
need entente init --org "Croix-Rouge"
need entente join "$line" --timeout 20s
need entente set act-1 progress_pct=24
(
    ENTENTE_DATADIR=$work/configs
    export ENTENTE_DATADIR
    need entente add later code=lat-1 text="seen after an upgrade"
) || exit 1
node=$work/a
need entente set act-1 progress_pct=26
need entente delete act-2
need entente delete ctc-2
node=$work/b
need entente set act-2 progress_pct=5
need entente sync --timeout 20s
kill "$daemons"
wait "$daemons" 2>/dev/null
daemons=

node=$work/a
rm -f "$work/a/entented.sock"
need entente digest --format csv
cp "$work/out" "$here/fixtures/replica-$version.digest"
need entente verify --deep
tar -C "$work" --sort=name --owner=0 --group=0 --mtime=@0 -czf \
    "$here/fixtures/replica-$version.tar.gz" a
ls -l "$here/fixtures"
