"""Condition resources to Problems."""

from __future__ import annotations

from datetime import datetime, tzinfo

import msgspec

from cds_service.facts.dates import When, parse_when
from cds_service.facts.model import Problem
from cds_service.facts.record import Parts, once
from cds_service.fhir.decode import CodeableConcept, Resource
from cds_service.localise.text import Message
from cds_service.terminology.index import Terminology

_NOT_A_PROBLEM = frozenset({"refuted", "entered-in-error"})
_HISTORY = frozenset({"inactive", "remission", "resolved"})
_CLINICAL = _HISTORY | {"active", "recurrence", "relapse"}
UNCODED = Message("uncoded problem").template
_VERIFICATION = frozenset({"confirmed", "unconfirmed", "provisional", "differential"})
_VERIFICATIONS = _NOT_A_PROBLEM | _VERIFICATION
_NONE: frozenset[str] = frozenset()


def concept_sets(concept: CodeableConcept | None, terminology: Terminology) -> frozenset[str]:
    """Value sets that any coding of `concept` belongs to."""
    found = _NONE
    for coding in concept.coding if concept is not None else ():
        sets = terminology.sets_of(coding.system, None if coding.code is None else str(coding.code))
        if sets:
            found = found | sets if found else sets
    return found


def concepts(value: list[CodeableConcept] | CodeableConcept | None) -> list[CodeableConcept]:
    """One shape for fields that some EHRs send as an object and some as a list."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def concept_texts(concept: CodeableConcept | None) -> tuple[str, ...]:
    """Every wording of a concept: its text and the displays of its codings."""
    if concept is None:
        return ()
    words = [coding.display for coding in concept.coding if coding.display]
    return (concept.text, *words) if concept.text else tuple(words)


def told(
    concept: CodeableConcept | None, terminology: Terminology, fallback: str
) -> tuple[frozenset[str], tuple[str, ...], str]:
    """Value sets by any code or wording, every wording, and the label `wording (code)`.

    The label prefers the coding that our value sets know.
    """
    if concept is None:
        return _NONE, (), fallback
    texts = concept_texts(concept)
    sets, label = _NONE, None
    for coding in concept.coding:
        code = None if coding.code is None else str(coding.code)
        found = terminology.sets_of(coding.system, code)
        if found:
            sets = sets | found if sets else found
            if label is None:
                wording = coding.display or concept.text or terminology.display(coding.system, code)
                label = f"{wording} ({code})" if wording else str(code)
    for text in dict.fromkeys(texts):
        if found := terminology.sets_in_text(text):
            sets = sets | found if sets else found
    return sets, texts, label or (texts[0] if texts else fallback)


def status_code(value: CodeableConcept | str | None, known: frozenset[str]) -> str | None:
    """Code of a status that R4 sends as a concept and STU3 as a bare code; a known one before a local one."""
    if value is None:
        return None
    if isinstance(value, str):
        words = [value]
    else:
        if value.coding and (first := value.coding[0].code) in known:
            return str(first)
        words = [str(coding.code) for coding in value.coding if coding.code is not None]
        words.append(value.text or "")
    codes = [word.strip().lower() for word in words if word.strip()]
    return next((code for code in codes if code in known), codes[0] if codes else None)


def problem(resource: Resource, terminology: Terminology, zone: tzinfo, as_of: datetime) -> Problem | None:
    """The Problem, or None for a Condition that is refuted or was entered in error."""
    verification = status_code(resource.verificationStatus, _VERIFICATIONS)
    if verification in _NOT_A_PROBLEM:
        return None
    clinical = status_code(resource.clinicalStatus, _CLINICAL)
    period = resource.abatementPeriod
    during = (period.start or period.end) if period else None
    abated = parse_when(resource.abatementDateTime or during, zone)
    has_abated = (
        (abated is not None and abated.instant <= as_of)
        or resource.abatementBoolean is True
        or bool(resource.abatementString or resource.abatementAge or resource.abatementRange)
    )
    sites = _NONE
    for site in concepts(resource.bodySite):
        sites |= concept_sets(site, terminology)
    sets, texts, label = told(resource.code, terminology, UNCODED)
    return Problem(
        sets=sets,
        label=label,
        texts=texts,
        coded=bool(resource.code and resource.code.coding),
        active=clinical not in _HISTORY and not has_abated,
        verification=verification if verification is None or verification in _VERIFICATION else "unknown",
        begun=_Begun(resource, zone),
        abated=abated,
        sites=sites,
        source=resource.reference,
    )


class _Begun(Parts, msgspec.Struct, dict=True, eq=False):
    """The dates of a Condition that tell since when it is there."""

    resource: Resource
    zone: tzinfo

    @once
    def onset(self) -> When | None:
        return self._onset[0]

    @once
    def recorded(self) -> When | None:
        return self._recorded[0]

    @property
    def unreadable(self) -> bool:
        return self._onset[1] or self._recorded[1]

    @once
    def _onset(self) -> tuple[When | None, bool]:
        resource = self.resource
        start = resource.onsetPeriod.start if resource.onsetPeriod else None
        return _first_sent(resource.onsetDateTime, start, self.zone)

    @once
    def _recorded(self) -> tuple[When | None, bool]:
        return _first_sent(self.resource.recordedDate, self.resource.assertedDate, self.zone)


def _first_sent(first: str | None, second: str | None, zone: tzinfo) -> tuple[When | None, bool]:
    """The date in the first of two places that holds one, and whether a date was sent that cannot be read."""
    when = parse_when(first or second, zone)
    if when is None:
        return None, bool(first or second)
    return when, bool(first and second) and parse_when(second, zone) is None
