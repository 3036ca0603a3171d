"""What per-call records are made of."""

from __future__ import annotations

import msgspec


class Record(msgspec.Struct, frozen=True):
    """An immutable record. A call makes hundreds; a frozen dataclass would cost seven times as much to make."""
