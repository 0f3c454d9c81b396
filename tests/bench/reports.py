#!/usr/bin/env python3
"""What reports and listings cost beside the same SQL in the sqlite3 shell, and
what the program takes to start.

    /usr/bin/python3 reports.py BUILD [--records N] [--runs N] [--instructions]
                               [--keep DIR]

Makes a node with about N records (100,000) of the kinds that reports read, and
runs each report, `list`, `show` and `find` in turn with the sqlite3 shell on
the same file, CSV to nowhere. The shell gets the report's own text with its
parameters; functions that it lacks are replaced by ones it has. A figure is
the median of the processor time of all runs, with --instructions the millions
of instructions of one. The ratio is of the work without the start: `whoami`,
which opens the replica, and a count of one row; goal: at most 1.3. "start" is a
command that opens no replica against an empty C program that loads the same
libraries; goal: 10 ms.
"""
import argparse
import csv
import os
import random
import re
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile

here = os.path.dirname(os.path.abspath(__file__))
reports = os.path.join(here, "../../configs/reports")
flags = os.path.join(here, "../../configs/flags")
ON = "2019-03-01"
RATIO = 1.3
START_MS = 10.0
LISTING = (
    "SELECT hex(id) AS id, coalesce((SELECT s.name FROM local_space s WHERE "
    "s.space = t.space), '') AS space, (SELECT count(*) FROM cell c WHERE "
    "c.space = t.space AND c.id = t.id) AS conflicts, %s FROM %s t WHERE %d "
    "AND %s ORDER BY %s")
FOUND = (
    "SELECT d.kind, d.space, hex(d.id), a.code, a.title_fr FROM search s "
    "JOIN search_doc d ON d.doc = s.rowid LEFT JOIN activities a ON a.space = "
    "d.space AND a.id = d.id WHERE search MATCH '\"coaching\" AND \"77\"*' "
    "ORDER BY s.rowid DESC LIMIT 50")
# Codes that ISO leaves to its users, so that each of them is one.
COUNTRIES = ["X%c%c" % (a, b) for a in "ABCDE" for b in "ABCDEFGH"]


def day(rand):
    return "20%02d-%02d-%02d" % (rand.randint(16, 20), rand.randint(1, 12),
                                 rand.randint(1, 28))


def span(rand):
    """A day and one that is not before it."""
    return sorted([day(rand), day(rand)])


def rows_of(records):
    """(kind, heading, rows): as countries keep them, with a fixed seed."""
    rand = random.Random(11)
    part = records // 100

    def some(kind, count):
        return "%s-%d" % (kind, rand.randrange(count))

    def country(number):
        return COUNTRIES[number % len(COUNTRIES)]

    orgs, groups, contacts, plans = 2 * part, part, 10 * part, part
    activities, trainers, trainings = 20 * part, 10 * part, 5 * part
    yield "organisation", "id,name,acronym,org_type,iso3", [
        ["org-%d" % i, "Organisation nationale numéro %d" % i, "ON%d" % i,
         "ngo", country(i)] for i in range(orgs)]
    yield "group", "id,name_fr,name_en,kind,level,parent_id,iso3,status", [
        ["grp-%d" % i, "Groupe de travail %d" % i, "Working group %d" % i,
         "working_group" if i % 2 else "training_team", "country",
         "grp-%d" % (i // 2) if i else "", country(i), "active"]
        for i in range(groups)]
    yield "contact", "id,display_name,title,org_id,iso3,email,role", [
        ["ctc-%d" % i, "Personne %d" % i, "Gestionnaire de cas",
         some("org", orgs), country(i), "p%d@example.org" % i, "focal_point"]
        for i in range(contacts)]
    yield ("assignment", "id,contact_id,group_id,role,start_on,end_on,"
           "end_reason,backup_for", [
               ["mem-%d" % i, some("ctc", contacts), some("grp", groups),
                rand.choice(["focal_point", "backup_focal_point", "trainer"]),
                "2016-01-01", day(rand) if i % 4 == 0 else "",
                "turnover" if i % 4 == 0 else "",
                some("ctc", contacts) if i % 3 == 0 else ""]
               for i in range(10 * part)])
    yield ("trainer", "id,display_name,contact_id,iso3,cohort,attended_tot,"
           "org_id,languages,precourse_evaluation,precourse_completed,"
           "precourse_supervision_intro,status,outcome,left_post,availability",
           [["trn-%d" % i, "Formateur %d" % i, some("ctc", contacts),
             country(i), "TOT-%d" % (i % 90), "yes", some("org", orgs),
             "fr|en", "yes", "yes" if i % 3 else "no",
             "yes" if i % 2 else "no", "certified",
             "delivered_reported" if i % 5 else "left_post",
             "no" if i % 5 else "yes", "available"]
            for i in range(trainers)])
    yield ("training", "id,kind,title_fr,iso3,start_on,end_on,participants,"
           "orgs_represented,status,reported,reported_on", [
               ["evt-%d" % i, "in_country", "Formation nationale %d" % i,
                country(i), *span(rand), rand.randint(8, 30),
                rand.randint(2, 12), "delivered", "yes" if i % 4 else "no",
                day(rand)] for i in range(trainings)])
    yield ("participation",
           "training_id,trainer_id,role,pre_test_pct,post_test_pct", [
               ["evt-%d" % (i % trainings), "trn-%d" % (i // 2 % trainers),
                ("participant", "trainer")[i % 2], rand.randint(20, 60),
                rand.randint(50, 95)] for i in range(20 * part)])
    yield "plan", "id,title_fr,title_en,group_id,iso3,status,currency", [
        ["pln-%d" % i, "Plan %d" % i, "Plan %d" % i, some("grp", groups),
         country(i), "in_progress", "USD"] for i in range(plans)]
    yield ("activity", "id,plan_id,activity_type,title_fr,title_en,"
           "lead_org_id,responsible_id,iso3,start_on,due_on,status,budget,"
           "spent,currency", [
               ["act-%d" % i, some("pln", plans), "supervisor_training",
                "Accompagnement continu %d" % i, "Ongoing coaching %d" % i,
                some("org", orgs), some("ctc", contacts), country(i),
                *span(rand),
                rand.choice(["planned", "in_progress", "done", "done"]),
                rand.randint(100, 9000), rand.randint(0, 9000), "USD"]
               for i in range(activities)])
    yield "expense", "id,activity_id,spent_on,amount,currency", [
        ["exp-%d" % i, some("act", activities), day(rand),
         rand.randint(10, 900), "USD"] for i in range(8 * part)]
    yield "challenge", "plan_id,challenge,rank,iso3", [
        ["pln-%d" % i, challenge, rank + 1, country(i)]
        for i in range(plans)
        for rank, challenge in enumerate(["time", "budget", "turnover"])]
    yield ("support_session", "id,kind,group_id,iso3,held_on,modality,"
           "attendance,person_days,status", [
               ["ses-%d" % i,
                rand.choice(["monthly_call", "individual_supervision"]),
                some("grp", groups), country(i), day(rand),
                rand.choice(["remote", "in_person"]), rand.randint(2, 9),
                rand.randint(1, 5), rand.choice(["held", "missed"])]
               for i in range(7 * part)])
    yield ("request", "id,kind,title_fr,iso3,group_id,submitted_on,"
           "tor_approved_on,started_on,delivered_on,status", [
               ["req-%d" % i, "technical_assistance", "Demande %d" % i,
                country(i), some("grp", groups), "2017-0%d" % (i % 9 + 1),
                "2018-01-15", "2018-02", "2018-06-30", "closed"]
               for i in range(2 * part)])
    yield "document", "id,title,kind,language,translation_of," \
        "translation_status", [
            ["doc-%d" % i, "Guide %d" % i, "module", "en" if i % 3 else "fr",
             "doc-%d" % (i - 1) if i % 3 == 0 and i else "",
             "draft" if i % 3 == 0 else ""] for i in range(2 * part)]
    yield "lesson", "id,audience,theme,text_fr,status", [
        ["les-%d" % i, "donor", "funding", "Financer plus longtemps %d" % i,
         "open"] for i in range(part)]


class Node:
    def __init__(self, build, work, records):
        self.program = os.path.join(build, "cli/entente")
        self.home = os.path.join(work, "node")
        self.file = os.path.join(self.home, "replica.db")
        self.count = 0
        if os.path.exists(self.file):
            return
        self.ask("init", "--org", "Bench")
        self.ask("space", "create", "bench")
        for kind, heading, rows in rows_of(records):
            path = os.path.join(work, kind + ".csv")
            with open(path, "w", newline="") as file:
                writer = csv.writer(file)
                writer.writerow(heading.split(","))
                writer.writerows(rows)
            self.ask("import", kind, path)
            self.count += len(rows)
        self.ask("find", "nothing")

    def command(self, *args):
        return [self.program, "--home", self.home, "--quiet", *args]

    def ask(self, *args):
        return subprocess.run(self.command(*args), check=True,
                              stdout=subprocess.PIPE).stdout.decode()

    def tables(self):
        rows = self.ask("sql", "SELECT name FROM sqlite_schema WHERE sql LIKE "
                        "'%meta BLOB NOT NULL%'", "--format", "csv")
        return rows.split()[1:]

    def shell(self, text, **params):
        """The shell on the same file, with the functions it lacks replaced."""
        text = re.sub(r"--.*", "", text)
        text = text.replace("ent_uuid(", "hex(").replace("ent_value(", "(")
        text = re.sub(r"ent_(?:low|high)\(\s*'[^']*',[^,()]*,[^,()]*,"
                      r"([^,()]*)\)", r"\1", text)
        text = text.replace("ent_range(", "max(")
        text = re.sub(r"ent_archived\([^()]*\)", "0", text)
        text = re.sub(r"ent_writes\([^()]*\)", "'[]'", text)
        sets = ["-cmd", ".parameter init"]
        for name, value in params.items():
            sets += ["-cmd", ".parameter set :%s %s" % (name, value)]
        return ["sqlite3", "-readonly", "-csv", "-header", *sets, self.file,
                text]


def cost_ms(command):
    """Processor time: what waits for other processes is not counted."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return 1000 * (after.ru_utime - before.ru_utime +
                   after.ru_stime - before.ru_stime)


def cost_instructions(command):
    """Millions of instructions: the same on a busy machine."""
    done = subprocess.run(
        ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null",
         *command], check=True, stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE)
    return int(re.findall(rb"Collected : (\d+)", done.stderr)[0]) / 1e6


class Costs:
    def __init__(self, runs, instructions):
        self.runs = 1 if instructions else runs
        self.cost = cost_instructions if instructions else cost_ms
        self.unit = "M" if instructions else "ms"
        self.starts = None

    def take_turns(self, ours, theirs, times=1):
        taken = ([], [])
        for _ in range(1 if self.runs == 1 else times * self.runs):
            taken[0].append(self.cost(ours))
            taken[1].append(self.cost(theirs))
        return [statistics.median(each) for each in taken]

    def compare(self, what, ours, theirs):
        """The ratio is of the work alone: each less what it takes to start."""
        both = self.take_turns(ours, theirs)
        work = [both[i] - self.starts[i] for i in (0, 1)]
        ratio = work[0] / max(work[1], 0.1)
        print("%-16s entente %7.1f %s, sqlite3 %7.1f %s; without the start "
              "%7.1f, %7.1f %s, ratio %5.2f; goal <= %.1f: %s" % (
                  what, both[0], self.unit, both[1], self.unit, work[0],
                  work[1], self.unit, ratio, RATIO,
                  "met" if ratio <= RATIO else "missed"), flush=True)


def empty_program(build, work, program):
    """A program without a line of its own that loads what entente loads."""
    needed = re.findall(r"NEEDED.*\[lib(.*)\.so",
                        subprocess.run(["readelf", "-d", program],
                                       check=True, capture_output=True)
                        .stdout.decode())
    source = os.path.join(work, "empty.c")
    with open(source, "w") as file:
        file.write("int main(void) { return 0; }\n")
    path = os.path.join(work, "empty")
    libraries = subprocess.run(["ldd", program], check=True,
                               capture_output=True).stdout.decode()
    paths = [match for name in needed for match in re.findall(
        r"=> (\S*/lib%s\.so\S*)" % re.escape(name), libraries)]
    subprocess.run(["cc", "-O2", "-o", path, source, "-Wl,--no-as-needed",
                    *paths], check=True)
    return path


def measure_start(node, build, work, costs):
    empty = empty_program(build, work, node.program)
    ours, theirs = costs.take_turns(node.command("kinds"), [empty], 10)
    print("start            entente %7.1f %s, empty   %7.1f %s; beyond it "
          "%7.1f %s; goal < %g ms: %s" % (
              ours, costs.unit, theirs, costs.unit, ours - theirs, costs.unit,
              START_MS, "-" if costs.unit != "ms" else
              "met" if ours - theirs < START_MS else "missed"), flush=True)
    costs.starts = costs.take_turns(
        node.command("whoami"), node.shell("SELECT count(*) FROM space"), 5)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("--records", type=int, default=100000)
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--instructions", action="store_true")
    parser.add_argument("--keep", metavar="DIR")
    asked = parser.parse_args()
    work = asked.keep or tempfile.mkdtemp(prefix="entente-reports.")
    os.makedirs(work, exist_ok=True)
    try:
        node = Node(os.path.abspath(asked.build), work, asked.records)
        costs = Costs(asked.runs, asked.instructions)
        measure_start(node, asked.build, work, costs)
        for name in sorted(os.listdir(reports)):
            with open(os.path.join(reports, name)) as file:
                text = file.read()
            name = name.removesuffix(".sql")
            costs.compare(
                name,
                node.command("report", name, "--on", ON, "--format", "csv"),
                node.shell(text, on="\"'%s'\"" % ON, country="NULL",
                           group="NULL", lang="\"'en'\"", few="5"))
        with open(os.path.join(flags, "flags.sql")) as file:
            flagged = "SELECT * FROM (%s\n) f WHERE f.kind = :kind" % (
                file.read())
        columns = "code,display_name,title,org_id,iso3,email,role"
        costs.compare(
            "list",
            node.command("list", "contact", "--columns", columns, "--format",
                         "csv"),
            node.shell(LISTING % (columns, "contacts", 3, "1", "code, id")))
        costs.compare(
            "list, filtered",
            node.command("list", "activity", "status=done",
                         "due_on<2018-01-01", "--format", "csv"),
            node.shell(LISTING % (
                "*", "activities", 9,
                "status = 'done' AND due_on < '2018-01-01'", "code, id") +
                "; " + flagged, on="\"'%s'\"" % ON, kind="\"'activity'\""))
        costs.compare(
            "show", node.command("show", "act-77", "--json"),
            node.shell(" ".join(
                "SELECT * FROM %s WHERE code = 'act-77';" % table
                for table in node.tables()) + flagged +
                " AND f.code = 'act-77'", on="\"'%s'\"" % ON,
                kind="\"'activity'\""))
        costs.compare(
            "find", node.command("find", "coaching", "77", "--json"),
            node.shell(FOUND))
    finally:
        if not asked.keep:
            shutil.rmtree(work)


main()
