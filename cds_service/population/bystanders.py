"""Records that cannot make anybody a member of the population.

Most patients of a hospital hold no other: they get the answer of an empty record without being judged one by
one. A record counts as one of these only when the code that reads an EHR's call has read it without loss.
"""

from __future__ import annotations

from cds_service.facts.problems import concept_sets, concept_texts, concepts
from cds_service.facts.subjects import Whose, whose
from cds_service.fhir.decode import CodeableConcept, Dropped, Resource, decode_resource
from cds_service.terminology.index import Terminology

TELLING = frozenset({"Patient", "Condition", "Procedure", "Encounter"})
"""Types that tell whether a patient belongs to the population; read of every patient."""


class Bystanders:
    """Tells such records for one set of terminology.

    `decisive` are the value sets that decide about the population (see `StandingView`); when there are none, no
    record is known to be without meaning.
    """

    def __init__(self, terminology: Terminology, decisive: frozenset[str]) -> None:
        self._terminology = terminology
        self._decisive = decisive

    def holds(self, kind: str, patient: str, line: bytes) -> bool:
        """The line, a record of a telling type and of this patient, decides nothing about the population."""
        if not self._decisive:
            return False
        dropped: list[Dropped] = []
        record = decode_resource(line, "", dropped)
        if record is None or dropped or record.resourceType != kind:
            return False
        if kind == "Patient":
            return True
        if kind == "Condition" and not (record.code and record.code.coding):
            # What a problem says in words alone is for the content to judge.
            return False
        return whose(record, patient) is Whose.OURS and not any(map(self._decides, _concepts(record)))

    def _decides(self, concept: CodeableConcept) -> bool:
        decisive, terminology = self._decisive, self._terminology
        return not decisive.isdisjoint(concept_sets(concept, terminology)) or any(
            not decisive.isdisjoint(terminology.sets_in_text(text)) for text in concept_texts(concept)
        )


def _concepts(record: Resource) -> list[CodeableConcept]:
    """All concepts of the record that facts read value sets from, and some more."""
    kinds = None if isinstance(record.type, str) else record.type
    found = [*concepts(kinds), *concepts(record.reasonCode), *concepts(record.bodySite)]
    found += record.orderDetail or ()
    return found if record.code is None else [record.code, *found]
