"""More calls than can be answered, slow senders and lost callers, over real HTTP (F31, F38, T16, T27)."""

import json
import socket
import threading
import time
from contextlib import closing, contextmanager, suppress

import pytest
import requests
from support.fhir_server import fake
from support.live import SIGN, live_service
from token_makers import client_entry, signed

PATH = f"/cds-services/{SIGN}"
VIEW = "/cds-services/calciphylaxis-patient-view"


@contextmanager
def all_places_taken(service, call, ehr):
    """As many calls as there are places wait for an EHR; in the end it answers, and so do they all."""
    answer_now = threading.Event()

    def hesitate(handler):
        answer_now.wait(15)
        fake.json_answer(call["prefetch"]["conditions"])(handler)

    ehr.on("Condition", hesitate)
    asked = without_conditions(call, ehr)
    settings, admission = service.engine.settings, service.engine.admission
    number = settings.max_calls + settings.max_waiting
    answers = []
    callers = [
        threading.Thread(
            target=lambda: answers.append(requests.post(service.url(PATH), json=asked, timeout=20))
        )
        for _ in range(number)
    ]
    for caller in callers:
        caller.start()
    assert fake.wait_until(lambda: admission.busy == settings.max_calls, 5)
    assert fake.wait_until(lambda: admission.waiting == settings.max_waiting, 5)
    yield
    answer_now.set()
    for caller in callers:
        caller.join(20)
    assert [answer.status_code for answer in answers] == [200] * number
    assert all(len(answer.json()["cards"]) == 1 for answer in answers)


def without_conditions(call, ehr):
    prefetch = {key: value for key, value in call["prefetch"].items() if key != "conditions"}
    return {**call, "fhirServer": ehr.base, "prefetch": prefetch}


def metric(service, sample):
    return next(
        float(line.rpartition(" ")[2])
        for line in service.get("/metrics").text.splitlines()
        if line.startswith(sample)
    )


def test_F31_too_many_calls_are_refused_at_once_while_operators_are_answered(tmp_path, call, ehr):
    limits = {"max_calls": 3, "max_waiting": 2, "deadline_ms": 20_000, "fhir_deadline_ms": 15_000}
    limits["fhir_bases"] = ehr.base
    with live_service(tmp_path, **limits) as service, all_places_taken(service, call, ehr):
        times = []
        for _ in range(20):
            begun = time.perf_counter()
            refused = service.call(call)
            times.append(time.perf_counter() - begun)
            assert refused.status_code == 503
            assert refused.headers["Retry-After"] == "1"
            assert refused.headers["Content-Type"] == "application/fhir+json"
            assert refused.json()["issue"][0]["code"] == "throttled"
        assert sorted(times)[10] < 0.05
        for path in ("/health", "/ready", "/metrics"):
            begun = time.perf_counter()
            assert service.get(path).status_code == 200
            assert time.perf_counter() - begun < 2
        assert service.get("/ready").json()["calls"] == {"inProgress": 3, "waiting": 2}
        assert metric(service, "cds_calls_in_progress") == 3
        assert metric(service, "cds_calls_waiting") == 2
        assert metric(service, 'cds_refused_total{reason="CDS-0503L"}') >= 20


def test_F38_who_hangs_up_frees_its_place_and_its_reads_and_logs_no_error(tmp_path, call, ehr, capsys):
    ehr.on("Condition", fake.hang)
    asked = without_conditions(call, ehr)
    deadlines = {"deadline_ms": 20_000, "fhir_deadline_ms": 20_000}
    with live_service(tmp_path, fhir_bases=ehr.base, **deadlines) as service:
        body = json.dumps(asked).encode()
        port = int(service.base.rpartition(":")[2])
        with closing(socket.create_connection(("127.0.0.1", port))) as caller:
            caller.sendall(
                f"POST {PATH} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body
            )
            assert fake.wait_until(lambda: any("Condition" in path for path in ehr.paths), 5)
            assert service.engine.admission.busy == 1
        assert fake.wait_until(lambda: service.engine.admission.busy == 0, 3)
        assert fake.threads_free(service.engine.fhir, 144)
        # And one that goes while it is still sending.
        with closing(socket.create_connection(("127.0.0.1", port))) as caller:
            caller.sendall(f"POST {PATH} HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n\r\n{{".encode())
        sample = 'cds_requests_total{client="anonymous",service="calciphylaxis-order-sign",status="499"}'
        assert metric(service, sample) == 1
    said = capsys.readouterr()
    assert "error" not in (said.out + said.err).lower()


@pytest.mark.parametrize("framing", ["Content-Length: 6000000", "Transfer-Encoding: chunked"])
def test_T16_a_body_too_large_is_refused_and_its_connection_closed(tmp_path, framing):
    with live_service(tmp_path) as service:
        port = int(service.base.rpartition(":")[2])
        with closing(socket.create_connection(("127.0.0.1", port))) as caller:
            caller.sendall(f"POST {PATH} HTTP/1.1\r\nHost: x\r\n{framing}\r\n\r\n".encode())
            # The answer comes while the caller is still sending, and the connection ends under its hands.
            with suppress(ConnectionError):
                for _ in range(6 if "chunked" in framing else 0):
                    caller.sendall(b"f4240\r\n" + b" " * 1_000_000 + b"\r\n")
            answer = everything(caller)
    assert b" 413 " in answer.partition(b"\r\n")[0]
    assert b'"OperationOutcome"' in answer


def everything(caller):
    """What the server sends until it closes."""
    caller.settimeout(10)
    received = b""
    try:
        while piece := caller.recv(65_536):
            received += piece
    except ConnectionResetError:
        pass
    return received


def test_T16_a_body_that_does_not_arrive_is_given_up_and_holds_nobody_up(tmp_path, call):
    with live_service(tmp_path, body_deadline_ms=300, max_calls=1, max_waiting=1) as service:
        port = int(service.base.rpartition(":")[2])
        stalled = [socket.create_connection(("127.0.0.1", port)) for _ in range(20)]
        for one in stalled:
            one.sendall(f"POST {PATH} HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n\r\n{{".encode())
        assert service.call(call).status_code == 200
        for one in stalled:
            answer = everything(one)
            assert b" 408 " in answer.partition(b"\r\n")[0]
            assert b'"OperationOutcome"' in answer
            one.close()


def test_T27_a_client_that_calls_too_often_gets_429_and_the_other_its_cards(tmp_path, call):
    clients = tmp_path / "clients.json"
    entries = [client_entry("noisy", key="one"), client_entry("quiet", key="two")]
    clients.write_text(json.dumps({"clients": entries}))
    with live_service(tmp_path, auth="required", clients=clients, client_rate=1) as service:
        url = f"http://127.0.0.1:8000{PATH}"

        def answer(client, key):
            return requests.post(service.url(PATH), json=call, headers=signed(client, key, url), timeout=20)

        answers = [answer("noisy", "one") for _ in range(6)]
        refused = [one for one in answers if one.status_code == 429]
        assert [one.status_code for one in answers[:2]] == [200, 200]
        assert len(refused) >= 3
        assert refused[0].headers["Retry-After"] == "1"
        assert refused[0].json()["issue"][0]["code"] == "throttled"
        assert answer("quiet", "two").status_code == 200
