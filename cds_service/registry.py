"""Services found through the entry-point group `cds_service.services`, checked and made ready to run."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib.metadata import entry_points

from cds_service.facts.labs import LabReader
from cds_service.facts.normalise import Normaliser
from cds_service.rules.service import Content, Service
from cds_service.terminology.index import Terminology

GROUP = "cds_service.services"


class RegistryError(Exception):
    """The installed services cannot be used together."""


@dataclass(frozen=True, slots=True)
class ReadyService:
    """A service with the index and readers built from its content."""

    service: Service
    terminology: Terminology
    normaliser: Normaliser
    distribution: str


@cache
def load_services() -> tuple[Service, ...]:
    """Every installed service, in the order of the distributions' names.

    Raises:
        RegistryError: two services have one id, or a rule lacks evidence.
    """
    return tuple(service for _, service in _found())


def _found() -> list[tuple[str, Service]]:
    found: list[tuple[str, Service]] = []
    for point in sorted(
        entry_points(group=GROUP), key=lambda point: (point.dist.name if point.dist else "", point.name)
    ):
        loaded = point.load()
        owner = f"{point.dist.name} {point.dist.version}" if point.dist else point.value
        services = loaded if isinstance(loaded, Iterable) else (loaded,)
        found.extend((owner, service) for service in services)
    _refuse_duplicates(found)
    for owner, service in found:
        for use in service.rules:
            if not use.rule.evidence:
                raise RegistryError(f"{owner}: rule {use.rule.id} names no evidence")
    return found


def _refuse_duplicates(found: list[tuple[str, Service]]) -> None:
    owners: dict[str, str] = {}
    for owner, service in found:
        if service.id in owners:
            raise RegistryError(f"service {service.id} is declared by {owners[service.id]} and by {owner}")
        owners[service.id] = owner


def ready_services(value_sets_off: frozenset[str] = frozenset()) -> dict[str, ReadyService]:
    """Service id -> service made ready; services of one content share one index."""
    indexes: dict[str, tuple[Terminology, Normaliser]] = {}
    ready: dict[str, ReadyService] = {}
    for owner, service in _found():
        content = service.content
        if content.name not in indexes:
            indexes[content.name] = _index(content, value_sets_off)
        terminology, normaliser = indexes[content.name]
        ready[service.id] = ReadyService(service, terminology, normaliser, owner)
    return ready


def _index(content: Content, off: frozenset[str]) -> tuple[Terminology, Normaliser]:
    terminology = Terminology(
        content.value_sets,
        content.names.drugs,
        content.names.negatives,
        exclusions=content.exclusions,
        texts=content.names.texts,
        off=off,
    )
    return terminology, Normaliser(terminology, LabReader(content.analytes, terminology))
