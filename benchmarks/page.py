"""`python -m benchmarks.page`: the tables of docs/performance.md, from the results beside this file.

The prose of the page is written by hand; what stands between its two markers comes from here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "performance.md"
RESULTS = tuple(ROOT / "benchmarks" / "results" / name for name in ("bench.json", "peers.json"))
_BEGIN, _END = "<!-- measured -->\n", "<!-- /measured -->\n"


def main() -> None:
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8"), recorded()), encoding="utf-8")


def recorded() -> list[dict[str, Any]]:
    """The documents of the runs that are kept."""
    return [json.loads(path.read_text(encoding="utf-8")) for path in RESULTS if path.exists()]


def page(text: str, runs: Sequence[Mapping[str, Any]]) -> str:
    """`text` with the tables of `runs` between its markers."""
    before, _, rest = text.partition(_BEGIN)
    _, _, after = rest.partition(_END)
    return before + _BEGIN + "".join(map(_run, runs)) + _END + after


def _run(run: Mapping[str, Any]) -> str:
    machine = run["machine"]
    versions = ", ".join(f"{name} {version}" for name, version in machine["packages"].items())
    where = f"{machine['cpu']}, {machine['cores']} cores, load {machine['load'][0]} at the end, {machine['system']}"
    lines = [f"Taken on {machine['date']}: {where}, Python {machine['python']}, {versions}.", ""]
    if run["notes"]:
        lines += ["Not to be relied on:", "", *(f"- {note}" for note in run["notes"]), ""]
    for section, rows in groupby(run["rows"], key=lambda row: row["section"]):
        lines += [f"### {section[:1].upper()}{section[1:]}", ""]
        lines += ["| what | value | ratio | against | bar | met |", "|---|---:|---:|---|---|---|"]
        lines += [_line(row) for row in rows] + [""]
    return "\n" + "\n".join(lines)


def _line(row: Mapping[str, Any]) -> str:
    ratio = "" if row["ratio"] is None else f"{row['ratio']:.2f}"
    met = {None: "", True: "yes", False: "**no**"}[row["met"]]
    value = f"{row['value']:,.2f} {row['unit']}".strip()
    return f"| {row['what']} | {value} | {ratio} | {row['base']} | {row['bar']} | {met} |"


if __name__ == "__main__":
    main()
