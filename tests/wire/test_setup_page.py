"""Set-up: the strings an analyst types in, and the shapes of what arrived, without a value of it."""

import asyncio
import csv
import io
import json

import pytest
from support.casefiles import request_of
from support.live import SIGN, live_service

from cds_service.app import create_app
from cds_service.received import EVERY_S, KEPT, Arrival, Received
from cds_service.serving import running_engine
from cds_service.settings import load_settings

CASE = "vka-dialysis-new-start"


@pytest.fixture
def fresh(tmp_path):
    with live_service(tmp_path) as service:
        yield service


@pytest.mark.parametrize("client", ["", "generic", "epic", "oracle", "sandbox", "nonsense"])
def test_page_has_the_exact_strings_of_each_kind_of_client(live, client):
    page = live.get(f"/setup?client={client}").text
    base = live.engine.settings.base_url
    assert f'value="{base}/cds-services"' in page
    assert f'value="{base}/cds-services/calciphylaxis-patient-view"' in page
    assert "Condition?patient={{context.patientId}}" in page
    assert "patient/Condition.rs" in page
    assert (f"{base}/cds-services/{SIGN}" in page) == (client != "oracle")


def test_override_codes_come_as_csv(live):
    answer = live.get("/setup/override-codes.csv")
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert answer.headers["content-type"].startswith("text/csv")
    assert "vkaDialysisWarning" in {row["topic"] for row in rows}


def test_an_answered_call_is_shown_by_its_shape(fresh):
    document = request_of(CASE)
    document["prefetch"]["siteLabs"] = document["prefetch"].pop("labs")
    document["prefetch"]["medications"] = None
    assert fresh.call(document).status_code == 200
    page = fresh.get("/setup").text
    assert "Answered" in page
    assert "siteLabs" in page
    assert "null: looked, found none" in page
    assert "3 Observation" in page
    assert "RxNorm (medicines, USA)" in page
    assert "none, and none needed here" in page
    (arrival,) = fresh.engine.received.of("anonymous")
    assert (arrival.cards, arrival.dropped, arrival.user) == (1, 0, "Practitioner")


def test_a_call_refused_because_an_order_was_lost_is_shown_as_refused(fresh):
    document = request_of(CASE)
    (entry,) = document["context"]["draftOrders"]["entry"]
    lost = {"resource": {**entry["resource"], "status": ["draft"]}}
    entry["resource"]["medicationCodeableConcept"] = {"text": "paracetamol"}
    document["context"]["draftOrders"]["entry"].append(lost)
    assert fresh.call(document).status_code == 412
    (arrival,) = fresh.engine.received.of("anonymous")
    assert (arrival.status, arrival.dropped, arrival.cards) == (412, 1, 0)


def test_nothing_of_the_patient_is_kept(fresh):
    document = request_of(CASE)
    secret = "Sekretowsky"
    document["context"]["userId"] = f"Practitioner/{secret}"
    document["context"]["encounterId"] = secret
    document["fhirServer"] = f"https://{secret}.example/fhir"
    document["fhirAuthorization"] = {"access_token": secret}
    document["prefetch"]["patient"]["name"] = [{"family": secret}]
    document["prefetch"]["conditions"]["entry"][0]["resource"]["code"]["coding"].append(
        {"system": f"https://{secret}.example", "code": secret, "display": secret}
    )
    document["prefetch"][f"{secret} was here"] = {"resourceType": secret}
    assert fresh.call(document).status_code == 200
    arrivals = fresh.engine.received.of("anonymous")
    assert arrivals
    for kept in ("hd-new-start", "draft-1", "Nierentest", "9.8", "N18.6", "855332", secret):
        assert kept not in repr(arrivals)
    assert secret not in fresh.get("/setup").text
    assert arrivals[0].fhir_server == "named, not on the list: it is not read"
    assert "another code system" in arrivals[0].systems


def test_a_refused_call_says_why(fresh):
    document = request_of(CASE)
    del document["context"]["draftOrders"]
    assert fresh.call(document).status_code == 400
    page = fresh.get("/setup").text
    assert "Refused: 400" in page
    assert "EHRs leave it out when" in page


def test_a_call_of_another_hook_and_one_that_is_no_json(fresh):
    fresh.call({**request_of(CASE), "hook": "patient-view"})
    (arrival,) = fresh.engine.received.of("anonymous")
    assert (arrival.status, arrival.problem) == (400, "This service answers the hook 'order-sign' only.")
    assert arrival.hook == "another"


def test_tokens_that_are_refused_are_shown_with_the_cause(tmp_path):
    clients = {"clients": [{"id": "ehr", "issuer": "https://ehr.example", "jwks": {"keys": [_key()]}}]}
    path = tmp_path / "clients.json"
    path.write_text(json.dumps(clients))
    with live_service(tmp_path, auth="required", clients=path) as service:
        url = f"/cds-services/{SIGN}"
        headers = {"Content-Type": "application/json", "Authorization": "Bearer a.b.c"}
        assert service.post(url, request_of(CASE), headers=headers).status_code == 401
        page = service.get("/setup").text
        (arrival,) = service.engine.received.of("unknown caller")
    assert arrival.trust == "sent, refused"
    assert arrival.problem.startswith("The token was refused:")
    assert "ehr (configured)" in page
    assert "Missing or doubtful in this profile" in page


def test_in_production_it_is_for_operators_and_the_playground_is_gone(tmp_path):
    clients = {"clients": [{"id": "ehr", "issuer": "https://ehr.example", "jwks": {"keys": [_key()]}}]}
    path = tmp_path / "clients.json"
    path.write_text(json.dumps(clients))
    settings = {
        "environment": "production",
        "clients": path,
        "hash_key": "k" * 32,
        "operator_key": "o" * 32,
        "public_url": "https://cds.example",
        "store_url": f"sqlite:///{tmp_path / 'x.sqlite'}",
    }
    with running_engine(load_settings(**settings, playground="on")) as engine:
        app = create_app(engine)
        assert asyncio.run(_asked(app, "/playground", {})) == 401
        key = {"authorization": f"Bearer {'o' * 32}"}
        assert asyncio.run(_asked(app, "/playground", key)) == 200
    with running_engine(load_settings(**settings)) as engine:
        app = create_app(engine)
        answers = {
            name: asyncio.run(_asked(app, name, headers))
            for name, headers in {
                "/setup": {},
                "/setup/override-codes.csv": {},
                "/playground": {},
                "/playground/request.json": {},
                "/explain/calciphylaxis-order-sign": {},
                "/rules": {},
                "/": {},
            }.items()
        }
        with_key = asyncio.run(_asked(app, "/setup", {"authorization": f"Bearer {'o' * 32}"}))
    assert answers["/setup"] == answers["/setup/override-codes.csv"] == 401
    assert answers["/playground"] == answers["/playground/request.json"] == 404
    assert answers["/rules"] == answers["/"] == with_key == 200


async def _asked(app, path, headers):
    """The status that a GET gets, asked without a socket: the address of this site is not ours to serve."""
    seen = {}

    async def send(message):
        seen.setdefault("status", message.get("status"))

    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}

    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": "GET",
        "scheme": "https",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        "client": ("127.0.0.1", 1),
        "server": ("cds.example", 443),
    }
    await app(scope, receive, send)
    return seen["status"]


def _key():
    return {"kty": "RSA", "n": "u" * 342 + "Q", "e": "AQAB", "kid": "k", "alg": "RS384"}


def test_the_list_is_short_and_a_busy_client_costs_nothing():
    received = Received()
    assert received.due("ehr")
    for number in range(2 * KEPT):
        received.note("ehr", Arrival(at=None, service=str(number), status=200))
    assert [each.service for each in received.of("ehr")] == ["9", "8", "7", "6", "5"]
    assert not received.due("ehr"), f"at most one call in {EVERY_S} s"
    assert received.due("another")
