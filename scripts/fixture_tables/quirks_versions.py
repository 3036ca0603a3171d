"""The same calls written in FHIR R4B, R5 and STU3."""

from __future__ import annotations

from functools import partial

from fixture_tables.quirkwork import Quirk, everything
from fixture_tables.resources import Json

r4b = partial(Quirk, sent_by="servers of FHIR R4B", documented="FHIR R4B (4.3.0)", valid_as="R4B")
r5 = partial(Quirk, sent_by="servers of FHIR R5", documented="FHIR R5 (5.0.0)", valid_as="R5")
stu3 = partial(Quirk, sent_by="servers of FHIR STU3", documented="FHIR STU3 (3.0.2)", valid_as="STU3")


def move(resource: Json, old: str, new: str) -> None:
    if old in resource:
        resource[new] = resource.pop(old)


def to_r4b(request: Json) -> None:
    for resource in everything(request):
        resource["meta"] = {
            "profile": [f"http://hl7.org/fhir/StructureDefinition/{resource['resourceType']}|4.3.0"]
        }


def to_r5(request: Json) -> None:
    """CodeableReference for drugs, codes of requests and reasons; renamed members of Encounter and Procedure."""
    for resource in everything(request):
        kind = resource["resourceType"]
        if kind == "MedicationRequest":
            resource["medication"] = {"concept": resource.pop("medicationCodeableConcept")}
        if kind == "ServiceRequest":
            resource["code"] = {"concept": resource.pop("code")}
        if "reasonCode" in resource:
            concepts = [{"concept": concept} for concept in resource.pop("reasonCode")]
            resource["reason"] = [{"value": concepts}] if kind == "Encounter" else concepts
        if kind == "Encounter":
            move(resource, "period", "actualPeriod")
            resource["class"] = [{"coding": [resource["class"]]}]
            resource["status"] = "completed"
        move(resource, "performedDateTime", "occurrenceDateTime")


def to_stu3(request: Json) -> None:
    """Statuses of Condition as codes, assertedDate, doseQuantity, ProcedureRequest, Encounter.reason."""
    for resource in everything(request):
        kind = resource["resourceType"]
        if kind == "Condition":
            for name in ("clinicalStatus", "verificationStatus"):
                resource[name] = resource[name]["coding"][0]["code"]
            move(resource, "recordedDate", "assertedDate")
        for dosage in resource.get("dosageInstruction", ()):
            dosage["doseQuantity"] = dosage.pop("doseAndRate")[0]["doseQuantity"]
        if kind == "ServiceRequest":
            resource["resourceType"] = "ProcedureRequest"
        if kind == "Encounter":
            move(resource, "reasonCode", "reason")
        if kind == "Observation" and "note" in resource:
            resource["comment"] = resource.pop("note")[0]["text"]
        if kind == "Procedure" and resource["status"] == "not-done":
            resource |= {"status": "suspended", "notDone": True}


QUIRKS = (
    r4b("r4b-order-sign", "The order and the chart say R4B.", change=to_r4b, twin="sign-calcitriol"),
    r5("r5-order-sign", "The drug is a CodeableReference.", change=to_r5, twin="sign-calcitriol"),
    r5("r5-order-select", "The same while choosing.", change=to_r5, twin="select-warfarin"),
    r5(
        "r5-procedure-order",
        "The code of a ServiceRequest is a CodeableReference.",
        change=to_r5,
        twin="sign-biopsy",
    ),
    r5(
        "r5-patient-view",
        "Medicines, procedures and encounters of R5.",
        change=to_r5,
        twin="view-on-warfarin",
    ),
    stu3("stu3-order-sign", "Statuses as codes, the dose directly.", change=to_stu3, twin="sign-calcitriol"),
    stu3(
        "stu3-procedure-order",
        "The order is a ProcedureRequest.",
        change=to_stu3,
        twin="sign-biopsy",
        renamed={"ServiceRequest/draft-1": "ProcedureRequest/draft-1"},
    ),
    r5(
        "r5-visit-reason",
        "The reasons of an Encounter lie one level deeper.",
        change=to_r5,
        twin="sign-warfarin-by-visits",
    ),
    r5(
        "r5-requests",
        "Laboratory orders of R5 on the list of requests.",
        change=to_r5,
        twin="sign-calcitriol-labs-ordered",
    ),
    stu3(
        "stu3-visit-reason",
        "The reason of an Encounter is a list of concepts.",
        change=to_stu3,
        twin="sign-warfarin-by-visits",
    ),
    stu3(
        "stu3-requests",
        "Laboratory orders are ProcedureRequests.",
        change=to_stu3,
        twin="sign-calcitriol-labs-ordered",
    ),
    stu3(
        "stu3-comment",
        "A remark on a result is a comment, not a note.",
        change=to_stu3,
        twin="sign-calcitriol-post-dialysis",
    ),
    stu3(
        "stu3-not-done",
        "That a Procedure was not done is a member of its own.",
        change=to_stu3,
        twin="sign-warfarin-session-not-done",
    ),
    stu3("stu3-patient-view", "Medicines and encounters of STU3.", change=to_stu3, twin="view-on-warfarin"),
)
