"""What stands in one column of a table that the program printed.

    columns.py table HEADING < OUTPUT       one cell a line, as a terminal has it
    columns.py markdown HEADING < OUTPUT    the same of a table in markdown
    columns.py terminal COLUMNS COMMAND...  the output on a terminal that wide

A column begins where its heading does. Widths are those of the C library, by
which libsmartcols sets tables. Fails when a cell reaches into the next column.
"""

import ctypes
import fcntl
import locale
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios

locale.setlocale(locale.LC_ALL, "C.UTF-8")
wcwidth = ctypes.CDLL(None).wcwidth


def placed(line):
    """The characters of a line with their columns; marks go with theirs."""
    at, cells = 0, []
    for char in line:
        width = wcwidth(ord(char))
        if width < 0:
            sys.exit(f"a character without a width: {char!r}")
        cells.append((at if width > 0 else max(at - 1, 0), char))
        at += width
    return cells, at


def table(heading):
    begin = None
    for line in sys.stdin.read().split("\n"):
        starts = [m.start() for m in re.finditer(r"(?<!\S)(?<!\S )\S", line)]
        if begin is None:
            names = re.split(r"  +", line.rstrip())
            if heading in names:
                i = names.index(heading)
                begin = placed(line[: starts[i]])[1]
                end = placed(line[: starts[i + 1]])[1]
            continue
        cells, width = placed(line)
        if width < begin or re.fullmatch(r"\d+ records?", line):
            begin = None
            continue
        for edge in (begin, end):
            before = [c for at, c in cells if at == edge - 1]
            if edge > 0 and width > edge and before and before != [" "]:
                sys.exit(f"out of its column: {line}")
        print("".join(c for at, c in cells if begin <= at < end).rstrip())


def markdown(heading):
    index = None
    for line in sys.stdin.read().split("\n"):
        cells = [c.strip() for c in re.split(r"(?<!\\)(?:\\\\)*\|", line)][1:-1]
        if index is None or not cells:
            index = cells.index(heading) if heading in cells else None
            count = len(cells)
            continue
        if len(cells) != count:
            sys.exit(f"{len(cells)} cells, not {count}: {line}")
        if not cells[index].startswith("---"):
            print(cells[index])


def terminal(columns, command):
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    program = subprocess.Popen(command, stdout=slave)
    out, ended = b"", False
    # The slave stays open: what is on its way when the last one closes is lost.
    while not ended:
        ended = program.poll() is not None
        while select.select([master], [], [], 0.1)[0]:
            out += os.read(master, 65536)
    sys.stdout.write(out.decode().replace("\r\n", "\n"))
    sys.exit(program.returncode)


if sys.argv[1] == "table":
    table(sys.argv[2])
elif sys.argv[1] == "markdown":
    markdown(sys.argv[2])
else:
    terminal(int(sys.argv[2]), sys.argv[3:])
