"""Records turned into table rows, with every identifier replaced by a keyed hash."""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from datetime import UTC, date, datetime
from typing import Any

import msgspec

from cds_service.protocol.feedback import FeedbackItem
from cds_service.store.records import InvocationRecord, new_id

Row = tuple[Any, ...]

_MIN_KEY_BYTES = 16
_HASH_CHARACTERS = 32
_encode = msgspec.json.Encoder(order="deterministic").encode


class IdentifierHash:
    """HMAC-SHA256 of an identifier under the site's key, 128 bits as hex.

    What the identifier is and whose it is are part of the input, so the same patient number at two clients,
    or one number that is both a patient and an order, cannot be linked. A new key unlinks old records.
    """

    __slots__ = ("_keyed",)

    def __init__(self, key: bytes) -> None:
        if len(key) < _MIN_KEY_BYTES:
            raise ValueError(f"the hash key must have at least {_MIN_KEY_BYTES} bytes")
        # Copied for every hash: faster than keying anew, and it keeps the interpreter's lock, which `hmac.digest`
        # lets go of each time.
        self._keyed = hmac.new(key, digestmod="sha256")

    def __call__(self, kind: str, client: str, value: str) -> str:
        """Hash of `value`, an identifier of this kind, as used by this client."""
        message = f"{kind}\x1f{client}\x1f{value}".encode("utf-8", "surrogatepass")
        hashed = self._keyed.copy()
        hashed.update(message)
        return hashed.hexdigest()[:_HASH_CHARACTERS]

    def optional(self, kind: str, client: str, value: str | None) -> str | None:
        """Like a call, but nothing stays nothing."""
        return None if value is None else self(kind, client, value)


def utc_text(moment: datetime) -> str:
    """Fixed-width UTC text of a moment. A time without a zone raises ValueError: its meaning is a guess."""
    if moment.tzinfo is None:
        raise ValueError("a time without a zone cannot be recorded")
    at = moment if moment.tzinfo is UTC else moment.astimezone(UTC)
    return at.isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"


def _as_of_text(as_of: date | datetime | str | None) -> str | None:
    return as_of.isoformat() if isinstance(as_of, date) else as_of


def _json(value: Any) -> str:
    return _encode(value).decode()


def invocation_row(record: InvocationRecord, hashed: IdentifierHash) -> Row:
    """Row of `INVOCATION`, in column order."""
    client = record.client
    return (
        record.id,
        utc_text(record.at),
        client,
        record.service,
        record.hook,
        record.status,
        hashed.optional("hook-instance", client, record.hook_instance),
        hashed.optional("patient", client, record.patient),
        hashed.optional("user", client, record.user),
        _as_of_text(record.as_of),
        _json(record.gaps),
        _json(record.timings_ms),
        record.config_hash,
        record.engine_version,
        record.shadow,
    )


def outcome_rows(record: InvocationRecord, hashed: IdentifierHash) -> list[Row]:
    """Rows of `OUTCOME`, in column order."""
    invocation, client = record.id, record.client
    # Every rule speaks about every order, so each order comes up many times.
    hashes = {order: hashed.optional("order", client, order) for order in {o.order for o in record.outcomes}}
    return [
        (
            invocation,
            position,
            outcome.rule,
            outcome.version,
            outcome.mode,
            outcome.outcome,
            outcome.indicator,
            hashes[outcome.order],
        )
        for position, outcome in enumerate(record.outcomes)
    ]


def card_rows(record: InvocationRecord) -> list[Row]:
    """Rows of `CARD`, in column order."""
    return [
        (
            card.uuid,
            record.id,
            record.client,
            card.rule,
            card.version,
            card.indicator,
            card.topic,
            card.mode,
            _json(card.suggestions),
        )
        for card in record.cards
    ]


def configuration_values(
    before: str | None, after: str, changed: Iterable[str], engine_version: str, at: datetime
) -> dict[str, Any]:
    """Values for `CONFIGURATION`, by column name."""
    return {
        "id": new_id(),
        "at": utc_text(at),
        "before_hash": before,
        "config_hash": after,
        "changed": _json(list(changed)),
        "engine_version": engine_version,
    }


def feedback_values(items: Iterable[FeedbackItem], client: str, received: datetime) -> list[dict[str, Any]]:
    """Values for `FEEDBACK`, by column name; a repeat inside the batch is left to the unique constraint."""
    received_at = utc_text(received)
    return [
        {
            "id": new_id(),
            "client": client,
            "card_uuid": item.card,
            "outcome": item.outcome,
            "outcome_timestamp": item.outcome_timestamp,
            "received_at": received_at,
            "accepted_suggestions": _json(item.accepted_suggestions),
            "reason_system": item.reason_system,
            "reason_code": item.reason_code,
            "reason_display": item.reason_display,
            "comment": item.comment,
        }
        for item in items
    ]
