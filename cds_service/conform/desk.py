"""Sends what the probes ask for, with the caller's credentials, and writes down what came back."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cds_service.conform import variants
from cds_service.conform.http import Exchange, send
from cds_service.conform.observed import Entry, Observed, Seen
from cds_service.conform.tokens import Signer

JSON = {"Content-Type": "application/json"}
_PATIENCE = 3


@dataclass(slots=True)
class Desk:
    """One run's way to the service.

    Attributes:
        observed: where everything is written down.
        signer: makes a fresh token for each call; None without a key.
        silences: exchanges in a row that got no answer.
    """

    observed: Observed
    signer: Signer | None = None
    silences: int = 0

    @property
    def discovery_url(self) -> str:
        return f"{self.observed.base}/cds-services"

    def url(self, service: str) -> str:
        return f"{self.discovery_url}/{service}"

    def credentials(self, url: str) -> dict[str, str]:
        """The `Authorization` header for a call to `url`, if we have any."""
        if self.signer is not None:
            return {"Authorization": f"Bearer {self.signer.good(url)}"}
        token = self.observed.options.token
        return {"Authorization": f"Bearer {token}"} if token else {}

    def exchange(
        self, method: str, url: str, *, headers: Mapping[str, str] | None = None, body: bytes | None = None
    ) -> Exchange:
        """One exchange; after several without an answer in a row, none is tried any more."""
        if self.silences >= _PATIENCE:
            return Exchange(0, error="not tried, as there was no answer before")
        answer = send(method, url, headers=headers, body=body, timeout=self.observed.options.timeout_s)
        self.silences = 0 if answer.status else self.silences + 1
        return answer

    def note(self, seen: Seen) -> Seen:
        self.observed.seen.append(seen)
        return seen

    def call(
        self,
        probe: str,
        entry: Entry,
        request: dict[str, Any],
        *,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Seen:
        """POST a request (or `body` in its place) to a service; `headers` replace the usual ones."""
        url = self.url(entry.id)
        given = {**JSON, **self.credentials(url)} if headers is None else dict(headers)
        content = variants.encoded(request) if body is None else body
        answer = self.exchange("POST", url, headers=given, body=content)
        return self.note(Seen(probe, "call", entry.id, answer, request))

    def call_with_server(self, probe: str, entry: Entry, request: dict[str, Any], server: str) -> Seen:
        """The same, naming a FHIR server and an access token that is seen nowhere else."""
        token = f"conform-{uuid.uuid4().hex}"
        granted = {**request, "fhirServer": server, "fhirAuthorization": variants.authorization(token)}
        seen = self.call(probe, entry, granted)
        self.observed.tokens[token] = seen
        return seen
