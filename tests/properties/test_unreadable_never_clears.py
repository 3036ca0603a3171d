"""What cannot be read or used never turns a warning into silence.

Whatever is done to the data below, a rule that fired must go on firing (if need be in another tier) or say that it
cannot be assessed. `clear`, `suppressed` and `not-triggered` would be silence. The call as a whole may also be
refused with 412 (problem list gone, no order in scope): that is no silence either.
"""

import re
from decimal import Decimal

import pytest
from hypothesis import given, note
from hypothesis import strategies as st
from property_charts import (
    DAYS,
    PATIENT,
    TYPES,
    ago,
    case_files,
    draft_orders,
    drawn,
    lists,
    loinc_of,
    prefetched,
    reference,
)
from property_desk import SILENT, decoded, encoded

from cds_service.errors import CdsError, NothingAssessable

OPTIONAL = ("procedures", "encounters", "requests", "vitals")
CORE = ("patient", "conditions", "labs", "medications")
FORBIDDEN = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "forbidden"}]}
_RENAL_HINT = re.compile(r"^(N18\.[56]|I12\.0|I13\.(11|2)|46177005|433146000|714152005|Z99\.2|Z49.*)$")
_PAST = re.compile("resolved|inactive|remission")
_RENAL_WORDS = re.compile(r"dialysis|esrd|eskd|end.stage renal", re.IGNORECASE)


def silenced(desk, before, call):
    """Rules that fired and say nothing any more."""
    fired = before.firing()
    if not fired:
        return {}
    try:
        after = desk.ask(call)
    except NothingAssessable:
        assert not draft_orders(call.request)
        return {}
    results = after.results()
    lost = {key: results.get(key) for key in fired if results.get(key, ("clear",))[0] in SILENT}
    # The name of the drug came with the list: clinical document 5.1, "drug not recognised: unclassified, recorded".
    unclassified = after.report["unclassified"]
    # Rule 2 gives way to rules 1 and 3 (clinical document, rule 2, "Do not fire"): then the order still has its card.
    taken_over = {
        order for rule, order in after.firing() if rule in ("vka-calciphylaxis", "vka-mandatory-indication")
    }
    given_way = {("vka-dialysis", order) for order in taken_over}
    return {key: value for key, value in lost.items() if key not in given_way and key[1] not in unclassified}


def with_value(call, key, value):
    changed = call.copy()
    if value is None:
        changed.request["prefetch"].pop(key, None)
    else:
        changed.request["prefetch"][key] = value
    return changed


def without_renal_hint(call):
    """Nothing on the problem list points to kidney failure, by code or in words.

    What was over when a transplant came points to nothing: so it is with nearly everybody who has one.
    """
    problems = [one for key, one in prefetched(call.request) if key == "conditions"]
    transplanted = any("Z94.0" in encoded(one).decode() for one in problems)
    for one in problems:
        if transplanted and _PAST.search(encoded(one.get("clinicalStatus")).decode()):
            continue
        code = one.get("code") or {}
        if any(_RENAL_HINT.match(str(each.get("code"))) for each in code.get("coding") or ()):
            return False
        words = " ".join(
            [code.get("text") or "", *(each.get("display") or "" for each in code.get("coding") or ())]
        )
        if _RENAL_WORDS.search(words):
            return False
    return True


UNREADABLE = st.sampled_from(
    (
        None,  # the key is missing, and there is no FHIR server to ask
        FORBIDDEN,
        {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": FORBIDDEN}]},
        {"resourceType": "Bundle", "type": "searchset", "entry": "not a list"},
        {"resourceType": "Bundle", "entry": [{"resource": {"resourceType": "Condition", "code": 5}}]},
        "not an object",
    )
)


@given(call=drawn(likely=True), key=st.sampled_from(CORE), value=UNREADABLE)
def test_unreadable_core_source_never_clears(desk, call, key, value):
    before = desk.ask(call)
    assert not silenced(desk, before, with_value(call, key, value))


@given(call=drawn(), key=st.sampled_from(OPTIONAL), value=UNREADABLE)
def test_unreadable_optional_source_never_clears(desk, call, key, value):
    before = desk.ask(call)
    lost = silenced(desk, before, with_value(call, key, value))
    if without_renal_hint(call):
        # The only exemption. Dialysis that is known from Procedures or Encounters alone, with nothing on the
        # problem list that hints at kidney failure, counts as "no" when those lists cannot be read: clinical document,
        # section 4 gives "unknown" to an unreadable problem list and "no" to everything without evidence, and it
        # asks that dialysis be derivable from Condition alone. Most servers do not offer the optional lists; a gap
        # card for each of their patients would drown the real ones.
        lost = {rule: result for rule, result in lost.items() if not only_known_from_optional(before)}
    assert not lost


def only_known_from_optional(before):
    """Dialysis rests on Procedures or Encounters."""
    for outcome in before.outcomes:
        for finding in outcome["findings"]:
            if finding["because"].startswith("dialysis ") and finding["answer"] == "met":
                return all(source.startswith(("Procedure/", "Encounter/")) for source in finding["sources"])
    return False


@given(call=drawn(likely=True), key=st.sampled_from(sorted(TYPES)), data=st.data())
def test_list_cut_short_never_clears(desk, call, key, data):
    """Part of the list is missing, and the answer says so: a further page, a total, or entries that are broken."""
    before = desk.ask(call)
    changed = call.copy()
    entries = dict(lists(changed.request)).get(key, {}).get("entry")
    if not entries:
        return
    how = data.draw(st.sampled_from(("page", "total", "broken")))
    gone = data.draw(st.sets(st.integers(0, len(entries) - 1), min_size=1))
    bundle = dict(lists(changed.request))[key]
    if how == "broken":
        for place in gone:
            entries[place] = {"resource": {"resourceType": TYPES[key], "id": f"x{place}", "subject": "wrong"}}
    else:
        bundle["total"] = len(entries)
        bundle["entry"] = [entry for place, entry in enumerate(entries) if place not in gone]
        if how == "page":
            bundle["link"] = [{"relation": "next", "url": "https://ehr.example/fhir?page=2"}]
    lost = silenced(desk, before, changed)
    if key in OPTIONAL and without_renal_hint(call) and only_known_from_optional(before):
        return  # the exemption above
    assert not lost


# --- deciding values ----------------------------------------------------------------------------------


def _bad_unit(one):
    one["valueQuantity"] |= {"unit": "parsec", "code": "pc"}


def _no_unit(one):
    for name in ("unit", "code", "system"):
        one["valueQuantity"].pop(name, None)


def _other_unit(one):
    one["valueQuantity"] |= {"unit": "g/d", "code": "g/d"}


def _no_value(one):
    one.pop("valueQuantity")
    one["dataAbsentReason"] = {"coding": [{"code": "unknown"}]}


def _words(one):
    one["valueString"] = str(one.pop("valueQuantity")["value"])


def _implausible(one):
    one["valueQuantity"]["value"] = Decimal(10) ** 6


def _bad_date(one):
    one["effectiveDateTime"] = "31.12.2026"


def _no_date(one):
    one.pop("effectiveDateTime", None)


def _year_only(one):
    one["effectiveDateTime"] = str(one.get("effectiveDateTime", "2026"))[:4]


def _future(one):
    one["effectiveDateTime"] = "2099-01-01"


def _status(value):
    def change(one):
        one["status"] = value

    return change


def _no_status(one):
    one.pop("status", None)


SPOILT_RESULT = st.sampled_from(
    (
        *(_bad_unit, _no_unit, _other_unit, _words, _implausible),
        *(_bad_date, _no_date, _year_only, _future),
        *(_status("gibberish"), _no_status),
    )
)
# clinical document 3.5 tells to ignore these: they are no results at all, so an older result goes on counting.
WITHDRAWN = st.sampled_from(
    (
        *(_status("unknown"), _status("registered"), _status("cancelled"), _status("entered-in-error")),
        _no_value,
    )
)


def observations(call):
    found = [one for _, one in prefetched(call.request) if one["resourceType"] == "Observation"]
    return [one for one in found if "valueQuantity" in one]


@given(call=drawn(likely=True), data=st.data())
def test_spoilt_results_never_clear(desk, call, data):
    """Unit, date, value or status of any results becomes unusable; older usable ones stay on the list."""
    before = desk.ask(call)
    changed = call.copy()
    found = observations(changed)
    if not found:
        return
    for one in data.draw(st.lists(st.sampled_from(found), min_size=1, max_size=3, unique_by=id)):
        spoil = data.draw(SPOILT_RESULT)
        note(f"{reference(one)}: {getattr(spoil, '__qualname__', spoil)}")
        spoil(one)
    assert not silenced(desk, before, changed)


@given(call=drawn(rule_ids=("active-vitd-high-cap", "calcium-load-high-cap"), likely=True), data=st.data())
def test_older_normal_result_never_clears_spoilt_one(desk, call, data):
    """Each deciding result gets an older, unremarkable sibling before it is spoilt."""
    unremarkable = {
        **dict.fromkeys((*loinc_of("calcium"), *loinc_of("calcium-corrected")), ("8.0", "9.2")),
        **dict.fromkeys(loinc_of("phosphate"), ("4.0", "5.5")),
        **dict.fromkeys(loinc_of("albumin"), ("4.2",)),
        **dict.fromkeys(loinc_of("pth"), ("300",)),
        **dict.fromkeys(loinc_of("calcium-ionised"), ("1.0", "1.2")),
    }
    call = call.copy()
    entries = dict(lists(call.request))["labs"].setdefault("entry", [])
    for number, one in enumerate(observations(call)):
        sibling = decoded_copy(one) | {"id": f"old{number}", "effectiveDateTime": ago(data.draw(DAYS))}
        values = unremarkable.get(one["code"]["coding"][0]["code"])
        if values is not None:
            sibling["valueQuantity"]["value"] = Decimal(data.draw(st.sampled_from(values)))
            entries.append({"resource": sibling})
    before = desk.ask(call)
    deciding = before.sources("fires")
    for one in observations(call):
        if reference(one) in deciding and data.draw(st.booleans()):
            data.draw(SPOILT_RESULT)(one)
    assert not silenced(desk, before, call)


def decoded_copy(one):
    return decoded(encoded(one))


# Sent but not readable. A problem without any date is another matter: clinical document section 4 decides it ("N18.6 active
# without transplant", "undated transplant").
BAD_DATES = ("31/12/2026", "yesterday")
_DATED = {
    "Condition": ("onsetDateTime", "recordedDate", "abatementDateTime"),
    "MedicationRequest": ("authoredOn",),
    "Procedure": ("performedDateTime",),
    "ServiceRequest": ("authoredOn",),
}
_STATES = {
    "Condition": ("clinicalStatus", {"coding": [{"code": "gibberish"}]}),
    "MedicationRequest": ("status", "gibberish"),
    "Procedure": ("status", "gibberish"),
    "ServiceRequest": ("status", "gibberish"),
    "Encounter": ("status", "gibberish"),
}


@pytest.mark.parametrize("what", ["date", "status"])
@given(call=drawn(likely=True), data=st.data())
def test_spoilt_deciding_resource_never_clears(desk, what, call, data):
    """A resource that a firing rule names as its source loses its date, or its status makes no sense."""
    before = desk.ask(call)
    deciding = before.sources("fires")
    changed = call.copy()
    drafts = {reference(one) for one in draft_orders(changed.request)}
    found = [
        one
        for _, one in prefetched(changed.request)
        if reference(one) in deciding - drafts and one["resourceType"] in _STATES
    ]
    if not found:
        return
    for one in data.draw(st.lists(st.sampled_from(found), min_size=1, max_size=2, unique_by=id)):
        if what == "status":
            name, value = _STATES[one["resourceType"]]
            one[name] = value
        else:
            spoil_dates(one, data.draw(st.sampled_from(BAD_DATES)))
    lost = silenced(desk, before, changed)
    if without_renal_hint(call) and only_known_from_optional(before):
        return  # the exemption above
    assert not lost


def spoil_dates(one, text):
    for name in _DATED.get(one["resourceType"], ()):
        if name in one:
            one[name] = text
    if "period" in one:
        one["period"] = {"start": text}
    for instruction in one.get("dosageInstruction") or ():
        bounds = ((instruction.get("timing") or {}).get("repeat") or {}).get("boundsPeriod")
        if bounds:
            bounds["start"] = text


@given(call=drawn(likely=True), birth=st.sampled_from((None, "", "19", "12.05.1960", "2099-01-01")))
def test_spoilt_birth_date_never_clears(desk, call, birth):
    before = desk.ask(call)
    changed = call.copy()
    patient = {"resourceType": "Patient", "id": PATIENT}
    changed.request["prefetch"]["patient"] = patient | ({"birthDate": birth} if birth is not None else {})
    assert not silenced(desk, before, changed)


@pytest.mark.parametrize("key", CORE)
def test_no_case_is_cleared_by_an_unreadable_core_source(desk, key):
    """The same over every case file that carries its record with it."""
    cleared = {}
    for call in case_files():
        if "fhirServer" in call.request or key not in (call.request.get("prefetch") or {}):
            continue
        try:
            before = desk.ask(call)
        except CdsError:  # cases of refused calls
            continue
        lost = silenced(desk, before, with_value(call, key, FORBIDDEN))
        if lost:
            cleared[call] = lost
    assert not cleared
