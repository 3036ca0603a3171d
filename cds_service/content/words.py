"""Plain words for what the record says in codes, for readers who do not program."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from cds_service.content.reach import trigger_reach
from cds_service.rules.criteria import AllOf, AnyOf, Criterion, Not
from cds_service.rules.rule import FillSpec, Indicator, Mode, Rule
from cds_service.rules.suggestions import RemoveDraft, Suggestion
from cds_service.rules.text import parts
from cds_service.terminology import codes

INDICATORS = {
    Indicator.INFO: "Information",
    Indicator.WARNING: "Warning",
    Indicator.CRITICAL: "Critical",
}
MODES = {
    Mode.LIVE: "live: cards are shown",
    Mode.SHADOW: "shadow: evaluated and recorded, no card",
    Mode.OFF: "off",
}
TAGS = {
    "read": "read in the source itself",
    "secondary": "reported by another source; the original was not read",
    "memory": "from memory; to be checked before anybody relies on it",
}
HOOKS = {
    "order-sign": "orders are signed",
    "order-select": "an order is selected",
    "medication-refill": "a medicine is renewed",
    "patient-view": "the chart is opened",
    "encounter-discharge": "the patient is discharged",
    "encounter-start": "a visit begins",
    "order-dispatch": "an order is sent out",
    "appointment-book": "an appointment is booked",
}
RESOURCES = {
    "Patient": "birth date and sex",
    "Condition": "the problem list",
    "MedicationRequest": "current medicines",
    "Procedure": "procedures",
    "Encounter": "visits and stays",
    "ServiceRequest": "orders for tests, procedures and referrals",
    "Observation": "results",
}
SYSTEMS = {
    codes.RXNORM: "RxNorm (medicines, USA)",
    codes.NDC: "NDC (packages, USA)",
    codes.ATC: "ATC (medicines, WHO)",
    codes.SNOMED: "SNOMED CT",
    codes.LOINC: "LOINC (laboratory)",
    codes.ICD10CM: "ICD-10-CM (diagnoses, USA)",
    codes.ICD10: "ICD-10 (diagnoses, WHO)",
    codes.ICD9CM: "ICD-9-CM (diagnoses and procedures, USA, historic)",
    codes.ICD10PCS: "ICD-10-PCS (procedures, USA)",
    codes.HCPCS: "HCPCS (procedures and supplies, USA)",
    codes.NAME_ONLY: "recognised by name only",
}
ORDER_NAME_FILLS = ("drug", "order")
"""By convention these fills print the name of the order, so an example is taken from the trigger."""

_IDENTIFIER = re.compile(r"\b[a-z0-9]+(?:_[a-z0-9]+)+\b")
_UCUM_REMARK = re.compile(r"\{([^{}]*)\}")


def plain(text: str) -> str:
    """The text without identifiers: `setting_name` becomes `setting name`, UCUM braces go."""
    text = _UCUM_REMARK.sub(lambda found: found[1], text)
    text = text.replace("1.73_m2", "1.73 m2")
    return _IDENTIFIER.sub(lambda found: found[0].replace("_", " "), text)


def markdown(text: str) -> str:
    """Plain text that reads the same inside a table cell or a quotation."""
    text = " ".join(plain(text).split())
    return text.replace("|", "\\|").replace("<", "&lt;").replace("*", "\\*")


def capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def kebab(text: str) -> str:
    """`patient-contraindication` as words."""
    return text.replace("-", " ")


def count(number: int, thing: str) -> str:
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def bullets(texts: Iterable[str]) -> str:
    return "\n".join(f"- {text}" for text in texts)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows)])


def outline(criterion: Criterion, depth: int = 0) -> list[str]:
    """A condition as a nested list: `all of these`, `any of these`, `not`."""
    indent = "  " * depth
    for kind, words in ((AllOf, "All of these:"), (AnyOf, "Any of these:")):
        if isinstance(criterion, kind):
            inner = [line for each in criterion.criteria for line in outline(each, depth + 1)]
            return [f"{indent}- {words}", *inner]
    if isinstance(criterion, Not):
        return [f"{indent}- Not:", *outline(criterion.criterion, depth + 1)]
    return [f"{indent}- {capital(markdown(criterion.text))}"]


def about_orders(rule: Rule) -> bool:
    """The rule judges an order, not the patient as a whole."""
    return not rule.trigger.concerns(None)


def order_example(rule: Rule) -> str | None:
    """The name of an order that the rule is about: the first of its trigger's value sets."""
    titles = [each.title for each in trigger_reach(rule).value_sets.values()]
    return titles[0] if titles else None


def filled(template: str, rule: Rule, fills: Mapping[str, FillSpec]) -> str:
    """The template with example values."""
    order = order_example(rule)
    pieces = list(parts(template))
    for index in range(1, len(pieces), 2):
        name = pieces[index]
        if name in ORDER_NAME_FILLS and order is not None:
            pieces[index] = order
        elif name in fills:
            pieces[index] = fills[name].example
    return "".join(pieces)


def suggestion_words(
    suggestion: Suggestion, rule: Rule, fills: Mapping[str, FillSpec], catalogue: Mapping[str, str]
) -> str:
    """`Order phosphate (offered when no usable P is on record)`."""
    if isinstance(suggestion, RemoveDraft):
        text = filled(suggestion.label, rule, fills)
    else:
        text = catalogue.get(suggestion.key, kebab(suggestion.key.replace(".", " ")))
    return f"{text} (only when: {suggestion.when.text})" if suggestion.when is not None else text
