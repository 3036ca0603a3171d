"""A FHIR Bulk Data export on disk: its files, its manifest, and lines of a file by byte range."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import msgspec

from cds_service.population.trouble import Kind, Trouble
from cds_service.settings import SettingsError

MANIFEST = "manifest.json"
_BUFFER = 1 << 18
_ENDINGS = (".ndjson", ".ndjson.gz", ".jsonl", ".jsonl.gz")
_NOT_RECORDS = frozenset({"ground-truth.ndjson"})


@dataclass(frozen=True, slots=True)
class Range:
    """Part of a file: every line that begins in `start` <= position < `end`. A compressed file is one range."""

    number: int
    path: str
    start: int
    end: int

    @property
    def packed(self) -> bool:
        return self.path.endswith(".gz")


@dataclass(frozen=True, slots=True)
class Export:
    """Files of an export, in the order of their names, with what is wrong with the set of them."""

    folder: Path
    files: tuple[Path, ...]
    expected: dict[str, int]
    """File name -> number of resources, as far as the manifest says."""
    as_of: datetime | None
    """When the export was taken, if the manifest says so."""
    troubles: tuple[Trouble, ...]

    def ranges(self, size: int) -> list[Range]:
        """The files in parts of about `size` bytes."""
        parts: list[tuple[str, int, int]] = []
        for path in self.files:
            length = path.stat().st_size
            step = length or 1 if path.name.endswith(".gz") else size
            parts += [(str(path), at, min(at + step, length)) for at in range(0, length, step)]
        return [Range(number, *part) for number, part in enumerate(parts)]


class _Output(msgspec.Struct):
    url: str
    type: str = ""
    count: int | None = None


class _Manifest(msgspec.Struct):
    output: list[_Output]
    transactionTime: str | None = None  # noqa: N815 - wire name


def type_of(name: str) -> str:
    """The resource type a file is named after; '' when its name says none."""
    head = name.replace("-", ".").partition(".")[0]
    return head if head[:1].isupper() and head.isalpha() else ""


def open_export(source: Path) -> Export:
    """The export in a folder, or a single file of one.

    Raises:
        SettingsError: there is nothing of the kind.
    """
    if source.is_file():
        return Export(source.parent, (source,), {}, None, ())
    if not source.is_dir():
        raise SettingsError(f"{source.name}: no such file or folder")
    files = sorted(
        path
        for path in source.iterdir()
        if path.name.endswith(_ENDINGS) and path.name not in _NOT_RECORDS and path.is_file()
    )
    troubles: list[Trouble] = []
    expected: dict[str, int] = {}
    as_of: datetime | None = None
    manifest = source / MANIFEST
    if manifest.exists():
        try:
            read = msgspec.json.decode(manifest.read_bytes(), type=_Manifest)
            as_of = datetime.fromisoformat(read.transactionTime) if read.transactionTime else None
        except (OSError, ValueError):
            troubles.append(Trouble(Kind.UNREADABLE, MANIFEST))
        else:
            present = {path.name for path in files}
            for output in read.output:
                name = output.url.rpartition("/")[2]
                if name not in present:
                    kind = output.type or type_of(name)
                    troubles.append(Trouble(Kind.MISSING, name, types=(kind,) if kind else ()))
                elif output.count is not None:
                    expected[name] = output.count
    if not files and not troubles:
        raise SettingsError(f"{source.name}: no NDJSON files in this folder")
    if as_of is not None and as_of.tzinfo is None:
        as_of = None
    return Export(source, tuple(files), expected, as_of, tuple(troubles))


BROKEN = (OSError, EOFError, zlib.error)
"""What reading a damaged or vanished file raises."""


@contextmanager
def reading(part: Range) -> Iterator[tuple[Iterable[bytes], int]]:
    """Lines from the first one of the range on, and the position of that line in the file.

    The reader stops by itself at the end of the range. A compressed file is read to its end.

    Raises:
        OSError, EOFError, zlib.error: the file cannot be read (further).
    """
    if part.packed:
        with gzip.open(part.path, "rb") as packed:
            yield packed, 0
        return
    with Path(part.path).open("rb", buffering=_BUFFER) as stream:
        if part.start:
            # The line that the range begins in belongs to the range before.
            stream.seek(part.start - 1)
            stream.readline()
        yield stream, stream.tell()
