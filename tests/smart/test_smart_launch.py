"""EHR launches over HTTP, against an authorisation server that checks PKCE and state."""

from __future__ import annotations

import json
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from support.smart_ehr import LAUNCH

from cds_service.smart.cookie import LIFETIME_S, Pending, Sealer, cookie_name


def launch(service, browser, iss, launch=LAUNCH):
    """Open the page as the EHR does, and follow it wherever the two send the browser."""
    return browser.get(f"{service.base}/trend/launch", params={"iss": iss, "launch": launch}, timeout=20)


def first_step(service, browser, iss):
    return browser.get(
        f"{service.base}/trend/launch",
        params={"iss": iss, "launch": LAUNCH},
        timeout=20,
        allow_redirects=False,
    )


def said(answer):
    """Title and text of a page that refuses."""
    return answer.text.partition("<main")[2].partition("</main>")[0]


@pytest.mark.parametrize("base", ["base", "vault"], ids=["public app", "app with a secret"])
def test_launch_ends_on_the_trend_page(service, browser, ehr, base):
    answer = launch(service, browser, getattr(ehr, base))
    assert answer.status_code == 200
    assert "Calcium, phosphate, Ca x P and PTH over one year" in answer.text
    assert "Patient/hd-year, female, born 17 Aug 1955" in answer.text
    assert "latest 690 pg/mL on 14 Oct 2026" in answer.text
    assert answer.text.count("<svg") == 9


def test_closing_slash_of_the_address_does_not_matter(service, browser, ehr):
    assert launch(service, browser, f"{ehr.base}/").status_code == 200


@pytest.mark.parametrize(
    "context",
    ['{"rule": "vka-dialysis", "card": "1f0c"}', {"rule": "vka-dialysis"}],
    ids=["text, as the card sends it", "object, as some EHRs make of it"],
)
def test_rule_of_the_card_is_named(service, browser, ehr, context):
    ehr.manner.app_context = context
    page = launch(service, browser, ehr.base).text
    assert "Opened from a card of the rule" in page
    assert "Vitamin K antagonist on dialysis" in page
    assert "compared by this rule" in page


@pytest.mark.parametrize("context", ["{" * 9000, {"rule": "<script>"}], ids=["not JSON", "no rule of ours"])
def test_context_that_is_no_rule_is_left_alone(service, browser, ehr, context):
    ehr.manner.app_context = context
    answer = launch(service, browser, ehr.base)
    assert answer.status_code == 200
    assert "Opened from a card" not in answer.text


def test_cookie_is_short_lived_and_out_of_reach_of_scripts(service, browser, ehr):
    answer = first_step(service, browser, ehr.base)
    assert answer.status_code == 303
    cookie = answer.headers["Set-Cookie"]
    for part in ("HttpOnly", "SameSite=lax", "Path=/trend/callback", f"Max-Age={LIFETIME_S}"):
        assert part in cookie
    query = parse_qs(urlsplit(answer.headers["Location"]).query)
    assert query["code_challenge_method"] == ["S256"]
    assert query["aud"] == [ehr.base]
    assert "patient/Observation.rs" in query["scope"][0].split()


def test_cookie_is_gone_and_no_token_reaches_the_browser(service, browser, ehr):
    answer = launch(service, browser, ehr.base)
    everything = [answer, *answer.history]
    seen = "".join(f"{one.text}{one.headers}{one.url}" for one in everything)
    assert not any(token in seen for token in ehr.tokens)
    assert not browser.cookies
    assert answer.headers["Cache-Control"] == "no-store"


def test_two_launches_at_once_do_not_disturb_each_other(service, browser, ehr):
    first = first_step(service, browser, ehr.base)
    second = first_step(service, browser, ehr.base)
    for step in (first, second):
        assert browser.get(step.headers["Location"], timeout=20).status_code == 200


def test_callback_cannot_be_used_twice(service, browser, ehr):
    answer = launch(service, browser, ehr.base)
    again = browser.get(answer.url, timeout=20)
    assert again.status_code == 400
    assert "did not begin here" in said(again)


def test_answer_with_another_state_is_refused(service, browser, ehr):
    ehr.manner.state = "of-somebody-else"
    answer = launch(service, browser, ehr.base)
    assert answer.status_code == 400
    assert "/token" not in ehr.seen


def test_answer_to_another_browser_is_refused(service, ehr, browser):
    """The code of one person must not open a page for another."""
    location = first_step(service, browser, ehr.base).headers["Location"]
    back = browser.get(location, timeout=20, allow_redirects=False).headers["Location"]
    with requests.Session() as stranger:
        stranger.trust_env = False
        answer = stranger.get(back, timeout=20)
    assert answer.status_code == 400
    assert "/token" not in ehr.seen


def test_cookie_of_one_launch_does_not_serve_another_state(service, browser, ehr):
    first_step(service, browser, ehr.base)
    sealed = next(iter(browser.cookies)).value
    state = "forged"
    address = f"{service.base}/trend/callback?state={state}&code=x"
    answer = requests.get(address, cookies={cookie_name(state): sealed}, timeout=20)
    assert answer.status_code == 400
    assert "does not match" in said(answer)


def test_cookie_that_was_changed_or_is_of_another_site_is_no_cookie():
    pending = Pending(state="s", verifier="v", iss="https://a", client="c", token_url="https://a/token")
    sealed = Sealer(b"key of this site").seal(pending)
    assert Sealer(b"key of this site").open(sealed) == pending
    assert Sealer(b"key of another site").open(sealed) is None
    assert Sealer(b"key of this site").open(f"{sealed[:-3]}AAA") is None
    assert Sealer(b"key of this site").open("nonsense") is None


@pytest.mark.parametrize(
    "iss",
    [
        "https://elsewhere.example/fhir",
        "{root}/other",
        "{root}/fhir/../other",
        "{root}/FHIR",
        "http://127.0.0.1@elsewhere.example/fhir",
        "http://169.254.169.254/latest",
        "{base}?x=1",
        "{base}#",
    ],
)
def test_unknown_iss_is_refused_without_any_request(service, browser, ehr, iss):
    answer = launch(service, browser, iss.format(root=ehr.root, base=ehr.base))
    assert answer.status_code == 403
    assert "not known here" in said(answer)
    assert ehr.seen == []
    assert "elsewhere" not in answer.text


@pytest.mark.parametrize(("iss", "opened"), [("", LAUNCH), ("{base}", ""), ("{base}", "x" * 5000)])
def test_launch_without_its_parameters_is_refused(service, browser, ehr, iss, opened):
    answer = launch(service, browser, iss.format(base=ehr.base), opened)
    assert answer.status_code == 400
    assert ehr.seen == []


REFUSALS = {
    "access denied": ({"denies": "access_denied"}, 403, "Access was not granted"),
    "scope invalid": ({"denies": "invalid_scope"}, 403, "Laboratory results were not granted"),
    "no results granted": (
        {"scope": "launch patient/Patient.rs"},
        403,
        "Laboratory results were not granted",
    ),
    "no patient": ({"patient": None}, 400, "No patient was chosen"),
    "patient id that is a path": ({"patient": "../Practitioner/1"}, 400, "No patient was chosen"),
    "token of another kind": ({"token_type": "mac"}, 403, "gave no access"),
    "token expired": ({"expired": True}, 403, "refused access to the record"),
    "patient unknown": ({"knows_patient": False}, 404, "The patient was not found"),
    "another patient": ({"answers_as": "somebody-else"}, 404, "The patient was not found"),
    "FHIR server down": ({"down": True}, 502, "could not be read"),
    "no configuration": ({"configuration_status": 404}, 502, "could not be reached"),
    "token address elsewhere": (
        {"configuration": {"token_endpoint": "https://elsewhere.example/token"}},
        502,
        "could not be reached",
    ),
    "password in the address": (
        {"configuration": {"authorization_endpoint": "http://a:b@127.0.0.1/authorize"}},
        502,
        "could not be reached",
    ),
    "no PKCE with SHA-256": (
        {"configuration": {"code_challenge_methods_supported": ["plain"]}},
        502,
        "could not be reached",
    ),
    "configuration of another shape": (
        {"configuration": {"token_endpoint": None}},
        502,
        "could not be reached",
    ),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_refusal_is_a_plain_page_with_the_right_status(service, browser, ehr, name):
    manner, status, words = REFUSALS[name]
    for member, value in manner.items():
        setattr(ehr.manner, member, value)
    answer = launch(service, browser, ehr.base)
    assert answer.status_code == status
    assert words in said(answer).replace("&#39;", "'")
    assert answer.headers["Content-Type"].startswith("text/html")
    assert "unsafe" not in answer.headers["Content-Security-Policy"]
    assert "Canary" not in answer.text
    assert "<svg" not in answer.text


def test_code_that_the_ehr_does_not_know_gives_no_access(service, browser, ehr):
    location = first_step(service, browser, ehr.base).headers["Location"]
    back = browser.get(location, timeout=20, allow_redirects=False).headers["Location"]
    ehr.codes.clear()
    answer = browser.get(back, timeout=20)
    assert answer.status_code == 403
    assert "gave no access" in said(answer)


def test_scopes_of_an_ehr_of_its_own_kind_are_not_judged(service, browser, ehr):
    ehr.manner.scope = "Observation.Read (Labs) (R4) Patient.Read (R4)"
    assert launch(service, browser, ehr.base).status_code == 200


def test_nothing_of_the_launch_is_kept(service, browser, ehr):
    before = list(service.engine.store.export_records())
    launch(service, browser, ehr.base)
    after = list(service.engine.store.export_records())
    assert before == after
    assert "hd-year" not in json.dumps([repr(one) for one in after])
