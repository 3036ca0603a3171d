"""What a run has seen. Probes write it down, checks read it; a check never sends anything."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from cds_service.conform.http import Exchange
from cds_service.conform.listener import Hit
from cds_service.conform.options import Options

Kind = Literal["discovery", "call", "feedback", "cors", "other"]


@dataclass(frozen=True, slots=True)
class Seen:
    """One exchange: which probe, at which service, what was sent (for calls), what came back."""

    probe: str
    kind: Kind
    service: str
    answer: Exchange
    sent: dict[str, Any] | None = None

    @property
    def place(self) -> str:
        return f"{self.service} [{self.probe}]" if self.service else f"[{self.probe}]"


@dataclass(frozen=True, slots=True)
class Entry:
    """One element of the discovery document."""

    index: int
    value: dict[str, Any]

    @property
    def id(self) -> str:
        found = self.value.get("id")
        return found if isinstance(found, str) else ""

    @property
    def hook(self) -> str:
        found = self.value.get("hook")
        return found if isinstance(found, str) else ""

    @property
    def place(self) -> str:
        return f"$.services[{self.index}]"


@dataclass(slots=True)
class Observed:
    """Everything that was seen, and what the run knows about the service."""

    base: str
    options: Options
    seen: list[Seen] = field(default_factory=list)
    hits: list[Hit] = field(default_factory=list)
    """What the service fetched from us."""
    tokens: dict[str, Seen] = field(default_factory=dict)
    """Access token of each call that named our FHIR server -> that call."""
    fhir: str = ""
    """Base of the FHIR server we play; empty when the service cannot reach it."""
    wants_token: bool = False
    has_token: bool = False
    notes: list[str] = field(default_factory=list)

    @property
    def locked(self) -> bool:
        """Nothing but refusals can be seen."""
        return self.wants_token and not self.has_token

    def of(self, *probes: str) -> list[Seen]:
        return [seen for seen in self.seen if seen.probe in probes]

    @property
    def entries(self) -> list[Entry]:
        """Elements of `services` that are objects."""
        for seen in self.of("discovery"):
            document = seen.answer.document
            services = document.get("services") if isinstance(document, dict) else None
            if isinstance(services, list):
                return [Entry(i, value) for i, value in enumerate(services) if isinstance(value, dict)]
        return []

    def answers(self) -> Iterator[Seen]:
        """Calls that were answered with 200 and an object."""
        for seen in self.seen:
            if seen.kind == "call" and seen.answer.status == 200 and isinstance(seen.answer.document, dict):  # noqa: PLR2004
                yield seen

    @property
    def why_nothing(self) -> str:
        """Why no call was made."""
        if self.locked:
            return "the service wants a token; give --token, or --key with --issuer"
        if not self.entries:
            return "discovery names no service"
        return "no body for the hooks of this service; give --body"
