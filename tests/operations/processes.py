"""The service as an operator runs it: a process of its own, started, signalled and stopped."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager, suppress

import requests
from support.ports import free_port

START_S = 90


def environment(**settings):
    """The settings of this test and no others."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("CDS_")}
    return {**clean, "CDS_AS_OF": "2026-11-21T12:00:00Z", **{k: str(v) for k, v in settings.items()}}


class Service:
    """One `cds-service serve`, spoken to over HTTP."""

    def __init__(self, log, *arguments, port=None, **settings):
        self.port = port or free_port()
        self.base = f"http://127.0.0.1:{self.port}"
        self._log = log
        with log.open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "cds_service", "serve", "--port", str(self.port), *arguments],
                env=environment(**settings),
                stdout=output,
                stderr=output,
            )
        self.session = requests.Session()
        self.session.trust_env = False

    @property
    def log(self):
        return self._log.read_text()

    def get(self, path):
        return self.session.get(f"{self.base}{path}", timeout=20)

    def post(self, path, document, **options):
        return self.session.post(f"{self.base}{path}", json=document, timeout=20, **options)

    def ready(self):
        return self.get("/ready").json()

    def metric(self, sample):
        """Value of the sample that begins so, or None."""
        for line in self.get("/metrics").text.splitlines():
            if line.startswith(sample):
                return float(line.rpartition(" ")[2])
        return None

    def wait(self, good, seconds=START_S):
        """Until `good()` is true; connections may fail meanwhile."""
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            if self.process.poll() is not None:
                raise AssertionError(f"the service has ended:\n{self.log}")
            with suppress(requests.RequestException):
                if good():
                    return
            time.sleep(0.02)
        raise AssertionError(f"not within {seconds} s:\n{self.log}")

    def signal(self, number):
        self.process.send_signal(number)

    def reload(self):
        """SIGHUP, and wait until the reload was taken or refused."""

        def count():
            return sum(self.metric(f'cds_reloads_total{{result="{r}"') or 0 for r in ("taken", "refused"))

        before = count()
        self.signal(signal.SIGHUP)
        self.wait(lambda: count() > before)

    def stop(self, seconds=20):
        """SIGTERM; the exit code."""
        if self.process.poll() is None:
            self.signal(signal.SIGTERM)
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise
        finally:
            self.session.close()


@contextmanager
def served(folder, *arguments, name="service", wait=True, **settings):
    """A running service with its log and, unless told otherwise, its records in `folder`."""
    settings.setdefault("CDS_STORE_URL", f"sqlite:///{folder / 'records.sqlite'}")
    service = Service(folder / f"{name}.log", *arguments, **settings)
    try:
        if wait:
            service.wait(lambda: service.get("/health").ok)
        yield service
    finally:
        service.stop()


class Relay:
    """A TCP address in front of a server that can vanish and come back, as a database that is restarted."""

    def __init__(self, port):
        self._target = ("127.0.0.1", port)
        self.port = free_port()
        self._listener = None
        self._open = set()

    def start(self):
        self._listener = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def stop(self):
        if self._listener is not None:
            # Closing alone would leave the thread in `accept`, and with it the port open.
            with suppress(OSError):
                self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
        for one in list(self._open):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def _accept(self, listener):
        with suppress(OSError):
            while True:
                near, _ = listener.accept()
                far = socket.create_connection(self._target)
                self._open |= {near, far}
                for source, sink in ((near, far), (far, near)):
                    threading.Thread(target=self._copy, args=(source, sink), daemon=True).start()

    def _copy(self, source, sink):
        with suppress(OSError):
            while data := source.recv(65_536):
                sink.sendall(data)
        for one in (source, sink):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        source.close()
        self._open.discard(source)
