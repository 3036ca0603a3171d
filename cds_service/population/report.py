"""The report of a screening: one HTML file with figures and charts, and no patient in it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape

from cds_service import __version__
from cds_service.population.charts import scatter, stacked_bars
from cds_service.population.screen import AGE_BANDS, UNKNOWN_AGE, Summary
from cds_service.population.trouble import Trouble
from cds_service.rules.rule import Rule
from cds_service.rules.standing import StandingView

_STYLE = """
body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1c2126}
h1{font-size:1.6rem}h2{font-size:1.2rem;margin-top:2.5rem}
table{border-collapse:collapse;margin:1rem 0}th,td{padding:.3rem .8rem;border-bottom:1px solid #d9dee2;text-align:left}
td.n{text-align:right;font-variant-numeric:tabular-nums}
.note{background:#f3f5f6;padding:.8rem 1rem;border-left:4px solid #5b7f95}
.bad{background:#fdf3f2;border-left-color:#b3261e}
figure{margin:1rem 0}figcaption{font-size:.9rem;color:#55606a}svg{max-width:100%;height:auto}
"""
_OUTCOMES = ("fires", "cannot-assess", "suppressed")
_STATES = ("present", "unknown", "not evaluable", "absent")


def table(head: Sequence[str], rows: Iterable[Sequence[object]], caption: str = "") -> str:
    """An HTML table; numbers are set to the right."""
    title = f"<caption>{escape(caption)}</caption>" if caption else ""
    heads = "".join(f'<th scope="col">{escape(item)}</th>' for item in head)
    body = "".join(f"<tr>{''.join(_cell(value) for value in row)}</tr>" for row in rows)
    return f"<table>{title}<thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table>"


def _cell(value: object) -> str:
    if isinstance(value, int | float):
        return f'<td class="n">{value:,}</td>'
    return f"<td>{escape(str(value))}</td>"


def figure(drawn: str, words: str) -> str:
    return f"<figure>{drawn}<figcaption>{escape(words)}</figcaption></figure>"


def page(title: str, body: Sequence[str]) -> str:
    """A page that needs nothing but itself."""
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        f"<style>{_STYLE}</style></head><body><main>{''.join(body)}</main></body></html>\n"
    )


def trouble_rows(troubles: Sequence[Trouble]) -> list[tuple[object, ...]]:
    return [
        (
            item.kind.value,
            item.file or "(whole source)",
            ", ".join(item.types) or "any",
            item.count,
            ", ".join(str(number) for number in item.lines),
        )
        for item in troubles
    ]


def troubles_section(troubles: Sequence[Trouble]) -> list[str]:
    """What could not be read; nothing is hidden when all went well."""
    if not troubles:
        return ["<h2>What could not be read</h2><p>Every line of every file was read.</p>"]
    rows = trouble_rows(troubles)
    note = (
        '<p class="note bad">The figures above do not include what is listed here. Where records may be lacking, '
        "nobody is called free of something that the lost records might show.</p>"
    )
    return [
        "<h2>What could not be read</h2>",
        note,
        table(("What", "File", "Type", "How often", "First lines"), rows),
    ]


def percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %" if whole else "-"


def screening_page(summary: Summary, view: StandingView, rules: Mapping[str, Rule]) -> str:
    """The report of a screening."""
    members = summary.members["yes"]
    head = (
        f"<p>As of {escape(summary.as_of)}. Engine {escape(__version__)}. {summary.patients:,} patients; "
        f"{members:,} {escape(view.population)} ({percent(members, summary.patients)}), "
        f"{summary.members['unknown']:,} cannot be told.</p>"
    )
    note = (
        f'<p class="note">{escape(view.note)} No clinician has signed the rules yet; nothing here has been '
        "validated clinically. This page holds no patient: they are in the files beside it.</p>"
    )
    body = [
        "<h1>Screening report</h1>",
        head,
        note,
        *_who(summary, view, members),
        *_rules(summary, rules),
        *_factors(summary, members),
        *_data(summary, view, members),
        *troubles_section(summary.troubles),
    ]
    return page("Screening report", body)


def _who(summary: Summary, view: StandingView, members: int) -> list[str]:
    evidence = [
        (title, certainty, summary.evidence.get(ident, 0), summary.only_by.get(ident, 0))
        for ident, certainty, title in view.evidence_titles
    ]
    found = [
        "<h2>Who</h2>",
        table(("Evidence", "Certainty", "Patients", "By this alone"), evidence),
        table(
            ("Group", "Patients", "Share"),
            [(name, n, percent(n, summary.patients)) for name, n in summary.cohorts.items()],
        ),
        table(("Kind", "Patients", "Share"), [(k, n, percent(n, members)) for k, n in summary.kinds.items()]),
    ]
    if summary.unknown_because:
        found.append(
            table(("Why it cannot be told", "Patients"), list(summary.unknown_because.items()), "Unknown")
        )
    return found


def _rules(summary: Summary, rules: Mapping[str, Rule]) -> list[str]:
    rows = []
    chart: dict[str, dict[str, int]] = {}
    for ident, found in summary.rules.items():
        name = f"{rules[ident].number} {ident}"
        chart[name] = {
            outcome: sum(n for key, n in found.items() if key.startswith(outcome)) for outcome in _OUTCOMES
        }
        rows += [
            (name, summary.modes.get(ident, ""), outcome, n)
            for outcome, n in found.items()
            if outcome != "clear"
        ]
    return [
        "<h2>Rules that would speak when the chart is opened</h2>",
        figure(
            stacked_bars(
                chart,
                _OUTCOMES,
                name="rules",
                title="Outcome of each rule",
                axis="patients",
                legend="outcome",
            ),
            "Patients for whom each rule fires, cannot be assessed or is suppressed; all others are clear.",
        ),
        table(("Rule", "Mode", "Outcome", "Patients"), rows),
    ]


def _factors(summary: Summary, members: int) -> list[str]:
    rows = [
        (name, found.get("present", 0), percent(found.get("present", 0), members), found.get("unknown", 0))
        for name, found in summary.factors.items()
    ]
    return [
        "<h2>Factors</h2>",
        figure(
            stacked_bars(
                summary.factors,
                _STATES,
                name="factors",
                title="How often each factor is present",
                axis="share of members",
                legend="state",
                share=True,
            ),
            "Share of members in whom each named factor is present, unknown, not evaluable or absent.",
        ),
        table(("Factor", "Present", "Share of members", "Unknown"), rows),
    ]


def _data(summary: Summary, view: StandingView, members: int) -> list[str]:
    bands = (*(name for _, name in AGE_BANDS), UNKNOWN_AGE)
    titles = {analyte.id: analyte.title for analyte in view.analytes}
    found = []
    if view.scatter is not None:
        shown = (
            "" if summary.point_count == len(summary.points) else f" ({len(summary.points):,} of them shown)"
        )
        found += [
            "<h2>Values that are judged together</h2>",
            figure(
                scatter(summary.points, view.scatter, title="Values that are judged together"),
                f"{summary.point_count:,} members with a usable pair{shown}, of {members:,}. "
                f"Lines: {'; '.join(line.label for line in view.scatter.lines)}.",
            ),
        ]
    rows = [(titles[a], *(n.get(band, 0) for band in bands)) for a, n in summary.ages.items()]
    found += [
        "<h2>Age of the newest usable result</h2>",
        table(("Result", *bands), rows),
        table(("Resource type", "In the source"), list(summary.resources.items())),
    ]
    return found
