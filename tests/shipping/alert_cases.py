"""For every alert: series that must raise it, and series that must not. In the notation of promtool.

`slow` alerts compare days: a sample every hour, seven days come first and 26 hours after them.
`quick` alerts compare minutes: a sample every 15 seconds, 40 minutes in all.
"""

from __future__ import annotations

from functools import reduce

WEEK = 7 * 24
TODAY = 26
A_SAMPLE = 4
"""Quarters of an hour between two samples."""
QUICK = 160


def then(each: float, today: float) -> str:
    """A counter that grows by so much in each 15 minutes of a week, and by so much since."""
    each, today = each * A_SAMPLE, today * A_SAMPLE
    # Added up as promtool does, or the last digit would look like a counter that starts anew.
    week = reduce(lambda sum_, _: sum_ + each, range(WEEK - 1), 0.0)
    return f"0+{each}x{WEEK - 1} {week + today!r}+{today}x{TODAY - 1}"


def steady(each: float, start: float = 0) -> str:
    return f"{start}+{each}x{QUICK}"


def level(value: float) -> str:
    return f"{value}x{QUICK}"


def outcome(name: str, rule: str = "vka-dialysis") -> str:
    return f'cds_rule_outcomes_total{{rule="{rule}",version="1.0.0",outcome="{name}",mode="live"}}'


def calls(service: str = "calciphylaxis-order-sign", status: str = "200", client: str = "ehr") -> str:
    return f'cds_requests_total{{client="{client}",service="{service}",status="{status}"}}'


def refused(reason: str) -> str:
    return f'cds_refused_total{{reason="{reason}",instance="a"}}'


def seconds(quick_share: float) -> dict[str, str]:
    """One call a second; this share of them within half a second, the others within two."""
    name = 'cds_request_seconds_bucket{service="calciphylaxis-order-sign",le="%s"}'
    return {
        name % "0.5": steady(15 * quick_share),
        name % "2.0": steady(15),
        name % "+Inf": steady(15),
        'cds_request_seconds_count{service="calciphylaxis-order-sign"}': steady(15),
    }


CALLS = {calls(): then(10, 10)}
FIRES, CLEAR, CANNOT = outcome("fires"), outcome("clear"), outcome("cannot-assess")
DRUG = 'cds_unmapped_codes_total{kind="drug"}'

SLOW: dict[str, tuple[list[dict[str, str]], list[dict[str, str]]]] = {
    "CdsRuleStoppedFiring": (
        [CALLS | {FIRES: then(1, 0), CLEAR: then(3, 4)}],
        [
            CALLS | {FIRES: then(1, 1)},
            CALLS | {FIRES: then(1, 0.1)},
            # Too few to tell silence from chance, and a holiday without calls (which has its own alert).
            CALLS | {FIRES: then(0.05, 0)},
            {calls(): then(10, 0), FIRES: then(1, 0)},
        ],
    ),
    "CdsRuleFiresTriple": (
        [{FIRES: then(1, 4)}, {FIRES: then(0, 2)}],
        [{FIRES: then(1, 2.5)}, {FIRES: then(0.01, 0.2)}],
    ),
    "CdsRuleCannotAssess": (
        [
            {FIRES: then(1, 0.4), CANNOT: then(0, 0.6)},
            {FIRES: then(1, 0.8), CANNOT: then(0.05, 0.2)},
        ],
        [
            {FIRES: then(1, 0.95), CANNOT: then(0, 0.05)},
            # A site where a third has always lacked data: known, and no news.
            {FIRES: then(2, 2), CANNOT: then(1, 1)},
            {FIRES: then(0, 0.05), CANNOT: then(0, 0.1)},
        ],
    ),
    "CdsUnmappedCodes": (
        [{DRUG: then(0, 1)}, {DRUG: then(1, 4)}, {'cds_unmapped_codes_total{kind="lab"}': then(0, 0.1)}],
        [{DRUG: then(1, 1)}, {DRUG: then(1, 2.5)}, {DRUG: then(0, 0.02)}],
    ),
    "CdsNoCalls": (
        [{calls(): then(1, 0)}],
        [{calls(): then(1, 0.1)}, {calls(): then(0.3, 0)}],
    ),
}

ALL_WELL = {calls(): steady(10), calls("feedback"): steady(1)}

FAST: dict[str, tuple[list[dict[str, str]], list[dict[str, str]]]] = {
    "CdsNothingAssessable": (
        [ALL_WELL | {calls(status="412"): steady(1)}],
        [ALL_WELL | {calls(status="412"): steady(0.1)}, {calls(status="412"): f"{level(0)} 1 2"}],
    ),
    "CdsOrdersWithheld": (
        [{refused("no_draft_orders"): steady(0.1)}],
        [{refused("no_draft_orders"): level(7)}],
    ),
    "CdsNoLiveRule": ([{"cds_live_rules": level(0)}], [{"cds_live_rules": level(20)}]),
    "CdsDown": (
        [{'up{job="calciphylaxis-cds",instance="a"}': f"1x{QUICK - 10} 0x10"}],
        [{'up{job="calciphylaxis-cds",instance="a"}': level(1)}, {'up{job="other"}': level(0)}],
    ),
    "CdsServerErrors": ([{calls(status="500"): steady(0.1)}], [{calls(status="500"): level(3)}, ALL_WELL]),
    "CdsOverloaded": ([{refused("CDS-0503L"): steady(3)}], [{refused("CDS-0503L"): steady(0.1)}]),
    "CdsClientThrottled": ([{refused("CDS-0429"): steady(3)}], [{refused("CDS-0429"): steady(0.1)}]),
    "CdsSlow": ([seconds(0.98)], [seconds(0.995)]),
    "CdsDeadlineExceeded": (
        [ALL_WELL | {"cds_deadline_exceeded_total": steady(1)}],
        [ALL_WELL | {"cds_deadline_exceeded_total": steady(0.2)}],
    ),
    "CdsFhirServerLeftAlone": (
        [{'cds_fhir_circuit_open{base="https://fhir.example/r4",instance="a"}': level(1)}],
        [{'cds_fhir_circuit_open{base="https://fhir.example/r4",instance="a"}': f"{level(0)} 1 1"}],
    ),
    "CdsStoreDown": (
        [{'cds_store_up{instance="a"}': f"1x{QUICK - 10} 0x10"}],
        [{'cds_store_up{instance="a"}': level(1)}, {'cds_store_up{instance="a"}': f"1x{QUICK - 2} 0x2"}],
    ),
    "CdsRecordsLost": ([{"cds_record_dropped_total": steady(0.1)}], [{"cds_record_dropped_total": level(4)}]),
    "CdsFeedbackRefused": (
        [{calls("feedback", "503"): steady(0.5)}],
        [{calls("feedback", "503"): level(9)}, {calls(status="503"): steady(0.5)}],
    ),
    "CdsReloadRefused": ([{"cds_reload_ok": level(0)}], [{"cds_reload_ok": level(1)}]),
    "CdsConfigurationsDiffer": (
        [{f'cds_configuration_info{{hash="{name}",instance="{name}"}}': level(1) for name in "ab"}],
        [{f'cds_configuration_info{{hash="a",instance="{name}"}}': level(1) for name in "ab"}],
    ),
    "CdsAuthFailures": (
        [{'cds_auth_failures_total{reason="signature"}': steady(2)}],
        [{'cds_auth_failures_total{reason="signature"}': steady(0.5)}],
    ),
    "CdsKeyRefreshFails": (
        [{'cds_client_keys_age_seconds{client="ehr"}': steady(15, 7000)}],
        [{'cds_client_keys_age_seconds{client="ehr"}': steady(15, 1000)}],
    ),
    "CdsNoKeys": (
        [{'cds_client_keys{client="ehr"}': level(0)}],
        [{'cds_client_keys{client="ehr"}': level(2)}],
    ),
    "CdsClockSkew": (
        [{"cds_clock_skew_seconds": level(-45)}],
        [{"cds_clock_skew_seconds": level(-5)}, {"cds_clock_skew_seconds": level(45)}],
    ),
    "CdsReplayMemoryNotShared": (
        [{"cds_jti_unshared_total": steady(0.5)}],
        [{"cds_jti_unshared_total": level(5)}],
    ),
    "CdsWrongPatient": ([{refused("CDS-0401P"): steady(0.1)}], [{refused("CDS-0400"): steady(0.1)}]),
}
