"""Where installed content lies on disk: its value-set folder, its rule files, its map of statements.

Content is found through its entry points, never imported by name.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from importlib import import_module
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path
from pkgutil import iter_modules
from types import ModuleType
from typing import Protocol

from cds_service.registry import GROUP
from cds_service.rules.rule import Rule
from cds_service.rules.service import Content, Service


class Place(Protocol):
    """Where a founding statement can be seen."""

    @property
    def kind(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def note(self) -> str: ...
    @property
    def mentions(self) -> str: ...
    @property
    def proof(self) -> str: ...


class Statement(Protocol):
    """A founding statement in the content's own words, with the places where it can be seen."""

    @property
    def id(self) -> str: ...
    @property
    def document(self) -> str: ...
    @property
    def says(self) -> str: ...
    @property
    def places(self) -> Sequence[Place]: ...


def packages() -> list[ModuleType]:
    """The package of every entry point."""
    names = sorted({point.module.partition(".")[0] for point in entry_points(group=GROUP)})
    return [import_module(name) for name in names]


def value_set_folder(content: Content) -> Path | None:
    """The folder with a manifest that holds the value sets of `content`, if it can be found."""
    ids = {each.id for each in content.value_sets}
    for package in packages():
        for root in package.__path__:
            for manifest in sorted(Path(root).glob("*/manifest.json")):
                if ids & {path.stem for path in manifest.parent.glob("*.json")}:
                    return manifest.parent
    return None


def statements() -> tuple[Statement, ...]:
    """`STATEMENTS` of the module `statements` of each content package that has one."""
    found: list[Statement] = []
    for package in packages():
        if find_spec(f"{package.__name__}.statements") is not None:
            found.extend(import_module(f"{package.__name__}.statements").STATEMENTS)
    return tuple(found)


def unique_rules(services: Iterable[Service]) -> list[Rule]:
    """Every rule once, by number; two different rules with one id both come back."""
    found: list[Rule] = []
    for service in services:
        found.extend(use.rule for use in service.rules if not any(use.rule is each for each in found))
    return sorted(found, key=lambda rule: (rule.number, rule.id))


def unique_contents(services: Iterable[Service]) -> list[Content]:
    found: list[Content] = []
    for service in services:
        if not any(service.content is each for each in found):
            found.append(service.content)
    return found


def home(rule: Rule) -> ModuleType | None:
    """The module that declares the rule; none for a rule made on the fly."""
    for name in sorted(sys.modules):
        module = sys.modules[name]
        declared = vars(module).get("RULE") if isinstance(module, ModuleType) else None
        if declared is rule:
            return module
    return None


def rules_in_files(rules: Iterable[Rule]) -> Iterator[tuple[Rule, ModuleType]]:
    """Every rule declared in the folders in which the given rules stand, whether a service has it or not."""
    folders: dict[str, ModuleType] = {}
    for rule in rules:
        module = home(rule)
        if module is not None and module.__package__:
            folders.setdefault(module.__package__, import_module(module.__package__))
    for package in folders.values():
        for info in iter_modules(getattr(package, "__path__", ())):
            module = import_module(f"{package.__name__}.{info.name}")
            declared = vars(module).get("RULE")
            if isinstance(declared, Rule):
                yield declared, module
