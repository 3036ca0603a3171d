"""Records: written whole, identifiers hashed, grouped under load, never an exception."""

import asyncio
import sqlite3
import threading
import time
from datetime import UTC, datetime, timedelta

import pytest
from sample_records import CLIENT, KEY, card, invocation
from sqlalchemy import select

from cds_service.store import InvocationRecord, Store
from cds_service.store import writer as writer_module
from cds_service.store.engine import make_engine, parse_url
from cds_service.store.records import OutcomeRecord
from cds_service.store.schema import CARD, INVOCATION, METADATA, OUTCOME


def rows(url: str, table) -> list:
    engine = make_engine(parse_url(url), writer=False)
    try:
        with engine.connect() as connection:
            return [dict(row) for row in connection.execute(select(table)).mappings()]
    finally:
        engine.dispose()


def test_a_record_is_written_with_its_outcomes_and_cards(store, url):
    assert asyncio.run(store.record(invocation(), timeout=2)) is True
    (written,) = rows(url, INVOCATION)
    assert written["at"] == "2026-11-21T08:24:00.000000Z"
    assert written["gaps"] == '[{"kind":"missing","what":"albumin"}]'
    assert written["timings_ms"] == '{"decode":0.06,"evaluate":0.04}'
    assert [(o["position"], o["rule"], o["outcome"]) for o in rows(url, OUTCOME)] == [
        (0, "vka-dialysis", "fires"),
        (1, "iron-dialysis", "clear"),
    ]
    assert rows(url, CARD)[0]["topic"] == "vkaDialysisWarning"
    assert store.counters.written == 1
    assert store.counters.last_error_class is None


def test_no_plain_identifier_reaches_the_database(store, url):
    asyncio.run(store.record(invocation(), timeout=2))
    everything = str([rows(url, table) for table in METADATA.sorted_tables])
    for canary in ("patient-canary", "user-canary", "order-canary", "instance-1"):
        assert canary not in everything
    (written,) = rows(url, INVOCATION)
    hashes = {written[name] for name in ("hook_instance_hash", "patient_hash", "user_hash")}
    assert len(hashes) == 3
    assert all(len(value) == 32 for value in hashes)


def test_the_same_patient_hashes_alike_for_one_client_and_differently_for_another(store, url):
    async def write():
        await store.record(invocation(1), timeout=2)
        await store.record(invocation(2), timeout=2)
        await store.record(invocation(3, client="other"), timeout=2)

    asyncio.run(write())
    hashes = [row["patient_hash"] for row in rows(url, INVOCATION)]
    assert len(set(hashes)) == 2


def test_missing_identifiers_stay_missing(store, url):
    record = invocation(patient=None, user=None, hook_instance=None, as_of=None, outcomes=(), cards=())
    assert asyncio.run(store.record(record, timeout=2))
    (written,) = rows(url, INVOCATION)
    assert written["patient_hash"] is None
    assert written["as_of"] is None


@pytest.mark.parametrize("callers", [64, 600])
def test_concurrent_callers_share_transactions(store, url, callers):
    groups = []
    all_queued = threading.Event()
    real = store._writer._commit

    def commit(jobs):
        all_queued.wait(10)
        groups.append(len(jobs))
        return real(jobs)

    store._writer._commit = commit

    async def all_at_once():
        tasks = [asyncio.create_task(store.record(invocation(n), timeout=10)) for n in range(callers)]
        # One turn of the loop starts every task, and a task queues its record before it first waits.
        await asyncio.sleep(0)
        assert store.waiting == callers
        all_queued.set()
        return await asyncio.gather(*tasks)

    assert all(asyncio.run(all_at_once()))
    assert len(rows(url, INVOCATION)) == callers
    assert store.counters.written == callers
    # The first group is whatever had arrived when the writer woke; the rest goes in as few as possible.
    assert len(groups) <= 2 + callers // 256
    assert max(groups) <= 256


def counting_groups(store) -> list[int]:
    """How many jobs each commit took, as they come."""
    groups = []
    real = store._writer._commit

    def commit(jobs):
        groups.append(len(jobs))
        return real(jobs)

    store._writer._commit = commit
    return groups


def test_records_of_calls_that_follow_each_other_share_a_commit(store, monkeypatch):
    monkeypatch.setattr(writer_module, "GATHER_S", 30)
    groups = counting_groups(store)
    others = 3

    def more_follow():
        nonlocal others
        others -= 1
        return others > 0

    async def one_after_the_other():
        calls = []
        for number in range(3):
            calls.append(asyncio.create_task(store.record(invocation(number), timeout=20)))
            await asyncio.sleep(0.05)
        return await asyncio.gather(*calls)

    store.more_follow = more_follow
    assert all(asyncio.run(one_after_the_other()))
    assert groups == [3]


def test_a_record_waits_only_a_moment_for_those_that_never_come(store):
    store.more_follow = lambda: True
    assert asyncio.run(store.record(invocation(), timeout=5))


def test_what_is_gathered_is_written_when_the_store_closes(store, url, monkeypatch):
    monkeypatch.setattr(writer_module, "GATHER_S", 30)
    store.more_follow = lambda: True
    assert asyncio.run(store.record(invocation(), timeout=0.05)) is False
    store.close()
    assert len(rows(url, INVOCATION)) == 1


def test_many_outcomes_are_kept_in_their_order(store, url):
    outcomes = tuple(
        OutcomeRecord(
            rule=f"rule-{number}", version="1", mode="live", outcome="clear", order=f"o{number % 2}"
        )
        for number in range(37)
    )
    assert asyncio.run(store.record(invocation(outcomes=outcomes), timeout=2))
    written = sorted(rows(url, OUTCOME), key=lambda row: row["position"])
    assert [row["rule"] for row in written] == [one.rule for one in outcomes]
    assert len({row["order_hash"] for row in written}) == 2


def test_a_bad_record_is_counted_and_does_not_take_its_neighbours(store, url):
    async def write():
        good = [invocation(n) for n in range(5)]
        bad = invocation(99, cards=(card(99), card(99)))
        return await asyncio.gather(*(store.record(r, timeout=5) for r in [*good[:2], bad, *good[2:]]))

    assert asyncio.run(write()) == [True, True, False, True, True, True]
    assert len(rows(url, INVOCATION)) == 5
    assert store.counters.written == 5
    assert store.counters.dropped == 1
    assert store.counters.last_error_class == "IntegrityError"


def test_a_record_that_cannot_be_encoded_is_counted(store):
    naive = invocation(at=datetime(2026, 11, 21, 8, 24))  # noqa: DTZ001
    assert asyncio.run(store.record(naive, timeout=2)) is False
    assert store.counters.dropped == 1
    assert store.counters.last_error_class == "ValueError"


def test_close_writes_what_waits(store, url):
    async def write_and_leave():
        tasks = [asyncio.create_task(store.record(invocation(n), timeout=5)) for n in range(300)]
        await asyncio.sleep(0)
        await asyncio.to_thread(store.close)
        return await asyncio.gather(*tasks)

    assert all(asyncio.run(write_and_leave()))
    assert len(rows(url, INVOCATION)) == 300


def test_purge_removes_old_invocations_with_what_belongs_to_them(store, url):
    now = datetime(2026, 11, 21, tzinfo=UTC)

    async def write():
        await asyncio.gather(
            *(
                store.record(invocation(n, at=now - timedelta(days=400 if n < 590 else 1)), timeout=10)
                for n in range(600)
            )
        )

    asyncio.run(write())
    assert store.purge(now - timedelta(days=365)).total == 590
    assert len(rows(url, INVOCATION)) == 10
    assert len(rows(url, OUTCOME)) == 20
    assert {row["uuid"] for row in rows(url, CARD)} == {f"card-{n}" for n in range(590, 600)}
    assert store.purge(now - timedelta(days=365)).total == 0


def test_rule_activity_counts_by_day(store):
    async def write():
        for n in range(3):
            await store.record(invocation(n), timeout=2)
        await store.record(invocation(9, at=datetime(2026, 11, 22, tzinfo=UTC), client="other"), timeout=2)

    asyncio.run(write())
    activity = {(a.day, a.client, a.rule, a.mode, a.outcome): a.count for a in store.rule_activity()}
    assert activity["2026-11-21", CLIENT, "vka-dialysis", "live", "fires"] == 3
    assert activity["2026-11-22", "other", "iron-dialysis", "shadow", "clear"] == 1
    late = store.rule_activity(since=datetime(2026, 11, 22, tzinfo=UTC))
    assert {a.client for a in late} == {"other"}
    assert {a.last_at for a in late} == {"2026-11-22T00:00:00.000000Z"}


def test_find_card_is_bound_to_the_client(store):
    asyncio.run(store.record(invocation(1), timeout=2))
    found = store.find_card("card-1", CLIENT)
    assert found.service == "calciphylaxis-order-sign"
    assert found.suggestions == {"suggestion-1": "remove-order"}
    assert store.find_card("card-1") == found
    assert store.find_card("card-1", "other") is None
    assert store.find_card("nothing") is None


def test_ids_sort_in_the_order_of_creation():
    ids = [invocation().id for _ in range(3) if time.sleep(0.001) is None]
    assert ids == sorted(ids)


def test_sqlite_is_durable_and_private(tmp_path):
    path = tmp_path / "new folder" / "store.db"
    store = Store.open(f"sqlite:///{path}", hash_key=KEY)
    with store._writing.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2
        assert connection.exec_driver_sql("PRAGMA busy_timeout").scalar() == 5000
    store.close()
    assert path.stat().st_mode & 0o077 == 0


def test_records_need_keywords():
    with pytest.raises(TypeError):
        InvocationRecord(datetime.now(UTC), "client")


def test_two_stores_write_to_one_sqlite_file_at_once(tmp_path):
    url = f"sqlite:///{tmp_path / 'store.db'}"
    one, two = Store.open(url, hash_key=KEY), Store.open(url, hash_key=KEY)

    async def write():
        return await asyncio.gather(
            *(
                store.record(invocation(2 * n + i), timeout=10)
                for n in range(100)
                for i, store in enumerate((one, two))
            )
        )

    try:
        assert all(asyncio.run(write()))
    finally:
        one.close()
        two.close()
    with sqlite3.connect(tmp_path / "store.db") as connection:
        assert connection.execute("SELECT count(*) FROM invocation").fetchone() == (200,)
    connection.close()
