"""The 13 source attributes of an evidence-based decision support intervention, for each rule.

They are those of the US certification criterion 45 CFR 170.315(b)(11) (HTI-1). What cannot be worked out from the
rule itself is said to be so: nothing here is typed in twice.
"""

from __future__ import annotations

from types import FunctionType

from cds_service.content.reach import Reach, logic
from cds_service.content.rule_check import texts_of
from cds_service.rules.criteria import AgeAtLeast
from cds_service.rules.rule import Rule
from cds_service.rules.service import Content
from cds_service.rules.text import fill_names

_NOT_READ = "No. It is not read."
_PERSON = ("Race", "Ethnicity", "Language", "Sexual orientation", "Gender identity")


class _NamesUsed(Reach):
    """Also keeps the names that the rule's code uses, such as `gender`."""

    def __init__(self, *starts: object) -> None:
        self.names: set[str] = set()
        super().__init__(*starts)

    def _see(self, value: object) -> None:
        if isinstance(value, AgeAtLeast):
            self.names.add("birth")
        super()._see(value)

    def _follow(self, function: FunctionType) -> None:
        self.names.update(function.__code__.co_names)
        super()._follow(function)


def source_attributes(rule: Rule, content: Content) -> dict[str, str]:
    """Attribute -> what is true of this rule, in plain words."""
    shown = {name for _, text in texts_of(rule) for name in fill_names(text)} & set(content.fills)
    used = _NamesUsed(*logic(rule), *(content.fills[name].make for name in sorted(shown))).names
    review = rule.review
    return {
        "Bibliographic citation": "; ".join(
            dict.fromkeys(cites.citation.label for cites in rule.evidence if cites.citation.label)
        ),
        "Developer": review.authored_by,
        "Funding": "The rule names no funder.",
        "Release and revision": f"Version {rule.version}; "
        + (f"reviewed on {review.reviewed_on}" if review.reviewed_on else "not reviewed or released yet"),
        **dict.fromkeys(_PERSON, _NOT_READ),
        "Sex": "Yes: the sex on record (Patient.gender), as a risk factor." if "gender" in used else "No.",
        "Date of birth": "Yes: for the age and its limits." if "birth" in used else "No.",
        "Social determinants of health": _NOT_READ,
        "Health status assessments": "No. Problems, results, medicines, procedures and visits are read; "
        "assessments of function, disability, pregnancy or smoking are not.",
    }
