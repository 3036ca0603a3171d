"""An EHR with a FHIR server and an authorisation server of its own, small but strict: PKCE, state, one-time codes."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace
from urllib.parse import parse_qs, urlencode, urlsplit

from support.casefiles import AS_OF, FIXTURES
from support.ports import free_port

from cds_service.serving import make_server, running_engine
from cds_service.settings import load_settings

CLIENT_ID = "trend-page"
LAUNCH = "launch-4711"
SECRET = "s3cret-of-the-app"
SCOPE = "launch patient/Patient.rs patient/Observation.rs patient/Condition.rs patient/MedicationRequest.rs"


KEYS = {
    "keys": [
        {
            "kty": "EC",
            "crv": "P-384",
            "kid": "1",
            "alg": "ES384",
            "x": "dw_JGR8nB2I6XveNxUOl2qk699ZPLM2nYI5STSdiEl9avAkrm3CkfYMbrrjr8laB",
            "y": "Sm3mLE-n1zYNla_aiE3cb3nZsL51RbC7ysw3q8aJLxGm-hx79RPMYpITDjp7kgzy",
        }
    ]
}


@dataclass
class Manner:
    """How the EHR behaves; a test changes one thing."""

    patient: str | None = "hd-year"
    scope: str = SCOPE
    app_context: object = None
    denies: str | None = None
    """Error code of the authorisation answer."""
    state: str | None = None
    """State sent back instead of ours."""
    token_type: str = "Bearer"
    expired: bool = False
    """The FHIR server takes no token."""
    knows_patient: bool = True
    down: bool = False
    configuration: dict = field(default_factory=dict)
    """Members of smart-configuration instead of the usual ones."""
    configuration_status: int = 200
    answers_as: str | None = None
    """The Patient that is returned has this id."""


class Ehr:
    """`base` is its FHIR base; `tokens` are those given out, `seen` the addresses asked for."""

    def __init__(self):
        self.manner = Manner()
        self.codes: dict[str, dict] = {}
        self.tokens: set[str] = set()
        self.seen: list[str] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self._server.daemon_threads = True
        self._server.ehr = self
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    @property
    def root(self):
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def base(self):
        return f"{self.root}/fhir"

    @property
    def vault(self):
        """A second FHIR base, whose apps must keep a secret."""
        return f"{self.root}/vault/fhir"

    def close(self):
        self._server.shutdown()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    def log_message(self, *args):
        pass

    @property
    def ehr(self):
        return self.server.ehr

    def answer(self, status, document=None, **headers):
        body = json.dumps(document).encode() if document is not None else b""
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Type", "application/fhir+json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        parts = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        self.ehr.seen.append(parts.path)
        path = parts.path.removeprefix("/vault")
        if path == "/fhir/.well-known/smart-configuration":
            self.configuration()
        elif path == "/authorize":
            self.authorize(query)
        elif path.startswith("/fhir/"):
            self.fhir(path.removeprefix("/fhir/"))
        else:
            self.answer(404)

    def configuration(self):
        usual = {
            "authorization_endpoint": f"{self.ehr.root}/authorize",
            "token_endpoint": f"{self.ehr.root}/token",
            "code_challenge_methods_supported": ["S256"],
            "capabilities": ["launch-ehr", "client-public"],
        }
        self.answer(self.ehr.manner.configuration_status, usual | self.ehr.manner.configuration)

    def authorize(self, query):
        manner = self.ehr.manner
        assert query["response_type"] == "code"
        assert query["client_id"] == CLIENT_ID
        assert query["aud"] in (self.ehr.base, self.ehr.vault)
        assert query["launch"] == LAUNCH
        assert query["code_challenge_method"] == "S256"
        assert "launch" in query["scope"].split()
        back = {"state": manner.state or query["state"]}
        if manner.denies:
            back |= {"error": manner.denies, "error_description": "<b>Mr Canary said no</b>"}
        else:
            back["code"] = secrets.token_urlsafe()
            self.ehr.codes[back["code"]] = query
        self.answer(302, Location=f"{query['redirect_uri']}?{urlencode(back)}")

    def do_POST(self):
        self.ehr.seen.append(self.path)
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        form = {name: values[0] for name, values in parse_qs(body).items()}
        problem = self.problem_with(form)
        if problem:
            self.answer(400, {"error": problem, "error_description": "Mr Canary"})
            return
        manner, token = self.ehr.manner, secrets.token_urlsafe()
        self.ehr.tokens.add(token)
        given = {
            "access_token": token,
            "token_type": manner.token_type,
            "expires_in": 300,
            "scope": manner.scope,
            "patient": manner.patient,
            "appContext": manner.app_context,
        }
        self.answer(200, {name: value for name, value in given.items() if value is not None})

    def problem_with(self, form):
        """What a strict authorisation server checks before it gives a token."""
        asked = self.ehr.codes.pop(form.get("code"), None)
        if asked is None or form["grant_type"] != "authorization_code":
            return "invalid_grant"
        digest = hashlib.sha256(form["code_verifier"].encode()).digest()
        if base64.urlsafe_b64encode(digest).decode().rstrip("=") != asked["code_challenge"]:
            return "invalid_grant"
        if form["redirect_uri"] != asked["redirect_uri"]:
            return "invalid_grant"
        if asked["aud"] == self.ehr.base:
            return None if form["client_id"] == CLIENT_ID else "invalid_client"
        expected = base64.b64encode(f"{CLIENT_ID}:{SECRET}".encode()).decode()
        return None if self.headers["Authorization"] == f"Basic {expected}" else "invalid_client"

    def fhir(self, path):
        manner = self.ehr.manner
        token = self.headers.get("Authorization", "").removeprefix("Bearer ")
        if manner.down:
            self.answer(500)
        elif manner.expired or token not in self.ehr.tokens:
            self.answer(401)
        elif not manner.knows_patient and path.startswith("Patient/"):
            self.answer(404)
        else:
            self.resources(path)

    def resources(self, path):
        bundle = json.loads((FIXTURES / "patients" / "hd-year.json").read_bytes())
        kind = path.partition("/")[0]
        found = [entry["resource"] for entry in bundle["entry"] if entry["resource"]["resourceType"] == kind]
        if kind == "Patient":
            self.answer(200, found[0] | {"id": self.ehr.manner.answers_as or found[0]["id"]})
        else:
            entries = [{"resource": resource} for resource in found]
            self.answer(200, {"resourceType": "Bundle", "type": "searchset", "entry": entries})


@contextmanager
def launch_service(ehr, folder):
    """The service with a public SMART app at one client, a confidential one at another, none at a third."""
    port = free_port()
    (folder / "secret").write_text(f"{SECRET}\n")
    public = {"client_id": CLIENT_ID}
    apps = {
        "st-mary": (ehr.base, public),
        "harbour": (ehr.vault, public | {"secret_file": str(folder / "secret")}),
        "riverside": (f"{ehr.root}/other", None),
    }
    clients = [
        {"id": name, "issuer": f"https://{name}.example", "jwks": KEYS, "fhir_base": base, "smart": smart}
        for name, (base, smart) in apps.items()
    ]
    (folder / "clients.json").write_text(json.dumps({"clients": clients}))
    settings = load_settings(
        as_of=AS_OF,
        public_url=f"http://127.0.0.1:{port}",
        store_url=f"sqlite:///{folder / 'records.sqlite'}",
        clients=folder / "clients.json",
        # A busy machine must not turn a refusal into a time-out.
        deadline_ms=30_000,
        fhir_deadline_ms=20_000,
    )
    with running_engine(settings) as engine:
        server, sock = make_server(engine, "127.0.0.1", port)
        sock.listen()
        thread = threading.Thread(target=server.run, kwargs={"sockets": [sock]}, daemon=True)
        thread.start()
        yield SimpleNamespace(base=settings.base_url, engine=engine)
        server.should_exit = True
        thread.join()
