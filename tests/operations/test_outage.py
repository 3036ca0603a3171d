"""The database is away at the start, goes away while calls come in, and returns (fault F32)."""

import sqlite3
import time
from contextlib import closing

import pytest
from processes import served
from sqlalchemy import create_engine, make_url, text
from support.live import SIGN

FEEDBACK = f"/cds-services/{SIGN}/feedback"


def judged(card):
    return {"feedback": [{"card": card, "outcome": "accepted", "outcomeTimestamp": "2026-11-21T12:00:00Z"}]}


def card_of(service, call):
    answer = service.post(f"/cds-services/{SIGN}", call)
    assert answer.status_code == 200, answer.text
    (card,) = answer.json()["cards"]
    assert card["source"]["topic"]["code"] == "vkaDialysisWarning"
    return card["uuid"]


def without_store(service, call):
    """What holds while the database is away, whatever kind it is of; the card that was given."""
    begun = time.monotonic()
    card = card_of(service, call)
    assert time.monotonic() - begun < 1.5, "nobody waits for a commit that cannot come"
    ready = service.get("/ready")
    assert (ready.status_code, ready.json()["ready"]) == (200, True), "replicas without database still answer"
    assert ready.json()["store"] == "not reachable"
    assert any("store is not reachable" in note for note in ready.json()["notes"])
    assert service.metric("cds_store_up") == 0
    assert service.metric("cds_record_late_total") >= 1
    refused = service.post(FEEDBACK, judged(card))
    assert refused.status_code == 503
    assert refused.headers["Retry-After"].isdigit()
    assert refused.json()["resourceType"] == "OperationOutcome"
    return card


def back(service, card):
    """What holds once it is back: nothing was lost, and feedback is kept."""
    service.wait(lambda: service.ready()["store"] == "ok")
    service.wait(lambda: service.ready()["records"]["waiting"] == 0)
    assert service.ready()["records"]["lost"] == 0
    assert service.metric("cds_record_dropped_total") == 0
    assert service.metric("cds_store_up") == 1
    assert service.post(FEEDBACK, judged(card)).status_code == 200


def test_F32_sqlite_away_at_the_start_and_there_later(tmp_path, call):
    away = tmp_path / "disk"
    away.write_text("not a folder yet")
    with served(tmp_path, CDS_STORE_URL=f"sqlite:///{away / 'records.sqlite'}") as service:
        card = without_store(service, call)
        away.unlink()
        away.mkdir()
        back(service, card)
    with closing(sqlite3.connect(away / "records.sqlite")) as database:
        assert database.execute("SELECT count(*) FROM invocation").fetchone() == (1,)
        assert database.execute("SELECT card_uuid FROM feedback").fetchone() == (card,)
        (start,) = database.execute("SELECT before_hash, config_hash FROM configuration").fetchall()
        assert start[0] is None


@pytest.mark.postgres
def test_F32_postgresql_away_at_the_start_then_there_then_restarted(tmp_path, call, relayed):
    url, relay = relayed
    with served(tmp_path, CDS_STORE_URL=url) as service:
        card = without_store(service, call)
        relay.start()
        back(service, card)
        relay.stop()
        service.wait(lambda: service.ready()["store"] == "not reachable")
        again = without_store(service, call)
        relay.start()
        back(service, again)
    engine = create_engine(make_url(url).set(drivername="postgresql+psycopg", port=relay._target[1]))
    with engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM invocation")).scalar_one() == 2
        assert connection.execute(text("SELECT count(*) FROM feedback")).scalar_one() == 2
    engine.dispose()


def test_F32_what_cannot_wait_any_longer_is_counted_as_lost(tmp_path, call):
    away = tmp_path / "disk"
    away.write_text("not a folder")
    with served(tmp_path, CDS_STORE_URL=f"sqlite:///{away / 'records.sqlite'}") as service:
        card_of(service, call)
    assert "store_records_dropped" in service.log
    assert "number=1" in service.log
