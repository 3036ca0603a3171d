"""What Epic sends, and what its sites have been seen to send."""

from __future__ import annotations

from functools import partial
from typing import Any

from fixture_tables.quirkwork import Quirk, bundles, chart, drafts, each, everything
from fixture_tables.resources import ICD10CM, LOINC, RXNORM, UCUM, Json, order

TUTORIAL = "Epic on FHIR, CDS Hooks Tutorial (read in a third-party copy)"
BODIES = "bodies of an Epic proof of concept, 2024, in a public test of a FHIR server"
CONNECTATHON = "flexpa/sero, GoodRx example: an Epic connectathon body of 2021"
SECOND_HAND = "second-hand: notes of another project, not seen in a vendor's document"
NOT_EPIC = "urn:oid:1.2.840.114350.1.13.0.1.7.2"

# 194 characters, with dots and dashes inside: the length of the draft order ids in two samples.
LONG_ID = "el0VeGTE1vcmdn5N.BKPUFg3" + "-syntheticDraftOrder.0123456789" * 5 + ".padding-to-194"
SEARCHED = {
    "conditions": "Condition",
    "labs": "Observation",
    "medications": "MedicationRequest",
    "procedures": "Procedure",
    "encounters": "Encounter",
    "requests": "ServiceRequest",
}
epic = partial(Quirk, sent_by="Epic", documented=TUTORIAL)


def site_keys(request: Json, *, linked: bool = True) -> None:
    for key, bundle in bundles(request):
        if linked:
            url = f"https://ehr.example.org/api/FHIR/R4/{SEARCHED[key]}?patient=synthetic-1"
            bundle["link"] = [{"relation": "self", "url": url}]
    keys = ("-user", "PAT", "problem-list", "lab_results_90d", "current meds", "proc", "enc", "svc")
    request["prefetch"] = dict(zip(keys[1:], request["prefetch"].values(), strict=False))
    request["prefetch"] = {"-user": {"resourceType": "Practitioner", "id": "e1"}} | request["prefetch"]


def role(request: Json) -> None:
    request["context"]["userId"] = "PractitionerRole/eSyntheticRole"


def scopes(request: Json) -> None:
    request["fhirServer"] = "https://ehr.example.org/api/FHIR/R4"
    request["fhirAuthorization"] = {
        "access_token": "synthetic-token",
        "token_type": "Bearer",
        "expires_in": "300",
        "scope": "Observation.Read (Labs) (R4) Patient.Read (R4) Condition.Search (Problems) (R4) launch",
        "subject": "00000000-0000-0000-0000-000000000000",
    }


def extension(request: Json) -> None:
    prefix = "com.epic.cdshooks.request."
    request["extension"] = {
        f"{prefix}bpa-trigger-action": "23",
        f"{prefix}criteria-id": 1001,
        f"{prefix}epic-version": "10.9",
        f"{prefix}fhir-version": "R4",
        f"{prefix}cds-hooks-specification-version": "1.1",
        f"{prefix}cds-hooks-implementation-version": "1.3",
        f"{prefix}cds-hooks-su-version": "0",
        "internal.epic.cdshooks.request.epic-emp-id": "SYNTHETIC-EMPLOYEE",
    }


def other_trigger(request: Json) -> None:
    request["extension"] = {"com.epic.cdshooks.request.bpa-trigger-action": "7"}


def withheld(request: Json) -> None:
    del request["context"]["draftOrders"]


def long_id(request: Json) -> None:
    drafts(request)[0]["id"] = LONG_ID


def referring(order_: Json, reference: str, display: str | None = None) -> None:
    """The order names a Medication resource in place of a code."""
    order_.pop("medicationCodeableConcept")
    order_["medicationReference"] = {"reference": reference} | ({"display": display} if display else {})


def name_only(request: Json) -> None:
    referring(drafts(request)[0], "Medication/eNotSent", "WARFARIN 5 MG PO TABS")


def many_levels(*, rxnorm: str = RXNORM) -> list[Json]:
    """Local, ATC, GPI and RxNorm codes of several levels in no order, as Epic's Medication has them."""
    local = [{"system": f"{NOT_EPIC}.698288", "code": "4380"}]
    gpi = [{"system": "urn:oid:2.16.840.1.113883.6.68", "code": "synthetic-gpi"}]
    atc = [{"system": "urn:oid:2.16.840.1.113883.6.73", "code": "B01AA03"}]
    levels = ("1161791", "855331", "114194", "374319", "855332", "11289")
    return [*local, *gpi, *({"system": rxnorm, "code": code} for code in levels), *atc]


def medication(ident: str, codings: list[Json]) -> Json:
    return {
        "resourceType": "Medication",
        "id": ident,
        "code": {"coding": codings, "text": "warfarin (COUMADIN) tablet 5 mg"},
    }


def sibling(request: Json) -> None:
    referring(drafts(request)[0], "Medication/eSibling.1", "warfarin (COUMADIN) tablet 5 mg")
    entry = {"resource": medication("eSibling.1", many_levels())}
    request["context"]["draftOrders"]["entry"].insert(0, entry)


def contained(request: Json) -> None:
    (order_,) = drafts(request)
    referring(order_, "#med")
    order_["contained"] = [medication("med", many_levels())]


def prefetched(request: Json) -> None:
    referring(drafts(request)[0], "https://ehr.example.org/api/FHIR/R4/Medication/eFetched")
    request["prefetch"]["draft-medication"] = medication("eFetched", many_levels())


def oid_codings(request: Json, prefix: str = "urn:oid:") -> None:
    oids = {RXNORM: "6.88", ICD10CM: "6.90", LOINC: "6.1", UCUM: "6.8"}
    for holder, system in list(each(everything(request), "system")):
        if system in oids:
            holder["system"] = f"{prefix}2.16.840.1.113883.{oids[system]}"


def second_selected(request: Json) -> None:
    """An earlier unsigned order comes first; the one being selected is the second."""
    subject = drafts(request)[0]["subject"]
    earlier = order("apixaban") | {"id": "earlier-1", "subject": subject}
    request["context"]["draftOrders"]["entry"].insert(0, {"resource": earlier})


def bare_selections(request: Json) -> None:
    request["context"]["selections"] = [drafts(request)[0]["id"]]


def outcome_entry(code: str, text: str, issue: str) -> Json:
    coding = {"system": f"{NOT_EPIC}.657369", "code": code, "display": text}
    found = {"severity": "warning", "code": issue, "details": {"coding": [coding], "text": text}}
    outcome = {"resourceType": "OperationOutcome", "issue": [found]}
    return {"resource": outcome, "search": {"mode": "outcome"}}


def nothing_found(request: Json) -> None:
    for _, bundle in bundles(request):
        if not bundle.get("entry"):
            entry = outcome_entry("4101", "Resource request returns no results.", "processing")
            bundle |= {"total": 0, "entry": [entry]}


def access_warning(request: Json) -> None:
    entry = outcome_entry(
        "synthetic-access-warning", "Results may exist that may not be shown.", "suppressed"
    )
    request["prefetch"]["labs"] = {
        "resourceType": "Bundle",
        "type": "searchset",
        "total": 0,
        "entry": [entry],
    }


def absolute(request: Json) -> None:
    for holder, reference in list(each(chart(request), "reference")):
        holder["reference"] = f"https://ehr.example.org/api/FHIR/R4/{reference}"


def versioned(request: Json) -> None:
    for holder, reference in list(each(everything(request), "reference")):
        holder["reference"] = f"{reference}/_history/3"


def category_object(request: Json) -> None:
    for resource in chart(request, "MedicationRequest"):
        resource["category"] = {
            "coding": [{"code": "community", "display": "Community"}],
            "text": "Community",
        }


def local_lab_codes(request: Json) -> None:
    names = {"17861-6": "CALCIUM", "1751-7": "ALBUMIN", "2777-1": "PHOSPHORUS", "2731-8": "PTH INTACT"}
    for resource in chart(request, "Observation"):
        loinc = resource["code"]["coding"][0]["code"]
        resource["code"] = {
            "coding": [{"system": f"{NOT_EPIC}.768282", "code": loinc[:4]}],
            "text": names[loinc],
        }


def panel(request: Json) -> None:
    """One Observation with the results of the draw as components."""
    first, *rest = chart(request, "Observation")
    parts = [
        {k: one[k] for k in ("code", "valueQuantity", "referenceRange") if k in one} for one in (first, *rest)
    ]
    whole: dict[str, Any] = {
        k: first[k] for k in ("resourceType", "id", "subject", "status", "effectiveDateTime")
    }
    whole |= {"code": {"text": "Renal function panel"}, "component": parts}
    request["prefetch"]["labs"]["entry"] = [{"resource": whole}]


QUIRKS = (
    epic(
        "epic-prefetch-keys",
        "The site names the prefetch keys; the vendor's own sample has a key `-user`.",
        change=site_keys,
        twin="sign-calcitriol",
    ),
    epic(
        "epic-prefetch-keys-without-links",
        "The same without self links: nobody can tell what an empty Bundle was the answer to.",
        change=partial(site_keys, linked=False),
        twin="sign-calcitriol-lists-missing",
    ),
    epic(
        "epic-practitioner-role",
        "userId is a PractitionerRole for providers.",
        change=role,
        twin="sign-warfarin",
    ),
    epic(
        "epic-scopes",
        "Scopes are Epic's names with blanks and parentheses; expires_in may be text.",
        change=scopes,
        twin="sign-warfarin",
    ),
    epic(
        "epic-extension",
        "Extension members as text or numbers, one of them an employee id that must not be kept.",
        change=extension,
        twin="sign-warfarin",
    ),
    epic(
        "epic-other-trigger",
        "patient-view also stands for other triggers, here entering a diagnosis (7).",
        change=other_trigger,
        twin="view-on-warfarin",
    ),
    epic(
        "epic-orders-withheld",
        "The URL is not registered exactly, or a scope is missing: the call comes without its orders.",
        change=withheld,
        twin="sign-warfarin",
        status=400,
        says=("context.draftOrders", "not registered exactly", "unsigned orders"),
    ),
    epic(
        "epic-long-order-id",
        "Draft order ids have 194 characters in two samples; FHIR allows 64.",
        change=long_id,
        twin="sign-warfarin",
        renamed={"draft-1": LONG_ID},
    ),
    epic(
        "epic-medication-name-only",
        "Before February 2024: a reference to a Medication that does not come along, and its name.",
        change=name_only,
        twin="sign-warfarin-by-name",
    ),
    epic(
        "epic-medication-sibling",
        "Since February 2024: the Medication stands beside the order, without fullUrl, with many codes.",
        change=sibling,
        twin="sign-warfarin",
    ),
    epic(
        "epic-medication-contained",
        "The tutorial's text says that the Medication is contained; its code has many levels of RxNorm.",
        change=contained,
        twin="sign-warfarin",
    ),
    epic(
        "epic-medication-prefetched",
        "The Medication comes under a prefetch key of the site; the reference is absolute.",
        change=prefetched,
        twin="sign-warfarin",
    ),
    epic(
        "epic-oid-systems",
        "Code systems as OIDs: RxNorm, ICD-10-CM, LOINC, UCUM.",
        change=oid_codings,
        twin="sign-calcitriol",
    ),
    epic(
        "epic-bare-oid-systems",
        "The same OIDs without urn:oid:.",
        change=partial(oid_codings, prefix=""),
        twin="sign-calcitriol",
        documented=BODIES,
    ),
    epic(
        "epic-second-order-selected",
        "Earlier unsigned orders are in draftOrders too; the selected one is the second.",
        change=second_selected,
        twin="select-warfarin",
        documented=CONNECTATHON,
    ),
    epic(
        "epic-bare-selections",
        "selections as bare ids instead of Type/id.",
        change=bare_selections,
        twin="select-warfarin",
        documented="clients before CDS Hooks 1.0; kept out of caution",
        sent_by="old clients",
    ),
    epic(
        "epic-nothing-found",
        "An empty searchset holds an outcome entry: warning 4101, no results. That is an answer.",
        change=nothing_found,
        twin="sign-warfarin",
    ),
    epic(
        "epic-nothing-found-labs",
        "The same for the laboratory search, where it makes a difference.",
        change=nothing_found,
        twin="sign-warfarin-no-labs",
    ),
    epic(
        "epic-access-warning",
        "An empty searchset whose warning is about access: nothing is known, so it is no answer.",
        change=access_warning,
        twin="sign-warfarin-labs-forbidden",
    ),
    epic(
        "epic-absolute-references",
        "References are absolute addresses under the FHIR base.",
        change=absolute,
        twin="view-on-warfarin",
    ),
    epic(
        "epic-category-object",
        "MedicationRequest.category is an object instead of a list.",
        change=category_object,
        twin="view-on-warfarin",
    ),
    epic(
        "epic-local-lab-codes",
        "Laboratory results with local codes only: they are not recognised, and the card says what is missing.",
        change=local_lab_codes,
        twin="sign-warfarin-no-labs",
        documented=SECOND_HAND,
    ),
    epic(
        "epic-panel",
        "The results of one draw as components of one panel.",
        change=panel,
        twin="sign-calcitriol",
        documented=SECOND_HAND,
    ),
    epic(
        "epic-versioned-references",
        "References that name a version.",
        change=versioned,
        twin="sign-warfarin",
        documented="FHIR R4, section 2.1.28.0.1: literal references may be version specific",
        sent_by="any FHIR server",
    ),
)
