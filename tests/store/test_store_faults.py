"""What happens when the database is missing, away, slow, full or killed, and at start."""

import asyncio
import errno
import fcntl
import multiprocessing
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from itertools import chain
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sample_records import CLIENT, KEY, feedback_item, invocation
from sqlalchemy import inspect
from sqlalchemy.exc import OperationalError

from cds_service.store import JtiVerdict, Store, StoreConfigError, StoreUnavailable
from cds_service.store import writer as writer_module
from cds_service.store.migrate import HEAD
from cds_service.store.schema import METADATA

LOOP_FOREVER = """
import asyncio, sys
from datetime import UTC, datetime
from cds_service.store import InvocationRecord, Store

async def main():
    store = Store.open(sys.argv[1], hash_key=b"0123456789abcdef")
    async def one(caller):
        while True:
            record = InvocationRecord(at=datetime.now(UTC), client="c", service="s", hook="h", status=200)
            if await store.record(record, timeout=5):
                sys.stdout.write(record.id + "\\n")
                sys.stdout.flush()
    await asyncio.gather(*(one(caller) for caller in range(8)))

asyncio.run(main())
"""


def recorded_ids(store) -> set[str]:
    with store._reading.connect() as connection:
        return set(connection.exec_driver_sql("SELECT id FROM invocation").scalars())


def away(store, monkeypatch) -> threading.Event:
    """Make every commit fail as if the database had gone, until the returned event is set."""
    back = threading.Event()
    real = store._writer._commit

    def commit(jobs):
        if not back.is_set():
            raise OperationalError("statement", {}, Exception("gone"))
        return real(jobs)

    monkeypatch.setattr(store._writer, "_commit", commit)
    return back


def test_a_killed_process_loses_nothing_it_acknowledged(url, open_store):
    process = subprocess.Popen([sys.executable, "-c", LOOP_FOREVER, url], stdout=subprocess.PIPE, text=True)
    acknowledged = [process.stdout.readline().strip() for _ in range(50)]
    os.kill(process.pid, signal.SIGKILL)
    # What was in the pipe when the process died was acknowledged too; a last half line was not.
    acknowledged += [line.strip() for line in process.stdout if line.endswith("\n")]
    process.stdout.close()
    assert process.wait() == -signal.SIGKILL
    assert len(acknowledged) >= 50
    assert set(acknowledged) <= recorded_ids(open_store())


def test_records_wait_while_the_database_is_away(store, monkeypatch):
    back = away(store, monkeypatch)

    async def outage():
        during = await store.record(invocation(1), timeout=0.05)
        healthy = await store.healthy(timeout=0.05)
        with pytest.raises(StoreUnavailable):
            await store.feedback([feedback_item(1)], CLIENT, timeout=0.05)
        alone = await store.remember_jti(CLIENT, "jti", "body", time.time() + 60, timeout=0.05)
        back.set()
        assert await store.healthy(timeout=5)
        after = await store.record(invocation(2), timeout=5)
        return during, healthy, alone, after

    assert asyncio.run(outage()) == (False, False, JtiVerdict.NEW, True)
    counters = store.counters
    assert (counters.written, counters.late, counters.dropped, counters.unshared_jtis) == (2, 1, 0, 1)
    assert counters.last_error_class == "OperationalError"
    assert len(recorded_ids(store)) == 2
    # Its sender was told 503 and will send it again; it must not have been written behind its back.
    assert list(store.export_feedback()) == []
    assert asyncio.run(store.healthy())


def test_a_full_queue_drops_and_counts(open_store, monkeypatch):
    store = open_store(capacity=3)
    away(store, monkeypatch)

    async def flood():
        return await asyncio.gather(*(store.record(invocation(n), timeout=0.2) for n in range(10)))

    assert not any(asyncio.run(flood()))
    assert (store.counters.late, store.counters.dropped, store.waiting) == (3, 7, 3)
    store.close(timeout=0.1)
    assert (store.counters.dropped, store.waiting) == (10, 0)


def test_close_gives_up_on_a_database_that_stays_away(store, monkeypatch):
    away(store, monkeypatch)
    assert asyncio.run(store.record(invocation(1), timeout=0.05)) is False
    started = time.monotonic()
    store.close(timeout=0.3)
    assert time.monotonic() - started < 3
    assert store.counters.dropped == 1
    store.close()


def test_a_closed_store_returns_false_and_counts(store):
    store.close()
    assert asyncio.run(store.record(invocation(1), timeout=1)) is False
    assert store.counters.dropped == 1
    assert not asyncio.run(store.healthy())


def test_one_job_that_the_database_cannot_take_does_not_block_the_rest(store, monkeypatch):
    """An error that looks passing although the database answers: only that record may be lost."""
    real = store._writer._commit
    poison = invocation(5).id

    def commit(jobs):
        if any(getattr(job, "invocation", [None])[0] == poison for job in jobs):
            raise OperationalError("statement", {}, Exception("too big"))
        return real(jobs)

    monkeypatch.setattr(store._writer, "_commit", commit)

    async def write():
        records = [invocation(n) if n != 5 else invocation(n, id=poison) for n in range(10)]
        return await asyncio.gather(*(store.record(record, timeout=5) for record in records))

    assert asyncio.run(write()) == [n != 5 for n in range(10)]
    assert (store.counters.written, store.counters.dropped) == (9, 1)


def test_the_database_going_away_between_single_writes(store, monkeypatch):
    """The group fails on one bad row, then the database vanishes while the rows are written singly."""
    real = store._writer._commit
    calls = []

    def commit(jobs):
        calls.append(len(jobs))
        if len(calls) in (3, 4):
            raise OperationalError("statement", {}, Exception("gone"))
        return real(jobs)

    async def write():
        bad = invocation(1, cards=invocation(0).cards)
        return await asyncio.gather(
            *(store.record(record, timeout=5) for record in (invocation(0), bad, invocation(2)))
        )

    monkeypatch.setattr(store._writer, "_commit", commit)
    assert asyncio.run(write()) == [True, False, True]
    assert (store.counters.written, store.counters.dropped) == (2, 1)


def test_housekeeping_runs_by_itself(open_store, monkeypatch):
    monkeypatch.setattr(writer_module, "HOUSEKEEPING_S", 0.05)
    store = open_store()

    async def remember_and_wait():
        await store.remember_jti(CLIENT, "jti", "body", time.time() - 10)
        for _ in range(100):
            await asyncio.sleep(0.05)
            with store._reading.connect() as connection:
                if connection.exec_driver_sql("SELECT count(*) FROM jti").scalar() == 0:
                    return True
        return False

    assert asyncio.run(remember_and_wait())


def test_a_caller_whose_loop_has_ended_is_no_trouble(store, monkeypatch):
    back = away(store, monkeypatch)
    assert asyncio.run(store.record(invocation(1), timeout=0.01)) is False
    back.set()
    assert asyncio.run(store.healthy(timeout=5))
    assert asyncio.run(store.record(invocation(2), timeout=5)) is True
    assert store.counters.written == 2


# --- opening ------------------------------------------------------------------------------------------


def test_the_migrations_build_the_schema(store):
    with store._reading.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, METADATA) == []


def migrations():
    config = Config()
    config.set_main_option("script_location", "cds_service.store:migrations")
    return config


def test_the_version_that_needs_no_migration_is_the_newest():
    assert ScriptDirectory.from_config(migrations()).get_current_head() == HEAD


def test_a_database_of_this_version_is_opened_without_migrating(store, open_store, monkeypatch):
    def refuse(_connection):
        raise AssertionError("there is nothing to migrate")

    monkeypatch.setattr("cds_service.store.migrate._upgrade", refuse)
    assert asyncio.run(open_store().record(invocation(1), timeout=5))


def test_a_migration_can_be_undone(store):
    config = migrations()
    with store._writing.begin() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "base")
        assert inspect(connection).get_table_names() == ["alembic_version"]
        command.upgrade(config, "head")
    assert asyncio.run(store.record(invocation(1), timeout=5))


def open_and_write(url, number, results):
    store = Store.open(url, hash_key=KEY)
    results.put(asyncio.run(store.record(invocation(number), timeout=10)))
    store.close()


def test_several_processes_start_at_once(url, open_store):
    context = multiprocessing.get_context("spawn")
    results = context.Queue()
    processes = [context.Process(target=open_and_write, args=(url, n, results)) for n in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0] * 4
    assert [results.get(timeout=5) for _ in processes] == [True] * 4
    results.close()
    results.join_thread()
    assert len(recorded_ids(open_store())) == 4


def test_a_file_that_another_process_is_still_making_is_waited_for(tmp_path):
    path = tmp_path / "new.sqlite"
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN EXCLUSIVE")
    done = threading.Timer(0.3, other.rollback)
    done.start()
    with closing(Store.open(f"sqlite:///{path}", hash_key=KEY)) as store:
        assert asyncio.run(store.record(invocation(1), timeout=10))
    done.join()
    other.close()


def test_a_database_of_a_newer_version_is_refused(store, open_store):
    with store._writing.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(StoreConfigError, match="does not fit"):
        open_store()


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("sqlite://", "in-memory"),
        ("sqlite:///:memory:", "in-memory"),
        ("sqlite:///file:x?mode=memory&uri=true", "in-memory"),
        ("mysql://u:pass-canary@h/db", "sqlite or postgresql"),
        ("pass-canary", "cannot be read"),
    ],
)
def test_a_url_that_cannot_be_used(url, says):
    with pytest.raises(StoreConfigError, match=says) as caught:
        Store.open(url, hash_key=KEY)
    assert "pass-canary" not in str(caught.value)


def test_a_short_hash_key_is_refused(tmp_path):
    with pytest.raises(StoreConfigError, match="16 bytes"):
        Store.open(f"sqlite:///{tmp_path}/x.db", hash_key=b"short")


def test_a_missing_driver_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(StoreConfigError, match="postgres"):
        Store.open("postgresql://h/db", hash_key=KEY)


UNREACHABLE = [
    pytest.param("sqlite:////proc/nowhere/store.db", id="sqlite"),
    pytest.param("postgresql://u:pass-canary@127.0.0.1:1/db", id="postgresql"),
]


@pytest.mark.parametrize("url", UNREACHABLE)
def test_an_unreachable_database_is_an_error_at_start(url):
    with pytest.raises(StoreUnavailable) as caught:
        Store.open(url, hash_key=KEY)
    assert "pass-canary" not in str(caught.value)


@pytest.mark.parametrize("url", UNREACHABLE)
def test_a_store_that_is_not_required_starts_without_its_database(url):
    store = Store.open(url, hash_key=KEY, required=False)
    try:
        assert asyncio.run(store.record(invocation(1), timeout=0.1)) is False
        assert not asyncio.run(store.healthy(timeout=0.1))
        with pytest.raises(StoreUnavailable):
            asyncio.run(store.feedback([feedback_item(1)], CLIENT, timeout=0.1))
        assert store.counters.late == 1
        assert store.counters.last_error_class
    finally:
        store.close(timeout=0.2)
    assert store.counters.dropped == 1


def test_a_store_that_is_not_required_migrates_when_the_database_appears(tmp_path):
    folder = tmp_path / "mount"
    folder.write_text("not a folder yet")
    store = Store.open(f"sqlite:///{folder}/store.db", hash_key=KEY, required=False)
    try:
        folder.unlink()
        assert asyncio.run(store.record(invocation(1), timeout=5)) is True
    finally:
        store.close()


def test_a_database_that_turns_read_only(tmp_path, monkeypatch):
    """The directory cannot be made read-only for root, so SQLite is told to refuse writes."""
    store = Store.open(f"sqlite:///{tmp_path}/store.db", hash_key=KEY)
    with store._writing.connect() as connection:
        connection.exec_driver_sql("PRAGMA query_only=ON")
    try:
        assert asyncio.run(store.record(invocation(1), timeout=0.3)) is False
        assert store.counters.late + store.counters.dropped == 1
        assert store.counters.last_error_class == "OperationalError"
        with pytest.raises(StoreUnavailable):
            asyncio.run(store.feedback([feedback_item(1)], CLIENT, timeout=0.3))
    finally:
        store.close(timeout=0.2)


OPEN_WITHOUT_PRIVILEGES = """
import os, sys
from cds_service.store import Store, StoreUnavailable
# Loads what is loaded late, which another user might not be allowed to read.
Store.open(sys.argv[2], hash_key=b"0123456789abcdef").close()
if os.geteuid() == 0:
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
try:
    Store.open(sys.argv[1], hash_key=b"0123456789abcdef")
except StoreUnavailable as error:
    print(error)
"""


def test_a_read_only_directory(tmp_path):
    """Root may write anywhere, so another process gives its rights up first."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o555)
    try:
        done = subprocess.run(
            [
                sys.executable,
                "-c",
                OPEN_WITHOUT_PRIVILEGES,
                f"sqlite:///{folder}/store.db",
                f"sqlite:///{tmp_path}/x.db",
            ],
            capture_output=True,
            text=True,
            check=True,
        )
    finally:
        folder.rmdir()
    assert done.stdout.endswith("the store cannot be opened: PermissionError\n")


def test_processes_that_share_a_file_write_in_turn_and_nobody_waits_for_ever(tmp_path):
    """SQLite's own way of waiting, pauses up to a tenth of a second, would let the quickest writer have every turn."""
    url = f"sqlite:///{tmp_path / 'shared.sqlite'}"

    async def write(store, number):
        return [await store.record(invocation(n), timeout=10) for n in range(number, number + 100)]

    def in_a_thread(number):
        with closing(Store.open(url, hash_key=KEY)) as store:
            return asyncio.run(write(store, number))

    other_turn = os.open(tmp_path, os.O_RDONLY)
    fcntl.flock(other_turn, fcntl.LOCK_EX)
    with closing(Store.open(url, hash_key=KEY)) as store:
        assert asyncio.run(store.record(invocation(1), timeout=0.2)) is False
        os.close(other_turn)
        assert asyncio.run(store.healthy(timeout=5))
        assert store.counters.written == 1
    with ThreadPoolExecutor(3) as pool:
        assert all(chain.from_iterable(pool.map(in_a_thread, (1000, 2000, 3000))))


def test_a_file_system_that_knows_no_such_lock_is_written_to_all_the_same(tmp_path, monkeypatch):
    def unsupported(*_):
        raise OSError(errno.ENOTSUP, "not supported")

    monkeypatch.setattr(fcntl, "flock", unsupported)
    with closing(Store.open(f"sqlite:///{tmp_path / 'shared.sqlite'}", hash_key=KEY)) as store:
        assert asyncio.run(store.record(invocation(1), timeout=5))
        assert store.counters.last_error_class is None


def test_another_process_holding_the_lock_only_delays(tmp_path):
    store = Store.open(f"sqlite:///{tmp_path}/store.db", hash_key=KEY)
    other = sqlite3.connect(tmp_path / "store.db", isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    timer = threading.Timer(0.3, other.rollback)
    timer.start()
    try:
        assert asyncio.run(store.record(invocation(1), timeout=0.05)) is False
        assert asyncio.run(store.record(invocation(2), timeout=5)) is True
    finally:
        timer.join()
        other.close()
        store.close()
    assert (store.counters.written, store.counters.late, store.counters.dropped) == (2, 1, 0)
