"""What an EHR analyst must type in, and what a client profile still lacks. Used by `doctor` and the docs."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from cds_service.clients.profile import ClientProfile
from cds_service.compose import topic_code
from cds_service.engine import Engine
from cds_service.localise.catalogues import known_tag, locale_folders
from cds_service.protocol.request import OLD_HOOKS
from cds_service.rules.rule import Mode
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


def discovery_url(engine: Engine) -> str:
    """Where clients that read discovery begin."""
    return f"{engine.settings.base_url}/cds-services"


def audiences(engine: Engine, profile: ClientProfile) -> tuple[str, ...]:
    """Values of `aud` that this client's tokens may carry, beside the very address called."""
    return tuple(dict.fromkeys((engine.settings.base_url, *profile.audience)))


def service_strings(engine: Engine, profile: ClientProfile) -> tuple[ServiceStrings, ...]:
    """Addresses, prefetch templates and scopes of every service this client may call."""
    return tuple(
        _strings(engine, ready.service, profile.fhir_version)
        for ready in engine.services.values()
        if profile.may_call(ready.service.hook)
    )


def _strings(engine: Engine, service: Service, fhir_version: str) -> ServiceStrings:
    url = f"{discovery_url(engine)}/{service.id}"
    queries = {t.key: t.for_version(fhir_version).query for t in service.prefetch}
    return ServiceStrings(service.hook, url, f"{url}/feedback", queries, read_scopes(queries.values()))


def read_scopes(queries: Iterable[str]) -> tuple[str, ...]:
    """SMART scopes for what these queries read, and for the Medications that orders refer to."""
    types = sorted({match.group(1) for query in queries if (match := _TYPE.match(query))})
    return tuple(f"patient/{name}.rs" for name in [*types, "Medication"])


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
    if profile.timezone is None:
        yield f"No timezone: dates are shown in the site's zone ({engine.site.zone})."
    yield from _doubts_of_vendor(profile)
    yield from _doubts_of_rules(engine, profile)


def _doubts_of_vendor(profile: ClientProfile) -> Iterator[str]:
    if profile.preset == "epic" and profile.selection_behavior != "any":
        yield "Epic honours only selectionBehavior 'any'."
    if profile.preset == "epic" and profile.max_actions != 1:
        yield "Epic takes one action per suggestion: set max_actions to 1."
    if profile.preset == "epic" and "RS384" not in profile.algorithms:
        yield "Epic signs with RS384 unless the site changes it: add it to algorithms."
    if profile.preset == "oracle" and set(profile.hooks) - _CARD_HOOKS_OF_ORACLE:
        yield "Oracle Health documents patient-view only; other hooks will not be called."


def _doubts_of_rules(engine: Engine, profile: ClientProfile) -> Iterator[str]:
    folders = {
        folder for ready in engine.services.values() for folder in locale_folders(ready.service.content)
    }
    if known_tag(profile.locale, folders) is None:
        yield f"No texts in {profile.locale}: the cards are in English."
    served = {ready.service.hook for ready in engine.services.values()} | set(OLD_HOOKS)
    for hook in profile.hooks:
        if hook not in served:
            yield f"hooks names {hook}, which no service here answers."
    views = (engine.service_for(service_id, profile) for service_id in engine.services)
    if not any(mode is Mode.LIVE for view in views if view is not None for _, mode in view.rules):
        yield "No rule is live for this client: every call is answered without cards."


def _catalogue_keys(engine: Engine) -> set[str]:
    return {entry.key for ready in engine.services.values() for entry in ready.service.content.catalogue}
