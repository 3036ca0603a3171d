"""The commands as they are typed: exit codes, output for machines, one-line errors."""

import json

import pytest
from typer.testing import CliRunner

from cds_service.cli.commands import app

RUN = CliRunner()


@pytest.fixture(scope="module")
def generated(tmp_path_factory):
    out = tmp_path_factory.mktemp("commands") / "bulk"
    answer = RUN.invoke(
        app,
        ["generate", "--patients", "25", "--seed", "3", "--as-of", "2026-11-21", "--out", str(out), "--json"],
    )
    assert answer.exit_code == 0, answer.output
    assert json.loads(answer.stdout)["patients"] == 25
    return out


def test_screen_prints_figures_for_machines(generated, tmp_path):
    answer = RUN.invoke(app, ["screen", str(generated), "--out", str(tmp_path), "--processes", "1", "--json"])
    summary = json.loads(answer.stdout)
    assert summary["patients"] == 25
    assert answer.exit_code == (1 if summary["troubles"] else 0)
    assert summary["as_of"].startswith("2026-11-21")


def test_screen_tells_people_and_the_exit_code_tells_of_trouble(generated, tmp_path):
    copy = tmp_path / "bulk"
    copy.mkdir()
    for path in generated.glob("*.ndjson"):
        (copy / path.name).write_bytes(path.read_bytes())
    with (copy / "Condition.0000.ndjson").open("a") as stream:
        stream.write("{broken\n")
    answer = RUN.invoke(app, ["screen", str(copy), "--out", str(tmp_path / "out"), "--as-of", "2026-11-21"])
    assert answer.exit_code == 1
    assert "on maintenance dialysis" in answer.stdout
    assert "not valid JSON" in " ".join(answer.stdout.split())
    assert (tmp_path / "out" / "report.html").exists()


def test_replay_and_doctor_speak_to_machines_and_people(generated, tmp_path):
    answer = RUN.invoke(app, ["replay", str(generated), "--out", str(tmp_path), "--processes", "1", "--json"])
    assert json.loads(answer.stdout)["orders"] > 0
    answer = RUN.invoke(app, ["doctor", "--data", str(generated), "--json"])
    assert {item["verdict"] for item in json.loads(answer.stdout)["verdicts"]} <= {"go", "fix first"}
    assert "Shapes of orders" in RUN.invoke(app, ["doctor", "--data", str(generated)]).stdout


def test_a_source_that_is_not_there_is_one_line(tmp_path):
    answer = RUN.invoke(app, ["screen", str(tmp_path / "nothing"), "--out", str(tmp_path / "out")])
    assert answer.exit_code != 0
    assert "no such file or folder" in str(answer.exception)
