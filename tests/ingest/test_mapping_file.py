"""The mapping language: what it understands, and what it refuses, with the line."""

from __future__ import annotations

from pathlib import Path

import pytest

from kgrank.errors import InputError
from kgrank.ingest.mapping import AttributeField, Mapping, default_mapping, read_mapping
from kgrank.ontology.model import AttributeType


def read(tmp_path: Path, text: str) -> Mapping:
    path = tmp_path / "mapping.yaml"
    path.write_text(text, encoding="utf-8")
    return read_mapping(path)


def test_a_plain_word_names_a_column_and_for_a_category_the_category(tmp_path: Path) -> None:
    (source,) = read(tmp_path, "items: {file: a.csv, id: sku, category: camera}").items
    assert source.id.column == "sku"
    assert source.category.constant == "camera"


def test_words_stay_as_they_are_written(tmp_path: Path) -> None:
    (source,) = read(tmp_path, "items: {file: a.csv, id: no, brand: {rename: {007: yes}}}").items
    assert source.id.column == "no"
    assert source.brand.rename == {"007": "yes"}


def test_a_list_of_attributes_gives_each_its_defaults(tmp_path: Path) -> None:
    (source,) = read(tmp_path, "items: {file: a.csv, attributes: [color, size]}").items
    assert source.attributes == {"color": AttributeField(), "size": AttributeField()}


def test_a_list_of_one_hot_columns_names_the_values_too(tmp_path: Path) -> None:
    (source,) = read(tmp_path, "tasks: {file: a.csv, attributes: {brand: {one_hot: [canon, sony]}}}").tasks
    assert source.attributes["brand"].one_hot == {"canon": "canon", "sony": "sony"}


def test_the_outside_option_is_a_word_or_a_table_of_rows(tmp_path: Path) -> None:
    text = "tasks: [{file: a.csv, outside: {alt: 5}}, {file: b.csv, outside: all_zero}, {file: c.csv}]"
    rows, zero, none = (t.outside for t in read(tmp_path, text).tasks)
    assert rows.rows == {"alt": ("5",)}
    assert zero.exists
    assert not none.exists


def test_types_are_the_ontologys(tmp_path: Path) -> None:
    (source,) = read(tmp_path, "items: {file: a.csv, attributes: {price: {type: Number, scale: 100}}}").items
    assert source.attributes["price"].type is AttributeType.NUMBER
    assert source.attributes["price"].scale == 100.0


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "items:\n  - file: a.csv\n    catgory: x\n",
            ["mapping.yaml:3: unknown key 'catgory'", "Did you mean category?"],
        ),
        ("itms: {file: a.csv}", ["mapping.yaml:1: unknown key 'itms'", "Did you mean items?"]),
        ("items: {id: sku}", ["items has no key 'file'"]),
        ("items:\n  file: a.csv\n  file: b.csv\n", ["mapping.yaml:3: the key 'file' stands twice"]),
        ("items: {file: a.csv, rest: perhaps}", ["'perhaps' is neither true nor false"]),
        ("items: {file: a.csv, attributes: {p: {scale: much}}}", ["'much' is not a number"]),
        (
            "items: {file: a.csv, attributes: {p: {type: Numbr}}}",
            ["unknown word 'Numbr'", "Did you mean Number?"],
        ),
        ("items: {file: a.csv, attributes: {s: {type: Ordered}}}", ["without its values, least to most"]),
        ("items: {file: a.csv, id: {column: a, constant: b}}", ["a column and a constant at once"]),
        ("items: {file: a.csv, id: [a, b]}", ["id is not a table of keys"]),
        ("tasks: {file: a.csv, form: wide}", ["a wide table without its alternatives"]),
        ("tasks: {file: a.csv, outside: maybe}", ["'maybe' is not one of true, false, all_zero"]),
        ("items: {file: a.csv", ["mapping.yaml:", "not YAML"]),
        ("", ["the file is empty"]),
        ("about: nothing", ["the mapping names no file"]),
    ],
)
def test_a_mistake_is_named_with_its_line(tmp_path: Path, text: str, words: list[str]) -> None:
    with pytest.raises(InputError) as caught:
        read(tmp_path, text)
    for word in words:
        assert word in str(caught.value)


def test_a_mapping_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no file none\.yaml"):
        read_mapping(tmp_path / "none.yaml")


def test_two_files_of_one_standard_name_are_refused(tmp_path: Path) -> None:
    for name in ("items.csv", "items.parquet"):
        (tmp_path / name).write_text("x")
    with pytest.raises(InputError, match=r"items\.csv and items\.parquet"):
        default_mapping(tmp_path)


def test_every_mapping_of_the_project_can_be_read() -> None:
    files = sorted((Path(__file__).parents[2] / "configs" / "mappings").glob("*.yaml"))
    assert len(files) >= 11
    for file in files:
        assert read_mapping(file).about, file
