"""The one card of one draft order (or of the patient): text, suggestions, reasons and links."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple, cast

import msgspec

from cds_service.detail import Blocks
from cds_service.facts.model import Facts, Order
from cds_service.localise.text import Joined, Message, Text
from cds_service.protocol.response import ActionOut, Card, LinkOut, SuggestionOut
from cds_service.rules.answer import Answer
from cds_service.rules.criteria import Criterion
from cds_service.rules.evaluate import Outcome
from cds_service.rules.rule import Indicator, Line, Rule, Tier
from cds_service.rules.suggestions import RemoveDraft, Suggestion
from cds_service.rules.text import Writer, fill_names
from cds_service.view import Frame, View

MAX_SUGGESTIONS = 6
_REMOVAL = "remove-order"
_TRENDS = Message("Trends of laboratory results")
_NOTHING_SAID = Message("data missing")


class Visit(NamedTuple):
    """Whom suggested orders are for, and since when."""

    patient_id: str
    encounter_id: str | None
    authored_on: datetime


class Composed(msgspec.Struct, frozen=True):
    """A card with what the record needs to know of it."""

    card: Card
    rule: Rule
    indicator: Indicator
    topic: str
    order: Order | None
    blocks: Blocks
    footer: str
    suggestions: Mapping[str, str] = {}
    """Suggestion uuid -> what it offered."""


def fresh_id() -> str:
    """A random UUID, version 4 (RFC 9562), written out: the object that `uuid4` builds is never needed."""
    digits = os.urandom(16).hex()
    variant = "89ab"[int(digits[16], 16) % 4]
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:]}"


def _tier(outcome: Outcome) -> Tier:
    """The tier that was met: an outcome that fires always has one."""
    return cast("Tier", outcome.tier)


def _unknown_parts(outcome: Outcome) -> list[Text]:
    """The reasons of a rule that could not be assessed; one may hold several, apart by semicolons."""
    if outcome.error:
        return [Message("internal error {id}", id=outcome.error)]
    return [finding.because for finding in outcome.findings if finding.answer is Answer.UNKNOWN]


class CardMaker:
    """Makes the card of what fired and what could not be assessed, each given in order of precedence."""

    def __init__(self, view: View, facts: Facts, order: Order | None, visit: Visit) -> None:
        self._view = view
        self._facts = facts
        self._order = order
        self._visit = visit
        self._writer = Writer(
            view.service.content.fills, facts, markdown=view.markdown, language=view.language
        )

    def firing_card(self, fired: list[Outcome], gaps: list[Outcome]) -> Composed:
        """The card that the first rule that fires leads."""
        lead, others = fired[0], fired[1:]
        tier = _tier(lead)
        suggestions, kinds, in_words = self._suggestions(fired, gaps)
        blocks = Blocks(
            consider=self._lines(tier.consider), why=self._lines((*tier.why, *lead.rule.common_detail))
        )
        if in_words:
            options = Message("Also an option: {steps}.", steps=Joined("; ", in_words))
            blocks.consider.append(self._writer.words(options))
        for other in others:
            self._add_other(other, blocks)
        blocks.not_checked = self._not_checked(fired, gaps)
        blocks.exceptions = self._lines(tier.exceptions)
        blocks.closing = self._lines(tier.closing)
        return self._finish(self._view.frame(lead.rule, tier), tier.summary, blocks, suggestions, kinds)

    def gap_card(self, gaps: list[Outcome]) -> Composed:
        """The card of an order about which no rule fires and some could not be assessed."""
        lead = gaps[0]
        text = lead.rule.when_unknown
        for common in self._view.service.content.common_gaps:
            if common.when.evaluate(self._facts).answer is Answer.MET:
                text = common.text
                break
        blocks = Blocks(
            consider=self._lines(line for line in text.detail if not fill_names(line.text)),
            why=self._lines(line for line in text.detail if fill_names(line.text)),
            not_checked=self._not_checked([], gaps),
        )
        return self._finish(self._view.frame(lead.rule), text.summary, blocks, [], {})

    def _add_other(self, other: Outcome, blocks: Blocks) -> None:
        """What a rule adds to the card another rule leads: its sentence, and its facts when it is a line only."""
        tier = _tier(other)
        blocks.also.append(self._writer.safe(self._writer.summary(tier.summary)))
        if other.rule.line_only:
            blocks.why += [line for line in self._lines(tier.why) if line not in blocks.why]

    def _not_checked(self, fired: list[Outcome], gaps: list[Outcome]) -> list[str]:
        """What could not be checked: reasons of rules that fire, then rules not assessed and why, each reason once."""
        words = self._writer.words
        lines = list(dict.fromkeys([words(reason) for outcome in fired for reason in outcome.not_checked]))
        if gaps:
            lines.append("; ".join([self._writer.translated(outcome.rule.title) for outcome in gaps]))
            reasons = [words(reason) for outcome in gaps for reason in _unknown_parts(outcome)]
            single = Joined("; ", [part for reason in reasons for part in reason.split("; ")])
            lines.append(words(Message("Because: {reasons}", reasons=single or _NOTHING_SAID)))
        return [self._writer.safe(line) for line in lines]

    def _lines(self, lines: Iterable[Line]) -> list[str]:
        return [row for line in lines for row in self._writer.lines(line)]

    def _suggestions(
        self, fired: list[Outcome], gaps: list[Outcome]
    ) -> tuple[list[SuggestionOut], dict[str, str], list[Text]]:
        """Suggestions in order of priority, what each offers, and steps that can only be named in words."""
        made: dict[str, SuggestionOut] = {}
        in_words: dict[str, Text] = {}
        for outcome in fired:
            for suggestion in _tier(outcome).suggestions:
                if isinstance(suggestion, RemoveDraft):
                    if _REMOVAL not in made and self._may_remove(suggestion, fired, gaps):
                        made[_REMOVAL] = self._removal(suggestion)
                elif suggestion.key not in made and self._offered(suggestion):
                    if suggestion.key in self._view.templates:
                        made[suggestion.key] = self._new_order(suggestion.key)
                    else:
                        entry = self._view.catalogue[suggestion.key]
                        in_words[suggestion.key] = Message(entry.in_a_sentence)
        kept = dict([*made.items()][:MAX_SUGGESTIONS])
        return [*kept.values()], {each.uuid: key for key, each in kept.items()}, [*in_words.values()]

    def _may_remove(self, suggestion: RemoveDraft, fired: list[Outcome], gaps: list[Outcome]) -> bool:
        return (
            self._named_unmistakably()
            and not any(outcome.forbids_delete for outcome in fired)
            and not any(tier.forbids_delete for outcome in gaps for tier in outcome.rule.tiers)
            and self._offered(suggestion)
        )

    def _named_unmistakably(self) -> bool:
        """The order has an id of its own: without one, or shared by two drafts, the wrong order might go."""
        order = self._order
        if order is None or "/" not in order.reference:
            return False
        return sum(each.reference == order.reference for each in self._facts.orders) == 1

    def _offered(self, suggestion: Suggestion) -> bool:
        when: Criterion | None = suggestion.when
        return when is None or when.evaluate(self._facts).answer is Answer.MET

    def _removal(self, suggestion: RemoveDraft) -> SuggestionOut:
        label = self._writer.summary(suggestion.label)
        reference = cast("Order", self._order).reference
        action = ActionOut(type="delete", description=label, resource_id=reference)
        return SuggestionOut(label=label, uuid=fresh_id(), actions=[action])

    def _new_order(self, key: str) -> SuggestionOut:
        label = self._writer.translated(self._view.catalogue[key].words)
        patient_id, encounter_id, now = self._visit
        resource = self._view.templates[key].fill(patient_id, encounter_id, now.isoformat())
        action = ActionOut(type="create", description=label, resource=resource)
        return SuggestionOut(label=label, uuid=fresh_id(), actions=[action])

    def _finish(
        self,
        frame: Frame,
        summary: str,
        blocks: Blocks,
        suggestions: Sequence[SuggestionOut],
        kinds: dict[str, str],
    ) -> Composed:
        view = self._view
        ident = fresh_id()
        card = Card(
            uuid=ident,
            summary=self._writer.summary(summary),
            indicator=frame.urgency,
            source=frame.source,
            detail=blocks.render(
                frame.footer, view.service.detail_limit, view.language, markdown=view.markdown
            ),
            suggestions=[*suggestions],
            selection_behavior=view.selection_behavior if suggestions else None,
            override_reasons=frame.override_reasons,
            links=self._links(frame.rule.id, ident),
        )
        return Composed(
            card, frame.rule, frame.indicator, frame.topic, self._order, blocks, frame.footer, kinds
        )

    def _links(self, rule_id: str, card_id: str) -> list[LinkOut]:
        """The SMART launch of the page of trends; what it is told names the rule and the card, never the patient."""
        if self._view.launch_url is None:
            return []
        context = msgspec.json.encode({"rule": rule_id, "card": card_id}).decode()
        label = self._writer.words(_TRENDS)
        return [LinkOut(label=label, url=self._view.launch_url, type="smart", app_context=context)]
