"""Starts the service: store, clients, engine, uvicorn; drains on SIGTERM."""

from __future__ import annotations

import ipaddress
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import structlog
import uvicorn

from cds_service.app import create_app
from cds_service.clients.keys import KeyCache
from cds_service.clients.load import load_profiles
from cds_service.clients.profile import ClientProfile
from cds_service.clients.verify import JwtVerifier
from cds_service.engine import Engine, build_engine, default_catalogue
from cds_service.fhir.client import FhirClient
from cds_service.registry import ready_services
from cds_service.settings import Settings, SettingsError
from cds_service.store.store import Store

log = structlog.get_logger()
_DRAIN_EXTRA_S = 3


@contextmanager
def running_engine(settings: Settings) -> Iterator[Engine]:
    """An engine with its store, clients and FHIR client; all of them are closed at the end.

    Raises:
        SettingsError: the settings cannot be used.
        ProfileError, StoreError: the client profiles or the store cannot be used.
    """
    if settings.store_url.startswith("sqlite:///"):
        Path(settings.store_url.removeprefix("sqlite:///")).parent.mkdir(parents=True, exist_ok=True)
    store = Store.open(settings.store_url, hash_key=settings.hash_key.get_secret_value().encode())
    fhir = FhirClient()
    keys = KeyCache(fhir.fetch_key_set)
    verifier = None
    try:
        profiles: tuple[ClientProfile, ...] = ()
        if settings.clients is not None:
            catalogue = default_catalogue(ready_services(frozenset(settings.value_sets_off)))
            profiles = load_profiles(
                settings.clients.read_bytes(), environment=settings.environment, default_catalog=catalogue
            )
            verifier = JwtVerifier(profiles, keys, store.remember_jti)
        elif settings.authenticated:
            raise SettingsError("CDS_AUTH=required needs CDS_CLIENTS: nobody could call otherwise")
        yield build_engine(settings, store=store, profiles=profiles, verifier=verifier, fhir=fhir)
    finally:
        if verifier is not None:
            verifier.close()
        keys.close()
        fhir.close()
        store.close()


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


def make_server(engine: Engine, host: str, port: int) -> tuple[uvicorn.Server, socket.socket]:
    """A server and its bound socket, not yet running."""
    sock = socket.socket(
        socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP
    )
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind((host, port))
    config = uvicorn.Config(
        create_app(engine),
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=engine.settings.deadline_ms // 1000 + _DRAIN_EXTRA_S,
    )
    return uvicorn.Server(config), sock


def serve(settings: Settings, host: str, port: int) -> None:
    """Run until stopped."""
    check_binding(settings, host)
    with running_engine(settings) as engine:
        server, sock = make_server(engine, host, port)
        if not settings.authenticated:
            log.warning("unauthenticated", note="callers are not authenticated; development only")
        log.info("serving", host=host, port=port, configuration=engine.config_hash)
        # uvicorn drains, then raises the signal again; the default handler would end the process before
        # the store is closed.
        signal.signal(signal.SIGTERM, lambda *_: None)
        with suppress(KeyboardInterrupt):
            server.run(sockets=[sock])
        log.info("stopped")
