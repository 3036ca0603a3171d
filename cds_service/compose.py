"""Outcomes to cards: one card per draft order, highest indicator leads, at most three, all text escaped."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import cast

import msgspec

from cds_service.detail import Blocks
from cds_service.facts.model import Facts, Order
from cds_service.fhir.write import OrderTemplate
from cds_service.localise.language import ENGLISH, Language
from cds_service.localise.text import Joined, Message, Text
from cds_service.protocol.response import ActionOut, Card, CodingOut, LinkOut, SourceOut, SuggestionOut
from cds_service.rules.answer import Answer
from cds_service.rules.criteria import Criterion
from cds_service.rules.evaluate import Outcome, Result
from cds_service.rules.rule import Coded, Indicator, Line, Mode, Rule, Tier
from cds_service.rules.service import CatalogueEntry, Service
from cds_service.rules.suggestions import RemoveDraft, Suggestion
from cds_service.rules.text import Writer, escape, fill_names

MAX_SUGGESTIONS = 6
_GAP = "Gap"
_TRENDS = Message("Trends of laboratory results")


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


@dataclass(frozen=True, slots=True)
class Composed:
    """A card with what the record needs to know of it."""

    card: Card
    rule: Rule
    indicator: Indicator
    topic: str
    order: Order | None
    blocks: Blocks = field(repr=False)
    footer: str
    suggestions: Mapping[str, str] = field(default_factory=dict)
    """Suggestion uuid -> what it offered."""


def topic_code(rule_id: str, indicator: Indicator, branch: str = "") -> str:
    """`vkaDialysisWarning`: an EHR ties an override to this code, so the severity is part of it."""
    first, *rest = rule_id.split("-")
    return first + "".join(word.capitalize() for word in rest) + indicator.value.capitalize() + branch


def compose(
    outcomes: Sequence[Outcome],
    facts: Facts,
    view: View,
    *,
    patient_id: str,
    encounter_id: str | None,
    authored_on: datetime,
    unread_orders: int = 0,
) -> list[Composed]:
    """Cards in order of urgency, at most `service.max_cards`; the first says how many orders could not be read."""
    groups = list(_by_order(outcomes))
    told_at = _told_at(groups)
    cards = []
    for place, (order, group) in enumerate(groups):
        elsewhere = frozenset(rule for rule, its_place in told_at.items() if its_place != place)
        maker = _CardMaker(view, facts.about(order), order, elsewhere)
        card = maker.card(group, patient_id, encounter_id, authored_on)
        if card is not None:
            cards.append(card)
    cards.sort(key=lambda composed: -composed.indicator.rank)
    if cards and unread_orders:
        cards[0] = _with_unread(cards[0], unread_orders, view)
    return _capped(cards, view)


def _by_order(outcomes: Sequence[Outcome]) -> Iterable[tuple[Order | None, list[Outcome]]]:
    # By the order itself: two drafts without an id would share one reference.
    groups: dict[int, tuple[Order | None, list[Outcome]]] = {}
    for outcome in outcomes:
        groups.setdefault(id(outcome.order), (outcome.order, []))[1].append(outcome)
    for order, group in groups.values():
        for part in [group] if order is not None else _by_rule(group):
            yield order, part


def _told_at(groups: Sequence[tuple[Order | None, list[Outcome]]]) -> dict[str, int]:
    """Where each rule that is told once goes: to the most urgent card that other rules make anyway."""
    best: dict[str, tuple[int, int]] = {}
    for place, (_, group) in enumerate(groups):
        live = [o for o in group if o.result is Result.FIRES and o.mode is Mode.LIVE]
        rank = max((o.indicator.rank for o in live if not o.rule.line_only), default=-1)
        for rule in (o.rule for o in live if o.rule.once_per_response):
            if rule.id not in best or rank > best[rule.id][0]:
                best[rule.id] = (rank, place)
    return {rule: place for rule, (_, place) in best.items()}


def _by_rule(group: list[Outcome]) -> list[list[Outcome]]:
    """Without an order each rule that fires makes a card of its own; lines and gaps join the first one."""
    own = [o for o in group if o.result is Result.FIRES and o.mode is Mode.LIVE and not o.rule.line_only]
    if not own:
        return [group]
    own.sort(key=lambda outcome: (-outcome.indicator.rank, outcome.rule.number))
    later = {outcome.rule.id for outcome in own[1:]}
    return [[o for o in group if o.rule.id not in later], *([outcome] for outcome in own[1:])]


def _with_unread(first: Composed, count: int, view: View) -> Composed:
    """The first card, with a line for the orders of the same call that nobody could check."""
    line = Message("Orders of this call that could not be read: {count}. They were not checked.", count=count)
    blocks = replace(first.blocks, not_checked=[*first.blocks.not_checked, line.render(view.language)])
    return _retold(first, blocks, view.service.detail_limit, view)


def _retold(composed: Composed, blocks: Blocks, limit: int, view: View) -> Composed:
    """The same card with other blocks in its detail."""
    detail = blocks.render(composed.footer, limit, view.language, markdown=view.markdown)
    return replace(composed, blocks=blocks, card=msgspec.structs.replace(composed.card, detail=detail))


def _capped(cards: list[Composed], view: View) -> list[Composed]:
    """Beyond the limit the least urgent are folded as lines into the last card that is shown."""
    limit = view.service.max_cards
    if len(cards) <= limit:
        return cards
    shown, folded = cards[:limit], cards[limit:]
    shown[-1] = _with_folded(shown[-1], folded, view)
    return shown


def _with_folded(last: Composed, folded: list[Composed], view: View) -> Composed:
    """The last card with one line for each folded one; only `info` lines give way when there is no room."""
    limit = view.service.detail_limit
    sentences = [escape(each.card.summary) if view.markdown else each.card.summary for each in folded]
    urgent = sum(each.indicator is not Indicator.INFO for each in folded)
    for kept in range(len(folded), urgent - 1, -1):
        note = Message("and {count} further notes of urgency info", count=len(folded) - kept)
        more = [note.render(view.language)] if kept < len(folded) else []
        lines = [*sentences[:kept], *more]
        blocks = replace(last.blocks, further=lines)
        told = _retold(last, blocks, limit, view)
        detail = told.card.detail or ""
        if last.footer in detail and all(line in detail for line in lines):
            return told
    # Nothing but urgent lines is left: the limit gives way, a warning is never dropped.
    return _retold(last, blocks, limit + sum(map(len, lines)), view)


def _tier(outcome: Outcome) -> Tier:
    """The tier that was met: an outcome that fires always has one."""
    return cast("Tier", outcome.tier)


def _unknown_parts(outcome: Outcome) -> list[Text]:
    """The reasons of a rule that could not be assessed; one may hold several, apart by semicolons."""
    if outcome.error:
        return [Message("internal error {id}", id=outcome.error)]
    return [finding.because for finding in outcome.findings if finding.answer is Answer.UNKNOWN]


class _CardMaker:
    """Makes the one card of one order (or of the patient)."""

    def __init__(self, view: View, facts: Facts, order: Order | None, elsewhere: frozenset[str]) -> None:
        self._view = view
        self._facts = facts
        self._order = order
        self._elsewhere = elsewhere
        self._writer = Writer(
            view.service.content.fills, facts, markdown=view.markdown, language=view.language
        )

    def card(
        self, group: list[Outcome], patient_id: str, encounter_id: str | None, authored_on: datetime
    ) -> Composed | None:
        fired = self._fired(group)
        gaps = self._gaps(group)
        if fired:
            return self._firing_card(fired, gaps, patient_id, encounter_id, authored_on)
        if gaps and (self._order is not None or self._view.gap_card):
            return self._gap_card(gaps)
        return None

    def _fired(self, group: list[Outcome]) -> list[Outcome]:
        """Live rules that fire, the lead first: highest indicator, rules with a card of their own, number."""
        fired = [
            outcome
            for outcome in group
            if outcome.result is Result.FIRES
            and outcome.mode is Mode.LIVE
            and outcome.rule.id not in self._elsewhere
        ]
        return sorted(fired, key=lambda o: (o.rule.line_only, -o.indicator.rank, o.rule.number))

    def _gaps(self, group: list[Outcome]) -> list[Outcome]:
        """Live rules that could not be assessed; without an order a mere line has no gap of its own."""
        found = [
            outcome
            for outcome in group
            if outcome.result is Result.CANNOT_ASSESS
            and outcome.mode is Mode.LIVE
            and outcome.rule.gap_card
            and not (outcome.rule.line_only and outcome.order is None)
        ]
        return sorted(found, key=lambda outcome: outcome.rule.number)

    def _firing_card(
        self,
        fired: list[Outcome],
        gaps: list[Outcome],
        patient_id: str,
        encounter_id: str | None,
        authored_on: datetime,
    ) -> Composed:
        lead, others = fired[0], fired[1:]
        tier = _tier(lead)
        suggestions, kinds, in_words = self._suggestions(fired, gaps, patient_id, encounter_id, authored_on)
        blocks = Blocks()
        blocks.consider = self._lines(tier.consider)
        if in_words:
            options = Message("Also an option: {steps}.", steps=Joined("; ", in_words))
            blocks.consider.append(self._writer.words(options))
        blocks.why = self._lines((*tier.why, *lead.rule.common_detail))
        for other in others:
            self._add_other(other, blocks)
        blocks.not_checked = self._not_checked(fired, gaps)
        blocks.exceptions = self._lines(tier.exceptions)
        blocks.closing = self._lines(tier.closing)
        return self._finish(
            lead.rule,
            tier.indicator,
            tier.branch,
            tier.summary,
            blocks,
            suggestions,
            kinds,
            lead.rule.override_reasons,
        )

    def _add_other(self, other: Outcome, blocks: Blocks) -> None:
        """What a rule adds to the card another rule leads: its sentence, and its facts when it is a line only."""
        tier = _tier(other)
        blocks.also.append(self._writer.safe(self._writer.summary(tier.summary)))
        if other.rule.line_only:
            blocks.why += [line for line in self._lines(tier.why) if line not in blocks.why]

    def _gap_card(self, gaps: list[Outcome]) -> Composed:
        lead = gaps[0]
        text = lead.rule.when_unknown
        for common in self._view.service.content.common_gaps:
            if common.when.evaluate(self._facts).answer is Answer.MET:
                text = common.text
                break
        blocks = Blocks()
        blocks.consider = self._lines(line for line in text.detail if not fill_names(line.text))
        blocks.why = self._lines(line for line in text.detail if fill_names(line.text))
        blocks.not_checked = self._not_checked([], gaps)
        return self._finish(lead.rule, Indicator.INFO, _GAP, text.summary, blocks, [], {}, ())

    def _not_checked(self, fired: list[Outcome], gaps: list[Outcome]) -> list[str]:
        """What could not be checked: reasons of rules that fire, then rules not assessed and why, each reason once."""
        words = self._writer.words
        lines = list(dict.fromkeys(words(reason) for outcome in fired for reason in outcome.not_checked))
        if gaps:
            lines.append("; ".join(self._writer.translated(outcome.rule.title) for outcome in gaps))
            reasons = [words(reason) for outcome in gaps for reason in _unknown_parts(outcome)]
            single = Joined("; ", (part for reason in reasons for part in reason.split("; ")))
            lines.append(words(Message("Because: {reasons}", reasons=single or Message("data missing"))))
        return [self._writer.safe(line) for line in lines]

    def _lines(self, lines: Iterable[Line]) -> list[str]:
        return [row for line in lines for row in self._writer.lines(line)]

    def _suggestions(
        self,
        fired: list[Outcome],
        gaps: list[Outcome],
        patient_id: str,
        encounter_id: str | None,
        authored_on: datetime,
    ) -> tuple[list[SuggestionOut], dict[str, str], list[Text]]:
        """Suggestions in order of priority, what each offers, and steps that can only be named in words."""
        may_delete = (
            self._named_unmistakably()
            and not any(outcome.forbids_delete for outcome in fired)
            and not any(tier.forbids_delete for outcome in gaps for tier in outcome.rule.tiers)
        )
        made: dict[str, SuggestionOut] = {}
        in_words: dict[str, Text] = {}
        for outcome in fired:
            for suggestion in _tier(outcome).suggestions:
                if not self._offered(suggestion):
                    continue
                if isinstance(suggestion, RemoveDraft):
                    if may_delete and self._order and "remove-order" not in made:
                        made["remove-order"] = self._removal(suggestion, self._order)
                    continue
                entry = self._view.catalogue[suggestion.key]
                template = self._view.templates.get(suggestion.key)
                if template is None:
                    in_words[suggestion.key] = Message(entry.in_a_sentence)
                elif suggestion.key not in made:
                    resource = template.fill(patient_id, encounter_id, authored_on.isoformat())
                    label = self._writer.translated(entry.words)
                    action = ActionOut(type="create", description=label, resource=resource)
                    made[suggestion.key] = SuggestionOut(
                        label=label, uuid=str(uuid.uuid4()), actions=[action]
                    )
        kept = dict(list(made.items())[:MAX_SUGGESTIONS])
        return list(kept.values()), {each.uuid: key for key, each in kept.items()}, list(in_words.values())

    def _named_unmistakably(self) -> bool:
        """The order has an id of its own: without one, or shared by two drafts, the wrong order might go."""
        order = self._order
        if order is None or "/" not in order.reference:
            return False
        return sum(each.reference == order.reference for each in self._facts.orders) == 1

    def _offered(self, suggestion: Suggestion) -> bool:
        when: Criterion | None = suggestion.when
        return when is None or when.evaluate(self._facts).answer is Answer.MET

    def _removal(self, suggestion: RemoveDraft, order: Order) -> SuggestionOut:
        label = self._writer.summary(suggestion.label)
        action = ActionOut(type="delete", description=label, resource_id=order.reference)
        return SuggestionOut(label=label, uuid=str(uuid.uuid4()), actions=[action])

    def _finish(
        self,
        rule: Rule,
        indicator: Indicator,
        branch: str,
        summary: str,
        blocks: Blocks,
        suggestions: list[SuggestionOut],
        kinds: dict[str, str],
        reasons: Sequence[Coded],
    ) -> Composed:
        view = self._view
        content = view.service.content
        topic = topic_code(rule.id, indicator, branch)
        system = content.override_system
        writer = self._writer
        footer = writer.words(
            Message(
                "Rule {rule} {version}, rule pack {pack}.",
                rule=rule.id,
                version=rule.version,
                pack=content.version,
            )
        )
        if view.draft_banner and rule.review.status == "draft":
            footer += " " + writer.words(Message("Draft content: not yet signed by a clinician."))
        ident = str(uuid.uuid4())
        card = Card(
            uuid=ident,
            summary=self._writer.summary(summary),
            indicator=indicator.value,
            source=SourceOut(
                label=f"{writer.translated(rule.source_label)} ({rule.id} {rule.version})",
                url=view.evidence_url,
                topic=CodingOut(
                    system=content.topic_system, code=topic, display=writer.translated(rule.title)
                ),
            ),
            detail=blocks.render(footer, view.service.detail_limit, view.language, markdown=view.markdown),
            suggestions=suggestions,
            selection_behavior=view.selection_behavior if suggestions else None,
            override_reasons=[
                CodingOut(system=system, code=reason.code, display=writer.translated(reason.display))
                for reason in reasons
            ],
            links=self._links(rule.id, ident),
        )
        return Composed(card, rule, indicator, topic, self._order, blocks, footer, kinds)

    def _links(self, rule_id: str, card_id: str) -> list[LinkOut]:
        """The SMART launch of the page of trends; what it is told names the rule and the card, never the patient."""
        if self._view.launch_url is None:
            return []
        context = msgspec.json.encode({"rule": rule_id, "card": card_id}).decode()
        label = self._writer.words(_TRENDS)
        return [LinkOut(label=label, url=self._view.launch_url, type="smart", app_context=context)]
