"""Merge: the records of each patient of a shard, from all parts, in the order of the export."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from cds_service.facts.medications import MedicationShelf, shelve, unresolved_reference
from cds_service.facts.subjects import bare_id
from cds_service.fhir.decode import Dropped, Resource, decode_lines, decode_resource
from cds_service.fhir.results import FailureReason, Incomplete
from cds_service.fhir.source import Source, unique
from cds_service.population.bystanders import TELLING
from cds_service.population.parts import FIGURES, MEDICATIONS, Index, holdings_of
from cds_service.population.sieve import KEPT

SOURCES: Mapping[str, tuple[str, ...]] = {
    "patient": ("Patient",),
    "conditions": ("Condition",),
    "labs": ("Observation",),
    "vitals": ("Observation",),
    "medications": ("MedicationRequest",),
    "procedures": ("Procedure",),
    "encounters": ("Encounter",),
    "requests": ("ServiceRequest",),
}
"""Prefetch key -> the resource types whose records answer it. Results of all kinds are put under `labs`."""
_SHELF = "medications.sqlite"
_ONE_READ = 4
"""So many times the wanted bytes may be read to have them in one go."""


@dataclass(frozen=True, slots=True)
class Holes:
    """What the source as a whole lacks: types that are not there at all, and types some of which are lost."""

    absent: frozenset[str] = frozenset()
    partial: frozenset[str] = frozenset()


@dataclass(slots=True)
class Person:
    """One patient's records: where they are, and what has been decoded of them."""

    id: str
    places: dict[str, list[tuple[int, list[int]]]]
    """Resource type -> part, and the figures of its lines in this part (see `parts.FIGURES`)."""
    telling: bool
    """Some record, or the lack of one, may decide whether the patient belongs to the population."""
    _reader: LineReader
    _holes: Holes
    _decoded: dict[str, tuple[tuple[Resource, ...], tuple[Dropped, ...]]] = field(default_factory=dict)

    def lines(self, kind: str) -> Iterator[bytes]:
        for part, figures in self.places.get(kind, ()):
            yield from self._reader.lines(part, figures)

    def resources(self, kind: str) -> tuple[tuple[Resource, ...], tuple[Dropped, ...]]:
        """Decoded as an EHR's call would be: what cannot be read is dropped by name."""
        if kind not in self._decoded:
            dropped: list[Dropped] = []
            found: list[Resource] = []
            for part, figures in self.places.get(kind, ()):
                # Each line was seen to be one value when it was sorted; what was not is told as trouble of its file.
                block = self._reader.block(part, figures)
                together = decode_lines(block, len(figures) // FIGURES)
                found += self._one_by_one(part, figures, dropped) if together is None else together
            self._decoded[kind] = unique(found), tuple(dropped)
        return self._decoded[kind]

    def _one_by_one(self, part: int, figures: list[int], dropped: list[Dropped]) -> Iterator[Resource]:
        for place, line in enumerate(self._reader.lines(part, figures)):
            lost = len(dropped)
            resource = decode_resource(line, "", dropped)
            if resource is not None:
                yield resource
            where = f"{self._reader.file(part)}:{figures[place * FIGURES]}"
            dropped[lost:] = [
                Dropped(f"{where}{each.path}", each.resource_type, each.reason) for each in dropped[lost:]
            ]

    def source(self, key: str) -> Source:
        """What a call would have got for one prefetch key."""
        kind = SOURCES[key][0]
        resources: tuple[Resource, ...] | None = None
        dropped: tuple[Dropped, ...] = ()
        if kind not in self._holes.absent:
            # All results are read in one piece; none is left for the second key of their type.
            resources, dropped = ((), ()) if key == "vitals" else self.resources(kind)
        if resources is None:
            return Source(key, None, FailureReason.NO_ACCESS, complete=False, origin="none")
        gaps = (Incomplete.ENTRIES,) if dropped or kind in self._holes.partial else ()
        return Source(key, resources, complete=not gaps, dropped=dropped, gaps=gaps)

    def shelf(self, catalogue: Catalogue) -> MedicationShelf:
        """The Medications that the patient's orders refer to."""
        orders, _ = self.resources("MedicationRequest")
        empty = shelve(())
        found: list[tuple[Resource, str | None]] = []
        for order in orders:
            reference = unresolved_reference(order, empty)
            identifier = bare_id(reference, "Medication") if reference else None
            if reference and identifier and (resource := catalogue.find(identifier)) is not None:
                found.append((resource, reference))
        return shelve(found)


class LineReader:
    """Lines by their place. Keeps files open; close it."""

    def __init__(self, indexes: list[Index]) -> None:
        self._paths = [index.path for index in indexes]
        self._files = [index.file for index in indexes]
        self._open: dict[str, int] = {}
        self._stack = ExitStack()

    def open(self, part: int) -> int:
        """The descriptor of the file that holds the lines of a part."""
        path = self._paths[part]
        number = self._open.get(path)
        if number is None:
            number = self._open[path] = os.open(path, os.O_RDONLY)
            self._stack.callback(os.close, number)
        return number

    def block(self, part: int, figures: Sequence[int]) -> bytes:
        """The lines of these figures, one after the other."""
        begin, size = figures[1], sum(figures[2::FIGURES])
        if figures[-2] + figures[-1] - begin == size:
            return os.pread(self.open(part), size, begin)
        return b"".join(self.lines(part, figures))

    def lines(self, part: int, figures: Sequence[int]) -> list[bytes]:
        """The lines of these figures, in the order of the file.

        Exports keep a patient's records together, so they are read in one go where that is not much more.
        """
        file = self.open(part)
        begin, end = figures[1], figures[-2] + figures[-1]
        places = zip(figures[1::FIGURES], figures[2::FIGURES], strict=True)
        if end - begin > _ONE_READ * sum(figures[2::FIGURES]):
            return [os.pread(file, length, at) for at, length in places]
        block = os.pread(file, end - begin, begin)
        return [block[at - begin : at - begin + length] for at, length in places]

    def file(self, part: int) -> str:
        return self._files[part]

    def close(self) -> None:
        self._stack.close()


class Catalogue:
    """Every Medication of the export by id, on disk: an EHR may export one for each order."""

    def __init__(self, work: Path, reader: LineReader) -> None:
        # Nobody writes to it any more, so that no look-up has to ask for a lock.
        self._known = sqlite3.connect(f"file:{work / _SHELF}?mode=ro&immutable=1", uri=True)
        self._reader = reader

    def find(self, identifier: str) -> Resource | None:
        row = self._known.execute(
            "select part, number, at, size from medication where id = ?", (identifier,)
        ).fetchone()
        return decode_resource(self._reader.block(row[0], row[1:]), "Medication", []) if row else None

    def close(self) -> None:
        self._known.close()


def build_catalogue(work: Path, indexes: list[Index]) -> None:
    """Write the catalogue; of two Medications with one id the later in the export counts."""
    target = work / _SHELF
    beside = work / f"{_SHELF}.{os.getpid()}"
    beside.unlink(missing_ok=True)
    known = sqlite3.connect(beside)
    try:
        # Scratch, made anew when it is not complete: no journal, no waiting for the disk.
        known.execute("pragma journal_mode = off")
        known.execute("pragma synchronous = off")
        known.execute(
            "create table medication (id text primary key, part int, number int, at int, size int) without rowid"
        )
        for part, index in enumerate(indexes):
            rows = (
                (identifier, part, *figures[-FIGURES:])
                for identifier, holding in holdings_of(work, index, MEDICATIONS).items()
                for figures in holding.places.values()
            )
            known.executemany("insert or replace into medication values (?, ?, ?, ?, ?)", rows)
        known.commit()
    finally:
        known.close()
    beside.replace(target)


def people(
    work: Path, indexes: list[Index], shard: int, reader: LineReader, holes: Holes
) -> Iterator[Person]:
    """The patients of a shard in the order of their ids."""
    # What is lost of a type may have been anybody's.
    lost = not TELLING.isdisjoint(holes.absent | holes.partial)
    found: dict[str, Person] = {}
    for number, index in enumerate(indexes):
        for patient, holding in holdings_of(work, index, shard).items():
            person = found.get(patient)
            if person is None:
                person = found[patient] = Person(patient, {}, lost, reader, holes)
            person.telling |= holding.telling
            for kind, figures in holding.places.items():
                person.places.setdefault(KEPT[kind], []).append((number, figures))
    for patient in sorted(found):
        # What has been decoded of a patient goes when the next one comes.
        person = found.pop(patient)
        person.telling |= "Patient" not in person.places
        yield person
