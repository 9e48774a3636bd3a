"""Files as shops write them are read as they are meant, and what is not read is named with its remedy."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import polars as pl
import pytest
import xlsxwriter
from small_shop import EVENTS, ITEMS, Shop

from kgrank.errors import InputError
from kgrank.ingest.clean import Clean, ingest
from kgrank.ingest.mapping import read_mapping


def read(folder: Path, mapping: str | None = None) -> Clean:
    if mapping is None:
        return ingest(folder)
    (folder / "m.yaml").write_text(mapping, encoding="utf-8")
    return ingest(folder, mapping=read_mapping(folder / "m.yaml"))


def refused(folder: Path, mapping: str | None = None) -> str:
    with pytest.raises(InputError) as caught:
        read(folder, mapping)
    return str(caught.value)


def values(clean: Clean, attribute: str) -> dict[str, object]:
    rows = clean.values.filter(pl.col("attribute") == attribute)
    return dict(rows.select("item", pl.coalesce("value", pl.col("number").cast(pl.String))).iter_rows())


@pytest.mark.parametrize("row", ["p2,pans", "p2", "p2,pans,Iron\nheavy,8"])
def test_a_row_with_fewer_cells_than_the_head_line_is_an_error_with_its_line(shop: Shop, row: str) -> None:
    text = refused(shop(items_csv=f"id,category,title,price\np1,pans,Steel,7\n{row}\n"))
    assert "items.csv:3: " in text
    assert "expected 4, as in the head line" in text
    assert "double quotes" in text


def test_a_line_end_inside_quotes_is_part_of_the_cell_and_counts_as_a_line(shop: Shop) -> None:
    folder = shop(items_csv='id,category,title\np1,pans,"Steel\nheavy"\np2,pans,x,y\n')
    assert "items.csv:4: 4 cells" in refused(folder)


def test_quotes_inside_a_cell_are_part_of_it(shop: Shop) -> None:
    clean = read(shop(items_csv='id,category,title\nt1,tv,55" OLED\nt2,tv,"43"" LED"\n'))
    assert clean.items["title"].to_list() == ['55" OLED', '43" LED']


@pytest.mark.parametrize("row", ['t2,tv,"Best" of all', 't2,tv,"55 inch'])
def test_quotes_that_do_not_match_are_an_error_with_the_line_and_the_remedy(shop: Shop, row: str) -> None:
    text = refused(shop(items_csv=f"id,category,title\nt1,tv,x\n{row}\nt3,tv,y\n"))
    assert "items.csv:3: a" in text
    assert "quote" in text
    assert '""' in text


@pytest.mark.parametrize("end", ["\r", "\r\n", "\n"])
def test_line_ends_of_every_system_are_read(shop: Shop, end: str) -> None:
    clean = read(shop(items_csv=end.join(["id,category,price", "c1,cups,5", "c2,cups,6", ""])))
    assert values(clean, "price") == {"c1": "5.0", "c2": "6.0"}


@pytest.mark.parametrize("separator", [";", "\t", "|"])
def test_the_line_in_which_excel_names_the_separator_is_read(shop: Shop, separator: str) -> None:
    rows = [f"sep={separator}", *(separator.join(r) for r in (("id", "category"), ("c1", "cups")))]
    folder = shop(items_csv="\r\n".join(rows))
    assert read(folder).items["id"].to_list() == ["c1"]
    written = separator.replace("\t", "\\t")
    assert len(read(folder, f'items: [{{file: items.csv, separator: "{written}"}}]').items) == 1


def test_empty_columns_of_a_spreadsheet_are_passed_over_and_empty_named_ones_noted(shop: Shop) -> None:
    clean = read(shop(items_csv="id,category,price,seo,video,,\nc1,cups,5,,,,\nc2,cups,6,,,,\n"))
    assert list(clean.ontology.attributes) == ["price"]
    assert any("empty: seo, video" in note for note in clean.notes)


def test_a_column_without_a_name_that_has_cells_is_noted(shop: Shop) -> None:
    clean = read(shop(items_csv=",id,category\n0,c1,cups\n1,c2,cups\n"))
    assert any("no name for it: column 1" in note for note in clean.notes)


def test_rows_without_any_cell_are_counted_as_dropped(shop: Shop) -> None:
    clean = read(shop(items_csv="id,category,price\nc1,cups,5\n,,\n\nc2,cups,6\n,,\n"))
    assert dict(clean.report.counts) == {"empty row": 2}
    assert clean.report.rows["line"].to_list() == [3, 6]


def test_characters_that_cannot_be_seen_do_not_count(shop: Shop) -> None:
    items = "id,category,color\ufeff\nX1\u200b,cups,gre\u00aden\nX2,cups,\u200egreen\n"
    events = (
        "time,user,kind,item\n2026-07-01T10:00:00Z,u\u20601,view,X1\n2026-07-01T11:00:00Z,u1,view,X2\u2069\n"
    )
    clean = read(shop(items_csv=items, events_csv=events))
    assert values(clean, "color") == {"X1": "green", "X2": "green"}
    assert clean.events["item"].to_list() == ["X1", "X2"]
    assert clean.events["user"].unique().to_list() == ["u1"]


def test_joiners_that_shape_letters_stay(shop: Shop) -> None:
    clean = read(shop(items_csv="id,category,title\nخانه\u200cها,a,क्\u200dष\nb\u200d,a,x\n"))
    assert clean.items["id"].to_list() == ["b", "خانه\u200cها"]


def test_ids_that_are_written_in_two_unicode_forms_are_one(shop: Shop) -> None:
    events = "time,user,kind,item\n2026-07-01T10:00:00Z,u1,view,cafe\u0301\n"
    clean = read(shop(items_csv="id,category\ncaf\u00e9,cups\n", events_csv=events))
    assert clean.events["item"].to_list() == ["caf\u00e9"]


def test_what_programs_write_for_a_missing_number_is_not_known_and_noted(shop: Shop) -> None:
    cells = ["NULL", "NaN", "N/A", "-", "\\N", "#N/A", "None"]
    rows = "".join(f"m{n},cups,{cell},7\n" for n, cell in enumerate(cells))
    clean = read(shop(items_csv=f"id,category,price,stock\n{rows}c1,cups,5.5,\n"))
    assert values(clean, "price") == {"c1": "5.5"}
    assert any(
        "read as not known" in note and "N/A" in note and "in price (7)" in note for note in clean.notes
    )


def test_a_word_that_may_be_missing_stays_a_word_among_words(shop: Shop) -> None:
    clean = read(shop(items_csv="id,category,region\nc1,cups,NA\nc2,cups,EU\n"))
    assert values(clean, "region") == {"c1": "NA", "c2": "EU"}


def test_a_missing_word_that_the_mapping_renames_keeps_its_meaning(shop: Shop) -> None:
    folder = shop(items_csv="id,category,stock\nc1,cups,-\nc2,cups,4\n")
    mapping = 'items: [{file: items.csv, attributes: {stock: {rename: {"-": "0"}}}}]'
    assert values(read(folder, mapping), "stock") == {"c1": "0.0", "c2": "4.0"}


def test_json_cells_of_mixed_shapes_are_read(shop: Shop) -> None:
    lines = [
        '{"id": 1, "category": "cups", "price": 5, "tags": "new"}',
        '{"id": "2", "category": "cups", "price": "6.50", "tags": ["new", "sale"]}',
        '{"id": "3", "category": "cups", "price": null, "tags": []}',
        "",
        '{"id": "4", "category": "cups"}',
    ]
    clean = read(shop(items_jsonl="\r\n".join(lines)))
    assert values(clean, "price") == {"1": "5.0", "2": "6.5"}
    tags = clean.values.filter(pl.col("attribute") == "tags")
    assert tags["value"].to_list() == ["new", "new", "sale"]


def test_long_numbers_in_json_keep_all_their_digits(shop: Shop) -> None:
    clean = read(shop(items_jsonl='{"id": 12345678901234567890123, "category": "a"}\n'))
    assert clean.items["id"].to_list() == ["12345678901234567890123"]


def test_records_are_named_when_not_read_and_read_when_named(shop: Shop) -> None:
    line = (
        '{"id": "1", "category": "a", "price": {"value": 5.5, "in": {"code": "EUR"}}, "sizes": [{"s": 1}]}\n'
    )
    folder = shop(items_jsonl=line)
    notes = " ".join(read(folder).notes)
    assert "not read: price.value, price.in.code" in notes
    assert "attributes: {price: {column: price.value}}" in notes
    assert "a list of records is no cell: sizes" in notes
    clean = read(
        folder, "items: [{file: items.jsonl, rest: true, attributes: {price: {column: price.value}}}]"
    )
    assert values(clean, "price") == {"1": "5.5"}


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ('{"id": "1", "id": "2", "category": "a"}', "the key 'id' stands twice"),
        ('{"id": "1", "category": "\\ud83d"}', "half a character"),
        ('["1", "a"]', "not a JSON object"),
        ('{"id": "2", "category": "a", "x": ' + "[" * 5000 + "]" * 5000 + "}", "inside each other"),
    ],
)
def test_a_line_of_json_that_cannot_be_read_is_named(shop: Shop, line: str, problem: str) -> None:
    text = refused(shop(items_jsonl='{"id": "0", "category": "a"}\n' + line + "\n"))
    assert f"items.jsonl:2: {problem}" in text or ("items.jsonl:2" in text and problem in text)


def test_parquet_columns_of_every_type_are_read_or_named(shop: Shop) -> None:
    folder = shop(events_csv=EVENTS)
    pl.DataFrame(
        {
            "id": ["i1", "i2"],
            "category": pl.Series(["dresses", "dresses"], dtype=pl.Categorical),
            "brewing": [dt.timedelta(minutes=3), dt.timedelta(seconds=1.5)],
            "opens": [dt.time(9, 30), None],
            "code": [b"ab", b"cd"],
            "size": pl.Series([[1, 2], [3, 4]], dtype=pl.Array(pl.Int64, 2)),
            "price": [{"value": 5.0}, {"value": 6.0}],
            "offers": [[{"shop": "a"}], [{"shop": "b"}]],
            "nothing": pl.Series([None, None], dtype=pl.Null),
        }
    ).write_parquet(folder / "items.parquet")
    (folder / "events.csv").unlink()
    clean = read(folder)
    assert values(clean, "brewing") == {"i1": "180.0", "i2": "1.5"}
    assert values(clean, "code") == {"i1": "ab", "i2": "cd"}
    assert clean.values.filter(pl.col("attribute") == "size")["value"].to_list() == ["1", "2", "3", "4"]
    notes = " ".join(clean.notes)
    assert "not read: price.value" in notes
    assert "a list of records is no cell: offers" in notes
    assert "empty: nothing" in notes


def test_lists_are_read_whether_they_have_members_or_not(shop: Shop) -> None:
    folder = shop(events_csv=EVENTS)
    (folder / "events.csv").unlink()
    pl.DataFrame(
        {
            "id": ["i1", "i2"],
            "category": "dresses",
            "tags": pl.Series([[], ["x", None, "y"]], dtype=pl.List(pl.String)),
            "nested": pl.Series([[[]], [["x"], ["y"]]], dtype=pl.List(pl.List(pl.String))),
            "nothing": pl.Series([[], []], dtype=pl.List(pl.String)),
        }
    ).write_parquet(folder / "items.parquet")
    clean = read(folder)
    for attribute in ("tags", "nested"):
        rows = clean.values.filter(pl.col("attribute") == attribute)
        assert rows.select("item", "value").rows() == [("i2", "x"), ("i2", "y")]
    assert any("empty: nothing" in note for note in clean.notes)


def test_ids_that_a_program_wrote_as_numbers_with_a_point_are_those_without(shop: Shop) -> None:
    """As pandas writes whole numbers where some are missing."""
    events = {"time": ["2026-03-01", "2026-03-02"], "user": [7.0, 8.0], "kind": "view", "item": [1.0, 2.0]}
    folder = shop(items_csv="id,category,price\n1,mugs,5\n2,mugs,6\n", events_csv="")
    (folder / "events.csv").unlink()
    pl.DataFrame(events).write_parquet(folder / "events.parquet")
    clean = read(folder)
    assert clean.events.select("user", "item").rows() == [("7", "1"), ("8", "2")]
    (folder / "events.parquet").unlink()
    pl.DataFrame(events).write_ndjson(folder / "events.jsonl")
    assert read(folder).events.equals(clean.events)


def test_parts_of_an_events_record_are_named_with_the_key_that_reads_them(shop: Shop) -> None:
    line = '{"time": "2026-03-01", "user": "u", "kind": "view", "item": "c1", "p": {"a": 1, "position": 2}}\n'
    folder = shop(items_csv="id,category\nc1,cups\n", events_jsonl=line)
    (note,) = (n for n in read(folder).notes if "not read" in n)
    assert "p.a, p.position" in note
    assert "such as position: {column: p.position}" in note


@pytest.mark.parametrize("amount", ["¥1,50{}", "1.25{},00 kr", "kr. 1{}"])
def test_amounts_in_a_currency_that_is_not_clear_are_named(shop: Shop, amount: str) -> None:
    rows = "".join(f'c{k},cups,"{amount.format(k)}"\n' for k in range(4))
    notes = " ".join(read(shop(items_csv=f"id,category,price\n{rows}")).notes)
    assert "price was not taken as a Number" in notes
    assert "items.csv:2" in notes


def test_a_workbook_is_read_like_a_csv_file(shop: Shop) -> None:
    folder = shop(items_csv=ITEMS, events_csv=EVENTS)
    before = read(folder)
    (folder / "items.csv").unlink()
    with xlsxwriter.Workbook(folder / "items.xlsx") as book:
        sheet = book.add_worksheet("Products")
        book.add_worksheet("Notes").write_string(0, 0, "remember")
        for row, line in enumerate(ITEMS.splitlines()):
            for column, cell in enumerate(line.split(",")):
                sheet.write(row, column, float(cell) if cell.isdigit() else cell)
    clean = read(folder)
    assert clean.items.equals(before.items)
    assert clean.values.equals(before.values)
    assert any("Products is read" in note and "Notes" in note for note in clean.notes)
    text = refused(folder, "items: [{file: items.xlsx, sheet: Goods}]")
    assert "no sheet 'Goods'; expected one of Products, Notes" in text


def test_columns_that_nothing_in_the_mapping_reads_are_named(shop: Shop) -> None:
    folder = shop(items_csv="id,category,price,stock\nc1,cups,5,1\n", events_csv=EVENTS)
    clean = read(folder, "items: [{file: items.csv, attributes: [price]}]")
    assert any("items.csv: columns that are not read: stock" in note for note in clean.notes)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_a_file_that_begins_with_the_mark_of_its_encoding_is_read(shop: Shop, encoding: str) -> None:
    folder = shop(items_csv="id,category\r\nc1,cups\r\n".encode(encoding))
    assert read(folder).items["id"].to_list() == ["c1"]
    assert len(read(folder, f"items: [{{file: items.csv, encoding: {encoding}}}]").items) == 1


def test_a_file_of_two_bytes_a_letter_without_a_mark_says_which_encoding_reads_it(shop: Shop) -> None:
    folder = shop(items_csv="id,category\nc1,cups\n".encode("utf-16-le"))
    assert "encoding: utf-16" in refused(folder)


def test_spellings_that_differ_in_case_width_or_form_are_one_value_with_a_note(shop: Shop) -> None:
    rows = [
        "g1,mills,HARIO,Steel",
        "g2,mills,Hario,steel",
        "g3,mills,Hario,steel",
        "g4,mills,\uff28ario,cafe\u0301",
    ]
    clean = read(shop(items_csv="\n".join(["id,category,brand,burr", *rows, "g5,mills,Kalita,caf\u00e9"])))
    assert sorted(clean.ontology.brands) == ["Hario", "Kalita"]
    assert clean.items["brand"].to_list() == ["Hario", "Hario", "Hario", "Hario", "Kalita"]
    assert clean.ontology.attributes["burr"].values == ("caf\u00e9", "steel")
    notes = " ".join(clean.notes)
    assert "brand: spellings read as one value: Hario = HARIO = \uff28ario" in notes
    assert "burr: spellings read as one value: steel = Steel" in notes


def test_ids_of_categories_keep_the_marks_of_their_script(shop: Shop) -> None:
    clean = read(shop(items_csv="id,category\nb1,किताबें\nb2,ผ้า\nb3,Tee & Café\n"))
    assert sorted(clean.items["category"]) == sorted(["किताबें", "ผ้า", "tee-café"])
