"""The demo's fortnight: really judged, clearly named as made up, the same every time."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from support.casefiles import AS_OF, FIXTURES, engine_for

from cds_service.content.cases import read_cases
from cds_service.simulation import DAYS, SIMULATED, simulate
from cds_service.store.governance import Window
from cds_service.store.store import Store

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
KEY = b"0123456789abcdef-test-key"


@pytest.fixture(scope="module")
def cases():
    found = read_cases(FIXTURES / "cases").by_stem
    return [case for name, case in found.items() if name.startswith(("vka-dialysis", "vitd", "look-alike"))]


def written(folder: Path, cases):
    store = Store.open(f"sqlite:///{folder / 'demo.sqlite'}", hash_key=KEY)
    try:
        number = asyncio.run(simulate(engine_for(AS_OF, ()), store, cases, NOW, calls=9))
        figures = store.governance
        window = Window(since=NOW - timedelta(days=DAYS + 1), until=NOW + timedelta(days=1))
        return number, figures.outcomes(window), figures.cards(window), list(figures.calls(window))
    finally:
        store.close()


@pytest.fixture(scope="module")
def fortnight(tmp_path_factory, cases):
    return written(tmp_path_factory.mktemp("a"), cases), written(tmp_path_factory.mktemp("b"), cases)


def test_every_row_says_that_it_is_simulated(fortnight):
    (number, outcomes, cards, calls), _ = fortnight
    assert number == len(calls) > 100
    for rows in (outcomes, cards, calls):
        assert rows
        assert all(row.client.startswith(SIMULATED) for row in rows)


def test_same_moment_gives_the_same_fortnight(fortnight):
    first, second = fortnight
    assert sorted(map(repr, first[1])) == sorted(map(repr, second[1]))
    assert [row.cards for row in first[2]] == [row.cards for row in second[2]]


def test_it_lies_in_the_past_fortnight_and_cards_were_answered(fortnight):
    (_, _, cards, calls), _ = fortnight
    days = {call.day for call in calls}
    assert min(days) >= "2026-11-07"
    assert max(days) <= "2026-11-21"
    assert len(days) >= DAYS
    assert sum(row.accepted for row in cards) > 0
    assert sum(row.overridden for row in cards) > sum(row.accepted for row in cards)


def test_last_day_is_silent_about_warfarin(fortnight):
    (_, outcomes, _, _), _ = fortnight
    fired = [row for row in outcomes if row.rule == "vka-dialysis" and row.outcome == "fires"]
    assert fired
    assert max(row.day for row in fired) == "2026-11-20"


def test_closed_store_ends_it(tmp_path, cases):
    store = Store.open(f"sqlite:///{tmp_path / 'demo.sqlite'}", hash_key=KEY)
    store.close()
    assert asyncio.run(simulate(engine_for(AS_OF, ()), store, cases, NOW)) == 0
