"""Which mineral labs are missing, stale or unusable (rule 7)."""

from __future__ import annotations

from dataclasses import dataclass

from cds_service.api import Analyte, Answer, Facts, Finding, latest
from hooks.analytes import ALBUMIN, CALCIUM, CALCIUM_CORRECTED, PHOSPHATE, PTH

_ANALYTES = ((CALCIUM, "Ca"), (PHOSPHATE, "P"), (ALBUMIN, "albumin"), (PTH, "PTH"))


@dataclass(frozen=True, slots=True)
class Missing:
    """An analyte without a usable result in its window, and why."""

    analyte: Analyte
    short: str
    why: str


def missing_labs(facts: Facts) -> tuple[Missing, ...]:
    """Calcium, phosphate, albumin (90 days) and PTH (180 days) without a usable result.

    A calcium that the laboratory adjusted stands in for total calcium and for the albumin.
    """
    adjusted = latest(facts, CALCIUM_CORRECTED).lab is not None
    found = []
    for analyte, short in _ANALYTES:
        if adjusted and analyte in (CALCIUM, ALBUMIN):
            continue
        result = latest(facts, analyte)
        if result.lab is None:
            found.append(
                Missing(analyte, short, _why(result.last.as_sent if result.last else "", result.why_none))
            )
    return tuple(found)


def _why(last: str, reason: str) -> str:
    return f"last result {last}; {reason}" if last else reason


@dataclass(frozen=True, slots=True)
class LabsMissing:
    """At least one of `of` has no usable result. `of` holds short names: Ca, P, albumin, PTH."""

    of: tuple[str, ...]

    @property
    def text(self) -> str:
        return f"no usable {' or '.join(self.of)} (90 days; PTH 180 days)"

    def evaluate(self, facts: Facts) -> Finding:
        found = [item for item in facts.feature(missing_labs) if item.short in self.of]
        if found:
            return Finding(
                self.text, Answer.MET, "; ".join(f"{item.analyte.title}: {item.why}" for item in found)
            )
        return Finding(self.text, Answer.NOT_MET, "usable results are on record")
