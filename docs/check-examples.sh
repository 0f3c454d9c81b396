#!/bin/sh
# check-examples.sh - runs the examples of README.md and docs/premiers-pas.md
# and those of the tutorials, and compares what they print, but for what
# differs each time: ids, keys, times. In a block marked `console` a line that begins with "$ " is a command,
# one with "> " goes on with it, and what follows is its output.
#
#   docs/check-examples.sh BUILD             compare
#   docs/check-examples.sh BUILD --write     put today's output in place
set -eu

build=$(cd "${1:?usage: $0 BUILD [--write]}" && pwd)
here=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d "${TMPDIR:-/tmp}/entente-examples.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

cd "$here"
PATH=$build/cli:$build/node:$PATH
TZ=UTC
export PATH TZ
unset ENTENTE_HOME XDG_DATA_HOME LANGUAGE LC_MESSAGES || :

/usr/bin/python3 - "$work" "${2-}" <<'PYTHON'
import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios

work, write = sys.argv[1], sys.argv[2] == "--write"
HOME = "/tmp/entente"  # as the pages have it
PORT = "4747"
COLUMNS = 130

MASKS = [
    (r"entente-invite-1:[\w-]+", "INVITE"),
    (r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{22}", "UUID"),
    (r"…[0-9a-f]+", "TAIL"),
    (r"\b[0-9a-f]{8}…", "KEY"),
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "TIME"),
    (r"written_on=\d{4}-\d\d-\d\d", "written_on=TODAY"),
    (r"\b[0-9a-f]{16,64}\b", "HEX"),
    (r"\d{4}-\d\d-\d\d \d\d:\d\d|\d\d/\d\d/\d{4} \d\d:\d\d", "TIME"),
    (r"\d+[.,]\d\b", "SECONDS"),
    (r"[─\s]+", " "),
]


def blocks(text):
    """(start, end) of the bodies of console blocks."""
    return [m.span(1) for m in re.finditer(r"```console\n(.*?)```", text, re.S)]


def steps(body):
    """The commands of a block, each with the output shown."""
    found = []
    for line in body.splitlines():
        if line.startswith("$ "):
            found.append([[line], []])
        elif line.startswith("> ") and not found[-1][1]:
            found[-1][0].append(line)
        else:
            found[-1][1].append(line)
    return found


class Shell:
    """A shell on a terminal of COLUMNS columns."""

    def __init__(self, lang, port):
        self.port = port
        self.home = os.path.join(work, lang)
        os.mkdir(self.home)
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ,
                    struct.pack("HHHH", 50, COLUMNS, 0, 0))
        env = dict(os.environ, LC_ALL=lang, TERM="dumb", NO_COLOR="1")
        self.sh = subprocess.Popen(["/bin/sh"], stdin=subprocess.PIPE,
                                   stdout=slave, stderr=slave, env=env)
        os.close(slave)

    def run(self, lines):
        command = "\n".join(line[2:] for line in lines)
        command = command.replace(HOME, self.home).replace(PORT, self.port)
        if command.endswith("&"):
            command += "\nsleep 1"
        self.sh.stdin.write((command + "\necho @@@\n").encode())
        self.sh.stdin.flush()
        out = b""
        while not out.endswith(b"@@@\r\n"):
            out += os.read(self.master, 65536)
        text = out[:-5].decode().replace(self.home, HOME)
        text = text.replace(self.port, PORT).replace("\r\n", "\n")
        kept = [line.rsplit("\r", 1)[-1].rstrip() for line in text.split("\n")]
        while kept and not kept[-1]:
            kept.pop()
        return kept

    def close(self):
        self.sh.stdin.close()
        self.sh.wait()


def plain(lines):
    text = "\n".join(line.strip() for line in lines if line.strip())
    for pattern, by in MASKS:
        text = re.sub(pattern, by, text)
    return text.strip()


failed = 0
for path, lang, port in (("README.md", "C.UTF-8", "47471"),
                         ("docs/premiers-pas.md", "fr_FR.UTF-8", "47472"),
                         ("docs/tutorial.md", "C.UTF-8", "47473"),
                         ("docs/tutoriel.md", "fr_FR.UTF-8", "47474")):
    with open(path, encoding="utf-8") as file:
        text = file.read()
    shell = Shell(lang, port)
    made, done, count = "", 0, 0
    for start, end in blocks(text):
        body, spoke = "", False
        for lines, shown in steps(text[start:end]):
            out = shell.run(lines)
            count += 1
            if plain(out) != plain(shown) and not write:
                failed += 1
                print(f"not ok - {path}: {lines[0]}")
                print("  shown:", *shown, "  printed:", *out, sep="\n    ")
            blank = [""] if spoke else []
            body += "\n".join(blank + lines + out) + "\n"
            spoke = bool(out)
        made += text[done:start] + body
        done = end
    shell.close()
    if write:
        with open(path, "w", encoding="utf-8") as file:
            file.write(made + text[done:])
    print(f"{'wrote' if write else 'ran'} {count} examples of {path}")
sys.exit(failed > 0)
PYTHON
