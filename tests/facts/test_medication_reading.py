"""Which drug an order names, in every shape it arrives, and how it bears on today (F21, F24, F26)."""

from datetime import UTC

import pytest
from support.facts import (
    ICD10CM,
    RXNORM,
    TERMINOLOGY,
    concept,
    decoded,
    dose,
    facts,
    medicine,
)

from cds_service.facts import medications
from cds_service.facts.medications import MedicationReader, MedicationShelf, shelve, unresolved_reference
from cds_service.facts.model import MedicationState

ATC = "http://www.whocc.no/atc"
DRUGS = {
    "warfarin": ("11289", "B01AA03"),
    "calcitriol": ("1894", "A11CC04"),
}


def bare(**fields):
    order = medicine() | fields
    return (
        order
        if "medicationCodeableConcept" in fields
        else {k: v for k, v in order.items() if k != "medicationCodeableConcept"}
    )


def read(*listed, siblings=()):
    return facts(medications=listed, siblings=siblings).medications


def medication(ident="m1", code=None, **fields):
    return {"resourceType": "Medication", "id": ident} | ({"code": code} if code else {}) | fields


def shapes(drug):
    """Every way in which one drug is named (F21, F26): fields of the order, and what came beside it."""
    rxnorm, atc = DRUGS[drug]
    coded = concept(rxnorm, RXNORM)
    ingredient = [{"itemCodeableConcept": coded}]
    urn = "urn:uuid:0a1b"
    local = concept("123", "urn:local", "HOUSE BRAND")
    several = {"coding": [{"system": "urn:local", "code": "1"}, {"system": ATC, "code": atc}]}
    return {
        "CodeableConcept": ({"medicationCodeableConcept": coded}, ()),
        "OID system": ({"medicationCodeableConcept": concept(rxnorm, "urn:oid:2.16.840.1.113883.6.88")}, ()),
        "code as a number": ({"medicationCodeableConcept": concept(int(rxnorm), RXNORM)}, ()),
        "several codings": ({"medicationCodeableConcept": several}, ()),
        "ATC": ({"medicationCodeableConcept": concept(atc, ATC)}, ()),
        "contained": (
            {"medicationReference": {"reference": "#m"}, "contained": [medication("m", coded)]},
            (),
        ),
        "contained, without the #": (
            {"medicationReference": {"reference": "Medication/m"}, "contained": [medication("m", coded)]},
            (),
        ),
        "sibling by id": (
            {"medicationReference": {"reference": "Medication/m1"}},
            [(medication("m1", coded), None)],
        ),
        "sibling by versioned id": (
            {"medicationReference": {"reference": "Medication/m1/_history/2"}},
            [(medication("m1", coded), None)],
        ),
        "sibling by absolute URL": (
            {"medicationReference": {"reference": "https://ehr.example/fhir/Medication/m1"}},
            [(medication("m1", coded), None)],
        ),
        "sibling by full URL": (
            {"medicationReference": {"reference": urn}},
            [(medication("m1", coded), urn)],
        ),
        "R5 concept": ({"medication": {"concept": coded}}, ()),
        "R5 reference": (
            {"medication": {"reference": {"reference": "Medication/m1"}}},
            [(medication("m1", coded), None)],
        ),
        "ingredient": (
            {
                "medicationReference": {"reference": "#m"},
                "contained": [medication("m", ingredient=ingredient)],
            },
            (),
        ),
        "ingredient under a local code": (
            {
                "medicationReference": {"reference": "#m"},
                "contained": [medication("m", local, ingredient=[{}, *ingredient])],
            },
            (),
        ),
        "R5 ingredient": (
            {
                "medicationReference": {"reference": "#m"},
                "contained": [medication("m", ingredient=[{"item": {"concept": coded}}])],
            },
            (),
        ),
    }


@pytest.mark.parametrize("drug", DRUGS)
@pytest.mark.parametrize("shape", shapes("warfarin"))
def test_F21_the_drug_is_recognised_by_code_in_every_shape(drug, shape):
    fields, siblings = shapes(drug)[shape]
    (found,) = read(bare(**fields), siblings=siblings)
    assert (found.name, found.basis) == (drug, "code")
    (order,) = facts(drafts=[bare(**fields)], hook="order-sign", siblings=siblings).orders
    assert (order.name, order.medication.state) == (drug, MedicationState.DRAFT)


@pytest.mark.parametrize(
    "fields",
    [
        {"medicationCodeableConcept": {"text": "Warfarin 5 mg tablet"}},
        {"medicationCodeableConcept": {"coding": [{"display": "WARFARIN SODIUM 5 MG"}]}},
        {"medicationReference": {"display": "Coumadin 5 mg"}},
        {"medicationReference": {"reference": "Medication/remote", "display": "warfarin"}},
        {"medication": {"concept": {"text": "warfarin"}}},
        {
            "medicationReference": {"reference": "#m"},
            "contained": [
                medication("m", {"text": "W"}, ingredient=[{"itemCodeableConcept": {"text": "warfarin"}}])
            ],
        },
    ],
)
def test_F21_words_alone_are_matched_by_name_and_say_so(fields):
    (found,) = read(bare(**fields))
    assert (found.name, found.basis, found.coded) == ("warfarin", "name", False)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("calcium channel blocker", "calcium channel blocker"),
        ("warfarin clinic referral", "warfarin clinic referral"),
        ("calcium polystyrene sulfonate", "calcium polystyrene sulfonate"),
        ("apixaban 2.5 mg", "apixaban"),
        ("lisinopril", "lisinopril"),
    ],
)
def test_no_drug_is_found_inside_other_words(text, name):
    (found,) = read(medicine(text))
    assert found.name == name
    assert not found.sets & {"warfarin", "calcium-carbonate", "calcium-unspecified"}


def test_a_reference_that_leads_nowhere_is_no_drug_and_the_list_is_incomplete():
    found = facts(
        medications=[bare(medicationReference={"reference": "Medication/gone"}), medicine("warfarin")]
    )
    assert [item.name for item in found.medications] == ["warfarin"]
    assert "medications" in found.incomplete


def test_a_contained_drug_is_never_taken_for_another_orders_drug():
    other = medicine("ASA", contained=[medication("m1", concept("11289", RXNORM))])
    mine = bare(medicationReference={"reference": "Medication/m1", "display": "aspirin"})
    assert [item.basis for item in read(other, mine)] == ["none", "none"]


@pytest.mark.parametrize(
    ("fields", "siblings", "wanted"),
    [
        ({"medicationCodeableConcept": concept("1", RXNORM)}, (), None),
        ({}, (), None),
        ({"medicationReference": {"display": "warfarin"}}, (), None),
        ({"medicationReference": {"reference": "Medication/m1"}}, (), "Medication/m1"),
        ({"medicationReference": {"reference": "Medication/m1"}}, [(medication("m1"), None)], None),
        ({"medicationReference": {"reference": "#m1"}}, (), None),
        ({"medication": {"reference": {"reference": "Medication/m1"}}}, (), "Medication/m1"),
    ],
)
def test_which_medications_have_to_be_read(fields, siblings, wanted):
    (order,) = decoded([bare(**fields)])
    shelf = shelve((decoded([resource])[0], url) for resource, url in siblings)
    assert unresolved_reference(order, shelf) == wanted


def test_only_medications_are_kept_on_the_shelf():
    shelf = MedicationShelf()
    nameless, other = decoded([{"resourceType": "Medication"}, {"resourceType": "Patient", "id": "m1"}])
    shelf.add(nameless)
    shelf.add(other, "urn:uuid:1")
    (owner,) = decoded([bare()])
    assert shelf.find("Medication/m1", owner) is None
    assert shelf.find("urn:uuid:1", owner) is None


def test_a_job_over_many_patients_keeps_what_wordings_mean_within_bounds(monkeypatch):
    """A call keeps none: words of an order could hold a name."""
    monkeypatch.setattr(medications, "_MOST_DRUGS", 2)
    listed = decoded(
        [medicine(name) for name in ("warfarin", "calcitriol", "warfarin", "apixaban", "aspirin")]
    )
    known = {}
    one, other = (
        MedicationReader(TERMINOLOGY, shelve(()), UTC, drugs).listed(listed)[0] for drugs in (known, None)
    )
    assert one == other
    assert len(known) <= 2


# --- status -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "state"),
    [
        ({"status": "active"}, "active"),
        ({"status": "Active "}, "active"),
        ({"status": None}, "active"),
        ({"status": "active", "reportedBoolean": True}, "active"),
        ({"status": "on-hold"}, "on hold"),
        ({"status": "completed"}, "ended"),
        ({"status": "stopped"}, "ended"),
        ({"status": "ended"}, "ended"),  # R5
        ({"status": "cancelled"}, None),
        ({"status": "entered-in-error"}, None),
        ({"status": "draft"}, None),
        ({"status": "active", "doNotPerform": True}, None),
        ({"status": "active", "intent": "proposal"}, None),
        ({"status": "active", "intent": "plan"}, "active"),
    ],
)
def test_F12_what_counts_as_being_on_the_list(fields, state):
    assert [item.state.value for item in read(medicine("warfarin", **fields))] == ([state] if state else [])


@pytest.mark.parametrize("status", ["unknown", "dispensed"])
def test_F12_a_status_that_says_nothing_leaves_the_list_incomplete(status):
    found = facts(medications=[medicine("warfarin", status=status)])
    assert (found.medications, found.incomplete) == ((), frozenset({"medications"}))
    assert [(gap.source, gap.kind) for gap in found.gaps] == [("medications", "status")]


@pytest.mark.parametrize(
    ("fields", "stopped"),
    [
        ({}, False),
        ({"status": "draft"}, False),
        ({"status": "active"}, False),
        ({"status": "cancelled"}, True),
        ({"status": "stopped"}, True),
        ({"status": "completed"}, True),
        ({"status": "entered-in-error"}, True),
        ({"status": "revoked"}, True),
        ({"doNotPerform": True}, True),
        ({"dosageInstruction": [{"text": "5 mg daily, TAPER OFF over 2 weeks"}]}, True),
        ({"dosageInstruction": [{"patientInstruction": "taper to stop"}]}, True),
        ({"dosageInstruction": [{"text": "wean off"}]}, True),
        ({"dosageInstruction": [{"text": "5 mg daily for 3 months, then stop"}]}, False),
        ({"dosageInstruction": [{"text": "taper to 5 mg"}]}, False),
        ({"dosageInstruction": [{}]}, False),
        ({"dosageInstruction": {"text": "tapering off"}}, True),  # illegal, but sent: an object
    ],
)
def test_F24_an_order_that_ends_treatment_is_a_stop(fields, stopped):
    draft = medicine("warfarin", **({"status": "draft"} | fields))
    (order,) = facts(drafts=[draft], hook="order-sign").orders
    assert order.medication.stopped is stopped


def test_a_taper_on_the_list_is_still_being_taken():
    (found,) = read(medicine("warfarin", dosageInstruction=[{"text": "taper off"}]))
    assert not found.stopped


# --- dates --------------------------------------------------------------------------------------------

PERIOD = {"timing": {"repeat": {"boundsPeriod": {"start": "2026-10-01", "end": "2026-10-20"}}}}


@pytest.mark.parametrize(
    ("fields", "started", "ended"),
    [
        ({}, "29 Apr 2026", "29 Apr 2026"),
        ({"dosageInstruction": [PERIOD]}, "1 Oct 2026", "20 Oct 2026"),
        ({"dosageInstruction": [{}, {"timing": {}}, PERIOD]}, "1 Oct 2026", "20 Oct 2026"),
        ({"dispenseRequest": {"validityPeriod": {"end": "2026-10-30"}}}, "29 Apr 2026", "30 Oct 2026"),
        (
            {
                "dosageInstruction": [PERIOD],
                "dispenseRequest": {"validityPeriod": {"end": "2026-10-30"}},
            },
            "1 Oct 2026",
            "30 Oct 2026",
        ),
        ({"dispenseRequest": {}}, "29 Apr 2026", "29 Apr 2026"),
        (
            {"dosageInstruction": [{"timing": {"repeat": {"boundsPeriod": {"end": "2026-10-20"}}}}]},
            "29 Apr 2026",
            "20 Oct 2026",
        ),
        ({"authoredOn": None}, "None", "None"),
    ],
)
def test_when_it_was_started_and_when_it_ended(fields, started, ended):
    (found,) = read(medicine("warfarin", status="stopped", **fields))
    assert (str(found.started), str(found.ended)) == (started, ended)
    (active,) = read(medicine("warfarin", **fields))
    assert active.ended is None


@pytest.mark.parametrize(
    ("prior", "kept"),
    [
        (None, None),
        ({}, None),
        ({"identifier": {"value": "7"}}, None),
        ({"reference": "MedicationRequest/7"}, "MedicationRequest/7"),
        ({"reference": "MedicationRequest/7/_history/2"}, "MedicationRequest/7"),
        ({"reference": "https://ehr.example/fhir/MedicationRequest/7"}, "MedicationRequest/7"),
        ({"reference": "Medication/7"}, None),
    ],
)
def test_F24_the_order_it_replaces(prior, kept):
    (found,) = read(medicine("warfarin", priorPrescription=prior))
    assert found.prior == kept


def test_coded_reasons_in_r4_and_r5():
    valve, fibrillation = concept("Z95.2", ICD10CM), concept("I48.91", ICD10CM)
    (r4, r5, single) = read(
        medicine("warfarin", reasonCode=[valve, fibrillation]),
        medicine("warfarin", reason=[{"concept": valve}, {"concept": fibrillation}]),
        medicine("warfarin", reason={"concept": valve}, reasonCode=fibrillation),
    )
    assert r4.reasons == r5.reasons == single.reasons
    assert {"prosthetic-heart-valve-type-not-coded", "atrial-fibrillation"} <= r4.reasons


def test_the_product_and_dose_come_from_our_own_lists():
    (found,) = read(medicine(rxnorm="197433", dosageInstruction=[dose(2, "{tbl}", 3)]))
    assert (found.name, found.product) == ("calcium acetate", "calcium acetate 667 MG Oral Tablet")
    assert (found.daily_dose.amount, found.dose_given) == (4002, True)
    (unknown,) = read(medicine("unheard of", dosageInstruction=[dose(2)]))
    assert (unknown.daily_dose, unknown.dose_given, unknown.basis) == (None, True, "none")
