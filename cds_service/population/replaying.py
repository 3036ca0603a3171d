"""A whole replay: from a source to its figures."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import datetime
from html import escape
from pathlib import Path
from typing import Any

import msgspec

from cds_service import __version__
from cds_service.clients.profile import ClientProfile
from cds_service.engine import Engine, build_engine
from cds_service.population.burden import Burden, read_orders, weigh
from cds_service.population.charts import stacked_bars
from cds_service.population.export import open_export
from cds_service.population.judge import judging, service_for_hook
from cds_service.population.parts import write_whole
from cds_service.population.recorded import recorded_files, replay_recorded
from cds_service.population.replay import HOOK, ORDERS, replay_shard
from cds_service.population.report import figure, page, table, troubles_section
from cds_service.population.run import Tell, remembered_as_of, run
from cds_service.population.screening import troubled
from cds_service.population.workers import workers
from cds_service.settings import SettingsError, load_settings

BURDEN = "burden.json"
REPORT = "replay.html"


@dataclass(frozen=True, slots=True)
class Played:
    """What a replay found, and where it was written."""

    burden: Burden
    report: Path
    troubled: bool


def variant_of(path: Path) -> dict[str, Any]:
    """Settings of the other rule set: a site file (.toml), or rule modes as JSON.

    Raises:
        SettingsError: the file is neither.
    """
    try:
        if path.suffix == ".toml":
            tomllib.loads(path.read_text(encoding="utf-8"))
            return {"site": path}
        return {"rule_modes": msgspec.json.decode(path.read_bytes(), type=dict[str, str])}
    except (OSError, ValueError, msgspec.MsgspecError) as error:
        raise SettingsError(
            f"{path.name}: neither a site file (.toml) nor rule modes (.json): {type(error).__name__}"
        ) from None


def is_recorded(source: Path) -> bool:
    """The source holds recorded requests rather than an export."""
    if source.is_file():
        return source.suffix == ".json"
    return source.is_dir() and not any(source.glob("*.ndjson*")) and any(source.glob("*.json"))


def replay(
    engine: Engine,
    profile: ClientProfile,
    source: Path,
    out: Path,
    *,
    as_of: datetime | None,
    days: int,
    compare: Path | None,
    processes: int,
    scheduler: str | None,
    tell: Tell,
    service: str | None = None,
) -> Played:
    """Replay the orders of an export, or recorded calls, and write the result into `out`.

    Raises:
        SettingsError: the source or the other rule set cannot be used.
    """
    out.mkdir(parents=True, exist_ok=True, mode=0o700)
    variant = variant_of(compare) if compare else None
    if is_recorded(source):
        variants = [{}] if variant is None else [{}, variant]
        orders, lost = replay_recorded(recorded_files(source), as_of, variants, service)
        write_whole(out / ORDERS, b"".join(msgspec.json.encode(item) + b"\n" for item in orders))
        (out / ORDERS).chmod(0o600)
        burden = weigh(orders, "each call's own time", 0, compared=variant is not None)
        burden.troubles = lost
        return _written(out, burden, bad=bool(lost))
    begun = remembered_as_of(out) or engine.now()
    moment = as_of or engine.settings.as_of or open_export(source).as_of or begun
    ready = service_for_hook(engine, HOOK)
    how = judging(engine, profile, moment, ready)
    other = None
    if variant is not None:
        rival = build_engine(load_settings(**variant), store=None)
        other = judging(rival, profile, moment, service_for_hook(rival, HOOK))
    with workers(processes, scheduler) as at_work:
        outcome = run(
            source.resolve(),
            out.resolve(),
            how,
            replay_shard,
            at_work,
            target=ORDERS,
            options=(("days", days), ("compare", other)),
            tell=tell,
        )
    burden = weigh(read_orders(out / ORDERS), moment.isoformat(), days, compared=other is not None)
    burden.troubles = list(outcome.troubles)
    return _written(out, burden, bad=troubled(outcome.troubles, ready.service.prefetch))


def _written(out: Path, burden: Burden, *, bad: bool) -> Played:
    write_whole(out / BURDEN, msgspec.json.format(msgspec.json.encode(burden), indent=1) + b"\n")
    write_whole(out / REPORT, _page(burden).encode())
    return Played(burden, out / REPORT, bad)


def _page(burden: Burden) -> str:
    per_day = "-" if burden.cards_per_clinician_day is None else f"{burden.cards_per_clinician_day:.3f}"
    chart: dict[str, dict[str, int]] = {}
    for item in burden.rules:
        chart.setdefault(item.rule, {})
        chart[item.rule][item.outcome] = chart[item.rule].get(item.outcome, 0) + item.orders
    rules = [(r.rule, r.mode, r.outcome, r.tier, r.orders, r.per_1000_orders) for r in burden.rules]
    head = (
        f"<p>As of {escape(burden.as_of)}. Engine {escape(__version__)}. {burden.orders:,} orders in "
        f"{burden.sessions:,} signing sessions on {burden.clinician_days:,} clinician-days.</p>"
    )
    note = (
        '<p class="note">Each order was judged as of the time it was signed, with nothing visible that was '
        "written down later. Results that were amended since are seen as they are now. No clinician has signed "
        "the rules yet; nothing here has been validated clinically.</p>"
    )
    rates = (
        f"<h2>Cards</h2><p>{burden.cards_per_1000_orders:.1f} cards per 1,000 orders, {per_day} per "
        f"clinician-day. {burden.orders_with_card:,} orders have a rule that fires live.</p>"
    )
    cards = [(indicator, count) for indicator, count in burden.cards.items()]
    body = [
        "<h1>Replay report</h1>",
        head,
        note,
        rates,
        table(("Indicator", "Cards"), cards),
        "<h2>Rules</h2>",
        figure(
            stacked_bars(
                chart,
                ("fires", "cannot-assess", "suppressed"),
                name="rules",
                title="Outcome of each rule on replayed orders",
                axis="orders",
                legend="outcome",
            ),
            "Orders on which each rule fires, cannot be assessed or is suppressed.",
        ),
        table(("Rule", "Mode", "Outcome", "Tier", "Orders", "Per 1,000 orders"), rules),
        *_changes(burden),
        *troubles_section(burden.troubles),
    ]
    return page("Replay report", body)


def _changes(burden: Burden) -> list[str]:
    if burden.other_cards is None:
        return []
    rows = [(item.rule, item.change, item.orders, ", ".join(item.cases[:5])) for item in burden.changes]
    cards = [
        (name, burden.cards.get(name, 0), burden.other_cards.get(name, 0))
        for name in sorted(burden.cards.keys() | burden.other_cards.keys())
    ]
    return [
        "<h2>The other rule set</h2>",
        table(("Indicator", "Cards now", "Cards with the other"), cards),
        table(("Rule", "Change", "Orders", "First cases"), rows),
    ]
