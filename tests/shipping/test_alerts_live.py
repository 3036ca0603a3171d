"""A real service whose code map breaks: what it then says in /metrics raises the right alerts.

A stretch of healthy calls stands for each quarter of an hour of the week before, a stretch of broken ones for each
since; promtool judges what Prometheus would have kept of it.
"""

import json
import re
import time

import jwt
import pytest
from alert_cases import A_SAMPLE, TODAY, WEEK
from cryptography.hazmat.primitives.asymmetric import rsa
from exposition import growth, history, names, snapshot
from jwt.algorithms import RSAAlgorithm
from promtool import alerts, firing, needs_promtool
from support.casefiles import request_of
from support.live import JSON_TYPE, SIGN, live_service

pytestmark = needs_promtool

VKA, CALCITRIOL = "vka-dialysis-new-start", "vitd-calcium-high"


def as_it_is(request):
    """What the EHR sends on a good day."""


def stretch(service, change=as_it_is):
    """What the calls of a quarter of an hour add to the counters: two orders that the rules are about."""
    before = snapshot(service.get("/metrics").text)
    for case in (VKA, CALCITRIOL):
        request = request_of(case)
        change(request)
        assert service.call(request).status_code == 200
    after = service.get("/metrics").text
    return growth(before, snapshot(after)), snapshot(after, gauges=True)


@pytest.fixture(scope="module")
def healthy(tmp_path_factory):
    with live_service(tmp_path_factory.mktemp("healthy")) as service:
        stretch(service)
        return stretch(service)


def raised(healthy, today, folder, only=""):
    """The alerts that fire after a week of healthy stretches and a day of today's."""
    (grew, _), (grows, gauges) = healthy, today
    series = history(grew, grows, times=A_SAMPLE, steps=WEEK, since=TODAY)
    series |= {name: f"{value!r}x{WEEK + TODAY}" for name, value in gauges.items()}
    return firing(folder, series, step_s=3600, at_step=WEEK + TODAY - 1, only=only)


def today_with(folder, change=as_it_is, **settings):
    with live_service(folder, **settings) as service:
        stretch(service, change)
        return stretch(service, change)


def codings(resource):
    """Every coding in a resource, wherever it stands."""
    if isinstance(resource, dict):
        yield from resource.get("coding", ())
        for value in resource.values():
            yield from codings(value)
    elif isinstance(resource, list):
        for value in resource:
            yield from codings(value)


def laboratory_changes_its_codes(request):
    for coding in codings(request["prefetch"]["labs"]):
        coding.update(system="http://laboratory.example/codes", code=f"L-{coding['code']}", display="Test")


def pharmacy_changes_its_codes(request):
    for entry in request["context"]["draftOrders"]["entry"]:
        entry["resource"]["medicationCodeableConcept"] = {
            "coding": [{"system": "http://pharmacy.example/codes", "code": "P-1", "display": "Item 1"}]
        }


def test_every_metric_of_the_rules_is_one_that_the_service_has(tmp_path):
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    public = {**RSAAlgorithm.to_jwk(key.public_key(), as_dict=True), "kid": "k1", "use": "sig"}
    clients = {"clients": [{"id": "ehr", "issuer": "https://ehr.example", "jwks": {"keys": [public]}}]}
    (tmp_path / "clients.json").write_text(json.dumps(clients))
    with live_service(tmp_path, auth="required", clients=tmp_path / "clients.json") as service:
        now = int(time.time())
        claims = {"iss": "https://ehr.example", "iat": now, "exp": now + 300, "jti": "once"}
        claims["aud"] = f"{service.engine.settings.base_url}/cds-services/{SIGN}"
        token = jwt.encode(claims, key, algorithm="RS384", headers={"kid": "k1"})
        body = json.dumps(request_of(VKA))
        # The clock's skew is known once a caller has shown a token.
        answer = service.post(
            f"/cds-services/{SIGN}", data=body, headers={**JSON_TYPE, "Authorization": f"Bearer {token}"}
        )
        assert answer.status_code == 200
        said = names(service.get("/metrics").text)
    for name, rule in alerts().items():
        wanted = set(re.findall(r"\bcds_\w+", rule["expr"]))
        assert wanted <= said, f"{name}: {wanted - said}"


def test_a_good_day_raises_nothing(healthy, tmp_path):
    assert raised(healthy, healthy, tmp_path) == set()


def test_a_value_set_that_is_switched_off_is_noticed_as_a_dead_rule(healthy, tmp_path):
    today = today_with(tmp_path, value_sets_off=("end-stage-renal-disease",))
    assert raised(healthy, today, tmp_path, "CdsRuleStoppedFiring")


def test_laboratory_codes_that_nobody_knows_are_noticed(healthy, tmp_path):
    today = today_with(tmp_path, laboratory_changes_its_codes)
    assert raised(healthy, today, tmp_path, "CdsRuleCannotAssess")


def test_drug_codes_that_nobody_knows_are_noticed(healthy, tmp_path):
    today = today_with(tmp_path, pharmacy_changes_its_codes)
    for name in ("CdsRuleStoppedFiring", "CdsUnmappedCodes"):
        assert raised(healthy, today, tmp_path, name)


def test_a_rule_taken_off_by_mistake_is_noticed(healthy, tmp_path):
    today = today_with(tmp_path, rule_modes={"vka-dialysis": "off"})
    assert raised(healthy, today, tmp_path, "CdsRuleStoppedFiring")
