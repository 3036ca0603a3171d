"""What `doctor` finds doubtful in a client profile, and what an analyst must type in."""

import json

import pytest
from support.live import live_service

from cds_service.onboarding import audiences, lacks, service_strings

KEY = {"kty": "RSA", "n": "u" * 342 + "Q", "e": "AQAB", "kid": "k"}
GOOD = {"jwks": {"keys": [KEY]}, "fhir_base": ["https://ehr.example/fhir"], "timezone": "Europe/Vienna"}
CLIENTS = {
    "good": {},
    "no-base": {"fhir_base": []},
    "no-zone": {"timezone": None},
    "no-orders": {"preset": "epic"},
    "epic-one": {"preset": "epic", "selection_behavior": "at-most-one"},
    "epic-many": {"preset": "epic", "max_actions": 3},
    "epic-algorithm": {"preset": "epic", "algorithms": ["RS256"]},
    "oracle-orders": {"preset": "oracle", "hooks": ["patient-view", "order-sign"]},
    "odd-hook": {"hooks": ["order-sign", "order-dispatch"]},
    "all-off": {"rules": {"*": "off"}},
    "old": {
        "fhir_version": "STU3",
        "hooks": ["order-sign", "order-review"],
        "audience": ["typed in by hand"],
    },
}
DOUBTS = {
    "no-base": "No fhir_base",
    "no-zone": "No timezone: dates are shown in the site's zone",
    "no-orders": "No order code for: lab.albumin",
    "epic-one": "Epic honours only selectionBehavior 'any'.",
    "epic-many": "set max_actions to 1",
    "epic-algorithm": "Epic signs with RS384",
    "oracle-orders": "Oracle Health documents patient-view only",
    "odd-hook": "hooks names order-dispatch, which no service here answers.",
    "all-off": "No rule is live for this client",
}


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("onboarding")
    listed = [
        {"id": name, "issuer": f"https://{name}.example", **GOOD, **changes}
        for name, changes in CLIENTS.items()
    ]
    (folder / "clients.json").write_text(json.dumps({"clients": listed}))
    with live_service(folder, clients=folder / "clients.json") as service:
        yield service.engine, {profile.id: profile for profile in service.engine.profiles}


@pytest.mark.parametrize("client", DOUBTS)
def test_what_is_doubtful_is_said(site, client):
    engine, profiles = site
    said = set(lacks(engine, profiles[client]))
    assert any(DOUBTS[client] in sentence for sentence in said)
    assert not any(DOUBTS[client] in sentence for sentence in lacks(engine, profiles["good"]))


def test_the_catalogue_alone_is_open_by_default(site):
    """Some referrals have no code that every EHR knows."""
    engine, profiles = site
    assert [sentence.partition(":")[0] for sentence in lacks(engine, profiles["good"])] in (
        [],
        ["No order code for"],
    )
    assert any("not authenticated" in sentence for sentence in lacks(engine, engine.anonymous))


def test_strings_are_those_of_the_clients_hooks_and_version(site):
    engine, profiles = site
    (strings,) = service_strings(engine, profiles["old"])
    assert strings.hook == "order-sign"
    assert strings.prefetch["requests"] == "ProcedureRequest?patient={{context.patientId}}"
    assert "patient/ProcedureRequest.rs" in strings.scopes
    assert audiences(engine, profiles["old"]) == (engine.settings.base_url, "typed in by hand")
    assert len(service_strings(engine, profiles["good"])) == 5
