"""What is kept, how it leaves as FHIR AuditEvents, and how it is deleted: the commands of an operator."""

import asyncio
import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest
from fhir.resources.R4B.auditevent import AuditEvent
from processes import environment

from cds_service.background import purge
from cds_service.engine import build_engine
from cds_service.fhir.audit import audit_event
from cds_service.protocol.feedback import parse_feedback
from cds_service.settings import load_settings
from cds_service.store import CardRecord, InvocationRecord, OutcomeRecord, Store

CARD = "0d8f0f3e-6f3c-4a58-9c62-3b0a3b9a1111"
PATIENT, USER = "patient-known-to-nobody", "Practitioner/known-to-nobody"


def invocation(days_ago, **changes):
    return InvocationRecord(
        at=datetime.now(UTC) - timedelta(days=days_ago),
        client="st-mary",
        service="calciphylaxis-order-sign",
        hook="order-sign",
        status=200,
        patient=PATIENT,
        user=USER,
        gaps=("labs:not-permitted",),
        config_hash="c0ffee",
        engine_version="0.1.0",
        outcomes=(
            OutcomeRecord(
                rule="vka-dialysis", version="1.0.0", mode="live", outcome="fires", indicator="warning"
            ),
            OutcomeRecord(rule="vka-calciphylaxis", version="1.0.0", mode="shadow", outcome="clear"),
        ),
        **changes,
    )


def fill(url):
    """One call from today with its card, one from 40 and one from 400 days ago, feedback from today."""
    card = CardRecord(
        uuid=CARD,
        rule="vka-dialysis",
        version="1.0.0",
        indicator="warning",
        topic="vkaDialysisWarning",
        mode="live",
    )
    item = {"card": CARD, "outcome": "accepted", "outcomeTimestamp": "2026-11-21T12:00:00Z"}

    async def keep():
        for record in (invocation(400), invocation(40), invocation(0, cards=(card,))):
            assert await store.record(record, timeout=5)
        await store.feedback(parse_feedback(json.dumps({"feedback": [item]}).encode()).items, "st-mary", 5)
        store.note_configuration(None, "c0ffee", ("site",), "0.1.0")

    store = Store.open(url, hash_key=b"development-only-hash-key")
    asyncio.run(keep())
    store.close()


def run(*arguments, **settings):
    done = subprocess.run(
        [sys.executable, "-m", "cds_service", *arguments],
        env=environment(**settings) | {"COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_every_call_leaves_as_a_valid_audit_event_without_naming_anybody(tmp_path):
    url = f"sqlite:///{tmp_path / 'records.sqlite'}"
    fill(url)
    lines = run("export", "audit", CDS_STORE_URL=url).splitlines()
    events = [AuditEvent.model_validate_json(line) for line in lines]
    assert len(events) == 3
    assert sorted(event.recorded for event in events) == [event.recorded for event in events]
    assert PATIENT not in "".join(lines)
    assert USER not in "".join(lines)
    latest = json.loads(lines[-1])
    assert latest["type"]["code"] == "110112"
    assert latest["subtype"][0]["code"] == "order-sign"
    assert latest["outcome"] == "0"
    client, service, user = latest["agent"]
    assert client["who"]["identifier"]["value"] == "st-mary"
    assert service["who"]["identifier"]["value"] == "calciphylaxis-order-sign"
    assert (user["requestor"], client["requestor"]) == (True, False)
    patient, query = latest["entity"]
    assert patient["role"]["code"] == "1"
    hashed = patient["what"]["identifier"]["value"]
    assert len(hashed) == 32
    assert all(json.loads(line)["entity"][0]["what"]["identifier"]["value"] == hashed for line in lines)
    details = [(detail["type"], detail["valueString"]) for detail in query["detail"]]
    assert details == [
        ("configuration", "c0ffee"),
        ("rule", "vka-dialysis 1.0.0 live fires warning"),
        ("rule", "vka-calciphylaxis 1.0.0 shadow clear"),
        ("card", f"{CARD} vkaDialysisWarning"),
        ("gap", "labs:not-permitted"),
    ]
    yesterday = (datetime.now(UTC) - timedelta(days=1)).strftime("%Y-%m-%d")
    assert run("export", "audit", "--since", yesterday, CDS_STORE_URL=url).splitlines() == lines[-1:]


@pytest.mark.parametrize(("status", "outcome"), [(200, "0"), (412, "4"), (500, "8")])
def test_an_audit_event_says_whose_failure_it_was(status, outcome):
    event = audit_event(
        id="1",
        recorded="2026-11-21T12:00:00.000001Z",
        client="st-mary",
        service="calciphylaxis-order-sign",
        hook="order-sign",
        status=status,
        user=None,
        patient=None,
        rules=(),
        cards=(),
        gaps=(),
        configuration="c0ffee",
        version="0.1.0",
    )
    assert event["outcome"] == outcome
    assert [agent["requestor"] for agent in event["agent"]] == [True, False], "somebody asked"
    assert len(event["entity"]) == 1


def test_purge_counts_first_and_keeps_what_the_site_keeps(tmp_path):
    url = f"sqlite:///{tmp_path / 'records.sqlite'}"
    site = tmp_path / "site.toml"
    site.write_text("retention_days = 100\n")
    fill(url)
    settings = {"CDS_STORE_URL": url, "CDS_SITE": site}
    planned = json.loads(run("purge", "--dry-run", "--json", **settings))
    assert planned == {
        "older_than_days": 100,
        "deleted": False,
        "invocations": 1,
        "feedback": 0,
        "configurations": 0,
    }
    assert json.loads(run("purge", "--json", **settings)) == {**planned, "deleted": True}
    assert "Deleted what is older than 30 days: 1 calls, 0 feedback" in run(
        "purge", "--days", "30", **settings
    )
    assert len(run("export", "audit", **settings).splitlines()) == 1


def test_the_service_purges_by_itself(tmp_path):
    url = f"sqlite:///{tmp_path / 'records.sqlite'}"
    site = tmp_path / "site.toml"
    site.write_text("retention_days = 100\n")
    fill(url)
    store = Store.open(url, hash_key=b"development-only-hash-key")
    asyncio.run(purge(build_engine(load_settings(site=site), store=store)))
    assert [record.at > "2000" for record in store.export_records()] == [True, True]
    store.close()
