"""A terminology that remembers its answers: a population says the same words and codes a million times."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import replace
from typing import TypeVar

from cds_service.facts.labs import LabReader
from cds_service.facts.normalise import Normaliser
from cds_service.registry import ReadyService
from cds_service.terminology.index import Terminology
from cds_service.terminology.medication import DrugIdentity

_MOST = 50_000
"""Answers kept of each kind; free text may differ in every record."""
Key = TypeVar("Key", bound=Hashable)
Answer = TypeVar("Answer")


class RememberingTerminology(Terminology):
    """Answers exactly as the terminology it is made from."""

    def __init__(self, known: Terminology) -> None:
        self.__dict__.update(known.__dict__)
        self._sets: dict[tuple[str | None, str | None], frozenset[str]] = {}
        self._in_text: dict[str, frozenset[str]] = {}
        self._drugs: dict[Hashable, DrugIdentity] = {}

    def sets_of(self, system: str | None, code: str | None) -> frozenset[str]:
        key = system, code
        found = self._sets.get(key)
        return _kept(self._sets, key, super().sets_of(system, code)) if found is None else found

    def sets_in_text(self, text: str) -> frozenset[str]:
        found = self._in_text.get(text)
        return _kept(self._in_text, text, super().sets_in_text(text)) if found is None else found

    def identify(
        self, codings: Sequence[tuple[str | None, str | None, str | None]], texts: Sequence[str] = ()
    ) -> DrugIdentity:
        key = tuple(codings), tuple(texts)
        found = self._drugs.get(key)
        return _kept(self._drugs, key, super().identify(codings, texts)) if found is None else found


def _kept(memory: dict[Key, Answer], key: Key, answer: Answer) -> Answer:
    if len(memory) >= _MOST:
        memory.clear()
    memory[key] = answer
    return answer


def remembering(ready: ReadyService) -> ReadyService:
    """The service with a terminology that remembers."""
    terminology = RememberingTerminology(ready.terminology)
    labs = LabReader(ready.service.content.analytes, terminology)
    return replace(ready, terminology=terminology, normaliser=Normaliser(terminology, labs, drugs={}))
