"""Missing mineral labs and whether they are ordered (rule 7); what the shared gap cards ask; thresholds."""

from decimal import Decimal

import pytest
from support.facts import (
    ADULT,
    LOINC,
    SNOMED,
    calcium,
    facts,
    lab,
    minerals,
    phosphate,
    pth,
    service_request,
)

from cds_service.rules.answer import Answer
from hooks import thresholds
from hooks.case_features.readable import AgeNotRecorded, ProblemListUnreadable
from hooks.case_features.requested import MineralLabsRequested
from hooks.labs_missing import LabsMissing, missing_labs
from hooks.thresholds import ALL, SITE_BOUNDS, T1, T3, T5, T10, limit

MET, NOT_MET = Answer.MET, Answer.NOT_MET


def missing(*labs, **call):
    return [item.short for item in facts(labs=labs, **call).feature(missing_labs)]


@pytest.mark.parametrize(
    ("labs", "expected"),
    [
        (minerals(), []),
        ([], ["Ca", "P", "albumin", "PTH"]),
        (minerals(days=90), []),
        (minerals(days=91), ["Ca", "P", "albumin"]),
        (minerals(days=180), ["Ca", "P", "albumin"]),
        (minerals(days=181), ["Ca", "P", "albumin", "PTH"]),
        (minerals()[1:], ["Ca"]),
        ([*minerals()[1:], calcium(9, "mg%")], ["Ca"]),
        ([*minerals()[1:], calcium(2.3)], ["Ca"]),
        ([*minerals()[1:], calcium(9, status="preliminary")], ["Ca"]),
        ([*minerals()[1:], calcium(None, status="registered")], ["Ca"]),
        ([lab("46099-8", 9.6, "mg/dL"), phosphate(5), pth(300)], []),  # adjusted: stands for both
    ],
)
def test_which_mineral_labs_are_missing(labs, expected):
    assert missing(*labs) == expected


@pytest.mark.parametrize(
    ("labs", "why"),
    [
        ([], "no result"),
        (
            [calcium(9.2, days=100)],
            "last result 9.2 mg/dL; last result 7 Aug 2026 is out of date",
        ),
        (
            [calcium(9.2, status="preliminary")],
            "last result 9.2 mg/dL; result of 10 Nov 2026 is preliminary",
        ),
        (
            [calcium(2.3)],
            "last result 2.3 mg/dL; result of 10 Nov 2026 not usable: implausible value ignored",
        ),
        (
            [calcium(9.2, note=[{"text": "post-dialysis"}])],
            "only results that do not count (drawn during or after dialysis)",
        ),
    ],
)
def test_why_each_is_missing(labs, why):
    assert facts(labs=labs).feature(missing_labs)[0].why == why


def test_labs_that_could_not_be_read_are_missing():
    call = facts(unreadable=["labs"])
    assert [item.short for item in call.feature(missing_labs)] == ["Ca", "P", "albumin", "PTH"]
    assert call.feature(missing_labs)[0].why == "laboratory results not readable (not permitted)"


def test_the_criterion_asks_for_some_of_them():
    call = facts(labs=minerals()[:3])
    pth_only = LabsMissing(("PTH",)).evaluate(call)
    assert (pth_only.answer, pth_only.because) == (MET, "PTH: no result")
    assert LabsMissing(("Ca", "P")).evaluate(call).because == "usable results are on record"
    assert LabsMissing(("Ca", "P")).text == "no usable Ca or P (90 days; PTH 180 days)"


# --- already ordered? ---------------------------------------------------------------------------------

CA, P, ALBUMIN, PTH, PANEL, PTH_PANEL = "17861-6", "2777-1", "1751-7", "2731-8", "24323-8", "24346-9"


def asked(*codes, **fields):
    return [service_request(code, LOINC, **fields) for code in codes]


def requested(labs=(), requests=(), drafts=(), **call):
    found = facts(labs=labs, requests=requests, drafts=drafts, hook="order-sign", **call)
    return MineralLabsRequested().evaluate(found)


@pytest.mark.parametrize(
    ("labs", "requests", "answer"),
    [
        ([], asked(CA, P, ALBUMIN, PTH), MET),
        ([], asked(PANEL, P, PTH), MET),
        ([], asked(PTH_PANEL, P, ALBUMIN), MET),
        ([], [*asked(P, PTH), service_request("71878006", SNOMED), service_request("26758005", SNOMED)], MET),
        ([], asked(CA, P, ALBUMIN), NOT_MET),
        (minerals()[1:], asked(CA), MET),
        (minerals()[1:], asked(P), NOT_MET),
        (minerals()[1:], asked(CA, status="draft"), MET),
        (minerals()[1:], asked(CA, status="on-hold"), MET),
        (minerals()[1:], asked(CA, status="completed"), NOT_MET),
        (minerals()[1:], asked(CA, status="revoked"), NOT_MET),
        (minerals()[1:], asked(CA, days=90), MET),
        (minerals()[1:], asked(CA, days=91), NOT_MET),
        (minerals()[1:], asked(CA, authoredOn=None), MET),
        (minerals()[1:], asked(CA, doNotPerform=True), NOT_MET),
        (minerals(), [], MET),
    ],
)
def test_the_missing_labs_are_already_ordered(labs, requests, answer):
    assert requested(labs, requests).answer is answer


@pytest.mark.parametrize(
    ("fields", "answer"),
    [
        ({"status": "draft"}, MET),
        ({"status": "active"}, MET),
        ({"status": "revoked"}, NOT_MET),
        ({"status": "draft", "doNotPerform": True}, NOT_MET),
    ],
)
def test_a_lab_among_the_orders_being_signed_counts(fields, answer):
    assert requested(minerals()[1:], drafts=asked(CA, **fields)).answer is answer


def test_earlier_orders_that_are_not_readable_do_not_silence():
    finding = requested(unreadable=["requests"])
    assert (finding.answer, finding.because) == (
        NOT_MET,
        "not known to be ordered: Ca, P, albumin, PTH; earlier orders not readable",
    )
    assert requested().because == "not ordered: Ca, P, albumin, PTH"


# --- readable? ----------------------------------------------------------------------------------------


def test_the_problem_list():
    unread = ProblemListUnreadable().evaluate(facts(unreadable=["conditions"]))
    assert (unread.answer, unread.because) == (MET, "not permitted")
    assert ProblemListUnreadable().evaluate(facts()).answer is NOT_MET


@pytest.mark.parametrize(
    ("patient", "answer"),
    [
        (ADULT, NOT_MET),
        (ADULT | {"birthDate": "2020-01-01"}, NOT_MET),
        (ADULT | {"birthDate": None}, MET),
        (ADULT | {"birthDate": "2008"}, MET),
        (None, MET),
    ],
)
def test_the_age(patient, answer):
    assert AgeNotRecorded().evaluate(facts(patient=patient)).answer is answer


# --- thresholds ---------------------------------------------------------------------------------------


def test_every_threshold_as_its_sheet_prints_it():
    assert [(item.id, item.text) for item in (each.threshold for each in ALL)][:7] == [
        ("T1", "at least 55 mg2/dL2"),
        ("T2", "above 70 mg2/dL2"),
        ("T3", "above 10.2 mg/dL"),
        ("T4", "below 8.4 mg/dL"),
        ("T5", "above 5.5 mg/dL"),
        ("T6", "above 9 x ULN"),
        ("T6", "above 600 pg/mL (no ULN given)"),
    ]
    assert all(each.source and each.at_equality for each in ALL)


@pytest.mark.parametrize(
    ("threshold", "site", "value"),
    [
        (T1, {}, "55"),
        (T1, {"ca_x_p_high": "60"}, "60"),
        (T1, {"ca_x_p_high": Decimal(60)}, "60"),
        (T3, {"calcium_high": 10.5}, "10.5"),
        (T10, {"binder_calcium_mg": 1200}, "1200"),
        (T5, {"T5": "9"}, "5.5"),  # not the site's to set
    ],
)
def test_the_value_in_force(threshold, site, value):
    assert limit(facts(site=site), threshold) == Decimal(value)


def test_every_site_setting_has_bounds_that_hold_its_default():
    settable = [each for each in ALL if each.setting]
    assert {each.setting for each in settable} == set(SITE_BOUNDS)
    for each in settable:
        assert each.bounds[0] <= each.value <= each.bounds[1]
    assert SITE_BOUNDS["ca_x_p_high"] == ("40", "70")


def test_the_numbers_are_those_of_the_clinical_document():
    wanted = {
        "T1": 55, "T2": 70, "T3": "10.2", "T4": "8.4", "T5": "5.5", "T6": 9, "T6_ABSOLUTE": 600, "T7": 2,
        "T7_ABSOLUTE": 150, "T8": "3.5", "T8_VERY": "3.0", "T9": 30, "T10": 1500, "T11": "0.5", "T12": 300,
        "T13": 75, "T14_BICARBONATE": 18, "T14_ANION_GAP": 20, "T14_SODIUM": 145,
    }  # fmt: skip
    assert {name: getattr(thresholds, name).value for name in wanted} == {
        name: Decimal(value) for name, value in wanted.items()
    }
