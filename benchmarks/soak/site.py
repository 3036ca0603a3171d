"""Everything that can fail: PostgreSQL, a FHIR server, two processes of the service and what restarts them."""

from __future__ import annotations

import json
import os
import pwd
import shutil
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import requests
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from benchmarks.servers import ROOT, free_port
from benchmarks.soak.chart import AS_OF

ISSUER = "https://ehr.example.org"
PUBLIC_URL = "https://cds.example.org"
_START_S = 60
_LOOK_S = 0.05


class Postgres:
    """A real one in a folder of its own, as a user other than root."""

    def __init__(self, folder: Path) -> None:
        found = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_ctl")) or [
            Path(shutil.which("pg_ctl") or "")
        ]
        self._bin = found[-1].parent
        if not (self._bin / "initdb").exists():
            raise SystemExit("PostgreSQL is not installed (Debian: postgresql)")
        self._folder, self._port = folder, free_port()
        folder.mkdir(mode=0o755)
        self._user: list[str] = []
        if os.geteuid() == 0:
            with suppress(KeyError):
                self._user = ["runuser", "-u", pwd.getpwnam("postgres").pw_name, "--"]
            self._user = self._user or ["runuser", "-u", "nobody", "--"]
            shutil.chown(folder, self._user[2])
        self._run(
            "initdb",
            "--username",
            "cds",
            "--auth",
            "trust",
            "--encoding",
            "UTF8",
            "--pgdata",
            folder / "data",
        )
        self.start()

    @property
    def url(self) -> str:
        return f"postgresql://cds@127.0.0.1:{self._port}/postgres"

    def start(self) -> None:
        options = f"-p {self._port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={self._folder}"
        log = self._folder / "log"
        self._run(
            "pg_ctl", "--wait", "--log", log, "--options", options, "--pgdata", self._folder / "data", "start"
        )

    def crash(self) -> None:
        """Stop without finishing anything: what was acknowledged must be in its log."""
        self._run("pg_ctl", "--mode", "immediate", "--pgdata", self._folder / "data", "stop")

    def _run(self, program: str, *arguments: str | Path) -> None:
        command = [*self._user, str(self._bin / program), *map(str, arguments)]
        subprocess.run(command, cwd="/", check=True, stdout=subprocess.DEVNULL)


class Fhir:
    """The FHIR server in a process of its own, which can be made to hang."""

    def __init__(self) -> None:
        self._port = free_port()
        code = f"from benchmarks.soak.chart import serve; serve({self._port})"
        self._process = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT)
        wait_for(f"http://127.0.0.1:{self._port}/fhir/Patient/x")

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self._port}/fhir"

    def hang(self) -> None:
        self._process.send_signal(signal.SIGSTOP)

    def restore(self) -> None:
        self._process.send_signal(signal.SIGCONT)

    def close(self) -> None:
        self.restore()
        self._process.terminate()
        self._process.wait(10)


class Replicas:
    """Two processes of the service on one database, and a supervisor that starts a dead one again."""

    def __init__(self, folder: Path, store_url: str, fhir_base: str) -> None:
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        public = {**RSAAlgorithm.to_jwk(self.key.public_key(), as_dict=True), "kid": "k1", "use": "sig"}
        client = {
            "id": "ehr",
            "issuer": ISSUER,
            "jwks": {"keys": [public]},
            "fhir_base": [fhir_base],
            "open_fhir": True,
        }
        (folder / "clients.json").write_text(json.dumps({"clients": [client]}))
        self.environment = {
            name: value for name, value in os.environ.items() if not name.startswith("CDS_")
        } | {
            "CDS_AUTH": "required",
            "CDS_CLIENTS": str(folder / "clients.json"),
            "CDS_PUBLIC_URL": PUBLIC_URL,
            "CDS_STORE_URL": store_url,
            "CDS_HASH_KEY": "a-key-for-this-soak-run-only",
            "CDS_AS_OF": AS_OF,
        }
        self._ports = [free_port(), free_port()]
        self._log = (folder / "service.log").open("w")
        self._processes = [self._start(port) for port in self._ports]
        self._ending = threading.Event()
        self._supervisor = threading.Thread(target=self._supervise, daemon=True)
        self.restarts = 0

    @property
    def bases(self) -> list[str]:
        return [f"http://127.0.0.1:{port}" for port in self._ports]

    def _start(self, port: int) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "cds_service", "serve", "--port", str(port)]
        return subprocess.Popen(command, cwd=ROOT, env=self.environment, stdout=self._log, stderr=self._log)

    def _supervise(self) -> None:
        while not self._ending.wait(_LOOK_S):
            for number, process in enumerate(self._processes):
                if process.poll() is not None:
                    self._processes[number] = self._start(self._ports[number])
                    self.restarts += 1

    def begin(self) -> None:
        """Wait for the first start, and from then on start again what dies."""
        self.wait()
        self._supervisor.start()

    def wait(self) -> None:
        """Until both answer."""
        for base in self.bases:
            wait_for(f"{base}/ready")

    def kill(self, number: int) -> None:
        """SIGKILL: no draining, no last words. Not before the other one is there to take over."""
        self.wait()
        self._processes[number].kill()

    def metric(self, name: str) -> float:
        """The sum of a counter over both processes; what a killed one had counted died with it."""
        total = 0.0
        for base in self.bases:
            lines = requests.get(f"{base}/metrics", timeout=10).text.splitlines()
            total += sum(
                float(line.rsplit(" ", 1)[1]) for line in lines if line.split("{")[0].split(" ")[0] == name
            )
        return total

    def command(self, *arguments: str) -> str:
        """Output of the service's own command line on the same database."""
        command = [sys.executable, "-m", "cds_service", *arguments]
        return subprocess.run(
            command, cwd=ROOT, env=self.environment, check=True, capture_output=True, text=True
        ).stdout

    def close(self) -> None:
        """End both as a roll-over does."""
        self._ending.set()
        if self._supervisor.is_alive():
            self._supervisor.join()
        for process in self._processes:
            process.terminate()
        for process in self._processes:
            process.wait(30)
        self._log.close()


def wait_for(url: str) -> None:
    """Until there is an answer of any kind."""
    end = time.monotonic() + _START_S
    while True:
        try:
            requests.get(url, timeout=2)
        except requests.RequestException:
            if time.monotonic() > end:
                raise SystemExit(f"nothing answers at {url}") from None
            time.sleep(_LOOK_S)
        else:
            return
