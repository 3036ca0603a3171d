"""A problem of the content, and every code a problem can have."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing to put right."""

    code: str
    place: str
    """Where: `rule vka-dialysis, tier 2`, `value set warfarin`, a file name."""
    text: str
    """A sentence for somebody who has to decide what to do."""

    def __post_init__(self) -> None:
        if self.code not in CODES:
            raise ValueError(f"unknown problem code {self.code}")


CODES = {
    # Rules
    "rule-id-form": "a rule id is not kebab-case",
    "rule-id-file": "a rule id is not the name of its file",
    "rule-id-twice": "two rules have one id",
    "rule-number-twice": "two rules have one number",
    "rule-not-used": "a rule stands in a file and on no service",
    "rule-version": "a version is not of the form 1.2.3",
    "grade-unknown": "strength or certainty is not one of the known words",
    "tier-missing": "a rule has no tier",
    "tier-unreachable": "an earlier tier always applies first",
    "text-empty": "a text that is shown is empty",
    "summary-too-long": "a summary can exceed 139 characters",
    "fill-unknown": "a template names a fill that does not exist",
    "template-broken": "a brace that belongs to no fill would be shown as it is",
    "topic-form": "a topic code is not alphanumeric or too long",
    "topic-twice": "tiers with different advice have one topic code",
    "override-code-unknown": "an override reason has a code that the code system does not have",
    "override-code-twice": "an override code is used twice on one card",
    "override-too-many": "a card has more than six override reasons",
    "suggestion-key-unknown": "a suggestion names an order that the catalogue does not have",
    "suggestion-contradiction": "a tier forbids the removal that it suggests",
    "evidence-empty": "a rule names no evidence",
    "citation-unknown": "a source is cited that is not among the citations",
    "citation-key-twice": "two citations have one key",
    "citation-tag": "a citation does not say how it was read",
    "threshold-source": "a threshold has no source",
    "threshold-equality": "a threshold does not say on which side equality falls",
    "data-unknown": "a rule needs data that its service does not ask for",
    "review-overdue": "the next review is in the past",
    "review-same-person": "the checker is the author",
    "review-incomplete": "a signed rule lacks checker, date or next review",
    "never-say": "wording that must never reach a clinician",
    # Codes and catalogue
    "value-set-file": "a value-set file differs from the manifest or is wrong inside",
    "value-set-twice": "two value sets have one id",
    "code-malformed": "a code, its check digit or its words are wrong",
    "code-twice": "a value set lists a code twice",
    "code-conflict": "a code is both in a set and declared not to be in it",
    "code-overlap": "a code is in two sets that must not share codes",
    "catalogue-key-twice": "two catalogue entries have one key",
    # Translations
    "catalogue-old": "a template of the translations lags behind the rules and the code",
    "translation-missing": "a text has no translation",
    "translation-fuzzy": "a translation is marked as doubtful",
    "translation-unknown": "a translation of a text that nothing prints",
    "translation-places": "a translation adds or loses a place that is filled in",
    "translation-numbers": "a translation changes a number",
    "translation-unchecked": "no rules of wording are known for the language",
    # Cases
    "case-unreadable": "a case file cannot be read",
    "case-name": "the name of a case is not that of its file",
    "case-unknown": "a case names a service, rule or outcome that does not exist",
    "case-too-few": "a tier has too few cases",
    "case-firing-missing": "no case in which the rule fires",
    "case-silent-missing": "no case in which the rule stays silent",
    "case-gap-missing": "no case in which the rule cannot be assessed",
    # Pages and statements
    "page-missing": "a generated page does not exist",
    "page-outdated": "a generated page differs from its source",
    "page-stray": "a page belongs to no rule",
    "statement-open": "a founding statement is not visible where the map says",
    "statement-missing": "a founding statement is not in the map",
}
"""Stable: programs and pull requests refer to them."""
