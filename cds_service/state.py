"""What happened to this process since it started, as `/ready` and `/metrics` show it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime


@dataclass(frozen=True, slots=True)
class ReloadProblem:
    """Why the last good configuration is still in force. `reason` names settings and fields, never a value."""

    setting: str
    reason: str
    at: datetime


@dataclass(slots=True)
class State:
    """Start, reloads and end of a process. `reloaded` is the last good reload, or the start."""

    started: datetime = field(default_factory=lambda: datetime.now(UTC))
    reloaded: datetime = field(default_factory=lambda: datetime.now(UTC))
    problem: ReloadProblem | None = None
    draining: bool = False
