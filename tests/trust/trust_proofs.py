"""Which tests prove a row: those whose names carry its number (`test_T14_...`, `test_F3_F4_...`)."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_NAME = re.compile(r"^def (test_\w*)", re.MULTILINE)
_NUMBER = re.compile(r"_([TF]\d{1,2})(?=_)")


def proofs() -> dict[str, list[str]]:
    """Number -> ids of tests, by file and place in it.

    In `tests/hooks` a T is followed by the number of a clinical threshold, so only its F counts there.
    """
    found: dict[str, list[str]] = defaultdict(list)
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        clinical = path.parent.name == "hooks"
        place = path.relative_to(ROOT).as_posix()
        for name in _NAME.findall(path.read_text(encoding="utf-8")):
            for number in dict.fromkeys(_NUMBER.findall(name)):
                if not (clinical and number[0] == "T"):
                    found[number].append(f"{place}::{name}")
    return dict(found)
