"""The regression gate: CPU ratios against the floor, in process, never wall time.

    python -m benchmarks.gate             compare with gate.json, a quarter of slack
    python -m benchmarks.gate --accept    write today's ratios as the new measure

A ratio that grew by more than the slack fails. One that shrank by as much is printed, so that the measure is renewed.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from benchmarks import asgi_section, engine_section
from benchmarks.measure import Report

_FILE = Path(__file__).with_name("gate.json")
_SLACK = 1.25
_TRIES = 3
_WATCHED = (
    "engine, request bytes to card bytes, 60KB",
    "engine, request bytes to card bytes, 2MB",
    "engine, request bytes to card bytes, dirty",
    "service with durable record",
)


def main() -> int:
    """0: no ratio grew beyond the slack; 1: one did; 2: no valid run in three tries."""
    ratios = _ratios()
    if ratios is None:
        print("no valid run: the floor kept moving")
        return 2
    if "--accept" in sys.argv[1:]:
        _FILE.write_text(json.dumps(ratios, indent=1) + "\n", encoding="utf-8")
        return 0
    accepted: dict[str, float] = json.loads(_FILE.read_text(encoding="utf-8"))
    status = 0
    for what, before in accepted.items():
        now = ratios[what]
        verdict = (
            "grew beyond the slack"
            if now > before * _SLACK
            else "renew the measure"
            if now * _SLACK < before
            else "ok"
        )
        print(f"{what}: {now:.2f} times the floor, accepted {before:.2f}: {verdict}")
        status |= now > before * _SLACK
    return status


def _ratios() -> dict[str, float] | None:
    """The smallest ratios of up to three valid runs: one slow neighbour on the machine is no regression."""
    found: dict[str, float] = {}
    for _ in range(_TRIES):
        report = Report()
        engine_section.run(report)
        asgi_section.run(report)
        if not report.valid:
            continue
        for row in report.rows:
            if row.what in _WATCHED and row.ratio is not None:
                found[row.what] = round(min(row.ratio, found.get(row.what, row.ratio)), 3)
    return found or None


if __name__ == "__main__":
    raise SystemExit(main())
