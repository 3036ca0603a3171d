"""Synthetic exports, screenings of them, and the same records as an EHR's call would carry them."""

import asyncio
import functools
import json
import os
from pathlib import Path

from support.casefiles import AS_OF

from cds_service import pipeline
from cds_service.engine import build_engine
from cds_service.population.screening import screen
from cds_service.population.synthetic.generate import Plan, generate
from cds_service.settings import load_settings

# In continuous integration agreement is tested on 500 patients and orders.
PATIENTS = int(os.environ.get("CDS_TEST_POPULATION", "50"))
VIEW, SIGN = "calciphylaxis-patient-view", "calciphylaxis-order-sign"
KEYS = {
    "conditions": "Condition",
    "labs": "Observation",
    "medications": "MedicationRequest",
    "procedures": "Procedure",
    "encounters": "Encounter",
    "requests": "ServiceRequest",
}


def make_export(folder, patients, *, seed=11, **options):
    plan = {name: options.pop(name) for name in ("compress", "members") if name in options}
    generate(Plan(patients, seed, AS_OF, folder, **plan), **options)
    return folder


@functools.cache
def engine():
    return build_engine(load_settings(as_of=AS_OF), store=None)


def screened(source, out, *, processes=1, scheduler=None, tell=lambda _: None):
    """The result of a screening, with the standings by patient."""
    result = screen(
        engine(),
        engine().anonymous,
        str(source),
        Path(out),
        as_of=None,
        processes=processes,
        scheduler=scheduler,
        tell=tell,
    )
    return result, standings(out)


def standings(out):
    lines = (Path(out) / "patients.ndjson").read_text().splitlines()
    return {item["patient"]: item for item in map(json.loads, lines)}


def truth(folder):
    lines = (folder / "ground-truth.ndjson").read_text().splitlines()
    return {item["patient"]: item for item in map(json.loads, lines)}


def files(folder, kind="*"):
    return sorted(folder.glob(f"{kind}.*.ndjson"))


def subject(resource):
    if resource["resourceType"] == "Patient":
        return resource["id"]
    return resource["subject"]["reference"].partition("/_history")[0].rpartition("/")[2]


@functools.cache
def records(folder):
    """Patient -> type -> resources, and Medications by id; read with nothing of ours."""
    by_patient, medications = {}, {}
    for path in files(folder):
        if path.name.startswith("ground"):
            continue
        for line in path.read_text().splitlines():
            resource = json.loads(line)
            kind = resource["resourceType"]
            if kind == "Medication":
                medications[resource["id"]] = resource
            else:
                by_patient.setdefault(subject(resource), {}).setdefault(kind, []).append(resource)
    return by_patient, medications


def bundle(resources):
    return {
        "resourceType": "Bundle",
        "type": "searchset",
        "entry": [{"resource": resource} for resource in resources],
    }


def call(patient, found, medications, *, hook="patient-view", drafts=None):
    """The call an EHR would make with everything on record as prefetch."""
    prefetch = {key: bundle(found.get(kind, [])) for key, kind in KEYS.items()}
    prefetch["patient"] = found["Patient"][0]
    prefetch["vitals"] = bundle([])
    orders = [*found.get("MedicationRequest", []), *(drafts or [])]
    named = {
        order.get("medicationReference", {}).get("reference", "")[len("Medication/") :] for order in orders
    }
    prefetch["medications"]["entry"] += [
        {"resource": medications[name], "search": {"mode": "include"}}
        for name in sorted(named & medications.keys())
    ]
    context = {"patientId": patient, "userId": "Practitioner/synthetic"}
    if drafts is not None:
        context["draftOrders"] = bundle(drafts)
    return {
        "hook": hook,
        "hookInstance": "5a2e7d5c-93c5-4a4b-8b0e-0f3f2f4f8a11",
        "context": context,
        "prefetch": prefetch,
    }


def traced(document, service, as_of=AS_OF):
    """The trace of a call at a time."""
    judge = engine()
    judge.settings = judge.settings.model_copy(update={"as_of": as_of})
    try:
        reply = asyncio.run(pipeline.trace(judge, service, {}, json.dumps(document).encode()))
    finally:
        judge.settings = judge.settings.model_copy(update={"as_of": AS_OF})
    return json.loads(reply.body)


def told(outcomes):
    """Rule -> outcome and indicator, without those that are clear or not concerned."""
    return {
        item["rule"]: (item["outcome"], item.get("indicator") or "")
        for item in outcomes
        if item["outcome"] not in ("clear", "not-triggered")
    }
