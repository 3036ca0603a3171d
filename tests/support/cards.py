"""The cards of one service for Facts: every rule in its default mode, composed as for a client."""

from cds_service.compose import View, compose
from cds_service.fhir.write import order_template
from cds_service.rules.evaluate import evaluate
from cds_service.rules.rule import Mode


def view_of(service, *, gap_card=False, markdown=True, catalogue=True):
    entries = {entry.key: entry for entry in service.content.catalogue}
    templates = {
        key: order_template(e.coding.system, e.coding.code, e.coding.display, laboratory=e.laboratory)
        for key, e in entries.items()
        if catalogue and e.coding is not None
    }
    return View(service, entries, templates, "any", markdown, gap_card, None, draft_banner=True)


def outcomes_of(service, facts, **modes):
    """Rule id -> outcome; `modes` are `rule_id=Mode.OFF` and so on, with underscores."""
    found = {}
    for use in service.rules:
        mode = modes.get(use.rule.id.replace("-", "_"), use.mode)
        if mode is not Mode.OFF:
            found[use.rule.id] = evaluate(use.rule, facts, mode)
    return found


def cards_of(service, facts, *, gap_card=False, markdown=True, **modes):
    """What the caller gets: `compose`d cards, each with `rule` and `card`."""
    outcomes = list(outcomes_of(service, facts, **modes).values())
    view = view_of(service, gap_card=gap_card, markdown=markdown)
    return compose(outcomes, facts, view, patient_id="p1", encounter_id=None, authored_on=facts.as_of)
