# meet.sh - several nodes over loopback, each in a folder of its own below $work,
# with its key in a file beside it; sourced after lib.sh.

# A hundred ports for each script: those that run side by side have near pids.
port=$((20000 + $$ % 120 * 100))

# start NAME: that node's daemon, on a port of its own.
start() {
    port=$((port + 1))
    "$build/node/entented" --home "$work/$1" \
        --listen "tcp://127.0.0.1:$port" 2>>"$work/daemon" &
    daemons="$daemons $!"
    eval "at_$1=tcp://127.0.0.1:$port"
    tries=0
    while [ $tries -lt 50 ] && [ ! -S "$work/$1/entented.sock" ]; do
        sleep 0.1
        tries=$((tries + 1))
    done
}

# stop_all: every daemon that was started.
stop_all() {
    for pid in $daemons; do
        kill "$pid" 2>/dev/null
        wait "$pid" 2>/dev/null
    done
    daemons=
}

# as NODE ARGS...: the program on that node.
as() {
    node=$work/$1
    shift
    entente "$@"
}

# meet A B: A's command exchanges with B's daemon, once.
meet() {
    start "$2"
    eval "endpoint=\$at_$2"
    as "$1" peer add "$endpoint" "$(cat "$work/$2.key")"
    as "$1" sync "$(cat "$work/$2.key")" --timeout 20s
    stop_all
}

# lacks TEXT: it does not stand on stdout of the last run.
lacks() {
    ! prints "$1"
}
