"""Every threshold once: value, unit, which side equality falls on, source.

Kept in conventional units (mg/dL, mg2/dL2, pg/mL); SI figures on cards are converted for display only.
A site may set some of them within the bounds given here, in its site file.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from cds_service.api import Facts, Threshold


@dataclass(frozen=True, slots=True)
class Limit:
    """A threshold; `bounds` are what a site may set it to (both included), None = fixed."""

    id: str
    value: Decimal
    unit: str
    sign: str
    at_equality: str
    source: str
    setting: str | None = None
    bounds: tuple[Decimal, Decimal] | None = None

    @property
    def threshold(self) -> Threshold:
        """As printed on the rule's sheet."""
        return Threshold(
            self.id, f"{self.sign} {self.value} {self.unit}".strip(), self.at_equality, self.source
        )


def limit(facts: Facts, threshold: Limit) -> Decimal:
    """The value in force: the site's, else the default."""
    if threshold.setting is None or threshold.setting not in facts.settings:
        return threshold.value
    return Decimal(str(facts.settings[threshold.setting]))


T1 = Limit(
    "T1",
    Decimal(55),
    "mg2/dL2",
    "at least",
    "55.0 counts: the goal is strictly below 55",
    "KDOQI 2003, guideline 6.5; calcium acetate label",
    "ca_x_p_high",
    (Decimal(40), Decimal(70)),
)
T2 = Limit(
    "T2",
    Decimal(70),
    "mg2/dL2",
    "above",
    "70.0 does not count (it is T1)",
    "Weenig 2007; calcitriol labels",
    "ca_x_p_very_high",
    (Decimal(55), Decimal(90)),
)
T3 = Limit(
    "T3",
    Decimal("10.2"),
    "mg/dL",
    "above",
    "10.2 does not count",
    "KDOQI 2003, guideline 6.3",
    "calcium_high",
    (Decimal("9.5"), Decimal("11.0")),
)
T4 = Limit(
    "T4",
    Decimal("8.4"),
    "mg/dL",
    "below",
    "8.4 does not count",
    "KDOQI 2003, guideline 6.6",
    "calcium_low",
    (Decimal("7.5"), Decimal("8.8")),
)
T5 = Limit("T5", Decimal("5.5"), "mg/dL", "above", "5.5 does not count", "KDOQI range 3.5-5.5")
T6 = Limit("T6", Decimal(9), "x ULN", "above", "9.0 x does not count", "KDIGO 2017, 2-9 x ULN")
T6_ABSOLUTE = Limit(
    "T6",
    Decimal(600),
    "pg/mL (no ULN given)",
    "above",
    "600 does not count",
    "our proposal: about 9 x 65 pg/mL",
)
T7 = Limit("T7", Decimal(2), "x ULN", "below", "2.0 x does not count", "KDIGO 2017, 2-9 x ULN")
T7_ABSOLUTE = Limit("T7", Decimal(150), "pg/mL", "below", "150 does not count", "KDOQI: PTH 150 pg/mL")
T8 = Limit(
    "T8",
    Decimal("3.5"),
    "g/dL",
    "below",
    "3.5 is not low",
    "our proposal; direction from case-control studies",
)
T8_VERY = Limit("T8", Decimal("3.0"), "g/dL", "below", "3.0 is low, not very low", "our proposal")
T9 = Limit("T9", Decimal(30), "kg/m2", "at least", "30.0 counts", "obesity definition (from memory)")
T10 = Limit(
    "T10",
    Decimal(1500),
    "mg elemental calcium a day from binders",
    "above",
    "1,500 does not count",
    "KDOQI 2003",
    "binder_calcium_mg",
    (Decimal(1000), Decimal(2000)),
)
T11 = Limit(
    "T11",
    Decimal("0.5"),
    "mcg calcitriol a day",
    "above",
    "0.5 does not count",
    "listed as a major factor (PMC10557543)",
)
T12 = Limit(
    "T12",
    Decimal(300),
    "mg gabapentin a day",
    "above",
    "300 does not count",
    "US label, creatinine clearance below 15 (secondary)",
)
T13 = Limit("T13", Decimal(75), "mg pregabalin a day", "above", "75 does not count", "from memory")
_PROPOSED = "our proposal"
T14_BICARBONATE = Limit("T14", Decimal(18), "mmol/L bicarbonate", "below", "18 does not count", _PROPOSED)
T14_ANION_GAP = Limit("T14", Decimal(20), "mmol/L anion gap", "above", "20 does not count", _PROPOSED)
T14_SODIUM = Limit("T14", Decimal(145), "mmol/L sodium", "above", "145 does not count", _PROPOSED)
LOW_EGFR = Limit(
    "eGFR",
    Decimal(35),
    "mL/min/1.73 m2",
    "below",
    "35 does not count",
    "bisphosphonate labels: 35, some 30 (from memory)",
)
ALL = (
    *(T1, T2, T3, T4, T5, T6, T6_ABSOLUTE, T7, T7_ABSOLUTE, T8, T8_VERY, T9, T10, T11, T12, T13),
    *(T14_BICARBONATE, T14_ANION_GAP, T14_SODIUM, LOW_EGFR),
)
SITE_BOUNDS = {
    item.setting: (str(item.bounds[0]), str(item.bounds[1])) for item in ALL if item.setting and item.bounds
}
