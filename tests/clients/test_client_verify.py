"""Client trust: one table of everything that must be refused, and what must be let in.

The ids name the threats T1 to T9 of the threat list.
"""

import asyncio
import base64
import hmac
import json
import string
import time
from hashlib import sha256

import jwt
import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA384
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from token_maker import (
    BODY,
    ISSUER,
    URL,
    bearer,
    claims,
    jwk,
    key_set,
    private_key,
    profile,
    raw_token,
    token,
)

from cds_service.clients.jwks import parse_key_set
from cds_service.clients.keys import KeyCache
from cds_service.clients.verify import Cause, JwtVerifier, Unauthenticated
from cds_service.store import JtiVerdict, Store

PINNED = "https://ehr.example.org/jwks.json"


class Memory:
    """Token memory as the store keeps it, without a database."""

    def __init__(self):
        self.seen = {}

    async def __call__(self, client, jti, body_hash, expires):
        known = self.seen.setdefault((client, jti), body_hash)
        assert expires > time.time()
        if (client, jti) not in self.__dict__.setdefault("answered", set()):
            self.answered.add((client, jti))
            return JtiVerdict.NEW
        return JtiVerdict.REPEAT if known == body_hash else JtiVerdict.REPLAY


class Fetch:
    """Stands for the network: counts what is fetched."""

    def __init__(self, answer: dict | None = None):
        self.urls = []
        self.answer = answer

    def __call__(self, url):
        self.urls.append(url)
        if self.answer is None:
            raise OSError("no network")
        return json.dumps(self.answer).encode()


def verifier(*profiles, fetch=None, remember=None, clock=time.time) -> JwtVerifier:
    return JwtVerifier(profiles or [profile()], KeyCache(fetch or Fetch()), remember or Memory(), clock=clock)


def verify(header, *profiles, body=BODY, urls=(URL,), **options):
    return asyncio.run(verifier(*profiles, **options).verify(header, urls, body))


def refused(header, *profiles, **options) -> Unauthenticated:
    with pytest.raises(Unauthenticated) as caught:
        verify(header, *profiles, **options)
    return caught.value


# --- accepted -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("algorithm", ["ES384", "RS384"])
def test_the_recommended_algorithms_are_accepted(algorithm):
    caller = verify(bearer(algorithm, jti="token-1", tenant="ignored"))
    assert (caller.profile.id, caller.jti, caller.repeat) == ("st-mary", "token-1", False)
    assert caller.expires_at - caller.issued_at == 300


@pytest.mark.parametrize("algorithm", ["ES256", "RS256", "PS384"])
def test_other_algorithms_are_accepted_only_where_the_profile_says_so(algorithm):
    keys = {"keys": [jwk(algorithm)]}
    assert verify(bearer(algorithm), profile(jwks=keys, algorithms=(algorithm,))).jti
    assert refused(bearer(algorithm), profile(jwks=keys)).cause is Cause.ALGORITHM


def test_what_real_clients_send_is_accepted():
    now = int(time.time())
    # Epic: nbf five minutes back, sub, 900 seconds; a list as audience; a key id of base64 characters.
    keys = {"keys": [jwk("RS384", kid="a+b/c=")]}
    header = bearer(
        "RS384",
        kid="a+b/c=",
        iat=now,
        nbf=now - 300,
        exp=now + 900,
        sub="client-id",
        aud=["https://other.example", URL],
        headers={"jku": "https://ehr.example.org/some/jwks"},
    )
    assert verify(header, profile(jwks=keys)).tenant is None
    assert verify(header.replace("Bearer", "bearer", 1), profile(jwks=keys)).jti


def test_an_audience_from_the_profile_is_accepted_beside_the_url():
    one = profile(audience=("fixed-by-the-site",))
    assert verify(bearer(aud="fixed-by-the-site"), one)
    assert verify(bearer(), one)


def test_small_clock_differences_are_forgiven():
    now = int(time.time())
    assert verify(bearer(iat=now - 200, exp=now - 30))
    assert verify(bearer(iat=now + 30, nbf=now + 30, exp=now + 330))


def test_clients_that_share_an_issuer_are_told_apart_by_tenant():
    north = profile(id="north", tenant="n")
    south = profile(id="south", tenant="s")
    assert verify(bearer(tenant="s"), north, south).profile.id == "south"
    assert verify(bearer(tenant="n"), north, south).tenant == "n"


def test_the_skew_of_accepted_tokens_is_kept():
    one = verifier()
    assert one.last_skew_s is None
    asyncio.run(one.verify(bearer(iat=int(time.time()) - 20), [URL], BODY))
    assert 19 < one.last_skew_s < 25
    one.close()


# --- refused ------------------------------------------------------------------------------------------


def symmetric_with_public_key() -> str:
    """HS256 over our own public key as the secret: works wherever the algorithm is taken from the token."""
    pem = private_key("RS384").public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    signed = raw_token({"alg": "HS256", "typ": "JWT", "kid": "RS384"}, claims()).rpartition(".")[0]
    signature = jwt.utils.base64url_encode(hmac.digest(pem, signed.encode(), sha256)).decode()
    return f"{signed}.{signature}"


def now(seconds: int) -> int:
    return int(time.time()) + seconds


def tampered() -> str:
    header, _, signature = token().split(".")
    payload = jwt.utils.base64url_encode(json.dumps(claims()).encode()).decode()
    return f"{header}.{payload}.{signature}"


def with_key_of(algorithm: str, kid: str) -> str:
    return token(algorithm, kid=kid)


T = [
    ("T1-none", Cause.ALGORITHM, lambda: raw_token({"alg": "none", "typ": "JWT"}, claims(), b"")),
    ("T1-none-in-capitals", Cause.ALGORITHM, lambda: raw_token({"alg": "NONE", "kid": "ES384"}, claims())),
    ("T1-no-alg", Cause.ALGORITHM, lambda: raw_token({"typ": "JWT", "kid": "ES384"}, claims())),
    ("T1-alg-is-a-list", Cause.ALGORITHM, lambda: raw_token({"alg": ["ES384"], "kid": "ES384"}, claims())),
    ("T1-hs256-with-our-public-key", Cause.ALGORITHM, symmetric_with_public_key),
    ("T1-unknown-crit", Cause.MALFORMED, lambda: token(headers={"crit": ["exp-2"], "exp-2": 1})),
    (
        "T1-detached-payload",
        Cause.MALFORMED,
        lambda: raw_token({"alg": "ES384", "kid": "ES384", "b64": False, "crit": ["b64"]}, b""),
    ),
    ("T1-forged-signature", Cause.SIGNATURE, lambda: token(key=private_key("ES384", "attacker"))),
    (
        "T1-forged-signature-rsa",
        Cause.SIGNATURE,
        lambda: token("RS384", key=private_key("RS384", "attacker")),
    ),
    ("T1-changed-payload", Cause.SIGNATURE, tampered),
    (
        "T1-empty-signature",
        Cause.SIGNATURE,
        lambda: raw_token({"alg": "ES384", "kid": "ES384"}, claims(), b""),
    ),
    ("T2-rs384-token-against-an-ec-key", Cause.KEY_MISMATCH, lambda: with_key_of("RS384", "ES384")),
    ("T2-es384-token-against-an-rsa-key", Cause.KEY_MISMATCH, lambda: with_key_of("ES384", "RS384")),
    ("T4-unknown-kid", Cause.UNKNOWN_KEY, lambda: token(kid="rotated-away")),
    ("T4-no-kid", Cause.UNKNOWN_KEY, lambda: raw_token({"alg": "ES384", "typ": "JWT"}, claims())),
    ("T4-kid-is-a-number", Cause.MALFORMED, lambda: raw_token({"alg": "ES384", "kid": 7}, claims())),
    ("T6-expired", Cause.EXPIRED, lambda: token(iat=now(-400), exp=now(-100))),
    ("T6-ten-years", Cause.LIFETIME, lambda: token(exp=now(10 * 365 * 86400))),
    ("T6-an-hour-and-a-second", Cause.LIFETIME, lambda: token(iat=now(0), exp=now(3601))),
    ("T6-issued-after-it-expires", Cause.LIFETIME, lambda: token(iat=now(30), exp=now(20))),
    ("T6-issued-in-the-future", Cause.NOT_YET_VALID, lambda: token(iat=now(120), exp=now(400))),
    ("T6-not-before-in-the-future", Cause.NOT_YET_VALID, lambda: token(nbf=now(120))),
    ("T6-no-exp", Cause.CLAIMS, lambda: token(exp=None)),
    ("T6-no-iat", Cause.CLAIMS, lambda: token(iat=None)),
    ("T6-no-jti", Cause.CLAIMS, lambda: token(jti=None)),
    ("T6-empty-jti", Cause.CLAIMS, lambda: token(jti="")),
    ("T6-huge-jti", Cause.CLAIMS, lambda: token(jti="x" * 513)),
    ("T6-no-iss", Cause.CLAIMS, lambda: token(iss=None)),
    ("T6-no-aud", Cause.CLAIMS, lambda: token(aud=None)),
    ("T6-exp-as-text", Cause.CLAIMS, lambda: raw_token({"alg": "ES384"}, claims() | {"exp": "2999-01-01"})),
    (
        "T6-exp-is-infinite",
        Cause.CLAIMS,
        lambda: raw_token(
            {"alg": "ES384"}, json.dumps(claims()).encode().replace(b'"exp": ', b'"exp": 1e999, "x": ')
        ),
    ),
    ("T7-unknown-issuer", Cause.ISSUER, lambda: token(iss="https://attacker.example")),
    ("T7-issuer-with-slash", Cause.ISSUER, lambda: token(iss=ISSUER + "/")),
    ("T7-audience-with-slash", Cause.AUDIENCE, lambda: token(aud=URL + "/")),
    ("T7-audience-of-another-service", Cause.AUDIENCE, lambda: token(aud=URL.replace("sign", "select"))),
    ("T7-audience-is-our-base", Cause.AUDIENCE, lambda: token(aud="https://cds.example.org")),
    ("T7-audience-in-capitals", Cause.AUDIENCE, lambda: token(aud=URL.upper())),
    ("T7-audience-empty-list", Cause.AUDIENCE, lambda: token(aud=[])),
    ("T16-huge", Cause.MALFORMED, lambda: token(extra="x" * 20_000)),
    ("T17-payload-is-not-json", Cause.CLAIMS, lambda: raw_token({"alg": "ES384"}, b"{")),
    ("T17-payload-is-a-list", Cause.CLAIMS, lambda: raw_token({"alg": "ES384"}, b"[]")),
    ("T17-payload-is-not-utf-8", Cause.CLAIMS, lambda: raw_token({"alg": "ES384"}, b'{"iss":"\xff"}')),
    ("not-a-token", Cause.MALFORMED, lambda: "abc"),
    ("two-parts", Cause.MALFORMED, lambda: "a.b"),
    ("five-parts", Cause.MALFORMED, lambda: token() + ".x.y"),
    ("not-base64", Cause.MALFORMED, lambda: "!!!.???.---"),
    ("not-ascii", Cause.MALFORMED, lambda: "ä.ö.ü"),
]


@pytest.mark.parametrize(("cause", "make"), [pytest.param(c, m, id=i) for i, c, m in T])
def test_refused(cause, make):
    refusal = refused(f"Bearer {make()}")
    assert refusal.cause is cause
    # Nobody outside can tell one cause from another, and no token travels with the exception.
    assert (str(refusal), refusal.args) == ("Unauthenticated", ("Unauthenticated",))
    assert refusal.__cause__ is None
    assert refusal.__suppress_context__ or refusal.__context__ is None


def signed_with_padding() -> str:
    """As some load balancers write tokens: with the `=` that the standard leaves out."""
    head = json.dumps({"alg": "RS384", "kid": "RS384"}).encode()
    signed = ".".join(
        base64.urlsafe_b64encode(part).decode() for part in (head, json.dumps(claims()).encode())
    )
    assert "=" in signed
    return f"{signed}.{jwt.utils.base64url_encode(sign_rs384(signed)).decode()}"


def sign_rs384(signed: str) -> bytes:
    return private_key("RS384").sign(signed.encode(), PKCS1v15(), SHA384())


def test_a_token_with_padding_is_read_too():
    assert verify(f"Bearer {signed_with_padding()}").jti


def test_T1_another_spelling_of_a_good_token_is_refused():
    good = token("RS384")
    # The last of 342 characters stands for two bits; the other four must be zero.
    letters = string.ascii_uppercase + string.ascii_lowercase + string.digits + "-_"
    other = good[:-1] + letters[letters.index(good[-1]) + 1]
    assert verify(f"Bearer {good}")
    assert refused(f"Bearer {other}").cause is Cause.MALFORMED


@pytest.mark.parametrize(
    "header", [None, "", "Bearer", "Bearer ", "Basic dXNlcjpwYXNz", "token-without-scheme"]
)
def test_T1_no_token(header):
    assert refused(header).cause is Cause.MISSING


@pytest.mark.parametrize("tenant", ["other", None], ids=["T7-wrong-tenant", "T7-no-tenant"])
def test_tenant(tenant):
    assert refused(bearer(tenant=tenant), profile(tenant="ours")).cause is Cause.TENANT


def test_T7_another_clients_token():
    """Signed by one known client, with the issuer of another."""
    other = profile(id="other", issuer="https://other.example", jwks=key_set("ES384", who="other"))
    forged = bearer(key=private_key("ES384", "other"))
    assert refused(forged, profile(), other).cause is Cause.SIGNATURE
    assert verify(bearer(key=private_key("ES384", "other"), iss="https://other.example"), profile(), other)


def test_T7_a_key_is_held_to_the_algorithm_it_names():
    keys = {"keys": [jwk("RS384", alg="RS256")]}
    assert refused(bearer("RS384"), profile(jwks=keys)).cause is Cause.KEY_MISMATCH


def test_T7_a_single_url_given_as_text_is_not_searched_for_parts():
    refusal = refused(bearer(aud="https://cds"), urls=URL)
    assert refusal.cause is Cause.ERROR
    assert refusal.log_fields["error_class"] == "TypeError"


@pytest.mark.parametrize("name", ["jwk", "x5u", "x5c"])
def test_T3_keys_that_come_with_the_token_are_ignored(name):
    fetch = Fetch(key_set("ES384", who="attacker"))
    value = {"jwk": jwk("ES384", who="attacker"), "x5u": "https://attacker.example/x", "x5c": ["MII="]}[name]
    forged = bearer(key=private_key("ES384", "attacker"), headers={name: value})
    assert refused(forged, fetch=fetch).cause is Cause.SIGNATURE
    assert verify(bearer(headers={name: value}), fetch=fetch)
    assert fetch.urls == []


@pytest.mark.parametrize(
    "jku", ["https://attacker.example/jwks.json", PINNED + "/", PINNED.upper(), 7, "", ["x"], PINNED + "#"]
)
def test_T3_a_foreign_jku_is_refused_without_a_fetch(jku):
    fetch = Fetch(key_set("ES384"))
    assert refused(bearer(headers={"jku": jku}), profile(jwks_url=PINNED), fetch=fetch).cause is Cause.JKU
    assert fetch.urls == []


@pytest.mark.parametrize("headers", [{"jku": PINNED}, {}])
def test_T3_the_configured_address_is_used_whether_the_token_names_it_or_not(headers):
    fetch = Fetch(key_set("ES384"))
    assert verify(bearer(headers=headers), profile(jwks_url=PINNED), fetch=fetch)
    assert fetch.urls == [PINNED]


def test_T4_a_flood_of_key_ids_causes_one_fetch():
    fetch = Fetch(key_set("ES384"))
    one = verifier(profile(jwks_url=PINNED), fetch=fetch)
    forged = raw_token({"alg": "ES384", "kid": "KID"}, claims()).split(".", 1)[1]

    async def flood():
        async def attempt(number):
            header = jwt.utils.base64url_encode(
                json.dumps({"alg": "ES384", "kid": f"k{number}"}).encode()
            ).decode()
            with pytest.raises(Unauthenticated) as caught:
                await one.verify(f"Bearer {header}.{forged}", [URL], BODY)
            return caught.value.cause

        causes = await asyncio.gather(*(attempt(number) for number in range(500)))
        causes += [await attempt(number) for number in range(500, 1000)]
        # A good key still works after the flood, without another fetch.
        assert await one.verify(bearer(), [URL], BODY)
        return causes

    assert set(asyncio.run(flood())) == {Cause.UNKNOWN_KEY}
    assert len(fetch.urls) == 1


def test_T5_replay():
    one = verifier()
    header = bearer()

    async def calls():
        first = await one.verify(header, [URL], BODY)
        again = await one.verify(header, [URL], BODY)
        with pytest.raises(Unauthenticated) as caught:
            await one.verify(header, [URL], BODY + b" ")
        return first.repeat, again.repeat, caught.value.cause

    assert asyncio.run(calls()) == (False, True, Cause.REPLAY)


def test_T5_the_token_is_remembered_only_when_it_is_genuine():
    remember = Memory()
    refused(bearer(key=private_key("ES384", "attacker"), jti="stolen"), remember=remember)
    assert remember.seen == {}
    verify(bearer(jti="own"), remember=remember)
    assert remember.seen == {("st-mary", "own"): sha256(BODY).hexdigest()}


def test_T5_replay_between_two_replicas(tmp_path):
    """Two processes' worth of service on one database, each with its own verifier and store."""
    url = f"sqlite:///{tmp_path / 'store.db'}"
    stores = [Store.open(url, hash_key=b"0123456789abcdef") for _ in range(2)]
    here, there = (verifier(remember=store.remember_jti) for store in stores)
    header = bearer()

    async def calls():
        first = await here.verify(header, [URL], BODY)
        retried = await there.verify(header, [URL], BODY)
        with pytest.raises(Unauthenticated) as caught:
            await there.verify(header, [URL], b"another body")
        return first.repeat, retried.repeat, caught.value.cause

    try:
        assert asyncio.run(calls()) == (False, True, Cause.REPLAY)
    finally:
        for store in stores:
            store.close()


def test_T2_any_exception_is_a_refusal():
    async def broken(*_):
        raise RuntimeError("secret-canary")

    refusal = refused(bearer(jti="token-1"), remember=broken)
    assert refusal.cause is Cause.ERROR
    assert refusal.log_fields == {"issuer": ISSUER, "jti": "token-1", "error_class": "RuntimeError"}
    assert "canary" not in repr(refusal)


def test_T14_the_token_never_reaches_a_log(capfd, caplog):
    header = bearer(iss="https://attacker.example\n2026 forged line", tenant="t" * 999)
    refusal = refused(header)
    assert refusal.log_fields["issuer"] == "https://attacker.example?2026 forged line"
    assert len(refusal.log_fields["tenant"]) == 200
    verify(bearer())
    out, err = capfd.readouterr()
    for part in header.removeprefix("Bearer ").split("."):
        assert part not in out + err + caplog.text + str(refusal.log_fields)


def test_cancelling_a_call_is_not_a_refusal():
    async def slow(*_):
        await asyncio.sleep(60)

    async def cancel():
        task = asyncio.create_task(verifier(remember=slow).verify(bearer(), [URL], BODY))
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancel())


# --- golden vector ------------------------------------------------------------------------------------

# CDS Hooks specification, "Trusting CDS Clients", Example: the key set and the complete token.
SPEC_KEYS = {
    "keys": [
        {
            "kty": "EC",
            "use": "sig",
            "crv": "P-384",
            "kid": "example-kid",
            "x": "46SDH7Znh821wblCBglA61sNE9ZrHYKKt3qRtRTmSXyOI_FIGBLWrWa0GPUkDCEk",
            "y": "XMcRuuoGW7CXjQdy-F5i3FeBE0x9hPLdeFdSoDd3ELmx404tLX0VRRcqzAsPhXcI",
            "alg": "ES384",
        }
    ]
}
SPEC_TOKEN = (
    "eyJhbGciOiJFUzM4NCIsInR5cCI6IkpXVCIsImtpZCI6ImV4YW1wbGUta2lkIiwiamt1IjoiaHR0cHM6Ly9maGlyLWVoci5leGFtcGxl"
    "LmNvbS9qd2tfdXJpIn0."
    "eyJpc3MiOiJodHRwczovL2ZoaXItZWhyLmV4YW1wbGUuY29tLyIsImF1ZCI6Imh0dHBzOi8vY2RzLmV4YW1wbGUub3JnL2Nkcy1zZXJ2"
    "aWNlcy9zb21lLXNlcnZpY2UiLCJleHAiOjE0MjI1Njg4NjAsImlhdCI6MTMxMTI4MDk3MCwianRpIjoiZWUyMmIwMjEtZTFiNy00NjEx"
    "LWJhNWItOGVlYzZhMzNhYzFlIiwidGVuYW50IjoiMmRkZDZjM2EtOGU5YS00NGM2LWEzMDUtNTIxMTFhZDMwMmEyIn0."
    "d1WfLjGRKlcWB94l9do4cM8REXeYJLL6SGUBO8VHZhfM8mwKYP70EMxJ67War4TQblEpaQrp11wx5p7oPFm2ETYgCicS84vXWEIYTdjoo"
    "ZdooCSDf2L8-i4awdoUwiEb"
)
SPEC_URL = "https://cds.example.org/cds-services/some-service"
SPEC_ISSUED, SPEC_EXPIRES = 1311280970, 1422568860


def spec_profile(**changes):
    return profile(issuer="https://fhir-ehr.example.com/", jwks=SPEC_KEYS, **changes)


def test_golden_the_published_token_is_expired():
    assert refused(f"Bearer {SPEC_TOKEN}", spec_profile(), urls=[SPEC_URL]).cause is Cause.EXPIRED


def test_golden_within_its_time_it_lives_too_long():
    """It spans three and a half years, which no profile may allow."""
    refusal = refused(f"Bearer {SPEC_TOKEN}", spec_profile(), urls=[SPEC_URL], clock=lambda: SPEC_ISSUED + 10)
    assert refusal.cause is Cause.LIFETIME


def test_golden_the_signature_is_good():
    """With the limit lifted, which only code can do, every other check passes."""
    generous = msgspec.structs.replace(spec_profile(), max_token_age_s=SPEC_EXPIRES - SPEC_ISSUED)

    async def remember(*_):
        return JtiVerdict.NEW

    options = {"urls": [SPEC_URL], "clock": lambda: SPEC_ISSUED + 10, "remember": remember}
    caller = verify(f"Bearer {SPEC_TOKEN}", generous, **options)
    assert (caller.issued_at, caller.expires_at) == (SPEC_ISSUED, SPEC_EXPIRES)
    assert caller.jti == "ee22b021-e1b7-4611-ba5b-8eec6a33ac1e"
    assert caller.tenant == "2ddd6c3a-8e9a-44c6-a305-52111ad302a2"
    changed = SPEC_TOKEN.replace("d1WfLjGR", "d1WfLjGS")
    assert refused(f"Bearer {changed}", generous, **options).cause is Cause.SIGNATURE


def test_golden_the_library_agrees():
    keys, problems = parse_key_set(SPEC_KEYS)
    assert problems == []
    payload = jwt.decode(
        SPEC_TOKEN,
        keys["example-kid"].key,
        algorithms=["ES384"],
        audience=SPEC_URL,
        options={"verify_exp": False},
    )
    assert (payload["iat"], payload["exp"]) == (SPEC_ISSUED, SPEC_EXPIRES)
    with pytest.raises(jwt.ExpiredSignatureError):
        jwt.decode(SPEC_TOKEN, keys["example-kid"].key, algorithms=["ES384"], audience=SPEC_URL)
