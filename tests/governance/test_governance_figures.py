"""Rows per rule, site and week; alarms with the very numbers of the Prometheus rules."""

from __future__ import annotations

import csv
import io
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
import yaml

from cds_service.store.governance import CallTime, CardCount, OutcomeCount, ReasonCount
from cds_service.web.governance import alarms as watching
from cds_service.web.governance.export import COLUMNS, as_csv
from cds_service.web.governance.figures import Key, assemble, monday, window_of

ALERTS = Path(__file__).resolve().parents[2] / "deploy" / "prometheus" / "alerts.yml"


def counted(outcome, count, day="2026-11-16", rule="a", client="x", mode="live", service="s"):
    return OutcomeCount(
        day=day,
        client=client,
        service=service,
        rule=rule,
        version="1.0.0",
        mode=mode,
        outcome=outcome,
        count=count,
    )


def figures(outcomes=(), cards=(), reasons=(), calls=()):
    return assemble(outcomes, cards, reasons, calls)


def test_window_is_whole_weeks_from_monday():
    window = window_of(datetime(2026, 11, 21, 12, tzinfo=UTC), 2, None, None)
    assert window.since == datetime(2026, 11, 9, tzinfo=UTC)
    assert monday("2026-11-22") == date(2026, 11, 16)
    assert monday("2026-11-23") == date(2026, 11, 23)


def test_one_row_for_each_rule_site_and_week():
    found = figures(
        outcomes=[
            counted("fires", 3),
            counted("fires", 2, mode="shadow", day="2026-11-18"),
            counted("clear", 4),
            counted("cannot-assess", 1),
            counted("suppressed", 9),
            counted("fires", 5, day="2026-11-15"),
            counted("fires", 5, client="y"),
        ],
        cards=[
            CardCount(
                day="2026-11-16", client="x", rule="a", version="1.0.0", cards=4, accepted=1, overridden=2
            )
        ],
        reasons=[
            ReasonCount(
                day="2026-11-16",
                client="x",
                rule="a",
                version="1.0.0",
                code=code,
                display=None,
                count=count,
            )
            for code, count in (("q", 1), ("r", 3), ("s", 2), ("t", 5))
        ],
        calls=[
            CallTime(day=day, at=f"{day}T{hour}", client="x", service="s", config_hash=name, ms=ms)
            for day, hour, name, ms in (
                ("2026-11-16", "08", "old", 1.0),
                ("2026-11-17", "09", "new", 9.0),
                ("2026-11-18", "10", "new", 2.0),
                ("2026-11-15", "10", "older", 50.0),
            )
        ],
    )
    assert [(key.week.isoformat(), key.client) for key in found.rows] == [
        ("2026-11-16", "x"),
        ("2026-11-16", "y"),
        ("2026-11-09", "x"),
    ]
    row = found.rows[Key(date(2026, 11, 16), "x", "a", "1.0.0")]
    assert (row.shown, row.shadow, row.judged) == (3, 2, 10)
    assert row.cannot_share == pytest.approx(0.1)
    assert (row.cards, row.accepted, row.overridden, row.unanswered) == (4, 1, 2, 1)
    assert [code for (code, _), _ in row.top_reasons] == ["t", "r", "s"]
    assert row.median_ms == 2.0
    assert row.configurations == ("new", "old")
    assert row.last_fired == "2026-11-18"
    assert found.fires_by_day("x", "a") == {"2026-11-16": 3, "2026-11-18": 2, "2026-11-15": 5}
    assert (found.calls, found.total.shown, found.total.median_ms) == (4, 13, 5.5)
    assert [(group.client, len(group.rows)) for group in found.groups] == [("x", 1), ("y", 1), ("x", 1)]


def test_rows_without_a_fire_can_be_left_out():
    found = figures(outcomes=[counted("clear", 4), counted("fires", 1, rule="b")])
    assert [key.rule for key in found.only_fired().rows] == ["b"]


def test_csv_has_every_column_and_no_formula():
    reasons = [
        ReasonCount(
            day="2026-11-16", client="x", rule="a", version="1.0.0", code=None, display="=cmd()", count=1
        )
    ]
    text = as_csv(figures(outcomes=[counted("clear", 4)], reasons=reasons))
    (row,) = csv.DictReader(io.StringIO(text))
    assert tuple(row) == COLUMNS
    assert row["evaluations"] == "4"
    assert row["top_reasons"] == "'=cmd(): 1"
    assert row["median_ms"] == row["last_fired"] == ""


def found_by(last, before, calls=1000, unmapped=None):
    return [
        (alarm.kind, alarm.rule)
        for alarm in watching.alarms(last, before, calls=calls, unmapped=unmapped or {})
    ]


CASES = {
    "stopped": ([counted("clear", 50)], [counted("fires", 70)], 50, [("Dead rule", "a")]),
    "fired too seldom before": ([], [counted("fires", 69)], 50, []),
    "hardly any call": ([], [counted("fires", 70)], 49, []),
    "fired once": ([counted("fires", 1)], [counted("fires", 700)], 1000, []),
    "silent in shadow only": (
        [counted("fires", 9)],
        [counted("fires", 70), counted("fires", 70, mode="shadow")],
        50,
        [("Dead rule", "a")],
    ),
    "tripled": ([counted("fires", 31)], [counted("fires", 70)], 50, [("Drift", "a")]),
    "exactly three times": ([counted("fires", 30)], [counted("fires", 70)], 50, []),
    "new rule": ([counted("fires", 300)], [], 50, []),
    "cannot assess most": (
        [counted("cannot-assess", 11), counted("clear", 9)],
        [counted("cannot-assess", 11), counted("clear", 9)],
        50,
        [("Cannot assess", "a")],
    ),
    "half is not most": (
        [counted("cannot-assess", 10), counted("clear", 10)],
        [counted("cannot-assess", 1), counted("clear", 1)],
        50,
        [],
    ),
    "share has more than doubled": (
        [counted("cannot-assess", 5), counted("clear", 15)],
        [counted("cannot-assess", 10), counted("clear", 90)],
        50,
        [("Cannot assess", "a")],
    ),
    "share has doubled": (
        [counted("cannot-assess", 4), counted("clear", 16)],
        [counted("cannot-assess", 10), counted("clear", 90)],
        50,
        [],
    ),
    "too few judged": ([counted("cannot-assess", 19)], [], 50, []),
    "nothing judged": ([counted("suppressed", 30)], [], 50, []),
}


@pytest.mark.parametrize("name", CASES)
def test_alarm(name):
    last, before, calls, expected = CASES[name]
    assert found_by(last, before, calls) == expected


def test_unmapped_codes_and_urgent_alarms_first():
    found = watching.alarms(
        [counted("fires", 31)],
        [counted("fires", 70), counted("fires", 700, rule="b")],
        calls=100,
        unmapped={"drug": 5, "lab": 4},
    )
    assert [(alarm.kind, alarm.urgent) for alarm in found] == [
        ("Dead rule", True),
        ("Drift", False),
        ("Unmapped codes", False),
    ]
    assert found[-1].text.startswith("5 drug codes")


def test_numbers_are_those_of_the_prometheus_rules():
    groups = yaml.safe_load(ALERTS.read_text(encoding="utf-8"))["groups"]
    rules = {rule["alert"]: rule for group in groups for rule in group["rules"] if "alert" in rule}

    def expression(name):
        return " ".join(rules[name]["expr"].split())

    stopped, triple = expression("CdsRuleStoppedFiring"), expression("CdsRuleFiresTriple")
    cannot, unmapped = expression("CdsRuleCannotAssess"), expression("CdsUnmappedCodes")
    assert f"[{watching.BEFORE_DAYS}d] offset 1d)) >= {watching.STOPPED_BEFORE}" in stopped
    assert f">= {watching.STOPPED_CALLS}" in stopped
    assert f"> {watching.TRIPLE} * sum" in triple
    assert f"/ {watching.BEFORE_DAYS} and" in triple
    assert f">= {watching.TRIPLE_FIRES}" in triple
    assert f"share1d > {watching.CANNOT_SHARE}" in cannot
    assert f"share1d > {watching.CANNOT_RISE_SHARE} unless" in cannot
    assert f"<= {watching.CANNOT_RISE} *" in cannot
    assert f">= {watching.CANNOT_JUDGED}" in cannot
    assert f">= {watching.UNMAPPED}" in unmapped
    severe = {name: rules[name]["labels"]["severity"] == "page" for name in rules}
    assert severe["CdsRuleStoppedFiring"]
    assert severe["CdsRuleCannotAssess"]
    assert not severe["CdsRuleFiresTriple"]
    assert not severe["CdsUnmappedCodes"]
