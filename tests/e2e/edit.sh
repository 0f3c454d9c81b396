#!/bin/sh
# edit.sh - a record changed in an editor, also while others write to it; and
# what the last command wrote taken back.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/meet.sh"

# edit CODE COMMAND: edits with an editor that does COMMAND, the file being $1.
edit() {
    printf '%s\n' "$2" >"$work/editor.sh"
    EDITOR="sh $work/editor.sh"
    export EDITOR
    entente edit "$1"
    status=$?
    unset EDITOR
    return $status
}

# left: how many files editing left behind in the node's directory.
left() {
    find "$node" -name 'edit-*' | wc -l
}

unset VISUAL EDITOR
for name in a b; do
    as $name init --org "Org $name" --country BDI
    as $name whoami --json
    sed -n 's/.*"key": *"\([0-9a-f]*\)".*/\1/p' "$work/out" >"$work/$name.key"
done
as a space create s --title-en Support
as a invite s --endpoint tcp://127.0.0.1:9
as b join --offline "$(cat "$work/out")"
request=$(cat "$work/out")
as a member admit s "$request"
as a add training code=t-1 participants=24 start_on=2018-07 "modules=M1|M2" \
    title_fr="Formation de juillet"
as a add plan code=p-1 title_en="Plan" status=draft
meet b a

# ----------------------------------------------------------------- one editor

node=$work/a
before=$(digest s)
check "an editor that changes nothing is no error" edit t-1 'cp "$1" "$1.seen"'
check "and it is said" tells "nothing to change"
check "nothing is written" same "$(digest s)" "$before"
check "the file was the owner's alone" \
    same "$(stat -c %a "$node"/edit-*.seen)" 600
check "each field is there" grep -qx "start_on = 2018-07" "$node"/edit-*.seen
check "with its label" grep -qx "# Participants" "$node"/edit-*.seen
check "a set has bars" grep -qx "modules = M1|M2" "$node"/edit-*.seen
check "an empty field too" grep -q "^place = *$" "$node"/edit-*.seen
rm "$node"/edit-*.seen
check "no file is left" same "$(left)" 0
check "an editor that takes blanks away at the end of lines changes nothing" \
    edit t-1 'sed -i "s/ *$//" "$1"'
check "either" tells "nothing to change"

check "values are changed" edit t-1 \
    'sed -i "s/^participants = .*/participants = 25/
s/^modules = .*/modules = M2|M3/
s/^place = *$/place = Gitega/
s/^title_fr = .*/title_fr = /" "$1"'
entente show t-1 --json
check "a figure" prints '"participants": 25'
check "a set" prints '"modules": ["M2", "M3"]'
check "what was empty" prints '"place": "Gitega"'
check "what was emptied" prints '"title_fr": null'
check "and nothing else" prints '"start_on": "2018-07"'
check "a line that is taken out changes nothing" edit t-1 \
    'sed -i "/^participants/d" "$1"'
check "as is said" tells "nothing to change"
check "a text goes on over several lines" edit t-1 \
    'sed -i "s/^title_fr =.*/title_fr = Une\n| deux/" "$1"'
entente show t-1 --json
check "as it was written" prints 'Une\ndeux'
check "and is shown so again" edit t-1 'cp "$1" "$1.seen"'
check "line by line" grep -qx "| deux" "$node"/edit-*.seen
rm -f "$node"/edit-*
check "without a change" tells "nothing to change"
entente set t-1 "title_fr=$(printf 'a\342\200\256b')"
check "what turns the direction of writing is not shown raw" edit t-1 \
    'cp "$1" "$1.seen"'
check "it is spelled out" grep -q "U+202E" "$node"/edit-*.seen
check "and does not stand there" test -z "$(grep -l "$(printf "\342\200\256")" "$node"/edit-*.seen)"
rm -f "$node"/edit-*
check "and stays as it is" tells "nothing to change"
entente --dry-run set t-1 participants=25
before=$(digest s)
printf '%s\n' 'sed -i "s/^participants = .*/participants = 99/" "$1"' \
    >"$work/editor.sh"
EDITOR="sh $work/editor.sh" entente --dry-run edit t-1
check "a dry run says what would be" tells "participants=99"
check "and writes nothing" same "$(digest s)" "$before"

# --------------------------------------------------------------- what is wrong

edit t-1 'sed -i "s/^participants = .*/participants = many/
s/^place = .*/plase = Ngozi/" "$1"'
check "faults refuse all of it" same $? 5
check "the figure with its line" \
    grep -Eq ':[0-9]+: participants: "many"' "$work/err"
check "the field with the nearest" tells '"place"'
check "and nothing is written" same "$(digest s)" "$before"
check "what was typed is kept" tells "is kept in $node/edit-"
check "where it was said" grep -qx "plase = Ngozi" "$node"/edit-*
rm -f "$node"/edit-*
edit t-1 'echo "participants = 1" >>"$1"'
check "a field twice is a fault" same $? 5
edit t-1 'echo "no field" >>"$1"'
check "so is a line that is none" same $? 5
rm -f "$node"/edit-*
edit t-1 'exit 3'
check "an editor that fails changes nothing" same $? 1
check "and leaves nothing behind" same "$(left)" 0
before=$(digest s)
edit t-1 'rm "$1"'
check "an editor that takes the file away changes nothing" same $? 1
check "and that is said" tells "took the file away"
check "not that anything was kept" lacks "is kept in"
check "nothing is written" same "$(digest s)" "$before"
exits 2 "without a terminal there must be an editor" edit t-1
exits 3 "what is not there is not edited" edit t-none
entente delete p-1
edit p-1 true
check "nor is what was deleted" same $? 5
entente undelete p-1
as b say s "A message"
message=$(cat "$work/out")
meet b a
node=$work/a
edit "$message" true
check "nor what is another's" same $? 4

# at_terminal COMMAND: edits t-1 at a terminal, whose editor does COMMAND once it
# is told of faults.
at_terminal() {
    cat >"$work/editor.sh" <<END
if grep -q '^# !!' "\$1"; then
    cp "\$1" '$work/second'
    $1
else
    sed -i 's/^participants = .*/participants = many/' "\$1"
fi
END
    EDITOR="sh $work/editor.sh" /usr/bin/python3 -c 'import os, pty, sys
pid, terminal = pty.fork()
if pid == 0:
    os.execv(sys.argv[1], sys.argv[1:])
try:
    while os.read(terminal, 4096):
        pass
except OSError:
    pass
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))' \
        "$build/cli/entente" --home "$node" edit t-1
}

check "at a terminal the editor opens again" at_terminal \
    "sed -i 's/^participants = .*/participants = 28/' \"\$1\""
check "with what is wrong" grep -q '^# !! participants: "many"' "$work/second"
entente show t-1 --json
check "and what is mended then is written" prints '"participants": 28'
at_terminal true
check "a text that is left as it is is given up" same $? 5
check "and kept" same "$(left)" 1
rm -f "$node"/edit-*
entente set t-1 participants=25

# -------------------------------------------------- while others write (M8)

# The editor runs what the other side does meanwhile.
start a
node=$work/b
entente peer add "$at_a" "$(cat "$work/a.key")"
check "a value that came meanwhile is not overwritten" edit t-1 "
'$build/cli/entente' --home '$work/a' set t-1 participants=31 'modules+=M4' \
    place=Ngozi start_on=2018-08-02 >'$work/meanwhile' 2>&1
'$build/cli/entente' --home '$work/b' sync --timeout 20s \
    >>'$work/meanwhile' 2>&1
sed -i 's/^participants = .*/participants = 30/
s/^start_on = .*/start_on = 2018-08-01/
s/^modules = .*/modules = M1|M3/' \"\$1\""
check "and it is told" tells "participants was changed by somebody else"
exits 6 "it is a conflict" conflicts --check
check "of what the editor wrote" prints 30
check "and what came" prints 31
entente show t-1 --json
check "what was added to a set meanwhile stays" prints '"M4"'
check "what the editor took out is out" lacks '"M2"'
check "what it added is in" prints '"M1"'
check "what it did not touch is the newer value" prints '"place": "Ngozi"'
entente sync --timeout 20s
check "the daemon has it too" test -z "$(node=$work/a entente conflicts \
    --check || echo)"
node=$work/a
exits 6 "as a conflict" conflicts --check
node=$work/b
EDITOR="sh -c 'cp \"\$1\" $work/form' --" \
    entente --lang fr edit t-1
check "an editor shows days, in French too, as they are typed" \
    grep -q "^#.*: 2018-08-0[12] (Org" "$work/form"
entente resolve t-1 start_on --take 1
LC_ALL=C.UTF-8 edit t-1 "cp \"\$1\" '$work/form'"
check "and what a figure may be" grep -q "^#   0 or more" "$work/form"
check "an editor shows all values and settles" edit t-1 \
    'grep -q "also written: 3[01] (Org [ab]" "$1" &&
sed -i "s/^participants = .*/participants = 32/" "$1"'
exits 0 "so that none is open" conflicts --check
check "as nothing is listed" lacks participants
check "the same value that came meanwhile is no conflict" edit t-1 "
'$build/cli/entente' --home '$work/b' set t-1 participants=33 \
    >'$work/meanwhile' 2>&1
sed -i 's/^participants = .*/participants = 33/' \"\$1\""
check "and nothing to write" tells "nothing to change"
stop_all

# ------------------------------------------------------------------------ undo

as c init --org "Org c"
as c space create c
node=$work/c
exits 3 "without a command there is nothing to undo" undo
entente add contact code=c-1 display_name=Ann title=Director
entente set c-1 title=Coordinator email=ann@example.org
before=$(digest c)
exits 0 "an undo is tried" --dry-run undo
check "it says what it would write" prints Director
check "and what it would empty" prints emptied
check "and writes nothing" same "$(digest c)" "$before"
exits 0 "a change is undone" undo --json
check "with what was done" prints '"field": "title", "action": "written back"'
check "and when that was written" \
    grep -Eq 'undone: what was written on [0-9-]+ [0-9:]+ UTC' "$work/err"
entente show c-1 --json
check "the value is what it was" prints '"title": "Director"'
check "and what was empty is" prints '"email": null'
exits 0 "a command that writes nothing" set c-1 title=Director
check "says so" tells "nothing to change"
exits 0 "the undo is undone" undo
check "the one before that, as its time tells" tells "what was written on"
entente show c-1 --json
check "then it is as it was" prints '"title": "Coordinator"'
check "all of it" prints '"email": "ann@example.org"'
entente add trainer code=t-1 "languages=fr|rn"
entente set t-1 languages+=en languages-=fr
exits 0 "what was done to a set is undone" undo
entente show t-1 --json
check "what was removed is in" prints '"fr"'
check "what was added is out" lacks '"en"'
check "and the rest as it was" prints '"rn"'
entente delete t-1
exits 0 "a deletion is undone" undo
check "the record is back" same "$(count trainer)" 1
entente add contact code=c-2 display_name=Ben
exits 0 "an addition is undone" undo
check "the record is gone" same "$(count contact)" 1
entente undelete c-2
exits 0 "bringing it back is undone" undo
check "it is gone again" same "$(count contact)" 1
exits 0 "a file is imported" import --package "$demo" --space c
exits 0 "which is one command" undo
check "everything that it brought is gone" same "$(count training)" 0
check "what was there before is not" same "$(count contact)" 1
exits 0 "it verifies" verify --deep
exits 0 "what changes nothing is no command to undo" set c-1 title=Coordinator
entente undo
check "so the import is back" test "$(count training)" -gt 40

entente set c-1 title=Chair
entente space create c2
exits 3 "what is decided about a space is not undone" undo
check "nor what was written before that" test "$(entente show c-1; \
    grep -c Chair "$work/out")" -eq 1

# --------------------------------------------- what others have written since

meet b a
node=$work/a
entente set t-1 participants=40 place=Gitega
meet b a
as b set t-1 participants=41
meet a b
node=$work/a
before=$(digest s)
exits 6 "what somebody wrote over is not undone" undo
check "it says who" prints "Org b"
check "and which field" prints Participants
exits 6 "programs read its name" undo --format csv
check "and that of the kind" prints "training,t-1,participants,"
check "not what could be undone" lacks place
check "nothing is changed" same "$(digest s)" "$before"
node=$work/b
exits 0 "who wrote last can undo" undo
entente show t-1 --json
check "to what was before" prints '"participants": 40'
meet a b
node=$work/a
entente set t-1 participants=50
as b set t-1 participants=51
meet a b
node=$work/a
exits 6 "nor is what is in conflict" undo
entente resolve t-1 participants --value 52
exits 0 "a settlement is undone" undo
exits 6 "then the conflict is open again" conflicts --check
check "with the one value" prints 50
check "and the other" prints 51
exits 0 "and settled by undoing that" undo
exits 0 "none is open" conflicts --check
entente show t-1 --json
check "the value is the one settled on" prints '"participants": 52'
entente add contact code=c-9 display_name=Ann --space s
meet b a
as b set c-9 title=Director
meet a b
node=$work/a
exits 6 "a record that others have changed since is not undone" undo
check "it is there" same "$(count contact code=c-9)" 1
as b set t-1 modules+=M4 modules-=M1
meet a b
as b set t-1 modules-=M4
meet a b
as a set t-1 modules+=M4
as b set t-1 modules+=M4
meet a b
node=$work/a
exits 0 "an element that both added" undo
entente show t-1 --json
check "stays for the one who did not undo it" prints '"M4"'
meet b a
for name in a b; do
    node=$work/$name
    exits 0 "$name is sound" verify --deep
done
check "both are equal" same "$(node=$work/a digest s)" \
    "$(node=$work/b digest s)"

# ------------------------------------------------------- who overwrote what

entente log t-1 --format csv
check "the history says who replaced a value" \
    grep -q "participants,written,40,Org b," "$work/out"
check "and of what was taken out of a set who did" \
    grep -q "modules,added,M2,Org b," "$work/out"
check "no key is made up" lacks 0000000000000000
finish
