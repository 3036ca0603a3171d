"""The real service on a real socket, with a store of its own."""

import threading
from contextlib import contextmanager
from dataclasses import dataclass

import requests
from support.casefiles import AS_OF

from cds_service.engine import Engine
from cds_service.serving import make_server, running_engine
from cds_service.settings import load_settings

JSON_TYPE = {"Content-Type": "application/json"}
SIGN = "calciphylaxis-order-sign"


@dataclass
class Live:
    """A running service, spoken to as an EHR would."""

    base: str
    engine: Engine
    session: requests.Session

    def url(self, path):
        return f"{self.base}{path}"

    def get(self, path, **options):
        return self.session.get(self.url(path), timeout=20, **options)

    def post(self, path, document=None, *, data=None, headers=JSON_TYPE):
        """POST a document as JSON, or `data` as it is."""
        if document is not None:
            return self.session.post(self.url(path), json=document, headers=headers, timeout=20)
        return self.session.post(self.url(path), data=data, headers=headers, timeout=20)

    def call(self, document, service=SIGN):
        return self.post(f"/cds-services/{service}", document)

    def cards(self, document, service=SIGN):
        answer = self.call(document, service)
        assert answer.status_code == 200, answer.text
        return answer.json()["cards"]

    def explain(self, document, service=SIGN):
        answer = self.post(f"/explain/{service}", document)
        assert answer.status_code == 200, answer.text
        return answer.json()


@contextmanager
def live_service(folder, *, as_of=AS_OF, **settings):
    """Serve with these settings until the block ends; the clinical clock stands still (not in production)."""
    url = f"sqlite:///{folder / 'records.sqlite'}"
    with running_engine(load_settings(as_of=as_of, store_url=url, **settings)) as engine:
        server, sock = make_server(engine, "127.0.0.1", 0)
        # Callers queue from now on, so nobody has to wait and ask whether the server has started.
        sock.listen()
        port = sock.getsockname()[1]
        thread = threading.Thread(target=server.run, kwargs={"sockets": [sock]}, daemon=True)
        thread.start()
        with requests.Session() as session:
            session.trust_env = False
            yield Live(f"http://127.0.0.1:{port}", engine, session)
        server.should_exit = True
        thread.join()
