"""`cds-service demo`: the main job on the embedded default, with the synthetic patients."""

from __future__ import annotations

import asyncio
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from rich.console import Console

from cds_service.cli.explain import read_case, show_card
from cds_service.content.cases import read_cases
from cds_service.engine import Engine
from cds_service.errors import CdsError
from cds_service.serving import make_server, running_engine
from cds_service.settings import SettingsError, load_settings
from cds_service.simulation import DAYS, simulate
from cds_service.store.store import Store

CASE = Path("fixtures/cases/vka-dialysis-new-start.json")
STORE = Path("var/demo.sqlite")
"""The demo's own records, made anew at each start: nothing invented may ever reach a real store."""
HOST = "127.0.0.1"
_START_S = 10.0


def run(console: Console, *, port: int, keep_serving: bool) -> None:
    """Start, post, show; then serve until interrupted.

    Raises:
        SettingsError: the case is not there, or the port is taken.
    """
    if not CASE.exists():
        raise SettingsError("run the demo from the project's folder (fixtures/ is missing)")
    example = read_case(CASE, None)
    for old in STORE.parent.glob(f"{STORE.name}*"):
        old.unlink()
    settings = load_settings(
        **example.settings,
        environment="development",
        public_url=f"http://{HOST}:{port}",
        store_url=f"sqlite:///{STORE}",
    )
    with running_engine(settings) as engine:
        try:
            server, sock = make_server(engine, HOST, port)
        except OSError:
            raise SettingsError(f"port {port} is taken; choose another with --port") from None
        thread = threading.Thread(target=server.run, kwargs={"sockets": [sock]}, daemon=True)
        thread.start()
        begun = time.monotonic()
        while not server.started:
            if time.monotonic() - begun > _START_S:
                raise SettingsError("the server did not start")
            time.sleep(0.01)
        base = f"http://{HOST}:{port}"
        _show(console, base, example.service, example.body)
        _next_steps(console, base, example.service, str(settings.as_of))
        if keep_serving and engine.store is not None:
            # Behind the first card, and stepping aside for every call.
            threading.Thread(target=_fill, args=(console, engine, engine.store), daemon=True).start()
        try:
            while keep_serving and thread.is_alive():
                thread.join(1)
        except KeyboardInterrupt:
            console.print("Stopping.")
        server.should_exit = True
        thread.join(10)


def _fill(console: Console, engine: Engine, store: Store) -> None:
    cases = list(read_cases(CASE.parent).by_stem.values())
    written = asyncio.run(simulate(engine, store, cases, datetime.now(UTC)))
    console.print(f"Governance page: {written:,} simulated calls of {DAYS} days are written.")


def _show(console: Console, base: str, service: str, body: bytes) -> None:
    from urllib.request import Request, urlopen  # noqa: PLC0415 - a client of the demo only

    url = f"{base}/cds-services/{service}"
    console.rule("An EHR signs a warfarin order for a dialysis patient (synthetic)")
    request = Request(url, data=body, headers={"Content-Type": "application/json"})  # noqa: S310 - loopback
    with urlopen(request, timeout=10) as answer:  # noqa: S310 - loopback
        cards = msgspec.json.decode(answer.read())["cards"]
    if not cards:
        raise CdsError("the demo case gave no card")
    for card in cards:
        show_card(console, card)


def _next_steps(console: Console, base: str, service: str, as_of: str) -> None:
    command = (
        f"curl -s -X POST {base}/cds-services/{service} -H 'Content-Type: application/json' --data-binary @-"
    )
    pick = f'python3 -c \'import json;print(json.dumps(json.load(open("{CASE}"))["request"]))\''
    console.rule("Try next")
    console.print(f"Start page  {base}/", soft_wrap=True)
    console.print(f"Playground  {base}/playground", soft_wrap=True)
    console.print(f"Discovery   {base}/cds-services", soft_wrap=True)
    console.print(f"API page    {base}/docs", soft_wrap=True)
    console.print(f"Evidence    {base}/evidence", soft_wrap=True)
    console.print(f"Trends      {base}/trend?patient=hd-year", soft_wrap=True)
    console.print(f"Governance  {base}/governance (a simulated fortnight, written meanwhile)", soft_wrap=True)
    console.print(f"The same call again:\n  {pick} | {command}", soft_wrap=True, markup=False)
    console.print(
        f"Why it fired:\n  {pick} | {command.replace('/cds-services/', '/explain/')}",
        soft_wrap=True,
        markup=False,
    )
    console.print(
        f"The clinical clock is fixed at {as_of}. Synthetic data only; no clinician has signed the content."
    )
