"""Every case in German and in an invented language: same judgement, no string outside the catalogue, limits kept."""

import asyncio
import dataclasses
import functools
import html
import json
import re

import msgspec
import pytest
from markdown_it import MarkdownIt
from support.casefiles import CASES, engine_for, parse_as_of, read_case, run

from cds_service import pipeline
from cds_service.content.catalogue import folders
from cds_service.content.wording import violations
from cds_service.localise.language import Language
from cds_service.registry import load_services
from cds_service.rules.text import SUMMARY_LIMIT, parts

STEMS = [path.stem for path in CASES]
BY_STEM = dict(zip(STEMS, CASES, strict=True))
# Not translated: codes, units, abbreviations of the field, citations, names of guidelines.
_CODES = re.compile(
    r"\b(?:E\d+[a-z]?|mg2?|dL2?|mmol2?|L2?|pg|mL|mEq|g|U|min|m2|kg|pmol|ng|umol|nmol|UCUM|KDOQI|MedicationRequest"
    r"|Observation|Condition|Expected|got|at|\$\.\S+|mcg|meq|FHIR|x|iv|sc|im|oral|other)\b"
)


@functools.cache
def german(as_of, modes):
    """The engine for a client whose profile says `de-AT`."""
    engine = dataclasses.replace(engine_for(as_of, modes), _views={})
    engine.anonymous = msgspec.structs.replace(engine.anonymous, locale="de-AT")
    return engine


@functools.cache
def masked_language():
    """A language in which every letter of every string in the catalogues is another one; places are kept."""
    strings = {str(entry.id) for _, found in folders(load_services()) for entry in found if entry.id}
    messages = {}
    for text in strings:
        pieces = list(parts(text))
        pieces[::2] = [re.sub(r"[A-Za-z]", "ж", piece) for piece in pieces[::2]]
        pieces[1::2] = [f"{{{name}}}" for name in pieces[1::2]]
        messages[text] = "".join(pieces)
    return Language("xx", messages, date=lambda _day, _precision: "1")


@functools.cache
def masked(as_of, modes):
    """The engine for a client that reads the masked language."""
    engine = dataclasses.replace(engine_for(as_of, modes), _views={})
    for service_id in engine.services:
        seen = engine.service_for(service_id, engine.anonymous)
        view = dataclasses.replace(seen.view, language=masked_language())
        engine._views[(service_id, engine.anonymous.id)] = dataclasses.replace(seen, view=view)
    return engine


def cards_from(maker, case):
    engine = maker(parse_as_of(case.as_of), tuple(sorted(case.modes.items())) if case.modes else ())
    answer = asyncio.run(pipeline.answer(engine, case.service, {}, bytes(case.request)))
    return json.loads(answer.body)["cards"]


def shape(card):
    """What must not depend on the language."""
    return {
        "indicator": card["indicator"],
        "topic": card["source"]["topic"]["code"],
        "rule": re.search(r"\(([a-z-]+ [\d.]+)\)", card["source"]["label"])[1],
        "reasons": [reason["code"] for reason in card.get("overrideReasons", [])],
        "actions": [
            (action["type"], (action.get("resource") or {}).get("code"), action.get("resourceId"))
            for suggestion in card.get("suggestions", [])
            for action in suggestion["actions"]
        ],
    }


def texts(card):
    """Every text of ours on a card, without the source label's citation."""
    yield card["summary"]
    yield card["detail"].replace("\\", "")
    yield card["source"]["topic"]["display"]
    yield from (reason["display"] for reason in card.get("overrideReasons", []))
    for suggestion in card.get("suggestions", []):
        yield suggestion["label"]
        yield from (action["description"] for action in suggestion["actions"])


@pytest.mark.parametrize("stem", STEMS)
def test_german_says_the_same_within_the_same_limits(stem):
    case = read_case(BY_STEM[stem])
    english, others = run(case)[1]["cards"], cards_from(german, case)
    assert [shape(card) for card in others] == [shape(card) for card in english]
    limit = engine_for(parse_as_of(case.as_of), ()).services[case.service].service.detail_limit
    for card, told in zip(others, english, strict=True):
        assert len(card["summary"]) <= SUMMARY_LIMIT
        assert len(card["detail"]) <= limit or len(told["detail"]) > limit
        tokens = MarkdownIt("gfm-like", {"linkify": False}).parse(card["detail"])
        assert not {token.type for token in tokens} & {"html_block", "heading_open", "table_open", "fence"}
        for text in texts(card):
            assert violations(text, "calciphylaxis", "de") == ()


@pytest.mark.parametrize("stem", STEMS)
def test_no_text_lies_outside_the_catalogue(stem):
    """In the invented language every letter that is left came from the EHR, or is a code."""
    case = read_case(BY_STEM[stem])
    sent = bytes(case.request).decode().lower()
    for card in cards_from(masked, case):
        rule = shape(card)["rule"].split()[0]
        for text in texts(card):
            left = _CODES.sub(" ", html.unescape(text).replace(rule, " "))
            words = re.findall(r"[A-Za-z]{2,}", left)
            ours = [word for word in words if word.lower() not in sent]
            assert ours == [], text
