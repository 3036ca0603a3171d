"""Keys and tokens for the tests of client trust."""

import json
import time
import uuid
from functools import cache

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from cds_service.clients.profile import ClientProfile

ISSUER = "https://ehr.example.org"
URL = "https://cds.example.org/cds-services/calciphylaxis-order-sign"
BODY = b'{"hook": "order-sign"}'
CURVES = {"ES256": ec.SECP256R1, "ES384": ec.SECP384R1}


def private_key(algorithm: str, who: str = "client"):
    return _private_key(algorithm, who)


@cache
def _private_key(algorithm: str, who: str):
    if algorithm in CURVES:
        return ec.generate_private_key(CURVES[algorithm]())
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def jwk(algorithm: str, kid: str | None = None, who: str = "client", **changes) -> dict:
    public = private_key(algorithm, who).public_key()
    kind = ECAlgorithm if algorithm in CURVES else RSAAlgorithm
    return {**kind.to_jwk(public, as_dict=True), "kid": kid or algorithm, "use": "sig", **changes}


def key_set(*algorithms: str, who: str = "client") -> dict:
    return {"keys": [jwk(algorithm, who=who) for algorithm in algorithms]}


def profile(**changes) -> ClientProfile:
    values = {"id": "st-mary", "issuer": ISSUER, "jwks": key_set("ES384", "RS384")}
    if "jwks_url" in changes:
        del values["jwks"]
    return ClientProfile(**{**values, **changes})


def claims(**changes) -> dict:
    """Good claims; a change to None leaves the claim out."""
    now = int(time.time())
    values = {"iss": ISSUER, "aud": URL, "iat": now, "exp": now + 300, "jti": str(uuid.uuid4()), **changes}
    return {name: value for name, value in values.items() if value is not None}


def token(
    algorithm: str = "ES384", *, key=None, headers: dict | None = None, kid: str | None = None, **changes
) -> str:
    key = private_key(algorithm) if key is None else key
    return jwt.encode(
        claims(**changes), key, algorithm=algorithm, headers={"kid": kid or algorithm, **(headers or {})}
    )


def bearer(*arguments, **options) -> str:
    return "Bearer " + token(*arguments, **options)


def raw_token(header: dict, payload: dict | bytes, signature: bytes = b"signature") -> str:
    """A token put together by hand, for what no library would produce."""

    def part(content: bytes) -> str:
        return jwt.utils.base64url_encode(content).decode()

    payload = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return ".".join([part(json.dumps(header).encode()), part(payload), part(signature)])
