"""Is there a result worth reading? Decides which tests a card offers to order."""

from __future__ import annotations

from dataclasses import dataclass, field

from cds_service.api import Analyte, Facts, Finding, latest, met, not_met, tell


@dataclass(frozen=True, slots=True)
class NoUsableResult:
    """No usable result of one analyte within its own window."""

    analyte: Analyte = field(hash=False)
    """Compared, but not hashed: an analyte holds its table of units."""

    @property
    def text(self) -> str:
        return f"no usable {self.analyte.title} in the last {self.analyte.ageing_days} days"

    def evaluate(self, facts: Facts) -> Finding:
        found = latest(facts, self.analyte)
        if found.lab is None:
            return met(self, found.why_none)
        return not_met(self, tell(found.lab, self.analyte), found.lab.source)
