"""Synthetic patients and requests: case files, and charts drawn for whatever rules and codes are installed.

A chart is drawn for one rule of one service: its orders are what the rule's trigger names, the record is what
rules look at (dialysis, calciphylaxis, minerals, medicines), with any code of any value set mixed in. New rules,
value sets and analytes take part without a change here.
"""

import functools
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from hypothesis import strategies as st
from property_desk import SERVICES, Call, decoded

from cds_service.rules.criteria import OrderingProcedure

AS_OF = datetime(2026, 11, 15, 12, 0, tzinfo=UTC)
CASES = Path(__file__).parents[2] / "fixtures" / "cases"
PATIENT = "p-17"
SUBJECT = {"reference": f"Patient/{PATIENT}"}
ICD10CM = "http://hl7.org/fhir/sid/icd-10-cm"
SNOMED = "http://snomed.info/sct"
LOINC = "http://loinc.org"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
UCUM = "http://unitsofmeasure.org"
TYPES = {
    "conditions": "Condition",
    "labs": "Observation",
    "vitals": "Observation",
    "medications": "MedicationRequest",
    "procedures": "Procedure",
    "encounters": "Encounter",
    "requests": "ServiceRequest",
}
CONTENT = next(iter(SERVICES.values())).content
VALUE_SETS = {each.id: each for each in CONTENT.value_sets}
ANALYTES = {analyte.id: analyte for analyte in CONTENT.analytes}
DAYS = st.sampled_from(
    (0, 1, 2, 5, 6, 7, 8, 14, 20, 29, 30, 31, 34, 35, 36, 60, 89, 90, 91, 120, 180, 181, 400)
)
RECENT = st.sampled_from((0, 1, 2, 3, 5, 6, 7, 8, 12, 20, 30))


# --- what is installed --------------------------------------------------------------------------------


def parts_of(item, kind=None):
    """Every record inside a rule, trigger or criterion that has the attribute `kind` (default: `groups`)."""
    kind = kind or "groups"
    if isinstance(item, tuple):
        for each in item:
            yield from parts_of(each, kind)
    elif is_dataclass(item) and not isinstance(item, type):
        if hasattr(item, kind):
            yield item
        for field in fields(item):
            yield from parts_of(getattr(item, field.name, None), kind)


def members_of(groups):
    """Ids of the value sets that a sequence of groups stands for."""
    return sorted(each for group in groups for each in group.ids)


@functools.cache
def codings(value_set_id, *systems):
    found = VALUE_SETS[value_set_id].codings if value_set_id in VALUE_SETS else ()
    return tuple(each for each in found if each.system in systems)


@functools.cache
def names_of(value_set_id):
    """Words that lead to a value set: of drugs, of problems and procedures."""
    drugs = tuple(sorted(name for name, sets in CONTENT.names.drugs.items() if value_set_id in sets))
    texts = tuple(sorted(name for name, sets in CONTENT.names.texts.items() if value_set_id in sets))
    return drugs, texts


@functools.cache
def sets_with(*systems):
    """Ids of the value sets that hold codes of these systems: drawing a set first gives rare ones their share."""
    return tuple(each.id for each in CONTENT.value_sets if codings(each.id, *systems))


@functools.cache
def loinc_of(analyte_id):
    return tuple(
        coding.code for value_set in ANALYTES[analyte_id].value_sets for coding in codings(value_set, LOINC)
    )


# --- small resources ----------------------------------------------------------------------------------


def ago(days, hour=None):
    moment = AS_OF - timedelta(days=days)
    if hour is None:
        return moment.date().isoformat()
    return moment.replace(hour=hour).isoformat().replace("+00:00", "Z")


def concept(coding=None, text=None):
    made = {}
    if coding is not None:
        made["coding"] = [{"system": coding.system, "code": coding.code, "display": coding.display}]
    return made | ({"text": text} if text else {})


def named(code, system=ICD10CM, text=None):
    return {"coding": [{"system": system, "code": code}]} | ({"text": text} if text else {})


def resource(kind, ident, **members):
    given = {name: value for name, value in members.items() if value is not None}
    return {"resourceType": kind, "id": ident, "subject": SUBJECT} | given


def observation(ident, analyte_id, value, when, **members):
    analyte = ANALYTES[analyte_id]
    code = members.pop("loinc", loinc_of(analyte_id)[0])
    unit = members.pop("unit", analyte.unit)
    quantity = {"value": Decimal(str(value)), "unit": unit, "system": UCUM, "code": unit}
    return resource(
        "Observation",
        ident,
        status=members.pop("status", "final"),
        code=named(code, LOINC),
        effectiveDateTime=when,
        valueQuantity=quantity | members.pop("quantity", {}),
        **members,
    )


def condition(ident, code, clinical="active", verification=None, **members):
    return resource(
        "Condition",
        ident,
        code=code,
        clinicalStatus={"coding": [{"code": clinical}]},
        verificationStatus={"coding": [{"code": verification}]} if verification else None,
        **members,
    )


def medicine(ident, code, status="active", **members):
    return resource(
        "MedicationRequest", ident, status=status, intent="order", medicationCodeableConcept=code, **members
    )


def bundle(resources):
    entries = [{"fullUrl": f"urn:uuid:{each['id']}", "resource": each} for each in resources]
    return {"resourceType": "Bundle", "type": "searchset"} | ({"entry": entries} if entries else {})


# --- walking a request --------------------------------------------------------------------------------


def prefetched(request):
    """(prefetch key, resource) of everything that came as prefetch, whatever the wrapping."""
    for key, value in (request.get("prefetch") or {}).items():
        for each in _inside(value):
            yield key, each


def _inside(value):
    value = _unwrapped(value)
    if not isinstance(value, dict):
        return
    if value.get("resourceType") == "Bundle":
        for entry in value.get("entry") or ():
            if isinstance(entry, dict) and isinstance(entry.get("resource"), dict):
                yield entry["resource"]
    elif "resourceType" in value:
        yield value


def lists(request):
    """(prefetch key, Bundle) for each Bundle that came as prefetch."""
    for key, value in (request.get("prefetch") or {}).items():
        inner = _unwrapped(value)
        if isinstance(inner, dict) and inner.get("resourceType") == "Bundle":
            yield key, inner


def _unwrapped(value):
    """The resource inside the wrapper that old clients put around each value."""
    if isinstance(value, dict) and "resourceType" not in value and isinstance(value.get("resource"), dict):
        return value["resource"]
    return value


def order_bundle(request):
    context = request.get("context") or {}
    return next((context[name] for name in ("draftOrders", "medications") if name in context), None)


def draft_orders(request):
    return list(_inside(order_bundle(request)))


def reference(one):
    return f"{one['resourceType']}/{one['id']}" if "id" in one else one["resourceType"]


# --- drawing ------------------------------------------------------------------------------------------


@st.composite
def _when(draw, days=DAYS):
    return ago(draw(days), draw(st.sampled_from((None, None, 6, 10))))


CALCIUM = st.sampled_from(
    [
        "7.2",
        "8.3",
        "8.4",
        "8.5",
        "8.9",
        "9.0",
        "9.4",
        "9.6",
        "10.0",
        "10.2",
        "10.3",
        "10.6",
        "10.65",
        "11.4",
        "12.8",
    ]
)
PHOSPHATE = st.sampled_from(
    ["2.1", "3.5", "4.2", "5.0", "5.4", "5.5", "5.6", "6.1", "6.9", "7.0", "7.4", "8.8"]
)
ALBUMIN = st.sampled_from(["1.9", "2.5", "2.8", "3.0", "3.4", "3.5", "3.9", "4.0", "4.2"])
PTH = st.sampled_from(["40", "90", "120", "149", "150", "300", "585", "600", "620", "1100"])
IONISED = st.sampled_from(["0.95", "1.11", "1.12", "1.20", "1.32", "1.33", "1.45"])
_VALUES = {
    "calcium": CALCIUM,
    "calcium-corrected": CALCIUM,
    "phosphate": PHOSPHATE,
    "albumin": ALBUMIN,
    "pth": PTH,
    "calcium-ionised": IONISED,
}
_RANGES = {
    "pth": ("15", "65"),
    "calcium-ionised": ("1.12", "1.32"),
    "calcium": ("8.6", "10.2"),
    "alp": ("40", "130"),
}
_MINERALS = ("calcium", "phosphate", "albumin", "pth")


@st.composite
def results(draw, *, likely=False):
    """Mineral results as a dialysis unit sends them, and a few of any other analyte."""
    made = []

    def add(analyte_id, when, **members):
        values = _VALUES[analyte_id] if analyte_id in _VALUES else _plausible(analyte_id)
        span = _RANGES.get(analyte_id)
        if span and draw(st.booleans()):
            members["referenceRange"] = [
                {end: {"value": Decimal(v)} for end, v in zip(("low", "high"), span, strict=True)}
            ]
        made.append(observation(f"o{len(made)}", analyte_id, draw(values), when, **members))

    for _ in range(draw(st.integers(1 if likely else 0, 4))):
        when = draw(_when(draw(st.sampled_from((RECENT, DAYS)))))
        for analyte_id in sorted(draw(st.sets(st.sampled_from(_MINERALS), min_size=1))):
            add(analyte_id, when)
    for _ in range(draw(st.integers(0, 4))):
        analyte_id = draw(st.sampled_from(sorted(_VALUES)))
        odd = {}
        if draw(st.integers(0, 5)) == 0:
            odd["status"] = draw(st.sampled_from(("preliminary", "corrected", "cancelled", "amended")))
        if draw(st.integers(0, 7)) == 0:
            odd["quantity"] = {"comparator": draw(st.sampled_from(("<", ">", "<=", ">=")))}
        add(analyte_id, draw(_when()), **odd)
    others = sorted(key for key, each in ANALYTES.items() if key not in _MINERALS and each.source == "labs")
    for analyte_id in draw(st.lists(st.sampled_from(others), max_size=3)):
        add(analyte_id, draw(_when(RECENT)))
    return made


@functools.cache
def _plausible(analyte_id):
    """Values over the plausible range of an analyte, with what lies near common limits."""
    low, high = ANALYTES[analyte_id].plausible
    middle = [low + (high - low) * share / 20 for share in range(1, 20)]
    near = [
        value
        for value in map(Decimal, (15, 18, 20, 22, 30, 35, 60, 130, 140, 145, 150))
        if low < value < high
    ]
    return st.sampled_from([str(value) for value in (*middle, *near)])


DIALYSIS = {
    "dependence": named("Z99.2", text="Dependence on renal dialysis"),
    "esrd": named("N18.6", text="End stage renal disease"),
    "esrd-snomed": named("46177005", SNOMED, "End-stage renal disease"),
    "ckd-5": named("N18.5", text="Chronic kidney disease, stage 5"),
    "care": named("Z49.31"),
    "words": {"text": "ESRD on hemodialysis"},
}
CALCIPHYLAXIS = {"text": "Calciphylaxis of the thigh"}


_RELEVANT = (
    "kidney-transplant-status", "kidney-transplant-failure", "prosthetic-heart-valve-type-not-coded",
    "antiphospholipid-syndrome", "mitral-stenosis-rheumatic", "ulcer-thigh-buttock-calf-abdomen", "livedo",
    "skin-necrosis", "cellulitis", "panniculitis", "peritoneal-dialysis-condition", "acute-kidney-injury", "diabetes",
)  # fmt: skip
_RENAL = (
    ("dependence",), ("dependence", "esrd"), ("esrd",), ("esrd-snomed",), ("care",), ("words",), ("ckd-5",), (),
)  # fmt: skip


@st.composite
def problems(draw, wanted=(), *, likely=False):
    """A problem list; `wanted` are value sets that the rule in focus asks for, `likely` makes most rules fire."""
    made = []

    def add(code, clinical="active", verification=None, **members):
        dated = draw(st.sampled_from(("onsetDateTime", "recordedDate", None)))
        if dated:
            members.setdefault(dated, draw(_when()))
        made.append(condition(f"c{len(made)}", code, clinical, verification, **members))

    for kind in draw(st.sampled_from(_RENAL[:4] if likely else _RENAL)):
        add(DIALYSIS[kind])
    if draw(st.integers(0, 3)) >= (1 if likely else 2):
        specific = codings("calciphylaxis-snomed-licensed", SNOMED)
        code = draw(
            st.sampled_from((*map(concept, specific), CALCIPHYLAXIS, named("E83.59", text="Calciphylaxis")))
        )
        add(
            code,
            draw(st.sampled_from(("active", "active", "active", "resolved"))),
            draw(st.sampled_from((None, "confirmed", "provisional"))),
        )
    if draw(st.integers(0, 2)) == 0:
        value_set = draw(st.sampled_from(tuple(each for each in _RELEVANT if codings(each, ICD10CM))))
        coding = draw(st.sampled_from(codings(value_set, ICD10CM)))
        add(concept(coding), recordedDate=draw(_when(RECENT)))
    for value_set in draw(st.lists(st.sampled_from(wanted), max_size=2)) if wanted else ():
        pool = codings(value_set, ICD10CM, SNOMED)
        if pool:
            add(concept(draw(st.sampled_from(pool))))
    for value_set in draw(st.lists(st.sampled_from(sets_with(ICD10CM)), max_size=2)):
        coding = draw(st.sampled_from(codings(value_set, ICD10CM)))
        add(concept(coding), draw(st.sampled_from(("active", "active", "resolved"))))
    return made


@st.composite
def dosages(draw):
    """Dosage instructions: none, words only, or structured."""
    kind = draw(st.sampled_from(("none", "words", "dose", "dose")))
    if kind == "none":
        return None
    one = {"text": draw(st.sampled_from(("1 tablet daily", "as directed", "taper as tolerated")))}
    route = draw(st.sampled_from((None, None, "oral", "intravenous", "subcutaneous", "topical")))
    if route:
        one["route"] = {"text": route}
    if kind == "dose":
        unit = draw(st.sampled_from(("mg", "ug", "{tbl}", "mL")))
        amount = Decimal(draw(st.sampled_from(("0.25", "1", "2", "75", "300", "667", "900", "2001"))))
        one["doseAndRate"] = [{"doseQuantity": {"value": amount, "unit": unit, "code": unit, "system": UCUM}}]
        repeat = {"frequency": draw(st.integers(1, 4)), "period": 1, "periodUnit": "d"}
        bounds = draw(st.sampled_from((None, None, 1, 20, 21, 90)))
        if bounds:
            repeat["boundsDuration"] = {"value": bounds, "unit": "days", "code": "d", "system": UCUM}
        elif draw(st.integers(0, 3)) == 0:
            repeat["boundsPeriod"] = {"start": ago(draw(DAYS))}
        one["timing"] = {"repeat": repeat}
        if draw(st.booleans()):
            one["asNeededBoolean"] = draw(st.booleans())
    return [one]


_COMMON_MEDICINES = (
    "warfarin", "phenprocoumon", "calcitriol", "paricalcitol", "calcium-acetate", "calcium-carbonate", "denosumab",
    "cinacalcet", "insulin", "prednisone", "tacrolimus", "digoxin", "cholecalciferol",
)  # fmt: skip


@st.composite
def medicines(draw, wanted=()):
    made = []
    common = tuple(each for each in (*_COMMON_MEDICINES, *wanted) if each in VALUE_SETS)
    chosen = draw(st.lists(st.sampled_from(common), max_size=3))
    chosen += draw(st.lists(st.sampled_from(sets_with(RXNORM)), max_size=1))
    for value_set in chosen:
        pool = codings(value_set, RXNORM)
        words = names_of(value_set)[0]
        if pool and (not words or draw(st.integers(0, 4))):
            code = concept(draw(st.sampled_from(pool)))
        elif words:
            code = {"text": draw(st.sampled_from(words))}
        else:
            continue
        made.append(
            medicine(
                f"m{len(made)}",
                code,
                draw(st.sampled_from(("active", "active", "active", "on-hold", "stopped", "completed"))),
                authoredOn=draw(_when()),
                dosageInstruction=draw(dosages()),
            )
        )
    return made


@st.composite
def procedures(draw, wanted=()):
    made = []

    def add(code, when):
        made.append(
            resource("Procedure", f"pr{len(made)}", status="completed", code=code, performedDateTime=when)
        )

    if draw(st.integers(0, 2)) == 0:
        kind = draw(st.sampled_from(("hemodialysis", "peritoneal-dialysis")))
        for days in draw(st.sampled_from(((1, 3, 5), (2, 20, 140), (4,)))):
            add(concept(codings(kind, SNOMED)[0]), ago(days))
    for value_set in draw(
        st.lists(st.sampled_from(("parathyroidectomy", "kidney-transplant-procedure", *wanted)), max_size=2)
    ):
        pool = codings(value_set, SNOMED)
        words = names_of(value_set)[1] if value_set in VALUE_SETS else ()
        if pool:
            add(concept(draw(st.sampled_from(pool))), draw(_when()))
        elif words:
            add({"text": draw(st.sampled_from(words))}, draw(_when()))
    return made


@st.composite
def encounters(draw, wanted=()):
    made = []
    for value_set in draw(st.lists(st.sampled_from(("dialysis-care-encounter", *wanted)), max_size=1)):
        pool = codings(value_set, ICD10CM, SNOMED)
        if pool:
            reason = concept(draw(st.sampled_from(pool)))
            period = {"start": ago(draw(DAYS))}
            made.append(
                resource(
                    "Encounter", f"e{len(made)}", status="in-progress", period=period, reasonCode=[reason]
                )
            )
    return made


_MINERAL_ORDERS = ("lab-order-calcium", "lab-order-phosphate", "lab-order-albumin", "lab-order-pth")


@st.composite
def requests(draw, wanted=()):
    made = []
    for value_set in draw(st.lists(st.sampled_from((*_MINERAL_ORDERS, *wanted)), max_size=3)):
        pool = codings(value_set, LOINC, SNOMED)
        if pool:
            status = draw(st.sampled_from(("active", "active", "completed", "draft")))
            code = concept(draw(st.sampled_from(pool)))
            made.append(
                resource(
                    "ServiceRequest",
                    f"s{len(made)}",
                    status=status,
                    intent="order",
                    code=code,
                    authoredOn=draw(_when()),
                )
            )
    return made


@st.composite
def measurements(draw):
    made = []
    for analyte_id in draw(st.lists(st.sampled_from(("weight", "weight", "height", "bmi")), max_size=4)):
        value = {"weight": st.integers(55, 110), "height": st.integers(150, 190), "bmi": st.integers(18, 42)}[
            analyte_id
        ]
        made.append(observation(f"v{len(made)}", analyte_id, draw(value), draw(_when())))
    return made


@st.composite
def orders_for(draw, rule, ident):
    """A draft order that the trigger of the rule names, in one of the forms in which drugs are named."""
    triggers = [each for each in parts_of(rule.trigger) if each.groups]
    trigger = draw(st.sampled_from(triggers))
    value_set = draw(st.sampled_from(members_of(trigger.groups)))
    drugs, texts = names_of(value_set)
    if isinstance(trigger, OrderingProcedure):
        pool = codings(value_set, SNOMED, LOINC)
        code = (
            concept(draw(st.sampled_from(pool))) if pool else {"text": draw(st.sampled_from(texts or ("?",)))}
        )
        priority = draw(st.sampled_from((None, None, "routine", "stat")))
        return resource("ServiceRequest", ident, status="draft", intent="order", code=code, priority=priority)
    pool = codings(value_set, RXNORM)
    if pool and (not drugs or draw(st.integers(0, 3))):
        code = concept(draw(st.sampled_from(pool)))
    else:
        code = {"text": draw(st.sampled_from(drugs or ("?",)))}
    given = draw(dosages())
    if getattr(trigger, "only_routes", ()) and draw(st.booleans()):
        given = [*(given or [{}])]
        given[0] = given[0] | {"route": {"text": draw(st.sampled_from(trigger.only_routes))}}
    order = medicine(ident, code, "draft", authoredOn=ago(0), dosageInstruction=given)
    if draw(st.integers(0, 5)) == 0:
        order["priorPrescription"] = {"reference": "MedicationRequest/m0"}
    if draw(st.integers(0, 5)) == 0:
        reasons = draw(st.sampled_from(sets_with(ICD10CM)))
        order["reasonCode"] = [concept(draw(st.sampled_from(codings(reasons, ICD10CM))))]
    return order


@functools.cache
def rules_of(service_id):
    return tuple(use.rule for use in SERVICES[service_id].rules)


def every_rule():
    return {rule.id: rule for service_id in SERVICES for rule in rules_of(service_id)}


def _wanted(rule):
    """Value sets named anywhere in a rule."""
    return tuple(sorted({each for part in parts_of(rule) for each in members_of(part.groups)}))


@st.composite
def drawn(draw, service_ids=None, rule_ids=None, *, likely=False):
    """A request drawn for one rule of one service; `likely` draws adults on dialysis, for whom most rules fire."""
    choices = [
        (service_id, rule)
        for service_id in service_ids or SERVICES
        for rule in rules_of(service_id)
        if rule_ids is None or rule.id in rule_ids
    ]
    service_id, rule = draw(st.sampled_from(choices))
    hook = SERVICES[service_id].hook
    wanted = _wanted(rule)
    ages = ("1960-05-04", "1949-11-15", "1960-05-04", "1961", "2011-02-03", None)
    born = draw(st.sampled_from(ages[:2] if likely else ages))
    patient = {
        "resourceType": "Patient",
        "id": PATIENT,
        "gender": draw(st.sampled_from(("male", "female", "other"))),
    }
    patient |= {"birthDate": born} if born else {}
    content = {
        "conditions": draw(problems(wanted, likely=likely)),
        "labs": draw(results(likely=likely)),
        "medications": draw(medicines(wanted)),
        "procedures": draw(procedures(wanted)),
        "encounters": draw(encounters(wanted)),
        "requests": draw(requests(wanted)),
    }
    if any(template.key == "vitals" for template in SERVICES[service_id].prefetch):
        content["vitals"] = draw(measurements())
    context = {"patientId": PATIENT, "userId": "Practitioner/dr-1"}
    if hook in ("order-sign", "order-select", "medication-refill"):
        companions = [
            each for each in rules_of(service_id) if each.trigger.__class__ is rule.trigger.__class__
        ]
        subjects = [rule, *draw(st.lists(st.sampled_from(companions), max_size=1))]
        drafts = [draw(orders_for(each, f"d{number}")) for number, each in enumerate(subjects)]
        context["medications" if hook == "medication-refill" else "draftOrders"] = bundle(drafts) | {
            "type": "collection"
        }
        if hook == "order-select":
            context["selections"] = [reference(each) for each in drafts]
    if draw(st.booleans()):
        context["encounterId"] = "e0"
    request = {
        "hook": hook,
        "hookInstance": "5f0e5c0e-6b1c-4f57-9d6b-0a3f5b1c2d3e",
        "context": context,
        "prefetch": {"patient": patient} | {key: bundle(found) for key, found in content.items()},
    }
    return Call(service_id, AS_OF, request)


@functools.cache
def case_files():
    """Every case that can be read as a call; wrong ones are the content check's business."""
    found = []
    for path in sorted(CASES.glob("*.json")):
        case = decoded(path.read_bytes())
        if case["service"] in SERVICES:
            as_of = datetime.fromisoformat(case["as_of"])
            found.append(Call(case["service"], as_of, case["request"]))
    return tuple(found)


def calls(**which):
    """Case files and drawn charts."""
    cases = case_files()
    generated = drawn(**which)
    if not cases or which:
        return generated
    return st.one_of(generated, generated, st.sampled_from(cases).map(lambda call: call.copy()))
