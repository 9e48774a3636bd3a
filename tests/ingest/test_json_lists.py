"""JSON files: a list of objects, or an object with one such list; each record keeps its line."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal
from small_shop import EVENTS, ITEMS, Shop

from kgrank.errors import InputError
from kgrank.ingest.clean import ingest
from kgrank.ingest.mapping import read_mapping
from kgrank.profiling.folder import initialise


def records(text: str) -> list[dict[str, object]]:
    return pl.read_csv(text.encode()).to_dicts()


def refused(folder: Path) -> str:
    with pytest.raises(InputError) as error:
        ingest(folder)
    return str(error.value)


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("shape", ["list", "object", "lines", "gz"])
def test_lists_of_objects_give_the_same_tables_as_csv(shop: Shop, shape: str, indent: int | None) -> None:
    expected = ingest(shop())
    folder = shop()
    for name, text in (("items", ITEMS), ("events", EVENTS)):
        (folder / f"{name}.csv").unlink()
        rows = records(text)
        document = {"count": len(rows), name: rows, "next": None} if shape == "object" else rows
        written = json.dumps(document, indent=indent)
        if shape == "lines":
            written = "\n".join(json.dumps(row) for row in rows)
        if shape == "gz":
            (folder / f"{name}.json.gz").write_bytes(gzip.compress(written.encode()))
        else:
            (folder / f"{name}.json").write_text(written, encoding="utf-8")
    clean = ingest(folder)
    assert_frame_equal(clean.items, expected.items)
    assert_frame_equal(clean.values, expected.values)
    assert_frame_equal(clean.events, expected.events)


def test_what_is_beside_the_list_is_named(shop: Shop) -> None:
    text = json.dumps({"errors": [], "products": [{"id": "1", "category": "a"}], "page": {"next": 2}})
    folder = shop(items_json=text)
    path = folder / "mapping.yaml"
    path.write_text("items: [{file: items.json}]")
    notes = ingest(folder, mapping=read_mapping(path)).notes
    assert any("the records of 'products' are read; not read: errors, page" in note for note in notes)


def test_a_list_in_a_file_of_json_lines_is_read(shop: Shop) -> None:
    clean = ingest(shop(items_jsonl='[{"id": "1", "category": "a"},\n {"id": "2", "category": "a"}]'))
    assert clean.items["id"].to_list() == ["1", "2"]


def test_choice_tasks_in_a_list_are_read(shop: Shop) -> None:
    rows = [
        {"category": "mugs", "person": "p", "task": t, "alternative": a, "chosen": int(a == t), "size": a}
        for t in (1, 2)
        for a in (1, 2)
    ]
    clean = ingest(shop(tasks_json=json.dumps(rows, indent=1)))
    assert clean.events["kind"].value_counts(sort=True).rows() == [("impression", 4), ("purchase", 2)]


def test_a_dropped_row_has_the_line_at_which_its_record_begins(shop: Shop) -> None:
    first = '{\n "products": [\n  {\n   "id": "1",\n   "category": "a"\n  },\n'
    items = first + '  {\n   "category": "a"}, {\n "id": 3, "category": "a"}]}\n'
    clean = ingest(shop(items_json=items.replace("\n", "\r\n")))
    assert clean.report.rows.select("reason", "line").rows() == [("no id", 7)]


GOOD = '{"id": "0", "category": "a"}'


@pytest.mark.parametrize(
    ("text", "line", "problem"),
    [
        (f"[{GOOD},\n{GOOD}", 2, "neither , nor ] after an object: the file ends here"),
        (f"[{GOOD},\n{GOOD}\n{GOOD}]", 3, "neither , nor ] after an object"),
        (f"[{GOOD},\n]", 2, "not a JSON object: ']'"),
        (f'[{GOOD},\n{{"id": "1" "category": "a"}}]', 2, "damaged JSON (Expecting ',' delimiter)"),
        (f'[{GOOD},\n{{"id": "1",\n"id": "2"}}]', 2, "the key 'id' stands twice"),
        (f'[{GOOD},\n["1", "a"]]', 2, "not a JSON object"),
        (f"[{GOOD}]\n{GOOD}", 2, "text after the end of the list"),
        (f'[{GOOD},\n{{"id": "1", "category": "\\ud83d"}}]', 2, "half a character"),
        (f'[{GOOD},\n{{"x": ' + "[" * 100_000 + "]" * 100_000 + "}]", 2, "inside each other"),
        (f'{{"a": [{GOOD}],\n"b": [{GOOD}]}}', 2, "two lists of objects, 'a' and 'b'"),
        (f'{{"a": [{GOOD}]\n"b": 1}}', 2, "neither , nor } after a value"),
        ('{"a": {"1": {"category": "a"}},\n"b": 2}', 1, "no list of objects"),
        (f"{GOOD}\n[1]", 2, "not a JSON object"),
        ("\n7", 2, "no list of objects"),
        ("[\n\n]", 0, "the file has no rows"),
        ('{"a": []}', 0, "the file has no rows"),
    ],
)
def test_a_damaged_file_is_one_error_with_its_line(shop: Shop, text: str, line: int, problem: str) -> None:
    message = refused(shop(items_json=text))
    where = f"items.json:{line}: " if line else "items.json: "
    assert where in message
    assert problem in message
    assert len(message) < 600


def test_every_cut_of_a_list_is_an_error_that_names_the_file(shop: Shop) -> None:
    text = json.dumps({"page": 1, "products": records(ITEMS)}, indent=1)
    for end in range(1, len(text), 4):
        assert "items.json" in refused(shop(items_json=text[:end]))


def test_init_reads_products_and_a_log_in_lists(tmp_path: Path) -> None:
    products = [{"sku": f"p{n}", "category": "Mugs", "colour": ("red", "blue")[n % 2]} for n in range(8)]
    log = [
        {"timestamp": f"2026-03-01T10:0{n}:00Z", "user_id": f"u{n % 3}", "event": "view", "sku": f"p{n}"}
        for n in range(8)
    ]
    (tmp_path / "products.json").write_text(json.dumps({"products": products}), encoding="utf-8")
    (tmp_path / "log.json").write_text(json.dumps(log, indent=1), encoding="utf-8")
    done = initialise([tmp_path / "products.json", tmp_path / "log.json"], tmp_path / "out")
    assert (len(done.clean.items), len(done.clean.events)) == (8, 8)
