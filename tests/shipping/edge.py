"""A real nginx on loopback, started from the file that compose ships: only places and ports are put in."""

from __future__ import annotations

import os
import shutil
import socket
import ssl
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import requests
from support.ports import free_port

ROOT = Path(__file__).resolve().parents[2]
CONF = ROOT / "deploy/nginx/nginx.conf"
NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
NAME = "cds.example.org"

needs_nginx = pytest.mark.skipif(
    NGINX is None, reason="NOT TESTED: nginx is not installed (Debian: nginx-light)"
)


@dataclass
class Edge:
    """The proxy as a caller sees it; `folder` holds its certificate and its log.

    `health` is the port that only the container's own health check can reach.
    """

    port: int
    health: int
    folder: Path

    @property
    def base(self):
        return f"https://localhost:{self.port}"

    @property
    def log(self):
        return (self.folder / "access.log").read_text()

    def session(self, **options):
        session = requests.Session()
        session.trust_env = False
        session.verify = str(self.folder / "proxy/tls.crt")
        for name, value in options.items():
            setattr(session, name, value)
        return session

    @contextmanager
    def connection(self):
        """A bare TLS connection, for requests that no HTTP client would send."""
        context = ssl.create_default_context(cafile=str(self.folder / "proxy/tls.crt"))
        with (
            socket.create_connection(("127.0.0.1", self.port), timeout=20) as plain,
            context.wrap_socket(plain, server_hostname="localhost") as secure,
        ):
            yield secure


def make_secrets(folder: Path) -> None:
    """What compose's first start makes, by the same script."""
    script = ROOT / "scripts/first_start.py"
    subprocess.run([sys.executable, script, folder, "--name", NAME], check=True, capture_output=True)


@contextmanager
def nginx(folder: Path, upstreams, *, extra: str = "", changes=()):
    """Run nginx in front of these ports; `extra` is a file that a site mounts, `changes` replaces text."""
    make_secrets(folder)
    port, health = free_port(), free_port()
    tmp = folder / "tmp"
    tmp.mkdir()
    (folder / "extra").mkdir()
    (folder / "extra/site.conf").write_text(extra.replace("/secrets/proxy", str(folder / "proxy")))
    text = CONF.read_text()
    first, second = (upstreams * 2)[:2]
    for old, new in (
        ("/tmp/", f"{tmp}/"),
        ("listen 8443", f"listen 127.0.0.1:{port}"),
        ("listen 127.0.0.1:8081", f"listen 127.0.0.1:{health}"),
        ("replica-1:8000", f"127.0.0.1:{first}"),
        ("replica-2:8000", f"127.0.0.1:{second}"),
        ("/secrets/proxy", str(folder / "proxy")),
        ("/etc/nginx/extra", str(folder / "extra")),
        ("/dev/stderr", str(folder / "error.log")),
        ("/dev/stdout", str(folder / "access.log")),
        *changes,
    ):
        assert old in text, f"{old} is no longer in nginx.conf"
        text = text.replace(old, new)
    conf = folder / "nginx.conf"
    conf.write_text(text)
    # As in compose: one user from the start. Started by root, nginx would otherwise change to one that owns nothing here.
    globally = "daemon off; user root;" if os.geteuid() == 0 else "daemon off;"
    with (folder / "stderr.log").open("w") as stderr:
        process = subprocess.Popen([NGINX, "-p", folder, "-c", conf, "-g", globally], stderr=stderr)
    try:
        _wait_for(port, process, folder)
        yield Edge(port, health, folder)
    finally:
        process.terminate()
        process.wait(10)


def _wait_for(port, process, folder):
    end = time.monotonic() + 10
    while time.monotonic() < end:
        assert process.poll() is None, (folder / "stderr.log").read_text()
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise AssertionError("nginx did not start")


class Echo:
    """An upstream that remembers what reached it; it ends the next `breaks_off` connections without a word."""

    def __init__(self):
        self.heard: list[dict[str, list[str]]] = []
        self.breaks_off = 0
        echo = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                if echo.breaks_off:
                    echo.breaks_off -= 1
                    self.close_connection = True
                    return
                self.rfile.read(int(self.headers["Content-Length"]))
                echo.heard.append({name: self.headers.get_all(name) for name in self.headers})
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *args):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def close(self):
        self._server.shutdown()
        self._server.server_close()
