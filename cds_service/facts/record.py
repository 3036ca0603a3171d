"""What per-call records are made of."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar

import msgspec

T = TypeVar("T")


class Record(msgspec.Struct, frozen=True):
    """An immutable record. A call makes hundreds; a frozen dataclass would cost seven times as much to make."""


class once(Generic[T]):  # noqa: N801 - reads as the decorator it is
    """An attribute that is worked out when somebody first asks for it: of most records nobody does.

    As `functools.cached_property`, without its lock: a record belongs to one call, hence to one thread.
    """

    def __init__(self, read: Callable[[Any], T]) -> None:
        self._read = read
        self._name = read.__name__
        self.__doc__ = read.__doc__

    def __get__(self, record: Any, _: type | None = None) -> T:
        value = record.__dict__[self._name] = self._read(record)
        return value


class Parts:
    """Parts of a record of which most are never asked for. Two are equal when all that they say is."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Parts) and self._parts() == other._parts()

    def __hash__(self) -> int:
        return hash(self._parts())

    def _parts(self) -> tuple[object, ...]:
        return tuple(getattr(self, name) for name, part in vars(type(self)).items() if isinstance(part, once))
