"""Screening over a FHIR server's search gives what screening its export gives."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest
from population_support import bundle, make_export, records, screened

from cds_service.population import server as source_server
from cds_service.settings import SettingsError

PAGE = 7


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    return make_export(tmp_path_factory.mktemp("small") / "bulk", 24)


@pytest.fixture
def fhir(small):
    """A FHIR server that pages its list of patients; `server.refuse` names types it answers with 403."""
    by_patient, medications = records(small)
    patients = sorted(by_patient)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            parts = urlsplit(self.path)
            kind, _, ident = parts.path.removeprefix("/fhir/").partition("/")
            query = {name: values[0] for name, values in parse_qs(parts.query).items()}
            self.server.asked.append(self.path)
            if kind in self.server.refuse:
                self.answer({"resourceType": "OperationOutcome", "issue": []}, 403)
            elif kind == "Patient" and not ident:
                self.answer(self.roster(int(query.get("page", 0))))
            elif kind == "Patient":
                self.answer(by_patient[ident]["Patient"][0])
            elif kind == "Medication":
                self.answer(medications[ident])
            else:
                self.answer(bundle(by_patient[query["patient"]].get(kind, [])))

        def roster(self, page):
            document = bundle(
                [{"resourceType": "Patient", "id": i} for i in patients[page * PAGE : (page + 1) * PAGE]]
            )
            if (page + 1) * PAGE < len(patients):
                url = f"http://127.0.0.1:{self.server.server_port}/fhir/Patient?page={page + 1}"
                document["link"] = [{"relation": "next", "url": url}]
            return document

        def answer(self, document, status=200):
            body = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/fhir+json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    class Server(ThreadingHTTPServer):
        request_queue_size = 128

    with Server(("127.0.0.1", 0), Handler) as server:
        server.asked, server.refuse = [], set()
        server.base = f"http://127.0.0.1:{server.server_port}/fhir"
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def core(standings):
    """Without the gaps: a server answers each query, an export has one file for both kinds of results."""
    return {ident: {k: v for k, v in item.items() if k != "gaps"} for ident, item in standings.items()}


def test_a_server_gives_the_answers_of_its_export(fhir, small, tmp_path):
    result, found = screened(fhir.base, tmp_path / "server")
    _, expected = screened(small, tmp_path / "export")
    assert core(found) == core(expected)
    assert len(found) == 24
    assert sum(path.startswith("/fhir/Patient?") for path in fhir.asked) == 4, "four pages of the list"
    assert {item.kind.name for item in result.summary.troubles} <= {"UNUSABLE"}, (
        "planted values of a wrong type"
    )
    assert result.summary.members["yes"] > 0
    assert not (tmp_path / "server" / ".work").exists()


def test_what_the_server_refuses_is_named_and_nobody_is_called_clear(fhir, tmp_path):
    fhir.refuse = {"Condition"}
    result, found = screened(fhir.base, tmp_path)
    assert {item["member"] for item in found.values()} == {"unknown"}
    (trouble,) = [item for item in result.summary.troubles if item.types == ("Condition",)]
    assert (trouble.kind.name, trouble.file, trouble.count) == ("SERVER", "not permitted", 24)
    assert result.troubled


def test_an_interrupted_run_reads_only_the_rest(fhir, tmp_path, monkeypatch):
    monkeypatch.setattr(source_server, "_BATCH", 6)

    def interrupt(step):
        if step.done == 12:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        screened(fhir.base, tmp_path / "one", tell=interrupt)
    fhir.asked.clear()
    screened(fhir.base, tmp_path / "one")
    read = {parse_qs(urlsplit(path).query)["patient"][0] for path in fhir.asked if "Condition?" in path}
    assert len(read) == 12
    screened(fhir.base, tmp_path / "two")
    for name in ("patients.ndjson", "patients.csv", "summary.json", "report.html"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_a_server_that_is_not_there_is_told_in_one_line(tmp_path):
    with pytest.raises(SettingsError, match="the list of patients could not be read"):
        screened("http://127.0.0.1:9/fhir", tmp_path)
