"""What a card must never say, as patterns over every text the content can emit.

Source: clinical conventions, section 8 (N1 to N10). The rules hold for any disease; its name is put in for
TOPIC. A negation just before the words ("do not swap to ...") makes most of them admissible.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache

_DOAC = r"(?:apixaban|rivaroxaban|edoxaban|dabigatran|doacs?\b|direct oral anticoagulants?)"
_VKA = r"(?:warfarin|acenocoumarol|phenprocoumon|fluindione|vkas?\b|vitamin k antagonists?|anticoagula\w+)"
_UNPROVEN = (
    r"(?:sodium thiosul\w+|sts\b|bisphosphonates?|pamidronate|vitamin k\d?\b(?![ -](?:antagonist|dependent))"
    r"|hyperbaric|prednison\w*)"
)
_DOSED = (
    rf"(?:{_DOAC}|{_VKA}|heparin|enoxaparin|dalteparin|tinzaparin|thiosul\w+|sts\b|morphine|codeine|fentanyl"
    r"|methadone|buprenorphine|hydromorphone|oxycodone|opioids?\b|vitamin k\b|phyto\w+dione)"
)
_DOSE = r"\d(?:[\d.,-]*\d)?\s?(?:mg|mcg|micrograms?|g|ml|units?|iu|mmol|meq)\b"
_RACE = (
    r"\b(?:race|racial|ethnic\w*|caucasians?|hispanics?|african[- ]americans?|asians?"
    r"|(?:white|black) (?:patients?|people|women|men|race))\b"
)
_LABS = (
    r"\b(?:labs?|laborator\w+|blood tests?|calcium|phosphate|phosphorus|pth|albumin|ca x p|results?|values?"
    r"|imaging|scans?|biops\w+)\b"
)
_PERCENT = r"\d(?:[\d.]*\d)?\s?(?:%|per ?cent)"
_OUTCOME = r"(?:risk|chance|surviv\w+|mortality|prognosis|life expectancy|die[sd]?|deaths?)"
_NEGATION = re.compile(r"\b(?:not|never|no|nor|neither|cannot|without)\b|n't\b", re.IGNORECASE)
_CLAUSE = re.compile(r"[.,;:!?]")
_LOOK_BACK = 45


@dataclass(frozen=True, slots=True)
class Ban:
    """One pattern of one rule of wording."""

    id: str
    pattern: str
    says: str
    unless_negated: bool = True
    unless: str = ""
    """Words anywhere in the text that make it admissible."""


BANS = (
    Ban(
        "N1",
        r"\b(?:patient|he|she|they)\b[^.;]{0,20}\b(?:has|have|had|lacks?|is free of)\b[^.;]{0,20}TOPIC",
        "never says that a patient has or does not have the disease",
        unless_negated=False,
        unless=r"\b(?:whether|if)\b",
    ),
    Ban(
        "N1",
        r"TOPIC (?:is|was|has been) (?:present|absent|excluded|confirmed|ruled out|diagnosed|likely|unlikely)"
        r"|\b(?:no|free of) TOPIC\b",
        "never says that a patient has or does not have the disease",
        unless_negated=False,
        unless=r"\b(?:whether|if)\b",
    ),
    Ban(
        "N2",
        rf"{_LABS}[^.;]{{0,40}}\b(?:confirm(?:s|ed)?|excludes?|excluded|rules? (?:in|out)|ruled out|proves?)\b"
        r"[^.;]{0,40}\b(?:TOPIC|the disease|the diagnosis)|"
        rf"{_LABS} (?:confirms?|excludes?|rules? (?:in|out)|proves?)\b(?! (?:malignan|vasculit|infect))",
        "never says that a test confirms or excludes the disease",
    ),
    Ban(
        "N3",
        r"\b(?:low|no|minimal|negligible|little)[- ]risk\b",
        "never calls a risk low",
        unless_negated=False,
    ),
    Ban("N3", r"\bsafe(?:ly|r|st)?\b", "never calls anything safe"),
    Ban(
        "N3",
        r"\bprobabilit\w+|\blikelihood\b|\brisk score|\bscores? (?:of|is)\b|\btraffic light|\bchances? of\b",
        "gives no probability and no score",
    ),
    Ban(
        "N3",
        rf"{_PERCENT}[^.;]{{0,30}}\b{_OUTCOME}\b|\b{_OUTCOME}\b[^.;]{{0,30}}{_PERCENT}",
        "prints no survival or risk figure of a patient",
        unless=r"population figure",
    ),
    Ban(
        "N4",
        rf"\b(?:stop|discontinue|cease|withdraw)\s+(?:the\s+|this\s+)?(?:{_VKA}|\{{drug\}})",
        "does not instruct to stop an anticoagulant; it says review",
    ),
    Ban(
        "N5",
        rf"\b(?:switch|swap|change|convert|replace)\w*\b[^.;]{{0,30}}\b{_DOAC}",
        "does not instruct to change to a DOAC",
    ),
    Ban(
        "N5",
        rf"\b(?:start|prescribe|give|prefer)\w*\s+(?:an?\s+)?{_DOAC}",
        "does not instruct to start a DOAC",
    ),
    Ban(
        "N5",
        rf"\b(?:consider|options?|alternatives?|prefer\w*|use|discuss)\b[^.]{{0,60}}{_DOAC}[^.]{{0,60}}"
        r"\b(?:valves?|antiphospholipid|APS|mitral|pregnan\w+)\b",
        "names no DOAC as an option beside a mechanical valve, APS, mitral stenosis or pregnancy",
    ),
    Ban(
        "N6",
        rf"\b{_DOSED}[^.;]{{0,40}}\b{_DOSE}|\b{_DOSE}[^.;]{{0,15}}\b{_DOSED}",
        "gives no dose of an anticoagulant, thiosulfate, opioid or vitamin K as advice",
        unless=r"reference information|not a recommend|no dose",
    ),
    Ban(
        "N7",
        rf"\b(?:treat|start|give|begin|initiate|prescribe|use|add|try)\s+(?:\w+\s+){{0,2}}?{_UNPROVEN}",
        "recommends no unproven treatment",
    ),
    Ban(
        "N8",
        r"\b(?:withhold|hold|stop|omit|skip|withdraw)\s+(?:the\s+)?(?:insulin)\b|\bwithhold\s+(?:the\s+)?calcium\b",
        "does not tell to withhold insulin or needed calcium",
    ),
    Ban(
        "N8",
        r"\b(?:stop|withdraw|discontinue)\s+(?:the\s+)?(?:systemic\s+)?"
        r"(?:steroids?|corticosteroids?|prednison\w*|immunosuppress\w+|tacrolimus|cyclosporine?|denosumab)\b",
        "does not tell to stop steroids, immunosuppression or denosumab",
    ),
    Ban("N9", _RACE, "keys nothing on race", unless_negated=False),
    Ban(
        "N10",
        r"\bno (?:alerts?|cards?|warnings?) (?:means?|=|implies)|\ball clear\b|\bnothing to worry|\bno concerns?\b",
        "never reads silence as reassurance",
        unless_negated=False,
    ),
)

NEVER_DONE = {
    "D4": "records no problem and no allergy; suggestions only remove a draft or create a request",
}
"""Promises that are kept by construction: the kinds of suggestion (`rules.suggestions`) allow nothing else."""


@cache
def _patterns(topic: str) -> tuple[tuple[Ban, re.Pattern[str], re.Pattern[str] | None], ...]:
    name = re.escape(topic)
    return tuple(
        (
            ban,
            re.compile(ban.pattern.replace("TOPIC", name), re.IGNORECASE),
            re.compile(ban.unless, re.IGNORECASE) if ban.unless else None,
        )
        for ban in BANS
    )


@lru_cache(maxsize=16384)
def violations(text: str, topic: str) -> tuple[tuple[Ban, str], ...]:
    """Every rule of wording that `text` breaks, with the words that break it."""
    return tuple(_violations(text, topic))


def _violations(text: str, topic: str) -> Iterator[tuple[Ban, str]]:
    for ban, pattern, unless in _patterns(topic):
        if unless and unless.search(text):
            continue
        words = next(
            (m[0] for m in pattern.finditer(text) if not (ban.unless_negated and _negated(text, m))), None
        )
        if words is not None:
            yield ban, words


def _negated(text: str, found: re.Match[str]) -> bool:
    """A negation stands in the match or just before it in the same clause."""
    before = _CLAUSE.split(text[max(0, found.start() - _LOOK_BACK) : found.start()])[-1]
    return _NEGATION.search(before + found[0]) is not None
