"""Teriparatide or abaloparatide ordered for a patient with factors that came with reported calciphylaxis."""

from cds_service.api import Always, CardText, Cites, Indicator, Line, Ordering, Refer, Rule, Tier
from hooks import evidence as ev
from hooks import override_reasons as why
from hooks import valuesets as vs
from hooks.case_features.bone_builder import SOME_FACTOR
from hooks.case_features.calciphylaxis import CURRENT_OR_PAST
from hooks.case_features.pth import PthLow
from hooks.rules.common import ADULT, BY_NAME_LINE, DIALYSIS_LINE, REFER_NEPHROLOGY

RULE = Rule(
    id="teriparatide-risk",
    number=13,
    version="1.0.0",
    title="Teriparatide or abaloparatide with risk factors",
    trigger=Ordering((vs.TERIPARATIDE_ABALOPARATIDE,)),
    population=(ADULT,),
    criteria=(SOME_FACTOR,),
    exclusions=(),
    suppressions=(),
    tiers=(
        Tier(
            indicator=Indicator.WARNING,
            when=Always(),
            summary="{drug}: calciphylaxis reported after starting; patient has {factor}. Review choice.",
            consider=(
                Line(
                    "Weigh the fracture risk against these factors, and discuss the choice with endocrinology or "
                    "nephrology; bone turnover matters."
                ),
            ),
            why=(
                Line("Strongest factor: {factor}"),
                Line("Calciphylaxis {calciphylaxis_evidence}", CURRENT_OR_PAST),
                DIALYSIS_LINE,
                Line("Current VKA: {current_vka}"),
                Line(
                    "A series of 12 reports: median onset 3.5 months after starting, all with other factors (E40)"
                ),
                Line("{pth_line}"),
                Line("PTH is low: low bone turnover is possible", PthLow()),
                BY_NAME_LINE,
            ),
            suggestions=(Refer("referral.endocrinology"), REFER_NEPHROLOGY),
            forbids_delete=True,
        ),
    ),
    when_unknown=CardText(
        summary="{drug}: dialysis, calciphylaxis or current medicines could not be checked. Review before signing.",
        detail=(Line("Calciphylaxis was reported after starting it in patients with other factors (E40)."),),
    ),
    override_reasons=(
        why.expert("Adynamic bone proven, specialist plan"),
        why.benefit("Fracture risk judged higher"),
    ),
    evidence=(Cites(ev.E40, "FDA series of 12 cases, median onset 3.5 months, all with other factors"),),
    thresholds=(),
    data_required=("patient", "conditions", "medications"),
    source_label="Osteoporos Int 2021",
    strength="weak",
    certainty="very-low",
)
