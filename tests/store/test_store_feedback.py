"""Feedback: acknowledged only when durable, idempotent, never mixing clients."""

import asyncio
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from sample_records import CLIENT, feedback_item, invocation

from cds_service.store import FeedbackResult, StoreUnavailable
from cds_service.store.records import KeptFeedback


def send(store, *items, client=CLIENT) -> FeedbackResult:
    """The counts of a batch."""
    return msgspec.structs.replace(asyncio.run(store.feedback(items, client, timeout=5)), kept=())


def test_feedback_joins_its_card(store):
    asyncio.run(store.record(invocation(1), timeout=2))
    accepted = feedback_item(
        1, outcome="accepted", accepted_suggestions=("suggestion-1", "stranger"), reason_code=None
    )
    assert send(store, accepted) == FeedbackResult(stored=1)
    (row,) = store.export_feedback()
    assert (row.rule, row.version, row.indicator, row.mode) == ("vka-dialysis", "1.0.0", "warning", "live")
    assert (row.service, row.hook, row.topic) == (
        "calciphylaxis-order-sign",
        "order-sign",
        "vkaDialysisWarning",
    )
    assert row.at == "2026-11-21T08:24:00.000000Z"
    assert row.accepted == ("remove-order", "stranger")
    assert row.reason_code is None
    assert len(row.user) == 32
    assert store.counters.feedback == 1


def test_what_is_stored_comes_back_once_with_its_rule(store):
    asyncio.run(store.record(invocation(1), timeout=2))
    items = [feedback_item(1, reason_code="local-7"), feedback_item(2, outcome="accepted", reason_code=None)]
    kept = asyncio.run(store.feedback(items, CLIENT, timeout=5)).kept
    assert kept == (
        KeptFeedback(rule="vka-dialysis", outcome="overridden", reason="local-7"),
        KeptFeedback(rule=None, outcome="accepted", reason=None),
    )
    assert asyncio.run(store.feedback(items, CLIENT, timeout=5)).kept == ()


def test_duplicates_change_nothing(store):
    item = feedback_item(1)
    assert send(store, item, item) == FeedbackResult(stored=1, duplicates=1, unknown=1)
    assert send(store, item) == FeedbackResult(duplicates=1)
    later = feedback_item(1, outcome_timestamp="2026-11-21T08:26:00.000000Z")
    assert send(store, later, feedback_item(1, outcome="accepted")) == FeedbackResult(stored=2, unknown=2)
    assert len(list(store.export_feedback())) == 3


def test_another_clients_card_is_unknown_and_never_joined(store):
    asyncio.run(store.record(invocation(1), timeout=2))
    assert send(store, feedback_item(1), client="other") == FeedbackResult(stored=1, unknown=1)
    (row,) = store.export_feedback()
    assert (row.client, row.rule, row.service) == ("other", None, None)
    assert send(store, feedback_item(1)) == FeedbackResult(stored=1)


def test_comments_are_exported_only_on_request(store):
    send(store, feedback_item(1))
    assert "comment-canary" not in str(list(store.export_feedback()))
    (row,) = store.export_feedback(comments=True)
    assert row.comment == "comment-canary"


def test_export_since(store):
    send(store, feedback_item(1))
    assert list(store.export_feedback(since=datetime.now(UTC) + timedelta(minutes=1))) == []
    assert len(list(store.export_feedback(since=datetime.now(UTC) - timedelta(minutes=1)))) == 1


def test_a_batch_of_a_thousand(store):
    asyncio.run(store.record(invocation(7), timeout=2))
    items = [feedback_item(n) for n in range(1000)]
    assert send(store, *items) == FeedbackResult(stored=1000, unknown=999)
    assert send(store, *items) == FeedbackResult(duplicates=1000)


def test_an_empty_batch(store):
    assert send(store) == FeedbackResult()


def test_feedback_is_there_after_a_restart(open_store):
    first = open_store()
    asyncio.run(first.record(invocation(1), timeout=2))
    first.close()
    second = open_store()
    assert send(second, feedback_item(1)) == FeedbackResult(stored=1)
    third = open_store()
    assert send(third, feedback_item(1)) == FeedbackResult(duplicates=1)


def test_feedback_after_close_is_refused(store):
    store.close()
    with pytest.raises(StoreUnavailable):
        send(store, feedback_item(1))


def test_purge_removes_old_feedback(store):
    send(store, feedback_item(1), feedback_item(2))
    assert store.purge(datetime.now(UTC) - timedelta(days=1)).total == 0
    assert store.purge(datetime.now(UTC) + timedelta(seconds=1)).total == 2
    assert list(store.export_feedback()) == []
