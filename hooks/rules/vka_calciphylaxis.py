"""Vitamin K antagonist ordered for a patient with calciphylaxis on record, in any renal status."""

from cds_service.api import CardText, Cites, Indicator, Line, Not, Refer, RemoveDraft, Rule, Tier
from hooks import evidence as ev
from hooks import override_reasons as why
from hooks.case_features.anticoagulation import MandatoryVka
from hooks.case_features.calciphylaxis import CURRENT_OR_PAST, DOCUMENTED
from hooks.rules.common import ADULT, BY_NAME_LINE, ORDERING_VKA, REFER_ANTICOAGULATION, REFER_NEPHROLOGY

_SUMMARY = (
    "{drug}: {status} calciphylaxis on record. VKAs are linked to this disease - review before signing."
)
_CONSIDER = (
    Line(
        "Is the VKA still needed? Options to discuss with nephrology and the prescriber: no anticoagulation, LAA "
        "occlusion, apixaban where licensed for dialysis (labels differ by country), IV unfractionated heparin for "
        "short gaps. SC heparin or LMWH adds skin trauma, and LMWH accumulates. If a neuraxial block is planned, "
        "check anticoagulant timing.",
    ),
)
_WHY = (
    Line("Calciphylaxis {calciphylaxis_evidence}"),
    Line(
        "VKA exposure is associated with calciphylaxis (odds ratio 3 to 11 in case-control studies: E1, E3); a "
        "possible mechanism is less vitamin K-dependent inhibition of calcification (E41)"
    ),
    Line("Regulators advise to start treatment and consider stopping the VKA (MHRA 2016, Medsafe 2017)"),
    Line("Indication: {other_indication}"),
    BY_NAME_LINE,
)
_EXCEPTIONS = (
    Line(
        "A mechanical valve, antiphospholipid syndrome or another mandatory VKA indication needs a joint decision. "
        "Calciphylaxis is not an allergy: document it as a problem."
    ),
)
_SUGGESTIONS = (
    RemoveDraft("Remove this {drug} order"),
    REFER_NEPHROLOGY,
    REFER_ANTICOAGULATION,
    Refer("referral.dermatology"),
)

RULE = Rule(
    id="vka-calciphylaxis",
    number=1,
    version="1.0.0",
    title="Vitamin K antagonist with calciphylaxis",
    trigger=ORDERING_VKA,
    population=(ADULT,),
    criteria=(CURRENT_OR_PAST,),
    exclusions=(MandatoryVka(),),
    suppressions=(),
    tiers=(
        Tier(
            indicator=Indicator.CRITICAL,
            when=DOCUMENTED,
            summary=_SUMMARY,
            consider=_CONSIDER,
            why=_WHY,
            exceptions=_EXCEPTIONS,
            suggestions=_SUGGESTIONS,
        ),
        Tier(
            indicator=Indicator.WARNING,
            when=Not(DOCUMENTED),
            summary=_SUMMARY,
            consider=_CONSIDER,
            why=_WHY,
            exceptions=_EXCEPTIONS,
            suggestions=_SUGGESTIONS,
        ),
    ),
    when_unknown=CardText(
        summary="{drug}: calciphylaxis status could not be checked. Review the problem list before signing.",
        detail=(Line("If calciphylaxis is known or suspected, review the need for a VKA before signing."),),
    ),
    override_reasons=(
        why.contraindicated("Mechanical valve, APS or other mandatory VKA indication"),
        why.expert("Specialist discussed: benefit outweighs risk"),
        why.mitigated("Short bridging course, monitored"),
        why.benefit("End-of-life goals of care"),
        why.ineligible("Diagnosis refuted or record wrong"),
    ),
    evidence=(
        Cites(
            ev.E3, "VKA: odds ratio 11.4 (2.7-48.1), univariate, 28 definite cases and 56 controls in Japan"
        ),
        Cites(ev.E1, "VKA at haemodialysis start: more than threefold odds, multivariable, 1,030 cases"),
        Cites(ev.E41, "Each 0.1 fall in relative carboxylated matrix Gla protein: more than twofold risk"),
        Cites(ev.E60, "If calciphylaxis is diagnosed, start treatment and consider stopping warfarin"),
        Cites(ev.E61, "Same advice for prescribers in New Zealand"),
    ),
    thresholds=(),
    data_required=("conditions",),
    source_label="MHRA Drug Safety Update 2016",
    strength="strong",
    certainty="low",
)
