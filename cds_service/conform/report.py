"""The report of a run, for people and for machines."""

from __future__ import annotations

from collections import Counter

import msgspec

from cds_service.conform.model import Result, Verdict


class Latency(msgspec.Struct, frozen=True, kw_only=True):
    """Time for complete calls, in milliseconds."""

    samples: int
    median: float
    worst: float


class Report(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Everything a run found out."""

    url: str
    calls: int
    services: tuple[str, ...]
    latency_ms: Latency | None
    notes: tuple[str, ...]
    results: tuple[Result, ...]

    def of(self, verdict: Verdict) -> list[Result]:
        return [result for result in self.results if result.verdict is verdict]

    @property
    def failures(self) -> list[Result]:
        return self.of(Verdict.FAIL)

    @property
    def exit_code(self) -> int:
        """0 only without a failure, and only if something was judged at all."""
        return 1 if self.failures or not self.of(Verdict.PASS) else 0

    @property
    def counts(self) -> dict[str, int]:
        found = Counter(result.verdict.value for result in self.results)
        return {verdict.value: found[verdict.value] for verdict in Verdict}

    def to_json(self) -> bytes:
        """The report with its counts."""
        document = msgspec.to_builtins(self)
        return msgspec.json.encode({"counts": self.counts, "exitCode": self.exit_code, **document})
