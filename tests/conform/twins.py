"""The table: check id -> the twin that breaks it. `also` names what else that entails, with the reason beside it."""

from __future__ import annotations

import asked as a
import broken as b
from broken import Broken
from twin import ORIGIN, Reply, refusal, reply
from twin_answers import SERVICE

TRANSPORT = {
    "C001-https": Broken({}, options={"production": True}),
    "C001-json-content-type": b.replies(a.service, b.content_type("text/html")),
    "C002-no-null": b.told(b.null_inside),
    "C003-no-empty": b.card(detail=""),
    # An error body that is no JSON is no OperationOutcome either.
    "C006-strict-json": b.replies(
        lambda call: call.method == "GET" and call.path != "/cds-services",
        lambda *_: Reply(405, b'{"a": 1,}', {"Content-Type": "application/json"}),
        "C040-errors-are-outcomes",
    ),
    "C040-errors-are-outcomes": b.replies(lambda _: True, b.bare),
    "S2.10-no-stack-trace": b.replies(
        lambda call: bool(call.items),
        lambda *_: Reply(200, b"Traceback (most recent call last):\n", {"Content-Type": "text/plain"}),
    ),
    "C018-success-is-200": b.replies(
        a.kind("text/plain"),
        lambda found, _: Reply(201, found.body, found.headers),
        "C021-lenient-content-type",
    ),
    "C027-latency": b.slow(),
}
DISCOVERY = {
    # Without a discovery document there is nothing to call.
    "C007-discovery-answers": b.replies(
        lambda call: call.path == "/cds-services", lambda found, _: Reply(203, found.body, found.headers)
    ),
    "C007-discovery-stable": b.forgetful(),
    "C008-services-array": b.document(lambda found: found["services"].append("x")),
    "C010-required-strings": b.entry(description=5),
    "C011-title": b.discover(lambda found: found.pop("title")),
    "C012-prefetch-object": b.discover(lambda found: found["prefetch"].update(extra=5)),
    "C013-usage-requirements": b.entry(usageRequirements=5),
    "C014-version": b.entry(version="latest"),
    "C015-hook-version": b.entry(hookVersion="9.9"),
    "C016-id-in-path": b.document(
        lambda found: found["services"].append({**found["services"][0], "id": "a b/c"})
    ),
    "C017-one-hook-per-id": b.document(
        lambda found: found["services"].append({**found["services"][0], "hook": "x-custom"})
    ),
    "C012-prefetch-query": b.template("?patient={{context.patientId}}"),
    "C029-token-syntax": b.template("Condition?patient={context.patientId}"),
    "C030-first-level-tokens": b.template("Condition?encounter={{context.draftOrders}}"),
    "C031-listed-before": b.template("Condition?patient={{%later.id}}", version="3.0.0"),
    "C032-portable-subset": b.template("MedicationRequest?_include=MedicationRequest:medication"),
    "C033-underscore-sort": b.template("Observation?sort:desc=date"),
    "C035-parameter-once": b.template("Observation?date=ge2026&date=le2027"),
}
CALLS = {
    # What refuses complete calls is compared with in other checks, and never shows a card.
    "C021-call-answered": b.refuses(
        a.body(lambda call: call.get("prefetch") and not call.get("fhirServer")),
        "C028-prefetch-suffices",
        "C039-operation-outcome",
        "S2.3-sandbox-draft",
        *(f"S2.5-{state}" for state in b.STATES),
    ),
    "C021-charset": b.refuses(a.kind("application/json; charset=utf-8")),
    "C021-lenient-content-type": b.refuses(a.kind("text/plain"), status=415),
    "C024-unknown-members": b.refuses(a.body(lambda call: "conformUnknown" in call)),
    "C090-extension-ignored": b.refuses(a.body(lambda call: "extension" in call)),
    "C026-opaque-instance": b.refuses(a.body(lambda call: call.get("hookInstance", "").startswith("Event"))),
    "C022-missing-hook": b.accepts(a.lacking("hook")),
    "C022-missing-instance": b.accepts(a.lacking("hookInstance")),
    "C022-missing-context": b.accepts(a.lacking("context")),
    "C022-missing-patient": b.accepts(a.lacking("context", "patientId")),
    "C022-missing-orders": b.accepts(a.lacking("context", "draftOrders")),
    "C025-wrong-hook": b.accepts(a.body(lambda call: call.get("hook") not in (None, "order-sign"))),
    "S2.10-malformed-json": b.accepts(
        lambda call: (
            call.to_service and call.body[:1] == b"{" and call.json is None and b"NaN" not in call.body
        )
    ),
    "S2.10-nan": b.accepts(lambda call: b"NaN" in call.body),
    "S2.10-not-an-object": b.accepts(lambda call: call.to_service and call.body == b"[]"),
    "S2.10-empty-body": b.accepts(lambda call: call.to_service and not call.body),
    "S2.10-unknown-service": b.replies(
        lambda call: call.method == "POST" and SERVICE not in call.path, lambda *_: refusal(400)
    ),
    "S2.10-wrong-method": b.replies(
        lambda call: call.method == "GET" and call.path != "/cds-services", lambda *_: reply(200, {"a": 1})
    ),
    "S2.3-sandbox-draft": b.refuses(a.body(lambda call: "category" in str(call.get("context")))),
    "C047-scope-syntaxes": b.refuses(a.scoped("Observation.rs")),
    "C044-incomplete-authorization": b.replies(
        a.body(lambda call: call.get("fhirAuthorization") == {"token_type": "Bearer"}),
        lambda *_: refusal(500),
    ),
    "C026-same-twice": b.changeable(),
    "S2.10-patient-mismatch": b.replies(
        a.body(lambda call: "conform-somebody-else" in str(call)),
        lambda *_: reply(200, {"cards": [b.PLAIN]}),
    ),
    "C076-escaped-text": b.replies(a.body(lambda call: "onerror" in str(call)), b.echo),
}
PREFETCH = {
    "C028-prefetch-suffices": b.needy(),
    "C038-nothing-obtainable": b.refuses(
        a.body(lambda call: "prefetch" not in call and call.get("hook") and not call.get("fhirServer"))
    ),
    "C039-operation-outcome": b.refuses(a.prefetch(lambda v: "OperationOutcome" in b.kinds(v))),
    "S2.5-null": b.refuses(a.prefetch(lambda v: all(part is None for part in v.values()))),
    "S2.5-empty-bundle": b.refuses(a.prefetch(lambda v: len(v) > 1 and b.nothing_found(v))),
    "S2.5-next-link": b.refuses(a.bundles(lambda bundle: bundle.get("link"))),
    "S2.5-partial": b.refuses(a.prefetch(lambda v: len(v) == 1)),
    "S2.5-outcome-entry": b.refuses(a.bundles(lambda bundle: "outcome" in str(bundle))),
    "S2.5-mixed": b.refuses(a.bundles(lambda bundle: "Basic" in str(bundle))),
    "S2.5-collection": b.refuses(a.bundles(lambda bundle: bundle["type"] == "collection")),
    "S2.5-bare": b.refuses(
        a.prefetch(
            lambda v: (
                isinstance(v.get("conditions"), dict) and v["conditions"].get("resourceType") == "Condition"
            )
        )
    ),
    "S2.5-wrapper": b.refuses(a.prefetch(lambda v: "response" in (v.get("conditions") or ()))),
    "S2.5-wrong-type": b.replies(
        a.prefetch(lambda v: v.get("patient") == "conform"), lambda *_: refusal(500)
    ),
}
CALLBACKS = {
    "C037-completes-partial-prefetch": b.lax("partial"),
    "C043-token-on-each-read": b.lax("token"),
    "C046-no-read-after-answer": b.lax("late"),
    "C046-token-not-shown": b.replies(a.body(b.has_own_token), b.show_token),
    "S2.5-null-not-read-again": b.lax("null"),
    "C039-outcome-not-read-again": b.lax("outcome"),
    "S2.5-foreign-next-link": b.lax("next"),
    "C042-unlisted-server": b.lax("allow-list"),
    "S2.5-callback-answered": b.refuses(a.body(b.has_own_token)),
    # Fetching is the mistake, even when the signature is refused afterwards.
    "C083-foreign-keys-not-fetched": b.guard("peek"),
}
CARDS = {
    "C050-cards-array": b.answered(lambda found: found["cards"].append("x")),
    "C052-summary": b.without("summary"),
    "C052-summary-under-140": b.card(summary="x" * 140),
    "C053-indicator": b.card(indicator="hard-stop"),
    "C054-source-label": b.sourced(drop="label"),
    "C055-source-url": b.sourced(url="/relative"),
    "C056-source-icon": b.sourced(icon="logo.png"),
    "C057-topic-given": b.sourced(drop="topic"),
    "C057-topic-object": b.sourced(topic="warfarin"),
    "C057-topic-coding": b.sourced(topic={"code": "x"}),
    "C058-detail": b.card(detail=5),
    "C058-no-html": b.card(detail="A <b>bold</b> claim."),
    "C059-card-uuid": b.numbered(),
    "C059-uuid-once": b.card(uuid="3f2504e0-4f89-41d3-9a0c-0305e82c3301"),
    "C069-reasons-array": b.card(overrideReasons={"code": "x"}),
    "C069-override-coding": b.card(overrideReasons=[{"code": "x", "system": "http://example.org"}]),
    "C071-links-array": b.card(links="https://example.org"),
    "C071-link-label": b.link(0, drop="label"),
    "C071-link-url": b.link(0, url="example.org/guideline"),
    "C071-link-type": b.link(0, type="web"),
    "C072-app-context": b.link(0, appContext="x"),
    "C073-autolaunchable": b.link(0, autolaunchable="no"),
    "C060-selection-behavior-given": b.without("selectionBehavior"),
    "C061-selection-behavior": b.card(selectionBehavior="all"),
    "C062-suggestions-array": b.card(suggestions="Do it"),
    "C062-suggestion-label": b.suggested(drop="label"),
    "C062-suggestion-uuid": b.suggested(uuid="1"),
    "C063-recommended-boolean": b.suggested(isRecommended="yes"),
    "C063-recommended-once": b.told(b.two_recommended),
    "C020-no-action-selection": b.suggested(actionSelectionBehavior="any"),
    # What must not be there at all cannot be wrong on its own.
    "C074-action-selection": b.suggested("C020-no-action-selection", actionSelectionBehavior="some"),
    "C090-extension-object": b.card(extension=["x"]),
}
ACTIONS = {
    "C064-actions-array": b.suggested(actions="create"),
    "C064-action-type": b.action(0, type="order"),
    "C064-action-description": b.action(0, drop="description"),
    "C065-resource": b.action(0, drop="resource"),
    "C065-whole-resource": b.update_without_id(),
    "C005-fhir-json": b.action(0, resource={"resourceType": "ServiceRequest", "status": "draft"}),
    "C066-delete-target": b.action(1, resourceId="the order"),
    "C066-resource-id": b.old_delete(),
    "C068-target-in-drafts": b.action(1, resourceId="MedicationRequest/another"),
    "C051-system-actions": b.answered(lambda found: found.update(systemActions={"type": "create"})),
}
FEEDBACK = {
    "S2.8-endpoint-behind-uuids": b.replies(lambda call: call.to_feedback, lambda *_: refusal(404)),
    "S2.8-accepted": b.refuses(a.one(lambda item: item["outcome"] == "accepted")),
    "S2.8-overridden": b.refuses_plain_override(known=True, status=400),
    "S2.8-override-reason": b.refuses(a.one(lambda item: "reason" in a.reason(item))),
    "S2.8-comment-only": b.refuses(a.one(lambda item: a.reason(item) and "reason" not in a.reason(item))),
    "S2.8-override-reasons": b.refuses(a.one(lambda item: "overrideReasons" in item)),
    "S2.8-fraction-of-second": b.refuses(a.one(lambda item: not b.whole(item))),
    "S2.8-batch": b.refuses(a.items(lambda found: len(found) > 1)),
    "S2.8-unknown-card": b.refuses_plain_override(known=False, status=404),
    "S2.8-extension": b.refuses(a.one(lambda item: "extension" in item)),
    "S2.8-malformed": b.replies(lambda call: call.to_feedback and call.json is None, lambda *_: Reply(200)),
    "S2.8-without-array": b.replies(
        lambda call: call.to_feedback and call.json == {"conform": True}, lambda *_: Reply(200)
    ),
}
ACCESS = {
    "C077-asks-for-token": Broken({}, options={"auth": True}),
    "C078-feedback-asks-too": b.guard("feedback-auth"),
    "C078-good-token": b.guard("deaf"),
    "C079-garbage": b.guard("garbage"),
    "C080-wrong-audience": b.guard("aud"),
    "C080-expired": b.guard("exp"),
    "C080-missing-claims": b.guard("claims"),
    "C081-none": b.guard("none"),
    "C081-hs256": b.guard("hs256"),
    "C083-unknown-issuer": b.guard("iss"),
    "C083-foreign-jku": b.guard("jku", also=("C083-foreign-keys-not-fetched",)),
    "C084-forged": b.guard("signature"),
    "C084-unknown-kid": b.guard("kid"),
    "C085-replay": b.guard("replay"),
    "C086-long-lived": b.guard("lifetime"),
    "C085-bare-401": b.explaining(),
    "C089-preflight": b.replies(
        lambda call: call.method == "OPTIONS" and call.headers.get("Origin") == ORIGIN,
        lambda *_: Reply(204, headers={"Access-Control-Allow-Origin": ORIGIN}),
    ),
    "C089-cross-origin-read": b.replies(
        lambda call: call.method == "GET",
        lambda found, _: found.headers.pop("Access-Control-Allow-Origin", None),
    ),
    "C089-exact-origins": b.open_to_all(),
}

BROKEN: dict[str, Broken] = {
    **TRANSPORT,
    **DISCOVERY,
    **CALLS,
    **PREFETCH,
    **CALLBACKS,
    **CARDS,
    **ACTIONS,
    **FEEDBACK,
    **ACCESS,
}
