"""nodes.py - what these tests share: real nodes in a folder of their own,
sentences that hold or do not, and waiting for a condition.

Import it first: it ends the test with 77 when a Python module is missing."""
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

for module, package in (("zmq", "python3-zmq"), ("nacl", "python3-nacl"),
                        ("msgpack", "python3-msgpack"),
                        ("zstandard", "python3-zstandard")):
    if importlib.util.find_spec(module) is None:
        print("1..0 # SKIP %s is not here" % package)
        sys.exit(77)

PATIENCE_S = 30
COMMAND_S = 60
POLL_S = 0.01
MIB = 1 << 20
SHADOW_KIB = 1 << 30  # of virtual memory: only a sanitizer maps a TiB

failed = False


def note(text):
    print("# " + text, flush=True)


def check(sentence, good, why=""):
    """One sentence about the program; `why` helps when it does not hold."""
    global failed
    failed = failed or not good
    print(("ok - " if good else "not ok - ") + sentence, flush=True)
    if not good and why:
        note(str(why))
    return good


def finish():
    sys.exit(1 if failed else 0)


def wait_for(condition, seconds=PATIENCE_S):
    """Until the condition gives something true, which is returned; else its
    last answer when the time is over."""
    until = time.monotonic() + seconds
    while True:
        got = condition()
        if got or time.monotonic() > until:
            return got
        time.sleep(POLL_S)


class Node:
    """A home directory, the commands on it, and its daemon."""

    def __init__(self, world, name):
        self.world = world
        self.name = name
        self.home = os.path.join(world.work, name)
        self.log_path = self.home + ".log"
        self.daemon = None
        self.endpoint = None
        self.rss_most = 0

    def ask(self, *args):
        done = subprocess.run(
            [self.world.entente, "--home", self.home, *args],
            capture_output=True, timeout=COMMAND_S, env=self.world.env)
        if done.returncode != 0:
            raise RuntimeError("%s: entente %s: exit %d: %s" % (
                self.name, " ".join(args), done.returncode,
                (done.stderr + done.stdout).decode()[:2000]))
        return done.stdout.decode()

    def json(self, *args):
        return json.loads(self.ask(*args, "--json"))

    def init(self):
        self.ask("init", "--org", "Org " + self.name)
        return self

    def key(self):
        return bytes.fromhex(self.json("whoami")["key"])

    def seed(self):
        with open(os.path.join(self.home, "key")) as file:
            return bytes.fromhex(file.read().split()[1])

    def space_id(self, name):
        return next(bytes.fromhex(row["id"].replace("-", ""))
                    for row in self.json("space", "list")
                    if row["space"] == name)

    # ------------------------------------------------------------- the daemon

    def start(self, listen=None):
        """`listen` is an endpoint; * as its port takes a free one."""
        told = len(self.log())
        args = ["--listen", listen] if listen else []
        with open(self.log_path, "ab") as log:
            self.daemon = subprocess.Popen(
                [self.world.entented, "--home", self.home, *args],
                stdout=log, stderr=log, env=self.world.env)
        if not wait_for(lambda: "listening" in self.log()[told:] or
                        not self.runs()) or not self.runs():
            raise RuntimeError("%s does not start: %s" % (
                self.name, self.log()[told:]))
        found = re.search(r"listening on (tcp://\S+)", self.log()[told:])
        self.endpoint = found.group(1) if found else None
        return self

    def stop(self):
        if self.daemon is None:
            return 0
        self.daemon.terminate()
        try:
            status = self.daemon.wait(timeout=PATIENCE_S)
        except subprocess.TimeoutExpired:
            self.daemon.kill()
            status = self.daemon.wait()
        self.daemon = None
        return status

    def runs(self):
        return self.daemon is not None and self.daemon.poll() is None

    def address(self):
        host, port = self.endpoint[len("tcp://"):].rsplit(":", 1)
        return host.strip("[]"), int(port)

    def log(self):
        try:
            with open(self.log_path, encoding="utf-8",
                      errors="replace") as log:
                return log.read()
        except FileNotFoundError:
            return ""

    def status_kib(self, name):
        with open("/proc/%d/status" % self.daemon.pid) as status:
            return int(re.search(name + r":\s*(\d+)", status.read()).group(1))

    def rss_kib(self):
        rss = self.status_kib("VmRSS")
        self.rss_most = max(self.rss_most, rss)
        return rss

    def sanitized(self):
        """Its memory says nothing then."""
        return self.status_kib("VmSize") > SHADOW_KIB

    def files(self):
        return len(os.listdir("/proc/%d/fd" % self.daemon.pid))

    # -------------------------------------------------------------- questions

    def digest(self, space):
        return [row for row in self.json("digest") if row["space"] == space]

    def peer(self, key):
        """What `status` counts of a peer; zeros when it has none of it."""
        for peer in self.json("status")["peers"]:
            if peer["key"] == key.hex():
                return peer
        return {}

    def codes(self, kind="contact"):
        return {row["code"] for row in self.json("list", kind)}


class World:
    """A temporary folder with nodes; at the end their daemons are ended and
    the folder is gone."""

    def __init__(self, build):
        self.entente = os.path.join(build, "cli/entente")
        self.entented = os.path.join(build, "node/entented")
        self.work = tempfile.mkdtemp(prefix="eh.")
        self.env = dict(os.environ, LC_ALL="C.UTF-8", TZ="UTC",
                        HOME=self.work)
        # meson's MALLOC_PERTURB_ touches memory that nobody uses.
        for name in ("ENTENTE_HOME", "XDG_DATA_HOME", "LANGUAGE",
                     "MALLOC_PERTURB_"):
            self.env.pop(name, None)
        self.nodes = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for node in self.nodes:
            node.stop()
        shutil.rmtree(self.work, ignore_errors=True)

    def node(self, name):
        self.nodes.append(Node(self, name))
        return self.nodes[-1].init()

    def listening(self, name, *spaces):
        """A node with spaces whose daemon listens on loopback."""
        node = self.node(name)
        for space in spaces:
            node.ask("space", "create", space)
        return node.start("tcp://127.0.0.1:*")

    def joined(self, name, chair, *spaces, role="editor"):
        """A node without a daemon that was let into spaces of `chair`."""
        node = self.node(name)
        for space in spaces:
            line = chair.ask("invite", space, "--role", role, "--endpoint",
                             chair.endpoint).split()[-1]
            node.ask("join", line)
        return node


def equal(a, b, space):
    return a.digest(space) == b.digest(space)


def check_memory(node, before_kib, most_mib, sentence):
    """The most that was seen of its memory, against what it was before."""
    grown = max(node.rss_kib(), node.rss_most) - before_kib
    if node.sanitized():
        note("%s: not looked at, the daemon runs under a sanitizer" % sentence)
        return
    check(sentence, grown <= most_mib << 10,
          "it grew by %d KiB" % grown)
    note("memory grew by %d KiB from %d KiB" % (grown, before_kib))


def check_well(node, after):
    """The daemon is there, and says hello to somebody who means well."""
    import curve
    good = node.runs()
    if good:
        with curve.Link(node.address(), node.key()) as link:
            good = link.shake_hands()
    check("after %s the daemon shakes hands with the next one" % after, good,
          node.log()[-2000:])
