"""Sources to Facts: what could be read, in part, or not at all; procedures, encounters and orders."""

from datetime import UTC

import pytest
from support.facts import (
    ADULT,
    ICD10CM,
    NORMALISER,
    SNOMED,
    TERMINOLOGY,
    calcium,
    concept,
    condition,
    decoded,
    encounter,
    facts,
    medicine,
    procedure,
    service_request,
)
from support.facts import AS_OF as NOW

from cds_service.facts.later import DailyDose
from cds_service.facts.medications import shelve
from cds_service.facts.model import Order
from cds_service.facts.normalise import Setting, read_orders
from cds_service.fhir.decode import Dropped
from cds_service.fhir.results import FailureReason, Incomplete
from cds_service.fhir.source import Source
from hooks.analytes import CALCIUM, WEIGHT

SETTING = Setting(NOW, UTC, "patient-view", "p1")
KEYS = ("patient", "conditions", "labs", "vitals", "medications", "procedures", "encounters", "requests")


def of(**sources):
    """Facts of sources as they are; a key that is not named was read and is empty."""
    read = {key: Source(key, ()) for key in KEYS} | sources
    return NORMALISER.facts({k: v for k, v in read.items() if v is not None}, (), shelve(()), SETTING)


def gaps(found):
    return [(gap.source, gap.kind, gap.text) for gap in found.gaps]


# --- what could be read -------------------------------------------------------------------------------


def test_read_and_empty_is_known_none():
    found = of(patient=Source("patient", decoded([ADULT])))
    assert (found.problems, found.medications, found.procedures, found.encounters, found.requests) == (
        (),
    ) * 5
    assert found.results(CALCIUM) == ()
    assert (found.gaps, found.incomplete, found.failures) == ((), frozenset(), {})


@pytest.mark.parametrize("key", [key for key in KEYS if key != "patient"])
def test_F10_a_source_that_failed_is_unknown_and_named(key):
    found = of(**{key: Source(key, None, FailureReason.NO_ANSWER_IN_TIME)})
    assert found.failures[key] == "no answer in time"
    assert (key, "unavailable", "no answer in time") in gaps(found)
    known = {"labs": found.results(CALCIUM), "vitals": found.results(WEIGHT), "conditions": found.problems}
    assert (known[key] if key in known else getattr(found, key)) is None


def test_a_source_without_a_reason_or_never_asked_for():
    found = of(conditions=Source("conditions", None), medications=None)
    assert found.failures["conditions"] == "not read"
    assert found.failures["medications"] == "not asked for"
    assert (found.problems, found.medications) == (None, None)


def test_F10_a_list_read_in_part_says_so():
    cut = Source("conditions", decoded([condition("Z99.2")]), complete=False, gaps=(Incomplete.PAGES,))
    assert gaps(of(conditions=cut, patient=Source("patient", decoded([ADULT])))) == [
        ("conditions", "partial", "not all pages were read")
    ]
    bare = of(labs=Source("labs", (), complete=False))
    assert ("labs", "partial", "only part of the list was received") in gaps(bare)
    assert bare.incomplete == {"labs"}


def test_an_entry_that_could_not_be_decoded_leaves_a_gap():
    spoilt = Source("labs", (), dropped=(Dropped("prefetch[0].entry[3]", "Observation", "not valid JSON"),))
    found = of(labs=spoilt)
    assert ("labs", "unreadable", "an entry could not be read (not valid JSON)") in gaps(found)
    assert "labs" in found.incomplete


@pytest.mark.parametrize(
    ("failure", "origin", "resources", "known_none"),
    [
        (FailureReason.NOT_FOUND, "fhir", (), False),
        (FailureReason.NOT_FOUND, "prefetch", (), True),
        (FailureReason.NOT_FOUND, "fhir", decoded([condition("Z99.2")]), True),
        (FailureReason.NOT_PERMITTED, "fhir", (), True),
    ],
)
def test_F4_a_server_that_does_not_know_the_patient_proves_no_absence(failure, origin, resources, known_none):
    found = of(
        patient=Source("patient", None, failure, origin="fhir"),
        conditions=Source("conditions", resources, origin=origin),
    )
    assert ("conditions" not in found.incomplete) is known_none


def test_a_call_that_asks_for_no_patient_doubts_nothing():
    assert of(patient=None, conditions=Source("conditions", (), origin="fhir")).incomplete == frozenset()


def test_the_patient():
    assert (facts().patient.gender, str(facts().patient.birth)) == ("male", "4 May 1960")
    vague = facts(patient={"resourceType": "Patient", "id": "p1"})
    assert (vague.patient.birth, vague.patient.gender) == (None, None)
    unread = facts(unreadable=["patient"])
    assert (unread.patient, unread.failures["patient"]) == (None, "not permitted")
    numbered = {"resourceType": "Patient", "id": 7}
    assert NORMALISER.facts(
        {"patient": Source("patient", decoded([numbered]))}, (), shelve(()), Setting(NOW, UTC, "x", "7")
    ).patient


def test_resources_of_other_types_are_passed_over():
    found = facts(conditions=[calcium(9.6), condition("Z99.2")], labs=[condition("Z99.2")])
    assert (len(found.problems), found.labs) == (1, {})


def test_vitals_and_labs_are_read_together():
    assert set(facts(labs=[calcium(9.6)], vitals=[calcium(9.9, days=2)]).labs) == {"calcium"}
    assert len(facts(labs=[calcium(9.6)], vitals=[calcium(9.9, days=2)]).labs["calcium"]) == 2


# --- procedures ---------------------------------------------------------------------------------------

HAEMODIALYSIS = "302497006"


@pytest.mark.parametrize(
    ("fields", "kept"),
    [
        ({"status": "completed"}, True),
        ({"status": "in-progress"}, True),
        ({"status": "stopped"}, True),
        ({"status": "unknown"}, True),
        ({"status": None}, True),
        ({"status": "not-done"}, False),
        ({"status": "Entered-in-error "}, False),
        ({"status": "aborted"}, False),  # STU3
        ({"status": "preparation"}, False),  # has not begun
        ({"doNotPerform": True}, False),
    ],
)
def test_F12_which_procedures_were_done(fields, kept):
    assert len(facts(procedures=[procedure(HAEMODIALYSIS, **fields)]).procedures) == kept


@pytest.mark.parametrize(
    ("fields", "when"),
    [
        ({"performedDateTime": "2026-11-02"}, "2 Nov 2026"),
        ({"performedPeriod": {"start": "2026-11-02T08:00:00Z"}}, "2 Nov 2026"),
        ({"performedPeriod": {"end": "2026-11-02"}}, "None"),
        ({"occurrenceDateTime": "2026-11-02"}, "2 Nov 2026"),  # R5
        ({"occurrencePeriod": {"start": "2026-11-02"}}, "2 Nov 2026"),
        ({}, "None"),
    ],
)
def test_when_a_procedure_was_done(fields, when):
    one = procedure(HAEMODIALYSIS, **({"performedDateTime": None} | fields))
    assert str(facts(procedures=[one]).procedures[0].when) == when


def test_what_a_procedure_says():
    thigh = {"coding": [{"system": SNOMED, "code": "68367000"}]}
    (one,) = facts(
        procedures=[
            procedure(
                None,
                text="Parathyroidectomy, total",
                bodySite=[thigh],
                reasonCode=[concept("N18.6", ICD10CM)],
                priority="urgent",
            )
        ]
    ).procedures
    assert "parathyroidectomy" in one.sets
    assert "end-stage-renal-disease" in one.reasons
    assert (one.label, one.texts, one.priority) == (
        "Parathyroidectomy, total",
        ("Parathyroidectomy, total",),
        "urgent",
    )
    (nameless,) = facts(procedures=[procedure()]).procedures
    assert (nameless.label, nameless.sets, nameless.status) == ("procedure", frozenset(), "completed")


# --- encounters ---------------------------------------------------------------------------------------


def test_encounters():
    care = concept("Z49.31", ICD10CM)
    found = facts(
        encounters=[
            encounter(id="r4", type=[care], disposition="hosp", ended=1),
            encounter(id="object", type=care),  # Epic sends an object
            encounter(id="text", type="dialysis", reasonCode=[care]),
            encounter(id="r5", period=None, actualPeriod={"start": "2026-11-02"}),
            encounter(id="r5a", admission={"dischargeDisposition": concept("exp", "x")}, status=None),
            encounter(id="bare", period=None, hospitalization={}),
            encounter(id="gone", status="cancelled"),
            encounter(id="wrong", status="entered-in-error"),
        ]
    ).encounters
    by_id = {item.source.removeprefix("Encounter/"): item for item in found}
    assert set(by_id) == {"r4", "object", "text", "r5", "r5a", "bare"}
    assert all("dialysis-care-encounter" in by_id[key].sets for key in ("r4", "object", "text"))
    assert (str(by_id["r4"].ended), by_id["r4"].disposition) == ("14 Nov 2026", "hosp")
    assert (str(by_id["r5"].started), by_id["r5a"].disposition) == ("2 Nov 2026", "exp")
    assert (by_id["r5a"].status, by_id["bare"].started) == ("unknown", None)


# --- requests and orders ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "listed"),
    [
        ({"status": "active"}, True),
        ({"status": "draft"}, True),
        ({"status": "completed"}, True),
        ({"status": "on-hold"}, True),
        ({"status": None}, True),
        ({"status": "revoked"}, False),
        ({"status": "entered-in-error"}, False),
        ({"status": "active", "doNotPerform": True}, False),
    ],
)
def test_which_earlier_requests_are_known(fields, listed):
    assert len(facts(requests=[service_request("17861-6", **fields)]).requests) == listed


def test_the_orders_being_signed_are_no_earlier_requests():
    draft = service_request("17861-6", status="draft", id="s9")
    assert facts(requests=[draft, service_request("17861-6")], drafts=[draft], hook="order-sign").requests[
        0
    ].source != ("ServiceRequest/s9")


@pytest.mark.parametrize(
    ("fields", "when"),
    [
        ({"authoredOn": "2026-11-02"}, "2 Nov 2026"),
        ({"authoredOn": None, "occurrenceDateTime": "2026-11-03"}, "3 Nov 2026"),
        ({"authoredOn": None}, "None"),
    ],
)
def test_when_a_request_was_made(fields, when):
    assert str(facts(requests=[service_request("17861-6", **fields)]).requests[0].when) == when


def test_F26_the_orders_of_a_call():
    detail = concept("276272002", SNOMED)
    drafts = [
        medicine("warfarin", id="m"),
        medicine("no such drug", id="u"),
        service_request(None, text="Skin biopsy", id="s", orderDetail=[detail]),
        service_request(None, text="Skin biopsy", id="stu3") | {"resourceType": "ProcedureRequest"},
        {"resourceType": "Appointment", "id": "a"},
        {"resourceType": "NutritionOrder", "id": "n"},
    ]
    reader = NORMALISER.reader(shelve(()), UTC)
    found = read_orders(decoded(drafts), reader, TERMINOLOGY, UTC, renewal=False)
    assert [order.reference for order in found.orders] == [
        "MedicationRequest/m",
        "MedicationRequest/u",
        "ServiceRequest/s",
        "ProcedureRequest/stu3",
    ]
    assert found.unclassified == ("MedicationRequest/u",)
    assert [order.name for order in found.orders] == [
        "warfarin",
        "no such drug",
        "Skin biopsy",
        "Skin biopsy",
    ]
    assert {"skin-biopsy"} <= found.orders[2].sets
    assert not any(order.renewal for order in found.orders)
    again = read_orders(decoded(drafts[:1]), reader, TERMINOLOGY, UTC, renewal=True)
    assert again.orders[0].renewal


def test_F22_an_order_without_a_drug_is_no_error():
    empty = {"resourceType": "MedicationRequest", "id": "m", "status": "draft"}
    (order,) = facts(drafts=[empty], hook="order-select").orders
    assert (order.name, order.sets, order.medication.basis) == ("unnamed medicine", frozenset(), "none")


def test_an_order_that_is_neither_medicine_nor_procedure_has_no_sets():
    assert (Order("Task/1").sets, Order("Task/1").name) == (frozenset(), "order")
    assert DailyDose(1, "mg", "1 mg").unit == "mg"


def test_records_read_from_the_same_words_are_equal():
    """Also where a part of them is read only when somebody asks."""
    conditions, medications = (
        [condition("N18.6", id="c")],
        [medicine(id="m"), medicine(id="m", intent="plan")],
    )
    one, other = (facts(conditions=conditions, medications=medications) for _ in range(2))
    assert one.problems == other.problems
    assert one.medications == other.medications
    assert len({*one.problems, *other.problems}) == 1
    (begun,) = (problem.begun for problem in one.problems)
    assert begun != begun.onset
