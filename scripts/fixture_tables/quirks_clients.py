"""What the CDS Hooks Sandbox, Oracle Health, old clients and sloppy ones send."""

from __future__ import annotations

import json
from functools import partial

from fixture_tables.quirkwork import Quirk, bundles, chart, drafts, each, everything
from fixture_tables.resources import RXNORM, Json

SOURCE = "cds-hooks/sandbox at 3b7e255: captured while driving it"
SURVEY = "38 published or captured request bodies, counted"
LIBRARY = "HL7/cds-hooks-library 1.0.1, examples"
sandbox = partial(Quirk, sent_by="CDS Hooks Sandbox", documented=SOURCE)
survey = partial(Quirk, sent_by="several clients", documented=SURVEY)
old = partial(Quirk, sent_by="clients of CDS Hooks before 1.0", documented=SURVEY)


# --- the Sandbox


def sandbox_call(request: Json) -> None:
    request["fhirServer"] = "http://localhost:8612/fhir"
    request["context"]["userId"] = "Practitioner/COREPRACTITIONER1"


def sandbox_order(
    request: Json, name: str = "Warfarin Sodium 5 MG Oral Tablet", code: str = "855332"
) -> None:
    """The order as its form makes it: no Bundle type, the same id always, category as an object."""
    sandbox_call(request)
    subject = drafts(request)[0]["subject"]
    day = drafts(request)[0]["authoredOn"]
    made = {
        "resourceType": "MedicationRequest",
        "id": "request-123",
        "status": "draft",
        "intent": "order",
        "category": {
            "coding": [
                {
                    "system": "http://terminology.hl7.org/CodeSystem/medicationrequest-category",
                    "code": "outpatient",
                }
            ]
        },
        "medicationCodeableConcept": {
            "text": name,
            "coding": [{"system": RXNORM, "code": code, "display": name}],
        },
        "subject": subject,
        "authoredOn": day,
        "dosageInstruction": [
            {
                "doseAndRate": [
                    {"doseQuantity": {"value": 1, "system": "http://unitsofmeasure.org", "code": "{pill}"}}
                ],
                "timing": {"repeat": {"frequency": 1, "period": 1, "periodUnit": "d"}},
            }
        ],
        "dispenseRequest": {"expectedSupplyDuration": {"value": 30, "unit": "days"}},
    }
    request["context"]["draftOrders"] = {"resourceType": "Bundle", "entry": [{"resource": made}]}
    if "selections" in request["context"]:
        request["context"]["selections"] = ["MedicationRequest/request-123"]


def sandbox_nothing_chosen(request: Json) -> None:
    sandbox_order(request)
    (order,) = drafts(request)
    for name in ("intent", "category", "medicationCodeableConcept", "dosageInstruction", "dispenseRequest"):
        del order[name]


def sandbox_smart(request: Json) -> None:
    sandbox_order(request)
    request["fhirAuthorization"] = {
        "access_token": "synthetic-token",
        "token_type": "Bearer",
        "expires_in": 3600,
        "scope": "patient/*.* user/*.* launch openid profile online_access",
        "subject": "cds-service",
    }


def sandbox_dstu2(request: Json) -> None:
    sandbox_order(request)
    (order,) = drafts(request)
    order["resourceType"] = "MedicationOrder"
    order["patient"] = order.pop("subject")
    order["dateWritten"] = order.pop("authoredOn")
    for name in ("intent", "category"):
        del order[name]


def dstu2_chart(request: Json) -> None:
    sandbox_call(request)
    for resource in chart(request, "MedicationRequest"):
        resource["resourceType"] = "MedicationOrder"
        resource["patient"] = resource.pop("subject")
        resource["dateWritten"] = resource.pop("authoredOn")
        resource.pop("intent")


# --- Oracle Health, HAPI


def without_token(request: Json) -> None:
    request["fhirServer"] = "https://fhir.example.org/r4/tenant"


def hapi_searchset(request: Json) -> None:
    base = "http://localhost:8080/fhir"
    for _, bundle in bundles(request):
        entries = bundle.get("entry", [])
        kind = entries[0]["resource"]["resourceType"] if entries else "Condition"
        for entry in entries:
            resource = entry["resource"]
            resource["meta"] = {
                "versionId": "1",
                "lastUpdated": "2026-11-20T08:00:00.000+00:00",
                "source": "#x",
            }
            entry["fullUrl"] = f"{base}/{resource['resourceType']}/{resource['id']}"
            entry["search"] = {"mode": "match"}
        bundle |= {
            "id": "5e1f2b60-7e0c-4d1c-9a55-2f6a0c0a77aa",
            "meta": {"lastUpdated": "2026-11-21T11:59:58.000+00:00"},
            "total": len(entries),
            "link": [{"relation": "self", "url": f"{base}/{kind}?patient=synthetic-1"}],
        }


# --- old and sloppy clients


def wrapped(request: Json) -> None:
    request["prefetch"] = {
        key: {"response": {"status": "200 OK"}, "resource": value}
        for key, value in request["prefetch"].items()
    }


def root_user(request: Json) -> None:
    request["user"] = request["context"].pop("userId")
    request["patient"] = request["context"]["patientId"]
    request["oauth"] = None


def bare_resource(request: Json) -> None:
    request["prefetch"]["conditions"] = chart(request, "Condition")[0]


def collection(request: Json, kind: str = "collection") -> None:
    for _, bundle in bundles(request):
        bundle["type"] = kind


def prefixed(request: Json) -> None:
    request["context"]["patientId"] = f"Patient/{request['context']['patientId']}"
    request["context"]["encounterId"] = "Encounter/encounter-1"


def without_user(request: Json) -> None:
    del request["context"]["userId"]


def null_for_empty(request: Json) -> None:
    for key, bundle in list(bundles(request)):
        if not bundle.get("entry"):
            request["prefetch"][key] = None


def without_type(request: Json) -> None:
    del request["context"]["draftOrders"]["type"]
    for _, bundle in bundles(request):
        del bundle["type"]


def transaction(request: Json) -> None:
    request["context"]["draftOrders"]["type"] = "transaction"


def single_order(request: Json) -> None:
    request["context"]["draftOrders"] = drafts(request)[0]


def bare_entries(request: Json) -> None:
    request["context"]["draftOrders"]["entry"] = drafts(request)


def no_resource_type(request: Json) -> None:
    del drafts(request)[0]["resourceType"]


def empty_object(request: Json) -> None:
    request["context"]["draftOrders"] = {}


def padded(request: Json) -> None:
    """Codes and systems of fixed width; those of problems are printed as they came."""
    for _, coding in list(each([*drafts(request), *chart(request, "Observation")], "coding")):
        for one in coding:
            one["code"] = f" {one['code']:<12}"
            one["system"] += "  "


def user_object(request: Json) -> None:
    request["context"]["userId"] = {"reference": request["context"]["userId"]}


def single_refill(request: Json) -> None:
    request["context"]["medications"] = drafts(request)[0]
    del request["context"]["userId"]


def without_intent(request: Json) -> None:
    del drafts(request)[0]["intent"]


def dose_object(request: Json) -> None:
    for order in [*drafts(request), *chart(request, "MedicationRequest")]:
        for dosage in order.get("dosageInstruction", ()):
            dosage["doseAndRate"] = dosage["doseAndRate"][0]


def one_dosage(request: Json) -> None:
    for order in drafts(request):
        order["dosageInstruction"] = order["dosageInstruction"][0]


def extra_brace(request: Json) -> str:
    return json.dumps(request) + "}"


def without_zone(request: Json) -> None:
    for resource in chart(request, "Observation"):
        resource["effectiveDateTime"] = resource["effectiveDateTime"].removesuffix("Z")


def unknown_members(request: Json) -> None:
    request["vendorMember"] = {"deep": [None, {"x": 1}]}
    request["context"]["practitionerName"] = "Dr Synthetic"
    request["context"]["appointments"] = []
    for resource in everything(request):
        resource["text"] = {"status": "generated", "div": "<div xmlns='http://www.w3.org/1999/xhtml'>x</div>"}
        resource["_status"] = {"extension": [{"url": "urn:x", "valueString": "x"}]}
        resource["vendorField"] = [{"a": None}, 7, "x"]


def null_members(request: Json) -> None:
    for resource in everything(request):
        resource.update(
            dict.fromkeys(("note", "contained", "meta", "language", "reasonCode", "interpretation"))
        )
        for _, coding in list(each(resource, "coding")):
            for one in coding:
                one["version"] = None
                one["userSelected"] = None


def numbers_as_text(request: Json) -> None:
    for resource in chart(request, "Observation"):
        resource["valueQuantity"]["value"] = str(resource["valueQuantity"]["value"])


def codes_as_numbers(request: Json) -> None:
    for _, coding in list(each(everything(request), "coding")):
        for one in coding:
            if str(one["code"]).isdigit():
                one["code"] = int(one["code"])


def long_floats(request: Json) -> None:
    for resource in chart(request, "Observation"):
        resource["valueQuantity"]["value"] += 0.0000000000001


def sent_twice(request: Json) -> None:
    for _, bundle in bundles(request):
        bundle["entry"] = bundle.get("entry", []) * 2
    request["context"]["draftOrders"]["entry"] *= 2


def empty_entries(request: Json) -> None:
    request["context"]["draftOrders"]["entry"] += [{}, None]


def unit_in_words(request: Json) -> None:
    for resource in chart(request, "Observation"):
        quantity = resource["valueQuantity"]
        resource["valueQuantity"] = {"value": quantity["value"], "unit": quantity["unit"].upper()}


def numeric_ids(request: Json) -> None:
    for number, resource in enumerate(chart(request), 1):
        if resource["resourceType"] != "Patient":
            resource["id"] = number


def prescribe(request: Json, hook: str = "medication-prescribe", member: str = "medications") -> None:
    request["hook"] = hook
    request["context"][member] = request["context"].pop("draftOrders")


def instance_of_any_kind(request: Json) -> None:
    request["hookInstance"] = "not-a-uuid-" + "7" * 40


def byte_order(request: Json) -> str:
    return "\ufeff" + json.dumps(request)


QUIRKS: tuple[Quirk, ...] = (
    sandbox(
        "sandbox-order-sign",
        "Not valid R4: no Bundle type, no fullUrl, category as an object, one id for every order.",
        change=sandbox_order,
        twin="sign-warfarin",
        renamed={"draft-1": "request-123"},
    ),
    sandbox(
        "sandbox-order-select",
        "The same body while the drug is being chosen.",
        change=sandbox_order,
        twin="select-warfarin",
        renamed={"draft-1": "request-123"},
    ),
    sandbox(
        "sandbox-nothing-chosen",
        "order-select fires before a drug is chosen and after a delete: no medication, no intent.",
        change=sandbox_nothing_chosen,
        twin="select-nothing-yet",
        renamed={"draft-1": "request-123"},
    ),
    sandbox("sandbox-patient-view", "Chart opened.", change=sandbox_call, twin="view-on-warfarin"),
    sandbox(
        "sandbox-smart-launch",
        "After a SMART launch: scopes with patient/*.* but no member `patient`.",
        change=sandbox_smart,
        twin="sign-warfarin",
        renamed={"draft-1": "request-123"},
    ),
    sandbox(
        "sandbox-dstu2-order",
        "With a DSTU2 server it sends a MedicationOrder: refused, never silently passed over.",
        change=sandbox_dstu2,
        twin="sign-warfarin",
        status=412,
        says=("DSTU2",),
    ),
    sandbox(
        "sandbox-dstu2-chart",
        "DSTU2 resources in prefetch.",
        change=dstu2_chart,
        twin="view-on-warfarin",
        status=412,
        says=("DSTU2",),
    ),
    Quirk(
        "oracle-no-token",
        "A FHIR server is named without a token (scopes were listed at registration): prefetch is enough.",
        sent_by="Oracle Health",
        documented="cerner/fhir.cerner.com pull request 707, draft of 2021; no request example was found",
        change=without_token,
        twin="view-on-warfarin",
    ),
    Quirk(
        "hapi-searchset",
        "Searchsets with total, self link, fullUrl, search mode and meta.",
        sent_by="clients that prefetch from HAPI FHIR",
        documented="HAPI FHIR 8.10: answers of a JPA server",
        change=hapi_searchset,
        twin="view-on-warfarin",
    ),
    old(
        "old-prefetch-wrapper",
        "Each prefetch value is wrapped as {response, resource}.",
        change=wrapped,
        twin="sign-calcitriol",
    ),
    old(
        "old-root-user",
        "user and patient at the root of the request.",
        change=root_user,
        twin="sign-warfarin",
    ),
    old(
        "old-null-for-empty",
        "null for a search without results, as CDS Hooks 1.0 had it.",
        change=null_for_empty,
        twin="sign-warfarin",
        sent_by="clients of CDS Hooks 1.0",
    ),
    survey(
        "bare-resource",
        "A single Condition where a Bundle belongs.",
        change=bare_resource,
        twin="sign-calcitriol",
    ),
    survey(
        "collection-bundles",
        "Prefetch Bundles of type collection.",
        change=collection,
        twin="sign-calcitriol",
    ),
    survey("patient-prefix", "context.patientId is Patient/<id>.", change=prefixed, twin="sign-warfarin"),
    survey("no-user", "context.userId is missing.", change=without_user, twin="sign-warfarin"),
    survey("no-bundle-type", "No Bundle has a type.", change=without_type, twin="sign-warfarin"),
    survey(
        "transaction-bundle", "draftOrders of type transaction.", change=transaction, twin="sign-warfarin"
    ),
    survey(
        "single-order",
        "draftOrders is the order itself.",
        change=single_order,
        twin="sign-warfarin",
        documented="seen in hand-written test bodies",
    ),
    survey(
        "bare-entries",
        "The orders stand in entry itself, without resource: nothing can be read, and nothing is passed over.",
        change=bare_entries,
        twin="sign-warfarin",
        status=412,
        says=("None of the orders could be read",),
        documented="tried by us: what people write by hand",
        sent_by="hand-written clients",
    ),
    survey(
        "order-without-type",
        "The order has no resourceType.",
        change=no_resource_type,
        twin="sign-warfarin",
        status=412,
        says=("None of the orders could be read",),
        documented="tried by us: what people write by hand",
        sent_by="hand-written clients",
    ),
    survey(
        "orders-empty-object",
        "draftOrders is an object without content: withheld, not empty.",
        change=empty_object,
        twin="sign-warfarin",
        status=400,
        says=("context.draftOrders",),
        documented="tried by us: what people write by hand",
        sent_by="hand-written clients",
    ),
    survey(
        "padded-codes",
        "Codes of drugs and results padded with blanks, and their systems.",
        change=padded,
        twin="sign-calcitriol",
        documented="tried by us: what people write by hand",
        sent_by="hand-written clients",
    ),
    survey(
        "user-object",
        "userId is a Reference.",
        change=user_object,
        twin="sign-warfarin",
        documented="tried by us: what people write by hand",
        sent_by="hand-written clients",
    ),
    survey(
        "single-refill",
        "The same in medication-refill, and nobody is named as its user.",
        change=single_refill,
        twin="refill-warfarin",
        documented="HL7/cds-hooks-library: userId is optional in medication-refill",
    ),
    survey("no-intent", "The order has no intent.", change=without_intent, twin="sign-warfarin"),
    survey(
        "dose-object",
        "doseAndRate is an object.",
        change=dose_object,
        twin="sign-calcitriol",
        documented=LIBRARY,
        sent_by="clients that follow the published examples",
    ),
    survey("dosage-object", "dosageInstruction is an object.", change=one_dosage, twin="sign-calcitriol"),
    survey(
        "one-brace-too-many",
        "62 of 67 published requests of one guideline end so: not JSON, refused with the position.",
        change=extra_brace,
        twin="sign-warfarin",
        status=400,
        says=("not valid JSON", "byte "),
        documented="published requests of an opioid prescribing guideline",
    ),
    survey(
        "no-time-zone",
        "Times without a zone are read in the site's zone.",
        change=without_zone,
        twin="sign-calcitriol",
        documented="rejected by strict R4B models in our trials",
    ),
    survey(
        "unknown-members",
        "Members nobody asked for, at the root, in the context and in every resource.",
        change=unknown_members,
        twin="sign-calcitriol",
        documented="CDS Hooks 2.0.1: unknown members are to be ignored",
    ),
    survey(
        "null-members",
        "null where FHIR would leave a member out.",
        change=null_members,
        twin="sign-calcitriol",
        documented="40 members of the 38 bodies",
    ),
    survey(
        "numbers-as-text",
        "Quantities as text.",
        change=numbers_as_text,
        twin="sign-calcitriol",
        documented="not seen published; kept out of caution",
        sent_by="hand-written clients",
    ),
    survey(
        "codes-as-numbers",
        "Codes as JSON numbers.",
        change=codes_as_numbers,
        twin="sign-calcitriol",
        documented="a generator of synthetic patients",
    ),
    survey(
        "long-floats",
        "Results with all digits of a binary number.",
        change=long_floats,
        twin="sign-calcitriol",
        documented="Synthea, R4 output of 2019",
        sent_by="synthetic data",
    ),
    survey(
        "everything-twice",
        "Every resource and the order come twice.",
        change=sent_twice,
        twin="sign-calcitriol",
        documented="overlapping prefetch queries",
    ),
    survey(
        "empty-entries",
        "Entries without a resource beside the order.",
        change=empty_entries,
        twin="sign-warfarin",
        documented="not seen published; kept out of caution",
        sent_by="hand-written clients",
    ),
    survey(
        "unit-in-words",
        "Units without a code, in capitals.",
        change=unit_in_words,
        twin="sign-calcitriol",
        documented="laboratory systems that write MG/DL",
    ),
    survey("numeric-ids", "Resource ids as JSON numbers.", change=numeric_ids, twin="sign-calcitriol"),
    survey(
        "any-hook-instance",
        "hookInstance is no UUID.",
        change=instance_of_any_kind,
        twin="sign-warfarin",
        documented="cds-hooks/docs, discussion 499",
    ),
    survey(
        "byte-order-mark",
        "The body begins with a byte order mark: refused as JSON demands.",
        change=byte_order,
        twin="sign-warfarin",
        status=400,
        says=("not valid JSON",),
        documented="RFC 8259, section 8.1",
    ),
    old(
        "old-medication-prescribe",
        "The hook before order-select; refused unless the client's profile names it.",
        change=prescribe,
        twin="sign-warfarin",
        status=400,
        says=("'order-sign' only",),
        documented="HL7/cds-hooks-library: deprecated hook medication-prescribe",
    ),
    old(
        "old-order-review",
        "The hook before order-sign; refused unless the client's profile names it.",
        change=partial(prescribe, hook="order-review", member="orders"),
        twin="sign-warfarin",
        status=400,
        says=("'order-sign' only",),
        documented="HL7/cds-hooks-library: deprecated hook order-review",
    ),
)
