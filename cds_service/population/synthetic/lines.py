"""Lines of NDJSON: R4 resources as an EHR's bulk export writes them, from templates.

Every value put into a template is JSON text already (`text`), a number, or an id of our own making.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import lru_cache

import msgspec

from cds_service.rules.cohort import Code, Dose, Series, Unit

UCUM = "http://unitsofmeasure.org"
_HL7 = "http://terminology.hl7.org/CodeSystem"
_US_CORE = "http://hl7.org/fhir/us/core/StructureDefinition"
_TEST = f'"security":[{{"system":"{_HL7}/v3-ActReason","code":"HTEST","display":"test health data"}}]'
MINUTES_A_DAY = 1440


def text(value: object) -> str:
    """`value` as JSON."""
    return msgspec.json.encode(value).decode()


@lru_cache(maxsize=4096)
def concept(codes: tuple[Code, ...], words: str) -> str:
    """A CodeableConcept."""
    coding = [
        {
            key: value
            for key, value in (("system", c.system), ("code", c.code), ("display", c.display))
            if value
        }
        for c in codes
    ]
    return text({key: value for key, value in (("coding", coding), ("text", words)) if value})


class Clock:
    """Times before the day of the export, as text. `minute` of the day counts from midnight."""

    def __init__(self, as_of: datetime) -> None:
        self._days = [(as_of - timedelta(days=day)).date().isoformat() for day in range(6000)]
        self._as_of = as_of

    def day(self, ago: float) -> str:
        return self._days[int(ago)]

    def time(self, ago: float, minute: int, zone: str) -> str:
        minute %= MINUTES_A_DAY
        return f"{self._days[int(ago)]}T{minute // 60:02d}:{minute % 60:02d}:00{zone}"

    def year(self, age: int) -> int:
        return self._as_of.year - age


def meta(profile: str, when: str) -> str:
    return f'"meta":{{"versionId":"1","lastUpdated":"{when}","profile":["{_US_CORE}/{profile}"],{_TEST}}}'


@lru_cache(maxsize=512)
def _observation_parts(
    name: str, kind: str, reference: tuple[float, float] | None, unit: Unit
) -> tuple[str, str]:
    """What stays the same in every result of one series and unit: before and after the value."""
    code = concept((unit.code,), name)
    category = concept((Code(f"{_HL7}/observation-category", kind, kind),), "")
    ucum = f',"system":"{UCUM}","code":{text(unit.ucum)}' if unit.ucum else ""
    ranges = ""
    if reference:
        low, high = (round(bound * unit.factor, unit.decimals) for bound in reference)
        ranges = (
            f',"referenceRange":[{{"low":{{"value":{low},"unit":{text(unit.unit)}{ucum}}},'
            f'"high":{{"value":{high},"unit":{text(unit.unit)}{ucum}}}}}]'
        )
    return (
        f'"category":[{category}],"code":{code}',
        f',"unit":{text(unit.unit)}{ucum}}}{ranges}}}',
    )


def observation(
    series: Series, unit: Unit, *, ident: str, patient: str, value: str, when: str, issued: str
) -> str:
    """A result; `value` is the number as text, in `unit`."""
    fixed, tail = _observation_parts(series.id, series.category, series.reference, unit)
    return (
        f'{{"resourceType":"Observation","id":"{ident}",{meta("us-core-observation-lab", issued)},'
        f'"identifier":[{{"system":"urn:oid:1.2.840.99999.5","value":"{ident}"}}],"status":"final",{fixed},'
        f'"subject":{{"reference":"Patient/{patient}"}},"effectiveDateTime":"{when}","issued":"{issued}",'
        f'"performer":[{{"reference":"Organization/syn-lab","display":"Synthetic laboratory"}}],'
        f'"valueQuantity":{{"value":{value}{tail}'
    )


def patient(ident: str, *, gender: str, birth: str | None, when: str) -> str:
    born = f',"birthDate":"{birth}"' if birth else ""
    return (
        f'{{"resourceType":"Patient","id":"{ident}",{meta("us-core-patient", when)},'
        f'"identifier":[{{"system":"urn:oid:1.2.840.99999.6","value":"{ident}"}}],"active":true,'
        f'"name":[{{"use":"official","family":"Synthetic","given":["{ident}"]}}],"gender":"{gender}"{born}}}'
    )


def condition(
    ident: str,
    patient_id: str,
    code: str,
    clinical: str,
    verification: str,
    onset: str | None,
    recorded: str | None,
    site: str | None,
    when: str,
) -> str:
    dates = "".join(
        f',"{name}":"{value}"'
        for name, value in (("onsetDateTime", onset), ("recordedDate", recorded))
        if value
    )
    ended = f',"abatementDateTime":"{when}"' if clinical == "resolved" else ""
    where = f',"bodySite":[{site}]' if site else ""
    return (
        f'{{"resourceType":"Condition","id":"{ident}",{meta("us-core-condition", when)},'
        f'"clinicalStatus":{{"coding":[{{"system":"{_HL7}/condition-clinical","code":"{clinical}"}}]}},'
        f'"verificationStatus":{{"coding":[{{"system":"{_HL7}/condition-ver-status","code":"{verification}"}}]}},'
        f'"category":[{{"coding":[{{"system":"{_HL7}/condition-category","code":"problem-list-item",'
        f'"display":"Problem List Item"}}]}}],"code":{code},"subject":{{"reference":"Patient/{patient_id}"}}'
        f"{dates}{ended}{where}}}"
    )


def procedure(ident: str, patient_id: str, code: str, start: str, end: str) -> str:
    return (
        f'{{"resourceType":"Procedure","id":"{ident}",{meta("us-core-procedure", end)},"status":"completed",'
        f'"code":{code},"subject":{{"reference":"Patient/{patient_id}"}},'
        f'"performedPeriod":{{"start":"{start}","end":"{end}"}},'
        f'"performer":[{{"actor":{{"reference":"Organization/syn-unit","display":"Synthetic dialysis unit"}}}}]}}'
    )


def encounter(ident: str, patient_id: str, kind: str, reason: str, start: str, end: str) -> str:
    why = f',"reasonCode":[{reason}]' if reason else ""
    return (
        f'{{"resourceType":"Encounter","id":"{ident}",{meta("us-core-encounter", end)},"status":"finished",'
        f'"class":{{"system":"{_HL7}/v3-ActCode","code":"AMB","display":"ambulatory"}},"type":[{kind}],'
        f'"subject":{{"reference":"Patient/{patient_id}"}},"period":{{"start":"{start}","end":"{end}"}}{why}}}'
    )


def service_request(ident: str, patient_id: str, code: str, when: str) -> str:
    return (
        f'{{"resourceType":"ServiceRequest","id":"{ident}",{meta("us-core-servicerequest", when)},'
        f'"status":"completed","intent":"order","code":{code},"subject":{{"reference":"Patient/{patient_id}"}},'
        f'"authoredOn":"{when}"}}'
    )


def medication(ident: str, code: str, when: str) -> str:
    return (
        f'{{"resourceType":"Medication","id":"{ident}",{meta("us-core-medication", when)},'
        f'"code":{code},"status":"active"}}'
    )


def medication_request(
    *,
    ident: str,
    patient_id: str,
    status: str,
    drug: str,
    authored: str,
    requester: str,
    dose: Dose | None,
    supply: Sequence[str],
    prior: str | None,
) -> str:
    """An order; `drug` is the member that names the drug, `supply` first and last day."""
    dosage = f',"dosageInstruction":[{_dosage(dose)}]' if dose else ""
    before = f',"priorPrescription":{{"reference":"MedicationRequest/{prior}"}}' if prior else ""
    return (
        f'{{"resourceType":"MedicationRequest","id":"{ident}",{meta("us-core-medicationrequest", authored)},'
        f'"status":"{status}","intent":"order","category":[{{"coding":[{{'
        f'"system":"{_HL7}/medicationrequest-category","code":"outpatient","display":"Outpatient"}}]}}],{drug},'
        f'"subject":{{"reference":"Patient/{patient_id}"}},"authoredOn":"{authored}",'
        f'"requester":{{"reference":"Practitioner/{requester}"}}{dosage},'
        f'"dispenseRequest":{{"validityPeriod":{{"start":"{supply[0]}","end":"{supply[1]}"}},'
        f'"numberOfRepeatsAllowed":0,"expectedSupplyDuration":{{"value":90,"unit":"d","system":"{UCUM}",'
        f'"code":"d"}}}}{before}}}'
    )


@lru_cache(maxsize=256)
def _dosage(dose: Dose) -> str:
    period = (
        {"frequency": int(dose.per_day), "period": 1, "periodUnit": "d"}
        if dose.per_day >= 1
        else {"frequency": 3, "period": 1, "periodUnit": "wk"}
    )
    return text(
        {
            "timing": {"repeat": period},
            "route": {"text": dose.route},
            "doseAndRate": [
                {"doseQuantity": {"value": dose.value, "unit": dose.unit, "system": UCUM, "code": dose.code}}
            ],
        }
    )
