"""Public keys out of a JSON Web Key Set: only asymmetric ones, strong enough, and never a private one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwt import PyJWK
from jwt.exceptions import PyJWTError

ALGORITHMS = ("ES384", "RS384", "ES256", "RS256", "PS384")
"""Everything a profile may allow; `none` and the symmetric ones can never be configured."""

MAX_KEYS = 100
MIN_RSA_BITS = 2048
# Verifying takes longer the longer the key; beyond this a key set could be used to slow us down.
MAX_RSA_BITS = 8192
_CURVES = {"P-256": "ES256", "P-384": "ES384"}
_PUBLIC_MEMBERS = ("kty", "crv", "x", "y", "n", "e")


@dataclass(frozen=True, slots=True)
class PublicKey:
    """One usable key. `algorithms` are those it can verify; a JWK that names one is held to it."""

    kid: str
    algorithms: frozenset[str]
    key: EllipticCurvePublicKey | RSAPublicKey


class UnusableKey(ValueError):
    """Why one JWK cannot be used; the message holds nothing of the key."""


def parse_key_set(value: Any) -> tuple[dict[str, PublicKey], list[str]]:
    """Usable keys by key id, and a problem for each JWK that is not usable.

    Args:
        value: the decoded JSON of a JWK Set.
    """
    entries = value.get("keys") if isinstance(value, dict) else None
    if not isinstance(entries, list) or not entries:
        return {}, ['is not a JWK Set: it needs a non-empty array "keys"']
    keys: dict[str, PublicKey] = {}
    problems: list[str] = []
    if len(entries) > MAX_KEYS:
        problems.append(f"has more than {MAX_KEYS} keys; the rest is ignored")
    for index, entry in enumerate(entries[:MAX_KEYS]):
        try:
            key = _public_key(entry)
        except UnusableKey as error:
            problems.append(f"keys[{index}]: {error}")
            continue
        if key.kid in keys:
            problems.append(f"keys[{index}]: its kid is used twice; the first is kept")
        else:
            keys[key.kid] = key
    return keys, problems


def _public_key(entry: Any) -> PublicKey:
    if not isinstance(entry, dict):
        raise UnusableKey("is not an object")
    kid = entry.get("kid")
    if not isinstance(kid, str) or not kid:
        raise UnusableKey("has no kid")
    if "d" in entry:
        raise UnusableKey("is a private key; only the public half belongs here")
    if entry.get("use", "sig") != "sig":
        raise UnusableKey("is not for signatures")
    if entry.get("kty") not in ("EC", "RSA"):
        raise UnusableKey("is neither EC nor RSA")
    if entry["kty"] == "EC" and entry.get("crv") not in _CURVES:
        raise UnusableKey("its curve is neither P-256 nor P-384")
    # Only the members that make the key: `alg` would pick another class, `x5c` and the like are not trusted.
    try:
        key = PyJWK({name: entry[name] for name in _PUBLIC_MEMBERS if name in entry}).key
    except (PyJWTError, ValueError, TypeError, OverflowError):
        raise UnusableKey("cannot be read") from None
    able = _able(key, entry.get("crv"))
    declared = entry.get("alg")
    if declared is not None:
        able &= {declared} if isinstance(declared, str) else set()
        if not able:
            raise UnusableKey("its alg does not fit the key or is not supported")
    return PublicKey(kid=kid, algorithms=frozenset(able), key=key)


def _able(key: Any, curve: Any) -> set[str]:
    if isinstance(key, RSAPublicKey):
        if not MIN_RSA_BITS <= key.key_size <= MAX_RSA_BITS:
            raise UnusableKey(f"must have {MIN_RSA_BITS} to {MAX_RSA_BITS} bits")
        return {"RS256", "RS384", "PS384"}
    return {_CURVES[curve]}
