"""The fills by name, with the greatest length each may have in a summary and an example for review sheets."""

from __future__ import annotations

from collections.abc import Mapping

from cds_service.api import FillSpec
from hooks.fills import chart, exposure, minerals, orders, patient

_LONG = 600

_MEDICATION_FILLS: Mapping[str, FillSpec] = {
    "drug": FillSpec(patient.drug, 30, "warfarin"),
    "order": FillSpec(patient.order, 30, "skin biopsy"),
    "status": FillSpec(patient.status, 9, "confirmed"),
    "trigger": FillSpec(minerals.trigger, 40, "corrected Ca 11.6 mg/dL, Ca x P 80.0"),
    "binder_trigger": FillSpec(exposure.binder_trigger, 40, "Ca x P 58.6 mg2/dL2 on 12 Nov 2026"),
    "date": FillSpec(minerals.date, 11, "12 Nov 2026", is_date=True),
    "pair_date": FillSpec(minerals.pair_date, 11, "12 Nov 2026", is_date=True),
    "ca_date": FillSpec(minerals.ca_date, 11, "12 Nov 2026", is_date=True),
    "p_date": FillSpec(minerals.p_date, 11, "12 Nov 2026", is_date=True),
    "pth_date": FillSpec(minerals.pth_date, 11, "2 Nov 2026", is_date=True),
    "caxp": FillSpec(minerals.caxp, 13, "64.4 mg2/dL2"),
    "goal": FillSpec(minerals.goal, 4, "55"),
    "ca": FillSpec(minerals.ca, 12, "11.6 mg/dL"),
    "p": FillSpec(minerals.p, 12, "6.1 mg/dL"),
    "pth": FillSpec(minerals.pth, 12, "1,050 pg/mL"),
    "pth_low_limit": FillSpec(minerals.pth_low_limit, 9, "2 x ULN"),
    "t3": FillSpec(minerals.t3, 11, "10.2 mg/dL"),
    "t4": FillSpec(minerals.t4, 11, "8.4 mg/dL"),
    "prange": FillSpec(minerals.prange, 16, "3.5-5.5 mg/dL"),
    "labs": FillSpec(minerals.labs, 22, "Ca, P, albumin and PTH"),
    "days": FillSpec(minerals.days, 3, "90"),
    "indication": FillSpec(patient.indication, 45, "mechanical heart valve"),
    "n": FillSpec(patient.n, 2, "5"),
    "u": FillSpec(patient.u, 2, "3"),
    # Lines of the detail
    "dialysis_evidence": FillSpec(
        patient.dialysis_evidence, _LONG, "probable: End stage renal disease (N18.6)"
    ),
    "calciphylaxis_evidence": FillSpec(
        patient.calciphylaxis_evidence, _LONG, "confirmed: Calciphylaxis (237900002)"
    ),
    "indications_found": FillSpec(
        patient.indications_found, _LONG, "Presence of prosthetic heart valve (Z95.2)"
    ),
    "other_indication": FillSpec(
        patient.other_indication, _LONG, "Atrial fibrillation (I48.91), recorded 3 May 2024"
    ),
    "matched_by_name": FillSpec(patient.matched_by_name, _LONG, "matched by name only, no code we know"),
    "factors_present": FillSpec(
        patient.factors_present, _LONG, "high phosphate, diabetes, female sex (3 present)"
    ),
    "factors_unknown": FillSpec(patient.factors_unknown, _LONG, "obesity, rapid weight loss (2 unknown)"),
    "vka_list": FillSpec(patient.vka_list, _LONG, "warfarin, active since 3 Jan 2025"),
    "digoxin": FillSpec(patient.digoxin, _LONG, "digoxin"),
    "pregnancy": FillSpec(patient.pregnancy, _LONG, "pregnancy recorded - specialist decision"),
    "vascular_calcification": FillSpec(
        patient.vascular_calcification, _LONG, "Vascular calcification, recorded 2025"
    ),
    "calcium_line": FillSpec(
        minerals.calcium_line, _LONG, "Calcium 9.6 mg/dL, corrected 10.6 mg/dL, 12 Nov 2026"
    ),
    "phosphate_line": FillSpec(minerals.phosphate_line, _LONG, "Phosphate 6.1 mg/dL, 12 Nov 2026"),
    "product_line": FillSpec(
        minerals.product_line, _LONG, "Ca x P 64.4 mg2/dL2 (5.19 mmol2/L2), 12 Nov 2026"
    ),
    "trend_line": FillSpec(minerals.trend_line, _LONG, "Ca x P trend: 52.1 (4 Sep 2026), 64.4 (12 Nov 2026)"),
    "pth_line": FillSpec(minerals.pth_line, _LONG, "PTH 620 pg/mL (9.5 x ULN) on 2 Nov 2026"),
    "ionised_line": FillSpec(minerals.ionised_line, _LONG, "ionised calcium 1.21 mmol/L on 12 Nov 2026"),
    "missing_lines": FillSpec(minerals.missing_lines, _LONG, "phosphate: no result"),
    "elemental_lines": FillSpec(
        exposure.elemental_lines, _LONG, "calcium acetate 2 x 667 mg x 3/day = 1,014 mg"
    ),
}

FILLS: Mapping[str, FillSpec] = {**_MEDICATION_FILLS, **chart.FILLS, **orders.FILLS}
