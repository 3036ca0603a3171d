"""Vitamin K antagonists: new start or renewal, mandatory indications, acknowledged use."""

import pytest
from support.facts import SNOMED, ago, condition, facts, medicine, service_request

from cds_service.rules.answer import Answer
from hooks.case_features.anticoagulation import (
    AcknowledgedVka,
    CurrentMedicinesUnreadable,
    MandatoryVka,
    NewVkaStart,
    ValveTypeNotCoded,
    VkaRenewal,
    mandatory_indications,
)

MET, NOT_MET, UNKNOWN = Answer.MET, Answer.NOT_MET, Answer.UNKNOWN


def ordering(*listed, hook="order-sign", prior=None, **lists):
    draft = medicine("warfarin", status="draft", id="new", priorPrescription=prior and {"reference": prior})
    return facts(drafts=[draft], hook=hook, medications=listed, **lists)


def renewal(*listed, **more):
    call = ordering(*listed, **more)
    return VkaRenewal().evaluate(call).answer, NewVkaStart().evaluate(call).answer


@pytest.mark.parametrize(
    ("listed", "is_renewal"),
    [
        ([], False),
        ([medicine("warfarin")], True),
        ([medicine("warfarin", status="on-hold")], True),
        ([medicine("phenprocoumon")], True),
        ([medicine("apixaban")], False),
        ([medicine("warfarin", status="stopped", authoredOn=ago(90))], True),
        ([medicine("warfarin", status="completed", authoredOn=ago(90))], True),
        ([medicine("warfarin", status="stopped", authoredOn=ago(91))], False),
        ([medicine("warfarin", status="stopped", authoredOn=None)], False),
        ([medicine("warfarin", status="cancelled")], False),
        ([medicine("warfarin", status="active", id="new")], False),  # the draft itself
    ],
)
def test_F24_new_start_or_renewal(listed, is_renewal):
    assert renewal(*listed) == ((MET, NOT_MET) if is_renewal else (NOT_MET, MET))


@pytest.mark.parametrize(
    ("prior", "listed", "is_renewal"),
    [
        ("MedicationRequest/w", [medicine("warfarin", status="stopped", authoredOn=ago(200), id="w")], True),
        ("MedicationRequest/a", [medicine("apixaban", status="stopped", id="a")], False),
        ("MedicationRequest/a/_history/3", [medicine("apixaban", status="stopped", id="a")], False),
        ("https://ehr.example/MedicationRequest/a", [medicine("apixaban", status="stopped", id="a")], False),
        ("MedicationRequest/1", [medicine("apixaban", id="11")], True),  # not on the list: taken at its word
    ],
)
def test_F24_an_order_that_replaces_a_vka_is_a_renewal(prior, listed, is_renewal):
    assert renewal(*listed, prior=prior)[0] is (MET if is_renewal else NOT_MET)


def test_every_refill_is_a_renewal():
    assert renewal(hook="medication-refill") == (MET, NOT_MET)


@pytest.mark.parametrize("how", ["unreadable", "incomplete"])
def test_with_the_list_unreadable_it_is_treated_as_a_start(how):
    assert renewal(**{how: ["medications"]}) == (UNKNOWN, MET)
    assert CurrentMedicinesUnreadable().evaluate(ordering(**{how: ["medications"]})).answer is MET
    assert CurrentMedicinesUnreadable().evaluate(ordering()).answer is NOT_MET


def test_without_a_drug_order_the_list_decides():
    listed = [medicine("warfarin")]
    assert VkaRenewal().evaluate(facts(medications=listed)).answer is MET
    biopsy = facts(medications=listed, drafts=[service_request(text="skin biopsy")], hook="order-sign")
    assert VkaRenewal().evaluate(biopsy).answer is MET


# --- mandatory indications ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "name", "untyped"),
    [
        (condition("699347000", SNOMED), "mechanical heart valve", False),
        (condition("Z95.2"), "prosthetic heart valve (type not coded)", True),
        (condition("275035006", SNOMED), "prosthetic heart valve (type not coded)", True),
        (condition("D68.61"), "antiphospholipid syndrome", False),
        (condition("26843008", SNOMED), "antiphospholipid syndrome", False),
        (condition("I05.0"), "moderate-severe or rheumatic mitral stenosis", False),
        (condition("I05.2"), "moderate-severe or rheumatic mitral stenosis", False),
        (condition("Z95.811"), "left ventricular assist device", False),
    ],
)
def test_indications_that_need_a_vka(one, name, untyped):
    call = facts(conditions=[one])
    assert [item.name for item in mandatory_indications(call)] == [name]
    assert MandatoryVka().evaluate(call).answer is MET
    assert ValveTypeNotCoded().evaluate(call).answer is (MET if untyped else NOT_MET)


@pytest.mark.parametrize(
    "one",
    [
        condition("Z95.3"),  # xenogenic valve
        condition("I48.91"),
        condition("Z95.2", clinical="resolved"),
        condition("D68.61", verification="refuted"),
        condition(text="mechanical mitral valve"),  # free text is not matched
        condition("I34.2"),
    ],
)
def test_indications_that_do_not(one):
    call = facts(conditions=[one])
    assert mandatory_indications(call) == ()
    assert MandatoryVka().evaluate(call).answer is NOT_MET
    assert ValveTypeNotCoded().evaluate(call).because == "no valve, or its type is coded"


def test_several_indications_come_in_a_fixed_order_each_once():
    call = facts(conditions=[condition("D68.61"), condition("Z95.2"), condition("D68.61")])
    found = mandatory_indications(call)
    assert [item.name for item in found] == [
        "prosthetic heart valve (type not coded)",
        "antiphospholipid syndrome",
    ]
    assert len(MandatoryVka().evaluate(call).sources) == 2


def test_when_the_problem_list_is_not_whole():
    none = MandatoryVka().evaluate(facts(unreadable=["conditions"]))
    assert (none.answer, none.optional) == (UNKNOWN, False)
    assert none.because == "problem list not readable: not permitted"
    part = MandatoryVka().evaluate(facts(incomplete=["conditions"]))
    assert (part.answer, part.optional) == (UNKNOWN, True)
    assert (
        MandatoryVka().evaluate(facts(conditions=[condition("Z95.2")], incomplete=["conditions"])).answer
        is MET
    )


# --- acknowledged use ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("listed", "answer"),
    [
        ([medicine("warfarin", authoredOn=ago(90))], MET),
        ([medicine("warfarin", authoredOn=ago(89))], NOT_MET),
        ([medicine("warfarin", authoredOn=None)], NOT_MET),
        ([medicine("warfarin", status="on-hold", authoredOn=ago(200))], NOT_MET),
        ([medicine("warfarin", status="stopped", authoredOn=ago(200))], NOT_MET),
        ([medicine("apixaban", authoredOn=ago(200))], NOT_MET),
        ([medicine("warfarin", authoredOn=ago(10)), medicine("warfarin", authoredOn=ago(200))], MET),
        ([], NOT_MET),
    ],
)
def test_a_vka_that_has_been_active_for_90_days(listed, answer):
    assert AcknowledgedVka().evaluate(ordering(*listed)).answer is answer


def test_it_can_be_switched_off_and_needs_a_readable_list():
    old = medicine("warfarin", authoredOn=ago(200))
    site = {"suppress_acknowledged_mandatory_vka": False}
    assert AcknowledgedVka().evaluate(ordering(old, site=site)).because == "switched off by the site"
    unread = AcknowledgedVka().evaluate(ordering(unreadable=["medications"]))
    assert unread.because == "current medicines not readable: acknowledged use cannot be shown"
