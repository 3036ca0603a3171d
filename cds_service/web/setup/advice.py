"""What an analyst should know about a kind of EHR. From the vendors' documents and the Sandbox's source."""

from __future__ import annotations

import json

from cds_service.clients.presets import PRESETS

ADVICE: dict[str, tuple[str, ...]] = {
    "generic": (
        "The client reads the services and their prefetch from the discovery address.",
        "Register each service for the hook it is for; calls of another hook are refused.",
    ),
    "epic": (
        "Epic does not read discovery: register the address of each service exactly as it stands here.",
        (
            "Epic leaves the draft orders out of the call when the address is not registered exactly; such a call is "
            "refused with status 400, which says so."
        ),
        "Prefetch keys may be named as the site likes: data are found by what they are.",
        (
            "Suggested orders are filed only under codes of the site: put them into order_catalog, else the cards name "
            "the steps in words."
        ),
        "Map each override code to an acknowledgement reason.",
    ),
    "oracle": ("Oracle Health documents the hook patient-view only.",),
    "sandbox": (
        (
            "The Sandbox is a page in a browser: the service must be reachable from there, over https unless both are on "
            "this computer."
        ),
        "Choose an R4 FHIR server in the Sandbox; it starts with DSTU2, which is not read.",
        "Its signing key is public: for development only.",
    ),
}
"""Preset -> sentences."""


def entry(preset: str) -> str:
    """A beginning for the client's entry in the file that CDS_CLIENTS names."""
    client: dict[str, object] = {"id": f"my-{preset}", "preset": preset}
    if "issuer" not in PRESETS[preset]:
        client["issuer"] = "the iss of its tokens, exactly"
    if "jwks" not in PRESETS[preset]:
        client["jwks_url"] = "the https address of its keys"
    client["fhir_base"] = ["the FHIR base URL it names in fhirServer, exactly"]
    return json.dumps({"clients": [client]}, indent=2)
