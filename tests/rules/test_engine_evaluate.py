"""One rule, one order: fires, clear, cannot-assess, suppressed, not-triggered. Modes."""

from dataclasses import replace

import pytest
from support.answers import MAYBE, NO, OPTIONAL, YES
from support.facts import facts, medicine, service_request

from cds_service.rules.criteria import Always, OpeningChart, Ordering, OrderingProcedure
from cds_service.rules.evaluate import Result, evaluate, stopping, triggered
from cds_service.rules.modes import mode_of
from cds_service.rules.rule import Indicator, Mode, Tier
from cds_service.rules.service import RuleUse
from hooks import valuesets as vs
from hooks.rules.vka_dialysis import RULE
from hooks.services import ORDER_SELECT, ORDER_SIGN

CALL = facts(drafts=[medicine("warfarin")], hook="order-sign")


def tier(when, indicator=Indicator.INFO, **fields):
    return Tier(indicator, when, "summary", **fields)


def rule(**parts):
    bare = {
        "population": (),
        "criteria": (),
        "exclusions": (),
        "suppressions": (),
        "tiers": (tier(Always()),),
    }
    return replace(RULE, trigger=Ordering((vs.VITAMIN_K_ANTAGONISTS,)), **(bare | parts))


def judged(call=CALL, **parts):
    return evaluate(rule(**parts), call, Mode.LIVE)


@pytest.mark.parametrize(
    ("parts", "result"),
    [
        ({}, "fires"),
        ({"population": (YES,), "criteria": (YES,)}, "fires"),
        ({"population": (NO,)}, "clear"),
        ({"criteria": (YES, NO)}, "clear"),
        ({"criteria": (MAYBE, NO)}, "clear"),
        ({"criteria": (MAYBE,)}, "cannot-assess"),
        ({"population": (OPTIONAL,)}, "cannot-assess"),  # optional or not: a criterion must be known
        ({"exclusions": (NO,)}, "fires"),
        ({"exclusions": (YES,)}, "clear"),
        ({"exclusions": (MAYBE, YES)}, "clear"),
        ({"criteria": (MAYBE,), "exclusions": (YES,)}, "clear"),
        ({"exclusions": (MAYBE,)}, "cannot-assess"),
        ({"exclusions": (OPTIONAL,)}, "fires"),
        ({"suppressions": (NO,)}, "fires"),
        ({"suppressions": (YES,)}, "suppressed"),
        ({"suppressions": (MAYBE,)}, "cannot-assess"),
        ({"suppressions": (OPTIONAL,)}, "fires"),
        ({"tiers": ()}, "clear"),
        ({"tiers": (tier(NO), tier(NO))}, "clear"),
        ({"tiers": (tier(MAYBE), tier(NO))}, "cannot-assess"),
        ({"tiers": (tier(MAYBE), tier(YES))}, "fires"),
        ({"tiers": (tier(NO),), "suppressions": (YES,)}, "clear"),
        ({"trigger": Ordering((vs.CALCITRIOL,))}, "not-triggered"),
        ({"trigger": OpeningChart()}, "not-triggered"),
    ],
)
def test_outcomes(parts, result):
    trigger = parts.pop("trigger", None)
    one = rule(**parts)
    outcome = evaluate(replace(one, trigger=trigger) if trigger else one, CALL, Mode.LIVE)
    assert outcome.result.value == result
    assert (outcome.tier is not None) is (result == "fires")


def test_the_first_tier_that_is_met_is_shown():
    tiers = (tier(NO, Indicator.CRITICAL), tier(YES, Indicator.WARNING), tier(YES, Indicator.INFO))
    outcome = judged(tiers=tiers)
    assert outcome.indicator is Indicator.WARNING
    assert judged(tiers=(tier(NO, Indicator.CRITICAL),)).indicator is Indicator.INFO


def test_every_answer_is_in_the_findings():
    outcome = judged(
        population=(YES,), criteria=(YES,), exclusions=(NO,), tiers=(tier(NO), tier(YES)), suppressions=(NO,)
    )
    assert [str(finding.answer) for finding in outcome.findings] == [
        *("met", "met", "not met", "not met", "met", "not met")
    ]


def test_what_could_not_be_checked_is_named_once_and_forbids_a_delete():
    outcome = judged(exclusions=(OPTIONAL,), suppressions=(OPTIONAL,), tiers=(tier(MAYBE), tier(YES)))
    assert outcome.not_checked == ("optional", "maybe")
    assert outcome.forbids_delete
    assert not judged().forbids_delete
    assert judged(tiers=(tier(YES, forbids_delete=True),)).forbids_delete
    assert not judged(criteria=(NO,)).forbids_delete


@pytest.mark.parametrize("status", ["cancelled", "stopped", "completed", "entered-in-error"])
def test_F24_an_order_that_ends_treatment_is_suppressed(status):
    call = facts(drafts=[medicine("warfarin", status=status)], hook="order-sign")
    outcome = judged(call)
    assert (outcome.result, outcome.findings[0].because) == (
        Result.SUPPRESSED,
        "the order ends or forbids the treatment",
    )
    assert not triggered(rule(), call.order)


@pytest.mark.parametrize(
    ("draft", "stops"),
    [
        (medicine("warfarin"), False),
        (medicine("warfarin", doNotPerform=True), True),
        (service_request(text="skin biopsy", status="draft"), False),
        (service_request(text="skin biopsy", status="revoked"), True),
        (service_request(text="skin biopsy", status="entered-in-error"), True),
        (service_request(text="skin biopsy", status="draft", doNotPerform=True), True),
    ],
)
def test_F24_which_orders_are_stops(draft, stops):
    order = facts(drafts=[draft], hook="order-sign").order
    assert stopping(order) is stops
    either = replace(RULE, trigger=OrderingProcedure((vs.SKIN_BIOPSY,)))
    assert triggered(either, order) is (order.procedure is not None and not stops)


def test_the_patient_is_no_order_that_could_be_stopped():
    assert not stopping(None)
    chart = replace(rule(), trigger=OpeningChart())
    assert evaluate(chart, facts(), Mode.LIVE).result is Result.FIRES


def test_the_mode_is_kept():
    assert evaluate(rule(), CALL, Mode.SHADOW).mode is Mode.SHADOW


# --- modes --------------------------------------------------------------------------------------------

LIVE, SHADOW, OFF = Mode.LIVE, Mode.SHADOW, Mode.OFF


@pytest.mark.parametrize(
    ("default", "site", "client", "expected"),
    [
        (LIVE, {}, {}, LIVE),
        (SHADOW, {}, {}, SHADOW),
        (OFF, {}, {}, OFF),
        (LIVE, {"vka-dialysis": "shadow"}, {}, SHADOW),
        (LIVE, {"other-rule": "shadow"}, {}, LIVE),
        (LIVE, {"vka-dialysis": "shadow"}, {"vka-dialysis": "live"}, LIVE),
        (LIVE, {"vka-dialysis@calciphylaxis-order-sign": "off", "vka-dialysis": "live"}, {}, OFF),
        (LIVE, {"vka-dialysis@calciphylaxis-order-select": "off"}, {}, LIVE),
        (SHADOW, {"*": "live"}, {}, LIVE),
        (OFF, {"*": "live"}, {}, OFF),
        (OFF, {"vka-dialysis": "live"}, {}, LIVE),
        (LIVE, {"*": "shadow", "vka-dialysis": "live"}, {}, LIVE),
        (LIVE, {"vka-dialysis": "live"}, {"*": "shadow"}, SHADOW),
        (LIVE, {"vka-dialysis": "off"}, {"*": "live"}, OFF),
    ],
)
def test_client_beats_site_beats_default(default, site, client, expected):
    assert mode_of(RuleUse(RULE, default), ORDER_SIGN, site, client, approved=True) is expected


@pytest.mark.parametrize(("mode", "expected"), [(LIVE, SHADOW), (SHADOW, SHADOW), (OFF, OFF)])
def test_without_an_approval_a_rule_runs_in_shadow_at_most(mode, expected):
    assert mode_of(RuleUse(RULE, mode), ORDER_SELECT, {}, {}, approved=False) is expected


def test_urgency_is_ordered():
    ranked = sorted(Indicator, key=lambda indicator: indicator.rank)
    assert [item.value for item in ranked] == ["info", "warning", "critical"]
