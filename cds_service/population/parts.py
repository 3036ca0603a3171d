"""Map: one range of a file to the places of the lines that rules could read, by shard of patients.

Only places are kept, not the lines: an export is large, and most of what could be read is never asked for. The
lines of a compressed file cannot be reached by their place, so they are kept beside the index.
A part is complete when its index exists; the index is put in its place in one step, so that a process killed
in the middle leaves nothing that looks finished. Doing a range twice gives the same bytes.
"""

from __future__ import annotations

import os
import zlib
from collections import Counter
from collections.abc import Iterable
from itertools import accumulate
from pathlib import Path

import msgspec

from cds_service.fhir.decode import DecodeFailure
from cds_service.population.bystanders import TELLING, Bystanders
from cds_service.population.export import BROKEN, Range, reading, type_of
from cds_service.population.sieve import NOBODY, PLACE, SHALLOW, Sieve, Unsorted
from cds_service.population.trouble import Kind, Trouble, Troubles

FIGURES = 3
"""Figures that name the place of a line: its number, position and length."""
MEDICATIONS = -1
"""The shard of Medications, which belong to no patient."""
_BOM = b"\xef\xbb\xbf"
_ENDLESS = 1 << 62
_UNFAMILIAR = (KeyError, *DecodeFailure)


class Holding(msgspec.Struct, array_like=True):
    """What one part holds of one patient (for Medications: of one id)."""

    telling: bool = False
    """Some record may decide whether the patient belongs to the population."""
    places: dict[int, list[int]] = {}
    """Place of the type in KEPT -> three figures for each line (see FIGURES), one after the other."""


class Index(msgspec.Struct):
    """What a part holds and what was seen on the way."""

    number: int
    path: str
    """The file that positions are counted in: the export's own, or the copy of its kept lines."""
    file: str
    shards: dict[int, tuple[int, int]]
    """Shard -> position and length of what is held of its patients, in a file of its own."""
    lines: int
    seen: dict[str, int]
    """Resource type -> number of resources, kept or not."""
    troubles: list[Trouble]


_encode = msgspec.msgpack.Encoder().encode
_decode_holdings = msgspec.msgpack.Decoder(dict[str, Holding]).decode
_decode_index = msgspec.msgpack.Decoder(Index).decode


def shard_of(patient: str, shards: int) -> int:
    """The same for the same patient on every machine (unlike `hash`)."""
    return zlib.crc32(patient.encode()) % shards


def index_path(work: Path, number: int) -> Path:
    return work / f"part-{number:05d}.index"


def _holdings_path(work: Path, number: int) -> Path:
    return work / f"part-{number:05d}.holdings"


def read_index(work: Path, number: int) -> Index:
    """The index of a part that is complete."""
    return _decode_index(index_path(work, number).read_bytes())


def holdings_of(work: Path, index: Index, shard: int) -> dict[str, Holding]:
    """What one part holds of the patients of one shard, by patient."""
    found = index.shards.get(shard)
    if found is None:
        return {}
    at, length = found
    # Each shard looks into every part, so this is not left to buffers and streams.
    file = os.open(_holdings_path(work, index.number), os.O_RDONLY)
    try:
        return _decode_holdings(os.pread(file, length, at))
    finally:
        os.close(file)


def write_whole(path: Path, data: bytes) -> None:
    """The file with `data`, or no file: never half of it."""
    beside = path.with_name(f"{path.name}.{os.getpid()}")
    beside.write_bytes(data)
    beside.replace(path)


def map_range(
    part: Range,
    sieve: Sieve,
    bystanders: Bystanders,
    work: Path,
    shards: int,
    idle: frozenset[str] = frozenset(),
) -> Index:
    """Sort the lines of a range and write its index. Of the `idle`, as lines refer to them, not all is kept."""
    mapping = _Mapping(part, sieve, bystanders, shards, idle)
    try:
        mapping.run()
    except BROKEN as error:
        kind = Kind.BROKEN_ARCHIVE if part.packed else Kind.UNREADABLE
        kind = Kind.UNREADABLE if isinstance(error, FileNotFoundError | PermissionError) else kind
        mapping.troubles.add(kind, mapping.number + 1, type_of(Path(part.path).name))
    return mapping.write(work)


class _Mapping:
    """One range on its way through the sieve."""

    def __init__(
        self, part: Range, sieve: Sieve, bystanders: Bystanders, shards: int, idle: frozenset[str]
    ) -> None:
        self._part = part
        self._idle = idle
        self._sieve = sieve
        self._bystanders = bystanders
        self._shards = shards
        self._named_after = type_of(Path(part.path).name)
        self._familiar = sieve.familiar(self._named_after)
        self._found: dict[int, dict[str, Holding]] = {}
        self._by_reference: dict[str | None, list[int]] = {}
        self._copied: list[bytes] | None = [] if part.packed else None
        self._copied_bytes = 0
        self._seen: Counter[str] = Counter()
        self._at = 0
        self.troubles = Troubles()
        self.number = 0

    def run(self) -> None:
        """Every line of the range."""
        end = _ENDLESS if self._part.packed else self._part.end
        with reading(self._part) as (lines, begin):
            if self._familiar is not None:
                self._quickly(lines, begin, end, self._familiar)
                return
            at = begin
            for line in lines:
                if at >= end:
                    return
                self.number += 1
                self._at = at
                at += len(line)
                self._closely(line)

    def _quickly(self, lines: Iterable[bytes], at: int, end: int, familiar: dict[bytes, bool]) -> None:
        """The hot loop: a line like one seen before costs one shallow decoding and a look-up."""
        named_after, idle, by_reference = self._named_after, self._idle, self._by_reference
        glimpse, key_of = SHALLOW[named_after]
        number = unfamiliar = 0
        try:
            for line in lines:
                if at >= end:
                    break
                number += 1
                begin = at
                at += len(line)
                try:
                    seen = glimpse(line)
                    if seen.resourceType == named_after:
                        reference = (seen.subject or seen.patient or NOBODY).reference
                        if reference in idle:
                            continue
                        key = key_of(seen)
                        if key is not None:
                            if familiar[key]:
                                places = by_reference.get(reference)
                                if places is None:
                                    self.number, self._at = number, begin
                                    self._meet(reference, line)
                                else:
                                    places += (number, begin, len(line))
                            continue
                except _UNFAMILIAR:
                    pass
                unfamiliar += 1
                self.number, self._at = number, begin
                self._closely(line)
        finally:
            self.number = number
            if number > unfamiliar:
                self._seen[named_after] += number - unfamiliar

    def _closely(self, line: bytes) -> None:
        try:
            kind, patient, matters = self._sieve.sort(line)
        except Unsorted as unsorted:
            self._unsorted(unsorted, line)
            return
        self._seen[kind] += 1
        if kind != self._named_after and self._named_after:
            self.troubles.add(Kind.OTHER_TYPE if kind else Kind.NO_TYPE, self.number, kind)
        if matters:
            self._keep(kind, patient, line)
        if kind == self._named_after and self._familiar is not None and not (matters and kind in TELLING):
            # The next line like this one need not be looked at closely.
            glimpse, key_of = SHALLOW[kind]
            key = key_of(glimpse(line))
            if key is not None:
                self._familiar[key] = matters

    def _meet(self, reference: str | None, line: bytes) -> None:
        """A line like ones seen before, the first of its patient in this part."""
        patient = self._sieve.patient(reference) if reference else None
        places = self._keep(self._named_after, patient, line)
        # What is copied has to pass here line by line.
        if places is not None and self._copied is None:
            self._by_reference[reference] = places

    def _unsorted(self, unsorted: Unsorted, line: bytes) -> None:
        bare = line.strip()
        if not bare or bare == _BOM:
            return
        record = line.removeprefix(_BOM)
        if len(record) < len(line) and not record.startswith(_BOM):
            # A byte order mark before the first record is no fault of the record.
            self._at += len(_BOM)
            self._closely(record)
            return
        kind = unsorted.kind or self._named_after
        broken = Kind.NOT_JSON if line.endswith(b"\n") else Kind.CUT_OFF
        self.troubles.add(Kind.UNUSABLE if unsorted.json else broken, self.number, kind)
        # The patient's own record must know that something of it was lost.
        if unsorted.patient is not None and kind in PLACE:
            self._seen[kind] += 1
            self._keep(kind, unsorted.patient, line)

    def _keep(self, kind: str, patient: str | None, line: bytes) -> list[int] | None:
        """Note the place of a line; the places of its patient and type, or None when it names nobody."""
        if patient is None:
            self.troubles.add(Kind.NO_PATIENT, self.number, kind)
            return None
        shard = MEDICATIONS if kind == "Medication" else shard_of(patient, self._shards)
        holding = self._found.setdefault(shard, {}).setdefault(patient, Holding())
        if not holding.telling and kind in TELLING:
            holding.telling = not self._bystanders.holds(kind, patient, line)
        at = self._at
        if self._copied is not None:
            at = self._copied_bytes
            self._copied.append(line)
            self._copied_bytes += len(line)
        places = holding.places.setdefault(PLACE[kind], [])
        places += (self.number, at, len(line))
        return places

    def write(self, work: Path) -> Index:
        path = Path(self._part.path)
        where = path
        if self._copied is not None:
            where = work / f"part-{self._part.number:05d}.lines"
            write_whole(where, b"".join(self._copied))
        encoded = {shard: _encode(self._found[shard]) for shard in sorted(self._found)}
        ends = list(accumulate(map(len, encoded.values()), initial=0))
        write_whole(_holdings_path(work, self._part.number), b"".join(encoded.values()))
        index = Index(
            number=self._part.number,
            path=str(where),
            file=path.name,
            shards={
                shard: (at, ends[place + 1] - at)
                for place, (shard, at) in enumerate(zip(encoded, ends, strict=False))
            },
            lines=self.number,
            seen=dict(sorted(self._seen.items())),
            troubles=self.troubles.of(path.name),
        )
        write_whole(index_path(work, self._part.number), _encode(index))
        return index
