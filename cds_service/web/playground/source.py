"""What is to be evaluated: a case, a synthetic patient, something pasted, or a patient on the FHIR server."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any
from urllib.parse import urlencode

from cds_service.content.cases import parse_as_of
from cds_service.engine import Engine
from cds_service.protocol.prefetch import is_safe_id
from cds_service.rules.service import Service
from cds_service.web import documents
from cds_service.web.documents import Resource
from cds_service.web.fixtures import Fixtures
from cds_service.web.people import Person, people
from cds_service.web.playground.calls import ORDER_HOOKS, call, draft_orders

MAX_CHOICES = 60


class Unusable(ValueError):
    """The visitor's choice cannot be evaluated; the message says why, in words of ours only."""


@dataclass(frozen=True, slots=True)
class Source:
    """A call to be evaluated, and what the page may say of where it came from."""

    kind: str
    """`case`, `patient`, `pasted` or `fhir`."""
    title: str
    why: str
    service: str
    body: bytes
    as_of: datetime | None = None
    modes: Mapping[str, str] = field(default_factory=dict)
    share: Mapping[str, str] = field(default_factory=dict)
    """Query that shows the same again; empty when it would have to hold data."""
    patient: str | None = None
    """Id of the synthetic patient, for the trend page."""

    @property
    def query(self) -> str:
        return urlencode(self.share)


class Sources:
    """Finds or makes what a visitor asks for."""

    def __init__(self, engine: Engine, fixtures: Fixtures) -> None:
        self._engine = engine
        self.fixtures = fixtures

    @property
    def services(self) -> dict[str, Service]:
        return {name: ready.service for name, ready in self._engine.services.items()}

    @cached_property
    def orders(self) -> dict[str, Resource]:
        """Name -> draft order."""
        return draft_orders(self.fixtures)

    @cached_property
    def people(self) -> dict[str, Person]:
        """Id -> synthetic patient."""
        return people(self.fixtures)

    @property
    def fhir_bases(self) -> tuple[str, ...]:
        """FHIR servers that may be read for a visitor."""
        return tuple(self._engine.fhir_names)

    def choose(self, form: Mapping[str, str]) -> Source | None:
        """What a query or a form names; None when it names nothing yet.

        Raises:
            Unusable: it names something that is not there.
        """
        if form.get("case"):
            return self._case(form["case"])
        if form.get("pasted", "").strip():
            return self._pasted(form["pasted"].strip(), form)
        if form.get("fhir_patient", "").strip():
            return self._on_server(form["fhir_patient"].strip(), form)
        if form.get("patient"):
            return self._patient(form["patient"], form)
        return None

    def _case(self, name: str) -> Source:
        case = self.fixtures.cases.get(name)
        if case is None:
            raise Unusable("There is no case of this name.")
        return Source(
            "case",
            name,
            case.why,
            case.service,
            bytes(case.request),
            parse_as_of(case.as_of),
            case.modes,
            {"case": name},
            self._known_patient(documents.read(bytes(case.request))),
        )

    def _known_patient(self, document: Any) -> str | None:
        context = document.get("context") if isinstance(document, dict) else None
        patient = context.get("patientId") if isinstance(context, dict) else None
        return patient if patient in self.fixtures.patients else None

    def _patient(self, patient_id: str, form: Mapping[str, str]) -> Source:
        bundle = self.fixtures.patient(patient_id)
        if bundle is None:
            raise Unusable("There is no synthetic patient with this id.")
        service, order_name, order = self._moment(form)
        chart = list(documents.resources(documents.read(bundle)))
        share = {"patient": patient_id, "service": service.id}
        if order is not None:
            share["order"] = order_name
        return Source(
            "patient",
            self.people[patient_id].name,
            f"{service.title}." + (f" Draft order: {order_name}." if order is not None else ""),
            service.id,
            call(service, patient_id, order=order, chart=chart),
            self.clock,
            share=share,
            patient=patient_id,
        )

    @cached_property
    def clock(self) -> datetime | None:
        """The time at which the synthetic patients' results are current."""
        first = next(iter(self.fixtures.cases.values()), None)
        return parse_as_of(first.as_of) if first else None

    def _moment(self, form: Mapping[str, str]) -> tuple[Service, str, Resource | None]:
        """Service, order name and order that a form names."""
        order_name = form.get("order", "")
        order = self.orders.get(order_name)
        if order_name and order is None:
            raise Unusable("There is no draft order of this name.")
        wanted = form.get("service") or self._serving("order-sign" if order else "patient-view")
        service = self.services.get(wanted)
        if service is None:
            raise Unusable("There is no service with this id.")
        if service.hook not in ORDER_HOOKS:
            return service, "", None
        if order is None:
            raise Unusable("This hook is about an order: choose a draft order.")
        return service, order_name, order

    def _serving(self, hook: Any) -> str:
        """The id of the service for a hook; of the first service when there is none."""
        matching = [name for name, service in self.services.items() if service.hook == hook]
        return (matching or list(self.services))[0]

    def _pasted(self, text: str, form: Mapping[str, str]) -> Source:
        document = documents.read(text)
        if isinstance(document, dict) and isinstance(document.get("request"), dict):
            return self._pasted_case(document, form)
        if isinstance(document, dict) and document.get("resourceType"):
            return self._pasted_chart(document, form)
        hook = document.get("hook") if isinstance(document, dict) else None
        service = form.get("service") or self._serving(hook)
        return Source("pasted", "Pasted request", "", service, text.encode())

    def _pasted_case(self, document: dict[str, Any], form: Mapping[str, str]) -> Source:
        request = document["request"]
        service = form.get("service") or str(document.get("service") or self._serving(request.get("hook")))
        try:
            as_of = parse_as_of(str(document["as_of"])) if document.get("as_of") else None
        except ValueError:
            raise Unusable("The case's as_of is not a date or time.") from None
        if as_of is not None and as_of.tzinfo is None:
            raise Unusable("The case's as_of needs a time zone.")
        return Source("pasted", "Pasted case", "", service, documents.write(request), as_of)

    def _pasted_chart(self, document: dict[str, Any], form: Mapping[str, str]) -> Source:
        chart = list(documents.resources(document))
        patients = [each.get("id") for each in chart if each["resourceType"] == "Patient"]
        if len(patients) != 1 or not isinstance(patients[0], str) or not is_safe_id(patients[0]):
            raise Unusable("A pasted Bundle must hold exactly one Patient, with an id.")
        service, _, order = self._moment(form)
        body = call(service, patients[0], order=order, chart=chart)
        return Source("pasted", "Pasted Bundle", f"{service.title}.", service.id, body)

    def _on_server(self, patient_id: str, form: Mapping[str, str]) -> Source:
        base = form.get("fhir_base", "")
        if base not in self.fhir_bases:
            raise Unusable("Choose one of the configured FHIR servers.")
        if not is_safe_id(patient_id):
            raise Unusable("That is not a FHIR id.")
        service, _, order = self._moment(form)
        body = call(service, patient_id, order=order, fhir_server=base)
        return Source("fhir", "Patient on the FHIR server", f"{service.title}.", service.id, body)
