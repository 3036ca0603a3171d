"""A rule's fact sheet for the web: the generated review sheet in sections, and the same as JSON."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from cds_service.content.cases import Cases
from cds_service.content.find import unique_rules
from cds_service.content.sheet import rule_hash, sheets
from cds_service.content.source_attributes import source_attributes
from cds_service.content.words import HOOKS, count, plain
from cds_service.rules.rule import Mode, Rule
from cds_service.rules.service import Service

_CHANGELOG = (Path("CHANGELOG.md"), Path(__file__).resolve().parents[3] / "CHANGELOG.md")
CODES = "Code lists"
_LONG_TABLE = 15
_HEADING = re.compile(r"^## (.+)$", re.MULTILINE)
_FOLD = re.compile(r"^<details>\n<summary>([^\n]*)</summary>\n(.*?)^</details>$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Fold:
    """A piece of a section; with a title it can be folded away."""

    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Section:
    """One heading of the sheet and what stands below it, as Markdown."""

    title: str
    text: str

    @property
    def anchor(self) -> str:
        return re.sub(r"\W+", "-", self.title.lower()).strip("-")

    @property
    def has_codes(self) -> bool:
        """The code lists are long: they get a page of their own."""
        return self.title == CODES

    @property
    def folds(self) -> list[Fold]:
        """The section in pieces: what the sheet folds with HTML, the page folds itself."""
        if self.text.count("\n| ") > _LONG_TABLE and not self.has_codes:
            return [Fold(count(self.text.count("\n| "), "row"), self.text)]
        pieces, end = [], 0
        for found in _FOLD.finditer(self.text):
            pieces += [Fold("", self.text[end : found.start()]), Fold(found[1], found[2])]
            end = found.end()
        return [piece for piece in [*pieces, Fold("", self.text[end:])] if piece.text.strip()]


@dataclass(frozen=True)
class FactSheet:
    """Everything a reader may want to know of one rule."""

    rule: Rule
    services: tuple[tuple[Service, str], ...]
    """Each service the rule is on, with its default mode there."""
    markdown: str

    @property
    def hash(self) -> str:
        return rule_hash(self.rule)

    @property
    def intended_use(self) -> str:
        """When it speaks, to whom, and what it leaves to them."""
        moments = dict.fromkeys(
            HOOKS.get(service.hook, service.hook) for service, mode in self.services if mode != Mode.OFF
        )
        return (
            f"For the professional at work when {', or when '.join(moments)}. It is about: "
            f"{plain(self.rule.trigger.text)}. It supports a decision and makes none."
        )

    @property
    def covers(self) -> list[str]:
        """Whom the rule is for."""
        return [plain(each.text) for each in self.rule.population]

    @property
    def excluded(self) -> list[str]:
        """For whom, or when, it says nothing."""
        return [plain(each.text) for each in (*self.rule.exclusions, *self.rule.suppressions)]

    @cached_property
    def sections(self) -> list[Section]:
        parts = _HEADING.split(self.markdown)
        return [Section(title, text.strip()) for title, text in zip(parts[1::2], parts[2::2], strict=True)]

    @property
    def attributes(self) -> dict[str, str]:
        return source_attributes(self.rule, self.services[0][0].content)

    @property
    def changes(self) -> list[str]:
        """Lines of the project's changelog that name the rule; none when it is not installed beside us."""
        return [line for line in _changelog() if self.rule.id in line]

    def as_json(self) -> dict[str, Any]:
        """The sheet for programs; sections are Markdown, so that both forms say the same."""
        rule, review = self.rule, self.rule.review
        return {
            "id": rule.id,
            "number": rule.number,
            "version": rule.version,
            "title": rule.title,
            "contentHash": self.hash,
            "review": {
                "status": review.status,
                "authoredBy": review.authored_by,
                "checkedBy": review.checked_by,
                "reviewedOn": str(review.reviewed_on) if review.reviewed_on else None,
                "nextReview": str(review.next_review) if review.next_review else None,
            },
            "services": [
                {"id": service.id, "hook": service.hook, "mode": mode} for service, mode in self.services
            ],
            "intendedUse": self.intended_use,
            "covers": self.covers,
            "excluded": self.excluded,
            "strength": rule.strength,
            "certainty": rule.certainty,
            "thresholds": [
                {"id": t.id, "text": t.text, "atEquality": t.at_equality, "source": t.source}
                for t in rule.thresholds
            ],
            "evidence": [
                {"key": c.citation.key, "label": c.citation.label, "says": c.says, "readAs": c.citation.tag}
                for c in rule.evidence
            ],
            "sourceAttributes": self.attributes,
            "changes": self.changes,
            "sections": {section.title: section.text for section in self.sections},
        }


def fact_sheets(services: Sequence[Service], cases: Cases) -> dict[str, FactSheet]:
    """Rule id -> its sheet, by number."""
    made = sheets(services, cases)
    return {
        rule.id: FactSheet(
            rule,
            tuple((s, use.mode.value) for s in services for use in s.rules if use.rule is rule),
            made[f"{rule.id}.md"],
        )
        for rule in unique_rules(services)
    }


def _changelog() -> Iterator[str]:
    path = next((path for path in _CHANGELOG if path.is_file()), None)
    if path is not None:
        for line in path.read_text(encoding="utf-8").splitlines():
            if line.startswith("- "):
                yield line.removeprefix("- ")
