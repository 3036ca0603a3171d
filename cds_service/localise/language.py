"""What text is rendered with: a catalogue, number marks, date forms and a unit system. English by default."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
CONVENTIONAL, SI = "conventional", "SI"


def english_date(day: date, precision: str) -> str:
    """`12 Nov 2026`, `Nov 2026` or `2026`: never a form that day and month can be swapped in."""
    if precision == "year":
        return str(day.year)
    month = f"{_MONTHS[day.month - 1]} {day.year}"
    return month if precision == "month" else f"{day.day} {month}"


@dataclass(frozen=True, slots=True)
class Language:
    """Everything that decides how a text reads; built at start-up, handed to whatever renders."""

    tag: str
    messages: Mapping[str, str] = field(default_factory=dict, repr=False)
    """English template -> template in this language; what is missing stays English."""
    marks: Mapping[int, str] = field(default_factory=dict, repr=False)
    """For `str.translate`: what stands for the English comma and point in a number."""
    date: Callable[[date, str], str] = field(default=english_date, repr=False)
    """Day and precision (`year`, `month`, `day`, `time`) to text."""
    date_length: int = len("12 Nov 2026")
    """Greatest length of a date, in characters."""
    units: str = CONVENTIONAL
    """`conventional` (mg/dL) or `SI` (mmol/L): which of the two is printed."""

    def translated(self, template: str) -> str:
        """The template in this language, else as it is."""
        return self.messages.get(template, template)

    def number(self, text: str) -> str:
        """An English number (`1,014.5`) with the marks of this language."""
        return text.translate(self.marks) if self.marks else text


ENGLISH = Language("en")
"""The language of the templates, of the trace and of the review sheets."""
