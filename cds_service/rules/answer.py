"""Three-valued answers: MET, NOT_MET, UNKNOWN, each with its reason and the resources it used."""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol

from cds_service.facts.record import Record
from cds_service.localise.text import Text


class Asked(Protocol):
    """What was asked; its `text` is made only for whoever reads the trace."""

    @property
    def text(self) -> str: ...


class Answer(StrEnum):
    MET = "met"
    NOT_MET = "not met"
    UNKNOWN = "unknown"


# An attribute of an enum costs as much as a whole comparison, and a call asks for hundreds.
_MET, _NOT_MET, _UNKNOWN = Answer.MET, Answer.NOT_MET, Answer.UNKNOWN


class Finding(Record, frozen=True, gc=False):
    """What one criterion found."""

    asked: Asked | str
    answer: Answer
    because: Text
    sources: tuple[str, ...] = ()
    optional: bool = False
    """An UNKNOWN that rests only on optional or partly read data: it does not hold up an exclusion, but
    the card then names it and offers no delete."""

    @property
    def text(self) -> str:
        """What was asked, in plain English."""
        return self.asked if isinstance(self.asked, str) else self.asked.text


def met(asked: Asked | str, because: Text, *sources: str) -> Finding:
    return Finding(asked, _MET, because, sources)


def not_met(asked: Asked | str, because: Text, *sources: str) -> Finding:
    return Finding(asked, _NOT_MET, because, sources)


def unknown(asked: Asked | str, because: Text, *sources: str, optional: bool = False) -> Finding:
    return Finding(asked, _UNKNOWN, because, sources, optional)
