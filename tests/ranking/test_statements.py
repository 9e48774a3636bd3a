"""The questions in graph/rank, on every store, against Python and against plain tables."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from neo4j_server import empty
from shops import NODES_OF, Example, example, load

from kgrank.graph.connect import open_store
from kgrank.graph.store import GraphStore
from kgrank.graph.tables import empty_edges
from kgrank.ranking import open_shop, rank
from kgrank.ranking.stored.ranked_edges import ranked_edges
from kgrank.resources import cypher, folder

RANK = folder("graph") / "rank"
STATEMENTS = sorted(p.stem for p in RANK.glob("*.cypher"))
NEO4J = sorted(f"neo4j/{p.stem}" for p in (RANK / "neo4j").glob("*.cypher"))

PARAMETERS: Mapping[str, Any] = {
    "category": "clothes",
    "item": "i1",
    "user": "ann",
    "attribute": "price",
    "least": 0.0,
    "limit": 5,
    "time": 1_000,
}


MADE = example(7, items=25)


def offered(shop: Example) -> Example:
    """The same with an offer of its first item, which holds at the time that is asked for."""
    offer = empty_edges("OFFERED").clear(1).with_columns(
        source=pl.lit("i1"), target=pl.lit("price=*"), id=pl.lit("o1"), number=pl.lit(9.5),
        start=pl.lit(0), stop=pl.lit(2_000), observed=pl.lit(False),
    ).cast(dict(empty_edges("OFFERED").schema))  # fmt: skip
    return replace(shop, graph=replace(shop.graph, edges={**shop.graph.edges, "OFFERED": offer}))


ON_NEO4J = pytest.param("neo4j", marks=pytest.mark.neo4j)


@pytest.fixture(scope="module", params=["embedded", ON_NEO4J])
def stocked(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[GraphStore, Example]]:
    """A shop in a store that also holds another version of the weights; no test here writes."""
    if request.param == "embedded":
        address = str(tmp_path_factory.mktemp("shop") / "shop.lb")
    else:
        empty(request.getfixturevalue("neo4j_server"))
        address = request.getfixturevalue("neo4j_address")
    with open_store(address) as store:
        load(store, offered(MADE), other_version=example(1007, version="v1").weights)
        store.serve(MADE.weights.version, ranked_edges(open_shop(store), 20))
        yield store, MADE


def ask(store: GraphStore, name: str, **parameters: Any) -> list[dict[str, Any]]:
    return store.query(cypher(f"rank/{name}"), parameters)


def header(name: str, field: str) -> list[str]:
    line = re.search(rf"^// {field}: (.*)$", cypher(f"rank/{name}"), re.MULTILINE)
    assert line, f"{name} has no line '// {field}:'"
    return [] if line[1] == "none" else re.sub(r"\([^)]*\)", "", line[1]).replace(" ", "").split(",")


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


@pytest.mark.parametrize("stocked", [ON_NEO4J], indirect=True)
@pytest.mark.parametrize("name", NEO4J)
def test_a_form_for_neo4j_has_the_answer_of_the_form_for_both(
    stocked: tuple[GraphStore, Example], name: str
) -> None:
    store, made = stocked
    common = name.removeprefix("neo4j/")
    assert header(name, "Columns") == header(common, "Columns")
    asked = {p.removeprefix("$"): PARAMETERS[p.removeprefix("$")] for p in header(common, "Parameters")}
    for category in [*made.weights.categories, "nowhere"]:
        asked |= {"category": category, "limit": 1000}
        assert ask(store, name, **asked) == ask(store, common, **asked)


def test_the_importance_of_a_category_is_as_learned(stocked: tuple[GraphStore, Example]) -> None:
    store, made = stocked
    learned = made.weights.categories["tops"]
    want = sorted(((a.attribute, a.share) for a in learned.attributes), key=lambda p: -p[1])
    got = ask(store, "importance", category="tops")
    assert [(r["attribute"], r["weight"]) for r in got] == want
    assert {r["strength"] for r in got} == {learned.strength}
    assert {r["shoppers"] for r in got} == {None}


def test_an_explained_item_adds_up_to_its_score(stocked: tuple[GraphStore, Example]) -> None:
    store, made = stocked
    weight = {a.attribute: a.share for a in made.weights.categories["all"].attributes}
    for ranked in rank(open_shop(store), "all", limit=50):
        rows = ask(store, "explain_item", item=ranked.item, category="all")
        assert sum(r["contribution"] for r in rows) == pytest.approx(ranked.score, abs=1e-9, rel=0)
        for part in ranked.contributions:
            own = [r["contribution"] for r in rows if r["attribute"] == part.name]
            assert sum(own) == pytest.approx(part.logits, abs=1e-9, rel=0)
        assert all(r["weight"] == weight[r["attribute"]] for r in rows)


def test_an_attribute_is_compared_across_all_categories(stocked: tuple[GraphStore, Example]) -> None:
    store, made = stocked
    want = {
        c: next(a.share for a in w.attributes if a.attribute == "price")
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
    weight = {a.attribute: a.share for a in made.weights.categories["clothes"].attributes}
    want = {(i, a) for i in members for a in NODES_OF if weight[a] >= least and (i, a) not in has}
    got = ask(store, "missing_important_attribute", category="clothes", least=least, limit=1000)
    assert [(r["item"], r["attribute"]) for r in got] == sorted(
        want, key=lambda p: (-weight[p[1]], p[1], p[0])
    )


def test_brands_are_compared_without_the_worth_of_their_name(stocked: tuple[GraphStore, Example]) -> None:
    store, made = stocked
    table = open_shop(store)
    totals = {
        r.item: r.score - next(c.logits for c in r.contributions if c.name == "brand")
        for r in rank(table, "clothes", limit=100)
    }
    own = [totals[i] for i in made.graph.edge("MADE_BY")["source"] if i in totals]
    (row,) = ask(store, "strong_brands", category="clothes", least=1, limit=10)
    assert (row["brand"], row["items"]) == ("acme", len(own))
    assert row["score"] == pytest.approx(sum(own) / len(own), abs=2e-9)
    assert ask(store, "strong_brands", category="clothes", least=len(own) + 1, limit=10) == []


def test_alike_categories_share_most_of_the_decision(stocked: tuple[GraphStore, Example]) -> None:
    store, made = stocked
    shares = {c: {a.attribute: a.share for a in w.attributes} for c, w in made.weights.categories.items()}
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
