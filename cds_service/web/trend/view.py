"""Everything the template of the trend page needs, worked out and drawn."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from altair.utils.schemapi import debug_mode
from markupsafe import Markup
from msgspec import structs

from cds_service.facts.model import Facts
from cds_service.rules.rule import Rule
from cds_service.rules.trend import Trend, TrendChart, TrendOf
from cds_service.web import charts
from cds_service.web.trend import draw, words

_OTHER = {"conventional": "SI", "SI": "conventional"}
UNITS = {"conventional": "mg/dL", "SI": "mmol/L"}
_CHART_LIMIT = 400
"""Most results drawn of one kind; a year of daily ones still fits."""


@dataclass(frozen=True, slots=True)
class Panel:
    """One chart with its words."""

    chart: TrendChart
    svg: Markup
    table: words.Table
    summary: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Variant:
    """All charts in one unit system. The template shows one of the two at a time, by a link."""

    units: str
    panels: tuple[Panel, ...]


@dataclass(frozen=True, slots=True)
class TrendView:
    """The page of one patient."""

    facts: Facts
    trend: Trend
    since: datetime
    variants: tuple[Variant, Variant]
    """The one that shows first, then the other."""
    lanes: Markup
    missing: tuple[str, ...]
    """What could not be read, or only in part."""
    rule: Rule | None
    """The rule whose card led here."""


@debug_mode(False)
def build(facts: Facts, make: TrendOf, rule: Rule | None) -> TrendView:
    """Draw everything. Takes some hundred milliseconds of processor time: call it within `charts.draw`.

    Altair's check of each specification against its schema is left to the tests: it takes as long as drawing.
    """
    trend = make(facts)
    variants = tuple(
        _variant(make(structs.replace(facts, units=units, memo={})), units, facts.as_of)
        for units in (facts.units, _OTHER[facts.units])
    )
    return TrendView(
        facts=facts,
        trend=trend,
        since=facts.as_of - timedelta(days=trend.days),
        variants=(variants[0], variants[1]),
        lanes=charts.svg(
            draw.lane_chart(trend.lanes, facts.as_of, trend.days),
            id="lanes",
            title="Medicines over the last year",
            description="The same as the table of medicines that follows.",
        ),
        missing=_missing(facts),
        rule=rule,
    )


def _variant(trend: Trend, units: str, as_of: datetime) -> Variant:
    return Variant(units, tuple(_panel(chart, units, as_of, trend.days) for chart in trend.charts))


def _panel(chart: TrendChart, units: str, as_of: datetime, days: int) -> Panel:
    chart = replace(
        chart, lines=tuple(replace(line, points=line.points[-_CHART_LIMIT:]) for line in chart.lines)
    )
    summary = words.summary(chart)
    drawn = charts.svg(
        draw.value_chart(chart, as_of, days),
        id=f"{chart.id}-{units.lower()}",
        title=f"{chart.title} in {chart.unit} over the last year",
        description=" ".join((*summary, *(f"{item.text}." for item in chart.references))),
    )
    return Panel(chart, drawn, words.table(chart), summary)


def _missing(facts: Facts) -> tuple[str, ...]:
    unread = [f"{source}: {reason}" for source, reason in facts.failures.items()]
    return tuple(dict.fromkeys((*unread, *(f"{gap.source}: {gap.text}" for gap in facts.gaps))))
