"""One clear error for each bad input: what, where, and what to do."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from small_shop import EVENTS, ITEMS, Shop

from kgrank.errors import InputError
from kgrank.ingest.clean import ingest
from kgrank.ingest.mapping import read_mapping
from kgrank.ontology.model import Ontology

FASHION = "id,category,brand,color,price\ni1,dresses,aurora,red,40\ni2,dresses,aurora,navy,60\n"


def said(folder: Path, ontology: Ontology | None = None, mapping: str | None = None) -> str:
    chosen = None
    if mapping is not None:
        (folder / "m.yaml").write_text(mapping)
        chosen = read_mapping(folder / "m.yaml")
    with pytest.raises(InputError) as caught:
        ingest(folder, ontology=ontology, mapping=chosen)
    return str(caught.value)


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    assert "no such folder" in said(tmp_path / "nowhere")


def test_a_folder_without_standard_files_says_which_names_it_looks_for(shop: Shop) -> None:
    text = said(shop(catalogue_csv=ITEMS))
    assert "items.*" in text
    assert "--mapping" in text


def test_a_missing_file_is_named_beside_those_that_are_there(shop: Shop) -> None:
    text = said(shop(), mapping="items: [{file: product.csv}]")
    assert "no file product.csv" in text
    assert "items.csv" in text


def test_a_missing_column_is_named_with_those_the_file_has(shop: Shop) -> None:
    text = said(shop(items_csv="sku,category\n1,a\n"))
    assert "items.csv: there is no column 'id'; expected one of sku, category" in text


def test_a_column_in_other_letters_is_suggested(shop: Shop) -> None:
    assert "Did you mean Id?" in said(shop(items_csv="Id,category\n1,a\n"))


def test_another_separator_is_recognised(shop: Shop) -> None:
    assert 'separator: ";"' in said(shop(items_csv="id;category\n1;a\n"))


@pytest.mark.parametrize("content", ["", "\n\n", "id,category\n"])
def test_an_empty_file_is_an_error(shop: Shop, content: str) -> None:
    assert "items.csv: the file" in said(shop(items_csv=content))


def test_another_encoding_is_named_with_its_line(shop: Shop) -> None:
    data = "id,category,title\n1,a,shirt\n2,a,连衣裙\n".encode("gb18030")
    assert "items.csv:3: not utf-8" in said(shop(items_csv=data))


def test_a_mapping_reads_another_encoding(shop: Shop) -> None:
    folder = shop(items_csv="id,category,title\n2,a,连衣裙\n".encode("gb18030"))
    (folder / "m.yaml").write_text("items: [{file: items.csv, encoding: gb18030}]")
    assert ingest(folder, mapping=read_mapping(folder / "m.yaml")).items["title"].to_list() == ["连衣裙"]


def test_a_row_with_too_many_cells_is_named_with_its_line(shop: Shop) -> None:
    assert "items.csv:3: 3 cells; expected 2" in said(shop(items_csv="id,category\n1,a\n2,a,b\n"))


def test_a_column_that_stands_twice_is_an_error(shop: Shop) -> None:
    assert "'id' stands twice" in said(shop(items_csv="id,category,id\n1,a,2\n"))


def test_half_a_gzip_file_is_an_error(shop: Shop) -> None:
    data = gzip.compress(ITEMS.encode())[:-9]
    assert "not a whole gzip file" in said(shop(items_csv_gz=data))


def test_half_a_parquet_file_is_an_error(shop: Shop) -> None:
    assert "not a whole Parquet file" in said(shop(items_parquet=b"PAR1xxxx"))


def test_a_broken_line_of_json_is_named(shop: Shop) -> None:
    text = said(shop(items_jsonl='{"id": "1", "category": "a"}\n{"id": "2", "cat\n'))
    assert "items.jsonl:2: not a JSON object" in text


def test_two_rows_of_one_item_that_differ_are_named_by_their_lines(shop: Shop) -> None:
    text = said(shop(items_csv=ITEMS + "i1,dresses,aurora,blue,40\n"))
    assert "item 'i1' stands twice" in text
    assert "color is 'red' in line 2 and 'blue' in line 5" in text


def test_an_attribute_that_the_mapping_names_and_that_has_no_value_is_an_error(shop: Shop) -> None:
    folder = shop(items_csv="id,category,color\n1,a,\n2,a,\n")
    text = said(folder, mapping="items: [{file: items.csv, attributes: [color]}]")
    assert "every value of 'color' is missing" in text


def test_an_unknown_kind_of_event_is_named_with_the_nearest(shop: Shop) -> None:
    text = said(shop(items_csv=ITEMS, events_csv=EVENTS.replace("purchase", "purchse")))
    assert "events.csv:5: unknown kind of event 'purchse'" in text
    assert "Did you mean purchase?" in text


def test_a_log_without_times_must_say_that_it_has_none(shop: Shop) -> None:
    text = said(shop(items_csv=ITEMS, events_csv="user,kind,item\nu1,view,i1\n"))
    assert "no column 'time'" in text


@pytest.mark.parametrize("time", ["yesterday", "2026-13-01", "30.02.2026"])
def test_a_log_whose_times_cannot_be_read_is_an_error(shop: Shop, time: str) -> None:
    text = said(shop(items_csv=ITEMS, events_csv=f"time,user,kind,item\n{time},u1,view,i1\n"))
    assert "events.csv:2: 1 of 1 rows: bad time" in text
    assert time in text


def test_a_log_from_the_future_is_an_error(shop: Shop) -> None:
    text = said(shop(items_csv=ITEMS, events_csv="time,user,kind,item\n2999-01-01,u1,view,i1\n"))
    assert "future time" in text


def test_a_log_of_other_items_is_an_error(shop: Shop) -> None:
    text = said(shop(items_csv=ITEMS, events_csv="time,user,kind,item\n2026-01-01,u1,view,x\n"))
    assert "unknown item; the first is 'x'" in text


@pytest.mark.parametrize(
    ("price", "reason"), [("NaN", "not finite"), ("inf", "not finite"), ("dear", "not a number")]
)
def test_a_catalogue_whose_prices_are_no_numbers_is_an_error(
    shop: Shop, fashion: Ontology, price: str, reason: str
) -> None:
    text = said(shop(items_csv=f"id,category,price\ni1,dresses,{price}\n"), fashion)
    assert reason in text
    assert "items.csv:2" in text


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("i1,dresses", "i1,dreses", ["items.csv:2: unknown category 'dreses'", "Did you mean dresses?"]),
        ("color", "colr", ["unknown attribute 'colr'", "Did you mean color?"]),
        (",red", ",rde", ["items.csv:2: unknown value 'rde' of color", "Did you mean red?"]),
        (",40", ",40 Eros", ["items.csv:2: unknown unit", "Eros"]),
        (",40", ",40 cm", ["items.csv:2: price: 40 cm", "EUR"]),
    ],
)
def test_a_word_that_the_ontology_does_not_know_is_named_with_the_nearest(
    shop: Shop, fashion: Ontology, old: str, new: str, words: list[str]
) -> None:
    text = said(shop(items_csv=FASHION.replace(old, new)), fashion)
    for word in words:
        assert word in text


def test_a_task_with_a_mark_that_is_neither_0_nor_1_is_an_error(shop: Shop) -> None:
    tasks = "category,person,task,alternative,chosen,zoom\na,1,1,1,2,0\na,1,1,2,0,1\n"
    text = said(shop(tasks_csv=tasks))
    assert "tasks.csv:2: chosen is '2'; expected 0 or 1" in text
    assert "units" in text


def test_an_alternative_that_stands_twice_in_a_task_is_named_by_both_lines(shop: Shop) -> None:
    tasks = "category,person,task,alternative,chosen,zoom\na,1,1,1,1,0\na,1,1,2,0,1\na,1,1,2,0,2\n"
    assert "alternative 2 of task 1 stands in line 3 and 4" in said(shop(tasks_csv=tasks))


def test_tasks_in_which_nothing_is_chosen_are_an_error_where_that_was_not_allowed(shop: Shop) -> None:
    tasks = "category,person,task,alternative,chosen,zoom\na,1,1,1,0,0\na,1,1,2,0,1\n"
    assert "no choice" in said(shop(tasks_csv=tasks))


def test_two_one_hot_columns_set_at_once_are_named(shop: Shop) -> None:
    folder = shop(tasks_csv="person,task,chosen,sony,canon\n1,1,1,1,1\n1,1,0,0,1\n")
    mapping = "tasks: [{file: tasks.csv, category: a, attributes: {brand: {one_hot: [sony, canon]}}}]"
    assert "tasks.csv:2: sony and canon are both set" in said(folder, mapping=mapping)


def test_files_with_and_without_a_clock_do_not_go_together(shop: Shop) -> None:
    folder = shop(items_csv=ITEMS, events_csv=EVENTS, sequences_txt="u1 i1 i2\n")
    assert "some files have a clock and some only an order" in said(folder)


def test_a_filter_that_lets_nothing_through_is_an_error(shop: Shop) -> None:
    text = said(shop(), mapping="items: [{file: items.csv, where: {brand: zara}}]")
    assert "no row has brand: zara" in text


def test_a_category_called_like_a_column_is_refused(shop: Shop) -> None:
    text = said(shop(), mapping="items: [{file: items.csv, category: color}]")
    assert "category: {column: color}" in text
