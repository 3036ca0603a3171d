"""Makes the call an EHR would send for a patient: the hook's context, and the prefetch a FHIR server would answer."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qs, urlsplit

from cds_service.protocol.prefetch import PrefetchTemplate
from cds_service.rules.service import Service
from cds_service.web import documents
from cds_service.web.documents import Resource
from cds_service.web.fixtures import Fixtures

ORDER_HOOKS = {"order-sign": "draftOrders", "order-select": "draftOrders", "medication-refill": "medications"}
"""Hook -> the member of its context that holds the orders."""

_USER = "Practitioner/playground"


def draft_orders(fixtures: Fixtures) -> dict[str, Resource]:
    """Name -> a draft order by that name, from the synthetic cases."""
    found: dict[str, Resource] = {}
    for case in fixtures.cases.values():
        if not case.service.endswith("order-sign"):
            continue
        context = (documents.read(bytes(case.request)) or {}).get("context") or {}
        for resource in documents.resources(context.get("draftOrders")):
            concept = resource.get("medicationCodeableConcept") or resource.get("code") or {}
            display = next((c.get("display") for c in concept.get("coding") or ()), None)
            if display and resource["resourceType"] in ("MedicationRequest", "ServiceRequest"):
                found.setdefault(display, resource)
    return dict(sorted(found.items(), key=lambda item: item[0].casefold()))


def call(
    service: Service,
    patient_id: str,
    *,
    order: Resource | None,
    chart: Sequence[Resource] | None = None,
    fhir_server: str | None = None,
) -> bytes:
    """The body of a call.

    Args:
        service: whose hook and prefetch templates decide what is sent.
        patient_id: `context.patientId`.
        order: the draft, for hooks about orders; its subject becomes the patient.
        chart: the patient's resources, sent as prefetch as far as a template asks for them.
        fhir_server: base URL to read from instead.
    """
    context: dict[str, Any] = {"userId": _USER, "patientId": patient_id}
    member = ORDER_HOOKS.get(service.hook)
    if member is not None:
        drafts = [] if order is None else [{**order, "subject": {"reference": f"Patient/{patient_id}"}}]
        context[member] = _bundle("collection", drafts)
        if service.hook == "order-select":
            context["selections"] = [f"{draft['resourceType']}/{draft.get('id')}" for draft in drafts]
    body: dict[str, Any] = {"hook": service.hook, "hookInstance": str(uuid.uuid4()), "context": context}
    if fhir_server is not None:
        body["fhirServer"] = fhir_server
    if chart is not None:
        body["prefetch"] = {template.key: _answer(template, chart) for template in service.prefetch}
    return documents.write(body)


def _answer(template: PrefetchTemplate, chart: Iterable[Resource]) -> Resource | None:
    """What a FHIR server holding the chart answers to the template."""
    found = [each for each in chart if each.get("resourceType") == template.resource_type]
    if not template.is_search:
        return found[0] if found else None
    wanted = parse_qs(urlsplit(template.query).query).get("code")
    if wanted:
        codes = frozenset(wanted[0].split(","))
        found = [each for each in found if _codes(each) & codes]
    if template.resource_type == "MedicationRequest":
        found += [each for each in chart if each.get("resourceType") == "Medication"]
    return _bundle("searchset", found)


def _codes(resource: Mapping[str, Any]) -> frozenset[str]:
    codings = (resource.get("code") or {}).get("coding") or ()
    return frozenset(coding["code"] for coding in codings if coding.get("code"))


def _bundle(kind: str, members: Iterable[Resource]) -> Resource:
    return {"resourceType": "Bundle", "type": kind, "entry": [{"resource": each} for each in members]}
