"""Patients whose results and orders need not be kept: nothing in them could bring anybody into the population.

Whether a patient belongs to it is told by few and small files (see `bystanders`). They are read first; most patients
turn out to be bystanders then, and most lines of the large files are theirs. Such a line is still read as far as
every line is, so that whatever is broken is found; only its place is not kept.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

import msgspec

from cds_service.population.bystanders import TELLING
from cds_service.population.export import Range, type_of
from cds_service.population.gather import Holes
from cds_service.population.parts import Index, holdings_of, write_whole
from cds_service.population.sieve import PLACE

_FILE = "idle"
_MOST = 1_000_000
"""More are not held in the memory of every process."""
_PATIENT = PLACE["Patient"]
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list[str]).decode


def tells(part: Range) -> bool:
    """The part may hold records that tell who belongs to the population: by its name, or because that says nothing."""
    return type_of(Path(part.path).name) in ("", *TELLING)


def find_idle(work: Path, telling: list[Index], shards: int, holes: Holes) -> None:
    """Note the idle patients after the telling parts; what was noted before stays."""
    if not (work / _FILE).exists():
        lost = not TELLING.isdisjoint(holes.absent | holes.partial)
        _note(work, () if lost else _bystanders(work, telling, shards))


def _bystanders(work: Path, telling: list[Index], shards: int) -> list[str]:
    found: list[str] = []
    for shard in range(shards):
        known: set[str] = set()
        told: set[str] = set()
        for index in telling:
            for patient, holding in holdings_of(work, index, shard).items():
                if holding.telling:
                    told.add(patient)
                if _PATIENT in holding.places:
                    known.add(patient)
        found += known - told
    return found if len(found) <= _MOST else []


def forget_idle(work: Path) -> None:
    """From now on every line counts."""
    _note(work, ())


def _note(work: Path, patients: Iterable[str]) -> None:
    write_whole(work / _FILE, _encode([f"Patient/{patient}" for patient in sorted(patients)]))


def idle_in(work: Path) -> frozenset[str]:
    """References to the idle patients; empty before they were looked for."""
    file = work / _FILE
    return _read(file, file.stat().st_mtime_ns) if file.exists() else frozenset()


@lru_cache(maxsize=1)
def _read(file: Path, _written: int) -> frozenset[str]:
    return frozenset(_decode(file.read_bytes()))


def is_surprising(others: Iterable[Index], holes: Holes) -> bool:
    """A file that is not named after them holds telling records, or may have lost some: nobody is idle for certain."""
    lost = not TELLING.isdisjoint(holes.absent | holes.partial)
    return lost or any(not TELLING.isdisjoint(index.seen) for index in others)
