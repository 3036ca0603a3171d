"""Settings from the environment (`CDS_*`), secrets from files. Unknown names refuse to start."""

from __future__ import annotations

import json
import os
import re
import tomllib
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

PREFIX = "CDS_"
_LOOPBACK = ("http://127.0.0.1:8080/fhir", "http://localhost:8080/fhir")


class SettingsError(Exception):
    """The settings cannot be used; the message names the setting, never its value.

    `setting` is the one setting (often of a file) that is at fault, where it is one.
    """

    def __init__(self, message: str, setting: str | None = None) -> None:
        super().__init__(message)
        self.setting = setting


class Settings(BaseSettings):
    """Every setting with its default; the README's table is tested against this class."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        extra="forbid",
        frozen=True,
        env_ignore_empty=True,
    )

    environment: Literal["development", "production"] = Field(
        "development", description="`production` enforces https FHIR servers, authentication and approvals"
    )
    auth: Literal["required", "off", ""] = Field(
        "",
        description="`required` (default in production) or `off` (default in development, refused in production)",
    )
    approvals: Path | None = Field(None, description="the site's approvals file (JSON)")
    public_url: str = Field(
        "http://127.0.0.1:8000", description="our base URL as clients call it (JWT `aud`, links)"
    )
    rule_modes: dict[str, Literal["live", "shadow", "off"]] = Field(
        default_factory=dict, description='JSON such as `{"*":"live","vka-dialysis":"shadow"}`'
    )
    store_url: str = Field("sqlite:///var/cds.sqlite", description="SQLAlchemy URL of the records")
    store_password: SecretStr | None = Field(
        None,
        description="password of the store, so that the URL need not hold one (as a file: `cds_store_password`)",
    )
    clients: Path | None = Field(None, description="client profiles file (JSON)")
    fhir_bases: Annotated[tuple[str, ...], NoDecode] = Field(
        _LOOPBACK,
        description="FHIR bases a caller without a profile may name; `named=reached` maps a name (development only)",
    )
    trusted_network: bool = Field(
        False, description="allow binding beyond loopback without authentication (development, containers)"
    )
    site: Path | None = Field(
        None,
        description="site file (TOML): thresholds, calcium_correction, time_zone, retention_days, rule_modes, value_sets_off",
    )
    cors_origins: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="exact origins of browser clients; development without any: loopback origins"
    )
    deadline_ms: int = Field(2000, ge=100, le=30_000, description="time for one answer")
    fhir_deadline_ms: int = Field(1200, ge=50, le=30_000, description="part of it for reading FHIR")
    max_body_bytes: int = Field(5_000_000, ge=10_000, le=100_000_000, description="largest request body")
    body_deadline_ms: int = Field(5000, ge=100, le=60_000, description="time for a request body to arrive")
    max_calls: int = Field(
        64, ge=1, le=1000, description="calls answered at once; further ones wait their turn"
    )
    max_waiting: int = Field(128, ge=0, le=10_000, description="calls that may wait; beyond it they get 503")
    client_rate: int = Field(
        200, ge=0, le=100_000, description="calls per second and client, twice that in a burst; 0 is no limit"
    )
    drain_ms: int = Field(
        0, ge=0, le=60_000, description="after SIGTERM, time to serve on while `/ready` says 503"
    )
    as_of: datetime | None = Field(
        None, description="fixes the clinical clock (tests, replay, demo); not in production"
    )
    hash_key: SecretStr = Field(
        SecretStr("development-only-hash-key"), description="secret for hashing identifiers in records"
    )
    value_sets_off: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="ids of value sets that are switched off (SNOMED sets without a licence)"
    )
    playground: Literal["on", "off", ""] = Field(
        "",
        description="the pages that evaluate synthetic calls: `on` (default in development) or `off` (default in production, where they ask for the operator key)",
    )
    operator_key: SecretStr | None = Field(
        None,
        min_length=16,
        description="opens operators' pages as a Bearer token or Basic password (as a file: `cds_operator_key`); production has none of them without it",
    )
    governance_identifiers: bool = Field(
        False, description="show hashed identifiers and users' comments, which may hold PHI, to operators"
    )
    secrets_dir: Path | None = Field(None, description="folder with secrets as files (`cds_hash_key`)")

    @field_validator("fhir_bases", "cors_origins", "value_sets_off", mode="before")
    @classmethod
    def _split(cls, value: Any) -> Any:
        if isinstance(value, str):
            return tuple(item.strip() for item in value.split(",") if item.strip())
        return value

    @field_validator("as_of", mode="after")
    @classmethod
    def _zoned(cls, value: datetime | None) -> datetime | None:
        if value is not None and value.tzinfo is None:
            raise ValueError("needs a time zone, for example 2026-11-21T12:00:00Z")
        return value

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.environment == "production":
            if self.auth == "off":
                raise ValueError("CDS_AUTH=off is refused in production")
            if self.as_of is not None:
                raise ValueError("CDS_AS_OF is refused in production")
            if self.trusted_network:
                raise ValueError("CDS_TRUSTED_NETWORK is for development only")
            if self.hash_key.get_secret_value() == "development-only-hash-key":
                raise ValueError("CDS_HASH_KEY must be set in production")
            if not self.public_url.startswith("https://"):
                raise ValueError("CDS_PUBLIC_URL must be https in production")
        if self.fhir_deadline_ms > self.deadline_ms:
            raise ValueError("CDS_FHIR_DEADLINE_MS must not exceed CDS_DEADLINE_MS")
        return self

    @property
    def authenticated(self) -> bool:
        """Every call needs a token."""
        return self.auth == "required" or (self.auth == "" and self.environment == "production")

    @property
    def offers_playground(self) -> bool:
        """Whether visitors may evaluate calls on a page."""
        return self.playground == "on" or (self.playground == "" and self.environment == "development")

    @property
    def base_url(self) -> str:
        return self.public_url.rstrip("/")


class Site:
    """The site file: clinical settings within their bounds, time zone, retention, rules and value sets."""

    def __init__(self, values: dict[str, Any]) -> None:
        self.zone = ZoneInfo(values.pop("time_zone", "UTC"))
        self.retention_days: int = int(values.pop("retention_days", 365))
        self.rule_modes: dict[str, str] = values.pop("rule_modes", {})
        self.value_sets_off: tuple[str, ...] = tuple(values.pop("value_sets_off", ()))
        self.clinical: dict[str, Any] = values


_LONGEST_RETENTION = 3650
_CORRECTIONS = ("payne", "none", "lab")
_SWITCHES = ("suppress_acknowledged_mandatory_vka",)
_MODES = ("live", "shadow", "off")


def load_settings(**overrides: Any) -> Settings:
    """Settings of this process.

    Raises:
        SettingsError: an unknown `CDS_*` name, or a value out of bounds; names only, no values.
    """
    known = {f"{PREFIX}{name}".upper() for name in Settings.model_fields}
    unknown = sorted(
        name for name in os.environ if name.upper().startswith(PREFIX) and name.upper() not in known
    )
    # Test switches name servers for the test suite; they are no settings of the service.
    unknown = [name for name in unknown if not name.startswith("CDS_TEST_")]
    if unknown:
        raise SettingsError(f"unknown settings: {', '.join(unknown)}")
    folder = os.environ.get(f"{PREFIX}SECRETS_DIR") or None
    _check_secrets(folder, known)
    try:
        return Settings(**{"_secrets_dir": folder, **overrides})
    except ValueError as error:
        raise SettingsError(_without_values(error)) from None


def _check_secrets(folder: str | None, known: set[str]) -> None:
    """A misspelt secret would silently leave its default in force."""
    if folder is None:
        return
    try:
        names = [path.name for path in Path(folder).iterdir()]
    except OSError as error:
        raise SettingsError(f"CDS_SECRETS_DIR cannot be read: {type(error).__name__}") from None
    unknown = sorted(name for name in names if name.upper().startswith(PREFIX) and name.upper() not in known)
    if unknown:
        raise SettingsError(f"unknown files in CDS_SECRETS_DIR: {', '.join(unknown)}")


def _without_values(error: ValueError) -> str:
    errors = getattr(error, "errors", None)
    if errors is None:
        # pydantic-settings names the field and its source, never the value.
        named = re.search(r'field "(\w+)"', str(error))
        return f"{PREFIX}{named.group(1).upper()}: not valid JSON" if named else "settings could not be read"
    problems = [
        f"{PREFIX}{'_'.join(str(part) for part in item['loc']).upper()}: {item['msg']}"
        if item["loc"]
        else item["msg"]
        for item in errors(include_input=False, include_url=False)
    ]
    return "; ".join(problems)


def load_site(path: Path | None, bounds: dict[str, tuple[str, str]]) -> Site:
    """The site file, or defaults without one.

    Raises:
        SettingsError: unknown names, numbers out of the bounds that the content allows.
    """
    if path is None:
        return Site({})
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)
        problems = [
            f"{name}: {text}" for name, value in values.items() if (text := _problem(name, value, bounds))
        ]
        if problems:
            raise SettingsError(f"site file: {'; '.join(problems)}", "CDS_SITE")
        return Site(values)
    except (OSError, ValueError, KeyError) as error:
        raise SettingsError(f"site file cannot be read: {type(error).__name__}", "CDS_SITE") from None


def _problem(name: str, value: Any, bounds: dict[str, tuple[str, str]]) -> str | None:
    if name == "time_zone":
        return None
    if name == "retention_days":
        whole = isinstance(value, int) and not isinstance(value, bool)
        return (
            None if whole and 1 <= value <= _LONGEST_RETENTION else f"must be from 1 to {_LONGEST_RETENTION}"
        )
    if name == "calcium_correction":
        return None if value in _CORRECTIONS else f"must be one of {', '.join(_CORRECTIONS)}"
    if name == "rule_modes":
        right = isinstance(value, dict) and all(mode in _MODES for mode in value.values())
        return None if right else f"must name rules, each with one of {', '.join(_MODES)}"
    if name == "value_sets_off":
        right = isinstance(value, list) and all(isinstance(item, str) for item in value)
        return None if right else "must be a list of ids of value sets"
    if name in _SWITCHES:
        return None if isinstance(value, bool) else "must be true or false"
    if name not in bounds:
        return "unknown name"
    low, high = (Decimal(bound) for bound in bounds[name])
    number = Decimal(value) if isinstance(value, int | Decimal) and not isinstance(value, bool) else None
    if number is None or not number.is_finite() or not low <= number <= high:
        return f"must be a number from {low} to {high}"
    return None


def load_approvals(path: Path | None) -> frozenset[tuple[str, str, str]]:
    """(rule, version, content hash) of every approved rule.

    Raises:
        SettingsError: the file cannot be read or an entry lacks who or when.
    """
    if path is None:
        return frozenset()
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))["approvals"]
        for entry in entries:
            if not entry.get("by") or not entry.get("on"):
                raise SettingsError(
                    "approvals file: every entry names who approved (by) and when (on)", "CDS_APPROVALS"
                )
        return frozenset((entry["rule"], entry["version"], entry["hash"]) for entry in entries)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise SettingsError(
            f"approvals file cannot be read: {type(error).__name__}", "CDS_APPROVALS"
        ) from None
