"""Client profiles and signed tokens for clients that exist in one test only."""

import json
import time
import uuid
from functools import cache

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm


@cache
def _key(name):
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def key_set(key):
    public = json.loads(RSAAlgorithm.to_jwk(_key(key).public_key()))
    return {"keys": [{**public, "kid": key, "alg": "RS384", "use": "sig"}]}


def client_entry(client, *, key, **changes):
    """An entry of the profiles file; its issuer is made from its id."""
    issuer = f"https://{client}.example.org"
    return {"id": client, "issuer": issuer, "jwks": key_set(key), "fhir_base": [issuer], **changes}


def signed(client, key, url, **changes):
    """Authorization header with a good token of the client for that address."""
    now = int(time.time())
    claims = {"iss": f"https://{client}.example.org", "aud": url, "iat": now, "exp": now + 300}
    claims |= {"jti": str(uuid.uuid4()), **changes}
    token = jwt.encode(claims, _key(key), algorithm="RS384", headers={"kid": key})
    return {"Authorization": f"Bearer {token}"}
