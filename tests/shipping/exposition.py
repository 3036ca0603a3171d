"""From what a service says in /metrics to the series that Prometheus would have kept of it."""

from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families

Snapshot = dict[str, float]


def snapshot(text: str, *, gauges: bool = False) -> Snapshot:
    """Series -> value of one scrape: of the counters, or of the gauges."""
    found = {}
    for family in text_string_to_metric_families(text):
        if (family.type == "gauge") is not gauges:
            continue
        for sample in family.samples:
            labels = ",".join(f'{name}="{_escaped(value)}"' for name, value in sample.labels.items())
            found[f"{sample.name}{{{labels}}}" if labels else sample.name] = sample.value
    return found


def names(text: str) -> set[str]:
    """Every name that may stand in an expression, also of families that have no series yet."""
    found = set()
    for family in text_string_to_metric_families(text):
        found |= {family.name, *(sample.name for sample in family.samples)}
        if family.type == "counter":
            found.add(f"{family.name}_total")
        if family.type == "histogram":
            found |= {f"{family.name}_{part}" for part in ("bucket", "count", "sum")}
    return found


def growth(before: Snapshot, after: Snapshot) -> Snapshot:
    """How much each counter grew in between."""
    return {name: value - before.get(name, 0.0) for name, value in after.items()}


def history(healthy: Snapshot, today: Snapshot, *, times: int, steps: int, since: int) -> dict[str, str]:
    """`steps` samples, each of so many healthy stretches, then `since` of today's, as promtool writes it."""
    series = {}
    for name in healthy.keys() | today.keys():
        each, now = healthy.get(name, 0.0) * times, today.get(name, 0.0) * times
        at = each * (steps - 1)
        series[name] = f"0+{each!r}x{steps - 1} {at + now!r}+{now!r}x{since - 1}"
    return series


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
