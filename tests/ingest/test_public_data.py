"""The public data sets come in by their mapping files, with the counts their papers and files give."""

from __future__ import annotations

import time
from pathlib import Path

import polars as pl
import pytest

from benchmarks.data_sets import data_folder
from kgrank.graph.build import build_graph
from kgrank.graph.changes import checked_edges, checked_nodes
from kgrank.ingest.clean import Clean, ingest
from kgrank.ingest.mapping import read_mapping

ROOT = Path(__file__).parents[2]


def clean(name: str) -> Clean:
    return ingest(data_folder(name), mapping=read_mapping(ROOT / "configs" / "mappings" / f"{name}.yaml"))


def kinds(found: Clean) -> dict[str, int]:
    return dict(found.events["kind"].value_counts().iter_rows())


SETS = [
    ("choice_camera", 332, 426, 5312, {"impression": 26560 - 5312, "purchase": 3969}, 7, True),
    ("choice_scanner", 752, 769, 10174, {"impression": 67516, "purchase": 10174}, 5, False),
    ("choice_pizza", 170, 4950, 2040, {"impression": 12240, "purchase": 3557}, 7, True),
    ("choice_yogurt", 100, 244, 2412, {"impression": 9648, "purchase": 2412}, 3, False),
    ("choice_cars", 832, 10440, 12480, {"impression": 37440, "purchase": 12480}, 7, False),
    ("choice_bank", 946, 171, 14799, {"impression": 29598, "purchase": 14799}, 8, False),
    ("conjoint_tea_chocolate", 187, 29, 0, {"rating": 100 * 13 + 87 * 16}, 7, False),
    ("amazon_beauty", 22363, 12101, 0, {"purchase": 198502}, 1, False),
    ("amazon_cellphones", 27879, 10429, 0, {"purchase": 150048}, 2, False),
    ("amazon_hin", 6170, 2753, 0, {"rating": 195791}, 1, False),
    ("amazon_grocery_rechorus", 14681, 8713, 0, {"purchase": 121892}, 0, False),
    ("tafeng", 32266, 23812, 0, {"purchase": 817741}, 0, False),
]


@pytest.mark.parametrize(
    ("name", "users", "items", "lists", "events", "attributes", "outside"),
    [pytest.param(*row, marks=pytest.mark.data(row[0])) for row in SETS],
)
def test_a_data_set_comes_in_with_its_counts_and_loses_no_row(
    name: str, users: int, items: int, lists: int, events: dict[str, int], attributes: int, outside: bool
) -> None:
    found = clean(name)
    # Of 353 people all ratings are the same.
    assert found.report.counts == ({"one rating": 353} if name == "amazon_hin" else {})
    assert found.events["user"].n_unique() == users
    assert len(found.items) == items
    assert found.events["list"].drop_nulls().n_unique() == lists
    assert kinds(found) == events
    assert len(found.ontology.attributes) == attributes
    assert found.log.outside is outside
    assert found.log.impressions is ("impression" in events)
    graph = build_graph(found)
    for label, table in graph.nodes.items():
        checked_nodes(label, table)
    for edge, table in graph.edges.items():
        checked_edges(edge, table)


@pytest.mark.data("amazon_beauty")
def test_beauty_comes_in_within_ten_seconds() -> None:
    started = time.monotonic()
    build_graph(clean("amazon_beauty"))
    assert time.monotonic() - started < 10


@pytest.mark.data("amazon_beauty")
def test_an_unknown_brand_of_beauty_is_a_missing_one() -> None:
    found = clean("amazon_beauty")
    assert "Unknown" not in set(found.items["brand"])
    assert found.items["brand"].null_count() == 4610 + 20


@pytest.mark.data("choice_camera")
def test_every_camera_has_all_seven_attributes_and_one_of_four_brands() -> None:
    found = clean("choice_camera")
    assert set(found.items["brand"]) == {"Canon", "Sony", "Nikon", "Panasonic"}
    assert found.values.group_by("item").len()["len"].unique().to_list() == [6]
    price = found.values.filter(pl.col("attribute") == "price")["number"]
    assert (price.min(), price.max()) == (79.0, 279.0)


@pytest.mark.data("choice_scanner")
def test_a_free_cracker_is_one_whose_price_is_missing() -> None:
    found = clean("choice_scanner")
    priced = set(found.values.filter(pl.col("attribute") == "price")["item"])
    assert len(found.items.filter(~pl.col("id").is_in(list(priced)))) == 2
    applies = {c: set(found.ontology.applicable(c)) for c in found.ontology.categories}
    assert applies["groceries.yogurt"] == {"brand", "price", "feature"}
    assert applies["groceries.cracker"] == {"brand", "price", "feature", "display"}
    assert applies["groceries"] == {"brand", "price"}
