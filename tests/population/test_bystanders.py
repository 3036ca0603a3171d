"""Patients of whom no record decides about the population get the answer that judging them in full would give."""

import json

import pytest
from population_support import AS_OF, engine, screened

from cds_service.population.bystanders import Bystanders
from cds_service.population.judge import judging
from cds_service.population.run import each_person, judge_of, run
from cds_service.population.workers import Here

TODAY = AS_OF.isoformat()
ICD10 = "http://hl7.org/fhir/sid/icd-10-cm"


def judge():
    return judge_of(judging(engine(), engine().anonymous, AS_OF))[0]


def both_ways(job, shard):
    """The answer as it is given, and the answer with every record looked at."""
    judge, _ = judge_of(job.how)
    lines = []
    for person, catalogue in each_person(job, shard):
        asked = person.telling
        given = judge.standing(person, catalogue)
        person.telling = True
        assert judge.standing(person, catalogue) == given, person.id
        lines.append(
            json.dumps({"patient": person.id, "telling": asked, "member": given.member}).encode() + b"\n"
        )
    return lines


def asked(source, out):
    """Patient -> whether the patient was judged."""
    how = judging(engine(), engine().anonymous, AS_OF)
    run(source, out, how, both_ways, Here(), target="both.ndjson")
    lines = (out / "both.ndjson").read_text().splitlines()
    return {item["patient"]: item["telling"] for item in map(json.loads, lines)}


def write(folder, resources):
    folder.mkdir()
    (folder / "all.ndjson").write_text("".join(json.dumps(each) + "\n" for each in resources))
    return folder


def patient(ident):
    return {"resourceType": "Patient", "id": ident, "birthDate": "1960-01-01"}


def about(ident, kind, code, **more):
    subject = {"reference": f"Patient/{ident}"}
    return {"resourceType": kind, "id": f"{ident}-{len(str(code))}", "subject": subject, "code": code, **more}


def everywhere(ident, coding):
    """A code as an active problem, as a procedure and as the reason of a visit, all of today."""
    concept = {"coding": [coding]}
    visit = about(ident, "Encounter", None, status="in-progress", type=[concept], period={"start": TODAY})
    del visit["code"]
    return [
        about(ident, "Condition", concept, onsetDateTime=TODAY),
        about(ident, "Procedure", concept, status="completed", performedDateTime=TODAY),
        visit,
    ]


def test_nobody_of_the_export_is_passed_over_who_would_be_answered_otherwise(export, tmp_path):
    found = asked(export, tmp_path)
    assert 0 < sum(found.values()) < len(found)


def test_no_other_value_set_makes_a_member_or_concerns_a_rule(tmp_path):
    """Each value set of the content alone, and all that are not decisive together, on one record."""
    decisive, resources = judge().decisive, []
    sets = judge().ready.service.content.value_sets
    resources.append(patient("everything-else"))
    for item in sets:
        coding = {"system": item.codings[0].system, "code": item.codings[0].code}
        resources += [patient(item.id), *everywhere(item.id, coding)]
        if not judge().ready.terminology.sets_of(coding["system"], coding["code"]) & decisive:
            resources += everywhere("everything-else", coding)
    found = asked(write(tmp_path / "bulk", resources), tmp_path)
    assert not found["everything-else"]
    assert {item.id for item in sets if item.id in decisive} <= {ident for ident in found if found[ident]}
    assert sum(not telling for telling in found.values()) > len(sets) // 2


@pytest.mark.parametrize(
    ("kind", "record", "passed_over"),
    [
        ("Condition", {"code": {"coding": [{"system": ICD10, "code": "I10"}]}}, True),
        ("Condition", {"code": {"coding": [{"system": ICD10, "code": "Z99.2"}]}}, False),
        ("Condition", {"code": {"text": "hypertension"}}, False),
        ("Condition", {}, False),
        (
            "Condition",
            {"code": {"coding": [{"system": "urn:x", "code": "1", "display": "Haemodialysis"}]}},
            True,
        ),
        ("Condition", {"code": {"coding": [{"system": ICD10, "code": "I10"}]}, "onsetDateTime": 5}, False),
        ("Condition", {"subject": {"reference": "urn:uuid:1"}}, False),
        ("Procedure", {"code": {"text": "appendectomy"}}, True),
        ("Procedure", {"code": {"text": "appendectomy"}, "subject": {"reference": "Patient/other"}}, False),
        ("Encounter", {"type": [{"text": "ward"}]}, True),
        ("Encounter", {"type": "ward"}, True),
        ("Encounter", {"reasonCode": [{"coding": [{"system": ICD10, "code": "Z49.31"}]}]}, False),
        ("Patient", {"id": "p"}, True),
        ("Patient", {"id": "p", "gender": 3}, False),
    ],
)
def test_a_record_is_passed_over_only_when_it_was_read_without_loss(kind, record, passed_over):
    bystanders = Bystanders(judge().ready.terminology, judge().decisive)
    line = json.dumps({"resourceType": kind, **record}).encode()
    assert bystanders.holds(kind, "p", line) is passed_over
    assert not bystanders.holds("Observation", "p", line), "another type than it was taken for"


def test_without_declared_value_sets_everybody_is_judged():
    bystanders = Bystanders(judge().ready.terminology, frozenset())
    assert not bystanders.holds("Patient", "p", b'{"resourceType":"Patient","id":"p"}')


def test_a_problem_in_words_leaves_the_question_open(tmp_path):
    source = write(tmp_path / "bulk", [patient("p"), about("p", "Condition", {"text": "ESRD on HD"})])
    _, found = screened(source, tmp_path / "out")
    assert found["p"]["member"] == "unknown"
