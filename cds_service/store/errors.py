"""Failures a caller of the store has to handle."""

from __future__ import annotations


class StoreError(Exception):
    """Base of everything the store raises on purpose."""


class StoreUnavailable(StoreError):  # names a state of the store, as the caller answers 503
    """What was asked is not on disk: the database is down, slow, full or the store is closed."""


class StoreConfigError(StoreError, ValueError):
    """The store URL or the hash key cannot be used as given; nothing was opened."""
