"""Public keys of clients, cached, so that verifying a token does not wait for the network.

A key set at an address is fetched in the background: when it is first needed, when it has aged, and when a
token names a key that is not in it (the client may have rotated), but never more than once a minute.
Only the address in the profile is ever fetched; what a token says about keys is not followed (trust T3, T4).
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import msgspec
import structlog

from cds_service.clients.jwks import PublicKey, parse_key_set
from cds_service.clients.profile import ClientProfile

MIN_INTERVAL_S = 60.0
REFRESH_AFTER_S = 3600.0
TTL_S = 24 * 3600.0
WAIT_S = 0.5
MAX_BYTES = 256 * 1024
ABSENT_S = 300.0
MAX_ABSENT = 1_000

log = structlog.get_logger(__name__)


class KeyStatus(msgspec.Struct, frozen=True, kw_only=True):
    """State of one client's keys for `/ready`. `age_s` is seconds since the last successful fetch."""

    keys: int
    age_s: float | None
    failures: int
    last_error_class: str | None


@dataclass(slots=True)
class _Keys:
    by_kid: dict[str, PublicKey] = field(default_factory=dict)
    fetched_at: float | None = None
    attempted_at: float | None = None
    task: asyncio.Task[None] | None = None
    absent: OrderedDict[str, float] = field(default_factory=OrderedDict)
    failures: int = 0
    last_error_class: str | None = None


class KeyCache:
    """Keys by client and key id. Not thread-safe: for the event loop only.

    Args:
        fetch: reads an address and returns the body; runs in a thread, must bound its own time, must not
            follow redirects, and raises on anything but success.
        clock: seconds, monotonic.
    """

    def __init__(self, fetch: Callable[[str], bytes], *, clock: Callable[[], float] = time.monotonic) -> None:
        self._fetch = fetch
        self._clock = clock
        self._clients: dict[str, _Keys] = {}
        self._executor = ThreadPoolExecutor(max_workers=2, thread_name_prefix="client-keys")

    async def find(self, profile: ClientProfile, kid: str) -> PublicKey | None:
        """The client's key of that id, or None.

        Waits for a fetch (half a second at most) only if the key is not known and a fetch is due.
        """
        keys = self._of(profile)
        if profile.jwks_url is None:
            return keys.by_kid.get(kid)
        now = self._clock()
        if keys.fetched_at is not None and now - keys.fetched_at > TTL_S:
            # A client that revoked a key a day ago must be able to rely on it.
            keys.by_kid = {}
        key = keys.by_kid.get(kid)
        if key is not None:
            if keys.fetched_at is None or now - keys.fetched_at > REFRESH_AFTER_S:
                self._refresh(profile, keys)
            return key
        if now - keys.absent.get(kid, -ABSENT_S) < ABSENT_S:
            return None
        task = self._refresh(profile, keys)
        if task is None:
            return None
        await asyncio.wait({task}, timeout=WAIT_S)
        key = keys.by_kid.get(kid)
        if key is None and keys.fetched_at is not None and keys.fetched_at >= now:
            self._note_absent(keys, kid, now)
        return key

    async def warm(self, profiles: Iterable[ClientProfile]) -> None:
        """Fetch the keys of all clients, so that no first call has to wait. A failure is only recorded."""
        tasks = [self._refresh(one, self._of(one)) for one in profiles if one.jwks_url is not None]
        waiting = [task for task in tasks if task is not None]
        if waiting:
            await asyncio.wait(waiting)

    def status(self) -> dict[str, KeyStatus]:
        """State of every client's keys, by client id."""
        now = self._clock()
        return {
            client: KeyStatus(
                keys=len(keys.by_kid),
                age_s=None if keys.fetched_at is None else now - keys.fetched_at,
                failures=keys.failures,
                last_error_class=keys.last_error_class,
            )
            for client, keys in self._clients.items()
        }

    def forget(self, clients: Iterable[str]) -> None:
        """Drop what is known of these clients; their keys are read anew when they call."""
        for client in clients:
            self._clients.pop(client, None)

    def close(self) -> None:
        """Stop fetching; a fetch under way is left to its own time limit."""
        self._executor.shutdown(wait=False, cancel_futures=True)

    def _of(self, profile: ClientProfile) -> _Keys:
        keys = self._clients.get(profile.id)
        if keys is None:
            keys = self._clients[profile.id] = _Keys()
            if profile.jwks is not None:
                keys.by_kid, _ = parse_key_set(profile.jwks)
        return keys

    def _refresh(self, profile: ClientProfile, keys: _Keys) -> asyncio.Task[None] | None:
        """The fetch under way, or a new one, or None when the last was less than a minute ago."""
        if keys.task is not None and not keys.task.done():
            return keys.task
        now = self._clock()
        if keys.attempted_at is not None and now - keys.attempted_at < MIN_INTERVAL_S:
            return None
        keys.attempted_at = now
        keys.task = asyncio.get_running_loop().create_task(self._load(profile, keys))
        return keys.task

    async def _load(self, profile: ClientProfile, keys: _Keys) -> None:
        loop = asyncio.get_running_loop()
        try:
            body = await loop.run_in_executor(self._executor, self._fetch, profile.jwks_url or "")
            if len(body) > MAX_BYTES:
                raise ValueError("key set too large")  # noqa: TRY301  # one place records every failure
            found, problems = parse_key_set(msgspec.json.decode(body))
            if not found:
                raise ValueError("no usable key")  # noqa: TRY301  # as above
        # Whatever goes wrong at the other end, the old keys stay in use and the failure is on record.
        except Exception as error:  # noqa: BLE001
            keys.failures += 1
            keys.last_error_class = type(error).__name__
            log.warning("client_keys_not_refreshed", client=profile.id, error_class=keys.last_error_class)
            return
        if problems:
            log.info("client_keys_left_out", client=profile.id, number=len(problems))
        keys.by_kid = found
        keys.fetched_at = self._clock()
        keys.failures = 0
        keys.last_error_class = None
        keys.absent.clear()

    def _note_absent(self, keys: _Keys, kid: str, now: float) -> None:
        keys.absent[kid] = now
        if len(keys.absent) > MAX_ABSENT:
            keys.absent.popitem(last=False)
