"""What every card of the order rules 10 to 23 has in common: lengths, reasons, modes, no delete, no forbidden words."""

from datetime import UTC, datetime

import pytest
from support.facts import (
    SNOMED,
    albumin,
    calcium,
    condition,
    dose,
    facts,
    lab,
    medicine,
    phosphate,
    pth,
    service_request,
)
from support.judging import longest

from cds_service.compose import View, compose
from cds_service.fhir.write import order_template
from cds_service.rules.criteria import OrderingProcedure
from cds_service.rules.evaluate import evaluate
from cds_service.rules.rule import Mode
from cds_service.rules.suggestions import RemoveDraft
from cds_service.rules.text import SUMMARY_LIMIT
from hooks.background import BACKGROUND
from hooks.content import CATALOGUE
from hooks.evidence import CITATIONS
from hooks.override_reasons import CODES
from hooks.services import ORDER_SELECT, ORDER_SIGN

MINE = {10, 12, 13, 14, 15, 16, 17, 18, 19, 20, 23}
USES = [use for use in ORDER_SIGN.rules if use.rule.number in MINE]
RULES = [pytest.param(use.rule, id=use.rule.id) for use in USES]

CALCIPHYLAXIS = condition(
    "237900002",
    SNOMED,
    display="Calciphylaxis (disorder)",
    verification="confirmed",
    recordedDate="2026-09-02",
)
DIALYSIS = condition("Z99.2", display="Dependence on renal dialysis", recordedDate="2024-03-02")
LABS = [
    calcium(8.6, low=8.7, high=10.3),
    phosphate(5.9),
    albumin(2.9),
    pth(620, high=65),
    lab("1995-0", 1.02, "mmol/L", low=1.12, high=1.32),
    lab("6768-6", 140, "U/L"),
    lab("62292-8", 22, "ng/mL"),
    lab("1963-8", 16, "mmol/L"),
    lab("1863-0", 22, "mmol/L"),
    lab("2951-2", 146, "mmol/L"),
    lab("33914-3", 8, "mL/min/{1.73_m2}"),
]
MEDICINES = [medicine("warfarin 5 mg"), medicine("methadone 5 mg"), medicine("prednisone 5 mg", route="oral")]
SUPPLY = {"expectedSupplyDuration": {"value": 30, "unit": "days"}}
ORDERS = {
    10: service_request("312968005", SNOMED),
    12: medicine("insulin glargine", route="subcutaneous"),
    13: medicine("teriparatide"),
    14: medicine("morphine 10 mg", dosageInstruction=[dose(10, per_day=4)]),
    15: medicine("gabapentin", dosageInstruction=[dose(600, per_day=3)]),
    16: medicine("sodium thiosulfate 25 g", route="intravenous"),
    17: medicine("cinacalcet 30 mg"),
    18: medicine("denosumab 60 mg"),
    19: medicine("prednisone 40 mg", route="oral", dispenseRequest=SUPPLY),
    20: service_request("53304009", SNOMED),
    23: service_request(text="Femoral popliteal bypass"),
}


def a_card(rule, units="conventional"):
    """The card of one rule for a patient with everything on record, as a client gets it."""
    chart = facts(
        drafts=[ORDERS[rule.number]],
        hook="order-sign",
        conditions=[CALCIPHYLAXIS, DIALYSIS],
        labs=LABS,
        medications=MEDICINES,
        units=units,
    )
    templates = {
        entry.key: order_template(
            entry.coding.system, entry.coding.code, entry.words, laboratory=entry.laboratory
        )
        for entry in CATALOGUE
        if entry.coding
    }
    view = View(
        service=ORDER_SIGN,
        catalogue={entry.key: entry for entry in CATALOGUE},
        templates=templates,
        selection_behavior="any",
        markdown=True,
        gap_card=True,
        evidence_url=None,
        draft_banner=True,
    )
    outcome = evaluate(rule, chart, Mode.LIVE)
    assert outcome.result == "fires"
    now = datetime(2026, 11, 15, tzinfo=UTC)
    return compose([outcome], chart, view, patient_id="p1", encounter_id=None, authored_on=now)[0].card


def test_all_eleven_rules_are_on_order_sign_with_their_default_modes():
    assert {use.rule.number for use in USES} == MINE
    assert {use.rule.number for use in USES if use.mode is Mode.SHADOW} == {13, 17, 18}
    selected = {use.rule.number: use.mode for use in ORDER_SELECT.rules}
    assert {selected[number] for number in MINE} == {Mode.OFF}
    assert {use.rule.number for use in USES if not use.rule.gap_card} == {12, 19}


@pytest.mark.parametrize("rule", RULES)
def test_summaries_fit_with_the_longest_fills(rule):
    for text in (*(tier.summary for tier in rule.tiers), rule.when_unknown.summary):
        assert longest(text) <= SUMMARY_LIMIT, text


@pytest.mark.parametrize("units", ["conventional", "SI"])
@pytest.mark.parametrize("rule", RULES)
def test_no_line_of_a_full_card_has_to_give_way(rule, units):
    card = a_card(rule, units)
    assert len(card.detail) <= ORDER_SIGN.detail_limit
    assert "More on this rule" not in card.detail
    assert len(card.summary) <= SUMMARY_LIMIT


@pytest.mark.parametrize("rule", RULES)
def test_no_card_can_delete_or_tick_a_medicine(rule):
    for tier in rule.tiers:
        assert tier.forbids_delete
        assert not any(isinstance(each, RemoveDraft) for each in tier.suggestions)
    for suggestion in a_card(rule).suggestions or ():
        assert [action.type for action in suggestion.actions] == ["create"]


@pytest.mark.parametrize("rule", RULES)
def test_override_reasons_are_known_and_used_once(rule):
    codes = [reason.code for reason in rule.override_reasons]
    assert len(codes) == len(set(codes)) <= 6
    assert set(codes) <= CODES


def test_only_procedure_rules_name_the_order_instead_of_a_drug():
    for use in USES:
        procedure = isinstance(use.rule.trigger, OrderingProcedure)
        texts = " ".join(tier.summary for tier in use.rule.tiers) + use.rule.when_unknown.summary
        assert not (procedure and "{drug}" in texts)
        assert procedure or "{order}" not in texts


# --- sources and background -------------------------------------------------------------------


def test_every_source_of_the_clinical_document_is_there_once():
    keys = [citation.key for citation in CITATIONS]
    assert len(keys) == len(set(keys))
    assert set(keys) == {f"E{number}" for number in range(1, 71)} | {"E23b", "E39b", "E39c"}
    assert {citation.tag for citation in CITATIONS} == {"read", "secondary", "memory"}


def test_every_background_statement_has_an_entry():
    named = [statement for entry in BACKGROUND for statement in entry.statements]
    wanted = "1 2 5 6 9 16 17 18 19 22 24 35 36 58 61 63 65 66 68 74 77 79 81 82 84 86 87 88 92 93 94 95"
    assert sorted(named) == sorted(f"S{number}" for number in wanted.split())
    for entry in BACKGROUND:
        assert entry.text.endswith(".")
        assert entry.position.endswith(".")
        assert set(entry.citations) <= set(CITATIONS)
