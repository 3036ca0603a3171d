"""Leg revascularisation ordered for a patient with calciphylaxis on record.

Dialysis access, coronary, carotid and aortic procedures, imaging and amputation are not in the trigger.
"""

from cds_service.api import Always, CardText, Cites, Indicator, Line, OrderingProcedure, Refer, Rule, Tier
from hooks import evidence as ev
from hooks import override_reasons as why
from hooks import valuesets as vs
from hooks.case_features.calciphylaxis import DOCUMENTED
from hooks.case_features.ordered import OrderedFor, Urgent
from hooks.rules.common import ADULT, REFER_NEPHROLOGY

RULE = Rule(
    id="vascular-procedure-calciphylaxis",
    number=23,
    version="1.0.0",
    title="Leg revascularisation with calciphylaxis",
    trigger=OrderingProcedure((vs.LEG_REVASCULARISATION,), but_not=(vs.LOWER_LIMB_AMPUTATION,)),
    population=(ADULT,),
    criteria=(DOCUMENTED,),
    exclusions=(Urgent(), OrderedFor((vs.ACUTE_LIMB_ISCHEMIA,))),
    suppressions=(),
    tiers=(
        Tier(
            indicator=Indicator.INFO,
            when=Always(),
            summary=(
                "{order} with {status} calciphylaxis: reported results are poor, wounds may not heal. Review the aim."
            ),
            consider=(
                Line(
                    "Large-vessel disease can coexist and may need treatment for its own sake: a decision of the "
                    "vascular team, jointly with nephrology and dermatology or wound care."
                ),
            ),
            why=(
                Line("Calciphylaxis {calciphylaxis_evidence}"),
                Line("The evidence is very weak: two treated cases and a general statement"),
                Line("Surgical wounds may become infected and heal badly"),
                Line("On {current_vka}: plan the perioperative anticoagulation"),
            ),
            suggestions=(REFER_NEPHROLOGY, Refer("referral.dermatology"), Refer("referral.wound-care")),
            forbids_delete=True,
        ),
    ),
    when_unknown=CardText(
        summary="{order}: calciphylaxis status could not be checked. Review the problem list before signing.",
        detail=(Line("With calciphylaxis on record, review the aim with the vascular team and nephrology."),),
    ),
    override_reasons=(
        why.benefit("Limb-threatening large-vessel disease"),
        why.expert("Vascular team decision"),
        why.done("Already discussed with nephrology and dermatology"),
        why.ineligible("Diagnosis refuted or record wrong"),
    ),
    evidence=(
        Cites(ev.E68, "Table of conditions that resemble calciphylaxis; large-vessel disease is one of them"),
    ),
    thresholds=(),
    data_required=("patient", "conditions"),
    source_label="Case reports",
    strength="weak",
    certainty="very-low",
)
