"""Starts the service: store, clients, engine, uvicorn; reloads on SIGHUP, drains on SIGTERM."""

from __future__ import annotations

import asyncio
import ipaddress
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType

import structlog
import uvicorn

from cds_service.app import create_app
from cds_service.clients.keys import KeyCache
from cds_service.configuration import load_configuration
from cds_service.engine import Engine, build_engine
from cds_service.fhir.client import FhirClient
from cds_service.reload import reload
from cds_service.settings import Settings, SettingsError
from cds_service.store.store import Store

log = structlog.get_logger()
_DRAIN_EXTRA_S = 3
_BACKLOG = 1024


@contextmanager
def running_engine(settings: Settings, *, store_required: bool = True) -> Iterator[Engine]:
    """An engine with its store, clients and FHIR client; all of them are closed at the end.

    Args:
        settings: of this process.
        store_required: False starts without the database; it is used as soon as it can be reached.

    Raises:
        SettingsError, ProfileError: the settings or a file they name cannot be used.
        StoreError: the store cannot be used.
    """
    if settings.authenticated and settings.clients is None:
        raise SettingsError("CDS_AUTH=required needs CDS_CLIENTS: nobody could call otherwise")
    configuration = load_configuration(settings)
    store = open_store(settings, required=store_required)
    fhir = FhirClient()
    keys = KeyCache(fhir.fetch_key_set)
    try:
        engine = build_engine(settings, store=store, configuration=configuration, keys=keys, fhir=fhir)
        try:
            yield engine
        finally:
            if engine.verifier is not None:
                engine.verifier.close()
    finally:
        keys.close()
        fhir.close()
        store.close()


def open_store(settings: Settings, *, required: bool = True) -> Store:
    """The store that the settings name.

    Raises:
        StoreError: it cannot be used.
    """
    password = settings.store_password
    return Store.open(
        settings.store_url,
        hash_key=settings.hash_key.get_secret_value().encode(),
        password=password.get_secret_value() if password is not None else None,
        required=required,
    )


def check_binding(settings: Settings, host: str) -> None:
    """Refuse to offer an unauthenticated service beyond this machine.

    Raises:
        SettingsError: callers are not authenticated and `host` is not loopback.
    """
    if settings.authenticated or settings.trusted_network or _is_loopback(host):
        return
    raise SettingsError("without authentication the service binds to loopback only (see CDS_TRUSTED_NETWORK)")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class Server(uvicorn.Server):
    """uvicorn, which reloads the site's files on SIGHUP, and on SIGTERM serves on for the drain time first."""

    # The event loop accepts one connection a round from each socket; in a rush the last one would wait for as
    # many rounds as there are before it. Several handles of one socket share its queue.
    _HANDLES = 32

    def __init__(self, config: uvicorn.Config, engine: Engine) -> None:
        super().__init__(config)
        self._engine = engine
        self._ends_at: float | None = None
        self._reload: asyncio.Task[bool] | None = None
        self._reload_wanted = False
        self._handles: list[socket.socket] = []

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start to listen, and to signals as well where this is the main thread."""
        handles = [sock.dup() for sock in sockets or () for _ in range(self._HANDLES - 1)]
        self._handles = handles
        await super().startup([*(sockets or ()), *handles])
        if threading.current_thread() is threading.main_thread():
            asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, self.reload)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGHUP})

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop to listen, let calls under way end."""
        await super().shutdown([*(sockets or ()), *self._handles])

    def reload(self) -> None:
        """Take the site's files anew, one reload after the other."""
        self._reload_wanted = True
        if self._reload is None or self._reload.done():
            self._reload = asyncio.get_running_loop().create_task(self._reload_all())

    async def _reload_all(self) -> bool:
        good = True
        while self._reload_wanted:
            self._reload_wanted = False
            good = await reload(self._engine)
        return good

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Load balancers need a moment to see that this replica ends; meanwhile it answers as before."""
        drain_s = self._engine.settings.drain_ms / 1000
        if sig == signal.SIGTERM and drain_s and not self._engine.state.draining:
            self._engine.state.draining = True
            self._ends_at = time.monotonic() + drain_s
            return
        self._engine.state.draining = True
        super().handle_exit(sig, frame)

    async def on_tick(self, counter: int) -> bool:
        """Whether to end now."""
        if self._ends_at is not None and time.monotonic() >= self._ends_at:
            self.should_exit = True
        return await super().on_tick(counter)


def bind(host: str, port: int, *, shared: bool = False) -> socket.socket:
    """A socket bound to that address; of several `shared` ones each gets its part of the connections (Linux)."""
    sock = socket.socket(
        socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP
    )
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if shared:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    sock.bind((host, port))
    return _unblocking(sock)


def inherited(fd: int) -> socket.socket:
    """The listening socket that a supervisor handed over."""
    return _unblocking(socket.socket(fileno=fd))


def _unblocking(sock: socket.socket) -> socket.socket:
    # The mode belongs to all handles of the socket, in all processes: if one made it blocking while it starts,
    # the others would hang in `accept`.
    sock.setblocking(False)
    return sock


def server_for(engine: Engine) -> Server:
    """A server for the engine, not yet running."""
    config = uvicorn.Config(
        create_app(engine),
        log_level="warning",
        access_log=False,
        server_header=False,
        # None are offered; uvicorn would load a library for them.
        ws="none",
        backlog=_BACKLOG,
        timeout_graceful_shutdown=engine.settings.deadline_ms // 1000 + _DRAIN_EXTRA_S,
    )
    return Server(config, engine)


def make_server(engine: Engine, host: str, port: int) -> tuple[Server, socket.socket]:
    """A server and its bound socket, not yet running."""
    sock = bind(host, port)
    return server_for(engine), sock


def serve(settings: Settings, sock: socket.socket) -> None:
    """Run on a bound socket until stopped."""
    # A reload that is asked for before there is anything to reload waits, instead of ending the process.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP})
    with running_engine(settings, store_required=False) as engine:
        server = server_for(engine)
        if not settings.authenticated:
            log.warning("unauthenticated", note="callers are not authenticated; development only")
        host, port = sock.getsockname()[:2]
        log.info("serving", host=host, port=port, configuration=engine.config_hash)
        # uvicorn drains, then raises the signal again; the default handler would end the process before
        # the store is closed.
        signal.signal(signal.SIGTERM, lambda *_: None)
        with suppress(KeyboardInterrupt):
            server.run(sockets=[sock])
        log.info("stopped")
