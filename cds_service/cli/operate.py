"""`doctor`: what EHR analysts need on the command line."""

from __future__ import annotations

import sys
from dataclasses import asdict

import msgspec
from rich.console import Console
from rich.markup import escape

from cds_service.clients.profile import ClientProfile
from cds_service.engine import Engine
from cds_service.onboarding import (
    ServiceStrings,
    audiences,
    discovery_url,
    lacks,
    override_codes,
    service_strings,
)
from cds_service.serving import running_engine
from cds_service.settings import SettingsError, load_settings


def _profile(engine: Engine, client: str | None) -> ClientProfile:
    known = {profile.id: profile for profile in engine.profiles}
    if engine.anonymous is not None:
        known[engine.anonymous.id] = engine.anonymous
    if client is None:
        return next(iter(known.values()))
    if client not in known:
        raise SettingsError(f"no client profile named {client}; known: {', '.join(known)}")
    return known[client]


def doctor(console: Console, client: str | None, *, as_json: bool, codes: bool) -> int:
    """Print what a profile lacks and the strings to type in; returns 1 when something is lacking."""
    with running_engine(load_settings()) as engine:
        if codes:
            sys.stdout.write(override_codes(engine))
            return 0
        profile = _profile(engine, client)
        missing = list(lacks(engine, profile))
        strings = service_strings(engine, profile)
        if as_json:
            report = {
                "client": profile.id,
                "lacks": missing,
                "discovery": discovery_url(engine),
                "audience": audiences(engine, profile),
                "services": [asdict(item) for item in strings],
            }
            console.print_json(msgspec.json.encode(report).decode())
        else:
            _print_strings(console, engine, profile, missing, strings)
        return 1 if missing else 0


def _print_strings(
    console: Console,
    engine: Engine,
    profile: ClientProfile,
    missing: list[str],
    strings: tuple[ServiceStrings, ...],
) -> None:
    """One string to a line, never wrapped, so that each can be copied as it stands."""

    def line(text: str) -> None:
        console.print(escape(text), soft_wrap=True, highlight=False)

    console.print(f"[bold]Client {escape(profile.id)}[/] (preset {profile.preset})")
    for sentence in missing:
        console.print(f"  [yellow]{escape(sentence)}[/]", soft_wrap=True)
    if not missing:
        line("  Nothing is lacking.")
    line(f"Discovery\n  {discovery_url(engine)}")
    line("Audience of tokens: the address called, or")
    for audience in audiences(engine, profile):
        line(f"  {audience}")
    for item in strings:
        console.print(f"\n[bold]Hook {item.hook}[/]")
        line(f"  Service\n    {item.url}")
        line(f"  Feedback\n    {item.feedback_url}")
        for key, query in item.prefetch.items():
            line(f"  Prefetch {key}\n    {query}")
        line(f"  Scopes\n    {' '.join(item.scopes)}")
    line("\nOverride codes as CSV: cds-service doctor --codes")
