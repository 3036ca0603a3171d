"""Settings refuse to start rather than guess, and never repeat a value."""

import os
import subprocess
import sys
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from cds_service.registry import load_services
from cds_service.serving import check_binding, running_engine
from cds_service.settings import Settings, SettingsError, load_approvals, load_settings, load_site

MARKER = "hunter2-never-print-me"
BOUNDS = {name: bound for service in load_services() for name, bound in service.content.site_bounds.items()}
PRODUCTION = {
    "CDS_ENVIRONMENT": "production",
    "CDS_HASH_KEY": "a-long-secret-of-the-site",
    "CDS_PUBLIC_URL": "https://cds.example.org",
}


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch):
    for name in list(os.environ):
        if name.upper().startswith("CDS_") and not name.upper().startswith("CDS_TEST_"):
            monkeypatch.delenv(name)


@pytest.fixture
def environment(monkeypatch):
    def put(values: dict[str, str]) -> None:
        for name, value in values.items():
            monkeypatch.setenv(name, value)

    return put


def refusal(environment, values: dict[str, str]) -> str:
    environment(values)
    with pytest.raises(SettingsError) as caught:
        load_settings()
    return str(caught.value)


# --- defaults and names


def test_development_needs_no_settings_and_authenticates_nobody():
    settings = load_settings()
    assert settings.environment == "development"
    assert not settings.authenticated
    assert settings.fhir_bases == ("http://127.0.0.1:8080/fhir", "http://localhost:8080/fhir")


def test_production_authenticates_without_being_told_to(environment):
    environment(PRODUCTION)
    assert load_settings().authenticated


@pytest.mark.parametrize("name", ["CDS_RULE_MODE", "CDS_HASHKEY", "cds_foo", "CDS_"])
def test_an_unknown_name_refuses_to_start(environment, name):
    assert name in refusal(environment, {name: MARKER})


def test_all_unknown_names_are_told_at_once(environment):
    message = refusal(environment, {"CDS_ONE": MARKER, "CDS_TWO": MARKER})
    assert "CDS_ONE" in message
    assert "CDS_TWO" in message


def test_switches_of_the_test_suite_are_no_settings(environment):
    environment({"CDS_TEST_SOMETHING": "1"})
    load_settings()


def test_names_may_be_lower_case(environment):
    environment({"cds_deadline_ms": "3000"})
    assert load_settings().deadline_ms == 3000


def test_lists_are_separated_by_commas(environment):
    environment({"CDS_CORS_ORIGINS": "https://sandbox.cds-hooks.org, https://ehr.example.org,"})
    assert load_settings().cors_origins == ("https://sandbox.cds-hooks.org", "https://ehr.example.org")


def test_settings_cannot_be_changed_later():
    with pytest.raises(ValueError, match="frozen"):
        load_settings().auth = "off"


# --- production


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"CDS_AUTH": "off"}, "CDS_AUTH"),
        ({"CDS_AS_OF": "2026-11-15T12:00:00Z"}, "CDS_AS_OF"),
        ({"CDS_TRUSTED_NETWORK": "true"}, "CDS_TRUSTED_NETWORK"),
        ({"CDS_HASH_KEY": None}, "CDS_HASH_KEY"),
        ({"CDS_PUBLIC_URL": None}, "CDS_PUBLIC_URL"),
        ({"CDS_PUBLIC_URL": "http://cds.example.org"}, "CDS_PUBLIC_URL"),
    ],
)
def test_production_refuses(environment, change, named):
    values = {name: value for name, value in (PRODUCTION | change).items() if value is not None}
    message = refusal(environment, values)
    assert named in message
    assert "cds.example.org" not in message


def test_production_without_any_client_refuses_to_start(environment, tmp_path):
    environment(PRODUCTION | {"CDS_STORE_URL": f"sqlite:///{tmp_path / 'store.db'}"})
    with pytest.raises(SettingsError, match="CDS_CLIENTS"), running_engine(load_settings()):
        pass


def test_overrides_are_checked_like_the_environment(environment):
    environment(PRODUCTION)
    with pytest.raises(SettingsError, match="CDS_AS_OF"):
        load_settings(as_of=datetime(2026, 11, 15, tzinfo=UTC))


# --- values out of range, and what an error may say


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CDS_ENVIRONMENT", MARKER),
        ("CDS_AUTH", MARKER),
        ("CDS_TRUSTED_NETWORK", MARKER),
        ("CDS_AS_OF", MARKER),
        ("CDS_DEADLINE_MS", MARKER),
        ("CDS_MAX_BODY_BYTES", MARKER),
        ("CDS_RULE_MODES", f'{{"vka-dialysis": "{MARKER}"}}'),
    ],
)
def test_a_refusal_names_the_setting_and_not_its_value(environment, name, value):
    message = refusal(
        environment, {name: value, "CDS_HASH_KEY": MARKER, "CDS_STORE_URL": f"x://{MARKER}@y/z"}
    )
    assert name in message
    assert MARKER not in message


def test_text_that_is_not_json_is_not_repeated(environment):
    assert MARKER not in refusal(environment, {"CDS_RULE_MODES": f'{{"a": {MARKER}'})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CDS_DEADLINE_MS", "99"),
        ("CDS_DEADLINE_MS", "30001"),
        ("CDS_FHIR_DEADLINE_MS", "49"),
        ("CDS_MAX_BODY_BYTES", "9999"),
        ("CDS_MAX_BODY_BYTES", "100000001"),
    ],
)
def test_numbers_out_of_bounds_are_refused(environment, name, value):
    message = refusal(environment, {name: value})
    assert name in message
    assert value not in message


def test_reading_fhir_cannot_take_longer_than_the_answer(environment):
    assert "CDS_FHIR_DEADLINE_MS" in refusal(
        environment, {"CDS_DEADLINE_MS": "1000", "CDS_FHIR_DEADLINE_MS": "1001"}
    )


def test_the_clinical_clock_needs_a_time_zone(environment):
    assert "time zone" in refusal(environment, {"CDS_AS_OF": "2026-11-15T12:00:00"})


def test_printing_settings_hides_the_secret(environment):
    environment({"CDS_HASH_KEY": MARKER})
    settings = load_settings()
    assert settings.hash_key.get_secret_value() == MARKER
    assert MARKER not in repr(settings) + str(settings) + settings.model_dump_json()


def test_secrets_are_read_from_files(tmp_path):
    """The folder is looked up when the module is loaded, hence the process of its own."""
    (tmp_path / "cds_hash_key").write_text(f"{MARKER}\n")
    code = (
        "from cds_service.settings import load_settings; print(load_settings().hash_key.get_secret_value())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"CDS_SECRETS_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout.strip() == MARKER


def test_every_setting_says_what_it_is():
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []


# --- the site file


def site_file(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "site.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_content_offers_something_to_set():
    assert "ca_x_p_high" in BOUNDS


@pytest.mark.parametrize("name", BOUNDS)
def test_both_bounds_are_allowed_and_nothing_beyond(tmp_path, name):
    low, high = (Decimal(bound) for bound in BOUNDS[name])
    for value in (low, high):
        assert load_site(site_file(tmp_path, f"{name} = {value}"), BOUNDS).clinical[name] == value
    for value in (low - Decimal("0.1"), high + Decimal("0.1")):
        with pytest.raises(SettingsError, match=name) as caught:
            load_site(site_file(tmp_path, f"{name} = {value}"), BOUNDS)
        assert str(value) not in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        f'ca_x_p_high = "{MARKER}"',
        "ca_x_p_high = true",
        "ca_x_p_high = nan",
        "ca_x_p_high = inf",
        f'calcium_correction = "{MARKER}"',
        f'suppress_acknowledged_mandatory_vka = "{MARKER}"',
        'time_zone = "Nowhere/Town"',
        'retention_days = "long"',
        'no_such_setting = "x"',
        "not toml",
    ],
)
def test_a_site_file_with_a_mistake_is_refused(tmp_path, text):
    with pytest.raises(SettingsError) as caught:
        load_site(site_file(tmp_path, text), BOUNDS)
    assert MARKER not in str(caught.value)


def test_all_mistakes_of_a_site_file_are_told_at_once(tmp_path):
    with pytest.raises(SettingsError) as caught:
        load_site(site_file(tmp_path, "ca_x_p_high = 1\nunheard_of = 2"), BOUNDS)
    assert "ca_x_p_high" in str(caught.value)
    assert "unheard_of" in str(caught.value)


def test_without_a_site_file_there_are_defaults():
    site = load_site(None, BOUNDS)
    assert site.clinical == {}
    assert site.retention_days == 365


def test_a_site_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(SettingsError, match="cannot be read"):
        load_site(tmp_path / "none.toml", BOUNDS)


# --- approvals


@pytest.mark.parametrize(
    "text",
    [
        '{"approvals": [{"rule": "vka-dialysis", "version": "1.0.0", "hash": "x", "on": "2026-11-15"}]}',
        '{"approvals": [{"rule": "vka-dialysis", "version": "1.0.0", "hash": "x", "by": "somebody"}]}',
        '{"approvals": [{"by": "somebody", "on": "2026-11-15"}]}',
        '{"approvals": ["vka-dialysis"]}',
        "[]",
        "not json",
    ],
)
def test_an_approvals_file_that_does_not_say_who_and_when_is_refused(tmp_path, text):
    path = tmp_path / "approvals.json"
    path.write_text(text)
    with pytest.raises(SettingsError):
        load_approvals(path)


# --- where the service may be reached


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "::1", "localhost"])
def test_an_open_service_may_bind_to_this_machine(host):
    check_binding(load_settings(), host)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.7", "cds.example.org", ""])
def test_an_open_service_is_not_offered_beyond_this_machine(host):
    with pytest.raises(SettingsError, match="CDS_TRUSTED_NETWORK"):
        check_binding(load_settings(), host)


@pytest.mark.parametrize("values", [{"CDS_TRUSTED_NETWORK": "true"}, {"CDS_AUTH": "required"}, PRODUCTION])
def test_a_trusted_network_or_known_callers_lift_that(environment, values):
    environment(values)
    check_binding(load_settings(), "0.0.0.0")


def test_the_command_line_tells_it_in_one_line():
    done = subprocess.run(
        [sys.executable, "-m", "cds_service", "serve", "--host", "0.0.0.0", "--port", "0"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert "CDS_TRUSTED_NETWORK" in done.stderr
    assert "Traceback" not in done.stderr
