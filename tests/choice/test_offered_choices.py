"""A choice counts with the values that its alternatives had then and there, among what was on offer."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path

import numpy as np
import polars as pl

from kgrank.choice.data.design import category_design
from kgrank.choice.data.responses import read_log
from kgrank.choice.logit.choice_sets import CategoryChoices, category_choices
from kgrank.graph.build import build_graph
from kgrank.ingest.clean import ingest
from kgrank.ingest.mapping import AttributeField, CategoryField, Events, Field, Items, Tasks
from kgrank.ingest.mapping import Mapping as Files

ITEMS = "id,category,size\nmilk,dairy,1\noats,dairy,2\nsoy,dairy,1\n"
OFFERS = """item,from,to,place,price,display
milk,2026-03-01,2026-03-07,,1.00,no
milk,2026-03-08,2026-03-14,,0.80,yes
milk,2026-03-08,2026-03-14,north,0.70,yes
oats,2026-03-01,2026-03-07,,3.00,no
soy,2026-03-01,2026-03-31,,2.00,no
"""


def choices_of(folder: Path, files: Mapping[str, str], mapping: Files | None = None) -> CategoryChoices:
    for name, text in files.items():
        (folder / name).write_text(text)
    clean = ingest(folder, mapping=mapping)
    graph = build_graph(clean)
    return category_choices(
        read_log(graph, clean.ontology), category_design(graph, clean.ontology, "dairy"), clean.ontology
    )


def prices(sets: CategoryChoices) -> list[dict[str, float]]:
    """The price of each alternative of each choice, the chosen one first."""
    block = sets.design.layout.block["price"]
    number = sets.choices.expanded[:, [block.start]].toarray().ravel() * block.scale + block.centre
    items = [sets.design.items[row] for row in sets.item_row]
    bounds = sets.choices.start
    return [
        {
            items[r]: round(float(number[r]), 6)
            for r in sorted(range(a, b), key=lambda r: -sets.choices.chosen[r])
        }
        for a, b in pairwise(bounds)
    ]


def test_a_purchase_is_set_against_what_was_on_offer_then_and_there_at_its_price(tmp_path: Path) -> None:
    log = """time,user,kind,item,place
2026-03-05T10:00:00Z,u1,purchase,milk,
2026-03-09T10:00:00Z,u1,purchase,milk,
2026-03-09T11:00:00Z,u2,purchase,milk,north
2026-03-09T12:00:00Z,u2,purchase,soy,south
2026-03-20T10:00:00Z,u3,purchase,soy,
"""
    found = prices(choices_of(tmp_path, {"items.csv": ITEMS, "offers.csv": OFFERS, "events.csv": log}))
    assert found == [
        {"milk": 1.0, "oats": 3.0, "soy": 2.0},
        {"milk": 0.8, "soy": 2.0},
        {"milk": 0.7, "soy": 2.0},
        {"soy": 2.0, "milk": 0.8},
        {"soy": 2.0},
    ]


def test_a_purchase_that_no_offer_covers_counts_with_the_last_one_before(tmp_path: Path) -> None:
    log = "time,user,kind,item\n2026-03-20T10:00:00Z,u1,purchase,milk\n"
    found = prices(choices_of(tmp_path, {"items.csv": ITEMS, "offers.csv": OFFERS, "events.csv": log}))
    assert found == [{"milk": 0.8, "soy": 2.0}]


def test_impressions_count_with_the_prices_of_their_time(tmp_path: Path) -> None:
    log = """time,user,kind,item
2026-03-05T10:00:00Z,u1,impression,milk
2026-03-05T10:00:00Z,u1,impression,oats
2026-03-05T10:00:05Z,u1,purchase,oats
2026-03-10T10:00:00Z,u1,impression,milk
2026-03-10T10:00:00Z,u1,impression,oats
2026-03-10T10:00:05Z,u1,purchase,milk
"""
    found = prices(choices_of(tmp_path, {"items.csv": ITEMS, "offers.csv": OFFERS, "events.csv": log}))
    assert found == [{"oats": 3.0, "milk": 1.0}, {"milk": 0.8, "oats": 3.0}]


def test_a_log_with_prices_gives_each_purchase_its_own_and_others_the_last_seen(tmp_path: Path) -> None:
    log = """time,user,kind,item,price
2026-03-01T10:00:00Z,u1,purchase,milk,1.00
2026-03-01T11:00:00Z,u1,purchase,oats,3.00
2026-03-01T12:00:00Z,u1,purchase,soy,2.00
2026-03-02T10:00:00Z,u2,purchase,milk,0.80
2026-03-03T10:00:00Z,u2,purchase,oats,2.50
"""
    mapping = Files(
        items=(Items(file="items.csv", rest=True),),
        events=(Events(file="events.csv", attributes={"price": AttributeField()}),),
    )
    found = prices(choices_of(tmp_path, {"items.csv": ITEMS, "events.csv": log}, mapping))
    # Alternatives are drawn, so one of the two others may be missing.
    seen_before = [{"oats": 3.0, "soy": 2.0}, {"milk": 0.8, "soy": 2.0}]
    for choice, own, others in zip(found[3:], ({"milk": 0.8}, {"oats": 2.5}), seen_before, strict=True):
        assert choice.items() >= own.items()
        assert choice.items() <= (own | others).items()
        assert len(choice) > 1


TASKS = """person,task,item,chosen,price,display,size
p1,1,milk,1,1.00,no,1
p1,1,oats,0,3.00,no,2
p1,2,milk,0,1.20,no,1
p1,2,oats,1,3.00,yes,2
p2,1,milk,1,1.00,no,1
p2,1,oats,0,2.90,no,2
"""


def task_choices(folder: Path, item: bool) -> CategoryChoices:
    source = Tasks(
        file="tasks.csv",
        category=CategoryField(constant="dairy"),
        item=Field(column="item") if item else Field(),
        attributes={n: AttributeField() for n in ("price", "display", "size")},
    )
    text = TASKS if item else TASKS.replace("task,item,", "task,alternative,")
    return choices_of(folder, {"tasks.csv": text}, Files(tasks=(source,)))


def test_tasks_that_name_their_items_have_the_choice_sets_of_one_item_a_combination(tmp_path: Path) -> None:
    named, combinations = task_choices(tmp_path, True), task_choices(tmp_path, False)
    assert named.design.items == ("milk", "oats")
    assert len(combinations.design.items) == 5
    assert [sorted(p.values()) for p in prices(named)] == [sorted(p.values()) for p in prices(combinations)]
    display = named.design.layout.column["display=true"]
    assert named.choices.raw[:, [display]].toarray().sum() == 1.0


def test_columns_that_an_item_keeps_are_the_items_in_every_offer(tmp_path: Path) -> None:
    sets = task_choices(tmp_path, True)
    block = sets.design.layout.block["size"]
    size = sets.choices.expanded[:, [block.start]].toarray().ravel() * block.scale + block.centre
    items = np.array(sets.design.items)[sets.item_row]
    assert pl.DataFrame({"item": items, "size": size.round(6)}).unique().sort("item").rows() == [
        ("milk", 1.0),
        ("oats", 2.0),
    ]


def test_many_alternatives_are_drawn_from_those_on_offer(tmp_path: Path) -> None:
    items = "id,category,size\n" + "".join(f"i{n},dairy,{n % 3}\n" for n in range(60))
    days = {0: "2026-03-01,2026-03-09", 1: "2026-03-11,2026-03-19"}
    offers = "item,from,to,price\n" + "".join(f"i{n},{days[n % 2]},{1 + n}\n" for n in range(60))
    log = "time,user,kind,item\n2026-03-05T10:00:00Z,u1,purchase,i0\n2026-03-15T10:00:00Z,u1,purchase,i1\n"
    found = prices(choices_of(tmp_path, {"items.csv": items, "offers.csv": offers, "events.csv": log}))
    assert [{int(i[1:]) % 2 for i in choice} for choice in found] == [{0}, {1}]
