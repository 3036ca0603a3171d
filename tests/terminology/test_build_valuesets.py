import csv
import importlib.util
import json
import shutil
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def script(name):
    spec = importlib.util.spec_from_file_location(name, ROOT / "scripts" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def builder(tmp_path, monkeypatch):
    module = script("build_valuesets")
    shutil.copytree(module.TABLES, tmp_path / "terminology")
    shutil.copytree(
        module.BUILT, tmp_path / "valuesets", ignore=shutil.ignore_patterns("*.py", "__pycache__")
    )
    monkeypatch.setattr(module, "TABLES", tmp_path / "terminology")
    monkeypatch.setattr(module, "BUILT", tmp_path / "valuesets")
    monkeypatch.setattr(sys, "argv", ["build_valuesets"])
    return module


def change(table, edit):
    with table.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    changed = edit(rows) or rows
    with table.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0], lineterminator="\n")
        writer.writeheader()
        writer.writerows(changed)


def test_the_committed_files_are_what_the_tables_give_and_building_twice_changes_nothing(builder, capsys):
    committed = {path.name: path.read_bytes() for path in (ROOT / "hooks/valuesets").glob("*.json")}
    assert builder.build() == committed
    builder.main()
    assert "0 written, 0 removed" in capsys.readouterr().out


def test_from_nothing_gives_the_same_files(builder):
    committed = builder.build()
    shutil.rmtree(builder.BUILT)
    builder.main()
    assert builder.build() == committed


def test_a_code_that_was_shipped_cannot_vanish(builder):
    change(builder.TABLES / "medications.csv", lambda rows: [row for row in rows if row["code"] != "855332"])
    with pytest.raises(SystemExit, match=r"warfarin: 855332 of .* was shipped and is gone"):
        builder.build()


def test_all_problems_of_the_tables_are_listed(builder):
    def spoil(rows):
        rows[0]["code"] = "12x"
        rows.append(dict(rows[1]))
        rows.append(dict(rows[2], value_set="nowhere"))

    change(builder.TABLES / "medications.csv", spoil)
    change(builder.TABLES / "negatives.csv", lambda rows: rows.append(dict(rows[0], removes="nowhere")))
    change(builder.TABLES / "drug_names.csv", lambda rows: rows.append(dict(rows[0], value_set="nowhere")))
    change(
        builder.TABLES / "sets.csv",
        lambda rows: [
            *rows,
            dict(rows[0]),
            dict(rows[0], id="empty", title="a title much too long for a card"),
        ],
    )
    with pytest.raises(SystemExit) as error:
        builder.build()
    for part in (
        "12x: not a well-formed",
        "listed twice",
        "nowhere: not in sets.csv",
        "negatives.csv",
        "drug_names.csv",
        "empty: has no codes",
        "title is longer",
        "nothing written",
    ):
        assert part in str(error.value)


def test_check_reports_and_writes_nothing(builder, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["build_valuesets", "--check"])
    builder.main()
    assert "up to date" in capsys.readouterr().out
    (builder.BUILT / "extra.json").write_text("{}", encoding="utf-8")
    (builder.BUILT / "warfarin.json").write_text("{}", encoding="utf-8")
    with pytest.raises(SystemExit, match=r"out of date: extra\.json, warfarin\.json"):
        builder.main()
    monkeypatch.setattr(sys, "argv", ["build_valuesets"])
    builder.main()
    assert not (builder.BUILT / "extra.json").exists()


RRF = {
    "RXNCONSO.RRF": [
        ("11289", "IN", "warfarin"),
        ("114194", "PIN", "warfarin sodium"),
        ("1895", "IN", "calcitriol twin"),
        ("317541", "DF", "Oral Tablet"),
        ("316986", "DF", "Topical Cream"),
        ("9000001", "SCDC", "warfarin sodium 11 MG"),
        ("9000002", "SCD", "warfarin sodium 11 MG Oral Tablet"),
        ("9000003", "SBD", "warfarin sodium 11 MG Oral Tablet [Jantoven]"),
        ("9000004", "SCD", "warfarin sodium 11 MG Topical Cream"),
        ("9000005", "SCD", "metformin 1 MG Oral Tablet"),
        ("855332", "SCD", "warfarin sodium 5 MG Oral Tablet"),
    ],
    "RXNREL.RRF": [
        ("9000001", "consists_of", "9000002"),
        ("114194", "has_precise_ingredient", "9000001"),
        ("11289", "form_of", "114194"),
        ("9000002", "tradename_of", "9000003"),
        ("317541", "has_dose_form", "9000002"),
        ("9000001", "consists_of", "9000004"),
        ("316986", "has_dose_form", "9000004"),
    ],
    "RXNSAT.RRF": [
        ("855332", "99999000101"),
        ("9000002", "99999000201"),
        ("9000002", "bad"),
        ("9000005", "99999000301"),
    ],
}


@pytest.fixture
def rrf(tmp_path):
    folder = tmp_path / "rrf"
    folder.mkdir()

    def write(name, line, width):
        lines = []
        for row in RRF[name]:
            fields = [""] * width
            for place, value in zip(line, row, strict=True):
                fields[place] = value
            fields[{"RXNCONSO.RRF": 11, "RXNREL.RRF": 10, "RXNSAT.RRF": 9}[name]] = "RXNORM"
            if name == "RXNCONSO.RRF":
                fields[16] = "N"
            if name == "RXNSAT.RRF":
                fields[8] = "NDC"
            lines.append("|".join(fields) + "\n")
        (folder / name).write_text("".join(lines), encoding="utf-8")

    write("RXNCONSO.RRF", (0, 12, 14), 19)
    write("RXNREL.RRF", (0, 7, 4), 17)
    write("RXNSAT.RRF", (0, 10), 14)
    return folder


def test_refresh_adds_what_fits_lists_the_rest_and_deletes_nothing(
    builder, rrf, tmp_path, monkeypatch, capsys
):
    refresher = script("refresh_rxnorm")
    before = refresher.read_table(builder.TABLES / "medications.csv")
    review = tmp_path / "review.csv"
    monkeypatch.setattr(refresher, "TABLES", builder.TABLES)
    said = refresher.refresh(rrf, "2027-01-04", review, builder.TABLES)
    after = refresher.read_table(builder.TABLES / "medications.csv")
    added = after[len(before) :]
    assert [(row["value_set"], row["code"]) for row in added] == [
        ("warfarin", "9000002"),
        ("warfarin", "9000003"),
    ]
    assert [row["code"] for row in after[: len(before)]] == [row["code"] for row in before]
    assert [(row["value_set"], row["code"]) for row in refresher.read_table(review)] == [
        ("warfarin", "9000004")
    ]
    packages = refresher.read_table(builder.TABLES / "ndc.csv")[-2:]
    assert [(row["code"], row["value_set"], row["note"]) for row in packages] == [
        ("99999000101", "warfarin", "RxNorm 855332"),
        ("99999000201", "warfarin", "RxNorm 9000002"),
    ]
    notes = {row["code"]: row["note"] for row in after if row["system"] == refresher.RXNORM}
    assert notes["308867"].startswith("historic: not in Prescribable Content 2027-01-04")
    assert not notes["855332"].startswith("historic")
    assert "2 products and 2 packages added" in said
    built = json.loads(builder.build()["warfarin.json"])
    assert "9000002" in str(built)

    again = refresher.refresh(rrf, "2027-01-04", review, builder.TABLES)
    assert again.startswith("0 products and 0 packages added, 0 codes marked historic")

    monkeypatch.setattr(
        sys, "argv", ["refresh_rxnorm", str(rrf), "--release", "2027-01-04", "--review", str(review)]
    )
    monkeypatch.setattr(refresher.refresh, "__defaults__", (builder.TABLES,))
    refresher.main()
    assert "Now run scripts/build_valuesets.py" in capsys.readouterr().out
