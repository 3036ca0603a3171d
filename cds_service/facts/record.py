"""What per-call records are made of."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

import msgspec

T = TypeVar("T")


class Record(msgspec.Struct, frozen=True):
    """An immutable record. A call makes hundreds; a frozen dataclass would cost seven times as much to make."""


class Later(msgspec.Struct, Generic[T], eq=False, gc=False):
    """A part of a record that is read when somebody first asks for it: of most records nobody does."""

    read: Callable[[], T]
    known: T | None = None

    def __call__(self) -> T:
        if self.known is None:
            self.known = self.read()
        return self.known

    def __eq__(self, other: object) -> bool:
        """Whether the two read the same."""
        return isinstance(other, Later) and self() == other()

    def __hash__(self) -> int:
        return hash(self())
