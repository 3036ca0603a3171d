"""Raising calcium or phosphate never lowers the tier of rules 4 and 5."""

from decimal import Decimal

from hypothesis import given, note
from hypothesis import strategies as st
from property_charts import drawn, loinc_of, prefetched, reference

RULES = ("active-vitd-high-cap", "calcium-load-high-cap")
LIMIT = Decimal(20)
"""mg/dL, for calcium and phosphate: the end of the plausible range (clinical document 3.5), which belongs to it."""
RANK = {"info": 1, "warning": 2}
RAISABLE = {code: name for name in ("calcium", "calcium-corrected", "phosphate") for code in loinc_of(name)}


def results(call):
    """Observations of calcium and phosphate that are plain numbers in mg/dL."""
    for _, one in prefetched(call.request):
        quantity = one.get("valueQuantity") or {}
        if (
            one["resourceType"] != "Observation"
            or quantity.get("code") != "mg/dL"
            or "comparator" in quantity
        ):
            continue
        if code_of(one) in RAISABLE and one["status"] not in ("preliminary", "cancelled"):
            yield one


def code_of(one):
    return one["code"]["coding"][0]["code"]


def tiers(answered):
    return {key: RANK[indicator] for key, indicator in answered.firing().items() if key[0] in RULES}


@given(
    call=drawn(rule_ids=RULES, likely=True),
    correction=st.sampled_from(("payne", "none", "lab")),
    albumin=st.booleans(),
    data=st.data(),
)
def test_raising_calcium_or_phosphate_never_lowers_the_tier(desk, call, correction, albumin, data):
    call = call.copy()
    if not albumin:
        entries = call.request["prefetch"]["labs"].get("entry") or []
        kept = [each for each in entries if code_of(each["resource"]) not in loinc_of("albumin")]
        call.request["prefetch"]["labs"]["entry"] = kept
    site = {"calcium_correction": correction}
    before = desk.ask(call, site=site)
    raised = call.copy()
    found = list(results(raised))
    if not found:
        return
    which = data.draw(st.sampled_from(sorted({RAISABLE[code_of(one)] for one in found})))
    for one in found:
        if RAISABLE[code_of(one)] != which or not data.draw(st.booleans()):
            continue
        value = Decimal(str(one["valueQuantity"]["value"]))
        by = data.draw(st.sampled_from(("0.05", "0.1", "0.3", "1", "2", "4", "8")))
        one["valueQuantity"]["value"] = min(value + Decimal(by), LIMIT)
        note(f"{reference(one)} {which} {value} -> {one['valueQuantity']['value']}")
    after = tiers(desk.ask(raised, site=site))
    lowered = {
        key: (rank, after.get(key, 0)) for key, rank in tiers(before).items() if after.get(key, 0) < rank
    }
    assert not lowered
