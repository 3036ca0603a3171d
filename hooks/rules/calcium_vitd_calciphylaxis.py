"""Calcium or vitamin D ordered for a patient with calciphylaxis; hypocalcaemia must still be treated."""

from cds_service.api import (
    AllOf,
    CardText,
    Cites,
    EitherOrder,
    Indicator,
    Line,
    Not,
    Ordering,
    RemoveDraft,
    Rule,
    Tier,
)
from hooks import evidence as ev
from hooks import override_reasons as why
from hooks import valuesets as vs
from hooks.case_features.calciphylaxis import CURRENT_OR_PAST, DOCUMENTED
from hooks.case_features.exposure import CalciumKnownNotLow, MayTreatHypocalcaemia, OperatedCalciumUnknown
from hooks.rules.common import ADULT, BY_NAME_LINE, ORDERING_ORAL_CALCIUM, REFER_NEPHROLOGY

_SUMMARY = (
    "{drug} with {status} calciphylaxis: extra calcium/vitamin D is usually avoided. Check Ca and the reason."
)
_WHY = (
    Line("Calciphylaxis {calciphylaxis_evidence}"),
    Line("{calcium_line}"),
    Line("{ionised_line}"),
    Line("{phosphate_line}"),
    Line("{pth_line}"),
    BY_NAME_LINE,
)
_CONSIDER = (
    Line(
        "Usual practice in calciphylaxis is to limit calcium and active vitamin D (E49). Hungry bone and symptomatic "
        "hypocalcaemia must be treated: coordinate with nephrology or endocrinology."
    ),
)

RULE = Rule(
    id="calcium-vitd-calciphylaxis",
    number=6,
    version="1.0.0",
    title="Calcium or vitamin D with calciphylaxis",
    trigger=EitherOrder(
        (
            ORDERING_ORAL_CALCIUM,
            Ordering((vs.ACTIVE_VITAMIN_D, vs.NUTRITIONAL_VITAMIN_D), not_routes=("topical",)),
        )
    ),
    population=(ADULT,),
    criteria=(CURRENT_OR_PAST,),
    exclusions=(),
    suppressions=(),
    tiers=(
        Tier(
            indicator=Indicator.INFO,
            when=MayTreatHypocalcaemia(),
            summary=(
                "{drug} here treats hypocalcaemia: keep going despite {status} calciphylaxis, recheck Ca, "
                "involve nephrology."
            ),
            consider=(
                Line(
                    "Low calcium or hungry bone must be treated; agree the calcium goal and the next check with "
                    "nephrology."
                ),
            ),
            why=_WHY,
            suggestions=(REFER_NEPHROLOGY,),
            forbids_delete=True,
            branch="Hypocalcaemia",
        ),
        Tier(
            indicator=Indicator.INFO,
            when=OperatedCalciumUnknown(),
            summary=_SUMMARY,
            consider=(Line("After parathyroidectomy: check calcium before changing."), *_CONSIDER),
            why=_WHY,
            suggestions=(REFER_NEPHROLOGY,),
            forbids_delete=True,
            branch="Operated",
        ),
        Tier(
            indicator=Indicator.WARNING,
            when=DOCUMENTED,
            summary=_SUMMARY,
            consider=_CONSIDER,
            why=_WHY,
            suggestions=(RemoveDraft("Remove this {drug} order", CalciumKnownNotLow()), REFER_NEPHROLOGY),
        ),
        Tier(
            indicator=Indicator.INFO,
            when=AllOf((Not(DOCUMENTED), CURRENT_OR_PAST)),
            summary=_SUMMARY,
            consider=_CONSIDER,
            why=_WHY,
            suggestions=(RemoveDraft("Remove this {drug} order", CalciumKnownNotLow()), REFER_NEPHROLOGY),
        ),
    ),
    when_unknown=CardText(
        summary="{drug}: calciphylaxis status could not be checked. Review the problem list before signing.",
        detail=(Line("{calcium_line}"),),
    ),
    override_reasons=(
        why.contraindicated("Hypocalcaemia or hungry bone"),
        why.benefit("Severe hyperparathyroidism, no surgery or calcimimetic"),
        why.expert("Nutritional deficiency, specialist agrees"),
    ),
    evidence=(Cites(ev.E49, "Calcium and active vitamin D among the exposures to limit"),),
    thresholds=(),
    data_required=("conditions",),
    source_label="PMC10557543 and usual practice",
    strength="moderate",
    certainty="very-low",
)
