#!/bin/sh
# manpages.sh - the examples of the man pages, in both languages, run as they
# stand there, on a node that joins one with the demonstration data. What they
# leave to the reader is given here: the invitation, a key, a folder, an address,
# and what others do meanwhile.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/meet.sh"

pages=$here/../../docs/man
PATH=$build/cli:$build/node:$PATH

# Commands that need another member's answer or an accident, have no end, or are
# for shells.
no_example=" handover-chair succeed member_remove member_replace member_void \
quarantine_readmit watch complete "

# blocks PAGE: the examples of a page as $work/blocks/N, in order; the sentence
# above each as N.says.
blocks() {
    rm -rf "$work/blocks"
    mkdir "$work/blocks"
    awk -v to="$work/blocks/" '
        /^# / { on = /^# (EXAMPLE|EXEMPLE)S?$/ }
        !on { next }
        /^```$/ {
            fenced = !fenced
            if (fenced) {
                n++
                print says > (to n ".says")
            }
            next
        }
        fenced { print > (to n) }
        !fenced && NF && !/^#/ { says = $0 }
    ' "$1"
}

# What others do before an example.
meanwhile() {
    case $(cat "$1") in
    *"set evt-bdi-2 participants=25"*)
        as office set evt-bdi-2 participants=26
        ;;
    *"survey tally"*)
        node=$own
        for i in 1 2 3 4; do
            entente survey answer svy-bdi q1=4
        done
        entente inbox
        ;;
    *"member admit"*)
        as guest join --offline "$(cat "$work/printed")"
        cp "$work/out" "$own.files/$request"
        ;;
    esac
}

# Runs an example as a shell does that stops at what fails.
run() {
    sed -e "s|entente-invite-1:\.\.\.|$invitation|" \
        -e "s|/media/usb|$own.usb|; s|/srv/entente|$own.srv|" \
        -e "s/ \(KEY\|CLÉ\)\$/ $office_key/" "$1" >"$work/script"
    (cd "$own.files" && ENTENTE_HOME=$own LC_ALL=$locale EDITOR="$work/editor" \
        sh -e "$work/script" >"$work/out" 2>"$work/err")
}

# examples PAGE: each of them.
examples() {
    blocks "$1"
    n=1
    while [ -e "$work/blocks/$n" ]; do
        meanwhile "$work/blocks/$n"
        check "$(cat "$work/blocks/$n.says")" run "$work/blocks/$n"
        grep '^entente-invite-' "$work/out" >"$work/printed"
        n=$((n + 1))
    done
    check "there are examples" [ $n -gt 10 ]
}

# shows COMMAND: an example has it.
shows() {
    case $no_example in
    *" $(echo "$1" | tr ' ' _) "*) return 0 ;;
    esac
    cat "$work"/blocks/[0-9]* | grep -q "^entente.* $1\( \|\$\)\|^entente $1\$"
}

# daemons_of PAGE: each example of a daemon runs until it is told to end.
daemons_of() {
    blocks "$1"
    for block in "$work"/blocks/*[0-9]; do
        sed -e "s|\*:4747|127.0.0.1:$port|; s|/srv/entente|$own.srv|" \
            -e "s|/etc/entente.conf|$work/settings|" "$block" >"$work/script"
        rm -f "$own/entented.sock" "$own.srv/entented.sock"
        (ENTENTE_HOME=$own && export ENTENTE_HOME &&
            eval "exec $(cat "$work/script")") 2>"$work/err" &
        pid=$!
        daemons="$daemons $pid"
        tries=0
        while [ $tries -lt 50 ] && [ ! -S "$own/entented.sock" ] &&
            [ ! -S "$own.srv/entented.sock" ]; do
            sleep 0.1
            tries=$((tries + 1))
        done
        kill "$pid"
        wait "$pid"
        check "$(cat "$block.says")" same $? 0
        daemons=
        port=$((port + 1))
    done
}

cat >"$work/editor" <<'EDITOR'
#!/bin/sh
sed -i 's/^participants *=.*/participants = 23/' "$1"
EDITOR
chmod +x "$work/editor"

for lang in en fr; do
    case $lang in
    en) dir=$pages locale=C.UTF-8 request=request.txt ;;
    fr) dir=$pages/fr locale=fr_FR.UTF-8 request=demande.txt ;;
    esac
    own=$work/$lang
    mkdir "$own.usb" "$own.srv" "$own.files"
    rm -rf "$work/office" "$work/guest"
    as office init --org "Regional office"
    as office space create global --title-en "Psychosocial support"
    as office import --package "$demo" --space global --quiet
    as office whoami --json
    office_key=$(sed -n 's/.*"key": *"\([0-9a-f]*\)".*/\1/p' "$work/out")
    as guest init --org "ONG locale BDI"
    start office
    as office invite global --role editor
    invitation=$(cat "$work/out")
    examples "$dir/entente.1.scd"
    "$build/cli/entente" help | sed '/^Options/,$d' |
        sed -n 's/^  \([a-z][a-z -]*[a-z]\)  .*/\1/p' >"$work/commands"
    while read -r command; do
        check "$command has an example ($lang)" shows "$command"
    done <"$work/commands"
    stop_all

    blocks "$dir/entented.conf.5.scd"
    check "there is an example of settings" [ -s "$work/blocks/1" ]
    sed "s/:4747/:$port/" "$work/blocks/1" >"$work/settings"
    daemons_of "$dir/entented.1.scd"
done
finish
