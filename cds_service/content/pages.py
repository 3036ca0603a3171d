"""Every generated page below `docs/`: written by `cds-service export sheets`, compared by `cds-service check`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from cds_service.content.cases import Cases, read_cases
from cds_service.content.evidence_page import evidence_page
from cds_service.content.find import Statement
from cds_service.content.problem import Problem
from cds_service.content.sheet import sheets
from cds_service.content.statements import statements_page
from cds_service.rules.service import Service


def pages(services: Sequence[Service], cases: Cases, statements: Sequence[Statement]) -> dict[str, str]:
    """Every generated page: path below `docs/` -> text."""
    made = {f"rules/{name}": text for name, text in sheets(services, cases).items()}
    made["evidence.md"] = evidence_page(services)
    if statements:
        made["statements.md"] = statements_page(statements, services, cases)
    return made


def page_problems(made: dict[str, str], docs_dir: Path) -> Iterator[Problem]:
    """Pages that are missing, out of date, or belong to no rule any more."""
    for name, text in made.items():
        path = docs_dir / name
        if not path.is_file():
            yield Problem("page-missing", f"docs/{name}", "The page does not exist; write the sheets again.")
        elif path.read_text(encoding="utf-8") != text:
            yield Problem(
                "page-outdated", f"docs/{name}", "The page differs from its source; write it again."
            )
    for path in _stray(made, docs_dir):
        yield Problem("page-stray", f"docs/rules/{path.name}", "No rule has this page; remove it.")


def write_pages(
    services: Sequence[Service],
    docs_dir: Path,
    *,
    cases_dir: Path | None = None,
    statements: Sequence[Statement] = (),
) -> list[Path]:
    """Write sheets, evidence page and page of statements; sheets of rules that are gone are removed."""
    made = pages(services, read_cases(cases_dir), statements)
    (docs_dir / "rules").mkdir(parents=True, exist_ok=True)
    for path in _stray(made, docs_dir):
        path.unlink()
    for name, text in made.items():
        (docs_dir / name).write_text(text, encoding="utf-8")
    return [docs_dir / name for name in made]


def _stray(made: dict[str, str], docs_dir: Path) -> list[Path]:
    every = sorted((docs_dir / "rules").glob("*.md"))
    return [path for path in every if f"rules/{path.name}" not in made]
