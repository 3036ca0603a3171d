"""What the charts say, in sentences and tables: for screen readers, for print, for whoever wants the figure."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from cds_service.facts.dates import When
from cds_service.rules.trend import TrendChart, TrendLine, TrendPoint

_SHOWN_ROWS = 12


@dataclass(frozen=True, slots=True)
class Row:
    """One date of a values table: a text per line of the chart, and what is to be known about them."""

    when: When
    values: tuple[str, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """Newest first; `earlier` holds what is folded away on screen."""

    recent: tuple[Row, ...]
    earlier: tuple[Row, ...]

    @property
    def notes(self) -> bool:
        return any(row.notes for row in (*self.recent, *self.earlier))


def table(chart: TrendChart) -> Table:
    """All values of a chart by date."""
    times = {point.when for line in chart.lines for point in line.points}
    rows = [_row(chart, when) for when in sorted(times, key=lambda when: when.instant, reverse=True)]
    return Table(tuple(rows[:_SHOWN_ROWS]), tuple(rows[_SHOWN_ROWS:]))


def _row(chart: TrendChart, when: When) -> Row:
    found = [[point for point in line.points if point.when == when] for line in chart.lines]
    values = tuple(" and ".join(point.text for point in points) for points in found)
    notes = dict.fromkeys(point.note for points in found for point in points if point.note)
    return Row(when, values, tuple(notes))


def summary(chart: TrendChart) -> tuple[str, ...]:
    """Latest value, lowest, highest, number and pauses of each line. States figures, draws no conclusion."""
    if not any(line.points for line in chart.lines):
        return (f"{chart.title}: no usable value in this period.",)
    return tuple(_of_line(chart, line) for line in chart.lines if line.points)


def _of_line(chart: TrendChart, line: TrendLine) -> str:
    newest = line.points[-1]
    name = (
        chart.title if len(chart.lines) == 1 else f"{chart.title}, {line.label[:1].lower()}{line.label[1:]}"
    )
    parts = [f"{name}: latest {newest.text} on {newest.when}"]
    exact = [point for point in line.points if point.exact is not None]
    if len(exact) > 1:
        low, high = min(exact, key=_value), max(exact, key=_value)
        parts.append(
            f"{len(line.points)} values since {line.points[0].when}, "
            f"from {low.text} ({low.when}) to {high.text} ({high.when})"
        )
    pauses = gaps(line, chart.gap_days)
    if pauses:
        parts.append("no value between " + ", nor between ".join(f"{a} and {b}" for a, b in pauses))
    return "; ".join(parts) + "."


def _value(point: TrendPoint) -> float:
    return float(point.exact or 0)


def gaps(line: TrendLine, gap_days: int) -> list[tuple[When, When]]:
    """Pairs of neighbours that no line joins because more than `gap_days` days lie between them."""
    return [
        (earlier.when, later.when)
        for earlier, later in pairwise(line.points)
        if later.long_after(earlier, gap_days)
    ]
