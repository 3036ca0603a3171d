"""Medicines of the synthetic cohort: by product, ingredient, NDC and ATC code, or in words only."""

from cds_service.api import CohortCode, CohortDose, Drug, Wording

_RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
_RXNORM_OID = "urn:oid:2.16.840.1.113883.6.88"
_NDC = "http://hl7.org/fhir/sid/ndc"
_ATC = "http://www.whocc.no/atc"


def _drug(
    ident: str,
    product: tuple[str, str],
    atc: str,
    words: str,
    dose: CohortDose | None,
    *,
    ndc: str = "",
    started: tuple[int, int] = (60, 1500),
    over: float = 0.15,
) -> Drug:
    code, name = product
    wordings = [
        Wording(62, (CohortCode(_RXNORM, code, name),), name),
        Wording(8, (CohortCode(_ATC, atc, words),), words),
        Wording(8, (), f"{words} as directed", "words-only"),
        Wording(
            6,
            (CohortCode("urn:oid:1.2.840.99999.3", "9" + code, words.upper()), CohortCode(_RXNORM_OID, code)),
            shape="oid-system-second-coding",
        ),
    ]
    if ndc:
        # Ten digits with hyphens, as printed on the package.
        wordings.append(Wording(8, (CohortCode(_NDC, ndc, name),), name, "ndc-with-hyphens"))
    return Drug(ident, tuple(wordings), dose, started, over=over)


def _tablets(count: float, per_day: float, route: str = "Oral") -> CohortDose:
    return CohortDose(count, "tablet", "{tbl}", per_day, route)


WARFARIN = _drug(
    "warfarin",
    ("855332", "warfarin sodium 5 MG Oral Tablet"),
    "B01AA03",
    "warfarin",
    _tablets(1, 1),
    ndc="0093-1721-01",
)
APIXABAN = _drug(
    "apixaban", ("1364435", "apixaban 2.5 MG Oral Tablet"), "B01AF02", "apixaban", _tablets(1, 2)
)
CALCITRIOL = _drug(
    "calcitriol",
    ("308867", "calcitriol 0.00025 MG Oral Capsule"),
    "A11CC04",
    "calcitriol",
    CohortDose(1, "capsule", "{capsule}", 1, "Oral"),
    ndc="0054-0007-25",
)
PARICALCITOL = _drug(
    "paricalcitol",
    ("1736919", "1 ML paricalcitol 0.005 MG/ML Injection"),
    "H05BX02",
    "paricalcitol",
    CohortDose(5, "ug", "ug", 0.428, "Intravenous"),
)
CALCIUM_ACETATE = _drug(
    "calcium-acetate",
    ("197433", "calcium acetate 667 MG Oral Tablet"),
    "V03AE07",
    "calcium acetate",
    _tablets(2, 3),
    ndc="0574-0113-02",
)
CALCIUM_CARBONATE = _drug(
    "calcium-carbonate",
    ("282465", "calcium carbonate 1250 MG Oral Tablet"),
    "A12AA04",
    "calcium carbonate",
    _tablets(1, 3),
    ndc="0054-4120-25",
)
SEVELAMER = _drug(
    "sevelamer", ("749206", "sevelamer carbonate 800 MG Oral Tablet"), "V03AE02", "sevelamer", _tablets(2, 3)
)
CINACALCET = _drug(
    "cinacalcet", ("432402", "cinacalcet 30 MG Oral Tablet"), "H05BX01", "cinacalcet", _tablets(1, 1)
)
PREDNISONE = _drug(
    "prednisone",
    ("198145", "prednisone 10 MG Oral Tablet"),
    "H02AB07",
    "prednisone",
    _tablets(1, 1),
    started=(30, 400),
    over=0.5,
)
GABAPENTIN = _drug(
    "gabapentin",
    ("310431", "gabapentin 300 MG Oral Capsule"),
    "N03AX12",
    "gabapentin",
    CohortDose(1, "capsule", "{capsule}", 3, "Oral"),
)
MORPHINE = _drug(
    "morphine",
    ("891881", "morphine sulfate 15 MG Extended Release Oral Tablet"),
    "N02AA01",
    "morphine",
    _tablets(1, 2),
    started=(20, 300),
    over=0.4,
)
INSULIN = _drug(
    "insulin",
    ("1736863", "3 ML insulin glargine 100 UNT/ML Pen Injector [Basaglar]"),
    "A10AE04",
    "insulin glargine",
    CohortDose(12, "unit", "[iU]", 1, "Subcutaneous"),
)
# Drugs that no rule is about, so that recognising nothing in them is tested as well.
METOPROLOL = _drug(
    "metoprolol", ("866924", "metoprolol tartrate 25 MG Oral Tablet"), "C07AB02", "metoprolol", _tablets(1, 2)
)
ATORVASTATIN = _drug(
    "atorvastatin", ("617311", "atorvastatin 40 MG Oral Tablet"), "C10AA05", "atorvastatin", _tablets(1, 1)
)
PANTOPRAZOLE = _drug(
    "pantoprazole",
    ("251872", "pantoprazole 40 MG Delayed Release Oral Tablet"),
    "A02BC02",
    "pantoprazole",
    _tablets(1, 1),
)
AMLODIPINE = _drug(
    "amlodipine",
    ("197361", "amlodipine 5 MG Oral Tablet"),
    "C08CA01",
    "calcium channel blocker",
    _tablets(1, 1),
)
STUDY_DRUG = Drug(
    "study-drug",
    (Wording(1, (CohortCode("urn:oid:1.2.840.99999.3", "STUDY-7", "Study drug 7"),), "Study drug 7"),),
    None,
    (10, 300),
)
DRUGS = (
    *(
        WARFARIN,
        APIXABAN,
        CALCITRIOL,
        PARICALCITOL,
        CALCIUM_ACETATE,
        CALCIUM_CARBONATE,
        SEVELAMER,
        CINACALCET,
    ),
    *(
        PREDNISONE,
        GABAPENTIN,
        MORPHINE,
        INSULIN,
        METOPROLOL,
        ATORVASTATIN,
        PANTOPRAZOLE,
        AMLODIPINE,
        STUDY_DRUG,
    ),
)
