#!/usr/bin/env python3
"""What membership costs, with the real programs on loopback: to join, to see
somebody removed, and what the checks of who may write take of a bootstrap.

    /usr/bin/python3 members.py BUILD [--runs N] [--checks DATA]

Durations are of commands as somebody types them, their start included. With
--checks the bootstrap W3 runs under callgrind on data made by gen.py, and the
instructions of the checks are set against all those of the receiver's engine;
BUILD must not be one with link-time optimisation then.
"""
import argparse
import glob
import os
import re
import statistics
import subprocess
import sys
import time

here = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(here, "../hostile"))
import nodes  # noqa: E402

SPACE = "group"
JOIN_S = 1.0
REMOVAL_S = 1.0
CHECKS_PERCENT = 2.0

# Whoever asks what the roster says of somebody goes through one of these; none
# of them calls another.
CHECKS = ("ent_judge", "ent_member_shares", "ent_member_role", "ent_member_was",
          "ent_space_named")
ENGINE = "ent_engine_step"


def say(what, values, goal, unit, digits):
    most = max(values)
    print("%-44s median %.*f, most %.*f %s of %d; goal < %g %s: %s" % (
        what, digits, statistics.median(values), digits, most, unit,
        len(values), goal, unit, "met" if most < goal else "missed"),
        flush=True)


def members_of(node):
    return node.ask("member", "list", SPACE, "--format", "csv")


def time_joins(world, chair, runs):
    """From the command to its end: the roster is there, and what was in the
    space."""
    took = []
    for i in range(runs):
        guest = world.node("guest%d" % i)
        line = chair.ask("invite", SPACE, "--role", "editor", "--endpoint",
                         chair.endpoint).split()[-1]
        begin = time.monotonic()
        guest.ask("join", line)
        took.append(time.monotonic() - begin)
        if "Org guest%d" % i not in members_of(guest):
            sys.exit("members.py: guest%d did not join" % i)
    return took


def time_removals(world, chair, runs):
    """From the end of the command on the chair until a command on another node
    says it; the two are connected all the time."""
    watcher = world.joined("watcher", chair, SPACE).start("tcp://127.0.0.1:*")
    took = []
    for i in range(runs):
        org = "Victim %d" % i
        key = world.node("victim%d" % i).key().hex()
        chair.ask("member", "admit", SPACE, key, "--role", "editor",
                  "--org", org)
        if not nodes.wait_for(lambda: org in members_of(watcher)):
            sys.exit("members.py: the watcher is not connected")
        chair.ask("member", "remove", SPACE, key, "--reason", "measured")
        begin = time.monotonic()
        if not nodes.wait_for(lambda: org not in members_of(watcher)):
            sys.exit("members.py: a removal does not arrive")
        took.append(time.monotonic() - begin)
    return took


def inclusive(path):
    """Instructions by function, with all that it called."""
    text = subprocess.run(
        ["callgrind_annotate", "--inclusive=yes", "--threshold=100", path],
        capture_output=True, check=True).stdout.decode()
    counts = {}
    for count, name in re.findall(
            r"^ *([\d,]+) \([^)]*\) +\S*:(\w+)", text, re.MULTILINE):
        # Once for each file that was inlined into it, itself first.
        counts.setdefault(name, int(count.replace(",", "")))
    return counts


def share_of_checks(world, build, data):
    """Percent of the engine's instructions, in the process that received."""
    out = os.path.join(world.work, "callgrind")
    os.mkdir(out)
    subprocess.run(
        ["valgrind", "--quiet", "--tool=callgrind", "--trace-children=yes",
         "--callgrind-out-file=%s/%%p" % out,
         os.path.join(build, "tests/bench/entente-bench"), "--data", data,
         "--dir", world.work, "--repeat", "1", "W3"],
        check=True, stdout=subprocess.DEVNULL, env=world.env)
    shares = []
    for path in glob.glob(out + "/*"):
        counts = inclusive(path)
        if "ent_judge" in counts and ENGINE in counts:
            checks = sum(counts.get(name, 0) for name in CHECKS)
            print("# %d of %d instructions: %s" % (
                checks, counts[ENGINE],
                ", ".join("%s %d" % (name, counts[name]) for name in CHECKS
                          if name in counts)))
            shares.append(100.0 * checks / counts[ENGINE])
    if not shares:
        sys.exit("members.py: no process received anything")
    return shares


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--checks", metavar="DATA")
    asked = parser.parse_args()
    build = os.path.abspath(asked.build)
    with nodes.World(build) as world:
        chair = world.listening("chair", SPACE)
        say("join over loopback", time_joins(world, chair, asked.runs),
            JOIN_S, "s", 3)
        say("a removal seen on a connected node",
            time_removals(world, chair, asked.runs), REMOVAL_S, "s", 3)
        if asked.checks:
            say("membership checks in W3, of the receiver's engine",
                share_of_checks(world, build, os.path.abspath(asked.checks)),
                CHECKS_PERCENT, "%", 2)


main()
