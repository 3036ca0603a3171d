"""Every store test runs on SQLite, and again on PostgreSQL when CDS_TEST_POSTGRES names a server."""

import os
import secrets
from collections.abc import Iterator

import pytest
from sample_records import KEY
from sqlalchemy import create_engine, make_url, text

from cds_service.store import Store


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def url(request, tmp_path) -> Iterator[str]:
    """URL of an empty database of its own."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'store.db'}"
        return
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
def open_store(url) -> Iterator:
    """Opens stores on the test's database and closes them at the end."""
    opened = []

    def open_one(**options) -> Store:
        store = Store.open(url, hash_key=KEY, **options)
        opened.append(store)
        return store

    yield open_one
    for store in opened:
        store.close(timeout=2)


@pytest.fixture
def store(open_store) -> Store:
    return open_store()
