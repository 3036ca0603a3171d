"""Feedback as clients send it, read leniently: what can be understood is kept, the rest is named.

The specification says `overrideReason`; Epic says `overrideReasons` and may put the reason into an extension.
A broken item never costs its neighbours, and a broken reason never costs the item.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Literal, cast

import msgspec

MAX_ITEMS = 1_000
MAX_ID = 128
MAX_CODE = 256
MAX_DISPLAY = 512
MAX_COMMENT = 4_000
MAX_SUGGESTIONS = 50
MAX_PROBLEMS = 100

EPIC_EXTENSION = "com.epic.cdshooks.feedback.overrideReason."
EPIC_CATEGORY = EPIC_EXTENSION + "reasonCategory"

Outcome = Literal["accepted", "overridden"]


class FeedbackError(ValueError):
    """The body as a whole is not feedback; the message holds nothing of its content."""


class FeedbackItem(msgspec.Struct, frozen=True, kw_only=True):
    """What a user did with one card.

    `outcome_timestamp` is UTC (`2021-12-11T10:05:31.000000Z`) if the client sent a zone, otherwise the text
    it sent, otherwise empty. `comment` is free text and may name a patient.
    """

    card: str
    outcome: Outcome
    outcome_timestamp: str = ""
    accepted_suggestions: tuple[str, ...] = ()
    reason_system: str | None = None
    reason_code: str | None = None
    reason_display: str | None = None
    comment: str | None = None


class FeedbackBatch(msgspec.Struct, frozen=True, kw_only=True):
    """The items that could be read, and where and why others could not (`feedback[3].outcome: ...`)."""

    items: tuple[FeedbackItem, ...]
    problems: tuple[str, ...] = ()


class _Body(msgspec.Struct):
    feedback: list[msgspec.Raw]


class _Item(msgspec.Struct, rename="camel"):
    card: str
    outcome: str
    accepted_suggestions: Any = None
    override_reason: Any = None
    override_reasons: Any = None
    outcome_timestamp: Any = None


def parse_feedback(body: bytes) -> FeedbackBatch:
    """Read the body of a feedback POST.

    Raises:
        FeedbackError: not JSON, no `feedback` array, or more than 1,000 items.
    """
    try:
        raw_items = msgspec.json.decode(body, type=_Body).feedback
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise FeedbackError('the body must be a JSON object with an array "feedback"') from None
    if len(raw_items) > MAX_ITEMS:
        raise FeedbackError(f"more than {MAX_ITEMS} items in one request")
    items: list[FeedbackItem] = []
    problems: list[str] = []
    for index, raw in enumerate(raw_items):
        found: list[str] = []
        item = _item(raw, found)
        if item is not None:
            items.append(item)
        problems += [f"feedback[{index}]{problem}" for problem in found]
    return FeedbackBatch(items=tuple(items), problems=tuple(problems[:MAX_PROBLEMS]))


def _item(raw: msgspec.Raw, problems: list[str]) -> FeedbackItem | None:
    try:
        sent = msgspec.json.decode(raw, type=_Item)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        problems.append(": needs card and outcome as strings")
        return None
    card = _text(sent.card, MAX_ID + 1)
    outcome = sent.outcome.strip().lower()
    if card is None or len(card) > MAX_ID:
        problems.append(f".card: must have 1 to {MAX_ID} characters")
        return None
    if outcome not in ("accepted", "overridden"):
        problems.append(".outcome: must be accepted or overridden")
        return None
    reason = _reason(sent, problems)
    return FeedbackItem(
        card=card,
        outcome=cast("Outcome", outcome),
        outcome_timestamp=_timestamp(sent.outcome_timestamp, problems),
        accepted_suggestions=_suggestions(sent.accepted_suggestions, problems),
        reason_system=_text(reason.get("system"), MAX_CODE),
        reason_code=_text(reason.get("code"), MAX_CODE),
        reason_display=_text(reason.get("display"), MAX_DISPLAY),
        comment=_text(reason.get("comment"), MAX_COMMENT),
    )


def _text(value: object, limit: int) -> str | None:
    """A string as it can be stored, cut to the limit; numbers become text, empty text becomes None."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    # PostgreSQL refuses NUL in text, and one such item must not refuse the batch.
    return str(value).replace("\x00", "").strip()[:limit] or None


def _timestamp(value: object, problems: list[str]) -> str:
    sent = _text(value, MAX_ID)
    if sent is None:
        problems.append(".outcomeTimestamp: missing")
        return ""
    try:
        moment = datetime.fromisoformat(sent)
    except ValueError:
        problems.append(".outcomeTimestamp: not a date and time, kept as sent")
        return sent
    if moment.tzinfo is None:
        return sent
    try:
        return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    except OverflowError:
        return sent


def _suggestions(value: object, problems: list[str]) -> tuple[str, ...]:
    if value is None:
        return ()
    entries = value if isinstance(value, list) else [value]
    ids = [_text(entry.get("id") if isinstance(entry, dict) else entry, MAX_ID) for entry in entries]
    known = tuple(dict.fromkeys(id_ for id_ in ids if id_ is not None))
    if None in ids or len(known) > MAX_SUGGESTIONS:
        problems.append(".acceptedSuggestions: entries without a usable id, or too many, were left out")
    return known[:MAX_SUGGESTIONS]


def _reason(sent: _Item, problems: list[str]) -> dict[str, object]:
    """The first reason given, in either spelling, as system, code, display and comment."""
    merged: dict[str, object] = {}
    for value in (sent.override_reason, sent.override_reasons):
        for entry in value if isinstance(value, list) else [value]:
            if entry is None:
                continue
            if not isinstance(entry, dict):
                problems.append(".overrideReason: not an object")
                continue
            for name, part in _parts(cast("dict[str, object]", entry)):
                merged.setdefault(name, part)
    return merged


def _parts(entry: dict[str, object]) -> Iterator[tuple[str, object]]:
    """Named parts of one reason object; a coded reason comes before what an extension says."""
    reason = entry.get("reason")
    if isinstance(reason, dict) and (reason.get("code") or reason.get("display")):
        for name in ("system", "code", "display"):
            # None takes the place too: the system of one reason must not meet the code of another.
            yield name, reason.get(name)
    elif isinstance(reason, str):
        yield "code", reason
    extension = entry.get("extension")
    if isinstance(extension, dict) and EPIC_CATEGORY in extension:
        yield "system", EPIC_CATEGORY
        yield "code", extension[EPIC_CATEGORY]
    if isinstance(extension, dict):
        display = extension.get(EPIC_EXTENSION + "reasonDisplay")
        yield "display", display or extension.get(EPIC_EXTENSION + "reasonTitle")
    comment = entry.get("userComment")
    if comment:
        yield "comment", comment
