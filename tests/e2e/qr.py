"""qr.py FILE LINE [-] - whether FILE, what "invite --qr" draws, is LINE as a QR
code: with zbarimg by reading it, else by its shape (quiet zone, size, finder
and timing patterns). Prints how it was looked at; ends with 1 when it is not
the code. With "-" the shape is looked at, zbarimg or not."""
import re
import shutil
import subprocess
import sys
import tempfile

QUIET = 4
SCALE = 4
FINDER = ["#######", "#     #", "# ### #", "# ### #", "# ### #", "#     #",
          "#######"]


def modules(text):
    """Rows of modules, '#' for dark; each character is two, one above the
    other."""
    rows = []
    for line in re.sub("\033\\[[0-9;]*m", "", text).split("\n"):
        if line and not set(line) - set(" ▀▄█"):
            rows.append("".join("# "[c in " ▄"] for c in line))
            rows.append("".join("# "[c in " ▀"] for c in line))
    return rows


def fail(why):
    print(why)
    sys.exit(1)


def look(rows):
    size = len(rows[0]) - 2 * QUIET if rows else 0
    if size < 21 or size > 177 or size % 4 != 1:
        fail("%d modules wide, which no code is" % size)
    if {len(row) for row in rows} != {size + 2 * QUIET}:
        fail("rows of several widths")
    if len(rows) not in (size + 2 * QUIET, size + 2 * QUIET + 1):
        fail("%d rows of modules" % len(rows))
    if "#" in "".join(rows[:QUIET] + rows[QUIET + size:]) or \
            any("#" in row[:QUIET] + row[-QUIET:] for row in rows):
        fail("the quiet zone is not quiet")
    code = [row[QUIET:-QUIET] for row in rows[QUIET:QUIET + size]]
    for x, y in ((0, 0), (size - 7, 0), (0, size - 7)):
        if [row[x:x + 7] for row in code[y:y + 7]] != FINDER:
            fail("no finder pattern at %d, %d" % (x, y))
    timing = "# " * size
    if code[6][8:size - 8] != timing[:size - 16] or \
            "".join(row[6] for row in code[8:size - 8]) != timing[:size - 16]:
        fail("no timing pattern")


def decode(rows):
    with tempfile.NamedTemporaryFile(suffix=".pgm") as image:
        image.write(b"P5 %d %d 255\n" % (SCALE * len(rows[0]),
                                         SCALE * len(rows)))
        for row in rows:
            line = b"".join((b"\0" if c == "#" else b"\xff") * SCALE
                            for c in row)
            image.write(line * SCALE)
        image.flush()
        run = subprocess.run(
            ["zbarimg", "--raw", "--quiet", "-Sdisable", "-Sqrcode.enable",
             image.name], capture_output=True, text=True, check=False)
    return run.stdout.strip()


with open(sys.argv[1], encoding="utf-8") as file:
    drawn = modules(file.read())
look(drawn)
if len(sys.argv) > 3 or not shutil.which("zbarimg"):
    print("looked at only: the shape is that of a QR code")
    sys.exit(0)
if decode(drawn) != sys.argv[2]:
    fail("zbarimg does not read the line")
print("zbarimg reads the line")
