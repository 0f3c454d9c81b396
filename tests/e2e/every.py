"""Records of every kind, as commands for a shell, one a line.

    every.py least < KINDS    a record that has one field only, not its code
    every.py keyed < KINDS    records that have all of the kind's key, no code
    every.py whole < KINDS    a record that has every field

KINDS is lines of the name of a kind, its key, and what `kinds KIND --json`
prints, with tabs between.
"""

import json
import shlex
import sys

VALUES = {
    "text": ["=Été; \"l'un\", l'autre", "'# deux"],
    "ref": ["nowhere-1", "nowhere-2"],
    "date": ["2018-06", "2018-06-30"],
    "datetime": ["2018-06-01T10:00:00Z", "2018-06-02T10:00:00Z"],
    "integer": ["3", "-4"],
    "decimal": ["12.5", "-0.25"],
    "yesno": ["yes", "no"],
    "code": ["x-1", "x-2"],
}

# Fields that take a certain form only.
FORMS = {
    "sharing": ["network", "group"],
    "email": ["awa@example.org"],
    "emails": ["awa@example.org", "a.diallo@example.org"],
    "currency": ["BIF"],
    "timezone": ["Africa/Bujumbura"],
    "sha256": ["5e" * 32],
    "questions": ["q1:text:Et quoi, \"d'autre\"; là", "q2:number:# combien"],
    "workflow": ["activity"],
    "from_state": ["planned"],
    "to_state": ["in_progress"],
    "reason": ["budget"],
}


def values(field):
    name, kind = field["name"], field["type"]
    if name == "iso3" or name.startswith("countr"):
        return ["BDI", "COD"]
    if "language" in name:
        return ["fr", "rn"]
    if name in FORMS:
        return FORMS[name]
    if name.startswith("rank_"):
        return [field["values"][int(name[5:]) - 1]]
    if kind == "enum":
        return field["values"][-2:]
    return VALUES[kind]


def word(field):
    held = values(field)
    return f"{field['name']}={'|'.join(held) if field['rule'] == 'set' else held[0]}"


def command(kind, fields):
    print(" ".join(["add", kind] + [shlex.quote(word(f)) for f in fields]))


for line in sys.stdin:
    kind, key, fields = line.rstrip("\n").split("\t")
    fields = json.loads(fields)
    if sys.argv[1] == "whole":
        command(kind, fields)
    elif sys.argv[1] == "least":
        command(kind, fields[-1:])
    elif key != "id":
        command(kind, [f for f in fields if f["name"] in key.split("|")])
