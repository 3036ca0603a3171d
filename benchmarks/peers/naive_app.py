"""The naive stack: pydantic request and response models, and `fhir.resources` on every resource that arrives."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fhir.resources.R4B import get_fhir_model_class
from pydantic import BaseModel

from benchmarks.peers import small_rule

app = FastAPI()


class Request(BaseModel):
    hook: str
    hookInstance: str  # noqa: N815 - the name on the wire
    context: dict[str, Any]
    prefetch: dict[str, Any] = {}


class Source(BaseModel):
    label: str


class Card(BaseModel):
    summary: str
    detail: str | None = None
    indicator: str
    source: Source


class Response(BaseModel):
    cards: list[Card]


@app.post("/cds-services/{service}", response_model=Response, response_model_exclude_none=True)
async def answer(service: str, request: Request) -> Response:  # noqa: ARG001 - one service only
    for value in request.prefetch.values():
        get_fhir_model_class(value["resourceType"]).model_validate(value)
    return Response(cards=[Card(**card) for card in small_rule.cards(request.prefetch)])
