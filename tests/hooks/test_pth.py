"""PTH against its own upper limit: T6, T7, and twice below 150 (vectors V14, V15)."""

import pytest
from support.facts import UCUM, facts, lab, pth

from cds_service.rules.answer import Answer
from hooks.case_features.pth import PthHigh, PthLow, PthLowTwice, tell_pth

MET, NOT_MET, UNKNOWN = Answer.MET, Answer.NOT_MET, Answer.UNKNOWN


def answers(*labs, **call):
    found = facts(labs=labs, **call)
    return tuple(criterion.evaluate(found).answer for criterion in (PthHigh(), PthLow()))


def twice(*labs, **call):
    return PthLowTwice().evaluate(facts(labs=labs, **call)).answer


def bound(comparator, value, days=5, high=65):
    quantity = {"value": value, "comparator": comparator, "unit": "pg/mL", "system": UCUM, "code": "pg/mL"}
    return lab("2731-8", value, "pg/mL", days=days, high=high, valueQuantity=quantity)


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        (pth(620, high=65), (MET, NOT_MET)),  # V14: 9.54 x
        (pth(620, high=72), (NOT_MET, NOT_MET)),  # 8.61 x
        (pth(585, high=65), (NOT_MET, NOT_MET)),  # 9.0 x
        (pth("585.001", high=65), (MET, NOT_MET)),
        (pth(130, high=65), (NOT_MET, NOT_MET)),  # 2.0 x
        (pth("129.999", high=65), (NOT_MET, MET)),
        (pth(600), (NOT_MET, NOT_MET)),  # no limit of its own
        (pth("600.1"), (MET, NOT_MET)),
        (pth(150), (NOT_MET, NOT_MET)),
        (pth("149.9"), (NOT_MET, MET)),
        (pth(70, "pmol/L", high=7), (MET, NOT_MET)),  # V15: 660 pg/mL, 10 x
        (pth(70, "pmol/L"), (MET, NOT_MET)),
        (pth(0, high=65), (NOT_MET, MET)),
        (pth(300, high=65, days=180), (NOT_MET, NOT_MET)),
        (pth(900, high=65, days=181), (UNKNOWN, UNKNOWN)),
        (pth(900, high=65, status="preliminary"), (UNKNOWN, UNKNOWN)),
        (bound(">", 2500), (MET, NOT_MET)),
        (bound("<", 6), (NOT_MET, MET)),
        (bound(">", 100), (UNKNOWN, UNKNOWN)),
    ],
)
def test_T6_and_T7_by_multiples_of_the_own_limit(result, expected):
    assert answers(result) == expected


def test_F12_a_newer_unusable_result_is_a_doubt():
    assert answers(pth(300, days=40, high=65), pth(900, "mg%", days=2)) == (UNKNOWN, UNKNOWN)
    assert answers(pth(900, days=40, high=65), pth(300, "mg%", days=2))[0] is MET
    assert answers() == (UNKNOWN, UNKNOWN)


@pytest.mark.parametrize(
    ("results", "answer"),
    [
        ([pth(140, days=100), pth(120)], MET),
        ([pth(149.9, days=365), pth(149.9)], MET),
        ([pth(140, days=366), pth(120)], NOT_MET),
        ([pth(150, days=100), pth(120)], NOT_MET),
        ([pth(140, days=100), pth(150)], NOT_MET),
        ([pth(120)], NOT_MET),
        ([pth(140, days=50), pth(300, days=30), pth(120)], NOT_MET),
        ([pth(300, days=50), pth(140, days=30), pth(120)], MET),
        ([pth(140, days=100, status="preliminary"), pth(120)], UNKNOWN),
        ([bound("<", 6, days=100), pth(120)], MET),
        ([bound("<", 200, days=100), pth(120)], UNKNOWN),
        ([pth(140, days=300), pth(120, days=200)], UNKNOWN),  # the newest is out of date
        ([], UNKNOWN),
        # a newer result that cannot be read might be low as well
        ([pth(120, days=20), pth(300, days=90), pth(100, "mg%", days=2)], UNKNOWN),
        ([pth(300, days=20), pth(120, days=90), pth(100, "mg%", days=2)], NOT_MET),
    ],
)
def test_twice_below_150(results, answer):
    assert twice(*results) is answer


def test_how_pth_is_told():
    found = facts(labs=[pth(620, high=65)]).labs["pth"][0]
    assert tell_pth(found) == "PTH 620 pg/mL (9.5 x ULN) on 10 Nov 2026"
    bare = facts(labs=[pth(1050)]).labs["pth"][0]
    assert tell_pth(bare) == "PTH 1,050 pg/mL on 10 Nov 2026"
    wide = facts(labs=[bound(">", 2500)]).labs["pth"][0]
    assert tell_pth(wide) == "PTH >2500 pg/mL on 10 Nov 2026"


def test_the_finding_names_the_threshold():
    finding = PthHigh().evaluate(facts(labs=[pth(620, high=65)]))
    assert finding.because == "PTH 620 pg/mL (9.5 x ULN) on 10 Nov 2026 against 9 x ULN 65 pg/mL"
    bare = PthLow().evaluate(facts(labs=[pth(100)]))
    assert bare.because == "PTH 100 pg/mL on 10 Nov 2026 against 150 pg/mL, no ULN given"
    assert PthHigh().evaluate(facts()).because == "PTH: no result"
    assert PthLowTwice().evaluate(facts()).because == "PTH: no result"
