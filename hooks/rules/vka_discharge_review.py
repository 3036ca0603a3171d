"""A dialysis patient leaves hospital on a vitamin K antagonist: who looks after it?"""

from cds_service.api import Always, CardText, Cites, Discharging, Indicator, Line, Rule, Tier
from hooks import evidence as ev
from hooks import override_reasons as why
from hooks.case_features.anticoagulation import MandatoryVka
from hooks.case_features.chart import VKA_NOW, DiedOrHospice
from hooks.rules.common import DIALYSIS_LINE, ON_DIALYSIS, REFER_ANTICOAGULATION

RULE = Rule(
    id="vka-discharge-review",
    number=11,
    version="1.0.0",
    title="Discharge on a vitamin K antagonist and dialysis",
    trigger=Discharging(),
    population=ON_DIALYSIS,
    criteria=(VKA_NOW,),
    exclusions=(MandatoryVka(),),
    suppressions=(DiedOrHospice(),),
    tiers=(
        Tier(
            indicator=Indicator.INFO,
            when=Always(),
            summary="Discharge on {vka} and dialysis: confirm indication, INR plan and skin-check advice.",
            consider=(
                Line(
                    "Agree who follows the INR after discharge and when it is next measured. Ask the patient to report "
                    "painful, mottled, purple or hard skin, above all on thighs, abdomen or buttocks."
                ),
            ),
            why=(
                Line("{vka_list}"),
                Line("Indication: {other_indication}"),
                Line("Last INR: {inr_line}"),
                Line(
                    "VKAs are linked to calciphylaxis on dialysis, a rare and severe disease (E1, E3); an abrupt stop "
                    "carries thrombotic risk"
                ),
                DIALYSIS_LINE,
            ),
            exceptions=(
                Line("If a mechanical valve or antiphospholipid syndrome is present, the VKA is needed."),
            ),
            suggestions=(REFER_ANTICOAGULATION,),
        ),
    ),
    when_unknown=CardText(
        summary="Discharge: dialysis status or current medicines could not be checked for a VKA review.",
        detail=(Line("If the patient is on dialysis and takes a VKA, confirm indication and INR plan."),),
    ),
    override_reasons=(
        why.done("Indication and INR plan reviewed"),
        why.mitigated("INR and skin checks arranged"),
    ),
    evidence=(
        Cites(ev.E1, "VKA at haemodialysis start: more than threefold odds, multivariable"),
        Cites(ev.E3, "VKA: odds ratio 11.4 (2.7-48.1), univariate, 28 definite cases"),
        Cites(ev.E60, "Regulator's advice on warfarin and calciphylaxis"),
        Cites(ev.E62, "Patient counselling text on painful purple skin over fatty areas"),
    ),
    thresholds=(),
    data_required=("patient", "conditions", "medications"),
    source_label="Nigwekar 2016 and MHRA 2016",
    strength="weak",
    certainty="low",
    gap_card=False,
)
