"""The content check of a folder of value sets: every problem of every file, in one list."""

import hashlib
from pathlib import Path

import msgspec

from cds_service.terminology.medication import load_names
from cds_service.terminology.valueset import ValueSetError, load_value_set

NAMES = "names.json"
SHIPPED = "shipped_codes.json"
MANIFEST = "manifest.json"


class _Entry(msgspec.Struct):
    sha256: str
    date: str
    codes: int
    sources: list[str]


class _Manifest(msgspec.Struct):
    version: str
    files: dict[str, _Entry]


def folder_problems(folder: Path) -> list[str]:
    """What differs from the manifest, and what is wrong inside the files; empty when all is well."""
    try:
        manifest = msgspec.json.decode((folder / MANIFEST).read_bytes(), type=_Manifest)
    except (OSError, msgspec.MsgspecError) as error:
        return [f"{MANIFEST}: {error}"]
    present = {path.name for path in folder.glob("*.json")} - {MANIFEST}
    problems = [f"{name}: not in the manifest" for name in sorted(present - set(manifest.files))]
    problems += [f"{name}: missing" for name in sorted(set(manifest.files) - present)]
    for name in sorted(present & set(manifest.files)):
        if hashlib.sha256((folder / name).read_bytes()).hexdigest() != manifest.files[name].sha256:
            problems.append(f"{name}: changed since it was built (checksum)")
        problems += _inside(folder / name)
    return problems


def _inside(path: Path) -> list[str]:
    if path.name == SHIPPED:
        return []
    if path.name == NAMES:
        try:
            load_names(path)
        except msgspec.MsgspecError as error:
            return [f"{path.name}: {error}"]
        return []
    try:
        load_value_set(path)
    except ValueSetError as error:
        return [f"{path.name}: {problem}" for problem in error.problems]
    return []
