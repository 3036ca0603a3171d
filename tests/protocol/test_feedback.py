"""Feedback bodies: both spellings, one bad item among good ones, and limits."""

import json

import pytest

from cds_service.protocol.feedback import (
    MAX_COMMENT,
    FeedbackBatch,
    FeedbackError,
    FeedbackItem,
    parse_feedback,
)

CARD = "4e0a3a1e-3283-4575-ab82-028d55fe2719"
SYSTEM = "http://terminology.hl7.org/CodeSystem/non-adherence-reason-codes"
EPIC = "com.epic.cdshooks.feedback.overrideReason."


def item(**changes) -> dict:
    sent = {"card": CARD, "outcome": "overridden", "outcomeTimestamp": "2021-12-11T10:05:31Z", **changes}
    return {name: value for name, value in sent.items() if value is not None}


def parse(*items) -> FeedbackBatch:
    return parse_feedback(json.dumps({"feedback": list(items)}).encode())


def one(**changes) -> FeedbackItem:
    batch = parse(item(**changes))
    assert batch.problems == ()
    return batch.items[0]


def test_the_specifications_accepted_suggestion():
    accepted = one(outcome="accepted", acceptedSuggestions=[{"id": "s-1"}, {"id": "s-2"}])
    assert accepted == FeedbackItem(
        card=CARD,
        outcome="accepted",
        outcome_timestamp="2021-12-11T10:05:31.000000Z",
        accepted_suggestions=("s-1", "s-2"),
    )


def test_the_specifications_override_reason():
    reason = {"code": "contraindicated", "system": SYSTEM, "display": "Contraindicated"}
    overridden = one(overrideReason={"reason": reason, "userComment": "as discussed"})
    assert (overridden.reason_system, overridden.reason_code) == (SYSTEM, "contraindicated")
    assert (overridden.reason_display, overridden.comment) == ("Contraindicated", "as discussed")


def test_what_the_sandbox_sends_has_no_display():
    overridden = one(overrideReason={"reason": {"code": "patient-refuses", "system": SYSTEM}})
    assert (overridden.reason_code, overridden.reason_display) == ("patient-refuses", None)


def test_ignored_without_a_reason():
    assert one().reason_code is None


@pytest.mark.parametrize("wrap", [lambda reason: reason, lambda reason: [reason]], ids=["object", "list"])
@pytest.mark.parametrize("name", ["overrideReason", "overrideReasons"])
def test_both_spellings_as_object_or_list(name, wrap):
    reason = {"reason": {"code": "bad", "system": SYSTEM, "display": "Bad"}, "userComment": "text"}
    read = one(**{name: wrap(reason)})
    assert (read.reason_code, read.reason_display, read.comment) == ("bad", "Bad", "text")


@pytest.mark.parametrize("wrap", [lambda reason: reason, lambda reason: [reason]], ids=["object", "list"])
def test_epics_reason_in_an_extension(wrap):
    extension = {
        EPIC + "reasonCategory": "45",
        EPIC + "reasonDisplay": "Not met",
        EPIC + "reasonTitle": "Title",
    }
    read = one(overrideReasons=wrap({"extension": extension, "userComment": "User Entered Free Text"}))
    assert (read.reason_system, read.reason_code) == (EPIC + "reasonCategory", "45")
    assert (read.reason_display, read.comment) == ("Not met", "User Entered Free Text")


def test_epics_title_stands_in_for_a_missing_display():
    read = one(overrideReasons={"extension": {EPIC + "reasonTitle": "Title"}})
    assert (read.reason_code, read.reason_display) == (None, "Title")


def test_a_coded_reason_comes_before_an_extension():
    reason = {
        "reason": {"code": "own"},
        "extension": {EPIC + "reasonCategory": "45", EPIC + "reasonDisplay": "x"},
    }
    read = one(overrideReasons=reason)
    assert (read.reason_system, read.reason_code, read.reason_display) == (None, "own", None)


def test_the_first_of_several_reasons_counts():
    read = one(
        overrideReasons=[{"reason": {"code": "first"}}, {"reason": {"code": "second", "system": SYSTEM}}]
    )
    assert (read.reason_code, read.reason_system) == ("first", None)


def test_a_comment_alone():
    assert one(overrideReason={"userComment": "only this"}).comment == "only this"
    assert one(overrideReason={"reason": "bare-code"}).reason_code == "bare-code"
    assert one(overrideReason={"reason": {}, "userComment": ""}).comment is None


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("1985-04-12T23:20:50.52Z", "1985-04-12T23:20:50.520000Z"),
        ("2026-11-21T09:24:00+01:00", "2026-11-21T08:24:00.000000Z"),
        ("2026-11-21 09:24:00+01:00", "2026-11-21T08:24:00.000000Z"),
        ("2026-11-21T09:24:00", "2026-11-21T09:24:00"),
        ("2026-11-21", "2026-11-21"),
        ("0001-01-01T00:00:00+14:00", "0001-01-01T00:00:00+14:00"),
    ],
)
def test_times(sent, kept):
    assert one(outcomeTimestamp=sent).outcome_timestamp == kept


@pytest.mark.parametrize(
    ("sent", "kept", "problem"),
    [
        (None, "", "missing"),
        ("", "", "missing"),
        ([], "", "missing"),
        ("yesterday", "yesterday", "kept as sent"),
        ("2026-11-21T24:00:00Z", "2026-11-21T24:00:00Z", "kept as sent"),
        (1700000000, "1700000000", "kept as sent"),
    ],
)
def test_times_that_cannot_be_read_do_not_cost_the_item(sent, kept, problem):
    batch = parse(item(outcomeTimestamp=sent))
    assert batch.items[0].outcome_timestamp == kept
    assert problem in batch.problems[0]


BAD = [
    ("no-card", item(card=None)),
    ("card-is-a-number", item(card=7)),
    ("empty-card", item(card="  ")),
    ("huge-card", item(card="x" * 129)),
    ("no-outcome", item(outcome=None)),
    ("ignored", item(outcome="ignored")),
    ("not-an-object", "text"),
    ("null", None),
    ("list", []),
]


@pytest.mark.parametrize("bad", [pytest.param(b, id=i) for i, b in BAD])
def test_one_bad_item_does_not_cost_the_others(bad):
    batch = parse(item(card="first"), bad, item(card="last"))
    assert [kept.card for kept in batch.items] == ["first", "last"]
    assert len(batch.problems) == 1
    assert batch.problems[0].startswith("feedback[1]")


@pytest.mark.parametrize(
    "changes",
    [
        {"overrideReason": "text"},
        {"overrideReason": 7, "overrideReasons": [None]},
        {"acceptedSuggestions": [{}, {"id": None}]},
        {"acceptedSuggestions": 7.5},
        {"acceptedSuggestions": [{"id": str(n)} for n in range(60)]},
    ],
)
def test_a_broken_part_does_not_cost_the_item(changes):
    batch = parse(item(**changes))
    assert batch.items[0].card == CARD
    assert len(batch.items[0].accepted_suggestions) <= 50
    assert batch.problems or batch.items[0].accepted_suggestions == ("7.5",)


def test_lenient_readings():
    assert one(outcome=" Overridden ").outcome == "overridden"
    assert one(acceptedSuggestions={"id": "s-1"}).accepted_suggestions == ("s-1",)
    assert one(acceptedSuggestions=["s-1", "s-1"]).accepted_suggestions == ("s-1",)
    assert one(overrideReason={"reason": {"code": 45}}).reason_code == "45"
    assert one(overrideReason={"reason": {"code": True, "display": "x"}}).reason_code is None
    assert one(unknown={"x": 1}, overrideReason={"extension": []}).reason_code is None


def test_unknown_reason_codes_are_kept():
    assert one(overrideReason={"reason": {"code": "site-77", "system": "urn:site"}}).reason_code == "site-77"


def test_long_text_is_cut_and_nul_removed():
    read = one(overrideReason={"userComment": "a\x00b" + "x" * 10_000})
    assert len(read.comment) == MAX_COMMENT
    assert read.comment.startswith("abx")


def test_a_batch_of_a_thousand():
    assert len(parse(*[item()] * 1000).items) == 1000
    with pytest.raises(FeedbackError, match="1000"):
        parse(*[item()] * 1001)


def test_problems_are_bounded():
    assert len(parse(*[item(card=None)] * 1000).problems) == 100


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{}",
        b'{"feedback": {}}',
        b'{"feedback": null}',
        b"\xff",
        b'{"feedback": [NaN]}',
        b"[" * 100_000,
    ],
)
def test_bodies_that_are_not_feedback(body):
    with pytest.raises(FeedbackError) as caught:
        parse_feedback(body)
    assert caught.value.__suppress_context__


def test_a_deeply_nested_item_is_a_problem_of_its_own():
    deep = b'{"card": "x", "outcome": "accepted", "overrideReason": ' + b"[" * 50_000 + b"]" * 50_000 + b"}"
    try:
        batch = parse_feedback(b'{"feedback": [' + json.dumps(item()).encode() + b"," + deep + b"]}")
    except FeedbackError:
        return
    assert len(batch.items) == 1


def test_problems_quote_nothing():
    batch = parse(item(card=7, outcome="canary"), item(outcome="canary"), item(overrideReason="canary"))
    assert "canary" not in str(batch.problems)
