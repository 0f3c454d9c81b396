"""files.py BUILD [ROWS] - how many rows a second go in and out, format by
format: the real program on a file, its start included, medians of three. On a
machine that others use, too, the processor time is what counts. Asked for are
20,000 rows a second each way."""
import os
import shutil
import subprocess
import sys
import tempfile
import time

BUILD = os.path.abspath(sys.argv[1])
ROWS = int(sys.argv[2]) if len(sys.argv) > 2 else 20000
RUNS = 3
WORK = tempfile.mkdtemp(prefix="entente-files.")
HEAD = {
    "contact": "id,display_name,title,org_id,iso3,language,email,phone,role,"
               "sharing,consent_on,review_by,provenance",
    "activity": "id,plan_id,activity_type,title_fr,title_en,lead_org_id,"
                "responsible_id,iso3,start_on,due_on,status,progress_pct,"
                "budget,spent,currency,provenance",
}


def row(kind, i):
    if kind == "contact":
        return ("ctc-%06d,Point focal n\u00b0 %d,Charg\u00e9 de protection,"
                "org-unicef,BDI,fr,pf%d@example.org,+257 22 %06d,focal_point,"
                "network,2018-01-15,2021-01-15,demo" % (i, i, i, i))
    return ("act-%06d,pln-bdi,supervisor_coaching,Activit\u00e9 n\u00b0 %d,"
            "Activity no. %d,org-unicef,ctc-%06d,BDI,2018-02-16,2018-03-11,"
            "in_progress,%d,1250.5,%d,USD,demo" % (i, i, i, i, i % 100, i))


def entente(home, *words):
    subprocess.run([os.path.join(BUILD, "cli/entente"), "--home", home, "-q",
                    *words], check=True, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL)


def timed(what, before, home, *words):
    runs = []
    for _ in range(RUNS):
        if before:
            before()
        used = os.times()
        start = time.monotonic()
        entente(home, *words)
        wall = time.monotonic() - start
        now = os.times()
        runs.append((wall, now.children_user + now.children_system -
                     used.children_user - used.children_system))
    wall, cpu = sorted(runs)[RUNS // 2]
    print("%-34s %6.2f s, %7d rows/s; processor %5.2f s, %7d rows/s" %
          (what, wall, ROWS / wall, cpu, ROWS / cpu))


def fresh(home):
    shutil.rmtree(home, ignore_errors=True)
    entente(home, "init", "--org", "Bench")
    entente(home, "space", "create", "s")


def main():
    home = os.path.join(WORK, "node")
    other = os.path.join(WORK, "other")
    for kind in HEAD:
        table = os.path.join(WORK, kind + ".csv")
        with open(table, "w", encoding="utf-8") as file:
            file.write(HEAD[kind] + "\n")
            for i in range(ROWS):
                file.write(row(kind, i) + "\n")
        card = "vcf" if kind == "contact" else "ics"
        timed(kind + ": import CSV", lambda: fresh(home), home, "import", kind,
              table)
        timed(kind + ": import it again", None, home, "import", kind, table)
        for name in ("csv", "json", card, "xlsx"):
            timed("%s: export %s" % (kind, name), None, home, "export", kind,
                  "--format", name, "--output",
                  os.path.join(WORK, kind + "." + name))
        for name in (card, "json"):
            timed("%s: import %s" % (kind, name), lambda: fresh(other), other,
                  "import", kind, os.path.join(WORK, kind + "." + name))
    gone = os.path.join(WORK, "s.db")

    def remove():
        if os.path.exists(gone):
            os.unlink(gone)
    timed("snapshot --anonymise (activities)", remove, home, "snapshot", gone,
          "--anonymise")


try:
    main()
finally:
    shutil.rmtree(WORK)
