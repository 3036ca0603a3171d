"""The form of a switch, and the files that are changed most."""

from __future__ import annotations

from typing import NamedTuple


class Switch(NamedTuple):
    """Replace `old` by `new` in `file`, and the defence is gone. `more`: (file, old, new) of a second wall behind it."""

    row: str
    defence: str
    file: str
    old: str
    new: str
    more: tuple[tuple[str, str, str], ...] = ()

    @property
    def changes(self) -> tuple[tuple[str, str, str], ...]:
        """(file, old, new) of every change."""
        return ((self.file, self.old, self.new), *self.more)


S = "cds_service/"
APP, STAGES, CLIENT = S + "app.py", S + "stages.py", S + "fhir/client.py"
VERIFY, KEYS, READING, SEARCH = (
    S + "clients/verify.py",
    S + "clients/keys.py",
    S + "fhir/reading.py",
    S + "fhir/search.py",
)
LABS, LAB_VALUES = S + "facts/labs.py", S + "facts/lab_values.py"
TEXT, NORMALISE = S + "rules/text.py", S + "facts/normalise.py"
MEDICATIONS, DATES, REQUEST = S + "facts/medications.py", S + "facts/dates.py", S + "protocol/request.py"
