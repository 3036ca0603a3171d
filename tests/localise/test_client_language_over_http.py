"""Two clients over real HTTP, one of them German: same rules, topics and orders, other words, marks and dates."""

import json
import threading
import time
import uuid

import jwt
import pytest
import requests
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm
from support.casefiles import read_case
from support.ports import free_port

from cds_service.onboarding import lacks
from cds_service.serving import make_server, running_engine
from cds_service.settings import load_settings

PUBLIC = "https://cds.example"
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    folder = tmp_path_factory.mktemp("languages")
    port = free_port()
    base = f"http://127.0.0.1:{port}"
    key = {**json.loads(RSAAlgorithm.to_jwk(KEY.public_key())), "kid": "k1", "alg": "RS384", "use": "sig"}
    common = {"jwks": {"keys": [key]}, "fhir_base": ["https://ehr.example/fhir"]}
    clients = [
        {"id": "english", "issuer": "https://en.example", **common},
        {
            "id": "german",
            "issuer": "https://de.example",
            "locale": "de-AT",
            "unit_system": "SI",
            "link_allow": [f"{PUBLIC}/trend"],
            **common,
        },
        {
            "id": "elsewhere",
            "issuer": "https://fr.example",
            "locale": "fr",
            "link_allow": [PUBLIC[:-1]],
            **common,
        },
    ]
    (folder / "clients.json").write_text(json.dumps({"clients": clients}))
    settings = load_settings(
        auth="required",
        clients=folder / "clients.json",
        store_url=f"sqlite:///{folder / 'cds.sqlite'}",
        public_url=PUBLIC,
        as_of="2026-11-21T12:00:00+00:00",
    )
    with running_engine(settings) as engine:
        server, sock = make_server(engine, "127.0.0.1", port)
        sock.listen()
        thread = threading.Thread(target=server.run, kwargs={"sockets": [sock]}, daemon=True)
        thread.start()
        yield base, engine
        server.should_exit = True
        thread.join(10)


def card(service, client, name):
    base, _ = service
    case = read_case(name)
    path = f"/cds-services/{case.service}"
    now = int(time.time())
    claims = {
        "iss": f"https://{client}.example",
        "aud": f"{PUBLIC}{path}",
        "iat": now,
        "exp": now + 300,
        "jti": str(uuid.uuid4()),
    }
    token = jwt.encode(claims, KEY, algorithm="RS384", headers={"kid": "k1", "typ": "JWT"})
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    answer = requests.post(f"{base}{path}", data=bytes(case.request), headers=headers, timeout=20)
    assert answer.status_code == 200, answer.text
    return answer.json()["cards"][0]


def test_one_request_in_two_languages(service):
    english, german = (card(service, client, "v03-product-and-calcium-high") for client in ("en", "de"))
    assert english["source"]["topic"]["code"] == german["source"]["topic"]["code"]
    assert english["indicator"] == german["indicator"]
    assert english["source"]["topic"]["display"] != german["source"]["topic"]["display"]
    assert [r["code"] for r in english["overrideReasons"]] == [r["code"] for r in german["overrideReasons"]]
    assert "**Why:**" in english["detail"]
    assert "**Warum:**" in german["detail"]
    assert "mg/dL" in english["detail"]
    assert "mmol/L" in german["detail"]
    assert ". Nov. 2026" in german["detail"].replace("\\", "")
    assert "mg2/dL2 (" in english["detail"]
    assert "mg2/dL2 (" in german["detail"]


def test_a_link_only_where_the_client_lists_it(service):
    assert "links" not in card(service, "en", "v03-product-and-calcium-high")
    # A prefix ends at a slash: `https://cds.exampl` names another host.
    assert "links" not in card(service, "fr", "v03-product-and-calcium-high")
    shown = card(service, "de", "v03-product-and-calcium-high")
    (link,) = shown["links"]
    assert (link["type"], link["url"]) == ("smart", f"{PUBLIC}/trend/launch")
    assert link["label"] == "Verlauf der Laborwerte"
    rule = shown["source"]["label"].rsplit("(", 1)[1].split()[0]
    assert json.loads(link["appContext"]) == {"rule": rule, "card": shown["uuid"]}


def test_a_language_without_texts_gets_english_and_doctor_says_so(service):
    _, engine = service
    assert "**Why:**" in card(service, "fr", "v03-product-and-calcium-high")["detail"]
    by_id = {profile.id: list(lacks(engine, profile)) for profile in engine.profiles}
    told = "No texts in fr: the cards are in English."
    assert [told in by_id[client] for client in ("english", "german", "elsewhere")] == [False, False, True]
