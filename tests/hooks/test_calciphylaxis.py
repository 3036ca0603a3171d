"""Calciphylaxis on record: confirmed, suspected, history or not documented, never "absent"."""

import pytest
from support.facts import SNOMED, condition, facts

from cds_service.rules.answer import Answer
from hooks.case_features.calciphylaxis import CURRENT_OR_PAST, DOCUMENTED, HasCalciphylaxis, calciphylaxis

CODE = ("237900002", SNOMED)


def status(*conditions, **lists):
    return facts(conditions=conditions, **lists).feature(calciphylaxis).status


@pytest.mark.parametrize(
    ("verification", "by_code", "by_words"),
    [
        (None, "confirmed", "suspected"),
        ("confirmed", "confirmed", "confirmed"),
        ("unconfirmed", "suspected", "suspected"),
        ("provisional", "suspected", "suspected"),
        ("differential", "suspected", "suspected"),
        ("unknown", "suspected", "suspected"),
        ("refuted", "none", "none"),
        ("entered-in-error", "none", "none"),
    ],
)
def test_code_or_words_and_what_the_record_says_of_them(verification, by_code, by_words):
    assert status(condition(*CODE, verification=verification)) == by_code
    assert status(condition("717043006", SNOMED, verification=verification)) == by_code
    for text in (
        "Calciphylaxis",
        "calcific uremic arteriolopathy",
        "Calcific uraemic arteriolopathy of the legs",
        "CALCIPHYLAXIS, lower extremities",
    ):
        assert status(condition(text=text, verification=verification)) == by_words
        assert status(condition("E83.59", text=text, verification=verification)) == by_words


@pytest.mark.parametrize(
    "changes",
    [
        {"clinical": "resolved"},
        {"clinical": "inactive"},
        {"clinical": "remission"},
        {"abatementDateTime": "2025-01-01"},
    ],
)
def test_history(changes):
    assert status(condition(*CODE, **changes)) == "history"
    assert status(condition(text="calciphylaxis", verification="confirmed", **changes)) == "history"


def test_history_in_words():
    assert status(condition("Z87.2", text="History of calciphylaxis")) == "history"
    assert status(condition(*CODE, display="Personal history of calciphylaxis")) == "history"


@pytest.mark.parametrize(
    "one",
    [
        condition("E83.59"),  # vector V23
        condition("E83.5"),
        condition("E83.50", text="Disorder of calcium metabolism"),
        condition(text="no evidence of calciphylaxis"),
        condition(text="Calciphylaxis ruled out"),
        condition("E83.59", text="at risk for calciphylaxis"),
        condition(text="Family history of calciphylaxis"),
        condition("445512009", SNOMED),  # vascular calcification is another thing
        condition("I10"),
    ],
)
def test_V23_what_does_not_count(one):
    assert status(one) == "none"


def test_the_strongest_status_counts():
    past, suspected = condition(*CODE, clinical="resolved"), condition(text="calciphylaxis")
    confirmed = condition(*CODE, verification="confirmed", display="CUA", onsetDateTime="2026-10-01")
    assert status(past, suspected) == "suspected"
    assert status(past, suspected, confirmed) == "confirmed"
    found = facts(conditions=[past, suspected, confirmed]).feature(calciphylaxis)
    assert found.because == "confirmed: CUA (237900002), since 1 Oct 2026, verification confirmed"


@pytest.mark.parametrize(
    ("lists", "statuses"),
    [  # documented; current or past
        ({"conditions": [condition(*CODE)]}, ("met", "met")),
        ({"conditions": [condition(*CODE, clinical="resolved")]}, ("not met", "met")),
        ({"conditions": []}, ("not met", "not met")),
        ({"unreadable": ["conditions"]}, ("unknown", "unknown")),
        ({"incomplete": ["conditions"]}, ("unknown", "unknown")),
        ({"conditions": [condition(*CODE)], "incomplete": ["conditions"]}, ("met", "met")),
        (
            {"conditions": [condition(*CODE, clinical="resolved")], "incomplete": ["conditions"]},
            ("not met", "met"),
        ),
    ],
)
def test_the_criterion(lists, statuses):
    call = facts(**lists)
    assert (str(DOCUMENTED.evaluate(call).answer), str(CURRENT_OR_PAST.evaluate(call).answer)) == statuses


def test_a_list_read_in_part_holds_up_no_rule_an_unreadable_one_does():
    part = DOCUMENTED.evaluate(facts(incomplete=["conditions"]))
    assert (part.because, part.optional) == ("problem list received only in part", True)
    none = DOCUMENTED.evaluate(facts(unreadable=["conditions"]))
    assert (none.because, none.optional) == ("problem list not readable (not permitted)", False)


def test_none_is_not_documented_never_absent():
    finding = DOCUMENTED.evaluate(facts())
    assert (finding.answer, finding.because) == (Answer.NOT_MET, "calciphylaxis not documented")
    assert HasCalciphylaxis(("history",)).text == "calciphylaxis on record as history"
