"""A drug injected under the skin, ordered for a patient with calciphylaxis on record.

Vaccines, emergency injections (glucagon, adrenaline, naloxone) and palliative pumps are not in the trigger.
Insulin must never be withheld: its card says so. Without a route the rule is only recorded as not assessable.
"""

from cds_service.api import CardText, Cites, Indicator, Line, Not, Ordering, Refer, Rule, Tier
from hooks import evidence as ev
from hooks import override_reasons as why
from hooks import valuesets as vs
from hooks.case_features.calciphylaxis import DOCUMENTED
from hooks.case_features.injection import UnderTheSkin
from hooks.case_features.ordered import OrderOf
from hooks.rules.common import ADULT, BY_NAME_LINE, REFER_NEPHROLOGY

_INSULIN = OrderOf((vs.SC_INSULIN,))
_WHY = (
    Line("Calciphylaxis {calciphylaxis_evidence}"),
    Line(
        "Insulin under the skin: odds ratio 1.49 (1.03-2.51) at 1-2 injections a day, 3.74 (2.28-6.25) above 3, for "
        "calciphylaxis of the lower abdomen or upper thigh (E1)",
        _INSULIN,
    ),
    Line(
        "Trauma to the skin is usually avoided in calciphylaxis; a dose-response is known for insulin only (E1)"
    ),
    Line("An erythropoiesis-stimulating agent can go IV on haemodialysis", OrderOf((vs.ESA,))),
    Line("LMWH accumulates on dialysis", OrderOf((vs.LOW_MOLECULAR_WEIGHT_HEPARINS,))),
    BY_NAME_LINE,
)
_TECHNIQUE = (
    "Rotate sites, use the shortest needle, keep away from lesions of the lower abdomen and upper thigh."
)

RULE = Rule(
    id="sc-injection-calciphylaxis",
    number=12,
    version="1.0.0",
    title="Subcutaneous injection with calciphylaxis",
    trigger=Ordering((vs.SUBCUTANEOUS_MEDICINES,), only_routes=("sc",)),
    population=(ADULT,),
    criteria=(DOCUMENTED, UnderTheSkin()),
    exclusions=(),
    suppressions=(),
    tiers=(
        Tier(
            indicator=Indicator.INFO,
            when=_INSULIN,
            summary=(
                "{drug} SC with {status} calciphylaxis: do not withhold insulin; rotate sites, keep away from lesions."
            ),
            consider=(Line(f"Insulin must not be withheld. {_TECHNIQUE}"),),
            why=_WHY,
            suggestions=(Refer("referral.diabetes"), REFER_NEPHROLOGY),
            forbids_delete=True,
            branch="Insulin",
        ),
        Tier(
            indicator=Indicator.INFO,
            when=Not(_INSULIN),
            summary=(
                "{drug} SC with {status} calciphylaxis: avoid injecting near lesions; use IV/oral route if one exists."
            ),
            consider=(Line(f"Is there an IV or oral route? {_TECHNIQUE}"),),
            why=_WHY,
            suggestions=(REFER_NEPHROLOGY,),
            forbids_delete=True,
        ),
    ),
    when_unknown=CardText(
        summary="{drug}: route or calciphylaxis status could not be checked.",
        detail=(Line("If it goes under the skin and calciphylaxis is on record, keep away from lesions."),),
    ),
    override_reasons=(
        why.unavailable("No IV or oral alternative"),
        why.mitigated("Sites rotated, away from lesions"),
        why.ineligible("Diagnosis refuted or record wrong"),
    ),
    evidence=(
        Cites(
            ev.E1,
            "Insulin injections, against diabetes without insulin: dose-response up to 3.74 (2.28-6.25)",
        ),
    ),
    thresholds=(),
    data_required=("patient", "conditions"),
    source_label="Nigwekar 2016",
    strength="weak",
    certainty="low",
    gap_card=False,
)
