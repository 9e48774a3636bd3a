"""What both stores promise, run over both."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from kgrank.errors import InputError, StoreError
from kgrank.graph.changes import edge_key, edge_schema, node_schema
from kgrank.graph.schema import EDGES, LEARNED_EDGES, NODES
from kgrank.graph.store import GraphStore
from kgrank.resources import schema_version

VALUES: dict[pl.DataType, st.SearchStrategy[Any]] = {
    pl.String(): st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12),
    pl.Float64(): st.floats(allow_nan=False, allow_infinity=False),
    pl.Int64(): st.integers(-(2**63), 2**63 - 1),
    pl.Boolean(): st.booleans(),
}
TRICKY = ["a", "b'\"`\\", "c 红色 é\u0301 🎽", "$d {e: f}", "0"]


def node_table(label: str, ids: list[str], **columns: list[Any]) -> pl.DataFrame:
    """Nodes with the given columns, the others without a value."""
    return _table(node_schema(label), id=ids, **columns)


def edge_table(name: str, pairs: list[tuple[str, str]], **columns: list[Any]) -> pl.DataFrame:
    """Edges with the given columns, the others without a value."""
    return _table(edge_schema(name), source=[a for a, _ in pairs], target=[b for _, b in pairs], **columns)


def _table(schema: pl.Schema, **columns: list[Any]) -> pl.DataFrame:
    rows = len(next(iter(columns.values())))
    return pl.DataFrame({c: columns.get(c, [None] * rows) for c in schema}, schema=schema)


@st.composite
def rows_of(draw: st.DrawFn, schema: pl.Schema, key: list[str]) -> pl.DataFrame:
    """A few rows of any content, told apart by their key, between the TRICKY nodes."""
    kinds = {c: VALUES[t] if c in key else st.none() | VALUES[t] for c, t in schema.items()}
    kinds |= {end: st.sampled_from(TRICKY) for end in ("source", "target") if end in schema}
    rows = draw(
        st.lists(st.fixed_dictionaries(kinds), max_size=6, unique_by=lambda r: tuple(r[c] for c in key))
    )
    return pl.DataFrame(rows, schema=schema)


AnyContent = settings(
    max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.mark.parametrize("label", NODES)
@AnyContent
@given(data=st.data())
def test_nodes_come_back_as_they_were_written(store: GraphStore, label: str, data: st.DataObject) -> None:
    before = store.nodes(label)
    table = data.draw(rows_of(node_schema(label), ["id"]))
    store.upsert_nodes(label, table)
    expected = pl.concat([before.join(table, on="id", how="anti"), table]).sort("id")
    assert_frame_equal(store.nodes(label), expected)


@pytest.mark.parametrize("name", EDGES)
@AnyContent
@given(data=st.data())
def test_edges_come_back_as_they_were_written(store: GraphStore, name: str, data: st.DataObject) -> None:
    for label in {EDGES[name].source, EDGES[name].target}:
        store.upsert_nodes(label, node_table(label, TRICKY))
    before = store.edges(name)
    key = edge_key(EDGES[name])
    table = data.draw(rows_of(edge_schema(name), key))
    store.upsert_edges(name, table)
    expected = pl.concat([before.join(table, on=key, how="anti"), table]).sort(key)
    assert_frame_equal(store.edges(name), expected)


@pytest.fixture
def shop(store: GraphStore) -> GraphStore:
    """Two categories under one, four items with parallel events, one value missing."""
    store.upsert_nodes("Category", node_table("Category", ["top", "left", "right"]))
    store.upsert_edges("SUBCATEGORY_OF", edge_table("SUBCATEGORY_OF", [("left", "top"), ("right", "top")]))
    items = ["i1", "i2", "i3", "i4"]
    store.upsert_nodes("Item", node_table("Item", items, title=["Rote Jacke", "it's", None, "红"]))
    places = [("i1", "left"), ("i2", "left"), ("i3", "right"), ("i4", "right")]
    store.upsert_edges("IN_CATEGORY", edge_table("IN_CATEGORY", places))
    store.upsert_nodes("User", node_table("User", ["u1", "u2"]))
    events = [("u1", "i1"), ("u1", "i1"), ("u1", "i2"), ("u2", "i1")]
    store.upsert_edges(
        "INTERACTED",
        edge_table(
            "INTERACTED", events, id=["e1", "e2", "e3", "e4"], time=[1, 2, 3, 4], value=[1.5, 2.5, None, 4]
        ),
    )
    store.upsert_nodes("Attribute", node_table("Attribute", ["color", "price"]))
    store.upsert_nodes("AttributeValue", node_table("AttributeValue", ["color=red", "price=*"]))
    values = [("i1", "color=red"), ("i1", "price=*"), ("i2", "price=*"), ("i3", "color=red")]
    store.upsert_edges("HAS_VALUE", edge_table("HAS_VALUE", values, number=[0.0, 10.0, 30.0, 0.0]))
    return store


def everything(store: GraphStore) -> dict[str, pl.DataFrame]:
    """All tables of a store."""
    return {n: store.nodes(n) for n in NODES} | {e: store.edges(e) for e in EDGES}


def assert_same(one: dict[str, pl.DataFrame], other: dict[str, pl.DataFrame]) -> None:
    """Every table is the same in both."""
    for name, table in one.items():
        assert_frame_equal(table, other[name])


def test_preparing_again_changes_nothing(shop: GraphStore) -> None:
    before = everything(shop)
    shop.prepare()
    assert_same(everything(shop), before)


def test_a_store_of_a_newer_schema_is_refused(store: GraphStore) -> None:
    newer = pl.DataFrame({"id": ["schema"], "version": [schema_version() + 1]})
    store.upsert_nodes("Schema", newer)
    with pytest.raises(StoreError, match="made by a newer kgrank"):
        store.prepare()


def test_writing_twice_is_writing_once(shop: GraphStore) -> None:
    before = everything(shop)
    for label in NODES:
        shop.upsert_nodes(label, before[label])
    for name in EDGES:
        shop.upsert_edges(name, before[name])
    assert_same(everything(shop), before)


def test_parallel_edges_are_told_apart_by_their_key(shop: GraphStore) -> None:
    again = edge_table("INTERACTED", [("u1", "i1"), ("u1", "i1")], id=["e2", "e5"], time=[20, 5])
    shop.upsert_edges("INTERACTED", again)
    events = shop.edges("INTERACTED").filter(source="u1", target="i1")
    assert events.select("id", "time", "value").rows() == [("e1", 1, 1.5), ("e2", 20, None), ("e5", 5, None)]


def test_an_update_gives_every_property_of_the_row_and_leaves_other_rows(shop: GraphStore) -> None:
    shop.upsert_nodes("Item", node_table("Item", ["i2", "i5"], description=["new", "also new"]))
    titles = shop.nodes("Item").select("id", "title", "description").rows()
    assert titles == [
        ("i1", "Rote Jacke", None),
        ("i2", None, "new"),
        ("i3", None, None),
        ("i4", "红", None),
        ("i5", None, "also new"),
    ]


@pytest.mark.parametrize(("pair", "label"), [(("u9", "i1"), "User"), (("u1", "i9"), "Item")])
def test_an_edge_to_a_missing_node_is_refused_and_nothing_is_written(
    shop: GraphStore, pair: tuple[str, str], label: str
) -> None:
    before = shop.edges("INTERACTED")
    table = edge_table("INTERACTED", [("u1", "i1"), pair], id=["e8", "e9"])
    with pytest.raises(StoreError, match=f"{label} with the id .9"):
        shop.upsert_edges("INTERACTED", table)
    assert_frame_equal(shop.edges("INTERACTED"), before)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"value": pl.lit(float("nan"))}, "value that is no number"),
        ({"value": pl.lit(float("inf"))}, "value that is no number"),
        ({"id": pl.lit(None, pl.String())}, "no source or target or id"),
        ({"id": pl.lit("same"), "target": pl.lit("i1")}, "the same source, target, id twice"),
        ({"time": pl.lit("yesterday")}, "values of another type"),
        ({"colour": pl.lit("red")}, "expected source, target"),
    ],
)
def test_a_table_that_breaks_the_schema_is_refused(
    shop: GraphStore, change: dict[str, pl.Expr], message: str
) -> None:
    before = shop.edges("INTERACTED")
    table = before.filter(source="u1").with_columns(**change)
    with pytest.raises(StoreError, match=message):
        shop.upsert_edges("INTERACTED", table)
    assert_frame_equal(shop.edges("INTERACTED"), before)


def test_a_name_that_is_not_in_the_schema_is_refused_with_the_nearest(store: GraphStore) -> None:
    with pytest.raises(StoreError, match="Did you mean Item"):
        store.nodes("Items")
    with pytest.raises(StoreError, match="Did you mean HAS_VALUE"):
        store.upsert_edges("HAS_VALUES", pl.DataFrame())


def test_empty_tables_are_written_and_read(store: GraphStore) -> None:
    for label in NODES:
        store.upsert_nodes(label, node_table(label, []))
        assert store.nodes(label).schema == node_schema(label)
    for name in EDGES:
        store.upsert_edges(name, edge_table(name, []))
        assert store.edges(name).schema == edge_schema(name)


def test_progress_ends_at_all_rows(store: GraphStore) -> None:
    calls: list[tuple[str, int, int]] = []
    ids = [f"u{i}" for i in range(25_000)]
    store.upsert_nodes("User", node_table("User", ids), progress=lambda *call: calls.append(call))
    assert calls[-1] == ("User", 25_000, 25_000)
    assert [done for _, done, _ in calls] == sorted(done for _, done, _ in calls)


def weights(version: str, weight: float) -> tuple[dict[str, pl.DataFrame], dict[str, pl.DataFrame]]:
    """The tables of one version of learned weights."""
    importance = edge_table("IMPORTANCE", [("top", "color")], version=[version], weight=[weight])
    curve = edge_table(
        "UTILITY",
        [("top", "price=*")] * 2 + [("top", "color=red")],
        id=[f"{version}:0", f"{version}:1", f"{version}:2"],
        version=[version] * 3,
        low=[-1e15, 20.0, -1e15],
        high=[20.0, 1e15, 1e15],
        intercept=[1.0, 2.0, weight],
        slope=[0.0, -0.05, 0.0],
    )
    ranked = edge_table("RANKED", [("top", "i1")], version=[version], position=[0], score=[weight])
    return (
        {"Weights": node_table("Weights", [version], document=['{"terms": []}'])},
        {"IMPORTANCE": importance, "UTILITY": curve, "RANKED": ranked},
    )


def served(store: GraphStore) -> list[str]:
    """The version that is served."""
    return store.nodes("Served")["version"].to_list()


def test_a_version_is_replaced_and_others_stay(shop: GraphStore) -> None:
    shop.replace_version("v1", *weights("v1", 0.25))
    shop.replace_version("v2", *weights("v2", 0.5))
    nodes, edges = weights("v2", 0.75)
    del edges["RANKED"]
    shop.replace_version("v2", nodes, edges)
    assert shop.edges("IMPORTANCE").select("version", "weight").rows() == [("v1", 0.25), ("v2", 0.75)]
    assert shop.edges("RANKED")["version"].to_list() == ["v1"]
    assert len(shop.edges("UTILITY")) == 6
    assert served(shop) == ["v2"]
    assert shop.nodes("Weights")["id"].to_list() == ["v1", "v2"]


def test_a_version_that_cannot_be_written_whole_leaves_the_earlier_one_served(shop: GraphStore) -> None:
    shop.replace_version("v1", *weights("v1", 0.25))
    before = everything(shop)
    nodes, edges = weights("v2", 0.5)
    edges["GOES_AFTER"] = edge_table("GOES_AFTER", [("i1", "gone")], version=["v2"], weight=[1.0])
    with pytest.raises(StoreError, match="Item with the id gone"):
        shop.replace_version("v2", nodes, edges)
    assert_same(everything(shop), before)


def test_a_version_names_itself_on_every_edge(shop: GraphStore) -> None:
    nodes, edges = weights("v1", 0.5)
    with pytest.raises(StoreError, match="version v1; expected v2"):
        shop.replace_version("v2", nodes, edges)
    with pytest.raises(StoreError, match="IN_CATEGORY is not learned"):
        shop.replace_version("v1", nodes, {"IN_CATEGORY": edge_table("IN_CATEGORY", [])})


def test_rows_are_read_of_the_named_nodes_alone(shop: GraphStore) -> None:
    assert shop.nodes("Item", pl.Series(["i3", "i1", "i9", "i1"]))["id"].to_list() == ["i1", "i3"]
    assert shop.edges("INTERACTED", pl.Series(["u2", "u9"]))["id"].to_list() == ["e4"]
    assert shop.nodes("Item", pl.Series([], dtype=pl.String)).is_empty()
    assert shop.edges("INTERACTED", pl.Series([], dtype=pl.String)).is_empty()


def test_the_edges_of_some_sources_are_replaced_and_those_of_others_stay(shop: GraphStore) -> None:
    table = edge_table("HAS_VALUE", [("i1", "price=*"), ("i4", "color=red")], number=[11.0, 0.0])
    shop.replace_edges("HAS_VALUE", pl.Series(["i1", "i3", "i4"]), table)
    assert shop.edges("HAS_VALUE").select("source", "target", "number").rows() == [
        ("i1", "price=*", 11.0),
        ("i2", "price=*", 30.0),
        ("i4", "color=red", 0.0),
    ]
    with pytest.raises(StoreError, match="edges of i2; expected edges of the named sources"):
        shop.replace_edges("HAS_VALUE", pl.Series(["i1"]), edge_table("HAS_VALUE", [("i2", "price=*")]))
    with pytest.raises(StoreError, match="AttributeValue with the id gone"):
        shop.replace_edges("HAS_VALUE", pl.Series(["i1"]), edge_table("HAS_VALUE", [("i1", "gone")]))
    assert len(shop.edges("HAS_VALUE")) == 3


def test_a_deleted_node_goes_with_its_edges_and_nothing_else(shop: GraphStore) -> None:
    shop.delete_nodes("Item", pl.Series(["i1", "i9"]))
    assert shop.nodes("Item")["id"].to_list() == ["i2", "i3", "i4"]
    assert shop.edges("INTERACTED")["id"].to_list() == ["e3"]
    assert shop.edges("IN_CATEGORY")["source"].to_list() == ["i2", "i3", "i4"]
    assert len(shop.nodes("User")) == 2
    shop.delete_nodes("Item", pl.Series([], dtype=pl.String))


def test_an_earlier_version_is_served_again_with_a_ranking_of_its_own(shop: GraphStore) -> None:
    shop.replace_version("v1", *weights("v1", 0.25))
    shop.replace_version("v2", *weights("v2", 0.5))
    ranked = edge_table(
        "RANKED", [("top", "i2"), ("top", "i1")], version=["v1"] * 2, position=[0, 1], score=[2.0, 1.0]
    )
    shop.serve("v1", ranked)
    assert served(shop) == ["v1"]
    assert shop.edges("RANKED").filter(version="v1").sort("position")["target"].to_list() == ["i2", "i1"]
    assert shop.edges("RANKED").filter(version="v2")["target"].to_list() == ["i1"]
    shop.serve("v2")
    assert served(shop) == ["v2"]
    assert len(shop.edges("IMPORTANCE")) == 2


def test_a_version_that_is_not_there_cannot_be_served(shop: GraphStore) -> None:
    shop.replace_version("v1", *weights("v1", 0.25))
    with pytest.raises(InputError, match="no version v3 of the weights; expected one of v1"):
        shop.serve("v3")
    assert served(shop) == ["v1"]


def test_an_old_version_is_deleted_whole_and_the_served_one_never(shop: GraphStore) -> None:
    shop.replace_version("v1", *weights("v1", 0.25))
    shop.replace_version("v2", *weights("v2", 0.5))
    with pytest.raises(StoreError, match="v2 is served"):
        shop.delete_version("v2")
    shop.delete_version("v1")
    assert shop.nodes("Weights")["id"].to_list() == ["v2"]
    assert {v for name in LEARNED_EDGES for v in shop.edges(name)["version"].to_list()} == {"v2"}


QUERIES: dict[str, tuple[str, dict[str, Any], list[dict[str, Any]]]] = {
    "a tree below a category": (
        "MATCH (c:Category {id: $id})<-[:SUBCATEGORY_OF*0..10]-(s:Category) RETURN DISTINCT s.id AS id "
        "ORDER BY id",
        {"id": "top"},
        [{"id": "left"}, {"id": "right"}, {"id": "top"}],
    ),
    "optional match and aggregates": (
        """
        MATCH (i:Item) OPTIONAL MATCH (i)<-[r:INTERACTED]-(u:User)
        RETURN i.id AS id, count(r) AS events, count(DISTINCT u.id) AS users, sum(r.time) AS times,
               coalesce(sum(r.value), 0.0) AS total ORDER BY events DESC, id LIMIT $k
        """,
        {"k": 2},
        [
            {"id": "i1", "events": 3, "users": 2, "times": 7, "total": 8.0},
            {"id": "i2", "events": 1, "users": 1, "times": 3, "total": 0.0},
        ],
    ),
    "a list as a parameter": (
        "UNWIND $ids AS id MATCH (i:Item {id: id}) WHERE i.id <> '$x' /* $y */ "
        "RETURN i.id AS id, i.title AS title ORDER BY id;",
        {"ids": ["i4", "i3"]},
        [{"id": "i3", "title": None}, {"id": "i4", "title": "红"}],
    ),
    "maps and lists": (
        """
        // Comments are allowed.
        MATCH (i:Item {id: 'i1'})-[h:HAS_VALUE]->(v:AttributeValue)
        WITH i, h, v ORDER BY v.id LIMIT 10
        RETURN i.id AS id, collect({value: v.id, number: h.number}) AS parts
        """,
        {},
        [
            {
                "id": "i1",
                "parts": [{"value": "color=red", "number": 0.0}, {"value": "price=*", "number": 10.0}],
            }
        ],
    ),
    "existence": (
        "MATCH (i:Item) WHERE NOT EXISTS { MATCH (i)-[:HAS_VALUE]->(:AttributeValue) } RETURN i.id AS id",
        {},
        [{"id": "i4"}],
    ),
    "a curve over parallel edges": (
        """
        MATCH (top:Category {id: $category})<-[:SUBCATEGORY_OF*0..10]-(sub:Category)
        WITH DISTINCT sub
        MATCH (sub)<-[:IN_CATEGORY]-(i:Item)
        WITH DISTINCT i
        OPTIONAL MATCH (i)-[h:HAS_VALUE]->(v:AttributeValue)<-[u:UTILITY]-(c:Category {id: $category})
        WHERE h.number >= u.low AND h.number < u.high AND u.version = $version
        WITH i.id AS id, coalesce(sum(u.intercept + u.slope * h.number), 0.0) AS total
        RETURN id, round(total, 9) AS score ORDER BY score DESC, id LIMIT $k
        """,
        {"category": "top", "version": "v1", "k": 10},
        [
            {"id": "i1", "score": 1.25},
            {"id": "i2", "score": 0.5},
            {"id": "i3", "score": 0.25},
            {"id": "i4", "score": 0.0},
        ],
    ),
    "nothing found": ("MATCH (i:Item {id: 'gone'}) RETURN i.id AS id", {}, []),
}


@pytest.mark.parametrize("name", QUERIES)
def test_a_query_gives_the_same_rows_in_every_store(shop: GraphStore, name: str) -> None:
    shop.replace_version("v1", *weights("v1", 0.25))
    statement, parameters, expected = QUERIES[name]
    assert shop.query(statement, parameters) == expected


@pytest.mark.parametrize(
    "statement",
    ["CREATE (:User {id: 'x'})", "MATCH (u:User) SET u.id = 'x'", "MATCH (u:User) DETACH DELETE u"],
)
def test_a_query_cannot_write(shop: GraphStore, statement: str) -> None:
    before = shop.nodes("User")
    with pytest.raises(StoreError):
        shop.query(statement)
    assert_frame_equal(shop.nodes("User"), before)


@pytest.mark.parametrize(
    "statement", ["MATCH (i:Item RETURN i", "RETURN $missing AS x", "MATCH (i:Item) RETURN j"]
)
def test_a_wrong_query_is_an_error_that_names_the_store(shop: GraphStore, statement: str) -> None:
    with pytest.raises(StoreError) as caught:
        shop.query(statement)
    assert caught.value.where == shop.address
    assert shop.query("MATCH (u:User) RETURN count(u) AS users") == [{"users": 2}]


def test_text_in_a_parameter_is_never_read_as_cypher(shop: GraphStore) -> None:
    text = "x'}) DETACH DELETE n //"
    assert shop.query("MATCH (i:Item) WHERE i.title = $t RETURN i.id AS id", {"t": text}) == []
    assert len(shop.nodes("Item")) == 4


def test_the_learned_edge_types_carry_a_version() -> None:
    assert all("version" in EDGES[name].columns for name in LEARNED_EDGES)
