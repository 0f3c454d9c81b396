#!/bin/sh
# powercut.sh BUILD [CUTS] - power cuts, as near as a running system has them:
# a node's home on an ext4 disk in RAM that is cut off with
# EXT4_IOC_SHUTDOWN and no flush of its journal, so that all that was not
# forced to the disk is gone. Then kill -9, mount again, and: every write that
# was acknowledged is there, transactions are whole, `verify` finds nothing,
# the node goes on under its origin.
#
# By turns: a program that writes without pause through the library; commands
# beside a daemon; the first commands of a new node, cut right behind each.
# A control with synchronous=NORMAL must lose acknowledged writes: else this
# machine's disk cannot show a loss, and all the above says nothing.
#
# What counts is what was acknowledged before the cut began: to an fdatasync
# that is under way during it Linux (6.18) may answer 0 and drop the data, as a
# program of ten lines without SQLite shows. Not shown either: a disk that lies
# about what it has written.
. "$(dirname "$0")/../e2e/lib.sh"

cuts=${2:-6}
powercut=$build/tests/faults/powercut
kinds=$here/../../configs/kinds
disk=$work/disk
image=
daemon=
writer=

tidy_up() {
    for pid in $writer $daemon; do kill -9 "$pid" 2>/dev/null; done
    umount "$disk" 2>/dev/null || umount -l "$disk" 2>/dev/null
    [ -n "$image" ] && rm -f "$image"
    clean_up
}
trap tidy_up EXIT

skip() {
    echo "skip - power cuts: $1"
    exit 77
}

# Why the last command failed, in a few words.
why() {
    tail -1 "$work/err"
}

# A number below $1.
random() {
    od -An -N4 -tu4 /dev/urandom | awk -v below="$1" '{ print $1 % below }'
}

pause_ms() {
    sleep "$(awk -v ms="$1" 'BEGIN { printf "%.3f", ms / 1000 }')"
}

# --------------------------------------------------------------------- disk

attach() {
    mount -o loop,noatime "$image" "$disk" 2>"$work/err"
}

cut_off() {
    "$powercut" cut "$disk" 2>"$work/err"
}

# A process that is being killed may hold the disk for a moment more.
detach() {
    tries=0
    until umount "$disk" 2>"$work/err"; do
        tries=$((tries + 1))
        [ $tries -lt 100 ] || return 1
        sleep 0.1
    done
}

mkdir "$disk"
[ "$(id -u)" = 0 ] || skip "mounting a disk needs root"
command -v mkfs.ext4 >/dev/null || skip "there is no mkfs.ext4"
image=$(mktemp /dev/shm/entente-disk.XXXXXX 2>/dev/null ||
    mktemp "$work/image.XXXXXX") || exit 1
truncate -s 64M "$image"
mkfs.ext4 -q -F "$image" 2>"$work/err" || skip "mkfs.ext4: $(why)"
attach || skip "no loop device or no ext4 here: $(why)"
cut_off || skip "ext4 here cannot be cut off: $(why)"
detach || exit 1
attach || exit 1

# ------------------------------------------------------------------ writing

# Everybody is ended with -9, after the disk went.
end_all() {
    for pid in $writer $daemon; do kill -9 "$pid" 2>/dev/null; done
    for pid in $writer $daemon; do wait "$pid" 2>/dev/null; done
    writer=
    daemon=
}

power_cut() {
    cp "$acks" "$work/told" || exit 1
    cut_off || exit 1
    end_all
    mv "$work/told" "$acks"
    detach && attach && return 0
    echo "not ok - the disk cannot be used again: $(why)"
    exit 1
}

make_node() {
    entente init --org "Org A" && entente space create s
}

# Each acknowledged write is a line of $acks.
write_fast() {
    "$powercut" write "$node" "$kinds" "$run" "$acks" "$@" 2>"$work/said" &
    writer=$!
    pause_ms $((20 + $(random 400)))
}

write_by_commands() {
    "$build/node/entented" --home "$node" 2>"$work/daemon.log" &
    daemon=$!
    (
        i=0
        while "$build/cli/entente" --home "$node" add contact \
            "code=$run-$i-1-0" display_name=Somebody >"$work/said" 2>&1; do
            echo "$run-$i-1-0" >>"$acks"
            i=$((i + 1))
        done
    ) &
    writer=$!
    pause_ms $((50 + $(random 600)))
}

# ----------------------------------------------------------------- checking

lost=0

# What was acknowledged and is not there, counted in `lost`; transactions that
# are there in part, in `torn`.
look() {
    entente list contact --columns code --format csv || return 1
    sed '1d; s/^.*,//' "$work/out" | sort >"$work/held"
    sort "$acks" >"$work/acked"
    lost=$(comm -13 "$work/held" "$work/acked" | wc -l)
    torn=$(awk -F- '{ n[$1 "-" $2 "-" $3]++ }
        END { for (t in n) { split(t, p, "-"); bad += n[t] != p[3] }
              print bad + 0 }' "$work/held")
}

sound() {
    look || return 1
    [ "$lost" = 0 ] && [ "$torn" = 0 ] ||
        { echo "lost $lost, torn $torn" >"$work/out"; return 1; }
    entente verify --deep || return 1
    same "$origin" "$(origin_of)"
}

origin_of() {
    "$build/cli/entente" --home "$node" whoami --format csv 2>&1 |
        grep -i origin
}

# keeps SENTENCE: the node after the cut.
total=0
keeps() {
    if sound; then
        total=$((total + $(wc -l <"$acks")))
    else
        say_not_ok "$1 (cut $cut)"
    fi
}

# ------------------------------------------------------------- the first steps

step() {
    case $1 in
    0) entente init --org "Org A" && origin=$(origin_of) ;;
    1) entente space create s ;;
    2) entente config dial_seconds=7 ;;
    3) entente add contact "code=$run-0-1-0" display_name=Somebody &&
        echo "$run-0-1-0" >>"$acks" ;;
    esac
}

# The power goes right behind the step $1, and what was told is so.
first_steps() {
    for i in 0 1 2 3; do
        [ "$i" -le "$1" ] || break
        step "$i" || say_not_ok "step $i of a new node"
    done
    power_cut
    check "a new node keeps its origin (cut $cut, step $1)" \
        same "$origin" "$(origin_of)"
    if [ "$1" -ge 1 ]; then
        entente space list
        check "its space (cut $cut)" prints s
    fi
    if [ "$1" -ge 2 ]; then
        entente config dial_seconds
        check "its settings (cut $cut)" prints 7
    fi
    if [ "$1" -ge 3 ]; then
        keeps "its first record"
    fi
}

# ---------------------------------------------------------------------- run

first=0
cut=0
while [ "$cut" -lt "$cuts" ]; do
    run=c$cut
    case $((cut % 3)) in
    2)
        node=$disk/first-$cut
        acks=$work/acks-first
        : >"$acks"
        first_steps $((first % 4))
        first=$((first + 1))
        rm -rf "$node"
        ;;
    *) # a home lives through several cuts
        node=$disk/n$((cut / 6))
        acks=$work/acks-$((cut / 6))
        if [ ! -e "$acks" ]; then
            : >"$acks"
            rm -rf "$disk"/n*
            make_node || exit 1
            origin=$(origin_of)
            node_origin=$origin
        fi
        origin=$node_origin
        if [ $((cut % 3)) = 0 ]; then write_fast; else write_by_commands; fi
        power_cut
        keeps "what was acknowledged outlives a power cut"
        ;;
    esac
    cut=$((cut + 1))
done
check "$cuts cuts, $total acknowledged writes looked for, none lost" \
    test "$failed" = 0

# ------------------------------------------------------------------ control

caught=0
gone=0
controls=$((cuts / 5 + 2))
i=0
while [ $i -lt $controls ]; do
    node=$disk/normal-$i
    acks=$work/acks-normal
    run=n$i
    : >"$acks"
    rm -rf "$disk"/n*
    make_node || exit 1
    write_fast normal
    power_cut
    look || lost=$(wc -l <"$acks")
    [ "$lost" -gt 0 ] && caught=$((caught + 1))
    gone=$((gone + lost))
    i=$((i + 1))
done
if [ $caught = 0 ]; then
    echo "skip - this machine cannot show a loss: with synchronous=NORMAL" \
        "$controls cuts lost nothing either"
    [ "$failed" = 0 ] && exit 77
fi
say_ok "control: synchronous=NORMAL lost $gone acknowledged writes in $caught \
of $controls cuts"
detach
finish
