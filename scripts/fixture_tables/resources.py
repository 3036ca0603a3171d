"""Small FHIR R4 resources for synthetic charts. A builder gives no id and no subject: the chart adds them.

Dates are counted back from AS_OF, so that nothing goes out of date.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

AS_OF = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
ICD10CM = "http://hl7.org/fhir/sid/icd-10-cm"
SNOMED = "http://snomed.info/sct"
LOINC = "http://loinc.org"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
ATC = "http://www.whocc.no/atc"
UCUM = "http://unitsofmeasure.org"
HL7 = "http://terminology.hl7.org/CodeSystem"

Json = dict[str, Any]


def ago(days: int, clock: str | None = None) -> str:
    """The date that many days before AS_OF; with `clock` ("08:15") a time of that day in UTC."""
    day = (AS_OF - timedelta(days=days)).date().isoformat()
    return day if clock is None else f"{day}T{clock}:00Z"


def concept(
    system: str | None, code: str | None, display: str | None = None, text: str | None = None
) -> Json:
    """A CodeableConcept with one coding, with words, or with both."""
    found: Json = {}
    if code is not None:
        coding = {"system": system, "code": code}
        found["coding"] = [coding | ({"display": display} if display else {})]
    if text is not None:
        found["text"] = text
    return found


def given(**fields: Any) -> Json:
    """The fields that have a value."""
    return {key: value for key, value in fields.items() if value is not None}


# --- patients and problems ----------------------------------------------------------------------------


def person(
    family: str = "Testpatient",
    name: str = "Synthia",
    birth: str | None = "1958-03-14",
    gender: str | None = "female",
) -> Json:
    """A Patient whose name says that nobody is meant."""
    return {
        "resourceType": "Patient",
        "active": True,
        "name": [{"use": "official", "family": family, "given": [name]}],
    } | given(gender=gender, birthDate=birth)


ICD_NAMES = {
    "D68.61": "Antiphospholipid syndrome",
    "D68.62": "Lupus anticoagulant syndrome",
    "E11.22": "Type 2 diabetes mellitus with diabetic chronic kidney disease",
    "E11.621": "Type 2 diabetes mellitus with foot ulcer",
    "E21.0": "Primary hyperparathyroidism",
    "E27.40": "Unspecified adrenocortical insufficiency",
    "E66.9": "Obesity, unspecified",
    "C44.90": "Unspecified malignant neoplasm of skin, unspecified",
    "C50.911": "Malignant neoplasm of unspecified site of right female breast",
    "E83.52": "Hypercalcemia",
    "E83.59": "Other disorders of calcium metabolism",
    "I05.0": "Rheumatic mitral stenosis",
    "I05.1": "Rheumatic mitral insufficiency",
    "I48.91": "Unspecified atrial fibrillation",
    "I70.262": "Atherosclerosis of native arteries of extremities with gangrene, left leg",
    "I96": "Gangrene, not elsewhere classified",
    "I74.3": "Embolism and thrombosis of arteries of the lower extremities",
    "K74.60": "Unspecified cirrhosis of liver",
    "L03.115": "Cellulitis of right lower limb",
    "L03.116": "Cellulitis of left lower limb",
    "L89.153": "Pressure ulcer of sacral region, stage 3",
    "L97.512": "Non-pressure chronic ulcer of other part of right foot with fat layer exposed",
    "L97.213": "Non-pressure chronic ulcer of right calf with necrosis of muscle",
    "L97.113": "Non-pressure chronic ulcer of right thigh with necrosis of muscle",
    "M79.3": "Panniculitis, unspecified",
    "M32.9": "Systemic lupus erythematosus, unspecified",
    "N17.0": "Acute kidney failure with tubular necrosis",
    "N17.9": "Acute kidney failure, unspecified",
    "N18.4": "Chronic kidney disease, stage 4 (severe)",
    "N18.5": "Chronic kidney disease, stage 5",
    "N18.6": "End stage renal disease",
    "N25.81": "Secondary hyperparathyroidism of renal origin",
    "T65.0X1A": "Toxic effect of cyanides, accidental (unintentional), initial encounter",
    "T82.41XA": "Breakdown (mechanical) of vascular dialysis catheter, initial encounter",
    "T86.12": "Kidney transplant failure",
    "Z33.1": "Pregnant state, incidental",
    "Z49.31": "Encounter for adequacy testing for hemodialysis",
    "Z49.32": "Encounter for adequacy testing for peritoneal dialysis",
    "Z51.5": "Encounter for palliative care",
    "Z94.0": "Kidney transplant status",
    "Z95.2": "Presence of prosthetic heart valve",
    "Z95.3": "Presence of xenogenic heart valve",
    "Z95.811": "Presence of heart assist device",
    "Z99.2": "Dependence on renal dialysis",
}
SNOMED_NAMES = {
    "46177005": "End-stage renal disease",
    "105502003": "Dependence on renal dialysis",
    "428982002": "Dependence on hemodialysis due to end stage renal disease",
    "714152005": "Chronic kidney disease stage 5 on dialysis",
    "237900002": "Calciphylaxis",
    "237897009": "Vascular calcification",
    "238772004": "Livedo reticularis",
    "95347000": "Skin necrosis",
    "22125009": "Panniculitis",
    "699347000": "Mechanical prosthetic heart valve in situ",
}


def problem(
    code: str | None = None,
    *,
    since: str | None = None,
    recorded: str | None = None,
    text: str | None = None,
    clinical: str | None = "active",
    verification: str | None = "confirmed",
    abated: str | None = None,
    **fields: Any,
) -> Json:
    """A Condition on the problem list; the code system follows from the form of the code."""
    snomed = code is not None and code.isdigit()
    system = SNOMED if snomed else ICD10CM
    display = (SNOMED_NAMES if snomed else ICD_NAMES).get(code or "")
    ended = given(abatementDateTime=abated)
    return (
        {"resourceType": "Condition"}
        | given(
            clinicalStatus=concept(f"{HL7}/condition-clinical", clinical) if clinical else None,
            verificationStatus=concept(f"{HL7}/condition-ver-status", verification) if verification else None,
        )
        | {
            "category": [concept(f"{HL7}/condition-category", "problem-list-item")],
            "code": concept(system, code, display, text),
        }
        | given(onsetDateTime=since)
        | ended
        | given(recordedDate=recorded)
        | fields
    )


# --- results ------------------------------------------------------------------------------------------

_RESULTS = {
    "ca": ("Calcium", {"mg/dL": "17861-6", "mmol/L": "2000-8", "meq/L": "2000-8"}),
    "adjusted": ("Calcium corrected for albumin", {"mg/dL": "46099-8", "mmol/L": "29265-6"}),
    "ica": ("Calcium.ionized", {"mmol/L": "12180-6"}),
    "p": ("Phosphate", {"mg/dL": "2777-1", "mmol/L": "14879-1"}),
    "alb": ("Albumin", {"g/dL": "1751-7", "g/L": "1751-7"}),
    "pth": ("Parathyrin.intact", {"pg/mL": "2731-8", "ng/L": "2731-8", "pmol/L": "14866-8"}),
    "alp": ("Alkaline phosphatase", {"U/L": "6768-6"}),
    "inr": ("INR in Platelet poor plasma by Coagulation assay", {"{INR}": "6301-6"}),
    "hco3": ("Bicarbonate", {"mmol/L": "1963-8"}),
    "gap": ("Anion gap", {"mmol/L": "33037-3"}),
    "na": ("Sodium", {"mmol/L": "2951-2"}),
    "egfr": ("Glomerular filtration rate", {"mL/min/{1.73_m2}": "69405-9"}),
    "vitd": ("25(OH)D", {"ng/mL": "62292-8"}),
    "protein s": ("Protein S Free Ag actual/normal", {"%": "27821-8"}),
    "weight": ("Body weight", {"kg": "29463-7"}),
    "height": ("Body height", {"cm": "8302-2"}),
    "bmi": ("Body mass index", {"kg/m2": "39156-5"}),
}
_VITALS = frozenset({"weight", "height", "bmi"})
_PTH_ULN = {"pg/mL": 65, "ng/L": 65, "pmol/L": 6.9}


def quantity(value: float, unit: str) -> Json:
    return {"value": value, "unit": unit, "system": UCUM, "code": unit}


def result(
    name: str,
    value: float | None,
    days: int = 9,
    unit: str | None = None,
    *,
    clock: str | None = "07:30",
    low: float | None = None,
    high: float | None = None,
    status: str = "final",
    **fields: Any,
) -> Json:
    """One laboratory result or measurement; the unit, if not given, is the first of its kind."""
    title, codes = _RESULTS[name]
    unit = unit or next(iter(codes))
    bounds = {
        side: quantity(bound, unit) for side, bound in (("low", low), ("high", high)) if bound is not None
    }
    if name == "pth" and not bounds and "referenceRange" not in fields:
        bounds = {"high": quantity(_PTH_ULN[unit], unit)}
    kind = "vital-signs" if name in _VITALS else "laboratory"
    found = {
        "resourceType": "Observation",
        "status": status,
        "category": [concept(f"{HL7}/observation-category", kind)],
        "code": concept(LOINC, codes.get(unit, next(iter(codes.values()))), title),
        "effectiveDateTime": ago(days, clock),
    }
    if value is not None:
        found["valueQuantity"] = quantity(value, unit)
    if bounds:
        found["referenceRange"] = [bounds]
    found |= fields
    return {key: value for key, value in found.items() if value is not None}


def draw(
    days: int = 9, *, clock: str | None = "07:30", **values: float | tuple[float, str] | None
) -> tuple[Json, ...]:
    """One blood draw: `draw(9, ca=9.8, alb=4.0, p=(2.07, "mmol/L"))`. Names as in `result`; None is left out."""
    made = []
    for name, value in values.items():
        if value is None:
            continue
        number, unit = value if isinstance(value, tuple) else (value, None)
        made.append(result(name, number, days, unit, clock=clock))
    return tuple(made)


# --- medicines ----------------------------------------------------------------------------------------

DRUGS: dict[str, tuple[str, str, str]] = {
    "warfarin": (RXNORM, "855332", "warfarin sodium 5 MG Oral Tablet"),
    "warfarin 2 mg": (RXNORM, "855302", "warfarin sodium 2 MG Oral Tablet"),
    "acenocoumarol": (ATC, "B01AA07", "acenocoumarol"),
    "phenprocoumon": (ATC, "B01AA04", "phenprocoumon"),
    "fluindione": (ATC, "B01AA12", "fluindione"),
    "apixaban": (RXNORM, "1364445", "apixaban 5 MG Oral Tablet"),
    "vitamin K1": (RXNORM, "198102", "vitamin K1 5 MG Oral Tablet"),
    "calcitriol": (RXNORM, "308867", "calcitriol 0.00025 MG Oral Capsule"),
    "calcitriol 0.5": (RXNORM, "308868", "calcitriol 0.0005 MG Oral Capsule"),
    "calcitriol ointment": (RXNORM, "388517", "calcitriol 0.000003 MG/MG Topical Ointment"),
    "calcipotriene": (RXNORM, "313921", "calcipotriene 0.05 MG/ML Topical Cream"),
    "alfacalcidol": (ATC, "A11CC03", "alfacalcidol"),
    "paricalcitol": (RXNORM, "577315", "paricalcitol 0.001 MG Oral Capsule"),
    "paricalcitol iv": (RXNORM, "1736931", "1 ML paricalcitol 0.002 MG/ML Injection"),
    "doxercalciferol": (RXNORM, "310023", "doxercalciferol 0.0025 MG Oral Capsule"),
    "calcifediol": (RXNORM, "1855066", "24 HR calcifediol 0.03 MG Extended Release Oral Capsule"),
    "cholecalciferol": (RXNORM, "1092380", "cholecalciferol 0.1 MG Oral Capsule"),
    "ergocalciferol": (RXNORM, "1367410", "ergocalciferol 1.25 MG Oral Capsule"),
    "calcium acetate": (RXNORM, "359296", "calcium acetate 667 MG Oral Capsule"),
    "calcium carbonate": (RXNORM, "282465", "calcium carbonate 1250 MG Oral Tablet"),
    "calcium carbonate with vitamin D": (
        RXNORM,
        "1233607",
        "calcium carbonate 1250 MG / cholecalciferol 600 UNT Oral Tablet",
    ),
    "calcium citrate": (RXNORM, "198538", "calcium citrate 950 MG Oral Tablet"),
    "calcium gluconate iv": (RXNORM, "1668250", "10 ML calcium gluconate 100 MG/ML Injection"),
    "sevelamer": (RXNORM, "749206", "sevelamer carbonate 800 MG Oral Tablet"),
    "verapamil": (RXNORM, "11170", "verapamil"),
    "cinacalcet": (RXNORM, "432402", "cinacalcet 30 MG Oral Tablet"),
    "denosumab": (RXNORM, "2715513", "1 ML denosumab-bbdz 60 MG/ML Prefilled Syringe"),
    "digoxin": (ATC, "C01AA05", "digoxin"),
    "insulin glargine": (RXNORM, "2563971", "3 ML insulin glargine-yfgn 100 UNT/ML Pen Injector"),
    "insulin lispro": (RXNORM, "1652639", "3 ML insulin lispro 100 UNT/ML Pen Injector"),
    "enoxaparin": (RXNORM, "854235", "0.4 ML enoxaparin sodium 100 MG/ML Prefilled Syringe"),
    "epoetin": (RXNORM, "239999", "1 ML epoetin alfa 4000 UNT/ML Injection"),
    "darbepoetin": (RXNORM, "349276", "1 ML darbepoetin alfa 0.1 MG/ML Injection"),
    "glucagon": (ATC, "H04AA01", "glucagon"),
    "teriparatide": (RXNORM, "1435115", "28 ACTUAT teriparatide 0.02 MG/ACTUAT Pen Injector"),
    "abaloparatide": (ATC, "H05AA04", "abaloparatide"),
    "morphine": (
        RXNORM,
        "1871441",
        "Abuse-Deterrent 12 HR morphine sulfate 30 MG Extended Release Oral Tablet",
    ),
    "morphine plain": (ATC, "N02AA01", "morphine"),
    "codeine": (RXNORM, "993781", "acetaminophen 300 MG / codeine phosphate 30 MG Oral Tablet"),
    "meperidine": (ATC, "N02AB02", "meperidine"),
    "hydromorphone": (RXNORM, "897696", "hydromorphone hydrochloride 2 MG Oral Tablet"),
    "gabapentin": (RXNORM, "310433", "gabapentin 600 MG Oral Tablet"),
    "gabapentin 100": (RXNORM, "476673", "gabapentin 100 MG Oral Tablet"),
    "pregabalin": (RXNORM, "483450", "pregabalin 75 MG Oral Capsule"),
    "pregabalin 50": (RXNORM, "483448", "pregabalin 50 MG Oral Capsule"),
    "sodium thiosulfate": (RXNORM, "237832", "50 ML sodium thiosulfate 250 MG/ML Injection"),
    "alendronate": (RXNORM, "904419", "Alendronic acid 10 MG Oral Tablet"),
    "zoledronic acid": (RXNORM, "351114", "5 ML zoledronic acid 0.8 MG/ML Injection"),
    "risedronate": (ATC, "M05BA07", "risedronate"),
    "denosumab 60": (RXNORM, "993452", "1 ML denosumab 60 MG/ML Prefilled Syringe"),
    "denosumab atc": (ATC, "M05BX04", "denosumab"),
    "prednisone": (RXNORM, "312615", "prednisone 20 MG Oral Tablet"),
    "prednisolone": (RXNORM, "199343", "prednisolone 1 MG Oral Tablet"),
    "methylprednisolone": (RXNORM, "197971", "methylprednisolone 32 MG Oral Tablet"),
    "tacrolimus": (RXNORM, "198378", "tacrolimus 5 MG Oral Capsule"),
    "mycophenolate": (RXNORM, "200060", "mycophenolate mofetil 500 MG Oral Tablet"),
}


def dosage(
    amount: float | None = None,
    unit: str = "mg",
    times: int | None = None,
    *,
    route: str | None = None,
    text: str | None = None,
    **fields: Any,
) -> Json:
    """One dosage instruction: `dosage(2, "capsule", 3, route="Oral")` is two capsules three times a day."""
    repeat = {"frequency": times, "period": 1, "periodUnit": "d"} if times else {}
    repeat |= fields.pop("repeat", {})
    return (
        given(text=text)
        | ({"timing": {"repeat": repeat}} if repeat else {})
        | ({"route": {"text": route}} if route else {})
        | ({"doseAndRate": [{"doseQuantity": {"value": amount, "unit": unit}}]} if amount is not None else {})
        | fields
    )


def drug(name: str, text: str | None = None) -> Json:
    """The coded drug of the table above."""
    return concept(*DRUGS[name], text)


def order(
    name: str | None,
    *doses: Json,
    text: str | None = None,
    status: str = "draft",
    days: int = 0,
    intent: str = "order",
    **fields: Any,
) -> Json:
    """A MedicationRequest being signed: a name of the drug table, or words only (`name` is None)."""
    found: Json = {"resourceType": "MedicationRequest", "status": status, "intent": intent}
    if "medicationReference" not in fields:
        found["medicationCodeableConcept"] = drug(name, text) if name else {"text": text}
    found["authoredOn"] = ago(days)
    if doses:
        found["dosageInstruction"] = list(doses)
    return found | fields


def taking(name: str | None, *doses: Json, days: int = 200, status: str = "active", **fields: Any) -> Json:
    """A MedicationRequest of the medication list, ordered `days` ago."""
    return order(name, *doses, days=days, status=status, **fields)


def until(days: int) -> Json:
    """Dosage that ended `days` ago."""
    return {"timing": {"repeat": {"boundsPeriod": {"start": ago(days + 200), "end": ago(days)}}}}


# --- procedures, encounters, requests -----------------------------------------------------------------

HEMODIALYSIS = (SNOMED, "302497006", "Hemodialysis")
PERITONEAL_DIALYSIS = (SNOMED, "71192002", "Peritoneal dialysis")
PARATHYROIDECTOMY = (SNOMED, "53304009", "Parathyroidectomy")
TRANSPLANTATION = (SNOMED, "70536003", "Transplant of kidney")
BIOPSY = (SNOMED, "240977001", "Biopsy of skin")
PUNCH_BIOPSY = (SNOMED, "68660007", "Punch biopsy")
EXCISION_BIOPSY = (SNOMED, "312968005", "Excision biopsy of skin lesion")
PARATHYROID_SCAN = (LOINC, "39742-2", "NM Parathyroid gland Views")
AMPUTATION = (SNOMED, "397117006", "Amputation of lower limb")
TO_DERMATOLOGY = (SNOMED, "183518005", "Referral to dermatology service")


def done(what: tuple[str, str, str], days: int, status: str = "completed") -> Json:
    """A Procedure that was done `days` ago."""
    return {
        "resourceType": "Procedure",
        "status": status,
        "code": concept(*what),
        "performedDateTime": ago(days, "08:00"),
    }


def encounter(days: int, code: str | None = None, **fields: Any) -> Json:
    """A finished outpatient Encounter, with an ICD-10-CM reason."""
    found = {
        "resourceType": "Encounter",
        "status": "finished",
        "class": {"system": f"{HL7}/v3-ActCode", "code": "AMB"},
        "period": {"start": ago(days, "08:00"), "end": ago(days, "12:00")},
    }
    if code is not None:
        found["reasonCode"] = [concept(ICD10CM, code, ICD_NAMES.get(code))]
    return found | fields


def request(what: tuple[str, str, str] | str, *, days: int = 0, status: str = "draft", **fields: Any) -> Json:
    """A ServiceRequest: coded, or in words only."""
    code = {"text": what} if isinstance(what, str) else concept(*what)
    return {
        "resourceType": "ServiceRequest",
        "status": status,
        "intent": "order",
        "code": code,
        "authoredOn": ago(days),
    } | fields


def reason(code: str) -> list[Json]:
    """The coded reason of an order."""
    return [concept(ICD10CM, code, ICD_NAMES.get(code))]


def course(days: int) -> Json:
    """Bounds of a timing: a course of so many days from today."""
    return {"boundsDuration": {"value": days, "unit": "d", "system": UCUM, "code": "d"}}


def medication(name: str) -> Json:
    """A Medication resource that requests point to."""
    return {"resourceType": "Medication", "status": "active", "code": drug(name)}


# --- the chart ----------------------------------------------------------------------------------------

KINDS = {
    "Condition": "condition",
    "Observation": "lab",
    "MedicationRequest": "medication",
    "Procedure": "procedure",
    "Encounter": "encounter",
    "ServiceRequest": "request",
    "Medication": "drug",
}


@dataclass(frozen=True)
class Chart:
    """What the record holds about one patient, in the order in which it is written out."""

    patient: Json
    entries: tuple[Json, ...] = ()

    def plus(self, *more: Json | Iterable[Json]) -> Chart:
        """The same chart with more resources."""
        return replace(self, entries=(*self.entries, *flat(more)))

    def but(self, **patient: Any) -> Chart:
        """The same chart with changed Patient fields; None removes one."""
        changed = {key: value for key, value in (self.patient | patient).items() if value is not None}
        return replace(self, patient=changed)


def flat(items: Iterable[Json | Iterable[Json]]) -> Sequence[Json]:
    """Resources and groups of resources in one row."""
    found: list[Json] = []
    for item in items:
        if isinstance(item, dict):
            found.append(item)
        else:
            found.extend(item)
    return found


def chart(*entries: Json | Iterable[Json], patient: Json | None = None) -> Chart:
    return Chart(patient or person(), tuple(flat(entries)))


def identified(found: Chart, patient_id: str, prefix: str = "") -> list[Json]:
    """Every resource of the chart with its id and its subject, the Patient first."""
    made: list[Json] = [{"resourceType": "Patient", "id": patient_id} | _rest(found.patient)]
    counts: dict[str, int] = {}
    for entry in found.entries:
        kind = KINDS[entry["resourceType"]]
        counts[kind] = counts.get(kind, 0) + 1
        ident = entry.get("id", f"{prefix}{kind}-{counts[kind]}")
        head: Json = {"resourceType": entry["resourceType"], "id": ident}
        subject = (
            {}
            if entry["resourceType"] == "Medication"
            else {"subject": {"reference": f"Patient/{patient_id}"}}
        )
        made.append(head | subject | _rest(entry))
    return made


def _rest(resource: Json) -> Json:
    return {key: value for key, value in resource.items() if key not in ("resourceType", "id")}
