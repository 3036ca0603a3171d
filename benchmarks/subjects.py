"""What is measured: the service as it is shipped (all rules live, trace off) and the floors beside it."""

from __future__ import annotations

import asyncio
import gc
import json
import uuid
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson

from benchmarks import bodies
from cds_service import pipeline
from cds_service.app import create_app
from cds_service.engine import Engine, build_engine
from cds_service.serving import running_engine
from cds_service.settings import load_settings

SIGN = "calciphylaxis-order-sign"
PATH = f"/cds-services/{SIGN}"
CANNED = orjson.dumps(
    {
        "cards": [
            {
                "uuid": str(uuid.UUID(int=1)),
                "summary": "Warfarin on dialysis: VKAs are linked to calciphylaxis (rare, severe).",
                "detail": "x" * 900,
                "indicator": "warning",
                "source": {"label": "floor"},
            }
        ]
    }
)
AsgiApp = Callable[..., Awaitable[None]]


@contextmanager
def engine(folder: Path | None = None, **settings: Any) -> Iterator[Engine]:
    """An engine with every rule live; with `folder` it is the one `serve` runs, and records durably to a file there."""
    chosen = {"as_of": bodies.AS_OF, "rule_modes": {"*": "live"}, **settings}
    if folder is not None:
        with running_engine(
            load_settings(store_url=f"sqlite:///{folder / 'bench.sqlite'}", **chosen)
        ) as running:
            running.warm()
            _settle()
            yield running
        return
    built = build_engine(load_settings(**chosen), store=None)
    built.warm()
    _settle()
    try:
        yield built
    finally:
        built.fhir.close()


def _settle() -> None:
    """As `serve` does after start-up: what was imported and built is never walked by the collector again."""
    gc.collect()
    gc.freeze()


def answered(built: Engine, body: bytes) -> bytes:
    """Request bytes to card bytes, on the engine alone: with complete prefetch nothing is awaited."""
    line = pipeline.answer(built, SIGN, {}, body)
    try:
        line.send(None)
    except StopIteration as end:
        reply: pipeline.Reply = end.value
        return reply.body
    line.close()
    raise AssertionError("the engine waited for something although the prefetch is complete")


def signature(answer: bytes) -> list[Any]:
    """What a card says, without its uuids: the same in every variant, or the variant is not the same service."""
    return [
        [card["source"]["topic"]["code"], card["indicator"], card["summary"], card.get("detail")]
        for card in json.loads(answer)["cards"]
    ]


async def floor_app(scope: dict[str, Any], receive: Callable[..., Any], send: Callable[..., Any]) -> None:
    """The floor: read the body, parse it with the fastest general parser, answer with a canned card."""
    if scope["type"] != "http":
        return
    orjson.loads(await _read(receive))
    await send(
        {"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]}
    )
    await send({"type": "http.response.body", "body": CANNED})


async def _read(receive: Callable[..., Any]) -> bytes:
    parts = []
    while True:
        message = await receive()
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(parts)


async def request(
    app: AsgiApp, body: bytes, headers: list[tuple[bytes, bytes]] | None = None
) -> tuple[int, bytes]:
    """One call of an ASGI app without sockets."""
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": PATH,
        "raw_path": PATH.encode(),
        "query_string": b"",
        "headers": [
            (b"host", b"127.0.0.1:8000"),
            (b"content-type", b"application/json"),
            (b"content-length", str(len(body)).encode()),
            *(headers or []),
        ],
        "client": ("127.0.0.1", 50000),
        "server": ("127.0.0.1", 8000),
    }
    sent: list[dict[str, Any]] = []
    unread = True

    async def receive() -> dict[str, Any]:
        nonlocal unread
        if not unread:
            await asyncio.get_running_loop().create_future()
        unread = False
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    await app(scope, receive, send)
    return sent[0]["status"], b"".join(part.get("body", b"") for part in sent[1:])


def service_app(built: Engine) -> AsgiApp:
    app: AsgiApp = create_app(built)
    return app
