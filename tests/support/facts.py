"""Small FHIR resources, and Facts built from them through the real decoder and normaliser."""

import itertools
import json
from datetime import UTC, datetime, timedelta

from cds_service.facts.labs import LabReader
from cds_service.facts.medications import shelve
from cds_service.facts.normalise import Normaliser, Setting, read_orders
from cds_service.fhir.decode import decode_resource
from cds_service.fhir.results import FailureReason
from cds_service.fhir.source import Source
from cds_service.terminology.index import Terminology
from hooks import valuesets as vs
from hooks.analytes import ANALYTES

AS_OF = datetime(2026, 11, 15, 12, 0, tzinfo=UTC)
TERMINOLOGY = Terminology(
    vs.ALL, vs.NAMES.drugs, vs.NAMES.negatives, exclusions=vs.EXCLUSIONS, texts=vs.NAMES.texts
)
NORMALISER = Normaliser(TERMINOLOGY, LabReader(ANALYTES, TERMINOLOGY))
KEYS = ("conditions", "labs", "medications", "procedures", "encounters", "requests", "vitals")
ICD10CM = "http://hl7.org/fhir/sid/icd-10-cm"
SNOMED = "http://snomed.info/sct"
LOINC = "http://loinc.org"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
UCUM = "http://unitsofmeasure.org"
SUBJECT = {"reference": "Patient/p1"}
ADULT = {"resourceType": "Patient", "id": "p1", "birthDate": "1960-05-04", "gender": "male"}
_ids = itertools.count(1)


def ago(days, **less):
    """A date (or, with hours= and so on, a time) that many days before the call."""
    moment = AS_OF - timedelta(days=days, **less)
    return moment.isoformat() if less else moment.date().isoformat()


def _new(kind, prefix, **fields):
    given = {key: value for key, value in fields.items() if value is not None}
    return {"resourceType": kind, "id": f"{prefix}{next(_ids)}", "subject": SUBJECT} | given


def concept(code=None, system=ICD10CM, text=None, display=None):
    coding = {"system": system, "code": code} | ({"display": display} if display else {})
    return ({"coding": [coding]} if code else {}) | ({"text": text} if text else {})


def condition(
    code=None, system=ICD10CM, text=None, display=None, clinical="active", verification=None, **fields
):
    status = {"coding": [{"code": verification}]} if verification else None
    return _new(
        "Condition",
        "c",
        code=concept(code, system, text, display),
        clinicalStatus={"coding": [{"code": clinical}]},
        verificationStatus=status,
        **fields,
    )


def lab(code, /, value, unit, days=5, low=None, high=None, **fields):
    """A final result `days` ago; `low` and `high` are its own reference range."""
    bounds = {name: {"value": end} for name, end in (("low", low), ("high", high)) if end is not None}
    usual = {
        "status": "final",
        "code": concept(code, LOINC),
        "effectiveDateTime": ago(days),
        "valueQuantity": {"value": value, "unit": unit, "system": UCUM, "code": unit},
        "referenceRange": [bounds] if bounds else None,
    }
    return _new("Observation", "o", **usual | fields)


def calcium(value, unit="mg/dL", **fields):
    return lab("17861-6", value, unit, **fields)


def phosphate(value, unit="mg/dL", **fields):
    return lab("2777-1", value, unit, **fields)


def albumin(value, unit="g/dL", **fields):
    return lab("1751-7", value, unit, **fields)


def pth(value, unit="pg/mL", **fields):
    return lab("2731-8", value, unit, **fields)


def minerals(ca=9.0, p=4.0, alb=4.2, intact_pth=300, days=5):
    """One complete, unremarkable set of mineral results."""
    return [
        calcium(ca, days=days),
        phosphate(p, days=days),
        albumin(alb, days=days),
        pth(intact_pth, days=days, high=65),
    ]


def medicine(name=None, rxnorm=None, status="active", days=200, route=None, **fields):
    """A MedicationRequest ordered `days` ago, named by code or by words."""
    dosage = fields.pop("dosageInstruction", None)
    if route is not None:
        dosage = [{"route": {"text": route}} | (dosage[0] if dosage else {})]
    return _new(
        "MedicationRequest",
        "m",
        status=status,
        intent=fields.pop("intent", "order"),
        medicationCodeableConcept=concept(rxnorm, RXNORM, name),
        authoredOn=fields.pop("authoredOn", ago(days)),
        dosageInstruction=dosage,
        **fields,
    )


def dose(value, unit="mg", per_day=1, **more):
    """A structured dosage instruction."""
    return {
        "doseAndRate": [{"doseQuantity": {"value": value, "unit": unit, "code": unit, "system": UCUM}}],
        "timing": {"repeat": {"frequency": per_day, "period": 1, "periodUnit": "d"} | more},
    }


def procedure(code=None, system=SNOMED, text=None, days=5, status="completed", **fields):
    done = fields.pop("performedDateTime", ago(days))
    return _new(
        "Procedure", "p", status=status, code=concept(code, system, text), performedDateTime=done, **fields
    )


def service_request(code=None, system=SNOMED, text=None, days=5, status="active", **fields):
    ordered = fields.pop("authoredOn", ago(days))
    return _new(
        "ServiceRequest",
        "s",
        status=status,
        intent="order",
        code=concept(code, system, text),
        authoredOn=ordered,
        **fields,
    )


def encounter(days=5, status="in-progress", ended=None, disposition=None, **fields):
    leaving = {
        "dischargeDisposition": concept(
            disposition, "http://terminology.hl7.org/CodeSystem/discharge-disposition"
        )
    }
    period = {"start": ago(days)} | ({"end": ago(ended)} if ended is not None else {})
    usual = {"status": status, "period": period, "hospitalization": leaving if disposition else None}
    return _new("Encounter", "e", **usual | fields)


def decoded(resources):
    dropped = []
    read = [decode_resource(json.dumps(one).encode(), "$", dropped) for one in resources]
    assert not dropped, dropped
    return tuple(read)


def facts(
    *,
    patient=ADULT,
    drafts=(),
    hook="patient-view",
    unreadable=(),
    incomplete=(),
    as_of=AS_OF,
    zone=UTC,
    site=None,
    units="conventional",
    siblings=(),
    **lists,
):
    """Facts of one call. `lists` are KEYS; one that is not given was read and is empty.

    With drafts the first one is in focus; use `about(order)` for another. `siblings` are the Medications
    that came with the call, as (resource, full URL).
    """
    assert set(lists) <= set(KEYS), set(lists) - set(KEYS)
    content = {key: lists.get(key, ()) for key in KEYS} | {"patient": [patient] if patient else []}
    sources = {
        key: Source(key, None, FailureReason.NOT_PERMITTED, complete=False)
        if key in unreadable
        else Source(key, decoded(resources), complete=key not in incomplete)
        for key, resources in content.items()
    }
    shelf = shelve((decoded([resource])[0], full_url) for resource, full_url in siblings)
    reader = NORMALISER.reader(shelf, zone)
    orders = read_orders(
        decoded(drafts), reader, TERMINOLOGY, zone, renewal=hook == "medication-refill"
    ).orders
    setting = Setting(as_of, zone, hook, "p1", site or {}, units)
    return NORMALISER.facts(sources, orders, shelf, setting).about(orders[0] if orders else None)
