"""What `/metrics`, `/ready` and the log tell an operator (trust.md 5.4, F5, F35), and what they never tell."""

import json

import requests
import structlog
from support.fhir_server import fake
from support.live import SIGN, live_service
from test_overload import metric, without_conditions
from token_makers import client_entry, key_set, signed

from cds_service.logs import configure_logging

PROMISED = {
    "cds_requests": {"client", "service", "status"},
    "cds_request_seconds": {"service"},
    "cds_rule_outcomes": {"rule", "version", "outcome", "mode"},
    "cds_gap": {"kind"},
    "cds_fhir_seconds": {"resource", "result"},
    "cds_prefetch_state": {"resource", "state"},
    "cds_auth_failures": {"reason"},
    "cds_feedback": {"rule", "outcome", "reason"},
    "cds_unmapped_codes": {"kind"},
    "cds_record_dropped": set(),
    "cds_deadline_exceeded": set(),
}
GAUGES = {
    "cds_build_info",
    "cds_configuration_info",
    "cds_live_rules",
    "cds_store_up",
    "cds_fhir_circuit_open",
    "cds_reload_ok",
    "cds_calls_in_progress",
    "cds_calls_waiting",
    "cds_store_waiting",
}


def test_every_promised_metric_is_there_with_its_labels(live):
    families = {family.name: family for family in live.engine.metrics.registry.collect()}
    assert set(PROMISED) <= set(families)
    for name, labels in PROMISED.items():
        assert labels <= set(live.engine.metrics.registry._names_to_collectors[name]._labelnames)
    told = {line.split()[2] for line in live.get("/metrics").text.splitlines() if line.startswith("# TYPE ")}
    assert told >= GAUGES


def test_F5_a_server_that_keeps_failing_is_shown_as_left_alone(tmp_path, call, ehr):
    ehr.on("", fake.status(500))
    asked = {**call, "fhirServer": ehr.base, "prefetch": {}}
    with live_service(tmp_path, fhir_bases=ehr.base) as service:
        assert metric(service, 'cds_fhir_circuit_open{client="anonymous"}') == 0
        for _ in range(3):
            assert service.call(asked).status_code == 200
        assert metric(service, 'cds_fhir_circuit_open{client="anonymous"}') == 1
        read = len(ehr.paths)
        assert service.call(asked).status_code == 200
        assert len(ehr.paths) == read, "it is left alone"


def test_F35_keys_are_there_before_the_first_call_and_an_outage_is_told(tmp_path, ehr):
    clients = tmp_path / "clients.json"
    entry = client_entry("st-mary", key="one")
    del entry["jwks"]
    clients.write_text(json.dumps({"clients": [{**entry, "jwks_url": f"{ehr.base}/jwks"}]}))
    settings = {"auth": "required", "clients": clients}

    def keys(service):
        return service.get("/ready").json().get("keys", {}).get("st-mary", {})

    ehr.on("jwks", fake.json_answer(key_set("one")))
    with live_service(tmp_path, **settings) as service:
        assert fake.wait_until(lambda: keys(service).get("keys") == 1, 5)
        assert keys(service)["ageSeconds"] < 30
        assert metric(service, 'cds_client_keys{client="st-mary"}') == 1
    ehr.on("jwks", fake.status(503))
    with live_service(tmp_path, **settings) as service:
        assert fake.wait_until(lambda: keys(service).get("failures") == 1, 5)
        ready = service.get("/ready").json()
        assert ready["ready"]
        assert any("no key of client st-mary" in note for note in ready["notes"])
        assert metric(service, 'cds_client_keys{client="st-mary"}') == 0


def test_F36_a_refused_caller_is_logged_by_issuer_and_cause_and_never_by_token(tmp_path, capsys):
    clients = tmp_path / "clients.json"
    clients.write_text(json.dumps({"clients": [client_entry("st-mary", key="one")]}))
    before = structlog.get_config()
    configure_logging(json=True)
    try:
        with live_service(tmp_path, auth="required", clients=clients) as service:
            headers = signed("stranger", "one", service.url(f"/cds-services/{SIGN}"))
            answer = requests.post(service.url(f"/cds-services/{SIGN}"), json={}, headers=headers, timeout=20)
            assert answer.status_code == 401
    finally:
        structlog.configure(**before)
    said = capsys.readouterr().out
    (line,) = [json.loads(one) for one in said.splitlines() if "caller_refused" in one]
    assert line["issuer"] == "https://stranger.example.org"
    assert line["cause"] == "issuer"
    assert headers["Authorization"].split()[1] not in said


def test_T14_nothing_of_a_call_is_in_the_metrics(live, call, ehr):
    canary = "canary-never-to-be-seen"
    asked = json.loads(json.dumps(without_conditions(call, ehr)).replace("hd-new-start", canary))
    answer = live.call(asked)
    assert answer.status_code == 200, answer.text
    text = live.get("/metrics").text
    for part in (canary, ehr.base, "warfarin", "855332", call["hookInstance"]):
        assert part not in text
    assert canary not in live.get("/ready").text
