"""Calls that name a FHIR server: ours, which writes down what the service reads, and a stranger's."""

from __future__ import annotations

from typing import Any

from cds_service.conform import variants
from cds_service.conform.bodies import copy
from cds_service.conform.desk import Desk
from cds_service.conform.listener import FHIR_PATH, STRANGER_PATH, Listener
from cds_service.conform.observed import Entry
from cds_service.conform.variants import fresh, in_state


def run(desk: Desk, entry: Entry, request: dict[str, Any], listener: Listener, stranger: Listener) -> None:
    """What does the service read when prefetch is missing, partly missing, empty or failed?"""
    server = f"{listener.origin}{FHIR_PATH}"
    elsewhere = f"{stranger.origin}{STRANGER_PATH}?page=2"
    probes = {
        "callback-absent": variants.without("prefetch"),
        "callback-partial": variants.first_key_only,
        "callback-null": in_state(variants.STATES["prefetch-null"]),
        "callback-outcome": in_state(variants.STATES["prefetch-outcome"]),
        "callback-foreign-next": in_state(lambda value: variants.with_next(value, elsewhere)),
    }
    for probe, change in probes.items():
        changed = fresh(request, change)
        if changed is not None:
            desk.call_with_server(probe, entry, changed, server)
    unlisted = fresh(request, variants.without("prefetch"))
    desk.call_with_server(
        "callback-stranger", entry, unlisted or copy(request), f"{stranger.origin}{FHIR_PATH}"
    )
