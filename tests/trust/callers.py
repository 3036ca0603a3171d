"""Signed calls of the two clients of `two_clients`."""

from __future__ import annotations

import json

from support.live import JSON_TYPE, SIGN
from token_maker import bearer, key_set, private_key

# The service's own address is a setting; the port it happens to listen on plays no part.
PUBLIC = "http://127.0.0.1:8000"


def signed(who="one", *, service=SIGN, path=None, algorithm="ES384", **changes):
    """Headers of a call to a service, or to another path of ours."""
    path = f"/cds-services/{service}" if path is None else path
    values = {"iss": f"https://{who}.example", "aud": f"{PUBLIC}{path}", "key": private_key(algorithm, who)}
    return JSON_TYPE | {"Authorization": bearer(algorithm, **(values | changes))}


def sent(hospital, document, headers, service=SIGN):
    """The answer to one call."""
    return hospital.post(f"/cds-services/{service}", data=json.dumps(document), headers=headers)


def metric(service, name):
    """Sum over the lines of `/metrics` that begin so."""
    lines = service.get("/metrics").text.splitlines()
    return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(name))


def two_clients(folder, base):
    """A profiles file: each client has its own key; both use the same FHIR server."""
    path = folder / "clients.json"
    clients = [
        {
            "id": name,
            "issuer": f"https://{name}.example",
            "jwks": key_set("ES384", "RS384", who=name),
            "fhir_base": base,
        }
        for name in ("one", "two")
    ]
    path.write_text(json.dumps({"clients": clients}), encoding="utf-8")
    return path
