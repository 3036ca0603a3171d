"""Who may call (T1 to T9, T24, T32, F36), over real HTTP."""

import copy
import time
import uuid
from statistics import median

import pytest
import requests
from callers import PUBLIC, metric, sent, signed
from support.live import JSON_TYPE, SIGN, live_service
from token_maker import claims, private_key, raw_token

from cds_service.serving import running_engine
from cds_service.settings import load_settings
from cds_service.store.memory import JtiMemory

HOST = PUBLIC.removeprefix("http://")


def by_hand(header, **changes):
    values = claims(iss="https://one.example", aud=f"{PUBLIC}/cds-services/{SIGN}", **changes)
    return JSON_TYPE | {"Authorization": f"Bearer {raw_token(header, values)}"}


FORGED = {
    "no algorithm": lambda: by_hand({"alg": "none", "kid": "ES384"}),
    "symmetric": lambda: by_hand({"alg": "HS256", "kid": "ES384"}),
    "unknown crit": lambda: by_hand({"alg": "ES384", "kid": "ES384", "crit": ["x"], "x": 1}),
    "no signature": lambda: by_hand({"alg": "ES384", "kid": "ES384"}),
    "other curve": lambda: signed(algorithm="ES256"),
    "half a token": lambda: JSON_TYPE | {"Authorization": signed()["Authorization"][:-100]},
    "no token": lambda: JSON_TYPE,
    "other scheme": lambda: JSON_TYPE | {"Authorization": "Basic b25lOm9uZQ=="},
    "unknown issuer": lambda: signed(iss="https://three.example"),
}


@pytest.mark.parametrize("make", FORGED.values(), ids=FORGED)
def test_T1_a_forged_caller_gets_a_401_that_does_not_say_why(hospital, call, make):
    answer = sent(hospital, call, make())
    assert (answer.status_code, answer.content) == (401, sent(hospital, call, JSON_TYPE).content)
    assert sent(hospital, call, signed()).status_code == 200


def test_T2_an_algorithm_that_does_not_fit_the_key_is_a_401(hospital, call):
    for algorithm, kid in (("RS384", "ES384"), ("ES384", "RS384")):
        assert sent(hospital, call, signed(algorithm=algorithm, kid=kid)).status_code == 401


def test_T3_keys_named_by_a_token_are_never_fetched(hospital, call, stranger):
    mallory = private_key("ES384", "mallory")
    for header in ("jku", "x5u"):
        headers = signed(key=mallory, headers={header: f"{stranger.root}/jwks.json"})
        assert sent(hospital, call, headers).status_code == 401


def test_T5_a_retry_is_answered_and_another_call_with_the_same_token_is_not(hospital, call):
    headers = signed()
    first, again = sent(hospital, call, headers), sent(hospital, call, headers)
    assert [len(each.json()["cards"]) for each in (first, again)] == [1, 1]
    assert sent(hospital, call | {"hookInstance": str(uuid.uuid4())}, headers).status_code == 401


def test_T5_a_million_token_ids_fit_into_bounded_memory():
    memory = JtiMemory()
    for number in range(1_000_000):
        memory.add(str(number), "body", 0, 1e12)
    assert len(memory) == 50_000
    assert memory.judge("999999", "other body", 1) is not None


def test_T6_a_token_for_ten_years_is_refused(hospital, call):
    now = int(time.time())
    assert sent(hospital, call, signed(exp=now + 3600, iat=now)).status_code == 200
    for lifetime in (3601, 10 * 365 * 24 * 3600):
        assert sent(hospital, call, signed(exp=now + lifetime, iat=now)).status_code == 401


@pytest.mark.parametrize("missing", ["exp", "iat", "jti", "iss", "aud"])
def test_T6_every_claim_is_needed(hospital, call, missing):
    assert sent(hospital, call, signed(**{missing: None})).status_code == 401


@pytest.mark.parametrize(
    "audience",
    [
        f"{PUBLIC}/cds-services/calciphylaxis-patient-view",
        f"{PUBLIC}/cds-services/{SIGN}/",
        f"{PUBLIC}/cds-services/{SIGN}/feedback",
        "https://another.example/cds-services",
        [],
    ],
)
def test_T7_a_token_for_another_service_is_refused(hospital, call, audience):
    assert sent(hospital, call, signed(aud=audience)).status_code == 401


def test_T7_one_client_cannot_sign_for_the_other(hospital, call):
    assert sent(hospital, call, signed("one", key=private_key("ES384", "two"))).status_code == 401


SPOOFED = {
    "Host": "evil.example",
    "X-Forwarded-Host": "evil.example",
    "X-Forwarded-Proto": "https",
    "Forwarded": "host=evil.example",
}


@pytest.mark.parametrize("name", SPOOFED)
def test_T8_a_spoofed_host_changes_no_link_and_no_audience(hospital, call, name):
    spoofed = {name: SPOOFED[name]}
    answer = sent(hospital, call, signed() | spoofed)
    assert "evil" not in answer.text
    assert answer.json()["cards"][0]["source"]["url"].startswith(PUBLIC)
    for scheme in ("http", "https"):
        headers = signed(aud=f"{scheme}://evil.example/cds-services/{SIGN}") | spoofed
        assert sent(hospital, call, headers).status_code == 401
    for path in ("/cds-services/", "//evil.example", "/docs/", f"/cds-services/{SIGN}/"):
        redirect = hospital.get(path, headers=spoofed, allow_redirects=False)
        assert redirect.status_code == 404, path


def test_T9_a_service_with_the_sandboxs_key_does_not_start_in_production(tmp_path):
    path = tmp_path / "clients.json"
    path.write_text('{"clients": [{"id": "sandbox", "preset": "sandbox"}]}', encoding="utf-8")
    usual = {"clients": path, "store_url": f"sqlite:///{tmp_path / 'x.sqlite'}"}
    production = {
        "environment": "production",
        "public_url": "https://cds.example",
        "hash_key": "a-key-of-the-site-itself",
    }
    with running_engine(load_settings(**usual)):
        pass
    with (
        pytest.raises(ValueError, match="its private key is public"),
        running_engine(load_settings(**usual, **production)),
    ):
        pass


ORIGIN = "https://portal.example"


@pytest.mark.parametrize(
    ("origins", "origin", "method", "allowed"),
    [
        ((ORIGIN,), ORIGIN, "POST", True),
        ((ORIGIN,), ORIGIN, "GET", True),
        ((ORIGIN,), ORIGIN, "DELETE", False),
        ((ORIGIN,), "https://portal.example.evil.example", "POST", False),
        ((ORIGIN,), "http://portal.example", "POST", False),
        ((ORIGIN,), "null", "POST", False),
        ((), ORIGIN, "POST", False),
        ((), "http://localhost.evil.example", "POST", False),
    ],
)
def test_T24_a_browser_is_let_in_from_exact_origins_only(tmp_path, origins, origin, method, allowed):
    with live_service(tmp_path, cors_origins=origins) as service:
        headers = {
            "Origin": origin,
            "Access-Control-Request-Method": method,
            "Access-Control-Request-Headers": "authorization, content-type",
        }
        answer = requests.options(service.url(f"/cds-services/{SIGN}"), headers=headers, timeout=20)
    permitted = answer.status_code == 200 and answer.headers.get("access-control-allow-origin") == origin
    assert permitted is allowed
    assert answer.headers.get("access-control-allow-origin") != "*"
    assert "access-control-allow-credentials" not in answer.headers


def test_T24_caches_are_told_that_an_answer_depends_on_the_origin(tmp_path):
    with live_service(tmp_path, cors_origins=(ORIGIN,)) as service:
        for sender in ({}, {"Origin": ORIGIN}, {"Origin": "https://evil.example"}):
            answer = requests.get(service.url("/cds-services"), headers=sender, timeout=20)
            assert answer.headers["vary"] == "Origin"


def test_T32_every_401_is_the_same_and_takes_as_long(hospital, call):
    stranger_like = {
        "unknown issuer": lambda: signed(iss="https://three.example"),
        "wrong key": lambda: signed(key=private_key("ES384", "mallory")),
    }
    taken, bodies = {name: [] for name in stranger_like}, set()
    for _ in range(25):
        for name, make in stranger_like.items():
            for service in (SIGN, "no-such-service"):
                headers = make()
                begun = time.perf_counter()
                bodies.add(sent(hospital, call, headers, service).content)
                taken[name].append(time.perf_counter() - begun)
    assert len(bodies) == 1
    # A signature check is a fraction of a millisecond; the network hides the difference.
    assert abs(median(taken["unknown issuer"]) - median(taken["wrong key"])) < 0.05


def test_F36_a_minute_between_clocks_is_forgiven_and_more_is_not(hospital, call):
    now = int(time.time())
    for behind, status in ((50, 200), (-50, 200), (90, 401)):
        assert sent(hospital, call, signed(iat=now + behind, exp=now + behind + 300)).status_code == status
    for expired, status in ((50, 200), (90, 401)):
        assert sent(hospital, call, signed(iat=now - 300, exp=now - expired)).status_code == status


def test_T31_a_header_that_claims_a_client_is_not_believed(hospital, call):
    claims_of_a_proxy = {
        "X-SSL-Client-Verify": "SUCCESS",
        "X-SSL-Client-S-DN": "CN=one",
        "X-Client-Cert": "one",
        "X-Forwarded-User": "one",
        "X-Remote-User": "one",
    }
    assert sent(hospital, call, JSON_TYPE | claims_of_a_proxy).status_code == 401


def test_T4_random_key_ids_are_no_reason_to_fetch(hospital, call):
    """Keys that stand in the profile are never fetched; for those at an address see `tests/clients`."""
    before = metric(hospital, 'cds_auth_failures_total{reason="unknown-key"')
    for number in range(20):
        assert sent(hospital, copy.copy(call), signed(kid=f"random-{number}")).status_code == 401
    assert metric(hospital, 'cds_auth_failures_total{reason="unknown-key"') == before + 20
