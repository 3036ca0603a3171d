"""Elemental calcium a day (T10), dose reductions, and states in which calcium must not be withheld."""

from decimal import Decimal

import pytest
from support.facts import (
    albumin,
    calcium,
    dose,
    facts,
    lab,
    medicine,
    procedure,
    service_request,
)

from cds_service.rules.answer import Answer
from hooks.case_features.exposure import (
    AfterParathyroidectomy,
    CalciumCoversLowering,
    CalciumKnownNotLow,
    ManyBinders,
    MayTreatHypocalcaemia,
    OperatedCalciumUnknown,
    ReducesDose,
    calcium_load,
)

MET, NOT_MET, UNKNOWN = Answer.MET, Answer.NOT_MET, Answer.UNKNOWN
ACETATE, CARBONATE = "197433", "1099878"  # 667 MG, 1625 MG tablets
COMBINATION = "1001691"
OPERATION = "53304009"


def acetate(tablets, times=3, **fields):
    return medicine(rxnorm=ACETATE, dosageInstruction=[dose(tablets, "tablet", times)], **fields)


def carbonate(mg, times=1, **fields):
    return medicine(rxnorm=CARBONATE, dosageInstruction=[dose(mg, "mg", times)], **fields)


def load(*listed, drafts=(), **lists):
    hook = "order-sign" if drafts else "patient-view"
    return calcium_load(facts(medications=listed, drafts=drafts, hook=hook, **lists))


# --- elemental calcium --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "line"),
    [
        (acetate(2), "calcium acetate 2 x 667 mg x 3/day = 1,014 mg elemental calcium/day"),
        (acetate(4), "calcium acetate 4 x 667 mg x 3/day = 2,028 mg elemental calcium/day"),
        (carbonate(1250, 3), "calcium carbonate 1,250 mg x 3/day = 1,500 mg elemental calcium/day"),
        (
            medicine(rxnorm=CARBONATE, dosageInstruction=[dose(1, "tablet")]),
            "calcium carbonate 1 x 1,625 mg x 1/day = 650 mg elemental calcium/day",
        ),
    ],
)
def test_the_arithmetic_line_by_line(one, line):
    assert load(one).lines == (line,)
    assert load(drafts=[one]).lines == (line,)


@pytest.mark.parametrize(
    ("one", "unreadable"),
    [
        (medicine(rxnorm=ACETATE, dosageInstruction=[{"text": "2 tablets with meals"}]), False),
        (medicine(rxnorm=ACETATE), False),
        (medicine(rxnorm=ACETATE, dosageInstruction=[dose(10, "mL")]), True),
        (medicine(rxnorm=COMBINATION, dosageInstruction=[dose(1, "tablet")]), True),
        (medicine("calcium citrate", dosageInstruction=[dose(500)]), True),
    ],
)
def test_a_dose_that_cannot_be_worked_out_is_named(one, unreadable):
    found = load(one)
    assert (found.total, found.lines, len(found.not_computable)) == (0, (), 1)
    assert found.given_but_unreadable is unreadable


@pytest.mark.parametrize(
    ("listed", "counted"),
    [
        ([acetate(2)], 1),
        ([acetate(2), carbonate(500)], 2),
        ([acetate(2, status="on-hold")], 0),
        ([acetate(2, status="stopped")], 0),
        ([medicine("calcium gluconate", route="IV")], 0),
        ([medicine("calcium carbonate", route="topical")], 0),
        ([medicine("calcium polystyrene sulfonate")], 0),
        ([medicine("sevelamer")], 0),
    ],
)
def test_which_medicines_count(listed, counted):
    found = load(*listed)
    assert len(found.lines) + len(found.not_computable) == counted


def test_a_draft_replaces_the_active_order_of_the_same_drug():
    assert round(load(acetate(2), acetate(1)).total) == 1521  # two active orders of one drug add up
    assert load(acetate(4), drafts=[acetate(2, id="new")]).total == Decimal(4002) * 169 / 667
    assert len(load(carbonate(500), drafts=[acetate(2, id="new")]).lines) == 2


def test_all_drafts_of_the_session_count_together():
    drafts = [acetate(2, id="a"), carbonate(1500, id="c"), medicine("warfarin", id="w"), service_request("x")]
    call = facts(drafts=drafts, hook="order-sign")
    assert [round(calcium_load(call.about(order)).total) for order in call.orders[:2]] == [1614, 1614]
    stopped = load(drafts=[acetate(2), carbonate(1500, status="cancelled")])
    assert round(stopped.total) == 1014
    # For the factor table nobody's draft is current use.
    assert calcium_load(call.about(None)).total == 0


def binders(*listed, **more):
    hook = "order-sign" if more.get("drafts") else "patient-view"
    return ManyBinders().evaluate(facts(medications=listed, hook=hook, **more))


@pytest.mark.parametrize(
    ("listed", "answer"),
    [
        ([carbonate(3750)], NOT_MET),  # 1,500 exactly
        ([carbonate("3750.1")], MET),
        ([acetate(3)], MET),  # 1,521
        ([acetate(2)], NOT_MET),
        ([acetate(2), carbonate(1250)], MET),  # 1,514
        ([acetate(2), carbonate(1200)], NOT_MET),  # 1,494
        ([], NOT_MET),
        ([medicine(rxnorm=ACETATE, dosageInstruction=[{"text": "with meals"}])], NOT_MET),
        ([acetate(2), medicine(rxnorm=ACETATE, dosageInstruction=[dose(9, "mL")])], UNKNOWN),
        ([acetate(3), medicine(rxnorm=ACETATE, dosageInstruction=[dose(9, "mL")])], MET),
    ],
)
def test_T10(listed, answer):
    assert binders(*listed).answer is answer


def test_T10_when_the_list_is_not_whole():
    for how in ("unreadable", "incomplete"):
        found = binders(drafts=[acetate(2)], **{how: ["medications"]})
        assert (found.answer, str(found.because).rpartition("; ")[2]) == (
            UNKNOWN,
            "current medicines not readable",
        )
        assert binders(drafts=[acetate(3)], **{how: ["medications"]}).answer is MET


def test_T10_in_words_and_by_the_site():
    assert binders().because == "no oral calcium"
    assert binders(medicine(rxnorm=ACETATE)).because == "calcium acetate: dose not computable"
    assert binders(acetate(2), site={"binder_calcium_mg": "1000"}).answer is MET


# --- dose reduction -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("draft", "listed", "answer"),
    [
        (acetate(1), [acetate(2)], MET),
        (acetate(2), [acetate(2)], NOT_MET),
        (acetate(3), [acetate(2)], NOT_MET),
        (acetate(1), [], NOT_MET),
        (acetate(1), [acetate(2, status="stopped")], NOT_MET),
        (acetate(1), [carbonate(5000)], NOT_MET),
        (acetate(1), [medicine(rxnorm=ACETATE)], NOT_MET),
        (acetate(1), [medicine(rxnorm=ACETATE), acetate(2)], MET),
        (medicine(rxnorm=ACETATE), [acetate(2)], NOT_MET),
        (service_request(text="skin biopsy"), [acetate(2)], NOT_MET),
    ],
)
def test_an_order_that_lowers_the_daily_dose(draft, listed, answer):
    assert (
        ReducesDose().evaluate(facts(drafts=[draft], medications=listed, hook="order-sign")).answer is answer
    )


def test_a_reduction_is_told_with_its_arithmetic():
    call = facts(drafts=[acetate(1)], medications=[acetate(2)], hook="order-sign")
    assert ReducesDose().evaluate(call).because == "2 x 667 mg x 3/day before, now 1 x 667 mg x 3/day"
    assert ReducesDose().evaluate(facts()).answer is NOT_MET
    same = acetate(2, id="m7")
    assert (
        ReducesDose().evaluate(facts(drafts=[same], medications=[same], hook="order-sign")).answer is NOT_MET
    )


# --- after parathyroidectomy, low calcium -------------------------------------------------------------


def mineral(ca, alb=4.2):
    return [calcium(ca), albumin(alb)]


def ion(value):
    return lab("1994-3", value, "mmol/L", low=1.12, high=1.32)


def states(labs, days=None, **more):
    """After parathyroidectomy; may treat hypocalcaemia; operated with calcium unknown; known not low."""
    done = [] if days is None else [procedure(OPERATION, days=days)]
    call = facts(labs=labs, procedures=done, **more)
    criteria = (
        AfterParathyroidectomy(),
        MayTreatHypocalcaemia(),
        OperatedCalciumUnknown(),
        CalciumKnownNotLow(),
    )
    return tuple(str(criterion.evaluate(call).answer) for criterion in criteria)


@pytest.mark.parametrize(
    ("labs", "days", "expected"),
    [
        (mineral(9.2), 90, ("met", "met", "not met", "not met")),
        (mineral(9.2), 91, ("not met", "not met", "not met", "met")),
        (mineral(10.2), 5, ("met", "met", "not met", "not met")),  # 10.2 is not high
        (mineral(10.3), 5, ("not met", "not met", "not met", "not met")),  # over-replacement
        ([*mineral(9.2), ion(1.4)], 5, ("not met", "not met", "not met", "not met")),
        (mineral(8.0), 5, ("met", "met", "not met", "not met")),
        ([], 5, ("unknown", "not met", "met", "not met")),
        ([calcium(8.0)], 5, ("met", "met", "not met", "not met")),
        (mineral(9.2), None, ("not met", "not met", "not met", "met")),
        (mineral(8.4), None, ("not met", "not met", "not met", "met")),  # 8.4 is not low
        (mineral(8.3), None, ("not met", "met", "not met", "not met")),
        ([*mineral(9.2), ion(1.0)], None, ("not met", "met", "not met", "not met")),
        ([calcium(8.0)], None, ("not met", "not met", "not met", "unknown")),
        ([], None, ("not met", "not met", "not met", "unknown")),
    ],
)
def test_when_calcium_may_be_needed(labs, days, expected):
    assert states(labs, days) == expected


def test_when_procedures_are_not_readable():
    unread = states(mineral(9.2), unreadable=["procedures"])
    assert unread == ("unknown", "not met", "not met", "unknown")
    finding = AfterParathyroidectomy().evaluate(facts(unreadable=["procedures"]))
    assert (finding.because, finding.optional) == ("procedures not readable (parathyroidectomy)", True)
    part = AfterParathyroidectomy().evaluate(facts(incomplete=["procedures"]))
    assert (part.because, part.optional) == ("list of procedures incomplete", True)
    none = AfterParathyroidectomy().evaluate(facts(procedures=[procedure(OPERATION)]))
    assert none.because == "after parathyroidectomy: check calcium before changing"


@pytest.mark.parametrize(
    ("listed", "labs", "answer"),
    [
        ([medicine("cinacalcet")], mineral(8.9), MET),
        ([medicine("denosumab")], mineral(8.9), MET),
        ([medicine("cinacalcet")], mineral(9.0), NOT_MET),  # 9.0 does not suppress
        ([medicine("cinacalcet")], mineral("8.9999999995"), NOT_MET),
        ([medicine("cinacalcet", status="stopped")], mineral(8.9), NOT_MET),
        ([medicine("sevelamer")], mineral(8.9), NOT_MET),
        ([medicine("cinacalcet")], [], UNKNOWN),
        ([medicine("cinacalcet")], [*mineral(8.9), calcium(12, "mg%", days=1)], UNKNOWN),
    ],
)
def test_calcium_beside_a_drug_that_lowers_it(listed, labs, answer):
    finding = CalciumCoversLowering().evaluate(facts(medications=listed, labs=labs))
    assert finding.answer is answer
    assert finding.answer is not UNKNOWN or finding.optional


def test_and_with_the_medication_list_unreadable():
    low = CalciumCoversLowering().evaluate(facts(labs=mineral(8.9), unreadable=["medications"]))
    assert (low.answer, low.optional) == (UNKNOWN, True)
    assert (
        CalciumCoversLowering().evaluate(facts(labs=mineral(9.2), unreadable=["medications"])).answer
        is NOT_MET
    )
