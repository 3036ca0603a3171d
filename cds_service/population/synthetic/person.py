"""Draws one synthetic patient: group, evidence, diagnoses, drugs. The same seed and number give the same patient."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import TypeVar

from cds_service.rules.cohort import Cohort, Diagnosis, Drug, Evidence, Group, Share, Wording

T = TypeVar("T")
Named = TypeVar("Named", Diagnosis, Drug)
_ZONES = ("Z", "Z", "Z", "+01:00", "+01:00", "-05:00", "-05:00", "")


@dataclass(slots=True)
class Person:
    """One patient before any resource is written."""

    id: str
    rng: Random
    group: Group
    evidence: Evidence | None
    diagnoses: list[Diagnosis]
    drugs: list[Drug]
    age: int
    gender: str
    laboratory: float
    """Which laboratory reports the results, from 0 to 1: it decides the units."""
    zone: str
    """Offset written behind times; '' for an EHR that leaves it out."""
    phase: float
    """Where in the interval between two samples the day of the export falls, from 0 to 1."""
    gaps: list[str]
    shapes: dict[str, int] = field(default_factory=dict)
    """Planted fault or shape -> number of resources."""

    @property
    def has(self) -> set[str]:
        """Ids of everything the patient has or takes."""
        return {item.id for item in self.diagnoses} | {item.id for item in self.drugs}

    def planted(self, shape: str) -> None:
        if shape:
            self.shapes[shape] = self.shapes.get(shape, 0) + 1


class Drawer:
    """Draws patients of one cohort."""

    def __init__(self, cohort: Cohort, seed: int) -> None:
        self._cohort = cohort
        self._seed = seed
        self._diagnoses = {item.id: item for item in cohort.diagnoses}
        self._drugs = {item.id: item for item in cohort.drugs}

    def person(self, number: int) -> Person:
        """Patient `number`, whatever was drawn before."""
        rng = Random(f"{self._seed}/{number}")  # noqa: S311 - reproducible on purpose
        group = pick(rng, self._cohort.groups, [item.share for item in self._cohort.groups])
        evidence = (
            pick(rng, group.evidence, [item.weight for item in group.evidence]) if group.evidence else None
        )
        diagnoses = list(evidence.diagnoses) if evidence else []
        diagnoses += _drawn(rng, group.diagnoses, self._diagnoses, set())
        drugs = _drawn(rng, group.drugs, self._drugs, {item.id for item in diagnoses})
        female = next(
            (share for ident, share in group.female_given.items() if any(d.id == ident for d in diagnoses)),
            group.female,
        )
        return Person(
            id=f"syn-{number:06d}",
            rng=rng,
            group=group,
            evidence=evidence,
            diagnoses=diagnoses,
            drugs=drugs,
            age=rng.randint(*group.ages),
            gender="female" if rng.random() < female else "male",
            laboratory=rng.random(),
            zone=rng.choice(_ZONES),
            phase=rng.uniform(0.04, 1),
            gaps=[name for name, share in self._cohort.gaps.items() if rng.random() < share],
        )


def _drawn(rng: Random, shares: Sequence[Share], known: Mapping[str, Named], has: set[str]) -> list[Named]:
    found: list[Named] = []
    has = set(has)
    for item in shares:
        share = max((item.given[ident] for ident in has if ident in item.given), default=item.share)
        if rng.random() < share:
            has.add(item.id)
            found.append(known[item.id])
    return found


def pick(rng: Random, items: Sequence[T], weights: Sequence[float]) -> T:
    return rng.choices(items, weights)[0]


def wording(rng: Random, wordings: Sequence[Wording]) -> Wording:
    return wordings[0] if len(wordings) == 1 else pick(rng, wordings, [item.weight for item in wordings])
