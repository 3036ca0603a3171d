"""Which cases are missing, and which cannot be used."""

import json
from dataclasses import replace

import pytest
from planting import SHIPPED, VKA, codes, found

from cds_service.content.cases import coverage, read_cases, unknown_names

SERVICE = "calciphylaxis-order-sign"
INDICATORS = [tier.indicator.value for tier in VKA.tiers]


def _write(folder, stem, outcome, cards=(), **changes):
    case = {
        "case": stem,
        "why": f"shows {outcome}",
        "as_of": "2026-11-21",
        "service": SERVICE,
        "request": {"hook": "order-sign"},
        "expect": {"cards": list(cards), "outcomes": {VKA.id: outcome}},
    }
    (folder / f"{stem}.json").write_text(json.dumps(case | changes), encoding="utf-8")


def _fires(folder, stem, indicator):
    _write(folder, stem, "fires", [{"rule": VKA.id, "indicator": indicator}])


def _complete(folder):
    """Three cases for each tier, one silent and one gap."""
    for number, indicator in enumerate(INDICATORS * 3):
        _fires(folder, f"fires-{number}", indicator)
    _write(folder, "silent", "clear")
    _write(folder, "gap", "cannot-assess", [{"rule": VKA.id, "indicator": "info"}])


def _problems(folder, minimum=3):
    return {problem.code for problem in coverage(VKA, read_cases(folder), minimum)}


def test_enough_cases_are_enough(tmp_path):
    _complete(tmp_path)
    assert _problems(tmp_path) == set()
    assert not unknown_names(read_cases(tmp_path), [SERVICE], [VKA])


@pytest.mark.parametrize(
    ("gone", "code"),
    [("fires-0", "case-too-few"), ("silent", "case-silent-missing"), ("gap", "case-gap-missing")],
)
def test_a_case_that_is_taken_away_is_missed(tmp_path, gone, code):
    _complete(tmp_path)
    (tmp_path / f"{gone}.json").unlink()
    assert _problems(tmp_path) == {code}


def test_without_any_firing_case(tmp_path):
    _write(tmp_path, "silent", "suppressed")
    _write(tmp_path, "gap", "cannot-assess")
    assert _problems(tmp_path) == {"case-firing-missing", "case-too-few"}


def test_the_minimum_is_a_parameter(tmp_path):
    for number, indicator in enumerate(INDICATORS):
        _fires(tmp_path, f"fires-{number}", indicator)
    _write(tmp_path, "silent", "not-triggered")
    _write(tmp_path, "gap", "cannot-assess")
    assert _problems(tmp_path, minimum=1) == set()
    assert _problems(tmp_path, minimum=2) == {"case-too-few"}


def test_a_gap_card_is_no_firing_case(tmp_path):
    _complete(tmp_path)
    for number, indicator in enumerate(INDICATORS * 3):
        if indicator == "info":
            (tmp_path / f"fires-{number}.json").unlink()
            _write(tmp_path, f"gap-{number}", "cannot-assess", [{"rule": VKA.id, "indicator": "info"}])
    assert _problems(tmp_path) == {"case-too-few"}


def test_a_topic_names_the_tier(tmp_path):
    _complete(tmp_path)
    for number in range(len(INDICATORS) * 3):
        path = tmp_path / f"fires-{number}.json"
        case = json.loads(path.read_text(encoding="utf-8"))
        (card,) = case["expect"]["cards"]
        card["topic"] = "vkaDialysisInfoRenewal" if card["indicator"] == "info" else "vkaDialysisWarning"
        path.write_text(json.dumps(case), encoding="utf-8")
    (problem,) = coverage(VKA, read_cases(tmp_path), 3)
    assert problem.text.startswith("0 of 3 cases with the card vkaDialysisWarningRenewal")


def test_a_rule_that_fires_as_a_line_of_another_card_counts_for_any_tier(tmp_path):
    _complete(tmp_path)
    (tmp_path / "fires-0.json").unlink()
    _write(tmp_path, "fires-as-a-line", "fires", [{"rule": "vka-calciphylaxis", "indicator": "critical"}])
    assert _problems(tmp_path) == set()


def test_a_card_without_a_stated_outcome_means_that_the_rule_fires(tmp_path):
    cards = [{"rule": VKA.id, "indicator": "warning"}]
    _write(tmp_path, "short", "", expect={"cards": cards})
    assert read_cases(tmp_path).by_stem["short"].outcome(VKA) == "fires"


def test_unusable_cases_are_named(tmp_path):
    _complete(tmp_path)
    options = {"cases_dir": tmp_path}
    unusable = {"case-unreadable", "case-name", "case-unknown"}
    assert not unusable & codes(**options)
    (tmp_path / "broken.json").write_text("{", encoding="utf-8")
    _write(tmp_path, "renamed", "clear", case="something-else")
    _write(tmp_path, "foreign", "clear", service="nowhere")
    _write(tmp_path, "odd", "explodes")
    _write(tmp_path, "stale", "fires", [{"rule": VKA.id, "indicator": "info", "topic": "vkaDialysisOld"}])
    expected = {
        ("case-unreadable", "case broken.json"),
        ("case-name", "case renamed.json"),
        ("case-unknown", "case foreign"),
        ("case-unknown", "case odd"),
        ("case-unknown", "case stale"),
    }
    assert expected <= found(**options)


def test_missing_cases_come_with_the_whole_check(tmp_path):
    only_vka = tuple(
        replace(service, rules=tuple(use for use in service.rules if use.rule is VKA)) for service in SHIPPED
    )
    missing = {"case-too-few", "case-firing-missing", "case-silent-missing", "case-gap-missing"}
    assert missing <= codes(only_vka, cases_dir=tmp_path)
    _complete(tmp_path)
    assert not missing & codes(only_vka, cases_dir=tmp_path)
