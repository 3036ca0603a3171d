"""Morphine, codeine or pethidine ordered on dialysis for a patient with calciphylaxis on record.

Without calciphylaxis the EHR's own renal-dosing alerts are left to do this.
"""

from cds_service.api import Always, CardText, Cites, Indicator, Line, Ordering, Refer, Rule, Tier
from hooks import evidence as ev
from hooks import override_reasons as why
from hooks import valuesets as vs
from hooks.case_features.calciphylaxis import DOCUMENTED
from hooks.case_features.opioid import COMFORT_CARE, LastingUse, ShortUse
from hooks.rules.common import BY_NAME_LINE, DIALYSIS_LINE, ON_DIALYSIS

_SUMMARY = "{drug} on dialysis: active metabolites accumulate. Fentanyl, buprenorphine or methadone (expert) preferred."
_CONSIDER = (
    Line(
        "Ask the pain or palliative team early: pain in calciphylaxis is often hard to control, even with high "
        "doses. Methadone lengthens QT, more so with low calcium (calcimimetic) or ondansetron."
    ),
)
_WHY = (
    DIALYSIS_LINE,
    Line("Calciphylaxis {calciphylaxis_evidence}"),
    Line("Active metabolites accumulate on dialysis: M3G and M6G of morphine and codeine (E63)"),
    Line("{qt_medicines} on the medication list: lengthens QT"),
    Line("Have naloxone at hand. If a nerve or spinal block is planned, check anticoagulant timing (E30)"),
    BY_NAME_LINE,
)
_SUGGESTIONS = (Refer("referral.pain"), Refer("referral.palliative"))

RULE = Rule(
    id="opioid-calciphylaxis",
    number=14,
    version="1.0.0",
    title="Opioid with active metabolites on dialysis",
    trigger=Ordering((vs.OPIOIDS_ACTIVE_METABOLITES,), not_routes=("topical", "intralesional")),
    population=ON_DIALYSIS,
    criteria=(DOCUMENTED,),
    exclusions=(ShortUse(),),
    suppressions=(),
    tiers=(
        Tier(
            indicator=Indicator.INFO,
            when=COMFORT_CARE,
            summary=_SUMMARY,
            consider=(Line("Comfort care is on record: comfort comes first."), *_CONSIDER),
            why=_WHY,
            suggestions=_SUGGESTIONS,
            forbids_delete=True,
            branch="Comfort",
        ),
        Tier(
            indicator=Indicator.WARNING,
            when=LastingUse(),
            summary=_SUMMARY,
            consider=_CONSIDER,
            why=_WHY,
            suggestions=_SUGGESTIONS,
            forbids_delete=True,
        ),
        Tier(
            indicator=Indicator.INFO,
            when=Always(),
            summary=_SUMMARY,
            consider=_CONSIDER,
            why=(Line("Duration or regular use not given with the order"), *_WHY),
            suggestions=_SUGGESTIONS,
            forbids_delete=True,
        ),
    ),
    when_unknown=CardText(
        summary="{drug}: dialysis or calciphylaxis status could not be checked. Review before signing.",
        detail=(Line("On dialysis, active metabolites of morphine, codeine and pethidine accumulate."),),
    ),
    override_reasons=(
        why.benefit("End of life"),
        why.tolerated("Tolerated previously"),
        why.ineligible("Single dose"),
        why.expert("Pain team advice"),
    ),
    evidence=(
        Cites(ev.E63, "Opioids in haemodialysis: metabolites of morphine and codeine accumulate"),
        Cites(ev.E30, "Apixaban label, boxed warning: haematoma with neuraxial block"),
    ),
    thresholds=(),
    data_required=("patient", "conditions"),
    source_label="PMC7490082",
    strength="moderate",
    certainty="low",
)
