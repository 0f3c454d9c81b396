"""tidy.py [ROOT] - the source against its own rules: who may include whom,
which folder is the door to which library, what nobody may call, how files
look, and whether every message is translated.

Prints "ok - rule" or "not ok - rule" with the places below it."""
import csv
import os
import re
import subprocess
import sys
import tempfile

ROOT = os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else
                       os.path.join(os.path.dirname(__file__), "../.."))

# A file includes its own folder and those named here.
FLOORS = {
    "base": [],
    "model": ["base"],
    "codec": ["base", "model"],
    "secure": ["base", "model"],
    "text": ["base", "model"],
    "store": ["base", "model", "codec", "secure", "text"],
    "sync": ["base", "model", "codec", "secure", "text", "store"],
    "link": ["base", "model", "codec", "secure", "text", "store", "sync"],
}
COMMON = list(FLOORS)

# Where a library's header may be included; a folder, or a file's beginning.
DOORS = {
    "msgpack.h": ["common/codec/"],
    "zstd.h": ["common/codec/"],
    "sodium.h": ["common/secure/"],
    "sqlite3.h": ["common/store/"],
    "zmq.h": ["common/link/"],
    "confuse.h": ["common/text/"],
    "csv.h": ["common/text/"],
    "utf8proc.h": ["common/text/"],
    "uuid/uuid.h": ["common/base/id.c"],
    "uuid.h": ["common/base/id.c"],
    "libsmartcols/libsmartcols.h": ["cli/out"],
    "libsmartcols.h": ["cli/out"],
    "xlsxwriter.h": ["cli/out_book.c"],
    "qrencode.h": ["cli/qr.c"],
}

# Where time and chance come in.
OUTSIDE = {
    r"\bgetrandom\s*\(": ["common/secure/rand.c"],
    r"\bgetentropy\s*\(": ["common/secure/rand.c"],
    r"\brandombytes_\w+\s*\(": ["common/secure/"],
    r"\bclock_gettime\s*\(": ["node/wall.c"],
    r"\bgettimeofday\s*\(": ["node/wall.c"],
    r"(?<![\w.>])time\s*\(": ["node/wall.c"],
    r"(?<![\w.>])s?rand(om)?(_r)?\s*\(": [],
    r"\bent_rand_init_system\s*\(": ["common/secure/rand.", "node/", "cli/"],
}
CLI_CLOCKS_MAX = 1  # files of cli/ that may ask for the time

NEVER = r"(?<![\w.>])(sprintf|vsprintf|strcpy|strcat|stpcpy|gets|system|" \
        r"popen|tmpnam|mktemp|strtok|alloca)\s*\("
MARKS = r"\b(TODO|FIXME|XXX|HACK)\b"

failed = False


def say(rule, places):
    global failed
    failed = failed or bool(places)
    print(("not ok - " if places else "ok - ") + rule)
    for place in places[:25]:
        print("#   " + place)
    if len(places) > 25:
        print("#   and %d more" % (len(places) - 25))


def sources(*folders):
    for folder in folders:
        for path, dirs, names in os.walk(os.path.join(ROOT, folder)):
            dirs.sort()
            for name in sorted(names):
                if name.endswith((".c", ".h")):
                    full = os.path.join(path, name)
                    yield os.path.relpath(full, ROOT), full


def read(full):
    with open(full, encoding="utf-8") as file:
        return file.read()


def bare(text):
    """Without comments, strings and characters; lines stay lines."""
    def blank(match):
        return re.sub(r"[^\n]", " ", match.group(0))
    return re.sub(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|'
                  r"'(?:\\.|[^'\\\n])*'", blank, text, flags=re.S)


def find(name, text, pattern):
    return ["%s:%d: %s" % (name, text.count("\n", 0, m.start()) + 1,
                           m.group(0).strip())
            for m in re.finditer(pattern, text)]


def allowed(name, places):
    return any(name.startswith(place) for place in places)


def includes(text):
    text = re.sub(r"/\*.*?\*/", lambda m: "\n" * m.group(0).count("\n"), text,
                  flags=re.S)
    for number, line in enumerate(text.split("\n"), 1):
        match = re.match(r'\s*#\s*include\s*[<"]([^>"]+)[>"]', line)
        if match:
            yield number, match.group(1), '"' in line


PROGRAM = [(name, read(full)) for name, full in sources("common", "cli",
                                                        "node")]
ALL = PROGRAM + [(name, read(full)) for name, full in sources("tests")]


def floors():
    bad = []
    for name, text in PROGRAM:
        parts = name.split("/")
        for number, what, quoted in includes(text):
            floor = what.split("/")[0]
            place = "%s:%d: %s" % (name, number, what)
            if parts[0] == "common":
                own = parts[1]
                if quoted and floor not in FLOORS[own] + [own]:
                    bad.append(place)
            elif quoted and what.endswith("config.h") and "/" not in what:
                continue
            elif quoted and floor not in COMMON + [parts[0]]:
                bad.append(place)
    say("a file includes its own floor and those below it", bad)


def doors():
    bad = []
    for name, text in PROGRAM:
        for number, what, _ in includes(text):
            if what in DOORS and not allowed(name, DOORS[what]):
                # What an own header is called may be the library's name too.
                if os.path.exists(os.path.join(ROOT, "common", what)):
                    continue
                bad.append("%s:%d: %s" % (name, number, what))
    say("each outside library has one door", bad)


def outside():
    bad = []
    clocks = set()
    for name, text in PROGRAM:
        code = bare(text)
        for pattern, places in OUTSIDE.items():
            hits = find(name, code, pattern)
            if not hits or allowed(name, places):
                continue
            if name.startswith("cli/") and ("time" in pattern):
                clocks.add(name)
                continue
            bad += hits
    if len(clocks) > CLI_CLOCKS_MAX:
        bad += ["%s asks for the time too" % name for name in sorted(clocks)]
    say("time and chance come in at one place each", bad)


def never():
    bad = []
    for name, text in PROGRAM:
        bad += find(name, bare(text), NEVER)
    say("no call without a bound, no shell", bad)
    bad = []
    for name, text in ALL:
        bad += find(name, text, MARKS)
    say("nothing is marked to be done later", bad)


def looks():
    wide, tabs, trailing, ends = [], [], [], []
    for name, text in ALL:
        for number, line in enumerate(text.split("\n"), 1):
            place = "%s:%d" % (name, number)
            if len(line) > 80:
                wide.append("%s: %d columns" % (place, len(line)))
            if "\t" in line:
                tabs.append(place)
            if line != line.rstrip():
                trailing.append(place)
        if not text.endswith("\n") or text.endswith("\n\n"):
            ends.append(name)
    say("lines have at most 80 columns", wide)
    say("no tabs", tabs)
    say("no blanks at the end of a line", trailing)
    say("a file ends with one newline", ends)


def headers():
    guards, begin, typedefs = [], [], []
    for name, text in ALL:
        base = os.path.basename(name)
        if not text.startswith("/* %s - " % base):
            begin.append(name)
        typedefs += find(name, bare(text), r"\btypedef\s+(struct|enum|union)\b")
        if not name.endswith(".h"):
            continue
        match = re.search(r"^#ifndef (\w+)\n#define (\w+)$", text, re.M)
        if not match or match.group(1) != match.group(2) or \
                not match.group(1).startswith("ENT_"):
            guards.append(name)
    say("a header is guarded by its name, with ENT_ before it", guards)
    say("a file begins with its name and what it is", begin)
    say("no structure hides behind a typedef", typedefs)


def catalogues():
    bad = []
    folder = os.path.join(ROOT, "cli/po")
    env = dict(os.environ, LC_ALL="C")
    for name in sorted(os.listdir(folder)):
        if not name.endswith(".po"):
            continue
        run = subprocess.run(
            ["msgfmt", "--check", "--statistics", "-o", os.devnull,
             os.path.join(folder, name)],
            capture_output=True, text=True, env=env, check=False)
        if run.returncode or "fuzzy" in run.stderr or \
                "untranslated" in run.stderr:
            bad.append("%s: %s" % (name, run.stderr.strip()))
    say("every message of a catalogue is translated", bad)


def messages_are_known():
    """What the source marks stands in the catalogues."""
    with open(os.path.join(ROOT, "cli/po/POTFILES"), encoding="utf-8") as file:
        files = [line.strip() for line in file
                 if line.strip() and not line.startswith("#")]
    bad = ["POTFILES: %s is gone" % name for name in files
           if not os.path.exists(os.path.join(ROOT, name))]
    listed = set(files)
    for name, text in PROGRAM:
        marks = re.search(r"(?<!\w)(_|N_|ENT_N_|ngettext|gettext)\s*\(\s*\"",
                          text)
        if marks and name.endswith(".c") and name not in listed:
            bad.append("%s is not in POTFILES" % name)
    with tempfile.TemporaryDirectory() as folder:
        pot = os.path.join(folder, "all.pot")
        subprocess.run(
            ["xgettext", "--from-code=UTF-8", "-k_", "-kN_", "-kENT_N_",
             "-kngettext:1,2", "-kgettext", "-o", pot, "-D", ROOT] +
            [name for name in files
             if os.path.exists(os.path.join(ROOT, name))],
            capture_output=True, check=False)
        for name in sorted(os.listdir(os.path.join(ROOT, "cli/po"))):
            if not name.endswith(".po"):
                continue
            if not os.path.exists(pot):
                bad.append("xgettext gave nothing")
                continue
            run = subprocess.run(
                ["msgcmp", "--use-untranslated",
                 os.path.join(ROOT, "cli/po", name), pot],
                capture_output=True, text=True, check=False,
                env=dict(os.environ, LC_ALL="C"))
            bad += [re.sub(r"^/tmp/[^:]*all\.pot", name, line)
                    for line in run.stderr.split("\n")
                    if "is used but not defined" in line
                    or "definition" in line]
    say("every message of the source is in the catalogues", bad)


FRENCH = re.compile(r'label_fr = "((?:[^"\\]|\\.)*)"'
                    r"|^-- \w+-fr: (.*)"
                    r"|^-- (?:column|flag) [^:]*:[^|]*\|\s*([^|]*)")
NOT_FRENCH = re.compile("['\"]|(?<![\u00a0\u202f])[:;?!»](?!\\w)"
                        "|«(?![\u00a0\u202f])")


def french():
    """What the definitions say to people in French is written as French is:
    the apostrophe ’, guillemets, blanks that do not break. Names of
    properties such as skype: have no blank before the colon."""
    bad = []
    for folder in ("kinds", "workflows", "reports", "flags", "vocabulary"):
        for name in sorted(os.listdir(os.path.join(ROOT, "configs", folder))):
            full = os.path.join(ROOT, "configs", folder, name)
            with open(full, encoding="utf-8") as file:
                lines = list(csv.reader(file)) if name.endswith(".csv") else \
                    list(file)
            for number, line in enumerate(lines, 1):
                if name.endswith(".csv"):
                    label = line[2]
                else:
                    found = FRENCH.search(line)
                    label = found and next(filter(None, found.groups()), "")
                if label and NOT_FRENCH.search(
                        re.sub(r"\b\w+:(?=[,)])", "", label)):
                    bad.append("%s:%d: %s" % (name, number, label.strip()))
    say("labels in French keep to French typography", bad)


for check in (floors, doors, outside, never, looks, headers, french,
              catalogues, messages_are_known):
    check()
sys.exit(1 if failed else 0)
