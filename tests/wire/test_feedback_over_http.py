"""Feedback over HTTP against a process of its own: both spellings, `kill -9` right after the 200, the exports."""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager

import pytest
import requests
from support.casefiles import request_of
from support.live import SIGN
from support.ports import free_port

CASE = "vka-dialysis-new-start"
UNKNOWN = "0b8fb0ba-0000-4000-8000-000000000000"
SPEC = {
    "outcome": "overridden",
    "overrideReason": {
        "reason": {
            "code": "risk-benefit-ratio",
            "system": "http://terminology.hl7.org/CodeSystem/non-adherence-reason-codes",
        },
        "userComment": "seen by nephrology",
    },
    "outcomeTimestamp": "2026-11-21T12:00:05Z",
}
EPIC = {
    "outcome": "overridden",
    "overrideReasons": {
        "reason": {"code": "expert-contradicts", "display": "Specialist agrees"},
    },
    "outcomeTimestamp": "2026-11-21T12:00:06-05:00",
}
EPIC_EXTENSION = {
    "outcome": "overridden",
    "overrideReasons": [
        {
            "extension": {
                "com.epic.cdshooks.feedback.overrideReason.reasonCategory": "9",
                "com.epic.cdshooks.feedback.overrideReason.reasonDisplay": "Other",
            },
            "userComment": "a comment",
        }
    ],
    "outcomeTimestamp": "2026-11-21T12:00:07Z",
}


def environment(store):
    clean = {name: value for name, value in os.environ.items() if not name.startswith("CDS_")}
    return clean | {"CDS_STORE_URL": f"sqlite:///{store}", "CDS_AS_OF": "2026-11-21T12:00:00Z"}


@contextmanager
def process(store):
    """`cds-service serve` as an operator starts it; killed at the end, if it has not been before."""
    port = free_port()
    command = [sys.executable, "-m", "cds_service", "serve", "--port", str(port)]
    running = subprocess.Popen(
        command, env=environment(store), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    base = f"http://127.0.0.1:{port}"
    try:
        for _ in range(1200):
            try:
                if requests.get(f"{base}/health", timeout=1).ok:
                    break
            except requests.ConnectionError:
                time.sleep(0.05)
        yield base, running
    finally:
        running.kill()
        running.wait(10)


def exported(store):
    command = [sys.executable, "-m", "cds_service", "export", "feedback", "--format", "json", "--comments"]
    done = subprocess.run(
        command, env=environment(store), capture_output=True, text=True, check=True, timeout=60
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


def metric(base, name):
    text = requests.get(f"{base}/metrics", timeout=5).text
    return {
        line.rpartition(" ")[0]: float(line.rpartition(" ")[2])
        for line in text.splitlines()
        if line.startswith(name)
    }


def test_feedback_in_both_spellings_survives_a_kill_right_after_its_200(tmp_path):
    store = tmp_path / "cds.sqlite"
    with process(store) as (base, running):
        (card,) = requests.post(f"{base}/cds-services/{SIGN}", json=request_of(CASE), timeout=10).json()[
            "cards"
        ]
        accepted = {
            "outcome": "accepted",
            "acceptedSuggestions": [{"id": card["suggestions"][0]["uuid"]}],
            "outcomeTimestamp": "2026-11-21T12:00:08Z",
        }
        items = [{"card": card["uuid"], **item} for item in (SPEC, EPIC, EPIC_EXTENSION, accepted)]
        items.append({"card": UNKNOWN, **SPEC})
        answer = requests.post(f"{base}/cds-services/{SIGN}/feedback", json={"feedback": items}, timeout=10)
        os.kill(running.pid, signal.SIGKILL)
        assert (answer.status_code, answer.content) == (200, b"")
        assert running.wait(10) == -signal.SIGKILL
    with process(store) as (base, _):
        # Sent again by a client that saw no answer, it changes nothing.
        again = requests.post(f"{base}/cds-services/{SIGN}/feedback", json={"feedback": items}, timeout=10)
        assert again.status_code == 200
        assert metric(base, "cds_feedback_total") == {}
        rows = exported(store)
    assert [row["outcome"] for row in rows] == ["overridden"] * 3 + ["accepted", "overridden"]
    for row in rows[:4]:
        assert (row["rule"], row["indicator"], row["topic"]) == (
            "vka-dialysis",
            "warning",
            "vkaDialysisWarning",
        )
        assert (row["service"], row["hook"], row["version"]) == (SIGN, "order-sign", "1.0.0")
    assert [row["reason_code"] for row in rows] == [
        "risk-benefit-ratio",
        "expert-contradicts",
        "9",
        None,
        "risk-benefit-ratio",
    ]
    assert [row["comment"] for row in rows[:3]] == ["seen by nephrology", None, "a comment"]
    assert rows[1]["reason_display"] == "Specialist agrees"
    assert rows[2]["reason_display"] == "Other"
    assert rows[1]["outcome_timestamp"] == "2026-11-21T17:00:06.000000Z"
    assert rows[3]["accepted"] == ["remove-order"]
    assert (rows[4]["rule"], rows[4]["service"]) == (None, None), "a card that is not on record"


def test_metrics_count_feedback_by_rule_outcome_and_reason_from_closed_lists(live):
    (card,) = live.cards(request_of(CASE))
    before = counted(live)
    items = [{"card": card["uuid"], **item} for item in (SPEC, EPIC_EXTENSION)]
    items += [{"card": card["uuid"], "outcome": "overridden"}, {"card": UNKNOWN, **SPEC}]
    items += [{"card": card["uuid"], **SPEC}]
    assert live.post(f"/cds-services/{SIGN}/feedback", {"feedback": items}).status_code == 200
    grown = {labels: number - before.get(labels, 0) for labels, number in counted(live).items()}
    name = "cds_feedback_total"
    assert {labels: number for labels, number in grown.items() if number} == {
        f'{name}{{outcome="overridden",reason="risk-benefit-ratio",rule="vka-dialysis"}}': 1,
        f'{name}{{outcome="overridden",reason="unknown",rule="vka-dialysis"}}': 1,
        f'{name}{{outcome="overridden",reason="none",rule="vka-dialysis"}}': 1,
        f'{name}{{outcome="overridden",reason="risk-benefit-ratio",rule="unknown"}}': 1,
    }, "the item that came twice counts once"


def counted(live):
    return metric(live.base, "cds_feedback_total")


def test_feedback_that_cannot_be_read_at_all_is_not_acknowledged(live):
    canary = "CANARY-patient-name"
    path = f"/cds-services/{SIGN}/feedback"
    answer = live.post(path, {"feedback": [{"card": canary}, {"card": 7, "outcome": canary}]})
    assert answer.status_code == 400
    assert "feedback[0]: needs card and outcome as strings" in answer.json()["issue"][0]["diagnostics"]
    assert canary not in answer.text
    assert live.post(path, {"feedback": []}).status_code == 200


@pytest.mark.parametrize("broken", [{"card": "x"}, "x", None, {"card": "c", "outcome": "ignored"}])
def test_a_broken_item_costs_only_itself_and_is_counted(live, broken):
    before = metric(live.base, "cds_feedback_problems_total")
    good = {"card": UNKNOWN, "outcome": "accepted", "outcomeTimestamp": "2026-11-21T12:00:00Z"}
    assert live.post(f"/cds-services/{SIGN}/feedback", {"feedback": [broken, good]}).status_code == 200
    after = metric(live.base, "cds_feedback_problems_total")
    assert sum(after.values()) == sum(before.values()) + 1
