"""Finish: one patient's records through the same facts and rules as a call for the patient's chart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import structlog

from cds_service.clients.profile import ClientProfile
from cds_service.engine import Engine
from cds_service.facts.medications import MedicationShelf, shelve
from cds_service.facts.model import Facts
from cds_service.facts.normalise import Setting
from cds_service.facts.units import Analyte
from cds_service.fhir.decode import Resource
from cds_service.fhir.source import Source
from cds_service.population.gather import Catalogue, Person
from cds_service.population.remembering import remembering
from cds_service.registry import ReadyService, ready_services
from cds_service.rules.answer import Answer
from cds_service.rules.evaluate import Outcome, Result, evaluate
from cds_service.rules.rule import Mode, Rule
from cds_service.rules.standing import StandingView
from cds_service.settings import SettingsError

log = structlog.get_logger()
HOOK = "patient-view"
_FIRST = ("patient", "conditions", "procedures", "encounters")
"""What is read of every patient. The rest is read only where these leave a question open."""
_THEN = ("labs", "vitals", "medications", "requests")


@dataclass(frozen=True, slots=True)
class Judging:
    """Everything that decides the answers. Plain data: it is sent to other processes and machines."""

    service: str
    as_of: datetime
    zone: str
    units: str
    modes: Mapping[str, str]
    """Rule -> mode; a rule that is off is not in it."""
    site: Mapping[str, Any]
    value_sets_off: tuple[str, ...]


class Told(msgspec.Struct, omit_defaults=True, frozen=True):
    """What one rule says of a patient, when it is more than `clear`."""

    rule: str
    version: str
    mode: str
    outcome: str
    indicator: str = ""
    branch: str = ""
    because: str = ""


class Standing(msgspec.Struct, omit_defaults=True, kw_only=True):
    """One patient in the result of a screening. A rule that is not in `rules` is clear."""

    patient: str
    member: str
    """`yes`, `no` or `unknown`."""
    cohort: str
    certainty: str = ""
    kind: str = ""
    evidence: tuple[str, ...] = ()
    because: str = ""
    sources: tuple[str, ...] = ()
    rules: tuple[Told, ...] = ()
    factors: dict[str, str] = {}
    """Factor -> state, of members and of those who may be."""
    ages: dict[str, int | None] = {}
    """Analyte -> age in days of the newest usable result; None when there is none."""
    point: tuple[float, float, str] | None = None
    """The pair of values that are judged together, and the day of the sample."""
    gaps: tuple[str, ...] = ()


_made_ready: dict[tuple[str, tuple[str, ...]], ReadyService] = {}
"""Service and the value sets that are off -> the service with a terminology that remembers."""
_MEMBER = {Answer.MET: "yes", Answer.NOT_MET: "no", Answer.UNKNOWN: "unknown"}


def service_for_hook(engine: Engine, hook: str) -> ReadyService:
    """The first installed service of a hook.

    Raises:
        SettingsError: there is none.
    """
    for ready in engine.services.values():
        if ready.service.hook == hook:
            return ready
    raise SettingsError(f"no installed service for the hook {hook}")


def standing_service(engine: Engine) -> ReadyService:
    """The service whose rules a screening runs.

    Raises:
        SettingsError: no service of the hook patient-view says what a screening should report.
    """
    for ready in engine.services.values():
        if ready.service.hook == HOOK and ready.service.content.standing is not None:
            return ready
    raise SettingsError("no installed service for the hook patient-view can be used for screening")


def judging(
    engine: Engine, profile: ClientProfile, as_of: datetime, ready: ReadyService | None = None
) -> Judging:
    """How the rules of a service judge: as a call of this client would be judged. By default a screening's."""
    ready = ready or standing_service(engine)
    rules = engine.rules_for(ready, profile)
    off = tuple(sorted({*engine.settings.value_sets_off, *engine.site.value_sets_off}))
    # The index of this engine serves the judges of this process and of those that begin as copies of it.
    _made_ready.setdefault((ready.service.id, off), remembering(ready))
    return Judging(
        service=ready.service.id,
        as_of=as_of,
        zone=profile.timezone or str(engine.site.zone),
        units=profile.unit_system,
        modes={rule.id: mode.value for rule, mode in rules},
        site=dict(engine.site.clinical),
        value_sets_off=off,
    )


@dataclass(slots=True)
class Judge:
    """Judges patients one by one; built once in each process."""

    how: Judging
    ready: ReadyService
    view: StandingView
    rules: tuple[tuple[Rule, Mode], ...]
    zone: ZoneInfo = field(init=False)
    _bystander: Standing | None = field(init=False)
    """The answer for everybody of whom no record decides about the population; None: there is no such answer."""

    def __post_init__(self) -> None:
        self.zone = ZoneInfo(self.how.zone)
        nobody = (Resource(resourceType="Patient", id="nobody"),)
        empty = {key: Source(key, nobody if key == "patient" else (), origin="prefetch") for key in _FIRST}
        facts = self.facts("nobody", empty, shelve(()))
        usable = bool(self.view.decisive) and not facts.gaps and self._needs_no_more(facts)
        self._bystander = self._told("nobody", facts, [], member=False) if usable else None

    @property
    def decisive(self) -> frozenset[str]:
        """Value sets that decide about the population; empty when everybody has to be judged."""
        return self.view.decisive if self._bystander is not None else frozenset()

    def standing(self, person: Person, catalogue: Catalogue) -> Standing:
        """The answer for one patient."""
        if self._bystander is not None and not person.telling:
            return msgspec.structs.replace(self._bystander, patient=person.id)
        first = {key: person.source(key) for key in _FIRST}
        facts = self.facts(person.id, first, shelve(()))
        if self._needs_no_more(facts):
            return self._told(person.id, facts, [], member=False)
        then = {key: person.source(key) for key in _THEN}
        shelf = person.shelf(catalogue)
        rest = self.facts(person.id, then, shelf)
        lossless = not facts.gaps and not rest.gaps
        # What was lost has to be told in the order of one reading.
        whole = self._together(facts, rest) if lossless else self.facts(person.id, first | then, shelf)
        return self.judge(person.id, whole)

    def _together(self, first: Facts, rest: Facts) -> Facts:
        """One set of facts from what was read first and from the rest, neither of which has gaps.

        The first part need not be read again; of the features worked out from it alone, those that last are kept.
        """
        failures = {key: why for key, why in first.failures.items() if key in _FIRST}
        failures |= {key: why for key, why in rest.failures.items() if key in _THEN}
        return Facts(
            as_of=first.as_of,
            zone=first.zone,
            hook=first.hook,
            patient=first.patient,
            problems=first.problems,
            labs=rest.labs,
            medications=rest.medications,
            procedures=first.procedures,
            encounters=first.encounters,
            requests=rest.requests,
            orders=(),
            gaps=(),
            incomplete=frozenset(),
            failures=failures,
            settings=first.settings,
            units=first.units,
            unmapped_labs=rest.unmapped_labs,
            memo={each: first.memo[each] for each in self.view.lasting if each in first.memo},
        )

    def _needs_no_more(self, facts: Facts) -> bool:
        """Not in the population, and every rule is clear, whatever is still unread."""
        # Members are asked no further: of them everything is read.
        return facts.feature(self.view.membership).answer is Answer.NOT_MET and all(
            _settled(rule, facts) for rule, _ in self.rules
        )

    def judge(self, patient: str, facts: Facts) -> Standing:
        """All rules on complete facts."""
        outcomes = [judged_by(rule, facts, mode) for rule, mode in self.rules]
        answer = facts.feature(self.view.membership).answer
        return self._told(patient, facts, outcomes, member=answer is not Answer.NOT_MET)

    def facts(self, patient: str, sources: Mapping[str, Source], shelf: MedicationShelf) -> Facts:
        """The facts of one patient, as of the time of the screening."""
        setting = Setting(
            as_of=self.how.as_of,
            zone=self.zone,
            hook=HOOK,
            patient_id=patient,
            site=self.how.site,
            units=self.how.units,
        )
        return self.ready.normaliser.facts(sources, (), shelf, setting)

    def _told(self, patient: str, facts: Facts, outcomes: list[Outcome], *, member: bool) -> Standing:
        found = facts.feature(self.view.membership)
        standing = Standing(
            patient=patient,
            member=_MEMBER[found.answer],
            cohort=found.cohort,
            certainty=found.certainty,
            kind=found.kind,
            evidence=found.evidence,
            because=found.because,
            sources=found.sources,
            rules=tuple(
                told(item) for item in outcomes if item.result not in (Result.CLEAR, Result.NOT_TRIGGERED)
            ),
            gaps=tuple(dict.fromkeys(f"{gap.source}: {gap.text}" for gap in facts.gaps)),
        )
        if member:
            standing.factors = {item.id: item.state for item in self.view.factors(facts)}
            standing.ages = {item.id: self._age(facts, item) for item in self.view.analytes}
            standing.point = self._point(facts)
        return standing

    def _age(self, facts: Facts, analyte: Analyte) -> int | None:
        if analyte.source not in facts.failures:
            for lab in facts.labs.newest(analyte.id):
                if lab.when is not None and lab.problem is None and lab.excluded is None:
                    return facts.age_days(lab.when)
        return None

    def _point(self, facts: Facts) -> tuple[float, float, str] | None:
        found = self.view.scatter.point(facts) if self.view.scatter else None
        if found is None:
            return None
        x, y, day = found
        return float(round(x, 3)), float(round(y, 3)), day.isoformat()


def _settled(rule: Rule, facts: Facts) -> bool:
    """The rule is clear whatever is still unread.

    A criterion that rests on something unread answers UNKNOWN, so NOT_MET stays NOT_MET when more is read; and
    one NOT_MET among population and criteria makes a rule clear (`rules/evaluate.py`).
    """
    return not rule.trigger.concerns(None) or any(
        criterion.evaluate(facts).answer is Answer.NOT_MET for criterion in (*rule.population, *rule.criteria)
    )


def judged_by(rule: Rule, facts: Facts, mode: Mode) -> Outcome:
    """What a rule says; a rule that fails costs its own answer only, as in a call."""
    try:
        return evaluate(rule, facts, mode)
    except Exception as error:  # noqa: BLE001 - as `stages.evaluate`: a broken rule is "cannot assess"
        # The class alone: the message could hold a value of the record.
        log.error("rule_failed", rule=rule.id, version=rule.version, error_class=type(error).__name__)  # noqa: TRY400
        return Outcome(rule, mode, Result.CANNOT_ASSESS, facts.order, error=type(error).__name__)


def told(outcome: Outcome) -> Told:
    """What an outcome says, as data."""
    fires = outcome.result is Result.FIRES
    finding = outcome.findings[-1] if outcome.findings else None
    if not fires:
        finding = next((f for f in outcome.findings if f.answer is Answer.UNKNOWN), finding)
    return Told(
        rule=outcome.rule.id,
        version=outcome.rule.version,
        mode=outcome.mode.value,
        outcome=outcome.result.value,
        indicator=outcome.indicator.value if fires else "",
        branch=outcome.tier.branch if outcome.tier else "",
        because=str(finding.because) if finding and not fires else "",
    )


def build_judge(how: Judging) -> Judge:
    """The judge of this process."""
    key = how.service, how.value_sets_off
    if key not in _made_ready:
        _made_ready[key] = remembering(ready_services(frozenset(how.value_sets_off))[how.service])
    ready = _made_ready[key]
    view = ready.service.content.standing
    if view is None:
        raise SettingsError(f"the service {how.service} says nothing about screening")
    uses = sorted(ready.service.rules, key=lambda use: use.rule.number)
    rules = tuple((use.rule, Mode(how.modes[use.rule.id])) for use in uses if use.rule.id in how.modes)
    return Judge(how, ready, view, rules)
