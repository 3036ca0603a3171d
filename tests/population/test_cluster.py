"""The same work on a Dask cluster: same bytes, also when a worker is killed in the middle."""

import os
import signal

import pytest
from population_support import screened

from cds_service.population import run as running
from cds_service.settings import SettingsError

RESULTS = ("patients.ndjson", "patients.csv", "summary.json", "report.html")


@pytest.fixture(scope="module")
def cluster():
    distributed = pytest.importorskip(
        "distributed", reason="Dask is not installed (extra `cluster`, or requirements-ci.lock)"
    )
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=None, silence_logs=50
    ) as local:
        yield local


@pytest.fixture(scope="module")
def alone(export, tmp_path_factory):
    out = tmp_path_factory.mktemp("alone")
    screened(export, out)
    return out


@pytest.fixture(autouse=True)
def many_small_tasks(monkeypatch):
    monkeypatch.setattr(running, "_SHARD_BYTES", 1 << 20)


def same(one, other):
    return all((one / name).read_bytes() == (other / name).read_bytes() for name in RESULTS)


@pytest.mark.filterwarnings("ignore")
def test_a_cluster_of_two_workers_gives_the_same_bytes(export, cluster, alone, tmp_path):
    screened(export, tmp_path, scheduler=cluster.scheduler_address)
    assert same(tmp_path, alone)


@pytest.mark.filterwarnings("ignore")
def test_killing_a_worker_in_the_middle_changes_nothing(export, cluster, alone, tmp_path):
    killed = []

    def kill(step):
        if not killed and step.step == "Judging":
            worker = next(iter(cluster.workers.values()))
            killed.append(worker.pid)
            os.kill(worker.pid, signal.SIGKILL)

    screened(export, tmp_path, scheduler=cluster.scheduler_address, tell=kill)
    assert killed
    assert same(tmp_path, alone)


def test_a_scheduler_that_is_not_there_is_told_in_one_line(export, tmp_path, monkeypatch):
    pytest.importorskip("distributed")
    monkeypatch.setattr("cds_service.population.workers._CONNECT_SECONDS", 1.0)
    with pytest.raises(SettingsError, match="no Dask scheduler answers"):
        screened(export, tmp_path, scheduler="tcp://127.0.0.1:9")
