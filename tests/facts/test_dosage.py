"""Route, daily amount and length of course from structured dosage; free text gives no dose."""

from datetime import UTC
from decimal import Decimal

import msgspec
import pytest
from support.facts import decoded, dose, facts, medicine

from cds_service.facts import dosage
from cds_service.facts.dosage import strength_mg
from cds_service.fhir.decode import decode_resource

ACETATE = "calcium acetate 667 MG Oral Tablet"


def order(*instructions, **fields):
    return decoded([medicine("warfarin", dosageInstruction=list(instructions) or None, **fields)])[0]


def daily(*instructions, product=ACETATE):
    return dosage.daily_dose(order(*instructions), product)


def timed(timing, value=1, unit="mg"):
    return dose(value, unit) | {"timing": timing}


@pytest.mark.parametrize(
    ("route", "expected"),
    [
        ({"coding": [{"code": "26643006"}]}, "oral"),
        ({"coding": [{"code": "47625008"}]}, "iv"),
        ({"coding": [{"code": "34206005"}]}, "sc"),
        ({"coding": [{"code": "78421000"}]}, "im"),
        ({"coding": [{"code": "6064005"}]}, "topical"),
        ({"coding": [{"code": "372464004"}]}, "intradermal"),
        ({"coding": [{"code": 26643006}]}, "oral"),
        ({"coding": [{"code": "12345"}, {"code": "47625008"}], "text": "oral"}, "iv"),
        ({"coding": [{"code": "PO"}]}, "oral"),
        ({"coding": [{"display": "Intravenous route"}]}, "iv"),
        ({"text": "by mouth"}, "oral"),
        ({"text": "Orally"}, "oral"),
        ({"text": "SUBCUTANEOUS"}, "sc"),
        ({"text": "Sub-cutaneous"}, "sc"),
        ({"text": "sub cutaneous injection"}, "sc"),
        ({"text": "subcut"}, "sc"),
        ({"text": "SQ"}, "sc"),
        ({"text": "intra-muscular"}, "im"),
        ({"text": "IM"}, "im"),
        ({"text": "intra venous"}, "iv"),
        ({"text": "haemodialysis circuit"}, "iv"),
        ({"text": "topically"}, "topical"),
        ({"text": "inhalation"}, "topical"),
        ({"text": "ophthalmic"}, "topical"),
        ({"text": "nasal"}, "topical"),
        ({"text": "intralesional"}, "intralesional"),
        ({"text": "Intraperitoneal"}, "intraperitoneal"),
        ({"text": "sublingual"}, "other"),
        ({"text": "gastrostomy"}, "other"),
        ({}, "other"),
    ],
)
def test_route_by_code_or_word(route, expected):
    assert dosage.route(order({"route": route})) == expected


def test_the_first_instruction_with_a_route_counts():
    assert dosage.route(order({"text": "x"}, {"route": {"text": "IV"}}, {"route": {"text": "oral"}})) == "iv"
    assert dosage.route(order({"text": "take by mouth"})) is None
    assert dosage.route(order()) is None


@pytest.mark.parametrize(
    ("instruction", "amount"),
    [
        (dose(5), "5"),
        (dose(5, "MG"), "5"),
        (dose(1, "g"), "1000"),
        (dose(500, "ug"), "0.5"),
        (dose(500, "mcg"), "0.5"),
        (dose(0), "0"),
        (dose(2, "{tbl}", 3), "4002"),
        (dose(2, "tablet", 3), "4002"),
        (dose(2, "Capsules"), "1334"),
        (dose(2, "1"), "1334"),
        (dose("0.5", "{tbl}"), "333.5"),
        ({"doseQuantity": {"value": 5, "unit": "mg"}, "timing": {"code": {"text": "daily"}}}, "5"),  # pre-R4
        (dose(5) | {"doseAndRate": {"doseQuantity": {"value": 5, "unit": "mg"}}}, "5"),  # an object
        (dose(5) | {"doseAndRate": [{}, {"doseQuantity": {"value": 5, "unit": "mg"}}]}, "5"),
        (
            dose(5)
            | {
                "doseAndRate": [
                    {"doseRange": {"low": {"value": 5, "unit": "mg"}, "high": {"value": 9, "unit": "mg"}}}
                ]
            },
            "9",
        ),
    ],
)
def test_the_daily_amount_in_mg(instruction, amount):
    assert daily(instruction).amount == Decimal(amount)


@pytest.mark.parametrize(
    "instruction",
    [
        {"text": "2 tablets three times a day with meals"},
        {"doseAndRate": [{}], "timing": {"code": {"text": "BID"}}},
        {"doseAndRate": [], "timing": {"code": {"text": "BID"}}},
        dose(10, "mL"),
        dose(10, "[iU]"),
        dose(-5),
        dose("NaN"),
        dose("1e400"),
        dose(None),
        dose(5) | {"timing": None},
    ],
)
def test_what_is_not_structured_or_not_a_mass_has_no_daily_amount(instruction):
    assert daily({name: each for name, each in instruction.items() if each is not None}) is None


def test_one_instruction_that_cannot_be_read_leaves_no_daily_amount():
    assert daily(dose(5), {"text": "and one at night"}) is None
    assert daily(dose(5), dose(2.5)).amount == Decimal("7.5")
    assert daily() is None


@pytest.mark.parametrize(
    ("product", "strength"),
    [
        (ACETATE, "667"),
        ("calcitriol 0.00025 MG Oral Capsule", "0.00025"),
        ("calcitriol 0.5 MCG Oral Capsule", "0.0005"),
        ("calcium carbonate 1250 MG / cholecalciferol 0.005 MG Oral Tablet", None),
        ("calcium acetate 133 MG/ML Oral Solution", None),
        ("warfarin", None),
        (None, None),
    ],
)
def test_tablets_are_counted_with_the_one_strength_of_the_product(product, strength):
    assert strength_mg(product) == (strength and Decimal(strength))
    counted = daily(dose(2, "tablet"), product=product)
    assert (counted and counted.amount) == (strength and 2 * Decimal(strength))


@pytest.mark.parametrize(
    ("timing", "per_day"),
    [
        *(({"code": {"coding": [{"code": code}]}}, times) for code, times in [
            ("QD", 1), ("DAILY", 1), ("AM", 1), ("PM", 1), ("BED", 1), ("HS", 1), ("BID", 2), ("tid", 3),
            ("QID", 4), ("QOD", "0.5"), ("Q1H", 24), ("Q2H", 12), ("Q3H", 8), ("Q4H", 6), ("Q6H", 4),
            ("Q8H", 3), ("Q12H", 2),
        ]),
        ({"code": {"text": " bid "}}, 2),
        ({"code": {"coding": [{"code": "123"}, {"code": "TID"}]}}, 3),
        ({"code": {"coding": [{"code": "123"}]}, "repeat": {"frequency": 2, "period": 1, "periodUnit": "d"}}, 2),
        ({"repeat": {"frequency": 3, "period": 1, "periodUnit": "d"}}, 3),
        ({"repeat": {"frequency": 1, "frequencyMax": 4, "period": 1, "periodUnit": "d"}}, 4),
        ({"repeat": {"frequency": 1, "period": 8, "periodUnit": "h"}}, 3),
        ({"repeat": {"frequency": 1, "period": 720, "periodUnit": "min"}}, 2),
        ({"repeat": {"frequency": 1, "period": 43200, "periodUnit": "s"}}, 2),
        ({"repeat": {"frequency": 1, "period": 2, "periodUnit": "d"}}, "0.5"),
        ({"repeat": {"frequency": 7, "period": 1, "periodUnit": "wk"}}, 1),
        ({"repeat": {"frequency": 30, "period": 1, "periodUnit": "mo"}}, 1),
        ({"repeat": {"frequency": 365, "period": 1, "periodUnit": "a"}}, 1),
        ({"repeat": {"dayOfWeek": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]}}, 1),
        ({"repeat": {"dayOfWeek": ["mon"], "frequency": 7}}, 1),
        ({"repeat": {"dayOfWeek": ["mon"], "frequency": 7, "period": 1, "periodUnit": "d"}}, 1),
        ({"repeat": {"dayOfWeek": ["mon"] , "frequency": 7, "period": 1, "periodUnit": "wk"}}, 1),
    ],
)  # fmt: skip
def test_how_often_a_day(timing, per_day):
    assert daily(timed(timing)).amount == Decimal(per_day)


@pytest.mark.parametrize("frequency", [None, 1, 3])
def test_three_dialysis_days_a_week_are_three_doses_a_week(frequency):
    repeat = {"dayOfWeek": ["mon", "wed", "fri"], "period": 1, "periodUnit": "wk"}
    repeat |= {"frequency": frequency} if frequency else {}
    assert round(daily(timed({"repeat": repeat}, 300)).amount * 7) == 900


@pytest.mark.parametrize(
    "timing",
    [
        {},
        {"code": {"text": "with meals"}},
        {"repeat": {}},
        {"repeat": {"frequency": 3}},
        {"repeat": {"frequency": 3, "period": 1}},
        {"repeat": {"period": 1, "periodUnit": "d"}},
        {"repeat": {"frequency": 1, "period": 0, "periodUnit": "d"}},
        {"repeat": {"frequency": -1, "period": 1, "periodUnit": "d"}},
        {"repeat": {"frequency": 1, "period": 1, "periodUnit": "fortnight"}},
        {"repeat": {"frequency": "NaN", "period": 1, "periodUnit": "d"}},
        {"repeat": {"frequency": "1e400", "period": 1, "periodUnit": "d"}},
        {"repeat": {"frequency": 1, "period": "1e-400", "periodUnit": "d"}},
        {"repeat": {"frequency": 1, "period": "NaN", "periodUnit": "wk"}},
        {"repeat": {"dayOfWeek": ["mon"], "frequency": "NaN"}},
    ],
)
def test_F18_how_often_cannot_be_told(timing):
    assert daily(timed(timing)) is None


def test_the_arithmetic_is_shown():
    assert daily(dose(2, "tablet", 3)).text == "2 x 667 mg x 3/day"
    assert daily(dose(1200, "mg", 3), dose("2.5")).text == "1,200 mg x 3/day + 2.5 mg x 1/day"
    assert daily(timed({"code": {"text": "QOD"}}, 5)).text == "5 mg x 0.5/day"


def test_F18_a_hostile_dose_never_breaks_the_reading_of_the_list():
    hostile = [dose(10**3000), dose("1e999999"), dose(5, per_day=10**40), dose(5, per_day="Infinity")]
    found = facts(medications=[medicine("warfarin", dosageInstruction=[each]) for each in hostile])
    assert [item.daily_dose for item in found.medications] == [None] * 4


@pytest.mark.parametrize(
    ("instruction", "needed"),
    [
        ({"asNeededBoolean": True}, True),
        ({"asNeededBoolean": False}, False),
        ({"asNeeded": True}, True),
        ({"asNeededCodeableConcept": {"text": "pain"}}, True),
        ({}, False),
    ],
)
def test_as_needed(instruction, needed):
    assert dosage.as_needed(order(instruction)) is needed


@pytest.mark.parametrize(
    ("instructions", "single"),
    [
        ((), False),
        (({"text": "once"},), False),
        (({"timing": {"code": {"coding": [{"code": "ONCE"}]}}},), True),
        (({"timing": {"code": {"coding": [{"code": "stat"}]}}},), True),
        (({"timing": {"repeat": {"count": 1}}},), True),
        (({"timing": {"repeat": {"count": 2}}},), False),
        (({"timing": {"code": {"text": "x"}}},), False),
        (({"timing": {"repeat": {"count": 1}}}, {"text": "then daily"}), False),
    ],
)
def test_a_single_dose(instructions, single):
    assert dosage.single_dose(order(*instructions)) is single


def bounds(value, unit="d"):
    return {"timing": {"repeat": {"boundsDuration": {"value": value, "unit": unit}}}}


@pytest.mark.parametrize(
    ("fields", "days"),
    [
        ({}, None),
        ({"dosageInstruction": [{"text": "for 3 weeks"}]}, None),
        ({"dosageInstruction": [{"timing": {"repeat": {}}}]}, None),
        ({"dosageInstruction": [bounds(21)]}, 21),
        ({"dosageInstruction": [bounds(3, "wk")]}, 21),
        ({"dosageInstruction": [bounds(3, "weeks")]}, 21),
        ({"dosageInstruction": [bounds(1, "Month")]}, 30),
        ({"dosageInstruction": [bounds(1, "a")]}, 365),
        ({"dosageInstruction": [bounds(48, "h")]}, 2),
        ({"dosageInstruction": [bounds(3, "moons")]}, None),
        ({"dosageInstruction": [bounds(None)]}, None),
        ({"dosageInstruction": [bounds("NaN")]}, None),
        ({"dosageInstruction": [bounds("1e999")]}, None),
        ({"dosageInstruction": [{}, {"timing": {}}, bounds(21)]}, 21),
        (
            {
                "dosageInstruction": [
                    {"timing": {"repeat": {"boundsPeriod": {"start": "2026-10-01", "end": "2026-10-22"}}}}
                ]
            },
            21,
        ),
        ({"dosageInstruction": [{"timing": {"repeat": {"boundsPeriod": {"start": "2026-10-01"}}}}]}, None),
        ({"dosageInstruction": [{"timing": {"repeat": {"boundsPeriod": {"end": "2026-10-01"}}}}]}, None),
        ({"dispenseRequest": {}}, None),
        ({"dispenseRequest": {"expectedSupplyDuration": {"value": 30, "unit": "days"}}}, 30),
        (
            {
                "dispenseRequest": {
                    "expectedSupplyDuration": {"value": 30, "code": "d"},
                    "numberOfRepeatsAllowed": 2,
                }
            },
            90,
        ),
    ],
)
def test_length_of_the_course_in_days(fields, days):
    resource = decoded([medicine("prednisone", **fields)])[0]
    assert dosage.course_days(resource, UTC) == days


def step(sequence, mg):
    once_a_day = {"repeat": {"frequency": 1, "period": 1, "periodUnit": "d"}}
    dose = {"doseQuantity": {"value": mg, "unit": "mg"}}
    return {"sequence": sequence, "timing": once_a_day, "doseAndRate": [dose]}


def test_steps_of_a_taper_follow_one_another_and_the_highest_counts():
    taper = decode_resource(
        msgspec.json.encode(
            {"resourceType": "MedicationRequest", "dosageInstruction": [step(1, 40), step(2, 30)]}
        ),
        "draft",
        [],
    )
    assert dosage.daily_dose(taper, None).amount == 40


def test_instructions_of_one_step_are_added_up():
    both = decode_resource(
        msgspec.json.encode(
            {"resourceType": "MedicationRequest", "dosageInstruction": [step(1, 40), step(1, 30)]}
        ),
        "draft",
        [],
    )
    assert dosage.daily_dose(both, None).amount == 70


def test_more_moments_of_the_day_than_the_frequency_leave_the_dose_open():
    instruction = step(1, 667)
    instruction["timing"]["repeat"]["when"] = ["CM", "CD", "CV"]
    order = decode_resource(
        msgspec.json.encode({"resourceType": "MedicationRequest", "dosageInstruction": [instruction]}),
        "draft",
        [],
    )
    assert dosage.daily_dose(order, None) is None
