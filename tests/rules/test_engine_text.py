"""Card text: fills by name, cut to their lengths; hostile strings stay inert (threat T20)."""

import re

import pytest
from markdown_it import MarkdownIt
from support.answers import MAYBE, NO, YES
from support.facts import facts

from cds_service.localise.text import ELLIPSIS, cut
from cds_service.rules.rule import FillSpec, Line
from cds_service.rules.text import SUMMARY_LIMIT, Writer, escape, fill_names, plain

HOSTILE = {
    "script": "<script>alert(1)</script>",
    "image": "<img src=x onerror=alert(1)>",
    "comment": "<!-- --><b>x</b>",
    "link": "[stop dialysis](https://evil.example)",
    "reference link": "[x]: https://evil.example",
    "image link": "![x](https://evil.example/x.png)",
    "autolink": "<https://evil.example>",
    "bare link": "https://evil.example/stop",
    "www": "www.evil.example WWW.evil.example",
    "mail": "doc@evil.example",
    "heading": "# URGENT: stop dialysis",
    "heading on the next line": "warfarin\n\n# URGENT\n===\n---",
    "emphasis": "**URGENT** __now__ *x* _y_ ~~z~~",
    "code": "`x` ```\nx\n```",
    "table": "| a | b |\n|---|---|\n| 1 | 2 |",
    "quote": "> quoted",
    "list": "- one\n- two",
    "plus list": "+ one",
    "dash alone": "-",
    "rule": "---",
    "rule of blanks": "- - -",
    "numbered list": "1. one",
    "numbered list with a bracket": "12) one",
    "entities": "&lt;script&gt; &#60;b&#62; &amp;",
    "backslashes": "\\<b\\> \\[x\\](y) \\\\",
    "control": "a\x00b\x1b[31mc\u202ed\u2028e\tf\r\ng",
    "long": "<b>" * 4000,
    "unicode": "Ca²⁺ µg 药",
    "plain": "Warfarin 5 mg (Coumadin) 2 x/day, 50%",
}
READABLE = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
ALLOWED = {"p", "ul", "li", "strong"}


def rendered(detail):
    """Names of the tags and the text of a detail, rendered as a client does that allows raw HTML."""
    html = READABLE.render(detail)
    return set(re.findall(r"</?([a-zA-Z!][a-zA-Z0-9]*)", html)), READABLE.parse(detail)


def words(tokens):
    inline = [child for token in tokens for child in token.children or ()]
    return "".join(child.content for child in inline if child.type in ("text", "text_special"))


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("frame", ["- {}", "**Consider:** {}", "{}", "- Order for {} was matched"])
def test_T20_a_hostile_string_renders_as_itself(name, frame):
    text = HOSTILE[name]
    tags, tokens = rendered(frame.replace("{}", escape(text)))
    assert tags <= ALLOWED, tags
    assert plain(text) in words(tokens)
    assert sum(token.type == "bullet_list_open" for token in tokens) == frame.startswith("- ")


@pytest.mark.parametrize("name", HOSTILE)
def test_T20_neither_url_nor_host_is_left_for_a_client_that_makes_links_of_words(name):
    found = escape(HOSTILE[name])
    assert not re.search(r"(?<!\\)(?:https?|ftp)://|\bwww\.", found, re.IGNORECASE)
    assert "<" not in found
    assert "\n" not in found


def test_a_number_at_the_start_is_left_alone():
    assert escape("10.2 mg/dL") == "10.2 mg/dL"
    assert escape("-5") == "-5"


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("  a \n b\t c ", "a b c"),
        ("a\u200bb", "a b"),
        ("a\u00a0b", "a b"),
        ("", ""),
        ("as it is", "as it is"),
    ],
)
def test_one_line_without_control_characters(sent, shown):
    assert plain(sent) == shown


@pytest.mark.parametrize(
    ("text", "limit", "shown"),
    [
        ("abc", 3, "abc"),
        ("abcd", 3, "ab…"),
        ("ab cd", 4, "ab…"),
        ("", 3, ""),
        ("a" * 10_000, 30, "a" * 29 + "…"),
    ],
)
def test_an_ellipsis_counts_as_one_character(text, limit, shown):
    assert cut(text, limit) == shown
    assert len(shown) <= limit
    assert len(ELLIPSIS) == 1


# --- templates ----------------------------------------------------------------------------------------


def writer(*, markdown=True, **fills):
    made = {name: FillSpec(lambda _, value=value: value, 10, "x") for name, value in fills.items()}
    return Writer(made, facts(), markdown=markdown)


def test_which_fills_a_template_names():
    assert fill_names("{drug} on {date}: {drug}") == ("drug", "date", "drug")
    assert fill_names("no fill") == ()


def test_a_summary_is_plain_text_each_fill_cut_to_its_own_length():
    assert writer(drug="<b>*x*</b>").summary("{drug}!") == "<b>*x*</b>!"
    assert writer(drug="phenprocoumon\nLONG").summary("{drug}: check") == "phenproco…: check"
    assert writer(labs=("Ca", "P")).summary("No {labs}") == "No Ca, P"


def test_a_summary_never_exceeds_139_characters():
    long = writer(drug="x" * 10_000).summary("{drug} " * 20)
    assert len(long) <= SUMMARY_LIMIT == 139
    assert long.endswith(ELLIPSIS)
    assert len(writer().summary("y" * 139)) == 139


def test_a_fill_is_made_once():
    made = []
    spec = FillSpec(lambda _: made.append(1) or "x", 10, "x")
    one = Writer({"drug": spec}, facts(), markdown=True)
    one.summary("{drug} {drug}")
    one.lines(Line("{drug}"))
    assert made == [1]


@pytest.mark.parametrize(
    ("line", "rows"),
    [
        (Line("words only"), ["words only"]),
        (Line("{one} on {two}"), ["\\*a\\* on b"]),
        (Line("{none} there"), []),
        (Line("nothing {empty}"), []),
        (Line("{many}: {one}"), ["c: \\*a\\*", "d: \\*a\\*"]),
        (Line("words", YES), ["words"]),
        (Line("words", NO), []),
        (Line("words", MAYBE), []),
    ],
)
def test_a_line_is_left_out_when_it_does_not_apply(line, rows):
    assert writer(one="*a*", two="b", none=(), empty="", many=("c", "d")).lines(line) == rows


def test_plain_text_is_not_escaped():
    assert writer(markdown=False, one="*a* <b>").lines(Line("{one}")) == ["*a* <b>"]


def test_no_piece_is_longer_than_600_characters():
    (row,) = writer(one="x" * 10_000).lines(Line("{one}"))
    assert len(row) == 600
