"""Value sets: lists of codes with one meaning, read from FHIR ValueSet files, and groups of them."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import msgspec

from cds_service.terminology.codes import Coding, problem_with


class ValueSetError(Exception):
    """A value-set file cannot be used; lists everything that is wrong with it."""

    def __init__(self, path: Path, problems: list[str]) -> None:
        """Keep the file and its problems for the content check."""
        super().__init__("\n".join([f"{path.name}: {len(problems)} problem(s)", *problems]))
        self.path = path
        self.problems = tuple(problems)


class CodeGroup(Protocol):
    """What a rule names: one value set or several under one title."""

    @property
    def id(self) -> str:
        """Kebab-case name."""

    @property
    def title(self) -> str:
        """Plain English, as printed in a sentence."""

    @property
    def ids(self) -> frozenset[str]:
        """The value sets it stands for."""


@dataclass(frozen=True, slots=True)
class ValueSet:
    """One value set; two are equal when id and version are."""

    id: str
    version: str
    url: str = field(compare=False, repr=False)
    title: str = field(compare=False, repr=False)
    purpose: str = field(compare=False, repr=False)
    copyright: str = field(compare=False, repr=False)
    codings: tuple[Coding, ...] = field(compare=False, repr=False)
    ids: frozenset[str] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "ids", frozenset((self.id,)))


@dataclass(frozen=True, slots=True)
class ValueSetGroup:
    """Several value sets under one title."""

    id: str
    title: str
    members: tuple[CodeGroup, ...] = field(repr=False)
    ids: frozenset[str] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "ids", frozenset().union(*(member.ids for member in self.members)))


def group(id: str, title: str, *members: CodeGroup) -> ValueSetGroup:  # noqa: A002 - named as the field is
    """Put value sets and groups under one title."""
    if not members:
        raise ValueError(f"group {id} has no members")
    return ValueSetGroup(id, title, members)


@dataclass(frozen=True, slots=True)
class Exclusion:
    """Codes of products that only look like a drug: any of them takes the named sets back."""

    value_set: ValueSet
    removes: frozenset[str]


def exclusion(value_set: ValueSet, *removes: CodeGroup) -> Exclusion:
    """Say what a list of look-alikes is not."""
    return Exclusion(value_set, frozenset().union(*(each.ids for each in removes)))


class _Concept(msgspec.Struct):
    code: str
    display: str = ""


class _Include(msgspec.Struct):
    system: str
    concept: list[_Concept]


class _Compose(msgspec.Struct):
    include: list[_Include]


class _File(msgspec.Struct, rename="camel"):
    resource_type: str
    id: str
    url: str
    version: str
    title: str
    purpose: str
    copyright: str
    compose: _Compose


_decoder = msgspec.json.Decoder(_File)


def load_value_set(path: Path) -> ValueSet:
    """Read one FHIR ValueSet whose codes are all listed.

    Raises:
        ValueSetError: with all problems of the file.
    """
    try:
        file = _decoder.decode(path.read_bytes())
    except (OSError, msgspec.MsgspecError) as error:
        raise ValueSetError(path, [str(error)]) from error
    codings = tuple(
        Coding(include.system, concept.code, concept.display)
        for include in file.compose.include
        for concept in include.concept
    )
    problems = _problems(path, file, codings)
    if problems:
        raise ValueSetError(path, problems)
    return ValueSet(
        id=file.id,
        version=file.version,
        url=file.url,
        title=file.title,
        purpose=file.purpose,
        copyright=file.copyright,
        codings=codings,
    )


def _problems(path: Path, file: _File, codings: tuple[Coding, ...]) -> list[str]:
    problems = [problem for coding in codings if (problem := problem_with(coding))]
    if file.resource_type != "ValueSet":
        problems.append(f"resourceType is {file.resource_type}")
    if file.id != path.stem:
        problems.append(f"id {file.id} is not the file name")
    problems.extend(
        f"{name} is empty" for name in ("url", "version", "title", "purpose") if not getattr(file, name)
    )
    if not codings:
        problems.append("no codes")
    if len({(coding.system, coding.code) for coding in codings}) < len(codings):
        problems.append("a code is listed twice")
    return problems
