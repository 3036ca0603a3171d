"""What the trend page shows of a chart: the values the rules use, the others by reason, gaps as gaps."""

from __future__ import annotations

import pytest
from support.facts import (
    ago,
    albumin,
    calcium,
    condition,
    encounter,
    facts,
    lab,
    medicine,
    phosphate,
    procedure,
    pth,
)

from hooks import valuesets as vs
from hooks.case_features.calcium import current_draw
from hooks.case_features.product import current_pair
from hooks.content import CONTENT
from hooks.trend import trend

WARFARIN, CALCITRIOL, SEVELAMER = "855332", "308867", "749206"


def chart(found, name):
    return next(item for item in found.charts if item.id == name)


def values(found, name, line=0):
    return [(str(point.when), point.text) for point in chart(found, name).lines[line].points]


def lane(found, title):
    return next(item for item in found.lanes if item.title == title)


def test_content_offers_a_trend():
    assert CONTENT.trend is trend


def test_values_are_those_of_the_rules():
    given = facts(labs=[calcium(9.6, days=5), albumin(3.0, days=5), phosphate(6.1, days=5)])
    found = trend(given)
    assert values(found, "calcium") == [("10 Nov 2026", "9.6 mg/dL")]
    assert values(found, "calcium", 1) == [("10 Nov 2026", "10.4 mg/dL")]
    assert chart(found, "calcium").lines[1].points[0].exact == given.feature(current_draw).corrected[0]
    assert chart(found, "product").lines[0].points[0].exact == given.feature(current_pair).product[0]
    assert values(found, "product") == [("10 Nov 2026", "63.4 mg2/dL2")]


def test_values_stand_oldest_first_and_reach_back_a_year():
    found = trend(facts(labs=[phosphate(5.0, days=days) for days in (366, 365, 100, 3)]))
    assert [text for _, text in values(found, "phosphate")] == ["5.0 mg/dL"] * 3
    assert values(found, "phosphate")[0][0] == "15 Nov 2025"


def test_units_follow_the_facts():
    resources = [
        calcium(10.0, days=5),
        albumin(4.2, days=5),
        phosphate(6.0, days=5),
        pth(500, days=5, high=65),
    ]
    found = trend(facts(labs=resources, units="SI"))
    assert values(found, "calcium") == [("10 Nov 2026", "2.50 mmol/L")]
    assert values(found, "product") == [("10 Nov 2026", "4.83 mmol2/L2")]
    assert values(found, "pth") == [("10 Nov 2026", "53.0 pmol/L")]
    assert [item.text for item in chart(found, "product").references] == [
        "Goal below 4.43 mmol2/L2 (KDOQI 2003, guideline 6.5; calcium acetate label)",
        "Above 5.64 mmol2/L2 (Weenig 2007; calcitriol labels)",
    ]
    assert chart(found, "calcium").references[0].text == "High above 2.54 mmol/L (KDOQI 2003, guideline 6.3)"


def test_reference_lines_are_cited_and_name_the_thresholds_of_the_rules():
    found = trend(facts())
    lines = {line.threshold: line for item in found.charts for line in item.references}
    assert set(lines) == {"T1", "T2", "T3", "T4", "T5", "T6", "T7"}
    assert lines["T1"].citation.key == "E20"
    assert lines["T2"].citation.key == "E7"
    assert lines["T6"].text == "Above 600 pg/mL (our proposal: about 9 x 65 pg/mL)"
    assert lines["T6"].citation is None


def test_pth_lines_are_multiples_of_the_laboratory_s_own_limit():
    found = trend(facts(labs=[pth(700, days=5, high=70)]))
    high, low = chart(found, "pth").references
    assert (high.value, low.value) == (630, 140)
    assert high.text == "Above 9 x ULN = 630 pg/mL (KDIGO 2017, 2-9 x ULN)"
    assert chart(found, "pth").lines[0].points[0].note == "10.0 x ULN"


def test_threshold_of_the_site_says_so():
    found = trend(facts(site={"ca_x_p_high": 50}))
    text = chart(found, "product").references[0].text
    assert text.startswith("Goal below 50.0 mg2/dL2 (set by this site; KDOQI 2003")
    assert text.endswith(": 55 mg2/dL2)")


NOT_USED = {
    "unit missing": calcium(9.8, days=5, valueQuantity={"value": 9.8}),
    "implausible value ignored": calcium(98, days=5),
    "no numeric value": calcium(9, days=5, valueQuantity=None),
    "status entered-in-error": calcium(9.8, days=5, status="entered-in-error"),
    "drawn during or after dialysis": calcium(9.8, days=5, note=[{"text": "Post-dialysis sample"}]),
    "no usable date": calcium(9.8, effectiveDateTime="yesterday"),
    "dated in the future": calcium(9.8, days=-9),
}


@pytest.mark.parametrize("reason", NOT_USED)
def test_result_that_cannot_be_used_is_listed_with_its_reason(reason):
    found = chart(trend(facts(labs=[NOT_USED[reason], calcium(9.1, days=40)])), "calcium")
    assert [item.reason for item in found.left_out] == [reason]
    assert [point.text for point in found.lines[0].points] == ["9.1 mg/dL"]


def test_albumin_that_cannot_be_used_is_listed_with_the_calcium():
    found = chart(trend(facts(labs=[albumin(3.0, days=5, valueQuantity={"value": 3.0})])), "calcium")
    assert [(item.what, item.reason) for item in found.left_out] == [("albumin", "unit missing")]


def test_unusable_result_from_before_the_window_is_not_listed():
    found = trend(facts(labs=[calcium(9.8, days=400, valueQuantity={"value": 9.8})]))
    assert chart(found, "calcium").left_out == ()


def test_bound_preliminary_and_conflicting_results_are_marked_as_such():
    found = trend(
        facts(
            labs=[
                phosphate(9, days=30, valueQuantity={"value": 9, "comparator": ">", "unit": "mg/dL"}),
                phosphate(6.0, days=20, status="preliminary"),
                phosphate(5.0, days=10),
                phosphate(6.5, days=10),
                calcium(9.0, days=10),
                calcium(9.5, days=10),
                albumin(4.4, days=10),
            ]
        )
    )
    bound, draft, conflict = chart(found, "phosphate").lines[0].points
    assert (bound.low, bound.high, bound.text) == (9, None, ">9 mg/dL")
    assert draft.preliminary
    assert draft.text == "6.0 mg/dL (preliminary)"
    assert (conflict.low, conflict.high, conflict.exact) == (5, pytest.approx(6.5), None)
    assert values(found, "product")[-1][1] == "45.0 mg2/dL2 to 61.8 mg2/dL2 (conflicting results)"


def test_upper_bound_is_kept_as_one():
    below = {"value": 5, "comparator": "<", "unit": "pg/mL"}
    found = trend(facts(labs=[pth(5, days=10, valueQuantity=below)]))
    point = chart(found, "pth").lines[0].points[0]
    assert (point.low, point.high, point.note) == (None, 5, "")


def test_date_of_the_report_is_not_taken_for_the_collection():
    found = trend(facts(labs=[phosphate(5, effectiveDateTime=None, issued=f"{ago(4)}T08:00:00Z")]))
    assert chart(found, "phosphate").lines[0].points[0].note == "date of report"


def test_pairs_of_different_days_name_both():
    found = trend(facts(labs=[calcium(9.0, days=10), albumin(4.2, days=10), phosphate(5.0, days=7)]))
    assert "calcium of 5 Nov 2026, phosphate of 8 Nov 2026" in chart(found, "product").lines[0].points[0].note


def test_preliminary_value_stands_beside_the_final_pair_that_decides():
    found = trend(
        facts(
            labs=[
                calcium(10.0, days=2),
                albumin(4.2, days=2),
                phosphate(6.0, days=2, status="preliminary"),
                phosphate(5.0, days=6),
            ]
        )
    )
    points = chart(found, "product").lines[0].points
    assert {point.text for point in points} == {"60.0 mg2/dL2 (preliminary)", "50.0 mg2/dL2"}


def test_calcium_without_albumin_has_no_corrected_value_and_says_why():
    found = chart(trend(facts(labs=[calcium(9.0, days=10)])), "calcium")
    assert found.lines[1].points == ()
    assert found.lines[0].points[0].note == "uncorrected (no recent albumin)"


def test_albumin_of_another_day_is_dated_and_a_laboratory_s_correction_named():
    found = trend(facts(labs=[calcium(9.0, days=10), albumin(3.0, days=12)]))
    assert chart(found, "calcium").lines[1].points[0].note == "albumin 3.0 g/dL of 3 Nov 2026"
    adjusted = trend(facts(labs=[lab("29265-6", 10.1, "mg/dL", days=9)]))
    assert chart(adjusted, "calcium").lines[1].points[0].note == "adjusted by the laboratory"


def test_results_that_were_not_read_are_no_empty_chart():
    unread = chart(trend(facts(unreadable=("labs",))), "calcium")
    assert unread.unreadable == "Laboratory results could not be read: not permitted."
    assert "only in part" in chart(trend(facts(incomplete=("labs",))), "pth").unreadable
    assert chart(trend(facts()), "phosphate").unreadable is None


STATUS = {
    "definite": ([condition("Z99.2", recordedDate="2024-01-02")], (), "definite: ", False),
    "not on dialysis": ([], (), "no maintenance dialysis", False),
    "unclear": ([condition(text="dialysis three times a week")], (), "unclear: ", True),
    "by encounter": (
        [],
        [
            encounter(
                20,
                type=[
                    {
                        "coding": [
                            {
                                "system": vs.DIALYSIS_CARE_ENCOUNTER.codings[0].system,
                                "code": vs.DIALYSIS_CARE_ENCOUNTER.codings[0].code,
                            }
                        ]
                    }
                ],
            )
        ],
        "probable: dialysis-care encounter",
        False,
    ),
}


@pytest.mark.parametrize("name", STATUS)
def test_dialysis_status(name):
    conditions, encounters, words, unknown = STATUS[name]
    status = trend(facts(conditions=conditions, encounters=encounters)).statuses[0]
    assert status.label == "Dialysis"
    assert status.text.startswith(words)
    assert status.unknown is unknown


def test_modality_and_earliest_evidence_are_told():
    found = trend(
        facts(
            conditions=[condition("Z99.2", recordedDate="2024-01-02")],
            procedures=[procedure("302497006", days=3)],
        )
    )
    assert found.statuses[0].text.endswith("; haemodialysis; earliest evidence 2 Jan 2024")
    undated = trend(facts(conditions=[condition("Z99.2")]))
    assert undated.statuses[0].text.endswith("; modality not recorded")


@pytest.mark.parametrize(
    ("conditions", "words", "unknown"),
    [
        ([], "calciphylaxis not documented", False),
        (
            [condition("237900002", system="http://snomed.info/sct", recordedDate="2026-10-01")],
            "confirmed: ",
            False,
        ),
    ],
)
def test_calciphylaxis_status(conditions, words, unknown):
    status = trend(facts(conditions=conditions)).statuses[1]
    assert status.text.startswith(words)
    assert status.unknown is unknown


def test_unreadable_problem_list_leaves_both_unclear():
    found = trend(facts(unreadable=("conditions",)))
    assert all(status.unknown for status in found.statuses)


def test_medicines_lie_in_their_lanes():
    found = trend(
        facts(
            medications=[
                medicine(rxnorm=WARFARIN, days=100),
                medicine(
                    rxnorm=CALCITRIOL,
                    days=200,
                    status="stopped",
                    dosageInstruction=[
                        {"timing": {"repeat": {"boundsPeriod": {"start": ago(200), "end": ago(50)}}}}
                    ],
                ),
                medicine(rxnorm=SEVELAMER, authoredOn=None, status="on-hold"),
            ]
        )
    )
    (warfarin,) = lane(found, "Vitamin K antagonist").bars
    assert (warfarin.text, str(warfarin.start), warfarin.end) == (
        "warfarin, active since 7 Aug 2026",
        "7 Aug 2026",
        None,
    )
    (calcitriol,) = lane(found, "Active vitamin D").bars
    assert (calcitriol.text, str(calcitriol.end)) == ("calcitriol, ended 26 Sep 2026", "26 Sep 2026")
    (sevelamer,) = lane(found, "Phosphate binder without calcium").bars
    assert (sevelamer.start, str(sevelamer.state)) == (None, "on hold")
    assert lane(found, "Sodium thiosulfate").bars == ()
    assert found.notes == ()


def test_medication_list_that_was_not_read_leaves_no_empty_lane():
    found = trend(facts(unreadable=("medications",)))
    assert all(item.bars is None for item in found.lanes)
    assert found.notes == (
        "The medication list could not be read (not permitted): empty lanes mean nothing.",
    )
    assert "only in part" in trend(facts(incomplete=("medications",))).notes[0]


@pytest.mark.parametrize(
    ("number", "words"), [(1, "1 listed medicine was not"), (2, "2 listed medicines were not")]
)
def test_unrecognised_medicines_are_counted(number, words):
    found = trend(facts(medications=[medicine(name=f"study drug {n}") for n in range(number)]))
    assert found.notes[0].startswith(words)
