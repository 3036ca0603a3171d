"""Who may import what. The syntax trees are read, so imports inside functions count as well."""

import ast
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ENGINE = sorted((ROOT / "cds_service").rglob("*.py"))
CONTENT = sorted((ROOT / "hooks").rglob("*.py"))

# Package -> the files or folders (ending in a slash) of the engine that may import it.
ONLY_IN = {
    "requests": ("fhir/client.py",),
    "urllib3": ("fhir/client.py",),
    "fhir": ("fhir/write.py", "fhir/knowledge.py", "content/check.py", "content/check/"),
    "fastapi": ("app.py", "web/"),
    "starlette": ("app.py", "web/"),
    "sqlalchemy": ("store/",),
    "alembic": ("store/",),
    "psycopg": ("store/",),
    "uvicorn": ("serving.py",),
    "babel": ("localise/catalogues.py", "content/"),
    "jwt": ("clients/", "conform/", "smart/"),
    "cryptography": ("clients/", "conform/"),
    "authlib": ("smart/",),
    "jinja2": ("web/",),
    "altair": ("web/", "population/charts.py"),
    "vl_convert": ("web/",),
    "typer": ("cli/",),
    "rich": ("cli/",),
    "pydantic": ("settings.py",),
    "pydantic_settings": ("settings.py",),
}
# Layer -> the parts of the engine it may import. What `facts` needs of `fhir` is the decoded resource, not the client.
LAYERS = {
    "terminology": ("terminology",),
    "localise": ("localise",),
    "facts": (
        "terminology",
        "facts",
        "errors",
        "fhir.decode",
        "fhir.results",
        "fhir.source",
        "localise.text",
        "localise.language",
    ),
    "rules": ("terminology", "facts", "rules", "protocol.prefetch", "localise.text", "localise.language"),
    "protocol": ("protocol", "errors", "fhir.decode"),
    "fhir": ("fhir", "protocol.prefetch", "errors"),
    "store": ("store", "protocol.feedback", "errors"),
}
# Writes rules as FHIR knowledge artefacts, so it stands above the rules although it lives in `fhir`.
ABOVE = ("fhir/knowledge.py",)
PURE = ("terminology", "facts", "rules", "protocol")


@cache
def nodes(path: Path) -> tuple[ast.AST, ...]:
    return tuple(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))


@cache
def imports(path: Path) -> tuple[str, ...]:
    """Dotted names that a file imports; `from a import b` counts as `a.b`, because b may be a module."""
    names: list[str] = []
    for node in nodes(path):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.relative_to(ROOT)}: relative import"
            names += [f"{node.module}.{alias.name}" for alias in node.names]
    return tuple(names)


def within(name: str, packages: tuple[str, ...]) -> bool:
    return any(name == package or name.startswith(f"{package}.") for package in packages)


def offences(files: list[Path], wrong) -> list[str]:
    return [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in files
        for name in imports(path)
        if wrong(path, name)
    ]


def place(path: Path) -> str:
    return path.relative_to(ROOT / "cds_service").as_posix()


def test_there_is_something_to_check():
    assert len(ENGINE) > 40
    assert len(CONTENT) > 20


@pytest.mark.parametrize("package", ONLY_IN)
def test_a_package_is_imported_in_its_place_only(package):
    allowed = ONLY_IN[package]

    def wrong(path: Path, name: str) -> bool:
        inside = any(
            place(path) == item or (item[-1] == "/" and place(path).startswith(item)) for item in allowed
        )
        return within(name, (package,)) and not inside

    assert offences(ENGINE, wrong) == []


@pytest.mark.parametrize("package", ["requests", "fhir", "fastapi", "sqlalchemy"])
def test_the_places_are_still_in_use(package):
    users = [path for path in ENGINE if any(within(name, (package,)) for name in imports(path))]
    assert users, f"nothing imports {package}: the rule above checks nothing"


@pytest.mark.parametrize("layer", LAYERS)
def test_imports_go_one_way(layer):
    files = [path for path in ENGINE if place(path).startswith(f"{layer}/") and place(path) not in ABOVE]
    allowed = tuple(f"cds_service.{name}" for name in LAYERS[layer])
    # `from cds_service.facts import units` names a module of an allowed package as well.
    assert files
    assert offences(files, lambda _, name: within(name, ("cds_service",)) and not within(name, allowed)) == []


@pytest.mark.parametrize("layer", PURE)
def test_the_core_uses_the_standard_library_and_msgspec_only(layer):
    files = [path for path in ENGINE if place(path).startswith(f"{layer}/")]
    ours = {*sys.stdlib_module_names, "cds_service", "msgspec"}
    assert offences(files, lambda _, name: name.partition(".")[0] not in ours) == []


@pytest.mark.parametrize("layer", PURE)
def test_the_core_never_reads_a_clock_of_its_own(layer):
    """`as_of` is handed in: the same call gives the same answer tomorrow."""
    files = [path for path in ENGINE if place(path).startswith(f"{layer}/")]
    found = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in [*files, *CONTENT]
        for node in nodes(path)
        if isinstance(node, ast.Attribute)
        and node.attr in ("now", "utcnow", "today")
        and isinstance(node.value, ast.Name)
        and node.value.id in ("datetime", "date")
    ]
    assert found == []


def test_the_engine_never_imports_content():
    assert offences(ENGINE, lambda _, name: within(name, ("hooks", "fixtures", "tests"))) == []


def test_content_imports_the_public_module_only():
    def wrong(_: Path, name: str) -> bool:
        return not (
            within(name, ("hooks", "cds_service.api")) or name.partition(".")[0] in sys.stdlib_module_names
        )

    assert offences(CONTENT, wrong) == []


def test_content_does_no_input_or_output():
    """A rule reads facts; only the loading of value sets opens files."""
    forbidden = (
        "socket",
        "http",
        "urllib",
        "subprocess",
        "threading",
        "asyncio",
        "sqlite3",
        "logging",
        "random",
    )
    assert offences(CONTENT, lambda _, name: within(name, forbidden)) == []


def test_nothing_imports_the_application_but_what_starts_it():
    def wrong(path: Path, name: str) -> bool:
        return within(name, ("cds_service.app",)) and place(path) not in ("serving.py", "app.py")

    assert offences(ENGINE, wrong) == []


def test_nothing_is_imported_by_a_name_made_at_run_time():
    """Such an import could not be checked here; services come through entry points instead.

    The content check alone looks up modules of a content package, to find rules that no service uses.
    """
    found = [
        str(path.relative_to(ROOT))
        for path in [*ENGINE, *CONTENT]
        if ROOT / "cds_service/content" not in path.parents
        for node in nodes(path)
        if isinstance(node, ast.Name | ast.Attribute)
        and getattr(node, "attr", getattr(node, "id", "")) in ("import_module", "__import__")
    ]
    assert found == []


def test_fixtures_are_data():
    assert list((ROOT / "fixtures").rglob("*.py")) == []
