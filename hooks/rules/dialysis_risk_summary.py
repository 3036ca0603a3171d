"""The chart of a dialysis patient is opened: which known risk factors are on record. No score."""

from cds_service.api import (
    AllOf,
    Always,
    CardText,
    Cites,
    Indicator,
    Line,
    Not,
    OpeningChart,
    OrderLab,
    Refer,
    Rule,
    Tier,
)
from hooks import evidence as ev
from hooks.case_features.anticoagulation import MandatoryVka
from hooks.case_features.calciphylaxis import DOCUMENTED
from hooks.case_features.chart import MODIFIABLE_ITEM, VKA_NOW
from hooks.case_features.requested import MineralLabsRequested
from hooks.labs_missing import LabsMissing
from hooks.rules.common import ON_DIALYSIS, REFER_NEPHROLOGY
from hooks.thresholds import T1, T2, T3, T5, T6, T7, T8, T8_VERY, T9, T10, T11

_NOT_ORDERED = Not(MineralLabsRequested())
_SUMMARY = "Calciphylaxis risk factors on dialysis: {n} present, {u} unknown ({top})."
_MODIFIABLE = Line(
    "Look at the modifiable factors with nephrology or the prescriber; ask about painful skin changes."
)
_KEEP_VKA = Line(
    "A coded indication needs the VKA ({indications_found}): do not swap to a DOAC.",
    AllOf((VKA_NOW, MandatoryVka())),
)
_WHY = (
    Line("Dialysis: {dialysis_header}"),
    Line("{factor_lines}"),
    Line("{other_associations}"),
    Line("{vitamin_k_status}"),
    Line("{dialysis_prescription_review}"),
    Line("{recent_vascular_procedure}"),
)
_CLOSING = (
    Line(
        "Factors are associations from case-control studies; most patients with several factors never develop "
        "calciphylaxis, and it can occur with none. Ca x P <55 does not exclude it."
    ),
    Line("Not readable: {unread}"),
)
_SUGGESTIONS = (
    Refer("referral.anticoagulation", VKA_NOW),
    OrderLab("lab.calcium", AllOf((LabsMissing(("Ca",)), _NOT_ORDERED))),
    OrderLab("lab.phosphate", AllOf((LabsMissing(("P",)), _NOT_ORDERED))),
    OrderLab("lab.albumin", AllOf((LabsMissing(("albumin",)), _NOT_ORDERED))),
    OrderLab("lab.pth", AllOf((LabsMissing(("PTH",)), _NOT_ORDERED))),
    REFER_NEPHROLOGY,
)

RULE = Rule(
    id="dialysis-risk-summary",
    number=8,
    version="1.0.0",
    title="Calciphylaxis risk factors on dialysis",
    trigger=OpeningChart(),
    population=ON_DIALYSIS,
    criteria=(MODIFIABLE_ITEM,),
    exclusions=(),
    suppressions=(),
    tiers=(
        Tier(
            indicator=Indicator.WARNING,
            when=AllOf((DOCUMENTED, VKA_NOW, Not(MandatoryVka()))),
            summary=_SUMMARY,
            consider=(
                Line(
                    "Calciphylaxis is on record and {vka} is active without a coded indication that needs a VKA: "
                    "review with nephrology and the anticoagulation team whether it is still needed (MHRA 2016). An "
                    "abrupt change carries thrombotic risk."
                ),
                _MODIFIABLE,
            ),
            why=_WHY,
            suggestions=_SUGGESTIONS,
            closing=_CLOSING,
        ),
        Tier(
            indicator=Indicator.INFO,
            when=Always(),
            summary=_SUMMARY,
            consider=(_KEEP_VKA, _MODIFIABLE),
            why=_WHY,
            suggestions=_SUGGESTIONS,
            closing=_CLOSING,
        ),
    ),
    when_unknown=CardText(
        summary="Risk factors for calciphylaxis on dialysis could not be assessed for this patient.",
        detail=(Line("Not readable: {unread}"),),
    ),
    override_reasons=(),
    evidence=(
        Cites(ev.E1, "VKA, diabetes, insulin injections and other exposures at haemodialysis start"),
        Cites(ev.E2, "Effect sizes: diabetes, BMI, albumin-corrected calcium, phosphorus"),
        Cites(ev.E3, "VKA and falling albumin"),
        Cites(ev.E6, "Female sex, albumin, phosphorus, alkaline phosphatase"),
        Cites(ev.E7, "Ca x P above 70, corticosteroid, obesity, liver disease"),
        Cites(ev.E8, "VKA and peritoneal dialysis, in one case-control study"),
        Cites(ev.E10, "No difference in Ca, P, Ca x P or PTH in PD cases and controls"),
        Cites(ev.E14, "Lupus anticoagulant, protein C deficiency and combined thrombophilia"),
        Cites(ev.E18, "Calciphylaxis after kidney transplantation"),
        Cites(ev.E20, "Goal for Ca x P below 55 mg2/dL2; action level for corrected calcium"),
        Cites(ev.E22, "Judge serial calcium, phosphate and PTH together"),
        Cites(ev.E41, "Vitamin K status and carboxylated MGP"),
        Cites(ev.E49, "Dialysis for more than 5 years and high calcitriol doses listed as major factors"),
        Cites(ev.E60, "VKA with calciphylaxis: start treatment and consider stopping"),
    ),
    thresholds=tuple(item.threshold for item in (T1, T2, T3, T5, T6, T7, T8, T8_VERY, T9, T10, T11)),
    data_required=("patient", "conditions", "medications"),
    source_label="Case-control studies and KDOQI 2003",
    strength="weak",
    certainty="low",
    gap_card=False,
)
