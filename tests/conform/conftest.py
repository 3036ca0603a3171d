"""Runs of the conformance client against a twin. Everything stays on loopback."""

from collections.abc import Callable
from typing import Any

import pytest
from support.ports import free_port
from twin import ISSUER, ORIGIN, PRIVATE_JWK, Twin, running

from cds_service.conform import Options, Report, run


@pytest.fixture
def judge() -> Callable[..., Report]:
    """The report about a twin with these faults, by a run with these options."""

    def run_against(*, options: dict[str, Any] | None = None, **faults: Any) -> Report:
        port = free_port()
        twin = Twin(allowed=f"http://127.0.0.1:{port}/fhir", **faults)
        known = {"key": PRIVATE_JWK, "issuer": ISSUER} if twin.auth else {}
        with running(twin) as base:
            return run(base, Options(listen_port=port, origin=ORIGIN, **known, **(options or {})))

    return run_against
