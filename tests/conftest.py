"""Fixtures for all tests. Its place puts `tests/` on the import path, so that tests can share `support/`."""

import pytest
from support.live import live_service


@pytest.fixture(scope="session")
def live(tmp_path_factory):
    """The service with default settings: development, no FHIR server that can be reached."""
    with live_service(tmp_path_factory.mktemp("live")) as service:
        yield service
