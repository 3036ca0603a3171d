"""Reading the client profiles file. Every problem is found in one go, because sites edit it by hand."""

from __future__ import annotations

import ipaddress
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import msgspec

from cds_service.clients.jwks import ALGORITHMS, parse_key_set
from cds_service.clients.presets import DEVELOPMENT_ONLY, PRESETS, WITHOUT_DEFAULT_CATALOG
from cds_service.clients.profile import ANONYMOUS, ClientProfile, Coding, Environment, SmartApp

_FIELDS = {field.name: field for field in msgspec.structs.fields(ClientProfile)}


class ProfileError(ValueError):
    """The file cannot be used; `problems` says everything that is wrong with it."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("client profiles:\n" + "\n".join(f"- {problem}" for problem in problems))
        self.problems = tuple(problems)


def load_profiles(
    data: bytes, *, environment: Environment, default_catalog: Mapping[str, Coding]
) -> tuple[ClientProfile, ...]:
    """Read `{"clients": [...]}`.

    Args:
        data: the file's content, JSON.
        environment: `production` refuses the Sandbox's key and plain http.
        default_catalog: orders for clients that take LOINC and SNOMED CT; a profile replaces entries, and
            null takes one away.

    Raises:
        ProfileError: with all problems of all profiles.
    """
    try:
        document = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise ProfileError(["the file is not JSON"]) from None
    if not isinstance(document, dict) or not isinstance(document.get("clients"), list):
        raise ProfileError(['the file must be an object with an array "clients"'])
    problems = [f"unknown field {name!r} beside clients" for name in document if name != "clients"]
    profiles: list[ClientProfile] = []
    for index, entry in enumerate(document["clients"]):
        label = entry.get("id") if isinstance(entry, dict) else None
        where = f"clients[{index}]" + (f" ({label})" if isinstance(label, str) else "")
        found: list[str] = []
        profile = _profile(entry, default_catalog, found)
        if profile is not None:
            found += _problems(profile, environment)
            profiles.append(profile)
        problems += [f"{where}: {problem}" for problem in found]
    problems += _clashes(profiles)
    if problems:
        raise ProfileError(problems)
    return tuple(profiles)


def _profile(entry: Any, default_catalog: Mapping[str, Coding], problems: list[str]) -> ClientProfile | None:
    if not isinstance(entry, dict):
        problems.append("is not an object")
        return None
    # Whatever else stands there is reported when the field itself is read.
    preset = str(entry.get("preset", "generic"))
    given = {**PRESETS.get(preset, {}), **entry}
    if isinstance(given.get("fhir_base"), str):
        given["fhir_base"] = [given["fhir_base"]]
    catalog = {} if preset in WITHOUT_DEFAULT_CATALOG else dict(default_catalog)
    if isinstance(given.get("order_catalog", {}), dict):
        merged = {**catalog, **given.get("order_catalog", {})}
        given["order_catalog"] = {key: coding for key, coding in merged.items() if coding is not None}
    values: dict[str, Any] = {}
    for name, value in given.items():
        if name not in _FIELDS:
            problems.append(f"unknown field {name!r}")
            continue
        try:
            values[name] = msgspec.convert(value, _FIELDS[name].type)
        except msgspec.ValidationError as error:
            problems.append(f"{name}: {error}")
    if "id" not in given:
        problems.append("id: missing")
    return ClientProfile(**values) if not problems else None


def _problems(profile: ClientProfile, environment: Environment) -> Iterator[str]:
    production = environment != "development"
    if profile.id == ANONYMOUS:
        yield f"id: {ANONYMOUS!r} is reserved"
    if production and profile.preset in DEVELOPMENT_ONLY:
        yield f"preset: {profile.preset} is for development only, its private key is public"
    if profile.issuer is None:
        yield "issuer: missing"
    yield from _key_problems(profile, production=production)
    if not profile.algorithms:
        yield "algorithms: empty"
    for algorithm in profile.algorithms:
        if algorithm not in ALGORITHMS:
            yield f"algorithms: {algorithm} is not allowed; choose from {', '.join(ALGORITHMS)}"
    for base in profile.fhir_base:
        yield from _url_problems("fhir_base", base, https=production)
    for link in profile.link_allow:
        yield from _url_problems("link_allow", link, https=True)
    if profile.smart is not None:
        yield from _smart_problems(profile, profile.smart, https=production)
    if profile.timezone is not None:
        try:
            ZoneInfo(profile.timezone)
        except (ValueError, OSError, KeyError):
            yield f"timezone: {profile.timezone!r} is not known"


def _key_problems(profile: ClientProfile, *, production: bool) -> Iterator[str]:
    if (profile.jwks is None) == (profile.jwks_url is None):
        yield "jwks: give either jwks or jwks_url"
    if profile.jwks is not None:
        keys, problems = parse_key_set(profile.jwks)
        yield from (f"jwks: {problem}" for problem in problems)
        if keys and not any(key.algorithms & set(profile.algorithms) for key in keys.values()):
            yield "jwks: no key fits any of the algorithms"
    if profile.jwks_url is not None:
        # Keys fetched in the clear could be anybody's; only this very machine is let off, for trying out.
        local = not production and _is_loopback(profile.jwks_url)
        yield from _url_problems("jwks_url", profile.jwks_url, https=not local)


def _smart_problems(profile: ClientProfile, smart: SmartApp, *, https: bool) -> Iterator[str]:
    if not profile.fhir_base:
        yield "smart: needs fhir_base, by which a launch is recognised"
    for origin in smart.origins:
        yield from _url_problems("smart.origins", origin, https=https)


def _is_loopback(url: str) -> bool:
    try:
        host = urlsplit(url).hostname or ""
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _url_problems(name: str, url: str, *, https: bool) -> Iterator[str]:
    # A password in the address must not end up in a start-up log.
    shown = "the address" if "@" in url else repr(url)
    try:
        parts = urlsplit(url)
        usable = bool(parts.hostname) and parts.username is None and parts.port != 0
    except ValueError:
        usable = False
    if not usable or parts.scheme not in ("http", "https") or any(c.isspace() for c in url):
        yield f"{name}: {shown} is not a web address"
    elif https and parts.scheme != "https":
        yield f"{name}: {shown} must be https"
    elif parts.fragment or (parts.query and name == "fhir_base"):
        yield f"{name}: {shown} must not have a query or a fragment"


def _clashes(profiles: list[ClientProfile]) -> Iterator[str]:
    """Profiles that a token could not tell apart."""
    for name, number in Counter(profile.id for profile in profiles).items():
        if number > 1:
            yield f"id {name!r} is used {number} times"
    by_issuer: dict[str, list[str | None]] = {}
    for profile in profiles:
        if profile.issuer is not None:
            by_issuer.setdefault(profile.issuer, []).append(profile.tenant)
    for issuer, tenants in by_issuer.items():
        if len(tenants) > 1 and (None in tenants or len(set(tenants)) < len(tenants)):
            yield f"issuer {issuer!r} is used by several clients: each needs a tenant of its own"
