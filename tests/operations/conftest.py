"""A PostgreSQL database of its own for a test, reached directly or through a relay that can be cut."""

import os
import secrets

import pytest
from processes import Relay
from sqlalchemy import create_engine, make_url, text
from support.casefiles import request_of
from support.fhir_server import fake


@pytest.fixture
def call():
    """A new warfarin order for a patient on dialysis, everything in the prefetch: one warning."""
    return request_of("vka-dialysis-new-start")


@pytest.fixture
def ehr():
    """A FHIR server that does what a test tells it to."""
    server = fake.FakeFhir()
    yield server
    server.close()


@pytest.fixture
def postgres():
    """URL of an empty database."""
    server = os.environ.get("CDS_TEST_POSTGRES")
    if not server:
        pytest.skip("NOT TESTED on PostgreSQL: set CDS_TEST_POSTGRES to postgresql://user@host:port/db")
    name = f"cds_test_{secrets.token_hex(6)}"
    parsed = make_url(server).set(drivername="postgresql+psycopg")
    admin = create_engine(parsed, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    yield parsed.set(drivername="postgresql", database=name).render_as_string(hide_password=False)
    with admin.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    admin.dispose()


@pytest.fixture
def relayed(postgres):
    """(URL through a relay, relay), the relay not started yet."""
    parsed = make_url(postgres)
    relay = Relay(parsed.port)
    yield parsed.set(host="127.0.0.1", port=relay.port).render_as_string(hide_password=False), relay
    relay.stop()
