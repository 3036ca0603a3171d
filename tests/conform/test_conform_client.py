"""The client itself: odd services, wrong options, the command line, and what it must never print."""

import json
import time

import pytest
import typer
from support.ports import free_port
from twin import ISSUER, ORIGIN, PRIVATE_JWK, Reply, Twin, reply, running
from twin_answers import answer
from typer.testing import CliRunner

from cds_service.cli.conform import conform
from cds_service.conform import Options, OptionsError, Verdict, run
from cds_service.conform.bodies import HOOKS, request_for

app = typer.Typer(pretty_exceptions_enable=False)
app.command()(conform)

NONSENSE = [
    b"",
    b"\xff\xfe",
    b"null",
    b"7",
    b'"cards"',
    b"[[]]",
    b'{"cards": null}',
    b'{"cards": [null, 7, [], {}], "systemActions": [null, {"type": []}]}',
    b'{"cards": [{"summary": [], "indicator": {}, "source": [], "detail": {}, "links": 7, "extension": {"a": null}}]}',
    b'{"cards": [{"suggestions": [null, {"actions": [null, {"type": "update", "resource": {"id": []}}]}]}]}',
    b'{"cards": [{"suggestions": [{"uuid": {}, "isRecommended": [], "actions": [{"type": "delete", "resource": 7}]}]}]}',
    b'{"cards": [{"uuid": [], "overrideReasons": [7, {"code": 7}], "links": [null, {"url": "http://[", "type": 7}]}]}',
    b'{"cards": [{"source": {"topic": [], "url": 7, "icon": {}}, "selectionBehavior": [], "suggestions": {"a": 1}}]}',
    b'{"services": [null, {"id": 7, "prefetch": 7}, {"id": "x", "hook": [], "prefetch": {"": null, "a": "}}{{"}}]}',
    b'{"services": [{"id": "x", "hook": "order-sign", "hookVersion": {}, "version": [], "prefetch": {"a": "{{", "b": ""}}]}',
]


@pytest.mark.parametrize("body", NONSENSE, ids=range(len(NONSENSE)))
@pytest.mark.parametrize("where", ["discovery", "call"])
def test_nonsense_is_told_and_never_breaks_the_client(judge, body, where):
    def change(found, call):
        chosen = call.path == "/cds-services" if where == "discovery" else call.method == "POST"
        return Reply(200, body, {"Content-Type": "application/json"}) if chosen else None

    report = judge(change=change)
    assert report.failures
    assert report.exit_code == 1


def test_a_service_that_is_not_there_is_told():
    report = run(f"http://127.0.0.1:{free_port()}")
    assert [result.id for result in report.failures] == ["C007-discovery-answers"]
    assert report.exit_code == 1


def test_a_service_that_never_answers_does_not_hold_up_the_run(judge):
    begun = time.monotonic()
    report = judge(
        change=lambda _, call: time.sleep(0.5) if call.to_service else None, options={"timeout_s": 0.05}
    )
    assert time.monotonic() - begun < 5
    assert {"C021-call-answered"} <= {result.id for result in report.failures}


def test_a_guarded_service_is_judged_as_far_as_it_lets_us():
    with running(Twin(auth=True)) as base:
        report = run(base)
    assert not report.failures
    passed = {result.id for result in report.of(Verdict.PASS)}
    assert {
        "C077-asks-for-token",
        "C081-none",
        "C081-hs256",
        "C083-foreign-jku",
        "C084-unknown-kid",
    } <= passed
    reasons = {result.reason for result in report.of(Verdict.SKIP)}
    assert any("--key" in reason for reason in reasons)


def test_a_static_token_is_sent_as_it_is():
    heard = set()

    def change(_, call):
        heard.add(call.headers.get("Authorization"))

    with running(Twin(change=change)) as base:
        run(base, Options(token="abc", feedback=False))
    assert "Bearer abc" in heard


@pytest.mark.parametrize("hook", HOOKS)
def test_there_is_a_minimal_body_for_each_hook(hook):
    request = request_for(hook)
    assert request["hook"] == hook
    assert request["context"]["patientId"]


def test_a_body_of_ones_own_takes_the_place_of_the_built_in_one(judge):
    heard = []
    case = {"service": "twin-order-sign", "request": {**request_for("order-sign"), "mine": True}}
    report = judge(
        tell=lambda _, request: heard.append(request.get("mine")),
        options={"bodies": (json.dumps(case).encode(),)},
    )
    assert not report.failures
    assert set(heard) == {True}


def test_evidence_names_places_and_shapes_but_no_value(judge):
    secret = "Jane Q. Patient"
    report = judge(
        tell=lambda found, _: found["cards"][0].update(
            summary=secret * 12,
            indicator=secret,
            detail=f"<b>{secret}</b>",
            uuid=secret,
            selectionBehavior=secret,
        )
    )
    assert len(report.failures) >= 3
    assert secret not in report.to_json().decode()


def test_a_check_can_be_left_out(judge):
    report = judge(
        tell=lambda found, _: found["cards"][0].update(indicator="x"), options={"skip": {"C053-indicator"}}
    )
    assert not report.failures
    assert "C053-indicator" not in {result.id for result in report.results}


@pytest.mark.parametrize(
    ("url", "options", "word"),
    [
        ("ftp://127.0.0.1/", {}, "http"),
        ("http://user:pw@127.0.0.1/", {}, "http"),
        ("http://127.0.0.1:1/", {"skip": frozenset({"C999-x"})}, "C999-x"),
        ("http://127.0.0.1:1/", {"bodies": (b"{",)}, "not JSON"),
        ("http://127.0.0.1:1/", {"bodies": (b"[]",)}, "neither"),
        ("http://127.0.0.1:1/", {"key": PRIVATE_JWK}, "--issuer"),
        ("http://127.0.0.1:1/", {"key": b"{}", "issuer": ISSUER}, "private JWK"),
        ("http://127.0.0.1:1/", {"key": b'{"kty": "oct", "k": "AA", "kid": "x"}', "issuer": ISSUER}, "--key"),
    ],
)
def test_options_that_cannot_be_used_are_named(url, options, word):
    with pytest.raises(OptionsError, match=word) as caught:
        run(url, Options(**options))
    assert "pw" not in str(caught.value)


def test_a_secret_is_in_no_repr():
    shown = repr(Options(token="very-secret", key=PRIVATE_JWK))
    assert "very-secret" not in shown
    assert '"d"' not in shown


def test_the_command_shows_a_table_and_ends_with_0(tmp_path):
    with running(Twin()) as base:
        result = CliRunner().invoke(app, [base, "--origin", ORIGIN])
    assert result.exit_code == 0
    assert "C052-summary-under-140" in result.output
    assert " 0 fail" in result.output


def broken(document, _request):
    document["cards"][0]["source"]["extra"] = None


def lenient(found, call):
    lacks = (
        isinstance(call.json, dict) and "context" in call.json and "draftOrders" not in call.json["context"]
    )
    return reply(200, {"cards": []}) if call.to_service and lacks else None


def test_the_command_names_the_rules_that_are_broken_and_ends_with_1():
    with running(Twin(tell=broken, change=lenient)) as base:
        result = CliRunner().invoke(app, [f"{base}/cds-services", "--origin", ORIGIN, "--json"])
    assert result.exit_code == 1
    report = json.loads(result.output)
    failed = [found for found in report["results"] if found["verdict"] == "fail"]
    assert [found["id"] for found in failed] == ["C002-no-null", "C022-missing-orders"]
    assert report["exitCode"] == 1
    assert report["counts"]["fail"] == 2
    assert report["latencyMs"]["samples"] == 5
    assert failed[0]["evidence"][0].endswith("$.cards[0].source.extra: null")


def test_a_service_that_answers_200_to_a_bad_token_is_named_without_any_key():
    with running(Twin(auth=True, lax=frozenset({"garbage"}))) as base:
        report = run(base)
    assert [result.id for result in report.failures] == ["C079-garbage"]


def test_what_the_twin_says_is_what_the_checks_expect():
    """The builder of answers is not shared between calls: an edit of one never shows in the next."""
    request = {**request_for("order-sign"), "prefetch": {}}
    assert answer(request)["cards"][0]["uuid"] != answer(request)["cards"][0]["uuid"]
