"""`cds-service generate`: the files of a synthetic Bulk Data export, its manifest and its ground truth.

Patients are written in ranges of a fixed size, each patient from a seed of its own, so that the files are the
same whatever the number of processes.
"""

from __future__ import annotations

import gzip
import os
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import IO

import msgspec

from cds_service.population.synthetic.person import Drawer, Person
from cds_service.population.synthetic.records import Recorder
from cds_service.registry import load_services
from cds_service.rules.cohort import Cohort
from cds_service.settings import SettingsError

RANGE = 500
"""Patients in one set of files."""
TRUTH = "ground-truth.ndjson"
MANIFEST = "manifest.json"
_NOTICE = "Synthetic data (meta.security HTEST). No real patient is behind any of it."


class Truth(msgspec.Struct, kw_only=True):
    """What is true of one synthetic patient, and what the definitions should make of it."""

    patient: str
    group: str
    member: bool
    """On maintenance dialysis, or whatever the cohort is about."""
    evidence: str | None = None
    expected: str = ""
    """Certainty with which a screening should find the patient; '' when the evidence is not enough."""
    why_missed: str = ""
    diagnoses: list[str] = []
    drugs: list[str] = []
    gaps: list[str] = []
    planted: dict[str, int] = {}
    """Fault or shape -> number of resources."""


@dataclass(frozen=True, slots=True)
class Written:
    """What a range of patients became: file name -> number of resources."""

    files: dict[str, int]
    truth: list[Truth]


@dataclass(frozen=True, slots=True)
class Plan:
    """What to generate. `as_of` is the day of the export; dates count back from it."""

    patients: int
    seed: int
    as_of: datetime
    folder: Path
    compress: bool = False
    members: float | None = None
    """Share of members; None for that of the cohort."""

    @property
    def command(self) -> str:
        """What generates the same again."""
        members = "" if self.members is None else f" --members {self.members}"
        return f"cds-service generate --patients {self.patients} --seed {self.seed}{members}"


def cohort_of_content() -> Cohort:
    """The cohort that the installed content describes.

    Raises:
        SettingsError: no content describes one.
    """
    for service in load_services():
        if service.content.cohort is not None:
            return service.content.cohort
    raise SettingsError("the installed services describe no synthetic cohort")


def generate(plan: Plan, *, processes: int = 1, told: Callable[[int], None] = lambda _: None) -> Counter[str]:
    """Write the export; `told` hears the number of patients written so far. Returns resources by type.

    Raises:
        SettingsError: the folder holds files already.
    """
    if plan.folder.exists() and any(plan.folder.iterdir()):
        raise SettingsError(f"the folder {plan.folder.name} is not empty")
    plan.folder.mkdir(parents=True, exist_ok=True)
    starts = range(0, plan.patients, RANGE)
    outputs: list[dict[str, str | int]] = []
    totals: Counter[str] = Counter()
    with (plan.folder / TRUTH).open("wb") as truth:
        for start, written in zip(starts, _each(plan, starts, processes), strict=True):
            truth.writelines(msgspec.json.encode(item) + b"\n" for item in written.truth)
            for name, count in written.files.items():
                kind = name.partition(".")[0]
                totals[kind] += count
                outputs.append({"type": kind, "url": name, "count": count})
            told(min(start + RANGE, plan.patients))
    outputs.sort(key=lambda item: str(item["url"]))
    manifest = {
        "transactionTime": plan.as_of.isoformat(),
        "request": plan.command,
        "requiresAccessToken": False,
        "output": outputs,
        "error": [],
        "extension": {"notice": _NOTICE, "groundTruth": TRUTH},
    }
    (plan.folder / MANIFEST).write_bytes(msgspec.json.format(msgspec.json.encode(manifest), indent=1) + b"\n")
    return totals


def _each(plan: Plan, starts: range, processes: int) -> Iterator[Written]:
    work = partial(write_range, plan)
    if processes == 1:
        yield from map(work, starts)
        return
    with ProcessPoolExecutor(processes) as pool:
        yield from pool.map(work, starts)


def write_range(plan: Plan, start: int) -> Written:
    """The patients from `start` on, at most RANGE of them, into files of their own."""
    cohort = cohort_of_content()
    if plan.members is not None:
        cohort = cohort.with_members(plan.members)
    drawer, recorder = Drawer(cohort, plan.seed), Recorder(cohort, plan.as_of)
    files: dict[str, int] = {}
    truth: list[Truth] = []
    with ExitStack() as stack:
        streams: dict[str, tuple[str, IO[bytes]]] = {}
        for number in range(start, min(start + RANGE, plan.patients)):
            person = drawer.person(number)
            for kind, found in recorder.record(person).items():
                if kind not in streams:
                    name = f"{kind}.{start // RANGE:04d}.ndjson{'.gz' if plan.compress else ''}"
                    streams[kind] = name, stack.enter_context(_open(plan.folder / name, plan.compress))
                name, stream = streams[kind]
                stream.write(("\n".join(found) + "\n").encode())
                files[name] = files.get(name, 0) + len(found)
            truth.append(_truth(person))
    return Written(files, truth)


def _open(path: Path, compress: bool) -> IO[bytes]:
    # Without a time stamp, so that the same seed gives the same bytes.
    return gzip.GzipFile(path, "wb", compresslevel=1, mtime=0) if compress else path.open("wb")  # type: ignore[return-value]


def _truth(person: Person) -> Truth:
    evidence = person.evidence
    return Truth(
        patient=person.id,
        group=person.group.id,
        member=person.group.member,
        evidence=evidence.id if evidence else None,
        expected=evidence.expected if evidence else "",
        why_missed=evidence.why_missed if evidence else "",
        diagnoses=[item.id for item in person.diagnoses],
        drugs=[item.id for item in person.drugs],
        gaps=person.gaps,
        planted=person.shapes,
    )


def cpu_count() -> int:
    """Processes that this one may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
