"""One broken twin for each check: what is wrong with it, and which other checks that entails.

Most break one thing in the discovery document, in an answer, or in the reply to some request.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from asked import body, entries, one
from twin import Call, Reply, refusal, reply
from twin_answers import Json, coding


@dataclass(frozen=True)
class Broken:
    """Arguments of the twin, options of the run, and ids that must be told as well."""

    twin: dict[str, Any]
    also: frozenset[str] = frozenset()
    options: dict[str, Any] = field(default_factory=dict)


def discover(edit: Callable[[Json], Any], *also: str) -> Broken:
    """Wrong in the only entry of the discovery document."""
    return Broken({"discover": lambda document: (edit(document["services"][0]), None)[1]}, frozenset(also))


def document(edit: Callable[[Json], Any], *also: str) -> Broken:
    return Broken({"discover": lambda found: (edit(found), None)[1]}, frozenset(also))


def entry(*also: str, **members: Any) -> Broken:
    return discover(lambda found: found.update(members), *also)


def template(query: str, *also: str, **members: Any) -> Broken:
    """One more template; the twin never gets data for it that it would need."""
    return discover(lambda found: (found["prefetch"].update(extra=query), found.update(members)), *also)


def told(edit: Callable[[Json], Any], *also: str) -> Broken:
    """Wrong in the only card of every answer."""
    return Broken({"tell": lambda answer, _: (edit(answer["cards"][0]), None)[1]}, frozenset(also))


def card(*also: str, **members: Any) -> Broken:
    return told(lambda found: found.update(members), *also)


def without(member: str, *also: str) -> Broken:
    return told(lambda found: found.pop(member), *also)


def action(number: int, *also: str, drop: str = "", **members: Any) -> Broken:
    """Wrong in the action of one suggestion: 0 creates, 1 deletes, 2 updates."""

    def edit(found: Json) -> None:
        if number < len(found["suggestions"]):
            chosen = found["suggestions"][number]["actions"][0]
            chosen.update(members)
            chosen.pop(drop, None)

    return told(edit, *also)


def answered(edit: Callable[[Json], Any], *also: str) -> Broken:
    return Broken({"tell": lambda answer, _: (edit(answer), None)[1]}, frozenset(also))


def replies(
    where: Callable[[Call], bool], made: Callable[[Reply, Call], Any], *also: str, **options: Any
) -> Broken:
    """Wrong in the reply to some requests."""

    def change(found: Reply, call: Call) -> Reply | None:
        changed = made(found, call) if where(call) else None
        return changed if isinstance(changed, Reply) else None

    return Broken({"change": change}, frozenset(also), options)


def refuses(where: Callable[[Call], bool], *also: str, status: int = 400) -> Broken:
    """Refuses what it should take. What cannot be read any other way is in no other check's sight."""
    return replies(where, lambda *_: refusal(status), *also)


def accepts(where: Callable[[Call], bool], *also: str) -> Broken:
    """Answers as if nothing were to say, where it should refuse."""
    return replies(where, lambda *_: reply(200, {"cards": []}), *also)


def lax(*names: str, also: tuple[str, ...] = (), **more: Any) -> Broken:
    return Broken({"lax": frozenset(names), **more}, frozenset(also))


def guard(*names: str, also: tuple[str, ...] = ()) -> Broken:
    """A twin that asks for tokens and looks at them less closely than it should."""
    return lax(*names, also=also, auth=True)


# --- what is done to a reply


def content_type(value: str) -> Callable[[Reply, Call], None]:
    return lambda found, _: found.headers.update({"Content-Type": value})


def bare(found: Reply, _: Call) -> Reply:
    return Reply(found.status, b"no", {"Content-Type": "text/plain"}) if found.status >= 400 else found


def slow() -> Broken:
    """Takes its time for the first calls, which are complete ones."""
    calls: list[str] = []

    def change(_: Reply, call: Call) -> None:
        calls.append(call.path)
        if call.to_service and len(calls) < 14:
            time.sleep(0.03)

    return Broken({"change": change}, options={"budget_ms": 25})


def forgetful() -> Broken:
    """Discovery differs each time."""
    count: list[int] = []

    def edit(found: Json) -> None:
        count.append(1)
        found["title"] = f"Twin {len(count)}"

    return discover(edit)


def changeable() -> Broken:
    """Every answer says something else."""
    count: list[int] = []

    def edit(found: Json) -> None:
        count.append(1)
        found["summary"] = f"Thought {len(count)}"

    return told(edit)


def echo(found: Reply, call: Call) -> None:
    """The detail repeats what the EHR wrote."""
    text = call.json["context"]["draftOrders"]["entry"][0]["resource"]["medicationCodeableConcept"]["text"]
    if found.status == 200:
        document = json.loads(found.body)
        document["cards"][0]["detail"] = text
        found.body = json.dumps(document).encode()


def show_token(found: Reply, call: Call) -> None:
    document = json.loads(found.body)
    document["cards"][0]["detail"] = call.json["fhirAuthorization"]["access_token"]
    found.body = json.dumps(document).encode()


def null_inside(found: Json) -> None:
    found["extension"]["org.example.twin"] = None


def two_recommended(found: Json) -> None:
    for suggestion in found["suggestions"]:
        suggestion["isRecommended"] = True


def link(number: int, *also: str, drop: str = "", **members: Any) -> Broken:
    def edit(found: Json) -> None:
        found["links"][number].update(members)
        found["links"][number].pop(drop, None)

    return told(edit, *also)


def suggested(*also: str, drop: str = "", **members: Any) -> Broken:
    def edit(found: Json) -> None:
        found["suggestions"][0].update(members)
        found["suggestions"][0].pop(drop, None)

    return told(edit, *also)


def sourced(*also: str, drop: str = "", **members: Any) -> Broken:
    def edit(found: Json) -> None:
        found["source"].update(members)
        found["source"].pop(drop, None)

    return told(edit, *also)


# --- pieces of the table

STATES = (
    "null",
    "empty-bundle",
    "next-link",
    "partial",
    "outcome-entry",
    "mixed",
    "collection",
    "bare",
    "wrapper",
)
PLAIN = {"summary": "Think", "indicator": "info", "source": {"label": "Twin", "topic": coding("topic")}}


def kinds(found: Json) -> list[Any]:
    return [part.get("resourceType") for part in found.values() if isinstance(part, dict)]


def nothing_found(found: Json) -> bool:
    """What a good client sends for searches without a result."""
    searches = [
        part for part in found.values() if isinstance(part, dict) and part.get("resourceType") == "Bundle"
    ]
    return len(searches) == len(found) - 1 and not any(entries(part) for part in searches)


def needy() -> Broken:
    """Never content with prefetch alone."""
    return replies(
        body(lambda found: found.get("prefetch") and not found.get("fhirServer")),
        lambda found, _: refusal(412) if found.status == 200 else None,
    )


def numbered() -> Broken:
    """Every card has an id of its own, but no UUID."""
    count: list[int] = []

    def edit(found: Json) -> None:
        count.append(1)
        found["uuid"] = f"card-{len(count)}"

    return told(edit)


def update_without_id() -> Broken:
    def edit(found: Json) -> None:
        for suggestion in found["suggestions"][2:]:
            suggestion["actions"][0]["resource"].pop("id")

    return told(edit)


def old_delete() -> Broken:
    def edit(found: Json) -> None:
        part = found["suggestions"][1]["actions"][0]
        part["resource"] = part.pop("resourceId")

    return told(edit)


def refuses_plain_override(*, known: bool, status: int) -> Broken:
    """Refuses an override without a reason, for the card that is talked about most, or for any other."""
    cards: list[str] = []

    def test(item: Json) -> bool:
        cards.append(item["card"])
        plain = len(item) == 3 and item["outcome"] == "overridden" and whole(item)
        return plain and (item["card"] == cards[0]) is known

    return refuses(one(test), status=status)


def whole(item: Json) -> bool:
    return "." not in item["outcomeTimestamp"]


def has_own_token(found: Json) -> bool:
    """A call that names the FHIR server of the run."""
    return len((found.get("fhirAuthorization") or {}).get("access_token", "")) > 30


def explaining() -> Broken:
    """Tells what is wrong with a token."""

    def change(found: Reply, call: Call) -> Reply | None:
        length = len(call.headers.get("Authorization") or "")
        return reply(401, {"length": length}) if found.status == 401 else None

    return Broken({"auth": True, "change": change})


def open_to_all() -> Broken:
    """Asks for tokens, and lets any page on the web call."""

    def change(found: Reply, call: Call) -> None:
        if call.method == "OPTIONS":
            found.headers["Access-Control-Allow-Origin"] = "*"

    return Broken({"auth": True, "change": change})
