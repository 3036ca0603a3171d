"""What is not kept of patients outside the population never changes what is said about anybody."""

import json
from collections import Counter

import pytest
from population_support import AS_OF, engine, files, make_export

from cds_service.population import run as running
from cds_service.population.idle import idle_in
from cds_service.population.judge import judging
from cds_service.population.parts import FIGURES, holdings_of
from cds_service.population.run import read_index, run
from cds_service.population.screen import screen_shard
from cds_service.population.workers import Here, Processes

DIALYSIS = {"coding": [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "Z99.2"}]}


@pytest.fixture
def source(tmp_path):
    return make_export(tmp_path / "bulk", 30, seed=5)


def judged(source, out, *, members_only, workers=None, **options):
    """What the run wrote, and what it saw on the way."""
    how = judging(engine(), engine().anonymous, AS_OF)
    out.mkdir(exist_ok=True)
    outcome = run(
        source,
        out,
        how,
        screen_shard,
        workers or Here(),
        target="patients.ndjson",
        members_only=members_only,
        **options,
    )
    return (out / "patients.ndjson").read_bytes(), outcome


@pytest.fixture
def work(monkeypatch):
    """Idle patients, and lines kept by type and patient, as they were before the work folder went."""
    seen = {}

    def look(folder, indexes):
        number = len(indexes)
        seen["idle"] = idle_in(folder)
        seen["kept"] = {}
        for each in (read_index(folder, at) for at in range(number)):
            for shard in each.shards:
                for patient, holding in holdings_of(folder, each, shard).items():
                    for kind, figures in holding.places.items():
                        seen["kept"].setdefault(kind, Counter())[patient] += len(figures) // FIGURES
        return real(folder, indexes)

    real = running.build_catalogue
    monkeypatch.setattr(running, "build_catalogue", look)
    return seen


def bystander(work):
    return min(work["idle"]).removeprefix("Patient/")


def append(source, kind, line):
    with files(source, kind)[0].open("ab") as stream:
        stream.write(line)


def problem(patient):
    resource = {"resourceType": "Condition", "id": "hidden", "subject": {"reference": f"Patient/{patient}"}}
    return json.dumps({**resource, "code": DIALYSIS}).encode() + b"\n"


def test_results_and_orders_of_bystanders_are_not_kept_and_the_answers_are_the_same(source, tmp_path, work):
    whole, of_all = judged(source, tmp_path / "whole", members_only=False)
    everything = work["kept"]
    spared, of_members = judged(source, tmp_path / "spared", members_only=True)
    assert spared == whole
    assert of_members == of_all
    idle = {reference.removeprefix("Patient/") for reference in work["idle"]}
    assert idle
    results, patients = map(running.KEPT.index, ("Observation", "Patient"))
    before, after = everything[results], work["kept"][results]
    assert all(after[patient] == lines for patient, lines in before.items() if patient not in idle)
    # A few refer to their patient in another way, and stay.
    assert sum(after[patient] for patient in idle) < sum(before[patient] for patient in idle) / 10
    assert work["kept"][patients] == everything[patients]


def test_several_processes_spare_the_same(source, tmp_path):
    alone = judged(source, tmp_path / "alone", members_only=True)
    several = Processes(2)
    try:
        assert judged(source, tmp_path / "two", members_only=True, workers=several) == alone
    finally:
        several.close()


@pytest.mark.parametrize("kind", ["Observation", "MedicationRequest"])
def test_a_problem_in_a_file_of_results_still_makes_a_member(source, tmp_path, work, kind):
    judged(source, tmp_path / "before", members_only=True)
    patient = bystander(work)
    append(source, kind, problem(patient))
    whole, of_all = judged(source, tmp_path / "whole", members_only=False)
    spared, of_members = judged(source, tmp_path / "spared", members_only=True)
    assert (spared, of_members) == (whole, of_all)
    mine = next(item for item in map(json.loads, spared.splitlines()) if item["patient"] == patient)
    assert mine["member"] == "yes"
    # Not only the problem was found late: the results count, too.
    assert "calcium" in mine["ages"]
    assert not work["idle"]


def test_a_problem_cut_off_in_a_file_of_results_leaves_nobody_falsely_clear(source, tmp_path, work):
    judged(source, tmp_path / "before", members_only=True)
    append(source, "Observation", problem(bystander(work))[:60])
    whole, of_all = judged(source, tmp_path / "whole", members_only=False)
    assert judged(source, tmp_path / "spared", members_only=True) == (whole, of_all)
    assert not work["idle"]
    assert b"problem list" in whole or b"conditions" in whole


def test_without_the_problem_list_nobody_is_idle(source, tmp_path, work):
    for path in files(source, "Condition"):
        path.unlink()
    whole = judged(source, tmp_path / "whole", members_only=False)
    assert judged(source, tmp_path / "spared", members_only=True) == whole
    assert not work["idle"]


class Interrupted(Exception):
    pass


@pytest.mark.parametrize("after", [1, 4, 6, 8, 9, 11])
def test_an_interrupted_run_spares_the_same_when_it_goes_on(source, tmp_path, after):
    hidden = problem("syn-000003")
    append(source, "Observation", hidden)
    whole = judged(source, tmp_path / "whole", members_only=False)[0]

    steps = []

    def stop(progress):
        # Eight files; those of results and orders are read again, because of what one of them hid.
        steps.append(progress.step == "Reading")
        if sum(steps) == after:
            raise Interrupted

    with pytest.raises(Interrupted):
        judged(source, tmp_path / "out", members_only=True, tell=stop)
    resumed, outcome = judged(source, tmp_path / "out", members_only=True)
    assert outcome.resumed
    assert resumed == whole


def test_beyond_what_memory_should_hold_nobody_is_idle(source, tmp_path, work, monkeypatch):
    monkeypatch.setattr("cds_service.population.idle._MOST", 2)
    whole = judged(source, tmp_path / "whole", members_only=False)
    assert judged(source, tmp_path / "spared", members_only=True) == whole
    assert not work["idle"]
