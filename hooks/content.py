"""What this package gives the engine besides rules: codes, analytes, text, order catalogue, common gap cards."""

from __future__ import annotations

from pathlib import Path

from cds_service.api import CardText, CatalogueEntry, Coding, CommonGap, Content, Line
from hooks import override_reasons
from hooks import valuesets as vs
from hooks.analytes import ANALYTES
from hooks.background import BACKGROUND
from hooks.case_features.readable import AgeNotRecorded, ProblemListUnreadable
from hooks.cohort import COHORT
from hooks.evidence import CITATIONS
from hooks.fills import FILLS
from hooks.standing import STANDING
from hooks.thresholds import SITE_BOUNDS
from hooks.trend import trend

VERSION = "0.1.0"
_LOINC = "http://loinc.org"
_SNOMED = "http://snomed.info/sct"


def _lab(key: str, words: str, code: str) -> CatalogueEntry:
    return CatalogueEntry(key, f"Order {words}", Coding(_LOINC, code, words), laboratory=True)


CATALOGUE = (
    _lab("lab.calcium", "calcium", "17861-6"),
    _lab("lab.phosphate", "phosphate", "2777-1"),
    _lab("lab.albumin", "albumin", "1751-7"),
    _lab("lab.pth", "intact PTH", "2731-8"),
    _lab("lab.ionised-calcium", "ionised calcium", "1995-0"),
    _lab("lab.alp", "alkaline phosphatase", "6768-6"),
    # No code that may be shipped is known for these: the card names the step in words until a client maps it.
    CatalogueEntry("referral.nephrology", "Refer to nephrology", None),
    CatalogueEntry("referral.anticoagulation", "Refer for anticoagulation review", None),
    CatalogueEntry(
        "referral.dermatology",
        "Refer to dermatology",
        Coding(_SNOMED, "183518005", "Referral to dermatologist"),
    ),
    CatalogueEntry("referral.wound-care", "Request wound care", Coding(_SNOMED, "225358003", "Wound care")),
    _lab("lab.bicarbonate", "bicarbonate", "1963-8"),
    _lab("lab.sodium", "sodium", "2951-2"),
    _lab("lab.vitamin-d", "25-hydroxyvitamin D", "62292-8"),
    CatalogueEntry(
        "referral.pain", "Request pain management", Coding(_SNOMED, "278414003", "Pain management")
    ),
    CatalogueEntry("referral.palliative", "Refer to palliative care", None),
    CatalogueEntry("referral.diabetes", "Refer to the diabetes team", None),
    CatalogueEntry("referral.endocrinology", "Refer to endocrinology", None),
    CatalogueEntry("referral.pharmacist", "Ask a renal pharmacist to review the dose", None),
)

COMMON_GAPS = (
    CommonGap(
        when=ProblemListUnreadable(),
        text=CardText(
            summary="{drug}: problem list not readable. Dialysis and calciphylaxis status not checked.",
            detail=(
                Line("Check by hand whether the patient is on dialysis or has calciphylaxis before signing."),
            ),
        ),
    ),
    CommonGap(
        when=AgeNotRecorded(),
        text=CardText(
            summary="{drug}: age not recorded. Dialysis and calciphylaxis checks for adults could not be completed.",
            detail=(Line("These checks are for adults; the birth date is missing or not readable."),),
        ),
    ),
)

CONTENT = Content(
    name="calciphylaxis",
    version=VERSION,
    value_sets=vs.ALL,
    names=vs.NAMES,
    exclusions=vs.EXCLUSIONS,
    analytes=ANALYTES,
    fills=FILLS,
    catalogue=CATALOGUE,
    common_gaps=COMMON_GAPS,
    citations=CITATIONS,
    override_system=override_reasons.SYSTEM,
    topic_system="https://calciphylaxis-cds.example/fhir/CodeSystem/card-topics",
    site_bounds=SITE_BOUNDS,
    background=BACKGROUND,
    standing=STANDING,
    cohort=COHORT,
    trend=trend,
    locales=Path(__file__).parent / "locales",
)
