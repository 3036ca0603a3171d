"""Denosumab on dialysis, or a bisphosphonate on dialysis or with an eGFR below 35."""

from cds_service.api import AllOf, CardText, Cites, Indicator, Line, Ordering, OrderLab, Refer, Rule, Tier
from hooks import evidence as ev
from hooks import override_reasons as why
from hooks import valuesets as vs
from hooks.analytes import VITAMIN_D
from hooks.case_features.antiresorptive import (
    AT_RISK,
    BISPHOSPHONATE,
    DENOSUMAB,
    FOR_HYPERCALCAEMIA,
    SEVERE_CKD,
)
from hooks.case_features.dialysis import OnDialysis
from hooks.case_features.results import NoUsableResult
from hooks.rules.common import ADULT, BY_NAME_LINE, DIALYSIS_LINE, LABS_IF_MISSING, REFER_NEPHROLOGY
from hooks.thresholds import LOW_EGFR

_WHY = (
    DIALYSIS_LINE,
    Line("eGFR {egfr_line}", SEVERE_CKD),
    Line("{calcium_line}"),
    Line("{pth_line}"),
    Line("{vitamin_d_line}"),
    Line("Bisphosphonates have been used in calciphylaxis, without trial evidence", BISPHOSPHONATE),
    Line(
        "FDA boxed warning, January 2024: severe hypocalcaemia with denosumab in advanced CKD (E56)",
        DENOSUMAB,
    ),
    BY_NAME_LINE,
)
_CONSIDER = (
    Line(
        "A CKD-MBD expert should know calcium, PTH, bone turnover and vitamin D first, and agree who checks calcium "
        "and when."
    ),
)
_REBOUND = (Line("Established denosumab: an abrupt end brings rebound fractures.", DENOSUMAB),)
_SUGGESTIONS = (
    *LABS_IF_MISSING,
    OrderLab("lab.vitamin-d", NoUsableResult(VITAMIN_D)),
    REFER_NEPHROLOGY,
    Refer("referral.endocrinology"),
)
_SEVERE = "most are contraindicated or unstudied in severe CKD; calciphylaxis benefit unproven."

RULE = Rule(
    id="antiresorptive-dialysis",
    number=18,
    version="1.0.0",
    title="Antiresorptive drug on dialysis",
    trigger=Ordering((vs.DENOSUMAB, vs.BISPHOSPHONATES)),
    population=(ADULT,),
    criteria=(AT_RISK,),
    exclusions=(),
    suppressions=(),
    tiers=(
        Tier(
            indicator=Indicator.INFO,
            when=FOR_HYPERCALCAEMIA,
            summary="{drug} for high calcium in severe CKD: calcium may fall low. Plan checks with nephrology.",
            consider=(
                Line("Treatment of high calcium in cancer: agree how often calcium is measured afterwards."),
            ),
            why=_WHY,
            exceptions=_REBOUND,
            suggestions=_SUGGESTIONS,
            forbids_delete=True,
            branch="Hypercalcaemia",
        ),
        Tier(
            indicator=Indicator.WARNING,
            when=AllOf((DENOSUMAB, OnDialysis())),
            summary=(
                "Denosumab on dialysis: boxed warning for severe hypocalcaemia. Needs CKD-MBD expert and Ca plan."
            ),
            consider=_CONSIDER,
            why=_WHY,
            exceptions=_REBOUND,
            suggestions=_SUGGESTIONS,
            forbids_delete=True,
        ),
        Tier(
            indicator=Indicator.INFO,
            when=AllOf((BISPHOSPHONATE, OnDialysis())),
            summary=f"{{drug}} on dialysis: {_SEVERE}",
            consider=_CONSIDER,
            why=_WHY,
            suggestions=_SUGGESTIONS,
            forbids_delete=True,
        ),
        Tier(
            indicator=Indicator.INFO,
            when=AllOf((BISPHOSPHONATE, SEVERE_CKD)),
            summary=f"{{drug}} with eGFR {{egfr}}: {_SEVERE}",
            consider=_CONSIDER,
            why=(Line("Cut-off: eGFR below 35 mL/min/1.73 m2; some labels use 30"), *_WHY),
            suggestions=_SUGGESTIONS,
            forbids_delete=True,
            branch="Egfr",
        ),
    ),
    when_unknown=CardText(
        summary="{drug}: dialysis status or eGFR could not be checked. In severe CKD it needs a calcium plan.",
        detail=(Line("{calcium_line}"), Line("{pth_line}")),
    ),
    override_reasons=(
        why.expert("CKD-MBD expert plan with calcium monitoring"),
        why.benefit("Stopping would risk rebound fractures"),
        why.done("Calcium and vitamin D already corrected"),
    ),
    evidence=(
        Cites(ev.E56, "Denosumab in advanced CKD on dialysis: boxed warning for severe hypocalcaemia"),
    ),
    thresholds=(LOW_EGFR.threshold,),
    data_required=("patient", "conditions", "labs"),
    source_label="FDA, January 2024",
    strength="strong",
    certainty="moderate",
)
