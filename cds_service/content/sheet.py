"""Review sheets: one page for each rule, generated from the rule itself, for readers who do not program."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from cds_service.content.cases import Cases, read_cases
from cds_service.content.codes_section import by_name_only, codes_section
from cds_service.content.find import unique_rules
from cds_service.content.fingerprint import rule_hash
from cds_service.content.rule_check import longest
from cds_service.content.sheet_index import index_page
from cds_service.content.words import (
    HOOKS,
    INDICATORS,
    MODES,
    RESOURCES,
    TAGS,
    about_orders,
    bullets,
    capital,
    filled,
    kebab,
    markdown,
    outline,
    suggestion_words,
    table,
)
from cds_service.rules.criteria import Criterion
from cds_service.rules.rule import Line, Mode, Rule, Tier
from cds_service.rules.service import Content, Service
from cds_service.rules.text import SUMMARY_LIMIT

__all__ = ["rule_hash", "sheets", "write_sheets"]

INDEX = "README.md"
_ONLY_LISTED = (
    "It sees only what is coded with the codes below or written with the names below; anything else is "
    "“not recognised”, which never means “not present”."
)


def write_sheets(services: Sequence[Service], out_dir: Path, cases_dir: Path | None = None) -> list[Path]:
    """Write every sheet and the index into `out_dir`; pages of rules that are gone are removed."""
    made = sheets(services, read_cases(cases_dir))
    out_dir.mkdir(parents=True, exist_ok=True)
    for path in out_dir.glob("*.md"):
        if path.name not in made:
            path.unlink()
    for name, text in made.items():
        (out_dir / name).write_text(text, encoding="utf-8")
    return [out_dir / name for name in made]


def sheets(services: Sequence[Service], cases: Cases) -> dict[str, str]:
    """File name -> text, for every rule and the index."""
    rules = unique_rules(services)
    made = {f"{rule.id}.md": _sheet(rule, services, cases) for rule in rules}
    made[INDEX] = index_page(rules, services)
    return made


def _sheet(rule: Rule, services: Sequence[Service], cases: Cases) -> str:
    content = next(s.content for s in services if any(use.rule is rule for use in s.rules))
    blocks = [
        f"# {rule.number}. {markdown(rule.title)}",
        _opening(rule, content),
        "## Applies to",
        capital(markdown(rule.trigger.text)) + ".",
        *_services(rule, services),
        "## When all of these hold",
        *_all((*rule.population, *rule.criteria)),
        "## Unless",
        *_unless(rule),
        "## Shows",
        "The first of these that applies is shown. Values are examples.",
        *(text for number, tier in enumerate(rule.tiers) for text in _tier(number, tier, rule, content)),
        *_common(rule, content),
        "## If it cannot be checked",
        *_unknown(rule, content),
        "## Because",
        *_evidence(rule),
        "## Thresholds",
        *_thresholds(rule),
        "## Reasons offered for overriding the card",
        *_overrides(rule),
        "## Data needed",
        *_data(rule, services),
        "## Test cases",
        *_cases(rule, cases),
        "## Known limits",
        *_limits(rule, content, services),
        "## Review and approval",
        *_review(rule),
        "## Code lists",
        "\n".join(codes_section(rule, content)),
    ]
    return "\n\n".join(block for block in blocks if block).rstrip() + "\n"


def _opening(rule: Rule, content: Content) -> str:
    which = f"Rule **{rule.id}**, version {rule.version}, of the content package {content.name} {content.version}."
    return f"{which} {_standing(rule)} This page is generated from the rule; it says what the service does."


def _standing(rule: Rule) -> str:
    if rule.review.status == "draft":
        return "**Unsigned draft: no clinician has signed it.**"
    by, on = rule.review.checked_by or "not named", rule.review.reviewed_on or "date not given"
    return f"Status: {kebab(rule.review.status)}; checked by {by} on {on}."


def _services(rule: Rule, services: Sequence[Service]) -> list[str]:
    rows = [
        (markdown(service.title), HOOKS.get(service.hook, kebab(service.hook)), MODES[use.mode])
        for service in services
        for use in service.rules
        if use.rule is rule
    ]
    return [table(("Service", "Runs when", "Unless a site changes it"), rows)]


def _all(criteria: Sequence[Criterion]) -> list[str]:
    return ["\n".join(line for each in criteria for line in outline(each)) or "No further condition."]


def _unless(rule: Rule) -> list[str]:
    silent = [line for each in (*rule.exclusions, *rule.suppressions) for line in outline(each)]
    if about_orders(rule):
        silent.append("- The order stops or cancels the treatment, or says that it must not be given")
    if not silent:
        return ["Nothing else keeps it silent."]
    return ["The rule stays silent when one of these holds.", "\n".join(silent)]


def _tier(number: int, tier: Tier, rule: Rule, content: Content) -> list[str]:
    earlier = rule.tiers[:number]
    blocks = [
        f"### {number + 1}. {INDICATORS[tier.indicator]}",
        "Shown when:" if number == 0 else "Else, shown when:",
        "\n".join(outline(tier.when)),
        f"> **{markdown(filled(tier.summary, rule, content.fills))}**",
        f"At most {longest(tier.summary, content)} of {SUMMARY_LIMIT} characters.",
    ]
    for title, lines, before in (
        ("To consider", tier.consider, [each.consider for each in earlier]),
        ("Why", tier.why, [each.why for each in earlier]),
        ("Exceptions", tier.exceptions, [each.exceptions for each in earlier]),
        ("At the end", tier.closing, [each.closing for each in earlier]),
    ):
        if lines and lines in before:
            blocks.append(f"{title}: the same lines as under {before.index(lines) + 1}.")
        else:
            blocks += _lines(title, lines, rule, content)
    return [*blocks, _suggestions(tier, rule, content)]


def _suggestions(tier: Tier, rule: Rule, content: Content) -> str:
    catalogue = {entry.key: entry.words for entry in content.catalogue}
    every = [markdown(suggestion_words(each, rule, content.fills, catalogue)) for each in tier.suggestions]
    if tier.forbids_delete:
        every.append("Removing the order is never offered, whatever other rules say")
    return (
        f"Suggestions, each taken up only if somebody chooses it:\n\n{bullets(every)}"
        if every
        else "No suggestion."
    )


def _lines(title: str, lines: Sequence[Line], rule: Rule, content: Content) -> list[str]:
    return [f"{title}:\n\n{bullets(_line(each, rule, content) for each in lines)}"] if lines else []


def _line(line: Line, rule: Rule, content: Content) -> str:
    text = markdown(filled(line.text, rule, content.fills))
    return f"{text} (only when: {markdown(line.when.text)})" if line.when is not None else text


def _common(rule: Rule, content: Content) -> list[str]:
    return _lines("Every card of this rule also says", rule.common_detail, rule, content)


def _unknown(rule: Rule, content: Content) -> list[str]:
    text = rule.when_unknown
    shown = f"> **{markdown(filled(text.summary, rule, content.fills))}**"
    lines = _lines("With these lines", text.detail, rule, content)
    if rule.gap_card:
        before = (
            "Something needed is missing or not readable: the service says so, with urgency “Information”."
        )
        return [before, shown, *lines]
    before = "Something needed is missing or not readable: this is recorded, and no card of its own is shown."
    return [before, f"On another card for the same order it can appear as:\n\n{shown}", *lines]


def _evidence(rule: Rule) -> list[str]:
    rows = []
    for cites in rule.evidence:
        source = cites.citation
        known = TAGS.get(source.tag, source.tag)
        rows.append((source.key, markdown(source.label), markdown(cites.says), known))
    grades = (
        f"Strength of the recommendation: **{kebab(rule.strength)}**. Certainty of the evidence: "
        f"**{kebab(rule.certainty)}**. Source named on the card: {markdown(rule.source_label)}."
    )
    return [grades, table(("No.", "Source", "What it supports", "How it is known"), rows)]


def _thresholds(rule: Rule) -> list[str]:
    rows = [
        (each.id, markdown(each.text), markdown(each.at_equality), markdown(each.source))
        for each in rule.thresholds
    ]
    return [
        table(("Name", "Value", "At equality", "Source"), rows) if rows else "The rule compares no number."
    ]


def _overrides(rule: Rule) -> list[str]:
    reasons = [
        f"{markdown(each.display)} (recorded as: {kebab(each.code)})" for each in rule.override_reasons
    ]
    return [bullets(reasons) or "None; the card is dismissed."]


def _data(rule: Rule, services: Sequence[Service]) -> list[str]:
    templates = {
        each.key: each for s in services if any(use.rule is rule for use in s.rules) for each in s.prefetch
    }
    words = []
    for key in rule.data_required:
        template = templates.get(key)
        what = RESOURCES.get(template.resource_type, key) if template else key
        words.append(f"{capital(kebab(key))}: {what}" if what != key else capital(kebab(key)))
    return [bullets(words) or "Nothing beyond the order."]


def _cases(rule: Rule, cases: Cases) -> list[str]:
    rows = [
        (stem, markdown(case.why), kebab(str(case.outcome(rule)))) for stem, case in sorted(cases.about(rule))
    ]
    return [table(("Case", "Why it is there", "This rule"), rows) if rows else "None yet."]


def _limits(rule: Rule, content: Content, services: Sequence[Service]) -> list[str]:
    modes = {use.mode for service in services for use in service.rules if use.rule is rule}
    limits = [_ONLY_LISTED]
    if named := by_name_only(rule, content):
        limits.append(f"Recognised by written name only: {markdown('; '.join(sorted(named)))}.")
    if weak := [each for each in rule.evidence if each.citation.tag != "read"]:
        labels = "; ".join(markdown(each.citation.label) for each in weak)
        limits.append(f"Not read in the original: {labels}.")
    if own := [each for each in rule.thresholds if "our proposal" in each.source or "memory" in each.source]:
        limits.append(f"Thresholds without a published source: {', '.join(markdown(e.text) for e in own)}.")
    if rule.review.status == "draft":
        limits.append("It has not been validated clinically.")
    if Mode.SHADOW in modes:
        limits.append("It runs in shadow until a site has looked at how often it would fire.")
    if rule.line_only:
        limits.append("Whenever another rule has a card for the same order, this one is only a line of it.")
    if rule.once_per_response:
        limits.append("It is shown once, even if several orders are signed together.")
    return [bullets(limits)]


def _review(rule: Rule) -> list[str]:
    review = rule.review
    rows = [
        ("Status", "draft, unsigned" if review.status == "draft" else kebab(review.status)),
        ("Written by", review.authored_by),
        ("Checked by", review.checked_by or "nobody yet"),
        ("Reviewed on", str(review.reviewed_on or "not yet")),
        ("Next review", str(review.next_review or "not set")),
        ("Content hash", rule_hash(rule)),
    ]
    how = (
        "How a site signs: a named clinician reads this page and the cases, and the site adds an entry to its approvals "
        f"file with the rule ({rule.id}), its version ({rule.version}), the content hash above, who approved it and "
        "when. Until then the rule shows no card in production. The hash covers the texts, thresholds, conditions and "
        "code lists: if any of them changes, so does the hash, and the approval no longer counts. Written names, "
        "look-alikes and the wording of values inside the lines belong to the version of the content package."
    )
    return [table(("", ""), rows), how]
