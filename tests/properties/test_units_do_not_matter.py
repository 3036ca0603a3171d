"""The same results in another unit, or in another spelling of it, give the same answer."""

from decimal import Decimal, localcontext

from hypothesis import given, note
from hypothesis import strategies as st
from property_charts import ANALYTES, LOINC, UCUM, VALUE_SETS, calls, drawn, prefetched, reference

# Canonical units in one of the unit: clinical document 3.1, written down here once more and not taken from the code.
FACTORS = {
    "calcium": {"mg/dL": "1", "mmol/L": "4.0078", "meq/L": "2.0039"},
    "calcium-corrected": {"mg/dL": "1", "mmol/L": "4.0078", "meq/L": "2.0039"},
    "phosphate": {"mg/dL": "1", "mmol/L": "3.0974"},
    "albumin": {"g/dL": "1", "g/L": "0.1"},
}
PTH = {"pg/mL": Decimal(1), "ng/L": Decimal(1), "pmol/L": 1 / Decimal("0.1060")}
IONISED = {"mmol/L": Decimal(1), "mg/dL": 1 / Decimal("4.0078")}
# UCUM code -> spellings that EHRs send in `unit`, with or without a code.
SPELLINGS = {
    "mg/dL": ("mg/dL", "mg/dl", "MG/DL"),
    "mmol/L": ("mmol/L", "mmol/l", "MMOL/L"),
    "meq/L": ("meq/L", "mEq/L", "MEQ/L"),
    "g/dL": ("g/dL", "g/dl", "gm/dL", "G/DL"),
    "g/L": ("g/L", "g/l"),
    "pg/mL": ("pg/mL", "pg/ml", "PG/ML"),
    "ng/L": ("ng/L", "ng/l"),
    "pmol/L": ("pmol/L", "pmol/l"),
}


def factors(analyte_id):
    if analyte_id == "pth":
        return PTH
    if analyte_id == "calcium-ionised":
        return IONISED
    if analyte_id in FACTORS:
        return {unit: Decimal(factor) for unit, factor in FACTORS[analyte_id].items()}
    return dict(ANALYTES[analyte_id].factors)


_ANALYTE_OF = {
    coding.code: analyte.id
    for analyte in ANALYTES.values()
    for value_set in analyte.value_sets
    for coding in VALUE_SETS[value_set].codings
    if coding.system == LOINC
}


def analyte_of(one):
    for coding in (one.get("code") or {}).get("coding") or ():
        if coding.get("code") in _ANALYTE_OF:
            return _ANALYTE_OF[coding["code"]]
    return None


def converted(value, old, new, known):
    """Exact to 40 digits: what remains of the division is far below the tolerance of 1e-9 (clinical document 3.1)."""
    with localcontext(prec=40):
        return Decimal(str(value)) * known[old] / known[new]


def rewrite(one, unit, spelling, form, known):
    """Put value and reference range into another unit, in one of the forms in which units arrive."""
    quantity = one["valueQuantity"]
    old = quantity["code"]
    quantity["value"] = converted(quantity["value"], old, unit, known)
    for span in one.get("referenceRange") or ():
        for end in ("low", "high"):
            if end in span:
                # A bound without a unit of its own is in the unit of the value.
                span[end] = {"value": converted(span[end]["value"], old, unit, known)}
    for name in ("unit", "code", "system"):
        quantity.pop(name, None)
    quantity |= {
        "code": {"unit": spelling, "system": UCUM, "code": unit},
        "code only": {"system": UCUM, "code": unit},
        "unit only": {"unit": spelling},
    }[form]


def rewritten(call, data):
    changed = call.copy()
    for _, one in prefetched(changed.request):
        quantity = one.get("valueQuantity") or {}
        analyte_id = analyte_of(one) if one["resourceType"] == "Observation" else None
        if analyte_id is None or quantity.get("comparator") or "value" not in quantity:
            continue
        known = factors(analyte_id)
        if quantity.get("code") not in known:
            continue
        unit = data.draw(st.sampled_from(sorted(known)))
        spelling = data.draw(st.sampled_from(SPELLINGS.get(unit, (unit,))))
        form = data.draw(st.sampled_from(("code", "code only", "unit only")))
        note(f"{reference(one)}: {unit} as {spelling!r}, {form}")
        rewrite(one, unit, spelling, form, known)
    return changed


@given(call=drawn(likely=True), data=st.data())
def test_units_and_their_spelling_do_not_matter(desk, call, data):
    before, after = desk.ask(call), desk.ask(rewritten(call, data))
    assert after.results() == before.results()
    assert after.shown() == before.shown()


@given(call=calls(), data=st.data())
def test_units_do_not_matter_in_cases(desk, call, data):
    try:
        before = desk.ask(call)
    except Exception:  # noqa: BLE001 - cases of refused calls are tested elsewhere
        return
    after = desk.ask(rewritten(call, data))
    assert after.results() == before.results()
    assert after.shown() == before.shown()


@given(call=drawn(likely=True), data=st.data())
def test_units_do_not_matter_in_si_display(desk, call, data):
    """A client that displays SI units gets one and the same answer too."""
    before = desk.ask(call, unit_system="SI")
    after = desk.ask(rewritten(call, data), unit_system="SI")
    assert after.results() == before.results()
    assert after.shown() == before.shown()
