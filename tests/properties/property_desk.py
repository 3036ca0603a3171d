"""The in-process service as the properties use it: bytes in, outcomes and cards out. Nothing is mocked."""

import asyncio
import re
from collections import Counter
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

import msgspec
from hypothesis import currently_in_test_context, note

from cds_service.engine import Engine, build_engine
from cds_service.fhir.client import FhirClient
from cds_service.pipeline import answer, trace
from cds_service.registry import load_services
from cds_service.settings import Settings, Site

SERVICES = {service.id: service for service in load_services()}
_encoder = msgspec.json.Encoder(decimal_format="number")
_decoder = msgspec.json.Decoder(float_hook=Decimal)
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
SILENT = frozenset({"clear", "suppressed", "not-triggered"})


def encoded(value) -> bytes:
    return _encoder.encode(value)


def decoded(body: bytes):
    """JSON with decimal numbers, so that nothing is lost on the way in and out."""
    return _decoder.decode(body)


class Call:
    """A request body with the service it is for and the time at which it is judged."""

    def __init__(self, service: str, as_of: datetime, request: dict):
        self.service = service
        self.as_of = as_of
        self.request = request

    def __repr__(self):
        """Short enough to be read as a failing example: one line for each part of the body."""
        parts = [
            f"{self.service} at {self.as_of.isoformat()}",
            f"context {_short(self.request.get('context'))}",
        ]
        parts += [f"{key} {_short(value)}" for key, value in (self.request.get("prefetch") or {}).items()]
        return "\n    ".join(["Call", *parts])

    def copy(self):
        return Call(self.service, self.as_of, decoded(encoded(self.request)))


_NOISE = ('"resourceType":"Bundle",', '"subject":{"reference":"Patient/p-17"},', '"type":"searchset",')


def _short(value):
    text = encoded(value).decode()
    for noise in _NOISE:
        text = text.replace(noise, "")
    return text.replace('"', "")


class Answered:
    """What came back, in the forms in which properties compare it."""

    def __init__(self, report):
        self.report = report
        self.cards = report["cards"]
        self.outcomes = report["outcomes"]

    def results(self):
        """(rule, order) -> result with indicator; duplicates of one draft count once."""
        return {(each["rule"], each["order"]): (each["outcome"], each["indicator"]) for each in self.outcomes}

    def firing(self):
        return {key: indicator for key, (result, indicator) in self.results().items() if result == "fires"}

    def sources(self, *results):
        """Resources that the findings of these results name."""
        return {
            source
            for each in self.outcomes
            if each["outcome"] in results
            for finding in each["findings"]
            for source in finding["sources"]
        }

    def shown(self):
        """Per card: rule and tier (topic), urgency, sentence, what it offers. Cards in any order."""
        return Counter(
            (
                card["source"]["topic"]["code"],
                card["indicator"],
                card["summary"],
                tuple(each["label"] for each in card.get("suggestions", ())),
                tuple(each["code"] for each in card.get("overrideReasons", ())),
            )
            for card in self.cards
        )

    def whole(self):
        """The cards complete, but for the uuids."""
        return decoded(_UUID.sub("uuid", encoded(self.cards).decode()).encode())


class Desk:
    """One engine; for another time or another site setting a copy of it that shares the services."""

    def __init__(self):
        modes = {"*": "live"}
        for service in SERVICES.values():
            modes |= {f"{use.rule.id}@{service.id}": "live" for use in service.rules}
        self._fhir = FhirClient()
        unhurried = {"deadline_ms": 30_000, "fhir_deadline_ms": 30_000, "fhir_bases": ""}
        self.every_rule_live = build_engine(
            Settings(environment="development", rule_modes=modes, **unhurried), store=None, fhir=self._fhir
        )
        self.as_delivered = build_engine(
            Settings(environment="development", **unhurried), store=None, fhir=self._fhir
        )
        self._runner = asyncio.Runner()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._runner.close()
        self._fhir.close()

    def engine(self, as_of, *, delivered=False, site=None, fhir_base=None, **profile) -> Engine:
        base = self.as_delivered if delivered else self.every_rule_live
        changed = {"settings": base.settings.model_copy(update={"as_of": as_of}), "_views": {}}
        if site is not None:
            changed["site"] = Site(dict(site))
        if fhir_base is not None:
            changed["fhir_names"] = {fhir_base: fhir_base}
        if profile:
            changed["anonymous"] = msgspec.structs.replace(base.anonymous, **profile)
        elif fhir_base is None:
            changed["_views"] = base._views
        return replace(base, **changed)

    def ask(self, call: Call, **how) -> Answered:
        """The trace of a call.

        Raises:
            CdsError: as the service would.
        """
        if currently_in_test_context():
            # What pytest prints of a call that broke a property is cut short.
            note(call)
        return self.send(call, encoded(call.request), **how)

    def send(self, call: Call, body: bytes, **how) -> Answered:
        reply = self._runner.run(trace(self.engine(call.as_of, **how), call.service, {}, body))
        return Answered(decoded(reply.body))

    def answer(self, call: Call, **how) -> bytes:
        """The answer as it goes over the wire."""
        engine = self.engine(call.as_of, **how)
        return self._runner.run(answer(engine, call.service, {}, encoded(call.request))).body
