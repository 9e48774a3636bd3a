"""Packed, deep and far-reaching files are one error with the remedy, before they fill the memory."""

from __future__ import annotations

import gzip
import json
import re
import zipfile
from collections.abc import Callable
from pathlib import Path

import openpyxl
import polars as pl
import pytest

from kgrank.documents import NestingError, bounded_yaml, load_json
from kgrank.errors import InputError
from kgrank.ingest.clean import ingest
from kgrank.ingest.mapping import read_mapping
from kgrank.unpacked import MOST_CELLS

HEAD = "id,category,title\n"


def read(folder: Path, mapping: str | None = None) -> object:
    columns = None
    if mapping is not None:
        (folder / "mapping.yaml").write_text(mapping)
        columns = read_mapping(folder / "mapping.yaml")
    return ingest(folder, mapping=columns)


def refused(folder: Path, mapping: str | None = None) -> str:
    with pytest.raises(InputError) as error:
        read(folder, mapping)
    return error.value.sentence()


def gzip_bomb(folder: Path) -> str:
    megabyte = gzip.compress(b"a,b,c\n" * 174_763)
    (folder / "items.csv.gz").write_bytes(gzip.compress(HEAD.encode()) + 1500 * megabyte)
    return "items.csv.gz"


def workbook_bomb(folder: Path) -> str:
    openpyxl.Workbook().save(folder / "plain.xlsx")
    with zipfile.ZipFile(folder / "plain.xlsx") as plain:
        parts = {name: plain.read(name) for name in plain.namelist()}
    (folder / "plain.xlsx").unlink()
    with zipfile.ZipFile(folder / "items.xlsx", "w", zipfile.ZIP_DEFLATED, compresslevel=1) as book:
        for name, data in parts.items():
            book.writestr(name, data)
        with book.open("xl/sharedStrings.xml", "w") as file:
            file.write(b'<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">')
            for _ in range(1100):
                file.write(b"<si><t>aaaaaaa</t></si>" * 45_590)
            file.write(b"</sst>")
    return "items.xlsx"


def parquet_bomb(folder: Path) -> str:
    ids = pl.zeros(150_000_000, dtype=pl.Int8, eager=True).alias("id")
    ids.to_frame().write_parquet(folder / "items.parquet", row_group_size=10_000_000)
    return "items.parquet"


@pytest.mark.long
@pytest.mark.parametrize("bomb", [gzip_bomb, workbook_bomb, parquet_bomb], ids=lambda f: f.__name__)
def test_a_bomb_is_refused_with_both_sizes_and_the_remedy(
    tmp_path: Path, bomb: Callable[[Path], str]
) -> None:
    name = bomb(tmp_path)
    said = refused(tmp_path)
    packed = (tmp_path / name).stat().st_size
    assert f"{name}: a packed file of {packed:,} bytes that unpacks to" in said
    assert "expected at most 1,000 MB" in said
    assert re.search(r"write `unpacked: \d+` for this file in the mapping", said)


@pytest.mark.parametrize("ending", ["csv.gz", "xlsx", "parquet"])
def test_the_limit_is_that_of_the_mapping(tmp_path: Path, ending: str) -> None:
    items = pl.DataFrame({"id": [f"i{n}" for n in range(60_000)], "category": "shoes", "title": "a title"})
    path = tmp_path / f"items.{ending}"
    if ending == "csv.gz":
        path.write_bytes(gzip.compress(items.write_csv().encode()))
    elif ending == "xlsx":
        items.write_excel(path)
    else:
        items.write_parquet(path)
    mapping = "items:\n  - file: {file}\n    unpacked: {limit}\n"
    assert "expected at most 1 MB" in refused(tmp_path, mapping.format(file=path.name, limit=1))
    read(tmp_path, mapping.format(file=path.name, limit=100))


def test_a_limit_of_nothing_is_refused(tmp_path: Path) -> None:
    (tmp_path / "items.csv").write_text(HEAD)
    assert "less than 1 MB" in refused(tmp_path, "items:\n  - file: items.csv\n    unpacked: 0\n")


@pytest.mark.parametrize("cell", ["XFD1048576", "XFD2000", "ZZ100000"])
def test_a_cell_far_outside_is_refused(tmp_path: Path, cell: str) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in (("id", "category"), ("i1", "shoes"), ("i2", "shoes")):
        sheet.append(row)
    sheet[cell] = "stray"
    book.save(tmp_path / "items.xlsx")
    cells = sheet.max_row * sheet.max_column
    assert cells > MOST_CELLS
    said = refused(tmp_path)
    assert f"a sheet reaches to {cell}: {cells:,} cells, of which 7 hold something" in said
    assert "Delete the stray cells" in said


def test_formatted_empty_cells_far_outside_do_not_count(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in (("id", "category"), ("i1", "shoes"), ("i2", "shoes")):
        sheet.append(row)
    sheet["XFD1048576"].number_format = "0.00"
    book.save(tmp_path / "items.xlsx")
    read(tmp_path)


@pytest.mark.parametrize(
    "damage",
    [lambda data: data[: len(data) // 2], lambda data: b"PK\x03\x04" + b"\0" * 100, lambda data: b""],
    ids=["cut", "zeros", "empty"],
)
def test_a_damaged_workbook_is_one_error(tmp_path: Path, damage: Callable[[bytes], bytes]) -> None:
    openpyxl.Workbook().save(tmp_path / "items.xlsx")
    path = tmp_path / "items.xlsx"
    path.write_bytes(damage(path.read_bytes()))
    assert "items.xlsx: " in refused(tmp_path)


DEEP = 100_000


def test_deep_json_lines_are_an_error_with_their_line(tmp_path: Path) -> None:
    deep = "[" * DEEP + "]" * DEEP
    lines = ['{"id": "i1", "category": "shoes"}', '{"id": "i2", "category": "shoes", "x": ' + deep + "}"]
    (tmp_path / "items.jsonl").write_text("\n".join(lines))
    said = refused(tmp_path)
    assert f"{tmp_path / 'items.jsonl'}:2" in said
    assert len(said) < 500


@pytest.mark.parametrize("text", ["[" * DEEP + "]" * DEEP, '{"a":' * DEEP + "1" + "}" * DEEP])
def test_deep_json_is_a_value_error(text: str) -> None:
    with pytest.raises(NestingError):
        load_json(text)


LAUGHS = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 12)
)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (LAUGHS, "aliases"),
        ("a: " + "[" * DEEP + "]" * DEEP, "inside each other"),
        ("\n".join(" " * n + f"k{n}:" for n in range(200)) + " 1", "inside each other"),
        ("a: &a [1, *a]\n", "aliases"),
    ],
    ids=["laughs", "lists", "tables", "itself"],
)
def test_a_mapping_that_laughs_or_is_too_deep_is_an_error_with_its_line(
    tmp_path: Path, text: str, said: str
) -> None:
    (tmp_path / "items.csv").write_text(HEAD + "i1,shoes,t\n")
    sentence = refused(tmp_path, text)
    assert re.search(rf"{re.escape(str(tmp_path / 'mapping.yaml'))}:\d+", sentence), sentence
    assert said in sentence


def test_ordinary_aliases_are_read() -> None:
    text = "one: &one {a: 1}\ntwo: [*one, *one]\n"
    assert bounded_yaml(text) == text


OUTSIDE = ["../secret.csv", "/etc/passwd", "link.csv", "sub/../../secret.csv", "folder/secret.csv"]


@pytest.mark.parametrize("file", OUTSIDE)
@pytest.mark.parametrize("part", ["items", "events", "tasks"])
def test_a_mapping_names_no_file_outside_the_data_folder(tmp_path: Path, file: str, part: str) -> None:
    folder = tmp_path / "shop"
    (folder / "sub").mkdir(parents=True)
    (tmp_path / "secret.csv").write_text(HEAD + "i1,shoes,t\n")
    (folder / "items.csv").write_text(HEAD + "i1,shoes,t\n")
    (folder / "link.csv").symlink_to(tmp_path / "secret.csv")
    (folder / "folder").symlink_to(tmp_path)
    mapping = "" if part == "items" else "items:\n  - file: items.csv\n"
    mapping += f"{part}:\n  - file: {json.dumps(file)}\n"
    said = refused(folder, mapping)
    if part != "tasks":
        assert f"the file {file!r} is outside the data folder" in said
    assert "shoes" not in said


def test_links_within_the_data_folder_and_a_folder_that_is_a_link_are_read(tmp_path: Path) -> None:
    (tmp_path / "shop" / "sub").mkdir(parents=True)
    (tmp_path / "shop" / "sub" / "real.csv").write_text(HEAD + "i1,shoes,t\ni2,shoes,t\n")
    (tmp_path / "shop" / "items.csv").symlink_to("sub/real.csv")
    (tmp_path / "here").symlink_to("shop")
    read(tmp_path / "here", "items:\n  - file: items.csv\n")
