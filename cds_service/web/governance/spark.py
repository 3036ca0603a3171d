"""Sparklines: fires by day, small enough for a table cell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import altair as alt
from markupsafe import Markup

from cds_service.web.charts import svg

_WIDTH, _HEIGHT = 120, 24


def spark(id: str, name: str, days: Sequence[date], counts: Mapping[str, int]) -> Markup:  # noqa: A002
    """One bar for each day; days without a fire keep their place."""
    fires = [counts.get(day.isoformat(), 0) for day in days]
    rows = [{"day": day.isoformat(), "fires": number} for day, number in zip(days, fires, strict=True)]
    drawn: Any = (
        alt.Chart(alt.InlineData(values=rows))
        .mark_bar(color="#0a4f8f", opacity=1)
        .encode(x=alt.X("day:O", axis=None), y=alt.Y("fires:Q", axis=None))
        .properties(width=_WIDTH, height=_HEIGHT, padding=1, background="transparent")
        .configure_view(stroke=None)
        .configure_scale(bandPaddingInner=0.2)
    )
    title = f"Fires of {name} by day, {days[0]:%d %b} to {days[-1]:%d %b}: at most {max(fires)} a day"
    return svg(drawn.to_dict(), id=id, title=title)
