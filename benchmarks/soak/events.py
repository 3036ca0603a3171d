"""What goes wrong and when, as shares of the run's length."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.soak.site import Fhir, Postgres, Replicas


@dataclass(frozen=True)
class Event:
    """One thing that happens at this share of the run."""

    share: float
    text: str
    do: Callable[[], None]


@dataclass(frozen=True)
class Phase:
    """A part of the run with one thing wrong."""

    name: str
    start: float
    end: float


PHASES = (
    Phase("all well", 0.0, 0.15),
    Phase("PostgreSQL stopped", 0.15, 0.25),
    Phase("after it", 0.25, 0.35),
    Phase("FHIR server hangs", 0.35, 0.45),
    Phase("after it", 0.45, 0.55),
    Phase("SIGKILL, first process", 0.55, 0.70),
    Phase("SIGKILL, second process", 0.70, 0.85),
    Phase("all well again", 0.85, 1.0),
)


def timetable(database: Postgres, fhir: Fhir, replicas: Replicas) -> list[Event]:
    """Two outages that last a tenth of the run, and two processes killed."""
    return [
        Event(0.15, "PostgreSQL stopped (immediate, as a crash)", database.crash),
        Event(0.25, "PostgreSQL started", database.start),
        Event(0.35, "FHIR server stopped answering (SIGSTOP)", fhir.hang),
        Event(0.45, "FHIR server went on", fhir.restore),
        Event(0.55, "first process killed (SIGKILL)", lambda: replicas.kill(0)),
        Event(0.70, "second process killed (SIGKILL)", lambda: replicas.kill(1)),
    ]


def play(events: list[Event], seconds: float, tell: Callable[[str], None]) -> threading.Thread:
    """Let the events happen in a thread of their own; it ends after the last one."""
    begun = time.monotonic()

    def run() -> None:
        for event in events:
            time.sleep(max(0.0, begun + event.share * seconds - time.monotonic()))
            event.do()
            tell(f"{time.monotonic() - begun:6.1f} s  {event.text}")

    thread = threading.Thread(target=run)
    thread.start()
    return thread
