"""Dates and times as EHRs send them, and ages at the edges of the windows (F20)."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from cds_service.facts.dates import Precision, parse_when, years_between

NEW_YORK = ZoneInfo("America/New_York")
AS_OF = datetime(2026, 11, 15, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("sent", "instant", "precision"),
    [
        ("2026", "2026-01-01T05:00", Precision.YEAR),
        ("2026-11", "2026-11-01T04:00", Precision.MONTH),
        ("2026-11-12", "2026-11-12T05:00", Precision.DAY),
        (" 2026-11-12 ", "2026-11-12T05:00", Precision.DAY),
        ("2026-11-12T08:30:00Z", "2026-11-12T08:30", Precision.TIME),
        ("2026-11-12T08:30:00.123+01:00", "2026-11-12T07:30:00.123", Precision.TIME),
        ("2026-11-12T08:30:00", "2026-11-12T13:30", Precision.TIME),
        ("2026-11-12T08:30", "2026-11-12T13:30", Precision.TIME),
        ("2026-11-12 08:30:00", "2026-11-12T13:30", Precision.TIME),
        ("2026-11-12T24:00:00Z", "2026-11-13T00:00", Precision.TIME),
        ("2026-11-12T24:00:00", "2026-11-13T05:00", Precision.TIME),
        ("2026-11-12T24:00", "2026-11-13T05:00", Precision.TIME),
        # The night the clocks go back: 01:30 happens twice, the first one counts.
        ("2026-11-01T01:30:00", "2026-11-01T05:30", Precision.TIME),
        ("2026-11-01T24:00:00", "2026-11-02T05:00", Precision.TIME),
        # The night they go forward: 02:30 does not exist; it is still a time near it.
        ("2026-03-08T02:30:00", "2026-03-08T07:30", Precision.TIME),
        ("2026-03-08", "2026-03-08T05:00", Precision.DAY),
        ("2026-03-09", "2026-03-09T04:00", Precision.DAY),
    ],
)
def test_F20_a_date_in_every_form_ehrs_send(sent, instant, precision):
    when = parse_when(sent, NEW_YORK)
    assert when.instant == datetime.fromisoformat(instant).replace(tzinfo=UTC)
    assert when.precision is precision


@pytest.mark.parametrize(
    "sent",
    [
        None,
        "",
        "   ",
        "soon",
        "12/11/2026",
        "2026-13",
        "2026-02-30",
        "2026-11-12T25:00:00Z",
        "20 2",
        "0000",
        "9999-12-31T24:00:00Z",
    ],
)
def test_F20_what_is_no_date_is_not_guessed(sent):
    assert parse_when(sent, NEW_YORK) is None


def test_F20_a_date_that_leaves_the_calendar_is_not_a_date():
    assert parse_when("0001-01-01", ZoneInfo("Asia/Tokyo")) is None


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("2026", "2026"),
        ("2026-11", "Nov 2026"),
        ("2026-11-02", "2 Nov 2026"),
        ("2026-11-02T23:59:00-05:00", "2 Nov 2026"),
        ("2026-11-02T24:00:00Z", "3 Nov 2026"),
    ],
)
def test_day_and_month_cannot_be_swapped_on_a_card(sent, shown):
    assert str(parse_when(sent, UTC)) == shown


@pytest.mark.parametrize(
    ("sent", "days"),
    [
        ("2026-11-15T12:00:00Z", 0),
        ("2026-11-14T12:00:01Z", 0),
        ("2026-11-14T12:00:00Z", 1),
        ("2026-10-11T12:00:00Z", 35),
        ("2026-10-11T12:00:01Z", 34),
        ("2026-10-10T12:00:00Z", 36),
        ("2026-11-15T12:00:01Z", -1),
        ("2026-11-15", 0),
        ("2026-11-14", 1),
        ("2026-10-11", 35),
        ("2026-11-16", -1),
    ],
)
def test_age_is_whole_days_rounded_down_and_a_bare_date_goes_by_the_calendar(sent, days):
    assert parse_when(sent, UTC).age_days(AS_OF, UTC) == days


def test_a_bare_date_is_a_day_of_the_site():
    evening = datetime(2026, 11, 16, 2, 0, tzinfo=UTC)  # still the 15th in New York
    assert parse_when("2026-11-15", NEW_YORK).age_days(evening, NEW_YORK) == 0
    assert parse_when("2026-11-15", UTC).age_days(evening, UTC) == 1


@pytest.mark.parametrize(
    ("ahead", "future"),
    [(timedelta(0), False), (timedelta(hours=24), False), (timedelta(hours=24, seconds=1), True)],
)
def test_F20_more_than_a_day_ahead_was_never_observed(ahead, future):
    assert parse_when((AS_OF + ahead).isoformat(), UTC).is_future(AS_OF) is future


@pytest.mark.parametrize(
    ("birth", "today", "ages"),
    [
        ("2008-11-15", date(2026, 11, 15), (18, 18)),
        ("2008-11-16", date(2026, 11, 15), (17, 17)),
        ("2008-02-29", date(2026, 2, 28), (17, 17)),
        ("2008-02-29", date(2026, 3, 1), (18, 18)),
        ("2008-11", date(2026, 11, 15), (17, 18)),
        ("2008-10", date(2026, 11, 15), (18, 18)),
        ("2008-02", date(2026, 2, 28), (17, 18)),
        ("2008-12", date(2026, 12, 31), (18, 18)),
        ("2008", date(2026, 11, 15), (17, 18)),
        ("2008", date(2026, 12, 31), (18, 18)),
    ],
)
def test_age_in_years_from_a_birth_date_of_any_precision(birth, today, ages):
    moment = datetime.combine(today, datetime.min.time(), tzinfo=UTC)
    assert years_between(parse_when(birth, UTC), moment, UTC) == ages
