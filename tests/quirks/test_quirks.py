"""Every odd body gets the answer of its clean twin, word for word, or the refusal that its file states."""

import functools
import json
import subprocess
import sys

import msgspec
import pytest
from fhir.resources import get_fhir_model_class as r5_model
from fhir.resources.R4B import get_fhir_model_class as r4b_model
from fhir.resources.STU3 import get_fhir_model_class as stu3_model
from support.casefiles import FIXTURES, holes, rule_of, without_uuids

FOLDER = FIXTURES / "quirks"
QUIRKS = sorted(FOLDER.glob("*.json"))
TWINS = sorted((FOLDER / "twins").glob("*.json"))
MODELS = {"R4B": r4b_model, "R5": r5_model, "STU3": stu3_model}


class Quirk(msgspec.Struct, rename="camel"):
    quirk: str
    why: str
    sent_by: str
    documented: str
    as_of: str = msgspec.field(name="as_of")
    service: str
    twin: str
    request: msgspec.Raw = msgspec.Raw(b"")
    body: str = ""
    """What was sent, where it is not JSON."""
    valid_as: str | None = None
    renamed: dict[str, str] = {}
    status: int = 200
    says: list[str] = []

    @property
    def sent(self):
        return self.body.encode() if self.body else bytes(self.request)


class Twin(msgspec.Struct):
    case: str
    why: str
    as_of: str
    service: str
    request: msgspec.Raw
    expect: dict


def read(path):
    return msgspec.json.decode(path.read_bytes(), type=Twin if path in TWINS else Quirk)


ALL = [read(path) for path in QUIRKS]
ANSWERED = [quirk for quirk in ALL if quirk.status == 200]
REFUSED = [quirk for quirk in ALL if quirk.status != 200]


@pytest.fixture(scope="module")
def ask(live):
    """The cards of a call and the outcome of every rule, each twin asked once."""

    @functools.cache
    def both(service, body):
        answer = live.post(f"/cds-services/{service}", data=body)
        assert answer.status_code == 200, answer.text
        trace = live.post(f"/explain/{service}", data=body).json()
        judged = [
            (o["rule"], o["version"], o["outcome"], o["indicator"], o["order"]) for o in trace["outcomes"]
        ]
        return without_uuids(answer.json()), judged

    return both


@pytest.mark.parametrize("path", TWINS, ids=lambda path: path.stem)
def test_twin_is_clean_and_answers_as_it_says(ask, path):
    twin = read(path)
    assert twin.case == path.stem
    for resource in resources(json.loads(bytes(twin.request))):
        r4b_model(resource["resourceType"]).model_validate(resource)
    answer, judged = ask(twin.service, bytes(twin.request))
    cards = [(rule_of(card), card["indicator"], card["source"]["topic"]["code"]) for card in answer["cards"]]
    assert cards == [(card["rule"], card["indicator"], card["topic"]) for card in twin.expect["cards"]]
    outcomes = {rule: outcome for rule, _, outcome, _, _ in judged}
    assert {rule: outcomes[rule] for rule in twin.expect["outcomes"]} == twin.expect["outcomes"]


@pytest.mark.parametrize("quirk", ANSWERED, ids=lambda quirk: quirk.quirk)
def test_odd_body_gets_the_answer_of_its_twin(ask, quirk):
    twin = read(FOLDER / "twins" / f"{quirk.twin}.json")
    assert (quirk.service, quirk.as_of) == (twin.service, twin.as_of)
    assert json.loads(quirk.sent) != json.loads(bytes(twin.request))
    expected = json.dumps(ask(twin.service, bytes(twin.request)))
    for ours, theirs in quirk.renamed.items():
        expected = expected.replace(ours, theirs)
    assert json.loads(json.dumps(ask(quirk.service, quirk.sent))) == json.loads(expected), quirk.why


@pytest.mark.parametrize("quirk", REFUSED, ids=lambda quirk: quirk.quirk)
def test_odd_body_is_refused_and_told_why(live, quirk):
    answer = live.post(f"/cds-services/{quirk.service}", data=quirk.sent)
    assert answer.status_code == quirk.status
    outcome = answer.json()
    r4b_model("OperationOutcome").model_validate(outcome)
    assert list(holes(outcome)) == []
    for words in quirk.says:
        assert words in outcome["issue"][0]["diagnostics"], quirk.why


@pytest.mark.parametrize("quirk", [q for q in ALL if q.valid_as], ids=lambda quirk: quirk.quirk)
def test_body_of_another_version_is_valid_in_that_version(quirk):
    for resource in resources(json.loads(quirk.sent)):
        MODELS[quirk.valid_as](resource["resourceType"]).model_validate(resource)


def resources(request):
    """Every resource of the call, taken out of its Bundle."""
    given = [request["context"].get("draftOrders"), request["context"].get("medications")]
    for value in (*given, *request["prefetch"].values()):
        if value is None:
            continue
        if value["resourceType"] == "Bundle":
            yield from (entry["resource"] for entry in value.get("entry", ()))
        else:
            yield value


def test_orders_that_are_withheld_are_counted(live):
    quirk = read(FOLDER / "epic-orders-withheld.json")
    before = counted(live)
    live.post(f"/cds-services/{quirk.service}", data=quirk.sent)
    assert counted(live) == before + 1


def test_an_order_that_cannot_be_read_beside_one_that_can_is_told(live):
    request = json.loads(bytes(read(FOLDER / "twins" / "sign-warfarin.json").request))
    entries = request["context"]["draftOrders"]["entry"]
    expected = without_uuids(live.call(request).json())
    entries.append({"resource": {**entries[0]["resource"], "id": "draft-2", "status": ["draft"]}})
    entries.append({"resource": {"id": "draft-3"}})
    name = 'cds_gap_total{kind="unreadable",source="orders"} '
    before = counted(live, name)
    told = without_uuids(live.call(request).json())
    line = "- Orders of this call that could not be read: 2. They were not checked."
    assert line in told["cards"][0]["detail"]
    assert [{**card, "detail": ""} for card in told["cards"]] == [
        {**c, "detail": ""} for c in expected["cards"]
    ]
    assert counted(live, name) == before + 2
    paths = [dropped["path"] for dropped in live.explain(request)["dropped"]]
    assert paths == ["context.draftOrders.entry[1].resource", "context.orders.entry[1]"]


def test_an_order_that_cannot_be_read_beside_a_harmless_one_is_no_all_clear(live):
    request = json.loads(bytes(read(FOLDER / "twins" / "sign-warfarin.json").request))
    entries = request["context"]["draftOrders"]["entry"]
    lost = {"resource": {**entries[0]["resource"], "status": ["draft"]}}
    paracetamol = {"coding": [{"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": "313782"}]}
    entries[0]["resource"]["medicationCodeableConcept"] = paracetamol
    assert live.call(request).json() == {"cards": []}
    entries.append(lost)
    answer = live.call(request)
    assert (answer.status_code, answer.json()["resourceType"]) == (412, "OperationOutcome")


def counted(live, name='cds_refused_total{reason="no_draft_orders"} '):
    found = [line for line in live.get("/metrics").text.splitlines() if line.startswith(name)]
    return float(found[0].removeprefix(name)) if found else 0


def test_files_and_page_equal_their_tables():
    script = FIXTURES.parent / "scripts" / "make_quirks.py"
    ended = subprocess.run([sys.executable, script, "--check"], capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
