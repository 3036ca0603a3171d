"""The fake FHIR server of `tests/fhir`, filled with the chart of a case, for tests elsewhere."""

import importlib.util
from pathlib import Path

_PATH = Path(__file__).resolve().parent.parent / "fhir" / "fake_fhir.py"
_spec = importlib.util.spec_from_file_location("support.fake_fhir_module", _PATH)
fake = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(fake)

TYPES = {
    "patient": "Patient",
    "conditions": "Condition",
    "labs": "Observation",
    "medications": "MedicationRequest",
    "procedures": "Procedure",
    "encounters": "Encounter",
    "requests": "ServiceRequest",
}


def fill(server, prefetch):
    """Let the server answer each read with what the call would have prefetched."""
    for key, kind in TYPES.items():
        server.on(kind, fake.json_answer(prefetch[key]))


def forget(server):
    """Nothing set, nothing heard."""
    server.heard.clear()
    server._behaviours.clear()


def asked(server):
    """Resource type -> how often it was read; batches and pages included."""
    counts = {}
    for path in server.paths:
        kind = path.removeprefix("/fhir").strip("/").partition("?")[0].partition("/")[0] or "page"
        counts[kind] = counts.get(kind, 0) + 1
    return counts
