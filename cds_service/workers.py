"""Several processes on one port: started, kept alive and stopped together.

Each is an ordinary `serve` on an inherited listening socket, so a connection that waits is taken by whoever is
free and none is lost when a worker ends. Nothing is shared but the store; counters are summed by the Prometheus
client through files, as its manual describes for several processes.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time

import structlog

from cds_service.gauges import SHARED

log = structlog.get_logger()
_TICK_S = 0.2
_REFUSED = 2
"""Exit code of a worker whose settings cannot be used: another try would end the same way."""
# A worker that dies at once again and again must not take the processor with it.
_PAUSES_S = (0.0, 0.5, 2.0, 10.0)
_LONG_ENOUGH_S = 30.0


class _Worker:
    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._early_deaths = 0
        self._not_before = 0.0
        self._start()

    def _start(self) -> None:
        self._began = time.monotonic()
        command = [sys.executable, "-m", "cds_service", "serve", "--fd", str(self._fd)]
        # The mask is inherited: a SIGHUP that comes while a worker starts waits until it can reload.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP})
        self.process = subprocess.Popen(command, pass_fds=[self._fd])  # noqa: S603 - our own command
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
    """Serve with `number` processes until stopped; returns the exit code.

    SIGTERM and SIGINT stop all of them, each drains; SIGHUP lets each reload. A worker that dies is replaced.
    """
    sock.listen()
    wanted: list[int] = []
    for sig in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(sig, lambda received, _: wanted.append(received))
    with tempfile.TemporaryDirectory(prefix="cds-metrics-") as folder:
        os.environ[SHARED] = folder
        workers = [_Worker(sock.fileno()) for _ in range(number)]
        code = _watch(workers, wanted)
        for worker in workers:
            _pass_on(worker, signal.SIGTERM)
        for worker in workers:
            worker.process.wait()
    return code


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
