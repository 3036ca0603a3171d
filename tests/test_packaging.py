"""What is installed: the entry point finds the services, and the wheel holds all that is not Python."""

import os
import subprocess
import sys
from importlib.metadata import entry_points, metadata
from pathlib import Path
from zipfile import ZipFile

import pytest

from cds_service import __version__
from cds_service.registry import GROUP, load_services

ROOT = Path(__file__).resolve().parent.parent
SERVICES = {
    "calciphylaxis-order-sign",
    "calciphylaxis-order-select",
    "calciphylaxis-patient-view",
    "calciphylaxis-encounter-discharge",
    "calciphylaxis-medication-refill",
}
# Runs in the installed copy: what has to be found in files is looked for in files.
INSTALLED = """
import sys
from pathlib import Path
import cds_service, hooks
from cds_service.registry import load_services, ready_services
from cds_service.store import Store
from cds_service.app import create_app
from cds_service.engine import build_engine
from cds_service.settings import load_settings
from cds_service.web.pages import Pages
home = Path(sys.argv[1])
assert home in Path(cds_service.__file__).parents and home in Path(hooks.__file__).parents
ready_services()
assert b"<html" in Pages(load_settings()).message(200, "Here", "The templates are here.").body
create_app(build_engine(load_settings(), store=None))
Store.open(f"sqlite:///{home / 'store.db'}", hash_key=b"a-key-for-this-test-only").close(timeout=5)
print(*sorted(service.id for service in load_services()))
"""


def run(*arguments: str, **environment: str) -> str:
    """Run a Python command offline; its output."""
    offline = {"PIP_NO_INDEX": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env=os.environ | offline | environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    run("-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder))
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def names(wheel) -> set[str]:
    with ZipFile(wheel) as archive:
        return set(archive.namelist())


def test_our_services_are_found_through_the_entry_point():
    (point,) = (point for point in entry_points(group=GROUP) if point.dist.name == "calciphylaxis-cds")
    assert {service.id for service in point.load()} == SERVICES
    assert {service.id for service in load_services()} >= SERVICES


def test_one_version():
    assert metadata("calciphylaxis-cds")["Version"] == __version__


@pytest.mark.parametrize("folder", ["cds_service", "hooks"])
def test_the_wheel_holds(names, folder):
    wanted = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    # Code, templates, styles, value sets: whatever stands in the folder.
    assert {Path(name).suffix for name in wanted} > {".py", ".json" if folder == "hooks" else ".html"}
    assert wanted - names == set()


def test_the_wheel_holds_nothing_else(names):
    assert {name.partition("/")[0] for name in names} == {
        "cds_service",
        "hooks",
        f"calciphylaxis_cds-{__version__}.dist-info",
    }
    assert f"calciphylaxis_cds-{__version__}.dist-info/licenses/LICENSE" in names


def test_the_wheel_works_once_installed(wheel, tmp_path):
    run("-m", "pip", "install", "--quiet", "--no-deps", "--target", str(tmp_path), str(wheel))
    printed = run("-P", "-W", "error", "-c", INSTALLED, str(tmp_path), PYTHONPATH=str(tmp_path))
    assert set(printed.split()) == SERVICES
