"""Who may call, over real HTTP: discovery, services and feedback, with client profiles and signed tokens."""

from __future__ import annotations

import json
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import jwt
import pytest
import requests
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm
from support.ports import free_port

from cds_service.serving import check_binding, make_server, running_engine
from cds_service.settings import Settings, SettingsError, load_settings

ISSUER = "https://ehr.example/fhir"
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
SERVICE = "calciphylaxis-order-sign"


@contextmanager
def running(settings: Settings, port: int) -> Iterator[str]:
    with running_engine(settings) as engine:
        server, sock = make_server(engine, "127.0.0.1", port)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [sock]}, daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.005)
        yield f"http://127.0.0.1:{port}"
        server.should_exit = True
        thread.join(10)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder: Path = tmp_path_factory.mktemp("trusted")
    key = {**json.loads(RSAAlgorithm.to_jwk(KEY.public_key())), "kid": "k1", "alg": "RS384", "use": "sig"}
    clients = {"clients": [{"id": "ehr", "issuer": ISSUER, "jwks": {"keys": [key]}, "fhir_base": [ISSUER]}]}
    (folder / "clients.json").write_text(json.dumps(clients))
    port = free_port()
    settings = load_settings(
        auth="required",
        clients=folder / "clients.json",
        store_url=f"sqlite:///{folder / 'cds.sqlite'}",
        public_url=f"http://127.0.0.1:{port}",
    )
    with running(settings, port) as url:
        yield url


def token(audience: str, **changes: object) -> dict[str, str]:
    now = int(time.time())
    claims = {
        "iss": ISSUER,
        "aud": audience,
        "iat": now,
        "exp": now + 300,
        "jti": str(uuid.uuid4()),
        **changes,
    }
    signed = jwt.encode(claims, KEY, algorithm="RS384", headers={"kid": "k1", "typ": "JWT"})
    return {"Authorization": f"Bearer {signed}"}


def order_sign() -> dict[str, object]:
    drafts = {"resourceType": "Bundle", "type": "collection", "entry": []}
    context = {"userId": "Practitioner/1", "patientId": "p1", "draftOrders": drafts}
    return {"hook": "order-sign", "hookInstance": str(uuid.uuid4()), "context": context}


def test_C078_discovery_service_and_feedback_accept_a_good_token(base: str) -> None:
    discovery = f"{base}/cds-services"
    service = f"{discovery}/{SERVICE}"
    feedback = f"{service}/feedback"
    assert requests.get(discovery, headers=token(discovery), timeout=5).status_code == 200
    answer = requests.post(service, json=order_sign(), headers=token(service), timeout=5)
    assert (answer.status_code, answer.json()) == (200, {"cards": []})
    item = {"card": str(uuid.uuid4()), "outcome": "overridden", "outcomeTimestamp": "2026-11-21T10:00:00Z"}
    kept = requests.post(feedback, json={"feedback": [item]}, headers=token(feedback), timeout=5)
    assert kept.status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param(lambda _: {}, id="none"),
        pytest.param(lambda url: token(url + "/other"), id="wrong-audience"),
        pytest.param(lambda url: token(url, exp=1), id="expired"),
        pytest.param(lambda url: token(url, iss="https://stranger.example"), id="unknown-issuer"),
        pytest.param(lambda _: {"Authorization": "Bearer x.y.z"}, id="malformed"),
        pytest.param(lambda _: {"Authorization": "Basic abc"}, id="basic"),
    ],
)
def test_T1_every_bad_token_gets_the_same_401(base: str, headers: object) -> None:
    url = f"{base}/cds-services/{SERVICE}"
    answer = requests.post(url, json=order_sign(), headers=headers(url), timeout=5)  # type: ignore[operator]
    assert answer.status_code == 401
    assert answer.json()["resourceType"] == "OperationOutcome"
    assert answer.json()["issue"][0]["diagnostics"] == "The caller could not be authenticated."
    assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_T5_a_replayed_token_with_another_body_is_refused(base: str) -> None:
    url = f"{base}/cds-services/{SERVICE}"
    headers = token(url)
    first = order_sign()
    assert requests.post(url, json=first, headers=headers, timeout=5).status_code == 200
    assert requests.post(url, json=first, headers=headers, timeout=5).status_code == 200, "a gateway's retry"
    assert requests.post(url, json=order_sign(), headers=headers, timeout=5).status_code == 401


def test_T32_an_unknown_service_is_told_only_to_a_known_caller(base: str) -> None:
    url = f"{base}/cds-services/nope"
    assert requests.post(url, json=order_sign(), timeout=5).status_code == 401
    assert requests.post(url, json=order_sign(), headers=token(url), timeout=5).status_code == 404


def test_an_unauthenticated_service_binds_to_loopback_only() -> None:
    with pytest.raises(SettingsError, match="loopback"):
        check_binding(load_settings(), "0.0.0.0")
    check_binding(load_settings(), "127.0.0.1")
    check_binding(load_settings(trusted_network=True), "0.0.0.0")


def test_production_without_client_profiles_refuses_to_start(tmp_path: Path) -> None:
    settings = load_settings(auth="required", store_url=f"sqlite:///{tmp_path / 'x.sqlite'}")
    with pytest.raises(SettingsError, match="CDS_CLIENTS"), running_engine(settings):
        pass
