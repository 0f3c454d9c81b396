#!/bin/sh
# backup.sh BUILD - what was kept can be put back: nothing that had reached a
# peer is lost, nobody sees a fork, and no file that is not whole is taken.
. "$(dirname "$0")/lib.sh"

# The program on another node: at NODE ARGS...
at() {
    where=$1
    shift
    "$build/cli/entente" --home "$work/$where" "$@" >"$work/out" 2>"$work/err"
}

# at_exits STATUS SENTENCE NODE ARGS...
at_exits() {
    want=$1
    sentence=$2
    shift 2
    at "$@"
    got=$?
    if [ "$got" -eq "$want" ]; then
        say_ok "$sentence"
    else
        say_not_ok "$sentence (exit $got, not $want)"
    fi
}

value() {
    at "$1" "$2" --json && sed -n "s/.*\"$3\": *\"\([^\"]*\)\".*/\1/p" \
        "$work/out" | head -1
}

mode() {
    stat -c %a "$1"
}

# Every name in a folder and what stands in the files.
picture() {
    (cd "$1" && find . ! -name 'replica.db-*' ! -name entented.lock | sort &&
        find . -type f ! -name 'replica.db-*' ! -name entented.lock \
            -exec sha256sum {} + | sort)
}

holds_bytes() {
    /usr/bin/python3 -c 'import sys
data = open(sys.argv[1], "rb").read()
sys.exit(0 if bytes.fromhex(sys.argv[2]) in data else 1)' "$1" "$2"
}

# ---------------------------------------------------- an office and an agency

at_exits 0 "the office is made" office init --org Office
at_exits 0 "its space too" office space create global --title-en Global
"$build/node/entented" --home "$work/office" --listen 'tcp://127.0.0.1:*' \
    2>"$work/office.log" &
daemons="$!"
tries=0
until grep -q 'listening on' "$work/office.log"; do
    tries=$((tries + 1))
    [ $tries -lt 100 ] || exit 1
    sleep 0.1
done
at office invite global --role editor
line=$(cat "$work/out")
exits 0 "the agency is made" init --org Agency
exits 0 "and joins" join "$line"
exits 0 "and writes" add contact --space global code=ctc-1 display_name="Before the backup"
exits 0 "and founds a space of its own" space create own
exits 0 "to which it invites" invite own --endpoint tcp://127.0.0.1:1
secret=$(sed 's/.*entente-invite-1://' "$work/out")
check "an invitation stands in the replica" test -n "$secret"
seed=$(sed 's/entente-key-1 //' "$node/key")

# ------------------------------------------------------------------ a backup

exits 0 "a backup is planned" backup "$work/b.db" --dry-run
check "which writes nothing" test ! -e "$work/b.db"
exits 0 "a backup is taken" backup "$work/b.db"
check "it says that the key is not in it" tells "not its key"
check "only its owner may read it" same "$(mode "$work/b.db")" 600
check "nothing else remains" same "$(ls "$work" | grep -c '^b\.db')" 1
exits 2 "it is not overwritten" backup "$work/b.db"
ln -s nowhere "$work/link.db"
exits 2 "nor is a link that leads nowhere" backup "$work/link.db"
check "which is one still" test -h "$work/link.db"
exits 7 "a folder that is not there is a matter of storage" \
    backup "$work/none/b.db"
check "any SQLite tool reads it" /usr/bin/python3 -c 'import sqlite3, sys
db = sqlite3.connect("file:" + sys.argv[1] + "?mode=ro", uri=True)
assert db.execute("SELECT count(*) FROM contacts").fetchone() == (1,)
assert db.execute("SELECT count(*) FROM local_invite").fetchone() == (0,)
assert db.execute("SELECT seed FROM local_backup").fetchone() == (None,)
' "$work/b.db"
check "the key is not in its bytes" test "$(holds_bytes "$work/b.db" "$seed" ||
    echo not)" = not
exits 0 "a backup with the key is taken" backup "$work/k.db" --with-key
check "it says that the key is in it" tells "SECRET KEY"
check "and there it is" holds_bytes "$work/k.db" "$seed"
exits 0 "in French too" --lang fr backup "$work/fr.db" --with-key
check "it is said in French" tells "CLÉ SECRÈTE"
exits 0 "and silent when asked to" --quiet backup "$work/q.db"
check "that is, without a word" test ! -s "$work/err"

# A backup while others write is one moment: no row without its entry.
(
    i=0
    while [ $i -lt 60 ]; do
        "$build/cli/entente" --home "$node" add contact --space global \
            "code=ctc-w$i" "display_name=Written meanwhile $i" >"$work/w.out" 2>"$work/w.err" ||
            exit 1
        i=$((i + 1))
    done
) &
writer=$!
i=0
while [ $i -lt 6 ]; do
    exits 0 "a backup while others write ($i)" backup "$work/w$i.db" --with-key
    i=$((i + 1))
done
check "they wrote on" wait $writer
i=0
while [ $i -lt 6 ]; do
    at_exits 0 "and it is put back ($i)" w$i restore "$work/w$i.db"
    at_exits 0 "and sound ($i)" w$i verify --deep
    i=$((i + 1))
done

# ------------------------------------------------------------------- the key

exits 2 "a key is not put over the one there is" key import "$node/key"
exits 0 "exporting it is planned" key export "$work/key" --dry-run
check "which writes nothing" test ! -e "$work/key"
exits 0 "it is exported" key export "$work/key"
check "with a warning" tells "SECRET KEY"
check "in the form it has" cmp -s "$node/key" "$work/key"
check "for its owner only" same "$(mode "$work/key")" 600
exits 2 "not over a file" key export "$work/key"
at_exits 0 "another key is made" other init --org Other
at_exits 2 "a key export needs a file" other key export
cp "$work/key" "$work/open"
chmod 644 "$work/open"
at_exits 4 "a key that others may read is not taken" new key import "$work/open"
check "and it says what to do" tells "chmod 600"
(umask 077 && tr a-f g-l <"$work/key" >"$work/mangled")
at_exits 5 "nor a mangled one" new key import "$work/mangled"
check "nothing was made" test ! -e "$work/new"
at_exits 0 "a key is put into a home" new key import "$work/key"
check "as it was" cmp -s "$work/key" "$work/new/key"
check "for its owner only" same "$(mode "$work/new/key")" 600
mv "$work/other/key" "$work/other.key"
at_exits 5 "a replica is not given another's key" other key import "$work/key"
at_exits 0 "but its own" other key import "$work/other.key"
at_exits 0 "and goes on" other status
cp "$work/other/key" "$work/other.copy"
cp "$work/key" "$work/other/key"
at_exits 5 "a replica does not open with another's key" other status
cp "$work/other.copy" "$work/other/key"

# Without a backup the key alone makes the node again.
at_exits 0 "a key is put where no node is" again key import "$work/key"
at_exits 0 "a node begins with it" again init --org Agency
check "which is said" tells "with the key that was there"
check "it has that key" same "$(value again whoami key)" \
    "$(value a whoami key)"
check "untouched" cmp -s "$work/key" "$work/again/key"
check "under another origin" test "$(value again whoami origin)" != \
    "$(value a whoami origin)"
at_exits 2 "it begins once" again init --org Agency
mkdir -m 700 "$work/bad"
cp "$work/mangled" "$work/bad/key"
at_exits 5 "a node does not begin with a mangled key" bad init --org Bad
cp "$work/open" "$work/bad/key"
chmod 644 "$work/bad/key"
at_exits 4 "nor with one that others may read" bad init --org Bad
check "which stays as it was" cmp -s "$work/open" "$work/bad/key"
check "and nothing was made" same "$(ls "$work/bad")" key

# ------------------------------------------------- what is seen after it

exits 0 "after the backup more is written" add contact --space global \
    code=ctc-2 display_name="After the backup"
exits 0 "and reaches the office" sync
at_exits 0 "which sees it" office list contact code=ctc-2
check "by name" prints "After the backup"

# ----------------------------------------------------------- what is refused

refused() {
    rm -rf "$work/r"
    mkdir "$work/r"
    cp -p "$work/key" "$work/r/key"
    before=$(picture "$work/r")
    at_exits 5 "$1 is refused" r restore "$2"
    check "and the home is as it was" same "$(picture "$work/r")" "$before"
    at_exits 5 "$1 is refused when tried" r restore "$2" --dry-run
}

size=$(wc -c <"$work/b.db")
head -c $((size / 2)) "$work/b.db" >"$work/half.db"
refused "half a backup" "$work/half.db"
head -c $((size - 1)) "$work/b.db" >"$work/less.db"
refused "a backup without its last byte" "$work/less.db"
head -c 60 "$work/b.db" >"$work/stub.db"
refused "sixty bytes" "$work/stub.db"
: >"$work/empty.db"
refused "an empty file" "$work/empty.db"
echo "this is no database at all" >"$work/text.db"
refused "a text" "$work/text.db"
refused "a folder" "$work"
/usr/bin/python3 -c 'import sqlite3, sys
sqlite3.connect(sys.argv[1]).execute("CREATE TABLE t(a)")' "$work/foreign.db"
refused "a database of another program" "$work/foreign.db"
/usr/bin/python3 -c 'import sqlite3, sys
db = sqlite3.connect(sys.argv[1])
db.execute("PRAGMA application_id = 0x456e7465")
db.execute("PRAGMA user_version = " + sys.argv[2])
db.execute("CREATE TABLE t(a)")' "$work/posing.db" \
    "$(/usr/bin/python3 -c 'import sqlite3, sys
print(sqlite3.connect(sys.argv[1]).execute("PRAGMA user_version").fetchone()[0])
' "$work/b.db")"
refused "a database that poses as ours" "$work/posing.db"
cp "$work/b.db" "$work/trigger.db"
/usr/bin/python3 -c 'import sqlite3, sys
sqlite3.connect(sys.argv[1]).execute("CREATE TRIGGER t AFTER INSERT ON log "
                                     "BEGIN DELETE FROM roster; END")
' "$work/trigger.db"
refused "a backup with something to run in it" "$work/trigger.db"
cp "$work/b.db" "$work/newer.db"
/usr/bin/python3 -c 'import sys
with open(sys.argv[1], "r+b") as file:
    file.seek(60)
    file.write(bytes.fromhex("00000063"))' "$work/newer.db"
refused "a backup of a newer program" "$work/newer.db"
cp "$work/b.db" "$work/mangled.db"
/usr/bin/python3 -c 'import sys
with open(sys.argv[1], "r+b") as file:
    for page in range(1, 40):
        file.seek(4096 * page)
        file.write(b"\xff" * 64)' "$work/mangled.db"
refused "a mangled backup" "$work/mangled.db"
at_exits 3 "a file that is not there is not found" r restore "$work/none.db"
refused "a replica that is in use" "$work/office/replica.db"

# A bit that SQLite does not miss is missed by the chain.
/usr/bin/python3 - "$work/b.db" "$work/bit.db" <<'END'
import sqlite3, sys
data = bytearray(open(sys.argv[1], "rb").read())
at = data.find(b"Before the backup")
while at >= 0:
    data[at] ^= 1
    at = data.find(b"Before the backup", at + 1)
open(sys.argv[2], "wb").write(data)
END
rm -rf "$work/r"
mkdir "$work/r"
cp -p "$work/key" "$work/r/key"
at_exits 1 "a changed letter is found when it is put back" r restore \
    "$work/bit.db"
check "and told" tells "damaged"

# --------------------------------------------------------------- put it back

at_exits 3 "without a key it is not put back" nokey restore "$work/b.db"
check "and it says what to do" tells "entente key import"
check "nothing was made" test ! -e "$work/nokey"
at_exits 5 "nor beside another's key" other restore "$work/b.db" --force
at_exits 0 "putting back is planned" new restore "$work/b.db" --dry-run
check "which writes nothing" same "$(ls "$work/new")" key
at_exits 0 "it is put back" new restore "$work/b.db"
check "and says of when" tells "from its backup of"
check "only its owner may read it" same "$(mode "$work/new/replica.db")" 600
check "it is the same node" same "$(value new whoami key)" \
    "$(value a whoami key)"
check "under another origin" test "$(value new whoami origin)" != \
    "$(value a whoami origin)"
origin=$(value new whoami origin)
check "which it keeps" same "$(value new whoami origin)" "$origin"
at_exits 0 "it has what was in the backup" new show ctc-1
at_exits 3 "and not yet what came after" new show ctc-2
at_exits 0 "the status is asked for" new status
check "it says that a backup was put back" prints \
    "put back from a backup"
at_exits 0 "in French too" new --lang fr status
check "it says so in French" prints "remise en place depuis une sauvegarde"
check "no invitation is left" same "$(/usr/bin/python3 -c 'import sqlite3, sys
db = sqlite3.connect(sys.argv[1])
print(db.execute("SELECT count(*) FROM local_invite").fetchone()[0],
      db.execute("SELECT count(*) FROM sqlite_schema WHERE name = ?",
                 ("local_backup",)).fetchone()[0])' \
    "$work/new/replica.db")" "0 0"

mv "$node" "$work/gone"
at_exits 0 "it is written before it has met anybody" new add contact \
    --space global code=ctc-3 display_name="After it was put back"
at_exits 0 "an old record too" new set ctc-1 display_name="Changed"
at_exits 0 "it meets the office" new sync
at_exits 0 "what came after the backup is back" new show ctc-2
at_exits 0 "the last of it too" new show ctc-w59
at_exits 0 "the office has what was written since" office show ctc-3
at_exits 0 "and the change" office show ctc-1
check "as it was made" prints "Changed"
at office digest global --format csv
cp "$work/out" "$work/office.digest"
at new digest global --format csv
check "both are equal" cmp -s "$work/out" "$work/office.digest"
at_exits 0 "the office has its status" office status --json
check "and no alarm" test "$(grep -c '"alarms": *\[\]' "$work/out")" -ge 1
check "of no fork" test "$(grep -c 'two different' "$work/out")" -eq 0
at new status --json
check "nor has the node" test "$(grep -c 'two different' "$work/out")" -eq 0
at_exits 0 "it verifies" new verify --deep
at_exits 0 "so does the office" office verify --deep

# With the key in the backup, on a machine that has nothing.
at_exits 0 "a backup with the key needs no other" withkey restore "$work/k.db"
check "the key lies where it should" cmp -s "$work/key" "$work/withkey/key"
check "for its owner only" same "$(mode "$work/withkey/key")" 600
check "and no longer in the replica" test "$(holds_bytes \
    "$work/withkey/replica.db" "$seed" || echo not)" = not

# ------------------------------------------------------ over one that is there

before=$(picture "$work/new")
at_exits 2 "a replica is not replaced" new restore "$work/b.db"
check "and it says how it could be" tells "--force"
check "all is as it was" same "$(picture "$work/new")" "$before"
at_exits 0 "unless asked to" new restore "$work/b.db" --force
check "what was there is kept and named" tells "$work/new/replaced-"
kept=$(echo "$work/new/replaced-"*)
check "as a replica" test -s "$kept/replica.db"
at_exits 3 "it is the backup again" new show ctc-3
at_exits 0 "which meets the office" new sync
at_exits 0 "and has everything" new show ctc-3
at_exits 0 "asked to once more" new restore "$work/b.db" --force
check "both are kept" same "$(ls -d "$work/new/replaced-"* | wc -l)" 2
at_exits 0 "what was replaced can be put back" new restore "$kept/replica.db" \
    --force
at_exits 0 "with all of it" new show ctc-3

# A crash had left the log of a replica's writing: it is not the new one's.
rm -rf "$work/crashed"
mkdir "$work/crashed"
cp -p "$work/key" "$work/crashed/key"
echo "left behind" >"$work/crashed/replica.db-wal"
at_exits 0 "what a crash left is moved aside" crashed restore "$work/b.db"
at_exits 0 "and does no harm" crashed verify --deep

# ---------------------------------------------------------- while a daemon runs

before=$(value office whoami origin)
at_exits 0 "a backup of the office is taken under its daemon" office backup \
    "$work/o.db"
at_exits 1 "it is not put back under its daemon" office restore "$work/o.db" \
    --force
check "and it says so" tells "entented runs"
at_exits 1 "nor is that planned" office restore "$work/o.db" --force --dry-run
check "the office is as it was" same "$(value office whoami origin)" "$before"
finish
