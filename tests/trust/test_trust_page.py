"""`docs/trust.md` says what the tests and the switches say. Run as a script it writes the page."""

from __future__ import annotations

import pytest
from switches import SWITCHES, Switch
from trust_proofs import ROOT, proofs
from trust_rows import FAULTS, ROWS, THREATS, Row

PAGE = ROOT / "docs" / "trust.md"
_HEAD = """# What can go wrong, and what then

Threats (T) come from people, faults (F) from machines and data. For each: what the service does, how the defence is taken
away on trial, and which tests notice. All of it runs on synthetic data and on one machine; it shows that the code does what
this page says, not that a hospital's set-up is safe.

*Defences* are those of our own code. `make defences` takes each of them away, one at a time, by a change of the source in a
copy of the tree, and fails unless a test of its row does. *Operator* marks the part that no code of ours can play;
[operating.md](operating.md) describes it.

This page is generated: `.venv/bin/python tests/trust/test_trust_page.py`
"""


def page(tests: dict[str, list[str]]) -> str:
    """The whole page."""
    parts = [_HEAD]
    for title, rows in (("Threats", THREATS), ("Faults", FAULTS)):
        proved = sum(bool(tests.get(row.number)) for row in rows)
        parts.append(f"## {title}\n\nProved by tests: {proved} of {len(rows)}.\n")
        parts.append(
            "| | What goes wrong | What the service does | Defences | Tests |\n|---|---|---|---|---|"
        )
        parts += [_line(row, tests.get(row.number, [])) for row in rows]
        parts.append("")
    return "\n".join(parts)


def _line(row: Row, tests: list[str]) -> str:
    off = ["; ".join(switch.defence for switch in SWITCHES if switch.row == row.number)]
    if row.duty:
        off.append(f"*Operator:* {row.duty}")
    ids = "<br>".join(f"`{test}`" for test in tests)
    return f"| {row.number} | {row.what} | {row.does} | {'<br>'.join(filter(None, off))} | {ids} |"


def test_the_page_is_up_to_date():
    assert PAGE.read_text(encoding="utf-8") == page(proofs()), f"run {__file__} to write the page"


def test_every_threat_and_fault_has_a_test():
    assert [row.number for row in THREATS] == [f"T{number}" for number in range(1, 33)]
    assert [row.number for row in FAULTS] == [f"F{number}" for number in range(1, 41)]
    tests = proofs()
    assert [row.number for row in ROWS if not tests.get(row.number)] == []
    assert set(tests) == {row.number for row in ROWS}


def test_every_row_has_a_switch_or_is_the_operators():
    switched = {switch.row for switch in SWITCHES}
    assert [row.number for row in ROWS if row.number not in switched and not row.duty] == []


@pytest.mark.parametrize("switch", SWITCHES, ids=lambda switch: f"{switch.row}: {switch.defence}")
def test_a_switch_fits_the_source(switch: Switch):
    """Code that has moved takes its switch along; otherwise nobody would notice that it no longer works."""
    for file, old, new in switch.changes:
        assert (ROOT / file).read_text(encoding="utf-8").count(old) == 1
        assert old != new


if __name__ == "__main__":
    PAGE.write_text(page(proofs()), encoding="utf-8")
