"""Write the odd request bodies, their clean twins and the page that lists them.

python scripts/make_quirks.py           write fixtures/quirks
python scripts/make_quirks.py --check   only say which files differ from the tables; exit 1 if any does
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from fixture_tables import quirks_clients, quirks_epic, quirks_versions
from fixture_tables.quirk_twins import BY_NAME
from fixture_tables.quirkwork import OK, Quirk
from make_fixtures import pretty

FOLDER = Path(__file__).resolve().parent.parent / "fixtures" / "quirks"
QUIRKS: tuple[Quirk, ...] = (*quirks_epic.QUIRKS, *quirks_clients.QUIRKS, *quirks_versions.QUIRKS)
INTRODUCTION = """\
# Odd but real

Request bodies as EHRs, sandboxes and older clients send them, most of them not legal FHIR R4. Each is a clean call from
`twins/` with one change. A test sends both to a running service: the odd one must get the twin's answer word for word
(rules, tiers, numbers, suggestions) and the same outcome of every rule, or the stated refusal. Where the quirk is
another id, that id stands in place of the twin's.

The patients are invented. Nothing here was copied from a vendor: the shapes are documented or were observed, the content
is ours. *Documented* says where; what is second-hand or was never seen published says so. `twins/` hold valid R4B,
and the bodies of R4B, R5 and STU3 are valid in their version, which a test checks.

    .venv/bin/cds-service explain fixtures/quirks/epic-medication-sibling.json

This page and the files are written by `scripts/make_quirks.py` from `scripts/fixture_tables/`.
"""


def page() -> str:
    """The list, one row per quirk."""
    rows = ["| File | Sent by | What is odd | Documented | Answer |", "|---|---|---|---|---|"]
    for quirk in QUIRKS:
        answer = f"as `{quirk.twin}`" if quirk.status == OK else str(quirk.status)
        file = f"[{quirk.name}]({quirk.name}.json)"
        rows.append(f"| {file} | {quirk.sent_by} | {quirk.why} | {quirk.documented} | {answer} |")
    twins = ["| Twin | What it is |", "|---|---|"]
    twins += [f"| [{name}](twins/{name}.json) | {twin.why} |" for name, twin in BY_NAME.items()]
    return "\n".join([INTRODUCTION, *rows, "", *twins, ""])


def files() -> dict[Path, str]:
    """Every generated file with its text."""
    made = {FOLDER / "README.md": page()}
    for name, twin in BY_NAME.items():
        made[FOLDER / "twins" / f"{name}.json"] = pretty(twin.document()) + "\n"
    for quirk in QUIRKS:
        path = FOLDER / f"{quirk.name}.json"
        if path in made:
            raise SystemExit(f"two quirks are called {quirk.name}")
        made[path] = pretty(quirk.document(BY_NAME[quirk.twin])) + "\n"
    return made


def main() -> int:
    """Write or compare; the exit status."""
    parser = argparse.ArgumentParser(description="Write the odd request bodies and their twins.")
    parser.add_argument("--check", action="store_true", help="write nothing, name the files that differ")
    made = files()
    there = {path for path in FOLDER.rglob("*") if path.is_file()}
    changed = sorted(
        path for path, text in made.items() if path not in there or path.read_text("utf-8") != text
    )
    stale = sorted(there - made.keys())
    if parser.parse_args().check:
        for path in [*changed, *stale]:
            print(f"{path.relative_to(FOLDER)} is not what its table says; run scripts/make_quirks.py")
        return 1 if changed or stale else 0
    for path in changed:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(made[path], "utf-8")
    for path in stale:
        path.unlink()
    print(f"{len(made)} files are up to date")
    return 0


if __name__ == "__main__":
    sys.exit(main())
