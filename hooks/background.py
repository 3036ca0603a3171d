"""What the product knows but shows on no card: the statements of the evidence page.

Each entry paraphrases one or more of the founding statements S1-S96, says what we make of it, and names
what it rests on. Where the founding texts and the evidence disagree, the position says so. An entry
without citations rests on the founding texts alone.
"""

from __future__ import annotations

from dataclasses import dataclass

from cds_service.api import Citation
from hooks import evidence as ev


@dataclass(frozen=True, slots=True)
class Background:
    """One statement of the evidence page."""

    statements: tuple[str, ...]
    """Ids of the founding statements, `S1` to `S96`."""
    text: str
    """The statement in our own words."""
    position: str
    """What we make of it."""
    citations: tuple[Citation, ...] = ()


_NOT_SUGGESTED = "Never suggested by this service"

BACKGROUND: tuple[Background, ...] = (
    Background(
        ("S1",),
        "A rare disease: calcium is laid down in the middle layer of small arteries, skin and fat lose their blood "
        "supply, and painful necrosis follows.",
        "Background; the rules speak of an association with medicines and minerals, never of a diagnosis.",
    ),
    Background(
        ("S2", "S24", "S92"),
        "Reported frequency on dialysis runs from below 1 to 35 per 10,000 patients a year, and prevalence up to 4 %. "
        "The reports differ by country, by definition and by decade.",
        "Quoted as a range (0.04 % a year to 4 %) and only as a population figure, never as a patient's own risk.",
        (ev.E4, ev.E11, ev.E36),
    ),
    Background(
        ("S5",),
        "Cases were reported from 6 months to 83 years of age.",
        "The rules have no upper age limit; below 18 years there are no cards, because targets differ in children.",
        (ev.E21,),
    ),
    Background(
        ("S6",),
        "It is one of several calcifications outside the skeleton in end-stage renal disease.",
        "A code for vascular calcification is not read as calciphylaxis.",
    ),
    Background(
        ("S9", "S87"),
        "Older series give a mortality of 60-80 %, or 45-80 % within a year, and a median survival of 4.2 months in "
        "patients without end-stage disease. A cohort of 268 patients from 2006 to 2022 gives a one-year "
        "disease-specific mortality of 28.9 %.",
        "Both are given here; neither appears on a card.",
        (ev.E17, ev.E47),
    ),
    Background(
        ("S16", "S58", "S88"),
        "Several new therapies are under study, treatment is combined from several approaches, and no response can "
        "be promised. A phase 3 trial of SNF472 missed both primary endpoints.",
        f"{_NOT_SUGGESTED}: no therapy has an established benefit.",
        (ev.E36, ev.E37, ev.E38),
    ),
    Background(
        ("S17",),
        "A bisphosphonate blocked a calciphylaxis-like reaction in rats.",
        "Not a reason to give one; a bisphosphonate order on dialysis gets a safety card instead.",
    ),
    Background(
        ("S18", "S66"),
        "Hyperbaric oxygen: complete healing in 2 of 5 patients of one report.",
        f"{_NOT_SUGGESTED}: the evidence is small and retrospective.",
    ),
    Background(
        ("S19",),
        "Prednisone was followed by improvement in 11 of 14 patients without ulcers; other work counts steroids as a "
        "risk factor.",
        "The evidence is mixed, so the steroid card is neutral.",
        (ev.E7, ev.E12),
    ),
    Background(
        ("S22", "S35"),
        "Under the microscope: calcified walls of small vessels in the deep skin and fat, and clots.",
        "Pathology reports in free text are not read.",
    ),
    Background(
        ("S36",),
        "Calcification can also stiffen the heart (diastolic failure).",
        "Echocardiography is out of scope.",
    ),
    Background(
        ("S61",),
        "Gabapentin and ketamine have been added to opioids for pain.",
        "Gabapentinoid doses on dialysis are checked; for ketamine there is no rule.",
        (ev.E52,),
    ),
    Background(
        ("S63",),
        "Wounds are managed with dressings, debridement where it helps, and prevention of infection.",
        "A referral to wound care is offered; the care itself is left to the team.",
    ),
    Background(
        ("S65",),
        "The founding text advises surgical debridement only where the benefit outweighs the risk of infection. One "
        "retrospective series had a survival of 61.6 % with and 27.4 % without debridement.",
        "Experts disagree; no rule.",
        (ev.E7, ev.E58),
    ),
    Background(
        ("S68",),
        "Haemodialysis is usually given for four hours, three times a week.",
        "Background for the line on reviewing the dialysis prescription.",
    ),
    Background(
        ("S74",),
        "How sodium thiosulfate might act is unknown, and meta-analyses show no benefit.",
        "A thiosulfate order gets a safety card; the drug is never suggested.",
        (ev.E36, ev.E37),
    ),
    Background(
        ("S77",),
        "A lack of ENPP1 leads to calcification; a small prospective study looked at its treatment.",
        "Not actionable.",
    ),
    Background(
        ("S79",),
        "Vitamin K slowed calcification of coronary arteries and the aortic valve in elderly patients; in "
        "calciphylaxis it is unproven.",
        f"{_NOT_SUGGESTED}.",
        (ev.E41,),
    ),
    Background(
        ("S81",),
        "Thrombolysis with tissue plasminogen activator has been tried.",
        "No rule: it causes bleeding.",
    ),
    Background(
        ("S82",),
        "Maggots have been used to clean wounds.",
        "Not actionable.",
    ),
    Background(
        ("S84",),
        "The founding text advises against injections under the skin, infusions and transfusions that are not needed.",
        "Only insulin has a dose-response study, and insulin must not be withheld. Transfusions and infusions have no "
        "rule; there is no case for stopping iron.",
        (ev.E1, ev.E16),
    ),
    Background(
        ("S86",),
        "Plasma exchange, and a blood test of calcification propensity, were described in 2013.",
        "Not actionable.",
    ),
    Background(
        ("S93", "S94"),
        "Cases are probably under-reported, and the frequency after transplantation or with working kidneys is not "
        "known.",
        "No figure is given for these patients.",
    ),
    Background(
        ("S95",),
        "The median age is about 60 years, and 60-70 % of patients are women.",
        "Female sex is listed among the factors of the patient summary; age is not.",
        (ev.E6,),
    ),
)
