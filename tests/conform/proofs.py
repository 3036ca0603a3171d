"""Which tests prove a row of the checklist: those that carry its number, and those named here."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_NAME = re.compile(r"^def (test_\w*)", re.MULTILINE)
_NUMBER = re.compile(r"_C(\d{3})(?=_)")

VERIFY = "tests/clients/test_client_verify.py"
PROFILE = "tests/clients/test_client_profile.py"
KEYS = "tests/clients/test_client_keys.py"
PREFETCH = "tests/fhir/test_prefetch.py"
WIRE = "tests/test_first_light.py"
CLIENT = "tests/fhir/test_client.py"

NAMED: dict[int, tuple[str, ...]] = {
    1: ("tests/test_settings.py::test_production_refuses",),
    22: (f"{WIRE}::test_missing_member_is_named", f"{WIRE}::test_missing_draft_orders_names_the_cause"),
    19: ("tests/test_docs.py::test_the_readme_shows_what_the_code_says",),
    28: (f"{PREFETCH}::test_same_data_by_prefetch_and_by_reads_is_the_same",),
    34: (f"{PREFETCH}::test_F21_references_of_drafts_are_read_once_each",),
    37: (f"{PREFETCH}::test_what_is_missing_is_read_in_parallel",),
    38: (f"{WIRE}::test_nothing_assessable_without_problem_list",),
    41: (f"{WIRE}::test_nothing_assessable_without_problem_list",),
    39: (f"{PREFETCH}::test_F10_known_none_and_reported_problems_are_not_asked_for_again",),
    43: (f"{CLIENT}::test_search_is_read_with_token_and_without_cache",),
    46: (
        f"{CLIENT}::test_T14_token_and_addresses_are_in_no_repr_and_no_log",
        f"{CLIENT}::test_T15_tokens_and_cookies_of_one_call_are_not_kept_for_the_next",
    ),
    48: (f"{PROFILE}::test_all_problems_come_at_once",),
    75: ("tests/wire/test_callers_over_http.py::test_T1_every_bad_token_gets_the_same_401",),
    79: (f"{VERIFY}::test_refused", f"{VERIFY}::test_golden_the_signature_is_good"),
    80: (f"{VERIFY}::test_refused",),
    81: (f"{VERIFY}::test_refused",),
    82: (
        f"{VERIFY}::test_the_recommended_algorithms_are_accepted",
        f"{VERIFY}::test_other_algorithms_are_accepted_only_where_the_profile_says_so",
    ),
    83: (f"{VERIFY}::test_T3_a_foreign_jku_is_refused_without_a_fetch",),
    84: (
        f"{KEYS}::test_a_rotated_key_is_found_after_a_minute",
        f"{VERIFY}::test_T4_a_flood_of_key_ids_causes_one_fetch",
    ),
    85: (f"{VERIFY}::test_T5_replay", f"{VERIFY}::test_T14_the_token_never_reaches_a_log"),
    86: (
        f"{VERIFY}::test_small_clock_differences_are_forgiven",
        f"{VERIFY}::test_golden_within_its_time_it_lives_too_long",
    ),
    87: (f"{VERIFY}::test_an_audience_from_the_profile_is_accepted_beside_the_url",),
    88: (f"{PROFILE}::test_T9_the_sandbox_is_for_development_only",),
    89: (f"{WIRE}::test_browser_may_ask_first", f"{WIRE}::test_browser_of_a_stranger_may_not"),
}


def numbered() -> dict[int, list[str]]:
    """Row -> tests whose names carry its number (`test_C078_...`)."""
    found: dict[int, list[str]] = defaultdict(list)
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        for name in _NAME.findall(path.read_text(encoding="utf-8")):
            for number in _NUMBER.findall(name):
                found[int(number)].append(f"{path.relative_to(ROOT).as_posix()}::{name}")
    return found


def proofs() -> dict[int, list[str]]:
    """Both kinds together."""
    found = numbered()
    for row, tests in NAMED.items():
        found[row] = [*found.get(row, []), *(test for test in tests if test not in found.get(row, []))]
    return dict(found)
