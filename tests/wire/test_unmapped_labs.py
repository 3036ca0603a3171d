"""A result with a number whose code stands for none of our analytes is counted: a laboratory may have new codes."""

from support.casefiles import request_of


def unmapped(live):
    name = 'cds_unmapped_codes_total{kind="lab"} '
    found = [line for line in live.get("/metrics").text.splitlines() if line.startswith(name)]
    return float(found[0].removeprefix(name)) if found else 0


def test_a_laboratory_that_changes_its_codes_is_counted(live):
    request = request_of("vka-dialysis-new-start")
    before = unmapped(live)
    live.call(request)
    known = unmapped(live) - before
    results = [entry["resource"] for entry in request["prefetch"]["labs"]["entry"]]
    for result in results:
        for coding in result["code"]["coding"]:
            coding["code"] = "LOCAL-" + coding["code"]
    before = unmapped(live)
    live.call(request)
    assert unmapped(live) - before == known + sum("valueQuantity" in result for result in results)
