"""docs/performance.md says what was measured, and the gate tells a regression from a busy machine."""

import json

import pytest

pytest.importorskip("orjson", reason="orjson is the floor of the benchmark: requirements-ci.lock has it")

from benchmarks import gate, page

RUN = {
    "machine": {
        "date": "2026-11-21",
        "cpu": "a processor",
        "cores": 2,
        "load": [0.5, 0.4, 0.3],
        "python": "3.11.7",
        "system": "Linux",
        "packages": {"msgspec": "0.22.0"},
    },
    "notes": ["sockets: wrk is not installed, the section did not run"],
    "rows": [
        {
            "section": "engine",
            "what": "orjson.loads (floor), 60KB",
            "value": 170.0,
            "unit": "us",
            "ratio": 1.0,
            "base": "orjson.loads",
            "bar": "",
            "met": None,
        },
        {
            "section": "engine",
            "what": "engine, 60KB",
            "value": 1700.0,
            "unit": "us",
            "ratio": 10.0,
            "base": "orjson.loads",
            "bar": "<= 0.7",
            "met": False,
        },
    ],
}


def test_the_page_is_up_to_date():
    text = page.PAGE.read_text(encoding="utf-8")
    assert text == page.page(text, page.recorded()), "run `python -m benchmarks.page`"


def test_a_bar_that_is_missed_and_a_part_that_is_missing_are_told():
    text = page.page("Before.\n<!-- measured -->\nold\n<!-- /measured -->\nAfter.\n", [RUN])
    assert "| engine, 60KB | 1,700.00 us | 10.00 | orjson.loads | <= 0.7 | **no** |" in text
    assert "- sockets: wrk is not installed" in text
    assert text.startswith("Before.\n")
    assert text.endswith("<!-- /measured -->\nAfter.\n")
    assert "old" not in text


def measured(orjson, python):
    return {"engine, 60KB": {"orjson": orjson, "Python": python}}


@pytest.mark.parametrize(
    ("now", "verdict"),
    [
        (measured(10.0, 1.0), "ok"),
        (measured(12.4, 1.24), "ok"),
        # Neighbours cost us more than a parse in C, but not more than Python itself.
        (measured(16.0, 1.1), "ok"),
        (measured(12.6, 1.26), "GREW by more than 25%"),
        (measured(7.0, 0.7), "ok, and so much less that the measure should be renewed (--record)"),
        ({}, "GREW by more than 25%"),
    ],
)
def test_the_gate_fails_for_what_grew_against_every_floor(now, verdict):
    recorded = measured(10.0, 1.0)
    assert bool(gate.grown(now, recorded)) is verdict.startswith("GREW")
    assert gate.told(now, recorded).endswith(f": {verdict}")


def test_the_gate_measures_what_is_recorded(monkeypatch):
    monkeypatch.setattr(gate, "_MOST_ROUNDS", 1)
    monkeypatch.setattr(gate, "_ROUNDS", {})
    least = {}
    gate.measure(least)
    recorded = json.loads(gate.FILE.read_text(encoding="utf-8"))["ratios"]
    assert {what: set(floors) for what, floors in gate.ratios(least).items()} == {
        what: set(floors) for what, floors in recorded.items()
    }
