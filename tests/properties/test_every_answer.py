"""What holds of every answer, whatever was asked (design sections 5 and 8, clinical document sections 5.1 and 8)."""

import functools
import json
import re

from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from property_charts import calls, case_files, draft_orders, drawn, every_rule, reference
from property_desk import decoded, encoded

from cds_service.content.wording import violations
from cds_service.errors import CdsError, NothingAssessable
from cds_service.fhir.write import validated

RULES = every_rule()
REASON_SYSTEM = "http://terminology.hl7.org/CodeSystem/non-adherence-reason-codes"
REASON_CODES = frozenset(
    {
        "patient-contraindication",
        "risk-benefit-ratio",
        "mitigate-risk-negative-outcome",
        "action-performed-no-adverse-effect",
        "expert-contradicts",
        "policy-contradicts",
        "patient-ineligible",
        "action-completed",
        "need-more-info",
        "patient-refuses",
        "service-not-available",
        "recipient-does-not-trust",
    }
)
RANK = {"critical": 2, "warning": 1, "info": 0}
CARD = {
    "uuid",
    "summary",
    "indicator",
    "source",
    "detail",
    "suggestions",
    "selectionBehavior",
    "overrideReasons",
    "links",
}
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
# Independent of the content's own linter: words that no string of ours may hold (N1, N3, N4, N5, N8).
_NEVER = re.compile(
    r"\b(?:low[- ]risk|safe|safely|probability|\d ?% survival|survival (?:of|is)|stop (?:the )?(?:warfarin|vka)|switch to (?:apixaban|a doac)"
    r"|(?<!not )withhold (?:insulin|calcium)|(?:patient|he|she) (?:has|does not have) calciphylaxis|caucasian|no risk)\b",
    re.IGNORECASE,
)


def nothing_empty(value, place="$"):
    """No null and no empty string, list or object, apart from `cards` itself."""
    if isinstance(value, dict):
        assert value, place
        for key, each in value.items():
            if (place, key) != ("$", "cards"):
                nothing_empty(each, f"{place}.{key}")
            else:
                for card in each:
                    nothing_empty(card, "$.cards[]")
    elif isinstance(value, list):
        assert value, place
        for each in value:
            nothing_empty(each, f"{place}[]")
    else:
        assert value is not None, place
        assert value != "", place


def check_card(card, call, drafts):
    assert set(card) <= CARD
    assert card["indicator"] in RANK
    assert 0 < len(card["summary"]) <= 139
    assert "\n" not in card["summary"]
    assert "…" not in card["summary"][-1:]
    assert _UUID.fullmatch(card["uuid"])
    source = card["source"]
    assert set(source) <= {"label", "url", "icon", "topic"}
    assert re.fullmatch(r"[A-Za-z0-9]+", source["topic"]["code"])
    assert set(source["topic"]) == {"system", "code", "display"}
    suggestions = card.get("suggestions", [])
    assert len(suggestions) <= 6
    assert ("selectionBehavior" in card) == bool(suggestions)
    assert card.get("selectionBehavior", "any") in ("any", "at-most-one")
    for suggestion in suggestions:
        check_suggestion(suggestion, call, drafts)
    reasons = card.get("overrideReasons", [])
    assert len(reasons) <= 6
    assert len({each["code"] for each in reasons}) == len(reasons)
    for each in reasons:
        assert each["system"] == REASON_SYSTEM
        assert each["code"] in REASON_CODES


def check_suggestion(suggestion, call, drafts):
    assert set(suggestion) <= {"label", "uuid", "actions", "isRecommended"}
    assert _UUID.fullmatch(suggestion["uuid"])
    assert suggestion["label"]
    assert len(suggestion["actions"]) == 1
    (action,) = suggestion["actions"]
    assert action["type"] in ("create", "delete")
    assert action["description"] == suggestion["label"]
    if action["type"] == "delete":
        assert set(action) == {"type", "description", "resourceId"}
        assert action["resourceId"] in drafts
        assert not suggestion.get("isRecommended")
        return
    assert set(action) == {"type", "description", "resource"}
    made = action["resource"]
    assert (made["resourceType"], made["status"], made["intent"]) == ("ServiceRequest", "draft", "order")
    patient = str(call.request["context"]["patientId"]).removeprefix("Patient/")
    assert made["subject"] == {"reference": f"Patient/{patient}"}
    if "encounter" in made:
        given_id = str(call.request["context"]["encounterId"]).removeprefix("Encounter/")
        assert made["encounter"] == {"reference": f"Encounter/{given_id}"}
    valid_in_r4b(json.dumps({key: each for key, each in made.items() if key != "authoredOn"}, sort_keys=True))


@functools.lru_cache(maxsize=512)
def valid_in_r4b(text):
    validated("ServiceRequest", json.loads(text))


def strings(value):
    if isinstance(value, dict):
        for each in value.values():
            yield from strings(each)
    elif isinstance(value, list):
        for each in value:
            yield from strings(each)
    elif isinstance(value, str):
        yield value


# Filled in, two sentences read to a pattern like what they are not: rule 6 on "calcium acetate with confirmed
# calciphylaxis" (a drug, not a laboratory value that confirms) and rule 13 on "patient has a record of past
# calciphylaxis" (what the record says, not what the patient has).
_STATUS = re.compile(r"\b(?:with|has a record of) (?:confirmed|suspected|past) (?=calciphylaxis)")


def check_wording(cards):
    for sent in strings(cards):
        text = _STATUS.sub("and ", sent)
        assert not _NEVER.search(text), text
        for line in text.split("\n"):
            assert [(ban.id, words) for ban, words in violations(line, "calciphylaxis")] == [], line


def check_answer(call, body):
    answer = decoded(body)
    assert set(answer) == {"cards"}
    nothing_empty(answer)
    cards = answer["cards"]
    assert len(cards) <= 3
    ranks = [RANK[card["indicator"]] for card in cards]
    assert ranks == sorted(ranks, reverse=True)
    uuids = [card["uuid"] for card in cards]
    uuids += [each["uuid"] for card in cards for each in card.get("suggestions", [])]
    assert len(set(uuids)) == len(uuids)
    drafts = {reference(one) for one in draft_orders(call.request) if "id" in one}
    for card in cards:
        check_card(card, call, drafts)
    check_wording(cards)


FORMATS = st.sampled_from(
    (
        {},
        {"detail_format": "plain"},
        {"unit_system": "SI"},
        {"gap_card": True},
        {"selection_behavior": "at-most-one"},
        {"delivered": True},
    )
)


@given(call=st.one_of(calls(), drawn(), drawn(likely=True)), how=FORMATS)
def test_every_answer_is_valid(desk, call, how):
    try:
        body = desk.answer(call, **how)
    except CdsError:  # cases of refused calls
        return
    check_answer(call, body)


def test_every_case_file_gets_a_valid_answer(desk):
    for call in case_files():
        try:
            body = desk.answer(call)
        except CdsError:
            continue
        check_answer(call, body)


@given(call=drawn(likely=True), how=FORMATS, data=st.data())
def test_every_answer_to_gaps_is_valid(desk, call, how, data):
    """Parts of the record are missing or not readable: gap cards keep the same form."""
    changed = call.copy()
    for key in data.draw(
        st.sets(st.sampled_from(sorted(changed.request["prefetch"])), min_size=1, max_size=3)
    ):
        changed.request["prefetch"].pop(key)
    try:
        body = desk.answer(changed, **how)
    except NothingAssessable:
        return
    check_answer(changed, body)


_markdown = MarkdownIt("commonmark", {"html": True})
OUR_TAGS = {"p", "strong", "ul", "li"}
LONG = "Extraordinarily long wording <script>alert(1)</script> [click](javascript:x) **bold** | `code` \u202e\u0000 & "


@given(call=drawn(likely=True), data=st.data())
def test_every_answer_to_hostile_words_is_valid(desk, call, data):
    """Whatever words an EHR sends stay words: cut in the summary, escaped in the detail."""
    changed = call.copy()
    text = LONG * data.draw(st.sampled_from((1, 5)))

    def worded(value):
        if isinstance(value, dict):
            for key, each in value.items():
                if key in ("text", "display") and isinstance(each, str) and data.draw(st.integers(0, 3)) == 0:
                    value[key] = f"{each} {text}"
                else:
                    worded(each)
        elif isinstance(value, list):
            for each in value:
                worded(each)

    worded(changed.request["prefetch"])
    worded(changed.request["context"])
    body = desk.answer(changed)
    answer = decoded(body)
    nothing_empty(answer)
    drafts = {reference(one) for one in draft_orders(changed.request)}
    for card in answer["cards"]:
        assert len(card["summary"]) <= 139
        assert not any(ord(character) < 32 for character in card["summary"])
        rendered = _markdown.render(card.get("detail", ""))
        assert set(re.findall(r"<(\w+)", rendered)) <= OUR_TAGS
        assert "\u202e" not in encoded(card).decode()
        for suggestion in card.get("suggestions", []):
            check_suggestion(suggestion, changed, drafts)


@given(
    call=drawn(("calciphylaxis-order-sign", "calciphylaxis-medication-refill"), likely=True), data=st.data()
)
def test_drafts_without_id_are_never_deleted(desk, call, data):
    changed = call.copy()
    for one in draft_orders(changed.request):
        if data.draw(st.booleans()):
            one.pop("id")
    check_answer(changed, desk.answer(changed))


@given(call=drawn(likely=True))
def test_patients_and_relatives_get_no_cards(desk, call):
    changed = call.copy()
    changed.request["context"]["userId"] = "Patient/p-17"
    assert decoded(desk.answer(changed)) == {"cards": []}


@given(call=drawn(likely=True))
def test_every_outcome_says_why(desk, call):
    """Each judged rule names its findings; silence about an order in scope is never unexplained."""
    for outcome in desk.ask(call).outcomes:
        assert outcome["error"] is None
        if outcome["outcome"] != "not-triggered":
            assert outcome["findings"] or outcome["outcome"] == "suppressed"
        assert (outcome["indicator"] is not None) == (outcome["outcome"] == "fires")


@given(call=drawn(likely=True))
def test_rules_that_fire_or_cannot_be_assessed_reach_a_card(desk, call):
    """D6: nothing is silent while an order is in scope. Rules that only record their gaps are the exception."""
    answered = desk.ask(call)
    if not draft_orders(call.request):
        return
    telling = [
        each
        for each in answered.outcomes
        if each["outcome"] == "fires" or (each["outcome"] == "cannot-assess" and RULES[each["rule"]].gap_card)
    ]
    assert bool(answered.cards) == bool(telling)
