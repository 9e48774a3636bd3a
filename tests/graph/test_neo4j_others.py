"""A Neo4j database belongs to other applications too: kgrank touches only what it wrote."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import neo4j
import polars as pl
import pytest
from generated_shop import graph_of, write_files
from neo4j_server import MARK, Server, empty
from polars.testing import assert_frame_equal
from typer.testing import CliRunner

from kgrank.cli.main import app
from kgrank.errors import AccessError, StoreError
from kgrank.graph.connect import open_store
from kgrank.graph.labels import PREFIX
from kgrank.graph.schema import NODES
from kgrank.graph.store import GraphStore
from kgrank.graph.sync import load
from kgrank.graph.tables import KnowledgeGraph, empty_edges
from kgrank.resources import cypher, folder, migrations, schema_version

pytestmark = pytest.mark.neo4j

OTHERS = """
    CREATE (:Category {id: 'gadgets', owner: 'blog'})<-[:FILED_UNDER]-(:Article {id: 'post-1'}),
      (:Brand {id: 'globex', owner: 'crm'})<-[:SUPPLIES {since: 2020}]-(:Supplier {id: 's1'}),
      (:Rule {id: 'fraud-7'})-[:SPEAKS_OF]->(:Attribute {id: 'height'}),
      (:Item {id: 'ticket-42', title: 'printer'})-[:IN_CATEGORY]->(:Category {id: 17}),
      (:Item {id: 5}), (:Item {id: ['a', 'list']}), (:Attribute {id: true}), (:AttributeValue),
      (:User {id: 'u1', email: 'x'})-[:INTERACTED]->(:Item {id: 'shoes-1'}), (:User {id: 'u1'}),
      (:Weights {id: 'w1'})-[:RANKED {version: 'v1'}]->(:Item {id: 'ticket-43'}),
      (:Served {id: 'weights', version: 'v0'}), (:Schema {id: 'schema', version: 3}),
      (:Loaded {id: 'Item', hashes: 'x', engine: 'lorry'}), (:Ontology {id: 'ontology'}), (:Log {id: 'log'})
"""
"""Nodes with labels, ids and relationships that kgrank uses as well, ids that are no strings among them."""


class Database:
    """The database as its other users see it."""

    def __init__(self, server: Server, driver: neo4j.Driver) -> None:
        self._server = server
        self._driver = driver

    def run(self, *statements: str) -> list[dict[str, Any]]:
        """Rows of the last statement."""
        rows: list[dict[str, Any]] = []
        for statement in statements:
            with self._driver.session(database=self._server.database) as session:
                rows = session.run(statement).data()  # type: ignore[arg-type]
        return rows

    def others(self) -> list[str]:
        """All nodes without a label of kgrank, with labels, properties and relationships."""
        rows = self.run(
            f"MATCH (n) WHERE NOT n:{MARK} AND none(l IN labels(n) WHERE l STARTS WITH 'Kgrank') "
            "RETURN elementId(n) AS id, labels(n) AS labels, properties(n) AS properties, "
            "[(n)-[r]-(m) | [type(r), properties(r), elementId(m)]] AS edges"
        )
        return sorted(map(str, rows))


@pytest.fixture
def database(neo4j_server: Server, neo4j_address: str) -> Iterator[Database]:
    """An empty database without constraints and indexes, which other tests find prepared anew."""
    with neo4j_server.driver() as driver:
        made = Database(neo4j_server, driver)

        def cleared() -> None:
            empty(neo4j_server)
            for row in made.run("SHOW CONSTRAINTS YIELD name"):
                made.run(f"DROP CONSTRAINT `{row['name']}`")
            for row in made.run("SHOW INDEXES YIELD name, type WHERE type <> 'LOOKUP'"):
                made.run(f"DROP INDEX `{row['name']}`")

        cleared()
        yield made
        cleared()


@pytest.fixture
def shop(tmp_path: Path) -> KnowledgeGraph:
    """A small shop, whose shopper u1 and item shoes-1 have the ids of others' nodes."""
    return graph_of(write_files(tmp_path / "files"))[0]


def assert_holds(store: GraphStore, graph: KnowledgeGraph) -> None:
    for label, table in graph.nodes.items():
        assert_frame_equal(store.nodes(label), table.sort("id"))
    for name, edges in graph.edges.items():
        assert_frame_equal(store.edges(name), edges, check_row_order=False)


@pytest.mark.parametrize("prune", [False, True])
def test_loads_leave_the_nodes_of_other_applications_alone(
    database: Database, shop: KnowledgeGraph, neo4j_address: str, prune: bool
) -> None:
    database.run(OTHERS)
    before = database.others()
    with open_store(neo4j_address) as store:
        for _ in range(2):
            load(store, shop, prune=prune, anew=True)
            assert_holds(store, shop)
            assert database.others() == before


def weights(version: str) -> tuple[dict[str, pl.DataFrame], dict[str, pl.DataFrame]]:
    """A version of learned weights: one importance."""
    rows = pl.DataFrame({"source": ["shoes"], "target": ["color"], "version": [version], "weight": [0.5]})
    node = dict.fromkeys(NODES["Weights"].columns, "{}") | {"id": version, "created": "2026-01-01"}
    return {"Weights": pl.DataFrame([node])}, {
        "IMPORTANCE": pl.concat([empty_edges("IMPORTANCE"), rows], how="diagonal")
    }


def test_versions_of_weights_come_and_go_beside_the_nodes_of_other_applications(
    database: Database, shop: KnowledgeGraph, neo4j_address: str
) -> None:
    database.run(OTHERS)
    with open_store(neo4j_address) as store:
        load(store, shop)
        database.run(
            "MATCH (a:Article), (i:KgrankItem {id: 'shoes-1'}) CREATE (a)-[:RANKED {version: 'v1'}]->(i)"
        )
        before = database.others()
        for version in ("v1", "v2", "v1"):
            store.replace_version(version, *weights(version))
        store.delete_version("v2")
        store.serve("v1", empty_edges("RANKED"))
        assert store.nodes("Weights")["id"].to_list() == ["v1"]
        assert store.query("MATCH (s:Served) RETURN s.version AS version") == [{"version": "v1"}]
    assert database.others() == before


def test_duplicates_and_constraints_of_others_do_not_hinder_a_load(
    database: Database, shop: KnowledgeGraph, neo4j_address: str
) -> None:
    database.run(
        "CREATE (:User {id: 'x'}), (:User {id: 'x'})",
        "CREATE CONSTRAINT item_id FOR (n:Ticket) REQUIRE n.id IS UNIQUE",
        "CREATE CONSTRAINT category_id FOR (n:Category) REQUIRE n.id IS UNIQUE",
        "CREATE INDEX FOR (n:Brand) ON (n.id)",
        "CREATE (:Category {id: 'shoes'})",
    )
    before = database.others()
    with open_store(neo4j_address) as store:
        load(store, shop)
        assert_holds(store, shop)
    assert database.others() == before


@pytest.mark.parametrize(
    ("other", "taken"),
    [
        (
            "CREATE CONSTRAINT kgrank_item_id FOR (n:Ticket) REQUIRE n.id IS UNIQUE",
            "Ticket\\(id\\), constraint",
        ),
        ("CREATE INDEX kgrank_item_id FOR (n:KgrankItem) ON (n.title)", "KgrankItem\\(title\\), index"),
        ("CREATE TEXT INDEX kgrank_ranked_version FOR (n:Note) ON (n.text)", "Note\\(text\\), index"),
    ],
)
def test_a_name_that_something_else_has_is_an_error_before_anything_is_written(
    database: Database, shop: KnowledgeGraph, neo4j_address: str, other: str, taken: str
) -> None:
    database.run(other)
    with open_store(neo4j_address) as store, pytest.raises(StoreError, match=taken):
        load(store, shop)
    assert database.others() == []
    assert database.run("MATCH (n:KgrankItem) RETURN n") == []


def test_doctor_names_an_index_whose_name_something_else_has(database: Database, neo4j_address: str) -> None:
    with open_store(neo4j_address) as store:
        store.prepare()
    database.run(
        "DROP CONSTRAINT kgrank_item_id",
        "CREATE CONSTRAINT kgrank_item_id FOR (n:Ticket) REQUIRE n.id IS UNIQUE",
    )
    done = CliRunner().invoke(app, ["doctor", "--store", neo4j_address, "--json"])
    assert done.exit_code == 1
    assert (
        "missing: constraint kgrank_item_id on KgrankItem(id) (the name is taken: Ticket(id), constraint)"
        in done.stdout
    )


def test_an_index_of_the_same_label_and_property_counts_whatever_its_name(
    database: Database, shop: KnowledgeGraph, neo4j_address: str
) -> None:
    database.run(
        "CREATE CONSTRAINT mine FOR (n:KgrankItem) REQUIRE n.id IS UNIQUE",
        "CREATE INDEX importance_version FOR ()-[r:IMPORTANCE]-() ON (r.version)",
    )
    with open_store(neo4j_address) as store:
        load(store, shop)
        assert [check.found for check in store.health()][1:] == ["all there and online"]
    names = {row["name"] for row in database.run("SHOW INDEXES YIELD name")}
    assert {"mine", "importance_version"} <= names
    assert names.isdisjoint({"kgrank_item_id", "kgrank_importance_version"})


def test_the_reason_why_a_constraint_cannot_be_made_is_shown_whole(
    database: Database, neo4j_address: str
) -> None:
    database.run("CREATE (:KgrankUser {id: 'twice'}), (:KgrankUser {id: 'twice'})")
    with open_store(neo4j_address) as store, pytest.raises(StoreError, match="'twice'"):
        store.prepare()


def as_an_earlier_version(database: Database) -> None:
    """Turns what was loaded into what a kgrank without labels of its own wrote."""
    for row in database.run("SHOW CONSTRAINTS YIELD name"):
        database.run(f"DROP CONSTRAINT {row['name']}")
    for label in NODES:
        database.run(
            f"MATCH (n:{PREFIX}{label}) SET n:{label} REMOVE n:{PREFIX}{label}",
            f"CREATE CONSTRAINT earlier_{label.lower()} FOR (n:{label}) REQUIRE n.id IS UNIQUE",
        )
    database.run("MATCH (s:Schema) SET s.version = 4", "MATCH (w:Weights) REMOVE w.posteriors, w.network")


def test_what_an_earlier_version_wrote_is_taken_over_and_nothing_else(
    database: Database, shop: KnowledgeGraph, neo4j_address: str
) -> None:
    with open_store(neo4j_address) as store:
        load(store, shop)
        store.replace_version("v1", *weights("v1"))
        learned = store.edges("IMPORTANCE")
    as_an_earlier_version(database)
    database.run(
        "CREATE (:Category {id: 'gadgets', owner: 'blog'})<-[:FILED_UNDER]-(:Article {id: 'post-1'}), "
        "(:Item {id: 'ticket-42', title: 'printer'}), (:User {id: 'sso-1'}), (:User {id: 'sso-2', email: 'x'}), "
        "(:Brand {id: 17, name: 'globex'}), (:Rule:Fraud {id: 'fraud-7', kind: 'x'}), (:Attribute {id: 'height'})",
        # Something else has written to this one, so that it is no longer surely kgrank's alone.
        "MATCH (u:User {id: 'u1'}) SET u.email = 'u1@example.org'",
    )
    others = [
        "gadgets", "post-1", "ticket-42", "sso-1", "sso-2", "17", "fraud-7", "height", "u1",
    ]  # fmt: skip
    with open_store(neo4j_address) as store:
        assert store.schema_version() == 4
        store.prepare()
        assert store.schema_version() == schema_version()
        assert store.nodes("User")["id"].to_list() == sorted(set(shop.node("User")["id"]) - {"u1"})
        assert_frame_equal(store.edges("IMPORTANCE"), learned)
        assert store.query("MATCH (s:Served) RETURN s.version AS version") == [{"version": "v1"}]
        left = database.run(
            f"MATCH (n) WHERE NOT n:{MARK} AND NOT n:Schema AND none(l IN labels(n) WHERE l STARTS WITH 'Kgrank') "
            "RETURN toString(n.id) AS id"
        )
        assert sorted(row["id"] for row in left) == sorted(others)
        load(store, shop, prune=True)
        assert_holds(store, shop)
        assert load(store, shop, prune=True).compared == {}
        assert_frame_equal(store.edges("IMPORTANCE"), learned)
    assert len(database.run("MATCH (n) WHERE n.id IN ['gadgets', 'ticket-42', 'sso-2', 17] RETURN n")) == 4
    assert database.run("MATCH (u:User {id: 'u1'}) RETURN u.email AS email") == [{"email": "u1@example.org"}]


@pytest.mark.parametrize("steps", [1, 12])
def test_a_takeover_that_was_cut_short_is_completed_by_the_next(
    database: Database, shop: KnowledgeGraph, neo4j_address: str, steps: int
) -> None:
    with open_store(neo4j_address) as store:
        load(store, shop)
    as_an_earlier_version(database)
    text = dict(migrations())[5]
    statements = [line.removesuffix(";") for line in text.splitlines() if line.startswith("MATCH")]
    database.run(*statements[:steps])
    with open_store(neo4j_address) as store:
        store.prepare()
        assert_holds(store, shop)


def test_a_reader_of_an_earlier_version_is_warned_that_nothing_of_it_is_read(
    database: Database, shop: KnowledgeGraph, neo4j_address: str, caplog: pytest.LogCaptureFixture
) -> None:
    with open_store(neo4j_address) as store:
        load(store, shop)
    assert "kgrank doctor --repair" not in caplog.text
    as_an_earlier_version(database)
    open_store(neo4j_address).close()
    assert f"the schema 4 of {schema_version()}" in caplog.text
    assert "kgrank doctor --repair" in caplog.text


def test_a_shop_of_the_schema_before_offers_is_found_by_period_after_the_migration(
    database: Database, shop: KnowledgeGraph, neo4j_address: str
) -> None:
    with open_store(neo4j_address) as store:
        load(store, shop)
    database.run("DROP INDEX kgrank_offered_start")
    database.run("MATCH (s:KgrankSchema) SET s.version = 6")
    with open_store(neo4j_address) as store:
        store.prepare()
        assert store.schema_version() == schema_version()
        assert_holds(store, shop)
    indexes = database.run("SHOW INDEXES YIELD name, properties WHERE name = 'kgrank_offered_start' RETURN *")
    assert [index["properties"] for index in indexes] == [["start"]]


def test_a_shop_of_the_schema_before_segments_gets_their_constraint_with_the_migration(
    database: Database, shop: KnowledgeGraph, neo4j_address: str
) -> None:
    with open_store(neo4j_address) as store:
        load(store, shop)
    database.run("DROP CONSTRAINT kgrank_segment_id")
    database.run("MATCH (s:KgrankSchema) SET s.version = 8")
    with open_store(neo4j_address) as store:
        store.prepare()
        assert store.schema_version() == schema_version()
        assert_holds(store, shop)
    made = database.run("SHOW CONSTRAINTS YIELD name, properties WHERE name = 'kgrank_segment_id' RETURN *")
    assert [constraint["properties"] for constraint in made] == [["id"]]


def test_two_shops_of_one_database_never_touch_each_other(
    database: Database, shop: KnowledgeGraph, neo4j_address: str, tmp_path: Path
) -> None:
    other = graph_of(write_files(tmp_path / "other", people=20, seed=5, categories=("shoes",)))[0]
    with open_store(neo4j_address) as first, open_store(f"{neo4j_address}?shop=toys") as second:
        load(first, shop)
        load(second, other)
        first.replace_version("v1", *weights("v1"))
        assert second.schema_version() == schema_version()
        assert second.query(cypher("rank/versions")) == []
        second.replace_version("v1", *weights("v1"))
        second.replace_version("v2", *weights("v2"))
        second.delete_version("v1")
        load(second, other, prune=True, anew=True)
        assert_holds(first, shop)
        assert_holds(second, other)
        assert first.query(cypher("rank/served_version"))[0]["version"] == "v1"
        assert second.query(cypher("rank/served_version"))[0]["version"] == "v2"
        assert len(first.edges("IMPORTANCE")) == len(second.edges("IMPORTANCE")) == 1
        first.delete_nodes("Item", shop.node("Item")["id"])
        assert_holds(second, other)
        assert [check.found for check in second.health()][1:] == ["all there and online"]


def test_a_load_into_the_shop_of_another_is_refused(
    database: Database, shop: KnowledgeGraph, neo4j_address: str, tmp_path: Path
) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "items.csv").write_text(
        "id,category,price\nb1,books,9\nb2,books,12\n", encoding="utf-8"
    )
    command = ["load", str(tmp_path / "other"), "--store"]
    with open_store(neo4j_address) as store:
        load(store, shop)
        done = CliRunner().invoke(app, [*command, neo4j_address])
        assert isinstance(done.exception, StoreError)
        assert "it holds another shop" in str(done.exception)
        assert "?shop=NAME" in str(done.exception)
        assert_holds(store, shop)
        done = CliRunner().invoke(app, [*command, f"{neo4j_address}?shop=books"])
        assert done.exit_code == 0, done.output
        assert_holds(store, shop)


def test_a_second_shop_does_not_take_over_what_an_earlier_version_wrote(
    database: Database, shop: KnowledgeGraph, neo4j_address: str
) -> None:
    with open_store(neo4j_address) as store:
        load(store, shop)
    as_an_earlier_version(database)
    before = database.others()
    with open_store(f"{neo4j_address}?shop=toys") as second:
        assert second.schema_version() == 0
        second.prepare()
        assert second.nodes("Item").is_empty()
    assert database.others() == before


def test_the_statements_find_ids_by_the_index(database: Database, neo4j_address: str) -> None:
    with open_store(neo4j_address) as store:
        store.prepare()
    for path in sorted((folder("graph") / "rank").glob("*.cypher")):
        text = path.read_text(encoding="utf-8")
        if "{id: $" not in text:
            continue
        with database._driver.session(database=database._server.database) as session:
            parameters = dict.fromkeys(("category", "item", "user", "attribute"), "x") | {
                "limit": 1,
                "least": 0,
            }
            plan = session.run(f"EXPLAIN {text}", parameters).consume().plan  # type: ignore[arg-type]
        assert "NodeUniqueIndexSeek" in str(plan), path.name


def test_the_database_of_an_address_is_used_and_a_second_name_beside_it_refused(neo4j_address: str) -> None:
    with open_store(f"{neo4j_address}/neo4j") as store:
        assert store.query("RETURN 1 AS one") == [{"one": 1}]
    with pytest.raises(StoreError, match="no database nowhere"):
        open_store(f"{neo4j_address}/nowhere")
    with pytest.raises(AccessError, match="another database"):
        open_store(f"{neo4j_address}/neo4j", database="nowhere")
