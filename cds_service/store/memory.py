"""Token ids this process saw lately, so that most repeats are judged without the database."""

from __future__ import annotations

from collections import OrderedDict

from cds_service.store.commit import verdict
from cds_service.store.records import JtiVerdict

CAPACITY = 50_000


class JtiMemory:
    """Bounded; the oldest entries go first. For one thread (the event loop) only."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._capacity = capacity
        self._seen: OrderedDict[str, tuple[str, float, float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._seen)

    def judge(self, key: str, body_hash: str, now: float) -> JtiVerdict | None:
        """Verdict on a key that is remembered, None for one that is not (or has expired)."""
        known = self._seen.get(key)
        if known is None:
            return None
        known_body, seen_at, expires_at = known
        if expires_at < now:
            del self._seen[key]
            return None
        return verdict(known_body=known_body, seen_at=seen_at, body_hash=body_hash, now=now)

    def add(self, key: str, body_hash: str, now: float, expires_at: float) -> None:
        """Remember a key until `expires_at`, seconds since 1970."""
        self._seen[key] = (body_hash, now, expires_at)
        if len(self._seen) > self._capacity:
            self._seen.popitem(last=False)
