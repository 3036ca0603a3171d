"""Outcomes to cards: who leads, what is merged, folded, offered, forbidden, and what is never dropped."""

import re
import uuid
from dataclasses import replace

import pytest
from markdown_it import MarkdownIt
from support.answers import MAYBE, NO, OPTIONAL, YES, Says
from support.facts import AS_OF, condition, facts, medicine, minerals, service_request

from cds_service.card import fresh_id
from cds_service.compose import MAX_SUGGESTIONS, View, compose, topic_code
from cds_service.engine import default_catalogue
from cds_service.fhir.write import order_template
from cds_service.protocol.response import encode
from cds_service.registry import ready_services
from cds_service.rules.answer import Answer
from cds_service.rules.criteria import Always, EitherOrder, OpeningChart, Ordering, OrderingProcedure
from cds_service.rules.evaluate import Outcome, Result, evaluate
from cds_service.rules.rule import CardText, Coded, FillSpec, Indicator, Line, Mode, Review, Tier
from cds_service.rules.suggestions import OrderLab, Refer, RemoveDraft
from hooks import valuesets as vs
from hooks.content import CATALOGUE, CONTENT
from hooks.rules.vka_dialysis import RULE
from hooks.services import ORDER_SIGN

INFO, WARNING, CRITICAL = Indicator.INFO, Indicator.WARNING, Indicator.CRITICAL
ANY = EitherOrder((Ordering((vs.VITAMIN_K_ANTAGONISTS, vs.CALCITRIOL)), OrderingProcedure((vs.SKIN_BIOPSY,))))
CODINGS = default_catalogue(ready_services())
TEMPLATES = {
    key: order_template(one.system, one.code, one.display, laboratory=key.startswith("lab."))
    for key, one in CODINGS.items()
}
DELETE = RemoveDraft("Remove this {drug} order")


def tier(indicator=WARNING, summary="{drug}: look", when=YES, **fields):
    return Tier(indicator, when, summary, **fields)


def rule(number=1, *tiers, **parts):
    """A rule that fires for every order, made of what the test is about."""
    bare = {
        "id": f"made-up-{number}",
        "number": number,
        "title": f"Made-up rule {number}",
        "trigger": ANY,
        "population": (),
        "criteria": (),
        "exclusions": (),
        "suppressions": (),
        "tiers": tiers or (tier(),),
        "when_unknown": CardText("{drug}: rule {n} could not be checked", (Line("Check by hand."),)),
        "override_reasons": (Coded("patient-ineligible", f"reason of {number}"),),
    }
    return replace(RULE, **(bare | parts))


def view(**changes):
    bare = View(
        service=ORDER_SIGN,
        catalogue={entry.key: entry for entry in CATALOGUE},
        templates=TEMPLATES,
        selection_behavior="any",
        markdown=True,
        gap_card=False,
        evidence_url="https://cds.example/evidence",
        draft_banner=False,
    )
    return replace(bare, **changes)


def cards(*rules, drafts=("warfarin",), modes=None, seen=None, hook="order-sign", **call):
    """The cards of these rules for one order-sign call (or the chart, with no drafts)."""
    found = facts(drafts=[order(each) for each in drafts], hook=hook, **call)
    modes = modes or {}
    outcomes = [
        evaluate(each, found.about(focus), modes.get(each.number, Mode.LIVE))
        for focus in (found.orders or (None,))
        for each in rules
    ]
    return compose(outcomes, found, seen or view(), patient_id="p1", encounter_id="e1", authored_on=AS_OF)


def order(each):
    return medicine(each, status="draft") if isinstance(each, str) else each


def only(*rules, **call):
    (composed,) = cards(*rules, **call)
    return composed.card


def offered(card):
    return [suggestion.label for suggestion in card.suggestions]


# --- one card for one order ---------------------------------------------------------------------------


def test_a_card_carries_its_source_topic_reasons_and_version():
    card = only(rule(3, tier(WARNING, "{drug}: look", branch="Renewal")))
    assert (card.summary, card.indicator) == ("warfarin: look", "warning")
    assert card.source.label == f"{RULE.source_label} (made-up-3 {RULE.version})"
    assert card.source.url == "https://cds.example/evidence"
    assert card.source.topic.code == "madeUp3WarningRenewal"
    assert (card.source.topic.display, card.source.topic.system) == ("Made-up rule 3", CONTENT.topic_system)
    assert [(each.code, each.display) for each in card.override_reasons] == [
        ("patient-ineligible", "reason of 3")
    ]
    assert card.detail == f"Rule made-up-3 {RULE.version}, rule pack {CONTENT.version}."
    assert card.selection_behavior is None


def test_what_all_cards_of_a_tier_say_is_made_once_and_never_said_of_another_rule():
    seen, same = view(), rule()
    first, second = only(same, seen=seen), only(same, seen=seen)
    assert first.source is second.source
    assert first.uuid != second.uuid
    changed = only(replace(same, version="9.9.9"), seen=seen)
    assert changed.source.label.endswith("(made-up-1 9.9.9)")
    assert changed.detail.startswith("Rule made-up-1 9.9.9,")


def test_the_ids_of_cards_are_random_uuids_in_their_usual_form():
    ids = [fresh_id() for _ in range(500)]
    assert len(set(ids)) == 500
    for each in map(uuid.UUID, ids):
        assert (each.version, each.variant) == (4, uuid.RFC_4122)
    assert all(str(uuid.UUID(each)) == each for each in ids)


@pytest.mark.parametrize(
    ("rule_id", "indicator", "branch", "code"),
    [
        ("vka-dialysis", WARNING, "", "vkaDialysisWarning"),
        ("vka-dialysis", INFO, "Gap", "vkaDialysisInfoGap"),
        ("calcium-vitd-calciphylaxis", INFO, "Hypocalcaemia", "calciumVitdCalciphylaxisInfoHypocalcaemia"),
        ("one", CRITICAL, "", "oneCritical"),
    ],
)
def test_topic_codes_are_letters_and_digits_and_name_the_severity(rule_id, indicator, branch, code):
    assert topic_code(rule_id, indicator, branch) == code
    assert code.isalnum()


def test_every_rule_tier_has_a_topic_of_its_own_unless_the_advice_is_the_same():
    for use in ORDER_SIGN.rules:
        said = {}
        for each in use.rule.tiers:
            said.setdefault(topic_code(use.rule.id, each.indicator, each.branch), set()).add(each.consider)
        assert all(code.isalnum() for code in said)
        assert all(len(advice) == 1 for advice in said.values()), use.rule.id


def test_the_draft_banner_is_for_unsigned_rules_only():
    assert only(rule(), seen=view(draft_banner=True)).detail.endswith(
        "Draft content: not yet signed by a clinician."
    )
    signed = rule(1, review=Review(status="approved"))
    assert "Draft content" not in only(signed, seen=view(draft_banner=True)).detail


def test_nothing_fires_no_card():
    assert cards(rule(1, tier(when=NO))) == []
    assert cards(rule(), drafts=["aspirin"]) == []


# --- merging ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("first", "second", "lead"),
    [
        (INFO, WARNING, 2),
        (WARNING, INFO, 1),
        (CRITICAL, WARNING, 1),
        (WARNING, WARNING, 1),  # a tie goes to the lowest number
        (INFO, CRITICAL, 2),
    ],
)
def test_the_highest_indicator_leads(first, second, lead):
    rules = rule(1, tier(first, "first")), rule(2, tier(second, "second"))
    for arranged in (rules, rules[::-1]):
        card = only(*arranged)
        assert card.indicator == max(first, second, key=lambda each: each.rank).value
        assert card.override_reasons[0].display == f"reason of {lead}"
        assert f"**Also:**\n- {'second' if lead == 1 else 'first'}" in card.detail


def test_the_other_rules_sentence_and_gaps_are_lines_of_the_card():
    unknown = rule(3, criteria=(Says(Answer.UNKNOWN, "labs not readable"),))
    card = only(rule(1), rule(2, tier(INFO, "{drug}: and this", why=(Line("not shown"),))), unknown)
    assert card.summary == "warfarin: look"
    assert "- warfarin: and this" in card.detail
    assert "not shown" not in card.detail
    assert "**Not checked:**\n- Made-up rule 3\n- Because: labs not readable" in card.detail


def test_a_rule_that_is_a_line_only_never_leads_and_brings_its_reasons():
    line = rule(1, tier(CRITICAL, "line", why=(Line("because"), Line("shared"))), line_only=True)
    card = only(line, rule(2, tier(INFO, "lead", why=(Line("shared"),))))
    assert (card.summary, card.indicator) == ("lead", "info")
    assert card.detail.count("- shared") == 1
    assert "- because" in card.detail
    assert "- line" in card.detail
    assert only(line).summary == "line"


def test_a_rule_in_shadow_shows_nothing():
    assert cards(rule(), modes={1: Mode.SHADOW}) == []
    card = only(rule(1, tier(CRITICAL, "hidden")), rule(2), modes={1: Mode.SHADOW})
    assert (card.summary, "hidden" in card.detail) == ("warfarin: look", False)
    unknown = rule(1, criteria=(MAYBE,))
    assert cards(unknown, modes={1: Mode.SHADOW}) == []


def test_the_blocks_stand_in_reading_order():
    full = tier(
        WARNING,
        "s",
        when=YES,
        consider=(Line("Think."), Line("Ask.")),
        why=(Line("reason {drug}"), Line("never", NO), Line("nothing {digoxin}")),
        exceptions=(Line("Unless."),),
        closing=(Line("Told at the end."),),
    )
    one = rule(1, full, exclusions=(OPTIONAL,), common_detail=(Line("common"),))
    assert only(one).detail == (
        "**Consider:** Think. Ask.\n\n**Why:**\n- reason warfarin\n- common\n\n**Not checked:**\n- optional\n\n"
        f"**Exceptions:** Unless.\n\nTold at the end.\n\nRule made-up-1 {RULE.version}, rule pack {CONTENT.version}."
    )
    plain = only(one, seen=view(markdown=False)).detail
    assert plain.startswith("Consider: Think. Ask.\n\nWhy:\n- reason warfarin")
    assert "**" not in plain


# --- several orders -----------------------------------------------------------------------------------


def test_F25_one_card_for_each_order_with_its_own_delete():
    one = rule(1, tier(suggestions=(DELETE,)))
    made = cards(one, drafts=[medicine("warfarin", id="a"), medicine("calcitriol", id="b")])
    assert [composed.card.summary for composed in made] == ["warfarin: look", "calcitriol: look"]
    actions = [composed.card.suggestions[0].actions[0] for composed in made]
    assert [action.resource_id for action in actions] == ["MedicationRequest/a", "MedicationRequest/b"]
    assert [composed.order.reference for composed in made] == ["MedicationRequest/a", "MedicationRequest/b"]


def test_cards_come_most_urgent_first():
    by_drug = rule(1, tier(INFO, "{drug}", when=Says(Answer.MET)), trigger=Ordering((vs.CALCITRIOL,)))
    other = rule(2, tier(CRITICAL, "{drug}"), trigger=Ordering((vs.VITAMIN_K_ANTAGONISTS,)))
    made = cards(by_drug, other, drafts=["calcitriol", "warfarin"])
    assert [composed.indicator for composed in made] == [CRITICAL, INFO]


def test_a_rule_told_once_goes_with_the_most_urgent_card_that_is_there_anyway():
    once = rule(7, tier(INFO, "labs are due"), line_only=True, once_per_response=True)
    alone = cards(once, drafts=["warfarin", "calcitriol"])
    assert [composed.card.summary for composed in alone] == ["labs are due"]
    warns = rule(1, tier(WARNING), trigger=Ordering((vs.CALCITRIOL,)))
    made = cards(once, warns, drafts=["warfarin", "calcitriol"])
    assert [composed.card.summary for composed in made] == ["calcitriol: look"]
    assert "- labs are due" in made[0].card.detail


@pytest.mark.parametrize("drafts", [["warfarin", "calcitriol"], ["calcitriol", "warfarin"]])
def test_a_rule_told_once_goes_with_what_could_not_be_checked_rather_than_on_a_card_of_its_own(drafts):
    once = rule(7, tier(INFO, "labs are due"), line_only=True, once_per_response=True)
    unread = (Says(Answer.UNKNOWN, "labs not readable"),)
    gap = rule(1, criteria=unread, trigger=Ordering((vs.CALCITRIOL,)))
    (made,) = cards(once, gap, drafts=drafts)
    assert made.card.summary == "labs are due"
    assert "labs not readable" in made.card.detail


def test_two_orders_without_an_id_are_two_orders_and_neither_can_be_removed():
    nameless = {k: v for k, v in medicine("warfarin").items() if k != "id"}
    made = cards(rule(1, tier(suggestions=(DELETE,))), drafts=[nameless, nameless])
    assert [offered(composed.card) for composed in made] == [[], []]


# --- the cap ------------------------------------------------------------------------------------------

FIVE = ["warfarin", "calcitriol", "phenprocoumon", "acenocoumarol", "fluindione"]


def test_beyond_three_cards_the_rest_become_lines_of_the_third():
    made = cards(rule(), drafts=FIVE)
    assert [composed.card.summary for composed in made] == [f"{drug}: look" for drug in FIVE[:3]]
    detail = made[-1].card.detail
    assert "**Further orders:**\n- acenocoumarol: look\n- fluindione: look" in detail
    assert "Further" not in made[0].card.detail
    plain = cards(rule(), drafts=FIVE, seen=view(markdown=False))[-1].card.detail
    assert "Further orders:\n- acenocoumarol: look" in plain
    assert "**" not in plain


def test_a_folded_name_is_escaped_as_well():
    biopsy = service_request(text="Skin biopsy <b>[x](https://evil.example)", status="draft")
    folded = rule(1, tier(INFO, "{order}"))
    warned = rule(2, tier(WARNING), trigger=Ordering((vs.VITAMIN_K_ANTAGONISTS,)))
    drafts = [biopsy, "warfarin", "phenprocoumon", "fluindione"]
    detail = cards(folded, warned, drafts=drafts)[-1].card.detail
    assert "Skin biopsy &lt;b&gt;" in detail
    assert "<b>" not in detail


def test_a_warning_is_never_dropped_by_the_cap():
    many = ["warfarin"] * 40
    long = "look at this one, please, with some care; it matters" * 2
    made = cards(rule(1, tier(WARNING, "{drug}: " + long)), drafts=many)
    assert len(made) == 3
    assert made[-1].card.detail.count(long) == 37
    assert "further notes" not in made[-1].card.detail


def test_folded_notes_of_least_urgency_give_way_when_there_is_no_room():
    many = ["warfarin"] * 40
    made = cards(rule(1, tier(INFO, "{drug}: " + "note " * 20)), drafts=many)
    detail = made[-1].card.detail
    kept = detail.count("- warfarin: note")
    assert f"- and {37 - kept} further notes of urgency info" in detail
    assert len(detail) <= ORDER_SIGN.detail_limit
    assert detail.endswith(f"rule pack {CONTENT.version}.")


# --- suggestions --------------------------------------------------------------------------------------

LABS = ("lab.calcium", "lab.phosphate", "lab.albumin", "lab.pth", "lab.ionised-calcium", "lab.alp")


def test_a_delete_names_the_draft_of_this_call_and_says_so_twice():
    card = only(rule(1, tier(suggestions=(DELETE,))), drafts=[medicine("warfarin", id="m9")])
    (suggestion,) = card.suggestions
    (action,) = suggestion.actions
    assert (action.type, action.resource_id, action.resource) == ("delete", "MedicationRequest/m9", None)
    assert suggestion.label == action.description == "Remove this warfarin order"
    assert card.selection_behavior == "any"


def test_an_order_for_a_lab_or_a_referral_is_a_draft_for_this_patient():
    card = only(rule(1, tier(suggestions=(OrderLab("lab.pth"), Refer("referral.dermatology")))))
    assert offered(card) == ["Order intact PTH", "Refer to dermatology"]
    for suggestion in card.suggestions:
        (action,) = suggestion.actions
        assert (action.type, action.description) == ("create", suggestion.label)
        resource = action.resource
        assert (resource["resourceType"], resource["status"]) == ("ServiceRequest", "draft")
        assert resource["subject"] == {"reference": "Patient/p1"}
        assert resource["encounter"] == {"reference": "Encounter/e1"}
        assert resource["authoredOn"] == AS_OF.isoformat()


def test_a_step_without_a_coding_is_named_in_words_once():
    again = tier(
        suggestions=(Refer("referral.nephrology"), Refer("referral.nephrology"), OrderLab("lab.pth"))
    )
    card = only(rule(1, again), seen=view(templates={}))
    assert card.suggestions == []
    assert "**Consider:** Also an option: refer to nephrology; order intact PTH." in card.detail
    assert offered(only(rule(1, again))) == ["Order intact PTH"]


def test_each_step_is_offered_once_and_at_most_six_in_order_of_priority():
    first = rule(1, tier(suggestions=(DELETE, OrderLab("lab.calcium"), OrderLab("lab.calcium"))))
    second = rule(2, tier(INFO, suggestions=(DELETE, *map(OrderLab, LABS))))
    card = only(first, second)
    assert len(card.suggestions) == MAX_SUGGESTIONS == 6
    assert offered(card) == [
        "Remove this warfarin order",
        *("Order calcium", "Order phosphate", "Order albumin", "Order intact PTH", "Order ionised calcium"),
    ]
    (composed,) = cards(first, second)
    assert list(composed.suggestions.values()) == ["remove-order", *LABS[:5]]
    assert set(composed.suggestions) == {each.uuid for each in composed.card.suggestions}


@pytest.mark.parametrize(("when", "there"), [(YES, True), (NO, False), (MAYBE, False), (None, True)])
def test_a_suggestion_is_offered_only_when_its_condition_is_met(when, there):
    card = only(rule(1, tier(suggestions=(RemoveDraft("Remove", when), OrderLab("lab.pth", when)))))
    assert len(card.suggestions) == (2 if there else 0)


@pytest.mark.parametrize(
    ("beside", "deletable"),
    [
        ((), True),
        ((rule(2, tier(INFO)),), True),
        ((rule(2, tier(INFO, forbids_delete=True)),), False),
        ((rule(2, tier(INFO, when=NO, forbids_delete=True)),), True),
        # cannot be assessed, and one of its tiers would forbid it
        ((rule(2, tier(INFO, forbids_delete=True), criteria=(MAYBE,)),), False),
        ((rule(2, tier(INFO), criteria=(MAYBE,)),), True),
        # something could not be checked
        ((rule(2, tier(INFO), exclusions=(OPTIONAL,)),), False),
    ],
)
def test_when_a_delete_is_forbidden(beside, deletable):
    card = only(rule(1, tier(suggestions=(DELETE, OrderLab("lab.pth")))), *beside)
    assert offered(card) == (["Remove this warfarin order"] if deletable else []) + ["Order intact PTH"]


def test_without_an_order_there_is_nothing_to_remove():
    chart = rule(1, tier(summary="s", suggestions=(DELETE,)), trigger=OpeningChart())
    assert only(chart, drafts=(), hook="patient-view").suggestions == []


# --- gap cards ----------------------------------------------------------------------------------------


def test_a_rule_that_cannot_be_assessed_says_so_when_an_order_is_in_scope():
    made = cards(rule(2, criteria=(Says(Answer.UNKNOWN, "why not"),)), rule(1, criteria=(MAYBE,)))
    card = made[0].card
    assert (len(made), card.indicator) == (1, "info")
    assert card.summary.startswith("warfarin: rule ")
    assert card.source.topic.code == "madeUp1InfoGap"  # the lowest number leads
    assert "**Consider:** Check by hand." in card.detail
    assert "- Made-up rule 1; Made-up rule 2\n- Because: maybe; why not" in card.detail
    assert (card.suggestions, card.override_reasons) == ([], [])


@pytest.mark.parametrize(
    ("call", "summary"),
    [
        (
            {"unreadable": ["conditions"]},
            "warfarin: problem list not readable. Dialysis and calciphylaxis status not checked.",
        ),
        (
            {"patient": None},
            "warfarin: age not recorded. Dialysis and calciphylaxis checks for adults could not be completed.",
        ),
    ],
)
def test_the_gaps_that_all_rules_share_have_words_of_their_own(call, summary):
    assert only(rule(1, criteria=(MAYBE,)), **call).summary == summary


def test_a_rule_that_only_records_its_gap_makes_no_card():
    assert cards(rule(1, criteria=(MAYBE,), gap_card=False)) == []


@pytest.mark.parametrize("gap_card", [True, False])
def test_without_an_order_the_client_decides_whether_a_gap_is_shown(gap_card):
    chart = {"trigger": OpeningChart(), "criteria": (MAYBE,)}
    asked = {"drafts": (), "hook": "patient-view", "seen": view(gap_card=gap_card)}
    assert len(cards(rule(1, **chart), **asked)) == gap_card
    assert cards(rule(1, **chart, line_only=True), **asked) == []


def test_F29_an_internal_error_is_named_by_its_id():
    call = facts(drafts=[medicine("warfarin")], hook="order-sign")
    failed = Outcome(rule(1), Mode.LIVE, Result.CANNOT_ASSESS, call.order, error="abc123")
    bare = Outcome(rule(2), Mode.LIVE, Result.CANNOT_ASSESS, call.order)
    args = {"patient_id": "p1", "encounter_id": None, "authored_on": AS_OF}
    (composed,) = compose([failed, bare], call, view(), **args)
    assert "- Made-up rule 1; Made-up rule 2\n- Because: internal error abc123" in composed.card.detail
    (composed,) = compose([bare], call, view(), **args)
    assert "- Made-up rule 2\n- Because: data missing" in composed.card.detail
    fires = evaluate(rule(3), call, Mode.LIVE)
    (composed,) = compose([failed, fires], call, view(), **args)
    assert composed.rule.number == 3
    assert "internal error abc123" in composed.card.detail


def test_a_reason_that_several_rules_share_is_given_once():
    unknown = [rule(n, criteria=(Says(Answer.UNKNOWN, "list not readable"),)) for n in range(1, 8)]
    detail = only(*unknown, rule(8, criteria=(Says(Answer.UNKNOWN, "no labs"),))).detail
    assert detail.count("list not readable") == 1
    assert "- Because: list not readable; no labs" in detail
    assert all(f"Made-up rule {n}" in detail for n in range(1, 9))


# --- the chart ----------------------------------------------------------------------------------------


def test_on_the_chart_each_rule_that_fires_has_a_card_and_the_first_takes_the_lines():
    def chart(number, **parts):
        return rule(
            number, tier(parts.pop("indicator", INFO), f"card {number}"), trigger=OpeningChart(), **parts
        )

    gap = chart(4, criteria=(Says(Answer.UNKNOWN, "unread"),))
    line = chart(5, line_only=True)
    made = cards(chart(1), chart(2, indicator=WARNING), chart(3), gap, line, drafts=(), hook="patient-view")
    assert [composed.card.summary for composed in made] == ["card 2", "card 1", "card 3"]
    assert "- card 5" in made[0].card.detail
    assert "unread" in made[0].card.detail
    assert not any(word in made[1].card.detail for word in ("card 5", "unread"))
    (alone,) = cards(line, drafts=(), hook="patient-view")
    assert (alone.card.summary, alone.order) == ("card 5", None)


# --- length -------------------------------------------------------------------------------------------


def test_reasons_give_way_when_the_detail_is_too_long_never_what_was_not_checked():
    why = tuple(Line(f"reason {n} " + "word " * 25) for n in range(20))
    one = rule(
        1, tier(why=why, exceptions=(Line("Unless."),), closing=(Line("End."),)), exclusions=(OPTIONAL,)
    )
    detail = only(one).detail
    assert len(detail) <= ORDER_SIGN.detail_limit
    assert "reason 0 " in detail
    assert "reason 19" not in detail
    assert "More on this rule: see the source link." in detail
    for kept in ("**Not checked:**\n- optional", "**Exceptions:** Unless.", "End.", "Rule made-up-1"):
        assert kept in detail


def test_T20_no_long_name_of_the_ehr_pushes_out_what_follows():
    hostile = Says(Answer.UNKNOWN, "<b>" * 4000, optional=True)
    others = [rule(n, criteria=(Says(Answer.UNKNOWN, "[x](y)" * 2000 + str(n)),)) for n in range(2, 5)]
    one = rule(
        1, tier(why=(Line("why {drug}"),), exceptions=(Line("Unless a valve."),)), exclusions=(hostile,)
    )
    detail = only(one, *others).detail
    assert len(detail) <= ORDER_SIGN.detail_limit
    assert "Unless a valve." in detail
    assert detail.endswith(f"rule pack {CONTENT.version}.")


def test_in_the_end_the_text_is_cut():
    tiny = replace(ORDER_SIGN, detail_limit=40)
    detail = only(rule(1, tier(consider=(Line("word " * 50),))), seen=view(service=tiny)).detail
    assert len(detail) <= 40
    assert detail.endswith("…")


# --- T20: hostile strings all the way through ---------------------------------------------------------

HOSTILE = (
    "<script>alert(1)</script> [stop](https://evil.example) ![x](http://evil.example) # URGENT\n\n"
    "# HEADING\n- item\n1. one\n> quote\n`code` **bold** www.evil.example &lt;b&gt; " + "x" * 10_000
)


@pytest.mark.parametrize("markdown", [True, False])
def test_T20_a_hostile_name_stays_inert_in_every_part_of_a_card(markdown):
    quoting = tier(
        WARNING,
        "{drug} {order}",
        consider=(Line("{drug}"),),
        why=(Line("{drug}"), Line("Indication: {other_indication}")),
        exceptions=(Line("{order}"),),
        closing=(Line("{drug}"),),
        suggestions=(DELETE,),
    )
    fills = {**CONTENT.fills, "drug": FillSpec(lambda _: HOSTILE, 30, "x")}
    service = replace(ORDER_SIGN, content=replace(CONTENT, fills=fills))
    rules = (
        rule(1, quoting),
        rule(2, tier(INFO, "{drug}")),
        rule(3, criteria=(Says(Answer.UNKNOWN, HOSTILE),)),
    )
    card = only(
        *rules,
        drafts=[medicine("warfarin " + HOSTILE)],
        conditions=[condition("I48.91", display=HOSTILE)],
        seen=view(service=service, markdown=markdown),
    )
    assert len(card.summary) <= 139
    assert len(card.suggestions[0].label) <= 139
    assert not any(c in card.summary + card.suggestions[0].label for c in "\n\r\t")
    if markdown:
        html = MarkdownIt("commonmark", {"html": True}).render(card.detail)
        assert set(re.findall(r"<([a-zA-Z!][a-zA-Z0-9]*)", html)) <= {"p", "ul", "li", "strong"}
        assert html.count("<ul>") == card.detail.count(":**\n- ")
        assert not re.search(r"(?<!\\)://", card.detail)
    assert b"\\n\\n# HEADING" not in encode(card)


def test_a_card_on_the_wire_has_nothing_empty():
    text = encode(only(rule(1, tier(suggestions=(DELETE,))))).decode()
    assert not re.search(r":(null|\"\"|\[\]|\{\})", text)


def test_always_is_the_last_tier_of_a_rule_without_conditions():
    assert only(rule(1, tier(when=NO), tier(INFO, "else", when=Always()))).summary == "else"


# --- with the real rules ------------------------------------------------------------------------------


def test_two_renewals_with_labs_missing_tell_the_gap_once():
    real = [use.rule for use in ORDER_SIGN.rules if use.rule.id in ("vka-dialysis", "mbd-labs-missing")]
    made = cards(*real, drafts=["warfarin", "phenprocoumon"], conditions=[condition("Z99.2")])
    told = [composed for composed in made if "No usable Ca, P, albumin and PTH" in composed.card.detail]
    assert (len(made), len(told)) == (2, 1)
    complete = cards(*real, conditions=[condition("Z99.2")], labs=minerals())
    assert "No usable" not in complete[0].card.detail
