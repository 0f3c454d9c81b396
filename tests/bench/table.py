#!/usr/bin/env python3
"""Prints figures of entente-bench beside what is asked of them.

    table.py FIGURES [FIGURES_WITH_NAMED_IDS]
"""
import json
import sys

AT_LEAST, AT_MOST = ">=", "<="

# What is measured, test, metric of Entente, at least or at most, the goal.
GOALS = [
    ("inserts, 1,000 a transaction, of SQLite", "W1",
     "insert_1000_a_tx_ratio", AT_LEAST, 0.50),
    ("inserts, one a transaction, of SQLite", "W1",
     "insert_1_a_tx_ratio", AT_LEAST, 0.90),
    ("updates, 1,000 a transaction, of SQLite", "W2",
     "update_1000_a_tx_ratio", AT_LEAST, 0.65),
    ("updates, one a transaction, of SQLite", "W2",
     "update_1_a_tx_ratio", AT_LEAST, 0.90),
    ("bootstrap, small set, of SQLite's copy", "W3",
     "bootstrap_small_ratio", AT_LEAST, 0.51),
    ("bootstrap, small set, records/s", "W3",
     "bootstrap_small", AT_LEAST, 120000),
    ("bootstrap, big set, of SQLite's copy", "W3",
     "bootstrap_big_ratio", AT_LEAST, 0.51),
    ("bootstrap, big set, records/s", "W3",
     "bootstrap_big", AT_LEAST, 120000),
    ("bootstrap, big set, bytes a record", "W3",
     "bootstrap_big_bytes", AT_MOST, 100),
    ("bootstrap, big set, receiver's MiB", "W3",
     "bootstrap_big_receiver_memory", AT_MOST, 16),
    ("100 changes, one entry, ms beyond a commit", "W4",
     "one_entry_beyond_commit", AT_MOST, 1.5),
    ("100 changes, one entry, bytes", "W4", "one_entry_bytes", AT_MOST, 3600),
    ("100 changes, 100 entries, bytes", "W4",
     "entries_100_bytes", AT_MOST, 5500),
    ("the session after it, one space, bytes", "W4",
     "next_one_space_bytes", AT_MOST, 200),
    ("nothing to do, ten spaces, round trips", "W4",
     "nothing_ten_spaces_rounds", AT_MOST, 1),
    ("nothing to do, ten spaces, bytes", "W4",
     "nothing_ten_spaces_bytes", AT_MOST, 200),
    ("nothing to do, ten spaces, ms", "W4",
     "nothing_ten_spaces_ms", AT_MOST, 0.3),
    ("10,000 changes each way, s", "W5", "merge", AT_MOST, 0.3),
    ("10,000 changes each way, kB", "W5", "merge_bytes", AT_MOST, 500),
    ("conflicts listed with both values, of 2,000", "W5",
     "conflicts_kept", AT_LEAST, 2000),
    ("disk after load, of SQLite", "W6", "disk_loaded_ratio", AT_MOST, 2.0),
    ("disk after ten updates in batches, bytes", "W6",
     "disk_up10_1000_a_tx", AT_MOST, 1250),
    ("one change until committed there, p50 ms", "W7",
     "live_p50", AT_MOST, 0.7),
    ("one change until committed there, p99 ms", "W7",
     "live_p99", AT_MOST, 2),
]
GOALS_NAMED = [
    ("bootstrap, big set, ids of names, of SQLite", "W3",
     "bootstrap_big_ratio", AT_LEAST, 0.43),
    ("bootstrap, big set, ids of names, records/s", "W3",
     "bootstrap_big", AT_LEAST, 100000),
]


def read(path):
    figures = {}
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            figure = json.loads(line)
            if figure["peer"] != "sqlite":
                figures[figure["test"], figure["metric"]] = figure
    return figures


def number(value):
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def show(goals, figures):
    for what, test, metric, way, goal in goals:
        figure = figures.get((test, metric))
        if figure is None:
            continue
        value = figure["value"]
        met = value >= goal if way == AT_LEAST else value <= goal
        spread = f"{number(figure['low'])} .. {number(figure['high'])}"
        print(f"{test}  {what:46} {way} {number(goal):>8}  "
              f"{number(value):>8}  {'' if met else 'MISSED':6}  ({spread})")


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    disk = read(sys.argv[1])["machine", "fdatasync"]["value"]
    print(f"fdatasync {number(disk)} ms; goals in records/s, s and ms are for "
          "a disk of 0.2 ms\n")
    print(f"{'':4}{'':46} {'goal':>11}  {'median':>8}  {'':6}  (all runs)")
    show(GOALS, read(sys.argv[1]))
    if len(sys.argv) > 2:
        show(GOALS_NAMED, read(sys.argv[2]))


main()
