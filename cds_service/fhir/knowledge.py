"""FHIR R4 knowledge resources built from the content: PlanDefinition and Library.

Every resource is validated as R4B before it is given away, and holds no date of its own: the same content
gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cds_service.fhir.write import validated
from cds_service.rules.rule import Citation, Cites, Indicator, Mode, Rule, Tier
from cds_service.rules.service import CatalogueEntry, Content
from cds_service.rules.suggestions import RemoveDraft, Suggestion
from cds_service.terminology.codes import Coding
from cds_service.terminology.valueset import ValueSetGroup

Resource = dict[str, Any]
Condition = tuple[str, str]
"""A condition in words and as FHIRPath."""

_HL7 = "http://terminology.hl7.org/CodeSystem"
_STRENGTH = "http://hl7.org/fhir/StructureDefinition/cqf-strengthOfRecommendation"
_QUALITY = "http://hl7.org/fhir/StructureDefinition/cqf-qualityOfEvidence"
_STRENGTH_CODES = frozenset({"strong", "weak"})
_QUALITY_CODES = frozenset({"high", "moderate", "low", "very-low"})
_PRIORITIES = {Indicator.INFO: "routine", Indicator.WARNING: "urgent", Indicator.CRITICAL: "stat"}
_USAGE = (
    "Conditions are given in words and as FHIRPath over the prefetch keys of the service (%conditions, ...) and %draft, "
    "the order being judged. A constant named in words, such as %'on maintenance dialysis', stands for a question that "
    "only the service answers: units and dates of results, routes, names in text."
)


@dataclass(frozen=True, slots=True)
class TierConditions:
    """A tier with its topic code and what must hold for it and for each of its suggestions."""

    tier: Tier
    topic: str
    when: Condition
    suggestions: tuple[Condition | None, ...]


def canonical_base(content: Content) -> str:
    """The part of the content's URLs before the resource type."""
    return content.topic_system.rpartition("/CodeSystem/")[0] or content.topic_system


def pascal(ident: str) -> str:
    """A computer-friendly name: `vka-dialysis` becomes `VkaDialysis`."""
    return "".join(word[:1].upper() + word[1:] for word in ident.split("-"))


def group_id(group: ValueSetGroup) -> str:
    """A group and a value set may have one name, so a group is marked."""
    return f"group-{group.id}"


# --- rules ------------------------------------------------------------------------------------------


def plan_definition(
    rule: Rule,
    content: Content,
    *,
    hooks: Mapping[str, Mode],
    conditions: Sequence[Condition],
    tiers: Sequence[TierConditions],
    value_sets: Iterable[str],
    words: Callable[[str], str],
) -> Resource:
    """One rule as an event-condition-action rule.

    Args:
        rule: The rule.
        content: Its content package.
        hooks: Hook -> mode on the service of that hook; hooks on which it is off are left out.
        conditions: Trigger, population, criteria, exclusions and suppressions, all of which must hold.
        tiers: The tiers in order; the first that applies is shown.
        value_sets: Canonical URLs of the value sets it rests on.
        words: Makes a template readable (fills in angle brackets).
    """
    base = canonical_base(content)
    signed = rule.review.status != "draft"
    body = {
        "resourceType": "PlanDefinition",
        "id": rule.id,
        "url": f"{base}/PlanDefinition/{rule.id}",
        "version": rule.version,
        "name": pascal(rule.id),
        "title": rule.title,
        "type": _concept(f"{_HL7}/plan-definition-type", "eca-rule"),
        "status": "active" if signed else "draft",
        "experimental": not signed,
        "subjectCodeableConcept": _concept("http://hl7.org/fhir/resource-types", "Patient"),
        "description": _description(rule),
        "usage": _USAGE,
        "approvalDate": str(rule.review.reviewed_on) if signed and rule.review.reviewed_on else None,
        "lastReviewDate": str(rule.review.reviewed_on) if rule.review.reviewed_on else None,
        "effectivePeriod": {"end": str(rule.review.next_review)} if rule.review.next_review else None,
        "author": [{"name": rule.review.authored_by}],
        "reviewer": [{"name": rule.review.checked_by}] if rule.review.checked_by else None,
        "relatedArtifact": [
            *(_citation(cites.citation) for cites in _once(rule.evidence)),
            *({"type": "depends-on", "resource": url} for url in value_sets),
        ],
        "library": [f"{base}/Library/{content.name}|{content.version}"],
        "action": [
            {
                "title": rule.title,
                "documentation": [_grounds(rule), *(_finding(cites) for cites in rule.evidence)],
                "trigger": [{"type": "named-event", "name": hook} for hook in hooks],
                "condition": [_condition(each) for each in conditions],
                "groupingBehavior": "logical-group",
                "selectionBehavior": "at-most-one",
                "action": [_tier(number, each, content, words) for number, each in enumerate(tiers, 1)],
            }
        ],
    }
    return validated("PlanDefinition", without_empty(body))


def _description(rule: Rule) -> str:
    lines = [f"{rule.title}. Content status: {rule.review.status}."]
    lines += [f"- {each.id}: {each.text}; {each.at_equality} ({each.source})" for each in rule.thresholds]
    return "\n".join(lines)


def _tier(number: int, conditions: TierConditions, content: Content, words: Callable[[str], str]) -> Resource:
    tier = conditions.tier
    catalogue = {entry.key: entry for entry in content.catalogue}
    lines = [words(line.text) for line in (*tier.consider, *tier.why, *tier.exceptions, *tier.closing)]
    return {
        "prefix": str(number),
        "title": words(tier.summary),
        "textEquivalent": "\n".join(lines),
        "priority": _PRIORITIES[tier.indicator],
        "code": [_concept(content.topic_system, conditions.topic)],
        "condition": [_condition(conditions.when)],
        "selectionBehavior": "any" if tier.suggestions else None,
        "action": [
            _suggestion(each, when, catalogue, words)
            for each, when in zip(tier.suggestions, conditions.suggestions, strict=True)
        ],
    }


def _suggestion(
    suggestion: Suggestion,
    when: Condition | None,
    catalogue: Mapping[str, CatalogueEntry],
    words: Callable[[str], str],
) -> Resource:
    """Removes the draft of this very call, or creates a request; nothing else is ever suggested."""
    condition = [_condition(when)] if when is not None else None
    if isinstance(suggestion, RemoveDraft):
        kind, title, code = "remove", words(suggestion.label), None
    else:
        entry = catalogue.get(suggestion.key)
        kind, title = "create", entry.words if entry else suggestion.key
        code = [{"coding": [_coding(entry.coding)]}] if entry and entry.coding else None
    return {
        "title": title,
        "code": code,
        "condition": condition,
        "type": _concept(f"{_HL7}/action-type", kind),
    }


def library(content: Content, resources: Sequence[Resource]) -> Resource:
    """The index of everything exported for one content package."""
    kinds = {"PlanDefinition": "composed-of", "ValueSet": "depends-on", "CodeSystem": "depends-on"}
    body = {
        "resourceType": "Library",
        "id": content.name,
        "url": f"{canonical_base(content)}/Library/{content.name}",
        "version": content.version,
        "name": pascal(content.name),
        "title": f"Clinical content {content.name}",
        "status": "draft",
        "type": _concept(f"{_HL7}/library-type", "asset-collection"),
        "description": "The rules with the value sets they use. Unsigned rules have the status draft.",
        "relatedArtifact": [
            {"type": kinds[each["resourceType"]], "resource": f"{each['url']}|{each['version']}"}
            for each in resources
        ],
    }
    return validated("Library", without_empty(body))


# --- parts ------------------------------------------------------------------------------------------


def _condition(condition: Condition) -> Resource:
    text, path = condition
    expression = {"description": text, "language": "text/fhirpath", "expression": path}
    return {"kind": "applicability", "expression": expression}


def _concept(system: str, code: str) -> Resource:
    return {"coding": [{"system": system, "code": code}]}


def _coding(coding: Coding) -> Resource:
    return {"system": coding.system, "code": coding.code, "display": coding.display}


def _grounds(rule: Rule) -> Resource:
    """The source named on the card, with strength and certainty.

    In R4 both extensions belong to an Attachment. A word without a code is given as text.
    """
    grades = [
        {"url": url, "valueCodeableConcept": _graded(f"{_HL7}/{system}", word, codes)}
        for url, system, word, codes in (
            (_STRENGTH, "recommendation-strength", rule.strength, _STRENGTH_CODES),
            (_QUALITY, "evidence-quality", rule.certainty, _QUALITY_CODES),
        )
    ]
    document = {"extension": grades, "language": "en", "title": rule.source_label}
    return {"type": "documentation", "display": rule.source_label, "document": document}


def _graded(system: str, word: str, codes: frozenset[str]) -> Resource:
    coded = _concept(system, word) if word in codes else {}
    return {**coded, "text": word.replace("-", " ")}


def _citation(citation: Citation) -> Resource:
    identifiers = [f"doi:{citation.doi}"] if citation.doi else []
    identifiers += [f"PMID:{citation.pmid}"] if citation.pmid else []
    related: Resource = {
        "type": "citation",
        "label": citation.key,
        "display": citation.label,
        "citation": " ".join([citation.label, *identifiers]),
        "url": _address(citation),
    }
    return related


def _address(citation: Citation) -> str | None:
    if citation.doi:
        return f"https://doi.org/{citation.doi}"
    if citation.pmid:
        return f"https://pubmed.ncbi.nlm.nih.gov/{citation.pmid}/"
    return citation.url or None


def _finding(cites: Cites) -> Resource:
    """What the rule takes from a source."""
    return {**_citation(cites.citation), "type": "justification", "display": cites.says}


def _once(evidence: Sequence[Cites]) -> list[Cites]:
    return list({cites.citation.key: cites for cites in evidence}.values())


def without_empty(value: Any) -> Any:
    """FHIR knows no nulls and no empty lists, objects or strings."""
    if isinstance(value, dict):
        cleaned = {key: without_empty(each) for key, each in value.items()}
        return {key: each for key, each in cleaned.items() if each not in (None, "", [], {})}
    if isinstance(value, list):
        return [without_empty(each) for each in value]
    return value
