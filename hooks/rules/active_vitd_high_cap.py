"""Active vitamin D ordered on dialysis while calcium, phosphate or Ca x P is high, or PTH is low."""

from cds_service.api import AnyOf, CardText, Cites, Indicator, Line, RemoveDraft, Rule, Tier
from hooks import evidence as ev
from hooks import override_reasons as why
from hooks.case_features.calcium import CalciumOnlyAfterCorrection, HighCalcium, LowCalcium
from hooks.case_features.exposure import AfterParathyroidectomy, ReducesDose
from hooks.case_features.factors import HIGH_PHOSPHATE
from hooks.case_features.product import HIGH_PRODUCT, VERY_HIGH_PRODUCT_FULL
from hooks.case_features.pth import PthLow
from hooks.rules.common import (
    BY_NAME_LINE,
    DIALYSIS_LINE,
    ON_DIALYSIS,
    ORDER_IONISED_CALCIUM,
    ORDERING_ACTIVE_VITAMIN_D,
    RECHECK_LABS,
    REFER_NEPHROLOGY,
)
from hooks.thresholds import T1, T2, T3, T4, T5, T7

_CONSIDER = (
    Line(
        "Options: reduce or hold active vitamin D, a non-calcium binder, review of dialysate calcium and dialysis "
        "adequacy; a calcimimetic is a nephrology decision. Look for other causes of hypercalcaemia (primary "
        "hyperparathyroidism, sarcoidosis, milk-alkali, vitamin D excess)."
    ),
)
_WHY = (
    Line("{calcium_line}"),
    Line("{phosphate_line}"),
    Line("{product_line}"),
    Line("{trend_line}"),
    Line("{pth_line}"),
    DIALYSIS_LINE,
    Line(
        "Evidence that calcitriol itself causes calciphylaxis is weak (E10 found none); the reason is the mineral load"
    ),
    BY_NAME_LINE,
)
_RECHECK = (*RECHECK_LABS[:2], REFER_NEPHROLOGY)

RULE = Rule(
    id="active-vitd-high-cap",
    number=4,
    version="1.0.0",
    title="Active vitamin D with high calcium or Ca x P",
    trigger=ORDERING_ACTIVE_VITAMIN_D,
    population=ON_DIALYSIS,
    criteria=(),
    exclusions=(LowCalcium(),),
    suppressions=(AfterParathyroidectomy(), ReducesDose()),
    tiers=(
        Tier(
            indicator=Indicator.WARNING,
            when=AnyOf((HighCalcium(full=True), VERY_HIGH_PRODUCT_FULL)),
            summary="{drug}: {trigger} on {date}. KDOQI: reduce or hold active vitamin D; recheck.",
            consider=_CONSIDER,
            why=_WHY,
            suggestions=(RemoveDraft("Remove this {drug} order"), *RECHECK_LABS, REFER_NEPHROLOGY),
        ),
        Tier(
            indicator=Indicator.INFO,
            when=HIGH_PRODUCT,
            summary="{drug}: Ca x P {caxp} on {pair_date}, above the KDOQI 2003 goal (<{goal}). Review dose and trend.",
            consider=_CONSIDER,
            why=_WHY,
            suggestions=(ORDER_IONISED_CALCIUM, *RECHECK_LABS, REFER_NEPHROLOGY),
        ),
        Tier(
            indicator=Indicator.INFO,
            when=CalciumOnlyAfterCorrection(),
            summary="{drug}: Ca {ca} on {ca_date} is above {t3} only after albumin correction. Check ionised Ca.",
            consider=_CONSIDER,
            why=_WHY,
            suggestions=(ORDER_IONISED_CALCIUM, *_RECHECK),
            branch="Correction",
        ),
        Tier(
            indicator=Indicator.INFO,
            when=HIGH_PHOSPHATE,
            summary="{drug}: phosphate {p} on {p_date}, above the KDOQI range ({prange}). Review dose and trend.",
            consider=_CONSIDER,
            why=_WHY,
            suggestions=(*RECHECK_LABS, REFER_NEPHROLOGY),
            branch="Phosphate",
        ),
        Tier(
            indicator=Indicator.INFO,
            when=PthLow(),
            summary="{drug}: PTH {pth} on {pth_date} is below {pth_low_limit} (possible low bone turnover). Review the dose.",
            consider=_CONSIDER,
            why=_WHY,
            suggestions=_RECHECK,
            branch="Pth",
        ),
    ),
    when_unknown=CardText(
        summary="{drug}: calcium, phosphate or dialysis status could not be fully checked. See what is missing.",
        detail=(Line("{calcium_line}"), Line("{phosphate_line}"), Line("{product_line}"), Line("{pth_line}")),
    ),
    override_reasons=(
        why.expert("PTH severely high, specialist plan"),
        why.contraindicated("Hungry bone or symptomatic hypocalcaemia"),
        why.done("Dose already reduced"),
        why.ineligible("Labs since corrected outside this record"),
        why.mitigated("Will recheck within 2 weeks"),
    ),
    evidence=(
        Cites(
            ev.E20,
            "Corrected calcium above 10.2 mg/dL: reduce or stop active vitamin D; Ca x P goal below 55",
        ),
        Cites(ev.E7, "Ca x P above 70 mg2/dL2 as a risk factor, 49 dialysis cases and 98 controls"),
        Cites(ev.E26, "Calcitriol label: stop at hypercalcaemia or a product above 70"),
        Cites(ev.E22, "Decide on serial calcium, phosphate and PTH together, not on the product"),
        Cites(ev.E27, "Albumin correction agrees poorly with ionised calcium in haemodialysis"),
        Cites(ev.E10, "No association of calcitriol with calciphylaxis, 8 cases and 37 controls on PD"),
    ),
    thresholds=tuple(item.threshold for item in (T1, T2, T3, T4, T5, T7)),
    data_required=("patient", "conditions", "labs"),
    source_label="KDOQI 2003, KDIGO 2017",
    strength="moderate",
    certainty="low",
)
