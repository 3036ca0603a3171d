"""Content that a hospital's own package may have and ours has not."""

from dataclasses import replace
from functools import partial

from planting import CONTENT, VKA, found, value_set, with_content, with_rule, with_vka

from cds_service.api import (
    AllOf,
    CardText,
    Cites,
    HadProcedure,
    Line,
    Not,
    OpeningChart,
    Ordering,
    OrderingProcedure,
    Requested,
    group,
)
from cds_service.content.cases import Cases
from cds_service.content.fhir_export import fhir_resources
from cds_service.content.fhirpath import condition_path, in_words, trigger_path
from cds_service.content.find import value_set_folder
from cds_service.content.reach import Reach
from cds_service.content.sheet import sheets

PD = value_set("peritoneal-dialysis")


def _url(value_set):
    return f"https://x.example/{value_set.id}"


def _sheet(services, name="vka-dialysis.md"):
    return sheets(services, Cases())[name]


def _bare(**changes):
    """A rule about opening the chart, without any code list."""
    tier = replace(VKA.tiers[0], suggestions=(), why=(), consider=(Line("Look."),), when=OpeningYes())
    fields = {
        "trigger": OpeningChart(),
        "population": (),
        "criteria": (),
        "exclusions": (),
        "tiers": (tier,),
        "override_reasons": (),
        "thresholds": (),
        "data_required": (),
        "when_unknown": CardText("Not checked."),
    }
    return replace(VKA, **(fields | changes))


class OpeningYes:
    text = "in every such case"

    def evaluate(self, facts):
        raise NotImplementedError


def test_a_rule_without_code_lists_thresholds_or_reasons_has_a_sheet():
    text = _sheet(with_rule(_bare()))
    for sentence in (
        "The rule uses no code lists.",
        "The rule compares no number.",
        "No further condition.",
        "Nothing else keeps it silent.",
        "None; the card is dismissed.",
        "No suggestion.",
        "Nothing beyond the order.",
        "None yet.",
    ):
        assert sentence in text


def test_a_list_without_written_names_has_no_fold_of_names():
    criteria = (HadProcedure((value_set("lab-order-panel"),), 30),)
    text = _sheet(with_rule(_bare(criteria=criteria)))
    assert "## Code lists" in text
    assert "Written names, where" not in text


def test_lines_of_every_card_are_shown_and_checked():
    services = with_vka(common_detail=(Line("Local number: {nobody}"),))
    assert ("fill-unknown", "rule vka-dialysis, common line 1") in found(services)
    assert "Every card of this rule also says" in _sheet(services)


def test_silent_gaps_lines_and_once_are_known_limits():
    services = with_vka(gap_card=False, line_only=True, once_per_response=True)
    text = _sheet(services)
    assert "no card of its own is shown" in text
    assert "only a line of it" in text
    assert "shown once" in text


def test_evidence_must_say_something():
    assert ("text-empty", "rule vka-dialysis") in found(
        with_vka(evidence=(Cites(CONTENT.citations[0], " "),))
    )
    unnamed = replace(CONTENT.citations[0], key="X1", label="")
    services = with_content(citations=(*CONTENT.citations, unnamed))
    assert ("text-empty", "citation X1") in found(services)


def test_content_without_site_settings_has_no_table_of_them():
    assert "may change" not in _sheet(with_content(site_bounds={}), "README.md")


def test_content_that_lies_nowhere_has_no_folder():
    assert value_set_folder(replace(CONTENT, value_sets=())) is None


def test_an_unknown_override_system_is_not_judged():
    services = with_content(override_system="https://hospital.example/reasons")
    assert not any(code == "override-code-unknown" for code, _ in found(services))


def test_fhirpath_of_the_other_kinds():
    assert condition_path(Requested((PD,), 60), _url) == (
        "%requests.where((code.memberOf('https://x.example/peritoneal-dialysis')) and authoredOn >= today() - 60 days)"
        ".exists()"
    )
    both = AllOf((HadProcedure((PD,), 90), Not(Requested((PD,), 60))))
    assert condition_path(both, _url).startswith("(%procedures.where((code.memberOf(")
    order = OrderingProcedure((PD,), but_not=(value_set("hemodialysis"),))
    assert trigger_path(order, _url).endswith("memberOf('https://x.example/hemodialysis')).not()")
    by_route = Ordering((PD,), not_routes=("topical",))
    assert trigger_path(by_route, _url) == in_words(by_route.text)
    assert in_words("the patient's order") == "%'the patient\\'s order'"


def test_a_group_of_unknown_kind_is_left_in_words():
    assert condition_path(Requested((PD,), 60), lambda _: None) == in_words(Requested((PD,), 60).text)


def test_groups_are_exported_as_unions():
    pair = group("pair", "pair", PD, value_set("hemodialysis"))
    resources = fhir_resources(with_vka(criteria=(HadProcedure((pair,), 30),)))
    union = next(each for each in resources if each["id"] == "group-pair")
    assert [each["valueSet"] for each in union["compose"]["include"]] == [
        ["https://calciphylaxis-cds.example/fhir/ValueSet/hemodialysis"],
        ["https://calciphylaxis-cds.example/fhir/ValueSet/peritoneal-dialysis"],
    ]


def test_partial_functions_are_followed():
    def ask(value_sets, facts):
        return value_sets, facts

    assert set(Reach(partial(ask, (PD,))).value_sets) == {"peritoneal-dialysis"}
