"""What makes the patient-view card appear, and when its extra lines apply."""

from __future__ import annotations

from dataclasses import dataclass, field

from cds_service.api import (
    AllOf,
    AnyOf,
    CodeGroup,
    Deferred,
    Facts,
    Finding,
    HadProcedure,
    Medication,
    MedicationState,
    Message,
    Taking,
    describe_medications,
    met,
    not_met,
    unknown,
)
from hooks import valuesets as vs
from hooks.case_features.calciphylaxis import DOCUMENTED
from hooks.case_features.calcium import HighCalcium
from hooks.case_features.product import HIGH_PRODUCT, VERY_HIGH_PRODUCT
from hooks.case_features.pth import PthHigh
from hooks.labs_missing import LabsMissing

NOT_BY_MOUTH = ("topical", "iv", "im", "sc", "intraperitoneal")
VASCULAR_DAYS = 90


@dataclass(frozen=True, slots=True)
class OnNow:
    """A medicine in one of `groups` is active: ordered, not on hold, not ended."""

    groups: tuple[CodeGroup, ...]
    not_routes: tuple[str, ...] = ("topical",)
    _taking: Taking = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_taking", Taking(self.groups, not_routes=self.not_routes))

    @property
    def text(self) -> str:
        return f"active order for {' or '.join(group.title for group in self.groups)}"

    def evaluate(self, facts: Facts) -> Finding:
        """On the chart many lines ask for the same few groups, so each is judged once."""
        return facts.feature(self._judge) if facts.order is None else self._judge(facts)

    def _judge(self, facts: Facts) -> Finding:
        listed = self._taking.found(facts)
        if not listed and facts.may_lack("medications"):
            taking = self._taking.evaluate(facts)
            return Finding(self, taking.answer, taking.because, optional=taking.optional)
        found = [item for item in listed if item.state is MedicationState.ACTIVE]
        if found:
            return met(self, Deferred(describe_medications, found), *[item.source for item in found])
        return not_met(self, Message("none is active on the medication list"))

    def found(self, facts: Facts) -> list[Medication]:
        return [item for item in self._taking.found(facts) if item.state is MedicationState.ACTIVE]


VKA_NOW = OnNow((vs.VITAMIN_K_ANTAGONISTS,))
ACTIVE_VITAMIN_D_NOW = OnNow((vs.ACTIVE_VITAMIN_D,))
ORAL_CALCIUM_NOW = OnNow((vs.ORAL_CALCIUM,), NOT_BY_MOUTH)
IMMUNOSUPPRESSANT_NOW = OnNow((vs.IMMUNOSUPPRESSANTS,))
MINERAL_MEDICINE_NOW = AnyOf((ACTIVE_VITAMIN_D_NOW, ORAL_CALCIUM_NOW))
MEDICINE_OF_INTEREST_NOW = AnyOf((VKA_NOW, ACTIVE_VITAMIN_D_NOW, ORAL_CALCIUM_NOW))
LABS_OUT_OF_DATE = LabsMissing(("Ca", "P", "albumin", "PTH"))
MODIFIABLE_ITEM = AnyOf(
    (
        DOCUMENTED,
        VKA_NOW,
        AllOf((MINERAL_MEDICINE_NOW, AnyOf((HIGH_PRODUCT, VERY_HIGH_PRODUCT, HighCalcium())))),
        AllOf((MEDICINE_OF_INTEREST_NOW, LABS_OUT_OF_DATE)),
    )
)
"""At least one thing that can be acted on; risk factors that cannot be changed make no card by themselves."""
PRESCRIPTION_REVIEW = AnyOf((HIGH_PRODUCT, HighCalcium(), PthHigh()))
VASCULAR_PROCEDURE = AllOf((HadProcedure((vs.LEG_REVASCULARISATION,), VASCULAR_DAYS), DOCUMENTED))


@dataclass(frozen=True, slots=True)
class AnOrderIsJudged:
    """There is an order in focus; on the chart there is none."""

    text: str = "an order is being judged"

    def evaluate(self, facts: Facts) -> Finding:
        if facts.order is not None:
            return met(self, facts.order.title, facts.order.reference)
        return not_met(self, Message("no order: the chart is opened"))


AN_ORDER_IS_JUDGED = AnOrderIsJudged()


@dataclass(frozen=True, slots=True)
class DiedOrHospice:
    """The stay ends in death or hospice care (discharge disposition; encounters are optional data).

    Only stays that have no end, or ended in the last day, are looked at: an older one is another stay.
    """

    text: str = "discharged to hospice care, or died"

    def evaluate(self, facts: Facts) -> Finding:
        if facts.encounters is None:
            return unknown(self, Message("encounters not readable (discharge disposition)"), optional=True)
        for encounter in facts.encounters:
            over = encounter.ended is not None and facts.age_days(encounter.ended) > 1
            if not over and (encounter.disposition or "").strip().lower() in _DIED_OR_HOSPICE:
                because = Message("discharge disposition {disposition}", disposition=encounter.disposition)
                return met(self, because, encounter.source)
        return not_met(self, Message("no such discharge disposition"))


_DIED_OR_HOSPICE = frozenset({"exp", "hosp", "20", "40", "41", "42", "50", "51"})
"""HL7 discharge-disposition `exp` and `hosp`; the numbers are the US billing codes for the same (from memory)."""
