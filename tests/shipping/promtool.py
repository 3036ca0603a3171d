"""Running Prometheus' own rule tests on the shipped rules."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
RULES = ROOT / "deploy/prometheus/alerts.yml"
PROMTOOL = shutil.which("promtool")

needs_promtool = pytest.mark.skipif(
    PROMTOOL is None, reason="NOT TESTED: promtool is not installed (Debian: prometheus)"
)


def rules():
    return yaml.safe_load(RULES.read_text())


def alerts():
    """Name -> rule, of every alert."""
    return {rule["alert"]: rule for group in rules()["groups"] for rule in group["rules"] if "alert" in rule}


def check(*arguments) -> subprocess.CompletedProcess:
    return subprocess.run([PROMTOOL, *map(str, arguments)], capture_output=True, text=True, check=False)


def firing(folder: Path, series: dict[str, str], *, step_s: int, at_step: int, only: str = "") -> set[str]:
    """The alerts that fire once these samples, one every `step_s` seconds, have come in; of all, or of one."""
    document = rules()
    for group in document["groups"]:
        group["rules"] = [rule for rule in group["rules"] if only in ("", rule.get("alert", only))]
        # The pace of the test decides: a week in steps of 15 seconds would take an hour.
        group.pop("interval", None)
    asked = " ".join(rule["expr"] for group in document["groups"] for rule in group["rules"])
    series = {name: values for name, values in series.items() if name.split("{")[0] in asked}
    (folder / "rules.yml").write_text(yaml.safe_dump(document))
    expression = 'count by (alertname) (ALERTS{alertstate="firing"})'
    test = {
        "rule_files": ["rules.yml"],
        "evaluation_interval": f"{step_s}s",
        "tests": [
            {
                "interval": f"{step_s}s",
                "input_series": [{"series": name, "values": values} for name, values in series.items()],
                # promtool only compares, so it is asked for nothing and says what there is instead.
                "promql_expr_test": [
                    {"expr": expression, "eval_time": f"{at_step * step_s}s", "exp_samples": []}
                ],
            }
        ],
    }
    (folder / "test.yml").write_text(yaml.safe_dump(test))
    done = check("test", "rules", folder / "test.yml")
    if done.returncode == 0:
        return set()
    said = done.stdout + done.stderr
    assert "got:" in said, said
    quoted = said.split("got:", 1)[1].split('alertname="')[1:]
    found = {part.split('"', 1)[0] for part in quoted}
    assert found, json.dumps(said)
    return found
