"""Parathyroidectomy ordered for a patient with calciphylaxis on record, now or in the past.

The card neither recommends nor discourages the operation: it asks for a calcium plan beforehand.
"""

from cds_service.api import (
    Always,
    CardText,
    Cites,
    Indicator,
    Line,
    OrderingProcedure,
    OrderLab,
    Refer,
    Rule,
    Tier,
)
from hooks import evidence as ev
from hooks import override_reasons as why
from hooks import valuesets as vs
from hooks.analytes import ALP, CALCIUM_IONISED
from hooks.case_features.calciphylaxis import CURRENT_OR_PAST
from hooks.case_features.pth import PthLow
from hooks.case_features.results import NoUsableResult
from hooks.labs_missing import LabsMissing
from hooks.rules.common import ADULT, REFER_NEPHROLOGY
from hooks.thresholds import T7

RULE = Rule(
    id="parathyroidectomy-hbs",
    number=20,
    version="1.0.0",
    title="Parathyroidectomy with calciphylaxis",
    trigger=OrderingProcedure((vs.PARATHYROIDECTOMY,), but_not=(vs.PARATHYROID_IMAGING,)),
    population=(ADULT,),
    criteria=(CURRENT_OR_PAST,),
    exclusions=(),
    suppressions=(),
    tiers=(
        Tier(
            indicator=Indicator.INFO,
            when=Always(),
            summary=(
                "Parathyroidectomy with {status} calciphylaxis: agree a calcium plan beforehand, hungry bone is common."
            ),
            consider=(
                Line(
                    "Hungry bone is treated with calcium and calcitriol, which are otherwise avoided in calciphylaxis: "
                    "decide beforehand who treats, at which calcium, and how often it is measured."
                ),
            ),
            why=(
                Line("Calciphylaxis {calciphylaxis_evidence}"),
                Line("Hungry bone followed 82 % of 130 parathyroidectomies on dialysis (E57)"),
                Line("PTH is low: check the indication", PthLow()),
                Line("On {current_vka}: plan the perioperative anticoagulation"),
                Line("{calcium_line}"),
                Line("{ionised_apart}"),
                Line("{phosphate_line}"),
                Line("{alp_line}"),
                Line("{pth_line}"),
                Line(
                    "Evidence on the operation in calciphylaxis is mixed: no survival gain (E7), benefit in a subset with "
                    "hyperparathyroidism (E58), pooled relative risk 0.88, 0.69-1.13 (E37)"
                ),
            ),
            suggestions=(
                OrderLab("lab.calcium", LabsMissing(("Ca",))),
                OrderLab("lab.ionised-calcium", NoUsableResult(CALCIUM_IONISED)),
                OrderLab("lab.phosphate", LabsMissing(("P",))),
                OrderLab("lab.albumin", LabsMissing(("albumin",))),
                OrderLab("lab.alp", NoUsableResult(ALP)),
                OrderLab("lab.pth", LabsMissing(("PTH",))),
                REFER_NEPHROLOGY,
                Refer("referral.endocrinology"),
            ),
            forbids_delete=True,
        ),
    ),
    when_unknown=CardText(
        summary="{order}: calciphylaxis status could not be checked. Review the problem list before signing.",
        detail=(Line("With calciphylaxis on record, agree a calcium plan before the operation."),),
    ),
    override_reasons=(
        why.done("Perioperative calcium plan agreed"),
        why.expert("Surgical and nephrology team decision"),
        why.mitigated("Calcium monitoring arranged"),
        why.ineligible("Diagnosis refuted or record wrong"),
    ),
    evidence=(
        Cites(ev.E57, "Hungry bone syndrome in 82 % of 130 dialysis parathyroidectomies"),
        Cites(ev.E7, "No survival gain"),
        Cites(ev.E58, "Benefit in the subset with hyperparathyroidism"),
        Cites(ev.E37, "Pooled relative risk 0.88 (0.69-1.13)"),
    ),
    thresholds=(T7.threshold,),
    data_required=("patient", "conditions"),
    source_label="Ren Fail 2020",
    strength="moderate",
    certainty="low",
)
