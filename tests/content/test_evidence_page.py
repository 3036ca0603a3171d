"""The evidence page: every source once, what it supports, how it was read; the background statements."""

from dataclasses import replace

from planting import CONTENT, RULES, SHIPPED, with_content

from cds_service.content.evidence_page import evidence_page, write_evidence
from cds_service.content.words import TAGS, markdown

PAGE = evidence_page(SHIPPED)


def _row(key):
    (row,) = [line for line in PAGE.splitlines() if line.startswith(f"| {key} |")]
    return row


def test_every_source_has_one_row_with_how_it_was_read():
    for citation in CONTENT.citations:
        row = _row(citation.key)
        assert markdown(citation.label) in row
        assert TAGS[citation.tag] in row


def test_a_source_names_the_rules_it_supports_and_how_strongly():
    for rule in RULES.values():
        for cites in rule.evidence:
            row = _row(cites.citation.key)
            assert f"[{rule.title}](rules/{rule.id}.md): {markdown(cites.says)}" in row
            assert rule.strength in row


def test_addresses_are_links():
    assert "[DOI 10.1093/ndt/gfr658](https://doi.org/10.1093/ndt/gfr658)" in _row("E3")
    assert "[PubMed 22121234](https://pubmed.ncbi.nlm.nih.gov/22121234/)" in _row("E3")


def test_every_background_statement_is_there_with_its_position():
    assert CONTENT.background
    for each in CONTENT.background:
        assert f"| {', '.join(each.statements)} | {markdown(each.text)} | {markdown(each.position)} |" in PAGE


def test_content_without_background_has_no_such_part():
    assert "## Background" not in evidence_page(with_content(background=()))


def test_an_unused_source_says_so():
    stranger = replace(CONTENT.citations[0], key="X1")
    page = evidence_page(with_content(citations=(*CONTENT.citations, stranger)))
    assert "| read, and not cited by a rule | not used |" in page


def test_it_is_written_where_asked(tmp_path):
    path = tmp_path / "docs" / "evidence.md"
    write_evidence(SHIPPED, path)
    assert path.read_text(encoding="utf-8") == PAGE
