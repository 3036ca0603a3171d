"""The terminology index: built once at start, then only dictionary look-ups."""

from collections.abc import Collection, Iterable, Mapping, Sequence

import msgspec

from cds_service.terminology.codes import (
    ALIASES,
    ATC,
    ICD9CM,
    ICD10,
    ICD10CM,
    NDC,
    RXNORM,
    SNOMED,
    Coding,
    ndc_candidates,
    with_dot,
)
from cds_service.terminology.medication import UNRECOGNISED, DrugIdentity, NameMatcher, Negative
from cds_service.terminology.valueset import Exclusion, ValueSet

_NONE: frozenset[str] = frozenset()
_SPELLED_IN_WAYS = frozenset({NDC, ATC, ICD10CM, ICD10, ICD9CM})
_SPELLED_IN_ONE_WAY = frozenset(form for form, system in ALIASES.items() if system not in _SPELLED_IN_WAYS)
_ORDER = {RXNORM: 0, NDC: 1, ATC: 2, SNOMED: 3}


class _Entry(msgspec.Struct, frozen=True):
    coding: Coding
    product: bool
    sets: frozenset[str] = _NONE
    removes: frozenset[str] = _NONE


class Terminology:
    """Which sets a code, an order or a text belongs to."""

    def __init__(
        self,
        value_sets: Iterable[ValueSet],
        names: Mapping[str, Collection[str]] | None = None,
        negatives: Iterable[Negative] = (),
        *,
        exclusions: Iterable[Exclusion] = (),
        texts: Mapping[str, Collection[str]] | None = None,
        off: frozenset[str] = _NONE,
    ) -> None:
        """Index the sets that are not switched off."""
        every = tuple(value_sets)
        known = {each.id for each in every}
        if off - known:
            raise ValueError(f"cannot switch off unknown value sets: {', '.join(sorted(off - known))}")
        used = known - off
        self._titles = {each.id: (place, each.title) for place, each in enumerate(every)}
        self._entries: dict[str, dict[str, _Entry]] = {}
        for value_set in every:
            if value_set.id in used:
                self._add(value_set.codings, sets=value_set.ids)
        for exclusion in exclusions:
            self._add(exclusion.value_set.codings, removes=exclusion.removes)
        # Every form of a system leads to the same dictionary, so that a look-up needs no normalising.
        self._by_system = {form: self._entries.get(system, {}) for form, system in ALIASES.items()}
        negatives = tuple(negatives)
        self._drug_names = _matcher(
            names or {}, [each for each in negatives if each.applies_to == "drugs"], known, used
        )
        self._texts = _matcher(
            texts or {}, [each for each in negatives if each.applies_to == "texts"], known, used
        )

    def _add(
        self, codings: Iterable[Coding], *, sets: frozenset[str] = _NONE, removes: frozenset[str] = _NONE
    ) -> None:
        for coding in codings:
            entries = self._entries.setdefault(coding.system, {})
            known = entries.get(coding.code)
            if known is None:
                entries[coding.code] = _Entry(coding, coding.names_a_product, sets, removes)
                continue
            entry = _Entry(known.coding, known.product, known.sets | sets, known.removes | removes)
            if entry.sets & entry.removes:
                raise ValueError(
                    f"{coding.code} ({coding.display}) is both in and not in {sorted(entry.sets & entry.removes)}"
                )
            entries[coding.code] = entry

    def sets_of(self, system: str | None, code: str | None) -> frozenset[str]:
        """The value sets a code is in; the same empty set for every unknown code."""
        entry = self._entry(system, code)
        return entry.sets if entry else _NONE

    def display(self, system: str | None, code: str | None) -> str | None:
        """Our own words for a code, whatever the sender calls it."""
        entry = self._entry(system, code)
        return entry.coding.display if entry else None

    def title(self, sets: frozenset[str]) -> str | None:
        """The name we print for an order: the title of the first of its sets, in the order in which they were given."""
        titles = [self._titles[each] for each in sets if each in self._titles]
        return min(titles)[1] if titles else None

    def sets_in_text(self, text: str) -> frozenset[str]:
        """The sets of problems and procedures that a text names."""
        match = self._texts.find(text)
        return match.remaining if match.sets else _NONE

    def identify(
        self, codings: Sequence[tuple[str | None, str | None, str | None]], texts: Sequence[str] = ()
    ) -> DrugIdentity:
        """Which drug an order is: by any known code, else by name."""
        found = [entry for system, code, _ in codings if (entry := self._entry(system, code))]
        texts = [*texts, *[display for _, _, display in codings if display]]
        if found:
            return self._by_code(found, texts)
        match = self._drug_names.find(*texts)
        if not match.sets:
            return UNRECOGNISED
        sets = match.remaining
        return DrugIdentity(sets, "name", display=match.name) if sets else UNRECOGNISED

    def _by_code(self, found: list[_Entry], texts: Sequence[str]) -> DrugIdentity:
        found.sort(key=lambda entry: (not entry.product, _ORDER.get(entry.coding.system, len(_ORDER))))
        sets = _NONE.union(*(entry.sets for entry in found)) - _NONE.union(
            *(entry.removes for entry in found)
        )
        # An ingredient covers every form of it, so the words of the order may still say "ointment".
        form_known = any(entry.product for entry in found)
        if sets and not form_known:
            sets -= self._drug_names.find(*texts).removed
        lead = next((entry for entry in found if entry.sets & sets), found[0]).coding
        return DrugIdentity(sets, "code", lead, lead.display, form_known)

    def _entry(self, system: str | None, code: str | None) -> _Entry | None:
        if system is None or code is None:
            return None
        entries = self._by_system.get(system)
        if entries is not None:
            if (entry := entries.get(code)) is not None:
                return entry
            if system in _SPELLED_IN_ONE_WAY and not code[-1:].isspace() and not code[:1].isspace():
                return None
        # Fields of fixed width arrive padded with blanks.
        canonical = ALIASES.get(system.strip())
        return None if canonical is None else self._otherwise(canonical, code.strip())

    def _otherwise(self, system: str, code: str) -> _Entry | None:
        """A code that is not listed as it stands: another spelling of it, or for ATC the group it belongs to."""
        entries = self._entries.get(system, {})
        if system not in _SPELLED_IN_WAYS:
            return entries.get(code)
        if system == NDC:
            hits = [entry for each in ndc_candidates(code) if (entry := entries.get(each))]
            # Ten digits may fit several products: they count only when all of them are the same drug.
            return hits[0] if len({(hit.sets, hit.removes) for hit in hits}) == 1 else None
        if system == ATC:
            code = code.strip().upper()
            return next((entry for length in (7, 5, 4, 3) if (entry := entries.get(code[:length]))), None)
        return entries.get(with_dot(system, code))


def _matcher(
    names: Mapping[str, Collection[str]], negatives: Sequence[Negative], known: set[str], used: set[str]
) -> NameMatcher:
    named = {each for sets in names.values() for each in sets} | {
        each for one in negatives for each in one.removes
    }
    if named - known - {"*"}:
        raise ValueError(f"names lead to unknown value sets: {', '.join(sorted(named - known - {'*'}))}")
    kept = {name: tuple(each for each in sets if each in used) for name, sets in names.items()}
    return NameMatcher({name: sets for name, sets in kept.items() if sets}, negatives)
