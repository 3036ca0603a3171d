"""A calcimimetic ordered while calcium is low."""

from cds_service.api import (
    AllOf,
    CardText,
    Cites,
    Indicator,
    Line,
    Not,
    Ordering,
    OrderLab,
    Refer,
    Rule,
    Tier,
)
from hooks import evidence as ev
from hooks import override_reasons as why
from hooks import valuesets as vs
from hooks.case_features.dialysis import OnDialysis
from hooks.case_features.exposure import ReducesDose
from hooks.case_features.low_calcium import (
    ANY_LOW,
    PRIMARY_PARATHYROID_DISEASE,
    CorrectedBelowLabLimit,
    CorrectedLow,
    IonisedLow,
)
from hooks.case_features.ordered import OrderOf
from hooks.rules.common import ADULT, BY_NAME_LINE, DIALYSIS_LINE, REFER_NEPHROLOGY
from hooks.thresholds import T4

_ASK = "Do not start/raise until corrected; check QTc."
_CONSIDER = (
    Line("Ask about cramps, tingling and seizures; agree with nephrology how calcium is brought up first."),
)
_WHY = (
    Line("{calcium_line}"),
    Line("{ionised_apart}"),
    Line("{qt_medicines} on the medication list: lengthens QT"),
    DIALYSIS_LINE,
    Line(
        "Not on dialysis: cinacalcet is not indicated for secondary hyperparathyroidism there",
        AllOf((OrderOf((vs.CINACALCET,)), Not(OnDialysis()))),
    ),
    BY_NAME_LINE,
)
_LABS = (OrderLab("lab.calcium"), OrderLab("lab.ionised-calcium"), OrderLab("lab.albumin"))
_SUGGESTIONS = (*_LABS, REFER_NEPHROLOGY)

RULE = Rule(
    id="calcimimetic-low-calcium",
    number=17,
    version="1.0.0",
    title="Calcimimetic with low calcium",
    trigger=Ordering((vs.CALCIMIMETICS,)),
    population=(ADULT,),
    criteria=(),
    exclusions=(),
    suppressions=(ReducesDose(),),
    tiers=(
        Tier(
            indicator=Indicator.INFO,
            when=AllOf((ANY_LOW, PRIMARY_PARATHYROID_DISEASE)),
            summary="{drug}: calcium is low; primary parathyroid disease on record. Check the plan with endocrinology.",
            consider=(Line("Endocrinology decides on treatment of primary parathyroid disease."),),
            why=_WHY,
            suggestions=(*_LABS, Refer("referral.endocrinology")),
            forbids_delete=True,
            branch="Primary",
        ),
        Tier(
            indicator=Indicator.WARNING,
            when=CorrectedLow(),
            summary=f"{{drug}}: corrected Ca {{low_ca}} on {{ca_date}}, below {{t4}}. {_ASK}",
            consider=_CONSIDER,
            why=_WHY,
            suggestions=_SUGGESTIONS,
            forbids_delete=True,
        ),
        Tier(
            indicator=Indicator.WARNING,
            when=IonisedLow(),
            summary=f"{{drug}}: ionised Ca {{ica}} on {{ica_date}}, below normal. {_ASK}",
            consider=_CONSIDER,
            why=_WHY,
            suggestions=_SUGGESTIONS,
            forbids_delete=True,
        ),
        Tier(
            indicator=Indicator.WARNING,
            when=CorrectedBelowLabLimit(),
            summary=f"{{drug}}: corrected Ca {{low_ca}} on {{ca_date}}, below {{lln}}. {_ASK}",
            consider=_CONSIDER,
            why=(Line("{lln} is the laboratory's own lower limit"), *_WHY),
            suggestions=_SUGGESTIONS,
            forbids_delete=True,
        ),
    ),
    when_unknown=CardText(
        summary="{drug}: corrected calcium could not be checked. It should not be low before a calcimimetic.",
        detail=(Line("{calcium_line}"), Line("{ionised_apart}")),
    ),
    override_reasons=(
        why.pending("Repeat calcium pending"),
        why.done("Calcium already being corrected"),
        why.expert("Nephrology plan"),
    ),
    evidence=(
        Cites(ev.E51, "Cinacalcet: not with corrected calcium below 8.4 mg/dL (digest of criteria for use)"),
        Cites(ev.E20, "Corrected calcium below 8.4 mg/dL: guideline 6.6"),
    ),
    thresholds=(T4.threshold,),
    data_required=("patient", "labs", "medications"),
    source_label="KDOQI 2003, cinacalcet criteria for use",
    strength="strong",
    certainty="moderate",
)
