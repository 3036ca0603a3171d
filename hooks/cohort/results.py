"""Laboratory values and measurements of the synthetic cohort: levels, spread, and the units laboratories use.

Calcium and phosphate lie around the medians of the German registry (Brandenburg 2017: total calcium
2.20 mmol/L, phosphate 1.67 mmol/L). Those were patients with calciphylaxis; that other dialysis patients lie
there too is assumed, as a case-control study on PD found no difference (Zacharias 1999). Intact PTH lies around
300 pg/mL, inside 2 to 9 times the upper limit (KDIGO 2017). Every spread, every other level and all shares of
units are assumed.
"""

from cds_service.api import CohortCode, CohortUnit, Series

_LOINC = "http://loinc.org"
_ASSUMED = "assumed"


def _unit(
    weight: float, loinc: str, display: str, unit: str, ucum: str | None, factor: float, decimals: int
) -> CohortUnit:
    return CohortUnit(weight, CohortCode(_LOINC, loinc, display), unit, ucum, factor, decimals)


def _local(
    weight: float, code: str, display: str, unit: str, ucum: str | None, factor: float, decimals: int
) -> CohortUnit:
    """A laboratory that sends its own codes only: nothing can read these results, and the report must say so."""
    return CohortUnit(
        weight, CohortCode("urn:oid:1.2.840.99999.1", code, display), unit, ucum, factor, decimals
    )


CALCIUM = Series(
    id="calcium",
    units=(
        _unit(60, "17861-6", "Calcium [Mass/volume] in Serum or Plasma", "mg/dL", "mg/dL", 1, 1),
        _unit(30, "2000-8", "Calcium [Moles/volume] in Serum or Plasma", "mmol/L", "mmol/L", 0.2495, 2),
        _unit(6, "49765-1", "Calcium [Mass/volume] in Blood", "mg/dL", "mg/dL", 1, 13),
        _unit(2, "17861-6", "Calcium [Mass/volume] in Serum or Plasma", "mEq/L", "meq/L", 1 / 2.0039, 1),
        _local(2, "CA-TOT", "Calcium total", "mg/dL", "mg/dL", 1, 1),
    ),
    mean=8.82,
    between=0.55,
    within=0.35,
    least=6.0,
    most=13.5,
    every=30.4,
    reference=(8.4, 10.2),
    source="E4: median 2.20 mmol/L; spread assumed",
    shifts={"calcium-carbonate": 0.25, "calcium-acetate": 0.2, "calcitriol": 0.25, "calciphylaxis": 0.2},
)
PHOSPHATE = Series(
    id="phosphate",
    units=(
        _unit(58, "2777-1", "Phosphate [Mass/volume] in Serum or Plasma", "mg/dL", "mg/dL", 1, 1),
        _unit(32, "14879-1", "Phosphate [Moles/volume] in Serum or Plasma", "mmol/L", "mmol/L", 0.3229, 2),
        _unit(
            8,
            "48641-5",
            "Phosphate [Mass/volume] in Serum or Plasma --pre dialysis",
            "mg/dl",
            None,
            1,
            1,
        ),
        _local(2, "PHOS", "Phosphor anorg.", "mg/dL", "mg/dL", 1, 1),
    ),
    mean=5.17,
    between=1.2,
    within=0.8,
    least=1.2,
    most=13.0,
    every=30.4,
    reference=(2.5, 4.5),
    source="E4: median 1.67 mmol/L; spread assumed",
    shifts={"calciphylaxis": 0.4},
)
ALBUMIN = Series(
    id="albumin",
    units=(
        _unit(65, "1751-7", "Albumin [Mass/volume] in Serum or Plasma", "g/dL", "g/dL", 1, 1),
        _unit(25, "1751-7", "Albumin [Mass/volume] in Serum or Plasma", "g/L", "g/L", 10, 0),
        _unit(10, "61152-5", "Albumin [Mass/volume] in Serum or Plasma by BCP", "g/dL", "g/dL", 1, 1),
    ),
    mean=3.8,
    between=0.35,
    within=0.2,
    least=1.5,
    most=5.2,
    every=30.4,
    reference=(3.5, 5.0),
    source=_ASSUMED,
    shifts={"calciphylaxis": -0.5},
)
PTH = Series(
    id="pth",
    units=(
        _unit(70, "2731-8", "Parathyrin.intact [Mass/volume] in Serum or Plasma", "pg/mL", "pg/mL", 1, 0),
        _unit(
            25, "14866-8", "Parathyrin.intact [Moles/volume] in Serum or Plasma", "pmol/L", "pmol/L", 0.106, 1
        ),
        _unit(5, "2731-8", "Parathyrin.intact [Mass/volume] in Serum or Plasma", "ng/L", "ng/L", 1, 0),
    ),
    mean=300,
    between=0.65,
    within=0.25,
    least=8,
    most=3500,
    every=91,
    reference=(15, 65),
    source="KDIGO 2017, 2-9 x ULN; level and spread assumed",
    skewed=True,
    shifts={"cinacalcet": 1.6},
)
ALP = Series(
    id="alp",
    units=(
        _unit(80, "6768-6", "Alkaline phosphatase in Serum or Plasma", "U/L", "U/L", 1, 0),
        _unit(20, "6768-6", "Alkaline phosphatase in Serum or Plasma", "IU/L", "[IU]/L", 1, 0),
    ),
    mean=95,
    between=0.35,
    within=0.12,
    least=25,
    most=900,
    every=91,
    reference=(40, 130),
    source=_ASSUMED,
    skewed=True,
)
WEIGHT = Series(
    id="weight",
    units=(
        _unit(70, "8344-4", "Body weight Measured --post dialysis", "kg", "kg", 1, 1),
        _unit(20, "29463-7", "Body weight", "kg", "kg", 1, 1),
        _unit(10, "29463-7", "Body weight", "lb", "[lb_av]", 2.20462, 0),
    ),
    mean=79,
    between=17,
    within=1.2,
    least=38,
    most=190,
    every=30.4,
    reference=None,
    source=_ASSUMED,
    category="vital-signs",
)
HEIGHT = Series(
    id="height",
    units=(
        _unit(85, "8302-2", "Body height", "cm", "cm", 1, 0),
        _unit(15, "8302-2", "Body height", "in", "[in_i]", 0.3937, 0),
    ),
    mean=168,
    between=9,
    within=0,
    least=140,
    most=205,
    every=400,
    reference=None,
    source=_ASSUMED,
    category="vital-signs",
)


def _unread(
    ident: str,
    loinc: str,
    display: str,
    unit: str,
    mean: float,
    spread: float,
    decimals: int,
    category: str = "laboratory",
) -> Series:
    """Results that every record is full of and that no rule of the chart reads."""
    return Series(
        id=ident,
        units=(_unit(1, loinc, display, unit, unit, 1, decimals),),
        mean=mean,
        between=spread,
        within=spread / 2,
        least=mean / 3,
        most=mean * 3,
        every=30.4,
        reference=(round(mean - 2 * spread, decimals), round(mean + 2 * spread, decimals)),
        source=_ASSUMED,
        category=category,
    )


UNREAD = (
    _unread("potassium", "2823-3", "Potassium [Moles/volume] in Serum or Plasma", "mmol/L", 4.9, 0.5, 1),
    _unread("creatinine", "2160-0", "Creatinine [Mass/volume] in Serum or Plasma", "mg/dL", 7.0, 2.0, 1),
    _unread("urea", "3094-0", "Urea nitrogen [Mass/volume] in Serum or Plasma", "mg/dL", 55, 14, 0),
    _unread("hemoglobin", "718-7", "Hemoglobin [Mass/volume] in Blood", "g/dL", 10.9, 1.1, 1),
    _unread("ferritin", "2276-4", "Ferritin [Mass/volume] in Serum or Plasma", "ng/mL", 520, 220, 0),
    _unread("glucose", "2345-7", "Glucose [Mass/volume] in Serum or Plasma", "mg/dL", 128, 35, 0),
    _unread("leukocytes", "6690-2", "Leukocytes [#/volume] in Blood", "10*3/uL", 7.2, 1.8, 1),
    _unread("platelets", "777-3", "Platelets [#/volume] in Blood", "10*3/uL", 215, 55, 0),
    _unread("systolic", "8480-6", "Systolic blood pressure", "mm[Hg]", 141, 18, 0, "vital-signs"),
    _unread("heart-rate", "8867-4", "Heart rate", "/min", 76, 10, 0, "vital-signs"),
)
SERIES = (CALCIUM, PHOSPHATE, ALBUMIN, PTH, ALP, WEIGHT, HEIGHT, *UNREAD)
MINERALS = ("calcium", "phosphate", "albumin", "pth", "alp")
BODY = ("weight", "height")
OTHER = tuple(item.id for item in UNREAD)
