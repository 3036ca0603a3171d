"""Screening over a FHIR server's search, patient by patient, with the reads and limits of an ordinary call."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from cds_service.engine import Engine
from cds_service.facts.medications import shelve, unresolved_reference
from cds_service.fhir.client import Deadline, FhirAccess, FhirClient
from cds_service.fhir.decode import Resource
from cds_service.fhir.prefetch import complete, read_references
from cds_service.fhir.results import Failed, FailureReason, Fetched, Incomplete
from cds_service.fhir.search import clean_base
from cds_service.fhir.source import Source
from cds_service.population.judge import Judge, Judging, Standing, build_judge, standing_service
from cds_service.population.parts import write_whole
from cds_service.population.run import WORK, Outcome, Progress, Tell, mark_of, remember_as_of
from cds_service.population.screen import PATIENTS
from cds_service.population.trouble import Kind, Trouble, merged
from cds_service.protocol.prefetch import PrefetchTemplate, is_safe_id
from cds_service.settings import SettingsError

_ROSTER = "Patient?_elements=id&_count=200"
_ROSTER_SECONDS = 600.0
_PATIENT_SECONDS = 60.0
_AT_ONCE = 4
"""Patients read at one time; each takes as many reads as there are prefetch templates."""
_BATCH = 50
_THREADS = 48
_MOST_PAGES = 20_000
_ATTEMPTS = 4
_PAUSE_SECONDS = 2.0
_CONNECT_SECONDS = 10.0
_MAY_PASS = frozenset(
    {
        FailureReason.NO_ANSWER_IN_TIME,
        FailureReason.SERVER_BUSY,
        FailureReason.SERVER_ERROR,
        FailureReason.UNREACHABLE,
    }
)


def is_address(source: str) -> bool:
    return source.startswith(("http://", "https://"))


class _Answer(msgspec.Struct):
    """What is kept of one patient until the run is complete."""

    standing: msgspec.Raw
    troubles: list[Trouble]
    seen: dict[str, int]


def screen_server(
    engine: Engine, source: str, out: Path, how: Judging, *, tell: Tell, token: str | None = None
) -> Outcome:
    """Screen every patient whom the server lists; an interrupted run goes on where it stopped.

    Raises:
        SettingsError: the address is no FHIR base, or the list of patients cannot be read.
    """
    base = clean_base(source)
    if base is None:
        raise SettingsError("this is not the address of a FHIR server")
    templates = standing_service(engine).service.prefetch
    work = out / WORK
    resumed = mark_of(work, {"server": base, "how": how, "templates": [item.query for item in templates]})
    remember_as_of(work, how.as_of)
    client = FhirClient(threads=_THREADS, max_pages=_MOST_PAGES, connect_timeout=_CONNECT_SECONDS)
    try:
        reading = _Reading(build_judge(how), client, FhirAccess(base, token), templates)
        return asyncio.run(reading.all(work, out / PATIENTS, tell, resumed=resumed))
    finally:
        client.close()


def _troubles_of(source: Source, kind: str) -> Iterator[Trouble]:
    """What could not be read of one query. The reason stands where a file's name would."""
    if source.failure is not None:
        yield Trouble(Kind.SERVER, source.failure.text, types=(kind,))
        return
    if source.dropped:
        yield Trouble(Kind.UNUSABLE, "answers of the server", len(source.dropped), types=(kind,))
    for gap in source.gaps:
        if gap is not Incomplete.ENTRIES:
            yield Trouble(Kind.SERVER, str(gap), types=(kind,))


class _Reading:
    def __init__(
        self, judge: Judge, client: FhirClient, access: FhirAccess, templates: Sequence[PrefetchTemplate]
    ) -> None:
        self._judge = judge
        self._client = client
        self._access = access
        self._templates = templates

    async def all(self, work: Path, target: Path, tell: Tell, *, resumed: bool) -> Outcome:
        roster, troubles = await self._roster(work)
        batches = [roster[at : at + _BATCH] for at in range(0, len(roster), _BATCH)]
        for number, batch in enumerate(batches):
            kept = work / f"batch-{number:05d}.ndjson"
            if not kept.exists():
                gate = asyncio.Semaphore(_AT_ONCE)
                answers = await asyncio.gather(*(self._patient(patient, gate) for patient in batch))
                write_whole(kept, b"".join(msgspec.json.encode(item) + b"\n" for item in answers))
            tell(Progress("Reading", min((number + 1) * _BATCH, len(roster)), len(roster)))
        return self._joined(work, target, len(batches), troubles, resumed=resumed)

    async def _roster(self, work: Path) -> tuple[list[str], list[Trouble]]:
        """Ids of all patients, as the server listed them when the run began."""
        kept = work / "roster.json"
        if not kept.exists():
            deadline = Deadline.after(_ROSTER_SECONDS)
            (answer,) = await self._client.get_many(self._access, [_ROSTER], deadline)
            if isinstance(answer, Failed):
                raise SettingsError(f"the list of patients could not be read: {answer.reason.text}")
            found = {
                str(entry.resource.id)
                for entry in answer.resource.entry or ()
                if entry is not None
                and entry.resource is not None
                and entry.resource.resourceType == "Patient"
            }
            roster = sorted(patient for patient in found if is_safe_id(patient))
            lacking = [f"list of patients: {gap}" for gap in answer.gaps]
            write_whole(kept, msgspec.json.encode((roster, lacking)))
        roster, lacking = msgspec.json.decode(kept.read_bytes(), type=tuple[list[str], list[str]])
        return roster, [Trouble(Kind.SERVER, reason, types=("Patient",)) for reason in lacking]

    async def _patient(self, patient: str, gate: asyncio.Semaphore) -> _Answer:
        async with gate:
            sources = await self._sources(patient)
            medications = await self._medications(sources, Deadline.after(_PATIENT_SECONDS))
        kinds = {template.key: template.resource_type for template in self._templates}
        troubles = [
            trouble for key, source in sources.items() for trouble in _troubles_of(source, kinds[key])
        ]
        seen: Counter[str] = Counter()
        for key, source in sources.items():
            seen[kinds[key]] += len(source.resources or ())
        standing = self._standing(patient, sources, medications)
        return _Answer(msgspec.Raw(msgspec.json.encode(standing)), troubles, dict(seen))

    async def _sources(self, patient: str) -> dict[str, Source]:
        """A screening has time: what failed for a reason that may pass is asked for again."""
        known: dict[str, Source | None] = {}
        for attempt in range(_ATTEMPTS):
            await asyncio.sleep(attempt * _PAUSE_SECONDS)
            sources = await complete(
                known,
                self._templates,
                {"patientId": patient},
                self._access,
                self._client,
                Deadline.after(_PATIENT_SECONDS),
            )
            known = {key: item if item.failure not in _MAY_PASS else None for key, item in sources.items()}
            if None not in known.values():
                break
        return sources

    def _standing(
        self, patient: str, sources: dict[str, Source], medications: list[tuple[Resource, str | None]]
    ) -> Standing:
        included = [(item, None) for source in sources.values() for item in source.included]
        facts = self._judge.facts(patient, sources, shelve([*medications, *included]))
        return self._judge.judge(patient, facts)

    async def _medications(
        self, sources: dict[str, Source], deadline: Deadline
    ) -> list[tuple[Resource, str | None]]:
        """Medications that the list only refers to."""
        source = sources.get("medications")
        if source is None or not source.resources:
            return []
        shelf = shelve((item, None) for item in source.included)
        references = dict.fromkeys(
            reference
            for item in source.resources
            if (reference := unresolved_reference(item, shelf)) is not None
        )
        found = await read_references(list(references), self._access, self._client, deadline)
        return [
            (fetched.resource, reference)
            for reference, fetched in found.items()
            if isinstance(fetched, Fetched)
        ]

    def _joined(
        self, work: Path, target: Path, batches: int, troubles: list[Trouble], *, resumed: bool
    ) -> Outcome:
        seen: Counter[str] = Counter()
        lines: list[bytes] = []
        for number in range(batches):
            for line in (work / f"batch-{number:05d}.ndjson").read_bytes().splitlines():
                answer = msgspec.json.decode(line, type=_Answer)
                lines.append(bytes(answer.standing) + b"\n")
                seen.update(answer.seen)
                troubles += answer.troubles
        write_whole(target, b"".join(lines))
        target.chmod(0o600)
        return Outcome(
            dict(sorted(seen.items())),
            sum(seen.values()),
            0,
            tuple(merged(troubles)),
            resumed,
        )
