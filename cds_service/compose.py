"""Outcomes to cards: one card per draft order, highest indicator leads, at most three, all text escaped."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

import msgspec

from cds_service.card import MAX_SUGGESTIONS, CardMaker, Composed, Visit
from cds_service.detail import Blocks
from cds_service.facts.model import Facts, Order
from cds_service.localise.text import Message
from cds_service.rules.evaluate import Outcome, Result
from cds_service.rules.rule import Indicator, Mode
from cds_service.rules.text import escape
from cds_service.view import View, topic_code

__all__ = ["MAX_SUGGESTIONS", "Composed", "View", "compose", "topic_code"]

_ON_CARDS = (Result.FIRES, Result.CANNOT_ASSESS)


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
    # Most outcomes have no place on a card, and are looked at once only.
    groups = list(_by_order([o for o in outcomes if o.result in _ON_CARDS and o.mode is Mode.LIVE]))
    told_at = _told_at(groups)
    visit = Visit(patient_id, encounter_id, authored_on)
    cards = []
    for place, (order, group) in enumerate(groups):
        fired, gaps = _fired(group, told_at, place), _gaps(group)
        if fired:
            cards.append(CardMaker(view, facts.about(order), order, visit).firing_card(fired, gaps))
        elif gaps and (order is not None or view.gap_card):
            cards.append(CardMaker(view, facts.about(order), order, visit).gap_card(gaps))
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
        fired = [outcome for outcome in group if outcome.result is Result.FIRES]
        once = [outcome.rule.id for outcome in fired if outcome.rule.once_per_response]
        if not once:
            continue
        # What could not be assessed makes a card as well.
        without = -1 if _gaps(group) else -2
        rank = max((o.indicator.rank for o in fired if not o.rule.line_only), default=without)
        for rule in once:
            if rule not in best or rank > best[rule][0]:
                best[rule] = (rank, place)
    return {rule: place for rule, (_, place) in best.items()}


def _fired(group: list[Outcome], told_at: dict[str, int], place: int) -> list[Outcome]:
    """Rules that fire, the lead first: rules with a card of their own, highest indicator, number."""
    fired = [
        outcome
        for outcome in group
        if outcome.result is Result.FIRES and told_at.get(outcome.rule.id, place) == place
    ]
    return sorted(fired, key=lambda o: (o.rule.line_only, -o.indicator.rank, o.rule.number))


def _gaps(group: list[Outcome]) -> list[Outcome]:
    """Rules that could not be assessed; without an order a mere line has no gap of its own."""
    found = [
        outcome
        for outcome in group
        if outcome.result is Result.CANNOT_ASSESS
        and outcome.rule.gap_card
        and not (outcome.rule.line_only and outcome.order is None)
    ]
    return sorted(found, key=lambda outcome: outcome.rule.number)


def _by_rule(group: list[Outcome]) -> list[list[Outcome]]:
    """Without an order each rule that fires makes a card of its own; lines and gaps join the first one."""
    own = [o for o in group if o.result is Result.FIRES and not o.rule.line_only]
    if not own:
        return [group]
    own.sort(key=lambda outcome: (-outcome.indicator.rank, outcome.rule.number))
    later = {outcome.rule.id for outcome in own[1:]}
    return [[o for o in group if o.rule.id not in later], *([outcome] for outcome in own[1:])]


def _with_unread(first: Composed, count: int, view: View) -> Composed:
    """The first card, with a line for the orders of the same call that nobody could check."""
    line = Message("Orders of this call that could not be read: {count}. They were not checked.", count=count)
    blocks = msgspec.structs.replace(
        first.blocks, not_checked=[*first.blocks.not_checked, line.render(view.language)]
    )
    return _retold(first, blocks, view.service.detail_limit, view)


def _retold(composed: Composed, blocks: Blocks, limit: int, view: View) -> Composed:
    """The same card with other blocks in its detail."""
    detail = blocks.render(composed.footer, limit, view.language, markdown=view.markdown)
    card = msgspec.structs.replace(composed.card, detail=detail)
    return msgspec.structs.replace(composed, blocks=blocks, card=card)


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
        blocks = msgspec.structs.replace(last.blocks, further=lines)
        told = _retold(last, blocks, limit, view)
        detail = told.card.detail or ""
        if last.footer in detail and all(line in detail for line in lines):
            return told
    # Nothing but urgent lines is left: the limit gives way, a warning is never dropped.
    return _retold(last, blocks, limit + sum(map(len, lines)), view)
