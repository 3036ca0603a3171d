"""`cds-service replay`: past orders as order-sign calls of their own time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

import msgspec

from cds_service import compose as composing
from cds_service.clients.profile import ClientProfile
from cds_service.engine import build_engine
from cds_service.facts.dates import When, parse_when
from cds_service.facts.medications import MedicationShelf
from cds_service.facts.model import Order
from cds_service.facts.normalise import Setting, read_orders
from cds_service.fhir.decode import DecodeFailure, Resource
from cds_service.population.gather import SOURCES, Catalogue, Person
from cds_service.population.judge import Judging, Told, judged_by, told
from cds_service.population.past import Past
from cds_service.population.run import Job, each_person
from cds_service.registry import ReadyService
from cds_service.rules.evaluate import Outcome, Result, triggered
from cds_service.rules.rule import Mode, Rule
from cds_service.settings import load_settings

HOOK = "order-sign"
ORDERS = "orders.ndjson"
_encode = msgspec.json.Encoder().encode
_NOT_SIGNED = frozenset({"draft", "entered-in-error", "unknown"})
_INTENTS = frozenset({"order", "original-order", "reflex-order", "filler-order", "instance-order", ""})


class CardTold(msgspec.Struct, frozen=True):
    """A card that would have been shown."""

    rule: str
    indicator: str


class Replayed(msgspec.Struct, omit_defaults=True, kw_only=True):
    """One order, judged as of the time it was signed. A rule that is in no list was clear or not concerned."""

    patient: str
    order: str
    at: str
    drug: str
    by: str = ""
    """Reference to the clinician, as in the source."""
    day: str = ""
    """Calendar day in the site's zone."""
    first: bool = True
    """First order of its session; the cards of the session are told with it."""
    rules: tuple[Told, ...] = ()
    cards: tuple[CardTold, ...] = ()
    other_rules: tuple[Told, ...] = ()
    """With --compare: the same with the other rule set."""
    other_cards: tuple[CardTold, ...] = ()


@dataclass(frozen=True, slots=True)
class _Signer:
    """The order-sign service with one rule set; built once in each process."""

    how: Judging
    ready: ReadyService
    rules: tuple[tuple[Rule, Mode], ...]
    view: composing.View
    zone: tzinfo


_signers: dict[bytes, _Signer] = {}


def signer_of(how: Judging) -> _Signer:
    """The order-sign service of this process as `how` says, built on first use."""
    key = msgspec.json.encode(how, enc_hook=str, order="sorted")
    if key not in _signers:
        _signers[key] = _build_signer(how)
    return _signers[key]


def _build_signer(how: Judging) -> _Signer:
    # What decides the answers is in `how`; nothing of this machine's own settings may add to it.
    settings = load_settings(
        environment="development",
        auth="off",
        site=None,
        clients=None,
        approvals=None,
        rule_modes={},
        value_sets_off=how.value_sets_off,
    )
    engine = build_engine(settings, store=None)
    ready = engine.services[how.service]
    modes = {use.rule.id: how.modes.get(use.rule.id, "off") for use in ready.service.rules}
    profile = msgspec.convert({"id": "replay", "unit_system": how.units, "rules": modes}, ClientProfile)
    seen = engine.service_for(how.service, profile)
    if seen is None:
        raise RuntimeError("the service to replay is not installed")
    return _Signer(how, ready, seen.rules, seen.view, ZoneInfo(how.zone))


class _Reference(msgspec.Struct):
    reference: str | None = None


class _Signed(msgspec.Struct):
    id: str | int | None = None
    requester: _Reference | None = None


_signed_by = msgspec.json.Decoder(_Signed, strict=False)


def replay_shard(job: Job, shard: int) -> list[bytes]:
    """Every order of a shard's patients, one line each."""
    options = dict(job.options)
    signers = [signer_of(job.how)]
    if options.get("compare") is not None:
        signers.append(signer_of(options["compare"]))
    lines: list[bytes] = []
    for person, catalogue in each_person(job, shard):
        lines += [
            _encode(item) + b"\n" for item in replay_person(person, catalogue, signers, options["days"])
        ]
    return lines


def replay_person(
    person: Person, catalogue: Catalogue, signers: list[_Signer], days: int
) -> Iterator[Replayed]:
    """The orders of one patient in the order of their times."""
    zone, end = signers[0].zone, signers[0].how.as_of
    sessions = _sessions(person, zone, end - timedelta(days=days), end)
    if not sessions:
        return
    shelf = person.shelf(catalogue)
    requesters = _requesters(person)
    sources = {key: person.source(key) for key in SOURCES}
    past = Past(sources, zone)
    for moment, drafts in sessions:
        judged = [_judge(person.id, moment, drafts, past, shelf, signer) for signer in signers]
        orders, outcomes, cards = judged[0]
        for place, order in enumerate(orders):
            other = judged[1] if len(judged) > 1 else None
            yield Replayed(
                patient=person.id,
                order=order.reference,
                at=moment.isoformat(),
                drug=order.name,
                by=requesters.get(order.reference, ""),
                day=moment.astimezone(zone).date().isoformat(),
                first=place == 0,
                rules=tuple(told(item) for item in outcomes if item.order is order and _says(item)),
                cards=cards if place == 0 else (),
                other_rules=()
                if other is None
                else tuple(told(item) for item in other[1] if _same(item.order, order) and _says(item)),
                other_cards=other[2] if other is not None and place == 0 else (),
            )


def _says(outcome: Outcome) -> bool:
    return outcome.result in (Result.FIRES, Result.CANNOT_ASSESS, Result.SUPPRESSED)


def _same(one: Order | None, other: Order) -> bool:
    return one is not None and one.reference == other.reference


def _sessions(
    person: Person, zone: tzinfo, begin: datetime, end: datetime
) -> list[tuple[datetime, list[Resource]]]:
    """Orders that were signed at one moment go together, as a clinician signs them together."""
    found: dict[datetime, list[Resource]] = defaultdict(list)
    resources, _ = person.resources("MedicationRequest")
    for resource in resources:
        when = _signed(resource, zone)
        if when is not None and begin <= when.instant <= end:
            found[when.instant].append(resource)
    return sorted(found.items(), key=lambda item: item[0])


def _signed(resource: Resource, zone: tzinfo) -> When | None:
    """When the order was signed; None for what is no order or has no time."""
    status = (resource.status or "").strip().lower()
    if (resource.intent or "") not in _INTENTS or status in _NOT_SIGNED or resource.reportedBoolean:
        return None
    return parse_when(resource.authoredOn, zone)


def as_draft(resource: Resource) -> Resource:
    """The order as it was when it was about to be signed."""
    return msgspec.structs.replace(resource, status="draft")


def _judge(
    patient: str,
    moment: datetime,
    orders: list[Resource],
    past: Past,
    shelf: MedicationShelf,
    signer: _Signer,
) -> tuple[tuple[Order, ...], list[Outcome], tuple[CardTold, ...]]:
    """What order-sign would have answered."""
    normaliser = signer.ready.normaliser
    drafts = [as_draft(resource) for resource in orders]
    reader = normaliser.reader(shelf, signer.zone)
    judged = read_orders(drafts, reader, normaliser.terminology, signer.zone, renewal=False).orders
    if not any(triggered(rule, order) for rule, _ in signer.rules for order in judged):
        return judged, [], ()
    setting = Setting(
        as_of=moment,
        zone=signer.zone,
        hook=HOOK,
        patient_id=patient,
        site=signer.how.site,
        units=signer.how.units,
    )
    visible = past.at(moment, frozenset(id(resource) for resource in orders))
    wanted = {template.key for template in signer.ready.service.prefetch}
    facts = normaliser.facts(
        {key: source for key, source in visible.items() if key in wanted}, judged, shelf, setting
    )
    outcomes = [judged_by(rule, facts.about(order), mode) for order in judged for rule, mode in signer.rules]
    cards = composing.compose(
        outcomes, facts, signer.view, patient_id=patient, encounter_id=None, authored_on=moment
    )
    return judged, outcomes, tuple(CardTold(item.rule.id, item.indicator.value) for item in cards)


def _requesters(person: Person) -> dict[str, str]:
    """Order -> who signed it. Rules never look at it, so it is read here alone."""
    found: dict[str, str] = {}
    for line in person.lines("MedicationRequest"):
        try:
            read = _signed_by.decode(line)
        except DecodeFailure:
            continue
        if read.requester is not None and read.requester.reference:
            found[f"MedicationRequest/{read.id}"] = read.requester.reference
    return found
