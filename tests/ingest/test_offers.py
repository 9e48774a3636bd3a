"""Attributes that change over time: offers with periods, columns of the log, and columns of tasks."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import ladybug
import polars as pl
import pytest
from polars.testing import assert_frame_equal
from small_shop import Shop

from kgrank.errors import InputError, StoreError
from kgrank.graph.build import build_graph
from kgrank.graph.connect import open_store
from kgrank.graph.store import GraphStore
from kgrank.graph.sync import load
from kgrank.ingest.clean import Clean, ingest
from kgrank.ingest.mapping import AttributeField, CategoryField, Events, Items, Mapping, Offers, Tasks
from kgrank.ingest.mapping import Field as Column
from kgrank.ontology.model import AttributeType
from kgrank.resources import cypher

ITEMS = """id,category,size,price
milk,dairy,1,
oats,dairy,2,3.00
"""
OFFERS = """item,from,to,place,price,display
milk,2026-03-01,2026-03-07,,1.00,no
milk,2026-03-08,2026-03-14,,0.80,yes
oats,2026-03-01,,north,2.50,no
"""
EVENTS = """time,user,kind,item,place
2026-03-07T20:00:00Z,u1,purchase,milk,north
2026-03-09T10:00:00Z,u1,purchase,milk,
2026-03-20T10:00:00Z,u2,purchase,milk,
2026-03-20T10:00:00Z,u2,purchase,oats,south
"""


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


def prices(clean: Clean, item: str) -> list[tuple[int, int, str | None, float]]:
    rows = clean.offers.filter(pl.col("item") == item, pl.col("attribute") == "price")
    return rows.sort("start", "place").select("start", "stop", "place", "number").rows()


def test_an_offer_holds_from_its_first_day_to_the_end_of_its_last(shop: Shop) -> None:
    clean = ingest(shop(items_csv=ITEMS, offers_csv=OFFERS, events_csv=EVENTS))
    assert prices(clean, "milk") == [
        (at("2026-03-01"), at("2026-03-08"), None, 1.0),
        (at("2026-03-08"), at("2026-03-15"), None, 0.8),
    ]
    assert prices(clean, "oats") == [(at("2026-03-01"), 10**15, "north", 2.5)]
    assert clean.events.sort("time")["place"].to_list()[:2] == ["north", None]


def test_what_the_catalogue_does_not_say_is_what_the_last_offer_says(shop: Shop) -> None:
    clean = ingest(shop(items_csv=ITEMS, offers_csv=OFFERS, events_csv=EVENTS))
    now = {(r["item"], r["attribute"]): r["number"] or r["value"] for r in clean.values.iter_rows(named=True)}
    assert now["milk", "price"] == 0.8
    assert now["milk", "display"] == "true"
    assert now["oats", "price"] == 3.0
    assert len(clean.items) == 2


def test_purchases_that_no_offer_covers_are_counted_and_what_they_count_with_is_said(shop: Shop) -> None:
    clean = ingest(shop(items_csv=ITEMS, offers_csv=OFFERS, events_csv=EVENTS))
    (note,) = [n for n in clean.notes if "without one" in n]
    assert note.startswith("2 of 4 purchases of items with offers")


def test_of_offers_that_overlap_the_later_counts_and_then_the_earlier_again(shop: Shop) -> None:
    overlapping = """item,from,to,price
milk,2026-03-01,2026-03-31,1.00
milk,2026-03-10,2026-03-11,0.50
oats,2026-03-01,2026-03-31,3.00
"""
    clean = ingest(shop(items_csv=ITEMS, offers_csv=overlapping))
    assert prices(clean, "milk") == [
        (at("2026-03-01"), at("2026-03-10"), None, 1.0),
        (at("2026-03-10"), at("2026-03-12"), None, 0.5),
        (at("2026-03-12"), at("2026-04-01"), None, 1.0),
    ]
    assert len(prices(clean, "oats")) == 1
    assert any("overlap, the first of milk" in n for n in clean.notes)


def test_offers_that_cannot_be_are_dropped_with_their_reason(shop: Shop) -> None:
    wrong = """item,from,to,price
milk,2026-03-08,2026-03-01,1.00
milk,2026-03-01,2026-03-07,1.00
milk,2026-03-01,2026-03-07,2.00
milk,2026-03-20,2026-03-21,0
oats,2026-03-01,,3
oats,sometime,,3
bread,2026-03-01,,3
oats,2026-02-01,2026-02-02,2
oats,2026-02-03,2026-02-04,2
"""
    clean = ingest(shop(items_csv=ITEMS, offers_csv=wrong))
    assert clean.report.counts == {
        "unknown item": 1,
        "bad time": 1,
        "ends before it begins": 1,
        "two offers at once": 1,
    }
    assert prices(clean, "milk")[0][3] == 1.0
    assert any("1 offers have the price 0" in n for n in clean.notes)


def test_a_brand_does_not_change_over_time(shop: Shop) -> None:
    with pytest.raises(InputError, match="the brand is among what changes"):
        ingest(shop(items_csv=ITEMS, offers_csv="item,from,brand\nmilk,2026-03-01,acme\n"))


LOG = """time,user,kind,item,paid
2026-03-01T10:00:00Z,u1,purchase,milk,1.00
2026-03-02T10:00:00Z,u2,purchase,milk,1.00
2026-03-03T10:00:00Z,u1,purchase,milk,0.80
2026-03-03T11:00:00Z,u2,purchase,milk,0.90
"""


def test_columns_of_a_log_are_offers_that_its_events_name(shop: Shop) -> None:
    paid = {"price": AttributeField(column="paid")}
    mapping = Mapping(
        items=(Items(file="items.csv", attributes={"size": AttributeField()}),),
        events=(Events(file="events.csv", attributes=paid),),
    )
    clean = ingest(shop(items_csv=ITEMS, events_csv=LOG), mapping=mapping)
    assert [(a, p) for a, _, _, p in prices(clean, "milk")] == [
        (at("2026-03-01T10:00:00"), 1.0),
        (at("2026-03-03T10:00:00"), 0.8),
        (at("2026-03-03T11:00:00"), 0.9),
    ]
    offer = dict(clean.offers.select("id", "number").rows())
    assert [offer[o] for o in clean.events["offer"]] == [1.0, 1.0, 0.8, 0.9]
    assert any("1 items have two values on one day and place" in n for n in clean.notes)


TASKS = """person,task,product,chosen,price,display,size
p1,1,milk,1,1.00,no,1
p1,1,oats,0,3.00,no,2
p1,2,milk,0,1.20,no,1
p1,2,oats,1,3.00,yes,2
p2,1,milk,1,1.00,no,1
p2,1,oats,0,2.90,no,2
"""


def tasks(shop: Shop) -> Clean:
    source = Tasks(
        file="tasks.csv",
        category=CategoryField(constant="dairy"),
        item=Column(column="product"),
        attributes={
            "price": AttributeField(),
            "display": AttributeField(type=AttributeType.BOOLEAN),
            "size": AttributeField(),
        },
    )
    return ingest(shop(tasks_csv=TASKS), mapping=Mapping(tasks=(source,)))


def test_a_named_alternative_is_one_item_and_what_varies_belongs_to_the_choice(shop: Shop) -> None:
    clean = tasks(shop)
    assert clean.items["id"].to_list() == ["milk", "oats"]
    offers = clean.offers.filter(pl.col("attribute") == "price")
    shown = clean.events.filter(pl.col("kind") == "impression").join(
        offers.select(offer="id", price="number"), on="offer", how="left"
    )
    rows = shown.sort("user", "list", "item").select("user", "list", "item", "price").rows()
    assert [(i, p) for _, _, i, p in rows] == [
        ("milk", 1.0),
        ("oats", 3.0),
        ("milk", 1.2),
        ("oats", 3.0),
        ("milk", 1.0),
        ("oats", 2.9),
    ]
    # The same values of an item are one offer; what never varies is the item's own.
    assert len(offers) == 5
    assert "size" not in set(clean.offers["attribute"])


def test_an_event_without_place_and_offer_keeps_its_id(shop: Shop) -> None:
    log = "time,user,kind,item\n2026-03-01T10:00:00Z,u1,purchase,milk\n"
    clean = ingest(shop(items_csv=ITEMS, events_csv=log))
    assert clean.events["id"].to_list() == ["1442d386ebb660c9"]


def test_a_store_says_what_an_item_cost_then(shop: Shop, store: GraphStore) -> None:
    clean = ingest(shop(items_csv=ITEMS, offers_csv=OFFERS, events_csv=EVENTS))
    load(store, build_graph(clean))
    rows = store.query(cypher("rank/offers_at"), {"item": "milk", "time": at("2026-03-09T10:00:00")})
    assert [(r["value"], r["number"], r["place"]) for r in rows] == [
        ("display=true", 0.0, None),
        ("price=*", 0.8, None),
    ]


def test_a_later_load_replaces_offers_of_files_and_keeps_those_of_events(
    shop: Shop, store: GraphStore
) -> None:
    first = build_graph(tasks(shop))
    load(store, first)
    assert len(store.edges("OFFERED")) == 2 * 5
    mapping = Mapping(
        items=(Items(file="items.csv", rest=True),), offers=(Offers(file="offers.csv", rest=True),)
    )
    items = "id,category,size\nmilk,dairy,1\noats,dairy,2\n"
    before = shop(items_csv=items, offers_csv="item,from,price,display\nmilk,2026-03-01,9,no\n")
    load(store, build_graph(ingest(before, mapping=mapping)))
    assert len(store.edges("OFFERED")) == 2 * 5 + 2
    changed = shop(items_csv=items, offers_csv="item,from,price,display\nmilk,2026-03-02,8,yes\n")
    load(store, build_graph(ingest(changed, mapping=mapping)))
    dated = store.edges("OFFERED").filter(~pl.col("observed"))
    assert sorted(dated.select("target", "number").rows()) == [("display=true", 0.0), ("price=*", 8.0)]
    assert len(store.edges("OFFERED")) == 2 * 5 + 2


def test_a_store_of_an_earlier_kgrank_takes_offers_up(shop: Shop, tmp_path: Path) -> None:
    path = tmp_path / "earlier.lb"
    graph = build_graph(ingest(shop(items_csv=ITEMS, offers_csv=OFFERS, events_csv=EVENTS)))
    with open_store(str(path)) as store:
        load(store, graph)
    database = ladybug.Database(str(path))
    connection = ladybug.Connection(database)
    for statement in (
        "DROP TABLE OFFERED",
        "ALTER TABLE INTERACTED DROP place",
        "ALTER TABLE INTERACTED DROP offer",
        "MATCH (l:Loaded) WHERE l.id IN ['OFFERED', 'INTERACTED'] DELETE l",
        "MATCH (s:Schema) SET s.version = 6",
    ):
        connection.execute(statement)
    connection.close()
    database.close()
    with open_store(str(path)) as store:
        with pytest.raises(StoreError, match="doctor --repair"):
            store.edges("OFFERED")
        load(store, graph)
        assert_frame_equal(store.edges("OFFERED"), graph.edge("OFFERED"), check_row_order=False)
        assert store.edges("INTERACTED")["place"].drop_nulls().len() == 2
