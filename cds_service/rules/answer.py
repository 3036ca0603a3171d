"""Three-valued answers: MET, NOT_MET, UNKNOWN, each with its reason and the resources it used."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Answer(StrEnum):
    MET = "met"
    NOT_MET = "not met"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Finding:
    """What one criterion found."""

    text: str
    answer: Answer
    because: str
    sources: tuple[str, ...] = ()
    optional: bool = False
    """An UNKNOWN that rests only on optional or partly read data: it does not hold up an exclusion, but
    the card then names it and offers no delete."""


def met(text: str, because: str, *sources: str) -> Finding:
    return Finding(text, Answer.MET, because, sources)


def not_met(text: str, because: str, *sources: str) -> Finding:
    return Finding(text, Answer.NOT_MET, because, sources)


def unknown(text: str, because: str, *sources: str, optional: bool = False) -> Finding:
    return Finding(text, Answer.UNKNOWN, because, sources, optional)
