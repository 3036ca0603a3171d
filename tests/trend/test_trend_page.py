"""The trend page as a reader gets it: complete without its charts, inert whatever the data hold."""

from __future__ import annotations

import asyncio
import json
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from support.casefiles import AS_OF, FIXTURES, PATIENTS, engine_for
from support.facts import calcium, facts, phosphate

from cds_service.facts.dates import Precision, When
from cds_service.rules.trend import TrendLine, TrendPoint
from cds_service.settings import load_settings
from cds_service.trend import given_patient, resources_of
from cds_service.web import charts
from cds_service.web.pages import Pages
from cds_service.web.trend import draw, words
from cds_service.web.trend.routes import trend_page
from hooks.trend import trend

HOSTILE = {
    "tags": "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "link": "[click](javascript:alert(1)) ![x](http://evil.example/x.png)",
    "template": "{{ 7 * 7654321 }}{% raw %}",
    "endless": "hostile " + "x" * 10_000,
}


@pytest.fixture(scope="module")
def page(live):
    """The richest synthetic patient."""
    answer = live.get("/trend?patient=hd-year&rule=vka-dialysis")
    assert answer.status_code == 200
    return answer


def test_page_needs_no_script_and_no_style_attribute(page):
    policy = page.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "<script" not in page.text
    assert not re.search(r"\sstyle=|\son\w+=|xlink|href=\"http", page.text)


def test_every_chart_is_an_image_with_a_name_and_a_table(page):
    drawings = re.findall(r"<svg.*?</svg>", page.text, re.DOTALL)
    assert len(drawings) == 4 + 4 + 1
    names = set()
    for drawing in drawings:
        assert drawing.count('role="img"') == 1
        assert not re.search(r"\s(aria-(?!labelledby)\w+|class=\"(?!chart))", drawing)
        title, desc = re.search(r'aria-labelledby="(\S+) (\S+)"', drawing).groups()
        assert f'<title id="{title}">' in drawing
        assert f'<desc id="{desc}">' in drawing
        names.add(title)
    assert len(names) == len(drawings)
    assert page.text.count("<table") >= len(drawings)


def test_ids_are_unique(page):
    ids = re.findall(r'\sid="([^"]+)"', page.text)
    assert len(ids) == len(set(ids))


def test_both_unit_systems_are_a_link_away(page):
    assert 'href="#si"' in page.text
    assert 'href="#conventional"' in page.text
    assert "10.1 mg/dL" in page.text
    assert "2.52 mmol/L" in page.text


def test_unusable_results_and_gaps_are_named(page):
    assert "Phosphate 5.1 (no unit), 8 Jul 2026: unit missing" in page.text
    assert "Phosphate 2.6 mg/dL, 2 Sep 2026: drawn during or after dialysis" in page.text
    assert "no value between 4 Mar 2026 and 24 Jun 2026" in page.text
    assert "No line is drawn over more than 90 days without a value" in page.text


def test_rule_of_a_card_is_followed(page, live):
    assert "Opened from a card of the rule “Vitamin K antagonist on dialysis”" in page.text
    assert "Opened from" not in live.get("/trend?patient=hd-new-start&rule=nonsense").text


@pytest.mark.parametrize("patient", ["nobody", "../cases/vka-dialysis-new-start", "%00", "<script>"])
def test_unknown_patient_is_a_plain_404(live, patient):
    answer = live.get("/trend", params={"patient": patient})
    assert answer.status_code == 404
    assert "<script>" not in answer.text


def test_without_a_patient_there_is_a_choice(live):
    text = live.get("/trend").text
    assert all(f"/trend?patient={path.stem}" in text for path in PATIENTS)


def render(resources, patient="hd-year"):
    engine = engine_for(AS_OF, ())

    async def answer():
        found = await given_patient(engine, engine.anonymous, patient, resources)
        return await trend_page(engine, Pages(load_settings()), found, rule=None)

    return asyncio.run(answer()).body.decode()


def poisoned(value, payload, key=""):
    """The document with the payload in every field that holds words."""
    if isinstance(value, dict):
        return {name: poisoned(item, payload, name) for name, item in value.items()}
    if isinstance(value, list):
        return [poisoned(item, payload, key) for item in value]
    wordy = key in ("display", "text", "unit", "gender", "family", "comparator")
    return payload if isinstance(value, str) and wordy else value


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_words_stay_words(kind):
    payload = HOSTILE[kind]
    bundle = json.loads((FIXTURES / "patients" / "hd-year.json").read_bytes())
    for entry in bundle["entry"]:
        resource = entry["resource"]
        if resource["resourceType"] != "Patient" and "code" in resource:
            resource["code"]["text"] = "words"
            resource["note"] = [{"text": "words"}]
        if "valueQuantity" in resource:
            # The code would settle the unit; without it the words are all there is.
            for name in ("code", "system"):
                resource["valueQuantity"].pop(name, None)
    text = render(resources_of(json.dumps(poisoned(bundle, payload)).encode()))
    assert "<script" not in text
    assert "<img" not in text
    assert 'javascript:alert(1)"' not in text
    assert "53580247" not in text
    assert "x" * 700 not in text
    assert len(text) < 400_000
    assert "unit not known for this analyte" in text


def test_patient_without_anything_is_a_page_that_says_so():
    bundle = {"resourceType": "Bundle", "entry": [{"resource": {"resourceType": "Patient", "id": "p1"}}]}
    text = render(resources_of(json.dumps(bundle).encode()), "p1")
    assert "Calcium: no usable value in this period." in text
    assert text.count("No usable value in this period.") == 8


def point(days, value="5", **fields):
    moment = datetime(2026, 11, 1, tzinfo=UTC) - timedelta(days=days)
    given = {"low": Decimal(value), "high": Decimal(value), "text": value} | fields
    return TrendPoint(When(moment, Precision.DAY, moment.date()), **given)


def stretches(*points, gap=90):
    return [stretch for stretch, _ in draw.segments(TrendLine("P", points), gap)]


def test_no_line_over_a_gap():
    assert stretches(point(200), point(110), point(19)) == [0, 0, 1]
    assert stretches(point(90), point(0)) == [0, 0]
    assert stretches(point(91), point(0)) == [0, 1]


def test_bounds_preliminary_and_conflicting_values_are_joined_to_nothing():
    for odd in (
        point(20, low=None),
        point(20, high=None),
        point(20, high=Decimal(6)),
        point(20, preliminary=True),
    ):
        assert stretches(point(30), odd, point(10), point(5)) == [0, 1, 2, 2]


def test_summary_gives_figures_and_no_verdict():
    found = trend(facts(labs=[calcium(9.0, days=300), calcium(10.5, days=5), phosphate(5.0, days=5)]))
    told = [sentence for item in found.charts for sentence in words.summary(item)]
    assert told[0] == (
        "Calcium, total: latest 10.5 mg/dL on 10 Nov 2026; 2 values since 19 Jan 2026, from 9.0 mg/dL (19 Jan 2026) "
        "to 10.5 mg/dL (10 Nov 2026); no value between 19 Jan 2026 and 10 Nov 2026."
    )
    assert "Phosphate: latest 5.0 mg/dL on 10 Nov 2026." in told
    assert "PTH: no usable value in this period." in told
    assert not any(word in " ".join(told) for word in ("safe", "risk", "rising", "improv"))


def test_many_values_are_folded_not_dropped():
    found = trend(facts(labs=[phosphate(5.0, days=days) for days in range(1, 41)]))
    table = words.table(found.charts[1])
    assert (len(table.recent), len(table.earlier)) == (12, 28)


def test_specifications_are_valid_vega_lite():
    """Drawing leaves out Altair's own check, which takes long; here it is on."""
    for patient in ("hd-year", "hd-no-labs"):
        found = asyncio.run(_facts(FIXTURES / "patients" / f"{patient}.json"))
        for item in trend(found).charts:
            assert draw.value_chart(item, found.as_of, 365)["layer"]
        assert draw.lane_chart(trend(found).lanes, found.as_of, 365)["layer"]


async def _facts(path):
    engine = engine_for(AS_OF, ())
    return await given_patient(engine, engine.anonymous, path.stem, resources_of(path.read_bytes()))


def test_drawing_holds_nothing_but_shapes_and_words():
    """Whatever the library may emit one day: no script, no link, no image, no style."""
    spec = {
        "data": {
            "values": [{"x": 1, "url": "https://evil.example/x.png", "t": "</svg><script>alert(1)</script>"}]
        },
        "layer": [
            {"mark": {"type": "text", "href": "https://evil.example"}, "encoding": {"text": {"field": "t"}}},
            {"mark": {"type": "image"}, "encoding": {"url": {"field": "url"}, "x": {"field": "x"}}},
        ],
    }
    drawn = charts.svg(spec, id="one", title="<b>Title</b>")
    assert not re.search(r"<script|<image|href|style=|<b>", drawn)
    assert "&lt;b&gt;Title" in drawn
