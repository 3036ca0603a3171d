"""Work in several local processes: same bytes, also when one of them is killed in the middle."""

import multiprocessing
import os
import signal

import pytest
from population_support import screened

from cds_service.population import run as running
from cds_service.population.workers import Processes
from cds_service.settings import SettingsError

RESULTS = ("patients.ndjson", "patients.csv", "summary.json", "report.html")


@pytest.fixture(scope="module")
def alone(export, tmp_path_factory):
    out = tmp_path_factory.mktemp("alone")
    screened(export, out)
    return out


@pytest.mark.parametrize("step", ["Reading", "Judging"])
def test_a_process_that_is_killed_in_the_middle_changes_nothing(export, alone, tmp_path, monkeypatch, step):
    monkeypatch.setattr(running, "_SHARD_BYTES", 1 << 20)
    killed = []

    def kill(progress):
        if not killed and progress.step == step:
            worker = multiprocessing.active_children()[0]
            killed.append(worker.pid)
            os.kill(worker.pid, signal.SIGKILL)

    screened(export, tmp_path, processes=2, tell=kill)
    assert killed
    assert all((tmp_path / name).read_bytes() == (alone / name).read_bytes() for name in RESULTS)
    assert not (tmp_path / ".work").exists()


def test_the_processes_of_one_step_do_the_next(export):
    several = Processes(2)
    try:
        assert list(several.run(os.path.exists, [str(export)] * 4)) == [None] * 4
        first = {process.pid for process in multiprocessing.active_children()}
        list(several.run(os.path.exists, [str(export)] * 4))
        assert {process.pid for process in multiprocessing.active_children()} == first
    finally:
        several.close()
    assert not first & {process.pid for process in multiprocessing.active_children()}


def die(_):
    os.kill(os.getpid(), signal.SIGKILL)


def test_processes_that_die_again_and_again_are_told_in_one_line():
    several = Processes(2)
    with pytest.raises(SettingsError, match="keep dying"):
        list(several.run(die, [1, 2]))
    several.close()


@pytest.mark.parametrize(
    ("gigabytes", "shards"), [(0, 1), (0.1, 1), (0.25, 2), (2.5, 20), (8, 64), (25, 64), (250, 250)]
)
def test_a_large_export_gets_more_patients_for_each_shard_before_it_gets_more_shards(
    gigabytes: float, shards: int
) -> None:
    assert running.shards_for(int(gigabytes * (1 << 30))) == shards
