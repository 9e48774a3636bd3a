"""Both stores on one generated graph: loads, a sync, edges into tensors, rankings in Cypher.

    python benchmarks/stores.py
    python benchmarks/stores.py --only embedded --scale 0.1

At scale 1: 100,000 items in 50 categories, 50,000 users, 1,000,000 interactions, 800,000 values. Neo4j is started
from its own jars, as the tests do, with 2 GB of memory.
"""

from __future__ import annotations

import json
import shlex
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))
sys.path.insert(1, str(Path(__file__).parent.parent / "tests"))

import neo4j_server
import numpy as np
import polars as pl
import torch

from benchmarks.machine import command, environment, finish, peak_mb, script_parser, show
from kgrank.graph.connect import open_store
from kgrank.graph.offline import write_import
from kgrank.graph.schema import UNBOUNDED
from kgrank.graph.store import GraphStore
from kgrank.graph.sync import load
from kgrank.graph.tables import KnowledgeGraph, empty_edges, empty_nodes
from kgrank.resources import cypher

CATEGORIES, ATTRIBUTES, VALUES, BRANDS = 50, 60, 5_000, 500
VERSION = "v1"
RUNS = 5
WARM, CALLS = 50, 50
"""Calls of a statement before those that are counted (a server answers its first ones from code that is not
compiled yet), and those that are."""

FIRST = 200

BARE = """
MATCH (sub:Category {id: $category})<-[:IN_CATEGORY]-(i:Item)
MATCH (i)-[h:HAS_VALUE]->(v:AttributeValue)<-[u:UTILITY]-(c:Category {id: $category})
WITH i.id AS id, sum(u.intercept + u.slope * h.number) AS total
RETURN id, total AS score ORDER BY score DESC, id LIMIT $limit
"""
"""The shortest statement that ranks a category: one version, no category below, no missing value."""


def columns(table: pl.DataFrame, **known: Any) -> pl.DataFrame:
    """A table in the schema's columns from those that are known."""
    rows = pl.DataFrame(known)
    return rows.select(
        (pl.col(c) if c in known else pl.lit(None)).cast(kind).alias(c) for c, kind in table.schema.items()
    )


def graph(scale: float, seed: int) -> KnowledgeGraph:
    """The shop at a scale."""
    random = np.random.default_rng(seed)
    items, users = int(100_000 * scale), int(50_000 * scale)
    events, has = 10 * items, 8

    def ids(letter: str, count: int) -> pl.Series:
        return pl.Series([f"{letter}{k}" for k in range(count)])

    item, user, category, value = (
        ids(*each) for each in (("i", items), ("u", users), ("c", CATEGORIES), ("v", VALUES))
    )
    place = np.arange(items)
    # Distinct attributes for each item: its values stand in different parts of the list.
    chosen = (random.integers(0, VALUES // has, (items, has)) + np.arange(has) * (VALUES // has)).ravel()
    attribute = ids("a", ATTRIBUTES)
    nodes = {
        "Category": columns(empty_nodes("Category"), id=category),
        "Attribute": columns(empty_nodes("Attribute"), id=attribute),
        "AttributeValue": columns(empty_nodes("AttributeValue"), id=value),
        "Brand": columns(empty_nodes("Brand"), id=ids("b", BRANDS)),
        "Item": columns(empty_nodes("Item"), id=item, title=item),
        "User": columns(empty_nodes("User"), id=user),
        "Ontology": columns(empty_nodes("Ontology"), id=["ontology"], document=["{}"]),
    }
    edges = {
        "OF": columns(
            empty_edges("OF"), source=value, target=attribute[np.arange(VALUES) * ATTRIBUTES // VALUES]
        ),
        "IN_CATEGORY": columns(empty_edges("IN_CATEGORY"), source=item, target=category[place % CATEGORIES]),
        "MADE_BY": columns(
            empty_edges("MADE_BY"), source=item, target=ids("b", BRANDS)[random.integers(0, BRANDS, items)]
        ),
        "HAS_VALUE": columns(
            empty_edges("HAS_VALUE"),
            source=item[np.repeat(place, has)],
            target=value[chosen],
            number=np.zeros(items * has),
        ),
        "INTERACTED": columns(
            empty_edges("INTERACTED"),
            source=user[random.integers(0, users, events)],
            target=item[(random.zipf(1.3, events) - 1) % items],
            id=ids("e", events),
            kind=["view"] * events,
            time=np.arange(events),
        ),
    }
    return KnowledgeGraph(nodes, edges)


def weights(shop: KnowledgeGraph, seed: int) -> tuple[dict[str, pl.DataFrame], dict[str, pl.DataFrame]]:
    """One version of weights: every value's utility in every category, and a ranking of each."""
    random = np.random.default_rng(seed)
    category, value = shop.node("Category")["id"], shop.node("AttributeValue")["id"]
    source, target = np.divmod(np.arange(len(category) * len(value)), len(value))
    utility = columns(
        empty_edges("UTILITY"),
        source=category[source],
        target=value[target],
        id=[f"{VERSION}/{k}" for k in range(len(source))],
        version=[VERSION] * len(source),
        low=np.full(len(source), -UNBOUNDED),
        high=np.full(len(source), UNBOUNDED),
        intercept=random.normal(size=len(source)),
        slope=np.zeros(len(source)),
    )
    inside = shop.edge("IN_CATEGORY").with_columns(position=pl.int_range(pl.len()).over("target"))
    top = inside.filter(pl.col("position") < FIRST)
    ranked = columns(
        empty_edges("RANKED"),
        source=top["target"],
        target=top["source"],
        version=[VERSION] * len(top),
        position=top["position"],
        score=-top["position"].cast(pl.Float64),
        contributions=["{}"] * len(top),
    )
    return (
        {"Weights": columns(empty_nodes("Weights"), id=[VERSION], document=["{}"])},
        {"UTILITY": utility, "RANKED": ranked},
    )


def changed(shop: KnowledgeGraph, seed: int) -> KnowledgeGraph:
    """The shop with another title and another value for one item in a hundred."""
    items, has = shop.node("Item"), shop.edge("HAS_VALUE")
    random = np.random.default_rng(seed)
    some = items["id"][np.sort(random.choice(len(items), max(len(items) // 100, 1), replace=False))]
    hit = pl.col("id").is_in(some.implode())
    retitled = items.with_columns(title=pl.when(hit).then(pl.col("title") + "!").otherwise("title"))
    moved = has.with_columns(
        number=pl.when(pl.col("source").is_in(some.implode())).then(1.0).otherwise("number")
    )
    return KnowledgeGraph({**shop.nodes, "Item": retitled}, {**shop.edges, "HAS_VALUE": moved})


def timed(work: Callable[[], object]) -> float:
    """Seconds of one run."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def p50_ms(work: Callable[[], object]) -> float:
    """Median milliseconds of a call."""
    for _ in range(WARM):
        work()
    return 1000 * statistics.median(timed(work) for _ in range(CALLS))


def tensors(store: GraphStore, shop: KnowledgeGraph) -> torch.Tensor:
    """(2, edges) the interactions as row numbers of users and items."""
    edges = store.edges("INTERACTED")
    ends = []
    for end, label in (("source", "User"), ("target", "Item")):
        numbers = shop.node(label).select(pl.col("id").alias(end)).with_row_index("row")
        ends.append(edges.select(end).join(numbers, on=end, how="left", maintain_order="left")["row"])
    return torch.from_numpy(np.stack([e.to_numpy().astype(np.int64) for e in ends]))


def sync_seconds(store: GraphStore, shop: KnowledgeGraph, seed: int) -> float:
    """Median of ``RUNS`` loads, each of a shop in which one item in a hundred has changed since the one before."""
    taken = []
    for turn in range(RUNS):
        shop = changed(shop, seed + turn)
        begun = time.perf_counter()
        load(store, shop)
        taken.append(time.perf_counter() - begun)
    return statistics.median(taken)


def measure(store: GraphStore, shop: KnowledgeGraph, seed: int) -> dict[str, float]:
    """All figures of one store, which is empty before."""
    found = {"load_seconds": timed(lambda: load(store, shop))}
    found["edges_per_second"] = sum(map(len, shop.edges.values())) / found["load_seconds"]
    found["tensors_seconds"] = timed(lambda: tensors(store, shop))
    found["sync_seconds"] = sync_seconds(store, shop, seed)
    found["sync_share"] = found["sync_seconds"] / found["load_seconds"]
    found["weights_seconds"] = timed(lambda: store.replace_version(VERSION, *weights(shop, seed)))
    asked = {"category": "c0", "limit": 20}
    statement = "rank/neo4j/top_items" if "://" in store.address else "rank/top_items"
    found["rank_p50_ms"] = p50_ms(lambda: store.query(cypher(statement), asked))
    found["rank_bare_p50_ms"] = p50_ms(lambda: store.query(BARE, asked))
    found["rank_ratio_bare"] = found["rank_p50_ms"] / found["rank_bare_p50_ms"]
    found["lookup_p50_ms"] = p50_ms(lambda: store.query(cypher("rank/ranked_items"), asked))
    return found


@contextmanager
def server(home: Path, port: int | None = None) -> Iterator[neo4j_server.Server]:
    """A server on the data in a folder."""
    process, found = neo4j_server.start_from_jars(home, port, java=("-Xms512m", "-Xmx2g"))
    try:
        yield neo4j_server.wait(found, process)
    finally:
        process.terminate()
        process.wait()


def offline_seconds(shop: KnowledgeGraph, folder: Path) -> float:
    """Writing the files, importing them, starting the server, and making the indexes."""
    home = folder / "imported"
    with server(home) as first:
        port = int(first.address.rpartition(":")[2])

    def work() -> None:
        neo4j_server.admin(home, *shlex.split(write_import(shop, folder / "files")))

    seconds = timed(work)
    with server(home, port) as found, _opened(found) as store:
        seconds += timed(store.prepare)
        assert len(store.nodes("Item")) == len(shop.node("Item"))
    return seconds


def _opened(found: neo4j_server.Server) -> GraphStore:
    return open_store(found.address, user=found.user, password=found.password)


def main() -> None:
    """Runs the benchmark."""
    parser = script_parser(__doc__)
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--only", choices=["embedded", "neo4j"])
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    about = environment("ladybug", "neo4j", "polars", "torch")
    print(json.dumps(about))
    began = time.perf_counter()
    shop = graph(options.scale, options.seed)
    figures: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory(prefix="kgrank-stores-") as name:
        folder = Path(name)
        if options.only != "neo4j":
            with open_store(str(folder / "shop.lb")) as store:
                figures["embedded"] = measure(store, shop, options.seed)
        if options.only != "embedded":
            with server(folder / "home") as found, _opened(found) as store:
                figures["neo4j"] = measure(store, shop, options.seed)
            figures["neo4j"]["offline_seconds"] = offline_seconds(shop, folder)
    names = list(dict.fromkeys(key for each in figures.values() for key in each))
    show("stores", ["figure", *figures], [[n, *(f.get(n, "") for f in figures.values())] for n in names])
    line: dict[str, Any] = {f"{kind}_{n}": round(v, 4) for kind, f in figures.items() for n, v in f.items()}
    line |= {"scale": options.scale, "seconds": round(time.perf_counter() - began, 1), "peak_mb": peak_mb()}
    suffix = "" if options.scale == 1 else f"-{options.scale:g}"
    finish(f"stores{suffix}", line, {"environment": about, "seed": options.seed})


if __name__ == "__main__":
    command(main)
