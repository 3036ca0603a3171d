"""Laboratory values and measurements the rules read: units, conversions, plausible ranges, windows.

Conversion factors: clinical conventions 3.1. Windows: KDIGO CKD-MBD and KDOQI monitoring intervals.
Plausibility bounds are our proposal; both bounds belong to the plausible range.
"""

from __future__ import annotations

from decimal import Decimal

from cds_service.api import Analyte
from hooks import valuesets as vs

_DRAWN_AFTER_DIALYSIS = dict.fromkeys(
    (
        "post-dialysis",
        "post dialysis",
        "postdialysis",
        "after dialysis",
        "intradialytic",
        "intra-dialytic",
        "post-hd",
        "post hd",
    ),
    "drawn during or after dialysis",
)
_CALCIUM_FACTORS = {"mg/dL": Decimal(1), "mmol/L": Decimal("4.0078"), "meq/L": Decimal("2.0039")}

CALCIUM = Analyte(
    id="calcium",
    title="calcium",
    value_sets=(vs.CALCIUM_TOTAL.id,),
    unit="mg/dL",
    factors=_CALCIUM_FACTORS,
    plausible=(Decimal(4), Decimal(20)),
    current_days=35,
    ageing_days=90,
    si_unit="mmol/L",
    excluding_words=_DRAWN_AFTER_DIALYSIS,
)
CALCIUM_CORRECTED = Analyte(
    id="calcium-corrected",
    title="albumin-corrected calcium (reported by the laboratory)",
    value_sets=(vs.CALCIUM_CORRECTED.id,),
    unit="mg/dL",
    factors=_CALCIUM_FACTORS,
    plausible=(Decimal(4), Decimal(20)),
    current_days=35,
    ageing_days=90,
    si_unit="mmol/L",
    excluding_words=_DRAWN_AFTER_DIALYSIS,
)
CALCIUM_IONISED = Analyte(
    id="calcium-ionised",
    title="ionised calcium",
    value_sets=(vs.CALCIUM_IONISED.id,),
    unit="mmol/L",
    factors={"mmol/L": Decimal(1), "mg/dL": 1 / Decimal("4.0078"), "meq/L": Decimal("0.5")},
    plausible=(Decimal("0.4"), Decimal("2.5")),
    current_days=35,
    ageing_days=90,
    decimals=2,
    excluding_words=_DRAWN_AFTER_DIALYSIS,
)
PHOSPHATE = Analyte(
    id="phosphate",
    title="phosphate",
    value_sets=(vs.PHOSPHATE.id,),
    unit="mg/dL",
    factors={"mg/dL": Decimal(1), "mmol/L": Decimal("3.0974")},
    plausible=(Decimal("0.3"), Decimal(20)),
    current_days=35,
    ageing_days=90,
    si_unit="mmol/L",
    excluding_words=_DRAWN_AFTER_DIALYSIS,
)
ALBUMIN = Analyte(
    id="albumin",
    title="albumin",
    value_sets=(vs.ALBUMIN.id,),
    unit="g/dL",
    factors={"g/dL": Decimal(1), "g/L": Decimal("0.1")},
    plausible=(Decimal("0.5"), Decimal("7.0")),
    current_days=35,
    ageing_days=90,
    si_unit="g/L",
    si_decimals=0,
)
PTH = Analyte(
    id="pth",
    title="PTH",
    value_sets=(vs.PTH_INTACT.id,),
    unit="pg/mL",
    factors={"pg/mL": Decimal(1), "ng/L": Decimal(1), "pmol/L": 1 / Decimal("0.1060")},
    plausible=(Decimal(0), Decimal(6000)),
    current_days=90,
    ageing_days=180,
    decimals=0,
    si_unit="pmol/L",
    si_decimals=1,
)
ALP = Analyte(
    id="alp",
    title="alkaline phosphatase",
    value_sets=(vs.ALKALINE_PHOSPHATASE.id,),
    unit="U/L",
    factors={"U/L": Decimal(1), "[IU]/L": Decimal(1)},
    plausible=(Decimal(1), Decimal(10000)),
    current_days=180,
    ageing_days=365,
    decimals=0,
)
INR = Analyte(
    id="inr",
    title="INR",
    value_sets=(vs.INR.id,),
    unit="{INR}",
    factors={"{INR}": Decimal(1), "1": Decimal(1), "{ratio}": Decimal(1)},
    plausible=(Decimal("0.5"), Decimal(20)),
    current_days=35,
    ageing_days=35,
    spellings={"INR": "{INR}", "ratio": "{ratio}"},
)
BICARBONATE = Analyte(
    id="bicarbonate",
    title="bicarbonate",
    value_sets=(vs.BICARBONATE.id,),
    unit="mmol/L",
    factors={"mmol/L": Decimal(1), "meq/L": Decimal(1)},
    plausible=(Decimal(2), Decimal(60)),
    current_days=7,
    ageing_days=7,
)
ANION_GAP = Analyte(
    id="anion-gap",
    title="anion gap",
    value_sets=(vs.ANION_GAP.id,),
    unit="mmol/L",
    factors={"mmol/L": Decimal(1), "meq/L": Decimal(1)},
    plausible=(Decimal(-10), Decimal(60)),
    current_days=7,
    ageing_days=7,
)
SODIUM = Analyte(
    id="sodium",
    title="sodium",
    value_sets=(vs.SODIUM.id,),
    unit="mmol/L",
    factors={"mmol/L": Decimal(1), "meq/L": Decimal(1)},
    plausible=(Decimal(90), Decimal(200)),
    current_days=7,
    ageing_days=7,
    decimals=0,
)
VITAMIN_D = Analyte(
    id="vitamin-d",
    title="25-hydroxyvitamin D",
    value_sets=(vs.VITAMIN_D_25_HYDROXY.id,),
    unit="ng/mL",
    # 400.64 g/mol. Printed as it was sent; the number decides nothing.
    factors={"ng/mL": Decimal(1), "ug/L": Decimal(1), "nmol/L": 1 / Decimal("2.496")},
    plausible=(Decimal("0.5"), Decimal(300)),
    current_days=180,
    ageing_days=365,
)
PROTEIN_S = Analyte(
    id="protein-s-free",
    title="free protein S",
    value_sets=(vs.PROTEIN_S_FREE.id,),
    unit="%",
    factors={"%": Decimal(1)},
    plausible=(Decimal(0), Decimal(300)),
    current_days=36500,
    ageing_days=36500,
    decimals=0,
)
EGFR = Analyte(
    id="egfr",
    title="eGFR",
    value_sets=(vs.EGFR.id,),
    unit="mL/min/{1.73_m2}",
    factors={"mL/min/{1.73_m2}": Decimal(1), "mL/min/1.73.m2": Decimal(1), "mL/min/1.73m2": Decimal(1)},
    plausible=(Decimal(0), Decimal(250)),
    current_days=90,
    ageing_days=365,
    decimals=0,
    spellings={"mL/min/{1.73m2}": "mL/min/{1.73_m2}", "mL/min/1.73 m2": "mL/min/{1.73_m2}"},
)
WEIGHT = Analyte(
    id="weight",
    title="weight",
    value_sets=(vs.BODY_WEIGHT_POST_DIALYSIS.id, vs.BODY_WEIGHT.id),
    unit="kg",
    factors={"kg": Decimal(1), "g": Decimal("0.001"), "[lb_av]": Decimal("0.45359237")},
    plausible=(Decimal(20), Decimal(350)),
    current_days=90,
    ageing_days=180,
    source="vitals",
)
HEIGHT = Analyte(
    id="height",
    title="height",
    value_sets=(vs.BODY_HEIGHT.id,),
    unit="cm",
    factors={"cm": Decimal(1), "m": Decimal(100), "[in_i]": Decimal("2.54")},
    plausible=(Decimal(100), Decimal(230)),
    current_days=36500,
    ageing_days=36500,
    source="vitals",
)
BMI = Analyte(
    id="bmi",
    title="BMI",
    value_sets=(vs.BMI.id,),
    unit="kg/m2",
    factors={"kg/m2": Decimal(1)},
    plausible=(Decimal(10), Decimal(90)),
    current_days=90,
    ageing_days=180,
    source="vitals",
)
ANALYTES = (
    CALCIUM,
    CALCIUM_CORRECTED,
    CALCIUM_IONISED,
    PHOSPHATE,
    ALBUMIN,
    PTH,
    ALP,
    INR,
    BICARBONATE,
    ANION_GAP,
    SODIUM,
    VITAMIN_D,
    PROTEIN_S,
    EGFR,
    WEIGHT,
    HEIGHT,
    BMI,
)
