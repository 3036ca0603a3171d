"""What a process does beside answering: fetch keys before they are needed, purge, note its configuration."""

from __future__ import annotations

import asyncio
import random
from datetime import UTC, datetime, timedelta
from types import TracebackType

import structlog

from cds_service import __version__
from cds_service.engine import Engine
from cds_service.store.errors import StoreUnavailable

log = structlog.get_logger()
_KEYS_EVERY_S = 1800.0
_PURGE_EVERY_S = 24 * 3600.0
# Replicas that start together do not purge together.
_FIRST_PURGE_S = (60.0, 600.0)


class Background:
    """Runs from entering to leaving, on the event loop; a failure is logged and tried again the next time."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> None:
        engine = self._engine
        if engine.store is not None:
            engine.store.note_configuration(None, engine.config_hash, engine.config_parts, __version__)
        self._tasks = [asyncio.create_task(work()) for work in (self._keep_keys, self._keep_purged)]

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _keep_keys(self) -> None:
        while self._engine.keys is not None:
            await self._engine.keys.warm(self._engine.profiles)
            await asyncio.sleep(_KEYS_EVERY_S)

    async def _keep_purged(self) -> None:
        await asyncio.sleep(random.uniform(*_FIRST_PURGE_S))  # noqa: S311 - spreads load, guards nothing
        while True:
            await purge(self._engine)
            await asyncio.sleep(_PURGE_EVERY_S)


async def purge(engine: Engine) -> None:
    """Delete what is older than the site keeps records."""
    if engine.store is None:
        return
    oldest = datetime.now(UTC) - timedelta(days=engine.site.retention_days)
    try:
        purged = await asyncio.to_thread(engine.store.purge, oldest)
    except StoreUnavailable:
        log.warning("purge_failed", note="it is tried again tomorrow")
        return
    log.info("purged", count=purged.total)
