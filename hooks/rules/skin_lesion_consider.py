"""A recent skin finding on dialysis, or soon after a kidney transplant: calciphylaxis in the differential."""

from cds_service.api import (
    Always,
    AnyOf,
    CardText,
    Cites,
    Indicator,
    Line,
    OpeningChart,
    Refer,
    Requested,
    Rule,
    Tier,
)
from hooks import evidence as ev
from hooks import override_reasons as why
from hooks import valuesets as vs
from hooks.case_features.calciphylaxis import CURRENT_OR_PAST
from hooks.case_features.dialysis import OnDialysis
from hooks.case_features.skin import SuspectLesion
from hooks.case_features.transplant import RecentTransplant
from hooks.rules.common import ADULT, DIALYSIS_LINE, REFER_NEPHROLOGY

TRANSPLANT_DAYS = 365
REFERRED_DAYS = 60

RULE = Rule(
    id="skin-lesion-consider",
    number=9,
    version="1.0.0",
    title="Skin lesion on dialysis: consider calciphylaxis",
    trigger=OpeningChart(),
    population=(ADULT,),
    criteria=(SuspectLesion(), AnyOf((OnDialysis(), RecentTransplant(TRANSPLANT_DAYS)))),
    exclusions=(CURRENT_OR_PAST,),
    suppressions=(Requested((vs.REFERRAL_DERMATOLOGY, vs.WOUND_CARE), REFERRED_DAYS),),
    tiers=(
        Tier(
            indicator=Indicator.INFO,
            when=Always(),
            summary="{cohort} and {lesion}: if painful or necrotic, consider calciphylaxis in the differential.",
            consider=(
                Line(
                    "Look at the skin and ask about pain. Joint review by dermatology, wound care and nephrology is "
                    "an option."
                ),
            ),
            why=(
                Line("{lesion_evidence}"),
                Line(
                    "Features: severe pain, violaceous or net-like mottling, plate-like induration, black eschar, "
                    "fatty sites (thigh, abdomen, buttock), often on both sides, sometimes the penis. The site matters: "
                    "central and distal disease run differently (E17)"
                ),
                Line("Often mistaken for cellulitis at first (73 % of 119 were misdiagnosed, E44)"),
                Line(
                    "Mimics: peripheral artery disease, cholesterol emboli, nephrogenic systemic fibrosis, vasculitis "
                    "(ANA may help there), warfarin necrosis, pyoderma gangrenosum"
                ),
                Line(
                    "No laboratory value or image confirms or excludes it; a bone scan is a non-invasive option, and an "
                    "excisional biopsy is usually avoided"
                ),
                Line("Wounds are a source of sepsis: look for infection"),
                Line("{exposure}"),
                DIALYSIS_LINE,
                Line("{transplant_factor}"),
            ),
            suggestions=(Refer("referral.dermatology"), Refer("referral.wound-care"), REFER_NEPHROLOGY),
            closing=(Line("Not readable: {unread}"),),
        ),
    ),
    when_unknown=CardText(
        summary="A skin finding could not be judged: dialysis or transplant status, or its date, is not known.",
        detail=(Line("If the patient is on dialysis and the lesion is painful, consider calciphylaxis."),),
    ),
    override_reasons=(
        why.ineligible("Alternative diagnosis established"),
        why.done("Already assessed"),
    ),
    evidence=(
        Cites(
            ev.E44,
            "73 % of 119 patients were misdiagnosed at first, 31 % as cellulitis; delay 33 against 4.5 days",
        ),
        Cites(ev.E17, "One-year outcome by site: distal against proximal hazard ratio 0.34 (0.18-0.62)"),
        Cites(ev.E68, "Mimics of calciphylaxis"),
        Cites(ev.E42, "Skin biopsy: first sensitivity 51.8 %, complications 14 %"),
        Cites(ev.E43, "Bone scan: sensitivity 89 % in 18 cases"),
        Cites(ev.E18, "43 % of post-transplant cases arose in the first year"),
    ),
    thresholds=(),
    data_required=("patient", "conditions"),
    source_label="Gabel 2021",
    strength="moderate",
    certainty="low",
)
