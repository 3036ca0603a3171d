"""`check` and `export`: the content linter, the generated pages, the FHIR artefacts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from rich.console import Console
from rich.markup import escape
from rich.status import Status
from rich.table import Table

from cds_service.content.catalogue import write_catalogues
from cds_service.content.check import problems
from cds_service.content.fhir_export import write_fhir
from cds_service.content.find import statements, unique_contents, value_set_folder
from cds_service.content.pages import write_pages
from cds_service.registry import load_services

CASES = Path("fixtures/cases")
DOCS = Path("docs")


def check_content(console: Console, *, as_json: bool) -> int:
    """List every problem at once; 0 when there is none."""
    with _working("Checking rules, code lists, cases and pages"):
        services = load_services()
        found = problems(
            services,
            today=datetime.now(UTC).date(),
            cases_dir=CASES if CASES.is_dir() else None,
            docs_dir=DOCS if DOCS.is_dir() else None,
            value_set_folder=next(filter(None, map(value_set_folder, unique_contents(services))), None),
            statements=statements(),
            translations=True,
        )
    if as_json:
        rows = [{"code": item.code, "place": item.place, "text": item.text} for item in found]
        console.print_json(msgspec.json.encode(rows).decode())
    elif found:
        table = Table("Problem", "Where", "What")
        for item in found:
            table.add_row(item.code, escape(item.place), escape(item.text))
        console.print(table)
        console.print(f"{len(found)} problem(s).")
    else:
        console.print(f"No problem found: {len(services)} services.")
    return 1 if found else 0


def write_documents(console: Console, folder: Path, *, as_json: bool) -> None:
    """Review sheets, evidence page and statements table, generated from the rules."""
    with _working("Writing the review pages"):
        cases = CASES if CASES.is_dir() else None
        written = write_pages(load_services(), folder, cases_dir=cases, statements=statements())
    _tell(console, written, f"{len(written)} pages in {escape(str(folder))}", as_json=as_json)


def write_knowledge(console: Console, folder: Path, *, as_json: bool) -> None:
    """PlanDefinitions, ValueSets and their index as validated FHIR R4 files."""
    with _working("Writing and validating the FHIR resources"):
        written = write_fhir(load_services(), folder)
    _tell(console, written, f"{len(written)} resources in {escape(str(folder))}", as_json=as_json)


def _working(text: str) -> Status:
    """A line that moves while the work takes its seconds: on a terminal only, and never in the output itself."""
    return Console(stderr=True).status(text)


def _tell(console: Console, written: Sequence[Path], text: str, *, as_json: bool) -> None:
    if as_json:
        console.print_json(msgspec.json.encode({"written": [str(path) for path in written]}).decode())
    else:
        console.print(text)


def write_strings(console: Console) -> None:
    """The strings of the cards for translators, into the folders of the packages they belong to."""
    for path in write_catalogues(load_services()):
        console.print(escape(str(path)))
