"""What we answer: cards and the discovery document.

Names are camelCase on the wire; defaults are left out, so that no null and no empty member is sent.
"""

from __future__ import annotations

from typing import Any

import msgspec


class CodingOut(msgspec.Struct, rename="camel", omit_defaults=True, kw_only=True, frozen=True):
    system: str
    code: str
    display: str


class SourceOut(msgspec.Struct, rename="camel", omit_defaults=True, kw_only=True, frozen=True):
    label: str
    url: str | None = None
    topic: CodingOut | None = None


class ActionOut(msgspec.Struct, rename="camel", omit_defaults=True, kw_only=True, frozen=True):
    type: str
    description: str
    resource: dict[str, Any] | None = None
    resource_id: str | None = None


class SuggestionOut(msgspec.Struct, rename="camel", omit_defaults=True, kw_only=True, frozen=True):
    label: str
    uuid: str
    actions: list[ActionOut] = []


class LinkOut(msgspec.Struct, rename="camel", omit_defaults=True, kw_only=True, frozen=True):
    label: str
    url: str
    type: str
    app_context: str | None = None


class Card(msgspec.Struct, rename="camel", omit_defaults=True, kw_only=True, frozen=True):
    """A CDS Hooks card. `summary` has at most 139 characters."""

    uuid: str
    summary: str
    indicator: str
    source: SourceOut
    detail: str | None = None
    suggestions: list[SuggestionOut] = []
    selection_behavior: str | None = None
    override_reasons: list[CodingOut] = []
    links: list[LinkOut] = []


class CardsOut(msgspec.Struct):
    """`{"cards": [...]}`; an empty list is allowed here and only here."""

    cards: list[Card]


class ServiceOut(msgspec.Struct, rename="camel", omit_defaults=True, kw_only=True, frozen=True):
    hook: str
    title: str
    description: str
    id: str
    prefetch: dict[str, str] = {}
    usage_requirements: str | None = None
    version: str | None = None
    extension: dict[str, Any] | None = None


class ServicesOut(msgspec.Struct):
    services: list[ServiceOut]


_encoder = msgspec.json.Encoder(decimal_format="string")


def encode(value: Any) -> bytes:
    """JSON bytes of a response."""
    return _encoder.encode(value)
