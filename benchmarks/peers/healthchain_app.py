"""HealthChain with the small rule, on dicts and with its documented conversion to models.

It drops `context.draftOrders`, so the draft order is sent a second time under the prefetch key `orders`.
"""

from __future__ import annotations

from typing import Any

import small_rule
from healthchain.fhir import convert_prefetch_to_fhir_objects
from healthchain.gateway import CDSHooksService, HealthChainAPI
from healthchain.models.requests.cdsrequest import CDSRequest
from healthchain.models.responses.cdsresponse import Card, CDSResponse

on_dicts, on_models = CDSHooksService(), CDSHooksService()


def _answer(found: list[dict[str, Any]]) -> CDSResponse:
    return CDSResponse(cards=[Card(**each) for each in found])


@on_dicts.hook("order-sign", id="dicts")
def dicts(request: CDSRequest) -> CDSResponse:
    return _answer(small_rule.cards(request.prefetch or {}))


@on_models.hook("order-sign", id="models")
def models(request: CDSRequest) -> CDSResponse:
    """The rule over converted models."""
    made = convert_prefetch_to_fhir_objects(request.prefetch or {})

    def of(key: str) -> list[Any]:
        return [entry.resource for entry in made[key].entry]

    def codes(concept: Any) -> set[str]:
        return {coding.code for coding in concept.coding}

    def latest(code: str) -> float:
        newest = max(
            (each for each in of("labs") if code in codes(each.code)), key=lambda each: each.effectiveDateTime
        )
        return float(newest.valueQuantity.value)

    dialysis = any(codes(each.code) & small_rule.DIALYSIS for each in of("conditions"))
    warfarin = any(codes(each.medicationCodeableConcept) & small_rule.WARFARIN for each in of("orders"))
    product = latest(small_rule.CALCIUM) * latest(small_rule.PHOSPHATE)
    return _answer([small_rule.card(product)] if dialysis and warfarin and product > small_rule.GOAL else [])


app = HealthChainAPI()
app.register_service(on_dicts)
app.register_service(on_models)
