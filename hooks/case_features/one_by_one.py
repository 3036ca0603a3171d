"""Things worked out one at a time, as far as somebody reads: a card needs the newest, a chart all of a year."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

K = TypeVar("K")
T = TypeVar("T")


def one_by_one(made: list[T | None], keys: Iterable[K], make: Callable[[K], T | None]) -> Iterator[T]:
    """What `make` makes of each key, in order; None is left out. What is in `made` is not made again.

    It may be read several times at once, and an error comes again to every reader who gets that far.
    """
    for place, key in enumerate(keys):
        if place == len(made):
            made.append(make(key))
        item = made[place]
        if item is not None:
            yield item
