"""One record per client: how it proves itself, where its FHIR server is, what its cards should look like.

Data, not code: profiles come from the file named by `CDS_CLIENTS`, with presets for known kinds of client.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

Environment = Literal["development", "production"]
RuleMode = Literal["off", "shadow", "live"]

ANONYMOUS = "anonymous"
MAX_TOKEN_AGE_S = 3600

Name = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}\Z")]
Text = Annotated[str, Meta(min_length=1, max_length=2000)]


class Coding(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A code of a code system, as an order to be suggested carries it."""

    system: Text
    code: Text
    display: Text


class SmartApp(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the trend page is registered with this client's EHR as a SMART app.

    Attributes:
        client_id: as the EHR gave it.
        secret_file: path of a file that holds the client secret; None for a public client (PKCE alone).
        scopes: what to ask for; empty asks for the launch and for what the page reads.
        origins: web origins (`https://login.example.org`) beside that of `fhir_base` where its authorisation
            and token addresses may lie; any other is refused.
    """

    client_id: Text
    secret_file: Text | None = None
    scopes: tuple[Text, ...] = ()
    origins: tuple[Text, ...] = ()


class ClientProfile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything this service knows about one client.

    Attributes:
        id: name in records, metrics and logs.
        preset: kind of client that filled in what the file left out.
        issuer: `iss` of its tokens, compared exactly.
        tenant: `tenant` claim its tokens must carry; None does not look at it.
        jwks: its key set, or
        jwks_url: the one https address of its key set.
        audience: further values of `aud` it may use, beside the URL it calls.
        algorithms: signature algorithms it may use.
        max_token_age_s: longest `exp - iat`, in seconds.
        leeway_s: clock difference that is forgiven, in seconds.
        fhir_base: base URLs its calls may name in `fhirServer`, exactly as written.
        open_fhir: whether that server is read without a token when the call brings none.
        batch: whether several reads may go as one batch Bundle.
        fhir_version: what its resources are written in.
        hooks: hooks it may call; empty means any.
        unit_system: how numbers are shown: conventional (mg/dL) or SI (mmol/L).
        locale: language tag of texts, numbers and dates; `de-AT` falls back to `de`, any unknown one to English.
        timezone: zone of its dates (IANA); None means the site's.
        selection_behavior: `selectionBehavior` of cards with suggestions.
        max_actions: most actions it takes in one suggestion; ours have one.
        detail_format: markdown or plain text in `detail`.
        feedback_aliases: its own override codes -> ours.
        order_catalog: suggestion key -> what it orders under that key; a key that is missing is not offered.
        link_allow: prefixes of links it shows (they are registered there); a card carries no other link.
        rules: `rule`, `rule@service` or `*` -> mode.
        gap_card: whether to show what could not be checked when no order is in scope.
        deadline_ms: time for one answer, in milliseconds; None means the site's.
        smart: the trend page as a SMART app of its EHR; None offers no launch.
    """

    id: Name
    preset: Literal["generic", "epic", "oracle", "sandbox"] = "generic"
    issuer: Text | None = None
    tenant: Text | None = None
    jwks: dict[str, Any] | None = None
    jwks_url: Text | None = None
    audience: tuple[Text, ...] = ()
    algorithms: tuple[Text, ...] = ("ES384", "RS384")
    max_token_age_s: Annotated[int, Meta(ge=1, le=MAX_TOKEN_AGE_S)] = MAX_TOKEN_AGE_S
    leeway_s: Annotated[int, Meta(ge=0, le=300)] = 60
    fhir_base: tuple[Text, ...] = ()
    open_fhir: bool = False
    batch: bool = False
    fhir_version: Literal["STU3", "R4", "R4B", "R5"] = "R4"
    hooks: tuple[Text, ...] = ()
    unit_system: Literal["conventional", "SI"] = "conventional"
    locale: Annotated[str, Meta(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*\Z")] = "en"
    timezone: Text | None = None
    selection_behavior: Literal["any", "at-most-one"] = "any"
    max_actions: Annotated[int, Meta(ge=1, le=10)] = 1
    detail_format: Literal["markdown", "plain"] = "markdown"
    feedback_aliases: Mapping[Text, Text] = {}
    order_catalog: Mapping[Text, Coding] = {}
    link_allow: tuple[Text, ...] = ()
    rules: Mapping[Text, RuleMode] = {}
    gap_card: bool = False
    deadline_ms: Annotated[int, Meta(ge=100, le=30_000)] | None = None
    smart: SmartApp | None = None

    @property
    def anonymous(self) -> bool:
        """Whether this is the profile of callers that need no token."""
        return self.issuer is None

    def may_call(self, hook: str) -> bool:
        """Whether the client may call services of that hook."""
        return not self.hooks or hook in self.hooks

    def shows_link(self, url: str) -> bool:
        """Whether a card may carry this link: it lies at or below one of the listed addresses."""
        return any(url == each or url.startswith(f"{each.rstrip('/')}/") for each in self.link_allow)

    def reason_code(self, code: str | None) -> str | None:
        """The override code in our terms, where the client uses its own."""
        return code if code is None else self.feedback_aliases.get(code, code)


def anonymous_profile(
    environment: Environment,
    *,
    fhir_bases: Iterable[str] = (),
    order_catalog: Mapping[str, Coding] | None = None,
) -> ClientProfile:
    """Profile of callers without a token.

    Raises:
        ValueError: outside development, where every caller must prove itself.
    """
    if environment != "development":
        raise ValueError("callers without a token are allowed in development only")
    return ClientProfile(
        id=ANONYMOUS,
        fhir_base=tuple(fhir_bases),
        open_fhir=True,
        order_catalog=dict(order_catalog or {}),
    )
