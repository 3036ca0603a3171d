"""Code systems: their canonical URI, the other forms in which they arrive, and what a well-formed code looks like."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

RXNORM: Final = "http://www.nlm.nih.gov/research/umls/rxnorm"
NDC: Final = "http://hl7.org/fhir/sid/ndc"
ATC: Final = "http://www.whocc.no/atc"
SNOMED: Final = "http://snomed.info/sct"
LOINC: Final = "http://loinc.org"
ICD10CM: Final = "http://hl7.org/fhir/sid/icd-10-cm"
ICD10: Final = "http://hl7.org/fhir/sid/icd-10"
ICD9CM: Final = "http://hl7.org/fhir/sid/icd-9-cm"
ICD10PCS: Final = "http://www.cms.gov/Medicare/Coding/ICD10"
HCPCS: Final = "http://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets"
# Identifiers of our own for things that no shippable code names: they never arrive from outside, only names lead to them.
NAME_ONLY: Final = "https://calciphylaxis-cds.example/fhir/CodeSystem/name-only"

_OID = "urn:oid:2.16.840.1.113883.6."
_OTHER_FORMS: dict[str, tuple[str, ...]] = {
    RXNORM: (f"{_OID}88",),
    NDC: (f"{_OID}69",),
    ATC: (f"{_OID}73", "http://fhir.de/CodeSystem/bfarm/atc", "http://fhir.de/CodeSystem/dimdi/atc"),
    SNOMED: (f"{_OID}96",),
    LOINC: (f"{_OID}1",),
    ICD10CM: (f"{_OID}90",),
    ICD10: (f"{_OID}3",),
    ICD9CM: (
        f"{_OID}103",
        f"{_OID}104",
        "http://terminology.hl7.org/CodeSystem/icd9cm",
        "http://hl7.org/fhir/sid/icd-9-cm/diagnosis",
        "http://hl7.org/fhir/sid/icd-9-cm/procedure",
    ),
    ICD10PCS: (f"{_OID}4", "http://hl7.org/fhir/sid/icd-10-pcs"),
    HCPCS: (f"{_OID}285", "http://www.cms.gov/Medicare/Coding/MedHCPCSGenInfo"),
    NAME_ONLY: (),
}


def _variants(uri: str) -> set[str]:
    """The URI with http or https, with and without a closing slash; an OID also without its prefix."""
    if uri.startswith("urn:oid:"):
        return {uri, uri.removeprefix("urn:oid:")}
    rest = uri.split("://", 1)[1]
    return {f"{scheme}://{rest}{slash}" for scheme in ("http", "https") for slash in ("", "/")}


ALIASES: Final[dict[str, str]] = {
    variant: canonical
    for canonical, others in _OTHER_FORMS.items()
    for form in (canonical, *others)
    for variant in _variants(form)
}


def normalise_system(system: str | None) -> str | None:
    """The canonical URI of a code system; an unknown system comes back as it is."""
    return ALIASES.get(system, system) if system else None


@dataclass(frozen=True, slots=True)
class Coding:
    """A code, its system and the words we print for it."""

    system: str
    code: str
    display: str

    @property
    def names_a_product(self) -> bool:
        """Whether the code fixes strength and form; an ingredient, a brand or an ATC code does not."""
        return self.system == NDC or (self.system == RXNORM and any(map(str.isdigit, self.display)))


def _pattern(regex: str) -> Callable[[str], bool]:
    matches = re.compile(regex).fullmatch
    return lambda code: matches(code) is not None


def _is_loinc(code: str) -> bool:
    """Digits, a hyphen and a mod-10 check digit.

    5895-7, a deprecated INR code, really was published with a digit that breaks the rule (it should be 8).
    """
    number, hyphen, check = code.partition("-")
    if not (hyphen and number.isdecimal() and check.isdecimal() and len(check) == 1 and code.isascii()):
        return False
    return code == "5895-7" or _luhn_digit(number) == int(check)


def _luhn_digit(number: str) -> int:
    total = 0
    for place, digit in enumerate(reversed(number)):
        value = int(digit) * (2 if place % 2 == 0 else 1)
        total += value - 9 if value > 9 else value  # noqa: PLR2004 - the sum of the two digits of 10 to 18
    return -total % 10


_VERHOEFF_TIMES = (
    "0123456789", "1234067895", "2340178956", "3401289567", "4012395678",
    "5987604321", "6598710432", "7659821043", "8765932104", "9876543210",
)  # fmt: skip
_VERHOEFF_PLACE = (
    "0123456789", "1576283094", "5803796142", "8916043527",
    "9453126870", "4286573901", "2793806415", "7046913258",
)  # fmt: skip


def _is_snomed(code: str) -> bool:
    """6 to 18 digits, the last one a Verhoeff check digit."""
    if not re.fullmatch(r"[1-9][0-9]{5,17}", code):
        return False
    check = 0
    for place, digit in enumerate(reversed(code)):
        check = int(_VERHOEFF_TIMES[check][int(_VERHOEFF_PLACE[place % 8][int(digit)])])
    return check == 0


_WELL_FORMED: dict[str, Callable[[str], bool]] = {
    RXNORM: _pattern(r"[1-9][0-9]{0,7}"),
    NDC: _pattern(r"[0-9]{11}"),
    ATC: _pattern(r"[A-Z](?:[0-9]{2}(?:[A-Z](?:[A-Z](?:[0-9]{2})?)?)?)?"),
    SNOMED: _is_snomed,
    LOINC: _is_loinc,
    ICD10CM: _pattern(r"[A-Z][0-9][0-9A-Z](?:\.[0-9A-Z]{1,4})?"),
    ICD10: _pattern(r"[A-Z][0-9]{2}(?:\.[0-9]{1,2})?"),
    ICD9CM: _pattern(r"(?:[0-9]{3}|V[0-9]{2}|E[0-9]{3})(?:\.[0-9]{1,2})?|[0-9]{2}\.[0-9]{1,2}"),
    ICD10PCS: _pattern(r"[0-9A-HJ-NP-Z]{7}"),
    HCPCS: _pattern(r"[A-CE-V][0-9]{4}"),  # D codes are the dentists' and licensed
    NAME_ONLY: _pattern(r"[a-z0-9]+(?:-[a-z0-9]+)*"),
}


def problem_with(coding: Coding) -> str | None:
    """What is wrong with a coding of ours, or nothing."""
    if coding.system not in _WELL_FORMED:
        return f"{coding.code}: unknown code system {coding.system}"
    if not _WELL_FORMED[coding.system](coding.code):
        return f"{coding.code}: not a well-formed code of {coding.system}"
    return None if coding.display.strip() else f"{coding.code}: no display"


_NDC_SEGMENTS = {(4, 4, 2), (5, 3, 2), (5, 4, 1), (5, 4, 2)}


def ndc_candidates(code: str) -> tuple[str, ...]:
    """The 11-digit forms that an NDC may stand for.

    Hyphens tell which segment is short. Ten digits without hyphens may be any of three forms: all three come back.
    """
    segments = code.strip().split("-")
    if not all(segment.isascii() and segment.isdecimal() for segment in segments):
        return ()
    if tuple(map(len, segments)) in _NDC_SEGMENTS:
        labeler, product, package = segments
        return (labeler.zfill(5) + product.zfill(4) + package.zfill(2),)
    digits = segments[0]
    if len(segments) > 1 or len(digits) not in (10, 11):
        return ()
    if len(digits) == 11:  # noqa: PLR2004
        return (digits,)
    return (f"0{digits}", f"{digits[:5]}0{digits[5:]}", f"{digits[:9]}0{digits[9:]}")


def normalise_ndc(code: str) -> str | None:
    """The 11-digit form, or nothing when the code is not an NDC or could stand for several."""
    candidates = ndc_candidates(code)
    return candidates[0] if len(candidates) == 1 else None


def with_dot(system: str, code: str) -> str:
    """An ICD code as its list writes it: upper case, a dot after the category."""
    code = code.strip().upper()
    category = 4 if system == ICD9CM and code.startswith("E") else 3
    return code if "." in code or len(code) <= category else f"{code[:category]}.{code[category:]}"
