"""Tokens a client could present: a good one, and one for each way of being bad.

Given the key and issuer that the service knows, every bad token is bad in exactly one thing. Without them
they are made with a key of our own, and a service that lets one in is wrong all the more.
"""

from __future__ import annotations

import hashlib
import hmac
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jwt
import msgspec
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import ECAlgorithm
from jwt.exceptions import PyJWTError

from cds_service.conform.options import OptionsError

_LIFETIME_S = 300
_TEN_YEARS_S = 10 * 365 * 86_400
STRANGER_KEY = "conform-stranger"
STRANGER_ISSUER = "https://stranger.conform.invalid"


@dataclass(frozen=True, slots=True, repr=False)
class Signer:
    """A key with the name and address under which a service knows it."""

    issuer: str
    kid: str
    algorithm: str
    key: Any
    jku: str | None = None

    def claims(self, audience: str) -> dict[str, Any]:
        now = int(time.time())
        return {
            "iss": self.issuer,
            "aud": audience,
            "iat": now,
            "exp": now + _LIFETIME_S,
            "jti": str(uuid.uuid4()),
        }

    def sign(self, claims: dict[str, Any], **header: str) -> str:
        given = {"kid": self.kid, **({"jku": self.jku} if self.jku else {}), **header}
        return jwt.encode(claims, self.key, algorithm=self.algorithm, headers=given)

    def good(self, audience: str) -> str:
        """A token as the best practice has it: five minutes, used once."""
        return self.sign(self.claims(audience))

    def public_pem(self) -> bytes:
        pem: bytes = self.key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        return pem


def signer(key: bytes, issuer: str, jku: str | None) -> Signer:
    """A signer from a private JWK.

    Raises:
        OptionsError: it is no private EC or RSA key with a `kid`.
    """
    try:
        jwk = msgspec.json.decode(key, type=dict[str, Any])
        private = jwt.PyJWK({k: v for k, v in jwk.items() if k != "alg"}, _algorithm(jwk)).key
    except (msgspec.DecodeError, UnicodeDecodeError, PyJWTError, ValueError, TypeError):
        raise OptionsError("--key is not a usable private JWK") from None
    if not hasattr(private, "sign") or not isinstance(jwk.get("kid"), str):
        raise OptionsError("--key needs the private members and a kid")
    return Signer(issuer, jwk["kid"], _algorithm(jwk), private, jku)


def _algorithm(jwk: dict[str, Any]) -> str:
    declared = jwk.get("alg")
    return declared if isinstance(declared, str) else "RS384" if jwk.get("kty") == "RSA" else "ES384"


def stranger(issuer: str = STRANGER_ISSUER) -> Signer:
    """A signer whose key nobody knows."""
    return Signer(issuer, STRANGER_KEY, "ES384", ec.generate_private_key(ec.SECP384R1()))


def key_set(of: Signer) -> dict[str, Any]:
    """The public half as a JWK Set."""
    public = ECAlgorithm.to_jwk(of.key.public_key(), as_dict=True)
    return {"keys": [{**public, "kid": of.kid, "use": "sig", "alg": of.algorithm}]}


def _part(content: bytes) -> str:
    return jwt.utils.base64url_encode(content).decode()


def _by_hand(header: dict[str, Any], claims: dict[str, Any], secret: bytes | None) -> str:
    """A token that no good library would make; without a secret its signature is empty."""
    signed = ".".join(_part(msgspec.json.encode(each)) for each in (header, claims))
    mac = b"" if secret is None else hmac.new(secret, signed.encode(), hashlib.sha256).digest()
    return f"{signed}.{_part(mac)}"


@dataclass(frozen=True, slots=True, repr=False)
class Forge:
    """Makes bad tokens out of a known signer (or none) and an attacker's key and address."""

    known: Signer
    attacker: Signer
    attacker_jku: str

    def unsigned(self, url: str) -> str:
        return _by_hand({"alg": "none", "typ": "JWT", "kid": self.known.kid}, self.known.claims(url), None)

    def symmetric(self, url: str) -> str:
        """HS256 with the public key as the secret, which fools a verifier that trusts `alg`."""
        header = {"alg": "HS256", "typ": "JWT", "kid": self.known.kid}
        return _by_hand(header, self.known.claims(url), self.known.public_pem())

    def changed(self, url: str, **changes: Any) -> str:
        """Properly signed, with other claims; None leaves one out."""
        claims = {**self.known.claims(url), **changes}
        return self.known.sign({name: value for name, value in claims.items() if value is not None})

    def forged(self, url: str) -> str:
        """The known key's id, another key's signature."""
        return self.attacker.sign(self.known.claims(url), kid=self.known.kid)

    def unknown_key(self, url: str) -> str:
        return self.attacker.sign(self.known.claims(url))

    def foreign_jku(self, url: str) -> str:
        """A good token if the service fetched the attacker's key set."""
        return self.attacker.sign(self.known.claims(url), jku=self.attacker_jku)


def bad_tokens(forge: Forge) -> dict[str, Callable[[str], str]]:
    """Name of the probe -> token for a URL."""
    hour_ago = int(time.time()) - 3600
    return {
        "token-garbage": lambda _: "not.a.token",
        "token-none": forge.unsigned,
        "token-hs256": forge.symmetric,
        "token-wrong-audience": lambda _: forge.changed("https://elsewhere.conform.invalid/cds-services/x"),
        "token-expired": lambda url: forge.changed(url, iat=hour_ago, exp=hour_ago + _LIFETIME_S),
        "token-without-exp": lambda url: forge.changed(url, exp=None),
        "token-without-aud": lambda url: forge.changed(url, aud=None),
        "token-without-jti": lambda url: forge.changed(url, jti=None),
        "token-unknown-issuer": lambda url: forge.changed(url, iss=STRANGER_ISSUER),
        "token-forged": forge.forged,
        "token-unknown-kid": forge.unknown_key,
        "token-foreign-jku": forge.foreign_jku,
        "token-long-lived": lambda url: forge.changed(url, exp=int(time.time()) + _TEN_YEARS_S),
    }
