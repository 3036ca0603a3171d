"""Token ids: one memory for all replicas, bounded in each, and open when the database is away."""

import asyncio
import time

import pytest
from sample_records import CLIENT

from cds_service.store import JtiVerdict
from cds_service.store.commit import REPEAT_WINDOW_S
from cds_service.store.memory import JtiMemory

NEW, REPEAT, REPLAY = JtiVerdict.NEW, JtiVerdict.REPEAT, JtiVerdict.REPLAY


def remember(store, jti="jti-1", body="body-a", client=CLIENT, expires=None, **options):
    expires = time.time() + 300 if expires is None else expires
    return asyncio.run(store.remember_jti(client, jti, body, expires, **options))


def test_the_same_store(store):
    assert [remember(store), remember(store), remember(store, body="body-b")] == [NEW, REPEAT, REPLAY]
    assert remember(store, client="other", body="body-b") is NEW


def test_two_stores_share_their_memory(open_store):
    one, two = open_store(), open_store()
    assert remember(one) is NEW
    assert remember(two) is REPEAT
    assert remember(two, body="body-b") is REPLAY
    # A refused body must not become the one that the second store trusts.
    assert remember(two, body="body-b") is REPLAY
    assert len(two._memory) == 0


def test_concurrent_calls_agree_on_one_new(open_store):
    stores = [open_store(), open_store()]

    async def race():
        expires = time.time() + 300
        return await asyncio.gather(
            *(
                store.remember_jti(CLIENT, "raced", body, expires, timeout=5)
                for body in ("body-a", "body-b")
                for store in stores
                for _ in range(5)
            )
        )

    verdicts = asyncio.run(race())
    assert verdicts.count(NEW) == 1
    assert verdicts.count(REPEAT) == 9
    assert verdicts.count(REPLAY) == 10


@pytest.mark.parametrize("shared", [True, False])
def test_the_same_body_long_after_is_a_replay(open_store, monkeypatch, shared):
    one, two = open_store(), open_store()
    expires = time.time() + 3600
    assert remember(one, expires=expires) is NEW
    later = time.time() + REPEAT_WINDOW_S + 2
    monkeypatch.setattr("cds_service.store.store.time.time", lambda: later)
    assert remember(two if shared else one, expires=expires) is REPLAY


@pytest.mark.parametrize("shared", [True, False])
def test_an_expired_id_is_new_again(open_store, monkeypatch, shared):
    one, two = open_store(), open_store()
    start = time.time()
    assert remember(one, expires=start + 1) is NEW
    monkeypatch.setattr("cds_service.store.store.time.time", lambda: start + 10)
    assert remember(two if shared else one, body="body-b", expires=start + 100) is NEW


def test_housekeeping_forgets_expired_ids(store):
    remember(store, expires=time.time() - 100)
    remember(store, jti="jti-2")

    async def count():
        assert await store.healthy()

    asyncio.run(count())
    with store._reading.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM jti").scalar() == 1


def test_a_closed_store_decides_alone_and_counts_it(store):
    remember(store)
    store.close()
    assert remember(store, body="body-b") is REPLAY
    assert remember(store, jti="jti-2") is NEW
    assert remember(store, jti="jti-2", body="body-b") is REPLAY
    assert store.counters.unshared_jtis == 1


def test_the_memory_is_bounded():
    memory = JtiMemory(capacity=100)
    for number in range(1_000_000):
        memory.add(str(number), "body", 0.0, 300.0)
    assert len(memory) == 100
    assert memory.judge("999999", "body", 1.0) is REPEAT
    assert memory.judge("0", "body", 1.0) is None
