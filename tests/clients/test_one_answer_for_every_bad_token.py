"""The whole table of bad tokens over HTTP: nobody outside can tell one cause from another."""

import json

import pytest
from support.casefiles import request_of
from support.live import SIGN, live_service
from test_client_verify import T
from token_maker import ISSUER, URL, bearer, key_set

NORTH = "https://north.example.org"
FEEDBACK = {"feedback": [{"card": "0b8fb0ba-0000-4000-8000-000000000000", "outcome": "accepted"}]}
# Sites type the audience in by hand, often one for all services: CDS_PUBLIC_URL itself is as good as the address.
ACCEPTED = {"T7-audience-is-our-base"}
HEADERS = [None, "Bearer", "Bearer ", "Basic dXNlcjpwYXNz", "token-without-scheme"]


@pytest.fixture(scope="module")
def guarded(tmp_path_factory):
    folder = tmp_path_factory.mktemp("guarded")
    client = {"id": "st-mary", "issuer": ISSUER, "jwks": key_set("ES384", "RS384")}
    north = {**client, "id": "north", "issuer": NORTH, "tenant": "north"}
    (folder / "clients.json").write_text(json.dumps({"clients": [client, north]}))
    public = URL.partition("/cds-services")[0]
    settings = {"auth": "required", "clients": folder / "clients.json", "public_url": public}
    with live_service(folder, **settings) as service:
        yield service


def answer(service, path, header):
    headers = {} if header is None else {"Authorization": header.encode()}
    url = service.url(path)
    if path == "/cds-services":
        found = service.session.get(url, headers=headers, timeout=20)
    else:
        body = FEEDBACK if path.endswith("feedback") else request_of("vka-dialysis-new-start")
        found = service.session.post(url, json=body, headers=headers, timeout=20)
    seen = {name.lower(): value for name, value in found.headers.items() if name.lower() != "date"}
    return found.status_code, found.content, seen


@pytest.mark.parametrize("path", ["/cds-services", f"/cds-services/{SIGN}", f"/cds-services/{SIGN}/feedback"])
def test_C085_every_bad_token_gets_byte_for_byte_the_same_answer(guarded, path):
    answers = {f"header-{header}": answer(guarded, path, header) for header in HEADERS}
    answers |= {
        name: answer(guarded, path, f"Bearer {make()}") for name, _, make in T if name not in ACCEPTED
    }
    answers["T7-wrong-tenant"] = answer(guarded, path, bearer(iss=NORTH, tenant="south"))
    answers["unknown-service"] = answer(guarded, "/cds-services/nope", None)
    status, body, headers = answers["T1-none"]
    assert (status, headers["www-authenticate"]) == (401, "Bearer")
    assert json.loads(body)["issue"][0]["code"] == "login"
    assert {name: found for name, found in answers.items() if found != answers["T1-none"]} == {}
    assert len(answers) > 50


def test_C085_the_cause_is_counted_for_the_operator(guarded):
    answer(guarded, f"/cds-services/{SIGN}", bearer(iss=NORTH, tenant="south"))
    assert 'cds_auth_failures_total{reason="tenant"}' in guarded.get("/metrics").text
    good = bearer(iss=NORTH, tenant="north")
    assert answer(guarded, f"/cds-services/{SIGN}", good)[0] == 200


def test_C087_the_host_header_decides_nothing(guarded):
    path = f"/cds-services/{SIGN}"
    spoofed = {
        "Host": "attacker.example",
        "X-Forwarded-Host": "attacker.example",
        "X-Forwarded-Proto": "https",
    }
    for audience, status in ((f"https://attacker.example{path}", 401), (URL, 200)):
        headers = {"Authorization": bearer(aud=audience), **spoofed}
        found = guarded.post(path, request_of("vka-dialysis-new-start"), headers=headers)
        assert found.status_code == status
        assert "attacker" not in found.text
