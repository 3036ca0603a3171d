"""Peritoneal dialysis and calciphylaxis on record: does the modality still fit? A question, not a directive."""

from cds_service.api import Always, CardText, Cites, Indicator, Line, OpeningChart, Rule, Tier
from hooks import evidence as ev
from hooks import override_reasons as why
from hooks.case_features.calciphylaxis import DOCUMENTED
from hooks.case_features.modality import OnPeritonealDialysis, PalliativeCare
from hooks.rules.common import ON_DIALYSIS, REFER_NEPHROLOGY

RULE = Rule(
    id="pd-modality-calciphylaxis",
    number=21,
    version="1.0.0",
    title="Peritoneal dialysis with calciphylaxis",
    trigger=OpeningChart(),
    population=ON_DIALYSIS,
    criteria=(DOCUMENTED, OnPeritonealDialysis()),
    exclusions=(),
    suppressions=(PalliativeCare(),),
    tiers=(
        Tier(
            indicator=Indicator.INFO,
            when=Always(),
            summary=(
                "Peritoneal dialysis with {status} calciphylaxis: discuss with nephrology whether the modality still "
                "fits."
            ),
            consider=(
                Line(
                    "Discuss with nephrology and the patient, whose preference counts; nothing here is automatic."
                ),
            ),
            why=(
                Line("Peritoneal dialysis: {pd_evidence}"),
                Line(
                    "PD was associated with calciphylaxis in some cohorts (E8, E12; 9.0 per 1,000 patient-years in one "
                    "centre, E11), not in others; no trial shows that changing modality helps"
                ),
                Line(
                    "A move to HD needs access surgery and its wounds; review of dialysis adequacy and dialysate "
                    "calcium is an alternative. Intraperitoneal thiosulfate has caused chemical peritonitis (E39c)"
                ),
                Line("{calciphylaxis_factor}"),
            ),
            suggestions=(REFER_NEPHROLOGY,),
        ),
    ),
    when_unknown=CardText(
        summary="Peritoneal dialysis with calciphylaxis: the current modality could not be told.",
        detail=(Line("Not readable: {unread}"),),
    ),
    override_reasons=(
        why.done("Modality already reviewed"),
        why.expert("Nephrology advises staying on PD"),
        why.contraindicated("HD not possible (access, haemodynamics)"),
        why.refused("Patient prefers PD"),
        why.unavailable("HD not available"),
    ),
    evidence=(
        Cites(ev.E8, "Peritoneal dialysis as an independent factor in one case-control study"),
        Cites(ev.E12, "Peritoneal dialysis as a risk factor in 36 cases"),
        Cites(ev.E11, "9.0 per 1,000 patient-years on PD: 7 of 63 patients of one centre"),
        Cites(ev.E39C, "Chemical peritonitis after intraperitoneal thiosulfate"),
    ),
    thresholds=(),
    data_required=("patient", "conditions"),
    source_label="Case-control studies",
    strength="weak",
    certainty="very-low",
    gap_card=False,
    line_only=True,
)
