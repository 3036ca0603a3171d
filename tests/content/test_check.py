"""Each problem code is planted once and found; the content without the change does not have it."""

import sys
from dataclasses import replace
from datetime import date
from pathlib import Path
from shutil import copytree
from types import ModuleType

import pytest
from planting import (
    CONTENT,
    SHIPPED,
    TODAY,
    VKA,
    codes,
    found,
    shipped_codes,
    value_set,
    with_content,
    with_rule,
    with_tier,
    with_value_set,
    with_vka,
)

from cds_service.api import (
    Always,
    CatalogueEntry,
    Citation,
    Cites,
    Coded,
    Coding,
    Exclusion,
    Line,
    OrderLab,
    RemoveDraft,
    Review,
    Threshold,
)
from cds_service.content.check import problems
from cds_service.content.find import statements, value_set_folder
from cds_service.content.problem import CODES, Problem
from cds_service.content.rule_check import longest

ROOT = Path(__file__).parents[2]
LOINC = "http://loinc.org"
STRANGER = Citation("X1", "A paper", 2020, "read")
THRESHOLD = VKA.thresholds[0]
WARFARIN_CODE = value_set("warfarin").codings[0]
PHOSPHATE_CODE = value_set("phosphate").codings[0]


def _reviewed(**changes):
    return with_vka(review=replace(Review(), **changes))


PLANTED = {
    "rule-id-form": lambda: with_vka(id="VKA dialysis"),
    "rule-id-twice": lambda: (*with_vka(title="Another"), _extra()),
    "rule-number-twice": lambda: with_vka(number=1),
    "rule-not-used": lambda: tuple(
        replace(service, rules=tuple(use for use in service.rules if use.rule is not VKA))
        for service in SHIPPED
    ),
    "rule-version": lambda: with_vka(version="1.0"),
    "grade-unknown": lambda: with_vka(strength="enormous"),
    "tier-missing": lambda: with_vka(tiers=()),
    "tier-unreachable": lambda: with_tier(0, when=Always()),
    "text-empty": lambda: with_tier(0, consider=(Line("  "),)),
    "summary-too-long": lambda: with_tier(0, summary="{drug}" + "x" * 110),
    "fill-unknown": lambda: with_tier(0, why=(Line("Last {haemoglobin_line}"),)),
    "template-broken": lambda: with_tier(0, why=(Line("Last {drug is"),)),
    "topic-form": lambda: with_tier(0, branch="New-start"),
    "topic-twice": lambda: with_tier(1, branch=""),
    "override-code-unknown": lambda: with_vka(override_reasons=(Coded("no-time-today", "No time"),)),
    "override-code-twice": lambda: with_vka(override_reasons=VKA.override_reasons[:1] * 2),
    "override-too-many": lambda: with_vka(
        override_reasons=(*VKA.override_reasons, Coded("need-more-info", "Result pending"))
    ),
    "suggestion-key-unknown": lambda: with_tier(0, suggestions=(OrderLab("lab.horoscope"),)),
    "suggestion-contradiction": lambda: with_tier(
        0, forbids_delete=True, suggestions=(RemoveDraft("Remove this {drug} order"),)
    ),
    "evidence-empty": lambda: with_vka(evidence=()),
    "citation-unknown": lambda: with_vka(evidence=(Cites(STRANGER, "Something"),)),
    "citation-key-twice": lambda: with_content(citations=(*CONTENT.citations, CONTENT.citations[0])),
    "citation-tag": lambda: with_content(citations=(*CONTENT.citations, replace(STRANGER, tag="hearsay"))),
    "threshold-source": lambda: with_vka(thresholds=(replace(THRESHOLD, source=""),)),
    "threshold-equality": lambda: with_vka(thresholds=(Threshold("T9", "above 1", " ", "a paper"),)),
    "data-unknown": lambda: with_vka(data_required=("conditions", "genome")),
    "review-overdue": lambda: _reviewed(next_review=date(2026, 11, 20)),
    "review-same-person": lambda: _reviewed(authored_by="A. Writer", checked_by="A. Writer"),
    "review-incomplete": lambda: _reviewed(status="active", checked_by="B. Checker", reviewed_on=TODAY),
    "never-say": lambda: with_tier(0, consider=(Line("Stop warfarin."),)),
    "value-set-twice": lambda: with_content(value_sets=(*CONTENT.value_sets, value_set("warfarin"))),
    "code-malformed": lambda: with_value_set(value_set("albumin", Coding(LOINC, "1751-8", "albumin"))),
    "code-twice": lambda: with_value_set(value_set("albumin", *[value_set("albumin").codings[0]] * 2)),
    "code-conflict": lambda: with_content(
        exclusions=(
            *CONTENT.exclusions,
            Exclusion(_not_warfarin(), frozenset({"warfarin"})),
        )
    ),
    "code-overlap": lambda: with_value_set(
        value_set("calcium-total", *value_set("calcium-total").codings, PHOSPHATE_CODE)
    ),
    "catalogue-key-twice": lambda: with_content(catalogue=(*CONTENT.catalogue, CONTENT.catalogue[0])),
}
ELSEWHERE = {
    "rule-id-file",
    "value-set-file",
    "case-unreadable",
    "case-name",
    "case-unknown",
    "case-too-few",
    "case-firing-missing",
    "case-silent-missing",
    "case-gap-missing",
    "page-missing",
    "page-outdated",
    "page-stray",
    "statement-open",
    "statement-missing",
    # tests/localise
    "catalogue-old",
    "translation-missing",
    "translation-fuzzy",
    "translation-unknown",
    "translation-places",
    "translation-numbers",
    "translation-unchecked",
}


def _extra():
    """A further service with the unchanged rule."""
    service = SHIPPED[0]
    return replace(service, id="extra", rules=tuple(use for use in service.rules if use.rule is VKA))


def _not_warfarin():
    return replace(value_set("warfarin", WARFARIN_CODE), id="not-it")


@pytest.mark.parametrize("code", sorted(PLANTED))
def test_a_planted_problem_is_found(code):
    assert code not in shipped_codes()
    assert code in codes(PLANTED[code]())


def test_every_code_is_planted_somewhere():
    assert set(PLANTED) | ELSEWHERE == set(CODES)


def test_all_problems_come_back_at_once():
    services = with_vka(version="1", strength="huge", evidence=(), number=1)
    place = ("rule-version", "rule vka-dialysis")
    assert place in found(services)
    assert {"rule-version", "grade-unknown", "evidence-empty", "rule-number-twice"} <= codes(services)


def test_a_problem_has_a_known_code_a_place_and_a_sentence():
    (problem,) = [
        each for each in problems(with_vka(evidence=()), today=TODAY) if each.code == "evidence-empty"
    ]
    assert problem == Problem("evidence-empty", "rule vka-dialysis", "It names no evidence.")
    with pytest.raises(ValueError, match="unknown problem code"):
        Problem("whatever", "here", "Something.")


def test_the_limit_of_a_summary_is_exact():
    room = 139 - CONTENT.fills["drug"].limit
    assert longest("{drug}" + "x" * room, CONTENT) == 139
    assert "summary-too-long" not in codes(with_tier(0, summary="{drug}" + "x" * room))
    assert "summary-too-long" in codes(with_tier(0, summary="{drug}" + "x" * (room + 1)))


def test_the_text_for_unknown_data_and_common_gaps_are_measured_too():
    long_text = replace(VKA.when_unknown, summary="x" * 140)
    assert ("summary-too-long", "rule vka-dialysis, when unknown, summary") in found(
        with_vka(when_unknown=long_text)
    )
    gap = replace(CONTENT.common_gaps[0], text=long_text)
    assert ("summary-too-long", "common gap 1, summary") in found(with_content(common_gaps=(gap,)))


def test_tiers_with_the_same_advice_may_share_a_topic():
    first = VKA.tiers[1]
    twin = replace(first, when=VKA.tiers[0].when, summary="{drug}: another value, the same advice")
    assert "topic-twice" not in codes(with_vka(tiers=(first, twin)))


def test_a_rule_file_must_be_named_like_the_rule(monkeypatch):
    changed = replace(VKA, title="Vitamin K antagonist on dialysis")
    module = ModuleType("elsewhere.blood_thinner")
    module.RULE, module.__file__ = changed, "elsewhere/blood_thinner.py"
    assert "rule-id-file" not in shipped_codes()
    monkeypatch.setitem(sys.modules, module.__name__, module)
    assert ("rule-id-file", "rule vka-dialysis") in found(with_rule(changed))


def test_a_changed_value_set_file_is_found(tmp_path):
    folder = value_set_folder(CONTENT)
    assert folder == ROOT / "hooks" / "valuesets"
    copy = Path(copytree(folder, tmp_path / "valuesets"))
    assert "value-set-file" not in codes(value_set_folder=copy)
    path = copy / "warfarin.json"
    path.write_text(path.read_text(encoding="utf-8").replace("Oral Tablet", "Oral Pill", 1), encoding="utf-8")
    assert ("value-set-file", "folder valuesets") in found(value_set_folder=copy)


def test_declared_pairs_must_not_share_codes():
    pair = (("calcium-total", "lab-order-calcium"),)
    assert ("code-overlap", "value set calcium-total") in found(disjoint=pair)


def test_a_catalogue_code_is_checked():
    bad = CatalogueEntry("lab.bad", "Order something", Coding(LOINC, "1-1", "something"))
    assert ("code-malformed", "catalogue lab.bad") in found(with_content(catalogue=(*CONTENT.catalogue, bad)))


def test_sentences_inside_code_are_read():
    def careless(facts):
        return f"{facts}: low risk of calciphylaxis"

    careless.__module__ = "hooks.fills.careless"
    fill = replace(CONTENT.fills["drug"], make=careless)
    services = with_content(fills={**CONTENT.fills, "careless": fill})
    assert any(code == "never-say" and "careless" in place for code, place in found(services))


def test_shipped_content_has_no_problems():
    """The whole check, as `cds-service check` runs it."""
    left = problems(
        SHIPPED,
        today=TODAY,
        cases_dir=ROOT / "fixtures" / "cases",
        docs_dir=ROOT / "docs",
        value_set_folder=value_set_folder(CONTENT),
        statements=statements(),
    )
    assert [f"{each.code}: {each.place}: {each.text}" for each in left] == []
