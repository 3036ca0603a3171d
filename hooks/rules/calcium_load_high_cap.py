"""Oral calcium ordered on dialysis while calcium or Ca x P is high, or the daily amount is large."""

from cds_service.api import AnyOf, CardText, Cites, Indicator, Line, RemoveDraft, Rule, Tier
from hooks import evidence as ev
from hooks import override_reasons as why
from hooks.case_features.calcium import CalciumOnlyAfterCorrection, HighCalcium, LowCalcium
from hooks.case_features.exposure import AfterParathyroidectomy, CalciumCoversLowering, ManyBinders
from hooks.case_features.product import HIGH_PRODUCT, VERY_HIGH_PRODUCT_FULL
from hooks.case_features.pth import PthLowTwice
from hooks.rules.common import (
    BY_NAME_LINE,
    DIALYSIS_LINE,
    ON_DIALYSIS,
    ORDER_IONISED_CALCIUM,
    ORDERING_ORAL_CALCIUM,
    RECHECK_LABS,
    REFER_NEPHROLOGY,
)
from hooks.thresholds import T1, T2, T3, T4, T7_ABSOLUTE, T10

_CONSIDER = (
    Line(
        "Options: reduce the calcium, or another class of binder (sevelamer, lanthanum, iron-based), dietitian "
        "review, dialysate calcium and adequacy review. Look for other causes of hypercalcaemia (primary "
        "hyperparathyroidism, sarcoidosis, milk-alkali, vitamin D excess)."
    ),
)
_WHY = (
    Line("{calcium_line}"),
    Line("{phosphate_line}"),
    Line("{product_line}"),
    Line("{trend_line}"),
    Line("{elemental_lines}"),
    Line("{pth_line}"),
    Line("Vascular calcification on record: {vascular_calcification}"),
    Line("{digoxin} on the medication list: hypercalcaemia raises the risk of arrhythmia"),
    DIALYSIS_LINE,
    BY_NAME_LINE,
)

RULE = Rule(
    id="calcium-load-high-cap",
    number=5,
    version="1.0.0",
    title="Oral calcium with high calcium or Ca x P",
    trigger=ORDERING_ORAL_CALCIUM,
    population=ON_DIALYSIS,
    criteria=(),
    exclusions=(LowCalcium(), CalciumCoversLowering()),
    suppressions=(AfterParathyroidectomy(),),
    tiers=(
        Tier(
            indicator=Indicator.WARNING,
            when=AnyOf((HighCalcium(full=True), VERY_HIGH_PRODUCT_FULL)),
            summary="{drug}: {trigger} on {date}. KDOQI: reduce or switch to a non-calcium binder.",
            consider=_CONSIDER,
            why=_WHY,
            suggestions=(RemoveDraft("Remove this {drug} order"), *RECHECK_LABS, REFER_NEPHROLOGY),
        ),
        Tier(
            indicator=Indicator.INFO,
            when=AnyOf((HIGH_PRODUCT, CalciumOnlyAfterCorrection(), ManyBinders(), PthLowTwice())),
            summary="{drug}: {binder_trigger}. KDIGO 2017: restrict calcium-based binders on dialysis.",
            consider=_CONSIDER,
            why=_WHY,
            suggestions=(ORDER_IONISED_CALCIUM, *RECHECK_LABS, REFER_NEPHROLOGY),
        ),
    ),
    when_unknown=CardText(
        summary="{drug}: calcium, phosphate or dialysis status could not be fully checked. See what is missing.",
        detail=(
            Line("{calcium_line}"),
            Line("{phosphate_line}"),
            Line("{product_line}"),
            Line("{elemental_lines}"),
        ),
    ),
    override_reasons=(
        why.contraindicated("Hypocalcaemia (hungry bone, cinacalcet or denosumab)"),
        why.unavailable("Non-calcium binder not tolerated or available"),
        why.ineligible("Not used as a binder (taken away from meals)"),
        why.done("Dose reduced"),
    ),
    evidence=(
        Cites(ev.E20, "Corrected calcium above 10.2 mg/dL: reduce calcium binders; Ca x P goal below 55"),
        Cites(ev.E22, "Restrict the dose of calcium-based binders in CKD G3a-G5D"),
        Cites(
            ev.E23B,
            "No calcium-based binder with PTH below 150 pg/mL on two consecutive values; binder limits",
        ),
        Cites(ev.E25, "Calcium acetate label: keep Ca x P below 55; 667 mg holds 169 mg elemental calcium"),
        Cites(ev.E7, "Ca x P above 70 mg2/dL2 as a risk factor, 49 dialysis cases and 98 controls"),
        Cites(ev.E10, "Oral calcium: odds ratio 1.029 per g a month, p 0.056"),
    ),
    thresholds=tuple(item.threshold for item in (T1, T2, T3, T4, T7_ABSOLUTE, T10)),
    data_required=("patient", "conditions", "labs", "medications"),
    source_label="KDOQI 2003, KDIGO 2017",
    strength="moderate",
    certainty="low",
)
