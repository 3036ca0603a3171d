"""Reading the client's FHIR server, seen from that server (sections 2.5 and 2.6). Only on one machine."""

from __future__ import annotations

import re

from cds_service.conform.listener import FHIR_PATH, KEYS_PATH, STRANGER_PATH, Hit
from cds_service.conform.model import Book, Judged, Level
from cds_service.conform.observed import Observed, Seen

BOOK = Book()
_GRACE_S = 0.005
"""A request that we took down this long after the answer may have been on its way before it."""


def _reads(observed: Observed, probe: str) -> dict[str, list[Hit]]:
    """Service -> what it read during this probe, by the token it used."""
    tokens = {token: seen for token, seen in observed.tokens.items() if seen.probe == probe}
    found: dict[str, list[Hit]] = {seen.service: [] for seen in tokens.values()}
    for hit in observed.hits:
        if hit.token in tokens and hit.path.startswith(FHIR_PATH):
            found[tokens[hit.token].service].append(hit)
    return found


def _why(observed: Observed) -> str:
    if not observed.of("complete"):
        return observed.why_nothing
    if not observed.fhir:
        return "the service is on another machine and cannot reach our FHIR server"
    return (
        f"the service did not read {observed.fhir}: it may have to be allowed there (--listen-port fixes it)"
    )


def _own(observed: Observed) -> list[Hit]:
    """Everything that was read at a FHIR server we named."""
    return [hit for hit in observed.hits if hit.path.startswith(FHIR_PATH)]


@BOOK.check(
    "C037-completes-partial-prefetch",
    Level.SHALL,
    "What is missing from prefetch is read from the FHIR server, also when something was given.",
    rows=(42,),
)
def _completes(observed: Observed) -> Judged:
    absent, partial = _reads(observed, "callback-absent"), _reads(observed, "callback-partial")
    judged, problems = 0, []
    for seen in observed.of("callback-partial"):
        still = {hit.resource_type for hit in absent.get(seen.service, [])} - _given_types(observed, seen)
        if not still:
            continue
        judged += 1
        # Data that were given may show that some of the rest is not needed; needing nothing is the mistake.
        if not still & {hit.resource_type for hit in partial.get(seen.service, [])}:
            problems.append(f"{seen.place}: not read any more: {', '.join(sorted(still))}")
    return Judged(judged, tuple(problems), _why(observed))


def _given_types(observed: Observed, seen: Seen) -> set[str]:
    """The types that the given keys stand for, by their templates."""
    queries = [entry.value.get("prefetch") for entry in observed.entries if entry.id == seen.service]
    given = (seen.sent or {}).get("prefetch", {})
    found = (q.get(key) for q in queries if isinstance(q, dict) for key in given)
    return {re.split("[?/]", query)[0] for query in found if isinstance(query, str)}


@BOOK.check(
    "C043-token-on-each-read",
    Level.SHALL,
    "Every read carries the access token of this very call.",
)
def _tokens(observed: Observed) -> Judged:
    hits = _own(observed)
    problems = []
    for hit in hits:
        if not hit.authorization.startswith("Bearer "):
            problems.append(f"{hit.method} of a {hit.resource_type[:40]}: no access token")
        elif hit.token not in observed.tokens:
            problems.append(f"{hit.method} of a {hit.resource_type[:40]}: not a token we gave")
    return Judged(len(hits), tuple(problems), _why(observed))


@BOOK.check(
    "C046-no-read-after-answer",
    Level.SHALL,
    "Once the call is answered, its token is not used any more.",
)
def _no_late_read(observed: Observed) -> Judged:
    hits = [(hit, observed.tokens[hit.token]) for hit in _own(observed) if hit.token in observed.tokens]
    problems = [
        f"{seen.place}: a {hit.resource_type[:40]} was read after the answer"
        for hit, seen in hits
        if hit.at > seen.answer.ended + _GRACE_S
    ]
    return Judged(len(hits), tuple(problems), _why(observed))


@BOOK.check("C046-token-not-shown", Level.SHALL, "No answer shows the access token.")
def _not_shown(observed: Observed) -> Judged:
    calls = list(observed.tokens.items())
    problems = [f"{s.place}: the answer holds the token" for t, s in calls if t.encode() in s.answer.body]
    return Judged(len(calls), tuple(problems), _why(observed))


@BOOK.check(
    "S2.5-null-not-read-again",
    Level.PROPOSAL,
    "What the client looked up and found absent (null) is not asked for again.",
)
def _null(observed: Observed) -> Judged:
    return _not_again(observed, "callback-null")


@BOOK.check(
    "C039-outcome-not-read-again",
    Level.PROPOSAL,
    "What the client could not read (OperationOutcome) is not asked for again.",
)
def _outcome(observed: Observed) -> Judged:
    return _not_again(observed, "callback-outcome")


def _not_again(observed: Observed, probe: str) -> Judged:
    """Only judged where the service does read when nothing is given."""
    absent, again = _reads(observed, "callback-absent"), _reads(observed, probe)
    judged = [service for service, hits in again.items() if absent.get(service)]
    problems = [f"{name} [{probe}]: {len(again[name])} reads all the same" for name in judged if again[name]]
    return Judged(len(judged), tuple(problems), _why(observed))


@BOOK.check(
    "S2.5-foreign-next-link",
    Level.PROPOSAL,
    "A next page at another origin than the FHIR server is not read, and never with the token.",
    fatal=True,
)
def _foreign(observed: Observed) -> Judged:
    calls = observed.of("callback-foreign-next")
    problems = [
        f"a page was read elsewhere, {'with' if hit.authorization else 'without'} the token"
        for hit in observed.hits
        if hit.path.startswith(STRANGER_PATH)
    ]
    return Judged(len(calls), tuple(problems), _why(observed))


@BOOK.check(
    "C042-unlisted-server",
    Level.PROPOSAL,
    "A FHIR server that an unauthenticated caller names is read only if it is on a list.",
)
def _unlisted(observed: Observed) -> Judged:
    reads = _reads(observed, "callback-stranger")
    if observed.has_token:
        return Judged(nothing="the caller is authenticated")
    if not any(_reads(observed, "callback-absent").values()):
        return Judged(nothing=_why(observed))
    problems = [f"{name} [callback-stranger]: {len(hits)} reads" for name, hits in reads.items() if hits]
    return Judged(len(reads), tuple(problems))


@BOOK.check(
    "S2.5-callback-answered",
    Level.SHALL,
    "With a FHIR server named, whether it can be used or not, the call is answered.",
)
def _answered(observed: Observed) -> Judged:
    calls = list(observed.tokens.values())
    problems = [f"{s.place}: {s.answer.told}" for s in calls if s.answer.status not in (200, 412)]
    return Judged(len(calls), tuple(problems), _why(observed))


@BOOK.check(
    "C083-foreign-keys-not-fetched",
    Level.SHOULD,
    "The key set that a token's `jku` names is not fetched unless it is configured for the issuer.",
    fatal=True,
)
def _keys(observed: Observed) -> Judged:
    tried = [seen for seen in observed.of("token-foreign-jku") if seen.answer.status]
    if not observed.fhir:
        return Judged(nothing="the service is on another machine and cannot reach our key set")
    problems = ["the key set of a stranger was fetched" for hit in observed.hits if hit.path == KEYS_PATH]
    return Judged(len(tried), tuple(problems), "the service does not ask for tokens")
