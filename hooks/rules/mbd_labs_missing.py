"""Mineral labs missing, stale or unusable while a drug of interest is ordered on dialysis, or on the chart.

On the chart it is a line of the risk summary, for a patient with an active VKA, active vitamin D or oral calcium.
"""

from cds_service.api import (
    AllOf,
    AnyOf,
    CardText,
    Cites,
    EitherOrder,
    Indicator,
    Line,
    Not,
    OpeningChart,
    Ordering,
    Rule,
    Tier,
)
from hooks import evidence as ev
from hooks import override_reasons as why
from hooks import valuesets as vs
from hooks.case_features.chart import AN_ORDER_IS_JUDGED, MEDICINE_OF_INTEREST_NOW
from hooks.case_features.requested import MineralLabsRequested
from hooks.labs_missing import LabsMissing
from hooks.rules.common import (
    LABS_IF_MISSING,
    ON_DIALYSIS,
    ORDERING_ACTIVE_VITAMIN_D,
    ORDERING_ORAL_CALCIUM,
    ORDERING_VKA,
)

_WHY = (
    Line("{missing_lines}"),
    Line(
        "KDIGO intervals on dialysis: Ca and P every 1-3 months, PTH every 3-6 months; labs of the dialysis unit may "
        "live in another system"
    ),
    Line("Dialysis {dialysis_evidence}", AN_ORDER_IS_JUDGED),
)
_CONSIDER = (Line("Look for results at the dialysis unit, or add the missing tests to the next blood draw."),)

RULE = Rule(
    id="mbd-labs-missing",
    number=7,
    version="1.0.0",
    title="Mineral labs missing or out of date",
    trigger=EitherOrder(
        (
            ORDERING_VKA,
            ORDERING_ACTIVE_VITAMIN_D,
            ORDERING_ORAL_CALCIUM,
            Ordering((vs.CALCIMIMETICS,)),
            OpeningChart(),
        )
    ),
    population=ON_DIALYSIS,
    criteria=(AnyOf((AN_ORDER_IS_JUDGED, MEDICINE_OF_INTEREST_NOW)),),
    exclusions=(),
    suppressions=(MineralLabsRequested(),),
    tiers=(
        Tier(
            indicator=Indicator.INFO,
            when=LabsMissing(("Ca", "P")),
            summary="No usable {labs} in the last {days} days: Ca x P could not be checked for {lab_drug}.",
            consider=_CONSIDER,
            why=_WHY,
            suggestions=LABS_IF_MISSING,
        ),
        Tier(
            indicator=Indicator.INFO,
            when=LabsMissing(("albumin",)),
            summary="No usable albumin in the last {days} days: calcium and Ca x P for {lab_drug} are uncorrected.",
            consider=_CONSIDER,
            why=_WHY,
            suggestions=LABS_IF_MISSING,
            branch="Albumin",
        ),
        Tier(
            indicator=Indicator.INFO,
            when=AllOf((LabsMissing(("PTH",)), Not(LabsMissing(("Ca", "P", "albumin"))))),
            summary="No usable PTH in the last {days} days for {lab_drug}. Consider adding it to the next blood draw.",
            consider=_CONSIDER,
            why=_WHY,
            suggestions=LABS_IF_MISSING,
            branch="Pth",
        ),
    ),
    when_unknown=CardText(
        summary="{drug}: dialysis status could not be checked, so it is not known whether mineral labs are due.",
        detail=(Line("{missing_lines}"),),
    ),
    override_reasons=(
        why.done("Done at the dialysis unit"),
        why.pending("Labs already ordered, results pending"),
        why.ineligible("Not clinically relevant for this patient"),
    ),
    evidence=(
        Cites(ev.E22, "CKD G5D: calcium and phosphate every 1-3 months, PTH every 3-6 months"),
        Cites(ev.E23, "Monitoring intervals as tabulated; interval text carried over from KDIGO 2009"),
    ),
    thresholds=(),
    data_required=("patient", "conditions", "labs"),
    source_label="KDIGO 2017",
    strength="moderate",
    certainty="low",
    line_only=True,
    once_per_response=True,
)
