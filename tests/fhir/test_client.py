"""The FHIR client against a server that does everything wrong. Numbers are those of the threat list."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import gzip
import json
import logging
import socket
import ssl
import threading
import time

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from fake_fhir import (
    EPIC_NO_RESULTS,
    FakeFhir,
    bundle,
    by_query,
    condition,
    cut_body,
    drip_body,
    drip_chunked_gzip,
    drip_headers,
    endless_continue,
    gzip_bomb,
    hang,
    json_answer,
    outcome,
    raw,
    redirect,
    redirect_with_endless_body,
    reset,
    slow,
    status,
    threads_free,
)
from requests.adapters import HTTPAdapter

from cds_service.fhir import client as client_module
from cds_service.fhir.client import Deadline, Failed, FailureReason, Fetched, FhirAccess, FhirClient
from cds_service.fhir.results import Incomplete

TOKEN = "canary-token-5f1d"
CONDITIONS = "Condition?patient=p1"
ONE = json_answer(bundle(condition(1)))


@pytest.fixture
def fake():
    server = FakeFhir()
    yield server
    server.close()


@pytest.fixture
def canary():
    server = FakeFhir()
    yield server
    server.close()


@pytest.fixture
def client():
    client = FhirClient(threads=8)
    yield client
    client.close()


@contextlib.contextmanager
def a_client(**settings):
    client = FhirClient(**settings)
    try:
        yield client
    finally:
        client.close()


def read(client, base, *queries, seconds=2.0, token=TOKEN, named=None, batch=False):
    access = FhirAccess(base, token, named)
    queries = queries or (CONDITIONS,)
    answers = asyncio.run(client.get_many(access, queries, Deadline.after(seconds), batch=batch))
    return answers[0] if len(queries) == 1 else answers


def ids(answer):
    assert isinstance(answer, Fetched), answer
    return [entry.resource.id for entry in answer.resource.entry]


def reason(answer):
    assert isinstance(answer, Failed), answer
    return answer.reason


# What a read sends and gets


def test_search_is_read_with_token_and_without_cache(fake, client):
    fake.on("Condition", ONE)
    answer = read(client, fake.base)
    assert ids(answer) == ["c1"]
    assert answer.complete
    assert answer.seconds > 0
    sent = fake.heard[0].headers
    assert sent["Authorization"] == f"Bearer {TOKEN}"
    assert sent["Accept"] == "application/fhir+json"
    assert sent["Cache-Control"] == "no-cache"


def test_single_resource_is_read(fake, client):
    fake.on("Patient/p1", json_answer({"resourceType": "Patient", "id": "p1", "birthDate": "1960-01-01"}))
    answer = read(client, fake.base + "/", "Patient/p1")
    assert answer.resource.birthDate == "1960-01-01"
    assert fake.paths == ["/fhir/Patient/p1"]


def test_open_server_is_read_without_authorization(fake, client):
    fake.on("Condition", ONE)
    assert ids(read(client, fake.base, token=None)) == ["c1"]
    assert "Authorization" not in fake.heard[0].headers


def test_answers_stand_in_the_order_of_the_queries(fake, client):
    fake.on("Condition", slow(0.1, ONE))
    fake.on("Patient/p1", json_answer({"resourceType": "Patient", "id": "p1"}))
    first, second, third = read(client, fake.base, CONDITIONS, "Patient/p1", "Observation?patient=p1")
    assert ids(first) == ["c1"]
    assert second.resource.id == "p1"
    assert reason(third) is FailureReason.NOT_FOUND


def test_numbers_keep_their_decimals(fake, client):
    body = b'{"resourceType":"Bundle","entry":[{"resource":{"resourceType":"Observation","valueQuantity":{"value":2.50}}}]}'
    fake.on("Observation", raw(body))
    answer = read(client, fake.base, "Observation?patient=p1")
    assert str(answer.resource.entry[0].resource.valueQuantity.value) == "2.50"


def test_broken_entry_is_dropped_and_named(fake, client):
    fake.on("Condition", json_answer(bundle(condition(1), condition(2, code="not a concept"))))
    answer = read(client, fake.base)
    assert ids(answer) == ["c1"]
    assert not answer.complete
    assert [lost.path for lost in answer.dropped] == ["Condition.entry[1].resource"]


def test_connections_are_reused_across_calls(fake, client):
    fake.on("Condition", ONE)
    for _ in range(3):
        read(client, fake.base)
    assert len(fake.connections) == 1


def test_every_reason_has_words():
    assert all(reason.text.replace("FHIR", "").islower() for reason in FailureReason)


# F2: slow servers


@pytest.mark.parametrize(
    "behaviour",
    [drip_body, drip_chunked_gzip, drip_headers, endless_continue, hang],
    ids=["body", "chunked-gzip", "headers", "endless-100-continue", "silence"],
)
def test_F2_dripping_server_is_cut_at_the_deadline(fake, client, behaviour):
    fake.on("Condition", behaviour)
    started = time.monotonic()
    answer = read(client, fake.base, seconds=0.25)
    assert reason(answer) is FailureReason.NO_ANSWER_IN_TIME
    assert time.monotonic() - started < 2
    # A thread that stayed behind would be lost for all other calls.
    assert threads_free(client, 8)


def test_F2_reads_run_in_parallel_under_one_deadline(fake, client):
    fake.on("Condition", slow(0.15, ONE))
    fake.on("Observation", hang)
    started = time.monotonic()
    *good, bad = read(client, fake.base, *[CONDITIONS] * 5, "Observation?patient=p1", seconds=0.4)
    assert [ids(answer) for answer in good] == [["c1"]] * 5
    assert reason(bad) is FailureReason.NO_ANSWER_IN_TIME
    assert time.monotonic() - started < 2


def test_F2_no_time_left_sends_nothing(fake, client):
    assert reason(read(client, fake.base, seconds=-1)) is FailureReason.NO_ANSWER_IN_TIME
    assert fake.heard == []


def test_F38_cancelled_call_cuts_its_reads(fake, client):
    fake.on("Condition", hang)

    async def call():
        task = asyncio.create_task(
            client.get_many(FhirAccess(fake.base), [CONDITIONS] * 3, Deadline.after(5))
        )
        await asyncio.sleep(0.1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(call())
    assert threads_free(client, 8)


# F3-F6: refusals and failures


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (401, FailureReason.NOT_PERMITTED),
        (403, FailureReason.NOT_PERMITTED),
        (404, FailureReason.NOT_FOUND),
        (410, FailureReason.NOT_FOUND),
        (405, FailureReason.REPORTED_PROBLEM),
        (422, FailureReason.REPORTED_PROBLEM),
        (429, FailureReason.SERVER_BUSY),
        (500, FailureReason.SERVER_ERROR),
        (204, FailureReason.NOT_FHIR),
    ],
    ids=str,
)
def test_F3_F4_F5_status_is_a_named_failure_without_retry(fake, client, number, expected):
    fake.on("Condition", raw(b"", status=number))
    assert reason(read(client, fake.base)) is expected
    assert len(fake.heard) == 1


@pytest.mark.parametrize("wait", ["60", "Wed, 21 Oct 2026 07:28:00 GMT", "soon", "-1"])
@pytest.mark.parametrize("number", [429, 503])
def test_F5_retry_after_that_does_not_fit_is_not_waited_for(fake, client, number, wait):
    fake.on("Condition", status(number, retry_after=wait))
    assert reason(read(client, fake.base)) is FailureReason.SERVER_BUSY
    # A wait would end in a second request, or in the deadline's own reason.
    assert len(fake.heard) == 1


@pytest.mark.parametrize("number", [429, 503])
def test_F5_retry_after_that_fits_is_honoured(fake, client, number):
    fake.on("Condition", status(number, retry_after="0"), ONE)
    assert ids(read(client, fake.base)) == ["c1"]


@pytest.mark.parametrize(
    "first",
    [reset, status(502), status(503), status(504), cut_body(bundle(condition(1)))],
    ids=["reset", "502", "503", "504", "cut"],
)
def test_F6_passing_failure_is_retried_once(fake, client, first):
    fake.on("Condition", first, ONE)
    assert ids(read(client, fake.base)) == ["c1"]
    assert len(fake.heard) == 2


@pytest.mark.parametrize(
    ("always", "expected"),
    [(reset, FailureReason.UNREACHABLE), (status(503), FailureReason.SERVER_BUSY)],
    ids=["reset", "503"],
)
def test_F6_there_is_no_second_retry(fake, client, always, expected):
    fake.on("Condition", always)
    assert reason(read(client, fake.base)) is expected
    assert len(fake.heard) == 2


def test_F6_no_retry_when_most_of_the_time_is_gone(fake, client):
    fake.on("Condition", slow(0.35, status(503)), ONE)
    assert reason(read(client, fake.base, seconds=0.5)) is FailureReason.SERVER_BUSY
    assert len(fake.heard) == 1


def test_F6_refused_connection_is_unreachable(client):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    assert reason(read(client, f"http://127.0.0.1:{port}/fhir")) is FailureReason.UNREACHABLE


@pytest.fixture
def self_signed(tmp_path):
    """A TLS server with a certificate nobody vouches for; yields its base and the certificate's path."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    path = tmp_path / "server.pem"
    path.write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + certificate.public_bytes(pem)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    fake = FakeFhir()
    fake._server.socket = context.wrap_socket(fake._server.socket, server_side=True)
    yield fake, f"https://localhost:{fake._server.server_address[1]}/fhir", str(path)
    fake.close()


def test_F6_untrusted_certificate_is_unreachable_and_hears_no_token(self_signed, client):
    fake, base, _ = self_signed
    assert reason(read(client, base)) is FailureReason.UNREACHABLE
    assert fake.heard == []


@pytest.mark.parametrize("behaviour", [ONE, drip_body], ids=["answer", "drip"])
def test_F2_F6_trusted_certificate_is_read_and_cut_like_any_other(self_signed, behaviour):
    fake, base, authority = self_signed
    fake.on("Condition", behaviour)
    with a_client(threads=2, verify_tls=authority) as client:
        answer = read(client, base, seconds=0.5)
        assert threads_free(client, 2)
    if behaviour is ONE:
        assert ids(answer) == ["c1"]
    else:
        assert reason(answer) is FailureReason.NO_ANSWER_IN_TIME


@pytest.mark.parametrize(
    ("error", "tries", "expected"),
    [
        (requests.exceptions.ConnectTimeout, 2, FailureReason.UNREACHABLE),
        (requests.exceptions.ReadTimeout, 1, FailureReason.NO_ANSWER_IN_TIME),
        (requests.exceptions.InvalidURL, 1, FailureReason.UNEXPECTED),
        (UnicodeError, 1, FailureReason.UNEXPECTED),
    ],
)
def test_F6_errors_of_the_library_are_named(client, monkeypatch, error, tries, expected):
    made = []

    def send(*args, **kwargs):
        made.append(args)
        raise error("canary")

    monkeypatch.setattr(requests.adapters.HTTPAdapter, "send", send)
    assert reason(read(client, "http://127.0.0.1:9/fhir")) is expected
    assert len(made) == tries


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


def test_F5_breaker_opens_tries_once_per_pause_and_closes(fake):
    clock = Clock()
    fake.on("Condition", status(500))
    with a_client(threads=2, breaker_failures=3, breaker_pause=5.0, clock=clock) as client:
        for _ in range(3):
            read(client, fake.base)
        # Open: nothing is sent, and the reason is the one that opened it.
        assert reason(read(client, fake.base)) is FailureReason.SERVER_ERROR
        assert len(fake.heard) == 3
        # Half open: of three reads one is let through; it fails, so the pause starts again.
        clock.now += 5.0
        read(client, fake.base, CONDITIONS, CONDITIONS, CONDITIONS)
        assert len(fake.heard) == 4
        clock.now += 4.9
        read(client, fake.base)
        assert len(fake.heard) == 4
        # The probe succeeds: closed.
        fake.on("Condition", ONE)
        clock.now += 0.1
        assert [ids(read(client, fake.base)) for _ in range(3)] == [["c1"]] * 3


def test_F5_breaker_is_per_server_and_ignores_answers_that_are_no_fault(fake, canary):
    fake.on("Condition", status(403))
    with a_client(threads=2, breaker_failures=2) as client:
        for _ in range(4):
            assert reason(read(client, fake.base)) is FailureReason.NOT_PERMITTED
        assert len(fake.heard) == 4
        fake.on("Condition", status(500))
        for _ in range(3):
            read(client, fake.base)
        assert len(fake.heard) == 6
        canary.on("Condition", ONE)
        assert ids(read(client, canary.base)) == ["c1"]


def test_F5_breaker_does_not_blame_a_server_for_a_call_without_time(fake):
    fake.on("Condition", slow(0.1, ONE))
    with a_client(threads=4, breaker_failures=2) as client:
        for _ in range(3):
            assert reason(read(client, fake.base, seconds=0.03)) is FailureReason.NO_ANSWER_IN_TIME
        assert ids(read(client, fake.base)) == ["c1"]


def test_F31_no_free_thread_is_busy_at_once(fake):
    fake.on("Condition", hang)
    with a_client(threads=1) as client:
        started = time.monotonic()
        answers = read(client, fake.base, CONDITIONS, CONDITIONS, seconds=0.4)
    assert sorted(map(reason, answers)) == [FailureReason.NO_ANSWER_IN_TIME, FailureReason.SERVER_BUSY]
    busy = next(answer for answer in answers if answer.reason is FailureReason.SERVER_BUSY)
    assert busy.seconds < 0.4
    assert time.monotonic() - started < 2


def test_F31_reads_of_a_call_that_went_away_are_never_sent(fake):
    fake.on("Condition", slow(0.3, ONE))

    async def calls(client):
        access = FhirAccess(fake.base, TOKEN)
        first = asyncio.create_task(client.get_many(access, [CONDITIONS], Deadline.after(5)))
        await asyncio.sleep(0.05)
        gone = asyncio.create_task(client.get_many(access, ["Observation?patient=p1"], Deadline.after(5)))
        await asyncio.sleep(0.05)
        gone.cancel()
        return await first

    with a_client(threads=1) as client:
        assert ids(asyncio.run(calls(client))[0]) == ["c1"]
        assert threads_free(client, 1)
    assert [heard.path for heard in fake.heard if "Observation" in heard.path] == []


# F7: answers that are none


@pytest.mark.parametrize(
    ("behaviour", "expected"),
    [
        (raw(b"<html>Please log in</html>", content_type="text/html"), FailureReason.NOT_FHIR),
        (raw(b"<html>Please log in</html>"), FailureReason.NOT_FHIR),
        (json_answer(bundle(condition(1)), content_type="application/fhir+xml"), FailureReason.NOT_FHIR),
        (raw(json.dumps(bundle(condition(1))).encode()[:-9]), FailureReason.NOT_FHIR),
        (cut_body(bundle(condition(1))), FailureReason.UNREACHABLE),
        (raw(b""), FailureReason.NOT_FHIR),
        (raw(b"null"), FailureReason.NOT_FHIR),
        (raw(b"[]"), FailureReason.NOT_FHIR),
        (raw(b"{}"), FailureReason.NOT_FHIR),
        (raw(b"[" * 100_000), FailureReason.NOT_FHIR),
        (raw(b'{"resourceType":"Bundle","entry":' + b"[" * 100_000), FailureReason.NOT_FHIR),
        (raw(b'{"resourceType":"Bundle","total":NaN}'), FailureReason.NOT_FHIR),
        (raw(b'{"resourceType":"Bundle","entry":{}}'), FailureReason.NOT_FHIR),
        (raw(b"\xff\xfe{}"), FailureReason.NOT_FHIR),
        (raw(b"not gzip", content_encoding="gzip"), FailureReason.NOT_FHIR),
        (json_answer(condition(1)), FailureReason.NOT_FHIR),
        (json_answer(outcome()), FailureReason.REPORTED_PROBLEM),
        (json_answer(outcome(code="forbidden")), FailureReason.NOT_PERMITTED),
        (json_answer(outcome("information")), FailureReason.REPORTED_PROBLEM),
        (json_answer(bundle(outcome("warning"))), FailureReason.REPORTED_PROBLEM),
    ],
    ids=[
        "html",
        "html-that-claims-to-be-fhir",
        "xml-content-type",
        "truncated-json",
        "truncated-transfer",
        "empty",
        "null",
        "list",
        "no-type",
        "deep",
        "deep-bundle",
        "nan",
        "entry-is-an-object",
        "wrong-encoding",
        "broken-gzip",
        "resource-instead-of-bundle",
        "outcome-200",
        "outcome-200-forbidden",
        "outcome-200-information",
        "bundle-with-warning-only",
    ],
)
def test_F7_answer_that_is_none_is_a_named_failure(fake, client, behaviour, expected):
    fake.on("Condition", behaviour)
    assert reason(read(client, fake.base)) is expected


def test_F7_unreadable_resource_is_named(fake, client):
    fake.on("Patient/p1", json_answer({"resourceType": "Patient", "id": "p1", "birthDate": 1960}))
    answer = read(client, fake.base, "Patient/p1")
    assert reason(answer) is FailureReason.NOT_FHIR
    assert [lost.path for lost in answer.dropped] == ["Patient"]


def test_F7_read_answered_with_another_type_is_not_taken(fake, client):
    fake.on("Patient/p1", json_answer(condition(1)))
    assert reason(read(client, fake.base, "Patient/p1")) is FailureReason.NOT_FHIR


def test_F7_plain_json_and_missing_content_type_are_accepted(fake, client):
    fake.on("Condition", json_answer(bundle(condition(1)), content_type="application/json; charset=utf-8"))
    assert ids(read(client, fake.base)) == ["c1"]


def test_F11_empty_searchset_and_epic_no_results_are_none_found(fake, client):
    no_results = outcome("warning", coding=EPIC_NO_RESULTS)
    fake.on("Condition", json_answer(bundle()), json_answer(bundle(no_results, total=0)))
    for _ in range(2):
        answer = read(client, fake.base)
        assert (ids(answer), answer.complete) == ([], True)


# F8: servers that refuse parameters


LABS = "Observation?patient=p1&code=http://loinc.org|17861-6&_sort=-date&_count=50"


def refuses(*names):
    return by_query(
        lambda path: status(400) if any(name in path for name in names) else json_answer(bundle())
    )


@pytest.mark.parametrize(
    ("refused", "accepted"),
    [
        (("_sort",), "/fhir/Observation?patient=p1&code=http://loinc.org%7C17861-6"),
        (("_sort", "code"), "/fhir/Observation?patient=p1"),
    ],
    ids=["sort", "sort-and-code"],
)
def test_F8_refused_search_is_simplified_and_remembered(fake, client, refused, accepted):
    fake.on("Observation", refuses(*refused))
    assert ids(read(client, fake.base, LABS)) == []
    assert fake.paths[-1] == accepted
    before = len(fake.heard)
    assert ids(read(client, fake.base, LABS.replace("p1", "p2"))) == []
    assert fake.paths[before:] == [accepted.replace("p1", "p2")]


def test_F8_what_no_simplification_helps_is_reported(fake, client):
    fake.on("Observation", status(400))
    fake.on("Condition", status(400))
    assert reason(read(client, fake.base, LABS)) is FailureReason.REPORTED_PROBLEM
    assert len(fake.heard) == 3
    assert reason(read(client, fake.base)) is FailureReason.REPORTED_PROBLEM
    assert len(fake.heard) == 4


def test_F8_memory_is_per_server_and_type(fake, canary, client):
    fake.on("Observation", refuses("_sort"))
    fake.on("Condition", ONE)
    canary.on("Observation", json_answer(bundle()))
    read(client, fake.base, LABS)
    read(client, fake.base, "Condition?patient=p1&_count=9")
    read(client, canary.base, LABS)
    assert fake.paths[-1] == "/fhir/Condition?patient=p1&_count=9"
    assert "_sort" in canary.paths[0]


# Many pages


def test_F9_pages_are_followed_and_merged(fake, client):
    fake.on(
        "Condition", json_answer(bundle(condition(1), next_link=f"{fake.base}?_getpages=a&_getpagesoffset=1"))
    )
    fake.on("?_getpages=a", json_answer(bundle(condition(2), next_link="Condition?page=3")))
    fake.on("Condition?page=3", json_answer(bundle(condition(3))))
    answer = read(client, fake.base)
    assert ids(answer) == ["c1", "c2", "c3"]
    assert answer.complete
    assert {heard.headers["Authorization"] for heard in fake.heard} == {f"Bearer {TOKEN}"}


@pytest.mark.parametrize("link", ["{base}/Condition?patient=p1", "Condition?patient=p1", "?patient=p1"])
def test_F9_loop_ends(fake, client, link):
    fake.on("Condition", json_answer(bundle(condition(1), next_link=link.format(base=fake.base))))
    answer = read(client, fake.base)
    assert (ids(answer), answer.gaps) == (["c1"], (Incomplete.PAGES,))
    assert len(fake.heard) == 1


def test_F9_loop_over_several_pages_ends(fake, client):
    fake.on("Condition", json_answer(bundle(condition(1), next_link="Condition?page=2")))
    fake.on("Condition?page=2", json_answer(bundle(condition(2), next_link="Condition?page=3")))
    fake.on("Condition?page=3", json_answer(bundle(condition(3), next_link="Condition?page=2")))
    answer = read(client, fake.base)
    assert (ids(answer), answer.complete) == (["c1", "c2", "c3"], False)


def test_F9_pages_beyond_the_cap_are_reported_as_unread(fake):
    def page(path):
        number = int(path.partition("page=")[2] or 1)
        return json_answer(bundle(condition(number), next_link=f"Condition?page={number + 1}"))

    fake.on("Condition", by_query(page))
    with a_client(threads=1, max_pages=4) as client:
        answer = read(client, fake.base)
    assert ids(answer) == ["c1", "c2", "c3", "c4"]
    assert answer.gaps == (Incomplete.PAGES,)
    assert len(fake.heard) == 4


@pytest.mark.parametrize(
    "second",
    [status(500), hang, drip_body, raw(b"<html>"), json_answer(bundle(outcome("error")))],
    ids=["500", "silence", "drip", "html", "outcome"],
)
def test_F9_pages_read_before_a_failure_are_kept(fake, client, second):
    fake.on("Condition", json_answer(bundle(condition(1), next_link="Condition?page=2")))
    fake.on("Condition?page=2", second)
    answer = read(client, fake.base, seconds=0.3)
    assert ids(answer) == ["c1"]
    assert Incomplete.PAGES in answer.gaps


def test_F9_next_link_under_the_name_the_ehr_uses_is_read_where_we_reach_it(fake, client):
    fake.on(
        "Condition", json_answer(bundle(condition(1), next_link="https://ehr.example/r4/Condition?page=2"))
    )
    fake.on("Condition?page=2", json_answer(bundle(condition(2))))
    assert ids(read(client, fake.base, named="https://ehr.example/r4")) == ["c1", "c2"]


# T10-T15: where the token may go


@pytest.mark.parametrize(
    "base",
    [
        "file:///etc/passwd",
        "ftp://127.0.0.1/fhir",
        "127.0.0.1/fhir",
        "",
        "http://",
        "http://user@{host}/fhir",
        "http://{host}\\@ehr.example/fhir",
        "http://{host}/fhir?x=",
        "http://{host}/fhir\r\nX: y",
        "http://[::1/f",
    ],
)
def test_T10_address_that_is_no_base_is_not_called(fake, client, base):
    base = base.format(host=fake.root.removeprefix("http://"))
    assert reason(read(client, base)) is FailureReason.ADDRESS_NOT_ALLOWED
    assert fake.heard == []


@pytest.mark.parametrize(
    "link",
    [
        "{canary}/fhir/Condition?page=2",
        "//{canary_host}/fhir/Condition?page=2",
        "http://{host}@{canary_host}/fhir/Condition?page=2",
        "http://{canary_host}\\@{host}/fhir/Condition?page=2",
        "http://{host}.example/fhir/Condition",
        "{root}/fhir2/Condition?page=2",
        "{root}/admin",
        "/admin",
        "../admin",
        "{root}/fhir/../admin",
        "{root}/fhir/%2e%2e/admin",
        "{root}/fhir/..%2fadmin",
        "{root}/fhir/%252e%252e/admin",
        "https://{host}/fhir/Condition?page=2",
        "ftp://{host}/fhir/Condition?page=2",
        "{root}/fhir/Condi\ntion?page=2",
        "http://[::1/fhir",
        "javascript:alert(1)",
    ],
)
def test_T11_foreign_next_link_is_not_followed_and_canary_hears_nothing(fake, canary, client, link):
    link = link.format(
        canary=canary.root,
        canary_host=canary.root.removeprefix("http://"),
        root=fake.root,
        host=fake.root.removeprefix("http://"),
    )
    fake.on("Condition", json_answer(bundle(condition(1), next_link=link)))
    answer = read(client, fake.base)
    assert (ids(answer), answer.gaps) == (["c1"], (Incomplete.PAGES,))
    assert len(fake.heard) == 1
    assert canary.heard == []


def test_T11_redirects_are_not_followed_and_canary_hears_nothing(fake, canary, client):
    for number, to in enumerate([f"{canary.base}/Condition", f"{fake.base}/Patient/p1", "http://[::1"]):
        fake.on("Condition", redirect(to))
        assert reason(read(client, fake.base)) is FailureReason.REDIRECTED
        assert len(fake.heard) == number + 1
    assert canary.heard == []


def test_T11_T18_body_of_a_redirect_is_not_read(fake, client):
    fake.on("Condition", redirect_with_endless_body(f"{fake.base}/Condition?x"))
    answer = read(client, fake.base)
    assert reason(answer) is FailureReason.REDIRECTED
    assert answer.seconds < 0.5


@pytest.mark.parametrize(
    "query",
    [
        "Patient/../Practitioner/9",
        "Patient/%2e%2e/Practitioner/9",
        "..",
        "Patient/..\\x",
        "http://127.0.0.1:1/fhir/x",
    ],
)
def test_T12_query_that_leaves_the_base_is_not_sent(fake, client, query):
    assert reason(read(client, fake.base, query)) is FailureReason.ADDRESS_NOT_ALLOWED
    assert fake.heard == []


def test_T13_netrc_does_not_replace_the_token(fake, client, tmp_path, monkeypatch):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login canary password canary\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    fake.on("Condition", ONE)
    read(client, fake.base)
    assert fake.heard[0].headers["Authorization"] == f"Bearer {TOKEN}"
    read(client, fake.base, token=None)
    assert "Authorization" not in fake.heard[1].headers


def test_T13_proxy_of_the_environment_hears_nothing(fake, canary, client, monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, canary.root)
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    fake.on("Condition", ONE)
    assert ids(read(client, fake.base)) == ["c1"]
    assert canary.heard == []


def test_T13_proxy_that_was_set_is_used(fake, canary):
    canary.next_behaviour = lambda _path: ONE
    with a_client(threads=1, proxy=canary.root) as client:
        assert ids(read(client, fake.base)) == ["c1"]
    assert canary.paths == [f"{fake.base}/{CONDITIONS}"]
    assert fake.heard == []


def test_T14_token_and_addresses_are_in_no_repr_and_no_log(fake, client, caplog, monkeypatch):
    caplog.set_level(logging.DEBUG)
    fake.on("Condition", status(500), raw(b"<html>"), reset, hang, raw(b"{}", **{"x y": "z"}))
    for _ in range(5):
        answer = read(client, fake.base, "Condition?patient=canary-id", seconds=0.3)
        assert "canary" not in repr(answer)
    monkeypatch.setattr(client._reader, "_exchange", lambda *_: 1 / 0)
    assert reason(read(client, fake.base, "Condition?patient=canary-id")) is FailureReason.UNEXPECTED
    assert "canary" not in repr(FhirAccess(fake.base, TOKEN))
    assert "canary" not in caplog.text
    assert [
        (record.message, record.error_type) for record in caplog.records if record.levelno >= logging.ERROR
    ] == [("fhir_read_crashed", "ZeroDivisionError")]


@pytest.mark.parametrize("token", ["a\r\nX-Evil: 1", "", "ä", "a b", "\u2028"])
def test_T14_malformed_token_is_not_sent(fake, client, token):
    assert reason(read(client, fake.base, token=token)) is FailureReason.NOT_PERMITTED
    assert fake.heard == []


def test_T15_tokens_and_cookies_of_one_call_are_not_kept_for_the_next(fake, client):
    fake.on("Condition", json_answer(bundle(condition(1)), set_cookie="session=canary; Path=/"))
    for token in ("first", "second", None):
        read(client, fake.base, token=token)
    assert [heard.headers.get("Authorization") for heard in fake.heard] == [
        "Bearer first",
        "Bearer second",
        None,
    ]
    assert not any("Cookie" in heard.headers for heard in fake.heard)


def test_T18_gzip_bomb_is_stopped_at_the_cap(fake):
    fake.on("Condition", gzip_bomb(64))
    with a_client(threads=1, max_bytes=1_000_000) as client:
        answer = read(client, fake.base, seconds=5)
    assert reason(answer) is FailureReason.TOO_LARGE
    assert answer.seconds < 1


def test_T18_large_plain_body_is_stopped_at_the_cap(fake):
    fake.on("Condition", raw(b" " * 2_000_000))
    with a_client(threads=1, max_bytes=1_000_000) as client:
        assert reason(read(client, fake.base)) is FailureReason.TOO_LARGE


def test_T18_gzip_is_read(fake, client):
    fake.on(
        "Condition", raw(gzip.compress(json.dumps(bundle(condition(1))).encode()), content_encoding="gzip")
    )
    assert ids(read(client, fake.base)) == ["c1"]


# Batch


def batch_response(*entries):
    return json_answer({"resourceType": "Bundle", "type": "batch-response", "entry": list(entries)})


def entry(number, resource=None):
    return {"response": {"status": str(number)}, **({"resource": resource} if resource else {})}


def test_batch_is_one_request(fake, client):
    patient = {"resourceType": "Patient", "id": "p1"}
    fake.on("", batch_response(entry("200 OK", bundle(condition(1))), entry(200, patient), entry(404)))
    conditions, read_patient, labs = read(client, fake.base, CONDITIONS, "Patient/p1", LABS, batch=True)
    assert ids(conditions) == ["c1"]
    assert read_patient.resource.id == "p1"
    assert reason(labs) is FailureReason.NOT_FOUND
    (sent,) = fake.heard
    assert (sent.method, sent.path, sent.headers["Content-Type"]) == (
        "POST",
        "/fhir",
        "application/fhir+json",
    )
    assert [one["request"]["url"] for one in json.loads(sent.body)["entry"]] == [
        CONDITIONS,
        "Patient/p1",
        LABS,
    ]


def test_batch_entries_page_simplify_and_drop_like_any_read(fake, client):
    first_page = bundle(condition(1), condition(2, code="wrong"), next_link=f"{fake.base}?_getpages=a")
    fake.on("", batch_response(entry(200, first_page), entry(400)))
    fake.on("?_getpages=a", json_answer(bundle(condition(3))))
    fake.on("Observation", refuses("_sort"))
    conditions, labs = read(client, fake.base, CONDITIONS, LABS, batch=True)
    assert ids(conditions) == ["c1", "c3"]
    assert [lost.path for lost in conditions.dropped] == ["Condition.entry[1].resource"]
    assert ids(labs) == []


@pytest.mark.parametrize(
    ("answer", "remembered"),
    [
        (status(405), True),
        (raw(b"<html>", content_type="text/html"), True),
        (raw(b"<html>"), True),
        (batch_response(entry(200, bundle())), True),
        (status(500), False),
    ],
    ids=["405", "html", "html-that-claims-to-be-fhir", "wrong-number-of-entries", "500"],
)
def test_batch_that_is_refused_becomes_single_reads(fake, client, answer, remembered):
    fake.on("", answer)
    fake.on("Condition", ONE)
    fake.on("Observation", json_answer(bundle()))
    for _ in range(2):
        assert list(map(ids, read(client, fake.base, CONDITIONS, LABS, batch=True))) == [["c1"], []]
    assert [heard.method for heard in fake.heard].count("POST") == (1 if remembered else 2)


def test_single_query_needs_no_batch(fake, client):
    fake.on("Condition", ONE)
    assert ids(read(client, fake.base, batch=True)) == ["c1"]
    assert fake.heard[0].method == "GET"


# Life of the client


def test_no_query_is_no_answer(fake, client):
    assert asyncio.run(client.get_many(FhirAccess(fake.base), [], Deadline.after(1))) == []


def test_closed_client_fails_softly(fake, client):
    client.close()
    assert reason(read(client, fake.base)) is FailureReason.SERVER_BUSY


def test_many_calls_at_once_share_the_threads(fake):
    fake.on("Condition", slow(0.01, ONE))
    before = threading.active_count()

    async def calls(client):
        access = FhirAccess(fake.base, TOKEN)
        return await asyncio.gather(
            *(client.get_many(access, [CONDITIONS] * 3, Deadline.after(5)) for _ in range(10))
        )

    with a_client(threads=30) as client:
        answers = asyncio.run(calls(client))
        assert all(ids(answer) == ["c1"] for call in answers for answer in call)
        assert threads_free(client, 30)
    assert len(fake.connections) <= 30
    assert threading.active_count() - before < 200


def test_deadline_counts_down_and_can_only_shrink():
    clock = Clock()
    deadline = Deadline.after(2.0, clock)
    assert deadline.left() == 2.0
    assert deadline.within(1.2).left() == pytest.approx(1.2)
    assert deadline.within(9.0).left() == 2.0
    clock.now += 3
    assert deadline.left() == 0.0


# --- what goes out ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "address",
    [
        "http://ehr:8080/fhir/Patient/p1",
        "https://ehr.example.org/r4/Observation?patient=p1&code=17861-6,2000-8&_sort=-date",
        "http://ehr/fhir/Condition?patient=p1&clinical-status=active&_lastUpdated=ge2026-01-01T00:00:00Z",
        "http://ehr/fhir/Observation?patient=p1&code=http%3a%2F%2Floinc.org%7c17861-6",
        "http://ehr/fhir/Observation?patient=p1&code=http://loinc.org|17861-6",
        "http://ehr/fhir/Condition?patient=p1&code:text=Nekrose der Zehe, größer",
        "http://ehr/fhir/a/./b/../Condition?patient=p1",
        "http://ehr/fhir/.hidden",
        "http://[::1]:8080/fhir/Patient/p1",
        "http://EHR/fhir/Patient/p1#fragment",
        "http://ehr",
    ],
)
def test_every_address_goes_out_as_requests_would_send_it(address):
    prepared = requests.PreparedRequest()
    prepared.prepare(method="GET", url=address)
    wire = client_module._Wire(pool_size=1, verify=True, proxy=None)
    sent = []
    wire.send = lambda request, **_: sent.append((request.url, wire.request_url(request, {})))
    wire.exchange(address, {}, None, (1.0, 1.0))
    assert sent == [(prepared.url, prepared.path_url)]
    wire.close()


def test_the_bundle_of_certificates_is_looked_for_once_per_server(self_signed, monkeypatch):
    looked = []
    verify = HTTPAdapter.cert_verify
    monkeypatch.setattr(HTTPAdapter, "cert_verify", lambda *given: looked.append(given[1]) or verify(*given))
    fake, base, authority = self_signed
    fake.on("Condition", ONE)
    with a_client(threads=1, verify_tls=authority) as client:
        assert [ids(read(client, base)) for _ in range(3)] == [["c1"]] * 3
    assert len(looked) == 1
