"""A run: look at everything, then judge it."""

from __future__ import annotations

import re
import time
from contextlib import ExitStack, closing
from statistics import median
from typing import Any
from urllib.parse import urlsplit

from cds_service.conform.checks import CHECKS
from cds_service.conform.desk import Desk
from cds_service.conform.http import is_loopback, is_url
from cds_service.conform.listener import FHIR_PATH, Listener
from cds_service.conform.model import result_of
from cds_service.conform.observed import Entry, Observed, Seen
from cds_service.conform.options import Options, OptionsError
from cds_service.conform.probes import access, callbacks, calls, feedback
from cds_service.conform.report import Latency, Report
from cds_service.conform.tokens import signer

_SETTLE_S = 0.05
_SLUG = re.compile(r"[A-Za-z0-9._~-]+")


def run(url: str, options: Options | None = None) -> Report:
    """Test the service at `url` (its base, or its discovery address).

    Raises:
        OptionsError: the URL or an option cannot be used.
    """
    chosen = options or Options()
    observed = observe(url, chosen)
    results = [result_of(check, observed) for check in CHECKS if check.id not in chosen.skip]
    return Report(
        url=observed.base,
        calls=len(observed.seen),
        services=tuple(entry.id for entry in observed.entries),
        latency_ms=_latency(observed),
        notes=tuple(observed.notes),
        results=tuple(results),
    )


def observe(url: str, options: Options) -> Observed:
    """Send everything and write down what comes back.

    Raises:
        OptionsError: the URL or an option cannot be used.
    """
    base = url.rstrip("/").removesuffix("/cds-services")
    if not is_url(base) or urlsplit(base).query:
        raise OptionsError("the address must be an http(s) URL: the base, or .../cds-services")
    unknown = options.skip - {check.id for check in CHECKS}
    if unknown:
        raise OptionsError(f"--skip names no check: {', '.join(sorted(unknown))}")
    options.requests()
    observed = Observed(base, options)
    if (options.key is None) != (options.issuer is None):
        raise OptionsError("--key and --issuer belong together")
    made = signer(options.key, options.issuer, options.jku) if options.key and options.issuer else None
    desk = Desk(observed, made)
    observed.has_token = made is not None or options.token is not None
    with ExitStack() as stack:
        listener = stack.enter_context(closing(_listen(options.listen_port)))
        stranger = stack.enter_context(closing(Listener()))
        _look(desk, listener, stranger)
        _settle(observed)
        observed.hits = [*listener.hits, *stranger.hits]
    return observed


def _settle(observed: Observed) -> None:
    """Whoever reads after the answer gets a moment to be caught."""
    ended = max((seen.answer.ended for seen in observed.tokens.values()), default=0.0)
    time.sleep(max(0.0, ended + _SETTLE_S - time.perf_counter()))


def _listen(port: int) -> Listener:
    try:
        return Listener(port)
    except OSError:
        raise OptionsError(f"port {port} is taken; choose another with --listen-port") from None


def _look(desk: Desk, listener: Listener, stranger: Listener) -> None:
    observed = desk.observed
    for probe in ("discovery", "discovery-again"):
        url = desk.discovery_url
        answer = desk.exchange("GET", url, headers={"Accept": "application/json", **desk.credentials(url)})
        desk.note(Seen(probe, "discovery", "", answer))
        if answer.status in (401, 403):
            observed.wants_token = True
    if is_loopback(observed.base):
        observed.fhir = f"{listener.origin}{FHIR_PATH}"
    callable_ = [(entry, request) for entry in observed.entries if (request := _request(observed, entry))]
    if not callable_:
        if observed.wants_token:
            access.with_bad_tokens(desk, stranger, None, {})
        return
    access.without_token(desk, *callable_[0])
    if observed.wants_token or observed.options.auth:
        access.with_bad_tokens(desk, stranger, *callable_[0])
    access.cross_origin(desk, callable_[0][0])
    if observed.locked:
        return
    for entry, request in callable_:
        calls.run(desk, entry, request)
        if observed.fhir:
            callbacks.run(desk, entry, request, listener, stranger)
    if observed.options.feedback:
        for entry, _ in callable_:
            feedback.run(desk, entry)


def _request(observed: Observed, entry: Entry) -> dict[str, Any] | None:
    """The request for a service, with a note where there is none."""
    if not _SLUG.fullmatch(entry.id):
        observed.notes.append(f"{entry.place} was not called: its id is no path segment")
        return None
    request = calls.complete_request(observed, entry)
    if request is None:
        observed.notes.append(f"{entry.id} was not called: no body for the hook '{entry.hook}'; give --body")
    return request


def _latency(observed: Observed) -> Latency | None:
    times = sorted(seen.answer.milliseconds for seen in observed.of("latency") if seen.answer.status)
    if not times:
        return None
    return Latency(samples=len(times), median=round(median(times), 2), worst=round(times[-1], 2))
