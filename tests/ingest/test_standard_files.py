"""Files in the standard names: formats, times, lists, cleaning."""

from __future__ import annotations

import gzip
import io

import polars as pl
import pytest
from polars.testing import assert_frame_equal
from small_shop import EVENTS, ITEMS, Shop

from kgrank.errors import InputError
from kgrank.ingest.clean import Clean, ingest
from kgrank.ingest.mapping import read_mapping
from kgrank.ontology.model import AttributeType

HEAD = "time,user,session,kind,item,position,query\n"


def cleaned(shop: Shop, events: str, items: str = ITEMS) -> Clean:
    return ingest(shop(items_csv=items, events_csv=events))


def test_a_small_shop_comes_in_whole(shop: Shop) -> None:
    clean = ingest(shop())
    assert clean.items["id"].to_list() == ["i1", "i2", "i3"]
    assert clean.items["brand"].to_list() == ["aurora", "aurora", "casa"]
    assert len(clean.events) == 5
    assert clean.report.counts == {}
    assert (clean.log.clock, clean.log.outside, clean.log.impressions) == ("utc", True, True)


def test_an_ontology_is_inferred_and_the_load_says_so(shop: Shop) -> None:
    clean = ingest(shop())
    kinds = {a.id: a.type for a in clean.ontology.attributes.values()}
    assert kinds == {
        "brand": AttributeType.CHOICE,
        "color": AttributeType.CHOICE,
        "price": AttributeType.NUMBER,
    }
    assert clean.ontology.attributes["color"].values == ("black", "navy", "red")
    assert "no ontology was given" in clean.notes[0]


@pytest.mark.parametrize("kind", ["parquet", "jsonl", "csv.gz", "tsv"])
def test_every_format_gives_the_same_tables(shop: Shop, kind: str) -> None:
    expected = ingest(shop())
    folder = shop()
    for name, text in (("items", ITEMS), ("events", EVENTS)):
        table = pl.read_csv(text.encode())
        (folder / f"{name}.csv").unlink()
        path = folder / f"{name}.{kind}"
        if kind == "parquet":
            table.write_parquet(path)
        elif kind == "jsonl":
            table.write_ndjson(path)
        elif kind == "tsv":
            table.write_csv(path, separator="\t")
        else:
            path.write_bytes(gzip.compress(text.encode()))
    found = ingest(folder)
    assert_frame_equal(found.items, expected.items)
    assert_frame_equal(found.values, expected.values)
    assert_frame_equal(found.events, expected.events)
    assert found.ontology.fingerprint == expected.ontology.fingerprint


@pytest.mark.parametrize(
    "text",
    [
        "2026-07-01T10:00:00Z",
        "2026-07-01 10:00:00",
        "2026-07-01T10:00",
        "2026-07-01T12:00:00+02:00",
        "2026-07-01T12:00:00.750+0200",
        "1782900000",
        "1782900000.4",
        "1782900000000",
        "1782900000000000",
    ],
)
def test_one_moment_has_many_spellings(shop: Shop, text: str) -> None:
    clean = cleaned(shop, f"{HEAD}{text},u1,s1,view,i1,,\n")
    assert clean.events["time"].to_list() == [1_782_900_000]


def test_times_in_typed_columns_are_read_too(shop: Shop) -> None:
    table = pl.read_csv(io.StringIO(EVENTS)).with_columns(pl.col("time").str.to_datetime(time_zone="UTC"))
    expected = ingest(shop()).events
    folder = shop()
    (folder / "events.csv").unlink()
    table.write_parquet(folder / "events.parquet")
    assert_frame_equal(ingest(folder).events, expected)


def test_a_sequence_line_is_a_users_purchases_in_order(shop: Shop) -> None:
    clean = ingest(shop(items_csv=ITEMS, sequences_txt="u1 i2 i1 i2\nu2 i3\n"))
    events = clean.events.filter(pl.col("user") == "u1").sort("time")
    assert events["item"].to_list() == ["i2", "i1", "i2"]
    assert events["time"].to_list() == [1, 2, 3]
    assert events["kind"].unique().to_list() == ["purchase"]
    assert clean.log.clock == "order"


def test_the_same_files_twice_give_the_same_tables(shop: Shop) -> None:
    first, second = ingest(shop()), ingest(shop())
    assert_frame_equal(first.events, second.events)
    assert first.ontology.fingerprint == second.ontology.fingerprint


def test_an_event_keeps_its_id_when_others_come_before_it(shop: Shop) -> None:
    before = set(ingest(shop()).events["id"])
    more = EVENTS.replace(HEAD, f"{HEAD}2026-06-01T00:00:10Z,u0,s0,view,i1,,\n")
    after = set(cleaned(shop, more).events["id"])
    assert before < after


def test_what_was_shown_at_one_time_is_a_list_and_acts_belong_to_it(shop: Shop) -> None:
    events = ingest(shop()).events
    (shown,) = events.filter(pl.col("kind") == "impression")["list"].unique()
    acts = events.filter(pl.col("user") == "u1", pl.col("kind").is_in(["view", "purchase"]))
    assert acts["list"].to_list() == [shown, shown]
    assert events.filter(pl.col("user") == "u2")["list"].to_list() == [None]


def test_without_sessions_an_act_belongs_to_what_was_shown_within_half_an_hour(shop: Shop) -> None:
    text = (
        f"{HEAD}2026-07-01T10:00:00Z,u,,impression,i1,1,\n2026-07-01T10:00:00Z,u,,impression,i2,2,\n"
        "2026-07-01T10:20:00Z,u,,view,i1,,\n2026-07-01T10:31:00Z,u,,view,i2,,\n"
    )
    views = cleaned(shop, text).events.filter(pl.col("kind") == "view").sort("time")
    assert views["list"].is_null().to_list() == [False, True]


def test_every_dropped_row_is_counted_and_listed_with_its_line(shop: Shop) -> None:
    rows = [
        "2026-07-01T10:00:00Z,u1,s1,impression,i1,1,",
        "2026-07-03T10:00:00Z,u1,s1,view,gone,,",
        "yesterday,u1,s1,view,i1,,",
        "2999-07-03T10:00:00Z,u1,s1,view,i1,,",
        "2026-07-03T10:00:00Z,u1,s1,view,i1,first,",
        "2026-07-03T10:00:00Z,,s1,view,i1,,",
    ]
    good = "".join(f"2026-07-04T10:00:0{i}Z,u3,s3,view,i1,,\n" for i in range(5))
    clean = cleaned(shop, EVENTS + good + "\n".join(rows) + "\n")
    assert clean.report.counts == {
        "duplicate row": 1,
        "no id": 1,
        "unknown item": 1,
        "bad time": 1,
        "future time": 1,
        "not a number": 1,
    }
    lines = dict(clean.report.rows.select("reason", "line").iter_rows())
    assert lines["duplicate row"] == 12
    assert lines["no id"] == 17
    assert clean.report.rows.filter(pl.col("reason") == "unknown item")["found"].to_list() == ["gone"]


def test_lines_are_right_after_a_cell_with_a_line_end(shop: Shop) -> None:
    items = 'id,category,color,title\ni1,a,red,"one\ntwo"\ni2,a,blue,x\ni2,a,blue,y\n'
    with pytest.raises(InputError, match=r"items\.csv:5: .* in line 4 and 'y' in line 5"):
        ingest(shop(items_csv=items))


def test_a_user_with_hundreds_of_acts_in_an_hour_is_a_bot(shop: Shop) -> None:
    rows = "".join(f"{1_782_900_000 + 3 * i},b,s9,view,i{1 + i % 3},,\n" for i in range(400))
    clean = cleaned(shop, EVENTS + rows)
    assert clean.report.counts == {"bot": 400}
    assert "b" not in set(clean.events["user"])


def test_a_busy_day_in_a_log_without_hours_is_no_bot(shop: Shop) -> None:
    rows = "".join(f"2026-07-01,u,,view,i{1 + i % 3},{i},\n" for i in range(1, 401))
    assert cleaned(shop, HEAD + rows).report.counts == {}


def test_a_user_who_only_loads_pages_is_a_bot(shop: Shop) -> None:
    rows = "".join(f"{1_782_900_000 + 30 * i},b,s9,impression,i1,1,\n" for i in range(501))
    assert cleaned(shop, EVENTS + rows).report.counts == {"bot": 501}


def test_the_report_is_written_as_a_table(shop: Shop) -> None:
    clean = cleaned(shop, EVENTS + "2026-07-03T10:00:00Z,u1,s1,view,gone,,\n")
    path = shop() / "rejects.csv"
    clean.report.write(path)
    assert path.read_text() == "reason,file,line,id,found\nunknown item,events.csv,7,u1,gone\n"


def test_a_strict_load_refuses_any_dropped_row(shop: Shop) -> None:
    clean = cleaned(shop, EVENTS + "2026-07-03T10:00:00Z,u1,s1,view,gone,,\n")
    with pytest.raises(InputError, match=r"events\.csv:7: unknown item: 'gone'"):
        clean.report.refuse()
    ingest(shop()).report.refuse()


def test_a_search_goes_to_a_category_of_the_items_or_is_listed(shop: Shop) -> None:
    text = (
        "time,user,kind,item,category,query\n2026-07-01,u,search,,Shoes,boots\n2026-07-01,u,search,,hats,hat\n"
        "2026-07-01,u,view,i1,,\n"
    )
    clean = cleaned(shop, text)
    assert clean.events["category"].drop_nulls().to_list() == ["shoes"]
    assert clean.report.rows.select("reason", "line", "found").rows() == [
        ("search without category", 3, "hat")
    ]


def test_a_list_in_a_json_file_is_an_attribute_with_several_values(shop: Shop) -> None:
    clean = ingest(shop(items_jsonl='{"id": "1", "category": "a", "tags": ["x", "y"]}\n'))
    assert clean.ontology.attributes["tags"].type is AttributeType.CHOICES
    assert clean.values["value"].to_list() == ["x", "y"]


def test_what_is_no_text_in_a_json_file_is_left_out_and_nested_lists_are_joined(shop: Shop) -> None:
    row = '{"id": "1", "category": "a", "tags": [["x", "y"], ["z"]], "more": {"deep": 1}}'
    clean = ingest(shop(items_jsonl=row + "\n"))
    assert clean.values["value"].to_list() == ["x", "y", "z"]
    assert set(clean.ontology.attributes) == {"tags"}


def test_columns_may_be_parted_by_more_than_one_letter_and_have_no_head_line(shop: Shop) -> None:
    folder = shop(items_csv=ITEMS, ratings_dat="u1::i1::5::1782900000\nu2::i3::2::1782900060\n")
    mapping = (
        "items: [{file: items.csv}]\nevents: [{file: ratings.dat, separator: '::', kind: rating, "
        "header: [user, item, stars, time], value: stars}]"
    )
    (folder / "m.yaml").write_text(mapping)
    clean = ingest(folder, mapping=read_mapping(folder / "m.yaml"))
    assert clean.events.select("user", "item", "value").rows() == [("u1", "i1", 5.0), ("u2", "i3", 2.0)]


def test_the_head_line_of_excel_is_read(shop: Shop) -> None:
    clean = ingest(shop(items_csv=b"\xef\xbb\xbf" + ITEMS.replace("\n", "\r\n").encode(), events_csv=EVENTS))
    assert clean.items["id"].to_list() == ["i1", "i2", "i3"]
    assert len(clean.values) == 6


def test_an_items_file_taken_from_a_log_has_each_items_most_frequent_text(shop: Shop) -> None:
    log = "item,class,user,day\n1,a,u,1/2/2001\n1,b,u,1/3/2001\n1,b,v,1/3/2001\n2,c,v,1/4/2001\n"
    mapping = (
        "items: [{file: log.csv, from_log: true, id: item, category: {column: class}}]\n"
        "events: [{file: log.csv, kind: purchase, "
        "time: {column: day, format: '%m/%d/%Y', zone: Asia/Taipei}}]"
    )
    folder = shop(log_csv=log)
    (folder / "m.yaml").write_text(mapping)
    clean = ingest(folder, mapping=read_mapping(folder / "m.yaml"))
    assert clean.items.select("id", "category").rows() == [("1", "b"), ("2", "c")]
    assert clean.events["time"][0] == 978_364_800  # 2 January 2001, 00:00 in Taipei


def test_several_files_and_rows_together_describe_an_item(shop: Shop) -> None:
    mapping = (
        "items: [{file: c.csv, join_rows: '>', category: {path: '>'}}, {file: b.csv, brand: maker}]\n"
        "events: [{file: e.csv, kind: view, time: order}]"
    )
    folder = shop(
        c_csv="id,category\n1,wear\n1,coats\n2,wear\n", b_csv="id,maker\n1,x\n2,y\n", e_csv="user,item\nu,1\n"
    )
    (folder / "m.yaml").write_text(mapping)
    clean = ingest(folder, mapping=read_mapping(folder / "m.yaml"))
    assert clean.items.select("id", "category", "brand").rows() == [
        ("1", "wear.coats", "x"),
        ("2", "wear", "y"),
    ]
    assert clean.log.clock == "order"
