"""A run over an export: map, merge, finish, each step kept on disk so that an interrupted run goes on."""

from __future__ import annotations

import gc
import hashlib
import heapq
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec

from cds_service import __version__
from cds_service.population.bystanders import Bystanders
from cds_service.population.export import Export, Range, open_export
from cds_service.population.gather import (
    SOURCES,
    Catalogue,
    Holes,
    LineReader,
    Person,
    build_catalogue,
    people,
)
from cds_service.population.idle import find_idle, forget_idle, idle_in, is_surprising, tells
from cds_service.population.judge import Judge, Judging, build_judge
from cds_service.population.parts import Index, index_path, map_range, read_index, write_whole
from cds_service.population.sieve import KEPT, Sieve
from cds_service.population.trouble import HOLES, Kind, Trouble, merged
from cds_service.population.workers import Workers

RANGE_BYTES = 32 << 20
_SHARD_BYTES = 128 << 20
_LARGE_SHARD_BYTES = 1 << 30
_PLENTY = 64
WORK = ".work"
_PLAN = "plan"
_RARELY = (100_000, 50, 1000)
_AS_OF = "as-of"
Finish = Callable[["Job", int], list[bytes]]
"""What becomes of a shard: lines of NDJSON whose first member is the id by which they are sorted."""


@dataclass(frozen=True, slots=True)
class Job:
    """One run. Plain data: it is sent to other processes and machines."""

    work: str
    how: Judging
    parts: int
    shards: int
    holes: Holes = field(default_factory=Holes)
    options: tuple[tuple[str, Any], ...] = ()
    """For the finishing function."""


@dataclass(frozen=True, slots=True)
class MapTask:
    job: Job
    part: Range
    sparing: bool = False
    """Not all lines of patients without a part in the result need be kept (see `idle`)."""


@dataclass(frozen=True, slots=True)
class FinishTask:
    job: Job
    shard: int
    finish: Finish


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is; told after every step."""

    step: str
    done: int
    total: int


Tell = Callable[[Progress], None]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run came to, besides the lines it wrote."""

    resources: dict[str, int]
    """Resource type -> how many were in the source."""
    lines: int
    files: int
    troubles: tuple[Trouble, ...]
    resumed: bool


_judges: dict[bytes, tuple[Judge, Sieve]] = {}


def judge_of(how: Judging) -> tuple[Judge, Sieve]:
    """The judge and the sieve of this process, built on first use."""
    key = msgspec.json.encode(how, enc_hook=str, order="sorted")
    if key not in _judges:
        judge = build_judge(how)
        _judges[key] = judge, Sieve(judge.ready.terminology, judge.ready.service.content.analytes)
    return _judges[key]


def map_task(task: MapTask) -> None:
    judge, sieve = judge_of(task.job.how)
    bystanders = Bystanders(judge.ready.terminology, judge.decisive)
    work = Path(task.job.work)
    idle = idle_in(work) if task.sparing else frozenset()
    with _few_collections():
        map_range(task.part, sieve, bystanders, work, task.job.shards, idle)


def finish_task(task: FinishTask) -> None:
    judge_of(task.job.how)
    with _few_collections():
        lines = task.finish(task.job, task.shard)
    write_whole(_shard_path(Path(task.job.work), task.shard), b"".join(lines))


@contextmanager
def _few_collections() -> Iterator[None]:
    """Records hold no cycles: looking for them often costs a tenth of the time and finds nothing."""
    before = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(*_RARELY)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()


def each_person(job: Job, shard: int) -> Iterator[tuple[Person, Catalogue]]:
    """The patients of a shard, by id."""
    work = Path(job.work)
    indexes = _indexes(work, job.parts, (work / _PLAN).stat().st_mtime_ns)
    reader = LineReader(indexes)
    catalogue = Catalogue(work, reader)
    try:
        for person in people(work, indexes, shard, reader, job.holes):
            yield person, catalogue
    finally:
        reader.close()
        catalogue.close()


@lru_cache(maxsize=1)
def _indexes(work: Path, parts: int, _begun: int) -> list[Index]:
    """The indexes of all parts, read once for all shards; a later run in the same folder began at another time."""
    return [read_index(work, number) for number in range(parts)]


def _shard_path(work: Path, shard: int) -> Path:
    return work / f"shard-{shard:04d}.ndjson"


def run(
    source: Path,
    out: Path,
    how: Judging,
    finish: Finish,
    workers: Workers,
    *,
    target: str,
    options: tuple[tuple[str, Any], ...] = (),
    tell: Tell = lambda _: None,
    range_bytes: int = RANGE_BYTES,
    members_only: bool = False,
) -> Outcome:
    """Write `target` into `out`: one line for each thing the finishing function found, sorted by its id.

    The same source, settings and options continue what was begun in `out`; anything else begins anew.
    `members_only` says that the finishing function reads results and orders only of those who may be members.

    Raises:
        SettingsError: there is no export at `source`.
    """
    export = open_export(source)
    ranges = export.ranges(range_bytes)
    size = sum(part.end - part.start for part in ranges)
    shards = shards_for(size)
    work = out / WORK
    resumed = _prepare(work, export, how, finish, options, range_bytes)
    remember_as_of(work, how.as_of)
    job = Job(str(work), how, len(ranges), shards, options=options)
    # Built before other processes begin, which take it over from this one where they can.
    judge_of(how)
    mapping = _Mapping(job, workers, tell, len(ranges))
    indexes = mapping.sparingly(export, ranges) if members_only else mapping.all(ranges)
    troubles = _troubles(export, indexes)
    build_catalogue(work, indexes)
    job = Job(str(work), how, len(ranges), shards, _holes(indexes, troubles), options)
    left = [shard for shard in range(shards) if not _shard_path(work, shard).exists()]
    done = shards - len(left)
    for _ in workers.run(finish_task, [FinishTask(job, shard, finish) for shard in left]):
        done += 1
        tell(Progress("Judging", done, shards))
    _join([_shard_path(work, shard) for shard in range(shards)], out / target)
    seen: Counter[str] = Counter()
    for index in indexes:
        seen.update(index.seen)
    shutil.rmtree(work)
    return Outcome(
        resources=dict(sorted(seen.items())),
        lines=sum(index.lines for index in indexes),
        files=len(export.files),
        troubles=troubles,
        resumed=resumed,
    )


class _Mapping:
    """The first step of a run."""

    def __init__(self, job: Job, workers: Workers, tell: Tell, total: int) -> None:
        self._job, self._work = job, Path(job.work)
        self._workers, self._tell = workers, tell
        self._done, self._total = 0, total

    def all(self, parts: list[Range], *, sparing: bool = False) -> list[Index]:
        """The indexes of these parts; those that are not there yet are made."""
        missing = [part for part in parts if not index_path(self._work, part.number).exists()]
        self._done += len(parts) - len(missing)
        for _ in self._workers.run(map_task, [MapTask(self._job, part, sparing) for part in missing]):
            self._done += 1
            self._tell(Progress("Reading", self._done, self._total))
        return [read_index(self._work, part.number) for part in parts]

    def sparingly(self, export: Export, parts: list[Range]) -> list[Index]:
        """The same in two steps: first the parts that tell whose results and orders need not be kept."""
        telling = self.all([part for part in parts if tells(part)])
        find_idle(self._work, telling, self._job.shards, _holes(telling, _troubles(export, telling)))
        rest = [part for part in parts if not tells(part)]
        indexes = _in_file_order(telling, self.all(rest, sparing=True))
        others = [indexes[part.number] for part in rest]
        if idle_in(self._work) and is_surprising(others, _holes(indexes, _troubles(export, indexes))):
            for part in rest:
                index_path(self._work, part.number).unlink()
            forget_idle(self._work)
            self._done -= len(rest)
            indexes = _in_file_order(telling, self.all(rest, sparing=True))
        return indexes


def _in_file_order(*some: list[Index]) -> list[Index]:
    return sorted((index for each in some for index in each), key=lambda index: index.number)


def shards_for(size: int) -> int:
    """How many shards the patients of an export of so many bytes are spread over.

    Small ones keep every process busy to the end; but each shard looks into every part, so a very large export
    gets larger ones instead of ever more. Of a shard only the places of its lines are held in memory.
    """
    return max(1, min(size // _SHARD_BYTES, max(_PLENTY, size // _LARGE_SHARD_BYTES)))


def _prepare(
    work: Path, export: Export, how: Judging, finish: Finish, options: object, range_bytes: int
) -> bool:
    """The work folder for exactly this run; True when it holds the beginning of it."""
    return mark_of(
        work,
        {
            "files": [[str(p), p.stat().st_size, p.stat().st_mtime_ns] for p in export.files],
            "how": how,
            "finish": finish.__qualname__,
            "options": options,
            "range": range_bytes,
        },
    )


def mark_of(work: Path, plan: dict[str, Any]) -> bool:
    """Prepare the work folder for a plan; True when it holds the beginning of exactly this plan."""
    text = msgspec.json.encode({**plan, "version": __version__}, enc_hook=str, order="sorted")
    mark = hashlib.sha256(text).hexdigest().encode()
    kept = work / _PLAN
    if kept.exists() and kept.read_bytes() == mark:
        return True
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True, mode=0o700)
    write_whole(kept, mark)
    return False


def remember_as_of(work: Path, as_of: datetime) -> None:
    """A run without a given time takes the time it began; what continues it must take the same."""
    write_whole(work / _AS_OF, as_of.isoformat().encode())


def remembered_as_of(out: Path) -> datetime | None:
    """The time of the run that was begun in `out` and not finished."""
    kept = out / WORK / _AS_OF
    return datetime.fromisoformat(kept.read_text()) if kept.exists() else None


def _troubles(export: Export, indexes: list[Index]) -> tuple[Trouble, ...]:
    found = list(export.troubles)
    lines: Counter[str] = Counter()
    seen: Counter[str] = Counter()
    records: Counter[str] = Counter()
    for index in indexes:
        before = lines[index.file]
        for item in index.troubles:
            shifted = tuple(number + before for number in item.lines)
            found.append(Trouble(item.kind, item.file, item.count, shifted, item.types))
        lines[index.file] += index.lines
        records[index.file] += sum(index.seen.values())
        seen.update(index.seen)
    for name, expected in sorted(export.expected.items()):
        if lines[name] < expected and not any(item.file == name and item.kind in HOLES for item in found):
            found.append(Trouble(Kind.SHORT, name, expected - lines[name], types=(name.partition(".")[0],)))
    wanted = {kind for kinds in SOURCES.values() for kind in kinds}
    found += [
        Trouble(Kind.NOT_EXPORTED, "", 1, types=(kind,)) for kind in KEPT if kind in wanted - seen.keys()
    ]
    return tuple(merged(found))


def _holes(indexes: list[Index], troubles: tuple[Trouble, ...]) -> Holes:
    seen = {kind for index in indexes for kind in index.seen}
    partial: set[str] = set()
    for item in troubles:
        if item.kind in HOLES:
            # A file that does not say what it held may have held anything.
            partial.update(item.types or KEPT)
    return Holes(frozenset(KEPT) - seen, frozenset(partial))


def _join(shards: list[Path], target: Path) -> None:
    """All lines of the shards, sorted by the id that each begins with, into one file."""
    streams = [path.open("rb") for path in shards]
    beside = target.with_name(f"{target.name}.part")
    try:
        with beside.open("wb") as joined:
            beside.chmod(0o600)
            lines: list[Iterator[bytes]] = [iter(stream) for stream in streams]
            joined.writelines(_in_order(lines))
    finally:
        for stream in streams:
            stream.close()
    beside.replace(target)


def _in_order(lines: list[Iterator[bytes]]) -> Iterator[bytes]:
    """Sorted streams of lines as one."""
    yield from heapq.merge(*lines, key=_sort_key)


def _sort_key(line: bytes) -> bytes:
    """The id in `{"patient":"<id>",...`."""
    return line.split(b'"', 4)[3]
