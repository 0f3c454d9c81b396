#!/bin/sh
# run.sh SECONDS|build [NAME...] - each fuzzer for that long (build: none, they
# are built only), with clang, libFuzzer
# and the sanitizers, in a build folder of its own (ENTENTE_FUZZ_BUILD, by
# default below /tmp). New inputs stay there; what crashes is named.
seconds=${1:?usage: $0 SECONDS|build [NAME...]}
shift
here=$(cd "$(dirname "$0")" && pwd)
build=${ENTENTE_FUZZ_BUILD:-/tmp/entente-fuzz}
names=${*:-entry frame stream csv config invite key offer query roster session value}

if [ ! -f "$build/build.ninja" ]; then
    CC=clang meson setup "$build" "$here/../.." -Dfuzz=true \
        -Db_sanitize=address,undefined -Db_lundef=false \
        -Dc_args=-fsanitize=fuzzer-no-link >/dev/null || exit 1
fi
targets=
for name in $names; do targets="$targets tests/fuzz/fuzz_$name"; done
ninja -C "$build" $targets >"$build/ninja.log" || {
    tail -5 "$build/ninja.log"
    exit 1
}

[ "$seconds" = build ] && exit 0

failed=0
for name in $names; do
    mkdir -p "$build/found/$name"
    set --
    [ -f "$here/dict/$name.dict" ] && set -- "-dict=$here/dict/$name.dict"
    # Weighing inputs by rarity costs more there than running them.
    [ "$name" = session ] && set -- "$@" -entropic=0
    UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1 \
    ASAN_OPTIONS=detect_leaks=1:allocator_may_return_null=1:quarantine_size_mb=16 \
        "$build/tests/fuzz/fuzz_$name" -max_total_time="$seconds" "$@" \
        -rss_limit_mb=1024 -timeout=20 -max_len=65536 -print_final_stats=1 \
        -artifact_prefix="$build/$name-" \
        "$build/found/$name" "$here/corpus/$name" >"$build/$name.log" 2>&1
    rc=$?
    runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$build/$name.log")
    if [ $rc -eq 0 ]; then
        echo "ok - $name: ${runs:-0} inputs in $seconds s"
    else
        failed=1
        echo "not ok - $name: see $build/$name.log"
        grep -m 3 -E 'ERROR|runtime error|assertion|Test unit' \
            "$build/$name.log" | sed 's/^/#   /'
    fi
done
exit $failed
