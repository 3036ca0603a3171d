"""Gabapentin or pregabalin above its usual ceiling on dialysis, for a patient with calciphylaxis on record."""

from cds_service.api import CardText, Cites, Indicator, Line, Ordering, Refer, Rule, Tier
from hooks import evidence as ev
from hooks import override_reasons as why
from hooks import valuesets as vs
from hooks.case_features.calciphylaxis import DOCUMENTED
from hooks.case_features.dosing import DoseAboveCeiling, DoseNotComputable
from hooks.case_features.exposure import ReducesDose
from hooks.case_features.ordered import OrderOf
from hooks.rules.common import BY_NAME_LINE, DIALYSIS_LINE, ON_DIALYSIS
from hooks.thresholds import T12, T13

_CONSIDER = (
    Line(
        "Review the dose with the pain team or a renal pharmacist; a supplement is usually given after HD. An "
        "abrupt end can cause withdrawal."
    ),
)
_WHY = (
    DIALYSIS_LINE,
    Line("Calciphylaxis {calciphylaxis_evidence}"),
    Line(
        "Gabapentin: the US label, as quoted, gives 100-300 mg a day at a creatinine clearance below 15, and 125-350 "
        "mg after HD (E52)",
        OrderOf((vs.GABAPENTIN,)),
    ),
    Line("Pregabalin: 75 mg a day, source to be confirmed", OrderOf((vs.PREGABALIN,))),
    Line("Watch for sedation, myoclonus and falls; the effect adds to that of opioids"),
    BY_NAME_LINE,
)
_SUGGESTIONS = (Refer("referral.pharmacist"), Refer("referral.pain"))

RULE = Rule(
    id="gabapentinoid-dose-calciphylaxis",
    number=15,
    version="1.0.0",
    title="Gabapentinoid dose on dialysis",
    trigger=Ordering((vs.GABAPENTINOIDS,)),
    population=ON_DIALYSIS,
    criteria=(DOCUMENTED,),
    exclusions=(),
    suppressions=(ReducesDose(),),
    tiers=(
        Tier(
            indicator=Indicator.WARNING,
            when=DoseAboveCeiling(),
            summary=(
                "{drug} {dose}/day on dialysis exceeds usual ceiling ({max}): neurotoxicity risk. Dose after HD."
            ),
            consider=_CONSIDER,
            why=(Line("Daily dose of the order: {dose_arithmetic} = {dose}"), *_WHY),
            suggestions=_SUGGESTIONS,
            forbids_delete=True,
        ),
        Tier(
            indicator=Indicator.INFO,
            when=DoseNotComputable(),
            summary=(
                "{drug} on dialysis: daily dose not computable. Usual ceiling is {max}/day, given after HD."
            ),
            consider=_CONSIDER,
            why=_WHY,
            suggestions=_SUGGESTIONS,
            forbids_delete=True,
        ),
    ),
    when_unknown=CardText(
        summary="{drug}: dialysis or calciphylaxis status could not be checked. Review the dose before signing.",
        detail=(Line("On dialysis the usual ceiling is {max} a day, given after HD."),),
    ),
    override_reasons=(
        why.done("Dose is already being reduced"),
        why.tolerated("Tolerated previously at this dose"),
        why.expert("Renal pharmacist or pain team advice"),
    ),
    evidence=(
        Cites(ev.E52, "Gabapentin at creatinine clearance below 15: 100-300 mg a day; supplement after HD"),
    ),
    thresholds=(T12.threshold, T13.threshold),
    data_required=("patient", "conditions"),
    source_label="US gabapentin label (as quoted)",
    strength="moderate",
    certainty="low",
)
