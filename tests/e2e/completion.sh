#!/bin/sh
# completion.sh - what the shells offer when a person presses Tab.
. "$(dirname "$0")/lib.sh"

source=$here/../../cli/completion

# offers SENTENCE WORD...: the last word may become what is expected in $want.
offers() {
    sentence=$1
    shift
    entente complete -- "$@"
    if cut -f 1 "$work/out" | grep -qxF -e "$want"; then
        say_ok "$sentence"
    else
        say_not_ok "$sentence ($want)"
    fi
}

nothing() {
    sentence=$1
    shift
    entente complete -- "$@"
    check "$sentence" test ! -s "$work/out"
}

# ------------------------------------------------------------ what may come next

want=report offers "a command is offered" re
want=space offers "a group of commands is offered" sp
want=leave offers "and what belongs to it" space le
want=contact offers "a kind is offered where one goes" list co
want=display_name= offers "a field of it" list contact disp
want=status=done offers "a term of its list" add activity status=d
want=--format offers "an option of every command" list contact --fo
want=--columns offers "an option of the command" list contact --co
want=csv offers "a value of an option" --format c
want=cascade offers "a report" report ca
want=network offers "how far something may go" export contact --sharing n
want=create offers "behind options, too" --lang fr space cr
nothing "where nothing fits nothing is offered" list contact --nonsense
nothing "nor without a node when a record is asked for" show ctc
entente --lang fr complete -- list con
check "in French the meaning is French" prints "Contact"
check "no replica is made by asking" test ! -e "$node/replica.db"

entente init --org "Org A"
entente space create bdi
entente add contact code=ctc-pf-1 display_name=Ann
want=bdi offers "a space is offered by its name" space show b
want=bdi offers "behind --space, too" list contact --space ""
want=ctc-pf-1 offers "a record by its code" show ctc
want=title= offers "a field of the record's kind" set ctc-pf-1 ti
before=$(cksum <"$node/replica.db")
entente complete -- show ctc
check "asking changes nothing" same "$before" "$(cksum <"$node/replica.db")"

# ----------------------------------------------------------------- the shells

cat >"$work/try.bash" <<'END'
. "$1"
PATH=$2:$PATH
COMP_LINE=$3 COMP_POINT=${#3}
_entente
printf '%s\n' "${COMPREPLY[@]}"
END
in_bash() {
    bash "$work/try.bash" "$source/entente.bash" "$build/cli" "$1" |
        grep -qxF -e "$2"
}
check "bash completes a command" in_bash "entente who" whoami
check "and what stands behind a =" in_bash "entente add activity status=b" \
    blocked
in_zsh() {
    zsh -f "$here/completion.zsh" "$source" "$build/cli" "$1" "$2"
}
check "zsh completes a command" in_zsh "entente whoa" mi
check "and what stands behind a =" in_zsh "entente add activity status=bl" ocked
in_fish() {
    PATH=$build/cli:$PATH fish -c "source $source/entente.fish
        complete -C '$1'" | cut -f 1 | grep -qxF -e "$2"
}
check "fish completes a command" in_fish "entente whoa" whoami
check "and a field" in_fish "entente list contact disp" display_name=
finish
