"""A small synthetic export, made once for all tests of this folder."""

import pytest
from population_support import PATIENTS, make_export


@pytest.fixture(scope="session")
def export(tmp_path_factory):
    """50 patients (more with CDS_TEST_POPULATION), seed 11."""
    return make_export(tmp_path_factory.mktemp("export") / "bulk", PATIENTS)
