"""The set-up of the trust tests: a hostile EHR, a stranger who must hear nothing, and two known clients."""

import logging
import sys
from pathlib import Path

import pytest
import structlog
from support.casefiles import request_of
from support.fhir_server import fake, fill, forget
from support.live import live_service

from cds_service import logs

sys.path.append(str(Path(__file__).resolve().parents[1] / "clients"))  # token_maker

from callers import two_clients
from stranger import Stranger

CASE = "vka-dialysis-new-start"


@pytest.fixture
def call():
    """Warfarin for a patient on dialysis, with everything prefetched."""
    return request_of(CASE)


@pytest.fixture
def stranger():
    """A listener that nobody may contact."""
    with Stranger() as listening:
        yield listening
        assert listening.heard == []


@pytest.fixture(scope="module")
def fhir_server():
    server = fake.FakeFhir()
    yield server
    server.close()


@pytest.fixture
def ehr(fhir_server):
    """The FHIR server of our client, which has the chart of the case and misbehaves when told to."""
    forget(fhir_server)
    fill(fhir_server, request_of(CASE)["prefetch"])
    return fhir_server


@pytest.fixture
def asked(call, ehr):
    """The same call without prefetch: everything must be read from the client's FHIR server."""
    del call["prefetch"]
    token = {"access_token": "t0ken", "token_type": "Bearer", "expires_in": 300, "scope": "s", "subject": "s"}
    return call | {"fhirServer": ehr.base, "fhirAuthorization": token}


@pytest.fixture(scope="module")
def hospital(tmp_path_factory, fhir_server):
    """The service as a hospital runs it, with tokens required and two clients, `one` and `two`."""
    folder = tmp_path_factory.mktemp("hospital")
    with live_service(folder, auth="required", clients=two_clients(folder, fhir_server.base)) as service:
        yield service


@pytest.fixture
def open_house(tmp_path, ehr):
    """The service as a developer runs it: no tokens, and the EHR is one of its FHIR bases."""
    with live_service(tmp_path, fhir_bases=(ehr.base,)) as service:
        yield service


class _Kept(logging.Handler):
    def __init__(self):
        super().__init__(logging.NOTSET)
        self.lines = []

    def emit(self, record):
        self.lines.append(f"{record.name} {self.format(record)} {record.__dict__}")


@pytest.fixture
def everything_logged():
    """All log lines at debug level: what libraries say, and what ours say after our list of allowed fields."""
    kept = _Kept()
    root = logging.getLogger()
    # The level of the root is not enough: SQLAlchemy sets one of its own.
    talkative = {logger: logger.level for logger in (root, logging.getLogger("sqlalchemy.engine"))}
    for logger in talkative:
        logger.setLevel(logging.DEBUG)
    root.addHandler(kept)

    def keep(_logger, _name, event):
        kept.lines.append(repr(event))
        raise structlog.DropEvent

    before = structlog.get_config()
    structlog.configure(processors=[logs.only_allowed, keep], cache_logger_on_first_use=False)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.DEBUG))
    yield kept.lines
    structlog.configure(**before)
    root.removeHandler(kept)
    for logger, level in talkative.items():
        logger.setLevel(level)
