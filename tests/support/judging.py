"""One rule judged on Facts, and its card text rendered the way a card has it."""

from dataclasses import dataclass

from cds_service.rules.answer import Answer
from cds_service.rules.evaluate import Outcome, evaluate
from cds_service.rules.rule import Mode
from cds_service.rules.text import Writer, parts
from hooks.fills import FILLS


@dataclass
class Verdict:
    """What the rule said; texts are '' or empty when it does not fire."""

    outcome: Outcome
    result: str
    tier: str
    summary: str
    detail: str
    offered: list[str]


def judge(rule, facts):
    """Judge the order in focus. `tier` is the indicator with the branch word: `info`, `infoInsulin`."""
    outcome = evaluate(rule, facts, Mode.LIVE)
    tier = outcome.tier
    if tier is None:
        return Verdict(outcome, outcome.result.value, "", "", "", [])
    writer = Writer(FILLS, facts, markdown=False)
    rows = [
        row
        for line in (*tier.consider, *tier.why, *tier.exceptions, *tier.closing)
        for row in writer.lines(line)
    ]
    offered = [
        getattr(each, "key", "remove")
        for each in tier.suggestions
        if each.when is None or each.when.evaluate(facts).answer is Answer.MET
    ]
    return Verdict(
        outcome,
        outcome.result.value,
        tier.indicator.value + tier.branch,
        writer.summary(tier.summary),
        "\n".join((*rows, *map(str, outcome.not_checked))),
        offered,
    )


def longest(template):
    """Length of a summary when every fill is as long as it may be."""
    pieces = parts(template)
    return sum(len(piece) for piece in pieces[::2]) + sum(FILLS[name].limit for name in pieces[1::2])
