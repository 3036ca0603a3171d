"""The service behind a real nginx with the shipped configuration: TLS, sizes, slow callers, headers, a lost replica."""

import contextlib
import json
import re
import socket
import ssl
import threading
import time
from datetime import UTC, datetime, timedelta

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from edge import CONF, ROOT, Echo, needs_nginx, nginx
from support.casefiles import request_of
from support.live import JSON_TYPE, SIGN, live_service
from support.ports import free_port

pytestmark = needs_nginx
PATH = f"/cds-services/{SIGN}"
CASE = "vka-dialysis-new-start"
SECONDS = 0.4
QUICK = [
    (f"{name}_timeout 10s", f"{name}_timeout {round(SECONDS * 1000)}ms")
    for name in ("client_header", "client_body")
]


def port_of(service):
    return int(service.base.rsplit(":", 1)[1])


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    with live_service(tmp_path_factory.mktemp("behind")) as running:
        yield running


@pytest.fixture(scope="module")
def edge(service, tmp_path_factory):
    with nginx(tmp_path_factory.mktemp("edge"), [port_of(service)]) as running:
        yield running


@pytest.fixture
def hurried(service, tmp_path):
    """The same with time-outs of a test's patience."""
    with nginx(tmp_path, [port_of(service)], changes=QUICK) as running:
        yield running


def test_a_card_comes_through_tls(edge):
    with edge.session() as session:
        answer = session.post(edge.base + PATH, json=request_of(CASE), timeout=10)
    assert answer.status_code == 200
    assert answer.json()["cards"][0]["source"]["topic"]["code"] == "vkaDialysisWarning"
    assert answer.headers["Strict-Transport-Security"]


def test_the_health_check_of_the_container_asks_the_service_and_can_ask_nothing_else(edge):
    base = f"http://127.0.0.1:{edge.health}"
    assert requests.get(f"{base}/health", timeout=10).json()["status"] == "ok"
    assert requests.get(f"{base}/cds-services", timeout=10).status_code == 404


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_current_tls_is_spoken(edge, version):
    context = ssl.create_default_context(cafile=str(edge.folder / "proxy/tls.crt"))
    context.minimum_version = context.maximum_version = version
    with (
        socket.create_connection(("127.0.0.1", edge.port)) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as secure,
    ):
        assert secure.version() == version.name.replace("_", ".")


def test_plain_http_is_not_spoken(edge):
    answer = requests.get(f"http://localhost:{edge.port}/health", timeout=10)
    assert answer.status_code == 400


def test_T16_a_body_above_the_limit_of_the_service_is_refused_in_fhir(edge, service):
    body = b" " * (service.engine.settings.max_body_bytes + 1)
    with edge.session() as session:
        answer = session.post(edge.base + PATH, data=body, headers=JSON_TYPE, timeout=20)
    assert answer.status_code == 413
    assert answer.json()["resourceType"] == "OperationOutcome"


@pytest.mark.parametrize("chunked", [False, True], ids=["declared", "chunked"])
def test_T16_a_body_of_60_megabytes_never_reaches_the_service(edge, service, chunked):
    before = service.get("/metrics").text.count('cds_refused_total{reason="CDS-0413"}')
    piece = b" " * 1_000_000
    body = (piece for _ in range(60)) if chunked else piece * 60
    with edge.session() as session:
        # nginx may answer and close while the upload is still under way: either way nothing came through.
        try:
            answer = session.post(edge.base + PATH, data=body, headers=JSON_TYPE, timeout=20)
        except requests.ConnectionError:
            assert chunked
        else:
            assert answer.status_code == 413
            assert answer.json()["resourceType"] == "OperationOutcome"
    assert service.get("/metrics").text.count('cds_refused_total{reason="CDS-0413"}') == before
    assert session.get(edge.base + "/health", timeout=5, verify=str(edge.folder / "proxy/tls.crt")).ok


def stalled(edge, head, seconds=8.0):
    """Send the start of a request and wait; seconds until the proxy ends the connection."""
    with edge.connection() as connection:
        connection.sendall(head)
        connection.settimeout(seconds)
        begun = time.monotonic()
        # A reset ends it as well as a clean close does.
        with contextlib.suppress(ConnectionError):
            while connection.recv(4096):
                pass
        return time.monotonic() - begun


@pytest.mark.parametrize(
    "head",
    [
        pytest.param(f"POST {PATH} HTTP/1.1\r\nHost: localhost\r\nX-Slow: ".encode(), id="headers"),
        pytest.param(
            f"POST {PATH} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5000\r\n\r\n{{".encode(), id="body"
        ),
    ],
)
def test_T16_a_stalled_caller_is_cut_off(hurried, head):
    assert SECONDS * 0.8 <= stalled(hurried, head) < SECONDS + 4


def test_T16_slow_uploads_hold_no_place_in_the_service(edge, service):
    """Forty callers drip their bodies; the service hears nothing of them and answers others as before."""
    head = f"POST {PATH} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5000\r\n\r\n".encode()
    with contextlib.ExitStack() as open_ones:
        connections = [open_ones.enter_context(edge.connection()) for _ in range(40)]
        for connection in connections:
            connection.sendall(head + b"{")
        calls = service.get("/metrics").text
        begun = time.monotonic()
        with edge.session() as session:
            answer = session.post(edge.base + PATH, json=request_of(CASE), timeout=10)
        assert answer.json()["cards"]
        assert time.monotonic() - begun < 2
        for connection in connections:
            connection.sendall(b" ")
        after = service.get("/metrics").text
    # Only the one real call was counted.
    assert answered(after) - answered(calls) == 1


def answered(metrics):
    lines = [line for line in metrics.splitlines() if line.startswith("cds_requests_total{")]
    return sum(float(line.rsplit(" ", 1)[1]) for line in lines)


FORGED = {
    "X-Forwarded-For": "203.0.113.9",
    "X-Forwarded-Host": "evil.example",
    "X-Forwarded-Proto": "http",
    "X-Forwarded-Port": "81",
    "Forwarded": "for=203.0.113.9;host=evil.example",
    "X-Real-IP": "203.0.113.9",
    "X-Client-Verify": "SUCCESS",
    "X-Client-Subject": "CN=somebody else",
}


def test_T8_what_a_caller_claims_about_itself_ends_at_the_proxy(tmp_path):
    echo = Echo()
    with nginx(tmp_path, [echo.port]) as edge, edge.session() as session:
        assert session.post(edge.base + PATH, json={}, headers=FORGED, timeout=10).ok
    echo.close()
    (heard,) = echo.heard
    assert heard["X-Forwarded-For"] == ["127.0.0.1"]
    assert heard["X-Forwarded-Proto"] == ["https"]
    assert heard["X-Client-Verify"] == ["NONE"]
    assert "evil.example" not in json.dumps(heard)
    assert "203.0.113.9" not in json.dumps(heard)
    assert "somebody else" not in json.dumps(heard)


def test_T8_a_spoofed_host_changes_nothing_in_the_answer(edge):
    with edge.session() as session:
        plain = session.get(edge.base + "/cds-services", timeout=10).json()
        spoofed = session.get(
            edge.base + "/cds-services", headers={**FORGED, "Host": "evil.example"}, timeout=10
        )
        card = session.post(
            edge.base + PATH, json=request_of(CASE), headers={**FORGED, "Host": "evil.example"}, timeout=10
        )
    assert spoofed.json() == plain
    assert "evil.example" not in spoofed.text + card.text


def test_metrics_are_not_for_callers(edge, service):
    assert service.get("/metrics").status_code == 200
    with edge.session() as session:
        assert session.get(edge.base + "/metrics", timeout=10).status_code == 404


def test_T14_the_access_log_holds_no_query_string_and_no_header(edge):
    with edge.session() as session:
        session.get(
            edge.base + "/health?patient=canary-mrn",
            headers={"Authorization": "Bearer canary-token", "Referer": "https://ehr.example/canary-ref"},
            timeout=10,
        )
    deadline = time.monotonic() + 5
    while " /health 200 " not in edge.log and time.monotonic() < deadline:
        time.sleep(0.02)
    assert " /health 200 " in edge.log
    assert "canary" not in edge.log


def test_F33_a_replica_that_is_gone_costs_no_call(service, tmp_path):
    """One of the two addresses answers nothing: every call is answered by the other."""
    with nginx(tmp_path, [free_port(), port_of(service)]) as edge, edge.session() as session:
        answers = [session.post(edge.base + PATH, json=request_of(CASE), timeout=10) for _ in range(10)]
    assert [answer.status_code for answer in answers] == [200] * 10
    assert all(answer.json()["cards"] for answer in answers)


def test_F33_a_replica_that_breaks_off_in_the_middle_is_followed_by_the_other(service, tmp_path):
    """As SIGKILL does it: the connection was taken and the request read when the process dies."""
    taken = []
    with socket.create_server(("127.0.0.1", 0)) as dying:

        def take_and_break_off():
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = dying.accept()
                    taken.append(connection.recv(100))
                    connection.close()

        threading.Thread(target=take_and_break_off, daemon=True).start()
        with nginx(tmp_path, [dying.getsockname()[1], port_of(service)]) as edge, edge.session() as session:
            answers = [session.post(edge.base + PATH, json=request_of(CASE), timeout=10) for _ in range(4)]
    assert taken, "the dying replica was never asked"
    assert [bool(answer.json().get("cards")) for answer in answers] == [True] * 4


def test_F33_no_replica_at_all_is_said_in_fhir(tmp_path):
    with nginx(tmp_path, [free_port(), free_port()]) as edge, edge.session() as session:
        answer = session.post(edge.base + PATH, json=request_of(CASE), timeout=10)
    assert answer.status_code == 503
    assert answer.json()["resourceType"] == "OperationOutcome"
    assert answer.headers["Retry-After"] == "1"


def test_F33_replicas_that_broke_off_are_asked_again_at_once(tmp_path):
    """Or one strange call could take the service away from everybody else."""
    echo = Echo()
    echo.breaks_off = 2
    with nginx(tmp_path, [echo.port]) as edge, edge.session() as session:
        answers = [session.post(edge.base + PATH, json={}, timeout=10).status_code for _ in range(2)]
    echo.close()
    assert answers == [503, 200]


def test_the_proxy_takes_what_the_service_takes_and_no_more(service):
    limits = re.findall(r"client_max_body_size (\d+);", CONF.read_text())
    assert limits == [str(service.engine.settings.max_body_bytes)]


@pytest.fixture
def caller_certificate(tmp_path):
    """A certificate that signs itself: authority and caller in one, which is enough for a test."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "ehr")])
    now = datetime.now(UTC)
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .sign(key, hashes.SHA256())
    )
    (tmp_path / "caller.crt").write_bytes(built.public_bytes(serialization.Encoding.PEM))
    (tmp_path / "caller.key").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    (tmp_path / "proxy").mkdir()
    (tmp_path / "proxy/callers.crt").write_bytes((tmp_path / "caller.crt").read_bytes())
    return str(tmp_path / "caller.crt"), str(tmp_path / "caller.key")


def test_T31_with_the_sample_for_mtls_only_a_caller_with_a_certificate_gets_through(
    caller_certificate, service, tmp_path
):
    echo = Echo()
    sample = (ROOT / "deploy/nginx/mtls.conf").read_text()
    with nginx(tmp_path, [echo.port], extra=sample) as edge:
        with edge.session() as session:
            refused = session.post(edge.base + PATH, json={}, headers=FORGED, timeout=10)
        with edge.session(cert=caller_certificate) as session:
            passed = session.post(edge.base + PATH, json={}, headers=FORGED, timeout=10)
    echo.close()
    assert (refused.status_code, passed.status_code) == (400, 200)
    (heard,) = echo.heard
    assert heard["X-Client-Verify"] == ["SUCCESS"]
    assert heard["X-Client-Subject"] == ["CN=ehr"]
