"""Texts, languages and their catalogues: fallback, numbers, dates, units, and what a bad translation is."""

from datetime import date
from decimal import Decimal

import pytest
from babel.messages.catalog import Catalog

from cds_service.content import catalogue
from cds_service.content.find import unique_contents
from cds_service.content.translations import entry_problems, translation_problems
from cds_service.content.wording import violations
from cds_service.facts.dates import Precision, When
from cds_service.facts.units import Amount, Number
from cds_service.localise.catalogues import (
    ENGINE_LOCALES,
    catalogue_file,
    known_tag,
    language_for,
    locale_folders,
    messages,
)
from cds_service.localise.language import ENGLISH, Language
from cds_service.localise.text import Deferred, Joined, Message, Shortened, Verbatim
from cds_service.registry import load_services
from hooks.analytes import PHOSPHATE, PTH
from hooks.content import CONTENT

FOLDERS = locale_folders(CONTENT)
GERMAN = language_for("de", FOLDERS, "conventional")
SEPTEMBER = When(None, Precision.DAY, date(2026, 9, 12))


# --- texts ------------------------------------------------------------------------------------------


def test_a_deferred_text_is_put_together_for_its_reader_only():
    asked = []

    def words(problem):
        asked.append(problem)
        return Message("result of {when} not usable: {problem}", when=SEPTEMBER, problem=Message(problem))

    text = Deferred(words, "unit missing")
    assert asked == []
    assert text.render(GERMAN) == "Ergebnis vom 12. Sept. 2026 nicht verwertbar: Einheit fehlt"
    assert text == words("unit missing")


def test_a_text_is_english_until_a_language_is_given():
    text = Message("result of {when} not usable: {problem}", when=SEPTEMBER, problem=Message("unit missing"))
    assert str(text) == "result of 12 Sep 2026 not usable: unit missing"
    assert text.render(GERMAN) == "Ergebnis vom 12. Sept. 2026 nicht verwertbar: Einheit fehlt"
    assert text == "result of 12 Sep 2026 not usable: unit missing"
    assert text != 1
    assert {text: "kept"}[Verbatim(str(text))] == "kept"
    assert repr(Verbatim("a")) == "Verbatim('a')"


def test_words_of_the_ehr_are_never_translated_nor_read_as_a_template():
    for words in ("calcium", "{problem}", "{0.__class__}"):
        text = Message("{analyte}: {why}", analyte=words, why=Verbatim("no result"))
        assert text.render(GERMAN) == f"{words}: no result"


def test_what_reads_the_same_is_joined_once_and_only_what_fits():
    parts = (Message("no result"), None, "no result", Verbatim("x"))
    assert str(Joined("; ", parts)) == "no result; x"
    assert not Joined("; ", (None,))
    assert str(Joined(", ", ("long enough", "far too long", "y"), most=14)) == "long enough, y"
    assert str(Shortened(Verbatim("abcdef"), 4)) == "abc…"


def test_numbers_and_amounts_follow_the_reader():
    assert Number(Decimal("1014.25"), 1).render(GERMAN) == "1.014,3"
    assert Number(Decimal("10.20")).render(GERMAN) == "10,2"
    assert Message("age {least}", least=81).render(GERMAN) == "Alter 81"
    si = language_for("de", FOLDERS, "SI")
    assert str(Amount(Decimal("6.1"), PHOSPHATE)) == "6.1 mg/dL"
    assert Amount(Decimal("6.1"), PHOSPHATE).render(si) == "1,97 mmol/L"
    assert Amount(Decimal(1050), PTH).render(GERMAN) == "1.050 pg/mL"
    unitless = next(each for each in CONTENT.analytes if each.si_unit is None)
    assert Amount(Decimal(1), unitless).render(si).endswith(unitless.unit)


@pytest.mark.parametrize(
    ("precision", "english", "german"),
    [("year", "2026", "2026"), ("month", "Mar 2026", "März 2026"), ("day", "2 Mar 2026", "2. März 2026")],
)
def test_dates_say_what_was_given_and_cannot_be_swapped(precision, english, german):
    when = When(None, Precision(precision), date(2026, 3, 2))
    assert (str(when), when.render(GERMAN)) == (english, german)


# --- languages --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tag", "known", "decimal"),
    [
        ("de", "de", "1.014,5"),
        ("de-AT", "de", "1.014,5"),
        ("de-CH", "de", "1\N{RIGHT SINGLE QUOTATION MARK}014.5"),
        ("de-XX", "de", "1.014,5"),
        ("en", "en", "1,014.5"),
        ("en-US", "en", "1,014.5"),
        ("fr", None, "1,014.5"),
        ("xx-YY", None, "1,014.5"),
    ],
)
def test_a_language_falls_back_to_its_general_form_and_then_to_english(tag, known, decimal):
    assert known_tag(tag, FOLDERS) == known
    language = language_for(tag, FOLDERS, "SI")
    assert (language.tag, language.number("1,014.5"), language.units) == (known or "en", decimal, "SI")


def test_an_add_on_without_german_keeps_its_own_words_english(tmp_path):
    language = language_for("de", (ENGINE_LOCALES, tmp_path), "SI")
    assert (language.tag, language.translated("words of the add-on")) == ("de", "words of the add-on")
    assert language.translated("unit missing") == GERMAN.translated("unit missing") != "unit missing"


def test_a_language_without_known_formats_is_refused_by_name(tmp_path):
    path = catalogue_file(tmp_path, "qqq")
    path.parent.mkdir(parents=True)
    path.write_bytes(catalogue_file(FOLDERS[0], "de").read_bytes())
    with pytest.raises(ValueError, match="qqq"):
        language_for("qqq", [tmp_path], "SI")


def test_a_package_may_bring_no_catalogue_and_may_reword_the_engine(tmp_path):
    class Package:
        locales = None

    assert locale_folders(Package()) == (ENGINE_LOCALES,)
    path = catalogue_file(tmp_path, "de")
    path.parent.mkdir(parents=True)
    path.write_text(
        'msgid "Why"\nmsgstr "Weil"\n\n#, fuzzy\nmsgid "Also"\nmsgstr "Zudem"\n', encoding="utf-8"
    )
    assert messages(path) == {"Why": "Weil"}
    language = language_for("de", (ENGINE_LOCALES, tmp_path), "SI")
    assert (language.translated("Why"), language.translated("Also")) == ("Weil", "Außerdem")
    assert ENGLISH.translated("Why") == "Why"


# --- the check of the translations ------------------------------------------------------------------


def test_templates_are_up_to_date_and_german_is_complete_and_admissible():
    assert list(translation_problems(load_services())) == []


def test_a_catalogue_that_lags_behind_is_told(tmp_path, monkeypatch):
    strings = Catalog()
    for text in ("{drug}: new text", "kept {n}", "doubtful", "He is safe"):
        strings.add(text)
    path = catalogue_file(tmp_path, "de")
    path.parent.mkdir(parents=True)
    path.write_text(
        'msgid "kept {n}"\nmsgstr "behalten"\n\n#, fuzzy\nmsgid "doubtful"\nmsgstr "zweifelhaft"\n\n'
        'msgid "He is safe"\nmsgstr "Das ist sicher"\n\nmsgid "gone"\nmsgstr "weg"\n',
        encoding="utf-8",
    )
    other = catalogue_file(tmp_path, "fr")
    other.parent.mkdir(parents=True)
    other.write_text('msgid "doubtful"\nmsgstr "douteux"\n', encoding="utf-8")
    monkeypatch.setattr("cds_service.content.translations.folders", lambda _services: [(tmp_path, strings)])
    found = {problem.code for problem in translation_problems(load_services())}
    assert found == {
        *("catalogue-old", "translation-missing", "translation-fuzzy", "translation-places"),
        *("translation-unknown", "never-say", "translation-unchecked"),
    }


@pytest.mark.parametrize(
    ("english", "german", "code"),
    [
        ("{a} and {b}", "{a} und {c}", "translation-places"),
        ("{a} and {b}", "{a} und {b}}", "template-broken"),
        ("below 3.5 per 1,000", "unter 3,5 je 1.000", None),
        ("below 3.5", "unter 3,6", "translation-numbers"),
    ],
)
def test_places_and_numbers_stay(english, german, code):
    assert [problem.code for problem in entry_problems("here", english, german)] == ([code] if code else [])


@pytest.mark.parametrize(
    ("text", "ban"),
    [
        ("Der Patient hat eine Calciphylaxie", "N1"),
        ("Das Labor schließt Calciphylaxie aus", "N2"),
        ("Das Labor schließt Calciphylaxie nicht aus", None),
        ("Die Gabe ist sicher", "N3"),
        ("geringes Risiko", "N3"),
        ("Wahrscheinlichkeit 3 zu 1", "N3"),
        ("Mortalität 30 %", "N3"),
        ("Warfarin absetzen", "N4"),
        ("auf Apixaban umstellen", "N5"),
        ("nicht auf Apixaban wechseln", None),
        ("Apixaban erwägen", None),
        ("Optionen: Apixaban bei mechanischer Klappe", "N5"),
        ("Morphin 5 mg", "N6"),
        ("mit Natriumthiosulfat behandeln", "N7"),
        ("Insulin vorenthalten", "N8"),
        ("Insulin nicht vorenthalten", None),
        ("Steroide absetzen", "N8"),
        ("bei dieser Rasse", "N9"),
        ("kein Hinweis bedeutet Entwarnung", "N10"),
    ],
)
def test_the_rules_of_wording_hold_in_german(text, ban):
    found = [each.id for each, _ in violations(text, "calciphylaxis", "de")]
    assert found[:1] == ([ban] if ban else [])


def test_longer_dates_have_room_and_summaries_still_fit(monkeypatch):
    long = Language("de", {}, date_length=60)
    monkeypatch.setattr("cds_service.content.translations.language_for", lambda *_: long)
    codes = [problem.code for problem in translation_problems(load_services())]
    assert set(codes) == {"summary-too-long"}


def test_export_writes_templates_and_keeps_translations(tmp_path, monkeypatch):
    path = catalogue_file(tmp_path, "de")
    path.parent.mkdir(parents=True)
    path.write_text('msgid "Why"\nmsgstr "Warum"\n\nmsgid "gone"\nmsgstr "weg"\n', encoding="utf-8")
    strings = catalogue.template([("Why", "compose.py"), ("{a}; {b}", "x.py"), ("new", "rule:a")])
    monkeypatch.setattr(catalogue, "folders", lambda _services: [(tmp_path, strings)])
    written = catalogue.write_catalogues(())
    assert [each.name for each in written] == ["cards.pot", "cards.po"]
    assert messages(path) == {"Why": "Warum"}
    assert "new" in path.read_text(encoding="utf-8")
    assert "gone" not in path.read_text(encoding="utf-8")


def test_every_content_package_in_use_has_catalogues():
    assert [content.locales.is_dir() for content in unique_contents(load_services())] == [True]
