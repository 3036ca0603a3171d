"""A small CDS Hooks service that does everything right, with a place to break each thing."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.request import Request, urlopen

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm
from twin_answers import PREFETCH, SERVICE, Json, answer, discovery

ISSUER = "https://ehr.conform.example"
KEY = ec.generate_private_key(ec.SECP384R1())
PRIVATE_JWK = json.dumps(
    {**ECAlgorithm.to_jwk(KEY, as_dict=True), "kid": "twin-key", "alg": "ES384"}
).encode()
ORIGIN = "http://localhost:8611"


@dataclass
class Call:
    """A request as it came, and its JSON if it is any."""

    method: str
    path: str
    headers: Any
    body: bytes
    json: Any = None

    @property
    def to_service(self) -> bool:
        return self.method == "POST" and self.path == f"/cds-services/{SERVICE}"

    @property
    def to_feedback(self) -> bool:
        return self.path.endswith("/feedback")

    @property
    def items(self) -> list[Json]:
        """Items of a feedback request."""
        found = self.json.get("feedback") if isinstance(self.json, dict) and self.to_feedback else None
        return found if isinstance(found, list) else []

    @property
    def prefetch(self) -> Json:
        return self.json.get("prefetch") or {} if isinstance(self.json, dict) else {}


@dataclass
class Reply:
    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


def reply(status: int, document: Any) -> Reply:
    return Reply(status, json.dumps(document).encode(), {"Content-Type": "application/json"})


def refusal(status: int) -> Reply:
    issue = {"severity": "error", "code": "invalid", "diagnostics": "No."}
    return reply(status, {"resourceType": "OperationOutcome", "issue": [issue]})


def nothing(*_: Any) -> None:
    """Changes nothing."""


@dataclass
class Twin:
    """The service.

    Attributes:
        lax: names of the things it does not do.
        discover, tell, change: edit the discovery document, an answer of 200, any reply.
        allowed: FHIR bases it may read.
        auth: whether it asks for tokens.
    """

    lax: frozenset[str] = frozenset()
    discover: Callable[[Json], None] = nothing
    tell: Callable[[Json, Json], None] = nothing
    change: Callable[[Reply, Call], Reply | None] = nothing
    allowed: str = ""
    auth: bool = False
    base: str = ""
    jti: set[str] = field(default_factory=set)
    heard: bool = False

    def handle(self, call: Call) -> Reply:
        made = self._preflight(call) if call.method == "OPTIONS" else self._checked(call)
        if call.headers.get("Origin") == ORIGIN and call.method != "OPTIONS":
            made.headers["Access-Control-Allow-Origin"] = ORIGIN
        return self.change(made, call) or made

    def _preflight(self, call: Call) -> Reply:
        if call.headers.get("Origin") != ORIGIN:
            return Reply(400)
        return Reply(
            204,
            headers={
                "Access-Control-Allow-Origin": ORIGIN,
                "Access-Control-Allow-Methods": "GET, POST",
                "Access-Control-Allow-Headers": "Authorization, Content-Type",
            },
        )

    def _checked(self, call: Call) -> Reply:
        if self.auth and not (call.to_feedback and "feedback-auth" in self.lax) and not self._known(call):
            return refusal(401)
        if call.path == "/cds-services" and call.method == "GET":
            document = discovery()
            self.discover(document)
            return reply(200, document)
        if not call.path.startswith(f"/cds-services/{SERVICE}"):
            return refusal(404)
        if call.method != "POST":
            return refusal(405)
        return self._feedback(call) if call.to_feedback else self._answer(call)

    def _feedback(self, call: Call) -> Reply:
        if not isinstance(call.json, dict) or not isinstance(call.json.get("feedback"), list):
            return refusal(400)
        return Reply(200)

    def _answer(self, call: Call) -> Reply:
        request = call.json
        if not isinstance(request, dict) or self._lacks(request):
            return refusal(400)
        drafts = [entry["resource"] for entry in request["context"]["draftOrders"]["entry"]]
        patient = request["context"]["patientId"]
        if any(draft["subject"]["reference"] != f"Patient/{patient}" for draft in drafts):
            return refusal(400)
        self._complete(request)
        document = answer(request)
        self.tell(document, request)
        return reply(200, document)

    def _lacks(self, request: Json) -> bool:
        context = request.get("context")
        wanted = (
            request.get("hook") == "order-sign",
            isinstance(request.get("hookInstance"), str),
            isinstance(context, dict) and "patientId" in context,
            isinstance(context, dict) and "draftOrders" in context,
        )
        return not all(wanted)

    def _complete(self, request: Json) -> None:
        """Read what is not there; what is null or failed is known."""
        server = request.get("fhirServer")
        token = (request.get("fhirAuthorization") or {}).get("access_token")
        if token is None or (server != self.allowed and "allow-list" not in self.lax):
            return
        given = request.get("prefetch") or {}
        if "partial" in self.lax and given:
            return
        patient = request["context"]["patientId"]
        headers = {} if "token" in self.lax else {"Authorization": f"Bearer {token}"}
        for key, query in PREFETCH.items():
            value = given.get(key)
            again = ("null" in self.lax and key in given and value is None) or (
                "outcome" in self.lax and (value or {}).get("resourceType") == "OperationOutcome"
            )
            if key not in given or again:
                fetch(f"{server}/{query.replace('{{context.patientId}}', patient)}", headers)
            for link in (value or {}).get("link", ()) if "next" in self.lax else ():
                fetch(link["url"], headers)
        if "late" in self.lax and not given:
            threading.Timer(0.02, fetch_late, (f"{server}/Condition?patient={patient}", headers)).start()

    def _known(self, call: Call) -> bool:
        """Whether the caller presents a good token; every step can be left out."""
        scheme, _, token = (call.headers.get("Authorization") or "").partition(" ")
        if scheme != "Bearer":
            return "anonymous" in self.lax and call.to_service
        try:
            good = self._verify(token, f"{self.base}{call.path}")
        except (jwt.PyJWTError, ValueError, KeyError):
            return "garbage" in self.lax and token == "not.a.token"
        if good and call.to_service and "deaf" in self.lax and not self.heard:
            self.heard = True
            return False
        return good

    def _verify(self, token: str, url: str) -> bool:
        lax = self.lax
        header = jwt.get_unverified_header(token)
        claims = jwt.decode(token, options={"verify_signature": False})
        known = {"twin-key": KEY.public_key()}
        if "jku" in lax and "jku" in header:
            found = json.loads(fetch(header["jku"], {}))["keys"][0]
            known[found["kid"]] = jwt.PyJWK(found).key
        elif "peek" in lax and "jku" in header:
            fetch(header["jku"], {})
        unsigned = (
            (header["alg"] == "none" and "none" in lax)
            or (header["alg"] == "HS256" and "hs256" in lax)
            or ("kid" in lax and header["kid"] not in known and "jku" not in header)
            or ("signature" in lax and header["kid"] in known and header["alg"] == "ES384")
        )
        options: Any = {"verify_signature": not unsigned, "verify_aud": "aud" not in lax, "require": ["iat"]}
        options |= {"verify_exp": "exp" not in lax}
        claims = jwt.decode(
            token,
            known.get(header["kid"], ""),
            algorithms=["ES384"],
            audience=url,
            issuer=None if "iss" in lax else ISSUER,
            options=options,
        )
        if unsigned and (claims["aud"] != url or claims["iss"] != ISSUER or claims["exp"] < time.time()):
            return False
        if "lifetime" not in lax and claims["exp"] - claims["iat"] > 3600:
            return False
        if "claims" not in lax and not {"aud", "exp", "jti"} <= set(claims):
            return False
        seen = claims.get("jti") in self.jti
        self.jti.add(claims.get("jti", ""))
        return not seen or "replay" in lax


def fetch(url: str, headers: dict[str, str]) -> bytes:
    with urlopen(Request(url, headers=headers), timeout=5) as found:
        content: bytes = found.read()
        return content


def strict(body: bytes) -> Any:
    """JSON without NaN; None where it is none."""

    def no_constant(_: str) -> None:
        raise ValueError("not JSON")

    try:
        return json.loads(body, parse_constant=no_constant)
    except ValueError:
        return None


def fetch_late(url: str, headers: dict[str, str]) -> None:
    """The run may be over by then."""
    with suppress(OSError):
        fetch(url, headers)


@contextmanager
def running(twin: Twin) -> Iterator[str]:
    """The twin on loopback; yields its base URL."""

    class Handler(BaseHTTPRequestHandler):
        disable_nagle_algorithm = True
        wbufsize = -1

        def respond(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            made = twin.handle(Call(self.command, self.path, self.headers, body, strict(body)))
            self.send_response(made.status)
            for name, value in made.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(made.body)))
            self.end_headers()
            if made.status != 204:
                self.wfile.write(made.body)

        do_GET = do_POST = do_OPTIONS = respond  # noqa: N815 - names that the library looks for

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.005}, daemon=True)
    thread.start()
    twin.base = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield twin.base
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
