"""Engines for the two databases, with the settings that make a commit durable.

The writer has one connection of its own; readers (reports, purge) use a small pool beside it.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.pool import QueuePool, StaticPool

from cds_service.store.errors import StoreConfigError

BUSY_TIMEOUT_S = 5
CONNECT_TIMEOUT_S = 2
STATEMENT_TIMEOUT_S = 10


def parse_url(url: str) -> URL:
    """Normalise a store URL and make sure its driver can be used.

    Raises:
        StoreConfigError: not a URL, another kind of database, an in-memory SQLite, or psycopg not installed.
    """
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        # The text may hold a password, so it is not repeated.
        raise StoreConfigError("the store URL cannot be read; example: sqlite:///cds.db") from None
    backend = parsed.get_backend_name()
    if backend == "sqlite":
        if parsed.database in (None, "", ":memory:") or "memory" in parsed.query.values():
            raise StoreConfigError("an in-memory store loses every record; name a file: sqlite:///cds.db")
        return parsed.set(drivername="sqlite+pysqlite")
    if backend in ("postgresql", "postgres"):
        try:
            import psycopg  # noqa: F401, PLC0415  # optional: only PostgreSQL sites install it
        except ImportError:
            raise StoreConfigError("PostgreSQL needs the extra: pip install '.[postgres]'") from None
        return parsed.set(drivername="postgresql+psycopg")
    raise StoreConfigError(f"the store can be sqlite or postgresql, not {backend}")


def make_engine(url: URL, *, writer: bool) -> Engine:
    """Engine on a parsed URL; the writer's has exactly one connection and takes the write lock at BEGIN."""
    if url.get_backend_name() == "sqlite":
        return _sqlite(url, writer=writer)
    return _postgresql(url, writer=writer)


def _sqlite(url: URL, *, writer: bool) -> Engine:
    pool: dict[str, Any] = {"poolclass": StaticPool} if writer else {"poolclass": QueuePool, "pool_size": 2}
    engine = create_engine(
        url,
        # An error message that repeats its parameters would put a comment or a hash into a log.
        hide_parameters=True,
        connect_args={"timeout": BUSY_TIMEOUT_S, "check_same_thread": False},
        **pool,
    )

    @event.listens_for(engine, "connect")
    def _configure(connection: Any, _record: Any) -> None:
        # The driver must not open transactions by itself: it would skip BEGIN before DDL and take the
        # write lock late, and a lock taken late fails at once instead of waiting for the other process.
        connection.isolation_level = None
        _write_ahead(connection)
        # FULL: an acknowledged commit survives a power cut, not only a killed process.
        connection.execute("PRAGMA synchronous=FULL")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writer else "BEGIN")

    return engine


def _write_ahead(connection: sqlite3.Connection) -> None:
    """Switch to WAL. When several processes start at once, SQLite does not wait for the lock this takes."""
    end = time.monotonic() + BUSY_TIMEOUT_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() >= end:
                raise
            time.sleep(0.01)
        else:
            return


def _postgresql(url: URL, *, writer: bool) -> Engine:
    pool: dict[str, Any] = (
        {"pool_size": 1, "max_overflow": 0} if writer else {"pool_size": 2, "max_overflow": 2}
    )
    return create_engine(
        url,
        hide_parameters=True,
        # Positional markers: the writer hands over tuples, see `commit`.
        paramstyle="format",
        pool_pre_ping=not writer,
        connect_args={
            "connect_timeout": CONNECT_TIMEOUT_S,
            # A database that vanished from the network must not hold the writer for minutes.
            "tcp_user_timeout": STATEMENT_TIMEOUT_S * 1000,
            "options": f"-c statement_timeout={STATEMENT_TIMEOUT_S * 1000} -c synchronous_commit=on",
        },
        **pool,
    )


class Turn:
    """Lets one process at a time write to an SQLite file; those that wait are woken when it is theirs.

    SQLite itself would have them try again after pauses that grow to a tenth of a second. The lock is on the folder:
    it leaves no file behind, and SQLite's own locks on its files are not touched. They guard the data; this one is
    about time alone, so a file system that does not offer it is no reason not to write.
    """

    def __init__(self, url: URL) -> None:
        self._folder = Path(url.database or "").parent
        self._opened: int | None = None

    def __enter__(self) -> None:
        with suppress(OSError):
            if self._opened is None:
                self._opened = os.open(self._folder, os.O_RDONLY)
            fcntl.flock(self._opened, fcntl.LOCK_EX)

    def __exit__(self, *_: object) -> None:
        if self._opened is not None:
            with suppress(OSError):
                fcntl.flock(self._opened, fcntl.LOCK_UN)

    def close(self) -> None:
        """Let go of the folder; the next turn takes hold of it again."""
        opened, self._opened = self._opened, None
        if opened is not None:
            os.close(opened)


def prepare_file(url: URL) -> None:
    """Create the SQLite file readable by its owner alone; PostgreSQL needs nothing.

    Raises:
        OSError: the directory is missing and cannot be made, or is read-only.
    """
    if url.get_backend_name() == "sqlite":
        path = Path(url.database or "")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600, exist_ok=True)
