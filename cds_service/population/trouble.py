"""What went wrong with a population's data: named with file and line, never fatal to the rest, never silent."""

from __future__ import annotations

from collections import Counter
from enum import StrEnum

import msgspec

EXAMPLES = 5


class Kind(StrEnum):
    """A way in which data can be unfit, in words for a report."""

    MISSING = "named in the manifest, but the file is missing"
    UNREADABLE = "the file cannot be opened"
    SHORT = "fewer resources than the manifest says"
    CUT_OFF = "the file ends in the middle of a record"
    BROKEN_ARCHIVE = "the compressed file is damaged or ends too early"
    NOT_JSON = "not valid JSON"
    NO_TYPE = "no resourceType"
    OTHER_TYPE = "another resource type than the file is named after"
    NO_PATIENT = "names no patient, or in a way that cannot be followed"
    UNUSABLE = "a value of the wrong type, so the record could not be read"
    NOT_EXPORTED = "no record of this type in the source: counts as not read"
    SERVER = "the FHIR server did not answer, or not in full"


HOLES = frozenset({Kind.MISSING, Kind.UNREADABLE, Kind.SHORT, Kind.CUT_OFF, Kind.BROKEN_ARCHIVE})
"""Troubles after which any number of records may be lacking, of any patient."""


class Trouble(msgspec.Struct, frozen=True, omit_defaults=True):
    """One kind of trouble in one file. `lines` holds the first few line numbers, from 1."""

    kind: Kind
    file: str
    count: int = 1
    lines: tuple[int, ...] = ()
    types: tuple[str, ...] = ()
    """Resource types that may be lacking because of it."""


class Troubles:
    """Collects troubles while a file is read."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[Kind, str]] = Counter()
        self._lines: dict[tuple[Kind, str], list[int]] = {}

    def add(self, kind: Kind, line: int, resource_type: str = "") -> None:
        key = kind, resource_type
        self._counts[key] += 1
        seen = self._lines.setdefault(key, [])
        if len(seen) < EXAMPLES:
            seen.append(line)

    def of(self, file: str, offset: int = 0) -> list[Trouble]:
        """Everything collected; `offset` lines stand before the part of the file that was read."""
        return [
            Trouble(
                kind, file, count, tuple(n + offset for n in self._lines[kind, name]), (name,) if name else ()
            )
            for (kind, name), count in sorted(self._counts.items())
        ]


def merged(troubles: list[Trouble]) -> list[Trouble]:
    """One entry for each kind and file, in a fixed order."""
    found: dict[tuple[Kind, str, tuple[str, ...]], Trouble] = {}
    for item in troubles:
        key = item.kind, item.file, item.types
        before = found.get(key)
        if before is not None:
            item = Trouble(  # noqa: PLW2901 - the two become one
                item.kind,
                item.file,
                before.count + item.count,
                tuple(sorted({*before.lines, *item.lines})[:EXAMPLES]),
                item.types,
            )
        found[key] = item
    return [found[key] for key in sorted(found)]
