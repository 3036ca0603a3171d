"""The order of entries and repeated entries change nothing."""

from hypothesis import given
from hypothesis import strategies as st
from property_charts import calls, drawn, lists, order_bundle

from cds_service.errors import CdsError


def asked(desk, call):
    try:
        return desk.ask(call)
    except CdsError:  # cases of refused calls are tested elsewhere
        return None


@given(call=st.one_of(calls(), drawn(likely=True)), data=st.data())
def test_order_of_record_does_not_matter(desk, call, data):
    before = asked(desk, call)
    if before is None:
        return
    changed = call.copy()
    prefetch = changed.request.get("prefetch") or {}
    for _, bundle in lists(changed.request):
        if bundle.get("entry"):
            bundle["entry"] = data.draw(st.permutations(bundle["entry"]))
    changed.request["prefetch"] = {key: prefetch[key] for key in data.draw(st.permutations(list(prefetch)))}
    after = desk.ask(changed)
    assert after.results() == before.results()
    assert after.shown() == before.shown()


@given(call=st.one_of(calls(), drawn(likely=True)), data=st.data())
def test_repeated_entries_of_record_do_not_matter(desk, call, data):
    before = asked(desk, call)
    if before is None:
        return
    changed = call.copy()
    for _, bundle in lists(changed.request):
        entries = bundle.get("entry") or []
        if entries:
            again = data.draw(st.lists(st.sampled_from(entries), max_size=3))
            bundle["entry"] = [*entries, *again]
            if "total" in bundle:
                bundle["total"] += len(again)
    assert desk.ask(changed).whole() == before.whole()


@given(
    call=drawn(("calciphylaxis-order-sign", "calciphylaxis-medication-refill"), likely=True), data=st.data()
)
def test_order_of_drafts_does_not_matter(desk, call, data):
    """What each order is told; only which of several cards carries a line meant once may change."""
    before = desk.ask(call)
    changed = call.copy()
    bundle = order_bundle(changed.request)
    bundle["entry"] = data.draw(st.permutations(bundle["entry"]))
    after = desk.ask(changed)
    assert after.results() == before.results()
    assert sorted(card["indicator"] for card in after.cards) == sorted(
        card["indicator"] for card in before.cards
    )


@given(
    call=drawn(("calciphylaxis-order-sign", "calciphylaxis-medication-refill"), likely=True), data=st.data()
)
def test_repeated_drafts_do_not_matter(desk, call, data):
    before = desk.ask(call)
    changed = call.copy()
    bundle = order_bundle(changed.request)
    bundle["entry"] = [
        *bundle["entry"],
        *data.draw(st.lists(st.sampled_from(bundle["entry"]), min_size=1, max_size=2)),
    ]
    assert desk.ask(changed).whole() == before.whole()


@given(call=drawn(likely=True), data=st.data())
def test_same_record_spread_over_several_keys(desk, call, data):
    """A site may split one query over keys of its own naming; what it sends counts, not under which name."""
    before = desk.ask(call)
    changed = call.copy()
    prefetch = changed.request["prefetch"]
    for key, bundle in list(lists(changed.request)):
        entries = bundle.get("entry") or []
        if key in ("labs", "vitals") or not entries or not data.draw(st.booleans()):
            continue
        cut = data.draw(st.integers(0, len(entries) - 1))
        prefetch.pop(key)
        for part, its_entries in (("one", entries[:cut]), ("two", entries[cut:])):
            if its_entries:
                prefetch[f"site {key} {part}"] = {
                    "resourceType": "Bundle",
                    "type": "searchset",
                    "entry": its_entries,
                }
    after = desk.ask(changed)
    assert after.results() == before.results()
    assert after.shown() == before.shown()
