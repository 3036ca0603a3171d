"""The synthetic patients and cases of the project's `fixtures/` folder. They are not part of an installed wheel."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from cds_service.content.cases import Case, Cases, read_cases

MISSING = (
    "The synthetic cases and patients are not part of an installed package: run from the project's folder."
)
_PLACES = (Path("fixtures"), Path(__file__).resolve().parents[2] / "fixtures")


@dataclass(frozen=True)
class Fixtures:
    """What the folder holds; empty where there is none."""

    folder: Path | None

    @property
    def found(self) -> bool:
        return self.folder is not None

    @cached_property
    def all_cases(self) -> Cases:
        return read_cases(self.folder / "cases" if self.folder else None)

    @property
    def cases(self) -> dict[str, Case]:
        """Case name -> case, by name."""
        return self.all_cases.by_stem

    @cached_property
    def _patient_files(self) -> dict[str, Path]:
        return (
            {path.stem: path for path in sorted(self.folder.glob("patients/*.json"))} if self.folder else {}
        )

    @property
    def patients(self) -> tuple[str, ...]:
        """Ids of the synthetic patients; each is also the name of its file."""
        return tuple(self._patient_files)

    def patient(self, patient_id: str) -> bytes | None:
        """The patient's transaction Bundle as it is loaded into a FHIR server; None for an unknown id.

        The id is looked up, never made part of a path.
        """
        path = self._patient_files.get(patient_id)
        return path.read_bytes() if path else None


def find_fixtures() -> Fixtures:
    """The folder below the working directory, else beside the package (an editable install)."""
    return Fixtures(next((place for place in _PLACES if (place / "cases").is_dir()), None))
