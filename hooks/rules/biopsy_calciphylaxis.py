"""Skin biopsy ordered while calciphylaxis is on record or a skin lesion on dialysis raises the question."""

from cds_service.api import (
    AllOf,
    Always,
    AnyOf,
    CardText,
    Cites,
    HasProblem,
    Indicator,
    Line,
    Not,
    OrderingProcedure,
    Refer,
    Rule,
    Tier,
)
from hooks import evidence as ev
from hooks import override_reasons as why
from hooks import valuesets as vs
from hooks.case_features.biopsy import SKIN_LESION_ON_DIALYSIS
from hooks.case_features.calciphylaxis import CURRENT_OR_PAST, DOCUMENTED
from hooks.case_features.ordered import OrderedFor, OrderOf, SiteIsNotSkin
from hooks.rules.common import ADULT

_EXCISIONAL = OrderOf((vs.SKIN_BIOPSY_EXCISIONAL,))
_PUNCH = OrderOf((vs.SKIN_BIOPSY_PUNCH,))
_CONSIDER = (
    Line(
        "Options to discuss with dermatology: a punch biopsy, a bone scan, or no biopsy. Experts differ; recent "
        "opinion advises against routine biopsy (E54)."
    ),
)
_WHY = (
    Line("Calciphylaxis {calciphylaxis_evidence}", DOCUMENTED),
    Line("Calciphylaxis not documented; skin finding: {lesion_evidence}", Not(DOCUMENTED)),
    Line(
        "Biopsy in calciphylaxis: the first one found it in 51.8 %; complications in 14 % (233 biopsies, 114 "
        "patients: E42)"
    ),
    Line(
        "A bone scan needs no wound (sensitivity 62.5 to 97 % in small series: E9, E12, E43); plain film and "
        "mammographic technique are described, less established"
    ),
    Line("Biopsy type/site not coded", Not(AnyOf((_EXCISIONAL, _PUNCH)))),
    Line("Biopsy site not coded: if it is not the skin, disregard", _PUNCH),
    Line("On {blood_thinners}: plan for bleeding"),
)
_EXCEPTIONS = (
    Line(
        "A biopsy may be needed to exclude malignancy or vasculitis. Penile, acral and infected sites are usually "
        "avoided (expert practice, source to be confirmed)."
    ),
)
_SUGGESTIONS = (Refer("referral.dermatology"),)

RULE = Rule(
    id="biopsy-calciphylaxis",
    number=10,
    version="1.0.0",
    title="Skin biopsy in possible calciphylaxis",
    trigger=OrderingProcedure((vs.SKIN_BIOPSIES,)),
    population=(ADULT,),
    criteria=(AnyOf((DOCUMENTED, SKIN_LESION_ON_DIALYSIS)),),
    exclusions=(
        AllOf((_PUNCH, SiteIsNotSkin())),
        AllOf(
            (Not(CURRENT_OR_PAST), AnyOf((OrderedFor((vs.SKIN_NEOPLASM,)), HasProblem((vs.SKIN_NEOPLASM,)))))
        ),
    ),
    suppressions=(),
    tiers=(
        Tier(
            indicator=Indicator.WARNING,
            when=_EXCISIONAL,
            summary=(
                "Excisional skin biopsy with {biopsy_status} calciphylaxis: risk of new ulceration. "
                "Discuss punch or imaging instead."
            ),
            consider=_CONSIDER,
            why=_WHY,
            exceptions=_EXCEPTIONS,
            suggestions=_SUGGESTIONS,
            forbids_delete=True,
        ),
        Tier(
            indicator=Indicator.INFO,
            when=Always(),
            summary=(
                "Skin biopsy in possible calciphylaxis: sensitivity is limited (first biopsy about 50%) and wounds "
                "may not heal."
            ),
            consider=_CONSIDER,
            why=_WHY,
            exceptions=_EXCEPTIONS,
            suggestions=_SUGGESTIONS,
            forbids_delete=True,
        ),
    ),
    when_unknown=CardText(
        summary="{order}: calciphylaxis status could not be checked. Review the problem list before signing.",
        detail=(
            Line(
                "If calciphylaxis is known or suspected, discuss the biopsy with dermatology: wounds may not heal."
            ),
        ),
    ),
    override_reasons=(
        why.benefit("Malignancy or vasculitis must be excluded"),
        why.expert("Dermatology advised"),
    ),
    evidence=(
        Cites(ev.E42, "First biopsy 51.8 % sensitive, 14 % complications, one death; 233 biopsies"),
        Cites(ev.E54, "Recent opinion against routine biopsy (secondary)"),
        Cites(ev.E12, "Bone scan: sensitivity 97 % in 2002, few patients biopsied"),
        Cites(ev.E43, "Bone scan: sensitivity 89 %, 18 cases and 31 controls"),
        Cites(ev.E9, "Bone scan: sensitivity 62.5 %"),
    ),
    thresholds=(),
    data_required=("patient", "conditions"),
    source_label="Biopsy cohort (JAAD, via Dermatology Advisor)",
    strength="weak",
    certainty="low",
)
