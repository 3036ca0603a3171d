"""Load from wrk on the other core, read back as figures."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.servers import Running
from benchmarks.subjects import PATH

_SCRIPT = """
local file = io.open(%(body)r, "rb"); local body = file:read("*a"); file:close()
local tokens = {}
for line in io.lines(%(tokens)r) do tokens[#tokens + 1] = line end
local turn = 0
request = function()
  local headers = { ["Content-Type"] = "application/json" }
  if #tokens > 0 then turn = turn %% #tokens + 1; headers["Authorization"] = "Bearer " .. tokens[turn] end
  return wrk.format("POST", nil, headers, body)
end
done = function(summary, latency)
  io.write(string.format("RESULT %%d %%d %%f %%f %%d\\n", summary.requests, summary.duration,
    latency:percentile(50), latency:percentile(99), summary.errors.status + summary.errors.read + summary.errors.timeout))
end
"""


@dataclass(frozen=True)
class Load:
    """What one run of load saw."""

    per_second: float
    p50_ms: float
    p99_ms: float
    cpu_us: float
    """CPU of the server per request, in microseconds."""


def available() -> bool:
    return shutil.which("wrk") is not None


def load(
    server: Running,
    body: bytes,
    folder: Path,
    *,
    connections: int,
    seconds: int = 4,
    tokens: Sequence[str] = (),
    cores: str = "1",
    path: str = PATH,
    warming: bool = False,
) -> Load:
    """Drive the order-sign service for some seconds.

    Raises:
        RuntimeError: an answer was not a success, unless this is only to warm up.
    """
    (folder / "body.json").write_bytes(body)
    (folder / "tokens.txt").write_text("".join(f"{token}\n" for token in tokens))
    script = folder / "post.lua"
    script.write_text(_SCRIPT % {"body": str(folder / "body.json"), "tokens": str(folder / "tokens.txt")})
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "-s", str(script), server.url + path]
    if shutil.which("taskset"):
        command = ["taskset", "--cpu-list", cores, *command]
    before = server.cpu_seconds()
    printed = subprocess.run(command, capture_output=True, text=True, check=True, timeout=seconds + 60).stdout
    spent = server.cpu_seconds() - before
    found = re.search(r"RESULT (\d+) (\d+) ([\d.]+) ([\d.]+) (\d+)", printed)
    if found is None:
        raise RuntimeError("wrk printed no result")
    done, microseconds, p50, p99, failed = (float(part) for part in found.groups())
    if (failed and not warming) or not done:
        raise RuntimeError(f"{failed:.0f} of {done:.0f} calls failed")
    return Load(done / microseconds * 1e6, p50 / 1e3, p99 / 1e3, spent / done * 1e6)
