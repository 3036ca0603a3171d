"""Client profiles: presets, the order catalogue, and every problem named at once."""

import json

import msgspec
import pytest
from token_maker import ISSUER, jwk, key_set, private_key

from cds_service.clients.load import ProfileError, load_profiles
from cds_service.clients.presets import PRESETS, SANDBOX_ISSUER
from cds_service.clients.profile import ClientProfile, Coding, anonymous_profile

CALCIUM = Coding(system="http://loinc.org", code="17861-6", display="Calcium")
PTH = Coding(system="http://loinc.org", code="2731-8", display="PTH")
CATALOG = {"lab.calcium": CALCIUM, "lab.pth": PTH}


def client(**changes) -> dict:
    return {"id": "st-mary", "issuer": ISSUER, "jwks": key_set("ES384"), **changes}


def load(*clients, environment="production", **beside) -> tuple[ClientProfile, ...]:
    document = json.dumps({"clients": list(clients), **beside}).encode()
    return load_profiles(document, environment=environment, default_catalog=CATALOG)


def problems(*clients, **options) -> list[str]:
    with pytest.raises(ProfileError) as caught:
        load(*clients, **options)
    return list(caught.value.problems)


def test_a_short_profile_gets_the_defaults():
    (profile,) = load(client(fhir_base="https://ehr.example.org/fhir"))
    assert profile.preset == "generic"
    assert profile.algorithms == ("ES384", "RS384")
    assert (profile.max_token_age_s, profile.leeway_s) == (3600, 60)
    assert profile.fhir_base == ("https://ehr.example.org/fhir",)
    assert not profile.open_fhir
    assert not profile.anonymous
    assert profile.selection_behavior == "any"
    assert profile.order_catalog == CATALOG
    assert profile.may_call("order-sign")


def test_every_field_can_be_set():
    full = client(
        preset="generic",
        tenant="north",
        audience=["https://cds.example.org/", "fixed"],
        algorithms=["ES384", "ES256", "RS256", "PS384"],
        max_token_age_s=300,
        leeway_s=0,
        fhir_base=["https://a.example/fhir", "https://b.example/fhir"],
        open_fhir=True,
        batch=True,
        fhir_version="STU3",
        hooks=["patient-view"],
        unit_system="SI",
        locale="de-CH",
        timezone="Europe/Zurich",
        selection_behavior="at-most-one",
        max_actions=2,
        detail_format="plain",
        feedback_aliases={"45": "patient-contraindication"},
        order_catalog={"lab.calcium": None, "lab.pth": {"system": "urn:x", "code": "1", "display": "PTH"}},
        link_allow=["https://links.example/"],
        rules={"*": "shadow", "vka-dialysis@calciphylaxis-order-sign": "live", "iron-dialysis": "off"},
        gap_card=True,
        deadline_ms=1500,
    )
    (profile,) = load(full)
    named = {field.name for field in msgspec.structs.fields(ClientProfile)}
    assert named - set(full) == {"jwks_url", "smart"}
    assert profile.order_catalog == {"lab.pth": Coding(system="urn:x", code="1", display="PTH")}
    assert profile.rules["*"] == "shadow"
    assert not profile.may_call("order-sign")
    assert profile.reason_code("45") == "patient-contraindication"
    assert profile.reason_code("46") == "46"
    assert profile.reason_code(None) is None


def test_presets_fill_what_is_left_out_and_only_that():
    epic, oracle = load(
        client(id="epic", preset="epic", jwks=key_set("RS384")),
        {"id": "oracle", "preset": "oracle", "jwks_url": "https://authorization.cerner.com/jwk/x"},
    )
    assert epic.algorithms == ("RS384", "ES384")
    # Epic files an order only by codes of the site, so a LOINC code would be an order for nothing.
    assert epic.order_catalog == {}
    assert oracle.issuer == "https://cds-hooks.cerner.com"
    assert oracle.hooks == ("patient-view",)
    (changed,) = load(client(preset="oracle", hooks=[]))
    assert (changed.issuer, changed.hooks) == (ISSUER, ())


def test_an_epic_site_maps_orders_to_its_own_codes():
    own = {
        "system": "urn:com.epic.cdshooks.action.code.system.preference-list-item",
        "code": "7",
        "display": "Ca",
    }
    (profile,) = load(client(preset="epic", jwks=key_set("RS384"), order_catalog={"lab.calcium": own}))
    assert profile.order_catalog == {"lab.calcium": Coding(**own)}


def test_T9_the_sandbox_is_for_development_only():
    (profile,) = load({"id": "sandbox", "preset": "sandbox"}, environment="development")
    assert profile.issuer == SANDBOX_ISSUER
    assert profile.open_fhir
    assert "private key is public" in problems({"id": "sandbox", "preset": "sandbox"})[0]


def test_every_preset_can_be_loaded():
    for preset in PRESETS:
        assert load(client(preset=preset, algorithms=["ES384"]), environment="development")


def test_all_problems_come_at_once():
    found = problems(
        client(id="UPPER", max_token_age_s=3601, colour="red", rules={"x": "maybe"}),
        client(
            id="two", algorithms=["HS256", "none"], timezone="Mars/Olympus", fhir_base="http://plain.example"
        ),
        "three",
        {},
    )
    text = "\n".join(found)
    for part in (
        "clients[0] (UPPER): id: ",
        "max_token_age_s: Expected `int` <= 3600",
        "unknown field 'colour'",
        "rules: Invalid enum value 'maybe'",
        "clients[1] (two): algorithms: HS256 is not allowed",
        "algorithms: none is not allowed",
        "'Mars/Olympus' is not known",
        "'http://plain.example' must be https",
        "clients[2]: is not an object",
        "clients[3]: id: missing",
    ):
        assert part in text


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"issuer": None}, "issuer"),
        ({"jwks": None}, "give either jwks or jwks_url"),
        ({"jwks_url": "https://x.example/jwks"}, "give either jwks or jwks_url"),
        ({"jwks": None, "jwks_url": "http://x.example/jwks"}, "must be https"),
        ({"jwks": None, "jwks_url": "http://127.0.0.1/jwks"}, "must be https"),
        ({"jwks": None, "jwks_url": "file:///etc/keys"}, "not a web address"),
        ({"jwks": None, "jwks_url": "https://user:secret@x.example/jwks"}, "not a web address"),
        ({"jwks": None, "jwks_url": "https://x.example:99999/"}, "not a web address"),
        ({"jwks": {}}, "not a JWK Set"),
        ({"jwks": {"keys": []}}, "not a JWK Set"),
        ({"jwks": {"keys": ["x"]}}, "keys[0]: is not an object"),
        ({"jwks": {"keys": [jwk("ES384"), jwk("ES384")]}}, "used twice"),
        ({"jwks": {"keys": [jwk("ES384", d="AA")]}}, "private key"),
        ({"jwks": {"keys": [jwk("ES384", use="enc")]}}, "not for signatures"),
        ({"jwks": {"keys": [jwk("ES384", kid=7)]}}, "has no kid"),
        ({"jwks": {"keys": [{"kty": "oct", "k": "AA", "kid": "x"}]}}, "neither EC nor RSA"),
        ({"jwks": {"keys": [jwk("ES384", crv="P-521")]}}, "curve"),
        ({"jwks": {"keys": [jwk("ES384", x="AA")]}}, "cannot be read"),
        ({"jwks": {"keys": [jwk("ES384", alg="ES256")]}}, "does not fit"),
        ({"jwks": {"keys": [jwk("ES384", alg=["ES384"])]}}, "does not fit"),
        ({"jwks": {"keys": [{"kty": "RSA", "n": "AQAB", "e": "AQAB", "kid": "x"}]}}, "cannot be read"),
        ({"jwks": {"keys": [jwk("ES384", kid=str(n)) for n in range(101)]}}, "more than 100 keys"),
        ({"jwks": key_set("RS384"), "algorithms": ["ES384"]}, "no key fits"),
        ({"algorithms": []}, "algorithms: empty"),
        ({"fhir_base": ["https://x.example/fhir?x=1"]}, "query or a fragment"),
        ({"fhir_base": [""]}, "length >= 1"),
        ({"link_allow": ["http://x.example"]}, "must be https"),
        ({"order_catalog": {"lab.pth": {"system": "x", "code": "1"}}}, "display"),
        ({"order_catalog": []}, "Expected `object`"),
        ({"preset": "unknown"}, "preset: Invalid enum value"),
        ({"preset": []}, "preset"),
        ({"locale": "English"}, "locale"),
        ({"deadline_ms": 5}, "deadline_ms"),
        ({"id": "anonymous"}, "reserved"),
        ({"id": "x\n"}, "matching regex"),
    ],
)
def test_refused(changes, says):
    entry = {name: value for name, value in client(**changes).items() if value is not None}
    found = problems(entry)
    assert says in "\n".join(found)
    assert len(found) <= 3
    assert "secret" not in str(found)


def test_an_rsa_key_must_be_long_enough():
    from cryptography.hazmat.primitives.asymmetric import rsa  # noqa: PLC0415
    from jwt.algorithms import RSAAlgorithm  # noqa: PLC0415

    short = rsa.generate_private_key(public_exponent=65537, key_size=1024).public_key()
    keys = {"keys": [{**RSAAlgorithm.to_jwk(short, as_dict=True), "kid": "short"}]}
    assert any("2048 to 8192 bits" in problem for problem in problems(client(jwks=keys)))
    assert private_key("RS384").key_size == 2048


def test_keys_over_plain_http_only_from_this_machine_and_only_in_development():
    local = client(jwks_url="http://127.0.0.1:9000/jwks")
    del local["jwks"]
    assert load(local, environment="development")
    assert "must be https" in problems({**local, "jwks_url": "http://ehr/jwks"}, environment="development")[0]
    assert load(client(fhir_base="http://hapi:8080/fhir"), environment="development")


def test_clients_must_be_distinguishable():
    assert "id 'st-mary' is used 2 times" in problems(client(), client(issuer="https://b"))[0]
    assert "needs a tenant" in problems(client(id="a"), client(id="b"))[0]
    assert "needs a tenant" in problems(client(id="a", tenant="x"), client(id="b"))[0]
    assert "needs a tenant" in problems(client(id="a", tenant="x"), client(id="b", tenant="x"))[0]
    assert load(client(id="a", tenant="x"), client(id="b", tenant="y"))


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b'{"clients": {}}', b"\xff", b"[" * 100_000])
def test_a_file_that_is_no_profiles_file(data):
    with pytest.raises(ProfileError):
        load_profiles(data, environment="production", default_catalog={})


def test_a_word_beside_clients_is_refused():
    assert problems(client(), client_list=[]) == ["unknown field 'client_list' beside clients"]


def test_the_message_lists_the_problems():
    with pytest.raises(ProfileError, match="- unknown field 'x' beside clients"):
        load(x=1)


def test_callers_without_a_token_exist_in_development_only():
    profile = anonymous_profile(
        "development", fhir_bases=["http://localhost:8080/fhir"], order_catalog=CATALOG
    )
    assert profile.anonymous
    assert profile.open_fhir
    assert profile.fhir_base == ("http://localhost:8080/fhir",)
    assert profile.order_catalog == CATALOG
    with pytest.raises(ValueError, match="development only"):
        anonymous_profile("production")


def test_a_profile_cannot_be_changed():
    (profile,) = load(client())
    with pytest.raises(AttributeError):
        profile.issuer = "x"
