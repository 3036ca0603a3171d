"""Processes of the service: restart (F33), replicas and workers (F34), what a process touches."""

import json
import os
import re
import signal
import socket
import sqlite3
import sys
import threading
import time
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
import requests
from processes import served
from sqlalchemy import create_engine, make_url, text
from support.fhir_server import fake
from support.live import SIGN
from test_overload import everything, without_conditions
from token_makers import client_entry, signed

PATH = f"/cds-services/{SIGN}"
FEEDBACK = f"{PATH}/feedback"
PUBLIC = "http://127.0.0.1:8000"


@pytest.fixture
def clients(tmp_path):
    path = tmp_path / "clients.json"
    path.write_text(json.dumps({"clients": [client_entry("st-mary", key="one")]}))
    return path


def bearer(path=PATH):
    return signed("st-mary", "one", f"{PUBLIC}{path}")


def judged(card):
    return {"feedback": [{"card": card, "outcome": "accepted", "outcomeTimestamp": "2026-11-21T12:00:00Z"}]}


# --- restart ------------------------------------------------------------------------------------------


def test_F33_sigterm_ends_in_time_whoever_is_still_connected(tmp_path, call, ehr):
    ehr.on("Condition", fake.hang)
    deadlines = {"CDS_DEADLINE_MS": 1000, "CDS_FHIR_DEADLINE_MS": 900, "CDS_BODY_DEADLINE_MS": 60_000}
    with served(tmp_path, CDS_FHIR_BASES=ehr.base, **deadlines) as service, ExitStack() as stack:
        body = json.dumps(without_conditions(call, ehr)).encode()
        head = f"POST {PATH} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n".encode()
        connected = {
            "says nothing": b"",
            "stops in the headers": head[:20],
            "stops in the body": head + body[:20],
            "waits for its answer": head + body,
            "keeps the connection": b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n",
        }
        callers = {
            name: stack.enter_context(closing(socket.create_connection(("127.0.0.1", service.port))))
            for name in connected
        }
        for name, sent in connected.items():
            callers[name].sendall(sent)
        assert fake.wait_until(lambda: any("Condition" in path for path in ehr.paths), 10)
        begun = time.monotonic()
        assert service.stop() == 0
        assert time.monotonic() - begun < 1 + 3 + 3, "deadline, allowance, and closing the store"
        assert b" 200 " in everything(callers["waits for its answer"]).partition(b"\r\n")[0]
        stalled = everything(callers["stops in the body"])
        assert b" 503 " in stalled.partition(b"\r\n")[0]
        assert b'"OperationOutcome"' in stalled
        assert "Traceback" not in service.log
        assert service.log.count("stopped") == 1
    with closing(sqlite3.connect(tmp_path / "records.sqlite")) as database:
        assert database.execute("SELECT count(*) FROM invocation").fetchone() == (1,)


def test_T29_a_process_writes_nothing_but_its_records(tmp_path, call):
    with served(tmp_path) as service:
        assert service.post(PATH, call).status_code == 200
        folder = Path(f"/proc/{service.process.pid}")
        written = set()
        for fd in (folder / "fd").iterdir():
            target = fd.readlink()
            flags = next(
                int(line.split()[1], 8)
                for line in (folder / "fdinfo" / fd.name).read_text().splitlines()
                if line.startswith("flags")
            )
            if target.is_file() and flags & (os.O_WRONLY | os.O_RDWR):
                written.add(target.name)
        assert written == {"service.log", "records.sqlite", "records.sqlite-wal", "records.sqlite-shm"}


# --- replicas on one PostgreSQL -----------------------------------------------------------------------


@pytest.mark.postgres
def test_F34_replicas_share_replay_memory_and_cards_and_roll_over_without_losing_a_call(
    tmp_path, call, postgres, clients
):
    settings = {
        "CDS_STORE_URL": postgres,
        "CDS_CLIENTS": clients,
        "CDS_AUTH": "required",
        "CDS_DRAIN_MS": 1500,
    }
    with (
        # Started together on an empty database: one of them migrates it, the other waits.
        served(tmp_path, name="left", wait=False, **settings) as left,
        served(tmp_path, name="right", wait=False, **settings) as right,
    ):
        for replica in (left, right):
            replica.wait(lambda replica=replica: replica.ready()["store"] == "ok")
        token = bearer()
        answer = left.post(PATH, call, headers=token)
        (card,) = answer.json()["cards"]
        assert right.post(PATH, call, headers=token).status_code == 200, "a gateway's retry, elsewhere"
        other = {**call, "hookInstance": "5a2e7d5c-93c5-4a4b-8b0e-0f3f2f4f8a99"}
        assert right.post(PATH, other, headers=token).status_code == 401, "a replay, elsewhere"
        assert right.post(FEEDBACK, judged(card["uuid"]), headers=bearer(FEEDBACK)).status_code == 200
        assert left.post(FEEDBACK, judged(card["uuid"]), headers=bearer(FEEDBACK)).status_code == 200
        sent = roll_over(left, right, call)
        assert sent > 20
    engine = create_engine(make_url(postgres).set(drivername="postgresql+psycopg"))
    with engine.connect() as connection:
        joined = "SELECT count(*) FROM feedback JOIN card ON card.uuid = feedback.card_uuid"
        assert connection.execute(text(joined)).scalar_one() == 1
        assert connection.execute(text("SELECT count(*) FROM invocation")).scalar_one() == sent + 2
    engine.dispose()


def roll_over(left, right, call):
    """Call after call while the left replica is stopped, as a client with kept connections; how many."""
    stopped = threading.Thread(target=left.stop)
    replica, sent, ends = left, 0, None
    while ends is None or time.monotonic() < ends:
        answer = replica.post(PATH, call, headers=bearer())
        assert answer.status_code == 200, answer.text
        assert len(answer.json()["cards"]) == 1
        sent += 1
        if sent == 5:
            stopped.start()
        if replica is left and answer.headers.get("Connection") == "close":
            assert left.get("/ready").status_code == 503, "load balancers are told"
            replica, ends = right, time.monotonic() + 2
    stopped.join()
    assert left.process.returncode == 0
    return sent


# --- several workers on one port ----------------------------------------------------------------------


def workers_of(service):
    children = Path(f"/proc/{service.process.pid}/task/{service.process.pid}/children")
    return {int(pid) for pid in children.read_text().split()}


def test_F34_workers_share_a_port_the_records_and_the_counters(tmp_path, call, clients):
    site = tmp_path / "site.toml"
    site.write_text("")
    settings = {"CDS_CLIENTS": clients, "CDS_AUTH": "required", "CDS_SITE": site}
    with served(tmp_path, "--workers", "2", **settings) as service:
        service.wait(lambda: service.log.count("serving") == 2)
        assert len(workers_of(service)) == 2

        def fresh(document):
            # A connection of its own, so that any worker may take it.
            return service.post(PATH, document, headers={**bearer(), "Connection": "close"})

        assert {fresh(call).status_code for _ in range(10)} == {200}
        counted = 'cds_requests_total{client="st-mary",service="calciphylaxis-order-sign",status="200"'
        service.session.headers["Connection"] = "close"
        assert {service.metric(counted) for _ in range(6)} == {10.0}, "whichever worker is asked"

        token = bearer()
        other = {**call, "hookInstance": "5a2e7d5c-93c5-4a4b-8b0e-0f3f2f4f8a99"}
        assert service.post(PATH, call, headers=token).status_code == 200
        assert {service.post(PATH, other, headers=token).status_code for _ in range(6)} == {401}

        first = workers_of(service)
        os.kill(min(first), signal.SIGKILL)
        service.wait(lambda: len(workers_of(service)) == 2 and workers_of(service) != first)
        assert {fresh(call).status_code for _ in range(5)} == {200}

        site.write_text('[rule_modes]\n"*" = "shadow"\n')
        service.wait(lambda: service.log.count("serving") == 3)
        service.signal(signal.SIGHUP)
        service.wait(lambda: service.log.count("reloaded") == 2)
        assert [fresh(call).json()["cards"] for _ in range(6)] == [[]] * 6
        assert service.stop() == 0
        assert service.log.count("stopped") == 2
    with closing(sqlite3.connect(tmp_path / "records.sqlite")) as database:
        assert database.execute("SELECT count(*) FROM invocation").fetchone() == (10 + 1 + 5 + 6,)


@pytest.mark.skipif(sys.platform != "linux", reason="only there does the kernel spread connections")
def test_connections_that_stay_are_spread_over_the_workers(tmp_path):
    with served(tmp_path, "--workers", "2") as service:
        service.wait(lambda: service.log.count("serving") == 2)

        def whose_connection():
            """Each worker tells when it took its configuration: in effect its name."""
            with requests.Session() as session:
                session.trust_env = False
                told = session.get(f"{service.base}/metrics", timeout=20).text
            return re.search(r"^cds_configured_timestamp_seconds (\S+)", told, re.MULTILINE)[1]

        # All 40 on the same worker: once in 2 ** 39 runs.
        assert len({whose_connection() for _ in range(40)}) == 2


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_port_is_not_shared_with_another_service(tmp_path, workers):
    with (
        served(tmp_path, "--workers", "2") as service,
        served(tmp_path, "--workers", workers, name="other", wait=False, port=service.port) as other,
    ):
        assert other.process.wait(90) != 0
        assert "Address already in use" in other.log
        assert service.get("/health").ok


def test_F37_workers_that_cannot_start_are_not_tried_for_ever(tmp_path):
    site = tmp_path / "site.toml"
    site.write_text("no_such_setting = 1\n")
    with served(tmp_path, "--workers", "2", wait=False, CDS_SITE=site) as service:
        assert service.process.wait(90) == 2
        assert "no_such_setting" in service.log
