"""Condition resources to Problems."""

from __future__ import annotations

from datetime import datetime, tzinfo

from cds_service.facts.dates import When, parse_when
from cds_service.facts.model import Problem
from cds_service.fhir.decode import CodeableConcept, Resource
from cds_service.localise.text import Message
from cds_service.terminology.index import Terminology

_NOT_A_PROBLEM = frozenset({"refuted", "entered-in-error"})
_HISTORY = frozenset({"inactive", "remission", "resolved"})
_CLINICAL = _HISTORY | {"active", "recurrence", "relapse"}
UNCODED = Message("uncoded problem").template
_VERIFICATION = frozenset({"confirmed", "unconfirmed", "provisional", "differential"})


def concept_sets(concept: CodeableConcept | None, terminology: Terminology) -> frozenset[str]:
    """Value sets that any coding of `concept` belongs to."""
    if concept is None:
        return frozenset()
    found: frozenset[str] = frozenset()
    for coding in concept.coding:
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
    words = [concept.text] if concept.text else []
    words.extend(coding.display for coding in concept.coding if coding.display)
    return tuple(words)


def label_of(concept: CodeableConcept | None, terminology: Terminology, fallback: str) -> str:
    """`wording (code)`, preferring the coding that our value sets know."""
    if concept is None:
        return fallback
    texts = concept_texts(concept)
    for coding in concept.coding:
        code = None if coding.code is None else str(coding.code)
        if terminology.sets_of(coding.system, code):
            wording = coding.display or concept.text or terminology.display(coding.system, code)
            return f"{wording} ({code})" if wording else str(code)
    return texts[0] if texts else fallback


def status_code(value: CodeableConcept | str | None, known: frozenset[str]) -> str | None:
    """Code of a status that R4 sends as a concept and STU3 as a bare code; a known one before a local one."""
    if value is None:
        return None
    if isinstance(value, str):
        words = [value]
    else:
        words = [str(coding.code) for coding in value.coding if coding.code is not None]
        words.append(value.text or "")
    codes = [word.strip().lower() for word in words if word.strip()]
    return next((code for code in codes if code in known), codes[0] if codes else None)


def problem(resource: Resource, terminology: Terminology, zone: tzinfo, as_of: datetime) -> Problem | None:
    """The Problem, or None for a Condition that is refuted or was entered in error."""
    verification = status_code(resource.verificationStatus, _NOT_A_PROBLEM | _VERIFICATION)
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
    sites: frozenset[str] = frozenset()
    for site in concepts(resource.bodySite):
        sites |= concept_sets(site, terminology)
    texts = concept_texts(resource.code)
    sets = concept_sets(resource.code, terminology)
    for text in texts:
        sets |= terminology.sets_in_text(text)
    return Problem(
        sets=sets,
        label=label_of(resource.code, terminology, UNCODED),
        texts=texts,
        coded=bool(resource.code and resource.code.coding),
        active=clinical not in _HISTORY and not has_abated,
        verification=verification if verification is None or verification in _VERIFICATION else "unknown",
        onset=_onset(resource, zone),
        recorded=parse_when(resource.recordedDate or resource.assertedDate, zone),
        abated=abated,
        sites=sites,
        source=resource.reference,
        date_unreadable=_date_unreadable(resource, zone),
    )


def _date_unreadable(resource: Resource, zone: tzinfo) -> bool:
    start = resource.onsetPeriod.start if resource.onsetPeriod else None
    sent = (resource.onsetDateTime, start, resource.recordedDate, resource.assertedDate)
    return any(text and parse_when(text, zone) is None for text in sent)


def _onset(resource: Resource, zone: tzinfo) -> When | None:
    start = resource.onsetPeriod.start if resource.onsetPeriod else None
    return parse_when(resource.onsetDateTime or start, zone)
