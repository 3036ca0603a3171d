"""How cards look for one client on one service, and what all cards of a rule there have in common."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec

from cds_service.fhir.write import OrderTemplate
from cds_service.localise.language import ENGLISH, Language
from cds_service.localise.text import Message
from cds_service.protocol.response import CodingOut, SourceOut
from cds_service.rules.rule import Coded, Indicator, Rule, Tier
from cds_service.rules.service import CatalogueEntry, Service

_GAP = "Gap"
_DRAFT = Message("Draft content: not yet signed by a clinician.")


def topic_code(rule_id: str, indicator: Indicator, branch: str = "") -> str:
    """`vkaDialysisWarning`: an EHR ties an override to this code, so the severity is part of it."""
    first, *rest = rule_id.split("-")
    return first + "".join(word.capitalize() for word in rest) + indicator.value.capitalize() + branch


class Frame(msgspec.Struct, frozen=True):
    """What the cards of one tier of a rule (or its gap cards) say, whoever the patient is."""

    rule: Rule
    indicator: Indicator
    urgency: str
    """The indicator as it is sent."""
    topic: str
    source: SourceOut
    override_reasons: list[CodingOut]
    footer: str


@dataclass(frozen=True, slots=True)
class View:
    """How cards look for one client on one service; built at start-up."""

    service: Service
    catalogue: Mapping[str, CatalogueEntry]
    templates: Mapping[str, OrderTemplate]
    """Catalogue key -> validated order; a key without one is only named in words."""
    selection_behavior: str
    markdown: bool
    gap_card: bool
    evidence_url: str | None
    draft_banner: bool
    language: Language = ENGLISH
    launch_url: str | None = None
    """Where the client may launch the page of trends (SMART); None when it shows no such link."""
    _frames: dict[tuple[int, int], Frame] = field(default_factory=dict, init=False, repr=False, compare=False)

    def frame(self, rule: Rule, tier: Tier | None = None) -> Frame:
        """The frame of a tier's cards, or without a tier of the rule's gap cards; made once, then kept."""
        # By identity: comparing rules would cost more than the frame, which keeps its rule alive.
        key = (id(rule), id(tier))
        found = self._frames.get(key)
        if found is None:
            found = self._frames[key] = self._framed(rule, tier)
        return found

    def _framed(self, rule: Rule, tier: Tier | None) -> Frame:
        indicator, branch, reasons = Indicator.INFO, _GAP, tuple[Coded, ...]()
        if tier is not None:
            indicator, branch, reasons = tier.indicator, tier.branch, rule.override_reasons
        content, translated = self.service.content, self.language.translated
        topic = topic_code(rule.id, indicator, branch)
        return Frame(
            rule,
            indicator,
            indicator.value,
            topic,
            SourceOut(
                label=f"{translated(rule.source_label)} ({rule.id} {rule.version})",
                url=self.evidence_url,
                topic=CodingOut(system=content.topic_system, code=topic, display=translated(rule.title)),
            ),
            [
                CodingOut(
                    system=content.override_system, code=reason.code, display=translated(reason.display)
                )
                for reason in reasons
            ],
            self._footer(rule),
        )

    def _footer(self, rule: Rule) -> str:
        footer = Message(
            "Rule {rule} {version}, rule pack {pack}.",
            rule=rule.id,
            version=rule.version,
            pack=self.service.content.version,
        ).render(self.language)
        unsigned = self.draft_banner and rule.review.status == "draft"
        return f"{footer} {_DRAFT.render(self.language)}" if unsigned else footer
