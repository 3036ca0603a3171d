"""The content hash: what changes it, what does not."""

import os
import subprocess
import sys
from dataclasses import replace
from decimal import Decimal

import pytest
from planting import CONTENT, RULES, VKA, value_set

from cds_service.api import AllOf, Coding, HasProblem, Line, Review, group
from cds_service.content.fingerprint import canonical, rule_hash
from cds_service.content.reach import rule_reach
from hooks import thresholds
from hooks.case_features import product

BEFORE = rule_hash(VKA)


def _tier(**changes):
    return replace(VKA, tiers=(replace(VKA.tiers[0], **changes), *VKA.tiers[1:]))


@pytest.mark.parametrize(
    "changed",
    [
        replace(
            VKA, thresholds=(replace(VKA.thresholds[0], text="at least 54 mg2/dL2"), *VKA.thresholds[1:])
        ),
        replace(VKA, thresholds=(replace(VKA.thresholds[0], at_equality="does not count"),)),
        replace(VKA, version="1.0.1"),
        replace(VKA, exclusions=VKA.exclusions[1:]),
        replace(VKA, override_reasons=VKA.override_reasons[1:]),
        replace(VKA, evidence=VKA.evidence[1:]),
        replace(VKA, strength="strong"),
        _tier(summary="{drug}: something else."),
        _tier(consider=(Line("Something else."),)),
        _tier(forbids_delete=True, suggestions=()),
    ],
)
def test_clinical_changes_change_it(changed):
    assert rule_hash(changed) != BEFORE


def test_it_is_stable_and_differs_between_rules():
    assert rule_hash(replace(VKA)) == BEFORE
    hashes = {rule_hash(rule) for rule in RULES.values()}
    assert len(hashes) == len(RULES)
    assert all(len(each) == 64 for each in hashes)


def test_review_white_space_and_addresses_do_not_count():
    review = Review(status="active", authored_by="A", checked_by="B")
    source = VKA.evidence[0].citation
    elsewhere = replace(
        VKA.evidence[0], citation=replace(source, doi="10.1/1", pmid="1", url="https://x.example")
    )
    spaced = _tier(summary=VKA.tiers[0].summary.replace(" ", "  "))
    for changed in (
        replace(VKA, review=review),
        replace(VKA, evidence=(elsewhere, *VKA.evidence[1:])),
        spaced,
    ):
        assert rule_hash(changed) == BEFORE


def test_a_constant_inside_the_code_counts(monkeypatch):
    """Pairs within 7 days and the 10 % band stand in no field of the rule."""
    monkeypatch.setattr(product, "PAIR_DAYS", 14)
    assert rule_hash(VKA) != BEFORE
    monkeypatch.undo()
    assert rule_hash(VKA) == BEFORE


def test_a_threshold_inside_the_code_counts(monkeypatch):
    changed = replace(thresholds.T7, value=Decimal(3))
    monkeypatch.setattr("hooks.case_features.pth.T7", changed)
    assert rule_hash(VKA) != BEFORE


def test_the_same_number_written_differently_is_the_same():
    assert canonical(Decimal("55.0")) == canonical(Decimal(55))


def test_codes_words_and_version_of_a_value_set_count():
    def rule_with(value_set):
        return replace(VKA, criteria=(HasProblem((group("some", "some problem", value_set),)),))

    plain = value_set("albumin")
    first = plain.codings[0]
    before = rule_hash(rule_with(plain))
    turned = value_set("albumin", *reversed(plain.codings))
    assert rule_hash(rule_with(turned)) == before
    for changed in (
        value_set("albumin", version="1.0.1"),
        value_set("albumin", *plain.codings[1:]),
        value_set("albumin", Coding(first.system, first.code, "other words"), *plain.codings[1:]),
    ):
        assert rule_hash(rule_with(changed)) != before


def test_it_is_the_same_in_every_process():
    code = "from cds_service.registry import load_services as l; from cds_service.content.sheet import rule_hash;"
    code += "print(rule_hash(next(u.rule for s in l() for u in s.rules if u.rule.id == 'vka-dialysis')))"
    for seed in ("1", "2"):
        run = subprocess.run(
            [sys.executable, "-c", code],
            env=os.environ | {"PYTHONHASHSEED": seed},
            check=True,
            capture_output=True,
            text=True,
        )
        assert run.stdout.strip() == BEFORE


def test_code_lists_inside_the_code_are_reached():
    """`OnDialysis()` has no field; its code lists are found by following its code."""
    ids = {each.id for each in rule_reach(VKA).sets(CONTENT.value_sets)}
    assert {"dialysis-dependence", "kidney-transplant-failure", "hemodialysis", "warfarin"} <= ids
    assert {"phosphate", "calcium-corrected"} <= ids  # named by an analyte only
    assert "gabapentin" not in ids


def test_criteria_are_walked_through_logic():
    nested = AllOf((HasProblem((value_set("pregnancy"),)),))
    ids = {each.id for each in rule_reach(replace(VKA, criteria=(nested,))).sets()}
    assert "pregnancy" in ids
