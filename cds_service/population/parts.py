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
from pathlib import Path

import msgspec

from cds_service.population.export import BROKEN, Range, reading, type_of
from cds_service.population.sieve import PLACE, Sieve, Unsorted
from cds_service.population.trouble import Kind, Trouble, Troubles

Place = tuple[str, int, int, int, int]
"""Patient id (for a Medication its own id), place of the type in KEPT, line number, position and length."""
MEDICATIONS = -1
"""The shard of Medications, which belong to no patient."""
_BOM = b"\xef\xbb\xbf"
_ENDLESS = 1 << 62


class Index(msgspec.Struct):
    """What a part holds and what was seen on the way."""

    number: int
    path: str
    """The file that positions are counted in: the export's own, or the copy of its kept lines."""
    file: str
    shards: dict[int, bytes]
    """Shard -> its places, encoded."""
    lines: int
    seen: dict[str, int]
    """Resource type -> number of resources, kept or not."""
    kept: int
    troubles: list[Trouble]


_encode = msgspec.msgpack.Encoder().encode
_decode_places = msgspec.msgpack.Decoder(list[Place]).decode
_decode_index = msgspec.msgpack.Decoder(Index).decode


def shard_of(patient: str, shards: int) -> int:
    """The same for the same patient on every machine (unlike `hash`)."""
    return zlib.crc32(patient.encode()) % shards


def index_path(work: Path, number: int) -> Path:
    return work / f"part-{number:05d}.index"


def read_index(work: Path, number: int) -> Index:
    """The index of a part that is complete."""
    return _decode_index(index_path(work, number).read_bytes())


def places_of(index: Index, shard: int) -> list[Place]:
    """Where the lines of one shard are in one part."""
    found = index.shards.get(shard)
    return [] if found is None else _decode_places(found)


def write_whole(path: Path, data: bytes) -> None:
    """The file with `data`, or no file: never half of it."""
    beside = path.with_name(f"{path.name}.{os.getpid()}")
    beside.write_bytes(data)
    beside.replace(path)


def map_range(part: Range, sieve: Sieve, work: Path, shards: int) -> Index:
    """Sort the lines of a range and write its index."""
    mapping = _Mapping(part, sieve, shards)
    try:
        mapping.run()
    except BROKEN as error:
        kind = Kind.BROKEN_ARCHIVE if part.packed else Kind.UNREADABLE
        kind = Kind.UNREADABLE if isinstance(error, FileNotFoundError | PermissionError) else kind
        mapping.troubles.add(kind, mapping.number + 1, type_of(Path(part.path).name))
    return mapping.write(work)


class _Mapping:
    """One range on its way through the sieve."""

    def __init__(self, part: Range, sieve: Sieve, shards: int) -> None:
        self._part = part
        self._sieve = sieve
        self._shards = shards
        self._named_after = type_of(Path(part.path).name)
        self._found: dict[int, list[Place]] = {}
        self._copied: list[bytes] | None = [] if part.packed else None
        self._copied_bytes = 0
        self._seen: Counter[str] = Counter()
        self._at = 0
        self.troubles = Troubles()
        self.number = 0

    def run(self) -> None:
        """The hot loop: a line that no rule reads costs one shallow decoding and a look-up."""
        sort, seen, named_after = self._sieve.sort, self._seen, self._named_after
        end = _ENDLESS if self._part.packed else self._part.end
        with reading(self._part) as (lines, begin):
            at = begin
            for line in lines:
                if at >= end:
                    break
                self._at = at
                at += len(line)
                self.number += 1
                try:
                    kind, patient, matters = sort(line)
                except Unsorted as unsorted:
                    self._unsorted(unsorted, line)
                    continue
                seen[kind] += 1
                if kind != named_after and named_after:
                    self.troubles.add(Kind.OTHER_TYPE if kind else Kind.NO_TYPE, self.number, kind)
                if matters:
                    self._keep(kind, patient, line)

    def _unsorted(self, unsorted: Unsorted, line: bytes) -> None:
        bare = line.strip()
        if not bare or bare == _BOM:
            return
        if line.startswith(_BOM):
            # A byte order mark before the first record is no fault of the record.
            kind, patient, matters = self._sieve.sort(line.removeprefix(_BOM))
            self._seen[kind] += 1
            if matters:
                self._at += len(_BOM)
                self._keep(kind, patient, line.removeprefix(_BOM))
            return
        kind = unsorted.kind or self._named_after
        broken = Kind.NOT_JSON if line.endswith(b"\n") else Kind.CUT_OFF
        self.troubles.add(Kind.UNUSABLE if unsorted.json else broken, self.number, kind)
        # The patient's own record must know that something of it was lost.
        if unsorted.patient is not None and kind in PLACE:
            self._seen[kind] += 1
            self._keep(kind, unsorted.patient, line)

    def _keep(self, kind: str, patient: str | None, line: bytes) -> None:
        if patient is None:
            self.troubles.add(Kind.NO_PATIENT, self.number, kind)
            return
        shard = MEDICATIONS if kind == "Medication" else shard_of(patient, self._shards)
        kept = self._found.get(shard)
        if kept is None:
            kept = self._found[shard] = []
        at = self._at
        if self._copied is not None:
            at = self._copied_bytes
            self._copied.append(line)
            self._copied_bytes += len(line)
        kept.append((patient, PLACE[kind], self.number, at, len(line)))

    def write(self, work: Path) -> Index:
        path = Path(self._part.path)
        where = path
        if self._copied is not None:
            where = work / f"part-{self._part.number:05d}.lines"
            write_whole(where, b"".join(self._copied))
        index = Index(
            number=self._part.number,
            path=str(where),
            file=path.name,
            shards={shard: _encode(self._found[shard]) for shard in sorted(self._found)},
            lines=self.number,
            seen=dict(sorted(self._seen.items())),
            kept=sum(len(places) for places in self._found.values()),
            troubles=self.troubles.of(path.name),
        )
        write_whole(index_path(work, self._part.number), _encode(index))
        return index
