"""What the run must show, as a table and as JSON."""

from __future__ import annotations

import os
import platform
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.soak.client import Load, Seen
from benchmarks.soak.events import PHASES

DEADLINE_MS = 2000


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which that share lies; milliseconds of seconds."""
    ordered = sorted(values)
    return round(ordered[min(len(ordered) - 1, int(share * len(ordered)))] * 1000, 1) if ordered else 0.0


def times(seen: Sequence[Seen]) -> dict[str, float]:
    values = [one.seconds for one in seen]
    return {
        "calls": len(values),
        "p50": percentile(values, 0.5),
        "p99": percentile(values, 0.99),
        "max": percentile(values, 1.0),
    }


def build(
    load: Load, kept: Counter[tuple[str, str, str]], facts: dict[str, Any], seconds: float
) -> dict[str, Any]:
    """Everything as one document.

    Args:
        load: the load after its run.
        kept: how often each (card, outcome, timestamp) is in the service's own export.
        facts: what the caller knows: rate, capacity, restarts, counters.
        seconds: length of the run.
    """
    acknowledged = Counter(
        (item["card"], item["outcome"], item["outcomeTimestamp"]) for item in load.acknowledged
    )
    verdicts = {
        kind: dict(Counter(one.verdict for one in load.seen if one.kind == kind))
        for kind in ("complete", "read", "feedback")
    }
    faulty = [one for one in load.seen if one.verdict in ("wrong", "missing", "no-answer")]
    complete = Counter(one.verdict for one in faulty if one.kind == "complete")
    all_p99 = times(load.seen)["p99"]
    checks = {
        "no wrong card with complete prefetch": complete["wrong"] == 0,
        "no missing card with complete prefetch": complete["missing"] + complete["no-answer"] == 0,
        "no read call without a card": not any(one.kind == "read" for one in faulty),
        "no acknowledged feedback lost": not (acknowledged - kept),
        "no feedback stored twice": all(number == 1 for number in kept.values()),
        f"p99 under the deadline of {DEADLINE_MS} ms": all_p99 < DEADLINE_MS,
    }
    return {
        "machine": {
            "processor": _processor(),
            "cores": os.cpu_count(),
            "python": platform.python_version(),
            "load average before": facts.pop("load average before"),
            "load average after": round(os.getloadavg()[0], 2),
        },
        **facts,
        "verdicts": verdicts,
        "retried once": sum(one.retried for one in load.seen),
        "feedback": {
            "acknowledged": sum(acknowledged.values()),
            "lost": sum((acknowledged - kept).values()),
            "never acknowledged": len(load.waiting),
        },
        "milliseconds": {
            "all": times(load.seen),
            **{kind: times([one for one in load.seen if one.kind == kind]) for kind in verdicts},
        },
        "phases": [
            {
                "phase": phase.name,
                **times([one for one in load.seen if phase.start <= one.at / seconds < phase.end]),
            }
            for phase in PHASES
        ],
        "faults": [f"{one.at:.1f} s {one.kind}: {one.verdict}: {one.detail}" for one in faulty[:20]],
        "checks": checks,
        "passed": all(checks.values()),
    }


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def page(document: dict[str, Any], path: Path, day: str) -> None:
    """Put the figures into a page, between its two `soak` comments."""
    machine, feedback = document["machine"], document["feedback"]
    rows = [
        f"| {row['phase']} | {row['calls']} | {row['p50']:.0f} | {row['p99']:.0f} | {row['max']:.0f} |"
        for row in document["phases"]
    ]
    checks = [f"- {name}: {'yes' if passed else '**no**'}" for name, passed in document["checks"].items()]
    verdicts = ", ".join(
        f"{kind}: " + " and ".join(f"{number:,} {verdict}" for verdict, number in counts.items())
        for kind, counts in document["verdicts"].items()
    )
    text = [
        (
            f"{day}, {machine['cores']} cores of {machine['processor']}, Python {machine['python']}; load, FHIR server, PostgreSQL and"
            f" both processes on that one machine. {document['minutes']:g} minutes at {document['rate a second']:g} calls a second, where"
            f" {document['capacity a second']:g} was the most it did just before. The machine also had other work: its load average"
            f" was {machine['load average before']} before and {machine['load average after']} at the end."
        ),
        "",
        "| Phase | Calls | Half within (ms) | 99 of 100 within (ms) | Longest (ms) |",
        "|---|---|---|---|---|",
        *rows,
        "",
        (
            f"Answers: {verdicts}. Feedback acknowledged: {feedback['acknowledged']:,}, lost: {feedback['lost']}."
            f" Calls sent once more because a process had gone: {document['retried once']:,}."
        ),
        "",
        *checks,
    ]
    start, end = "<!-- soak: figures of one run -->", "<!-- soak: end -->"
    before, _, rest = path.read_text(encoding="utf-8").partition(start)
    after = rest.partition(end)[2]
    path.write_text(before + "\n".join([start, "", *text, "", end]) + after, encoding="utf-8")


def show(document: dict[str, Any], console: Console) -> None:
    """The same for people."""
    table = Table("Phase", "Calls", "p50 ms", "p99 ms", "max ms", title="Soak")
    for row in document["phases"]:
        table.add_row(*(str(row[name]) for name in ("phase", "calls", "p50", "p99", "max")))
    table.add_section()
    for kind, row in document["milliseconds"].items():
        table.add_row(kind, *(str(row[name]) for name in ("calls", "p50", "p99", "max")))
    console.print(table)
    for name in (
        "machine",
        "rate a second",
        "capacity a second",
        "verdicts",
        "feedback",
        "retried once",
        "counters",
    ):
        console.print(f"{name}: {document[name]}")
    for fault in document["faults"]:
        console.print(f"[red]{fault}[/]", highlight=False)
    for name, passed in document["checks"].items():
        console.print(f"{'[green]yes' if passed else '[red]NO'}[/] {name}")
