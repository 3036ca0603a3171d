"""What an EHR analyst must type in, and what a client profile still lacks. Used by `doctor` and the docs."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from cds_service.clients.profile import ClientProfile
from cds_service.compose import topic_code
from cds_service.engine import Engine
from cds_service.localise.catalogues import known_tag, locale_folders
from cds_service.rules.service import Service

_TYPE = re.compile(r"^([A-Za-z]+)[/?]")
_CARD_HOOKS_OF_ORACLE = frozenset({"patient-view"})


@dataclass(frozen=True, slots=True)
class ServiceStrings:
    """The exact strings for one service."""

    hook: str
    url: str
    feedback_url: str
    prefetch: Mapping[str, str]
    scopes: tuple[str, ...]


def service_strings(engine: Engine, profile: ClientProfile) -> tuple[ServiceStrings, ...]:
    """Addresses, prefetch templates and scopes of every service this client may call."""
    return tuple(
        _strings(engine, ready.service)
        for ready in engine.services.values()
        if profile.may_call(ready.service.hook)
    )


def _strings(engine: Engine, service: Service) -> ServiceStrings:
    url = f"{engine.settings.base_url}/cds-services/{service.id}"
    types = sorted({match.group(1) for t in service.prefetch if (match := _TYPE.match(t.query))})
    scopes = tuple(f"patient/{name}.rs" for name in [*types, "Medication"])
    return ServiceStrings(
        service.hook, url, f"{url}/feedback", {t.key: t.query for t in service.prefetch}, scopes
    )


def override_codes(engine: Engine) -> str:
    """Every override reason by card topic, as CSV: an EHR maps one acknowledgement record per code."""
    text = io.StringIO()
    table = csv.writer(text)
    table.writerow(["service", "rule", "topic", "system", "code", "display"])
    for ready in engine.services.values():
        system = ready.service.content.override_system
        for use in ready.service.rules:
            topics = dict.fromkeys(topic_code(use.rule.id, t.indicator, t.branch) for t in use.rule.tiers)
            for topic in topics:
                for reason in use.rule.override_reasons:
                    table.writerow(
                        [ready.service.id, use.rule.id, topic, system, reason.code, reason.display]
                    )
    return text.getvalue()


def lacks(engine: Engine, profile: ClientProfile) -> Iterator[str]:
    """What is missing or doubtful in a profile, in plain sentences."""
    if profile.anonymous:
        yield "Callers without a profile are not authenticated: development only."
    elif not profile.jwks and not profile.jwks_url:
        yield "No keys: neither jwks (inline) nor jwks_url is set, so no token can be verified."
    if not profile.fhir_base:
        yield "No fhir_base: data that do not come as prefetch cannot be read, and the cards will say so."
    missing = sorted(_catalogue_keys(engine) - set(profile.order_catalog))
    if missing:
        yield f"No order code for: {', '.join(missing)}. These steps are named in words only."
    if profile.preset == "epic" and profile.selection_behavior != "any":
        yield "Epic honours only selectionBehavior 'any'."
    if profile.preset == "epic" and profile.max_actions != 1:
        yield "Epic takes one action per suggestion: set max_actions to 1."
    if profile.preset == "oracle" and set(profile.hooks) - _CARD_HOOKS_OF_ORACLE:
        yield "Oracle Health documents patient-view only; other hooks will not be called."
    folders = {
        folder for ready in engine.services.values() for folder in locale_folders(ready.service.content)
    }
    if known_tag(profile.locale, folders) is None:
        yield f"No texts in {profile.locale}: the cards are in English."
    if profile.timezone is None:
        yield f"No timezone: dates are shown in the site's zone ({engine.site.zone})."
    known = {use.rule.id for ready in engine.services.values() for use in ready.service.rules}
    for key in profile.rules:
        if key != "*" and key.split("@")[0] not in known:
            yield f"rules names {key}, which is no rule of this service."


def _catalogue_keys(engine: Engine) -> set[str]:
    return {entry.key for ready in engine.services.values() for entry in ready.service.content.catalogue}
