"""Case files and the patients: reading them, and running a case through the pipeline in this process."""

import asyncio
import functools
import json
import re
from datetime import datetime
from pathlib import Path

import msgspec

from cds_service import pipeline
from cds_service.content.cases import parse_as_of
from cds_service.engine import build_engine
from cds_service.settings import load_settings

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures"
CASES = sorted((FIXTURES / "cases").glob("*.json"))
PATIENTS = sorted((FIXTURES / "patients").glob("*.json"))
AS_OF = datetime.fromisoformat("2026-11-21T12:00:00+00:00")

# Several orders of one call may be judged differently by one rule: the most telling outcome is compared.
STRENGTH = ("fires", "cannot-assess", "suppressed", "clear", "not-triggered")
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class Case(msgspec.Struct):
    """A case file; the request stays exactly as an EHR would send it."""

    case: str
    why: str
    as_of: str
    service: str
    request: msgspec.Raw
    expect: dict
    modes: dict[str, str] | None = None


def read_case(name):
    path = name if isinstance(name, Path) else FIXTURES / "cases" / f"{name}.json"
    return msgspec.json.decode(path.read_bytes(), type=Case)


def request_of(name):
    """The request of a case as a document that a test may change."""
    return json.loads(bytes(read_case(name).request))


@functools.cache
def engine_for(as_of, modes):
    return build_engine(load_settings(as_of=as_of, rule_modes=dict(modes or ())), store=None)


def run(case):
    """The trace of a case, and the answer as it goes over the wire."""
    engine = engine_for(parse_as_of(case.as_of), tuple(sorted(case.modes.items())) if case.modes else None)
    body = bytes(case.request)
    trace = asyncio.run(pipeline.trace(engine, case.service, {}, body))
    answer = asyncio.run(pipeline.answer(engine, case.service, {}, body))
    return json.loads(trace.body), json.loads(answer.body)


def outcomes(trace):
    """Rule -> its outcome; with several orders the most telling one."""
    found = {}
    for outcome in trace["outcomes"]:
        found.setdefault(outcome["rule"], []).append(outcome["outcome"])
    return {rule: min(seen, key=STRENGTH.index) for rule, seen in found.items()}


def camel(rule):
    first, *rest = rule.split("-")
    return first + "".join(word.capitalize() for word in rest)


def rule_of(card):
    """The lead rule of a card, from its source label: `KDOQI 2003 (vka-dialysis 1.0.0)`."""
    return card["source"]["label"].rsplit("(", 1)[1].split()[0]


def words_of(card):
    """Everything a reader sees of a card."""
    labels = [suggestion["label"] for suggestion in card.get("suggestions", [])]
    return "\n".join([card["summary"], card.get("detail", ""), *labels]).replace("\\", "")


def without_uuids(document):
    """The document with every uuid replaced, so that two answers can be compared."""
    return json.loads(_UUID.sub("uuid", json.dumps(document)))


def holes(value, path="$"):
    """Members that must never be sent: null, and empty strings, arrays and objects."""
    if value is None or value in ("", [], {}):
        if path not in ("$.cards", "$.services"):
            yield path
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from holes(item, f"{path}.{key}")
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from holes(item, f"{path}[{number}]")
