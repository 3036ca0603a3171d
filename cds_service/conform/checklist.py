"""The checklist for CDS services: 90 rows, in our own words.

The specification is CDS Hooks 2.0.1, with what is safe of the 3.0 ballot. A row marked `proposal` is ours.
"""

from __future__ import annotations

from dataclasses import dataclass

from cds_service.conform.model import Level

SHALL, SHOULD, MAY, PROPOSAL = Level.SHALL, Level.SHOULD, Level.MAY, Level.PROPOSAL


@dataclass(frozen=True, slots=True)
class Row:
    """One rule with its number."""

    number: int
    level: Level
    text: str


_TEXTS: tuple[tuple[Level, str], ...] = (
    (SHALL, "Production traffic is JSON over HTTPS, TLS 1.2 or newer"),
    (SHALL, "No member of an answer is null"),
    (SHALL, "No empty string, array or object but the lists of cards and services"),
    (SHALL, "An optional member without a value is left out"),
    (SHALL, "FHIR resources inside an answer are ordinary FHIR JSON"),
    (SHOULD, "No comments or trailing commas on the wire"),
    (SHALL, "Discovery is always there and stable"),
    (SHALL, "The discovery document is an object with an array `services`"),
    (SHOULD, "Without services: 200 with an empty array"),
    (SHALL, "Each service has hook, description and id"),
    (SHOULD, "Each service has a title"),
    (MAY, "Prefetch templates: key and FHIR query"),
    (MAY, "`usageRequirements` in plain words"),
    (SHOULD, "`version` names the version of the specification"),
    (MAY, "`hookVersion`, if sent, is a published one"),
    (SHALL, "A service lives at {base}/cds-services/{id}"),
    (MAY, "One id may stand for several hooks; we give each hook its own"),
    (SHALL, "Success is 200; other cases are 4xx or 5xx"),
    (SHOULD, "What the service does is published in plain language"),
    (SHALL, "`actionSelectionBehavior` only for clients known to support it"),
    (SHALL, "A call is a POST of JSON to the service's address"),
    (SHALL, "hook, hookInstance and context are required"),
    (SHALL, "fhirServer comes with fhirAuthorization; both may be absent"),
    (MAY, "Members that are not known are ignored"),
    (PROPOSAL, "The hook of the body is the hook of the service"),
    (PROPOSAL, "hookInstance is opaque and may come twice"),
    (SHOULD, "An answer takes about 500 ms"),
    (SHOULD, "Data may come from prefetch or from the FHIR server"),
    (SHALL, "Template tokens: context fields and four user tokens, in double braces"),
    (SHALL, "Only first-level primitive fields that the hook offers as tokens"),
    (MAY, "3.0 allows FHIRPath in tokens; what is used must be listed before"),
    (SHOULD, "Queries keep to the portable subset"),
    (PROPOSAL, "Sorting is `_sort`, whatever the sample says"),
    (PROPOSAL, "No includes or chains; a Medication that is only referred to is read separately"),
    (PROPOSAL, "Each parameter once, as the Sandbox joins them by comma"),
    (MAY, "HAPI's own module knows FHIRPath tokens without today()"),
    (SHALL, "Prefetch is compared with the templates, and what is missing is read"),
    (SHALL, "Required data that cannot be had: 412"),
    (SHOULD, "Prefetch is searched for OperationOutcomes"),
    (SHOULD, "Errors carry an OperationOutcome"),
    (PROPOSAL, "Each service says which data it cannot do without"),
    (MAY, "With fhirServer and fhirAuthorization the service may read, within its scope"),
    (SHALL, "The access token goes with every read"),
    (SHALL, "fhirAuthorization has five required members"),
    (SHOULD, "`patient` comes with patient scopes"),
    (SHALL, "The access token is not kept, shown or used after the answer"),
    (MAY, "Scopes of SMART 1 and 2 are both understood"),
    (MAY, "Only production demands https of fhirServer"),
    (MAY, "The Sandbox sends scopes without `patient`, or no authorization at all"),
    (SHALL, "200 carries an object with `cards`; nothing to say is an empty array"),
    (MAY, "`systemActions` only by agreement, and never empty"),
    (SHALL, "A summary has fewer than 140 characters"),
    (SHALL, "The indicator is info, warning or critical"),
    (SHALL, "A source has a label"),
    (MAY, "`source.url` is absolute and about the publisher"),
    (SHOULD, "`source.icon` is an absolute URL of a 100 x 100 PNG"),
    (MAY, "`source.topic` has code and system; we always send it"),
    (SHALL, "`detail` is GitHub Flavored Markdown"),
    (MAY, "A card has a uuid, without which there is no feedback"),
    (SHALL, "Suggestions need a selectionBehavior"),
    (SHALL, "selectionBehavior is at-most-one or any"),
    (SHALL, "A suggestion has a label, and a uuid for feedback"),
    (SHALL, "isRecommended is a boolean; one at most with at-most-one"),
    (SHALL, "An action creates, updates or deletes, and is described"),
    (SHALL, "Create and update carry the (whole) resource"),
    (SHOULD, "Delete carries resourceId as Type/id"),
    (SHOULD, "Several actions of a suggestion are done together or not at all"),
    (PROPOSAL, "Update and delete are about an order of the request"),
    (SHALL, "An override reason has code, system and display"),
    (MAY, "Override reasons come from HL7's non-adherence codes"),
    (SHALL, "A link has label, url and type"),
    (SHALL, "`appContext` only on a smart link"),
    (MAY, "`autolaunchable` may hide the card, so we do not use it"),
    (MAY, "`actionSelectionBehavior` has three values"),
    (MAY, "A bad token gets 401 without details"),
    (PROPOSAL, "Text of the EHR is escaped before it enters Markdown"),
    (SHOULD, "Clients are authenticated where data could leak"),
    (SHALL, "The token is a bearer JWT on every call, discovery and feedback included"),
    (SHALL, "Token header: alg, kid, typ; jku is optional"),
    (SHALL, "Token claims: iss, aud, exp, iat, jti; aud is the address called"),
    (SHALL, "Neither none nor a symmetric algorithm is accepted"),
    (SHOULD, "ES384 and RS384 are accepted by default, others by configuration"),
    (SHOULD, "iss and jku are on a list; no other key set is fetched"),
    (SHALL, "Keys are chosen by kid and fetched again once for an unknown one"),
    (SHOULD, "A token is checked in order, used once, and refused with a bare 401"),
    (PROPOSAL, "Clocks may differ by 60 s; a token lives for a limited time"),
    (PROPOSAL, "aud is compared with configured addresses, not with the Host header"),
    (SHALL, "The Sandbox's issuer is trusted in development only, as its key is public"),
    (SHALL, "Browsers are let in by origin; any origin never in production"),
    (SHOULD, "Extensions are objects with reverse-domain keys; unknown ones are ignored"),
)
ROWS: tuple[Row, ...] = tuple(
    Row(number, level, text) for number, (level, text) in enumerate(_TEXTS, start=1)
)

NOT_APPLICABLE = {
    36: "a remark about another product; our templates use no FHIRPath (C030)",
}
"""Rows that no service could prove, with the reason."""

NOT_SENT = {
    15: "we send no hookVersion",
    31: "our templates use no FHIRPath",
    51: "we send no system actions",
    56: "we send no icon",
    63: "we recommend no suggestion yet",
    71: "we send no links",
    72: "we send no links",
    73: "we send no links",
    74: "we send no actionSelectionBehavior",
}
"""Rows about optional members that this service leaves out. Their checks are proved on twins."""
