"""Schemathesis over what `/openapi.json` says: every answer has a status and a form that the document names."""

import pytest

schemathesis = pytest.importorskip(
    "schemathesis", reason="needs the tools of continuous integration: make setup-ci"
)

from hypothesis import HealthCheck, given, settings  # noqa: E402
from schemathesis.checks import not_a_server_error  # noqa: E402
from schemathesis.specs.openapi.checks import (  # noqa: E402
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

FORM = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
FEW = settings(
    max_examples=15, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)


@pytest.fixture(scope="module")
def operations(live):
    """What the document of the running service offers. Called by hand: the plugin is behind our pytest."""
    schema = schemathesis.openapi.from_url(live.url("/openapi.json"))
    return [found.ok() for found in schema.get_all_operations()]


def test_every_operation_answers_as_described(operations):
    assert {"GET /health", "GET /ready", "GET /metrics", "GET /cds-services"} <= {
        each.label for each in operations
    }
    for operation in operations:

        @FEW
        @given(case=operation.as_strategy())
        def answers(case):
            case.call_and_validate(checks=FORM, timeout=20)

        answers()


def test_operator_endpoints_refuse_other_methods(live, operations):
    for operation in operations:
        for method in {"GET", "POST", "PUT", "DELETE", "PATCH"} - {operation.method.upper()}:
            answer = live.session.request(
                method, live.url(operation.path.replace("{service_id}", "x")), timeout=20
            )
            assert answer.status_code == 405, (method, operation.path)
            assert answer.headers["content-type"].startswith("application/fhir+json")
