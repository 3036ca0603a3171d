"""The rows of `docs/trust.md`: what can go wrong, and what the service does about it. Tests carry the numbers."""

from __future__ import annotations

from typing import NamedTuple


class Row(NamedTuple):
    """`duty` is the part that the operator's set-up must play; empty when our code suffices."""

    number: str
    what: str
    does: str
    duty: str = ""


THREATS = (
    Row(
        "T1",
        "A forged token: no algorithm, a symmetric one, an unknown `crit`",
        "Closed list of asymmetric algorithms; one and the same 401 for every cause",
    ),
    Row(
        "T2",
        "A token whose algorithm does not fit the key, or that upsets the library",
        "Whatever is raised while a token is verified is a 401, never a 500",
    ),
    Row(
        "T3",
        "A token that brings its own keys (`jku`, `x5u`, `jwk`)",
        "Keys come from the client's profile only; a foreign `jku` is compared, refused and never fetched",
    ),
    Row(
        "T4",
        "A flood of unknown key ids",
        "At most one fetch of a key set in a minute, a bounded memory of absent ids",
    ),
    Row(
        "T5",
        "A token is sent again",
        "With the same call it gets the same answer for a minute, with another call 401; bounded memory, shared by replicas",
    ),
    Row(
        "T6",
        "A token that lives for years",
        "A lifetime beyond the profile's limit (at most an hour) is refused",
    ),
    Row(
        "T7",
        "A token for another service or signed by another client",
        "`aud` must be an address of ours, exactly; the key must be the issuer's",
    ),
    Row(
        "T8",
        "A caller names another host (`Host`, `X-Forwarded-*`)",
        "Addresses in answers and the audience come from `CDS_PUBLIC_URL` alone; nothing redirects",
    ),
    Row("T9", "The Sandbox's key, whose private half is public", "The preset is refused outside development"),
    Row(
        "T10",
        "A call names a FHIR server of the attacker's choice",
        "Only the bases of the client's profile are called, compared exactly; anything else is a named gap and no connection",
    ),
    Row(
        "T11",
        "Redirects, `next` links and absolute references lead the token elsewhere",
        "No redirects; links and references must lie under the FHIR base",
    ),
    Row(
        "T12",
        "Ids that are paths or queries",
        "Ids have a closed alphabet and are percent-encoded; other ones are refused or not read",
    ),
    Row(
        "T13",
        "Credentials or proxies out of the environment",
        "`.netrc` and the environment's proxies are not looked at",
    ),
    Row(
        "T14",
        "Tokens or patient data in answers, logs, metrics",
        "Errors say our own sentences; logs have a list of allowed fields; labels come from closed lists",
    ),
    Row(
        "T15",
        "A token outlives its call",
        "It is neither stored nor kept in a session; records hold hashes only",
    ),
    Row(
        "T16",
        "Bodies that are huge or never end",
        "413 as soon as the limit is passed, declared or not; 408 when the body does not come; nobody else waits for it",
        "the reverse proxy cuts callers whose headers never end (`client_header_timeout`)",
    ),
    Row(
        "T17",
        "JSON that is a weapon: NaN, depth, long numbers, surrogates, compression",
        "One strict decoder; 400, or 415 for a compressed body",
    ),
    Row(
        "T18", "A FHIR answer that grows when unpacked", "A cap on decoded bytes for each page, and on pages"
    ),
    Row("T19", "Text made to keep a pattern busy", "Matching is linear and text is cut before it is used"),
    Row(
        "T20",
        "A drug or laboratory name with HTML or Markdown in it",
        "Every string of an EHR is escaped, made one line and cut",
    ),
    Row(
        "T21",
        "An action on something that was not asked about",
        "Only `delete` of a draft of this call and `create` of a catalogue order for this patient",
    ),
    Row(
        "T22",
        "Data of one client reach another",
        "The client is part of every key, hash and query; no clinical data outlive a call",
    ),
    Row("T23", "Data of another patient", "As F1"),
    Row(
        "T24",
        "A strange web page calls from a browser",
        "Exact origins only, no credentials, closed unless set",
    ),
    Row(
        "T25",
        "Feedback that is forged or poisoned",
        "Needs the client's token; joined only with the client's own cards; sizes capped; existence not told",
    ),
    Row(
        "T26",
        "Operator pages in strange hands",
        "Traces are closed in production; pages run under a strict policy; no patient data on any of them",
        "`/metrics` and `/ready` are reachable from the operator's network only",
    ),
    Row(
        "T27",
        "One client calls without end",
        "A rate for each client, 429 with `Retry-After`; a bounded queue (F31); health is exempt",
    ),
    Row(
        "T28",
        "Secrets in dumps of settings",
        "Secrets print as stars; no page, command or error shows a value",
    ),
    Row(
        "T29",
        "A dependency or image that was tampered with",
        "Every dependency is locked by hash; the image runs as an ordinary user",
        "`make audit` and the bill of materials are looked at before each release",
    ),
    Row(
        "T30",
        "A site sets a threshold that silences a rule",
        "Bounds for every number; unknown names refuse to start; the configuration's hash stands in each record",
    ),
    Row(
        "T31",
        "Mutual TLS is asked for",
        "Left to the proxy; headers that claim a client are not believed",
        "the proxy checks client certificates, see `docs/operating.md`",
    ),
    Row(
        "T32",
        "Probing which services exist",
        "In production only a known caller is told that a service does not exist; every 401 is the same",
    ),
)

FAULTS = (
    Row(
        "F1",
        "Data of another patient in the call or in an answer",
        "A foreign Patient or draft: 400. A foreign resource: left out, counted, its rules cannot be assessed",
    ),
    Row(
        "F2",
        "The FHIR server is slow, drips or hangs",
        "One deadline over all reads; the rest answers from what is there",
    ),
    Row("F3", "FHIR says 401 or 403", 'A gap "not permitted"; no retry'),
    Row("F4", "FHIR says 404 or 410", 'A gap "not found"; 412 where nothing can be assessed without it'),
    Row(
        "F5",
        "FHIR is busy (429, 503)",
        "`Retry-After` is honoured if it fits the deadline; a server that keeps failing is left alone for a while",
    ),
    Row(
        "F6",
        "5xx, broken TLS, no such name, reset",
        "One retry at most while enough time is left, else a gap",
    ),
    Row(
        "F7",
        "An answer that is no FHIR: a login page, half a document, an outcome",
        "A named gap, never an exception",
    ),
    Row(
        "F8",
        "A search parameter is refused",
        "A simpler search, filtered here and remembered for that server",
    ),
    Row("F9", "Pages: short, circular, elsewhere", "Followed within limits and the deadline; a cut is said"),
    Row(
        "F10",
        "Prefetch that is null, absent, an outcome, empty, of the wrong type, partial",
        "Null and empty mean none; the rest is unknown, is read, or becomes a gap",
    ),
    Row("F11", '"Nothing found" that means "not permitted"', "Only documented no-result codes count as none"),
    Row(
        "F12",
        "Withdrawn, cancelled, preliminary, unknown status",
        "Left out, or used with its label; a status that says nothing is unusable and named",
    ),
    Row("F13", "Duplicates and corrections", "One result for one time; the correction wins"),
    Row(
        "F14", "Two values for one time", "Decided only when both decide alike; otherwise cannot be assessed"
    ),
    Row(
        "F15", "A value without unit", "Never guessed: a gap, unless the unit follows from a listed spelling"
    ),
    Row("F16", "Mixed units", "One table of conversions, in decimals"),
    Row("F17", "Comparators, ranges, text, components", "Used only where they decide; components are read"),
    Row("F18", "Numbers that are none or absurd", "Not JSON: 400. Implausible: unusable and named"),
    Row("F19", "Calcium and phosphate of different days", "Paired within seven days, else said so"),
    Row(
        "F20",
        "Dates: partial, without zone, in the future",
        "A tolerant reader; more than a day ahead is unusable",
    ),
    Row(
        "F21",
        "Drugs as code, contained, elsewhere, in words only",
        "Every form is resolved; words alone lower the urgency and are said; the unknown is named",
    ),
    Row("F22", "An order that is not filled in yet", "No card and no error"),
    Row("F23", "Selecting: only some drafts are new", "Only the selected drafts are judged"),
    Row("F24", "Renewals, and orders that stop a drug", "A renewal is worded as one; stopping never warns"),
    Row(
        "F25",
        "Several drafts and running treatment",
        "One card for each draft with its own deletion; running treatment is only named",
    ),
    Row("F26", "DSTU2, STU3, R5", "STU3 to R5 are read; DSTU2 is refused with 412"),
    Row("F27", "Resources that are not quite legal", "Read; a broken one costs only itself"),
    Row("F28", "Very long histories", "Linear time, at most 10,000 entries in a Bundle"),
    Row("F29", "One rule fails", "That rule cannot be assessed; the others answer"),
    Row("F30", "Everything fails", "500 with an error id and nothing else"),
    Row(
        "F31",
        "More calls than can be answered",
        "503 with `Retry-After` at once; health answers; signing goes first",
    ),
    Row(
        "F32",
        "The database is down, slow or full",
        "Cards go out, a lost record is counted; feedback is answered 503 until it is durable",
    ),
    Row(
        "F33",
        "Restart while calls run",
        "SIGTERM: running calls are answered within the deadline, stalled callers are cut off",
    ),
    Row("F34", "Several replicas", "Replay memory, cards and feedback are shared through the database"),
    Row(
        "F35",
        "A client rotates its keys, or its key address fails",
        "Old keys serve for a day; renewed in the background",
    ),
    Row("F36", "Clocks differ", "A minute is forgiven, more is refused"),
    Row("F37", "A configuration file is broken", "Refuses to start; on reload the last good one stays"),
    Row("F38", "The caller hangs up", "Its reads end, nothing is logged as an error"),
    Row(
        "F39",
        "Feedback in every form that clients send",
        "What can be understood is kept, the rest costs only itself",
    ),
    Row(
        "F40",
        "No encounter, or a user who is no clinician",
        "Rules run without the encounter; only professionals see cards",
    ),
)

ROWS = (*THREATS, *FAULTS)
