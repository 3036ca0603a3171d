"""The benchmark measures the right thing: one patient, one card, whatever surrounds it."""

import json

import pytest

from benchmarks import bodies
from benchmarks.measure import Figure, drifted

pytest.importorskip("orjson", reason="orjson is the floor of the benchmark: requirements-ci.lock has it")

from benchmarks.growth_section import fitted_exponent
from benchmarks.subjects import answered, engine, signature


@pytest.fixture(scope="module")
def built():
    with engine() as running:
        yield running


@pytest.mark.parametrize(("size", "kilobytes"), [("10KB", 10), ("60KB", 60), ("300KB", 300), ("2MB", 2000)])
def test_a_body_has_about_its_size_and_is_the_same_every_time(size, kilobytes):
    body = bodies.body(size)
    assert body == bodies.body(size)
    assert len(body) == pytest.approx(kilobytes * 1000, rel=0.15)


def test_every_body_gets_the_same_card(built):
    cards = {
        name: signature(answered(built, body))
        for name, body in {
            **{size: bodies.body(size) for size in ("10KB", "60KB", "300KB")},
            "dirty": bodies.dirty(),
            "peers": bodies.for_peers(),
            "orders": bodies.with_orders(20),
        }.items()
    }
    assert {name: [card[:3] for card in found] for name, found in cards.items()} == {
        name: [card[:3] for card in cards["60KB"]] for name in cards
    }
    assert "62.7" in cards["60KB"][0][3]


def test_the_dirty_body_names_what_it_lost(built):
    detail = json.loads(answered(built, bodies.dirty()))["cards"][0]["detail"]
    assert detail != signature(answered(built, bodies.body("60KB")))[0][3]


def test_the_exponent_of_a_straight_line_is_one():
    assert fitted_exponent({10: 20.0, 100: 200.0, 1000: 2000.0}) == pytest.approx(1)
    assert fitted_exponent({10: 100.0, 100: 10_000.0}) == pytest.approx(2)


def test_a_floor_that_moved_makes_a_run_invalid():
    assert drifted(Figure(100, 110), Figure(120, 125))
    assert not drifted(Figure(100, 110), Figure(112, 125))
