"""Another patient's resources change nothing but gaps, and never appear in an answer."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from property_charts import PATIENT, TYPES, bundle, drawn, lists, order_bundle, prefetched
from property_desk import SILENT, decoded, encoded

from cds_service.errors import ForeignPatient

STRANGER = "stranger-99"
SUBJECTS = st.sampled_from(
    (
        {"reference": f"Patient/{STRANGER}"},
        {"reference": f"https://ehr.example/fhir/Patient/{STRANGER}"},
        {"reference": f"Patient/{STRANGER}/_history/2"},
        {"reference": f"Patient/{PATIENT}9", "display": STRANGER},
    )
)


def strangers(donor, subject):
    """The donor's record, as of another patient, by key."""
    found = {}
    for key, one in prefetched(donor.request):
        if key in TYPES:
            theirs = {"id": f"{STRANGER}-{one['id']}", "subject": subject}
            found.setdefault(key, []).append(decoded(encoded(one)) | theirs)
    return found


def mixed(call, donor, subject, data, *, only_if_ours):
    changed = call.copy()
    ours = dict(lists(changed.request))
    for key, resources in strangers(donor, subject).items():
        if key not in ours or (only_if_ours and not ours[key].get("entry")):
            continue
        entries = [*(ours[key].get("entry") or []), *({"resource": each} for each in resources)]
        ours[key]["entry"] = data.draw(st.permutations(entries))
    return changed


@given(call=drawn(likely=True), donor=drawn(likely=True), subject=SUBJECTS, data=st.data())
def test_strangers_beside_ours_change_nothing(desk, call, donor, subject, data):
    before = desk.ask(call)
    after = desk.ask(mixed(call, donor, subject, data, only_if_ours=True))
    assert after.results() == before.results()
    assert after.shown() == before.shown()
    assert STRANGER not in encoded(after.cards).decode()
    assert not any(
        STRANGER in source for source in after.sources("fires", "clear", "suppressed", "cannot-assess")
    )


@given(call=drawn(likely=True), donor=drawn(likely=True), subject=SUBJECTS, data=st.data())
def test_list_of_strangers_only_is_unreadable_not_empty(desk, call, donor, subject, data):
    """Where we have nothing and they do, nothing is known of ours: never a reason to fire or to fall silent."""
    before = desk.ask(call)
    after = desk.ask(mixed(call, donor, subject, data, only_if_ours=False))
    assert STRANGER not in encoded(after.cards).decode()
    fired, results = before.firing(), after.results()
    assert all(results[key][0] not in SILENT for key in fired)


@given(call=drawn(likely=True), data=st.data())
def test_foreign_patient_or_draft_is_refused(desk, call, data):
    changed = call.copy()
    drafts = (order_bundle(changed.request) or {}).get("entry") or []
    if drafts and data.draw(st.booleans()):
        one = data.draw(st.sampled_from(drafts))["resource"]
        one["subject"] = {"reference": f"Patient/{STRANGER}"}
    else:
        key = data.draw(st.sampled_from(("patient", "site key")))
        stranger = {"resourceType": "Patient", "id": STRANGER, "birthDate": "1950-01-01"}
        changed.request["prefetch"][key] = data.draw(st.sampled_from((stranger, bundle([stranger]))))
    with pytest.raises(ForeignPatient) as refused:
        desk.ask(changed)
    assert STRANGER not in refused.value.message
