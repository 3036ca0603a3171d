"""What `serve` does not need before its first card is not loaded by its command."""

import subprocess
import sys

LATER = (
    "altair",
    "vl_convert",
    "numpy",
    "dask",
    "psycopg",
    "rich.markdown",
)
OURS = ("cds_service.conform", "cds_service.population.run", "cds_service.population.charts")


def test_the_command_line_loads_nothing_that_serving_does_not_need():
    asked = f"import sys, cds_service.cli.commands; print([m for m in {LATER + OURS} if m in sys.modules])"
    loaded = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    assert loaded.stdout.strip() == "[]"
