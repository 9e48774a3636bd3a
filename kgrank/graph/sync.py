"""The graph into a store: only what changed since the last load, and what left the catalogue taken away."""

from __future__ import annotations

from dataclasses import dataclass, field

import polars as pl

from kgrank.errors import StoreError
from kgrank.graph.changes import edge_key
from kgrank.graph.connect import is_embedded
from kgrank.graph.forgotten import without_forgotten
from kgrank.graph.record import (
    Record,
    bucket_of,
    buckets,
    differing,
    forget_record,
    read_records,
    total,
    write_record,
)
from kgrank.graph.schema import EDGES, NODES
from kgrank.graph.store import GraphStore, Progress
from kgrank.graph.tables import KnowledgeGraph
from kgrank.resources import cypher

EVENTS = ("INTERACTED", "SEARCHED")
"""Edges that stay when a later load lacks them: a log may be loaded in parts."""

ORPHANS = {
    "Rule": None,
    "Category": "load/categories_with_items",
    "AttributeValue": "load/values_with_items",
    "Brand": "load/brands_with_items",
    "Attribute": None,
    "Segment": None,
}
"""Labels that the ontology decides on, and the statement that names those which items have, and so stay."""

LEAVING = {"Item": ("items", "the whole catalogue"), "User": ("people", "the whole log, with its people")}
"""Labels whose nodes leave with ``prune``: what they are called, and what the files must have."""

MOST = 0.5
"""Share of the items, and of the people, that may leave in one load."""


@dataclass(frozen=True)
class Changes:
    """What a load changed.

    Attributes:
        compared: Rows that differed from the last load, by table.
        deleted: Nodes that were taken away, by label.
        forgotten: People in the files who were left out, as the store has forgotten them.
    """

    compared: dict[str, int] = field(default_factory=dict)
    deleted: dict[str, int] = field(default_factory=dict)
    forgotten: int = 0


def load(
    store: GraphStore,
    graph: KnowledgeGraph,
    progress: Progress | None = None,
    *,
    prune: bool = False,
    anew: bool = False,
) -> Changes:
    """Writes a graph into a store; what is there already is left as it is.

    What the ontology or an item no longer says is taken away; events stay, and items and people that the graph
    lacks stay unless ``prune``. People whom the store has forgotten are left out. Nodes go before edges, and the
    Ontology node goes last: a store that has it has all of the load, and a load that was killed is completed by
    the next.

    Args:
        store: Where to.
        graph: The whole catalogue, and all or some of the events.
        progress: Told of each table.
        prune: Items and people that the graph lacks have left, and go with their events. A graph without
            people says nothing of them.
        anew: Compares with every row of the store, not with the record of the last load: for a store that
            something else has written to.

    Raises:
        StoreError: ``prune`` would take away more than half of the items or of the people, a database holds
            another shop, or a write failed.
    """
    store.prepare()
    if not is_embedded(store.address):
        _refuse_other_shop(store, graph)
    graph, forgotten = without_forgotten(store, graph)
    changes = Changes(forgotten=forgotten)
    gone = {label: _gone(store, graph, label) for label in LEAVING} if prune else {}
    records = {} if anew else read_records(store)
    for label in (n for n in NODES if n in graph.nodes and n != "Ontology"):
        _sync_nodes(store, graph, label, records.get(label), changes, progress)
    for name in (e for e in EDGES if e in graph.edges):
        _sync_edges(store, graph, name, records.get(name), changes, progress)
    for label, ids in gone.items():
        _delete(store, label, ids, changes)
    for label, with_items in ORPHANS.items():
        if label in graph.nodes:
            _delete(store, label, _orphans(store, graph, label, with_items), changes)
    if "IN_SEGMENT" not in graph.edges and not {"User", "Segment"}.isdisjoint(changes.deleted):
        # Their memberships went with them: a later file that has them again must be written.
        forget_record(store, "IN_SEGMENT")
    store.upsert_nodes("Ontology", graph.node("Ontology"), progress)
    if "User" in changes.deleted:
        store.compact()
    return changes


def _sync_nodes(
    store: GraphStore,
    graph: KnowledgeGraph,
    label: str,
    record: Record | None,
    changes: Changes,
    progress: Progress | None,
) -> None:
    table = graph.node(label)
    if record and record.total == total(table):
        return
    hashes = buckets(table)
    forget_record(store, label)
    if record:
        table = table.filter(bucket_of("id").is_in(differing(hashes, record.buckets()).implode()))
    store.upsert_nodes(label, table, progress)
    changes.compared[label] = len(table)
    write_record(store, label, hashes)


def _sync_edges(
    store: GraphStore,
    graph: KnowledgeGraph,
    name: str,
    record: Record | None,
    changes: Changes,
    progress: Progress | None,
) -> None:
    table, sources = graph.edge(name), graph.node(EDGES[name].source)["id"]
    if record and record.total == total(table):
        return
    hashes = buckets(table)
    if record:
        other = differing(hashes, record.buckets()).implode()
        table = table.filter(bucket_of("source").is_in(other))
        sources = sources.to_frame("id").filter(bucket_of("id").is_in(other))["id"]
    forget_record(store, name)
    if name == "OFFERED":
        table = _with_stored_observations(store, table, sources)
    if record is None or name in EVENTS:
        store.upsert_edges(name, table, progress)
        if name not in EVENTS:
            stored = store.edges(name, sources)
            store.delete_edges(name, stored.join(table, on=edge_key(EDGES[name]), how="anti"))
    else:
        store.replace_edges(name, sources, table)
        if progress:
            progress(name, len(table), len(table))
    changes.compared[name] = len(table)
    write_record(store, name, hashes)


def _with_stored_observations(store: GraphStore, table: pl.DataFrame, sources: pl.Series) -> pl.DataFrame:
    """The offers, and those of the store that were read off events: they stay as their events do."""
    stored = store.edges("OFFERED", sources).filter("observed")
    return pl.concat([table, stored.join(table, on=edge_key(EDGES["OFFERED"]), how="anti")])


def _absent(store: GraphStore, graph: KnowledgeGraph, label: str) -> pl.Series:
    stored = store.nodes(label)["id"]
    return stored.filter(~stored.is_in(graph.node(label)["id"].implode()))


def _orphans(store: GraphStore, graph: KnowledgeGraph, label: str, with_items: str | None) -> pl.Series:
    """Nodes that neither the ontology nor any remaining item refers to."""
    absent = _absent(store, graph, label)
    if with_items is None or absent.is_empty():
        return absent
    kept = store.query(cypher(with_items), {"ids": absent.to_list()})
    return absent.filter(~absent.is_in(pl.Series([row["id"] for row in kept], dtype=pl.String).implode()))


def _delete(store: GraphStore, label: str, ids: pl.Series, changes: Changes) -> None:
    if len(ids):
        store.delete_nodes(label, ids)
        changes.deleted[label] = len(ids)


def _refuse_other_shop(store: GraphStore, graph: KnowledgeGraph) -> None:
    """Refuses a database with a shop that shares neither an item nor a category below the root with the graph.

    A load would take away what its ontology does not name, which here is all of the other shop's.
    """
    stored = store.nodes("Category").filter(pl.col("depth") > 0)["id"]
    categories, items = graph.node("Category")["id"], graph.node("Item")["id"]
    if stored.is_empty() or stored.is_in(categories.implode()).any():
        return
    if items.is_empty() or len(store.nodes("Item", items)) or store.nodes("Item").is_empty():
        return
    raise StoreError(
        "it holds another shop: none of its items, and none of its categories below the root, is in the files",
        where=store.address,
        expected="this shop, or a database without one",
        todo="Give this one a name, bolt://host:7687?shop=NAME, or name another database in NEO4J_DATABASE.",
    )


def _gone(store: GraphStore, graph: KnowledgeGraph, label: str) -> pl.Series:
    """Items or people of the store that the graph lacks; StoreError where they are most of all."""
    words, whole = LEAVING[label]
    if label == "User" and graph.node(label).is_empty():
        return pl.Series(dtype=pl.String)
    stored, gone = len(store.nodes(label)), _absent(store, graph, label)
    if len(gone) > MOST * stored:
        raise StoreError(
            f"{len(gone):,} of the {stored:,} {words} in the store are not in the files",
            where=store.address,
            expected=f"{whole}, of which at most half has left",
            todo="Load without --prune, or load into a new store.",
        )
    return gone
