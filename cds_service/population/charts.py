"""Charts of a screening as SVG, drawn here and put into the report: no script, nothing loaded from elsewhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

import altair as alt

from cds_service.rules.standing import Scatter
from cds_service.web.charts import FONT, svg

_WIDTH = 560
_ROW = 22
# Told apart without colour vision as well: the order of the bars is fixed and the legend names them.
_COLOURS = ("#b3261e", "#e8a33d", "#5b7f95", "#d9dee2")
_GREY = "#55606a"
_CURVE_STEPS = 60


def _values(rows: list[dict[str, object]]) -> alt.Data:
    return alt.Data(values=rows)  # type: ignore[no-untyped-call]


def _drawn(chart: alt.LayerChart | alt.Chart, name: str, title: str) -> str:
    # The library measures words in a font of its own; the room on the left keeps long names whole.
    room = {"left": 60, "top": 5, "right": 5, "bottom": 5}
    styled = chart.configure_view(stroke=None).configure(font=FONT, padding=room)
    return svg(styled.to_dict(), id=name, title=title)


def stacked_bars(
    rows: Mapping[str, Mapping[str, int]],
    order: Sequence[str],
    *,
    name: str,
    title: str,
    axis: str,
    legend: str,
    share: bool = False,
) -> str:
    """One bar for each row, made of the named parts in their order. `name` is unique on the page."""
    values = [
        {"row": row, "part": part, "n": found.get(part, 0), "place": order.index(part)}
        for row, found in rows.items()
        for part in order
        if found.get(part, 0)
    ]
    chart = (
        alt.Chart(_values(values))
        .mark_bar()
        .encode(
            y=alt.Y("row:N", sort=list(rows), title=None, axis=alt.Axis(labelLimit=260)),
            x=alt.X("n:Q", stack="normalize" if share else "zero", title=axis),
            color=alt.Color(
                "part:N",
                sort=list(order),
                scale=alt.Scale(domain=list(order), range=list(_COLOURS[: len(order)])),
                legend=alt.Legend(title=legend, orient="top"),
            ),
            order=alt.Order("place:Q"),
        )
        .properties(width=_WIDTH, height=max(_ROW * len(rows), _ROW))
    )
    return _drawn(chart, name, title)


def scatter(points: Sequence[tuple[float, float]], about: Scatter, *, title: str) -> str:
    """The pairs of values, with the lines on which their product is constant."""
    xs = [x for x, _ in points] or [8.0, 10.0]
    ys = [y for _, y in points] or [4.0, 6.0]
    left, right, top = min(xs), max(xs), max(ys)
    curves = [
        {"x": x, "y": float(line.product / Decimal(str(x))), "line": line.label}
        for line in about.lines
        for step in range(_CURVE_STEPS + 1)
        if (x := left + (right - left) * step / _CURVE_STEPS) > 0 and float(line.product) / x <= top
    ]
    scale = alt.Scale(zero=False)
    dots = (
        alt.Chart(_values([{"x": x, "y": y} for x, y in points]))
        .mark_circle(size=14, opacity=0.45, color=_COLOURS[2])
        .encode(
            x=alt.X("x:Q", title=about.x_title, scale=scale), y=alt.Y("y:Q", title=about.y_title, scale=scale)
        )
    )
    lines = (
        alt.Chart(_values(curves))
        .mark_line(strokeWidth=2)
        .encode(
            x="x:Q",
            y="y:Q",
            color=alt.Color(
                "line:N",
                sort=[line.label for line in about.lines],
                scale=alt.Scale(
                    domain=[line.label for line in about.lines], range=[_COLOURS[1], _COLOURS[0], _GREY]
                ),
                legend=alt.Legend(title=None, orient="top", labelLimit=400),
            ),
        )
    )
    return _drawn((dots + lines).properties(width=_WIDTH, height=360), "pairs", title)
