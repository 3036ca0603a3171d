"""`python -m benchmarks.soak --minutes 10`: nothing wrong, missing or lost while things fail; a table and JSON.

Needs PostgreSQL's programs. Exit 0: every check holds; 1: one does not. The load and all that it tests share the cores
of one machine, so the capacity is that of the whole, and the times are longer than those of a client elsewhere.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import threading
import time
from collections import Counter
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console

from benchmarks.soak import report
from benchmarks.soak.chart import complete_calls, read_call
from benchmarks.soak.client import Load
from benchmarks.soak.events import play, timetable
from benchmarks.soak.site import Fhir, Postgres, Replicas

_CAPACITY_S = 8
_AT_ONCE = 8


def capacity(load: Load) -> float:
    """Calls a second when eight callers ask one after the other; a short run first warms everything up."""
    for seconds in (2, _CAPACITY_S):
        load.seen.clear()
        end = time.monotonic() + seconds

        def ask(number: int, end: float = end) -> None:
            turn = number
            while time.monotonic() < end:
                load.once(turn, 0.0, (turn * 0.6180339887) % 1)
                turn += _AT_ONCE

        workers = [threading.Thread(target=ask, args=(number,)) for number in range(_AT_ONCE)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
    return len(load.seen) / _CAPACITY_S


def exported(replicas: Replicas) -> Counter[tuple[str, str, str]]:
    """(card, outcome, timestamp) of all feedback that the service has kept."""
    rows = [
        json.loads(line) for line in replicas.command("export", "feedback", "--format", "json").splitlines()
    ]
    return Counter((row["card"], row["outcome"], row["outcome_timestamp"]) for row in rows)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--rate", type=float, help="calls a second; half of the measured capacity by default")
    parser.add_argument("--json", type=Path, help="file for the result")
    parser.add_argument("--page", type=Path, help="page to put the figures into")
    options = parser.parse_args()
    console = Console(width=110)
    before = round(os.getloadavg()[0], 2)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        # PostgreSQL runs as another user, who must get through.
        folder.chmod(0o711)
        document = _run(folder, options, console, before)
    report.show(document, console)
    if options.json:
        options.json.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    if options.page:
        report.page(document, options.page, f"{datetime.now(UTC):%-d %B %Y}")
    return 0 if document["passed"] else 1


def _run(folder: Path, options: argparse.Namespace, console: Console, before: float) -> dict[str, object]:
    with ExitStack() as running:
        database = Postgres(folder / "postgres")
        running.callback(database.crash)
        fhir = Fhir()
        running.callback(fhir.close)
        replicas = Replicas(folder, database.url, fhir.base)
        running.callback(replicas.close)
        replicas.begin()
        load = Load(replicas, complete_calls(), read_call(fhir.base))
        most = capacity(load)
        rate = options.rate or most / 2
        console.print(f"{len(load.complete)} cases; capacity {most:.0f} calls a second, load {rate:.0f}")
        load.seen.clear()
        seconds = options.minutes * 60
        playing = play(timetable(database, fhir, replicas), seconds, console.print)
        load.run(rate, seconds)
        playing.join()
        replicas.wait()
        # What was refused while the database was away is sent again, as an EHR does.
        for turn in range(len(load.waiting)):
            load.once(turn, seconds, 1.0)
        counters = {
            name: replicas.metric(name) for name in ("cds_record_dropped_total", "cds_record_late_total")
        }
        facts = {
            "minutes": options.minutes,
            "rate a second": round(rate, 1),
            "capacity a second": round(most, 1),
            "cases": len(load.complete),
            "restarts": replicas.restarts,
            "counters": counters,
            "load average before": before,
        }
        return report.build(load, exported(replicas), facts, seconds)


if __name__ == "__main__":
    sys.exit(main())
