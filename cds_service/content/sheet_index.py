"""The index of the review sheets."""

from __future__ import annotations

from collections.abc import Sequence

from cds_service.content.words import HOOKS, INDICATORS, count, kebab, markdown, table
from cds_service.rules.rule import Mode, Rule
from cds_service.rules.service import Service


def index_page(rules: Sequence[Rule], services: Sequence[Service]) -> str:
    rows = []
    for rule in rules:
        uses = [(service, use) for service in services for use in service.rules if use.rule is rule]
        live = [HOOKS.get(service.hook, service.hook) for service, use in uses if use.mode is not Mode.OFF]
        modes = dict.fromkeys(use.mode for _, use in uses if use.mode is not Mode.OFF)
        indicators = dict.fromkeys(INDICATORS[tier.indicator] for tier in rule.tiers)
        rows.append(
            (
                str(rule.number),
                f"[{markdown(rule.title)}]({rule.id}.md)",
                "; ".join(live) or "nowhere by default",
                ", ".join(indicators),
                ", ".join(str(mode.value) for mode in modes) or "off",
                kebab(rule.strength),
                kebab(rule.certainty),
                rule.version,
                "unsigned draft" if rule.review.status == "draft" else kebab(rule.review.status),
            )
        )
    head = ("No.", "Rule", "Runs when", "Urgency", "Mode", "Strength", "Certainty", "Version", "Review")
    signed = sum(rule.review.status != "draft" for rule in rules)
    intro = (
        f"{count(len(rules), 'rule')}, {signed} of them signed by a clinician. Each has a sheet that says, in words, "
        "what it looks for, what it shows and why. The pages are generated from the rules; to change one, change the "
        "rule and write the sheets again."
    )
    blocks = ["# Rules", intro, table(head, rows), *_bounds(services)]
    return "\n\n".join(blocks) + "\n"


def _bounds(services: Sequence[Service]) -> list[str]:
    bounds = {name: ends for service in services for name, ends in service.content.site_bounds.items()}
    rows = [(markdown(name), least, most) for name, (least, most) in sorted(bounds.items())]
    if not rows:
        return []
    return ["## Thresholds that a site may change", table(("Setting", "Least", "Greatest"), rows)]
