"""Kidney transplant, immunosuppression and calciphylaxis on record: a question for the transplant team."""

from cds_service.api import Always, CardText, Cites, Indicator, Line, OpeningChart, Rule, Tier
from hooks import evidence as ev
from hooks import override_reasons as why
from hooks.case_features.calciphylaxis import DOCUMENTED
from hooks.case_features.chart import IMMUNOSUPPRESSANT_NOW
from hooks.case_features.transplant import TransplantRecorded
from hooks.rules.common import ADULT, REFER_NEPHROLOGY

RULE = Rule(
    id="immunosuppressant-calciphylaxis",
    number=22,
    version="1.0.0",
    title="Immunosuppression, transplant and calciphylaxis",
    trigger=OpeningChart(),
    population=(ADULT,),
    criteria=(TransplantRecorded(), DOCUMENTED, IMMUNOSUPPRESSANT_NOW),
    exclusions=(),
    suppressions=(),
    tiers=(
        Tier(
            indicator=Indicator.INFO,
            when=Always(),
            summary=(
                "Kidney transplant and {status} calciphylaxis: ask the transplant team to review immunosuppression."
            ),
            consider=(
                Line(
                    "The decision is the transplant team's: rejection and loss of the graft weigh against infection and "
                    "healing. Watch wounds for infection."
                ),
            ),
            why=(
                Line("Immunosuppressants: {immunosuppressants}"),
                Line("{transplant_factor}"),
                Line(
                    "Less immunosuppression has been considered in calciphylaxis, against the risk of rejection and "
                    "graft loss; infection surveillance of wounds matters"
                ),
                Line(
                    "In one post-transplant series 43 % of cases arose in the first year after transplantation and 39 % "
                    "were on a VKA (E18)"
                ),
                Line("{exposure}"),
                Line("{calciphylaxis_factor}"),
            ),
            suggestions=(REFER_NEPHROLOGY,),
        ),
    ),
    when_unknown=CardText(
        summary="Kidney transplant and calciphylaxis: current medicines could not be checked.",
        detail=(Line("Not readable: {unread}"),),
    ),
    override_reasons=(
        why.done("Transplant team is reviewing"),
        why.expert("Transplant team advises no change"),
        why.benefit("Rejection risk judged higher"),
        why.ineligible("Diagnosis refuted or record wrong"),
    ),
    evidence=(
        Cites(
            ev.E18,
            "43 % of cases in the first year after kidney transplantation; 39 % on a VKA; mortality 56 %",
        ),
    ),
    thresholds=(),
    data_required=("patient", "conditions", "medications"),
    source_label="Post-transplant series 2022",
    strength="weak",
    certainty="very-low",
    gap_card=False,
    line_only=True,
)
