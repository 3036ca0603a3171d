"""Feedback in every shape a client may send it."""

from __future__ import annotations

import uuid
from typing import Any

import msgspec

from cds_service.conform.desk import JSON, Desk
from cds_service.conform.observed import Entry, Observed, Seen

_REASON = {
    "code": "cds-not-applicable",
    "system": "http://terminology.hl7.org/CodeSystem/non-adherence-reason-codes",
}


def _item(card: str, **members: Any) -> dict[str, Any]:
    return {"card": card, "outcome": "overridden", "outcomeTimestamp": "2026-11-21T12:00:00Z", **members}


def shapes(card: str, suggestion: str) -> dict[str, list[dict[str, Any]]]:
    """Name of the probe -> items of feedback about one card."""
    accepted = _item(card, outcome="accepted", acceptedSuggestions=[{"id": suggestion}])
    reason = {"reason": _REASON, "userComment": "conformance test"}
    return {
        "feedback-accepted": [accepted],
        "feedback-overridden": [_item(card)],
        "feedback-override-reason": [_item(card, overrideReason=reason)],
        "feedback-override-reasons": [_item(card, overrideReasons=[reason])],
        "feedback-comment-only": [_item(card, overrideReason={"userComment": "conformance test"})],
        "feedback-fraction": [_item(card, outcomeTimestamp="2026-11-21T12:00:00.123Z")],
        "feedback-batch": [accepted, _item(card, overrideReason=reason), _item(str(uuid.uuid4()))],
        "feedback-unknown-card": [_item(str(uuid.uuid4()))],
        "feedback-extension": [_item(card, extension={"org.example.conform.flag": True})],
    }


def run(desk: Desk, entry: Entry) -> None:
    """All shapes, then two bodies that are no feedback."""
    card, suggestion = _known(desk.observed, entry)
    for probe, items in shapes(card, suggestion).items():
        _post(desk, probe, entry, msgspec.json.encode({"feedback": items}))
    _post(desk, "feedback-malformed", entry, b'{"feedback": [')
    _post(desk, "feedback-without-array", entry, b'{"conform": true}')


def _post(desk: Desk, probe: str, entry: Entry, body: bytes) -> None:
    url = f"{desk.url(entry.id)}/feedback"
    answer = desk.exchange("POST", url, headers={**JSON, **desk.credentials(url)}, body=body)
    desk.note(Seen(probe, "feedback", entry.id, answer))


def _known(observed: Observed, entry: Entry) -> tuple[str, str]:
    """Ids of a card and a suggestion that this service has shown, or made-up ones."""
    for seen in observed.answers():
        cards = seen.answer.document.get("cards") if seen.service == entry.id else None
        for card in cards if isinstance(cards, list) else []:
            if isinstance(card, dict) and isinstance(card.get("uuid"), str):
                suggestions = card.get("suggestions") if isinstance(card.get("suggestions"), list) else []
                found = [s["uuid"] for s in suggestions or [] if isinstance(s, dict) and "uuid" in s]
                return card["uuid"], next(iter(found), str(uuid.uuid4()))
    return str(uuid.uuid4()), str(uuid.uuid4())
