"""Prometheus metrics. No patient data in labels: values come from our own closed lists."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Generic, TypeVar

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import Metric

_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0)
M = TypeVar("M", Counter, Histogram)


class Labelled(Generic[M]):
    """A metric with labels whose children are kept: the library locks and checks whenever it looks one up."""

    def __init__(self, metric: M) -> None:
        self._metric: M = metric
        self._children: dict[tuple[str, ...], M] = {}

    def labels(self, *values: str) -> M:
        """The child with these label values, in the order in which the labels were declared."""
        child = self._children.get(values)
        if child is None:
            child = self._children[values] = self._metric.labels(*values)
        return child

    def collect(self) -> Iterable[Metric]:
        """What has been counted so far."""
        return self._metric.collect()


class Metrics:
    """All counters of one process, in a registry of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()

        def bare(name: str, text: str) -> Counter:
            return Counter(name, text, registry=self.registry)

        def counter(name: str, text: str, *labels: str) -> Labelled[Counter]:
            return Labelled(Counter(name, text, labels, registry=self.registry))

        def seconds(name: str, text: str, *labels: str) -> Labelled[Histogram]:
            return Labelled(Histogram(name, text, labels, registry=self.registry, buckets=_BUCKETS))

        self.requests = counter(
            "cds_requests", "Calls by client, service and status", "client", "service", "status"
        )
        self.seconds = seconds("cds_request_seconds", "Time to answer a call", "service")
        self.outcomes = counter("cds_rule_outcomes", "Rule outcomes", "rule", "version", "outcome", "mode")
        self.gaps = counter("cds_gap", "Named gaps by source and kind", "source", "kind")
        self.fhir_seconds = seconds("cds_fhir_seconds", "Time to read one prefetch key", "resource", "result")
        self.prefetch = counter(
            "cds_prefetch_state", "Where the data of a key came from", "resource", "state"
        )
        self.auth_failures = counter("cds_auth_failures", "Refused tokens by cause", "reason")
        self.feedback = counter("cds_feedback", "Feedback items", "rule", "outcome", "reason")
        self.feedback_problems = bare("cds_feedback_problems", "Parts of feedback that could not be read")
        self.unmapped = counter("cds_unmapped_codes", "Codes that no value set knows", "kind")
        self.record_dropped = bare("cds_record_dropped", "Records that were lost")
        self.record_late = bare("cds_record_late", "Records not yet durable when the answer went out")
        self.reloads = counter("cds_reloads", "Reloads of the configuration by result", "result")
        self.deadline_exceeded = bare("cds_deadline_exceeded", "FHIR reads cut off by the deadline")
        self.refused = counter("cds_refused", "Calls refused before evaluation", "reason")

    def store_event(self, name: str, number: int) -> None:
        """A counter of the store has risen."""
        if name == "dropped":
            self.record_dropped.inc(number)
        elif name == "late":
            self.record_late.inc(number)

    def render(self) -> bytes:
        """Text exposition format."""
        return generate_latest(self.registry)
