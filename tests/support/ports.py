"""A port that stays free until a test binds it."""

from __future__ import annotations

import random
import socket

# Below the ephemeral range: no outgoing connection of a test that runs meanwhile can take it.
_RANGE = range(20_000, 32_000)


def free_port() -> int:
    for port in random.sample(_RANGE, 200):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise RuntimeError("no free port")
