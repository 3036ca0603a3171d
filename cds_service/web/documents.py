"""JSON of calls as the playground reads and writes it; numbers keep every digit."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import msgspec

_decoder = msgspec.json.Decoder(float_hook=Decimal)
_encoder = msgspec.json.Encoder(decimal_format="number")


Resource = dict[str, Any]


def read(text: str | bytes) -> Any:
    """A JSON document, or None for what is not JSON."""
    try:
        return _decoder.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None


def write(document: Any) -> bytes:
    return _encoder.encode(document)


def pretty(body: bytes) -> str:
    """JSON with line breaks."""
    return msgspec.json.format(body, indent=2).decode()


def resources(document: Any) -> Iterator[Resource]:
    """Every resource in a call or a Bundle, in the order in which they stand there."""
    if isinstance(document, list):
        for item in document:
            yield from resources(item)
    elif isinstance(document, dict):
        kind = document.get("resourceType")
        if isinstance(kind, str) and kind != "Bundle":
            yield document
            return
        for value in document.values():
            yield from resources(value)


def wording(concept: Any) -> str:
    """What a person would call a CodeableConcept: its text, a display, else a code."""
    if not isinstance(concept, dict):
        return ""
    codings = [each for each in concept.get("coding") or () if isinstance(each, dict)]
    names = [concept.get("text"), *(c.get("display") for c in codings), *(c.get("code") for c in codings)]
    return next((name for name in names if isinstance(name, str) and name), "")
