"""What a profile need not say when it names one of the known kinds of client.

Sources: the Epic on FHIR and Cerner CDS Hooks documents; the source of the CDS Hooks Sandbox.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

SANDBOX_ISSUER = "https://sandbox.cds-hooks.org"

# The key set that cds-hooks/sandbox publishes (build/.well-known/jwks.json). Its private half is public as
# well, so whoever likes can sign as the Sandbox: the preset is for development only.
_SANDBOX_KEYS = {
    "keys": [
        {
            "kty": "EC",
            "use": "sig",
            "crv": "P-384",
            "kid": "44823f3d-0b01-4a6c-a80e-b9d3e8a7226f",
            "x": "dw_JGR8nB2I6XveNxUOl2qk699ZPLM2nYI5STSdiEl9avAkrm3CkfYMbrrjr8laB",
            "y": "Sm3mLE-n1zYNla_aiE3cb3nZsL51RbC7ysw3q8aJLxGm-hx79RPMYpITDjp7kgzy",
            "alg": "ES384",
        }
    ]
}

PRESETS: Mapping[str, Mapping[str, Any]] = {
    "generic": {},
    "epic": {"algorithms": ["RS384", "ES384"]},
    "oracle": {"issuer": "https://cds-hooks.cerner.com", "hooks": ["patient-view"]},
    "sandbox": {
        "issuer": SANDBOX_ISSUER,
        "jwks": _SANDBOX_KEYS,
        "algorithms": ["ES384"],
        "open_fhir": True,
    },
}

WITHOUT_DEFAULT_CATALOG = frozenset({"epic"})
"""Presets whose clients file orders only by codes of their own, so LOINC and SNOMED CT would be ignored."""

DEVELOPMENT_ONLY = frozenset({"sandbox"})
