"""Our own service, live on loopback, open and with tokens: nothing to be told."""

import asyncio
import json
import threading
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from jwt.algorithms import ECAlgorithm
from support.ports import free_port
from twin import ISSUER, KEY, ORIGIN, PRIVATE_JWK

from cds_service.conform import CHECKS, Options, Verdict, run
from cds_service.conform.checks.templates import templates
from cds_service.conform.model import result_of
from cds_service.conform.nodes import cards, reasons, sources, suggestions
from cds_service.conform.run import observe
from cds_service.discovery import document
from cds_service.engine import build_engine
from cds_service.serving import make_server, running_engine
from cds_service.settings import load_settings

CASES = sorted((Path(__file__).resolve().parents[2] / "fixtures" / "cases").glob("*.json"))
AS_OF = datetime(2026, 11, 21, 12, tzinfo=UTC)


@contextmanager
def serving(folder, **settings):
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    chosen = load_settings(
        as_of=AS_OF, store_url=f"sqlite:///{folder / 'cds.sqlite'}", public_url=url, **settings
    )
    with running_engine(chosen) as engine:
        server, sock = make_server(engine, "127.0.0.1", port)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [sock]}, daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.005)
        try:
            yield url
        finally:
            server.should_exit = True
            thread.join(10)


def open_service(folder, listen_port):
    return serving(folder, fhir_bases=(f"http://127.0.0.1:{listen_port}/fhir",))


def guarded_service(folder, listen_port):
    public = ECAlgorithm.to_jwk(KEY.public_key(), as_dict=True)
    client = {
        "id": "conform",
        "issuer": ISSUER,
        "jwks": {"keys": [{**public, "kid": "twin-key", "alg": "ES384", "use": "sig"}]},
        "fhir_base": [f"http://127.0.0.1:{listen_port}/fhir"],
    }
    (folder / "clients.json").write_text(json.dumps({"clients": [client]}))
    return serving(folder, auth="required", clients=folder / "clients.json")


@pytest.fixture(scope="module", params=["open", "guarded"])
def report(request, tmp_path_factory):
    port = free_port()
    guarded = request.param == "guarded"
    start = guarded_service if guarded else open_service
    known = {"key": PRIVATE_JWK, "issuer": ISSUER, "auth": True} if guarded else {}
    with start(tmp_path_factory.mktemp("service"), port) as url:
        return run(url, Options(listen_port=port, origin=ORIGIN, **known))


def test_nothing_is_told(report):
    assert {r.id: r.evidence for r in report.failures} == {}
    assert {r.id: r.evidence for r in report.of(Verdict.WARN)} == {}
    assert report.exit_code == 0
    assert len(report.services) == 5


def test_what_was_not_judged_is_what_we_do_not_send(report):
    optional = {
        "C001-https",
        "C015-hook-version",
        "C042-unlisted-server",
        "C051-system-actions",
        "C056-source-icon",
        "C063-recommended-boolean",
        "C063-recommended-once",
        "C065-whole-resource",
        "C071-link-label",
        "C071-link-type",
        "C071-link-url",
        "C071-links-array",
        "C072-app-context",
        "C073-autolaunchable",
        "C074-action-selection",
        "C090-extension-object",
    }
    skipped = {result.id for result in report.of(Verdict.SKIP)}
    about_tokens = {r.id for r in report.results if r.id.startswith(("C077", "C078", "C079", "C08"))}
    assert skipped - optional - about_tokens == set()


@pytest.fixture(scope="module")
def watched(tmp_path_factory):
    """Everything our service answers to the requests of all case files, in every variant."""
    bodies = tuple(path.read_bytes() for path in CASES)
    with serving(tmp_path_factory.mktemp("cases")) as url:
        return observe(url, Options(bodies=bodies))


def test_nothing_is_told_about_the_cards_of_our_cases(watched):
    results = [result_of(check, watched) for check in CHECKS]
    assert {r.id: r.evidence for r in results if r.verdict in (Verdict.FAIL, Verdict.WARN)} == {}
    assert len(list(cards(watched))) > 100


def test_C015_C051_C056_C063_C071_C072_C073_C074_what_we_leave_out_is_not_there(watched):
    assert not any("hookVersion" in entry.value for entry in watched.entries)
    assert not any("systemActions" in seen.answer.document for seen in watched.answers())
    assert not any("icon" in source.value for source in sources(watched))
    assert not any("links" in card.value for card in cards(watched))
    for suggestion in suggestions(watched):
        assert not {"isRecommended", "actionSelectionBehavior"} & set(suggestion.value)


def test_C031_templates_use_no_expressions(watched):
    tokens = [token for template in templates(watched) for token in template.tokens]
    assert set(tokens) == {"context.patientId"}


def test_C067_a_suggestion_is_one_action(watched):
    found = [suggestion.value["actions"] for suggestion in suggestions(watched)]
    assert found
    assert {len(actions) for actions in found} == {1}


def test_C070_override_reasons_are_codes_of_hl7(watched):
    systems = {reason.value["system"] for reason in reasons(watched)}
    assert systems == {"http://terminology.hl7.org/CodeSystem/non-adherence-reason-codes"}


def test_C009_without_services_the_list_is_empty():
    engine = build_engine(load_settings(), store=None)
    engine.services = {}
    assert asyncio.run(document(engine, {})) == b'{"services":[]}'
