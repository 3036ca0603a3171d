"""FHIR dates and times as EHRs send them, and ages counted from the evaluation time.

Age of a value = whole 24-hour periods between it and `as_of`, rounded down; a date without a time is
compared by calendar day in the site's zone (clinical conventions, section "Windows").
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, tzinfo
from enum import StrEnum

from cds_service.facts.record import Record
from cds_service.localise.language import Language
from cds_service.localise.text import Text

_LENGTH_YEAR, _LENGTH_MONTH, _LENGTH_DAY = 4, 7, 10
FUTURE_TOLERANCE = timedelta(hours=24)
"""Longer after the call nothing can have been observed; up to it clocks may differ."""


class Precision(StrEnum):
    """How much of a FHIR dateTime was given."""

    YEAR = "year"
    MONTH = "month"
    DAY = "day"
    TIME = "time"


# An attribute of an enum costs as much as a whole comparison, and every date asks for one.
_TIME, _DAY = Precision.TIME, Precision.DAY


class When(Record, Text, frozen=True, gc=False):
    """A point in time; `instant` (UTC) is the start of the period when only a date was given."""

    instant: datetime
    precision: Precision
    day: date
    """Calendar day in the zone the value was sent with, or in the site's zone."""

    @property
    def has_day(self) -> bool:
        """The day is known: not a year or a month alone."""
        return self.precision is _TIME or self.precision is _DAY

    def age_days(self, as_of: datetime, zone: tzinfo) -> int:
        """Age in whole days at `as_of`; negative for the future."""
        if self.precision is _TIME:
            return (as_of - self.instant).days
        return (as_of.astimezone(zone).date() - self.day).days

    def is_future(self, as_of: datetime) -> bool:
        """More than 24 hours after `as_of`: not a time that can have been observed."""
        return self.instant - as_of > FUTURE_TOLERANCE

    def render(self, language: Language) -> str:
        """`12 Nov 2026`, `Nov 2026` or `2026`: never a form that day and month can be swapped in."""
        return language.date(self.day, self.precision)


def parse_when(text: str | None, zone: tzinfo) -> When | None:
    """A FHIR date, dateTime or instant; None when it cannot be understood.

    Tolerates what EHRs send beyond the specification: no zone (read in the site's zone), no seconds, a
    blank instead of `T`, and `24:00` for the end of a day.
    """
    if not text:
        return None
    text = text.strip()
    try:
        length = len(text)
        if length == _LENGTH_DAY:
            return _from_date(date.fromisoformat(text), _DAY, zone)
        if length == _LENGTH_YEAR:
            return _from_date(date(int(text), 1, 1), Precision.YEAR, zone)
        if length == _LENGTH_MONTH:
            return _from_date(date.fromisoformat(f"{text}-01"), Precision.MONTH, zone)
        return _from_time(text, zone)
    except (ValueError, OverflowError):
        return None


def _from_date(day: date, precision: Precision, zone: tzinfo) -> When:
    start = datetime.combine(day, time.min, tzinfo=zone)
    return When(start.astimezone(UTC), precision, day)


def _from_time(text: str, zone: tzinfo) -> When:
    midnight = text[11:16] == "24:00"
    if midnight:
        text = f"{text[:11]}00:00{text[16:]}"
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=zone)
    if midnight:
        moment += timedelta(days=1)
    return When(moment if moment.tzinfo is UTC else moment.astimezone(UTC), _TIME, moment.date())


def years_between(birth: When, as_of: datetime, zone: tzinfo) -> tuple[int, int]:
    """Least and greatest completed years at `as_of` that the birth date allows (equal for a full date)."""
    today = as_of.astimezone(zone).date()
    first = birth.day
    if birth.precision is Precision.YEAR:
        last = first.replace(month=12, day=31)
    elif birth.precision is Precision.MONTH:
        last = (first.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)
    else:
        last = first
    return _completed_years(last, today), _completed_years(first, today)


def _completed_years(birth: date, today: date) -> int:
    return today.year - birth.year - ((today.month, today.day) < (birth.month, birth.day))
