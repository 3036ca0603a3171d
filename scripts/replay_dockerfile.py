"""Replay the Dockerfile's steps without a container engine, then run what comes out as a container would.

python scripts/replay_dockerfile.py WORK_FOLDER        (as root; needs debootstrap, mount, unshare; Linux only)

The base image is stood in for by a minimal Debian root, so this shows that the steps and the run work, not that the
real base image does. The run: root file system read-only, user of the Dockerfile, no capability, no new privileges,
a network of its own. Every step after the first `pip download` runs without any network.
"""

import argparse
import fnmatch
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = "python3,python3-pip,python3-venv,ca-certificates"
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
# What a machine may need to reach its package index; the engine's own network settings would do this.
INDEX = ("PIP_", "SSL_CERT_", "REQUESTS_CA_", "http_proxy", "https_proxy", "no_proxy")
IGNORED = ("EXPOSE", "VOLUME")


@dataclass
class Stage:
    """One FROM and what is known at its end."""

    root: Path
    env: dict[str, str] = field(default_factory=lambda: {"PATH": PATH, "HOME": "/root"})
    folder: str = "/"
    user: str = "0:0"
    entrypoint: list[str] = field(default_factory=list)
    command: list[str] = field(default_factory=list)
    health: list[str] = field(default_factory=list)


def run(*command: str | Path, **options: object) -> None:
    subprocess.run([str(part) for part in command], check=True, **options)  # type: ignore[call-overload]


def make_base(base: Path) -> None:
    """A minimal Debian with Python where the base image has it; made once."""
    if (base / "etc/debian_version").exists():
        return
    print("making the stand-in for the base image", flush=True)
    run(
        "debootstrap",
        "--variant=minbase",
        f"--include={PACKAGES}",
        "bookworm",
        base,
        stdout=subprocess.DEVNULL,
    )
    (base / "usr/local/bin/python").symlink_to("/usr/bin/python3")
    for marker in base.glob("usr/lib/python3*/EXTERNALLY-MANAGED"):
        marker.unlink()
    for name in ("etc/resolv.conf", "etc/hosts", "etc/pip.conf", "etc/ssl/certs/ca-certificates.crt"):
        if Path("/", name).exists():
            shutil.copy(Path("/", name), base / name)


def instructions(text: str) -> list[tuple[str, str]]:
    """Instruction and its arguments, continuation lines joined."""
    kept = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
    lines = re.sub(r"\\\n\s*", " ", kept).splitlines()
    return [
        (name.upper(), rest.strip())
        for name, _, rest in (line.partition(" ") for line in lines if line.strip())
    ]


def context() -> list[Path]:
    """The files that .dockerignore lets into the build; the last pattern that matches decides."""
    patterns = [
        line for line in (ROOT / ".dockerignore").read_text().split("\n") if line and not line.startswith("#")
    ]
    kept = []
    names = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, check=True, capture_output=True, text=True,
    ).stdout.split("\n")  # fmt: skip
    for name in filter(None, names):
        parts = name.split("/")
        prefixes = ["/".join(parts[:end]) for end in range(1, len(parts) + 1)]
        ignored = False
        for pattern in patterns:
            bare = pattern.removeprefix("!").removeprefix("**/")
            candidates = parts if "**/" in pattern else prefixes
            # Docker's `*` ends at a slash.
            if any(fnmatch.fnmatchcase(c, bare) and c.count("/") == bare.count("/") for c in candidates):
                ignored = not pattern.startswith("!")
        if not ignored and (ROOT / name).exists():
            kept.append(Path(name))
    return kept


def copy(stage: Stage, arguments: str, stages: dict[str, Stage]) -> None:
    """COPY [--from=stage] source... target"""
    *sources, target = [part for part in shlex.split(arguments) if not part.startswith("--")]
    goal = stage.root / (Path(stage.folder) / target).as_posix().lstrip("/")
    if (named := re.search(r"--from=(\S+)", arguments)) is not None:
        for source in sources:
            goal.parent.mkdir(parents=True, exist_ok=True)
            run("cp", "-a", stages[named[1]].root / source.lstrip("/"), goal)
        return
    several = target.endswith("/") or len(sources) > 1
    for source in sources:
        files = [path for path in context() if path == Path(source) or Path(source) in path.parents]
        if not files:
            raise SystemExit(f"COPY {source}: .dockerignore lets nothing of that name in")
        for path in files:
            place = goal / path.name if several else goal / path.relative_to(source)
            place = place if several or path != Path(source) else goal
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / path, place)


def shell(stage: Stage, command: str) -> None:
    """RUN: with the network only for the one step that fetches."""
    print(f"RUN {command}", flush=True)
    network = [] if "pip download" in command else ["unshare", "--net"]
    index = {k: v for k, v in os.environ.items() if k.startswith(INDEX) and k != "PIP_FIND_LINKS"}
    script = f"cd {shlex.quote(stage.folder)} && {command}"
    run(
        *network,
        "chroot",
        stage.root,
        "/bin/sh",
        "-c",
        script,
        env=stage.env if network else index | stage.env,
    )


def build(work: Path, base: Path) -> Stage:
    """All stages in order; the last one is the image."""
    stages: dict[str, Stage] = {}
    stage: Stage | None = None
    for name, rest in instructions((ROOT / "Dockerfile").read_text()):
        if name == "ARG":
            continue
        if name == "FROM":
            stage = Stage(work / f"stage-{len(stages)}")
            shutil.rmtree(stage.root, ignore_errors=True)
            run("cp", "-a", base, stage.root)
            label = re.search(r"\sAS\s+(\S+)", rest, re.IGNORECASE)
            stages[label[1] if label else "image"] = stage
            continue
        if stage is None:
            raise SystemExit(f"{name} before FROM")
        step(stage, name, rest, stages)
    if stage is None:
        raise SystemExit("no FROM")
    return stage


def step(stage: Stage, name: str, rest: str, stages: dict[str, Stage]) -> None:
    match name:
        case "ENV":
            for word in shlex.split(rest):
                key, _, value = word.partition("=")
                stage.env[key] = value.replace("$PATH", stage.env["PATH"])
        case "WORKDIR":
            stage.folder = rest
            (stage.root / rest.lstrip("/")).mkdir(parents=True, exist_ok=True)
        case "COPY":
            copy(stage, rest, stages)
        case "RUN":
            shell(stage, rest)
        case "USER":
            stage.user = rest
        case "ENTRYPOINT":
            stage.entrypoint = json.loads(rest)
        case "CMD":
            stage.command = json.loads(rest)
        case "HEALTHCHECK":
            stage.health = json.loads(rest.partition("CMD ")[2])
        case _ if name not in IGNORED:
            raise SystemExit(f"{name}: this script does not know the instruction")


# Runs in mount, network and process namespaces of its own, as root, before anything is given up.
CONTAINER = """
set -eu
root=$1; user=$2; folder=$3; health=$4; shift 4
python3 - <<'UP'
import fcntl, socket, struct
with socket.socket() as s:  # bring the loopback interface up
    fcntl.ioctl(s, 0x8914, struct.pack("16sh", b"lo", 0x1 | 0x40))
UP
mount --bind "$root" "$root"
mount -t proc proc "$root/proc"
mount -t tmpfs tmpfs "$root/tmp"
mount -t tmpfs -o "uid=${user%%:*},gid=${user##*:},mode=0700" tmpfs "$root/data"
mkdir -p "$root/tmp"; mount -o remount,ro,bind "$root" "$root"
# Takes the place of the shell it is called in: call it in one of its own.
become() {
    exec chroot "$root" /usr/bin/setpriv --reuid "${user%%:*}" --regid "${user##*:}" --clear-groups --bounding-set=-all \
        --inh-caps=-all --ambient-caps=-all --no-new-privs /bin/sh -c 'cd "$0" && exec "$@"' "$folder" "$@"
}
inside() { (become "$@"); }
become "$@" & service=$!
waited=0
until inside /bin/sh -c "$health" 2>/dev/null; do
    waited=$((waited + 1)); [ "$waited" -lt 60 ] || { echo "not healthy after 60 attempts"; exit 1; }
    sleep 0.5
done
echo "healthy"
grep -E '^(Uid|CapPrm|CapEff|CapBnd|NoNewPrivs|Seccomp):' "/proc/$service/status"
for place in /app/x /etc/x /opt/cds-service/x; do
    if inside touch "$place" 2>/dev/null; then echo "FAILED: $place can be written to"; exit 1; fi
done
echo "nothing but /data and /tmp can be written to"
inside python -c "$ASK"
kill -TERM "$service"
status=0; wait "$service" || status=$?
echo "ended with status $status after SIGTERM"
[ "$status" -eq 0 ]
"""

ASK = """
import json
from urllib.request import ProxyHandler, Request, build_opener
case = json.load(open("fixtures/cases/vka-dialysis-new-start.json"))
url = "http://127.0.0.1:8000/cds-services/" + case["service"]
request = Request(url, json.dumps(case["request"]).encode(), {"Content-Type": "application/json"})
cards = json.load(build_opener(ProxyHandler({})).open(request, timeout=5))["cards"]
assert cards and cards[0]["source"]["topic"]["code"] == "vkaDialysisWarning", cards
print("card:", cards[0]["summary"])
ready = json.load(build_opener(ProxyHandler({})).open("http://127.0.0.1:8000/ready", timeout=5))
assert ready["store"] == "ok", ready
"""


def run_as_container(stage: Stage) -> int:
    """Start the image's own command; healthy, hardened, answering, ending on SIGTERM."""
    trial = {"CDS_TRUSTED_NETWORK": "true", "CDS_AS_OF": "2026-11-21T12:00:00Z", "ASK": ASK}
    arguments = [str(stage.root), stage.user, stage.folder, shlex.join(stage.health)]
    done = subprocess.run(
        ["unshare", "--mount", "--net", "--pid", "--fork", "--mount-proc", "/bin/sh", "-c", CONTAINER, "container",
         *arguments, *stage.entrypoint, *stage.command],
        env=stage.env | trial, timeout=180, check=False,
    )  # fmt: skip
    return done.returncode


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("work", type=Path, help="folder for the roots, about 2 GB")
    parser.add_argument("--base", type=Path, help="folder of the stand-in, if it is to be kept")
    options = parser.parse_args()
    work = options.work.resolve()
    base = (options.base or work / "base").resolve()
    work.mkdir(parents=True, exist_ok=True)
    make_base(base)
    image = build(work, base)
    print("running it read-only, without capabilities", flush=True)
    return run_as_container(image)


if __name__ == "__main__":
    sys.exit(main())
