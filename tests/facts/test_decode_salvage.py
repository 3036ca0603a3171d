"""Bytes to resources: tolerant of what EHRs send, and one broken member costs only itself (F17, F26, F27)."""

import json

import msgspec
import pytest

from cds_service.fhir.decode import decode_resource, decode_singly


def decode(value):
    dropped = []
    body = value if isinstance(value, bytes) else json.dumps(value).encode()
    return decode_resource(body, "prefetch[0]", dropped), [
        (d.path, d.resource_type, d.reason) for d in dropped
    ]


GOOD = {"resourceType": "Condition", "id": "good"}
BAD = {"resourceType": "Condition", "id": "bad", "onsetDateTime": {"year": 2024}}
WHY = "Expected `str | null`, got `object` - at `$.onsetDateTime`"


def bundle(*resources, **fields):
    return {"resourceType": "Bundle", "entry": [{"resource": each} for each in resources]} | fields


def test_F27_illegal_r4_is_read():
    found, dropped = decode(
        {
            "resourceType": "Condition",
            "id": 7,
            "category": {"text": "not a list"},
            "bodySite": {"text": "not a list"},
            "code": {"coding": [{"code": 12}]},
            "somethingNew": [1, {"x": None}],
            "onsetDateTime": "2024-01-01T08:00:00",
        }
    )
    assert dropped == []
    assert (found.id, found.reference, found.code.coding[0].code) == (7, "Condition/7", 12)


def test_a_resource_is_named_by_type_and_id():
    assert decode({"resourceType": "Bundle"})[0].reference == "Bundle"
    assert decode({"id": "x"})[0].reference == "None/x"


def test_a_single_resource_with_a_wrong_type_is_dropped_with_its_reason():
    assert decode(BAD) == (None, [("prefetch[0]", "Condition", WHY)])


def test_of_a_bundle_only_the_broken_member_is_lost():
    found, dropped = decode(bundle(GOOD, BAD, GOOD | {"id": "too"}, link=[{"relation": "next", "url": "u"}]))
    assert [entry.resource.id for entry in found.entry] == ["good", "too"]
    assert dropped == [("prefetch[0].entry[1].resource", "Condition", WHY)]
    assert found.link[0].relation == "next"


def test_of_an_entry_the_url_and_mode_are_kept():
    entry = {"fullUrl": "urn:uuid:1", "search": {"mode": "include"}, "resource": GOOD}
    found, _ = decode(bundle(BAD) | {"entry": [entry, {"resource": BAD}]})
    assert (found.entry[0].fullUrl, found.entry[0].search.mode) == ("urn:uuid:1", "include")


def test_an_entry_that_is_no_object_is_lost_alone():
    found, dropped = decode(bundle() | {"entry": [{"resource": GOOD}, "x", {"resource": BAD}]})
    assert [entry.resource.id for entry in found.entry] == ["good"]
    assert [path for path, _, _ in dropped] == ["prefetch[0].entry[1]", "prefetch[0].entry[2].resource"]


def test_the_wrapper_of_early_clients_is_opened():
    found, dropped = decode({"response": {"status": "200 OK"}, "resource": bundle(GOOD, BAD)})
    assert [entry.resource.id for entry in found.entry] == ["good"]
    assert dropped == [("prefetch[0].resource.entry[1].resource", "Condition", WHY)]


@pytest.mark.parametrize(
    "changes", [{"entry": "none"}, {"entry": {"0": {}}}, {"link": "next", "entry": [{"resource": BAD}]}]
)
def test_a_bundle_whose_list_or_links_cannot_be_read_is_lost_as_a_whole(changes):
    found, dropped = decode(bundle() | changes)
    assert found is None
    assert [(path, kind) for path, kind, _ in dropped] == [("prefetch[0]", "Bundle")]


@pytest.mark.parametrize(
    ("body", "kind", "reason"),
    [
        (b"[]", None, "Expected `object`, got `array`"),
        (b'"x"', None, "Expected `object`, got `str`"),
        (b'{"resourceType": 7}', None, "Expected `str | null`, got `int` - at `$.resourceType`"),
        (b'{"resourceType": "Condition", "id": []}', "Condition", None),
        (b'{"resourceType": "Condition"', None, "not valid JSON"),
        (b"", None, "not valid JSON"),
        (b"\xff\xfe", None, "not valid JSON"),
        (b'{"valueQuantity": {"value": NaN}}', None, "not valid JSON"),
        (b'{"valueQuantity": {"value": "many"}}', None, "value of the wrong form"),
        (b'{"resource": ' * 100_000, None, "nested too deeply"),
    ],
)
def test_F18_what_cannot_be_read_is_named_without_its_content(body, kind, reason):
    found, dropped = decode(body)
    assert (found, len(dropped)) == (None, 1)
    assert dropped[0][:2] == ("prefetch[0]", kind)
    assert reason is None or dropped[0][2] == reason
    assert "many" not in dropped[0][2]


def test_numbers_beyond_a_float_keep_their_digits():
    found, _ = decode(b'{"valueQuantity": {"value": 9.10}, "resourceType": "Observation"}')
    assert str(found.valueQuantity.value) == "9.10"


BESIDE_SOMETHING_BROKEN = {
    "a good Bundle keeps its total and its links": bundle(
        GOOD, total=7, link=[{"relation": "next", "url": "u"}]
    ),
    "an empty Bundle": bundle(),
    "a Bundle without a list": {"resourceType": "Bundle", "total": 0},
    "a Bundle that does not say so": {"entry": [{"resource": GOOD}]},
    "one lost of two, so that the total says nothing": bundle(GOOD, BAD, total=2),
    "all lost": bundle(BAD, BAD),
    "a null entry": bundle() | {"entry": [None, {"resource": GOOD}]},
    "a null entry beside a broken one": bundle() | {"entry": [None, {"resource": BAD}]},
    "an entry without a resource": bundle() | {"entry": [{"fullUrl": "u"}, {"resource": GOOD}]},
    "a null resource": bundle(GOOD, None),
    "a null resource beside a broken one": bundle(BAD, None),
    "an entry that is no object": bundle() | {"entry": ["x", {"resource": GOOD}]},
    "a Bundle in a Bundle": bundle(bundle(GOOD, BAD)),
    "the wrapper of early clients": {"response": {"status": "200 OK"}, "resource": bundle(GOOD, BAD)},
    "links that cannot be read": bundle(GOOD, link="next"),
    "one resource": GOOD,
    "one broken resource": BAD,
    "no object": [],
}


@pytest.mark.parametrize("value", BESIDE_SOMETHING_BROKEN.values(), ids=BESIDE_SOMETHING_BROKEN)
def test_entry_by_entry_or_as_a_whole_the_same_is_read_and_the_same_is_lost(value):
    dropped = []
    found = decode_singly(msgspec.Raw(json.dumps(value).encode()), "prefetch[0]", dropped)
    whole, lost = decode(value)
    assert msgspec.to_builtins(found) == msgspec.to_builtins(whole)
    assert [(each.path, each.resource_type, each.reason) for each in dropped] == lost
