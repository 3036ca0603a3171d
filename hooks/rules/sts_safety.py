"""Sodium thiosulfate ordered into a vein: safety checks. Never a suggestion to start it.

Cyanide kits and topical products are taken out by their codes and names, the product for cisplatin
ototoxicity by its own value set, and both uses by the order's coded reason. A reason in words is not read.
"""

from cds_service.api import Always, CardText, Cites, Indicator, Line, Ordering, OrderLab, Rule, Tier
from hooks import evidence as ev
from hooks import override_reasons as why
from hooks import valuesets as vs
from hooks.analytes import BICARBONATE, SODIUM
from hooks.case_features.ordered import OrderedFor, OrderOf
from hooks.case_features.results import NoUsableResult
from hooks.case_features.thiosulfate import GapHoldsPotassium, ThiosulfateCaution
from hooks.labs_missing import LabsMissing
from hooks.rules.common import ADULT, BY_NAME_LINE
from hooks.thresholds import T4, T14_ANION_GAP, T14_BICARBONATE, T14_SODIUM

_SUMMARY = "Sodium thiosulfate (off-label): benefit unproven. Check bicarbonate/anion gap, Na, Ca, BP, QTc."
_REFERENCE = (
    Line(
        "For reference, not a recommended dose: often cited is 12.5-25 g IV in the last 30-60 min of HD, three times a "
        "week; one UK unit starts with 12.5 g over 30 min, then 25 g over 60 min with ondansetron, and checks U&E, Ca "
        "and P before doses 1-2, then weekly, PTH monthly (E39)"
    ),
    Line(
        "Acidosis with a high anion gap grows with the dose; the sodium load depends on the salt form of the product "
        "(E39b). Intraperitoneal use has caused chemical peritonitis (E39c)"
    ),
    Line("No benefit in 19 cohorts, 422 patients (E36), nor in an earlier meta-analysis (E37)"),
    BY_NAME_LINE,
)
_RESULTS = (
    Line("Last 7 days: {sts_results}"),
    Line("The anion gap includes potassium and reads about 4 mmol/L higher", GapHoldsPotassium()),
    Line("{calcium_line}"),
)
_LABS = (
    OrderLab("lab.bicarbonate"),
    OrderLab("lab.sodium"),
    OrderLab("lab.calcium"),
    OrderLab("lab.albumin"),
)

RULE = Rule(
    id="sts-safety",
    number=16,
    version="1.0.0",
    title="Sodium thiosulfate safety checks",
    trigger=Ordering((vs.SODIUM_THIOSULFATE,), only_routes=("iv",)),
    population=(ADULT,),
    criteria=(),
    exclusions=(
        OrderOf((vs.SODIUM_THIOSULFATE_OTOPROTECTION,)),
        OrderedFor((vs.CYANIDE_POISONING, vs.OTOTOXIC_HEARING_LOSS)),
    ),
    suppressions=(),
    tiers=(
        Tier(
            indicator=Indicator.WARNING,
            when=ThiosulfateCaution(),
            summary=_SUMMARY,
            consider=(Line("Review the values below with nephrology before this dose."),),
            why=(*_RESULTS, Line("Not available: {sts_missing}"), *_REFERENCE),
            suggestions=_LABS,
            forbids_delete=True,
        ),
        Tier(
            indicator=Indicator.INFO,
            when=Always(),
            summary=_SUMMARY,
            consider=(Line("Are the checks arranged before and during the course?"),),
            why=(*_RESULTS, *_REFERENCE),
            suggestions=(
                OrderLab("lab.bicarbonate", NoUsableResult(BICARBONATE)),
                OrderLab("lab.sodium", NoUsableResult(SODIUM)),
                OrderLab("lab.calcium", LabsMissing(("Ca",))),
                OrderLab("lab.albumin", LabsMissing(("albumin",))),
            ),
            forbids_delete=True,
        ),
    ),
    when_unknown=CardText(
        summary="{drug}: the checks for adults could not be completed. Check bicarbonate, Na, Ca and QTc.",
        detail=(Line("{calcium_line}"),),
    ),
    override_reasons=(why.policy("Nephrology protocol in place"), why.done("Already monitored")),
    evidence=(
        Cites(ev.E36, "Meta-analysis, 19 cohorts, 422 patients: no demonstrated benefit"),
        Cites(ev.E37, "Earlier meta-analysis: no difference in mortality (0.89, 0.71-1.12)"),
        Cites(ev.E39, "Schedule and monitoring of one UK renal unit"),
        Cites(ev.E39B, "Sodium load and anion gap acidosis"),
        Cites(ev.E39C, "Intraperitoneal thiosulfate: chemical peritonitis"),
    ),
    thresholds=tuple(item.threshold for item in (T14_BICARBONATE, T14_ANION_GAP, T14_SODIUM, T4)),
    data_required=("patient", "labs"),
    source_label="Wen 2023, Edinburgh renal handbook",
    strength="moderate",
    certainty="low",
)
