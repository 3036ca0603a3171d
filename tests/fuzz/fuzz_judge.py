"""What must hold of the answer to any call whatever. Calls the pipeline itself: no socket, no store, no FHIR server."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace

import msgspec
from fuzz_bodies import SECRET, Body
from fuzz_mutations import FOREIGN

from cds_service import pipeline
from cds_service.engine import Engine, build_engine
from cds_service.errors import CdsError
from cds_service.fhir.client import FhirClient
from cds_service.fhir.write import operation_outcome
from cds_service.protocol.response import CardsOut, encode
from cds_service.registry import load_services
from cds_service.rules.evaluate import Result
from cds_service.settings import load_settings
from cds_service.stages import Call

LIMIT_S = 2.0
"""The deadline of an answer."""
REFUSALS = frozenset({400, 412})
_SILENT = frozenset({Result.CLEAR, Result.SUPPRESSED, Result.NOT_TRIGGERED})
_INDICATORS = ("critical", "warning", "info")
# An order for which a graver rule speaks: rule 2 gives way to rules 1 and 3.
_GIVES_WAY = {"vka-dialysis": frozenset({"vka-calciphylaxis", "vka-mandatory-indication"})}


class Broken(AssertionError):
    """An answer that must not be; the message says which promise it breaks, and holds nothing of the body."""


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer as it goes out, and the call behind it when there were cards to think about."""

    status: int
    body: bytes
    seconds: float
    # A repr of everything that a call knows takes a tenth of a second, and asyncio makes one of each result.
    call: Call | None = field(default=None, repr=False)


class Judge:
    """One engine with every rule live; `ask` answers, `check` says what is wrong with the answer."""

    def __init__(self) -> None:
        modes = {"*": "live"}
        for service in load_services():
            modes |= {f"{use.rule.id}@{service.id}": "live" for use in service.rules}
        self._fhir = FhirClient()
        settings = load_settings(rule_modes=modes, fhir_bases="")
        self._engine = build_engine(settings, store=None, fhir=self._fhir)
        self._engines: dict[object, Engine] = {}
        self._fired: dict[str, frozenset[tuple[str, str]]] = {}

    def close(self) -> None:
        self._fhir.close()

    async def ask(self, body: Body, sent: bytes) -> Answered:
        """The answer to `sent`, a changed form of `body`."""
        engine = self._engines.get(body.as_of)
        if engine is None:
            settings = self._engine.settings.model_copy(update={"as_of": body.as_of})
            engine = self._engines[body.as_of] = replace(self._engine, settings=settings)
        begun = time.perf_counter()
        try:
            call = await pipeline._run(engine, body.service, {}, sent, None, kept=False)
            out = encode(CardsOut([composed.card for composed in call.cards]))
        except CdsError as error:
            refusal = operation_outcome(error.issue, error.code, error.message)
            return Answered(error.status, refusal, time.perf_counter() - begun)
        return Answered(200, out, time.perf_counter() - begun, call)

    async def check(self, body: Body, kind: str, sent: bytes) -> Answered:
        """Ask, and look at everything that must hold.

        Raises:
            Broken: something does not.
            Exception: the pipeline failed; on the wire this would have been a 500.
        """
        answered = await self.ask(body, sent)
        _expect(answered.seconds < LIMIT_S, f"took {answered.seconds:.1f} s")
        _expect(answered.status == 200 or answered.status in REFUSALS, f"status {answered.status}")
        _expect(SECRET.encode() not in answered.body, "a secret is in the answer")
        _expect(FOREIGN.encode() not in answered.body, "another patient's word is in the answer")
        if answered.call is not None:
            _check_cards(answered.call, answered.body)
            _check_outcomes(answered.call)
            if kind == "unreadable":
                await self._check_not_silenced(body, answered.call)
        elif kind == "unreadable":
            _expect(answered.status == 412 or await self._refused(body), "refused because of unreadable data")
        return answered

    async def _refused(self, body: Body) -> bool:
        return (await self.ask(body, body.encoded)).status != 200

    async def _check_not_silenced(self, body: Body, call: Call) -> None:
        before = self._fired.get(body.name)
        if before is None:
            was = (await self.ask(body, body.encoded)).call
            before = self._fired[body.name] = _with_result(was, frozenset({Result.FIRES}))
        now = _with_result(call, frozenset({Result.FIRES}))
        for rule, order in before & _with_result(call, _SILENT):
            taken_over = any((graver, order) in now for graver in _GIVES_WAY.get(rule, ()))
            # The name of the drug came with what cannot be read; then the order is named as unclassified.
            _expect(taken_over or order in call.unclassified, f"{rule} fired and is silent now")


def _expect(holds: bool, promise: str) -> None:
    if not holds:
        raise Broken(promise)


def _with_result(call: Call | None, results: frozenset[Result]) -> frozenset[tuple[str, str]]:
    outcomes = call.outcomes if call is not None else ()
    return frozenset(
        (o.rule.id, o.order.reference if o.order else "") for o in outcomes if o.result in results
    )


def _check_outcomes(call: Call) -> None:
    for outcome in call.outcomes:
        _expect(outcome.error is None, f"{outcome.rule.id} failed")
        for finding in outcome.findings:
            _expect(FOREIGN not in finding.because, f"{outcome.rule.id} used another patient's data")
            _expect(
                not any(FOREIGN in each for each in finding.sources),
                f"{outcome.rule.id} used a foreign source",
            )


def _check_cards(call: Call, body: bytes) -> None:
    answer = msgspec.json.decode(body)
    cards = answer["cards"]
    _expect(set(answer) == {"cards"} and len(cards) <= 3, "too many cards")
    ranks = [_INDICATORS.index(card["indicator"]) for card in cards]
    _expect(ranks == sorted(ranks), "cards out of order")
    uuids = [card["uuid"] for card in cards]
    for card in cards:
        _expect(not _has_holes(card), "a member is null or empty")
        _expect(0 < len(card["summary"]) < 140 and card["summary"].isprintable(), "summary")
        _expect(card["source"]["topic"]["code"].isalnum(), "topic")
        _expect(
            len(card.get("suggestions", ())) <= 6 and len(card.get("overrideReasons", ())) <= 6, "too long"
        )
        for suggestion in card.get("suggestions", ()):
            uuids.append(suggestion["uuid"])
            _check_actions(call, suggestion)
    _expect(len(uuids) == len(set(uuids)), "a uuid comes twice")


def _check_actions(call: Call, suggestion: dict) -> None:
    (action,) = suggestion["actions"]
    if action["type"] == "delete":
        drafts = [resource.reference for resource in call.order_resources]
        _expect(drafts.count(action["resourceId"]) == 1, "deletes what is no single draft of this call")
        return
    made = action["resource"]
    _expect(
        action["type"] == "create" and made["resourceType"] == "ServiceRequest", "an action we never offer"
    )
    _expect(
        made["subject"]["reference"] == f"Patient/{call.request.patient_id}", "an order for somebody else"
    )


def _has_holes(value: object) -> bool:
    if isinstance(value, dict):
        return not value or any(_has_holes(each) for each in value.values())
    if isinstance(value, list):
        return not value or any(_has_holes(each) for each in value)
    return value is None or value == ""
