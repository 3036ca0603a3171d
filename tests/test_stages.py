"""The stages of one call, in this process: trust, decode, trigger, complete, evaluate, compose, record."""

import asyncio
import json
import time
import uuid
from dataclasses import dataclass, replace

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm
from structlog.testing import capture_logs
from support.facts import (
    ADULT,
    AS_OF,
    RXNORM,
    concept,
    condition,
    medicine,
    minerals,
    service_request,
)
from support.fhir_server import fake

from cds_service import pipeline, stages
from cds_service.clients.profile import ClientProfile
from cds_service.clients.verify import Cause, Unauthenticated
from cds_service.engine import build_engine
from cds_service.errors import BadRequest, ForeignPatient, NothingAssessable, UnknownService
from cds_service.received import Arrival
from cds_service.recording import invocation_of
from cds_service.rules.rule import Mode
from cds_service.serving import running_engine
from cds_service.settings import load_settings
from cds_service.stages import Call
from cds_service.store import Store

SIGN, SELECT, VIEW = "calciphylaxis-order-sign", "calciphylaxis-order-select", "calciphylaxis-patient-view"
REFILL = "calciphylaxis-medication-refill"
ON_DIALYSIS = [condition("Z99.2", display="On dialysis")]


def bundle(*resources):
    return {
        "resourceType": "Bundle",
        "type": "searchset",
        "entry": [{"resource": each} for each in resources],
    }


def prefetch(**lists):
    usual = {"patient": ADULT, "conditions": ON_DIALYSIS, "labs": minerals(), "medications": []}
    usual |= {"procedures": [], "encounters": [], "requests": []}
    return {
        key: each if key == "patient" or each is None else bundle(*each)
        for key, each in (usual | lists).items()
    }


def request(*drafts, hook="order-sign", given=None, context=None, **fields):
    member = "medications" if hook == "medication-refill" else "draftOrders"
    orders = {} if hook == "patient-view" else {member: bundle(*(drafts or [medicine("warfarin", id="m1")]))}
    return {
        "hook": hook,
        "hookInstance": "d1",
        "context": {"patientId": "p1", "userId": "Practitioner/1"} | orders | (context or {}),
        "prefetch": prefetch() if given is None else given,
    } | fields


def ready(profile=None, **settings):
    engine = build_engine(load_settings(as_of=AS_OF, **settings), store=None)
    return replace(engine, anonymous=profile) if profile else engine


ENGINE = ready()


def called(body, service=SIGN, engine=ENGINE, headers=None):
    """The call after its last stage."""

    async def run():
        call = Call(engine, json.dumps(body).encode())
        await stages.trust(call, headers or {}, service)
        stages.decode(call)
        await stages.resolve_drafts(call)
        if stages.trigger(call):
            await stages.complete(call)
            stages.normalise(call)
            stages.evaluate(call)
            stages.compose(call)
        await stages.record(call)
        return call

    return asyncio.run(run())


def topics(call):
    return [composed.topic for composed in call.cards]


def outcomes(call):
    return {outcome.rule.id: outcome.result.value for outcome in call.outcomes}


def test_a_whole_call():
    call = called(request())
    assert topics(call) == ["vkaDialysisWarning"]
    assert outcomes(call)["vka-dialysis"] == "fires"
    assert set(call.timings) == {
        *("trust", "decode", "drafts", "trigger", "complete", "normalise", "evaluate", "compose")
    }
    assert (call.as_of, call.facts.as_of) == (AS_OF, AS_OF)


# --- trust --------------------------------------------------------------------------------------------

KEY = ec.generate_private_key(ec.SECP384R1())
ISSUER = "https://ehr.example/fhir"


@pytest.fixture
def clients(tmp_path):
    key = json.loads(ECAlgorithm.to_jwk(KEY.public_key())) | {"kid": "k", "use": "sig"}
    document = {
        "clients": [{"id": "ehr", "issuer": ISSUER, "jwks": {"keys": [key]}, "hooks": ["order-sign"]}]
    }
    (tmp_path / "clients.json").write_text(json.dumps(document))

    def settings(**more):
        url = f"sqlite:///{tmp_path / 'records.sqlite'}"
        return load_settings(as_of=AS_OF, clients=tmp_path / "clients.json", store_url=url, **more)

    return settings


def bearer(service=SIGN):
    now = int(time.time())
    claims = {
        "iss": ISSUER,
        "aud": f"http://127.0.0.1:8000/cds-services/{service}",
        "iat": now,
        "exp": now + 300,
    }
    signed = jwt.encode(claims | {"jti": str(uuid.uuid4())}, KEY, algorithm="ES384", headers={"kid": "k"})
    return {"authorization": f"Bearer {signed}"}


def test_a_known_client_is_told_by_its_token(clients):
    with running_engine(clients(auth="required")) as engine:
        call = called(request(), engine=engine, headers=bearer())
        assert (call.profile.id, topics(call)) == ("ehr", ["vkaDialysisWarning"])
        with pytest.raises(Unauthenticated):
            called(request(), engine=engine)
        with pytest.raises(BadRequest, match="not registered for this hook"):
            called(request(hook="patient-view"), VIEW, engine, bearer(VIEW))


def test_without_required_authentication_a_token_is_still_looked_at(clients):
    with running_engine(clients(auth="off")) as engine:
        assert called(request(), engine=engine).profile.anonymous
        assert called(request(), engine=engine, headers=bearer()).profile.id == "ehr"
        with pytest.raises(Unauthenticated):
            called(request(), engine=engine, headers={"authorization": "Bearer nonsense"})


def test_without_a_verifier_and_without_anonymous_callers_nobody_is_let_in():
    closed = replace(ENGINE, anonymous=None)
    with pytest.raises(Unauthenticated) as refused:
        called(request(), engine=closed)
    assert refused.value.cause is Cause.MISSING


def test_an_unknown_service():
    with pytest.raises(UnknownService):
        called(request(), "no-such-service")


# --- decode -------------------------------------------------------------------------------------------


def test_the_hook_must_be_the_services_own():
    with pytest.raises(BadRequest, match="answers the hook 'order-sign' only"):
        called(request(hook="order-select"), SIGN)


@pytest.mark.parametrize("kind", ["MedicationOrder", "DiagnosticOrder", "MedicationPrescription"])
def test_F26_dstu2_orders_are_not_supported(kind):
    with pytest.raises(NothingAssessable, match="DSTU2"):
        called(request({"resourceType": kind, "id": "x"}))
    with pytest.raises(NothingAssessable, match="DSTU2"):
        called(request(medicine("warfarin"), {"resourceType": kind, "id": "x", "status": {}}))


def test_orders_of_which_none_can_be_read():
    with pytest.raises(NothingAssessable, match="None of the orders"):
        called(request({"resourceType": "MedicationRequest", "id": "x", "status": {}}))


@pytest.mark.parametrize(
    "subject",
    [
        {"reference": "Patient/p2"},
        {"reference": "https://ehr.example/Patient/p2"},
        {"reference": "Patient/p2/_history/1"},
        {"reference": "Group/p1"},
    ],
)
def test_F1_a_draft_for_another_patient_stops_the_call(subject):
    with pytest.raises(ForeignPatient, match="another patient than"):
        called(request(medicine("warfarin"), medicine("aspirin", subject=...) | {"subject": subject}))


@pytest.mark.parametrize("subject", [None, {"identifier": {"value": "1"}}, {"reference": "#pat"}])
def test_F1_a_draft_whose_patient_cannot_be_compared_is_judged(subject):
    draft = {k: v for k, v in (medicine("warfarin") | {"subject": subject}).items() if v is not None}
    assert topics(called(request(draft))) == ["vkaDialysisWarning"]


def test_F1_a_prefetched_patient_who_is_somebody_else_stops_the_call():
    with pytest.raises(ForeignPatient, match="prefetched Patient"):
        called(request(given=prefetch(patient=ADULT | {"id": "p2"})))


def test_entries_without_a_resource_and_other_types_are_passed_over():
    body = request(medicine("warfarin"), {"resourceType": "Appointment", "id": "a"})
    body["context"]["draftOrders"]["entry"] += [None, {"fullUrl": "urn:uuid:1"}]
    assert topics(called(body)) == ["vkaDialysisWarning"]


def test_a_draft_that_is_sent_twice_is_one_order():
    one = medicine("warfarin", id="m1")
    assert len(called(request(one, one)).cards) == 1


def test_F21_a_medication_beside_the_order_or_in_prefetch_names_the_drug():
    drug = {"resourceType": "Medication", "id": "d", "code": concept("11289", RXNORM)}
    order = {k: v for k, v in medicine().items() if k != "medicationCodeableConcept"}
    order |= {"medicationReference": {"reference": "Medication/d"}}
    assert topics(called(request(order, drug))) == ["vkaDialysisWarning"]
    assert topics(called(request(order, given=prefetch() | {"drugs": drug}))) == ["vkaDialysisWarning"]
    urn = order | {"medicationReference": {"reference": "urn:uuid:7"}}
    body = request(urn)
    body["context"]["draftOrders"]["entry"].append({"fullUrl": "urn:uuid:7", "resource": drug})
    assert topics(called(body)) == ["vkaDialysisWarning"]


CONFIRMED = [*ON_DIALYSIS, condition("237900002", "http://snomed.info/sct")]


@pytest.mark.parametrize(
    ("selections", "judged"),
    [
        (["MedicationRequest/w"], {"MedicationRequest/w"}),
        (["w"], {"MedicationRequest/w"}),
        (["MedicationRequest/p"], {"MedicationRequest/p"}),
        (["MedicationRequest/w", "MedicationRequest/p"], {"MedicationRequest/w", "MedicationRequest/p"}),
        (["MedicationRequest/gone"], {"MedicationRequest/w", "MedicationRequest/p"}),
        (None, {"MedicationRequest/w", "MedicationRequest/p"}),
    ],
)
def test_F23_only_selected_orders_are_judged(selections, judged):
    drafts = medicine("warfarin", id="w"), medicine("phenprocoumon", id="p")
    body = request(
        *drafts,
        hook="order-select",
        given=prefetch(conditions=CONFIRMED),
        context={"selections": selections},
    )
    call = called(body, SELECT)
    assert {composed.order.reference for composed in call.cards} == judged
    assert set(topics(call)) == {"vkaCalciphylaxisCritical"}


# --- trigger ------------------------------------------------------------------------------------------


def test_an_order_of_no_concern_reads_nothing_at_all():
    call = called(request(medicine("aspirin"), fhirServer="http://127.0.0.1:9/fhir"))
    assert (call.facts, call.cards, call.sources) == (None, [], {})
    assert set(outcomes(call).values()) == {"not-triggered"}
    assert call.unclassified == ("MedicationRequest/" + call.order_resources[0].id,)


def test_F24_a_stop_is_suppressed_and_reads_nothing():
    call = called(request(medicine("warfarin", status="cancelled")))
    assert outcomes(call)["vka-dialysis"] == "suppressed"
    assert outcomes(call)["active-vitd-high-cap"] == "not-triggered"
    assert (call.facts, call.cards) == (None, [])


def test_no_drafts_at_all():
    body = request()
    body["context"]["draftOrders"] = {"resourceType": "Bundle"}
    call = called(body)
    assert (call.outcomes, call.cards) == ([], [])


def test_every_refill_is_a_renewal():
    call = called(request(hook="medication-refill"), REFILL)
    assert topics(call) == ["vkaDialysisInfoRenewal"]


# --- complete -----------------------------------------------------------------------------------------


@pytest.fixture
def fhir():
    server = fake.FakeFhir()
    yield server
    server.close()


def reading(server, **changes):
    """An engine that may read this server without a token."""
    return ready(fhir_bases=(server.base,), **changes)


def serve(server, **lists):
    for kind, key in (
        ("Patient", "patient"),
        ("Condition", "conditions"),
        ("Observation", "labs"),
        ("MedicationRequest", "medications"),
        ("Procedure", "procedures"),
        ("Encounter", "encounters"),
        ("ServiceRequest", "requests"),
    ):
        server.on(kind, fake.json_answer(prefetch(**lists)[key]))


def test_what_the_call_does_not_bring_is_read_from_the_ehr(fhir):
    serve(fhir)
    call = called(request(given={}, fhirServer=fhir.base + "/"), engine=reading(fhir))
    assert topics(call) == ["vkaDialysisWarning"]
    assert {source.origin for source in call.sources.values()} == {"fhir"}
    assert len(fhir.heard) == 7


def test_a_drug_that_is_only_referred_to_is_read(fhir):
    drug = {"resourceType": "Medication", "id": "d", "code": concept("11289", RXNORM)}
    fhir.on("Medication/d", fake.json_answer(drug))
    order = {k: v for k, v in medicine().items() if k != "medicationCodeableConcept"}
    order |= {"medicationReference": {"reference": "Medication/d"}}
    engine = reading(fhir)
    assert topics(called(request(order, fhirServer=fhir.base), engine=engine)) == ["vkaDialysisWarning"]
    gone = order | {"medicationReference": {"reference": "Medication/gone"}}
    assert topics(called(request(gone, fhirServer=fhir.base), engine=engine)) == []
    # and on the list of what the patient takes: a renewal, not a new start
    listed = prefetch(medications=[order | {"id": "old"}, gone | {"id": "older"}])
    call = called(request(given=listed, fhirServer=fhir.base), engine=engine)
    assert topics(call) == ["vkaDialysisInfoRenewal"]
    named = prefetch(medications=[medicine("warfarin")])
    assert topics(called(request(given=named, fhirServer=fhir.base), engine=engine)) == [
        "vkaDialysisInfoRenewal"
    ]
    unread = called(request(given=listed))
    assert topics(unread) == ["vkaDialysisWarning"]
    assert "medications" in unread.facts.incomplete


@pytest.mark.parametrize(
    ("changes", "fields", "reads"),
    [
        ({}, {"fhirServer": "https://elsewhere.example/fhir"}, False),
        ({}, {}, False),
        ({"open_fhir": False}, {"fhirServer": "ours"}, False),
        ({"open_fhir": False}, {"fhirServer": "ours", "fhirAuthorization": {"access_token": "t"}}, True),
        ({"open_fhir": True}, {"fhirServer": "ours"}, True),
        ({"issuer": ISSUER, "open_fhir": True}, {"fhirServer": "ours"}, True),
        ({"issuer": ISSUER, "open_fhir": True}, {"fhirServer": "https://elsewhere.example/fhir"}, False),
    ],
)
def test_T10_only_the_clients_own_fhir_server_is_read(fhir, changes, fields, reads):
    serve(fhir)
    profile = ClientProfile(id="x", fhir_base=(fhir.base,), **changes)
    engine = replace(reading(fhir), anonymous=profile)
    fields = {name: fhir.base if each == "ours" else each for name, each in fields.items()}
    call = called(request(given={}, **fields), engine=engine)
    assert bool(fhir.heard) is reads
    assert topics(call) == (["vkaDialysisWarning"] if reads else ["vkaCalciphylaxisInfoGap"])


def test_F10_what_could_not_be_read_is_a_named_gap_and_the_rest_answers(fhir):
    serve(fhir)
    fhir.on("Observation", fake.status(403))
    fhir.on("MedicationRequest", fake.status(500))
    call = called(request(given={}, fhirServer=fhir.base), engine=reading(fhir))
    assert call.facts.failures == {
        "labs": "not permitted",
        "medications": "server error",
        "vitals": "not asked for",
    }
    assert topics(call) == ["vkaDialysisWarning"]


def test_the_problem_list_is_essential_when_the_chart_is_opened():
    body = request(hook="patient-view", given=prefetch(conditions=None) | {"conditions": fake.outcome()})
    with pytest.raises(NothingAssessable, match="problem list could not be obtained"):
        called(body, VIEW)
    shown = ready(ClientProfile(id="x", gap_card=True))
    assert called(body, VIEW, shown).facts.problems is None


# --- evaluate -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Breaks:
    """A rule with a fault in it."""

    text: str = "breaks"

    def evaluate(self, _facts):
        raise ZeroDivisionError("secret of the patient")


def broken(*rule_ids):
    """The engine with a fault planted in these rules of order-sign."""
    prepared = ENGINE.services[SIGN]
    uses = tuple(
        replace(use, rule=replace(use.rule, criteria=(Breaks(),)))
        if not rule_ids or use.rule.id in rule_ids
        else use
        for use in prepared.service.rules
    )
    return replace(
        ENGINE,
        services={SIGN: replace(prepared, service=replace(prepared.service, rules=uses))},
        _views={},
    )


def test_F29_one_rule_that_raises_cannot_assess_and_the_others_answer():
    with capture_logs() as logs:
        call = called(request(), engine=broken("vka-calciphylaxis"))
    assert outcomes(call)["vka-calciphylaxis"] == "cannot-assess"
    assert outcomes(call)["vka-dialysis"] == "fires"
    (logged,) = [line for line in logs if line["event"] == "rule_failed"]
    assert (logged["rule"], logged["error_class"]) == ("vka-calciphylaxis", "ZeroDivisionError")
    (composed,) = call.cards
    assert composed.topic == "vkaDialysisWarning"
    assert f"internal error {logged['error_id']}" in composed.card.detail
    assert "secret" not in str(logs) + composed.card.detail


def test_F30_when_every_rule_raises_there_is_no_answer():
    with pytest.raises(RuntimeError, match="every rule failed"):
        called(request(), engine=broken())


def test_evaluation_needs_facts():
    call = Call(ENGINE, b"")
    with pytest.raises(RuntimeError, match="needs facts"):
        stages.evaluate(call)


# --- compose ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("user", "shown"),
    [
        ("Practitioner/1", True),
        ("PractitionerRole/1", True),
        (None, True),
        ("Patient/p1", False),
        ("RelatedPerson/1", False),
    ],
)
def test_F40_only_professionals_see_cards_the_rules_run_all_the_same(user, shown):
    call = called(request(context={"userId": user}))
    assert bool(call.cards) is shown
    assert outcomes(call)["vka-dialysis"] == "fires"


def test_F40_without_an_encounter_the_suggested_orders_have_none():
    call = called(request(given=prefetch(labs=[])))
    created = [s.actions[0].resource for s in call.cards[0].card.suggestions if s.actions[0].type == "create"]
    assert created
    assert not any("encounter" in resource for resource in created)
    there = called(request(given=prefetch(labs=[]), context={"encounterId": "e7"}))
    created = [
        s.actions[0].resource for s in there.cards[0].card.suggestions if s.actions[0].type == "create"
    ]
    assert all(resource["encounter"] == {"reference": "Encounter/e7"} for resource in created)


def test_T21_every_action_is_about_this_call():
    drafts = [medicine("warfarin", id="w"), medicine("calcitriol", id="c"), service_request("x", id="s")]
    call = called(request(*drafts, given=prefetch(labs=minerals(11, 7, 4.2, 100))))
    actions = [a for composed in call.cards for s in composed.card.suggestions for a in s.actions]
    assert {action.type for action in actions} == {"delete", "create"}
    for action in actions:
        if action.type == "delete":
            assert action.resource_id in {"MedicationRequest/w", "MedicationRequest/c"}
        else:
            assert (action.resource["resourceType"], action.resource["status"]) == ("ServiceRequest", "draft")


@pytest.mark.parametrize(("timezone", "name"), [(None, "UTC"), ("America/New_York", "America/New_York")])
def test_the_zone_is_the_clients_else_the_sites(timezone, name):
    call = called(request(), engine=ready(ClientProfile(id="x", timezone=timezone)))
    assert str(call.facts.zone) == name


# --- record -------------------------------------------------------------------------------------------


def counted(engine, name):
    text = engine.metrics.render().decode()
    return sum(float(line.rpartition(" ")[2]) for line in text.splitlines() if line.startswith(name))


def test_what_was_asked_and_answered_is_kept(tmp_path):
    url = f"sqlite:///{tmp_path / 'records.sqlite'}"
    with running_engine(load_settings(as_of=AS_OF, store_url=url)) as engine:
        call = called(request(), engine=engine)
        called(request(medicine("aspirin")), engine=engine)
        assert counted(engine, "cds_record_dropped_total") == 0
        assert engine.store.counters.dropped == 0
    assert "record" in call.timings


def test_while_a_record_is_written_the_call_holds_its_cards_and_nothing_else_of_the_patient(tmp_path):
    url = f"sqlite:///{tmp_path / 'records.sqlite'}"
    with running_engine(load_settings(as_of=AS_OF, store_url=url)) as engine:
        # The shape of a call is noted once a second, and needs what was read until then.
        assert called(request(), engine=engine).facts is not None
        engine.received.note("anonymous", Arrival(at=AS_OF, service=SIGN, status=200))
        call = called(request(), engine=engine)
    assert topics(call) == ["vkaDialysisWarning"]
    assert not hasattr(call, "request")
    held = (call.facts, call.given, call.sources, call.orders, call.order_resources, call.companions)
    assert not any(held)
    assert call.outcomes == []


def test_F32_a_record_that_cannot_be_kept_is_counted_and_costs_no_card(tmp_path):
    store = Store.open(f"sqlite:///{tmp_path / 'records.sqlite'}", hash_key=b"x" * 32)
    store.close()
    engine = build_engine(load_settings(as_of=AS_OF), store=store)
    assert topics(called(request(), engine=engine)) == ["vkaDialysisWarning"]
    assert counted(engine, "cds_record_dropped_total") == 1


def test_the_numbers_of_an_operator():
    engine = ready()
    called(request(medicine("warfarin"), medicine("no such drug"), given=prefetch(labs=None)), engine=engine)
    assert counted(engine, 'cds_rule_outcomes_total{mode="live",outcome="fires",rule="vka-dialysis"') == 1
    assert counted(engine, 'cds_unmapped_codes_total{kind="drug"}') == 1
    assert counted(engine, 'cds_prefetch_state_total{resource="conditions"') == 1


def test_a_shadow_only_service_says_so_in_its_record():
    engine = ready(rule_modes={"*": "shadow"})
    call = called(request(), engine=engine)
    assert (call.cards, outcomes(call)["vka-dialysis"]) == ([], "fires")
    assert {mode for _, mode in call.service.rules} == {Mode.SHADOW}
    assert invocation_of(call).shadow
    assert not invocation_of(called(request())).shadow


def test_a_record_names_rules_cards_and_gaps_and_never_what_was_not_triggered():
    body = request(given=prefetch(medications=[medicine("warfarin", status="unknown")]))
    call = called(body)
    kept = invocation_of(call)
    assert (kept.client, kept.service, kept.hook, kept.patient) == ("anonymous", SIGN, "order-sign", "p1")
    assert kept.gaps == ("medications:status",)
    assert {each.rule for each in kept.outcomes if each.outcome == "fires"} == {"vka-dialysis"}
    assert all(each.indicator is None or each.outcome == "fires" for each in kept.outcomes)
    assert [(each.rule, each.topic) for each in kept.cards] == [("vka-dialysis", "vkaDialysisWarning")]
    untouched = invocation_of(called(request(medicine("aspirin"))))
    assert (untouched.outcomes, untouched.gaps, untouched.cards) == ((), (), ())


def test_the_pipeline_answers_and_explains():
    body = json.dumps(request()).encode()
    answered = json.loads(asyncio.run(pipeline.answer(ENGINE, SIGN, {}, body)).body)
    traced = json.loads(asyncio.run(pipeline.trace(ENGINE, SIGN, {}, body)).body)
    assert [card["summary"] for card in answered["cards"]] == [card["summary"] for card in traced["cards"]]
    assert {"facts", "outcomes", "gaps", "dropped", "cards", "timings", "unclassified"} <= set(traced)
