"""Running the service (T29, T30, F32, F34, F37): files, database, replicas. More of it is in `tests/operations`."""

import re
import sqlite3
import time
import uuid
from contextlib import closing

import pytest
from callers import sent, signed, two_clients
from operator_desk import commands, environment_of
from support.live import SIGN, live_service
from trust_proofs import ROOT

PATH = f"/cds-services/{SIGN}"
KEY = "a-key-of-the-site-itself"


# --- files --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-ci.lock"])
def test_T29_every_dependency_is_locked_with_a_hash_and_from_no_index(name):
    text = (ROOT / name).read_text(encoding="utf-8").replace("\\\n", " ")
    wanted = [line for line in text.splitlines() if line and not line.lstrip().startswith("#")]
    assert len(wanted) > 20
    for line in wanted:
        assert re.match(r"[A-Za-z0-9._\[\]-]+==\S+", line), line
        assert "--hash=sha256:" in line, line
    assert "index-url" not in text


def test_T29_the_image_runs_as_an_ordinary_user():
    lines = (ROOT / "Dockerfile").read_text(encoding="utf-8").splitlines()
    users = [line.split()[1] for line in lines if line.startswith("USER ")]
    assert users
    assert users[-1].partition(":")[0] not in ("root", "0")
    assert any("--require-hashes" in line for line in lines)


BAD_FILES = {
    "a threshold out of bounds": (
        "CDS_SITE",
        "ca_x_p_high = 9000",
        "ca_x_p_high: must be a number from 40 to 70",
    ),
    "a misspelt threshold": ("CDS_SITE", "ca_x_p_hihg = 55", "ca_x_p_hihg: unknown name"),
    "profiles that are no JSON": ("CDS_CLIENTS", "{", "not JSON"),
    "a misspelt setting": ("CDS_TRESHOLD", "", "CDS_TRESHOLD"),
}


def test_T30_F37_a_broken_configuration_does_not_start_and_says_which(tmp_path):
    starts = []
    for number, (name, text, _) in enumerate(BAD_FILES.values()):
        path = tmp_path / str(number)
        path.write_text(text, encoding="utf-8")
        starts.append((["serve", "--port", "0"], environment_of(tmp_path, **{name: str(path)})))
    for (status, said), (_, _, says) in zip(commands(*starts), BAD_FILES.values(), strict=True):
        assert status != 0
        assert says in " ".join(said.split())
        assert "Traceback" not in said


def test_T30_a_changed_setting_changes_the_hash_in_every_record(tmp_path, call):
    seen = set()
    for mode in ("live", "shadow"):
        folder = tmp_path / mode
        folder.mkdir()
        with live_service(folder, rule_modes={"vka-dialysis": mode}) as service:
            shown = "vka-dialysis" in str([card["source"] for card in service.cards(call)])
            assert shown is (mode == "live")
            told = service.get("/ready").json()["configuration"]
        with closing(sqlite3.connect(folder / "records.sqlite")) as database:
            assert database.execute("SELECT DISTINCT config_hash FROM invocation").fetchall() == [(told,)]
        seen.add(told)
    assert len(seen) == 2


# --- database -----------------------------------------------------------------------------------------


def feedback(card):
    return {"feedback": [{"card": card, "outcome": "accepted", "outcomeTimestamp": "2026-11-21T12:00:00Z"}]}


def test_F32_without_its_database_cards_go_out_and_feedback_is_not_acknowledged(tmp_path, call):
    with live_service(tmp_path, deadline_ms=600, fhir_deadline_ms=300) as service:
        (card,) = service.cards(call)
        blocker = sqlite3.connect(tmp_path / "records.sqlite", isolation_level=None)
        blocker.execute("BEGIN IMMEDIATE")
        begun = time.perf_counter()
        assert len(service.cards(call)) == 1
        assert time.perf_counter() - begun < 1.5
        assert service.get("/ready").json()["store"] == "not reachable"
        assert service.get("/ready").json()["records"]["waiting"] >= 1
        assert service.get("/health").status_code == 200
        refused = service.post(f"{PATH}/feedback", feedback(card["uuid"]))
        assert (refused.status_code, refused.json()["resourceType"]) == (503, "OperationOutcome")
        blocker.execute("ROLLBACK")
        blocker.close()
        assert service.post(f"{PATH}/feedback", feedback(card["uuid"])).status_code == 200
        ready = service.get("/ready").json()
        assert (ready["store"], ready["records"]["lost"]) == ("ok", 0)
    with closing(sqlite3.connect(tmp_path / "records.sqlite")) as database:
        assert database.execute("SELECT count(*) FROM invocation").fetchall() == [(2,)]


# --- replicas -----------------------------------------------------------------------------------------


def test_F34_replicas_share_replay_memory_cards_and_feedback(tmp_path, call, ehr):
    clients = two_clients(tmp_path, ehr.base)
    with (
        live_service(tmp_path, auth="required", clients=clients) as left,
        live_service(tmp_path, auth="required", clients=clients) as right,
    ):
        headers = signed()
        (card,) = sent(left, call, headers).json()["cards"]
        assert sent(right, call | {"hookInstance": str(uuid.uuid4())}, headers).status_code == 401
        assert len(sent(right, call, headers).json()["cards"]) == 1
        path = f"{PATH}/feedback"
        kept = right.post(path, feedback(card["uuid"]), headers=signed(path=path))
        assert kept.status_code == 200
        (row,) = left.engine.store.export_feedback()
        assert (row.card, row.rule) == (card["uuid"], "vka-dialysis")
