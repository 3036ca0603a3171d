"""SIGHUP: what the site's files say is taken without a restart, or refused and named (fault F37)."""

import json
import sqlite3
import threading
from contextlib import closing

import requests
from processes import served
from support.fhir_server import fake
from support.live import SIGN
from token_makers import client_entry, signed

PATH = f"/cds-services/{SIGN}"
MARKER = "never-repeat-me"


def topics(answer):
    assert answer.status_code == 200, answer.text
    return [card["source"]["topic"]["code"] for card in answer.json()["cards"]]


def test_F37_modes_thresholds_and_approvals_are_taken_while_serving(tmp_path, call):
    site = tmp_path / "site.toml"
    site.write_text("")
    with served(tmp_path, CDS_SITE=site) as service:
        assert topics(service.post(PATH, call)) == ["vkaDialysisWarning"]
        first = service.ready()["configuration"]

        site.write_text('[rule_modes]\nvka-dialysis = "shadow"\nmbd-labs-missing = "shadow"\n')
        service.reload()
        assert topics(service.post(PATH, call)) == []
        second = service.ready()["configuration"]
        assert second != first
        assert service.metric(f'cds_configuration_info{{environment="development",hash="{second}"') == 1

        for text, named in (
            (f'[rule_modes]\nvka-dialysis = "{MARKER}"\n', "rule_modes"),
            ('[rule_modes]\nvka-dialisys = "live"\n', "vka-dialisys"),
            ("ca_x_p_high = 5\n", "ca_x_p_high"),
            (f'value_sets_off = ["{MARKER}"]\n', "value_sets_off"),
            (f"{MARKER} = \n", "site file"),
        ):
            site.write_text(text)
            service.reload()
            ready = service.ready()
            assert (ready["ready"], ready["configuration"]) == (True, second), text
            assert ready["reload"]["refused"] == "CDS_SITE"
            assert named in ready["reload"]["reason"]
            assert service.metric("cds_reload_ok") == 0
            assert topics(service.post(PATH, call)) == [], "the last good configuration is in force"

        site.write_text("")
        service.reload()
        assert "reload" not in service.ready()
        assert service.metric("cds_reload_ok") == 1
        assert service.ready()["configuration"] == first
        assert topics(service.post(PATH, call)) == ["vkaDialysisWarning"]
    with closing(sqlite3.connect(tmp_path / "records.sqlite")) as database:
        changes = database.execute(
            "SELECT before_hash, config_hash, changed FROM configuration ORDER BY id"
        ).fetchall()
        recorded = database.execute("SELECT config_hash FROM invocation ORDER BY id").fetchall()
    assert [row[:2] for row in changes] == [(None, first), (first, second), (second, first)]
    assert json.loads(changes[1][2]) == ["rule_modes"]
    assert recorded == [(first,), *[(second,)] * 6, (first,)]


def test_F37_a_call_under_way_ends_on_the_configuration_it_began_with(tmp_path, call, ehr):
    site = tmp_path / "site.toml"
    site.write_text("")
    arrived, go_on = threading.Event(), threading.Event()

    def answer_later(handler):
        arrived.set()
        go_on.wait(10)
        fake.json_answer(call["prefetch"]["labs"])(handler)

    ehr.on("Observation", answer_later)
    prefetch = {key: value for key, value in call["prefetch"].items() if key != "labs"}
    asked = {**call, "fhirServer": ehr.base, "prefetch": prefetch}
    settings = {"CDS_FHIR_BASES": ehr.base, "CDS_DEADLINE_MS": 12_000, "CDS_FHIR_DEADLINE_MS": 11_000}
    with served(tmp_path, CDS_SITE=site, **settings) as service:
        first = service.ready()["configuration"]
        answers = []
        caller = threading.Thread(
            target=lambda: answers.append(requests.post(f"{service.base}{PATH}", json=asked, timeout=20))
        )
        caller.start()
        assert arrived.wait(10)
        site.write_text('[rule_modes]\n"*" = "shadow"\n')
        service.reload()
        second = service.ready()["configuration"]
        assert topics(service.post(PATH, call)) == []
        go_on.set()
        caller.join(20)
        assert topics(answers[0]) == ["vkaDialysisWarning"]
    with closing(sqlite3.connect(tmp_path / "records.sqlite")) as database:
        rows = database.execute("SELECT config_hash FROM invocation ORDER BY at").fetchall()
    assert sorted(rows) == sorted([(first,), (second,)])


def test_F37_clients_come_and_go_and_keys_are_rotated_without_a_restart(tmp_path, call):
    clients = tmp_path / "clients.json"

    def write(*entries):
        clients.write_text(json.dumps({"clients": list(entries)}))

    write(client_entry("st-mary", key="old"))
    with served(tmp_path, CDS_CLIENTS=clients, CDS_AUTH="required") as service:
        url = f"http://127.0.0.1:8000{PATH}"

        def status(client, key):
            return service.post(PATH, call, headers=signed(client, key, url)).status_code

        assert (status("st-mary", "old"), status("st-mary", "new"), status("county", "old")) == (
            200,
            401,
            401,
        )
        write(client_entry("st-mary", key="new"), client_entry("county", key="old"))
        service.reload()
        assert (status("st-mary", "old"), status("st-mary", "new"), status("county", "old")) == (
            401,
            200,
            200,
        )
        clients.write_text(
            f'{{"clients": [{{"id": "x", "issuer": "{MARKER}", "jwks_url": "http://{MARKER}"}}]}}'
        )
        service.reload()
        assert service.ready()["reload"]["refused"] == "CDS_CLIENTS"
        assert MARKER not in json.dumps(service.ready())
        assert status("st-mary", "new") == 200
        write(client_entry("county", key="old"))
        service.reload()
        assert (status("st-mary", "new"), status("county", "old")) == (401, 200)
        assert abs(service.ready()["clockSkewSeconds"]) < 30
