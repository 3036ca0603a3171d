"""Adding a reason to stay silent never makes that rule fire."""

from decimal import Decimal

import pytest
from hypothesis import given, note
from hypothesis import strategies as st
from property_charts import (
    AS_OF,
    CALCIPHYLAXIS,
    ICD10CM,
    LOINC,
    RXNORM,
    SNOMED,
    ago,
    codings,
    concept,
    condition,
    draft_orders,
    drawn,
    every_rule,
    lists,
    loinc_of,
    medicine,
    members_of,
    names_of,
    observation,
    parts_of,
    prefetched,
    resource,
)
from property_desk import SILENT

from cds_service.rules.criteria import HadProcedure, HasProblem, Requested, Taking
from hooks.case_features.dialysis import OnDialysis

RULES = every_rule()


def newly(before, after, rules=None):
    """Rules that fire now and did not before."""
    was, now = before.firing(), after.firing()
    return [key for key in now if key not in was and (rules is None or key[0] in rules)]


def add(call, key, one):
    dict(lists(call.request))[key].setdefault("entry", []).append({"resource": one})


# --- common suppressions (clinical document 5.1) --------------------------------------------------------------


@given(
    call=drawn(("calciphylaxis-order-sign", "calciphylaxis-medication-refill"), likely=True), data=st.data()
)
def test_stop_orders_never_fire(desk, call, data):
    changed = call.copy()
    for one in draft_orders(changed.request):
        how = data.draw(
            st.sampled_from(("doNotPerform", "cancelled", "stopped", "entered-in-error", "taper"))
        )
        if how == "doNotPerform":
            one["doNotPerform"] = True
        elif how == "taper" and one["resourceType"] == "MedicationRequest":
            one["dosageInstruction"] = [{"text": "Reduce by half each week, taper to stop"}]
        else:
            one["status"] = (
                "revoked" if one["resourceType"] == "ServiceRequest" else how.replace("taper", "cancelled")
            )
    after = desk.ask(changed)
    assert not after.firing()
    assert not after.cards


@given(call=drawn(likely=True), born=st.sampled_from((ago(0), ago(365 * 4), "2008-11-16", "2009", "2012-07")))
def test_nothing_fires_for_minors(desk, call, born):
    changed = call.copy()
    changed.request["prefetch"]["patient"]["birthDate"] = born
    assert changed.as_of == AS_OF
    assert not desk.ask(changed).firing()


@given(call=drawn(likely=True), status=st.sampled_from(("refuted", "entered-in-error")))
def test_refuted_calciphylaxis_counts_as_none(desk, call, status):
    """An added Condition of this kind changes nothing at all; one that is turned into it lets no rule fire anew.

    The two exceptions look for patients without calciphylaxis: rule 2 gives way to rule 1 (vector V20) and rule 9
    asks for "calciphylaxis none".
    """
    before = desk.ask(call)
    changed = call.copy()
    add(changed, "conditions", condition("refuted", CALCIPHYLAXIS, verification=status))
    assert desk.ask(changed).shown() == before.shown()
    specific = {coding.code for coding in codings("calciphylaxis-snomed-licensed", SNOMED)}
    for key, one in prefetched(changed.request):
        code = one.get("code") or {}
        words = " ".join(
            [code.get("text") or "", *(each.get("display") or "" for each in code.get("coding") or ())]
        )
        coded = {each.get("code") for each in code.get("coding") or ()}
        if key == "conditions" and ("alciphylaxis" in words or coded & specific):
            one["verificationStatus"] = {"coding": [{"code": status}]}
    after = desk.ask(changed)
    assert not newly(before, after, set(RULES) - {"vka-dialysis", "skin-lesion-consider"})


# --- what a rule itself names ---------------------------------------------------------------------------


def reasons_of(rule):
    """(prefetch key, resource) that meets an exclusion or suppression of the rule, from its own criteria."""
    for part in parts_of((*rule.exclusions, *rule.suppressions)):
        for value_set in members_of(part.groups):
            made = _meeting(part, value_set)
            if made is not None:
                yield made


def _meeting(part, value_set):
    if isinstance(part, HasProblem):
        pool = codings(value_set, ICD10CM, SNOMED)
        if not pool:
            return None
        return "conditions", condition("reason", concept(pool[0]), recordedDate=ago(1))
    if isinstance(part, HadProcedure):
        code = _procedure_code(value_set)
        done = {"status": "completed", "performedDateTime": ago(1)}
        return code and ("procedures", resource("Procedure", "reason", code=code, **done))
    if isinstance(part, Requested):
        code = _procedure_code(value_set)
        asked = {"status": "active", "intent": "order", "authoredOn": ago(1)}
        return code and ("requests", resource("ServiceRequest", "reason", code=code, **asked))
    if isinstance(part, Taking):
        pool = codings(value_set, RXNORM)
        return pool and ("medications", medicine("reason", concept(pool[0]), authoredOn=ago(100)))
    return None


def _procedure_code(value_set):
    pool = codings(value_set, SNOMED, LOINC)
    words = names_of(value_set)[1]
    if pool:
        return concept(pool[0])
    return {"text": words[0]} if words else None


WITH_REASONS = sorted(rule.id for rule in RULES.values() if any(reasons_of(rule)))


@pytest.mark.parametrize("rule_id", WITH_REASONS)
@given(data=st.data())
def test_reasons_named_by_the_rule_never_make_it_fire(desk, rule_id, data):
    call = data.draw(drawn(rule_ids=(rule_id,), likely=True)).copy()
    before = desk.ask(call)
    for key, one in data.draw(
        st.lists(st.sampled_from(list(reasons_of(RULES[rule_id]))), min_size=1, max_size=2)
    ):
        note(f"{key}: {one}")
        add(call, key, one)
    assert not newly(before, desk.ask(call), {rule_id})


# --- reasons that need more than a code -----------------------------------------------------------------

MINERAL_ORDERS = ("lab-order-calcium", "lab-order-phosphate", "lab-order-albumin", "lab-order-pth")


@given(
    call=drawn(rule_ids=("mbd-labs-missing",), likely=True),
    status=st.sampled_from(("active", "draft", "on-hold")),
)
def test_labs_already_ordered_silence_the_missing_labs(desk, call, status):
    changed = call.copy()
    for number, value_set in enumerate(MINERAL_ORDERS):
        code = concept(codings(value_set, LOINC)[0])
        asked = {"status": status, "intent": "order", "authoredOn": ago(1)}
        add(changed, "requests", resource("ServiceRequest", f"asked{number}", code=code, **asked))
    assert not [key for key in desk.ask(changed).firing() if key[0] == "mbd-labs-missing"]


HOLDING = ("active-vitd-high-cap", "calcium-load-high-cap")


@given(call=drawn(rule_ids=HOLDING, likely=True), days=st.sampled_from((0, 1, 45, 90)))
def test_parathyroidectomy_never_makes_a_hold_fire(desk, call, days):
    before = desk.ask(call)
    changed = call.copy()
    done = {"status": "completed", "performedDateTime": ago(days)}
    add(changed, "procedures", resource("Procedure", "operated", code={"text": "Parathyroidectomy"}, **done))
    assert not newly(before, desk.ask(changed), HOLDING)


@given(call=drawn(rule_ids=HOLDING, likely=True), value=st.sampled_from(("0.90", "1.11")))
def test_low_ionised_calcium_silences_every_hold(desk, call, value):
    changed = call.copy()
    entries = dict(lists(changed.request))["labs"].setdefault("entry", [])
    ionised = loinc_of("calcium-ionised")
    entries[:] = [each for each in entries if each["resource"]["code"]["coding"][0]["code"] not in ionised]
    span = [{"low": {"value": Decimal("1.12")}, "high": {"value": Decimal("1.32")}}]
    entries.append(
        {"resource": observation("ionised", "calcium-ionised", value, ago(0), referenceRange=span)}
    )
    assert not [key for key in desk.ask(changed).firing() if key[0] in HOLDING]


@given(call=drawn(likely=True), data=st.data())
def test_functioning_transplant_never_makes_a_dialysis_rule_fire(desk, call, data):
    gated = {
        rule.id
        for rule in RULES.values()
        if any(isinstance(each, OnDialysis) for each in (*rule.population, *rule.criteria))
    }
    before = desk.ask(call)
    changed = call.copy()
    add(
        changed,
        "conditions",
        condition(
            "graft",
            concept(codings("kidney-transplant-status", ICD10CM)[0]),
            onsetDateTime=ago(data.draw(st.integers(0, 300))),
        ),
    )
    assert not newly(before, desk.ask(changed), gated)


@given(call=drawn(rule_ids=("vka-calciphylaxis", "vka-dialysis"), likely=True), data=st.data())
def test_mandatory_indication_silences_rules_1_and_2(desk, call, data):
    changed = call.copy()
    sets = (
        "prosthetic-heart-valve-type-not-coded",
        "antiphospholipid-syndrome",
        "mitral-stenosis-rheumatic",
        "ventricular-assist-device",
    )
    value_set = data.draw(st.sampled_from(sets))
    pool = codings(value_set, ICD10CM, SNOMED)
    add(changed, "conditions", condition("valve", concept(data.draw(st.sampled_from(pool)))))
    assert not [key for key in desk.ask(changed).firing() if key[0] in ("vka-calciphylaxis", "vka-dialysis")]


@given(call=drawn(rule_ids=("vka-mandatory-indication",), likely=True), days=st.sampled_from((90, 120, 400)))
def test_acknowledged_vka_never_makes_rule_3_fire(desk, call, days):
    before = desk.ask(call)
    changed = call.copy()
    pool = codings("warfarin", RXNORM)
    add(changed, "medications", medicine("acknowledged", concept(pool[0]), authoredOn=ago(days)))
    assert not newly(before, desk.ask(changed), {"vka-mandatory-indication"})


@given(call=drawn(rule_ids=("active-vitd-high-cap",), likely=True), data=st.data())
def test_lower_dose_than_before_never_makes_rule_4_fire(desk, call, data):
    before = desk.ask(call)
    changed = call.copy()
    for number, one in enumerate(draft_orders(changed.request)):
        dose = one.get("dosageInstruction")
        if one["resourceType"] == "MedicationRequest" and dose and dose[0].get("doseAndRate"):
            higher = data.draw(st.sampled_from(("1.5", "2", "10")))
            more = {"dosageInstruction": [_times(dose[0], Decimal(higher))], "authoredOn": ago(200)}
            add(changed, "medications", medicine(f"higher{number}", one["medicationCodeableConcept"], **more))
    assert not newly(before, desk.ask(changed), {"active-vitd-high-cap"})


def _times(dose, factor):
    rate = dose["doseAndRate"][0]["doseQuantity"]
    return dose | {"doseAndRate": [{"doseQuantity": rate | {"value": rate["value"] * factor}}]}


@given(
    call=drawn(("calciphylaxis-order-sign",), rule_ids=HOLDING, likely=True),
    route=st.sampled_from(("topical", "cutaneous")),
)
def test_topical_orders_never_fire_a_hold(desk, call, route):
    changed = call.copy()
    for one in draft_orders(changed.request):
        one["dosageInstruction"] = [{"route": {"text": route}}]
    results = desk.ask(changed).results()
    assert all(results[key][0] in SILENT for key in results if key[0] in HOLDING)
