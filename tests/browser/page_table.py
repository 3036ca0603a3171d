"""Every page of the service, once. A row is all a new page needs to be looked at in a browser."""

import os
from dataclasses import dataclass
from pathlib import Path

SCREENSHOTS = Path(os.environ.get("CDS_TEST_SCREENSHOTS", "var/screenshots"))
WIDTHS = (1280, 390)


@dataclass(frozen=True)
class Page:
    """A page to visit.

    `name` names its screenshots, `path` is where it stands, `heading` is its h1. `status` is what it answers.
    """

    name: str
    path: str
    heading: str
    status: int = 200


CASE = "vka-dialysis-new-start"
TREND = "Calcium, phosphate, Ca x P and PTH over one year"

PAGES = [
    Page("start", "/", "Warns of calciphylaxis risk in dialysis patients"),
    Page("playground", "/playground?q=binder", "Playground"),
    Page("playground-case", f"/playground?case={CASE}", CASE),
    Page("playground-epic", f"/playground?case={CASE}&client=epic", CASE),
    Page("playground-sandbox", "/playground?case=cap-three-cards&client=sandbox", "cap-three-cards"),
    Page("playground-plain", f"/playground?case={CASE}&client=plain", CASE),
    Page("playground-oracle-refused", f"/playground?case={CASE}&client=oracle", CASE),
    Page("playground-patient", "/playground?patient=hd-calciphylaxis", "Kalliope Wundtest"),
    Page("playground-nothing-found", "/playground?q=no-such-words", "Playground"),
    Page("playground-unknown-case", "/playground?case=nope", "Playground", status=400),
    Page("rules", "/rules", "Rules"),
    Page("rules-code", "/rules?code=855332", "Rules"),
    Page("rules-unknown-code", "/rules?code=nonsense", "Rules"),
    Page("rule", "/rules/vka-dialysis", "2. Vitamin K antagonist on dialysis"),
    Page("rule-codes", "/rules/sts-safety/codes", "Codes and names"),
    Page("rule-unknown", "/rules/nope", "No such rule", status=404),
    Page("evidence", "/evidence", "Evidence"),
    Page("trend", "/trend?patient=hd-year&rule=vka-dialysis", TREND),
    Page("trend-few", "/trend?patient=hd-new-start-si", TREND),
    Page("trend-no-labs", "/trend?patient=hd-no-labs", TREND),
    Page("trend-choice", "/trend", "Trends"),
    Page("trend-unknown", "/trend?patient=nope", "No such patient", status=404),
    Page(
        "trend-launch-refused",
        "/trend/launch?iss=https://elsewhere.example/fhir&launch=1",
        "This EHR is not known here",
        status=403,
    ),
    Page("governance", "/governance", "Governance"),
    Page(
        "governance-fires",
        "/governance/fires?rule=vka-dialysis",
        "Latest fires of Vitamin K antagonist on dialysis",
    ),
    Page("governance-unknown-call", "/governance/call?id=nope", "No such call", status=404),
    Page("setup", "/setup", "Set-up"),
    Page("setup-epic", "/setup?client=epic", "Set-up"),
    Page("api", "/docs", "API"),
]
