"""A systemic steroid of 21 days or more for a patient with calciphylaxis on record. Neutral on purpose."""

from cds_service.api import Always, CardText, Cites, Indicator, Line, Ordering, Refer, Rule, Tier
from hooks import evidence as ev
from hooks import override_reasons as why
from hooks import valuesets as vs
from hooks.case_features.calciphylaxis import DOCUMENTED
from hooks.case_features.steroid import ADRENAL_INSUFFICIENCY, FunctioningTransplant, LongCourse
from hooks.rules.common import ADULT, BY_NAME_LINE, REFER_NEPHROLOGY

RULE = Rule(
    id="steroid-calciphylaxis",
    number=19,
    version="1.0.0",
    title="Systemic steroid with calciphylaxis",
    trigger=Ordering((vs.SYSTEMIC_CORTICOSTEROIDS,), only_routes=("oral", "iv", "im")),
    population=(ADULT,),
    criteria=(DOCUMENTED, LongCourse()),
    exclusions=(FunctioningTransplant(), ADRENAL_INSUFFICIENCY),
    suppressions=(),
    tiers=(
        Tier(
            indicator=Indicator.INFO,
            when=Always(),
            summary=(
                "Systemic steroid with {status} calciphylaxis: associated with risk; evidence for benefit is small "
                "and mixed."
            ),
            consider=(
                Line(
                    "Discuss aim, dose and length with nephrology or dermatology; a steroid that is already taken must "
                    "not end abruptly (adrenal crisis, graft rejection)."
                ),
            ),
            why=(
                Line("Calciphylaxis {calciphylaxis_evidence}"),
                Line("Steroid use was a risk factor in a case-control study (E7)"),
                Line("11 of 14 patients without ulcers improved on prednisone in one report"),
                Line("A steroid raises the risk of infection, slows wound healing and thins bone"),
                BY_NAME_LINE,
            ),
            suggestions=(REFER_NEPHROLOGY, Refer("referral.dermatology")),
            forbids_delete=True,
        ),
    ),
    when_unknown=CardText(
        summary="{drug}: length of the course or calciphylaxis status could not be checked.",
        detail=(Line("With calciphylaxis on record, discuss a longer course with nephrology."),),
    ),
    override_reasons=(
        why.contraindicated("Transplant, adrenal or autoimmune disease needs it"),
        why.expert("Specialist advice"),
        why.ineligible("Diagnosis refuted or record wrong"),
    ),
    evidence=(
        Cites(ev.E7, "Corticosteroid use as a risk factor, 49 dialysis cases and 98 controls"),
        Cites(ev.E12, "Some benefit of steroids reported, 36 cases"),
    ),
    thresholds=(),
    data_required=("patient", "conditions"),
    source_label="Weenig 2007",
    strength="weak",
    certainty="very-low",
    gap_card=False,
)
