"""Conditions: what counts as active, as history, or as no problem at all."""

import pytest
from support.facts import ICD10CM, SNOMED, condition, facts


def read(*conditions):
    return facts(conditions=conditions).problems


def status(*codes, text=None):
    return {"coding": [{"code": code} for code in codes]} | ({"text": text} if text else {})


@pytest.mark.parametrize(
    ("changes", "active"),
    [
        ({}, True),
        ({"clinicalStatus": status("active")}, True),
        ({"clinicalStatus": status("recurrence")}, True),
        ({"clinicalStatus": status("relapse")}, True),
        ({"clinicalStatus": None}, True),
        ({"clinicalStatus": status()}, True),
        ({"clinicalStatus": status("inactive")}, False),
        ({"clinicalStatus": status("remission")}, False),
        ({"clinicalStatus": status("resolved")}, False),
        ({"clinicalStatus": status("Resolved")}, False),
        ({"clinicalStatus": status(text=" Resolved ")}, False),
        ({"clinicalStatus": "resolved"}, False),  # STU3
        ({"clinicalStatus": "active"}, True),
        ({"clinicalStatus": ""}, True),
        ({"clinicalStatus": status("3", "resolved")}, False),  # a local code stands first
        ({"clinicalStatus": status("3")}, True),
        ({"abatementDateTime": "2024-01-01"}, False),
        ({"abatementDateTime": "2027-01-01"}, True),  # a date in the future
        ({"abatementDateTime": "when he was young"}, True),
        ({"abatementPeriod": {"start": "2024-01-01"}}, False),
        ({"abatementPeriod": {"end": "2024-01-01"}}, False),
        ({"abatementPeriod": {}}, True),
        ({"abatementString": "as a child"}, False),
        ({"abatementBoolean": True}, False),
        ({"abatementBoolean": False}, True),
        ({"abatementAge": {"value": 50, "unit": "a"}}, False),
        ({"abatementRange": {"low": {"value": 50}}}, False),
    ],
)
def test_active_or_history(changes, active):
    sent = condition("N18.6") | changes
    (found,) = read({name: value for name, value in sent.items() if value is not None})
    assert found.active is active


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        (None, (None,)),
        (status("confirmed"), ("confirmed",)),
        (status("Unconfirmed"), ("unconfirmed",)),
        (status("provisional"), ("provisional",)),
        (status("differential"), ("differential",)),
        (status("unknown"), ("unknown",)),  # STU3
        (status("maybe"), ("unknown",)),
        (status(text="Provisional"), ("provisional",)),
        ("provisional", ("provisional",)),
        (status("refuted"), ()),
        (status("entered-in-error"), ()),
        ("entered-in-error", ()),
        (status("4", "refuted"), ()),
        (status("4", "entered-in-error"), ()),
    ],
)
def test_F12_verification(sent, kept):
    one = condition("N18.6") | ({"verificationStatus": sent} if sent else {})
    assert tuple(found.verification for found in read(one)) == kept


@pytest.mark.parametrize(
    ("code", "label", "coded"),
    [
        ({"coding": [{"system": ICD10CM, "code": "N18.6", "display": "ESRD"}]}, "ESRD (N18.6)", True),
        (
            {"coding": [{"system": ICD10CM, "code": "N18.6"}], "text": "ESRD, on HD"},
            "ESRD, on HD (N18.6)",
            True,
        ),
        ({"coding": [{"system": ICD10CM, "code": "N18.6"}]}, "End stage renal disease (N18.6)", True),
        (
            {
                "coding": [{"system": "urn:local", "code": "7"}, {"system": ICD10CM, "code": "N18.6"}],
                "text": "x",
            },
            "x (N18.6)",
            True,
        ),
        (
            {
                "coding": [
                    {"system": ICD10CM, "code": "N18.6", "display": "ESRD"},
                    {"system": SNOMED, "code": "46177005", "display": "End-stage renal disease"},
                ]
            },
            "ESRD (N18.6)",
            True,
        ),
        ({"coding": [{"system": "urn:local", "code": "7"}]}, "uncoded problem", True),
        ({"coding": [{"system": "urn:local", "display": "kidney"}]}, "kidney", True),
        ({"text": "kidneys"}, "kidneys", False),
        ({}, "uncoded problem", False),
        (None, "uncoded problem", False),
    ],
)
def test_how_a_problem_is_named_on_a_card(code, label, coded):
    (found,) = read(condition() | {"code": code})
    assert (found.label, found.coded) == (label, coded)


@pytest.mark.parametrize(
    ("fields", "onset", "since"),
    [
        ({"onsetDateTime": "2024-03-02", "recordedDate": "2024-05-01"}, "2 Mar 2024", "2 Mar 2024"),
        ({"onsetPeriod": {"start": "2024-03"}}, "Mar 2024", "Mar 2024"),
        ({"onsetPeriod": {"end": "2024-03"}}, "None", "None"),
        ({"recordedDate": "2024-05-01"}, "None", "1 May 2024"),
        ({"assertedDate": "2024-05-01"}, "None", "1 May 2024"),  # STU3
        ({"onsetString": "long ago"}, "None", "None"),
    ],
)
def test_since_when(fields, onset, since):
    (found,) = read(condition("N18.6", **fields))
    assert (str(found.onset), str(found.since)) == (onset, since)


@pytest.mark.parametrize(
    ("fields", "unreadable"),
    [
        ({}, False),
        ({"onsetDateTime": "2024-03-02"}, False),
        ({"onsetDateTime": "last spring"}, True),
        ({"onsetPeriod": {"start": "last spring"}}, True),
        ({"onsetDateTime": "2024-03-02", "recordedDate": "soon"}, True),
    ],
)
def test_F20_a_date_that_was_sent_and_cannot_be_read_is_not_the_same_as_none(fields, unreadable):
    (found,) = read(condition("N18.6", **fields))
    assert found.date_unreadable is unreadable


@pytest.mark.parametrize(
    ("code", "system", "expected"),
    [
        ("N18.6", ICD10CM, "end-stage-renal-disease"),
        ("N186", ICD10CM, "end-stage-renal-disease"),
        ("n18.6", ICD10CM, "end-stage-renal-disease"),
        ("N18.6", "urn:oid:2.16.840.1.113883.6.90", "end-stage-renal-disease"),
        ("46177005", SNOMED, "end-stage-renal-disease-snomed"),
        (46177005, SNOMED, "end-stage-renal-disease-snomed"),  # a code written as a number
    ],
)
def test_codes_are_found_in_every_spelling(code, system, expected):
    assert expected in read(condition(code, system))[0].sets


def test_words_of_a_problem_lead_to_a_set_and_sites_are_kept():
    site = {"coding": [{"system": SNOMED, "code": "68367000"}]}
    one = condition("E83.59", text="Calciphylaxis of thigh", bodySite=[site])
    two = condition("E83.59", text="no evidence of calciphylaxis", bodySite=site)  # Epic: an object
    first, second = read(one, two)
    assert {"calciphylaxis-named", "calciphylaxis-nonspecific"} <= first.sets
    assert "calciphylaxis-named" not in second.sets
    assert first.sites == second.sites
