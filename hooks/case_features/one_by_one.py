"""Things worked out one at a time, as far as somebody reads: a card needs the newest, a chart all of a year."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Generic, TypeVar

K = TypeVar("K")
T = TypeVar("T")


class OneByOne(Generic[K, T]):
    """What `make` makes of each key, in order, each made once and only when it is read; None is left out.

    It may be read several times at once, and an error comes again to every reader who gets that far.
    """

    def __init__(self, keys: Iterable[K], make: Callable[[K], T | None]) -> None:
        self._keys = keys
        self._make = make
        self._made: list[T | None] = []

    def __iter__(self) -> Iterator[T]:
        made = self._made
        for place, key in enumerate(self._keys):
            if place == len(made):
                made.append(self._make(key))
            item = made[place]
            if item is not None:
                yield item
