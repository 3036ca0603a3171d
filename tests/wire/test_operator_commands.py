"""`doctor` and `export feedback` as an operator runs them."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cds_service.protocol.feedback import parse_feedback
from cds_service.store import CardRecord, InvocationRecord, Store

CARD = "0d8f0f3e-6f3c-4a58-9c62-3b0a3b9a1111"


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("CDS_")}
    return subprocess.run(
        [sys.executable, "-m", "cds_service", *arguments],
        env={**clean, "COLUMNS": "200", **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def profiles(folder: Path, **changes: object) -> str:
    key = {"kty": "RSA", "n": "u" * 342 + "Q", "e": "AQAB", "kid": "k", "alg": "RS384"}
    client = {
        "id": "epic-test",
        "preset": "epic",
        "issuer": "https://ehr.example",
        "jwks": {"keys": [key]},
        **changes,
    }
    path = folder / "clients.json"
    path.write_text(json.dumps({"clients": [client]}))
    return str(path)


def test_doctor_names_what_a_profile_lacks_and_prints_the_exact_strings(tmp_path: Path) -> None:
    store = f"sqlite:///{tmp_path / 'x.sqlite'}"
    result = run(
        "doctor",
        "--client",
        "epic-test",
        "--json",
        CDS_CLIENTS=profiles(tmp_path),
        CDS_STORE_URL=store,
        CDS_PUBLIC_URL="https://cds.example",
    )
    report = json.loads(result.stdout)
    assert result.returncode == 1
    assert any("fhir_base" in sentence for sentence in report["lacks"])
    assert any("lab.calcium" in sentence for sentence in report["lacks"]), "Epic files only its own codes"
    order_sign = next(item for item in report["services"] if item["hook"] == "order-sign")
    assert order_sign["url"] == "https://cds.example/cds-services/calciphylaxis-order-sign"
    assert order_sign["prefetch"]["conditions"] == "Condition?patient={{context.patientId}}"
    assert "patient/MedicationRequest.rs" in order_sign["scopes"]


def test_doctor_prints_each_string_on_a_line_of_its_own_however_narrow_the_screen(tmp_path: Path) -> None:
    store = f"sqlite:///{tmp_path / 'x.sqlite'}"
    result = run("doctor", COLUMNS="40", CDS_STORE_URL=store, CDS_PUBLIC_URL="http://127.0.0.1:8123")
    lines = [line.strip() for line in result.stdout.splitlines()]
    assert "http://127.0.0.1:8123/cds-services" in lines
    assert "http://127.0.0.1:8123/cds-services/calciphylaxis-order-sign/feedback" in lines
    (labs,) = {line for line in lines if line.startswith("Observation?") and "2777-1" in line}
    assert labs.endswith("&_sort=-date&_count=100")


def test_doctor_prints_override_codes_as_csv(tmp_path: Path) -> None:
    result = run("doctor", "--codes", CDS_STORE_URL=f"sqlite:///{tmp_path / 'x.sqlite'}")
    rows = list(csv.DictReader(io.StringIO(result.stdout)))
    mine = {row["code"] for row in rows if row["topic"] == "vkaDialysisWarning"}
    assert "risk-benefit-ratio" in mine
    assert {row["system"] for row in rows} == {
        "http://terminology.hl7.org/CodeSystem/non-adherence-reason-codes"
    }


def test_doctor_of_an_unknown_client_says_which_are_known(tmp_path: Path) -> None:
    result = run("doctor", "--client", "nobody", CDS_STORE_URL=f"sqlite:///{tmp_path / 'x.sqlite'}")
    assert result.returncode == 2
    assert "anonymous" in result.stderr


@pytest.mark.parametrize("form", ["csv", "json"])
def test_feedback_is_exported_with_rule_version_and_tier(tmp_path: Path, form: str) -> None:
    url = f"sqlite:///{tmp_path / 'feedback.sqlite'}"
    _keep_one(url)
    result = run("export", "feedback", "--format", form, CDS_STORE_URL=url)
    assert result.returncode == 0, result.stderr
    if form == "csv":
        (row,) = csv.DictReader(io.StringIO(result.stdout))
    else:
        row = json.loads(result.stdout)
    assert (row["rule"], row["version"], row["indicator"]) == ("vka-dialysis", "1.0.0", "warning")
    assert row["reason_code"] == "risk-benefit-ratio"
    assert not row["comment"], "comments may hold PHI and are exported only on request"
    with_comments = run("export", "feedback", "--format", form, "--comments", CDS_STORE_URL=url)
    assert "seen by nephrology" in with_comments.stdout


def _keep_one(url: str) -> None:
    body = {
        "feedback": [
            {
                "card": CARD,
                "outcome": "overridden",
                "overrideReason": {
                    "reason": {"code": "risk-benefit-ratio"},
                    "userComment": "seen by nephrology",
                },
                "outcomeTimestamp": "2026-11-21T10:00:00Z",
            }
        ]
    }
    card = CardRecord(
        uuid=CARD,
        rule="vka-dialysis",
        version="1.0.0",
        indicator="warning",
        topic="vkaDialysisWarning",
        mode="live",
    )
    record = InvocationRecord(
        at=datetime.now(UTC),
        client="ehr",
        service="calciphylaxis-order-sign",
        hook="order-sign",
        status=200,
        patient="p1",
        cards=(card,),
    )

    async def keep() -> None:
        assert await store.record(record, timeout=5)
        await store.feedback(parse_feedback(json.dumps(body).encode()).items, "ehr", timeout=5)

    store = Store.open(url, hash_key=b"development-only-hash-key")
    asyncio.run(keep())
    store.close()
