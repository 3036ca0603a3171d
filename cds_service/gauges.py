"""Gauges read from the engine at the moment of a scrape, so that they cannot lag behind it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector

from cds_service import __version__
from cds_service.engine import Engine
from cds_service.fhir.search import clean_base

SHARED = "PROMETHEUS_MULTIPROC_DIR"
"""Where the workers of one service put their counters, so that each can tell the sum (see `workers`)."""


def scrape(engine: Engine) -> bytes:
    """Everything Prometheus is told, in its text format."""
    gauges = CollectorRegistry()
    gauges.register(EngineCollector(engine))
    if SHARED not in os.environ:
        return engine.metrics.render() + generate_latest(gauges)
    sums = CollectorRegistry()
    MultiProcessCollector(sums)  # type: ignore[no-untyped-call]
    return generate_latest(sums) + generate_latest(gauges)


class EngineCollector:
    """A Prometheus collector; with several workers it speaks for the one that answers.

    Label values are our own: versions, hashes, client ids of the site's file.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def collect(self) -> Iterator[Metric]:
        """All gauges."""
        yield from self._configuration()
        yield from self._load()
        yield from self._store()
        yield from self._others()

    def _configuration(self) -> Iterator[Metric]:
        engine, state = self._engine, self._engine.state
        yield _info("cds_build_info", "Version that runs", version=__version__)
        yield _info(
            "cds_configuration_info",
            "Configuration in force",
            hash=engine.config_hash,
            environment=engine.settings.environment,
        )
        yield _gauge("cds_live_rules", "Rules, over all services, that show cards", engine.live_rules())
        yield _gauge(
            "cds_reload_ok",
            "0 when the last reload was refused and the configuration before it is in force",
            state.problem is None,
        )
        yield _gauge(
            "cds_configured_timestamp_seconds",
            "When the configuration in force was taken",
            state.reloaded.timestamp(),
        )
        yield _gauge("cds_draining", "1 when this process is about to end", state.draining)

    def _load(self) -> Iterator[Metric]:
        admission = self._engine.admission
        yield _gauge("cds_calls_in_progress", "Calls that are being answered", admission.busy)
        yield _gauge("cds_calls_waiting", "Calls that wait for their turn", admission.waiting)

    def _store(self) -> Iterator[Metric]:
        store = self._engine.store
        if store is None:
            return
        yield _gauge("cds_store_up", "0 while commits fail or hang", store.up)
        yield _gauge("cds_store_waiting", "Writes that wait for a commit", store.waiting)
        yield CounterMetricFamily(
            "cds_jti_unshared", "Token ids judged without the store", value=store.counters.unshared_jtis
        )

    def _others(self) -> Iterator[Metric]:
        engine = self._engine
        circuits = GaugeMetricFamily(
            "cds_fhir_circuit_open",
            "1 while a FHIR server of a client is left alone because it kept failing",
            labels=["client"],
        )
        for client, bases in _fhir_bases(engine):
            circuits.add_metric([client], any(engine.fhir.circuit_open(base) for base in bases))
        yield circuits
        if engine.keys is not None:
            known = GaugeMetricFamily("cds_client_keys", "Public keys known of a client", labels=["client"])
            age = GaugeMetricFamily(
                "cds_client_keys_age_seconds", "Time since a client's keys were fetched", labels=["client"]
            )
            for client, status in engine.keys.status().items():
                known.add_metric([client], status.keys)
                if status.age_s is not None:
                    age.add_metric([client], status.age_s)
            yield known
            yield age
        if engine.verifier is not None and engine.verifier.last_skew_s is not None:
            yield _gauge(
                "cds_clock_skew_seconds",
                "Our clock minus `iat` of the last token",
                engine.verifier.last_skew_s,
            )


def _fhir_bases(engine: Engine) -> Iterator[tuple[str, Iterable[str]]]:
    for profile in engine.profiles:
        yield profile.id, [clean for base in profile.fhir_base if (clean := clean_base(base))]
    if engine.anonymous is not None:
        reached = engine.fhir_names.values()
        yield engine.anonymous.id, [clean for base in reached if (clean := clean_base(base))]


def _gauge(name: str, text: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, text, value=value)


def _info(name: str, text: str, **labels: str) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, text, labels=list(labels))
    family.add_metric(list(labels.values()), 1)
    return family
