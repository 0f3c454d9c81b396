#!/usr/bin/env python3
"""Makes the data of the benchmark: the same bytes every time.

    gen.py DIR [SMALL=20000] [BIG=100000]

Tab-separated UTF-8 (NFC) without tabs, quotes or line breaks in a value:

    records.tsv  BIG lines: id and the 12 texts of COLUMNS, about 310 bytes;
                 the first SMALL of them are the small set
    upd.tsv      SMALL lines "record column text": W2
    inc.tsv      100 lines, every one another record: W4
    mergeA.tsv   10,000 lines each; the first 2,000 of both change the same
    mergeB.tsv   cells to different texts, no other cell comes twice: W5
    up10.tsv     ten passes over the small set, one column of each record: W6
    live.tsv     1,000 lines: W7

Records and columns count from 0. In its file a new text always differs from
the one it replaces, so that every line is a change.
"""
import datetime
import random
import sys
import unicodedata
import uuid
from pathlib import Path

SEED = 1203
COLUMNS = ("kind title given family org email phone city due status prio "
           "note").split()

GIVEN = ("Aminata Bénédicte Célestin Désiré Éléonore Fabrice Geneviève Honoré "
         "Irénée Joséphine Kévin Léopold Marième Néhémie Odette Pélagie "
         "Rénovat Séraphine Timothée Ursule Véronique Wivine Yaël Zénon "
         "Espérance Dieudonné Anne-Cécile Chloë Ndèye Gervais").split()
FAMILY = ("Ndayizeye Niyonkuru Kaboré Ouédraogo Mbaïkoua Sène Bâ Cissé "
          "Hakizimana Kouamé N'Guessan Désalmand Roüan Lacombe Bélanger "
          "Tchédji Adébayo Rakotoarisoa Mézière Gauthier Fournier Çelik "
          "Bigirimana Irakoze Sawadogo Zongo Dembélé Fofana").split()
ORGS = ("Croix-Rouge, comité de Gitega|Réseau des mères éducatrices|"
        "Centre d'écoute du lac|Fédération paysanne de l'Est|"
        "Ministère de la santé, 3e bureau|Écoles ouvertes sans délai|"
        "Coopérative du Théâtre forum|Caritas diocésaine de Ruyigi|"
        "Institut supérieur pédagogique|Bureau régional Grands Lacs|"
        "Œuvre des sœurs hospitalières|Collectif Jeunes à l'écoute").split("|")
CITY = ("Bujumbura Gitega Ngozi Kayanza Makamba Rumonge Cibitoke Muyinga "
        "Goma Bukavu Kigali Ouagadougou Bobo-Dioulasso Thiès Saint-Louis "
        "N'Djaména Lomé Sokodé Yaoundé Ségou Tombouctou Antsirabé").split()
STATUS = ("proposé|confirmé|reporté|annulé|tenu|clôturé|à vérifier").split("|")
KIND = ("personne|séance|formation|tâche").split("|")
TITLE = ("Cours de base|Séance d'écoute mutuelle|Réunion des formateurs|"
         "Visite de suivi|Atelier d'évaluation|Relevé des présences|"
         "Préparation logistique|Échange entre pairs|Rapport de clôture|"
         "Point avec le ministère|Journée portes ouvertes").split("|")
WORD = ("les participantes ont demandé que le prochain rendez-vous se tienne "
        "près du marché où chacune peut venir à pied après la récolte une "
        "deuxième équipe prépare déjà son matériel mais il manque encore "
        "des chaises et un groupe électrogène on a réglé la question du "
        "trajet avec l'école voisine reste à prévenir l'autorité locale "
        "très bonne présence malgré l'orage même les aînés étaient là "
        "rappeler au comité sa promesse d'août").split()


def plain_ascii(name):
    """A name as it stands in an address."""
    parts = unicodedata.normalize("NFD", name.lower())
    return "".join(c for c in parts if "a" <= c <= "z" or c == "-")


class Maker:
    def __init__(self, seed):
        self.rand = random.Random(seed)
        self.first_day = datetime.date(2025, 1, 6)

    def phone(self):
        groups = " ".join("%02d" % self.rand.randrange(100) for _ in range(4))
        return "+257 " + groups

    def email(self, given, family):
        return "%s.%s%d@courriel.example" % (plain_ascii(given),
                                             plain_ascii(family),
                                             self.rand.randrange(1, 100))

    def note(self):
        count = self.rand.randint(10, 20)
        return " ".join(self.rand.choice(WORD) for _ in range(count))

    def text(self, column, given=None, family=None):
        r = self.rand
        given = given or r.choice(GIVEN)
        family = family or r.choice(FAMILY)
        makers = {
            "kind": lambda: r.choice(KIND),
            "title": lambda: "%s n° %d" % (r.choice(TITLE), r.randrange(9999)),
            "given": lambda: given,
            "family": lambda: family,
            "org": lambda: r.choice(ORGS),
            "email": lambda: self.email(given, family),
            "phone": self.phone,
            "city": lambda: r.choice(CITY),
            "due": lambda: (self.first_day + datetime.timedelta(
                days=r.randrange(1500))).isoformat(),
            "status": lambda: r.choice(STATUS),
            "prio": lambda: str(r.randrange(1000000)),
            "note": self.note,
        }
        return unicodedata.normalize("NFC", makers[column]())

    def record(self):
        given, family = self.rand.choice(GIVEN), self.rand.choice(FAMILY)
        return [self.text(column, given, family) for column in COLUMNS]

    def other_text(self, column, present):
        while True:
            text = self.text(column)
            if text != present:
                return text

    def changes(self, records, cells):
        """New texts for cells, each other than what stands by then."""
        now = {}
        for record, at in cells:
            present = now.get((record, at), records[record][at])
            text = self.other_text(COLUMNS[at], present)
            now[record, at] = text
            yield record, at, text

    def any_cells(self, count, small):
        return [(self.rand.randrange(small), self.rand.randrange(len(COLUMNS)))
                for _ in range(count)]


def write(path, rows):
    with open(path, "w", encoding="utf-8", newline="\n") as file:
        for row in rows:
            file.write("\t".join(str(cell) for cell in row) + "\n")


def marked(rows, mark, same):
    """The first rows made different from those of the other side."""
    for i, (record, at, text) in enumerate(rows):
        yield record, at, "%s %s" % (mark, text) if i < same else text


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    out = Path(sys.argv[1])
    small = int(sys.argv[2]) if len(sys.argv) > 2 else 20000
    big = int(sys.argv[3]) if len(sys.argv) > 3 else 100000
    if not 2000 <= small <= big:
        sys.exit("gen.py: SMALL is at least 2000, BIG at least SMALL")
    out.mkdir(parents=True, exist_ok=True)
    make = Maker(SEED)
    rand = make.rand

    records = [make.record() for _ in range(big)]
    ids = [str(uuid.UUID(int=rand.getrandbits(128), version=4))
           for _ in range(big)]
    write(out / "records.tsv", ([i] + r for i, r in zip(ids, records)))

    def write_changes(name, cells):
        write(out / name, make.changes(records, cells))

    write_changes("upd.tsv", make.any_cells(small, small))
    write_changes("inc.tsv", [(record, rand.randrange(len(COLUMNS)))
                              for record in rand.sample(range(small), 100)])
    write_changes("live.tsv", make.any_cells(1000, small))
    write_changes("up10.tsv", [(record, rand.randrange(len(COLUMNS)))
                               for _ in range(10) for record in range(small)])

    cells = [divmod(cell, len(COLUMNS))
             for cell in rand.sample(range(small * len(COLUMNS)), 18000)]
    both, left, right = cells[:2000], cells[2000:10000], cells[10000:]
    for name, mark, mine in (("mergeA.tsv", "A", both + left),
                             ("mergeB.tsv", "B", both + right)):
        write(out / name, marked(make.changes(records, mine), mark, len(both)))

    size = (out / "records.tsv").stat().st_size
    print("%d records of %.0f bytes in %s" % (big, size / big, out))


if __name__ == "__main__":
    main()
