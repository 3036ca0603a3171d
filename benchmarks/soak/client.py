"""The load: calls at a fixed rate to two processes in turn, each answer judged against its case file."""

from __future__ import annotations

import json
import random
import threading
import time
import uuid
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import jwt
import requests

from benchmarks.soak.chart import Call
from benchmarks.soak.site import ISSUER, PUBLIC_URL, Replicas

TIMEOUT_S = 10
TOKEN_S = 300
# Share of the load: complete prefetch, read from FHIR, feedback.
MIX = (0.7, 0.15, 0.15)
_KEPT_CARDS = 500


@dataclass
class Seen:
    """One call as the client saw it. `at` is seconds since the load began, `seconds` until its answer."""

    kind: str
    at: float
    seconds: float
    verdict: str
    """right, gap (says what was not read), wrong, missing, accepted, refused or no-answer"""
    detail: str = ""
    retried: bool = False


@dataclass
class Load:
    """Threads that follow one timetable; a call that is late does not make the next one late.

    Attributes:
        seen: every call.
        acknowledged: feedback that was answered 200, as (card, outcome, timestamp).
        waiting: feedback that was refused, to be sent again as an EHR would.
    """

    replicas: Replicas
    complete: Sequence[Call]
    reading: Call
    threads: int = 96
    seen: list[Seen] = field(default_factory=list)
    acknowledged: list[dict[str, str]] = field(default_factory=list)
    waiting: deque[dict[str, str]] = field(default_factory=deque)
    _cards: deque[tuple[str, str]] = field(default_factory=lambda: deque(maxlen=_KEPT_CARDS))
    _local: threading.local = field(default_factory=threading.local)

    def run(self, rate: float, seconds: float) -> None:
        """`rate` calls a second for so many seconds."""
        begun = time.monotonic() + 0.2
        total = int(rate * seconds)
        workers = [
            threading.Thread(target=self._work, args=(begun, rate, range(number, total, self.threads)))
            for number in range(self.threads)
        ]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()

    def _work(self, begun: float, rate: float, turns: range) -> None:
        chance = random.Random(turns.start)
        for turn in turns:
            due = begun + turn / rate
            time.sleep(max(0.0, due - time.monotonic()))
            self.once(turn, time.monotonic() - begun, chance.random())

    def once(self, turn: int, at: float, chance: float) -> None:
        """One call of the mix."""
        if chance < MIX[0]:
            # A stride that shares no factor with the number of cases visits them all.
            call = self.complete[turn * 7919 % len(self.complete)]
            self._ask("complete", call, turn, at)
        elif chance < MIX[0] + MIX[1] or not (self._cards or self.waiting):
            self._ask("read", self.reading, turn, at)
        else:
            self._tell(turn, at)

    def _ask(self, kind: str, call: Call, turn: int, at: float) -> None:
        begun = time.monotonic()
        answer, retried = self._post(turn, call.service, call.body)
        seconds = time.monotonic() - begun
        verdict, detail = self._judge(kind, call, answer)
        self.seen.append(Seen(kind, at, seconds, verdict, detail and f"{call.name}: {detail}", retried))

    def _judge(self, kind: str, call: Call, answer: requests.Response | None) -> tuple[str, str]:
        if answer is None:
            return "no-answer", "no process answered"
        if answer.status_code != requests.codes.ok:
            return "missing", f"status {answer.status_code}"
        cards = answer.json()["cards"]
        self._cards.extend((card["uuid"], call.service) for card in cards)
        got = tuple((_rule(card), card["indicator"]) for card in cards)
        if got == call.expected:
            return "right", ""
        # Without its FHIR server the service says so on a card; silence would be the fault.
        if kind == "read" and cards:
            return "gap", ""
        return ("wrong" if len(got) >= len(call.expected) else "missing"), f"{got} instead of {call.expected}"

    def _tell(self, turn: int, at: float) -> None:
        """Feedback: what was refused before first, as an EHR that keeps it would send it."""
        try:
            item = self.waiting.popleft()
        except IndexError:
            card, service = self._cards[turn % len(self._cards)]
            # As the service writes it, so that its export can be compared as text.
            now = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%fZ}"
            item = {"card": card, "service": service, "outcome": "overridden", "outcomeTimestamp": now}
        sent = {name: item[name] for name in ("card", "outcome", "outcomeTimestamp")}
        begun = time.monotonic()
        body = json.dumps({"feedback": [sent]}).encode()
        answer, retried = self._post(turn, f"{item['service']}/feedback", body)
        seconds = time.monotonic() - begun
        if answer is not None and answer.status_code == requests.codes.ok:
            self.acknowledged.append(item)
            self.seen.append(Seen("feedback", at, seconds, "accepted", retried=retried))
            return
        self.waiting.append(item)
        status = "no answer" if answer is None else f"status {answer.status_code}"
        self.seen.append(Seen("feedback", at, seconds, "refused", status, retried))

    def _post(self, turn: int, path: str, body: bytes) -> tuple[requests.Response | None, bool]:
        """To one process, and once more to the other if the first breaks off; the same token and body."""
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {self._token(path)}"}
        for attempt in range(2):
            base = self.replicas.bases[(turn + attempt) % 2]
            try:
                url = f"{base}/cds-services/{path}"
                return self._session.post(url, data=body, headers=headers, timeout=TIMEOUT_S), attempt == 1
            except requests.ConnectionError:
                continue
            except requests.Timeout:
                return None, attempt == 1
        return None, True

    def _token(self, path: str) -> str:
        now = int(time.time())
        claims: dict[str, Any] = {"iss": ISSUER, "iat": now, "exp": now + TOKEN_S, "jti": str(uuid.uuid4())}
        claims["aud"] = f"{PUBLIC_URL}/cds-services/{path}"
        return jwt.encode(claims, self.replicas.key, algorithm="RS384", headers={"kid": "k1"})

    @property
    def _session(self) -> requests.Session:
        if not hasattr(self._local, "session"):
            self._local.session = requests.Session()
            self._local.session.trust_env = False
        session: requests.Session = self._local.session
        return session


def _rule(card: dict[str, Any]) -> str:
    """The lead rule of a card, from its source label: `KDOQI 2003 (vka-dialysis 1.0.0)`."""
    label: str = card["source"]["label"]
    return label.rsplit("(", 1)[1].split(maxsplit=1)[0]
