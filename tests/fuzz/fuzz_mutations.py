"""Changes to a call, drawn from any `random.Random`: of its data, of its text, and by another patient's resources."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from decimal import Decimal
from random import Random

from fuzz_bodies import Body, encode

FOREIGN = "foreign-canary"
MAX_CHANGES = 4
Json = dict | list

NASTY = (
    "",
    " ",
    "\u0000",
    "\u202e\u2066",
    "<script>alert(1)</script>",
    "[x](javascript:x) **b** `c` # h\n\n- l",
    "../../Patient/1?_include=*",
    "https://evil.example/fhir/Patient/1",
    "urn:uuid:0",
    "#x",
    "9" * 400,
    "1e999",
    "NaN",
    "2026-13-45",
    "0000-00-00T24:60:60Z",
    "9999-12-31T23:59:59.999999999+14:00",
    "entered-in-error",
    "Bundle",
    "MedicationOrder",
)
NUMBERS = (0, -1, 1, Decimal("1e400"), Decimal("-1e-400"), 10**30, Decimal("0.1"), 2**63, True)
UNITS = (
    "",
    "parsec",
    "MG/DL",
    "mg/dl",
    "mmol/L",
    "g/L",
    "%",
    "mEq/L",
    "pmol/L",
    "10*3/uL",
    "µmol/l",
    "\u0000",
)
UNREADABLE_VALUES = (
    {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "forbidden"}]},
    {"resourceType": "Bundle", "type": "searchset", "entry": "not a list"},
    "not an object",
    5,
    [],
)
CORE = {
    "patient": "Patient",
    "conditions": "Condition",
    "labs": "Observation",
    "medications": "MedicationRequest",
}


def _places(document: Json) -> Iterator[tuple[Json, str | int]]:
    """Every (container, key) of a document, without recursion: mutants may be deep."""
    open_ends: list[Json] = [document]
    while open_ends:
        inside = open_ends.pop()
        for key in inside if isinstance(inside, dict) else range(len(inside)):
            yield inside, key
            value = inside[key]
            if isinstance(value, dict | list):
                open_ends.append(value)


def _drop(random: Random, inside: Json, key: str | int) -> None:
    del inside[key]


def _null(random: Random, inside: Json, key: str | int) -> None:
    inside[key] = None


def _retype(random: Random, inside: Json, key: str | int) -> None:
    value = inside[key]
    inside[key] = random.choice(
        (
            [value],
            {"value": value},
            str(value) if not isinstance(value, dict | list) else "x",
            5,
            Decimal("1.5"),
            False,
            [],
            {},
            value[0] if isinstance(value, list) and value else [[value]],
        )
    )


def _duplicate(random: Random, inside: Json, key: str | int) -> None:
    if isinstance(inside, list):
        inside.insert(random.randrange(len(inside) + 1), copy.deepcopy(inside[key]))
    elif isinstance(inside[key], list):
        inside[key] = inside[key] * 2
    else:
        inside[f"{key}{random.randrange(3)}"] = copy.deepcopy(inside[key])


def _reorder(random: Random, inside: Json, key: str | int) -> None:
    if isinstance(inside, list):
        random.shuffle(inside)
    else:
        inside[key] = inside.pop(key)


def _nasty(random: Random, inside: Json, key: str | int) -> None:
    inside[key] = random.choice(NASTY if isinstance(inside[key], str) else NUMBERS)


def _rename(random: Random, inside: Json, key: str | int) -> None:
    if isinstance(inside, dict):
        inside[random.choice((str(key).upper(), f"_{key}", f"{key}[x]", ""))] = inside.pop(key)


def _deep(random: Random, inside: Json, key: str | int) -> None:
    value = inside[key]
    for _ in range(random.choice((5, 50, 300))):
        value = [value] if random.randrange(2) else {"resource": value}
    inside[key] = value


def _huge(random: Random, inside: Json, key: str | int) -> None:
    value = inside[key]
    if isinstance(value, list) and value:
        inside[key] = value * random.choice((10, 100))
    else:
        inside[key] = random.choice(("x", "a\u0301", "*_[]", "9", "warfarin ")) * random.choice((300, 20_000))


CHANGES: tuple[Callable[[Random, Json, str | int], None], ...] = (
    *(_drop, _null, _retype, _duplicate, _reorder, _nasty, _rename) * 8,
    *(_deep,) * 2,
    _huge,
)


def _units(random: Random, document: dict) -> None:
    quantities = [
        inside[key]
        for inside, key in _places(document)
        if key == "valueQuantity" and isinstance(inside[key], dict)
    ]
    if quantities:
        quantity = random.choice(quantities)
        for name in random.choice((("unit",), ("code",), ("unit", "code"), ("system",))):
            quantity[name] = random.choice(UNITS)


def changed(random: Random, body: Body) -> bytes:
    """The call with one to four changes anywhere."""
    document = body.document()
    for _ in range(random.randrange(1, MAX_CHANGES + 1)):
        if random.randrange(10) == 0:
            _units(random, document)
            continue
        places = list(_places(document))
        if places:
            random.choice(CHANGES)(random, *random.choice(places))
    return encode(document)


def foreign(random: Random, body: Body) -> bytes:
    """The call with resources of another patient in its lists; every word and number of theirs is marked."""
    document = body.document()
    prefetch = document.get("prefetch")
    lists = [
        value["entry"]
        for value in (prefetch.values() if isinstance(prefetch, dict) else ())
        if isinstance(value, dict) and isinstance(value.get("entry"), list) and value["entry"]
    ]
    form = random.choice(
        (
            {"reference": f"Patient/{FOREIGN}"},
            {"reference": f"https://ehr.example/fhir/Patient/{FOREIGN}"},
            {"reference": f"Patient/{FOREIGN}/_history/2"},
            {"reference": f"urn:uuid:{FOREIGN}"},
            {"reference": f"#{FOREIGN}"},
            {"identifier": {"system": "urn:mrn", "value": FOREIGN}},
            {"display": FOREIGN},
        )
    )
    for entries in lists:
        own = random.choice(entries)
        resource = own.get("resource") if isinstance(own, dict) else None
        if isinstance(resource, dict) and resource.get("resourceType") not in (
            "Medication",
            "OperationOutcome",
        ):
            theirs = _marked(copy.deepcopy(resource)) | {"id": FOREIGN, "subject": form}
            theirs.pop("patient", None)
            entries.insert(random.randrange(len(entries) + 1), {"resource": theirs})
    return encode(document)


def _marked(resource: dict) -> dict:
    for inside, key in list(_places(resource)):
        if key in ("display", "text"):
            inside[key] = FOREIGN
        elif key == "value":
            inside[key] = Decimal("66.61")
    return resource


def unreadable(random: Random, body: Body) -> bytes:
    """The call with one core list, or one entry of it, or one value that cannot be used; nothing else is changed."""
    document = body.document()
    prefetch = document.get("prefetch")
    keys = sorted(set(prefetch) & set(CORE)) if isinstance(prefetch, dict) else []
    if not keys:
        return body.encoded
    key = random.choice(keys)
    value = prefetch[key]
    entries = value.get("entry") if isinstance(value, dict) else None
    if key == "labs" and isinstance(entries, list) and random.randrange(2):
        _spoil_value(random, entries)
    elif isinstance(entries, list) and entries and random.randrange(2):
        entries[random.randrange(len(entries))] = {
            "resource": {"resourceType": CORE[key], "id": "x", "subject": "wrong"}
        }
    else:
        prefetch[key] = random.choice(UNREADABLE_VALUES)
    return encode(document)


def _spoil_value(random: Random, entries: list) -> None:
    values = [
        resource["valueQuantity"]
        for entry in entries
        if isinstance(entry, dict) and isinstance(resource := entry.get("resource"), dict)
        if isinstance(resource.get("valueQuantity"), dict)
    ]
    if values:
        random.choice(values).update(
            random.choice(
                (
                    {"unit": "parsec", "code": "pc"},
                    {"unit": "", "code": ""},
                    {"value": Decimal("1e7")},
                    {"value": -1},
                    {"value": "many"},
                    {"comparator": "about"},
                )
            )
        )


def garbled(random: Random, body: Body) -> bytes:
    """The text of the call with a few bytes changed: mostly no JSON any more."""
    text = bytearray(body.encoded)
    for _ in range(random.randrange(1, 4)):
        place = random.randrange(len(text))
        match random.randrange(6):
            case 0:
                del text[place:]
            case 1:
                text[place] = random.randrange(256)
            case 2:
                text[place:place] = random.choice(
                    (b"\xef\xbb\xbf", b"\\ud800", b"NaN", b"\x00", b"\xff", b"[" * 50_000)
                )
            case 3:
                text[place:place] = text[max(0, place - random.randrange(1, 200)) : place]
            case 4:
                del text[place : place + random.randrange(1, 50)]
            case _:
                text[:] = text.replace(
                    b'"value":', random.choice((b'"value":9', b'"value":-', b'"value":NaN,"x":')), 1
                )
        if not text:
            break
    return bytes(text)


KINDS = {"changed": changed, "foreign": foreign, "unreadable": unreadable, "garbled": garbled}
_WEIGHTS = (70, 12, 10, 8)


def mutant(random: Random, body: Body) -> tuple[str, bytes]:
    """(kind, bytes) of a changed call."""
    (kind,) = random.choices(tuple(KINDS), _WEIGHTS)
    return kind, KINDS[kind](random, body)
