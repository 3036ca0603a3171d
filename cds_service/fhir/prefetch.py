"""From prefetch and FHIR reads to one `Source` per template: data, known none, or a named reason why not.

Values are found by content, not by key: Epic sites name prefetch keys themselves. The rules:

* A key with exactly our name answers that template. Entries of other types in it (an `_include`) go to
  `Source.included`; they never pass for the answer to another query.
* Under any other name a Bundle answers the type its `self` link names, else each type among its entries but
  for `search.mode` include. Where several templates read one type (laboratory values and vital signs are
  both Observation) such content goes to the first of them; only its exact key answers a later one, since
  nothing in a foreign key says which query it was.
* Several values for one template are merged; exact duplicates are dropped. Different versions of one
  resource stay: choosing is the business of the facts.
* None in place of a Source means "not in the call": `complete` may fetch it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from msgspec.structs import replace

from cds_service.fhir.results import Deadline, Failed, FailureReason, Fetched, FhirAccess, Incomplete
from cds_service.fhir.search import address_under, clean_base, next_address
from cds_service.fhir.source import Source, Value, members, merge, settled, take_apart, unique, with_gaps
from cds_service.protocol.prefetch import PrefetchTemplate, fill, is_safe_id

if TYPE_CHECKING:  # this module must stay free of `requests`
    from cds_service.fhir.client import FhirClient

__all__ = ["Source", "complete", "members", "read_prefetch", "read_references"]

_MAX_REFERENCES = 20


def read_prefetch(
    values: Mapping[str, Value], templates: Sequence[PrefetchTemplate]
) -> dict[str, Source | None]:
    """A Source for each template that the call answered, None for each that it did not.

    Args:
        values: The decoded values by the site's keys, taken apart with what could not be decoded of them.
        templates: What the service asks for.
    """
    own = {template.key: template for template in templates}
    first_of = {template.resource_type: template for template in reversed(templates)}
    found: dict[str, list[Value]] = {template.key: [] for template in templates}
    foreign: set[str] = set()
    unplaced: list[Value] = []
    for key, value in values.items():
        template = own.get(key)
        if template is not None and value.answers_template(template):
            found[key].append(value.for_template(template, own_key=True))
            continue
        targets = [first_of[name] for name in _types_answered(value, first_of) if name in first_of]
        for target in targets:
            found[target.key].append(value.for_template(target, own_key=False))
            foreign.add(target.key)
        if not targets and (value.failure or value.dropped):
            unplaced.append(value)
    sources: dict[str, Source | None] = {}
    for template in templates:
        source = merge(template.key, found[template.key], "prefetch")
        if source is not None and source.resources is not None and template.key in foreign and unplaced:
            # One of several site-named values failed. It may have been the one with, say, phosphate.
            lost = tuple(dropped for value in unplaced for dropped in value.dropped)
            source = with_gaps(replace(source, dropped=source.dropped + lost), Incomplete.OTHER_VALUE)
            source = source if source.next_links else settled(source, FailureReason.NOT_FHIR)
        sources[template.key] = source
    return sources


def _types_answered(value: Value, known: Mapping[str, object]) -> list[str]:
    """The resource types that a value under a foreign key is the answer for."""
    if value.answers in known:
        return [value.answers]
    lost = (dropped.resource_type for dropped in value.dropped)
    return list(dict.fromkeys(name for name in (*(r.resourceType for r in value.resources), *lost) if name))


async def complete(
    sources: Mapping[str, Source | None],
    templates: Sequence[PrefetchTemplate],
    context: Mapping[str, str],
    access: FhirAccess | None,
    client: FhirClient,
    deadline: Deadline,
    *,
    batch: bool = False,
) -> dict[str, Source]:
    """A Source for every template: read what is missing, and the further pages of what came in part.

    Everything is read in parallel. What the EHR reported as a problem is not asked for again; a value that
    could not be decoded is.

    Args:
        sources: From `read_prefetch`.
        templates: What the service asks for.
        context: Ids for the tokens, as for `fill`.
        access: None when there is no FHIR server that we may call.
        client: Does the reads.
        deadline: For all of them together.
        batch: See `FhirClient.get_many`.
    """
    done = {template.key: sources.get(template.key) or _unread(template.key) for template in templates}
    plan: list[tuple[PrefetchTemplate, str]] = []
    if access is not None:
        for template in templates:
            source = done[template.key]
            try:
                queries = _queries(source, template, context, access)
            except ValueError:
                done[template.key] = replace(source, failure=FailureReason.ADDRESS_NOT_ALLOWED)
            else:
                plan += [(template, query) for query in queries]
    if access is not None and plan:
        answers = await client.get_many(access, [query for _, query in plan], deadline, batch=batch)
        by_template: dict[PrefetchTemplate, list[Fetched | Failed]] = {}
        for (template, _), answer in zip(plan, answers, strict=True):
            by_template.setdefault(template, []).append(answer)
        for template, its_answers in by_template.items():
            join = _fetched if done[template.key].resources is None else _continued
            done[template.key] = join(done[template.key], template, its_answers)
    elsewhere = FailureReason.NO_ACCESS if access is None else FailureReason.ADDRESS_NOT_ALLOWED
    return {key: settled(source, elsewhere) for key, source in done.items()}


def _unread(key: str) -> Source:
    return Source(key, None, FailureReason.NO_ACCESS, complete=False, origin="none")


def _queries(
    source: Source, template: PrefetchTemplate, context: Mapping[str, str], access: FhirAccess
) -> list[str]:
    """What remains to be read for one template: its query, or the pages that did not come with the call."""
    if source.failure in {FailureReason.NO_ACCESS, FailureReason.NOT_FHIR}:
        return [fill(template, context)]
    base = clean_base(access.base)
    if base is None:
        return []
    addresses = (next_address(base, f"{base}/", link, access.named) for link in source.next_links)
    return [address for address in addresses if address is not None]


def _fetched(source: Source, template: PrefetchTemplate, answers: Sequence[Fetched | Failed]) -> Source:
    """The answer to the template's query in place of `source`, which held nothing."""
    (answer,) = answers
    read = merge(template.key, [_value(answer, template)], "fhir") or source
    return replace(read, dropped=source.dropped + read.dropped, seconds=answer.seconds)


def _continued(source: Source, template: PrefetchTemplate, answers: Sequence[Fetched | Failed]) -> Source:
    """`source`, a prefetch cut short, with the pages that followed."""
    values = [_value(answer, template) for answer in answers]
    good = [value for value in values if value.failure is None]
    all_read = len(good) == len(source.next_links)
    gaps = [gap for gap in source.gaps if gap is not Incomplete.PAGES or not all_read]
    joined = replace(
        source,
        resources=unique(
            [*(source.resources or ()), *(found for value in good for found in value.resources)]
        ),
        included=unique([*source.included, *(found for value in good for found in value.included)]),
        dropped=source.dropped + tuple(lost for value in values for lost in value.dropped),
        gaps=tuple(gaps),
        seconds=max(answer.seconds for answer in answers),
    )
    failure = next((value.failure for value in values if value.failure is not None), FailureReason.NOT_FHIR)
    return settled(with_gaps(joined, *(gap for value in good for gap in value.gaps)), failure)


def _value(answer: Fetched | Failed, template: PrefetchTemplate) -> Value:
    if isinstance(answer, Failed):
        return Value(failure=answer.reason, dropped=answer.dropped)
    value = take_apart(answer.resource, answer.dropped)
    if not value.answers_template(template):
        return Value(failure=FailureReason.NOT_FHIR, dropped=answer.dropped)
    return replace(value.for_template(template, own_key=True), gaps=answer.gaps)


async def read_references(
    references: Sequence[str],
    access: FhirAccess | None,
    client: FhirClient,
    deadline: Deadline,
    *,
    types: frozenset[str] = frozenset({"Medication"}),
    batch: bool = False,
) -> dict[str, Fetched | Failed]:
    """Read the resources that drafts point to, such as `Medication/123`, also as a URL under the FHIR base.

    The result has every reference, as it was written. Only `types` are read, in their current version; other
    references, contained ones and addresses elsewhere fail with ADDRESS_NOT_ALLOWED. At most 20 are read.
    """
    if access is None:
        return {reference: Failed(FailureReason.NO_ACCESS) for reference in references}
    queries = {reference: _read_of(reference, access, types) for reference in references}
    wanted = list(dict.fromkeys(query for query in queries.values() if query is not None))[:_MAX_REFERENCES]
    answers = dict(
        zip(wanted, await client.get_many(access, wanted, deadline, batch=batch), strict=True)
        if wanted
        else ()
    )
    result: dict[str, Fetched | Failed] = {}
    for reference, query in queries.items():
        # One call must not be able to make us flood an EHR with reads.
        refusal = FailureReason.ADDRESS_NOT_ALLOWED if query is None else FailureReason.SERVER_BUSY
        result[reference] = answers.get(query or "", Failed(refusal))
    return result


def _read_of(reference: str, access: FhirAccess, types: frozenset[str]) -> str | None:
    base = clean_base(access.base)
    if "://" in reference and base is not None:
        address = address_under(base, reference, access.named)
        reference = "" if address is None else address[len(base) + 1 :]
    steps = reference.split("/_history/")[0].split("/")
    if len(steps) != len(("type", "id")) or steps[0] not in types or not is_safe_id(steps[1]):
        return None
    return "/".join(steps)
