"""A listener on loopback that notes every connection, and a log of the connections this process makes."""

from __future__ import annotations

import socket
import sys
import threading
from contextlib import contextmanager

_watching: list[list[tuple]] = []


class Stranger:
    """`heard` has one entry for each connection, whether or not anything was sent."""

    def __init__(self):
        self.heard = []
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self.root = f"http://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._listen, daemon=True)

    def _listen(self):
        while True:
            try:
                connection, address = self._listening.accept()
            except OSError:  # closed
                return
            self.heard.append(address)
            connection.close()

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._thread.join(5)


def _hook(event, arguments):
    # Audit hooks stay for good, so this one does nothing unless a test watches.
    if _watching and event in ("socket.connect", "socket.getaddrinfo"):
        target = arguments[1] if event == "socket.connect" else arguments[:2]
        for seen in _watching:
            seen.append((event, target))


sys.addaudithook(_hook)


@contextmanager
def connections(*expected_ports):
    """Everything this process looked up or connected to, but for connections to these ports."""
    seen = []
    _watching.append(seen)
    try:
        yield seen
    finally:
        # Not `remove`: two empty lists are equal.
        _watching[:] = [each for each in _watching if each is not seen]
        seen[:] = [each for each in seen if each[1][1] not in expected_ports]
