"""The shipped alert rules, judged by promtool: each is raised by what it is for, and by nothing else of its kind."""

import pytest
from alert_cases import ALL_WELL, FAST, QUICK, SLOW, TODAY, WEEK
from promtool import ROOT, RULES, alerts, check, firing, needs_promtool

pytestmark = needs_promtool


def rows(which):
    return [
        pytest.param(name, series, pace, id=f"{name}-{number}")
        for pace, table in (("slow", SLOW), ("fast", FAST))
        for name, cases in table.items()
        for number, series in enumerate(cases[which])
    ]


def fired(folder, series, pace, only=""):
    step_s, at_step = (3600, WEEK + TODAY - 1) if pace == "slow" else (15, QUICK)
    return firing(folder, series, step_s=step_s, at_step=at_step, only=only)


def test_prometheus_accepts_rules_and_configuration():
    assert check("check", "rules", RULES).returncode == 0
    done = check("check", "config", ROOT / "deploy/prometheus/prometheus.yml")
    assert done.returncode == 0, done.stderr


def test_every_alert_has_its_cases():
    assert set(alerts()) == set(SLOW) | set(FAST)


@pytest.mark.parametrize(("name", "series", "pace"), rows(0))
def test_fires(name, series, pace, tmp_path):
    assert fired(tmp_path, series, pace, only=name) == {name}


@pytest.mark.parametrize(("name", "series", "pace"), rows(1))
def test_stays_silent(name, series, pace, tmp_path):
    assert fired(tmp_path, series, pace, only=name) == set()


def test_a_quiet_day_raises_nothing(tmp_path):
    assert fired(tmp_path, ALL_WELL, "fast") == set()


def test_every_alert_is_explained_to_operators():
    manual = (ROOT / "docs/operating.md").read_text()
    assert [name for name in alerts() if f"`{name}`" not in manual] == []


def test_every_alert_says_how_urgent_it_is_and_what_it_means():
    for name, rule in alerts().items():
        assert rule["labels"]["severity"] in ("page", "ticket"), name
        assert rule["annotations"].keys() == {"summary", "description"}, name
