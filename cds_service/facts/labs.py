"""Observation resources to Labs: analyte, status, date, duplicates.

A result that cannot be used is kept with the reason: a card must be able to say why, and a newer
unusable result must not let an older one clear a rule in silence.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, tzinfo
from operator import attrgetter, itemgetter

from msgspec.structs import replace

from cds_service.facts.dates import FUTURE_TOLERANCE, Precision, When, parse_when
from cds_service.facts.lab_values import NO_VALUE, Normal, amount, as_sent
from cds_service.facts.model import Lab, Labs
from cds_service.facts.problems import concept_texts
from cds_service.facts.units import Analyte
from cds_service.fhir.decode import Coding, Component, Resource
from cds_service.localise.text import Message, Text
from cds_service.terminology.index import Terminology

_USABLE = frozenset({"final", "amended", "corrected", "preliminary"})
_NOT_A_RESULT = frozenset({"registered", "cancelled", "entered-in-error", "unknown"})
_RANK = {"corrected": 2, "amended": 2, "final": 1, "preliminary": 0}
_LONG_AGO = datetime(1, 1, 1, tzinfo=UTC)
_NONE: frozenset[str] = frozenset()
_TIME = Precision.TIME
_Code = tuple[str | None, str | int | None]
_Meaning = tuple[frozenset[str], Analyte | None]
_Found = tuple[Resource, Resource | Component, frozenset[str]]
"""A result as it came: its Observation, the part that holds the value, and the sets of its code."""
_Dated = tuple[datetime, When, bool, _Found]
"""The instant by which it is sorted, its date, whether that is only when it was reported, and the result."""
_SLACK_DAYS = 3
"""More days than there can be between the day and the instant of a date, in whatever zone and precision."""


class LabReader:
    """Reads Observations for a fixed set of analytes; built once at start-up."""

    def __init__(self, analytes: Iterable[Analyte], terminology: Terminology) -> None:
        self._terminology = terminology
        self._by_set: dict[str, Analyte] = {
            value_set: analyte for analyte in analytes for value_set in analyte.value_sets
        }

    def read(self, resources: Iterable[Resource], zone: tzinfo, as_of: datetime) -> tuple[Labs, int]:
        """Analyte id -> results, one per collection time: sorted by code here, read when somebody asks for them.

        Beside them the number of results that have a number and a code that stands for none of the analytes: when it
        jumps, a laboratory may have changed its codes.
        """
        calendar = _Calendar(zone, as_of)
        histories: dict[str, _History] = {}
        meanings: dict[_Code, _Meaning] = {}
        unmapped = 0
        for resource in resources:
            known = False
            values: Sequence[Resource | Component] = (resource,)
            if resource.component:
                values = (resource, *resource.component)
            for value in values:
                if value.code is None:
                    continue
                sets, analyte = _NONE, None
                for coding in value.code.coding:
                    # Many results share a code: what it means is found out once.
                    code = coding.system, coding.code
                    meaning = meanings.get(code)
                    if meaning is None:
                        meaning = meanings[code] = self._meaning_of(coding)
                    if meaning[0]:
                        sets = sets | meaning[0] if sets else meaning[0]
                        analyte = analyte or meaning[1]
                if analyte is not None:
                    history = histories.get(analyte.id)
                    if history is None:
                        history = histories[analyte.id] = _History(analyte, calendar)
                    history.found.append((resource, value, sets))
                    known = True
            unmapped += not known and resource.valueQuantity is not None
        return _Histories(histories), unmapped

    def _meaning_of(self, coding: Coding) -> _Meaning:
        sets = self._terminology.sets_of(coding.system, None if coding.code is None else str(coding.code))
        for each in sets:
            if each in self._by_set:
                return sets, self._by_set[each]
        return sets, None


class _Calendar:
    """The dates of one call. The results of a panel share theirs, so each is read once."""

    def __init__(self, zone: tzinfo, as_of: datetime) -> None:
        self.zone, self.as_of = zone, as_of
        self.end = as_of + FUTURE_TOLERANCE
        """What is dated later lies in the future."""
        self.read: dict[str | None, When | None] = {}

    def when(self, text: str | None) -> When | None:
        if not text:
            return None
        try:
            return self.read[text]
        except KeyError:
            when = self.read[text] = parse_when(text, self.zone)
            return when

    def holds(self, when: When, within_days: int) -> bool:
        """Whether the date is at most so many days old."""
        # The days between two dates are at most one more than the whole days between two instants.
        return (self.as_of - when.instant).days < within_days or (
            when.age_days(self.as_of, self.zone) <= within_days
        )


class _Histories(Labs):
    """The results of one call."""

    def __init__(self, histories: Mapping[str, _History]) -> None:
        self._histories = histories

    def __getitem__(self, analyte: str) -> tuple[Lab, ...]:
        return self._histories[analyte].labs(None)

    def __contains__(self, analyte: object) -> bool:
        return analyte in self._histories

    def __iter__(self) -> Iterator[str]:
        return iter(self._histories)

    def __len__(self) -> int:
        return len(self._histories)

    def of(self, analyte: str, within_days: int | None = None) -> tuple[Lab, ...]:
        history = self._histories.get(analyte)
        return () if history is None else history.labs(within_days)

    def newest(self, analyte: str, within_days: int | None = None) -> Iterator[Lab]:
        history = self._histories.get(analyte)
        return iter(()) if history is None else history.newest(within_days)

    def undated(self, analyte: str) -> Sequence[Lab]:
        history = self._histories.get(analyte)
        return () if history is None else history.undated()


class _History:
    """The results of one analyte. Years of them cost their dates; only those that are asked for become Labs."""

    def __init__(self, analyte: Analyte, calendar: _Calendar) -> None:
        self._analyte, self._calendar = analyte, calendar
        self.found: list[_Found] = []
        self._dated: list[_Dated] | None = None
        """Newest first; `_made` holds the Labs of those before `_next`."""
        self._next = 0
        self._made: list[Lab] = []
        self._undated: list[Lab] = []
        self._labs: dict[int | None, tuple[Lab, ...]] = {}
        self._said: dict[tuple[str, ...], Text | None] = {}

    def labs(self, within_days: int | None) -> tuple[Lab, ...]:
        labs = self._labs.get(within_days)
        if labs is None:
            labs = self._labs[within_days] = (*self._since(within_days), *self.undated())
        return labs

    def newest(self, within_days: int | None) -> Iterator[Lab]:
        dated, calendar, place = self._sorted(), self._calendar, 0
        while place < len(self._made) or self._reaches(dated, within_days):
            if place == len(self._made):
                self._take_one_time(dated)
            lab = self._made[place]
            place += 1
            if within_days is None or (lab.when is not None and calendar.holds(lab.when, within_days)):
                yield lab

    def undated(self) -> list[Lab]:
        self._sorted()
        return self._undated

    def _since(self, within_days: int | None) -> list[Lab]:
        dated, calendar = self._sorted(), self._calendar
        while self._reaches(dated, within_days):
            self._take_one_time(dated)
        if within_days is None:
            return self._made
        return [lab for lab in self._made if lab.when is not None and calendar.holds(lab.when, within_days)]

    def _reaches(self, dated: Sequence[_Dated], within_days: int | None) -> bool:
        """There is a result that is not yet read and may be as young."""
        if self._next == len(dated):
            return False
        if within_days is None:
            return True
        return (self._calendar.as_of - dated[self._next][0]).days <= within_days + _SLACK_DAYS

    def _sorted(self) -> list[_Dated]:
        if self._dated is None:
            self._dated = self._sort()
        return self._dated

    def _sort(self) -> list[_Dated]:
        """Newest first; results without a date, and those that may be of any day, are set aside."""
        dated: list[_Dated] = []
        calendar = self._calendar
        for found in self.found:
            when, reported = calendar.read.get(found[0].effectiveDateTime), False
            if when is None:
                when, reported = _date(found[0], calendar)
            if when is None or (
                when.precision is not _TIME
                and not when.has_day
                and _may_be_recent(when, calendar.as_of, self._analyte)
            ):
                self._undated.append(self._lab(found, when, None, reported=reported))
            else:
                dated.append((when.instant, when, reported, found))
        self._undated.sort(key=attrgetter("source"))
        dated.sort(key=itemgetter(0), reverse=True)
        return dated

    def _take_one_time(self, dated: Sequence[_Dated]) -> None:
        """Read the result of the next time, and before it one that cannot be used but may be the valid one."""
        instant, when, reported, found = dated[self._next]
        begin, self._next = self._next, self._next + 1
        while self._next < len(dated) and dated[self._next][0] == instant:
            self._next += 1
        if self._next == begin + 1:
            self._made.append(self._lab(found, when, when, reported=reported))
            return
        group = [
            (self._lab(found, when, when, reported=reported), _version(found[0], self._calendar))
            for _, when, reported, found in dated[begin : self._next]
        ]
        chosen = _one_result(group)
        self._made += (*_unusable_beside(chosen, group), chosen)

    def _lab(self, found: _Found, sent: When | None, when: When | None, *, reported: bool) -> Lab:
        """The result as dated by `when`, or undated, although a date without a day was sent."""
        (resource, value, sets), analyte = found, self._analyte
        quantity = value.valueQuantity
        status = resource.status or "unknown"
        if status not in _USABLE:
            status = status.strip().lower()
        low, high, problem = amount(analyte, quantity, value.dataAbsentReason is not None)
        # These are no results at all: unlike one that cannot be read, they leave an older result as it is.
        none_given = problem is NO_VALUE or (status in _NOT_A_RESULT and bool(resource.status))
        if status not in _USABLE:
            problem = _status_problem(status)
        elif problem is None and (
            sent is None or sent.instant > self._calendar.end or not (sent.precision is _TIME or sent.has_day)
        ):
            problem = _date_problem(sent, self._calendar)
        return Lab(
            analyte=analyte.id,
            low=None if problem else low,
            high=None if problem else high,
            unit=analyte.unit,
            as_sent=as_sent(quantity),
            when=when,
            when_is="reported" if reported else "collected",
            status=status,
            problem=problem,
            excluded=problem if none_given else self._excluded(resource),
            reference=Normal(analyte, quantity, value.referenceRange) if value.referenceRange else None,
            specimen=resource.specimen.reference if resource.specimen else None,
            sets=sets,
            source=resource.reference,
        )

    def _excluded(self, resource: Resource) -> Text | None:
        """Why the sample does not represent the patient's usual state (drawn after dialysis), if it says so."""
        if not self._analyte.excluding_words:
            return None
        texts = concept_texts(resource.code)
        if resource.note:
            texts = (*(note.text or "" for note in resource.note), *texts)
        if resource.specimen and resource.specimen.display:
            texts = (*texts, resource.specimen.display)
        try:
            # Results of one code nearly always say the same.
            return self._said[texts]
        except KeyError:
            excluded = self._said[texts] = _excluded(self._analyte, texts)
            return excluded


def _date(resource: Resource, calendar: _Calendar) -> tuple[When | None, bool]:
    """When a result was collected, else when it was reported; and whether it is the latter."""
    period_start = resource.effectivePeriod.start if resource.effectivePeriod else None
    when = calendar.when(resource.effectiveDateTime or period_start or resource.effectiveInstant)
    return (when, False) if when is not None else (calendar.when(resource.issued), True)


def _status_problem(status: str) -> Text:
    return Message("status {code}", code=status) if status in _NOT_A_RESULT else Message("status not usable")


def _date_problem(when: When | None, calendar: _Calendar) -> Text:
    """Why a result cannot be placed in time, of one that cannot."""
    if when is None:
        return Message("no usable date")
    return Message("dated in the future") if when.instant > calendar.end else Message("date without a day")


def _may_be_recent(when: When, as_of: datetime, analyte: Analyte) -> bool:
    """The latest day that a date without a day can mean is not out of date."""
    longest = 366 if when.precision == "year" else 31
    return (as_of.date() - when.day).days <= longest + analyte.ageing_days


def _excluded(analyte: Analyte, texts: Sequence[str]) -> Text | None:
    text = " ".join(texts).lower()[:10_000]
    return next((Message(reason) for words, reason in analyte.excluding_words.items() if words in text), None)


def _version(resource: Resource, calendar: _Calendar) -> datetime:
    """When this version of the result was issued; decides between duplicates."""
    updated = resource.meta.lastUpdated if resource.meta else None
    when = calendar.when(resource.issued) or calendar.when(updated)
    return when.instant if when else _LONG_AGO


def _one_result(group: list[tuple[Lab, datetime]]) -> Lab:
    """One result for one collection time: corrected over final, later issue over earlier.

    Usable results of equal standing with different values become one interval that holds them all, so
    that a rule is decided only when every value decides it the same way.
    """

    def standing(item: tuple[Lab, datetime]) -> tuple[bool, bool, int, datetime]:
        lab, version = item
        return lab.problem is None, lab.excluded is None, _RANK.get(lab.status, -1), version

    best = max(standing(item) for item in group)
    rivals = sorted((lab for lab, version in group if standing((lab, version)) == best), key=_identity)
    first = rivals[0]
    if first.problem is not None or all(r.low == first.low and r.high == first.high for r in rivals):
        return first
    lows = [rival.low for rival in rivals]
    highs = [rival.high for rival in rivals]
    first_value, *others = sorted({str(rival.as_sent): rival.as_sent for rival in rivals}.items())
    values: Text = first_value[1]
    for _, value in others:
        values = Message("{one} and {other}", one=values, other=value)
    return replace(
        first,
        low=None if None in lows else min(low for low in lows if low is not None),
        high=None if None in highs else max(high for high in highs if high is not None),
        as_sent=Message("{values} (conflicting results)", values=values),
    )


def _unusable_beside(chosen: Lab, group: list[tuple[Lab, datetime]]) -> tuple[Lab, ...]:
    """An unusable result of the same time that may be the valid one: it stays, as a doubt about `chosen`.

    An earlier issue than the chosen one has been superseded, so it raises no doubt.
    """
    if chosen.problem is not None or chosen.preliminary:
        return ()
    issued = max(version for lab, version in group if lab.source == chosen.source)
    rivals = [lab for lab, version in group if lab.problem and not lab.excluded and version >= issued]
    return tuple(sorted(rivals, key=_identity)[:1])


def _identity(lab: Lab) -> tuple[str, str]:
    return lab.source, str(lab.as_sent)
