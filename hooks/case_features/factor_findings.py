"""What is asked for each factor of the patient summary that is no plain criterion, with the value to print."""

from __future__ import annotations

import calendar
from collections.abc import Iterable
from datetime import date
from decimal import Decimal

from cds_service.api import (
    Answer,
    Facts,
    Finding,
    HasProblem,
    LabAtLeast,
    LabBelow,
    Medication,
    MedicationState,
    Precision,
    Taking,
    When,
    above,
    below,
    describe,
    in_groups,
    latest,
    show,
    tell,
)
from hooks import valuesets as vs
from hooks.analytes import ALBUMIN, ALP, PROTEIN_S, PTH
from hooks.case_features.anticoagulation import ON_VKA, RECENT_DAYS, VKA
from hooks.case_features.chart import NOT_BY_MOUTH
from hooks.case_features.dialysis import dialysis
from hooks.case_features.exposure import calcium_load
from hooks.case_features.pth import PthHigh, PthLow
from hooks.thresholds import T8, T8_VERY, T10, T11, limit

STEROID_COURSE_DAYS = 21
VINTAGE_YEARS = 5
PTH_VERY_HIGH = Decimal(1000)
"""pg/mL; above it PTH is called very high (PMC10557543, Table 3)."""
_MICROGRAMS = Decimal(1000)

ON_ACTIVE_VITAMIN_D = Taking((vs.ACTIVE_VITAMIN_D,))
ON_CALCIUM = Taking((vs.ORAL_CALCIUM,), not_routes=NOT_BY_MOUTH)
ON_STEROID = Taking(
    (vs.SYSTEMIC_CORTICOSTEROIDS,), ended_within_days=RECENT_DAYS, only_routes=("oral", "iv", "im")
)
ON_SC_INSULIN = Taking((vs.SC_INSULIN,), only_routes=("sc",))
DIABETES = HasProblem((vs.DIABETES,))
LOW_ALBUMIN = LabBelow(ALBUMIN, T8.value, T8.source)
_PROTEIN_C_S = (
    vs.PROTEIN_C_DEFICIENCY_SNOMED_LICENSED,
    vs.PROTEIN_S_DEFICIENCY,
    vs.PROTEIN_C_S_ANTITHROMBIN_DEFICIENCY,
)


def tell_medicines(items: Iterable[Medication]) -> str:
    """`warfarin since 3 Jan 2025`, one entry for each drug: its earliest order that is still running."""
    order = (MedicationState.ACTIVE, MedicationState.ON_HOLD, MedicationState.ENDED)
    by_name: dict[str, list[Medication]] = {}
    for item in items:
        by_name.setdefault(item.name, []).append(item)
    told = []
    for name, same in by_name.items():
        state = min((item.state for item in same), key=order.index)
        told.append(_tell_medicine(name, [item for item in same if item.state is state]))
    return "; ".join(told)


def _tell_medicine(name: str, same: list[Medication]) -> str:
    by_name = " (matched by name)" if all(item.basis == "name" for item in same) else ""
    state = same[0].state
    if state is MedicationState.ENDED:
        last = _extreme(max, [item.ended for item in same])
        return f"{name}{by_name}, recent (ended {last or 'date not given'})"
    hold = ", on hold" if state is MedicationState.ON_HOLD else ""
    first = _extreme(min, [item.started for item in same])
    return f"{name}{by_name}{hold}, {f'since {first}' if first else 'start not recorded'}"


def _extreme(pick: type, dates: list[When | None]) -> When | None:
    raise NotImplementedError
