"""Prefetch templates, portable on purpose.

Each parameter stands once; no dates, chains or includes: dates are filtered in code. Keys are stable,
because clients cache discovery and sites type the templates in by hand.
"""

from cds_service.api import PrefetchTemplate

PATIENT = PrefetchTemplate("patient", "Patient/{{context.patientId}}", "Patient", required=True)
CONDITIONS = PrefetchTemplate(
    "conditions", "Condition?patient={{context.patientId}}", "Condition", required=True
)
# The common LOINC codes: calcium (total, corrected, ionised), phosphate, albumin, PTH, alkaline phosphatase.
LAB_CODES = (
    "17861-6",
    "2000-8",
    "49765-1",
    "46099-8",
    "29265-6",
    "1994-3",
    "12180-6",
    "1995-0",
    "2777-1",
    "14879-1",
    "48641-5",
    "1751-7",
    "61151-7",
    "61152-5",
    "2731-8",
    "14866-8",
    "6768-6",
    # Bicarbonate, sodium, anion gap, eGFR, 25-OH vitamin D, INR, free protein S: wanted by single rules only.
    "1963-8",
    "2028-9",
    "2951-2",
    "33037-3",
    "10466-1",
    "33914-3",
    "62238-1",
    "98979-8",
    "62292-8",
    "1989-3",
    "6301-6",
    "34714-6",
    "27821-8",
)
LABS = PrefetchTemplate(
    "labs",
    f"Observation?patient={{{{context.patientId}}}}&code={','.join(LAB_CODES)}&_sort=-date&_count=100",
    "Observation",
    required=True,
)
MEDICATIONS = PrefetchTemplate(
    "medications", "MedicationRequest?patient={{context.patientId}}", "MedicationRequest", required=True
)
PROCEDURES = PrefetchTemplate(
    "procedures", "Procedure?patient={{context.patientId}}", "Procedure", required=False
)
ENCOUNTERS = PrefetchTemplate(
    "encounters", "Encounter?patient={{context.patientId}}", "Encounter", required=False
)
REQUESTS = PrefetchTemplate(
    "requests", "ServiceRequest?patient={{context.patientId}}", "ServiceRequest", required=False
)
VITALS = PrefetchTemplate(
    "vitals",
    "Observation?patient={{context.patientId}}&code=29463-7,8344-4,8341-0,8302-2,39156-5&_sort=-date&_count=50",
    "Observation",
    required=False,
)
CORE = (PATIENT, CONDITIONS, LABS, MEDICATIONS)
