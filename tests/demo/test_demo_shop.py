from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import polars as pl
import pytest
from plain_logit import fit
from rdflib import Graph, Namespace
from rdflib.namespace import SKOS

from kgrank.demo.catalogue import ATTRIBUTES
from kgrank.demo.shop import DemoShop, generate
from kgrank.demo.truth import LEAVES, SHARES
from kgrank.resources import folder

SHOP = Namespace("https://shop.example/id/")


def test_the_same_seed_gives_the_same_shop() -> None:
    one, two = generate(3, shoppers=60), generate(3, shoppers=60)
    assert one.items.equals(two.items)
    assert one.events.equals(two.events)
    assert one.truth == two.truth


def test_another_seed_gives_another_shop() -> None:
    one, two = generate(3, shoppers=60), generate(4, shoppers=60)
    assert not one.items.equals(two.items)
    assert not one.events.equals(two.events)


def test_it_is_as_large_as_a_small_real_shop(shop: DemoShop) -> None:
    kinds = dict(shop.events["kind"].value_counts().iter_rows())
    assert len(shop.items) >= 1000
    assert shop.items["id"].is_unique().all()
    assert shop.items["category"].n_unique() >= 6
    assert shop.events["user"].n_unique() >= 1500
    assert kinds["search"] >= 22_000
    assert kinds["impression"] >= 190_000
    assert kinds["view"] > kinds["cart"] > kinds["purchase"] >= 1000


@pytest.mark.parametrize("category", LEAVES)
def test_every_leaf_category_has_ten_attributes(shop: DemoShop, category: str) -> None:
    items = shop.items.filter(pl.col("category") == category)
    assert sum(items[a].null_count() < len(items) for a in ATTRIBUTES) == 10
    assert len(SHARES[category]) == 10


def test_about_three_percent_of_the_values_are_missing(shop: DemoShop) -> None:
    gaps = 0
    for (_,), items in shop.items.group_by("category"):
        missing = [items[a].null_count() for a in ATTRIBUTES]
        gaps += sum(n for n in missing if n < len(items))
    assert gaps / (10 * len(shop.items)) == pytest.approx(0.03, abs=0.005)


def test_every_impression_has_a_list_and_its_positions_run_from_one(shop: DemoShop) -> None:
    shown = shop.events.filter(pl.col("kind") == "impression")
    lists = shown.group_by("list").agg(
        first=pl.col("position").min(), last=pl.col("position").max(), n=pl.len()
    )
    assert shown["list"].null_count() == 0
    assert lists.filter((pl.col("first") != 1) | (pl.col("last") != pl.col("n"))).is_empty()
    assert lists["n"].is_between(8, 10).all()


def test_only_what_was_shown_is_viewed_and_only_what_was_viewed_is_bought(shop: DemoShop) -> None:
    where = ["list", "item", "position"]
    kinds = {k: shop.events.filter(pl.col("kind") == k).select(where) for k in shop.events["kind"].unique()}
    for later, earlier in (("view", "impression"), ("cart", "view"), ("purchase", "cart")):
        assert kinds[later].join(kinds[earlier], on=where, how="anti").is_empty()


def test_a_tenth_of_the_lists_are_left_without_a_view(shop: DemoShop) -> None:
    lists = shop.events.filter(pl.col("kind") == "search")["list"]
    viewed = shop.events.filter(pl.col("kind") == "view")["list"].unique()
    assert 1 - len(viewed) / len(lists) == pytest.approx(0.10, abs=0.02)


def test_no_event_lies_in_the_future(shop: DemoShop) -> None:
    times = shop.events["time"].str.to_datetime("%Y-%m-%dT%H:%M:%SZ", time_zone="UTC")
    assert times.is_sorted()
    assert times.max() < datetime(2026, 10, 1, tzinfo=UTC)
    assert (times.max() - times.min()).days > 150


def test_a_session_belongs_to_one_shopper_and_takes_less_than_two_hours(shop: DemoShop) -> None:
    times = pl.col("time").str.to_datetime("%Y-%m-%dT%H:%M:%SZ")
    sessions = shop.events.group_by("session").agg(
        people=pl.col("user").n_unique(), took=times.max() - times.min()
    )
    assert (sessions["people"] == 1).all()
    assert (sessions["took"].dt.total_minutes() < 120).all()


@pytest.mark.parametrize("definition", ["average_shopper", "average_of_shoppers"])
def test_true_shares_add_up_to_one(shop: DemoShop, definition: str) -> None:
    assert shop.truth["generated"] is True
    for shares in shop.truth["importance"][definition].values():
        assert sum(shares.values()) == pytest.approx(1.0, abs=1e-5)
        assert min(shares.values()) > 0


@pytest.mark.parametrize("category", LEAVES)
def test_the_stated_shares_are_the_ranges_of_the_stated_part_worths(shop: DemoShop, category: str) -> None:
    items = shop.items.filter(pl.col("category") == category)
    ranges = {}
    for attribute, worth in shop.truth["part_worths"][category].items():
        if "per_unit" in worth:
            low, high = np.nanpercentile(items[attribute].to_numpy(), [5, 95])
            ranges[attribute] = abs(worth["per_unit"]) * (high - low)
        else:
            sold = set(items[attribute].drop_nulls())
            assert sold <= set(worth)
            own = [u for value, u in worth.items() if value in sold]
            ranges[attribute] = max(own) - min(own)
    total = sum(ranges.values())
    assert {a: r / total for a, r in ranges.items()} == pytest.approx(SHARES[category], abs=1e-4)
    assert shop.truth["importance"]["average_shopper"][category] == pytest.approx(SHARES[category], abs=1e-4)


def test_shoppers_differ_so_that_their_average_importance_is_another(shop: DemoShop) -> None:
    average, shoppers = (
        shop.truth["importance"][k]["t-shirts"] for k in ("average_shopper", "average_of_shoppers")
    )
    assert shoppers["brand"] > average["brand"] + 0.01
    assert sum(abs(average[a] - shoppers[a]) for a in average) > 0.05


def test_what_goes_with_a_purchase_is_bought_soon_after_it(shop: DemoShop) -> None:
    """Of two purchases in a row, the second is a partner of the first far above its share by chance."""
    partners = shop.truth["partners"]
    assert {len(p) for p in partners.values()} == {2, 3}
    bought = shop.events.filter(pl.col("kind") == "purchase").sort("user", "time")
    pairs = bought.select(
        "user", "item", next=pl.col("item").shift(-1), same=pl.col("user") == pl.col("user").shift(-1)
    ).filter("same")
    followed = sum(after in partners[before] for before, after in pairs.select("item", "next").iter_rows())
    popular = dict(bought["item"].value_counts(normalize=True).iter_rows())
    chance = sum(sum(popular.get(p, 0.0) for p in partners[item]) for item in pairs["item"])
    assert followed > 100
    assert followed > 10 * chance


def test_higher_positions_are_viewed_more_often(shop: DemoShop) -> None:
    at = shop.events.group_by("position").agg(
        rate=(pl.col("kind") == "view").sum() / (pl.col("kind") == "impression").sum()
    )
    rate = dict(at.drop_nulls("position").iter_rows())
    assert rate[1] > rate[2] > rate[4] > rate[8]
    assert rate[1] / rate[8] > 1.5


def test_plain_logit_recovers_the_true_importance(shop: DemoShop) -> None:
    truth = shop.truth["importance"]["average_shopper"]
    distances = []
    for category in LEAVES:
        learned = fit(shop, category)
        distances.append(sum(abs(learned[a] - truth[category][a]) for a in truth[category]))
    assert np.mean(distances) <= 0.065


def test_everything_in_the_shop_has_a_name_in_english_and_chinese(shop: DemoShop) -> None:
    graph = Graph()
    for path in (folder("ontology") / "fashion").glob("*.ttl"):
        graph.parse(path)
    used = {f"category/{c}" for c in shop.items["category"].unique()}
    for attribute in ATTRIBUTES:
        used.add(f"attribute/{attribute}")
        if shop.items.schema[attribute] == pl.String:
            kind = "brand" if attribute == "brand" else "value"
            used |= {f"{kind}/{v}" for v in shop.items[attribute].drop_nulls().unique()}
    for thing in used:
        languages = {label.language for label in graph.objects(SHOP[thing], SKOS.prefLabel)}
        assert languages >= {"en", "zh"}, thing
