"""The governance pages over HTTP: for operators only, and never more than an operator may see."""

from __future__ import annotations

import asyncio
import base64
import csv
import io
import json
import re

import pytest
from support.casefiles import request_of
from support.live import SIGN, live_service

from cds_service.app import create_app
from cds_service.serving import running_engine
from cds_service.settings import load_settings

CASE = "vka-dialysis-new-start"
KEY = "operators-key-of-this-site"
HOSTILE = "<script>alert(1)</script> [x](javascript:alert(1)) " + "y" * 3000


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    """A service of its own with one card that was overridden, in words nobody should run."""
    with live_service(tmp_path_factory.mktemp("desk")) as service:
        _answer(service)
        yield service


def _answer(service):
    (card,) = service.cards(request_of(CASE))
    reason = {
        "reason": {"code": "patient-refuses", "system": "urn:x", "display": HOSTILE},
        "userComment": HOSTILE,
    }
    item = {
        "card": card["uuid"],
        "outcome": "overridden",
        "overrideReason": reason,
        "outcomeTimestamp": "2026-11-21T08:00:00Z",
    }
    assert service.post(f"/cds-services/{SIGN}/feedback", {"feedback": [item]}).status_code == 200


def call_page(service):
    fires = service.get("/governance/fires?rule=vka-dialysis").text
    address = re.search(r'href="(/governance/call\?id=\w+)"', fires).group(1)
    return service.get(address)


def inert(text):
    return "<script" not in text and "y" * 1001 not in text and 'href="javascript' not in text


def test_overview_shows_the_figures(desk):
    answer = desk.get("/governance")
    assert answer.status_code == 200
    assert "unsafe" not in answer.headers["Content-Security-Policy"]
    row = re.search(r"<tr>\s*<th scope=\"row\">[^\n]*vka-dialysis</a>.*?</tr>", answer.text, re.DOTALL).group(
        0
    )
    cells = [re.sub(r"<[^>]+>", "", cell).strip() for cell in re.findall(r"<td.*?</td>", row, re.DOTALL)]
    assert cells[1:8] == ["1", "1", "\N{EN DASH}", "1", "0%", "100%", "0%"]
    assert 'role="img"' in row
    assert "Simulated" not in answer.text
    assert inert(answer.text)


@pytest.mark.parametrize(
    "query",
    [
        "weeks=1",
        "weeks=26&fired=1",
        "client=anonymous",
        "client=nobody",
        "rule=vka-dialysis",
        "weeks=x&rule='--",
    ],
)
def test_filters_and_nonsense_are_answered(desk, query):
    answer = desk.get(f"/governance?{query}")
    assert answer.status_code == 200
    assert "vka-dialysis" in answer.text


def test_filter_by_client(desk):
    assert "No call on record" in desk.get("/governance?client=nobody").text


def test_without_calls_nothing_is_called_well(desk):
    page = desk.get("/governance?client=nobody").text
    assert "nothing can be said about dead rules or drift" in page
    assert "no dead rule" not in page


def test_csv_is_the_same_table(desk):
    answer = desk.get("/governance.csv?rule=vka-dialysis")
    assert answer.headers["Content-Type"].startswith("text/csv")
    assert "governance.csv" in answer.headers["Content-Disposition"]
    (row,) = csv.DictReader(io.StringIO(answer.text))
    assert (row["site"], row["fires_shown"], row["overridden"]) == ("anonymous", "1", "1")
    assert row["top_reasons"] == "patient-refuses: 1"


def test_one_fire_is_explained_without_identifiers_or_comments(desk):
    answer = call_page(desk)
    assert answer.status_code == 200
    text = answer.text
    assert "Why Vitamin K antagonist on dialysis fires" in text
    assert "on maintenance dialysis" in text
    assert "overridden 2026-11-21T08:00" in text
    assert text.count("<dd>hidden</dd>") == 2
    assert "blockquote" not in text
    assert inert(text)


def test_allowed_identifiers_are_hashes_and_comments_are_escaped(tmp_path):
    with live_service(tmp_path, governance_identifiers=True) as service:
        _answer(service)
        text = call_page(service).text
    assert "keyed hash" in text
    assert "hd-new-start" not in text
    assert "<blockquote>&lt;script&gt;" in text
    assert inert(text)


@pytest.mark.parametrize("ident", ["", "nothing", "' OR 1=1 --", "<script>"])
def test_unknown_call_is_a_plain_404(desk, ident):
    answer = desk.get("/governance/call", params={"id": ident})
    assert answer.status_code == 404
    assert "<script>" not in answer.text


@pytest.mark.parametrize("week", ["2026-11-16", "1999-01-04", "nonsense"])
def test_fires_of_a_week(desk, week):
    assert desk.get(f"/governance/fires?rule=vka-dialysis&week={week}").status_code == 200


@pytest.fixture
def production(tmp_path):
    """Settings of a production service; a test adds what it is about."""
    key = {"kty": "EC", "crv": "P-384", "kid": "1", "alg": "ES384"}
    point = {
        "x": "dw_JGR8nB2I6XveNxUOl2qk699ZPLM2nYI5STSdiEl9avAkrm3CkfYMbrrjr8laB",
        "y": "Sm3mLE-n1zYNla_aiE3cb3nZsL51RbC7ysw3q8aJLxGm-hx79RPMYpITDjp7kgzy",
    }
    clients = {"clients": [{"id": "ehr", "issuer": "https://ehr.example", "jwks": {"keys": [key | point]}}]}
    (tmp_path / "clients.json").write_text(json.dumps(clients))
    return {
        "environment": "production",
        "clients": tmp_path / "clients.json",
        "hash_key": "k" * 32,
        "public_url": "https://cds.example",
        "store_url": f"sqlite:///{tmp_path / 'x.sqlite'}",
    }


PATHS = ("/governance", "/governance.csv", "/governance/fires", "/governance/call")


def statuses(settings, headers):
    with running_engine(load_settings(**settings)) as engine:
        app = create_app(engine)
        return {asyncio.run(_asked(app, path, headers)) for path in PATHS}


def test_production_has_no_such_page_without_an_operator_key(production):
    assert statuses(production, {}) == {404}


def _basic(password, user="anybody"):
    return {"authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"authorization": "Bearer wrong"},
        {"authorization": KEY},
        {"authorization": "Basic ###"},
        {"authorization": f"Digest {KEY}"},
        _basic("wrong"),
        _basic("", user=KEY),
    ],
)
def test_production_asks_for_the_operator_key(production, headers):
    assert statuses(production | {"operator_key": KEY}, headers) == {401}


@pytest.mark.parametrize("headers", [{"authorization": f"Bearer {KEY}"}, _basic(KEY)])
def test_production_lets_operators_in(production, headers):
    assert statuses(production | {"operator_key": KEY}, headers) == {200, 404}  # 404: no call of that number


async def _asked(app, path, headers):
    """Status of a GET, asked of the application itself: production would need https."""
    sent = []
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        "scheme": "https",
        "server": ("cds.example", 443),
        "client": ("127.0.0.1", 1),
    }

    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message):
        sent.append(message)

    await app(scope, receive, send)
    return sent[0]["status"]
