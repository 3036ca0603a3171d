"""The clean R4 calls that odd ones are compared with."""

from __future__ import annotations

from fixture_tables.casework import FORBIDDEN, Case
from fixture_tables.charts import CALCIPHYLAXIS, MAN, SUSPECTED, hd, normal
from fixture_tables.resources import (
    BIOPSY,
    HEMODIALYSIS,
    LOINC,
    chart,
    done,
    dosage,
    draw,
    encounter,
    order,
    request,
    result,
    taking,
)

_HIGH = draw(9, ca=9.8, alb=4.0, p=6.4, pth=320)
MINERALS_ORDERED = [
    request((LOINC, code, name), days=1, status="active")
    for code, name in (("17861-6", "Calcium"), ("2777-1", "Phosphate"), ("1751-7", "Albumin"))
]
_WEAK = dosage(1, "tablet", 1, route="Oral", text="one tablet in the evening")

TWINS = (
    Case(
        "sign-warfarin",
        "Warfarin for a dialysis patient with a high Ca x P.",
        hd(_HIGH),
        [order("warfarin", _WEAK)],
        ["vka-dialysis/warning"],
    ),
    Case(
        "sign-warfarin-by-name",
        "The same order with the drug in words only.",
        hd(_HIGH),
        [order(None, text="WARFARIN 5 MG PO TABS")],
        ["vka-dialysis/warning"],
    ),
    Case(
        "sign-warfarin-no-labs",
        "The same order; the laboratory search found nothing.",
        hd(),
        [order("warfarin")],
        ["vka-dialysis/warning"],
    ),
    Case(
        "sign-warfarin-labs-forbidden",
        "The same order; the EHR may not show the laboratory results.",
        hd(),
        [order("warfarin")],
        ["vka-dialysis/warning"],
        prefetch={"labs": FORBIDDEN},
    ),
    Case(
        "sign-calcitriol",
        "Active vitamin D with a Ca x P above 70 and high calcium.",
        hd(draw(9, ca=10.6, alb=4.0, p=7.1, pth=410)),
        [order("calcitriol", dosage(1, "capsule", 1, route="Oral"))],
        ["active-vitd-high-cap/warning"],
    ),
    Case(
        "sign-calcitriol-lists-missing",
        "The same order; four of the lists did not come with the call.",
        hd(draw(9, ca=10.6, alb=4.0, p=7.1, pth=410)),
        [order("calcitriol", dosage(1, "capsule", 1, route="Oral"))],
        ["active-vitd-high-cap/warning"],
        without=("medications", "procedures", "encounters", "requests"),
    ),
    Case(
        "sign-warfarin-by-visits",
        "Dialysis is known from the reason of a visit alone.",
        chart(_HIGH, encounter(10, "Z49.31"), patient=MAN),
        [order("warfarin")],
        ["vka-dialysis/warning"],
    ),
    Case(
        "sign-calcitriol-labs-ordered",
        "Old results; new ones are ordered already, and the card says so.",
        hd(draw(120, ca=9.0, alb=4.2, p=4.5, pth=320), MINERALS_ORDERED),
        [order("calcitriol")],
        ["active-vitd-high-cap/info/Gap"],
    ),
    Case(
        "sign-calcitriol-post-dialysis",
        "The newer phosphate was drawn after dialysis and does not count.",
        hd(
            draw(9, ca=10.6, alb=4.0, p=7.1, pth=410),
            result("p", 3.0, 2, note=[{"text": "post-dialysis sample"}]),
        ),
        [order("calcitriol")],
        ["active-vitd-high-cap/warning"],
    ),
    Case(
        "sign-warfarin-session-not-done",
        "A session that was planned and not done says nothing about dialysis now.",
        chart(_HIGH, done(HEMODIALYSIS, 3, status="not-done"), patient=MAN),
        [order("warfarin")],
    ),
    Case(
        "sign-biopsy",
        "A skin biopsy in suspected calciphylaxis.",
        hd(SUSPECTED, normal()),
        [request(BIOPSY)],
        ["biopsy-calciphylaxis/info"],
    ),
    Case(
        "select-warfarin",
        "Warfarin is chosen for a patient with calciphylaxis.",
        hd(CALCIPHYLAXIS, _HIGH),
        [order("warfarin")],
        ["vka-calciphylaxis/critical"],
        service="order-select",
    ),
    Case(
        "select-nothing-yet",
        "The order form is open, no drug is chosen: there is nothing to say.",
        hd(CALCIPHYLAXIS, _HIGH),
        [order(None, text="Order being entered")],
        service="order-select",
    ),
    Case(
        "view-on-warfarin",
        "The chart of a dialysis patient on warfarin is opened.",
        hd(_HIGH, taking("warfarin", _WEAK), done(HEMODIALYSIS, 2), encounter(2, "Z49.31")),
        cards=["dialysis-risk-summary/info"],
        service="patient-view",
    ),
    Case(
        "refill-warfarin",
        "Warfarin is to be refilled.",
        hd(_HIGH, taking("warfarin")),
        [order("warfarin")],
        ["vka-dialysis/warning/Renewal"],
        service="medication-refill",
    ),
)
BY_NAME = {case.name: case for case in TWINS}
