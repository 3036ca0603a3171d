"""Criteria on laboratory results: which result counts, and what an unusable newer one does to it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, tzinfo
from decimal import Decimal
from enum import StrEnum
from functools import partial
from itertools import chain

from cds_service.facts.model import Facts, Lab, Labs
from cds_service.facts.record import Record
from cds_service.facts.units import Amount, Analyte, above, at_least, below
from cds_service.localise.text import Deferred, Joined, Message, Text
from cds_service.rules.answer import Answer, Asked, Finding, unknown


class Currency(StrEnum):
    """Age class of a result; a stale result never drives a threshold."""

    CURRENT = "current"
    AGEING = "ageing"
    STALE = "stale"


class Latest(Record, frozen=True, gc=False):
    """The result of an analyte that counts, and what stands against it."""

    lab: Lab | None
    """Newest usable, final result that is not stale."""
    doubt: Text | None
    """Why a clear answer from `lab` would not be sound: a newer result exists that cannot be used."""
    preliminary: Lab | None
    """A newer preliminary result: shown, never decisive."""
    last: Lab | None
    """Newest result of any standing, for print."""
    say_why_none: Callable[[], Text]
    """Never with the facts in it: they keep this record, and what keeps itself outlives the call."""

    @property
    def why_none(self) -> Text:
        """Why there is no usable result, when `lab` is None; put into words only for whoever asks."""
        return self.say_why_none()


def latest(facts: Facts, analyte: Analyte) -> Latest:
    """The newest result that may drive a threshold.

    Results drawn after dialysis, withdrawn or pending ones and stale ones are passed over. A newer result that cannot be used
    (unit, status, value, date) is remembered as a doubt: an older value must not clear a rule in silence.
    An undated result may be newer than any, so it is a doubt too. Worked out once per call.
    """
    key = (latest, analyte.id)
    found: Latest | None = facts.memo.get(key)
    if found is None:
        known = analyte.id in facts.labs or facts.incomplete or analyte.source in facts.failures
        found = facts.memo[key] = _latest(facts, analyte) if known else _NEVER_MEASURED
    return found


def _latest(facts: Facts, analyte: Analyte) -> Latest:
    if analyte.source in facts.failures:
        reason = facts.why_unread(analyte.source)
        unreadable = Message("laboratory results not readable ({reason})", reason=reason)
        return Latest(None, None, None, None, lambda: unreadable)
    usable: Lab | None = None
    preliminary: Lab | None = None
    last: Lab | None = None
    doubts: list[Text] = []
    for lab in facts.labs.newest(analyte.id, analyte.ageing_days):
        if lab.excluded is not None:
            continue
        if last is None:
            last = lab
        if lab.problem is not None:
            doubts.append(
                Message("result of {when} not usable: {problem}", when=lab.when, problem=lab.problem)
            )
        elif not lab.preliminary:
            usable = lab
            break
        elif preliminary is None:
            preliminary = lab
            doubts.append(Message("result of {when} is preliminary", when=lab.when))
    for lab in facts.labs.undated(analyte.id):
        if lab.excluded is None:
            last = last or lab
            doubts.append(Message("an undated result exists ({problem})", problem=lab.problem))
    if "labs" in facts.incomplete and analyte.source == "labs":
        doubts.append(Message("laboratory results were received only in part"))
    if last is None or last.when is None:
        # Nothing dated is in the window: what is out of date is newer than what has no date.
        known = chain(facts.labs.newest(analyte.id), facts.labs.undated(analyte.id))
        last = next((lab for lab in known if lab.excluded is None), None)
    doubt = Joined("; ", doubts) if doubts else None
    why_none = partial(_why_none, facts.labs, doubt, analyte, facts.as_of, facts.zone)
    return Latest(usable, doubt, preliminary, last, why_none)


def _why_none(labs: Labs, doubt: Text | None, analyte: Analyte, as_of: datetime, zone: tzinfo) -> Text:
    if doubt is not None:
        return doubt
    results = labs.of(analyte.id)
    for lab in results:
        if lab.excluded is None and lab.when and lab.when.age_days(as_of, zone) > analyte.ageing_days:
            return Message("last result {when} is out of date", when=lab.when)
    if reasons := Joined("; ", (lab.excluded for lab in results)):
        return Message("only results that do not count ({reasons})", reasons=reasons)
    return _NO_RESULT


_NO_RESULT = Message("no result")
_NEVER_MEASURED = Latest(None, None, None, None, lambda: _NO_RESULT)


def currency(facts: Facts, analyte: Analyte, lab: Lab) -> Currency:
    """Age class by the analyte's own window; both bounds are included."""
    age = facts.age_days(lab.when) if lab.when else analyte.ageing_days + 1
    if age <= analyte.current_days:
        return Currency.CURRENT
    return Currency.AGEING if age <= analyte.ageing_days else Currency.STALE


def decide(lab: Lab, test: Callable[[Decimal], bool], *, rising: bool) -> Answer:
    """Apply a monotonic test to a result that may be an interval (comparator, conflicting values).

    `rising`: the test, once true, stays true for larger values.
    """
    low = test(lab.low) if lab.low is not None else not rising
    high = test(lab.high) if lab.high is not None else rising
    if low is high:
        return Answer.MET if low else Answer.NOT_MET
    return Answer.UNKNOWN


def tell(lab: Lab, analyte: Analyte, value: Text | None = None) -> Text:
    """`phosphate 6.4 mg/dL on 12 Nov 2026`, as printed in findings; `value` may say more than the number."""
    if value is None:
        value = Amount(lab.exact, analyte) if lab.exact is not None else lab.as_sent
    name = Message(analyte.title)
    if lab.when_is == "reported":
        return Message(
            "{analyte} {value} on {when} (date reported)", analyte=name, value=value, when=lab.when
        )
    return Message("{analyte} {value} on {when}", analyte=name, value=value, when=lab.when)


def _compare(
    asked: Asked, analyte: Analyte, facts: Facts, test: Callable[[Decimal], bool], *, rising: bool
) -> Finding:
    found = latest(facts, analyte)
    if found.lab is None:
        return unknown(asked, Message("{analyte}: {why}", analyte=Message(analyte.title), why=found.why_none))
    answer = decide(found.lab, test, rising=rising)
    because = Deferred(tell, found.lab, analyte)
    if answer is Answer.NOT_MET and found.doubt is not None:
        doubtful = Message("{because}, but {doubt}", because=because, doubt=found.doubt)
        return unknown(asked, doubtful, found.lab.source)
    return Finding(asked, answer, because, (found.lab.source,))


@dataclass(frozen=True, slots=True)
class LabAtLeast:
    """Latest usable result at or above (`strictly`: above) a threshold in the analyte's canonical unit."""

    analyte: Analyte
    threshold: Decimal
    source: str
    strictly: bool = False

    @property
    def text(self) -> str:
        sign = "above" if self.strictly else "at least"
        return f"{self.analyte.title} {sign} {self.threshold} {self.analyte.unit} ({self.source})"

    def evaluate(self, facts: Facts) -> Finding:
        test = above if self.strictly else at_least
        return _compare(self, self.analyte, facts, lambda value: test(value, self.threshold), rising=True)


@dataclass(frozen=True, slots=True)
class LabBelow:
    """Latest usable result below a threshold in the analyte's canonical unit; equality is not below."""

    analyte: Analyte
    threshold: Decimal
    source: str

    @property
    def text(self) -> str:
        return f"{self.analyte.title} below {self.threshold} {self.analyte.unit} ({self.source})"

    def evaluate(self, facts: Facts) -> Finding:
        return _compare(self, self.analyte, facts, lambda value: below(value, self.threshold), rising=False)
