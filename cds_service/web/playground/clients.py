"""Clients to try: how a kind of EHR is answered, and how it draws what it gets.

The drawing follows what the vendors' documents and the Sandbox's source say; it is no screen of theirs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

import msgspec

from cds_service.clients.presets import PRESETS, WITHOUT_DEFAULT_CATALOG
from cds_service.clients.profile import ClientProfile
from cds_service.configuration import default_catalogue
from cds_service.engine import Engine
from cds_service.metrics import Metrics

Preset = Literal["generic", "epic", "oracle", "sandbox"]
_NO_TRUST = ("issuer", "jwks", "algorithms", "open_fhir")
"""What a preset says about tokens: the playground asks for none."""


@dataclass(frozen=True, slots=True)
class Client:
    """A kind of EHR to try."""

    id: str
    label: str
    draws: str
    preset: Preset = "generic"
    plain: bool = False

    def profile(self, engine: Engine) -> ClientProfile:
        """The profile of a caller of this kind, without a token."""
        given = {k: v for k, v in PRESETS[self.preset].items() if k not in _NO_TRUST}
        catalogue = {} if self.preset in WITHOUT_DEFAULT_CATALOG else default_catalogue(engine.services)
        base = ClientProfile(
            id=f"playground-{self.id}",
            preset=self.preset,
            fhir_base=tuple(engine.fhir_names),
            open_fhir=True,
            order_catalog=catalogue,
            detail_format="plain" if self.plain else "markdown",
        )
        known = {k: tuple(v) if isinstance(v, list) else v for k, v in given.items()}
        return msgspec.structs.replace(base, **known)


CLIENTS = {
    client.id: client
    for client in (
        Client(
            "generic", "Any client", "Every part of the card, in the order of the CDS Hooks specification."
        ),
        Client(
            "epic",
            "Epic-like",
            "An advisory: each suggestion is a row with its description, each override reason a button. Epic files "
            "orders only under codes of its own, so that without them the steps are named in words.",
            "epic",
        ),
        Client(
            "oracle",
            "Oracle-like",
            "Critical cards interrupt, others wait in a side bar. Oracle Health documents the hook patient-view only; "
            "calls of other hooks are refused.",
            "oracle",
        ),
        Client(
            "sandbox",
            "CDS Hooks Sandbox",
            "A coloured edge by urgency, suggestions and links as buttons.",
            "sandbox",
        ),
        Client(
            "plain", "Plain text", "A client that shows the detail as it is, without Markdown.", plain=True
        ),
    )
}


def engine_for(engine: Engine, client: Client, *, as_of: datetime | None, modes: Mapping[str, str]) -> Engine:
    """The running engine as this client would meet it: same rules and settings, no token, nothing counted or kept.

    Args:
        engine: the engine of the process.
        client: the kind of EHR that calls.
        as_of: clinical time of a synthetic case; None leaves the clock alone.
        modes: rule modes that a case asks for on top of the configured ones.
    """
    settings = engine.settings if as_of is None else engine.settings.model_copy(update={"as_of": as_of})
    return replace(
        engine,
        settings=settings,
        rule_modes={**engine.rule_modes, **modes},
        anonymous=client.profile(engine),
        profiles=(),
        verifier=None,
        store=None,
        metrics=Metrics(),
        _views={},
        _live=None,
    )
