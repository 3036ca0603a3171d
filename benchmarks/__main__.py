"""`python -m benchmarks`: one table of ratios, and the same as JSON.

python -m benchmarks                      every section but the peers (`make bench-peers` installs those)
python -m benchmarks engine growth        only these
python -m benchmarks memory --calls 10000
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from benchmarks import (
    asgi_section,
    cold_section,
    engine_section,
    fhir_section,
    growth_section,
    peers_section,
    screening_section,
    socket_section,
)
from benchmarks.measure import Report


def main() -> int:
    """0: the run is valid and every bar is met; 1: a bar is missed; 2: the run says nothing."""
    options = _options()
    sections: dict[str, Callable[[Report], None]] = {
        "engine": engine_section.run,
        "asgi": asgi_section.run,
        "sockets": socket_section.run,
        "fhir": fhir_section.run,
        "growth": lambda report: growth_section.run(report, options.figure),
        "cold": cold_section.run,
        "memory": lambda report: growth_section.memory(report, options.calls),
        "screening": lambda report: screening_section.run(report, options.patients),
        "peers": peers_section.run,
    }
    chosen = options.sections or [name for name in sections if name != "peers"]
    unknown = [name for name in chosen if name not in sections]
    if unknown:
        print(f"no such section: {', '.join(unknown)}; there are {', '.join(sections)}", file=sys.stderr)
        return 2
    report = Report()
    console = Console(stderr=True)
    with Progress(
        SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn(), console=console
    ) as progress:
        for name in chosen:
            task = progress.add_task(name, total=None)
            try:
                sections[name](report)
            except (AssertionError, OSError, RuntimeError, subprocess.SubprocessError) as error:
                # What the other sections found is not lost with it.
                report.invalid(f"{name}: ended early, {type(error).__name__}: {error}")
            progress.update(task, total=1, completed=1)
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps(report.document(), indent=1) + "\n", encoding="utf-8")
    _print(report)
    if not report.valid:
        return 2
    return 0 if all(row.met is not False for row in report.rows) else 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("sections", nargs="*", help="sections to run; all without any")
    parser.add_argument("--json", type=Path, help="write every row with versions and machine to this file")
    parser.add_argument("--calls", type=int, default=growth_section.CALLS, help="calls of the memory section")
    parser.add_argument("--patients", type=int, default=1000, help="patients of the screening section")
    parser.add_argument("--figure", type=Path, help="write the plot of growth to this file (SVG)")
    return parser.parse_args()


def _print(report: Report) -> None:
    table = Table(title="Ratios in one run; CPU time unless a row says otherwise")
    for column in ("section", "what", "value", "ratio", "against", "bar", "met"):
        table.add_column(column, justify="right" if column in ("value", "ratio") else "left")
    for row in report.rows:
        ratio = "" if row.ratio is None else f"{row.ratio:.2f}"
        met = "" if row.met is None else "yes" if row.met else "NO"
        table.add_row(row.section, row.what, f"{row.value:.2f} {row.unit}", ratio, row.base, row.bar, met)
    console = Console(width=170)
    console.print(table)
    for note in report.notes:
        console.print(f"note: {note}")
    if not report.valid:
        console.print("This run is not valid.")


if __name__ == "__main__":
    raise SystemExit(main())
