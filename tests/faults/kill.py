#!/usr/bin/python3
"""kill.py - kill -9 at any moment: what a command acknowledged is never lost.

Three nodes on loopback with real daemons. Writers use the command line on
all of them, some of their commands are killed; meanwhile daemons are killed
after 1 to 400 ms, again and again, and started anew. A journal keeps what a
command that exited 0 said. At the end all links heal, and then

  - every acknowledged write is on every node,
  - a transaction that was killed is there as a whole or not at all,
  - all nodes are equal, and `verify --deep` finds nothing,
  - nobody was refused, forked, diverged, or got a fresh origin.

    kill.py BUILD [--kills N] [--seed S]

The seed decides who is killed when; the machine decides what it hits. Exit 1
keeps the folder and says the command that tries the same again.
"""
import argparse
import csv
import io
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

NODES = 3
SHARED = 6          # records that every node writes to
ROWS = 15           # of one imported table: one transaction
SETTLE_S = 60
COMMAND_S = 60


class Failure(Exception):
    """A promise was broken: the text says which."""


class Node:
    def __init__(self, run, number):
        self.run = run
        self.name = "abc"[number]
        self.home = os.path.join(run.work, self.name)
        self.log = self.home + ".log"
        self.daemon = None
        self.lock = threading.Lock()    # over daemon: who kills, who starts
        self.endpoint = free_endpoint()

    def command(self, *args):
        return [self.run.entente, "--home", self.home, *args]

    def ask(self, *args):
        """A command that must succeed; its output."""
        done = subprocess.run(self.command(*args), capture_output=True,
                              timeout=COMMAND_S, env=self.run.env)
        if done.returncode != 0:
            raise Failure("%s: %s: exit %d: %s" % (
                self.name, " ".join(args), done.returncode,
                (done.stderr + done.stdout).decode()[:2000]))
        return done.stdout.decode()

    def rows(self, *args):
        return list(csv.DictReader(io.StringIO(
            self.ask(*args, "--format", "csv"))))

    def start(self):
        with open(self.log, "ab") as log:
            self.daemon = subprocess.Popen(
                [self.run.entented, "--home", self.home, "--listen",
                 self.endpoint], stdout=log, stderr=log, env=self.run.env)

    def end(self, sign, want):
        """End the daemon, which must have lived until now."""
        self.daemon.send_signal(sign)
        got = self.daemon.wait(timeout=30)
        self.daemon = None
        if got != want:
            raise Failure("%s: the daemon ended with %d, not %d: %s" % (
                self.name, got, want, self.log_tail()))

    def log_tail(self):
        with open(self.log, encoding="utf-8", errors="replace") as log:
            return "".join(log.readlines()[-5:])


def free_endpoint():
    """A port that nobody has on an address of our own in 127/8."""
    host = "127.%d.%d.%d" % (os.getpid() >> 16 & 0x7f | 1,
                             os.getpid() >> 8 & 0xff, os.getpid() & 0xff | 1)
    with socket.socket() as sock:
        sock.bind((host, 0))
        return "tcp://%s:%d" % (host, sock.getsockname()[1])


class Run:
    def __init__(self, build, kills, seed):
        self.entente = os.path.join(build, "cli/entente")
        self.entented = os.path.join(build, "node/entented")
        self.kills = kills
        self.seed = seed
        self.work = tempfile.mkdtemp(prefix="ek.")
        self.env = dict(os.environ, LC_ALL="C.UTF-8", TZ="UTC",
                        HOME=self.work)
        for name in ("ENTENTE_HOME", "XDG_DATA_HOME", "LANGUAGE"):
            self.env.pop(name, None)
        self.nodes = [Node(self, i) for i in range(NODES)]
        self.shared = []            # ids of the records everybody writes
        self.journal = []           # (node, what, detail, acknowledged)
        self.journal_file = open(os.path.join(self.work, "journal"), "w",
                                 encoding="utf-8")
        self.journal_lock = threading.Lock()
        self.over = threading.Event()
        self.failures = []
        self.daemon_kills = 0
        self.command_kills = 0

    # ------------------------------------------------------------- prepare

    def make(self, node, rand):
        """A node, its making killed some times: what is half made is made
        anew, what was acknowledged is there."""
        for i in range(8):
            made = self.try_once(rand, node.command(
                "init", "--org", "Org " + node.name), 0.02)
            self.command_kills += not made
            if made or subprocess.run(
                    node.command("whoami"), env=self.env,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL).returncode == 0:
                break
        else:
            node.ask("init", "--org", "Org " + node.name)
        node.ask("verify", "--deep")

    def prepare(self):
        rand = random.Random("%d prepare" % self.seed)
        chair = self.nodes[0]
        for node in self.nodes:
            self.make(node, rand)
        chair.ask("space", "create", "s")
        for i in range(SHARED):
            self.shared.append(chair.ask(
                "add", "contact", "code=shared-%d" % i,
                "display_name=Shared").split()[0])
        chair.start()
        for node in self.nodes[1:]:
            line = chair.ask("invite", "s", "--endpoint",
                             chair.endpoint).strip()
            self.join(node, line)
            node.start()
        self.origins = [self.origin(node) for node in self.nodes]

    def join(self, node, line):
        """The chair's daemon may need a moment to listen."""
        for i in range(50):
            done = subprocess.run(node.command("join", line),
                                  capture_output=True, timeout=COMMAND_S,
                                  env=self.env)
            if done.returncode == 0:
                return
            time.sleep(0.1)
        raise Failure("join: " + done.stderr.decode())

    @staticmethod
    def origin(node):
        return json.loads(node.ask("whoami", "--json"))["origin"]

    # --------------------------------------------------------------- write

    def note(self, node, what, detail, acknowledged):
        with self.journal_lock:
            self.journal.append((node.name, what, detail, acknowledged))
            self.journal_file.write("%s %s %s %s\n" % (
                "ok" if acknowledged else "??", node.name, what, detail))
            self.journal_file.flush()

    def try_once(self, rand, command, kill_s):
        """Run a command, kill it within so many seconds unless that is None;
        whether it was acknowledged."""
        child = subprocess.Popen(command, env=self.env,
                                 stdout=subprocess.DEVNULL,
                                 stderr=subprocess.PIPE)
        if kill_s is not None:
            try:
                child.wait(rand.uniform(0.0005, kill_s))
            except subprocess.TimeoutExpired:
                child.kill()
        text = child.communicate(timeout=COMMAND_S)[1].decode()
        if child.returncode not in (0, -signal.SIGKILL):
            raise Failure("%s: exit %d: %s" % (" ".join(command[2:]),
                                               child.returncode, text))
        return child.returncode == 0

    def write(self, rand, node, args):
        made = self.try_once(rand, node.command(*args),
                             0.04 if rand.random() < 0.3 else None)
        if not made:
            with self.journal_lock:
                self.command_kills += 1
        return made

    def write_one(self, rand, node, name):
        """One write of a kind chosen by lot."""
        draw = rand.random()
        if draw < 0.35:
            args = ["add", "contact", "code=" + name,
                    "display_name=Added " + name]
            what, detail = "add", name
        elif draw < 0.65:
            record = rand.randrange(SHARED)
            args = ["set", self.shared[record], "title=" + name]
            what, detail = "set", "%d %s" % (record, name)
        elif draw < 0.9:
            args = ["set", "own-" + node.name, "display_name=" + name]
            what, detail = "own", name
        else:
            path = os.path.join(self.work, name + ".csv")
            with open(path, "w", encoding="utf-8") as table:
                table.write("code,display_name\n")
                for i in range(ROWS):
                    table.write("%s-%d,Imported %s\n" % (name, i, name))
            args = ["import", "contact", path, "--space", "s"]
            what, detail = "import", name
        self.note(node, what, detail, self.write(rand, node, args))

    def writer(self, number):
        rand = random.Random("%d writer %d" % (self.seed, number))
        node = self.nodes[number]
        try:
            node.ask("add", "contact", "code=own-" + node.name,
                     "display_name=w%d-0" % number)
            self.note(node, "own", "w%d-0" % number, True)
            count = 0
            while not self.over.is_set():
                count += 1
                self.write_one(rand, node, "w%d-%d" % (number, count))
                time.sleep(rand.uniform(0, 0.02))
        except Exception as failure:
            self.failures.append(failure)
            self.over.set()

    # ---------------------------------------------------------------- kill

    def kill(self, node):
        node.end(signal.SIGKILL, -signal.SIGKILL)
        node.start()
        self.daemon_kills += 1

    def kill_often(self):
        rand = random.Random("%d killer" % self.seed)
        while self.daemon_kills < self.kills and not self.over.is_set():
            time.sleep(rand.uniform(0.001, 0.4))
            if rand.random() < 0.1:
                for node in self.nodes:
                    self.kill(node)
            else:
                self.kill(rand.choice(self.nodes))

    # --------------------------------------------------------------- check

    def settle(self):
        """Daemons from scratch, so that nobody waits long to dial again."""
        for node in self.nodes:
            time.sleep(0.3)
            node.end(signal.SIGTERM, 0)
        for node in self.nodes:
            node.start()
        begin = time.monotonic()
        while True:
            digests = [node.ask("digest", "s", "--format", "csv")
                       for node in self.nodes]
            if len(set(digests)) == 1:
                return time.monotonic() - begin
            if time.monotonic() - begin > SETTLE_S:
                raise Failure("not equal after %d s:\n%s" % (
                    SETTLE_S, "".join(digests)))
            time.sleep(0.2)

    def check_writes(self, node):
        shown = {row["code"]: row["display_name"]
                 for row in node.rows("list", "contact")}
        history = [{row["value"] for row in node.rows(
            "log", record, "--limit", "1000000")
            if row["field"] == "title"} for record in self.shared]
        lost = []
        for by, what, detail, acknowledged in self.journal:
            if what == "add":
                found = shown.get(detail) == "Added " + detail
            elif what == "set":
                record, value = detail.split()
                found = value in history[int(record)]
            elif what == "import":
                count = sum(shown.get("%s-%d" % (detail, i)) ==
                            "Imported " + detail for i in range(ROWS))
                if count not in (0, ROWS):
                    raise Failure("%s: %d of %d rows of %s" % (
                        node.name, count, ROWS, detail))
                found = count == ROWS
            else:
                continue
            if acknowledged and not found:
                lost.append("%s by %s: %s" % (what, by, detail))
        if lost:
            raise Failure("%s lost %d acknowledged writes: %s" % (
                node.name, len(lost), "; ".join(lost[:5])))
        self.check_own(node, shown)

    def check_own(self, node, shown):
        """A record that one node writes to shows the last that it said, or
        one after that of which nobody knows."""
        for writer in self.nodes:
            may = []
            for by, what, detail, acknowledged in self.journal:
                if what == "own" and by == writer.name:
                    may = [detail] if acknowledged else may + [detail]
            value = shown.get("own-" + writer.name)
            if value not in may:
                raise Failure("%s shows %s of %s, not one of %s" % (
                    node.name, value, writer.name, may))

    def check_calm(self, node, origin):
        if self.origin(node) != origin:
            raise Failure("%s took a fresh origin" % node.name)
        status = json.loads(node.ask("status", "--json"))
        for space in status["spaces"]:
            if space["alarms"] or space["quarantined"]:
                raise Failure("%s: %s" % (node.name, space))
        for peer in status["peers"]:
            if peer.get("refused"):
                raise Failure("%s refused entries: %s" % (node.name, peer))
        with open(node.log, encoding="utf-8", errors="replace") as log:
            for line in log:
                for word in ("ALARM", "alarm", "refused", "error",
                             "assertion"):
                    if word in line:
                        raise Failure("%s said: %s" % (node.name, line))

    def check(self):
        for node, origin in zip(self.nodes, self.origins):
            self.check_writes(node)
            self.check_calm(node, origin)
            node.ask("verify", "--deep")
        for node in self.nodes:
            node.end(signal.SIGTERM, 0)
            node.ask("verify", "--deep")

    def connections(self):
        count = 0
        for node in self.nodes:
            with open(node.log, encoding="utf-8", errors="replace") as log:
                count += sum("] connected" in line or " connected with" in
                             line for line in log)
        return count

    # ----------------------------------------------------------------- run

    def all(self):
        begin = time.monotonic()
        self.prepare()
        writers = [threading.Thread(target=self.writer, args=[i])
                   for i in range(NODES)]
        for thread in writers:
            thread.start()
        try:
            self.kill_often()
        finally:
            self.over.set()
            for thread in writers:
                thread.join()
        if self.failures:
            raise self.failures[0]
        settled = self.settle()
        self.check()
        acknowledged = sum(item[3] for item in self.journal)
        print("ok - %d kills of daemons, %d of commands; %d writes "
              "acknowledged, %d unknown, 0 lost; %d connections; equal after "
              "%.1f s; %.0f s in all; seed %d" % (
                  self.daemon_kills, self.command_kills, acknowledged,
                  len(self.journal) - acknowledged, self.connections(),
                  settled, time.monotonic() - begin, self.seed))

    def stop(self):
        """Only what was started here, by its own handle."""
        for node in self.nodes:
            if node.daemon is not None:
                node.daemon.kill()
                node.daemon.wait()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("build")
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--seed", type=int)
    given = parser.parse_args()
    if given.seed is None:
        given.seed = random.SystemRandom().randrange(1 << 31)
    run = Run(os.path.abspath(given.build), given.kills, given.seed)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    good = False
    try:
        run.all()
        good = True
    except (Failure, subprocess.TimeoutExpired) as failure:
        print("not ok - %s" % failure)
    finally:
        run.over.set()
        run.stop()
        if good:
            shutil.rmtree(run.work)
        else:
            print("# kept: %s\n# again: %s %s --kills %d --seed %d" % (
                run.work, os.path.abspath(__file__), given.build,
                given.kills, given.seed))
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
