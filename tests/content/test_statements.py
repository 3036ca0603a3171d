"""Every founding statement is visible where the map says, or found to be open."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
from planting import CONTENT, RULES, SHIPPED, VKA, codes, with_content
from support.facts import ADULT, facts

from cds_service.content.cases import Cases
from cds_service.content.find import statements
from cds_service.content.statements import statement_problems, statements_page, write_statements
from cds_service.rules import suggestions
from hooks.case_features.factors import factors
from hooks.statements import STATEMENTS, Place, Statement

ROOT = Path(__file__).parents[2]


def _open(*places, ident="S1", services=SHIPPED):
    every = statement_problems([Statement(ident, "A", "it is so", places)], services)
    return [each.text for each in every if each.code == "statement-open"]


def test_there_are_96_in_two_documents():
    assert [each.id for each in STATEMENTS] == [f"S{number}" for number in range(1, 97)]
    assert [each.document for each in STATEMENTS].count("A") == 20
    assert len({each.says for each in STATEMENTS}) == 96
    assert statements() == STATEMENTS


def test_the_shipped_map_has_no_open_place():
    left = [f"{each.place}: {each.text}" for each in statement_problems(STATEMENTS, SHIPPED)]
    assert left == []


@pytest.mark.parametrize(
    "place",
    [
        Place("rule", "vka-dialysis"),
        Place("rule", "vka-dialysis", mentions=r"[Rr]are"),
        Place("factor", "female-sex"),
        Place("background", "evidence page"),
        Place("wording", "N5"),
        Place("wording", "D4"),
        Place("value set", "warfarin"),
        Place("definition", "hooks.case_features.dialysis:OnDialysis"),
    ],
)
def test_a_place_that_exists(place):
    assert _open(place) == []


@pytest.mark.parametrize(
    ("place", "why"),
    [
        (Place("rule", "no-such-rule"), "no rule no-such-rule"),
        (Place("rule", "vka-dialysis", mentions="leeches"), "mentions it"),
        (Place("factor", "shoe-size"), "no factor shoe-size"),
        (Place("line", "horoscope"), "no line horoscope"),
        (Place("wording", "N99"), "no rule of wording"),
        (Place("value set", "leeches"), "no value set"),
        (Place("definition", "hooks.case_features.dialysis:OnHoliday"), "no definition"),
        (Place("definition", "hooks.nowhere:OnDialysis"), "no definition"),
        (Place("dream", "x"), "Unknown kind"),
    ],
)
def test_a_place_that_does_not_exist(place, why):
    (text,) = _open(place)
    assert why in text


def test_a_statement_that_the_evidence_page_lacks_is_open():
    services = with_content(background=())
    assert _open(Place("background", "evidence page"), services=services)


def test_open_and_missing_statements_come_with_the_whole_check():
    shipped = codes(statements=STATEMENTS)
    assert not {"statement-open", "statement-missing"} & shipped
    planted = [
        replace(each, places=()) if each.id == "S3" else each for each in STATEMENTS if each.id != "S50"
    ]
    assert {"statement-open", "statement-missing"} <= codes(statements=planted)


def test_the_page_shows_places_and_proofs():
    page = statements_page(STATEMENTS, SHIPPED, Cases())
    assert len(re.findall(r"^\| S\d+ \|", page, re.MULTILINE)) == 96
    assert "**open**" not in page
    assert f"[{VKA.title}](rules/vka-dialysis.md)" in page
    assert "[evidence page](evidence.md)" in page
    planted = [replace(STATEMENTS[0], places=(Place("rule", "no-such-rule"),))]
    assert "rule no-such-rule **open**" in statements_page(planted, SHIPPED, Cases())


def test_it_is_written_where_asked(tmp_path):
    path = tmp_path / "docs" / "statements.md"
    write_statements(STATEMENTS, SHIPPED, path, Cases())
    assert path.read_text(encoding="utf-8") == statements_page(STATEMENTS, SHIPPED, Cases())


def test_every_named_proof_is_a_test_of_this_project():
    proofs = {place.proof for each in STATEMENTS for place in each.places if place.proof}
    assert proofs
    assert all((ROOT / proof).is_file() for proof in proofs)


def test_every_named_factor_is_worked_out():
    named = {place.name for each in STATEMENTS for place in each.places if place.kind == "factor"}
    assert named <= {factor.id for factor in factors(facts())}


def test_race_is_no_input():
    """S4: the patient that rules see has a birth date and a sex, nothing else."""
    assert set(ADULT) == {"resourceType", "id", "birthDate", "gender"}
    assert set(type(facts().patient).__struct_fields__) == {"birth", "gender", "source"}


def test_no_suggestion_records_a_problem_or_an_allergy():
    """D4, S37: the only kinds of suggestion remove a draft or create a request."""
    kinds = {suggestions.RemoveDraft, suggestions.OrderLab, suggestions.Refer}
    assert set(suggestions.Suggestion.__args__) == kinds
    used = {type(each) for rule in RULES.values() for tier in rule.tiers for each in tier.suggestions}
    assert used <= kinds
    assert {entry.key.split(".")[0] for entry in CONTENT.catalogue} <= {"lab", "referral"}
