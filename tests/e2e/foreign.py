"""foreign.py - files of Entente in other programs' readers, and theirs for
Entente: python3-vobject, python3-icalendar, python3-openpyxl.

    foreign.py read DIR     reads what Entente wrote into DIR
    foreign.py write DIR    writes vCards and calendars there
    foreign.py books DIR    reads the workbooks

Prints "ok - sentence" or "not ok - sentence"."""
import datetime
import os
import sys

import icalendar
import openpyxl
import vobject

FAILED = False


def say(good, sentence):
    global FAILED
    FAILED = FAILED or not good
    print(("ok - " if good else "not ok - ") + sentence)


def text(folder, name):
    with open(os.path.join(folder, name), encoding="utf-8",
              newline="") as file:
        return file.read()


def rows(folder, kind):
    import csv
    with open(os.path.join(folder, kind + ".csv"), encoding="utf-8",
              newline="") as file:
        return {row["id"]: row for row in csv.DictReader(file)}


def read(folder):
    for kind, field in (("contact", "display_name"), ("organisation", "name")):
        cards = list(vobject.readComponents(text(folder, kind + ".vcf")))
        known = rows(folder, kind)
        say(len(cards) == len(known),
            "python3-vobject reads every %s" % kind)
        say(all(card.fn.value == known[card.uid.value][field]
                for card in cards), "with the name it has")
    cards = list(vobject.readComponents(text(folder, "group.vcf")))
    say(len(cards) == len(rows(folder, "group")), "and every group")
    for card in vobject.readComponents(text(folder, "three.vcf")):
        if not card.validate(raiseException=False):
            say(False, "vCard 3.0 of %s is valid" % card.uid.value)
            break
    else:
        say(True, "all cards of 3.0 are valid")
    for kind, title in (("activity", "title"), ("milestone", "title"),
                        ("training", "title"), ("support_session", "subject")):
        known = rows(folder, kind)
        calendar = icalendar.Calendar.from_ical(text(folder, kind + ".ics"))
        found = {str(item["UID"]): item for item in calendar.subcomponents}
        say(set(found) == set(known),
            "python3-icalendar reads every %s" % kind)
        say(not any(item.errors for item in found.values()), "without errors")
        say(all(str(item["SUMMARY"]) in (known[uid].get(title + "_fr"),
                                         known[uid].get(title + "_en"), uid)
                for uid, item in found.items()), "with the title it has")
        again = vobject.readOne(text(folder, kind + ".ics"))
        say(len(list(again.components())) == len(known),
            "and so does python3-vobject")
    for uid, item in found.items():
        if "DTSTART" in item and len(known[uid]["held_on"]) == 10:
            if str(item["DTSTART"].dt) != known[uid]["held_on"]:
                say(False, "%s is on its day" % uid)


def write(folder):
    card = vobject.vCard()
    card.add("uid").value = "foreign-1"
    card.add("fn").value = 'Ann; Dupont, n\u00e9e "X"'
    card.add("n").value = vobject.vcard.Name(family="Dupont", given="Ann")
    card.add("org").value = ["org \u00e9trang\u00e8re", "Unit"]
    card.add("adr").value = vobject.vcard.Address(
        street="Rue 1", city="Kinshasa",
        country="R\u00e9publique d\u00e9mocratique du Congo")
    first = card.add("email")
    first.value = "other@example.org"
    first.type_param = "HOME"
    second = card.add("email")
    second.value = "ann@example.org"
    second.type_param = ["WORK", "PREF"]
    photo = card.add("photo")
    photo.encoding_param = "b"
    photo.value = b"\xff\xd8" * 4000
    other = vobject.vCard()
    other.add("uid").value = "urn:uuid:4fbe8971-0bc3-424c-9c26-36c3e1eff6b1"
    other.add("fn").value = "Bo"
    other.add("n").value = vobject.vcard.Name(family="Bo")
    with open(os.path.join(folder, "foreign.vcf"), "w", encoding="utf-8",
              newline="") as file:
        file.write(card.serialize() + other.serialize())

    calendar = icalendar.Calendar()
    calendar.add("prodid", "-//foreign//")
    calendar.add("version", "2.0")
    todo = icalendar.Todo()
    todo.add("uid", "todo-1")
    todo.add("summary", "\u00e9" * 60)
    todo.add("due", datetime.date(2019, 2, 9))
    todo.add("status", "IN-PROCESS")
    alarm = icalendar.Alarm()
    alarm.add("action", "DISPLAY")
    alarm.add("trigger", datetime.timedelta(days=-1))
    todo.add_component(alarm)
    calendar.add_component(todo)
    todo = icalendar.Todo()
    todo.add("uid", "todo-2")
    todo.add("summary", "Late, \\ and; odd")
    todo.add("due", datetime.datetime(2019, 2, 10, 16, 30))
    calendar.add_component(todo)
    with open(os.path.join(folder, "foreign.ics"), "wb") as file:
        file.write(calendar.to_ical())

    calendar = icalendar.Calendar()
    event = icalendar.Event()
    event.add("uid", "event-1")
    event.add("summary", "Three days")
    event.add("dtstart", datetime.date(2019, 3, 3))
    event.add("dtend", datetime.date(2019, 3, 6))
    calendar.add_component(event)
    with open(os.path.join(folder, "events.ics"), "wb") as file:
        file.write(calendar.to_ical())


def sheet(folder, name, number=0):
    return openpyxl.load_workbook(
        os.path.join(folder, name + ".xlsx")).worksheets[number]


def books(folder):
    activities = sheet(folder, "a")
    say(activities.max_row == 1 + len(rows(folder, "activity")),
        "the workbook has a row for each record, and a heading")
    say(activities.freeze_panes == "A2", "the heading stays in sight")
    head = [cell.value for cell in activities[1]]
    spent = head.index("Spent")
    due = head.index("Due")
    say(all(row[spent].data_type == "n"
            for row in activities.iter_rows(min_row=2)), "numbers are numbers")
    dues = [row[due] for row in activities.iter_rows(min_row=2)]
    say(any(cell.is_date for cell in dues) and
        not any(isinstance(cell.value, str) and len(cell.value) == 10
                for cell in dues), "days are days, months are text")
    report = sheet(folder, "r")
    say("Form\u00e9s" in [cell.value for cell in report[1]],
        "a report has French headings")
    remarks = sheet(folder, "r", 1)
    say("Org A" in str(remarks["A1"].value),
        "and says who contributed, on a sheet of its own")
    say(sheet(folder, "l").max_row > 100, "a listing is a workbook")
    say(sheet(folder, "s").max_column == 2, "and so is a record")
    cells = [cell for row in sheet(folder, "f").iter_rows() for cell in row]
    say(any(cell.value == "=1+1" for cell in cells) and
        not any(cell.data_type == "f" for cell in cells),
        "no cell is a formula")


{"read": read, "write": write, "books": books}[sys.argv[1]](sys.argv[2])
sys.exit(1 if FAILED else 0)
