"""What we call and what comes back (T10 to T13, T18, F2 to F9, F38): a hostile EHR, over real HTTP."""

import json
import time

import pytest
from callers import metric, sent, signed
from stranger import connections
from support.fhir_server import asked as reads
from support.fhir_server import fake

DEADLINE_S = 2.0


def named(answer):
    """Everything the one answer tells a clinician."""
    assert answer.status_code == 200, answer.text
    return "\n".join(card["summary"] + card.get("detail", "") for card in answer.json()["cards"])


# --- where we call ------------------------------------------------------------------------------------

ADDRESSES = (
    "{stranger}",
    "{stranger}/fhir",
    "{stranger}/{ehr}",
    "http://169.254.169.254/latest/meta-data",
    "http://2130706433:{port}/fhir",
    "http://0x7f000001:{port}/fhir",
    "http://[::1]:{port}/fhir",
    "http://[::ffff:127.0.0.1]:{port}/fhir",
    "http://localhost:{port}/fhir",
    "http://localtest.me:{port}/fhir",
    "{ehr}@127.0.0.1:{port}",
    "http://user@127.0.0.1:{port}/fhir",
    "{ehr}.evil.example",
    "{ehr}/../admin",
    "{ehr}/../../",
    "{ehr}%2f..%2f",
    "{ehr}?x=",
    "{ehr}#",
    "{ehr}\\@127.0.0.1:{port}",
    "file:///etc/passwd",
    "gopher://127.0.0.1:{port}/",
    "//127.0.0.1:{port}/fhir",
    " {ehr}",
    "{upper}",
)


@pytest.mark.parametrize("address", ADDRESSES)
def test_T10_no_address_but_the_clients_own_is_ever_called(hospital, asked, ehr, stranger, address):
    words = {"stranger": stranger.root, "port": stranger.port, "ehr": ehr.base, "upper": ehr.base.upper()}
    asked["fhirServer"] = address.format(**words)
    counted = metric(hospital, 'cds_refused_total{reason="fhir-server"')
    with connections(int(hospital.base.rpartition(":")[2])) as made:
        answer = sent(hospital, asked, signed())
    assert made == []
    assert ehr.heard == []
    assert "no FHIR access" in named(answer)
    assert metric(hospital, 'cds_refused_total{reason="fhir-server"') > counted


def test_T10_a_caller_without_a_profile_reaches_the_addresses_of_the_settings_only(
    open_house, asked, stranger
):
    asked["fhirServer"] = f"{stranger.root}/fhir"
    assert "no FHIR access" in named(open_house.call(asked))


def test_T10_the_clients_own_server_is_called(hospital, asked, ehr):
    assert "Dialysis" in named(sent(hospital, asked, signed()))
    assert {each.headers["Authorization"] for each in ehr.heard} == {"Bearer t0ken"}


def test_T11_redirects_next_links_and_references_never_reach_a_stranger(hospital, asked, ehr, stranger):
    elsewhere = f"{stranger.root}/fhir"
    ehr.on("Condition", fake.redirect(f"{elsewhere}/Condition"))
    ehr.on("Observation", fake.json_answer(fake.bundle(next_link=f"{elsewhere}?page=2")))
    listed = {
        "resourceType": "MedicationRequest",
        "id": "m",
        "status": "active",
        "subject": {"reference": f"Patient/{asked['context']['patientId']}"},
        "medicationReference": {"reference": f"{elsewhere}/Medication/1"},
    }
    ehr.on("MedicationRequest", fake.json_answer(fake.bundle(listed)))
    draft = asked["context"]["draftOrders"]["entry"][0]["resource"]
    asked["context"]["draftOrders"]["entry"].append(
        {"resource": {**listed, "id": "draft-2", "status": "draft", "intent": "order"}}
    )
    assert draft["id"] == "draft-1"
    answer = sent(hospital, asked, signed())
    assert "redirected elsewhere" in named(answer)
    # The open house and the fixture `stranger` see to the rest: nobody came.


UNSAFE = ("../Practitioner/9", "1?_include=*", "1/$everything", "..", "%2e%2e", "a/b", "1#", "ü", "x" * 257)


@pytest.mark.parametrize("unsafe", UNSAFE)
def test_T12_an_id_that_is_a_path_is_refused_or_not_read(hospital, asked, ehr, unsafe):
    draft = asked["context"]["draftOrders"]["entry"][0]["resource"]
    del draft["medicationCodeableConcept"]
    draft["medicationReference"] = {"reference": f"Medication/{unsafe}"}
    assert sent(hospital, asked, signed()).status_code == 200
    assert not [path for path in ehr.paths if "Medication/" in path]
    ehr.heard.clear()
    asked["context"]["patientId"] = unsafe
    draft["subject"] = {"reference": f"Patient/{unsafe}"}
    # Two dots have the letters of an id, so the call is taken; but nothing is read with them.
    assert sent(hospital, asked, signed()).status_code == (200 if unsafe == ".." else 400)
    assert not [path for path in ehr.paths if "Patient/.." in path or "patient=.." in path]


def test_T13_credentials_of_the_environment_are_not_used(
    open_house, asked, ehr, tmp_path, monkeypatch, stranger
):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login thief password thief", encoding="utf-8")
    monkeypatch.setenv("NETRC", str(netrc))
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, stranger.root)
    named(open_house.call(asked))
    assert {each.headers["Authorization"] for each in ehr.heard} == {"Bearer t0ken"}


# --- what comes back ----------------------------------------------------------------------------------

HTML = fake.raw(b"<html><body>Please log in</body></html>", content_type="text/html")
HOSTILE = {
    "F2 drips": (fake.drip_body, "no answer in time"),
    "F2 drips headers": (fake.drip_headers, "no answer in time"),
    "F2 drips gzip": (fake.drip_chunked_gzip, "no answer in time"),
    "F2 hangs": (fake.hang, "no answer in time"),
    "F3 401": (fake.status(401), "not permitted"),
    "F3 403": (fake.status(403), "not permitted"),
    "F4 404": (fake.status(404), "not found"),
    "F4 410": (fake.status(410), "not found"),
    "F5 429": (fake.status(429, retry_after="60"), "server busy"),
    "F5 503": (fake.status(503, retry_after="60"), "server busy"),
    "F6 500": (fake.status(500), "server error"),
    "F6 502": (fake.status(502), "server error"),
    "F6 reset": (fake.reset, "unreachable"),
    "F7 html": (HTML, "not a FHIR answer"),
    "F7 truncated": (fake.raw(b'{"resourceType": "Bundle", "entry": ['), "not a FHIR answer"),
    "F7 cut": (fake.cut_body(fake.bundle()), "unreachable"),
    "F7 outcome": (fake.json_answer(fake.outcome(code="forbidden")), "not permitted"),
    "F7 empty": (fake.raw(b""), "not a FHIR answer"),
    "F7 other type": (fake.json_answer({"resourceType": "Patient"}), "not a FHIR answer"),
    "T11 redirect": (fake.redirect("http://127.0.0.1:1/"), "redirected elsewhere"),
    "T11 endless redirect": (fake.redirect_with_endless_body("http://127.0.0.1:1/"), "redirected elsewhere"),
    "T18 gzip bomb": (fake.gzip_bomb(64), "answer too large"),
}


@pytest.mark.parametrize(("behaviour", "reason"), HOSTILE.values(), ids=HOSTILE)
def test_T18_F2_F3_F4_F5_F6_F7_a_hostile_answer_is_a_named_gap_in_time(
    open_house, asked, ehr, behaviour, reason
):
    """The problem list cannot be read: the card says so, and why, well before the deadline of the whole answer."""
    ehr.on("Condition", behaviour)
    begun = time.perf_counter()
    answer = open_house.call(asked)
    assert time.perf_counter() - begun < DEADLINE_S
    assert reason in named(answer)
    kinds = {(each["source"], each["text"]) for each in open_house.explain(asked)["gaps"]}
    assert any(source == "conditions" and reason in text for source, text in kinds), kinds


@pytest.mark.parametrize("name", ["F2 hangs", "F3 403", "F6 500", "F7 html"])
def test_F2_F3_F6_F7_a_chart_without_its_problem_list_is_a_412(open_house, asked, ehr, name):
    ehr.on("Condition", HOSTILE[name][0])
    view = asked | {"hook": "patient-view"}
    view["context"] = {name: view["context"][name] for name in ("userId", "patientId")}
    answer = open_house.call(view, "calciphylaxis-patient-view")
    assert (answer.status_code, answer.json()["resourceType"]) == (412, "OperationOutcome")


def test_F5_a_server_that_keeps_failing_is_left_alone_and_calls_stay_fast(open_house, asked, ehr):
    for kind in (
        "Condition",
        "Observation",
        "MedicationRequest",
        "Procedure",
        "Encounter",
        "ServiceRequest",
        "Patient",
    ):
        ehr.on(kind, fake.status(503))
    for _ in range(4):
        open_house.call(asked)
    heard = len(ehr.heard)
    for _ in range(5):
        begun = time.perf_counter()
        assert "server busy" in named(open_house.call(asked))
        assert time.perf_counter() - begun < 2
    assert len(ehr.heard) - heard <= 1


def test_F8_a_refused_search_parameter_is_left_out(open_house, asked, ehr):
    def strict(handler):
        refused = "_sort" in handler.path
        page = json.dumps(fake.outcome(code="not-supported") if refused else complete["conditions"]).encode()
        fake.raw(page, status=400 if refused else 200)(handler)

    complete = {"conditions": fake.bundle()}
    ehr.on("Observation", strict)
    report = open_house.explain(asked)
    assert "labs" not in report["facts"]["unreadable"]
    assert reads(ehr)["Observation"] >= 2


def test_F9_pages_that_run_in_a_circle_end_and_are_said(open_house, asked, ehr):
    patient = asked["context"]["patientId"]
    circle = f"{ehr.base}/Condition?patient={patient}&page=2"
    ehr.on("Condition", fake.json_answer(fake.bundle(next_link=circle)))
    begun = time.perf_counter()
    report = open_house.explain(asked)
    assert time.perf_counter() - begun < DEADLINE_S
    assert reads(ehr)["Condition"] <= 3
    assert "conditions" in report["facts"]["incomplete"] or "conditions" in report["facts"]["unreadable"]
