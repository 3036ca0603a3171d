"""A server that does not know the patient says nothing about absence: its empty lists prove nothing."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from cds_service.facts.medications import shelve
from cds_service.facts.normalise import Setting
from cds_service.fhir.results import FailureReason
from cds_service.fhir.source import Source
from cds_service.registry import ready_services

SETTING = Setting(datetime(2026, 11, 21, tzinfo=UTC), UTC, "order-sign", "nobody")


@pytest.mark.parametrize(
    ("origin", "failure", "doubted"),
    [
        pytest.param("fhir", FailureReason.NOT_FOUND, True, id="server-does-not-know-the-patient"),
        pytest.param("prefetch", FailureReason.NOT_FOUND, False, id="lists-came-as-prefetch"),
        pytest.param("fhir", FailureReason.NOT_PERMITTED, False, id="patient-only-not-permitted"),
    ],
)
def test_F4_empty_lists_of_an_unknown_patient_are_no_evidence(origin, failure, doubted):
    normaliser = ready_services()["calciphylaxis-order-sign"].normaliser
    sources = {
        "patient": Source("patient", None, failure, complete=False, origin="fhir"),
        "conditions": Source("conditions", (), origin=origin),
    }
    facts = normaliser.facts(sources, (), shelve([]), SETTING)
    assert facts.problems == ()
    assert ("conditions" in facts.incomplete) is doubted
