"""Figures for governance, on both databases."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from sample_records import CLIENT, card, feedback_item, invocation

from cds_service.store.governance import Window
from cds_service.store.records import OutcomeRecord

DAY = datetime(2026, 11, 16, 9, 0, tzinfo=UTC)


def outcome(rule, outcome, mode="live"):
    fires = "warning" if outcome == "fires" else None
    return OutcomeRecord(rule=rule, version="1.0.0", mode=mode, outcome=outcome, indicator=fires)


def record(number, day=0, **changes):
    return invocation(number, id=f"invocation-{number}", at=DAY + timedelta(days=day), **changes)


@pytest.fixture
def governance(store):
    """Four calls: two of one day, one a week later, one of another client; three cards, two answered."""
    records = [
        record(1, outcomes=(outcome("a", "fires"), outcome("b", "clear"))),
        record(
            2,
            outcomes=(outcome("a", "cannot-assess"), outcome("b", "fires", "shadow")),
            timings_ms={"x": 9.5},
        ),
        record(3, day=7, outcomes=(outcome("a", "fires"),)),
        record(4, client="riverside", outcomes=(outcome("a", "fires"),), cards=()),
    ]
    items = [
        feedback_item(1, comment="<script>"),
        feedback_item(1, outcome="accepted", accepted_suggestions=("suggestion-1",)),
        feedback_item(2, reason_code="patient-refuses", reason_display="Refuses"),
        feedback_item(99),
    ]

    async def write():
        for one in records:
            assert await store.record(one, timeout=5)
        await store.feedback(items, CLIENT, timeout=5)

    asyncio.run(write())
    return store.governance


def window(days=14, **chosen):
    return Window(since=DAY - timedelta(days=1), until=DAY + timedelta(days=days), **chosen)


def counted(rows):
    return {(row.day, row.client, row.rule, row.mode, row.outcome): row.count for row in rows}


def test_outcomes_are_counted_by_day_client_and_mode(governance):
    rows = governance.outcomes(window())
    assert counted(rows) == {
        ("2026-11-16", CLIENT, "a", "live", "fires"): 1,
        ("2026-11-16", CLIENT, "a", "live", "cannot-assess"): 1,
        ("2026-11-16", CLIENT, "b", "live", "clear"): 1,
        ("2026-11-16", CLIENT, "b", "shadow", "fires"): 1,
        ("2026-11-23", CLIENT, "a", "live", "fires"): 1,
        ("2026-11-16", "riverside", "a", "live", "fires"): 1,
    }


def test_window_client_and_rule_limit_what_is_counted(governance):
    assert sum(row.count for row in governance.outcomes(window(days=1))) == 5
    assert {row.client for row in governance.outcomes(window(client="riverside"))} == {"riverside"}
    assert {row.rule for row in governance.outcomes(window(rule="b"))} == {"b"}
    assert governance.cards(window(rule="b")) == []
    assert governance.reasons(window(client="riverside")) == []


def test_card_is_accepted_if_it_ever_was(governance):
    (first, later) = sorted(governance.cards(window()), key=lambda row: row.day)
    assert (first.cards, first.accepted, first.overridden) == (2, 1, 1)
    assert (later.cards, later.accepted, later.overridden) == (1, 0, 0)
    assert first.rule == card(1).rule


def test_reasons_are_counted_by_code(governance):
    found = {(row.code, row.display): row.count for row in governance.reasons(window())}
    assert found == {("risk-benefit-ratio", None): 1, ("patient-refuses", "Refuses"): 1}


def test_time_of_a_call_is_the_sum_of_its_stages(governance):
    found = sorted(call.ms for call in governance.calls(window(days=1)))
    assert found == pytest.approx([0.1, 0.1, 9.5])


def test_latest_fires_come_first_and_are_limited(governance):
    found = governance.fires(window(), 10)
    assert found[0].invocation == "invocation-3"
    assert len(found) == 4
    assert len(governance.fires(window(), 2)) == 2
    assert [fire.mode for fire in governance.fires(window(rule="b"), 10)] == ["shadow"]


def test_one_call_with_what_became_of_it(governance):
    found = governance.record("invocation-1")
    assert [one.outcome for one in found.outcomes] == ["fires", "clear"]
    assert governance.record("nothing") is None
    answers = governance.feedback("invocation-1", comments=False)
    assert {answer.outcome for answer in answers} == {"accepted", "overridden"}
    assert all(answer.comment is None for answer in answers)
    assert "<script>" in {answer.comment for answer in governance.feedback("invocation-1", comments=True)}


def test_clients_are_listed(governance):
    assert governance.clients() == ["riverside", CLIENT]
