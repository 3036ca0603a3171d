"""The stages of the straight line; each takes the call, does one thing, and leaves its result on it."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

import structlog

from cds_service import compose as composing
from cds_service.callers import caller_profile
from cds_service.clients.profile import ClientProfile
from cds_service.engine import Engine, ServiceFor
from cds_service.errors import BadRequest, ForeignPatient, NothingAssessable, UnknownService
from cds_service.facts.medications import shelve, unresolved_reference
from cds_service.facts.model import Facts, Order
from cds_service.facts.normalise import Setting, read_orders
from cds_service.facts.subjects import Whose, whose
from cds_service.fhir.client import Deadline, FhirAccess
from cds_service.fhir.decode import Dropped, Resource
from cds_service.fhir.prefetch import Source, read_prefetch, read_references
from cds_service.fhir.prefetch import complete as complete_sources
from cds_service.fhir.results import FailureReason, Fetched
from cds_service.fhir.source import Value, take_apart, unique
from cds_service.load.admission import Turn
from cds_service.protocol.request import OLD_HOOKS, HookRequest, decode_request
from cds_service.recording import ORDERS, UNREADABLE, invocation_of
from cds_service.rules.evaluate import Outcome, Result, triggered
from cds_service.rules.evaluate import evaluate as evaluate_rule
from cds_service.rules.rule import Mode, Rule
from cds_service.timing import Timed

log = structlog.get_logger()
_DSTU2 = frozenset({"MedicationOrder", "DiagnosticOrder", "MedicationPrescription"})
_LOOKED_AT = _DSTU2 | {"Medication", "Patient"}
_NO_DSTU2 = "FHIR DSTU2 resources are not supported; send R4."
_EMPTY_ENTRY = "no resource"
_NOT_PROFESSIONAL = ("Patient/", "RelatedPerson/")
_RECORD_SHARE = 0.5


@dataclass(slots=True)
class Call:
    """One call on its way through the stages."""

    engine: Engine
    body: bytes
    turn: Turn = field(default_factory=Turn)
    deadline: Deadline = field(init=False)
    fhir_deadline: Deadline = field(init=False)
    timings: dict[str, float] = field(default_factory=dict)
    profile: ClientProfile = field(init=False)
    service: ServiceFor = field(init=False)
    request: HookRequest = field(init=False)
    as_of: datetime = field(init=False)
    orders: tuple[Order, ...] = ()
    order_resources: list[Resource] = field(default_factory=list)
    unread_orders: list[Dropped] = field(default_factory=list)
    companions: list[tuple[Resource, str | None]] = field(default_factory=list)
    unclassified: tuple[str, ...] = ()
    given: dict[str, Value] = field(default_factory=dict)
    """The prefetch by the site's keys, taken apart."""
    sources: dict[str, Source] = field(default_factory=dict)
    facts: Facts | None = None
    outcomes: list[Outcome] = field(default_factory=list)
    cards: list[composing.Composed] = field(default_factory=list)
    let_go: bool = False
    """Whether what was read of the patient has been let go: only the cards are left."""

    def __post_init__(self) -> None:
        settings = self.engine.settings
        waited = time.perf_counter() - self.turn.arrived
        self.deadline = Deadline.after(settings.deadline_ms / 1000 - waited)
        self.fhir_deadline = self.deadline.within(settings.fhir_deadline_ms / 1000)
        self.as_of = self.engine.now()

    def keep_time_of(self, profile: ClientProfile) -> None:
        """A client may have a time limit of its own; FHIR keeps the same share of it."""
        if profile.deadline_ms is None:
            return
        settings = self.engine.settings
        share = settings.fhir_deadline_ms / settings.deadline_ms
        allowed, gone = profile.deadline_ms / 1000, time.perf_counter() - self.turn.arrived
        self.deadline = Deadline.after(allowed - gone)
        self.fhir_deadline = self.deadline.within(allowed * share - gone)

    def stage(self, name: str) -> Timed:
        """Times the block as this stage of the call."""
        return Timed(self.timings, name)

    @property
    def orders_lost(self) -> int:
        """Orders that were sent and could not be read; an entry with nothing in it held none."""
        return sum(lost.reason != _EMPTY_ENTRY for lost in self.unread_orders)

    @property
    def dropped(self) -> list[Dropped]:
        """Everything that could not be read, with its place."""
        found = list(self.unread_orders)
        for source in self.sources.values():
            found.extend(source.dropped)
        return found

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.profile.timezone) if self.profile.timezone else self.engine.site.zone


async def trust(call: Call, headers: dict[str, str], service_id: str) -> None:
    """Who calls? Then the service by its id; in production an unknown id is told only to known callers."""
    with call.stage("trust"):
        call.profile = await caller_profile(call.engine, headers, f"/cds-services/{service_id}", call.body)
        call.keep_time_of(call.profile)
        call.turn.identify(call.profile.id, limited=not call.profile.anonymous)
        service = call.engine.service_for(service_id, call.profile)
        if service is None:
            raise UnknownService("There is no service with this id.")
        call.service = service


def decode(call: Call) -> None:
    """Bytes to request; the body must be meant for this service and about this patient."""
    with call.stage("decode"):
        call.request = request = decode_request(call.body)
        hook = call.service.ready.service.hook
        # An old name counts only where the profile lists it.
        named_before = OLD_HOOKS.get(request.hook) == hook and request.hook in call.profile.hooks
        if request.hook != hook and not named_before:
            raise BadRequest(f"This service answers the hook '{hook}' only.")
        if not call.profile.may_call(request.hook):
            raise BadRequest("This client is not registered for this hook.")
        _take_orders(call)
        _take_prefetched(call)
        if any(lost.resource_type in _DSTU2 for lost in _lost(request)):
            raise NothingAssessable(_NO_DSTU2)
        if call.unread_orders:
            if not call.order_resources:
                raise NothingAssessable("None of the orders could be read.")
            call.engine.metrics.gaps.labels(ORDERS, UNREADABLE).inc(len(call.unread_orders))


def _lost(request: HookRequest) -> Iterator[Dropped]:
    yield from request.dropped_orders
    for dropped in request.dropped.values():
        yield from dropped


def _take_orders(call: Call) -> None:
    request = call.request
    call.unread_orders += request.dropped_orders
    for number, entry in enumerate((request.drafts.entry if request.drafts else None) or ()):
        if entry is None or entry.resource is None or entry.resource.resourceType is None:
            reason = _EMPTY_ENTRY if entry is None or entry.resource is None else "no resourceType"
            call.unread_orders.append(Dropped(f"context.orders.entry[{number}]", None, reason))
            continue
        resource = entry.resource
        if resource.resourceType in _DSTU2:
            raise NothingAssessable(_NO_DSTU2)
        call.companions.append((resource, entry.fullUrl))
        if resource.resourceType in ("MedicationRequest", "ServiceRequest", "ProcedureRequest"):
            if whose(resource, request.patient_id) is Whose.FOREIGN:
                raise ForeignPatient("A draft order is for another patient than context.patientId.")
            # Sent twice, word for word, it is one order.
            if resource not in call.order_resources:
                call.order_resources.append(resource)
    # A draft that is sent twice is one order.
    call.order_resources = list(unique(call.order_resources))
    if request.selections is not None:
        chosen = [r for r in call.order_resources if _selected(r, request.selections)]
        # Selections that name none of the drafts cannot be understood: then every draft is judged.
        call.order_resources = chosen or call.order_resources


def _take_prefetched(call: Call) -> None:
    """Medications that orders may refer to; and no DSTU2, and nobody else's record."""
    request = call.request
    for key, sent in request.prefetch.items():
        value = call.given[key] = take_apart(sent, request.dropped.get(key, ()))
        if _LOOKED_AT.isdisjoint(value.types):
            continue
        for resource in (*value.resources, *value.included):
            if resource.resourceType in _DSTU2:
                raise NothingAssessable(_NO_DSTU2)
            if resource.resourceType == "Medication":
                call.companions.append((resource, None))
            elif resource.resourceType == "Patient" and str(resource.id) != request.patient_id:
                raise ForeignPatient("The prefetched Patient is not the patient of context.patientId.")


def _selected(resource: Resource, selections: tuple[str, ...]) -> bool:
    return any(item == resource.reference or item == str(resource.id) for item in selections)


async def resolve_drafts(call: Call) -> None:
    """Read Medications that drafts only refer to, then classify the drafts."""
    with call.stage("drafts"):
        shelf = shelve(call.companions)
        missing = [
            ref
            for resource in call.order_resources
            if resource.resourceType == "MedicationRequest"
            and (ref := unresolved_reference(resource, shelf)) is not None
        ]
        access = _access(call)
        if missing and access is not None:
            await _read_medications(call, missing, access)
        _classify(call)


def _classify(call: Call) -> None:
    normaliser = call.service.ready.normaliser
    drafts = read_orders(
        call.order_resources,
        normaliser.reader(shelve(call.companions), call.zone),
        normaliser.terminology,
        call.zone,
        renewal=call.request.hook == "medication-refill",
    )
    call.orders, call.unclassified = drafts.orders, drafts.unclassified
    if drafts.unclassified:
        call.engine.metrics.unmapped.labels("drug").inc(len(drafts.unclassified))


def trigger(call: Call) -> bool:
    """Does any rule concern these orders? If none does, no patient data are read at all."""
    with call.stage("trigger"):
        subjects: tuple[Order | None, ...] = call.orders if call.request.drafts is not None else (None,)
        wanted = any(triggered(rule, order) for rule, _ in call.service.rules for order in subjects)
        if not wanted:
            call.outcomes = [
                Outcome(rule, mode, Result.NOT_TRIGGERED, order)
                for order in subjects
                for rule, mode in call.service.rules
            ]
            _explain_stops(call)
        return wanted


def _explain_stops(call: Call) -> None:
    """Orders that a rule is about but that end treatment are suppressed, not untriggered."""
    for index, outcome in enumerate(call.outcomes):
        if outcome.order is not None and outcome.rule.trigger.concerns(outcome.order):
            call.outcomes[index] = Outcome(outcome.rule, outcome.mode, Result.SUPPRESSED, outcome.order)


async def complete(call: Call) -> None:
    """Prefetch as given, the rest fetched from the EHR, in parallel, inside one deadline."""
    with call.stage("complete"):
        request, service = call.request, call.service.ready.service
        templates = [template.for_version(call.profile.fhir_version) for template in service.prefetch]
        given = read_prefetch(call.given, templates)
        context = {"patientId": request.patient_id}
        call.sources = await complete_sources(
            given,
            templates,
            context,
            _access(call),
            call.engine.fhir,
            call.fhir_deadline,
            batch=call.profile.batch,
        )
        metrics = call.engine.metrics
        for key, source in call.sources.items():
            state = "failed" if source.resources is None else "complete" if source.complete else "partial"
            metrics.prefetch.labels(key, f"{source.origin}-{state}").inc()
            if source.failure is FailureReason.NO_ANSWER_IN_TIME:
                metrics.deadline_exceeded.inc()
            if source.origin == "fhir":
                metrics.fhir_seconds.labels(key, state).observe(source.seconds)
        await _read_listed_medications(call)
        missing = [key for key in service.essential if call.sources[key].resources is None]
        if missing and request.drafts is None and not call.profile.gap_card:
            raise NothingAssessable("The problem list could not be obtained, so nothing can be assessed.")


async def _read_listed_medications(call: Call) -> None:
    """Medications that the list only refers to, so that what the patient takes has a name."""
    source = call.sources.get("medications")
    access = _access(call)
    if source is None or not source.resources or access is None:
        return
    shelf = shelve([*call.companions, *((resource, None) for resource in source.included)])
    references = [
        ref for resource in source.resources if (ref := unresolved_reference(resource, shelf)) is not None
    ]
    if references:
        await _read_medications(call, references, access)


async def _read_medications(call: Call, references: Sequence[str], access: FhirAccess) -> None:
    found = await read_references(references, access, call.engine.fhir, call.fhir_deadline)
    for reference, fetched in found.items():
        if isinstance(fetched, Fetched):
            call.companions.append((fetched.resource, reference))


def _access(call: Call) -> FhirAccess | None:
    """How to read the EHR's FHIR server; None when the call names none that is allowed."""
    request = call.request
    if not request.fhir_server:
        return None
    named = request.fhir_server.rstrip("/")
    token = request.authorization.access_token if request.authorization else None
    if call.profile.anonymous:
        reached = call.engine.fhir_names.get(named)
    else:
        reached = named if named in {base.rstrip("/") for base in call.profile.fhir_base} else None
    if reached is None:
        call.engine.metrics.refused.labels("fhir-server").inc()
        return None
    if token is None and not call.profile.open_fhir:
        return None
    return FhirAccess(reached, token, named=named)


def normalise(call: Call) -> None:
    """Resources to facts."""
    with call.stage("normalise"):
        included = [(r, None) for source in call.sources.values() for r in source.included]
        setting = Setting(
            as_of=call.as_of,
            zone=call.zone,
            hook=call.service.ready.service.hook,
            patient_id=call.request.patient_id,
            site=call.engine.site.clinical,
            units=call.profile.unit_system,
        )
        shelf = shelve([*call.companions, *included])
        call.facts = call.service.ready.normaliser.facts(call.sources, call.orders, shelf, setting)
        call.engine.metrics.unmapped.labels("lab").inc(call.facts.unmapped_labs)
        for gap in call.facts.gaps:
            call.engine.metrics.gaps.labels(gap.source, gap.kind).inc()


def evaluate(call: Call) -> None:
    """Every rule for every order (or for the patient). One rule's failure never takes the others with it."""
    facts = call.facts
    if facts is None:
        raise RuntimeError("evaluate needs facts")
    with call.stage("evaluate"):
        subjects: tuple[Order | None, ...] = call.orders if call.request.drafts is not None else (None,)
        call.outcomes = [
            _judge(rule, focused, mode)
            for focused in map(facts.about, subjects)
            for rule, mode in call.service.rules
        ]
        judged = [o for o in call.outcomes if o.result is not Result.NOT_TRIGGERED]
        if judged and all(outcome.error for outcome in judged):
            raise RuntimeError("every rule failed")


def _judge(rule: Rule, facts: Facts, mode: Mode) -> Outcome:
    try:
        return evaluate_rule(rule, facts, mode)
    except Exception as error:  # noqa: BLE001 - the one place: a broken rule is "cannot assess", the others answer
        error_id = uuid.uuid4().hex[:12]
        log.error(  # noqa: TRY400
            "rule_failed",
            rule=rule.id,
            version=rule.version,
            error_class=type(error).__name__,
            error_id=error_id,
        )
        return Outcome(rule, mode, Result.CANNOT_ASSESS, facts.order, error=error_id)


def compose(call: Call) -> None:
    """Outcomes to cards. Users who are no professionals get none (the rules still ran and are recorded)."""
    facts, request = call.facts, call.request
    if facts is None or (request.user_id or "").startswith(_NOT_PROFESSIONAL):
        return
    with call.stage("compose"):
        call.cards = composing.compose(
            call.outcomes,
            facts,
            call.service.view,
            patient_id=request.patient_id,
            encounter_id=request.encounter_id,
            authored_on=call.as_of,
            unread_orders=call.orders_lost,
        )


def admit_lost_orders(call: Call) -> None:
    """Without a card to say so, an order that could not be read is an error: "no cards" would mean "all checked"."""
    if call.orders_lost and not call.cards:
        raise NothingAssessable("Some of the orders could not be read, and were not checked.")


async def record(call: Call) -> None:
    """Keep what was asked and answered; a failure is counted and never hides a card."""
    counted = call.engine.metrics.outcomes
    for outcome in call.outcomes:
        rule = outcome.rule
        # `_value_` is what `value` looks up, without the call: this is done for every rule of every call.
        counted.labels(rule.id, rule.version, outcome.result._value_, outcome.mode._value_).inc()
    if call.engine.store is None:
        return
    with call.stage("record"):
        invocation = invocation_of(call)
        if not call.engine.received.due(call.profile.id):
            _let_go(call)
        await call.engine.store.record(invocation, timeout=max(call.deadline.left() * _RECORD_SHARE, 0.01))


def _let_go(call: Call) -> None:
    """Calls that wait together for a commit would drive each other's data out of the processor's caches."""
    del call.request
    call.facts = None
    call.given, call.sources = {}, {}
    call.orders, call.order_resources, call.companions = (), [], []
    call.outcomes = []
    call.let_go = True
