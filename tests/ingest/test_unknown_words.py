"""`load` names all words that the ontology lacks in one answer, and takes their meanings back."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from typer.testing import CliRunner

from kgrank.cli.main import app
from kgrank.errors import InputError
from kgrank.ingest.clean import ingest
from kgrank.ingest.mapping import default_mapping, read_mapping
from kgrank.ingest.words import UnknownWordsError, mapping_block, nearest, with_words, write_words
from kgrank.ontology.read import read_ontology
from kgrank.resources import folder

RUN = CliRunner()
ITEMS = """id,category,brand,price,color,material
i1,dreses,Aurora,20 EUR,rde,Cotton
i2,Dresses,AURORA,30 EURO,Red,ctn
i3,ｄｒｅｓｓｅｓ,Ａｕｒｏｒａ,40 quids,ＲＥＤ,slik
i4,DRESSES,aurora,50,rde,silk
"""
EVENTS = """time,user,kind,item,query,category
2026-01-02T10:00:00Z,u1,View,i1,,
2026-01-02T10:01:00Z,u1,add_to_basket,i1,,
2026-01-02T10:02:00Z,u2,scroll,i2,,
2026-01-02T10:03:00Z,u2,search,,red,dresss
"""
EXAMPLE = folder("ontology") / "fashion"
MAPPING = """items:
- file: items.csv
  attributes:
    price: price
    color: color
    material: material
events:
- file: events.csv
"""


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    data = tmp_path / "data"
    data.mkdir()
    (data / "items.csv").write_text(ITEMS, encoding="utf-8")
    (data / "events.csv").write_text(EVENTS, encoding="utf-8")
    return data


@pytest.fixture
def mapping(tmp_path: Path) -> Path:
    path = tmp_path / "map.yaml"
    path.write_text(MAPPING, encoding="utf-8")
    return path


def unknown(shop: Path, **options: Any) -> UnknownWordsError:
    with pytest.raises(UnknownWordsError) as caught:
        ingest(shop, ontology=read_ontology(EXAMPLE), **options)
    return caught.value


def test_categories_values_units_and_kinds_are_named_at_once_by_their_rows(shop: Path) -> None:
    error = unknown(shop)
    assert [(w.rows, w.field, w.word, w.means) for w in error.words] == [
        (2, "color", "rde", "Red"),
        (1, "kind", "add_to_basket", "cart"),
        (1, "kind", "scroll", ""),
        (1, "category", "dreses", "Dresses"),
        (1, "price", "30 EURO", ""),
        (1, "price", "40 quids", ""),
        (1, "material", "ctn", "Cotton"),
        (1, "material", "slik", "Silk"),
        (1, "category", "dresss", "Dresses"),
    ]
    assert all(word in error.sentence() for word in ("rde", "dreses", "scroll"))


FILLED = {"scroll": "view", "30 EURO": "30 EUR", "40 quids": "40 EUR"}


@pytest.mark.parametrize("name", ["words.csv", "words.xlsx", "words.yaml"])
def test_what_is_written_can_be_filled_in_and_given_back(
    name: str, shop: Path, tmp_path: Path, mapping: Path
) -> None:
    path = tmp_path / name
    columns = read_mapping(mapping)
    write_words(path, unknown(shop, mapping=columns).words, columns)
    fill_in(path)
    clean = ingest(shop, ontology=read_ontology(EXAMPLE), mapping=with_words(columns, path))
    assert set(clean.items["category"]) == {"dresses"}
    assert set(clean.items["brand"]) == {"aurora"}
    assert any("color in another spelling: ＲＥＤ = Red" in note for note in clean.notes)
    assert set(clean.values.filter(attribute="color")["value"]) == {"red"}
    assert set(clean.values.filter(attribute="material")["value"]) == {"cotton", "silk"}
    assert sorted(clean.values.filter(attribute="price")["number"]) == [20, 30, 40, 50]
    assert sorted(clean.events["kind"]) == ["cart", "search", "view", "view"]


def fill_in(path: Path) -> None:
    if path.suffix == ".yaml":
        lines = []
        for line in path.read_text(encoding="utf-8").splitlines():
            word = next((w for w in FILLED if f"# {w}:" in line), None)
            lines.append(line.replace(f"# {word}:", f"{word}: {FILLED[word]}") if word else line)
        path.write_text("\n".join(lines), encoding="utf-8")
    elif path.suffix == ".csv":
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows({**row, "means": row["means"] or FILLED[row["word"]]} for row in rows)
    else:
        book = openpyxl.load_workbook(path)
        for row in book.active.iter_rows(min_row=2):  # type: ignore[union-attr]
            row[5].value = row[5].value or FILLED[row[2].value]  # type: ignore[index]
        book.save(path)


def test_the_block_can_be_pasted_as_a_mapping(shop: Path, tmp_path: Path) -> None:
    """Without a mapping, the block is one: what has a proposal is read, the rest is asked for again."""
    words = unknown(shop).words
    path = tmp_path / "map.yaml"
    path.write_text(mapping_block(words, default_mapping(shop)), encoding="utf-8")
    again = unknown(shop, mapping=read_mapping(path))
    assert {w.word for w in again.words} == set(FILLED)


def test_a_path_is_renamed_by_what_the_file_or_the_sheet_says(tmp_path: Path, shop: Path) -> None:
    text = ITEMS.replace("dreses", "Home>Dreses").replace("rde", "red")
    (shop / "items.csv").write_text(text.replace(",ctn", ",silk").replace("slik", "silk"), encoding="utf-8")
    (shop / "events.csv").write_text(EVENTS.replace("dresss", "dresses"), encoding="utf-8")
    map_file = tmp_path / "map.yaml"
    map_file.write_text(
        MAPPING.replace("csv\n  att", 'csv\n  category: {column: category, path: ">"}\n  att')
    )
    columns = read_mapping(map_file)
    write_words(tmp_path / "words.csv", unknown(shop, mapping=columns).words, columns)
    fill_in(tmp_path / "words.csv")
    clean = ingest(shop, ontology=read_ontology(EXAMPLE), mapping=with_words(columns, tmp_path / "words.csv"))
    assert set(clean.items["category"]) == {"dresses"}


def load(*words: object) -> str:
    result = RUN.invoke(app, ["load", *map(str, words)])
    if isinstance(result.exception, InputError):
        return f"{result.output}\n{result.exception.sentence()}"
    return result.output


def test_the_command_shows_the_block_or_writes_it_and_no_store(
    shop: Path, tmp_path: Path, mapping: Path
) -> None:
    options = [shop, "--ontology", EXAMPLE, "--mapping", mapping, "--store", tmp_path / "s.lb"]
    text = load(*options)
    assert "rde: Red  # 2 rows, first in line 2" in text
    assert "9 words mean nothing in the ontology (10 rows)" in text
    assert not (tmp_path / "s.lb").exists()
    load(*options, "--unknown", tmp_path / "words.xlsx")
    fill_in(tmp_path / "words.xlsx")
    assert "In " in load(*options, "--words", tmp_path / "words.xlsx")


def test_a_sheet_that_names_another_file_is_refused(tmp_path: Path, mapping: Path) -> None:
    path = tmp_path / "words.csv"
    path.write_text("file,field,word,means\nitem.csv,color,rde,Red\n", encoding="utf-8")
    with pytest.raises(
        InputError, match=r"words\.csv:2: the mapping has no file 'item\.csv'\. Did you mean items\.csv"
    ):
        with_words(read_mapping(mapping), path)
    path.write_text("file,field,word,means\nitems.csv,colour,rde,Red\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"has no field 'colour'\. Did you mean color"):
        with_words(read_mapping(mapping), path)


@pytest.mark.parametrize(
    ("word", "means"),
    [("dual", "Dual boiler"), ("conical steel", "Conical"), ("Conicel", "Conical"), ("xyz", "")],
)
def test_the_nearest_name_is_alike_or_shares_words(word: str, means: str) -> None:
    assert nearest(word, {"dual boiler": "Dual boiler", "conical": "Conical", "hx": "HX"}) == means
