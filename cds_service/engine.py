"""Everything that all calls share: what the site decides, and the resources of the process."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from cds_service.clients.keys import KeyCache
from cds_service.clients.profile import ClientProfile, anonymous_profile
from cds_service.clients.verify import JwtVerifier
from cds_service.compose import View
from cds_service.configuration import Configuration, default_catalogue, load_configuration
from cds_service.fhir.client import FhirClient
from cds_service.fhir.write import OrderTemplate, order_template
from cds_service.load.admission import Admission
from cds_service.localise.catalogues import language_for, locale_folders
from cds_service.metrics import Metrics
from cds_service.received import Received
from cds_service.registry import ReadyService
from cds_service.rules.modes import mode_of
from cds_service.rules.rule import Mode, Rule
from cds_service.rules.service import CatalogueEntry
from cds_service.settings import Settings, Site
from cds_service.state import State
from cds_service.store.store import Store

_QUEUE_SHARE = 0.25
_LARGE_BODIES = 16


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
    rule_modes: Mapping[str, str]
    config_hash: str
    config_parts: Mapping[str, str]
    keys: KeyCache | None
    admission: Admission
    state: State = field(default_factory=State)
    received: Received = field(default_factory=Received)
    _views: dict[tuple[str, str], ServiceFor] = field(default_factory=dict)
    _live: int | None = None
    _pinned: Engine | None = field(default=None, init=False)
    """The copy that all calls share until another configuration is adopted."""

    def pinned(self) -> Engine:
        """A copy that keeps this configuration when the engine takes another: a call ends as it began."""
        if self._pinned is None:
            self._pinned = copy.copy(self)
        return self._pinned

    def adopt(self, other: Engine) -> None:
        """Take over the configuration of another engine, between two steps of the event loop."""
        for name in _CONFIGURED:
            setattr(self, name, getattr(other, name))
        self._pinned = None

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
            self._views[key] = ServiceFor(ready, self.rules_for(ready, profile), self._view(ready, profile))
        return self._views[key]

    def warm(self) -> None:
        """Build every view now, so that no call pays for it (model validation is slow the first time)."""
        for profile in (*self.profiles, *((self.anonymous,) if self.anonymous else ())):
            for service_id in self.services:
                self.service_for(service_id, profile)

    def live_rules(self) -> int:
        """How many rules show cards to a client without settings of its own."""
        if self._live is None:
            neutral = self.anonymous or ClientProfile(id="neutral")
            self._live = sum(
                mode is Mode.LIVE
                for ready in self.services.values()
                for _, mode in self.rules_for(ready, neutral)
            )
        return self._live

    def rules_for(self, ready: ReadyService, profile: ClientProfile) -> tuple[tuple[Rule, Mode], ...]:
        """The rules that run for this client, by number."""
        chosen = []
        for use in ready.service.rules:
            mode = mode_of(
                use, ready.service, self.rule_modes, profile.rules, approved=self._approved(use.rule)
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


_CONFIGURED = (
    "site",
    "services",
    "verifier",
    "profiles",
    "anonymous",
    "fhir_names",
    "approvals",
    "rule_modes",
    "config_hash",
    "config_parts",
    "_views",
    "_live",
)


def _templates(catalogue: tuple[CatalogueEntry, ...], profile: ClientProfile) -> dict[str, OrderTemplate]:
    laboratory = {entry.key: entry.laboratory for entry in catalogue}
    return {
        key: order_template(
            coding.system,
            coding.code,
            coding.display,
            laboratory=laboratory[key],
            fhir_version=profile.fhir_version,
        )
        for key, coding in profile.order_catalog.items()
        if key in laboratory
    }


def build_engine(
    settings: Settings,
    *,
    store: Store | None,
    configuration: Configuration | None = None,
    keys: KeyCache | None = None,
    fhir: FhirClient | None = None,
    metrics: Metrics | None = None,
) -> Engine:
    """An engine for these settings; the caller owns the store, the keys and the FHIR client and closes them.

    Raises:
        SettingsError, ProfileError: a file of the site cannot be used.
    """
    chosen = configuration or load_configuration(settings)
    anonymous = None
    names: dict[str, str] = {}
    if not settings.authenticated:
        for item in settings.fhir_bases:
            named, _, reached = item.partition("=")
            names[named.rstrip("/")] = (reached or named).rstrip("/")
        anonymous = anonymous_profile(
            settings.environment,
            fhir_bases=tuple(names),
            order_catalog=default_catalogue(chosen.services),
        )
    metrics = metrics or Metrics()
    if store is not None:
        store.counters.observe = metrics.store_event
    verifier = None
    if chosen.profiles and store is not None and keys is not None:
        verifier = JwtVerifier(chosen.profiles, keys, store.remember_jti)
    return Engine(
        settings=settings,
        site=chosen.site,
        services=chosen.services,
        fhir=fhir or FhirClient(),
        store=store,
        metrics=metrics,
        verifier=verifier,
        profiles=chosen.profiles,
        anonymous=anonymous,
        fhir_names=names,
        approvals=chosen.approvals,
        rule_modes=chosen.rule_modes,
        config_hash=chosen.hash,
        config_parts=chosen.parts,
        keys=keys,
        admission=Admission(
            calls=settings.max_calls,
            waiting=settings.max_waiting,
            rate=settings.client_rate,
            patience=settings.deadline_ms / 1000 * _QUEUE_SHARE,
            body_bytes=settings.max_body_bytes * _LARGE_BODIES,
        ),
    )
