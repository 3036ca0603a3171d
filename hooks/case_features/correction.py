"""Does any threshold that is reached depend on our own albumin correction? Then ionised calcium is suggested."""

from __future__ import annotations

from dataclasses import dataclass

from cds_service.api import Answer, Facts, Finding, Message, met, not_met
from hooks.case_features.calcium import CalciumOnlyAfterCorrection, ionised_high
from hooks.case_features.product import current_pair, only_through_correction
from hooks.thresholds import T1, T2, limit


@dataclass(frozen=True, slots=True)
class DependsOnCorrection:
    """T1, T2 or T3 is reached with corrected but not with total calcium, and ionised calcium is not high."""

    text: str = "a threshold is reached only through albumin correction"

    def evaluate(self, facts: Facts) -> Finding:
        if CalciumOnlyAfterCorrection().evaluate(facts).answer is Answer.MET:
            return met(self, Message("corrected calcium is high, total calcium is not"))
        pair = facts.feature(current_pair)
        if pair is not None and not facts.feature(ionised_high):
            for item in (T1, T2):
                if only_through_correction(pair, item, limit(facts, item)):
                    return met(
                        self,
                        Message("Ca x P reaches {id} with corrected calcium only", id=item.id),
                        *pair.sources,
                    )
        return not_met(self, Message("no threshold depends on the correction"))
