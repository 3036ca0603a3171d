"""The key set of a client, fetched over real HTTP: what comes, what is refused, and never for long."""

import json
import time

import pytest
import requests
import urllib3
from support.fhir_server import fake

from cds_service.fhir.client import FhirClient

FAILURES = (requests.RequestException, urllib3.exceptions.HTTPError, ValueError)
KEYS = {"keys": [{"kty": "EC", "kid": "k"}]}


@pytest.fixture
def server():
    running = fake.FakeFhir()
    yield running
    running.close()


@pytest.fixture
def fetch():
    client = FhirClient()
    yield client.fetch_key_set
    client.close()


def test_the_body_comes_as_it_is_without_token_or_cookie(server, fetch):
    server.on("jwks", fake.json_answer(KEYS, set_cookie="a=b"))
    for _ in range(2):
        assert json.loads(fetch(f"{server.base}/jwks")) == KEYS
    for heard in server.heard:
        assert heard.headers["Accept"] == "application/json"
        assert not {"Authorization", "Cookie"} & set(heard.headers)


@pytest.mark.parametrize(
    "behaviour",
    [
        fake.status(404),
        fake.status(500),
        fake.raw(b"x" * 300_000),
        fake.gzip_bomb(5),
        fake.reset,
        fake.cut_body(KEYS),
    ],
    ids=["absent", "error", "large", "bomb", "reset", "cut"],
)
def test_anything_else_is_an_error(server, fetch, behaviour):
    server.on("jwks", behaviour)
    with pytest.raises(FAILURES):
        fetch(f"{server.base}/jwks")


def test_a_redirect_is_not_followed(server, fetch):
    server.on("jwks", fake.redirect(f"{server.base}/elsewhere"))
    server.on("elsewhere", fake.json_answer(KEYS))
    with pytest.raises(ValueError, match="could not be fetched"):
        fetch(f"{server.base}/jwks")
    assert server.paths == ["/fhir/jwks"]


@pytest.mark.parametrize("behaviour", [fake.hang, fake.drip_body, fake.drip_headers])
def test_a_server_that_drips_is_cut_off(server, fetch, behaviour, monkeypatch):
    monkeypatch.setattr("cds_service.fhir.client._SMALL_SECONDS", 0.3)
    server.on("jwks", behaviour)
    begun = time.monotonic()
    with pytest.raises(FAILURES):
        fetch(f"{server.base}/jwks")
    assert time.monotonic() - begun < 1.5
