"""The charts of the trend page, in Altair. Colour is never the only difference: shape and dash differ as well."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

import altair as alt

from cds_service.facts.model import MedicationState
from cds_service.rules.trend import Lane, LaneBar, TrendChart, TrendLine, TrendPoint
from cds_service.web.charts import FONT

Layer = Any
"""A chart or layer of Altair, whose types describe its schema but not what its methods return."""

_WIDTH, _HEIGHT, _LANE_HEIGHT = 480, 200, 34
_INK, _MUTED, _GRID, _EDGE = "#17212e", "#4a5868", "#e3e8ee", "#768496"
_COLOURS = ("#0a4f8f", "#b3541e")
_DASHES = ([1, 0], [5, 3])
_SHAPES = ("circle", "diamond")
_REFERENCE, _LEFT_OUT = "#7a2d6f", "#97180f"
_STATES = {
    str(MedicationState.ACTIVE): "#0a4f8f",
    str(MedicationState.ON_HOLD): "#c97a00",
    str(MedicationState.ENDED): "#c3ccd8",
    str(MedicationState.DRAFT): "#ffffff",
}
_AIR = 0.12
_AXIS = 46
"""Width kept for the value axis, so that the time axes of all charts lie under one another."""


class _Data:
    """Rows of one chart by name: beside the specification, where Altair does not copy them again and again."""

    def __init__(self) -> None:
        self.sets: dict[str, list[dict[str, Any]]] = {}

    def chart(self, rows: list[dict[str, Any]]) -> Layer:
        """A chart of these rows."""
        name = f"rows-{len(self.sets)}"
        self.sets[name] = rows
        return alt.Chart(alt.NamedData(name))


def segments(line: TrendLine, gap_days: int) -> Iterator[tuple[int, TrendPoint]]:
    """Points with the number of the stretch they belong to; a long pause or a bound starts a new one."""
    stretch = 0
    last: TrendPoint | None = None
    for point in line.points:
        if last is not None and (_alone(point) or _alone(last) or point.long_after(last, gap_days)):
            stretch += 1
        yield stretch, point
        last = point


def _alone(point: TrendPoint) -> bool:
    return point.exact is None or point.preliminary


def value_chart(chart: TrendChart, as_of: datetime, days: int) -> dict[str, Any]:
    """Lines, marks and reference lines of one chart as a Vega-Lite specification."""
    time = _time(as_of, days)
    scale = alt.Scale(domain=_domain(chart), nice=True, zero=False)
    data = _Data()
    layers: list[Layer] = [*_references(data, chart, as_of, days, scale)]
    for number, line in enumerate(chart.lines):
        layers += _line(data, line, number, chart.gap_days, time, scale)
    dated = [{"when": _text(item.when.instant)} for item in chart.left_out if item.when]
    if dated:
        crosses = data.chart(dated).mark_point(shape="cross", angle=45, size=45, color=_LEFT_OUT, filled=True)
        layers.append(crosses.encode(x=time, y=alt.value(_HEIGHT - 34)))
    return _finished(data, alt.layer(*layers), _HEIGHT)


def _line(
    data: _Data, line: TrendLine, number: int, gap_days: int, time: alt.X, scale: alt.Scale
) -> Iterator[Layer]:
    colour, dash, shape = _COLOURS[number % 2], _DASHES[number % 2], _SHAPES[number % 2]
    rows = [
        {"when": _text(point.when.instant), "stretch": stretch, **_marked(point)}
        for stretch, point in segments(line, gap_days)
    ]
    value = alt.Y("value:Q", scale=scale)
    single = data.chart([row for row in rows if row["kind"] in ("final", "preliminary")])
    yield single.mark_line(color=colour, strokeDash=dash, strokeWidth=2).encode(
        x=time, y=value, detail="stretch:N"
    )
    looks: tuple[tuple[str, dict[str, Any]], ...] = (
        ("final", {"shape": shape, "filled": True, "size": 48}),
        ("preliminary", {"shape": shape, "filled": False, "fill": "white", "size": 48}),
        ("at-most", {"shape": "triangle-down", "filled": True, "size": 60}),
        ("at-least", {"shape": "triangle-up", "filled": True, "size": 60}),
    )
    for kind, look in looks:
        some = [row for row in rows if row["kind"] == kind]
        if some:
            yield (data.chart(some).mark_point(color=colour, opacity=1, **look).encode(x=time, y=value))
    wide = [row for row in rows if row["kind"] == "conflicting"]
    if wide:
        yield (
            data.chart(wide)
            .mark_rule(color=colour, strokeWidth=4, opacity=1)
            .encode(x=time, y=value, y2="upper:Q")
        )


def _marked(point: TrendPoint) -> dict[str, Any]:
    if point.low is None:
        return {"kind": "at-most", "value": _number(point.high)}
    if point.high is None:
        return {"kind": "at-least", "value": _number(point.low)}
    if point.exact is None:
        return {"kind": "conflicting", "value": _number(point.low), "upper": _number(point.high)}
    return {"kind": "preliminary" if point.preliminary else "final", "value": _number(point.low)}


def _domain(chart: TrendChart) -> list[float]:
    """Lowest and highest value on the chart, reference lines included, with some air around them."""
    values = [float(item.value) for item in chart.references]
    values += [
        float(end)
        for line in chart.lines
        for point in line.points
        for end in (point.low, point.high)
        if end is not None
    ]
    low, high = min(values, default=0.0), max(values, default=1.0)
    air = (high - low) * _AIR or 1.0
    return [max(low - air, 0.0), high + air]


def _number(value: Any) -> float | None:
    return None if value is None else float(value)


def _references(
    data: _Data, chart: TrendChart, as_of: datetime, days: int, scale: alt.Scale
) -> Iterator[Layer]:
    start = _text(as_of - timedelta(days=days))
    rows = [{"at": float(item.value), "label": item.short, "start": start} for item in chart.references]
    base = data.chart(rows)
    yield base.mark_rule(color=_REFERENCE, strokeDash=[2, 3], strokeWidth=1.5, opacity=1).encode(
        y=alt.Y("at:Q", scale=scale)
    )
    yield base.mark_text(
        align="left", baseline="bottom", dx=4, dy=-2, color=_REFERENCE, fontSize=12, opacity=1
    ).encode(x=_time(as_of, days, "start"), y=alt.Y("at:Q", scale=scale), text="label:N")


def lane_chart(lanes: Sequence[Lane], as_of: datetime, days: int) -> dict[str, Any]:
    """Medicines over time, one lane per group, on the time axis of the value charts."""
    start = as_of - timedelta(days=days)
    titles = [lane.title for lane in lanes]
    height = _LANE_HEIGHT * len(lanes)
    row = alt.Y("lane:N", sort=titles, axis=None, scale=alt.Scale(domain=titles, padding=0))
    data = _Data()
    names = [{"lane": lane.title, "from": _text(start), "label": _lane_label(lane)} for lane in lanes]
    layers = [
        data.chart(names)
        .mark_text(align="left", baseline="middle", dx=4, yOffset=-8, fontSize=12, color=_INK, opacity=1)
        .encode(x=_time(as_of, days, "from"), y=row, text="label:N")
    ]
    bars = [
        {"lane": lane.title, **ends, "state": str(bar.state)}
        for lane in lanes
        for bar in lane.bars or ()
        if (ends := _ends(bar, start, as_of)) is not None
    ]
    if bars:
        colour = alt.Color(
            "state:N",
            legend=None,
            scale=alt.Scale(
                domain=[*_STATES],
                range=[*_STATES.values()],
            ),
        )
        layers.append(
            data.chart(bars)
            .mark_bar(size=9, yOffset=8, opacity=1, stroke=_INK, strokeWidth=0.5)
            .encode(x=_time(as_of, days, "from"), x2="until:T", y=row, color=colour)
        )
    return _finished(data, alt.layer(*layers), height, left=_AXIS)


def _lane_label(lane: Lane) -> str:
    if lane.bars is None:
        return f"{lane.title}: not readable"
    names = list(dict.fromkeys(bar.label for bar in lane.bars))
    return f"{lane.title}: {', '.join(names) if names else 'none on the list'}"


def _ends(bar: LaneBar, start: datetime, as_of: datetime) -> dict[str, str] | None:
    """Where the bar lies in the window; None when it lies before it, or its end is not known."""
    begun = bar.start.instant if bar.start else start
    if bar.end is not None:
        ended = bar.end.instant
    elif bar.state is MedicationState.ENDED:
        return None
    else:
        ended = as_of
    if ended < start or begun > as_of:
        return None
    return {"from": _text(max(begun, start)), "until": _text(min(max(ended, begun), as_of))}


def _time(as_of: datetime, days: int, field: str = "when") -> alt.X:
    domain = [_text(as_of - timedelta(days=days)), _text(as_of + timedelta(days=days * 0.02))]
    axis = alt.Axis(format="%b", tickCount=12, labelOverlap=True, title=None, grid=True)
    return alt.X(f"{field}:T", scale=alt.Scale(type="utc", domain=domain, nice=False), axis=axis)


def _text(moment: datetime) -> str:
    return moment.isoformat()


def _finished(data: _Data, chart: Layer, height: int, left: int = 0) -> dict[str, Any]:
    """Size, frame and colours; `left` is the width of a value axis that this chart does not have."""
    padding = {"left": 2 + left, "right": 6, "top": 6, "bottom": 4}
    sized = chart.properties(width=_WIDTH, height=height, padding=padding, background="white")
    label = {"labelColor": _MUTED, "labelFontSize": 12, "domainColor": _EDGE, "tickColor": _EDGE}
    drawn: dict[str, Any] = (
        sized.configure(font=FONT, autosize=alt.AutoSizeParams(type="fit", contains="padding"))
        .configure_view(stroke=None)
        .configure_axis(gridColor=_GRID, title=None, **label)
        .configure_axisY(minExtent=_AXIS, maxExtent=_AXIS, tickCount=5)
        .to_dict()
    )
    return {**drawn, "datasets": data.sets}
