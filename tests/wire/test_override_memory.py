"""Overriding a mild card never silences a more severe one.

EHRs tie an override to `source.topic.code`, so the severity is part of it. This service itself remembers overrides as
records only: nothing that was overridden is left out of a later answer.
"""

from itertools import combinations

import pytest
from support.casefiles import request_of
from support.live import SIGN

from cds_service.compose import topic_code
from cds_service.registry import load_services

RULES = {use.rule.id: use.rule for service in load_services() for use in service.rules}
LONGEST = 100
"""Characters that Epic takes."""


@pytest.mark.parametrize("rule", RULES.values(), ids=lambda rule: rule.id)
def test_tiers_of_different_severity_have_different_topics(rule):
    topics = [(tier.indicator, topic_code(rule.id, tier.indicator, tier.branch)) for tier in rule.tiers]
    for (indicator, topic), (other_indicator, other_topic) in combinations(topics, 2):
        assert topic != other_topic or indicator is other_indicator
    for topic in (*(topic for _, topic in topics), topic_code(rule.id, rule.tiers[0].indicator, "Gap")):
        assert topic.isalnum()
        assert topic.isascii()
        assert len(topic) <= LONGEST


def test_no_two_rules_share_a_topic():
    owners = {}
    for rule in RULES.values():
        for topic in {topic_code(rule.id, tier.indicator, tier.branch) for tier in rule.tiers}:
            assert owners.setdefault(topic, rule.id) == rule.id


def override(live, card):
    reason = {"reason": {"code": card["overrideReasons"][0]["code"]}}
    item = {"card": card["uuid"], "outcome": "overridden", "overrideReason": reason}
    assert live.post(f"/cds-services/{SIGN}/feedback", {"feedback": [item]}).status_code == 200


def test_after_an_override_the_severe_card_and_the_same_card_still_come(live):
    mild = request_of("vka-dialysis-renewal-plain")
    severe = request_of("vka-dialysis-new-start")
    severe["context"]["userId"] = mild["context"]["userId"]
    (first,) = live.cards(mild)
    override(live, first)
    (second,) = live.cards(severe)
    assert (first["indicator"], second["indicator"]) == ("info", "warning")
    assert first["source"]["topic"]["code"] != second["source"]["topic"]["code"]
    override(live, second)
    (again,) = live.cards(severe)
    assert again["source"]["topic"] == second["source"]["topic"]
    assert again["uuid"] != second["uuid"]
