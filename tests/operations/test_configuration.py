"""The configuration: its hash, its names, its secrets."""

import json

import pytest
from token_makers import client_entry

from cds_service.clients.load import ProfileError
from cds_service.configuration import load_configuration
from cds_service.serving import open_store
from cds_service.settings import SettingsError, load_settings
from cds_service.store.engine import parse_url

MARKER = "hunter2-never-print-me"


def configured(tmp_path, *, site="", clients=None, approvals=None, **settings):
    """The configuration of a site with these files."""
    (tmp_path / "site.toml").write_text(site)
    files = {"site": tmp_path / "site.toml"}
    for name, content in (("clients", clients), ("approvals", approvals)):
        if content is not None:
            files[name] = tmp_path / f"{name}.json"
            files[name].write_text(json.dumps({name: content}))
    return load_configuration(load_settings(**files, **settings))


APPROVAL = {"rule": "vka-dialysis", "version": "1.0.0", "hash": "abc", "by": "somebody", "on": "2026-11-21"}
CLIENT = client_entry("st-mary", key="one")


@pytest.mark.parametrize(
    ("change", "parts"),
    [
        ({"site": "ca_x_p_high = 60\n"}, ("site",)),
        ({"site": 'time_zone = "Europe/Berlin"\n'}, ("site",)),
        ({"site": '[rule_modes]\nvka-dialysis = "off"\n'}, ("rule_modes",)),
        ({"rule_modes": {"vka-dialysis": "off"}}, ("rule_modes",)),
        ({"approvals": [APPROVAL]}, ("approvals",)),
        ({"clients": [CLIENT]}, ("clients",)),
        ({"clients": [{**CLIENT, "order_catalog": {"lab.pth": None}}]}, ("clients",)),
        ({"fhir_bases": "https://ehr.example.org/fhir"}, ("settings",)),
        ({"fhir_deadline_ms": 1000}, ("settings",)),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "+".join(value),
)
def test_T30_whatever_decides_which_cards_appear_changes_the_hash(tmp_path, change, parts):
    plain = configured(tmp_path)
    changed = configured(tmp_path, **change)
    assert changed.changed(plain.parts) == parts
    assert changed.hash != plain.hash


def test_T30_one_configuration_has_one_hash(tmp_path):
    again = {"clients": [CLIENT], "approvals": [APPROVAL], "site": "ca_x_p_high = 60\n"}
    assert configured(tmp_path, **again).hash == configured(tmp_path, **again).hash
    # Keys and addresses of the outside world do not decide about cards, and where records go does not either.
    assert configured(tmp_path, store_url="sqlite:///elsewhere.db").hash == configured(tmp_path).hash


def test_the_environment_overrules_the_site_file_rule_by_rule(tmp_path):
    site = '[rule_modes]\nvka-dialysis = "off"\nvka-calciphylaxis = "shadow"\n'
    modes = configured(tmp_path, site=site, rule_modes={"vka-dialysis": "live"}).rule_modes
    assert modes == {"vka-dialysis": "live", "vka-calciphylaxis": "shadow"}


@pytest.mark.parametrize(
    ("change", "setting"),
    [
        ({"site": '[rule_modes]\nno-such-rule = "off"\n'}, "CDS_SITE"),
        ({"site": '[rule_modes]\n"vka-dialysis@no-such-service" = "off"\n'}, "CDS_SITE"),
        ({"site": 'value_sets_off = ["no-such-set"]\n'}, "CDS_SITE"),
        ({"rule_modes": {"no-such-rule": "off"}}, "CDS_RULE_MODES"),
    ],
)
def test_F37_an_unknown_name_is_refused_and_its_setting_named(tmp_path, change, setting):
    with pytest.raises(SettingsError, match=r"no-such|unknown") as caught:
        configured(tmp_path, **change)
    assert caught.value.setting == setting


def test_F37_an_unknown_rule_of_a_client_is_refused(tmp_path):
    with pytest.raises(ProfileError, match="no-such-rule"):
        configured(tmp_path, clients=[{**CLIENT, "rules": {"no-such-rule": "off"}}])


def test_F37_a_profiles_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(SettingsError, match="cannot be read") as caught:
        load_configuration(load_settings(clients=tmp_path / "none.json"))
    assert caught.value.setting == "CDS_CLIENTS"


def test_T28_the_password_of_the_store_comes_from_a_file_and_is_never_shown(tmp_path, monkeypatch):
    (tmp_path / "cds_store_password").write_text(f"{MARKER}\n")
    monkeypatch.setenv("CDS_SECRETS_DIR", str(tmp_path))
    settings = load_settings(store_url="postgresql://cds@127.0.0.1:1/nowhere")
    assert settings.store_password.get_secret_value() == MARKER
    assert MARKER not in repr(settings) + settings.model_dump_json()
    store = open_store(settings, required=False)
    try:
        assert store._writing.url.password == MARKER
        assert MARKER not in repr(store._writing)
    finally:
        store.close(timeout=0.1)
    assert parse_url(settings.store_url).password is None


@pytest.mark.parametrize("name", ["cds_hashkey", "CDS_STORE_PASWORD"])
def test_T28_a_misspelt_secret_refuses_to_start(tmp_path, monkeypatch, name):
    (tmp_path / name).write_text(MARKER)
    monkeypatch.setenv("CDS_SECRETS_DIR", str(tmp_path))
    with pytest.raises(SettingsError, match=name) as caught:
        load_settings()
    assert MARKER not in str(caught.value)


def test_T28_a_folder_of_secrets_that_is_not_there_refuses_to_start(tmp_path, monkeypatch):
    monkeypatch.setenv("CDS_SECRETS_DIR", str(tmp_path / "none"))
    with pytest.raises(SettingsError, match="CDS_SECRETS_DIR"):
        load_settings()
