"""Who is let in: clients by token, browsers by origin (section 2.9)."""

from __future__ import annotations

from cds_service.conform.http import is_loopback
from cds_service.conform.model import Book, Judge, Judged, Level
from cds_service.conform.observed import Observed, Seen
from cds_service.conform.probes.access import FOREIGN_ORIGIN

BOOK = Book()
_REFUSED = (401, 403)
_OPEN = "the service does not ask for tokens (--auth says that it must)"
_NO_KEY = "needs a token that the service accepts; give --key with --issuer"


@BOOK.check(
    "C077-asks-for-token", Level.SHOULD, "A call without a token is refused (judged with --auth).", fatal=True
)
def _asks(observed: Observed) -> Judged:
    if not (observed.options.auth or observed.wants_token):
        return Judged(nothing=_OPEN)
    # A service that does not even show its discovery document is judged by that.
    calls = observed.of("anonymous-call") or ([] if observed.has_token else observed.of("discovery"))
    problems = [f"{s.place}: {s.answer.told}" for s in calls if s.answer.status not in _REFUSED]
    nothing = observed.why_nothing if observed.entries else "discovery names no service"
    return Judged(len(calls), tuple(problems), nothing)


@BOOK.check(
    "C078-feedback-asks-too",
    Level.SHALL,
    "Where a call needs a token, feedback needs one too.",
)
def _feedback_asks(observed: Observed) -> Judged:
    if not observed.wants_token:
        return Judged(nothing=_OPEN)
    found = [s for s in observed.of("anonymous-feedback") if s.answer.status not in (404, 405, 501)]
    problems = [
        f"{s.place}: {s.answer.told} without a token" for s in found if s.answer.status not in _REFUSED
    ]
    return Judged(len(found), tuple(problems), "the service takes no feedback")


@BOOK.check("C078-good-token", Level.SHALL, "A good token is let in.")
def _good(observed: Observed) -> Judged:
    found = observed.of("token-good")
    problems = [f"{s.place}: {s.answer.told}" for s in found if s.answer.status not in (200, 412)]
    return Judged(len(found), tuple(problems), _NO_KEY if observed.wants_token else _OPEN)


def _turned_away(*probes: str) -> Judge:
    """No call with such a token is answered. A service that lets anyone in is told so elsewhere."""

    def judge(observed: Observed) -> Judged:
        found = observed.of(*probes)
        if not observed.wants_token or not found:
            needs_key = probes == ("token-replayed",) and observed.wants_token
            return Judged(nothing=_NO_KEY if needs_key else _OPEN)
        problems = [
            f"{s.place}: {s.answer.told}, not 401"
            for s in found
            if not (400 <= s.answer.status < 500 and s.answer.status != 412)  # noqa: PLR2004
        ]
        note = (
            "" if _good_token_known(observed) else "without --key, tokens are bad in their key and issuer too"
        )
        return Judged(len(found), tuple(problems), "", note)

    return judge


def _good_token_known(observed: Observed) -> bool:
    return bool(observed.of("token-good"))


for _id, _level, _probes, _text, _rows in (
    ("C079-garbage", Level.SHALL, ("token-garbage",), "What is no token is refused.", ()),
    (
        "C080-wrong-audience",
        Level.SHALL,
        ("token-wrong-audience",),
        "A token for another address is refused.",
        (87,),
    ),
    ("C080-expired", Level.SHALL, ("token-expired",), "An expired token is refused.", ()),
    (
        "C080-missing-claims",
        Level.SHALL,
        ("token-without-exp", "token-without-aud", "token-without-jti"),
        "A token without exp, aud or jti is refused.",
        (),
    ),
    ("C081-none", Level.SHALL, ("token-none",), "An unsigned token is refused.", ()),
    ("C081-hs256", Level.SHALL, ("token-hs256",), "A token with a symmetric signature is refused.", ()),
    (
        "C083-unknown-issuer",
        Level.SHOULD,
        ("token-unknown-issuer",),
        "An issuer that is not listed is refused.",
        (),
    ),
    (
        "C083-foreign-jku",
        Level.SHOULD,
        ("token-foreign-jku",),
        "A key set named by a stranger is not trusted.",
        (),
    ),
    ("C084-forged", Level.SHALL, ("token-forged",), "The signature of another key is refused.", ()),
    ("C084-unknown-kid", Level.SHALL, ("token-unknown-kid",), "A key id that is not known is refused.", ()),
    ("C085-replay", Level.SHALL, ("token-replayed",), "A token is good for one call.", ()),
):
    BOOK.add(_id, _level, _text, _turned_away(*_probes), rows=_rows, fatal=True)
BOOK.add(
    "C086-long-lived",
    Level.PROPOSAL,
    "A token that is good for ten years is refused.",
    _turned_away("token-long-lived"),
)


@BOOK.check(
    "C085-bare-401",
    Level.SHOULD,
    "Every bad token gets the same 401, whatever is wrong with it.",
    rows=(75,),
)
def _bare(observed: Observed) -> Judged:
    if not observed.wants_token:
        return Judged(nothing=_OPEN)
    found = [s for s in observed.seen if s.probe.startswith("token-") and 400 <= s.answer.status < 500]  # noqa: PLR2004
    problems = [f"{s.place}: {s.answer.told}, not 401" for s in found if s.answer.status != 401]  # noqa: PLR2004
    bodies = {s.answer.body for s in found if s.answer.status == 401}  # noqa: PLR2004
    if len(bodies) > 1:
        problems.append(f"{len(bodies)} different bodies tell the causes apart")
    return Judged(len(found), tuple(problems), _OPEN)


def _preflight(observed: Observed) -> Seen | None:
    return next(iter(observed.of("preflight")), None)


def _list(seen: Seen, header: str) -> set[str]:
    return {part.strip().lower() for part in seen.answer.headers.get(header, "").split(",") if part.strip()}


def _why(observed: Observed) -> str:
    return "discovery names no service that can be called" if not observed.locked else observed.why_nothing


@BOOK.check(
    "C089-preflight",
    Level.SHOULD,
    "A browser may call: the preflight allows POST with content-type and authorization.",
)
def _cors(observed: Observed) -> Judged:
    seen = _preflight(observed)
    if seen is None:
        return Judged(nothing=_why(observed))
    problems = []
    if not 200 <= seen.answer.status < 300:  # noqa: PLR2004
        problems.append(f"{seen.place}: {seen.answer.told}")
    if "access-control-allow-origin" not in seen.answer.headers:
        problems.append(f"{seen.place}: the origin is not allowed")
    if not _list(seen, "access-control-allow-methods") & {"post", "*"}:
        problems.append(f"{seen.place}: POST is not allowed")
    headers = _list(seen, "access-control-allow-headers")
    # The star does not stand for `authorization`.
    lacking = [name for name in ("authorization", "content-type") if name not in headers]
    if lacking and not (lacking == ["content-type"] and "*" in headers):
        problems.append(f"{seen.place}: not allowed: {', '.join(lacking)}")
    return Judged(1, tuple(problems))


@BOOK.check("C089-cross-origin-read", Level.SHOULD, "A browser may read the discovery document.")
def _read(observed: Observed) -> Judged:
    found = observed.of("cross-origin-read")
    problems = [
        f"{s.place}: the origin is not allowed"
        for s in found
        if "access-control-allow-origin" not in s.answer.headers
    ]
    return Judged(len(found), tuple(problems), _why(observed))


@BOOK.check(
    "C089-exact-origins",
    Level.SHALL,
    "In production only listed origins are allowed: neither any (*) nor whoever asks.",
)
def _exact(observed: Observed) -> Judged:
    if not (observed.options.production or observed.wants_token):
        where = "on this machine" if is_loopback(observed.base) else "not called production (--production)"
        return Judged(nothing=f"an open service {where}")
    found = observed.of("preflight-foreign")
    problems = [
        f"{s.place}: a foreign origin is allowed"
        for s in found
        if s.answer.headers.get("access-control-allow-origin") in ("*", FOREIGN_ORIGIN)
    ]
    return Judged(len(found), tuple(problems), _why(observed))
