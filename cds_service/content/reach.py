"""What a rule rests on: value sets, analytes, named constants and sentences that its criteria reach.

A criterion holds its value sets as fields (`HasProblem((DIABETES,))`) or uses them inside its code
(`OnDialysis()` reads a dozen). Both are found: fields by walking the record, code by following the names
that its functions use. So the sheet, the content hash and the FHIR export miss no code list. Engine and
standard library are not followed; a name that only looks the same is followed too, which is the safe error.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from functools import partial
from types import CodeType, FunctionType, MethodType, ModuleType

from cds_service.facts.units import Analyte
from cds_service.rules.rule import Line, Rule
from cds_service.terminology.valueset import ValueSet, ValueSetGroup

_ENGINE = __name__.partition(".")[0]


class Reach:
    """Everything that can be got to from some starting points."""

    def __init__(self, *starts: object) -> None:
        self.value_sets: dict[str, ValueSet] = {}
        self.groups: dict[str, ValueSetGroup] = {}
        self.analytes: dict[str, Analyte] = {}
        self.constants: dict[str, object] = {}
        """Module-level data used by code: name -> value (`PAIR_DAYS`: 7)."""
        self.sentences: dict[str, str] = {}
        """Text written inside code: text -> the function that holds it."""
        self._seen: dict[int, object] = {}
        for start in starts:
            self._see(start)

    def sets(self, known: Iterable[ValueSet] = ()) -> tuple[ValueSet, ...]:
        """The value sets by id; `known` resolves the ones that an analyte only names."""
        found = dict(self.value_sets)
        named = {ident for analyte in self.analytes.values() for ident in analyte.value_sets}
        found.update({each.id: each for each in known if each.id in named})
        return tuple(found[ident] for ident in sorted(found))

    def _see(self, value: object) -> None:
        if id(value) in self._seen:
            return
        self._seen[id(value)] = value  # keeps it alive, so that the id stays taken
        if isinstance(value, ValueSet):
            self.value_sets[value.id] = value
        elif isinstance(value, ValueSetGroup):
            self.groups[value.id] = value
            self._all(value.members)
        elif isinstance(value, Analyte):
            self.analytes[value.id] = value
        elif isinstance(value, Mapping):
            self._all(value.values())
        elif isinstance(value, tuple | list | set | frozenset):
            self._all(value)
        elif isinstance(value, partial):
            self._all((value.func, value.args, value.keywords))
        elif isinstance(value, MethodType):
            self._all((value.__self__, value.__func__))
        elif isinstance(value, FunctionType):
            self._follow(value)
        elif isinstance(value, type):
            self._members(value)
        elif is_dataclass(value):
            self._all(getattr(value, each.name) for each in fields(value))
            self._members(type(value))

    def _all(self, values: Iterable[object]) -> None:
        for value in values:
            self._see(value)

    def _members(self, kind: type) -> None:
        if not _is_content(kind.__module__):
            return
        for member in vars(kind).values():
            if isinstance(member, property):
                self._see(member.fget)
            elif isinstance(member, staticmethod | classmethod):
                self._see(member.__func__)
            elif isinstance(member, FunctionType):
                self._see(member)

    def _follow(self, function: FunctionType) -> None:
        home = str(function.__globals__.get("__name__", ""))
        if not _is_content(home) or function.__code__.co_filename.startswith("<"):
            return  # `<string>`: methods that dataclasses made
        codes = list(_nested(function.__code__))
        for code in codes:
            for constant in code.co_consts:
                if isinstance(constant, str) and constant != function.__doc__:
                    self.sentences.setdefault(constant, f"{function.__module__}.{function.__qualname__}")
        names = sorted({name for code in codes for name in code.co_names})
        for name in names:
            if name in function.__globals__:
                self._named(name, function.__globals__[name], names)
        self._all(cell.cell_contents for cell in function.__closure__ or ())

    def _named(self, name: str, value: object, names: list[str]) -> None:
        if isinstance(value, ModuleType):
            if _is_content(value.__name__):
                self._all(getattr(value, each) for each in names if hasattr(value, each))
            return
        if not isinstance(value, type | FunctionType) and not callable(value):
            self.constants[name] = value
        self._see(value)


def _nested(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _nested(constant)


def _is_content(module: str) -> bool:
    package = module.partition(".")[0]
    return package != _ENGINE and package not in sys.stdlib_module_names and package != "builtins"


def lines_of(rule: Rule) -> Iterator[Line]:
    """Every line of detail that the rule can show."""
    for tier in rule.tiers:
        yield from (*tier.consider, *tier.why, *tier.exceptions, *tier.closing)
    yield from rule.when_unknown.detail
    yield from rule.common_detail


def trigger_reach(rule: Rule) -> Reach:
    """What decides whether an order concerns the rule."""
    return Reach(rule.trigger)


def logic(rule: Rule) -> tuple[object, ...]:
    """The parts of a rule that decide something."""
    return (
        rule.trigger,
        rule.population,
        rule.criteria,
        rule.exclusions,
        rule.suppressions,
        tuple(tier.when for tier in rule.tiers),
        tuple(line.when for line in lines_of(rule)),
        tuple(suggestion.when for tier in rule.tiers for suggestion in tier.suggestions),
    )


def rule_reach(rule: Rule) -> Reach:
    """What the logic of the rule rests on, trigger and suggestions included."""
    return Reach(*logic(rule))
