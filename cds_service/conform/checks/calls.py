"""Receiving a call: what must be accepted, what must be refused, and how (sections 2.3, 2.6, 2.10)."""

from __future__ import annotations

from typing import Any

from cds_service.conform.checks.statuses import Accept, answered, as_complete, no_crash, refused, statuses
from cds_service.conform.model import Book, Judged, Level
from cds_service.conform.observed import Observed
from cds_service.conform.variants import HOSTILE

BOOK = Book()
_NO_ORDERS = "no service has a hook with orders"

BOOK.add(
    "C021-call-answered",
    Level.SHALL,
    "A complete call to {base}/cds-services/{id} gives cards, or 412 when required data are missing.",
    statuses(("complete", "given"), answered, "200 or 412"),
    rows=(16,),
)
BOOK.add(
    "C021-charset",
    Level.SHALL,
    "A charset after the content type changes nothing.",
    as_complete(("type-charset",)),
)
BOOK.add(
    "C021-lenient-content-type",
    Level.PROPOSAL,
    "A good body is read whatever its content type, or without one.",
    as_complete(("type-fhir", "type-text", "type-none")),
)
BOOK.add(
    "C024-unknown-members",
    Level.SHALL,
    "Members that the service does not know are ignored.",
    as_complete(("unknown-members",)),
)
BOOK.add(
    "C090-extension-ignored",
    Level.SHALL,
    "Extensions that the service does not know are ignored.",
    as_complete(("extension",)),
    rows=(24,),
)
BOOK.add(
    "C026-opaque-instance",
    Level.PROPOSAL,
    "`hookInstance` is taken as it is, even when it is no UUID.",
    as_complete(("odd-instance",)),
)

_REFUSALS: tuple[tuple[str, str, str, Accept, bool], ...] = (
    ("C022-missing-hook", "no-hook", "A call without `hook` is refused.", refused, False),
    ("C022-missing-instance", "no-instance", "A call without `hookInstance` is refused.", refused, False),
    ("C022-missing-context", "no-context", "A call without `context` is refused.", refused, True),
    ("C022-missing-patient", "no-patient", "A call without `context.patientId` is refused.", refused, True),
    (
        "C022-missing-orders",
        "no-orders",
        "A call without the orders it is about is refused: no cards would look like nothing to worry about.",
        refused,
        True,
    ),
    ("C025-wrong-hook", "wrong-hook", "A call for another hook is refused.", refused, False),
    ("S2.10-malformed-json", "malformed", "A body that is not JSON is refused.", refused, True),
    ("S2.10-nan", "nan", "NaN is not JSON, so it is refused.", refused, False),
    ("S2.10-not-an-object", "array", "A body that is no object is refused.", refused, True),
    ("S2.10-empty-body", "empty-body", "An empty body is refused.", refused, True),
)
for _id, _probe, _text, _accept, _fatal in _REFUSALS:
    BOOK.add(
        _id,
        Level.PROPOSAL,
        _text,
        statuses((_probe,), _accept, "4xx", _NO_ORDERS if _probe == "no-orders" else ""),
        rows=(18,) if _id.startswith("S") else (),
        fatal=_fatal,
    )

BOOK.add(
    "S2.10-unknown-service",
    Level.SHALL,
    "A service that does not exist is not found: 404.",
    statuses(("unknown-service",), lambda status: status == 404, "404"),  # noqa: PLR2004
)
BOOK.add(
    "S2.10-wrong-method",
    Level.PROPOSAL,
    "GET on a service is refused, best with 405.",
    statuses(("get-on-service",), refused, "405"),
)
BOOK.add(
    "S2.3-sandbox-draft",
    Level.PROPOSAL,
    "An order as the CDS Hooks Sandbox sends it is answered, although it is not valid FHIR.",
    statuses(("sandbox-draft", "undecided-draft"), answered, "200 or 412", _NO_ORDERS),
)
BOOK.add(
    "C047-scope-syntaxes",
    Level.PROPOSAL,
    "Scopes of SMART 1 and 2 and those of the Sandbox are read alike, also without `patient`.",
    statuses(("scope-v1", "scope-v2", "scope-sandbox"), answered, "200 or 412"),
    rows=(45, 49),
)
BOOK.add(
    "C044-incomplete-authorization",
    Level.PROPOSAL,
    "`fhirAuthorization` without a token is no reason to break.",
    statuses(("partial-authorization",), no_crash, "below 500"),
    rows=(23,),
    fatal=True,
)


@BOOK.check("C026-same-twice", Level.PROPOSAL, "The same event twice gets the same answer, ids apart.")
def _same(observed: Observed) -> Judged:
    first = {s.service: s for s in observed.of("complete")}
    second = observed.of("repeat")
    problems = [
        f"{s.place}: another answer than the first time"
        for s in second
        if s.answer.status != first[s.service].answer.status
        or _essence(s.answer.document) != _essence(first[s.service].answer.document)
    ]
    return Judged(len(second), tuple(problems), observed.why_nothing)


def _essence(document: Any) -> Any:
    """What a reader of the cards sees first."""
    cards = document.get("cards") if isinstance(document, dict) else None
    shown = [card for card in cards if isinstance(card, dict)] if isinstance(cards, list) else []
    return [(card.get("indicator"), card.get("summary")) for card in shown]


@BOOK.check(
    "S2.10-patient-mismatch",
    Level.PROPOSAL,
    "Orders for another patient than `context.patientId` give no cards.",
)
def _mismatch(observed: Observed) -> Judged:
    found = observed.of("other-patient")
    problems = [
        f"{s.place}: answered with cards"
        for s in found
        if s.answer.status == 200 and _essence(s.answer.document)  # noqa: PLR2004
    ]
    return Judged(
        len(found), tuple(problems), _NO_ORDERS if observed.of("complete") else observed.why_nothing
    )


@BOOK.check(
    "C076-escaped-text",
    Level.PROPOSAL,
    "Text of the EHR does not become markup in a card's `detail`.",
    fatal=True,
)
def _escaped(observed: Observed) -> Judged:
    found = observed.of("hostile-text")
    problems = []
    for seen in found:
        document = seen.answer.document
        cards = document.get("cards") if isinstance(document, dict) else None
        for index, card in enumerate(cards if isinstance(cards, list) else ()):
            if isinstance(card, dict) and HOSTILE.split()[0] in str(card.get("detail")):
                problems.append(
                    f"{seen.place} $.cards[{index}].detail: markup of the request stands there raw"
                )
    return Judged(len(found), tuple(problems), observed.why_nothing)
