"""A FHIR server on loopback that misbehaves on request, and says what it heard."""

from __future__ import annotations

import gzip
import json
import socket
import struct
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

FHIR_JSON = "application/fhir+json"
Behaviour = Callable[["Handler"], None]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Server

    def handle_one_request(self):
        try:
            super().handle_one_request()
        except OSError:  # the client cut the connection, as it should
            self.close_connection = True

    def do_GET(self):
        fake = self.server.fake
        length = int(self.headers.get("Content-Length") or 0)
        fake.heard.append(Heard(self.command, self.path, dict(self.headers), self.rfile.read(length)))
        fake.connections.add(self.client_address)
        fake.next_behaviour(self.path)(self)

    do_POST = do_GET  # noqa: N815 - the name http.server looks for

    def log_message(self, *args):
        pass

    def head(self, status=200, length=None, **headers):
        self.send_response(status)
        headers.setdefault("content_type", FHIR_JSON)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        if length is None:
            self.send_header("Connection", "close")
            self.close_connection = True
        else:
            self.send_header("Content-Length", str(length))
        self.end_headers()


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    fake: FakeFhir


class Heard:
    def __init__(self, method, path, headers, body):
        self.method, self.path, self.headers, self.body = method, path, headers, body


class FakeFhir:
    """`on("Condition", json_answer(...), ...)` sets what reads of a type get: the last one is repeated."""

    def __init__(self):
        self.heard: list[Heard] = []
        self.connections: set = set()
        self.closing = threading.Event()
        self._behaviours: dict[str, list[Behaviour]] = {}
        self._lock = threading.Lock()
        self._server = Server(("127.0.0.1", 0), Handler)
        self._server.fake = self
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    @property
    def root(self):
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def base(self):
        return f"{self.root}/fhir"

    @property
    def paths(self):
        return [heard.path for heard in self.heard]

    def on(self, start, *behaviours):
        slash = "" if start == "" or start.startswith(("?", "/")) else "/"
        self._behaviours[f"/fhir{slash}{start}"] = list(behaviours)

    def next_behaviour(self, path):
        with self._lock:
            starts = [start for start in self._behaviours if path.startswith(start)]
            if not starts:
                return status(404)
            line = self._behaviours[max(starts, key=len)]
            return line.pop(0) if len(line) > 1 else line[0]

    def close(self):
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def bundle(*resources, next_link=None, **members):
    document = {"resourceType": "Bundle", "type": "searchset", **members}
    if resources:
        document["entry"] = [{"resource": resource} for resource in resources]
    if next_link:
        document["link"] = [{"relation": "next", "url": next_link}]
    return document


def condition(number, **members):
    return {"resourceType": "Condition", "id": f"c{number}", **members}


EPIC_NO_RESULTS = {"system": "urn:oid:1.2.840.114350.1.13.0.1.7.2.657369", "code": "4101"}


def outcome(severity="error", code="processing", coding=None):
    issue = {"severity": severity, "code": code}
    if coding:
        issue["details"] = {"coding": [coding]}
    return {"resourceType": "OperationOutcome", "issue": [issue]}


def raw(body: bytes, status=200, **headers) -> Behaviour:
    def behave(handler):
        handler.head(status, len(body), **headers)
        handler.wfile.write(body)

    return behave


def json_answer(document, **headers) -> Behaviour:
    return raw(json.dumps(document).encode(), **headers)


def status(number, **headers) -> Behaviour:
    return raw(json.dumps(outcome()).encode(), status=number, **headers)


def redirect(to) -> Behaviour:
    return status(302, location=to)


def redirect_with_endless_body(to) -> Behaviour:
    def behave(handler):
        handler.head(302, location=to)
        while not handler.server.fake.closing.is_set():
            handler.wfile.write(b"x" * 65_536)

    return behave


def slow(seconds, then: Behaviour) -> Behaviour:
    def behave(handler):
        handler.server.fake.closing.wait(seconds)
        then(handler)

    return behave


def hang(handler):
    """Accept and never say a word."""
    handler.server.fake.closing.wait()
    handler.close_connection = True


def drip_body(handler):
    """A byte now and then: each socket read succeeds in time."""
    handler.head(200, 1_000_000)
    _drip(handler, b" ")


def drip_chunked_gzip(handler):
    """Chunked and compressed, so that bytes arrive without any decoded output."""
    handler.send_response(200)
    for name, value in (
        ("Content-Type", FHIR_JSON),
        ("Content-Encoding", "gzip"),
        ("Transfer-Encoding", "chunked"),
    ):
        handler.send_header(name, value)
    handler.end_headers()
    handler.wfile.write(b"a\r\n" + gzip.compress(b"")[:10] + b"\r\n")
    _drip(handler, b"5\r\n\x00\x00\x00\xff\xff\r\n")


def drip_headers(handler):
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    _drip(handler, b"x")


def endless_continue(handler):
    _drip(handler, b"HTTP/1.1 100 Continue\r\n\r\n")


def _drip(handler, piece):
    while not handler.server.fake.closing.wait(0.02):
        handler.wfile.write(piece)
        handler.wfile.flush()


def reset(handler):
    """RST instead of an answer."""
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.close_connection = True
    handler.connection.close()


def cut_body(document) -> Behaviour:
    """Half of the announced body, then the end of the connection."""

    def behave(handler):
        body = json.dumps(document).encode()
        handler.head(200, len(body))
        handler.wfile.write(body[: len(body) // 2])
        handler.close_connection = True

    return behave


def gzip_bomb(megabytes) -> Behaviour:
    body = gzip.compress(b" " * (megabytes << 20))
    return raw(body, content_encoding="gzip")


def by_query(answers: Callable[[str], Behaviour]) -> Behaviour:
    return lambda handler: answers(handler.path)(handler)


def wait_until(condition_met: Callable[[], bool], seconds=2.0) -> bool:
    end = time.monotonic() + seconds
    while not condition_met() and time.monotonic() < end:
        time.sleep(0.005)
    return condition_met()


def threads_free(client, threads):
    """All threads of a FhirClient are back: each can meet the others."""
    together = threading.Barrier(threads)
    for job in [client._executor.submit(together.wait, 5) for _ in range(threads)]:
        job.result()
    return True
