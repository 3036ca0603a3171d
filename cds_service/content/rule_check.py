"""The content check of one rule: its record, texts, suggestions, evidence and review."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from datetime import date

from cds_service.compose import topic_code
from cds_service.content.problem import Problem
from cds_service.localise.language import ENGLISH, Language
from cds_service.rules.criteria import Always, Criterion
from cds_service.rules.rule import CardText, Indicator, Rule, Tier
from cds_service.rules.service import Content
from cds_service.rules.suggestions import RemoveDraft
from cds_service.rules.text import SUMMARY_LIMIT, fill_names, parts

KEBAB = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*")
SEMVER = re.compile(r"(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)(?:-[0-9A-Za-z.-]+)?")
TOPIC = re.compile(r"[A-Za-z0-9]{1,100}")
MAX_OVERRIDE_REASONS = 6
"""Settled with EHRs in mind: one acknowledgement record for each code, and a short list."""
STRENGTHS = ("strong", "moderate", "weak")
CERTAINTIES = ("high", "moderate", "low", "very-low")
TAGS = ("read", "secondary", "memory")
OVERRIDE_CODES = {
    # HL7 cds-hooks, CodeSystem-non-adherence-reason-codes: the codes below its headings
    "http://terminology.hl7.org/CodeSystem/non-adherence-reason-codes": frozenset(
        """
        patient-ineligible indication-order-exists action-completed action-unsuccessful
        action-performed-no-adverse-effect action-not-priority limited-time wrong-time-workflow
        inappropriate-recipient need-more-info does-not-align-latest-evidence expert-contradicts
        policy-contradicts recipient-does-not-trust risk-benefit-ratio mitigate-risk-negative-outcome
        likely-negative-health-outcomes patient-contraindication patient-fears-discomfort
        patient-does-not-want-change cultural-religious-reason prefers-alternative patient-refuses
        inadequate-support service-not-available implementation-challenges too-costly-uncovered
        recipient-does-not-understand comorbidity-disability
        """.split()  # noqa: SIM905 - a list of words reads better so
    )
}


def rule_problems(rule: Rule, content: Content, today: date) -> Iterator[Problem]:
    """Everything that is wrong with one rule by itself."""
    place = f"rule {rule.id}"
    yield from _identity(rule, place)
    yield from _tiers(rule, place)
    yield from _topics(rule, place)
    yield from _texts(rule, content)
    yield from _override_reasons(rule, content, place)
    yield from _suggestions(rule, content)
    yield from _evidence(rule, content, place)
    yield from _thresholds(rule, place)
    yield from _review(rule, place, today)


def tier_place(rule: Rule, tier: Tier) -> str:
    number = next(number for number, each in enumerate(rule.tiers, 1) if each is tier)
    return f"rule {rule.id}, tier {number} ({tier.indicator.value})"


def _identity(rule: Rule, place: str) -> Iterator[Problem]:
    if not KEBAB.fullmatch(rule.id):
        yield Problem("rule-id-form", place, f"The id {rule.id!r} is not lower-case words joined by hyphens.")
    if not SEMVER.fullmatch(rule.version):
        yield Problem("rule-version", place, f"The version {rule.version!r} is not of the form 1.2.3.")
    for name, value, known in (
        ("strength", rule.strength, STRENGTHS),
        ("certainty", rule.certainty, CERTAINTIES),
    ):
        if value not in known:
            yield Problem("grade-unknown", place, f"The {name} {value!r} is not one of {', '.join(known)}.")


def _tiers(rule: Rule, place: str) -> Iterator[Problem]:
    if not rule.tiers:
        yield Problem("tier-missing", place, "It has no tier, so it can never show a card.")
    earlier: list[Criterion] = []
    for tier in rule.tiers:
        if any(isinstance(each, Always) or each == tier.when for each in earlier):
            text = "An earlier tier applies whenever this one does, so it is never shown."
            yield Problem("tier-unreachable", tier_place(rule, tier), text)
        earlier.append(tier.when)


def _topics(rule: Rule, place: str) -> Iterator[Problem]:
    """Tiers of one indicator may share a code only when their advice is the same."""
    advice: dict[str, set[object]] = {topic_code(rule.id, Indicator.INFO, "Gap"): {None}}
    for tier in rule.tiers:
        code = topic_code(rule.id, tier.indicator, tier.branch)
        advice.setdefault(code, set()).add((tier.consider, tier.suggestions, tier.forbids_delete))
    for code, different in advice.items():
        if not TOPIC.fullmatch(code):
            yield Problem("topic-form", place, f"The topic code {code!r} is not 1 to 100 letters and digits.")
        if len(different) > 1:
            text = f"Different advice shares the topic code {code}; overriding one would silence the other."
            yield Problem("topic-twice", place, text)


def texts_of(rule: Rule) -> Iterator[tuple[str, str]]:
    """Every text the rule can put on a card, with its place."""
    yield f"rule {rule.id}, title", rule.title
    yield f"rule {rule.id}, source label", rule.source_label
    for tier in rule.tiers:
        place = tier_place(rule, tier)
        yield f"{place}, summary", tier.summary
        for name, lines in (
            ("consider", tier.consider),
            ("why", tier.why),
            ("exceptions", tier.exceptions),
            ("closing", tier.closing),
        ):
            yield from ((f"{place}, {name} {number}", line.text) for number, line in enumerate(lines, 1))
        for each in tier.suggestions:
            if isinstance(each, RemoveDraft):
                yield f"{place}, suggestion", each.label
    yield from card_texts(f"rule {rule.id}, when unknown", rule.when_unknown)
    for number, line in enumerate(rule.common_detail, 1):
        yield f"rule {rule.id}, common line {number}", line.text
    for reason in rule.override_reasons:
        yield f"rule {rule.id}, override reason {reason.code}", reason.display


def card_texts(place: str, text: CardText) -> Iterator[tuple[str, str]]:
    yield f"{place}, summary", text.summary
    yield from ((f"{place}, line {number}", line.text) for number, line in enumerate(text.detail, 1))


def _texts(rule: Rule, content: Content) -> Iterator[Problem]:
    for place, text in texts_of(rule):
        yield from template_problems(place, text, content)
    for tier in rule.tiers:
        yield from summary_problems(f"{tier_place(rule, tier)}, summary", tier.summary, content)
        for suggestion in tier.suggestions:
            if isinstance(suggestion, RemoveDraft):
                yield from summary_problems(
                    f"{tier_place(rule, tier)}, suggestion", suggestion.label, content
                )
    yield from summary_problems(f"rule {rule.id}, when unknown, summary", rule.when_unknown.summary, content)


def template_problems(place: str, text: str, content: Content) -> Iterator[Problem]:
    """Empty, naming an unknown fill, or with a brace left over."""
    if not text.strip():
        yield Problem("text-empty", place, "The text is empty.")
    for name in sorted(set(fill_names(text)) - set(content.fills)):
        yield Problem("fill-unknown", place, f"There is no fill named {name!r}.")
    if any(brace in literal for literal in parts(text)[::2] for brace in "{}"):
        yield Problem("template-broken", place, f"A brace belongs to no fill: {text!r}.")


def longest(template: str, content: Content, language: Language = ENGLISH) -> int:
    """Length of a summary with every known fill at its limit."""
    fills = content.fills
    return sum(
        (fills[piece].room(language) if piece in fills else 0) if index % 2 else len(piece)
        for index, piece in enumerate(parts(template))
    )


def summary_problems(place: str, template: str, content: Content) -> Iterator[Problem]:
    length = longest(template, content)
    if length > SUMMARY_LIMIT:
        text = f"{length} characters with the longest fills; {SUMMARY_LIMIT} are allowed."
        yield Problem("summary-too-long", place, text)


def _override_reasons(rule: Rule, content: Content, place: str) -> Iterator[Problem]:
    codes = Counter(reason.code for reason in rule.override_reasons)
    known = OVERRIDE_CODES.get(content.override_system)
    for code, count in codes.items():
        if known is not None and code not in known:
            yield Problem("override-code-unknown", place, f"{content.override_system} has no code {code!r}.")
        if count > 1:
            yield Problem("override-code-twice", place, f"The override code {code} is used {count} times.")
    if len(rule.override_reasons) > MAX_OVERRIDE_REASONS:
        text = f"{len(rule.override_reasons)} override reasons; at most {MAX_OVERRIDE_REASONS} are shown."
        yield Problem("override-too-many", place, text)


def _suggestions(rule: Rule, content: Content) -> Iterator[Problem]:
    keys = {entry.key for entry in content.catalogue}
    for tier in rule.tiers:
        place = tier_place(rule, tier)
        for suggestion in tier.suggestions:
            if isinstance(suggestion, RemoveDraft):
                if tier.forbids_delete:
                    text = "It suggests removing the draft and forbids it at the same time."
                    yield Problem("suggestion-contradiction", place, text)
            elif suggestion.key not in keys:
                text = f"The order catalogue has no entry {suggestion.key!r}."
                yield Problem("suggestion-key-unknown", place, text)


def _evidence(rule: Rule, content: Content, place: str) -> Iterator[Problem]:
    if not rule.evidence:
        yield Problem("evidence-empty", place, "It names no evidence.")
    for cites in rule.evidence:
        if cites.citation not in content.citations:
            text = f"{cites.citation.key} is cited and is not among the citations of the content."
            yield Problem("citation-unknown", place, text)
        if not cites.says.strip():
            yield Problem("text-empty", place, f"It does not say what it takes from {cites.citation.key}.")


def _thresholds(rule: Rule, place: str) -> Iterator[Problem]:
    for threshold in rule.thresholds:
        if not threshold.source.strip():
            yield Problem("threshold-source", place, f"{threshold.id} {threshold.text}: no source.")
        if not threshold.at_equality.strip():
            text = f"{threshold.id} {threshold.text}: it does not say whether an equal value counts."
            yield Problem("threshold-equality", place, text)


def _review(rule: Rule, place: str, today: date) -> Iterator[Problem]:
    review = rule.review
    if review.next_review is not None and review.next_review < today:
        yield Problem("review-overdue", place, f"The review was due on {review.next_review}.")
    if review.checked_by is not None and review.checked_by.strip() == review.authored_by.strip():
        yield Problem("review-same-person", place, f"{review.checked_by} wrote and checked it.")
    signed = (review.checked_by, review.reviewed_on, review.next_review)
    if review.status != "draft" and None in signed:
        text = f"Its status is {review.status}, but checker, date of review or next review is missing."
        yield Problem("review-incomplete", place, text)
