"""Several processes on one port: started, kept alive and stopped together.

Each is an ordinary `serve` on a socket of its own, and the kernel spreads the connections over them. On one socket
the worker that wakes first takes all that wait: an EHR that keeps its connections would keep one worker busy and
the others idle. A socket joins when its worker listens and leaves when it ends. Nothing is shared but the store;
counters are summed by the Prometheus client through files, as its manual describes for several processes.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable

import structlog

from cds_service.gauges import SHARED
from cds_service.serving import bind

log = structlog.get_logger()
_TICK_S = 0.2
_SPREADS = sys.platform == "linux"
"""Whether the kernel spreads connections over the sockets of one address; elsewhere the workers share one."""
_REFUSED = 2
"""Exit code of a worker whose settings cannot be used: another try would end the same way."""
# A worker that dies at once again and again must not take the processor with it.
_PAUSES_S = (0.0, 0.5, 2.0, 10.0)
_LONG_ENOUGH_S = 30.0


class _Worker:
    def __init__(self, sock: Callable[[], socket.socket]) -> None:
        self._socket = sock
        self._early_deaths = 0
        self._not_before = 0.0
        self._start()

    def _start(self) -> None:
        self._began = time.monotonic()
        with self._socket() as sock:
            command = [sys.executable, "-m", "cds_service", "serve", "--fd", str(sock.fileno())]
            # The mask is inherited: a SIGHUP that comes while a worker starts waits until it can reload.
            before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP})
            self.process = subprocess.Popen(command, pass_fds=[sock.fileno()])  # noqa: S603 - our own command
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def keep(self) -> int | None:
        """Start it again if it died; the exit code if that would be no use."""
        code = self.process.poll()
        if code is None:
            return None
        if code == _REFUSED:
            return code
        now = time.monotonic()
        if not self._not_before:
            log.error("worker_died", count=self._early_deaths + 1, status=code)
            self._early_deaths = 0 if now - self._began > _LONG_ENOUGH_S else self._early_deaths + 1
            self._not_before = now + _PAUSES_S[min(self._early_deaths, len(_PAUSES_S)) - 1]
        if now >= self._not_before:
            self._not_before = 0.0
            self._start()
        return None


def run_workers(sock: socket.socket, number: int) -> int:
    """Serve with `number` processes on the address of `sock` until stopped; returns the exit code.

    SIGTERM and SIGINT stop all of them, each drains; SIGHUP lets each reload. A worker that dies is replaced.

    Raises:
        OSError: the address is taken.
    """
    # Fails where another service has the port; the workers' own sockets would share it with theirs.
    sock.listen()
    each = _own_sockets(sock) if _SPREADS else sock.dup
    wanted: list[int] = []
    for sig in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(sig, lambda received, _: wanted.append(received))
    with tempfile.TemporaryDirectory(prefix="cds-metrics-") as folder:
        os.environ[SHARED] = folder
        workers = [_Worker(each) for _ in range(number)]
        code = _watch(workers, wanted)
        for worker in workers:
            _pass_on(worker, signal.SIGTERM)
        for worker in workers:
            worker.process.wait()
    return code


def _own_sockets(sock: socket.socket) -> Callable[[], socket.socket]:
    """Makes sockets for the address of `sock`, which is closed; one that never listens keeps the port until the end."""
    host, port = sock.getsockname()[:2]
    sock.close()
    kept = bind(host, port, shared=True)
    return lambda: bind(*kept.getsockname()[:2], shared=True)


def _watch(workers: list[_Worker], wanted: list[int]) -> int:
    while True:
        while wanted:
            received = wanted.pop(0)
            if received != signal.SIGHUP:
                return 0
            for worker in workers:
                _pass_on(worker, received)
        for worker in workers:
            if (code := worker.keep()) is not None:
                return code
        time.sleep(_TICK_S)


def _pass_on(worker: _Worker, received: int) -> None:
    if worker.process.poll() is None:
        worker.process.send_signal(received)
