"""Vitamin K antagonist that must stay, on dialysis or with calciphylaxis: limit the other risks."""

from cds_service.api import AnyOf, CardText, Cites, Indicator, Line, Not, Rule, Tier
from hooks import evidence as ev
from hooks import override_reasons as why
from hooks.case_features.anticoagulation import AcknowledgedVka, MandatoryVka, ValveTypeNotCoded
from hooks.case_features.calciphylaxis import CURRENT_OR_PAST, DOCUMENTED
from hooks.case_features.dialysis import OnDialysis
from hooks.rules.common import ADULT, BY_NAME_LINE, ORDERING_VKA, REFER_ANTICOAGULATION, REFER_NEPHROLOGY

_SUMMARY = "{drug}, {indication}: do not swap to a DOAC. Calciphylaxis risk - watch skin."
_WHY = (
    Line("Indication: {indications_found}"),
    Line("Valve type not coded: if it is a tissue valve, review the indication", ValveTypeNotCoded()),
    Line("Dialysis {dialysis_evidence}"),
    Line("Calciphylaxis {calciphylaxis_evidence}", CURRENT_OR_PAST),
    Line(
        "Mechanical valve: the apixaban arm of a trial was stopped for excess thromboembolism (4.2 vs 1.3 % per "
        "patient-year) and dabigatran is contraindicated (E33)"
    ),
    Line("Antiphospholipid syndrome: DOACs raise recurrent thrombosis (MHRA 2019)"),
    Line("{pregnancy}"),
    BY_NAME_LINE,
)
_CONSIDER = (
    Line(
        "Keep the VKA; lower what can be lowered: phosphate, calcium load, vitamin D dose. Check the skin at each "
        "visit and ask about painful lesions."
    ),
)

RULE = Rule(
    id="vka-mandatory-indication",
    number=3,
    version="1.0.0",
    title="Mandatory vitamin K antagonist: limit other risks",
    trigger=ORDERING_VKA,
    population=(ADULT,),
    # Past calciphylaxis counts too: rule 1 leaves every patient with such an indication to this rule.
    criteria=(MandatoryVka(), AnyOf((OnDialysis(), CURRENT_OR_PAST))),
    exclusions=(),
    suppressions=(),
    tiers=(
        Tier(
            indicator=Indicator.WARNING,
            when=DOCUMENTED,
            summary=_SUMMARY,
            consider=(
                *_CONSIDER,
                Line(
                    "With calciphylaxis: urgent joint decision of cardiology or haematology with nephrology."
                ),
            ),
            why=_WHY,
            suggestions=(REFER_NEPHROLOGY, REFER_ANTICOAGULATION),
            forbids_delete=True,
        ),
        Tier(
            indicator=Indicator.INFO,
            when=Not(AcknowledgedVka()),
            summary=_SUMMARY,
            consider=_CONSIDER,
            why=_WHY,
            suggestions=(REFER_NEPHROLOGY, REFER_ANTICOAGULATION),
            forbids_delete=True,
        ),
    ),
    when_unknown=CardText(
        summary="{drug}: valve, APS and dialysis status could not all be checked. Review before any change.",
        detail=(
            Line("If a mechanical valve or antiphospholipid syndrome is present, do not swap to a DOAC."),
        ),
    ),
    override_reasons=(
        why.mitigated("Will monitor skin and labs"),
        why.done("Already reviewed with cardiology/haematology"),
        why.ineligible("Indication or dialysis status recorded wrongly"),
    ),
    evidence=(
        Cites(ev.E33, "Mechanical valve: excess thromboembolism with apixaban; dabigatran contraindicated"),
        Cites(ev.E34, "Antiphospholipid syndrome: more recurrent thrombosis with DOACs"),
        Cites(
            ev.E55,
            "Pregnancy: VKAs are teratogenic; contraindicated except for mechanical valves at high risk",
        ),
        Cites(ev.E1, "VKA exposure is associated with calciphylaxis on haemodialysis"),
    ),
    thresholds=(),
    data_required=("conditions", "medications"),
    source_label="MHRA 2019 and valve guidance",
    strength="strong",
    certainty="moderate",
)
