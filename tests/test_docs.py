"""What is written must be true: tables, commands, targets, links, names. Run as a script it writes the tables.

.venv/bin/python tests/test_docs.py    (part of `make sheets`)
"""

import asyncio
import os
import re
import sys
import tomllib
import types
from datetime import date, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
import typer.main
import yaml
from pydantic import SecretStr
from pydantic_core import PydanticUndefined

import cds_service
from cds_service import api, pipeline
from cds_service.cli.commands import app
from cds_service.engine import build_engine
from cds_service.registry import load_services
from cds_service.settings import Settings, load_settings

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "README.md"
CASE = ROOT / "fixtures" / "cases" / "vka-dialysis-new-start.json"
PAGES = sorted(
    [
        *ROOT.glob("*.md"),
        *(ROOT / "docs").rglob("*.md"),
        *(ROOT / "hooks").rglob("*.md"),
        *(ROOT / "tests" / "hapi").glob("*.md"),
    ]
)
WRITTEN_BY_HAND = [page for page in PAGES if ROOT / "docs" / "rules" not in page.parents]
COMMAND = typer.main.get_command(app)
SHORT = {
    "order-sign": "signing",
    "order-select": "selecting",
    "medication-refill": "refill",
    "patient-view": "chart",
    "encounter-discharge": "discharge",
}


# --- the generated parts of the README


def table(*rows: tuple[str, ...]) -> str:
    head, *body = ("| " + " | ".join(row) + " |" for row in rows)
    return "\n".join([head, "|" + "---|" * len(rows[0]), *body])


def shown_default(name: str) -> str:
    default = Settings.model_fields[name].get_default(call_default_factory=True)
    if name == "auth":
        return "by environment"
    if isinstance(default, SecretStr):
        return "a value for development only"
    if default is None or default is PydanticUndefined or default in ((), {}, ""):
        return "none"
    text = ",".join(default) if isinstance(default, tuple) else str(default)
    return f"`{text.lower() if isinstance(default, bool) else text}`"


def settings_table() -> str:
    rows = [
        (f"`CDS_{name.upper()}`", shown_default(name), field.description or "")
        for name, field in Settings.model_fields.items()
    ]
    return table(("Setting", "Default", "Meaning"), *rows)


def rules_table() -> str:
    services = [service for service in load_services() if service.content.name == "calciphylaxis"]
    services.sort(key=lambda service: list(SHORT).index(service.hook))
    rules = {use.rule.id: use.rule for service in services for use in service.rules}
    modes = {(use.rule.id, service.hook): use.mode for service in services for use in service.rules}
    rows = [
        (
            str(rule.number),
            f"[`{rule.id}`](docs/rules/{rule.id}.md)",
            rule.title,
            *(str(modes.get((rule.id, service.hook), "")) for service in services),
        )
        for rule in sorted(rules.values(), key=lambda rule: rule.number)
    ]
    return table(("No.", "Rule", "Title", *(SHORT[service.hook] for service in services)), *rows)


def commands_table() -> str:
    rows = []
    for name, command in COMMAND.commands.items():
        if hasattr(command, "commands"):
            rows += [(f"{name} {inner}", each) for inner, each in command.commands.items()]
        else:
            rows.append((name, command))
    return table(
        ("Command", "What it does"),
        *((f"`cds-service {name}`", command.get_short_help_str(200)) for name, command in rows),
    )


def card() -> str:
    """The card of the demonstration case as a client shows it: Markdown, quoted."""
    case = msgspec.json.decode(CASE.read_bytes())
    text = case["as_of"]
    settings = load_settings(as_of=datetime.fromisoformat(text if "T" in text else f"{text}T12:00:00+00:00"))
    engine = build_engine(settings, store=None)
    body = msgspec.json.encode(case["request"])
    try:
        reply = asyncio.run(pipeline.answer(engine, case["service"], {}, body))
    finally:
        engine.fhir.close()
    (only,) = msgspec.json.decode(reply.body)["cards"]
    lines = [
        f"**{only['indicator'].upper()}: {only['summary']}**",
        "",
        *only["detail"].splitlines(),
        "",
        " ".join(f"<kbd>{suggestion['label']}</kbd>" for suggestion in only.get("suggestions", [])),
        "",
        f"Reasons to override: {'; '.join(reason['display'] for reason in only.get('overrideReasons', []))}.",
        "",
        f"Source: {only['source']['label']}. Topic: `{only['source']['topic']['code']}`.",
    ]
    return "\n".join(f"> {line}".rstrip() for line in lines)


GENERATED = {"card": card, "rules": rules_table, "commands": commands_table, "settings": settings_table}


def marked(name: str) -> re.Pattern[str]:
    return re.compile(rf"(<!-- {name}: written by make sheets -->\n)(.*?)(<!-- {name}: end -->)", re.DOTALL)


def write(names: list[str]) -> None:
    text = README.read_text(encoding="utf-8")
    for name in names or GENERATED:
        made = f"\n{GENERATED[name]()}\n\n"
        text, count = marked(name).subn(lambda match, made=made: match[1] + made + match[3], text)
        if count != 1:
            sys.exit(f"README.md: the marks of {name} are not there exactly once")
    README.write_text(text, encoding="utf-8")


@pytest.fixture
def _default_settings(monkeypatch):
    for name in list(os.environ):
        if name.upper().startswith("CDS_"):
            monkeypatch.delenv(name)


@pytest.mark.usefixtures("_default_settings")
@pytest.mark.parametrize("name", GENERATED)
def test_the_readme_shows_what_the_code_says(name):
    found = marked(name).findall(README.read_text(encoding="utf-8"))
    assert len(found) == 1
    assert found[0][1].strip() == GENERATED[name](), "run `make sheets`"


# --- names in the documents


def code_in(page: Path) -> list[str]:
    """Every code span and every line of a code block."""
    text = page.read_text(encoding="utf-8")
    blocks = re.findall(r"^```.*?\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    blocks += re.findall(r"(?:^ {4}\S.*\n?)+", text, re.MULTILINE)
    rest = re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)
    return [*re.findall(r"`([^`\n]+)`", rest), *(line for block in blocks for line in block.splitlines())]


@pytest.mark.parametrize("page", WRITTEN_BY_HAND, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_commands_exist(page):
    for code in code_in(page):
        for words in re.findall(r"(?<![\w.])cds-service((?: +[-\w./]+)+)", code):
            command: Any = COMMAND
            for word in words.split():
                if hasattr(command, "commands"):
                    assert word in command.commands, f"cds-service{words}"
                    command = command.commands[word]
                elif word.startswith("--"):
                    known = {option for parameter in command.params for option in parameter.opts}
                    assert word in known, f"cds-service{words}"


@pytest.mark.parametrize("page", WRITTEN_BY_HAND, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_make_targets_exist(page):
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z][a-z-]*):", makefile, re.MULTILINE))
    calls = [code.split("#")[0].split() for code in code_in(page) if code.strip().startswith("make ")]
    mentioned = {word for words in calls for word in words[1:] if "=" not in word}
    assert mentioned <= targets


def test_every_target_is_phony_and_described():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z][a-z-]*):", makefile, re.MULTILINE))
    phony = re.search(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)
    assert phony is not None
    assert targets == set(phony[1].split())
    # `setup` is what the others need, not something to call.
    help_text = "".join(re.findall(r"^#.*\n", makefile, re.MULTILINE))
    assert {target for target in targets if not re.search(rf"\b{target}\b", help_text)} <= {"setup"}


@pytest.mark.parametrize(
    "path", [*WRITTEN_BY_HAND, ROOT / "Dockerfile", ROOT / "docker-compose.yml"], ids=lambda path: path.name
)
def test_settings_that_are_mentioned_exist(path):
    mentioned = set(re.findall(r"\bCDS_[A-Z_]*[A-Z]", path.read_text(encoding="utf-8")))
    mentioned = {name for name in mentioned if not name.startswith("CDS_TEST_")}
    assert mentioned <= {f"CDS_{name.upper()}" for name in Settings.model_fields}


def anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    plain = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in headings)
    return {heading.strip().replace(" ", "-") for heading in plain}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        if re.match(r"[a-z]+:", target):
            assert target.startswith("https://"), target
            continue
        name, _, anchor = target.partition("#")
        goal = page.parent / name if name else page
        assert goal.exists(), f"{page.name}: {target}"
        if anchor:
            assert anchor in anchors(goal), f"{page.name}: {target}"


def test_files_that_are_named_exist():
    """Paths in code spans of the pages a newcomer reads first."""
    folders = "benchmarks|cds_service|deploy|docs|fixtures|hooks|scripts|tests"
    for page in WRITTEN_BY_HAND:
        for code in code_in(page):
            for path in re.findall(rf"(?<![\w/.-])(?:{folders})/[\w./-]*\w/?", code):
                built = path.startswith("tests/hapi/target")
                assert built or (ROOT / path).exists() or "*" in code or "<" in code, f"{page.name}: {path}"


# --- the public module


def test_public_names_are_what_is_exported():
    public = {
        name
        for name, value in vars(api).items()
        if not name.startswith("_") and not isinstance(value, types.ModuleType)
    }
    assert public == set(api.__all__)
    assert len(api.__all__) == len(set(api.__all__))


# --- versions, release notes, containers


def test_the_changelog_knows_this_version():
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["version"] == cds_service.__version__
    newest = re.search(r"^## \[(.+?)\] - (.+)$", text, re.MULTILINE)
    assert newest is not None
    assert newest[1] == cds_service.__version__
    assert newest[2] == "unreleased" or date.fromisoformat(newest[2])


def compose() -> dict[str, Any]:
    return yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))


def test_containers_are_offered_to_this_computer_only():
    for name, service in compose()["services"].items():
        for port in service.get("ports", []):
            assert port.startswith("127.0.0.1:"), name


def test_containers_hold_no_secret_and_know_the_patients_day():
    environment = compose()["services"]["cds"]["environment"]
    assert not {name for name in environment if "KEY" in name or "PASSWORD" in name or "SECRET" in name}
    day = msgspec.json.decode(CASE.read_bytes())["as_of"][:10]
    assert environment["CDS_AS_OF"][:10] == day
    assert set(re.findall(r"CDS_AS_OF=(\S{10})", README.read_text(encoding="utf-8"))) == {day}


def test_the_image_starts_as_a_user_without_rights():
    lines = (ROOT / "Dockerfile").read_text(encoding="utf-8").splitlines()
    users = [line.split()[1] for line in lines if line.startswith("USER ")]
    assert users
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", users[-1])


# --- what must not be in the files


def files() -> list[Path]:
    """Text files of the project, without what was built or downloaded."""
    hidden = {".git", ".venv", "node_modules", "target", "var", "dist", "build", "__pycache__"}
    found = []
    for folder, names, files in os.walk(ROOT):
        names[:] = [
            name for name in names if name not in hidden and not name.endswith(("_cache", ".egg-info"))
        ]
        names[:] = [name for name in names if name != ".hypothesis"]
        found += [Path(folder) / name for name in files]
    return found


# Written in pieces, so that this file is not a find of its own.
HOSTS = [
    f"{name}.{end}"
    for name, end in [
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("npmjs", "org"),
        ("npmjs", "com"),
        ("maven.apache", "org/maven2"),
        ("repo1.maven", "org"),
        ("docker", "io"),
        ("ghcr", "io"),
        ("deb.debian", "org"),
    ]
]


def test_no_file_names_a_package_index():
    """Where packages come from is a choice of whoever installs."""
    found = [
        f"{path.relative_to(ROOT)}: {host}"
        for path in files()
        if path.suffix not in (".json", ".csv")
        for host in HOSTS
        if host in path.read_text(encoding="utf-8", errors="ignore")
    ]
    assert found == []


def test_the_lock_holds_versions_and_hashes_only():
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    assert (
        re.findall(r"^ *(?:-i|-f|--index-url|--extra-index-url|--find-links|-e)\b.*", text, re.MULTILINE)
        == []
    )
    assert "://" not in text
    pins = re.findall(r"^\S+==\S+", text, re.MULTILINE)
    blocks = re.split(r"^(?=\S+==)", text, flags=re.MULTILINE)[1:]
    assert len(pins) == len(blocks) > 20
    assert [block.split()[0] for block in blocks if "--hash=sha256:" not in block] == []


if __name__ == "__main__":
    write(sys.argv[1:])
