"""The evidence page: every source once, what it supports and how it was read, and the background statements."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from cds_service.content.find import unique_contents, unique_rules
from cds_service.content.words import TAGS, kebab, markdown, table
from cds_service.rules.rule import Citation, Rule
from cds_service.rules.service import Background, Content, Service

_INTRO = (
    "What the rules rest on. This page is generated from the rules. A figure of a population says nothing about one "
    "patient; no figure here is a probability for a patient, and a low value of anything does not rule out disease."
)
_NOT_ON_CARDS = (
    "Statements that appear on no card, with what the service makes of them. Where founding texts and evidence "
    "disagree, both are given."
)


def write_evidence(services: Sequence[Service], path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(evidence_page(services), encoding="utf-8")


def evidence_page(services: Sequence[Service]) -> str:
    """Markdown."""
    rules = unique_rules(services)
    blocks = ["# Evidence", _INTRO]
    for content in unique_contents(services):
        blocks += [
            "## How each source was read",
            _readings(content),
            "## Sources",
            table(
                ("No.", "Source", "Supports", "Strength and certainty", "How it is known"),
                [_source(citation, rules, content) for citation in content.citations],
            ),
            *_background(content),
        ]
    return "\n\n".join(blocks) + "\n"


def _readings(content: Content) -> str:
    counts: dict[str, int] = defaultdict(int)
    for citation in content.citations:
        counts[citation.tag] += 1
    return table(
        ("Sources", "How"), [(str(counts[tag]), words) for tag, words in TAGS.items() if counts[tag]]
    )


def _source(citation: Citation, rules: Sequence[Rule], content: Content) -> tuple[str, ...]:
    supports, grades = [], []
    for rule in rules:
        for cites in rule.evidence:
            if cites.citation == citation:
                supports.append(f"[{markdown(rule.title)}](rules/{rule.id}.md): {markdown(cites.says)}")
                grades.append(f"{kebab(rule.strength)}, {kebab(rule.certainty)}")
    number = 0
    for number, each in enumerate((e for e in content.background if citation in e.citations), 1):
        if number == 1:
            supports.append(f"background on {', '.join(each.statements)}")
        else:
            supports[-1] += f"; {', '.join(each.statements)}"
    return (
        citation.key,
        _label(citation),
        "<br>".join(supports) or "read, and not cited by a rule",
        "<br>".join(grades) or ("background only" if supports else "not used"),
        TAGS.get(citation.tag, citation.tag),
    )


def _label(citation: Citation) -> str:
    links = []
    if citation.doi:
        links.append(f"[DOI {citation.doi}](https://doi.org/{citation.doi})")
    if citation.pmid:
        links.append(f"[PubMed {citation.pmid}](https://pubmed.ncbi.nlm.nih.gov/{citation.pmid}/)")
    if citation.url:
        links.append(f"[page]({citation.url})")
    label = markdown(citation.label)
    year = f" ({citation.year})" if citation.year and str(citation.year) not in label else ""
    return f"{label}{year}{''.join(f' {link}' for link in links)}"


def _background(content: Content) -> list[str]:
    if not content.background:
        return []
    rows = [
        (
            ", ".join(each.statements),
            markdown(each.text),
            markdown(each.position),
            _keys(each),
        )
        for each in content.background
    ]
    return ["## Background", _NOT_ON_CARDS, table(("Statement", "What it says", "Position", "Sources"), rows)]


def _keys(background: Background) -> str:
    return ", ".join(citation.key for citation in background.citations) or "founding texts only"
