"""Which mineral labs are missing, stale or unusable (rule 7)."""

from __future__ import annotations

from dataclasses import dataclass

from cds_service.api import Analyte, Answer, Facts, Finding, Joined, Message, Record, Text, latest
from hooks.analytes import ALBUMIN, CALCIUM, CALCIUM_CORRECTED, PHOSPHATE, PTH

SHORT = {
    "Ca": Message("Ca"),
    "P": Message("P"),
    "albumin": Message("albumin"),
    "PTH": Message("PTH"),
}
"""The short names as cards print them."""
_ANALYTES = ((CALCIUM, "Ca"), (PHOSPHATE, "P"), (ALBUMIN, "albumin"), (PTH, "PTH"))


class Missing(Record, frozen=True, gc=False):
    """An analyte without a usable result in its window, and why."""

    analyte: Analyte
    short: str
    why: Text

    @property
    def told(self) -> Text:
        """`phosphate: no result`."""
        return Message("{analyte}: {why}", analyte=Message(self.analyte.title), why=self.why)


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
            last, why = result.last, result.why_none
            if last is not None:
                why = Message("last result {value}; {why}", value=last.as_sent, why=why)
            found.append(Missing(analyte, short, why))
    return tuple(found)


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
            return Finding(self, Answer.MET, Joined("; ", (item.told for item in found)))
        return Finding(self, Answer.NOT_MET, Message("usable results are on record"))
