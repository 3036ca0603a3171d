"""An EHR, and the service that knows it."""

import pytest
import requests
from support.smart_ehr import Ehr, Manner, launch_service


@pytest.fixture(scope="session")
def running_ehr():
    ehr = Ehr()
    yield ehr
    ehr.close()


@pytest.fixture
def ehr(running_ehr):
    """The EHR in its usual manner."""
    running_ehr.manner = Manner()
    running_ehr.seen.clear()
    return running_ehr


@pytest.fixture(scope="session")
def service(tmp_path_factory, running_ehr):
    with launch_service(running_ehr, tmp_path_factory.mktemp("smart")) as running:
        yield running


@pytest.fixture
def browser():
    with requests.Session() as session:
        session.trust_env = False
        yield session
