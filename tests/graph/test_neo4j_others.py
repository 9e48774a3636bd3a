"""A Neo4j database belongs to other applications too: kgrank touches only what it wrote."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import neo4j
import pytest
from generated_shop import graph_of, write_files
from neo4j_server import MARK, Server, empty
from polars.testing import assert_frame_equal

from kgrank.graph.connect import open_store
from kgrank.graph.store import GraphStore
from kgrank.graph.sync import load
from kgrank.graph.tables import KnowledgeGraph

pytestmark = pytest.mark.neo4j

OTHERS = """
    CREATE (:Category {id: 'gadgets', owner: 'blog'})<-[:FILED_UNDER]-(:Article {id: 'post-1'}),
      (:Brand {id: 'globex', owner: 'crm'})<-[:SUPPLIES {since: 2020}]-(:Supplier {id: 's1'}),
      (:Rule {id: 'fraud-7'})-[:SPEAKS_OF]->(:Attribute {id: 'height'}),
      (:Item {id: 'ticket-42', title: 'printer'})-[:IN_CATEGORY]->(:Category {id: 17}),
      (:Item {id: 5}), (:Item {id: ['a', 'list']}), (:Attribute {id: true}), (:AttributeValue),
      (:User {id: 'u1', email: 'x'})-[:INTERACTED]->(:Item {id: 'i1'}), (:User {id: 'u1'}),
      (:Weights {id: 'w1'})-[:RANKED {version: 'v1'}]->(:Item {id: 'i2'}),
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
    """A small shop, of which i1 and u1 have the ids of others' nodes."""
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
