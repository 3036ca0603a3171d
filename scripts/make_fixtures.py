"""Write the synthetic patients and the case files from their tables.

python scripts/make_fixtures.py           write fixtures/patients and fixtures/cases
python scripts/make_fixtures.py --check   only say which files differ from the tables; exit 1 if any does
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from fixture_tables import (
    cases_anticoagulants,
    cases_chart,
    cases_minerals,
    cases_orders,
    cases_other_orders,
    cases_vectors,
)
from fixture_tables.patients import PATIENTS
from fixture_tables.resources import Chart, Json, identified

FOLDER = Path(__file__).resolve().parent.parent / "fixtures"
TABLES = (
    cases_anticoagulants,
    cases_minerals,
    cases_vectors,
    cases_orders,
    cases_chart,
    cases_other_orders,
)
WIDTH = 110


def pretty(value: Any, indent: int = 0) -> str:
    """JSON in which everything that fits on a line stands on one line."""
    flat = json.dumps(value, ensure_ascii=False)
    if len(flat) + indent <= WIDTH or not isinstance(value, dict | list) or not value:
        return flat
    inner = " " * (indent + 2)
    if isinstance(value, list):
        rows = [inner + pretty(item, indent + 2) for item in value]
        return "[\n" + ",\n".join(rows) + "\n" + " " * indent + "]"
    rows = [f"{inner}{json.dumps(key)}: {pretty(item, indent + 2)}" for key, item in value.items()]
    return "{\n" + ",\n".join(rows) + "\n" + " " * indent + "}"


def transaction(patient_id: str, chart: Chart) -> Json:
    """The chart as a transaction Bundle that stores every resource under its own id."""
    entries = []
    for resource in identified(chart, patient_id, f"{patient_id}-"):
        address = f"{resource['resourceType']}/{resource['id']}"
        entries.append({"resource": resource, "request": {"method": "PUT", "url": address}})
    return {"resourceType": "Bundle", "id": patient_id, "type": "transaction", "entry": entries}


def files() -> dict[Path, str]:
    """Every generated file with its text."""
    made = {
        FOLDER / "patients" / f"{patient_id}.json": pretty(transaction(patient_id, chart)) + "\n"
        for patient_id, chart in PATIENTS.items()
    }
    for table in TABLES:
        for case in table.CASES:
            path = FOLDER / "cases" / f"{case.name}.json"
            if path in made:
                raise SystemExit(f"two cases are called {case.name}")
            made[path] = pretty(case.document()) + "\n"
    return made


def differing(made: dict[Path, str]) -> list[Path]:
    """Files that are missing, differ from their table, or have none."""
    there = {path for folder in ("patients", "cases") for path in (FOLDER / folder).glob("*.json")}
    changed = [path for path, text in made.items() if path not in there or path.read_text("utf-8") != text]
    return sorted([*changed, *(there - made.keys())])


def write(made: dict[Path, str]) -> None:
    """Write what differs and remove files that no table has."""
    for path in differing(made):
        if path not in made:
            path.unlink()
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(made[path], "utf-8")


def main() -> int:
    """Write or compare; the exit status."""
    parser = argparse.ArgumentParser(description="Write the synthetic patients and the case files.")
    parser.add_argument("--check", action="store_true", help="write nothing, name the files that differ")
    made = files()
    if parser.parse_args().check:
        found = differing(made)
        for path in found:
            print(f"{path.relative_to(FOLDER)} is not what its table says; run scripts/make_fixtures.py")
        return 1 if found else 0
    write(made)
    print(f"{len(made)} files are up to date")
    return 0


if __name__ == "__main__":
    sys.exit(main())
