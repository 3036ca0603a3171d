"""`cds-service demo`: the main job on the embedded default, with the synthetic patients."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import msgspec
from rich.console import Console

from cds_service.cli.explain import read_case, show_card
from cds_service.errors import CdsError
from cds_service.serving import make_server, running_engine
from cds_service.settings import SettingsError, load_settings

CASE = Path("fixtures/cases/vka-dialysis-new-start.json")
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
    settings = load_settings(**example.settings, public_url=f"http://{HOST}:{port}")
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
        try:
            while keep_serving and thread.is_alive():
                thread.join(1)
        except KeyboardInterrupt:
            console.print("Stopping.")
        server.should_exit = True
        thread.join(10)


def _show(console: Console, base: str, service: str, body: bytes) -> None:
    from urllib.request import Request, urlopen  # noqa: PLC0415 - a client of the demo only

    url = f"{base}/cds-services/{service}"
    console.rule("An EHR signs a warfarin order for a dialysis patient (synthetic)")
    request = Request(url, data=body, headers={"Content-Type": "application/json"})  # noqa: S310 - loopback
    with urlopen(request, timeout=10) as answer:  # noqa: S310
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
    console.print(f"Discovery   {base}/cds-services", soft_wrap=True)
    console.print(f"API page    {base}/docs", soft_wrap=True)
    console.print(f"Evidence    {base}/evidence", soft_wrap=True)
    console.print(f"The same call again:\n  {pick} | {command}", soft_wrap=True, markup=False)
    console.print(
        f"Why it fired:\n  {pick} | {command.replace('/cds-services/', '/explain/')}",
        soft_wrap=True,
        markup=False,
    )
    console.print(
        f"The clinical clock is fixed at {as_of}. Synthetic data only; no clinician has signed the content."
    )
