"""Shifting every date together with the clock changes no answer."""

import re
from collections import Counter
from datetime import date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st
from property_charts import calls, drawn
from property_desk import Call

from cds_service.errors import CdsError

LEAP_CYCLE = 1461
"""Days in four years (with their leap day, between 1901 and 2099): every date keeps its month and day."""
_NO_DATES = ("hookInstance", "code")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}(?=T|$)")
_MONTH = re.compile(r"\d{4}-\d{2}")
_YEAR = re.compile(r"\d{4}")
_PRINTED = re.compile(
    r"\b(\d{1,2} )?(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \d{4}\b|\b(19|20)\d\d\b"
)


def shifted(value, days):
    """`value` with every date in it moved; a year or a month alone moves in whole cycles of four years."""
    if isinstance(value, dict):
        # Some codes look like a year: 1894 is calcitriol in RxNorm.
        return {
            key: each if key in _NO_DATES and isinstance(each, str) else shifted(each, days)
            for key, each in value.items()
        }
    if isinstance(value, list):
        return [shifted(each, days) for each in value]
    if not isinstance(value, str):
        return value
    if _DAY.match(value) and len(value) <= len("2026-11-15T12:00:00.000000+00:00"):
        try:
            moved = date.fromisoformat(value[:10]) + timedelta(days=days)
        except ValueError:
            return value
        return moved.isoformat() + value[10:]
    years = days * 4 // LEAP_CYCLE
    if _MONTH.fullmatch(value) or _YEAR.fullmatch(value):
        return f"{int(value[:4]) + years:04d}{value[4:]}"
    return value


def partial_dates(value):
    if isinstance(value, dict):
        return any(partial_dates(each) for each in value.values())
    if isinstance(value, list):
        return any(partial_dates(each) for each in value)
    return isinstance(value, str) and bool(_MONTH.fullmatch(value) or _YEAR.fullmatch(value))


def moved(call, days):
    as_of = call.as_of + timedelta(days=days)
    request = call.copy().request
    request["prefetch"] = shifted(request.get("prefetch") or {}, days)
    request["context"] = shifted(request["context"], days)
    return Call(call.service, as_of, request)


def undated(shown):
    """Cards without the dates they print."""
    masked = Counter()
    for (topic, indicator, summary, *rest), times in shown.items():
        masked[(topic, indicator, _PRINTED.sub("(date)", summary), *rest)] += times
    return masked


@given(call=st.one_of(calls(), drawn(likely=True)), cycles=st.sampled_from((-4, -1, 1, 3, 9)))
def test_moving_by_four_years_changes_nothing(desk, call, cycles):
    try:
        before = desk.ask(call)
    except CdsError:  # cases of refused calls are tested elsewhere
        return
    after = desk.ask(moved(call, cycles * LEAP_CYCLE))
    assert after.results() == before.results()
    assert undated(after.shown()) == undated(before.shown())


@given(call=drawn(likely=True), days=st.integers(-3000, 3000))
def test_moving_by_any_number_of_days_changes_no_outcome(desk, call, days):
    if partial_dates(call.request["prefetch"]):
        return
    before, after = desk.ask(call), desk.ask(moved(call, days))
    assert after.results() == before.results()
    assert undated(after.shown()) == undated(before.shown())


@given(call=drawn(likely=True), hours=st.sampled_from((-11, -5, 3, 11)))
def test_zone_of_the_clock_does_not_matter(desk, call, hours):
    """The same moment, named in another zone."""
    before = desk.ask(call)
    offset = timedelta(hours=hours)
    elsewhere = datetime.fromisoformat(
        f"{(call.as_of + offset).replace(tzinfo=None).isoformat()}{'-' if hours < 0 else '+'}{abs(hours):02d}:00"
    )
    assert elsewhere == call.as_of
    assert desk.ask(Call(call.service, elsewhere, call.request)).results() == before.results()
