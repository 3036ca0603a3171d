"""The synthetic patients: dialysis by every form of evidence, and controls. Nobody is meant."""

from __future__ import annotations

from fixture_tables.resources import (
    HEMODIALYSIS,
    PARATHYROIDECTOMY,
    PERITONEAL_DIALYSIS,
    Chart,
    Json,
    ago,
    chart,
    done,
    dosage,
    draw,
    encounter,
    medication,
    order,
    person,
    problem,
    quantity,
    request,
    result,
    taking,
    until,
)


def _sessions(*days: int) -> list[Json]:
    return [done(HEMODIALYSIS, day) for day in days]


def _monthly(
    *rows: tuple[int, float, float, float], unit: str = "mg/dL", albumin: str = "g/dL"
) -> list[Json]:
    """Monthly results: (days ago, calcium, phosphate, albumin)."""
    return [
        made
        for days, calcium, phosphate, level in rows
        for made in draw(days, ca=(calcium, unit), p=(phosphate, unit), alb=(level, albumin))
    ]


def _size(kg: float, cm: float, days: int = 9) -> list[Json]:
    """Weight now and two months ago, height, BMI."""
    bmi = round(kg / (cm / 100) ** 2, 1)
    weights = [result("weight", kg, days), result("weight", kg + 1, days + 60)]
    return [*weights, result("height", cm, 400), result("bmi", bmi, days)]


ESRD = problem("N18.6", recorded="2024-03-02")

PATIENTS: dict[str, Chart] = {
    # The four calls that every release must answer: conventional units, SI units, no results, no dialysis.
    "hd-new-start": chart(
        ESRD, draw(9, ca=9.8, alb=4.0, p=6.4), patient=person("Nierentest", "Anselm", "1957-05-19", "male")
    ),
    "hd-new-start-si": chart(
        ESRD,
        draw(9, ca=(2.445, "mmol/L"), alb=(40, "g/L"), p=(2.066, "mmol/L")),
        patient=person("Nierentest", "Sieglinde", "1957-05-19", "male"),
    ),
    "hd-no-labs": chart(ESRD, patient=person("Nierentest", "Leopold", "1957-05-19", "male")),
    "ckd4-not-on-dialysis": chart(
        problem("N18.4", since="2022-10-10"),
        draw(20, ca=9.2, alb=4.1, p=4.4),
        patient=person("Nierentest", "Vera", "1949-12-01", "female"),
    ),
    "hd-warfarin": chart(
        problem("Z99.2", recorded="2023-08-14"),
        problem("I48.91", since="2023-05-20"),
        problem("E11.22", since="2009-06-01"),
        _monthly((9, 9.6, 6.3, 3.7), (37, 9.5, 6.0, 3.6), (65, 9.4, 5.8, 3.7), (96, 9.3, 5.5, 3.8)),
        result("pth", 410, 37),
        result("alp", 96, 37, high=120),
        result("inr", 2.3, 12),
        taking("warfarin", dosage(1, "tablet", 1, route="Oral"), days=400),
        taking("sevelamer", dosage(2, "tablet", 3), days=300),
        _size(94, 171),
        _sessions(1, 3, 6),
        patient=person("Marcoumar-Demo", "Winifred", "1951-07-30", "female"),
    ),
    # A year to look back on: a pause, a missing unit, a sample after dialysis, two values for one time, a bound,
    # a preliminary result; medicines that began, ended or rest.
    "hd-year": chart(
        problem("Z99.2", recorded="2022-09-05"),
        problem("N25.81", since="2022-11-01"),
        _monthly(
            (10, 10.0, 6.7, 3.4),
            (38, 9.9, 6.3, 3.5),
            (66, 9.8, 6.1, 3.6),
            (94, 9.6, 5.8, 3.6),
            (122, 9.5, 5.6, 3.7),
            (150, 9.4, 5.4, 3.8),
            (262, 9.0, 4.9, 4.0),
            (290, 9.1, 5.0, 3.9),
            (318, 8.9, 4.7, 4.0),
            (346, 9.0, 4.8, 4.1),
        ),
        draw(3, ca=10.1, alb=3.4),
        result("p", 6.9, 3, status="preliminary"),
        result("p", 5.1, 136, valueQuantity={"value": 5.1}),
        result("p", 2.6, 80, note=[{"text": "Drawn after dialysis"}]),
        result("ca", 9.4, 304),
        result("ca", 8.8, 304),
        result("pth", 310, 346),
        result("pth", 388, 262),
        result("pth", 455, 150),
        result("pth", 600, 66, valueQuantity=quantity(600, "pg/mL") | {"comparator": ">"}),
        result("pth", 690, 38),
        taking("warfarin", dosage(1, "tablet", 1, route="Oral"), days=130),
        taking("paricalcitol", dosage(1, "capsule", 1), days=250),
        taking("calcium acetate", until(180), days=380, status="stopped"),
        taking("sevelamer", dosage(2, "tablet", 3), days=180),
        taking("cinacalcet", dosage(1, "tablet", 1), days=60, status="on-hold"),
        _size(77, 168),
        _sessions(1, 3, 6),
        patient=person("Jahresverlauf-Probe", "Leonore", "1955-08-17", "female"),
    ),
    "hd-calcitriol": chart(
        problem("714152005", since="2021-11-05"),
        problem("N25.81", since="2021-12-01"),
        _monthly(
            (6, 2.66, 2.42, 41),
            (34, 2.58, 2.20, 40),
            (62, 2.51, 2.05, 41),
            (90, 2.47, 1.90, 41),
            unit="mmol/L",
            albumin="g/L",
        ),
        result("pth", 12.0, 34, "pmol/L"),
        taking("calcitriol 0.5", dosage(1, "capsule", 1), days=260),
        taking("calcium carbonate", dosage(1, "tablet", 2), days=260),
        _size(68, 164),
        patient=person("Sonnenschein-Test", "Vitalina", "1960-02-11", "female"),
    ),
    "pd-binders": chart(
        problem("46177005", since="2020-06-18"),
        _monthly((14, 9.3, 6.1, 3.3), (44, 9.2, 5.7, 3.2), (75, 9.1, 5.9, 3.4)),
        result("pth", 118, 14),
        result("pth", 131, 104),
        taking("calcium acetate", dosage(3, "capsule", 3), days=500),
        taking("digoxin", days=500),
        [done(PERITONEAL_DIALYSIS, days) for days in (4, 18, 32, 60)],
        encounter(32, "Z49.32"),
        patient=person("Bauchfell-Probe", "Ottokar", "1954-01-25", "male"),
    ),
    "hd-calciphylaxis": chart(
        problem("N18.6", recorded="2019-04-12"),
        problem("237900002", since=ago(45)),
        problem("E66.9", since="2012-01-01"),
        _monthly((5, 8.9, 5.6, 2.7), (33, 9.0, 5.9, 2.9), (61, 9.1, 6.2, 3.1)),
        result("pth", 690, 33),
        result("ica", 1.20, 5, low=1.12, high=1.32),
        taking("warfarin", until(40), days=240, status="stopped"),
        taking("sevelamer", dosage(3, "tablet", 3), days=300),
        _size(101, 166),
        _sessions(1, 3, 6),
        request(
            ("http://snomed.info/sct", "183518005", "Referral to dermatologist"), days=30, status="active"
        ),
        patient=person("Wundtest", "Kalliope", "1962-10-08", "female"),
    ),
    "hd-suspected-calciphylaxis": chart(
        problem("428982002", since="2022-05-05"),
        problem("E83.59", text="Suspected calciphylaxis", verification="provisional", since=ago(12)),
        _monthly((8, 10.5, 6.9, 2.6), (36, 10.1, 6.4, 2.9)),
        result("pth", 240, 36),
        taking("alfacalcidol", dosage(0.5, "ug", 1), days=180),
        patient=person("Wundtest", "Euphemia", "1968-08-21", "female"),
    ),
    "hd-mechanical-valve": chart(
        ESRD,
        problem("Z95.2", since="2018-09-14"),
        _monthly((11, 9.0, 4.9, 3.9), (39, 9.1, 5.1, 3.9)),
        result("pth", 300, 39),
        taking("warfarin", dosage(1, "tablet", 1), days=30),
        taking("warfarin 2 mg", until(31), days=231, status="completed"),
        patient=person("Klappentest", "Titania", "1963-03-03", "female"),
    ),
    "hd-antiphospholipid": chart(
        problem("Z99.2", recorded="2022-02-02"),
        problem("D68.61", since="2010-07-07"),
        problem(text="Calciphylaxis, left thigh, biopsy proven", since=ago(25)),
        _monthly((3, 9.4, 5.2, 3.1)),
        patient=person("Gerinnungstest", "Philine", "1979-11-30", "female"),
    ),
    "transplant-after-dialysis": chart(
        problem("N18.6", recorded="2018-03-03"),
        problem("Z94.0", since="2023-09-09"),
        draw(20, ca=9.7, alb=4.2, p=3.1),
        patient=person("Transplantattest", "Donatus", "1972-06-06", "male"),
    ),
    "hd-failed-graft": chart(
        problem("Z94.0", since="2012-05-05"),
        problem("T86.12", since="2025-02-20"),
        problem("Z99.2", recorded="2025-03-01"),
        draw(10, ca=8.9, alb=3.8, p=5.0, pth=350),
        _sessions(2, 4, 7),
        patient=person("Transplantattest", "Renata", "1975-12-12", "female"),
    ),
    "aki-on-dialysis": chart(
        problem("N17.9", since=ago(14)),
        draw(2, ca=8.6, alb=3.2, p=6.8),
        _sessions(1, 5, 10),
        patient=person("Akuttest", "Bertram", "1980-04-17", "male"),
    ),
    "hd-after-parathyroidectomy": chart(
        ESRD,
        problem("237900002", clinical="resolved", since=ago(800), abated=ago(420)),
        done(PARATHYROIDECTOMY, 21),
        draw(4, ca=8.8, alb=3.9, p=3.0, pth=18),
        taking("calcitriol 0.5", dosage(1, "capsule", 2), days=20),
        taking("calcium carbonate", dosage(2, "tablet", 3), days=20),
        patient=person("Nebenschild-Test", "Hedwig", "1966-09-19", "female"),
    ),
    "hd-low-calcium": chart(
        ESRD,
        draw(7, ca=8.2, alb=3.8, p=4.2, pth=820),
        taking("cinacalcet", dosage(1, "tablet", 1), days=150),
        patient=person("Mangeltest", "Gereon", "1959-01-09", "male"),
    ),
    "hd-stale-labs": chart(
        problem("105502003", since="2020-01-15"),
        draw(131, ca=10.1, alb=3.9, p=6.6, pth=540),
        taking("paricalcitol", dosage(1, "capsule", 1), days=120),
        patient=person("Altbefund-Test", "Rosamunde", "1947-02-22", "female"),
    ),
    "hd-sessions-only": chart(
        draw(10, ca=9.1, alb=4.0, p=5.2, pth=280),
        _sessions(2, 4, 7, 45, 90, 150),
        patient=person("Prozedurtest", "Ignaz", "1955-05-05", "male"),
    ),
    "hd-care-encounter": chart(
        draw(10, ca=9.1, alb=4.0, p=5.2, pth=280),
        encounter(25, "Z49.31"),
        patient=person("Kontakttest", "Walburga", "1950-10-10", "female"),
    ),
    "hd-adolescent": chart(
        ESRD,
        draw(10, ca=10.6, alb=4.1, p=6.9, pth=480),
        taking("calcitriol", dosage(1, "capsule", 1), days=60),
        patient=person("Jugendtest", "Juniper", "2009-06-06", "female"),
    ),
    "hd-skin-ulcer": chart(
        ESRD,
        problem("L97.213", since=ago(20)),
        problem("E11.22", since="2005-05-05"),
        _monthly((12, 9.5, 6.6, 3.2), (40, 9.3, 6.2, 3.3)),
        taking("warfarin", dosage(1, "tablet", 1), days=500),
        _size(88, 170),
        patient=person("Hauttest", "Malwine", "1958-08-08", "female"),
    ),
    "hd-words-only": chart(
        problem(text="ESRD, dialysis three times a week"),
        draw(10, ca=9.1, alb=4.0, p=5.2, pth=280),
        order(None, text="Coumadin 5 mg daily", status="active", days=150),
        patient=person("Klartext-Test", "Wortreich", "1953-03-13", "male"),
    ),
    "hd-medication-reference": chart(
        ESRD,
        draw(10, ca=9.1, alb=4.0, p=5.2, pth=280),
        medication("warfarin") | {"id": "hd-medication-reference-drug-1"},
        taking(
            None,
            dosage(1, "tablet", 1),
            days=260,
            medicationReference={"reference": "Medication/hd-medication-reference-drug-1"},
        ),
        patient=person("Verweistest", "Referenzia", "1961-11-11", "female"),
    ),
}
