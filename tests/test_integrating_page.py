"""The page for integrators: its profiles load, its table has every field, its commands are tried elsewhere."""

import json
import re
from pathlib import Path

import msgspec
import pytest

from cds_service.clients.load import load_profiles
from cds_service.clients.presets import DEVELOPMENT_ONLY
from cds_service.clients.profile import ClientProfile

PAGE = (Path(__file__).resolve().parent.parent / "docs" / "integrating.md").read_text("utf-8")
EXAMPLES = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)


def shown(value):
    """A default as the table writes it."""
    if isinstance(value, bool):
        return str(value).lower()
    if value in (None, (), {}, msgspec.NODEFAULT):
        return None
    return ", ".join(value) if isinstance(value, tuple) else str(value)


@pytest.mark.parametrize("example", EXAMPLES, ids=range(len(EXAMPLES)))
def test_profile_loads_as_it_stands(example):
    given = json.loads(example)["clients"][0]
    environment = "development" if given.get("preset") in DEVELOPMENT_ONLY else "production"
    (profile,) = load_profiles(example.encode(), environment=environment, default_catalog={})
    assert profile.id == given["id"]
    for name, value in given.items():
        found = msgspec.to_builtins(getattr(profile, name))
        assert found == value or tuple(found) == tuple(value)


def test_there_is_an_example_for_each_preset():
    presets = {json.loads(example)["clients"][0].get("preset", "generic") for example in EXAMPLES}
    assert presets == {"generic", "epic", "oracle", "sandbox"}


def test_the_table_has_every_field_with_its_default():
    told = {}
    for names, defaults in re.findall(r"^\| (`.*?) \| (.*?) \|", PAGE, re.MULTILINE):
        fields = re.findall(r"`(\w+)`", names)
        bare = defaults.strip("`")
        parts = [bare] if len(fields) == 1 else bare.split(", ")
        told |= dict.fromkeys(fields) | dict(zip(fields, parts, strict=False))
    known = {field.name: shown(field.default) for field in msgspec.structs.fields(ClientProfile)}
    assert known.keys() <= told.keys()
    stated = {name: default for name, default in known.items() if default is not None and name != "id"}
    assert {name: told[name] for name in stated} == stated
