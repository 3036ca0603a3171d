"""What goes on the wire: camelCase, nothing empty, numbers as they are."""

import json
from decimal import Decimal

from cds_service.protocol.response import (
    ActionOut,
    Card,
    CardsOut,
    CodingOut,
    LinkOut,
    ServiceOut,
    ServicesOut,
    SourceOut,
    SuggestionOut,
    encode,
)


def sent(value):
    return json.loads(encode(value))


def test_no_cards_and_no_services_are_empty_lists():
    assert sent(CardsOut([])) == {"cards": []}
    assert sent(ServicesOut([])) == {"services": []}


def test_a_bare_card_has_no_null_and_no_empty_member():
    card = Card(uuid="u", summary="s", indicator="info", source=SourceOut(label="l"))
    assert sent(card) == {"uuid": "u", "summary": "s", "indicator": "info", "source": {"label": "l"}}


def test_a_full_card_in_the_words_of_the_specification():
    topic = CodingOut(system="t", code="c", display="d")
    card = Card(
        uuid="u",
        summary="s",
        indicator="warning",
        source=SourceOut(label="l", url="https://x", topic=topic),
        detail="d",
        suggestions=[
            SuggestionOut(
                label="Remove",
                uuid="v",
                actions=[ActionOut(type="delete", description="Remove", resource_id="MedicationRequest/m")],
            )
        ],
        selection_behavior="any",
        override_reasons=[topic],
        links=[LinkOut(label="l", url="https://x", type="smart", app_context="a")],
    )
    written = sent(card)
    assert written["selectionBehavior"] == "any"
    assert written["overrideReasons"] == [{"system": "t", "code": "c", "display": "d"}]
    assert written["suggestions"][0]["actions"] == [
        {"type": "delete", "description": "Remove", "resourceId": "MedicationRequest/m"}
    ]
    assert written["links"] == [{"label": "l", "url": "https://x", "type": "smart", "appContext": "a"}]


def test_a_service_in_the_words_of_the_specification():
    service = ServiceOut(hook="order-sign", title="t", description="d", id="i", usage_requirements="u")
    assert sent(service) == {
        "hook": "order-sign",
        "title": "t",
        "description": "d",
        "id": "i",
        "usageRequirements": "u",
    }


def test_decimals_keep_their_digits():
    assert encode({"value": Decimal("9.10")}) == b'{"value":"9.10"}'
