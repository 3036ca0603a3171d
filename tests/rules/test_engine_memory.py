"""Nothing of a call outlives it: what rules work out never holds the facts that hold it."""

import gc

import pytest
from support.facts import albumin, calcium, condition, facts, medicine, minerals, phosphate

from cds_service.facts.model import Facts
from cds_service.rules.evaluate import evaluate
from cds_service.rules.rule import Mode
from hooks.services import SERVICES

ORDERS = {"order-sign": "warfarin", "order-select": "calcitriol", "medication-refill": "calcium acetate"}


def judge_once(service):
    """All rules, and all words a card could have, of one patient."""
    found = facts(
        conditions=[condition("N18.6"), condition("Z99.2"), condition("E11.9")],
        labs=[*minerals(10.8, 6.9), calcium(9, days=70), phosphate(5, days=40), albumin(3, days=70)],
        medications=[medicine("warfarin")],
        drafts=[medicine(ORDERS[service.hook])] if service.hook in ORDERS else [],
        hook=service.hook,
    )
    outcomes = [evaluate(use.rule, found, Mode.LIVE) for use in service.rules]
    words = [fill.make(found) for fill in service.content.fills.values()]
    return len(outcomes) + len(words)


def alive():
    """Facts that somebody still holds; a record that the collector does not look into may be what holds them."""
    return sum(isinstance(each, Facts) for each in gc.get_objects())


@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.hook)
def test_a_call_leaves_nothing_for_the_garbage_collector(service):
    judge_once(service)
    gc.collect()
    gc.disable()
    before = alive()
    try:
        assert judge_once(service)
        assert alive() == before
        assert gc.collect() == 0
    finally:
        gc.enable()
