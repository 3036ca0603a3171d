"""Bring the medicine tables up to date with your own download of RxNorm.

    python scripts/refresh_rxnorm.py ~/Downloads/RxNorm_prescribe/rrf --release 2026-10-05 --review review.csv
    python scripts/build_valuesets.py

Download "Current Prescribable Content" from the U.S. National Library of Medicine (no login) and unpack it; the folder
must hold RXNCONSO.RRF, RXNREL.RRF and RXNSAT.RRF. The files themselves are never copied into the project.

What happens: a new product with one ingredient of ours, in a dose form that its value set already holds, is added;
every other new product with an ingredient of ours goes to the review file for a pharmacist to place; new package codes
(NDC) of known products are added; a code missing from the release is marked historic. Nothing is ever deleted, because
old orders still carry old codes.
"""

import argparse
import csv
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

TABLES = Path(__file__).resolve().parent.parent / "hooks" / "terminology"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
NDC = "http://hl7.org/fhir/sid/ndc"
PRODUCTS = {"SCD", "SBD"}
# One ingredient, several sets by strength or brand: a person decides.
ALWAYS_REVIEW = {"heparin", "insulin", "sodium-thiosulfate", "teriparatide"}
FORM = re.compile(r"form=([^;]+)")
Row = dict[str, str]


@dataclass
class Release:
    """What we need of one RxNorm release."""

    names: dict[str, tuple[str, str]] = field(default_factory=dict)  # code -> term type, name
    relations: dict[tuple[str, str], list[str]] = field(default_factory=lambda: defaultdict(list))
    packages: list[tuple[str, str]] = field(default_factory=list)  # code, NDC

    def ingredients(self, code: str) -> set[str]:
        """The ingredients of a product, through its generic form and its components."""
        found: set[str] = set()
        for generic in self.relations.get((code, "tradename_of"), [code]):
            for component in self.relations.get((generic, "consists_of"), ()):
                found.update(self.relations.get((component, "has_ingredient"), ()))
                for salt in self.relations.get((component, "has_precise_ingredient"), ()):
                    found.update(self.relations.get((salt, "form_of"), ()))
        return found

    def dose_form(self, code: str) -> str:
        """The dose form of a product."""
        for generic in (code, *self.relations.get((code, "tradename_of"), ())):
            for form in self.relations.get((generic, "has_dose_form"), ()):
                return self.names[form][1] if form in self.names else ""
        return ""


def _rrf(path: Path) -> Iterator[list[str]]:
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            yield line.rstrip("\n").split("|")


def read_release(folder: Path) -> Release:
    """Read the three files. In RXNREL a line says: RXCUI2 RELA RXCUI1."""
    release = Release()
    for line in _rrf(folder / "RXNCONSO.RRF"):
        code, source, term_type, name, suppressed = line[0], line[11], line[12], line[14], line[16]
        if source == "RXNORM" and suppressed == "N" and (term_type not in {"SY", "TMSY", "PSN", "ET"}):
            release.names[code] = (term_type, name)
    wanted = {
        "tradename_of",
        "consists_of",
        "has_ingredient",
        "has_precise_ingredient",
        "form_of",
        "has_dose_form",
    }
    for line in _rrf(folder / "RXNREL.RRF"):
        if line[7] in wanted and line[10] == "RXNORM":
            release.relations[line[4], line[7]].append(line[0])
    for line in _rrf(folder / "RXNSAT.RRF"):
        if line[8] == "NDC" and line[9] == "RXNORM":
            release.packages.append((line[0], line[10]))
    return release


def read_table(path: Path) -> list[Row]:
    """One table."""
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def write_table(path: Path, rows: list[Row], columns: list[str]) -> None:
    """The same table, in the order of its rows."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def mark_historic(rows: list[Row], release: Release, date: str) -> int:
    """Say of each code that the release no longer lists it; once said, leave it."""
    gone = [
        row
        for row in rows
        if row["system"] == RXNORM and row["code"] not in release.names and "histor" not in row["note"]
    ]
    for row in gone:
        row["note"] = f"historic: not in Prescribable Content {date}" + (
            f"; {row['note']}" if row["note"] else ""
        )
    return len(gone)


def new_products(
    rows: list[Row], look_alikes: list[Row], release: Release, source: str
) -> tuple[list[Row], list[Row]]:
    """The products to add, and those that a pharmacist must place."""
    sets_of: dict[str, set[str]] = defaultdict(set)
    forms: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        if row["system"] == RXNORM and row["type"] in {"IN", "PIN"}:
            sets_of[row["code"]].add(row["value_set"])
        if form := FORM.search(row["note"]):
            forms[row["value_set"]].add(form[1].strip())
    known = {row["code"] for row in (*rows, *look_alikes) if row["system"] == RXNORM}
    add: list[Row] = []
    review: list[Row] = []
    for code, (term_type, name) in sorted(release.names.items(), key=lambda each: int(each[0])):
        if code in known or term_type not in PRODUCTS:
            continue
        ingredients = release.ingredients(code)
        candidates = sorted({each for ingredient in ingredients for each in sets_of.get(ingredient, ())})
        if not candidates:
            continue
        form = release.dose_form(code)
        plain = len(ingredients) == 1 and len(candidates) == 1 and candidates[0] not in ALWAYS_REVIEW
        fits = plain and form in forms[candidates[0]]
        row = {
            "value_set": candidates[0] if fits else " ".join(candidates),
            "code": code,
            "system": RXNORM,
            "display": name,
            "type": term_type,
            "source": source,
            "note": f"form={form}",
        }
        (add if fits else review).append(row)
    return add, review


def new_packages(medicines: list[Row], packages: list[Row], release: Release, source: str) -> list[Row]:
    """New package codes of products in the sets that already list packages."""
    with_packages = {row["value_set"] for row in packages}
    products = {
        row["code"]: row
        for row in medicines
        if row["system"] == RXNORM and row["type"] in PRODUCTS and row["value_set"] in with_packages
    }
    known = {(row["value_set"], row["code"]) for row in packages}
    add = []
    for code, ndc in sorted(release.packages):
        product = products.get(code)
        if product and re.fullmatch(r"[0-9]{11}", ndc) and (product["value_set"], ndc) not in known:
            known.add((product["value_set"], ndc))
            add.append({**product, "code": ndc, "system": NDC, "source": source, "note": f"RxNorm {code}"})
    return add


def source_key(tables: Path, date: str) -> str:
    """The key of this release in sources.csv, which is added when it is new."""
    rows = read_table(tables / "sources.csv")
    text = f"RxNorm Current Prescribable Content {date}"
    for row in rows:
        if row["source"] == text:
            return row["key"]
    key = f"s{len(rows) + 1}"
    write_table(tables / "sources.csv", [*rows, {"key": key, "source": text}], ["key", "source"])
    return key


def refresh(folder: Path, date: str, review_path: Path, tables: Path = TABLES) -> str:
    """Do it all and say what was done."""
    release = read_release(folder)
    medicines = read_table(tables / "medications.csv")
    packages = read_table(tables / "ndc.csv")
    columns = list(medicines[0])
    source = source_key(tables, date)
    historic = mark_historic(medicines, release, date)
    added, review = new_products(medicines, read_table(tables / "lookalikes.csv"), release, source)
    medicines += added
    added_packages = new_packages(medicines, packages, release, source)
    write_table(tables / "medications.csv", medicines, columns)
    write_table(tables / "ndc.csv", packages + added_packages, columns)
    write_table(review_path, review, columns)
    return (
        f"{len(added)} products and {len(added_packages)} packages added, {historic} codes marked historic, "
        f"{len(review)} products to review in {review_path}. Now run scripts/build_valuesets.py."
    )


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, help="folder with RXNCONSO.RRF, RXNREL.RRF and RXNSAT.RRF")
    parser.add_argument("--release", required=True, help="date of the release, such as 2026-10-05")
    parser.add_argument(
        "--review", type=Path, default=Path("rxnorm-review.csv"), help="where to list products to place"
    )
    arguments = parser.parse_args()
    print(refresh(arguments.folder, arguments.release, arguments.review))


if __name__ == "__main__":
    main()
