"""What a card must never say, as patterns over every text the content can emit.

Source: clinical conventions, section 8 (N1 to N10). The rules hold for any disease; its name is put in for
TOPIC. A negation just before the words ("do not swap to ...") makes most of them admissible.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

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
_NEGATIONS = {
    "en": re.compile(r"\b(?:not|never|no|nor|neither|cannot|without)\b|n't\b", re.IGNORECASE),
    "de": re.compile(r"\b(?:nicht|nie|niemals|kein\w*|weder|noch|ohne)\b", re.IGNORECASE),
}
"""Language -> words of negation; only a language that stands here is checked."""
_CLAUSE = re.compile(r"[.,;:!?]")
_LOOK_BACK = 45


@dataclass(frozen=True, slots=True)
class Ban:
    """One pattern of one rule of wording, in one language."""

    id: str
    pattern: str
    says: str
    unless_negated: bool = True
    unless: str = ""
    """Words anywhere in the text that make it admissible."""
    language: str = "en"


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

_DOAC_DE = r"(?:apixaban|rivaroxaban|edoxaban|dabigatran|doaks?\b|direkte\w* orale\w* antikoagulan\w+)"
_VKA_DE = r"(?:warfarin|acenocoumarol|phenprocoumon|fluindion|vkas?\b|vitamin-k-antagonist\w*|antikoagula\w+)"
_UNPROVEN_DE = (
    r"(?:natriumthiosulfat|sts\b|bisphosphonat\w*|pamidronat|vitamin k\d?\b|hyperbare\w*|prednison\w*)"
)
_DOSED_DE = (
    rf"(?:{_DOAC_DE}|{_VKA_DE}|heparin|enoxaparin|dalteparin|tinzaparin|thiosulfat|sts\b|morphin|codein|fentanyl"
    r"|methadon|buprenorphin|hydromorphon|oxycodon|opioid\w*|vitamin k\b)"
)
_LABS_DE = (
    r"\b(?:labor\w*|blutwert\w*|calcium|phosphat|pth|albumin|ca x p|ergebnis\w*|werte?|bildgebung"
    r"|szintigraph\w+|biopsi\w+)\b"
)
_OUTCOME_DE = r"(?:risiko|überleb\w+|mortalität|sterblichkeit|prognose|lebenserwartung|tod\w*)"


def _german(ident: str, pattern: str, **options: Any) -> Ban:
    """The German form of a rule of wording; it says the same as the English one of that id."""
    says = next(ban.says for ban in BANS if ban.id == ident)
    return Ban(ident, pattern, says, language="de", **options)


GERMAN = (
    _german(
        "N1",
        r"\b(?:patient\w*|person|er|sie)\b[^.;]{0,20}\b(?:hat|haben|hatte|leidet)\b[^.;]{0,20}TOPIC"
        r"|TOPIC (?:ist|war|wurde) (?:vorhanden|ausgeschlossen|bestätigt|diagnostiziert|wahrscheinlich)"
        r"|\b(?:keine|frei von) TOPIC\b",
        unless_negated=False,
        unless=r"\b(?:ob|falls)\b",
    ),
    _german(
        "N2",
        rf"{_LABS_DE}[^.;]{{0,40}}\b(?:bestätig\w+|beweis\w+|schließ\w+|ausgeschlossen)\b[^.;]{{0,40}}\b"
        r"(?:TOPIC|die krankheit|die diagnose)",
    ),
    _german(
        "N3",
        r"\b(?:geringe[snr]?|kein|niedrige[snr]?|kaum) risiko\b|\brisikoarm\w*|\bungefährlich\w*"
        r"|\bunbedenklich\w*|\bharmlos\w*",
        unless_negated=False,
    ),
    _german("N3", r"\bsicher(?:e[nmrs]?|heit)?\b"),
    _german("N3", r"\bwahrscheinlichkeit\w*|\brisiko-?score|\bscore\b|\bampel\w*|\bchancen? auf\b"),
    _german(
        "N3",
        rf"\d\s?(?:%|prozent)[^.;]{{0,30}}\b{_OUTCOME_DE}\b|\b{_OUTCOME_DE}\b[^.;]{{0,30}}\d\s?(?:%|prozent)",
        unless="populationszahl",
    ),
    _german(
        "N4",
        rf"(?:{_VKA_DE}|\{{drug\}})\s+(?:\w+\s+)?(?:absetzen|stoppen|beenden)\b"
        rf"|\b(?:setzen|stoppen|beenden) sie\b[^.;]{{0,20}}{_VKA_DE}",
    ),
    _german("N5", rf"{_DOAC_DE}\s+(?:umstellen|wechseln|umsetzen|beginnen|geben|verordnen|bevorzugen)\b"),
    _german(
        "N5",
        rf"\b(?:erwägen|optionen?|alternativen?|besprechen)\b[^.]{{0,60}}{_DOAC_DE}[^.]{{0,60}}"
        r"\b(?:klappen?|antiphospholipid\w*|APS|mitral\w*|schwanger\w*)\b",
    ),
    _german(
        "N6",
        rf"\b{_DOSED_DE}[^.;]{{0,40}}\b{_DOSE}|\b{_DOSE}[^.;]{{0,15}}\b{_DOSED_DE}",
        unless=r"keine empfohlene dosis",
    ),
    _german(
        "N7", rf"\bmit {_UNPROVEN_DE} (?:behandeln|beginnen)\b|{_UNPROVEN_DE} (?:geben|verordnen|beginnen)\b"
    ),
    _german("N8", r"\b(?:insulin|calcium)\s+(?:vorenthalten|absetzen|weglassen|pausieren)\b"),
    _german(
        "N8",
        r"\b(?:steroide?|corticosteroide?|prednison\w*|immunsuppress\w+|tacrolimus|ciclosporin|denosumab)\s+"
        r"(?:absetzen|stoppen|beenden)\b",
    ),
    _german("N9", r"\brass(?:e|isch\w*)\b|\bethni\w+|\bhautfarbe\b", unless_negated=False),
    _german(
        "N10",
        r"\bkein(?:e|en)? (?:hinweis\w*|karten?|warnung\w*) (?:heißt|bedeutet)|\bentwarnung\b|\bkein grund zur sorge",
        unless_negated=False,
    ),
)
"""The same rules over German texts. Another language needs its own before its cards may be shipped."""

NEVER_DONE = {
    "D4": "records no problem and no allergy; suggestions only remove a draft or create a request",
}
"""Promises that are kept by construction: the kinds of suggestion (`rules.suggestions`) allow nothing else."""


CHECKED_LANGUAGES = frozenset(_NEGATIONS)


@cache
def _patterns(topic: str, language: str) -> tuple[tuple[Ban, re.Pattern[str], re.Pattern[str] | None], ...]:
    # Another language ends the name of a disease in its own way: calciphylaxis, Calciphylaxie.
    name = re.escape(topic) if language == "en" else rf"{re.escape(topic[:-2])}\w*"
    return tuple(
        (
            ban,
            re.compile(ban.pattern.replace("TOPIC", name), re.IGNORECASE),
            re.compile(ban.unless, re.IGNORECASE) if ban.unless else None,
        )
        for ban in (*BANS, *GERMAN)
        if ban.language == language
    )


@lru_cache(maxsize=16384)
def violations(text: str, topic: str, language: str = "en") -> tuple[tuple[Ban, str], ...]:
    """Every rule of wording that `text` breaks, with the words that break it."""
    return tuple(_violations(text, topic, language))


def _violations(text: str, topic: str, language: str) -> Iterator[tuple[Ban, str]]:
    for ban, pattern, unless in _patterns(topic, language):
        if unless and unless.search(text):
            continue
        words = next(
            (
                m[0]
                for m in pattern.finditer(text)
                if not (ban.unless_negated and _negated(text, m, language))
            ),
            None,
        )
        if words is not None:
            yield ban, words


def _negated(text: str, found: re.Match[str], language: str) -> bool:
    """A negation stands in the match or near it in the same clause: before it, and in German after it as well."""
    before = _CLAUSE.split(text[max(0, found.start() - _LOOK_BACK) : found.start()])[-1]
    after = "" if language == "en" else _CLAUSE.split(text[found.end() : found.end() + _LOOK_BACK])[0]
    return _NEGATIONS[language].search(before + found[0] + after) is not None
