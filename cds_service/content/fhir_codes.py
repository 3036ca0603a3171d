"""Code lists as FHIR R4: ValueSets, groups of them, and the CodeSystem of card topics."""

from __future__ import annotations

from collections.abc import Mapping

from cds_service.fhir.knowledge import Resource, canonical_base, group_id, pascal, without_empty
from cds_service.fhir.write import validated
from cds_service.rules.service import Content
from cds_service.terminology.valueset import ValueSet, ValueSetGroup


def value_set(source: ValueSet) -> Resource:
    include: dict[str, list[dict[str, str]]] = {}
    for coding in source.codings:
        include.setdefault(coding.system, []).append({"code": coding.code, "display": coding.display})
    return validated(
        "ValueSet",
        without_empty(
            {
                "resourceType": "ValueSet",
                "id": source.id,
                "url": source.url,
                "version": source.version,
                "name": pascal(source.id),
                "title": source.title,
                "status": "active",
                "purpose": source.purpose,
                "copyright": source.copyright,
                "compose": {
                    "include": [{"system": system, "concept": codes} for system, codes in include.items()]
                },
            }
        ),
    )


def value_set_group(group: ValueSetGroup, content: Content) -> Resource:
    """A ValueSet that is the union of others."""
    urls = sorted(each.url for each in content.value_sets if each.id in group.ids)
    return validated(
        "ValueSet",
        {
            "resourceType": "ValueSet",
            "id": group_id(group),
            "url": f"{canonical_base(content)}/ValueSet/{group_id(group)}",
            "version": content.version,
            "name": pascal(group_id(group)),
            "title": group.title,
            "status": "active",
            "compose": {"include": [{"valueSet": [url]} for url in urls]},
        },
    )


def topics(content: Content, codes: Mapping[str, str]) -> Resource:
    """The codes of `source.topic`, to which an EHR ties an override."""
    concepts = [{"code": code, "display": display} for code, display in sorted(codes.items())]
    return validated(
        "CodeSystem",
        {
            "resourceType": "CodeSystem",
            "id": content.topic_system.rpartition("/")[2],
            "url": content.topic_system,
            "version": content.version,
            "name": "CardTopics",
            "title": "Topics of cards",
            "status": "draft",
            "caseSensitive": True,
            "content": "complete",
            "concept": concepts,
        },
    )
