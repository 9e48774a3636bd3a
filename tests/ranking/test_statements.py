"""The statements in graph/rank, on every store, against Python and against plain tables."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from shops import NODES_OF, TREE, Example, example, load

from kgrank.graph.connect import open_store
from kgrank.graph.store import GraphStore
from kgrank.ranking import Shop, open_shop, rank
from kgrank.resources import cypher, folder
from kgrank.weights.tables import served_weights, weights_to_tables

STATEMENTS = sorted(p.stem for p in (folder("graph") / "rank").glob("*.cypher"))

PARAMETERS: Mapping[str, Any] = {
    "category": "clothes",
    "item": "i1",
    "attribute": "price",
    "least": 0.0,
    "limit": 5,
}


@pytest.fixture
def stocked(store: GraphStore) -> tuple[GraphStore, Example]:
    """A shop in a store that also holds another version of the weights."""
    made = example(7, items=25)
    load(store, made, other_version=example(1007, version="v1").weights)
    return store, made


def ask(store: GraphStore, name: str, **parameters: Any) -> list[dict[str, Any]]:
    return store.query(cypher(f"rank/{name}"), parameters)


def same_ranking(store: GraphStore, shop: Shop, category: str) -> None:
    got = ask(store, "top_items", category=category, limit=1000)
    want = rank(shop, category, limit=1000)
    assert [r["id"] for r in got] == [r.item for r in want]
    assert [r["title"] for r in got] == [r.title for r in want]
    assert [r["score"] for r in got] == pytest.approx([r.score for r in want], abs=1e-9, rel=0)


def header(name: str, field: str) -> list[str]:
    line = re.search(rf"^// {field}: (.*)$", cypher(f"rank/{name}"), re.MULTILINE)
    assert line, f"{name} has no line '// {field}:'"
    return [] if line[1] == "none" else re.sub(r"\([^)]*\)", "", line[1]).replace(" ", "").split(",")


@pytest.mark.parametrize("seed", [7, 8])
def test_cypher_ranks_as_python_does(store: GraphStore, seed: int) -> None:
    load(store, example(seed, items=25, whole=seed == 8), other_version=example(1, version="v1").weights)
    shop = open_shop(store)
    for category in TREE:
        same_ranking(store, shop, category)


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 10_000), st.booleans())
def test_any_small_shop_ranks_alike_in_the_embedded_store_and_in_python(
    tmp_path_factory: pytest.TempPathFactory, seed: int, ties: bool
) -> None:
    made = example(seed, whole=ties)
    with open_store(str(tmp_path_factory.mktemp("shop") / "shop.lb")) as store:
        load(store, made, other_version=example(seed + 1, version="v1").weights)
        shop = open_shop(store)
        for category in TREE:
            same_ranking(store, shop, category)


def test_a_category_below_two_others_counts_its_items_once(stocked: tuple[GraphStore, Example]) -> None:
    store, _ = stocked
    store.upsert_edges("SUBCATEGORY_OF", pl.DataFrame({"source": ["dresses"], "target": ["shoes"]}))
    store.upsert_edges("SUBCATEGORY_OF", pl.DataFrame({"source": ["dresses"], "target": ["all"]}))
    shop = open_shop(store)
    for category in ("all", "shoes", "clothes"):
        same_ranking(store, shop, category)


def test_the_switch_says_which_version_ranks(stocked: tuple[GraphStore, Example]) -> None:
    store, made = stocked
    before = ask(store, "top_items", category="all", limit=100)
    other = example(1008, items=25, version="v3").weights
    store.replace_version("v3", *weights_to_tables(other))
    assert ask(store, "top_items", category="all", limit=100) != before
    assert served_weights(store) == other
    store.replace_version("v2", *weights_to_tables(made.weights, made.transitions))
    assert ask(store, "top_items", category="all", limit=100) == before


def test_python_reads_from_the_store_what_was_written(stocked: tuple[GraphStore, Example]) -> None:
    store, made = stocked
    shop = open_shop(store)
    assert shop.weights == made.weights
    local = Shop.of(made.graph, made.ontology, made.weights, made.transitions)
    for history in ((), ("i3", "i1")):
        got = rank(shop, "all", limit=50, history=history)
        assert [(r.item, r.contributions) for r in got] == [
            (r.item, r.contributions) for r in rank(local, "all", limit=50, history=history)
        ]


@pytest.mark.parametrize("name", STATEMENTS)
def test_the_header_names_the_parameters_and_columns_that_there_are(
    stocked: tuple[GraphStore, Example], name: str
) -> None:
    text = cypher(f"rank/{name}")
    named = [p.removeprefix("$") for p in header(name, "Parameters")]
    body = "\n".join(line for line in text.splitlines() if not line.startswith("//"))
    assert text.startswith("// ")
    assert set(named) == set(re.findall(r"\$(\w+)", body))
    rows = ask(stocked[0], name, **{p: PARAMETERS[p] for p in named})
    assert rows, "the example answers every question"
    assert list(rows[0]) == header(name, "Columns")


def test_the_importance_of_a_category_is_as_learned(stocked: tuple[GraphStore, Example]) -> None:
    store, made = stocked
    learned = made.weights.categories["tops"]
    want = sorted(((a.attribute, a.weight) for a in learned.attributes), key=lambda p: -p[1])
    got = ask(store, "importance", category="tops")
    assert [(r["attribute"], r["weight"]) for r in got] == want
    assert {r["strength"] for r in got} == {learned.strength}
    assert {r["shoppers"] for r in got} == {None}


def test_an_explained_item_adds_up_to_its_score(stocked: tuple[GraphStore, Example]) -> None:
    store, made = stocked
    weight = {a.attribute: a.weight for a in made.weights.categories["all"].attributes}
    for ranked in rank(open_shop(store), "all", limit=50):
        rows = ask(store, "explain_item", item=ranked.item, category="all")
        assert sum(r["contribution"] for r in rows) == pytest.approx(ranked.score, abs=1e-9, rel=0)
        for part in ranked.contributions:
            own = [r["contribution"] for r in rows if r["attribute"] == part.name]
            assert sum(own) == pytest.approx(part.amount, abs=1e-9, rel=0)
        assert all(r["weight"] == weight[r["attribute"]] for r in rows)


def test_an_attribute_is_compared_across_all_categories(stocked: tuple[GraphStore, Example]) -> None:
    store, made = stocked
    want = {
        c: next(a.weight for a in w.attributes if a.attribute == "price")
        for c, w in made.weights.categories.items()
    }
    got = ask(store, "attribute_across_categories", attribute="price")
    assert [r["category"] for r in got] == sorted(want, key=lambda c: -want[c])
    assert {r["category"]: r["weight"] for r in got} == want


@pytest.mark.parametrize("least", [0.0, 0.25])
def test_items_without_an_important_attribute_are_listed(
    stocked: tuple[GraphStore, Example], least: float
) -> None:
    store, made = stocked
    inside = made.ontology.subtree("clothes")
    members = set(made.graph.edge("IN_CATEGORY").filter(pl.col("target").is_in(list(inside)))["source"])
    has = {
        (i, n.partition("=")[0])
        for i, n in made.graph.edge("HAS_VALUE").select("source", "target").iter_rows()
    }
    weight = {a.attribute: a.weight for a in made.weights.categories["clothes"].attributes}
    want = {(i, a) for i in members for a in NODES_OF if weight[a] >= least and (i, a) not in has}
    got = ask(store, "missing_important_attribute", category="clothes", least=least, limit=1000)
    assert [(r["item"], r["attribute"]) for r in got] == sorted(
        want, key=lambda p: (-weight[p[1]], p[1], p[0])
    )


def test_brands_are_compared_without_the_worth_of_their_name(stocked: tuple[GraphStore, Example]) -> None:
    store, made = stocked
    table = open_shop(store)
    totals = {
        r.item: r.score - next(c.amount for c in r.contributions if c.name == "brand")
        for r in rank(table, "clothes", limit=100)
    }
    own = [totals[i] for i in made.graph.edge("MADE_BY")["source"] if i in totals]
    (row,) = ask(store, "strong_brands", category="clothes", least=1, limit=10)
    assert (row["brand"], row["items"]) == ("acme", len(own))
    assert row["score"] == pytest.approx(sum(own) / len(own), abs=2e-9)
    assert ask(store, "strong_brands", category="clothes", least=len(own) + 1, limit=10) == []


def test_alike_categories_share_most_of_the_decision(stocked: tuple[GraphStore, Example]) -> None:
    store, made = stocked
    shares = {c: {a.attribute: a.weight for a in w.attributes} for c, w in made.weights.categories.items()}
    mine = shares.pop("tops")
    want = {c: sum(min(mine[a], other[a]) for a in mine) for c, other in shares.items()}
    got = ask(store, "alike_categories", category="tops", limit=10)
    assert {r["category"]: r["overlap"] for r in got} == pytest.approx(want, abs=1e-9)
    assert [r["category"] for r in got] == sorted(want, key=lambda c: -want[c])


def test_statements_keep_clear_of_what_the_two_stores_read_differently() -> None:
    banned = re.compile(
        r"\b(log|substring|labels|id|type|reduce|head|split|exp)\s*\(|\[\s*\w+ IN |CALL\s*[({]|\+="
    )
    for name in STATEMENTS:
        body = re.sub(
            r"//.*", "", Path(folder("graph") / "rank" / f"{name}.cypher").read_text(encoding="utf-8")
        )
        assert not banned.search(body), name
        assert not re.search(r"MATCH \([^)]*\)\s*,", body), f"{name}: one MATCH for each endpoint"
