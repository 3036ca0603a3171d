"""Hypothesis profile of this folder, and the desk at which every property calls the service.

`CDS_TEST_EXAMPLES` sets the number of examples of a property (25 by default, 500 in CI). Runs are reproducible:
the same tree gives the same examples. `CDS_TEST_RANDOM=1` looks elsewhere at each run.
"""

import os

import pytest
from hypothesis import HealthCheck, Phase, settings
from property_desk import Desk

settings.register_profile(
    "properties",
    max_examples=int(os.environ.get("CDS_TEST_EXAMPLES", "25")),
    derandomize=os.environ.get("CDS_TEST_RANDOM") != "1",
    database=None,
    phases=(Phase.explicit, Phase.generate, Phase.shrink),
    deadline=None,
    suppress_health_check=(HealthCheck.too_slow, HealthCheck.data_too_large),
)
settings.load_profile("properties")


@pytest.fixture(scope="session")
def desk():
    with Desk() as opened:
        yield opened
