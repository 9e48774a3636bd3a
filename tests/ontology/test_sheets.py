"""Sheets: Turtle comes back as it went, an edit changes its cell only, conflicts and mistakes name a cell."""

from __future__ import annotations

import csv
import shutil
import subprocess
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyoxigraph import Literal
from typer.testing import CliRunner

from kgrank.cli.main import app
from kgrank.errors import InputError
from kgrank.ontology.blocks import read_blocks
from kgrank.ontology.layout import sound_texts
from kgrank.ontology.read import read_ontology
from kgrank.ontology.tables.names import Names
from kgrank.ontology.tables.table import Builder, to_tables
from kgrank.ontology.tables.trip import Outcome, export, plan_import, read_sheets, write_outcome
from kgrank.ontology.triples import comparable_triples
from kgrank.ontology.vocabulary import PREFIXES

RUN = CliRunner()
EXAMPLE = Path(__file__).parent / "fashion_example"
ODD = """@prefix x: <http://x.example/> .
c:dresses skos:note "kept"@en ; x:code 7 , "seven" ; skos:prefLabel "Kleider | Roben"@de ;
    kg:narrows [ kg:attribute a:color ; kg:values ( v:black ) ; x:why "season" ] .
x:other a x:Thing ; x:list ( 1 ( 2 ) [ x:p x:q ] ) .
"""


@pytest.fixture
def book(example: Path, tmp_path: Path) -> Path:
    """The example as a workbook."""
    export(example, workbook=tmp_path / "fashion.xlsx")
    return tmp_path / "fashion.xlsx"


def facts(folder: Path) -> frozenset[tuple[str, str, str]]:
    return comparable_triples(sound_texts(folder).values())


def imported(book: Path, folder: Path, **options: Any) -> Outcome:
    outcome = plan_import(read_sheets(workbook=book), folder, **options)
    write_outcome(outcome, folder)
    return outcome


def cell_of(sheet: Any, key: str, column: str) -> Any:
    heads = [c.value for c in sheet[1]]
    row = next(r for r in sheet.iter_rows(min_row=2) if r[0].value == key)
    return row[heads.index(column)]


def edit(book: Path, *edits: tuple[str, str, str, Any]) -> None:
    opened = openpyxl.load_workbook(book)
    for sheet, key, column, value in edits:
        cell_of(opened[sheet], key, column).value = value
    opened.save(book)


@pytest.mark.parametrize("odd", ["", ODD], ids=["example", "with statements that no column has"])
def test_turtle_comes_back_as_it_went(odd: str, example: Path, tmp_path: Path) -> None:
    if odd:
        text = (example / "categories.ttl").read_text(encoding="utf-8")
        (example / "categories.ttl").write_text(text + odd, encoding="utf-8")
    export(example, workbook=tmp_path / "a.xlsx", csv_folder=tmp_path / "csv")
    imported(tmp_path / "a.xlsx", tmp_path / "from_xlsx")
    write_outcome(
        plan_import(read_sheets(csv_folder=tmp_path / "csv"), tmp_path / "from_csv"), tmp_path / "from_csv"
    )
    assert facts(tmp_path / "from_xlsx") == facts(example)
    assert facts(tmp_path / "from_csv") == facts(example)
    assert {p.name for p in (tmp_path / "from_xlsx").iterdir()} == {p.name for p in example.iterdir()}


def test_the_fashion_ontology_comes_back_too(fashion_folder: Path, tmp_path: Path) -> None:
    export(fashion_folder, workbook=tmp_path / "a.xlsx")
    imported(tmp_path / "a.xlsx", tmp_path / "back")
    assert facts(tmp_path / "back") == facts(fashion_folder)


def test_a_workbook_that_nobody_edited_changes_nothing(example: Path, book: Path) -> None:
    before = {p.name: p.read_bytes() for p in example.iterdir()}
    assert imported(book, example).texts == {}
    assert {p.name: p.read_bytes() for p in example.iterdir()} == before


def test_a_workbook_saved_by_another_program_changes_nothing(example: Path, book: Path) -> None:
    openpyxl.load_workbook(book).save(book)
    assert imported(book, example).texts == {}


@pytest.mark.skipif(shutil.which("soffice") is None, reason="LibreOffice is not installed")
def test_it_survives_libreoffice(example: Path, book: Path, tmp_path: Path) -> None:
    command = ["soffice", "--headless", "--convert-to", "xlsx", "--outdir", str(tmp_path / "lo"), str(book)]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    assert imported(tmp_path / "lo" / book.name, example).texts == {}


def test_sheets_have_names_beside_ids_sentences_and_drop_downs(book: Path) -> None:
    opened = openpyxl.load_workbook(book)
    assert [s.title for s in opened if s.sheet_state == "visible"] == [
        *("rules", "categories", "applies", "attributes", "values", "others", "ontology")
    ]
    rules = opened["rules"]
    assert cell_of(rules, "r:dress-order", "order (name)").value == "Size > Color > Neckline"
    assert "size matters more than color" in cell_of(rules, "r:dress-order", "says").value
    assert cell_of(rules, "r:dress-order", "says").font.color.rgb == "FF808080"
    lists = {str(v.sqref).split(":")[0]: v.formula1 for v in rules.data_validations.dataValidation}
    assert lists["C2"].startswith('"Order,AtLeast')
    assert any(str(f).startswith("categories!$A$2") for f in lists.values())
    assert rules.freeze_panes == "B2"


def test_one_edit_changes_one_thing_and_keeps_its_comments(example: Path, book: Path) -> None:
    path = example / "rules.ttl"
    text = path.read_text(encoding="utf-8").replace("r:dress-color", "# ask Mei first\nr:dress-color", 1)
    path.write_text(text, encoding="utf-8")
    edit(book, ("rules", "r:dress-color", "share", 0.2))
    outcome = imported(book, example)
    assert outcome.changed == ("r:dress-color",)
    assert read_ontology(example).rules["dress-color"].share == 0.2
    now = path.read_text(encoding="utf-8")
    assert "# ask Mei first\nr:dress-color" in now
    assert now.split("r:dress-color")[0] == text.split("r:dress-color")[0]
    assert now[now.index("r:dress-price") :] == text[text.index("r:dress-price") :]


def test_a_partial_sheet_is_a_partial_edit(example: Path, tmp_path: Path) -> None:
    before = facts(example)
    folder = tmp_path / "part"
    folder.mkdir()
    with (folder / "applies.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(
            [
                ["category", "attribute", "need"],
                ["dresses", "waterproof", "allowed"],
                ["c:dresses", "a:length", ""],
            ]
        )
    outcome = plan_import(read_sheets(csv_folder=folder), example)
    write_outcome(outcome, example)
    ontology = read_ontology(example)
    assert "waterproof" in ontology.applicable("dresses")
    assert "length" not in ontology.applicable("dresses")
    assert len(facts(example) ^ before) == 2


def test_new_rows_go_to_the_file_of_their_kind_or_parent(example: Path, tmp_path: Path) -> None:
    folder = tmp_path / "part"
    folder.mkdir()
    with (folder / "categories.csv").open("w", newline="", encoding="utf-8-sig") as file:
        rows = [
            ["id", "notation", "name.en", "name.zh", "parent"],
            ["clogs", "AA-9", "Clogs", "木屐", "shoes"],
        ]
        csv.writer(file, delimiter=";").writerows(rows)
    outcome = plan_import(read_sheets(csv_folder=folder), example)
    write_outcome(outcome, example)
    assert (list(outcome.texts), outcome.added) == (["categories.ttl"], ("c:clogs",))
    assert read_ontology(example).categories["clogs"].names == {"en": "Clogs", "zh": "木屐"}


def test_a_folder_that_went_on_keeps_what_the_sheet_did_not_touch(example: Path, book: Path) -> None:
    path = example / "rules.ttl"
    path.write_text(
        path.read_text(encoding="utf-8").replace("kg:share 0.15", "kg:share 0.17"), encoding="utf-8"
    )
    edit(book, ("rules", "r:dress-color", "sure", 0.7))
    imported(book, example)
    rule = read_ontology(example).rules["dress-color"]
    assert (rule.share, rule.sure) == (0.17, 0.7)


def test_a_cell_edited_on_both_sides_is_a_conflict_by_its_name(example: Path, book: Path) -> None:
    path = example / "rules.ttl"
    path.write_text(
        path.read_text(encoding="utf-8").replace("kg:share 0.15", "kg:share 0.17"), encoding="utf-8"
    )
    edit(book, ("rules", "r:dress-color", "share", 0.2))
    place = cell_of(openpyxl.load_workbook(book)["rules"], "r:dress-color", "share").coordinate
    before = path.read_bytes()
    result = RUN.invoke(app, ["ontology", "import", str(example), "--xlsx", str(book)])
    assert result.exit_code == 1
    assert (
        f"rules!{place}: share of r:dress-color is '0.2' in the sheet and has become '0.17'" in result.output
    )
    assert path.read_bytes() == before
    for side, share in (("folder", 0.17), ("sheet", 0.2)):
        imported(book, example, take=side)
        assert read_ontology(example).rules["dress-color"].share == share


def test_an_edit_that_brings_in_an_error_is_refused_at_its_row(example: Path, book: Path) -> None:
    before = facts(example)
    edit(book, ("rules", "r:dress-color", "attribute", "a:colour"))
    result = RUN.invoke(app, ["ontology", "import", str(example), "--xlsx", str(book)])
    assert result.exit_code == 1
    assert "rules!A3: R428 the attribute colour does not exist. Did you mean color?" in result.output
    assert facts(example) == before


@pytest.mark.parametrize(
    ("edits", "says"),
    [
        (("rules", "r:dress-color", "share", "a lot"), "'a lot' is not a number"),
        (("rules", "r:silk-care", "if", "material"), "'material' is not a condition"),
        (("applies", "c:apparel", "need", "always"), "'always' is no need"),
        (("categories", "c:dresses", "parent", "z:apparel"), "the short name z: is not known"),
    ],
)
def test_a_cell_that_cannot_be_read_is_named(
    edits: tuple[str, str, str, Any], says: str, example: Path, book: Path
) -> None:
    sheet, key, column, _ = edits
    if key == "r:silk-care":
        opened = openpyxl.load_workbook(book)
        heads = [c.value for c in opened["rules"][1]]
        key = next(r[0].value for r in opened["rules"].iter_rows(min_row=2) if r[heads.index("if")].value)
        edits = (sheet, key, column, edits[3])
    edit(book, edits)
    place = cell_of(openpyxl.load_workbook(book)[sheet], key, column).coordinate
    with pytest.raises(InputError) as caught:
        plan_import(read_sheets(workbook=book), example)
    assert caught.value.where == f"{sheet}!{place}"
    assert says in caught.value.problem


def test_a_code_that_became_a_date_is_refused(example: Path, book: Path) -> None:
    import datetime

    edit(book, ("categories", "c:dresses", "notation", datetime.datetime(2026, 2, 1)))
    with pytest.raises(InputError, match="made a date of this cell"):
        read_sheets(workbook=book)


def test_a_column_a_sheet_and_a_missing_id_are_named(tmp_path: Path) -> None:
    cases = {
        "rules.csv": ("id,kimd\nr:x,Order\n", "no column called kimd.*Did you mean kind"),
        "rulse.csv": ("id\n", "no sheet called rulse.*Did you mean rules"),
        "values.csv": ("id,notation\n,x\n", "values!A2: this row has no id"),
    }
    for name, (text, says) in cases.items():
        folder = tmp_path / name
        folder.mkdir()
        (folder / name).write_text(text, encoding="utf-8")
        with pytest.raises(InputError, match=says):
            read_sheets(csv_folder=folder)


def test_texts_like_formulas_stay_texts(example: Path, tmp_path: Path) -> None:
    path = example / "values.ttl"
    path.write_text(path.read_text(encoding="utf-8").replace('"Black"@en', '"=1+1"@en'), encoding="utf-8")
    export(example, csv_folder=tmp_path / "csv", workbook=tmp_path / "a.xlsx")
    assert "'=1+1" in (tmp_path / "csv" / "values.csv").read_text(encoding="utf-8-sig")
    assert plan_import(read_sheets(csv_folder=tmp_path / "csv"), example).texts == {}
    assert plan_import(read_sheets(workbook=tmp_path / "a.xlsx"), example).texts == {}


NASTY = (
    "line\nbreak", "tab\there", "'quoted", "'=1", "''-2", "=1+1", "-5", "+5", "@x", "1-2", "TRUE", "007", "1e5",
    "a | b", "x > y", "a = b", " lead", "trail ", "😀", "_x000D_", "a\r\nb", '"q"', "back\\slash", "NaN", "1,5",
    "0.90", "#N/A", "a;b,c", "<b>&amp;",
)  # fmt: skip


def test_texts_that_spreadsheets_like_to_change_come_back_unchanged(example: Path, tmp_path: Path) -> None:
    path = example / "values.ttl"
    things = (
        f'v:nasty-{n} a kg:Value ; skos:notation "n{n}" ; skos:prefLabel "N"@en ; '
        f"skos:altLabel {Literal(t, language='en')} .\n"
        for n, t in enumerate(NASTY)
    )
    path.write_text(path.read_text(encoding="utf-8") + "".join(things), encoding="utf-8", newline="")
    export(example, workbook=tmp_path / "a.xlsx", csv_folder=tmp_path / "csv")
    for name, incoming in (
        ("x", read_sheets(workbook=tmp_path / "a.xlsx")),
        ("c", read_sheets(csv_folder=tmp_path / "csv")),
    ):
        assert plan_import(incoming, example).texts == {}
        write_outcome(plan_import(incoming, tmp_path / name), tmp_path / name)
        assert facts(tmp_path / name) == facts(example)


TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1, max_size=12)


@settings(max_examples=80, deadline=None)
@given(
    name=TEXT,
    synonyms=st.lists(TEXT, max_size=3, unique=True),
    number=st.sampled_from(
        ["0.5", "0.50", "7", "1e3", '"0,9"', '"7"@en', "true", "a:x", "( a:x a:y )", "[]"]
    ),
)
def test_any_row_gives_its_thing_back(name: str, synonyms: list[str], number: str) -> None:
    said_of = " , ".join(str(Literal(t, language="en")) for t in [name, *synonyms])
    text = (
        "".join(
            f"@prefix {p}: <{i}> .\n" for p, i in {**PREFIXES, "a": "http://a/", "c": "http://c/"}.items()
        )
        + f'c:x a kg:Rule , kg:Category ; skos:prefLabel "N"@en ; skos:altLabel {said_of} ; kg:share {number} ; '
        + f"kg:narrows [ kg:attribute a:x ; kg:min {number} ] ; kg:requires {number} .\n"
    )
    document = read_blocks(text)
    names = Names(document.prefixes)
    names.add(document.blocks)
    tables = to_tables(document.blocks, names, ("en",))
    builder = Builder(tables, names)
    sheet = next(s for s in tables.sheets if s.name == "categories")
    block = builder.block(sheet, ("c:x",))
    head = text.split("c:x", 1)[0]
    assert comparable_triples([head + names.writer.block(block)]) == comparable_triples([text])
