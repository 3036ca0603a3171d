"""Whatever is sent: never a 5xx, always a valid answer, nothing of another patient, no secret, no silence.

`CDS_TEST_EXAMPLES` sets the number of bodies of each test (60 by default; 1,000 in CI, 20,000 at night). A failing
body is shown as (name, kind, seed of its changes); `scripts/fuzz.py` runs many more without a test framework.
"""

import asyncio
import logging
import os
import random

import pytest
import structlog
from fhir.resources.R4B.operationoutcome import OperationOutcome
from fuzz_bodies import SECRET, Body, bodies, encode
from fuzz_judge import Judge
from fuzz_mutations import FOREIGN, KINDS, mutant
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from support.casefiles import holes

BODIES = bodies()
FUZZ = settings(
    max_examples=int(os.environ.get("CDS_TEST_EXAMPLES", "60")),
    derandomize=os.environ.get("CDS_TEST_RANDOM") != "1",
    database=None,
    deadline=None,
    phases=(Phase.explicit, Phase.generate, Phase.shrink),
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="module")
def judge():
    made = Judge()
    yield made
    made.close()


@pytest.fixture
def lines():
    """What is logged, by us and by libraries."""
    kept = []

    def keep(_logger, _name, event):
        kept.append(repr(event))
        raise structlog.DropEvent

    handler = logging.Handler(logging.NOTSET)
    handler.emit = lambda record: kept.append(f"{record.getMessage()} {record.exc_info}")
    before = structlog.get_config()
    structlog.configure(processors=[keep], cache_logger_on_first_use=False)
    logging.getLogger().addHandler(handler)
    yield kept
    logging.getLogger().removeHandler(handler)
    structlog.configure(**before)


def test_every_real_shaped_call_is_answered(judge):
    """The bodies as they are: cases, odd bodies and their twins."""
    assert len(BODIES) > 400
    statuses = [asyncio.run(judge.check(body, "as it is", body.encoded)).status for body in BODIES]
    assert statuses.count(200) > 400


@FUZZ
@given(body=st.sampled_from(BODIES), draw=st.randoms(use_true_random=False))
def test_a_changed_call_keeps_every_promise(judge, body, draw):
    kind, sent = mutant(draw, body)
    asyncio.run(judge.check(body, kind, sent))


@FUZZ
@given(
    body=st.sampled_from(BODIES),
    draw=st.randoms(use_true_random=False),
    kind=st.sampled_from(("foreign", "unreadable")),
)
def test_what_is_not_ours_or_not_readable_keeps_every_promise(judge, body, draw, kind):
    asyncio.run(judge.check(body, kind, KINDS[kind](draw, body)))


@FUZZ
@given(body=st.sampled_from(BODIES), seed=st.integers(0, 2**32))
def test_a_changed_call_over_the_wire_is_answered_in_form_and_leaks_nothing(live, lines, body, seed):
    _, sent = mutant(random.Random(seed), body)
    answer = live.post(f"/cds-services/{body.service}", data=sent)
    assert answer.status_code in (200, 400, 412, 413), answer.text
    if answer.status_code == 200:
        assert list(holes(answer.json())) == []
    else:
        OperationOutcome.model_validate_json(answer.content)
    said = answer.text + str(answer.headers) + "".join(lines)
    assert SECRET not in said
    assert FOREIGN not in said


ITEM = {
    "card": "4dd0d0f2-6f3c-4b9b-9bd0-0d0a5f7e8c11",
    "outcome": "overridden",
    "outcomeTimestamp": "2026-11-21T12:00:00Z",
    "acceptedSuggestions": [{"id": "s"}],
    "overrideReason": {
        "reason": {"code": "c", "system": "s", "display": "d"},
        "userComment": f"{SECRET}-comment",
    },
}


@FUZZ
@given(draw=st.randoms(use_true_random=False))
def test_changed_feedback_is_kept_or_refused(live, lines, draw):
    whole = Body("feedback", "", None, encode({"feedback": [ITEM, ITEM | {"card": "other"}]}))
    kind = draw.choice(("changed", "garbled"))
    answer = live.post(f"/cds-services/{BODIES[0].service}/feedback", data=KINDS[kind](draw, whole))
    assert answer.status_code in (200, 400), answer.text
    if answer.status_code == 400:
        OperationOutcome.model_validate_json(answer.content)
    assert SECRET not in answer.text + "".join(lines)


def test_the_changes_bite(judge):
    """A fuzzer that changes nothing of importance would pass as well."""
    seen = {"foreign": 0, "unreadable": 0, "fewer cards": 0, "refused": 0}

    async def look():
        for number in range(400):
            draw = random.Random(number)
            body = draw.choice(BODIES)
            kind, sent = mutant(draw, body)
            answered, before = await judge.ask(body, sent), await judge.ask(body, body.encoded)
            gaps = (
                {gap.kind for gap in answered.call.facts.gaps}
                if answered.call and answered.call.facts
                else set()
            )
            seen["foreign"] += kind == "foreign" and bool(gaps & {"foreign", "unclear-subject"})
            seen["unreadable"] += kind == "unreadable" and bool(
                gaps & {"unreadable", "unavailable", "partial"}
            )
            seen["fewer cards"] += bool(before.call and answered.call) and len(before.call.cards) > len(
                answered.call.cards
            )
            seen["refused"] += answered.status != 200

    asyncio.run(look())
    assert min(seen.values()) >= 5, seen
