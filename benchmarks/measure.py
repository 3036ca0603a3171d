"""How figures are taken: CPU time, interleaved rounds, the floor first and last in every run.

Wall-clock figures of a shared machine swing by a third; CPU seconds of one process and their ratios inside one run do
not, so only ratios are held against a bar.
"""

from __future__ import annotations

import os
import platform
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

ROUNDS = 7
_ROUND_S = 0.08
_DRIFT = 1.15
_PACKAGES = (
    "msgspec",
    "orjson",
    "fastapi",
    "uvicorn",
    "requests",
    "pyjwt",
    "sqlalchemy",
    "fhir-resources",
    "cryptography",
)


@dataclass(frozen=True)
class Figure:
    """CPU microseconds of one call: the smallest and the median of the rounds."""

    least: float
    median: float


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    section: str
    what: str
    value: float
    unit: str
    ratio: float | None = None
    """Against the base of its section."""
    base: str = ""
    bar: str = ""
    met: bool | None = None


@dataclass
class Report:
    """All rows of a run with what is needed to judge them."""

    rows: list[Row] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    valid: bool = True

    def add(self, row: Row) -> None:
        self.rows.append(row)

    def invalid(self, why: str) -> None:
        self.valid = False
        self.notes.append(why)

    def document(self) -> dict[str, Any]:
        return {
            "machine": machine(),
            "valid": self.valid,
            "notes": self.notes,
            "rows": [asdict(row) for row in self.rows],
        }


def at_most(ratio: float, bar: float) -> dict[str, Any]:
    return {"bar": f"<= {bar:g}", "met": ratio <= bar}


def at_least(ratio: float, bar: float) -> dict[str, Any]:
    return {"bar": f">= {bar:g}", "met": ratio >= bar}


def interleaved(
    cases: Mapping[str, Callable[[], object]],
    *,
    per_call: int = 1,
    rounds: int = ROUNDS,
    round_s: float = _ROUND_S,
) -> dict[str, Figure]:
    """Every case in turn, round after round.

    Args:
        cases: what is run, by name.
        per_call: how many calls one run of a case makes.
        rounds: how often each case has its turn.
        round_s: CPU seconds of one turn, about.
    """
    repeats = {name: _repeats(case, round_s) for name, case in cases.items()}
    taken: dict[str, list[float]] = {name: [] for name in cases}
    for _ in range(rounds):
        for name, case in cases.items():
            begun = time.process_time()
            for _ in range(repeats[name]):
                case()
            taken[name].append((time.process_time() - begun) / repeats[name] / per_call * 1e6)
    return {name: Figure(min(values), statistics.median(values)) for name, values in taken.items()}


def _repeats(case: Callable[[], object], round_s: float) -> int:
    case()
    begun = time.process_time()
    case()
    return max(1, int(round_s / max(time.process_time() - begun, 1e-6)))


def drifted(first: Figure, last: Figure) -> bool:
    """The floor at the end is another one than at the start: the run says nothing."""
    low, high = sorted((first.least, last.least))
    return high > low * _DRIFT


def machine() -> dict[str, Any]:
    """What the figures were taken on."""
    cpu = "unknown"
    try:
        with Path("/proc/cpuinfo").open(encoding="utf-8") as lines:
            cpu = next(
                (line.partition(":")[2].strip() for line in lines if line.startswith("model name")), cpu
            )
    except OSError:
        cpu = platform.processor() or cpu
    return {
        "date": time.strftime("%Y-%m-%d"),
        "cpu": cpu,
        "cores": os.cpu_count(),
        "load": [round(load, 2) for load in os.getloadavg()],
        "python": platform.python_version(),
        "system": platform.system(),
        "packages": {name: _version(name) for name in _PACKAGES},
    }


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"
