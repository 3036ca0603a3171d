"""Sheets read well to somebody who cannot program, and say everything the rule does."""

import re
from dataclasses import replace

import pytest
from markdown_it import MarkdownIt
from planting import CONTENT, RULES, SHIPPED, VKA, codes, found, with_vka

from cds_service.api import Review
from cds_service.content.cases import Cases, read_cases
from cds_service.content.fingerprint import rule_hash
from cds_service.content.pages import write_pages
from cds_service.content.reach import rule_reach
from cds_service.content.sheet import sheets, write_sheets
from hooks.statements import STATEMENTS

SHEETS = sheets(SHIPPED, Cases())
SHEET = SHEETS["vka-dialysis.md"]
PROGRAMMING = re.compile(
    r"\b[a-z0-9]+_[a-z0-9_]+\b"  # snake_case
    r"|\b(?:def|lambda|self(?!-)|frozenset|tuple|dict|isinstance|NOT_MET|Decimal)\b"
    r"|\w\(\)|\b(?:hooks|facts|rules)\.[a-z]+|[{}]|\"\w+\":|\bTrue\b|\bFalse\b|\bNone\b(?! yet|;)"
)


@pytest.mark.parametrize("name", sorted(SHEETS))
def test_no_identifiers_no_json_no_python(name):
    text = re.sub(r"\]\([a-z0-9-]+\.md\)", "]", SHEETS[name])
    assert PROGRAMMING.findall(text) == []


@pytest.mark.parametrize("name", sorted(SHEETS))
def test_every_sheet_is_sound_markdown(name):
    html = MarkdownIt("commonmark", {"html": True}).enable("table").render(SHEETS[name])
    assert "{" not in html
    assert "\n|" not in html  # a broken table would be shown as text
    assert html.count("<details>") == html.count("</details>")


def test_every_rule_has_a_sheet_and_a_row_in_the_index():
    assert set(SHEETS) == {f"{ident}.md" for ident in RULES} | {"README.md"}
    for ident, rule in RULES.items():
        assert f"[{rule.title}]({ident}.md)" in SHEETS["README.md"]


def test_it_says_everything():
    for criterion in (*VKA.population, *VKA.exclusions):
        assert criterion.text[1:] in SHEET
    for cites in VKA.evidence:
        assert cites.says.replace("*", "\\*") in SHEET
        assert cites.citation.label in SHEET
    for threshold in VKA.thresholds:
        assert threshold.at_equality in SHEET
        assert threshold.source in SHEET
    for reason in VKA.override_reasons:
        assert reason.display in SHEET
    for heading in ("Applies to", "Unless", "Shows", "If it cannot be checked", "Because", "Known limits"):
        assert f"\n## {heading}\n" in SHEET


def test_every_code_of_the_rule_is_on_its_sheet():
    folds = SHEET[SHEET.index("## Code lists") :]
    for value_set in rule_reach(VKA).sets(CONTENT.value_sets):
        for coding in value_set.codings:
            assert coding.code in folds or coding.display in SHEET


def test_examples_name_an_order_of_the_rule():
    assert "**warfarin on dialysis: VKAs are linked" in SHEET
    assert "**calcitriol: corrected Ca" in SHEETS["active-vitd-high-cap.md"]


def test_it_is_unsigned_until_somebody_signed():
    assert "Unsigned draft: no clinician has signed it" in SHEET
    review = Review("active", "A. Writer", "B. Checker", None, None)
    signed = sheets(with_vka(review=review), Cases())["vka-dialysis.md"]
    assert "Status: active; checked by B. Checker" in signed
    assert "Unsigned" not in signed


def test_it_carries_the_hash_that_an_approval_needs():
    assert rule_hash(VKA) in SHEET


def test_cases_are_listed_with_their_reason(tmp_path):
    (tmp_path / "new-start.json").write_text(
        '{"case": "new-start", "why": "a first | order", "as_of": "2026-11-21", "service": "x", "request": {},'
        ' "expect": {"cards": [{"rule": "vka-dialysis", "indicator": "warning"}]}}',
        encoding="utf-8",
    )
    text = sheets(SHIPPED, read_cases(tmp_path))["vka-dialysis.md"]
    assert "| new-start | a first \\| order | fires |" in text


def test_writing_is_deterministic_and_removes_stray_pages(tmp_path):
    (tmp_path / "old-rule.md").write_text("gone", encoding="utf-8")
    first = {path.name: path.read_bytes() for path in write_sheets(SHIPPED, tmp_path)}
    assert not (tmp_path / "old-rule.md").exists()
    assert {path.name: path.read_bytes() for path in write_sheets(SHIPPED, tmp_path)} == first


def test_pages_out_of_date_are_found(tmp_path):
    write_pages(SHIPPED, tmp_path)
    pages_codes = {"page-missing", "page-outdated", "page-stray"}
    assert not pages_codes & codes(docs_dir=tmp_path)
    (tmp_path / "rules" / "vka-dialysis.md").write_text("edited by hand", encoding="utf-8")
    (tmp_path / "rules" / "nobody.md").write_text("", encoding="utf-8")
    (tmp_path / "evidence.md").unlink()
    assert {
        ("page-outdated", "docs/rules/vka-dialysis.md"),
        ("page-stray", "docs/rules/nobody.md"),
        ("page-missing", "docs/evidence.md"),
    } <= found(docs_dir=tmp_path)
    write_pages(SHIPPED, tmp_path)
    assert not pages_codes & codes(docs_dir=tmp_path)


def test_a_changed_rule_makes_its_sheet_out_of_date(tmp_path):
    write_pages(SHIPPED, tmp_path)
    changed = with_vka(thresholds=(replace(VKA.thresholds[0], text="at least 54"),))
    outdated = {place for code, place in found(changed, docs_dir=tmp_path) if code == "page-outdated"}
    assert "docs/rules/vka-dialysis.md" in outdated


def test_all_pages_are_written_together(tmp_path):
    names = {
        path.relative_to(tmp_path).as_posix()
        for path in write_pages(SHIPPED, tmp_path, statements=STATEMENTS)
    }
    assert {"evidence.md", "statements.md", "rules/README.md", "rules/vka-dialysis.md"} <= names
