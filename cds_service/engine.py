"""Everything that is built once at start-up and shared by all calls."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from cds_service.clients.profile import ClientProfile, Coding, anonymous_profile
from cds_service.clients.verify import JwtVerifier
from cds_service.compose import View
from cds_service.fhir.client import FhirClient
from cds_service.fhir.write import OrderTemplate, order_template
from cds_service.localise.catalogues import language_for, locale_folders
from cds_service.metrics import Metrics
from cds_service.registry import ReadyService, ready_services
from cds_service.rules.modes import mode_of
from cds_service.rules.rule import Mode, Rule
from cds_service.rules.service import CatalogueEntry
from cds_service.settings import Settings, Site, load_approvals, load_site
from cds_service.store.store import Store


@dataclass(frozen=True, slots=True)
class ServiceFor:
    """A service as one client sees it: rules with their modes, and how cards look."""

    ready: ReadyService
    rules: tuple[tuple[Rule, Mode], ...]
    view: View


@dataclass(slots=True)
class Engine:
    """Settings, services, clients and the resources of the process."""

    settings: Settings
    site: Site
    services: Mapping[str, ReadyService]
    fhir: FhirClient
    store: Store | None
    metrics: Metrics
    verifier: JwtVerifier | None
    profiles: tuple[ClientProfile, ...]
    anonymous: ClientProfile | None
    fhir_names: Mapping[str, str]
    """FHIR base as callers name it -> base as we reach it, for callers without a profile."""
    approvals: frozenset[tuple[str, str, str]]
    config_hash: str
    _views: dict[tuple[str, str], ServiceFor] = field(default_factory=dict)

    @property
    def enforces_approvals(self) -> bool:
        return self.settings.environment == "production"

    def now(self) -> datetime:
        """The clinical clock: fixed by CDS_AS_OF, else the wall clock. Never used for tokens or records."""
        return self.settings.as_of or datetime.now(UTC)

    def service_for(self, service_id: str, profile: ClientProfile) -> ServiceFor | None:
        """The service as this client sees it, built on first use."""
        key = (service_id, profile.id)
        if key not in self._views:
            ready = self.services.get(service_id)
            if ready is None:
                return None
            self._views[key] = ServiceFor(ready, self._rules(ready, profile), self._view(ready, profile))
        return self._views[key]

    def warm(self) -> None:
        """Build every view now, so that no call pays for it (model validation is slow the first time)."""
        for profile in (*self.profiles, *((self.anonymous,) if self.anonymous else ())):
            for service_id in self.services:
                self.service_for(service_id, profile)

    def live_rules(self) -> int:
        """How many rules show cards to a client without settings of its own."""
        neutral = self.anonymous or ClientProfile(id="neutral")
        return sum(
            mode is Mode.LIVE for ready in self.services.values() for _, mode in self._rules(ready, neutral)
        )

    def _rules(self, ready: ReadyService, profile: ClientProfile) -> tuple[tuple[Rule, Mode], ...]:
        chosen = []
        for use in ready.service.rules:
            mode = mode_of(
                use, ready.service, self.settings.rule_modes, profile.rules, approved=self._approved(use.rule)
            )
            if mode is not Mode.OFF:
                chosen.append((use.rule, mode))
        return tuple(sorted(chosen, key=lambda item: item[0].number))

    def _approved(self, rule: Rule) -> bool:
        if not self.enforces_approvals:
            return True
        from cds_service.content.sheet import rule_hash  # noqa: PLC0415

        return (rule.id, rule.version, rule_hash(rule)) in self.approvals

    def _view(self, ready: ReadyService, profile: ClientProfile) -> View:
        content = ready.service.content
        return View(
            service=ready.service,
            catalogue={entry.key: entry for entry in content.catalogue},
            templates=_templates(content.catalogue, profile),
            selection_behavior=profile.selection_behavior,
            markdown=profile.detail_format == "markdown",
            gap_card=profile.gap_card,
            evidence_url=f"{self.settings.base_url}/evidence",
            draft_banner=not self.enforces_approvals,
            language=language_for(profile.locale, locale_folders(content), profile.unit_system),
            launch_url=self._launch_url(profile),
        )

    def _launch_url(self, profile: ClientProfile) -> str | None:
        """Where this client may launch the page of trends, if it shows links to it."""
        url = f"{self.settings.base_url}/trend/launch"
        return url if profile.shows_link(url) else None


def default_catalogue(services: Mapping[str, ReadyService]) -> dict[str, Coding]:
    """Suggestion key -> the content's own coding, for clients that take LOINC and SNOMED CT."""
    return {
        entry.key: Coding(entry.coding.system, entry.coding.code, entry.coding.display or entry.words)
        for ready in services.values()
        for entry in ready.service.content.catalogue
        if entry.coding is not None
    }


def _templates(catalogue: tuple[CatalogueEntry, ...], profile: ClientProfile) -> dict[str, OrderTemplate]:
    laboratory = {entry.key: entry.laboratory for entry in catalogue}
    return {
        key: order_template(coding.system, coding.code, coding.display, laboratory=laboratory[key])
        for key, coding in profile.order_catalog.items()
        if key in laboratory
    }


def build_engine(
    settings: Settings,
    *,
    store: Store | None,
    profiles: tuple[ClientProfile, ...] = (),
    verifier: JwtVerifier | None = None,
    fhir: FhirClient | None = None,
) -> Engine:
    """An engine for these settings; the caller owns the store and closes both."""
    services = ready_services(frozenset(settings.value_sets_off))
    bounds = {k: v for ready in services.values() for k, v in ready.service.content.site_bounds.items()}
    site = load_site(settings.site, bounds)
    anonymous = None
    names: dict[str, str] = {}
    if not settings.authenticated:
        for item in settings.fhir_bases:
            named, _, reached = item.partition("=")
            names[named.rstrip("/")] = (reached or named).rstrip("/")
        anonymous = anonymous_profile(
            settings.environment, fhir_bases=tuple(names), order_catalog=default_catalogue(services)
        )
    return Engine(
        settings=settings,
        site=site,
        services=services,
        fhir=fhir or FhirClient(),
        store=store,
        metrics=Metrics(),
        verifier=verifier,
        profiles=profiles,
        anonymous=anonymous,
        fhir_names=names,
        approvals=load_approvals(settings.approvals),
        config_hash=_config_hash(settings, site, profiles),
    )


def _config_hash(settings: Settings, site: Site, profiles: tuple[ClientProfile, ...]) -> str:
    """Hash of everything that decides which cards appear; holds no secret."""
    relevant = {
        "environment": settings.environment,
        "modes": settings.rule_modes,
        "site": {k: str(v) for k, v in site.clinical.items()},
        "zone": str(site.zone),
        "clients": [
            [p.id, dict(p.rules), p.unit_system, p.locale, p.detail_format, p.gap_card] for p in profiles
        ],
        "off": settings.value_sets_off,
    }
    text = json.dumps(relevant, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
