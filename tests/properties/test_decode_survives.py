"""Whatever the structure of a body, the answer is cards or a named refusal; nothing else is ever raised."""

import random
from copy import deepcopy

from hypothesis import given
from hypothesis import strategies as st
from property_charts import calls, drawn
from property_desk import decoded, encoded

from cds_service.errors import CdsError

ALLOWED = frozenset({200, 400, 404, 412})


def places(value, here=()):
    """Path of every member and element inside a document."""
    if isinstance(value, dict):
        for key in value:
            yield (*here, key)
            yield from places(value[key], (*here, key))
    elif isinstance(value, list):
        for number in range(len(value)):
            yield (*here, number)
            yield from places(value[number], (*here, number))


def deep(levels, inner=None):
    value = inner
    for _ in range(levels):
        value = {"resource": value, "resourceType": "Bundle"} if levels % 2 else [value]
    return value


ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.sampled_from(
        (0, -1, 10**400, "", " ", "\u0000", "\ud7ff", "x" * 70_000, [], {}, [[]], [None], {"": None})
    ),
    st.sampled_from(
        ("2026-99-99", "2026-02-30T25:61:61Z", "0000-00-00", "9999-12-31T23:59:59-23:59", "24:00")
    ),
    st.sampled_from(
        ("Patient/", "#", "urn:uuid:", "../../Patient/1", "Patient/p-17/_history/", "%00", "Bundle")
    ),
    st.sampled_from(
        (deep(3), deep(60), deep(61), {"coding": [{"code": 7}]}, {"reference": "#"}, {"value": "1e999999"})
    ),
)


def at(document, path):
    for step in path:
        document = document[step]
    return document


def mutated(document, data):
    for _ in range(data.draw(st.integers(1, 4))):
        found = list(places(document))
        if not found:
            return
        path = found[data.draw(st.integers(0, len(found) - 1))]
        try:
            parent = at(document, path[:-1])
            mutate(parent, path[-1], data)
        except (AttributeError, IndexError, KeyError, StopIteration, TypeError):
            continue


def mutate(parent, step, data):
    how = data.draw(st.sampled_from(("drop", "odd", "odd", "duplicate", "wrap", "unwrap", "text")))
    if how == "drop":
        del parent[step]
    elif how == "odd":
        # A copy: a later mutation must not change what other examples draw.
        parent[step] = deepcopy(data.draw(ODD))
    elif how == "duplicate" and isinstance(parent, list):
        parent.extend([parent[step]] * data.draw(st.sampled_from((1, 3, 300))))
    elif how == "duplicate":
        parent[f"{step}2"] = parent[step]
    elif how == "wrap":
        parent[step] = data.draw(
            st.sampled_from(([parent[step]], {step if isinstance(step, str) else "x": parent[step]}))
        )
    elif how == "unwrap":
        inner = parent[step]
        parent[step] = inner[0] if isinstance(inner, list) else next(iter(inner.values()))
    else:
        parent[step] = str(parent[step])


def survives(desk, call, body):
    status, answered = 200, None
    try:
        answered = desk.send(call, body)
    except CdsError as refused:
        status = refused.status
    assert status in ALLOWED
    if answered is not None:
        assert len(answered.cards) <= 3
        assert not [each for each in answered.outcomes if each["error"]]


@given(call=st.one_of(calls(), drawn(likely=True)), data=st.data())
def test_structural_mutations(desk, call, data):
    changed = call.copy()
    mutated(changed.request, data)
    survives(desk, call, encoded(changed.request))


@given(call=drawn(likely=True), data=st.data())
def test_damaged_bytes(desk, call, data):
    body = bytearray(encoded(call.request))
    chance = random.Random(data.draw(st.integers(0, 2**32)))
    for _ in range(data.draw(st.integers(1, 6))):
        place = chance.randrange(len(body))
        kind = chance.randrange(3)
        if kind == 0:
            body[place] = chance.randrange(256)
        elif kind == 1:
            del body[place : place + chance.randrange(1, 40)]
        else:
            body[place:place] = chance.choice((b"null", b"{", b"]", b'"', b"\xff", b"1e9999", b"NaN", b","))
    survives(desk, call, bytes(body))


@given(call=drawn(likely=True), data=st.data())
def test_members_doubled_with_other_values(desk, call, data):
    """A JSON object with one name twice: whatever wins, nothing breaks."""
    text = encoded(call.request).decode()
    name = data.draw(
        st.sampled_from(
            ('"resourceType"', '"id"', '"status"', '"code"', '"subject"', '"entry"', '"prefetch"')
        )
    )
    odd = encoded(data.draw(ODD)).decode()
    survives(desk, call, text.replace(name, f"{name}:{odd},{name}", data.draw(st.integers(1, 3))).encode())


@given(call=drawn(likely=True), levels=st.sampled_from((50, 500, 5_000, 100_000)), data=st.data())
def test_deep_nesting(desk, call, levels, data):
    opening, closing = data.draw(
        st.sampled_from((("[", "]"), ('{"resource":', "}"), ('{"contained":[', "]}")))
    )
    bomb = opening * levels + "null" + closing * levels
    place = data.draw(st.sampled_from(('"prefetch":{', '"context":{', '"resource":{')))
    text = encoded(call.request).decode().replace(place, f'{place}"bomb":{bomb},', 1)
    key = data.draw(st.sampled_from(("bomb", "resource", "contained", "conditions", "draftOrders")))
    survives(desk, call, text.replace('"bomb"', f'"{key}"').encode())


@given(data=st.data())
def test_any_json_at_all(desk, data):
    call = data.draw(drawn())
    anything = st.recursive(
        ODD, lambda inner: st.one_of(st.lists(inner), st.dictionaries(st.text(), inner)), max_leaves=8
    )
    survives(desk, call, encoded(data.draw(anything)))


@given(call=drawn(likely=True))
def test_body_survives_a_round_trip(desk, call):
    """The desk's own encoding loses nothing, so that every other property judges what it was given."""
    assert decoded(encoded(call.request)) == call.request
