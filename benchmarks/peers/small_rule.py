"""The small rule over plain dicts. No import beyond the standard library, so that any environment can run it."""

from __future__ import annotations

from typing import Any

DIALYSIS = {"N18.6", "Z99.2"}
WARFARIN = {"855332"}
CALCIUM, PHOSPHATE = "17861-6", "2777-1"
GOAL = 55.0


def resources(prefetch: dict[str, Any], key: str) -> list[dict[str, Any]]:
    return [entry["resource"] for entry in (prefetch.get(key) or {}).get("entry", [])]


def codes(concept: dict[str, Any]) -> set[str]:
    return {coding.get("code", "") for coding in concept.get("coding", [])}


def cards(prefetch: dict[str, Any]) -> list[dict[str, Any]]:
    """One card or none."""
    if not any(codes(each["code"]) & DIALYSIS for each in resources(prefetch, "conditions")):
        return []
    if not any(codes(each["medicationCodeableConcept"]) & WARFARIN for each in resources(prefetch, "orders")):
        return []
    labs = resources(prefetch, "labs")
    calcium, phosphate = latest(labs, CALCIUM), latest(labs, PHOSPHATE)
    if calcium is None or phosphate is None or calcium * phosphate <= GOAL:
        return []
    return [card(calcium * phosphate)]


def latest(labs: list[dict[str, Any]], code: str) -> float | None:
    found = [each for each in labs if code in codes(each["code"])]
    if not found:
        return None
    newest = max(found, key=lambda each: str(each["effectiveDateTime"]))
    return float(newest["valueQuantity"]["value"])


def card(product: float) -> dict[str, Any]:
    return {
        "summary": f"Warfarin on dialysis with Ca x P {product:.1f} mg2/dL2: check indication and alternatives.",
        "detail": "The latest calcium and phosphate are multiplied.",
        "indicator": "warning",
        "source": {"label": "small rule"},
    }
