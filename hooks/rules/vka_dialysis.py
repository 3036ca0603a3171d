"""Vitamin K antagonist ordered for a patient on dialysis, at any Ca x P."""

from cds_service.api import AllOf, AnyOf, CardText, Cites, Indicator, Line, Not, RemoveDraft, Rule, Tier
from hooks import evidence as ev
from hooks import override_reasons as why
from hooks.case_features.anticoagulation import (
    CurrentMedicinesUnreadable,
    MandatoryVka,
    NewVkaStart,
    VkaRenewal,
)
from hooks.case_features.calciphylaxis import CURRENT_OR_PAST
from hooks.case_features.calcium import HighCalcium
from hooks.case_features.factors import ManyOtherFactors
from hooks.case_features.product import HIGH_PRODUCT_FULL
from hooks.rules.common import (
    BY_NAME_LINE,
    DIALYSIS_LINE,
    LABS_IF_MISSING,
    ON_DIALYSIS,
    ORDERING_VKA,
    REFER_ANTICOAGULATION,
)
from hooks.thresholds import T1, T3

_WHY = (
    DIALYSIS_LINE,
    Line("Current medicines not readable: treated as a new start", CurrentMedicinesUnreadable()),
    BY_NAME_LINE,
    Line("{product_line}"),
    Line("Indication: {other_indication}"),
    Line(
        "Rare (about 3.5 per 1,000 HD patient-years in one US network, not this patient's own risk), but VKAs "
        "raise the odds (odds ratio 3 to 11: E1, E3)"
    ),
    Line("Risk factors: {factors_present}"),
    Line("Not known: {factors_unknown}"),
    Line("Benefit in AF on HD is uncertain: time in range 44-51 % in two trials (E31, E32)"),
)
_EXCEPTIONS = (
    Line(
        "If a mechanical valve or antiphospholipid syndrome is present, disregard. Ask the patient to report "
        "painful skin change."
    ),
)
_CONFIRM = (
    Line(
        "Confirm that the VKA is still needed; an abrupt stop carries thrombotic risk, so discuss a change with "
        "the anticoagulation team."
    ),
)
_RENEWAL = "{drug} renewal on dialysis: confirm the VKA is still needed (calciphylaxis association)."

RULE = Rule(
    id="vka-dialysis",
    number=2,
    version="1.0.0",
    title="Vitamin K antagonist on dialysis",
    trigger=ORDERING_VKA,
    population=ON_DIALYSIS,
    criteria=(),
    exclusions=(CURRENT_OR_PAST, MandatoryVka()),
    suppressions=(),
    tiers=(
        Tier(
            indicator=Indicator.WARNING,
            when=NewVkaStart(),
            summary=(
                "{drug} on dialysis: VKAs are linked to calciphylaxis (rare, severe). "
                "Check indication and alternatives."
            ),
            consider=(
                Line(
                    "Is a VKA needed? No anticoagulation and LAA occlusion are options to discuss with nephrology."
                ),
            ),
            why=_WHY,
            exceptions=_EXCEPTIONS,
            suggestions=(
                RemoveDraft("Remove this {drug} order", Not(CurrentMedicinesUnreadable())),
                REFER_ANTICOAGULATION,
                *LABS_IF_MISSING,
            ),
        ),
        Tier(
            indicator=Indicator.WARNING,
            when=AllOf(
                (VkaRenewal(), AnyOf((HIGH_PRODUCT_FULL, HighCalcium(full=True), ManyOtherFactors())))
            ),
            summary=_RENEWAL,
            consider=_CONFIRM,
            why=_WHY,
            exceptions=_EXCEPTIONS,
            suggestions=(REFER_ANTICOAGULATION,),
            forbids_delete=True,
            branch="Renewal",
        ),
        Tier(
            indicator=Indicator.INFO,
            when=VkaRenewal(),
            summary=_RENEWAL,
            consider=_CONFIRM,
            why=_WHY,
            exceptions=_EXCEPTIONS,
            suggestions=(REFER_ANTICOAGULATION,),
            forbids_delete=True,
            branch="Renewal",
        ),
    ),
    when_unknown=CardText(
        summary="{drug}: dialysis status could not be checked. VKAs are linked to calciphylaxis on dialysis.",
        detail=(
            Line("If the patient is on dialysis, check the indication and alternatives before signing."),
        ),
    ),
    override_reasons=(
        why.contraindicated("Mandatory VKA indication not yet coded"),
        why.unavailable("DOAC unsuitable, failed or unlicensed"),
        why.tolerated("Stable long term, specialist agrees"),
        why.benefit("Bleeding-risk decision"),
        why.mitigated("Will monitor skin and labs"),
        why.ineligible("Patient not on dialysis"),
    ),
    evidence=(
        Cites(ev.E1, "VKA at haemodialysis start: more than threefold odds, multivariable, 1,030 cases"),
        Cites(
            ev.E3, "VKA: odds ratio 11.4 (2.7-48.1), univariate, 28 definite cases and 56 controls in Japan"
        ),
        Cites(
            ev.E4,
            "52 % of 253 registry cases were on a VKA; median calcium and phosphate give a product below 55",
        ),
        Cites(ev.E36, "Incidence of 3.49 per 1,000 HD patient-years in one US network (page on the review)"),
        Cites(ev.E31, "AXADIA: 97 patients, time in therapeutic range of the VKA arm about half"),
        Cites(ev.E32, "RENAL-AF: 154 patients, underpowered"),
        Cites(ev.E20, "Goal for Ca x P below 55 mg2/dL2; action level for corrected calcium 10.2 mg/dL"),
    ),
    thresholds=(T1.threshold, T3.threshold),
    data_required=("patient", "conditions", "medications"),
    source_label="Nigwekar 2016 and KDOQI 2003",
    strength="moderate",
    certainty="low",
)
