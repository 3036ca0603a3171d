"""Pieces of charts that many cases share."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from fixture_tables.resources import (
    PARATHYROIDECTOMY,
    Chart,
    Json,
    ago,
    chart,
    done,
    draw,
    person,
    problem,
)

ESRD = problem("N18.6", recorded="2024-03-02")
CALCIPHYLAXIS = problem("237900002", since=ago(40))
SUSPECTED = problem("E83.59", text="Suspected calciphylaxis", verification="provisional", since=ago(12))
PAST_CALCIPHYLAXIS = problem("237900002", clinical="resolved", since=ago(900), abated=ago(500))
FIBRILLATION = problem("I48.91", since="2023-05-20")
DIABETES = problem("E11.22", since="2009-06-01")
MECHANICAL_VALVE = problem("699347000", since="2019-02-11")
VALVE = problem("Z95.2", since="2019-02-11")
APS = problem("D68.61", since="2016-08-30")
OPERATED = done(PARATHYROIDECTOMY, 40)

MAN = person("Testpatient", "Probus", "1956-09-02", "male")


def normal(days: int = 9, **values: Any) -> tuple[Json, ...]:
    """Mineral results in which nothing is remarkable; `values` replace or (None) leave out some."""
    return draw(days, **({"ca": 9.0, "alb": 4.2, "p": 4.5, "pth": 320} | values))


def hd(*entries: Json | Iterable[Json], patient: Json | None = None) -> Chart:
    """A man of 70 with end-stage renal disease (N18.6)."""
    return chart(ESRD, *entries, patient=patient or MAN)


def hd_normal(*entries: Json | Iterable[Json]) -> Chart:
    """The same with unremarkable mineral results."""
    return hd(normal(), *entries)


def no_kidney_disease(*entries: Json | Iterable[Json]) -> Chart:
    return chart(*entries, patient=MAN)
