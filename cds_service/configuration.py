"""What the site decides, read from its files and checked as a whole, at start and again on SIGHUP."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial

import msgspec

from cds_service.clients.load import ProfileError, load_profiles
from cds_service.clients.profile import ClientProfile, Coding
from cds_service.registry import ReadyService, load_services, ready_services
from cds_service.settings import Settings, SettingsError, Site, load_approvals, load_site

_HASH_CHARACTERS = 16
_encode = partial(msgspec.json.encode, order="deterministic", enc_hook=str)


@dataclass(frozen=True, slots=True)
class Configuration:
    """Everything that decides which cards appear, at one moment.

    `rule_modes` are those of the site: its file, overruled by CDS_RULE_MODES. `parts` has a hash for each part,
    and `hash` one over all of them; they are of no use to somebody who wants to know what they were made from.
    """

    site: Site
    rule_modes: Mapping[str, str]
    services: Mapping[str, ReadyService]
    profiles: tuple[ClientProfile, ...]
    approvals: frozenset[tuple[str, str, str]]
    parts: Mapping[str, str]
    hash: str

    def changed(self, earlier: Mapping[str, str]) -> tuple[str, ...]:
        """Names of the parts that are not what they were."""
        return tuple(name for name, value in self.parts.items() if earlier.get(name) != value)


def load_configuration(settings: Settings) -> Configuration:
    """Read and check every file that the settings name.

    Raises:
        SettingsError: a file cannot be used; its `setting` says which.
        ProfileError: the client profiles cannot be used.
    """
    contents = [service.content for service in load_services()]
    site = load_site(settings.site, {k: v for content in contents for k, v in content.site_bounds.items()})
    try:
        services = ready_services(frozenset((*settings.value_sets_off, *site.value_sets_off)))
    except ValueError as error:
        raise SettingsError(f"value_sets_off: {error}", "CDS_SITE") from None
    modes = {**site.rule_modes, **settings.rule_modes}
    _check_rules(site.rule_modes, services, "site file: rule_modes", "CDS_SITE")
    _check_rules(settings.rule_modes, services, "CDS_RULE_MODES", "CDS_RULE_MODES")
    profiles = _profiles(settings, services)
    approvals = load_approvals(settings.approvals)
    parts = {
        "settings": _hash(
            settings.model_dump(
                mode="json", include={"environment", "as_of", "fhir_bases", "deadline_ms", "fhir_deadline_ms"}
            )
        ),
        "rule_modes": _hash(modes),
        "value_sets": _hash(sorted({*settings.value_sets_off, *site.value_sets_off})),
        "site": _hash([site.clinical, str(site.zone)]),
        "clients": _hash(profiles),
        "approvals": _hash(sorted(approvals)),
        "content": _hash(_content(services)),
    }
    return Configuration(site, modes, services, profiles, approvals, parts, _hash(parts))


def default_catalogue(services: Mapping[str, ReadyService]) -> dict[str, Coding]:
    """Suggestion key -> the content's own coding, for clients that take LOINC and SNOMED CT."""
    return {
        entry.key: Coding(entry.coding.system, entry.coding.code, entry.coding.display or entry.words)
        for ready in services.values()
        for entry in ready.service.content.catalogue
        if entry.coding is not None
    }


def _profiles(settings: Settings, services: Mapping[str, ReadyService]) -> tuple[ClientProfile, ...]:
    if settings.clients is None:
        return ()
    try:
        data = settings.clients.read_bytes()
    except OSError as error:
        raise SettingsError(
            f"client profiles cannot be read: {type(error).__name__}", "CDS_CLIENTS"
        ) from None
    profiles = load_profiles(
        data, environment=settings.environment, default_catalog=default_catalogue(services)
    )
    for profile in profiles:
        try:
            _check_rules(profile.rules, services, f"client {profile.id}: rules", "CDS_CLIENTS")
        except SettingsError as error:
            raise ProfileError([str(error)]) from None
    return profiles


def _check_rules(
    modes: Iterable[str], services: Mapping[str, ReadyService], where: str, setting: str
) -> None:
    """A misspelt rule would silently stay in its old mode."""
    known = {"*"}
    for service_id, ready in services.items():
        for use in ready.service.rules:
            known |= {use.rule.id, f"{use.rule.id}@{service_id}"}
    if unknown := sorted(set(modes) - known):
        raise SettingsError(f"{where}: there is no {', '.join(unknown)}", setting)


def _content(services: Mapping[str, ReadyService]) -> list[tuple[str, str, str, str]]:
    return [
        (service_id, use.rule.id, use.rule.version, use.mode.value)
        for service_id, ready in services.items()
        for use in ready.service.rules
    ]


def _hash(value: object) -> str:
    return hashlib.sha256(_encode(value)).hexdigest()[:_HASH_CHARACTERS]
