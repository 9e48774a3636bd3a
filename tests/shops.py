"""Small shops for the ranking's tests: drawn from a seed, with everything that has gone wrong before."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from random import Random

import polars as pl

from kgrank.graph.schema import EDGES, NODES, NUMBER, UNBOUNDED, value_id
from kgrank.graph.store import GraphStore
from kgrank.graph.tables import KnowledgeGraph
from kgrank.ontology.document import dump
from kgrank.ontology.model import Attribute, AttributeType, Category, Need, Ontology, Term
from kgrank.weights.model import (
    AttributeWeight,
    BehaviourTerm,
    CategoryWeights,
    Curve,
    LearnedWeights,
    Population,
    Segment,
    SegmentTastes,
    Utility,
)
from kgrank.weights.tables import weights_to_tables

TREE = {
    "all": None,
    "clothes": "all",
    "dresses": "clothes",
    "tops": "clothes",
    "shoes": "all",
    "empty": "all",
}
COLORS = ("red", "blue", "green")
STYLES = ("plain", "loud")


def ontology() -> Ontology:
    uses = {"color": Need.REQUIRED, "price": Need.REQUIRED, "style": Need.ALLOWED, "brand": Need.ALLOWED}
    return Ontology(
        version="1",
        categories={
            c: Category(c, names={"en": c.title()}, parent=parent, uses=uses if parent is None else {})
            for c, parent in TREE.items()
        },
        attributes={
            "color": Attribute("color", names={"en": "Color", "zh": "颜色"}, values=COLORS),
            "price": Attribute(
                "price", names={"en": "Price", "zh": "价格"}, type=AttributeType.NUMBER, unit="EUR"
            ),
            "style": Attribute("style", names={"en": "Style"}, type=AttributeType.CHOICES, values=STYLES),
            "brand": Attribute("brand", names={"en": "Brand"}, open=True),
        },
        values={
            v: Term(v, names={"en": v.title(), "zh": zh})
            for v, zh in zip((*COLORS, *STYLES), ("红色", "蓝色", "绿色", "素色", "花色"), strict=True)
        },
        brands={"acme": Term("acme", names={"en": "Acme"})},
    )


NODES_OF = {
    "color": [value_id("color", v) for v in COLORS],
    "price": [value_id("price", NUMBER)],
    "style": [value_id("style", v) for v in STYLES],
    "brand": [value_id("brand", "acme")],
}


AFTER = Curve(((0.0, 0.05, 0.2),), (0.0, 1.0, 1.5))
"""What ``goes-after`` is worth by its amount."""


@dataclass(frozen=True)
class Example:
    graph: KnowledgeGraph
    ontology: Ontology
    weights: LearnedWeights
    transitions: pl.DataFrame


def example(seed: int, *, items: int = 12, version: str = "v2", whole: bool = False) -> Example:
    """A shop with curves of several segments (parallel edges), missing values, several values of one
    attribute, items in two categories, ties, and whole-number utilities if ``whole`` (many ties)."""
    random = Random(seed)
    shop = ontology()
    graph = KnowledgeGraph(*_tables(random, shop, items))
    nodes = tuple(n for own in NODES_OF.values() for n in own)
    weights = LearnedWeights(
        version=version,
        created="2026-01-01T00:00:00Z",
        code="test",
        ontology=shop.fingerprint,
        graph="test",
        categories={c: category_weights(random, c, whole=whole) for c in TREE},
        terms=(BehaviourTerm("goes-after", "what is chosen soon after", curve=AFTER),),
        population=Population(nodes, tuple(tuple(float(a == b) for b in nodes) for a in nodes)),
    )
    ids = graph.node("Item")["id"].to_list()
    pairs = sorted({(random.choice(ids), random.choice(ids)) for _ in range(3 * items)})
    return Example(graph, shop, weights, links([(a, b, random.random()) for a, b in pairs]))


def with_segments(shop: Example) -> Example:
    """The young love red and cheap; nothing is known of the old. Cal is young, and never chose."""
    terms = {s: Term(s, names={"en": s.title(), "zh": zh}) for s, zh in (("young", "年轻"), ("old", "年长"))}
    ontology = replace(shop.ontology, segments=terms)
    population = shop.weights.population
    mean = tuple({"color=red": 2.0, "price=*": -1.5}.get(name, 0.0) for name in population.columns)
    errors = tuple(tuple(0.01 * x for x in row) for row in population.covariance)
    population = replace(
        population, segments={"young": SegmentTastes(mean, errors, 12)}, between_segments=0.2
    )
    graph = shop.graph
    nodes = {
        **graph.nodes,
        "Ontology": graph.node("Ontology").with_columns(document=pl.lit(dump(ontology))),
        "User": pl.DataFrame({"id": ["ann", "bob", "cal"]}),
    }
    young = pl.DataFrame({"source": ["ann", "cal"], "target": ["young", "young"]})
    graph = KnowledgeGraph(nodes, {**graph.edges, "IN_SEGMENT": young})
    return Example(graph, ontology, replace(shop.weights, population=population), shop.transitions)


def links(rows: list[tuple[str, str, float]], people: float = 5.0) -> pl.DataFrame:
    """Transitions with their counts: so much decayed, by so many people."""
    table = pl.DataFrame(rows, schema=["source", "target", "forward"], orient="row")
    counts = {"backward": 0.0, "next": 0.0, "previous": 0.0, "people": people, "together": people}
    return table.with_columns(weight=pl.col("forward") / 10**0.8, **{k: pl.lit(v) for k, v in counts.items()})


def category_weights(random: Random, category: str, *, whole: bool = False) -> CategoryWeights:
    def draw() -> float:
        return float(random.randint(-2, 2)) if whole else random.gauss(0, 1)

    def choice(node: str) -> Utility:
        # Of several values each counts by its share, which stands on the edge.
        several = node.startswith("style")
        segment = (
            Segment(-UNBOUNDED, UNBOUNDED, 0.0, draw())
            if several
            else Segment(-UNBOUNDED, UNBOUNDED, draw(), 0.0)
        )
        return Utility(node, (segment,), 0.1)

    bends = sorted(random.sample(range(10, 90), random.randint(0, 3)))
    ends = [-UNBOUNDED, *map(float, bends), UNBOUNDED]
    curve = tuple(Segment(a, b, draw(), draw() / 10) for a, b in pairwise(ends))
    shares = [random.random() + 0.01 for _ in NODES_OF]
    return CategoryWeights(
        category=category,
        attributes=tuple(
            AttributeWeight(a, s / sum(shares), 0.0, 1.0, s, "5th to 95th percentile", s / sum(shares))
            for a, s in zip(NODES_OF, shares, strict=True)
        ),
        utilities=(
            *(choice(n) for a, nodes in NODES_OF.items() if a != "price" for n in nodes),
            Utility(NODES_OF["price"][0], curve, 0.1),
        ),
        strength=sum(shares),
        choice_count=100,
        person_count=10,
        source="choices",
        terms={"attributes": 1.5, "goes-after": 0.7},
    )


def _tables(
    random: Random, shop: Ontology, items: int
) -> tuple[dict[str, pl.DataFrame], dict[str, pl.DataFrame]]:
    ids = [f"i{k}" for k in range(items)]
    places = [c for c in TREE if c != "empty"]
    edges: dict[str, list[dict[str, object]]] = {
        "SUBCATEGORY_OF": [{"source": c, "target": p} for c, p in TREE.items() if p],
        "IN_CATEGORY": [
            {"source": i, "target": c} for i in ids for c in random.sample(places, random.randint(1, 2))
        ],
        "OF": [
            {"source": n, "target": a, "position": k} for a, ns in NODES_OF.items() for k, n in enumerate(ns)
        ],
        "APPLIES": [
            {"source": c, "target": a, "need": use.need, "origin": use.origin, "low": None, "high": None}
            for c in TREE
            for a, use in shop.applicable(c).items()
        ],
        "MADE_BY": [{"source": i, "target": "acme"} for i in ids if random.random() < 0.5],
        "HAS_VALUE": [],
        "INTERACTED": [event for k in range(0, items - 2, 3) for event in _list_shown(k)],
        "IN_SEGMENT": [{"source": "ann", "target": "young"}],
        "SEARCHED": [{"source": "ann", "target": "clothes", "id": "s1", "time": 1, "query": "red, please"}],
    }
    for i in ids:
        for attribute, nodes in NODES_OF.items():
            if random.random() < 0.25:
                continue
            chosen = (
                random.sample(nodes, random.randint(1, 2)) if attribute == "style" else [random.choice(nodes)]
            )
            # Prices of few sizes: some stand exactly on a bend of the curve.
            number = {"price": float(random.randrange(0, 100, 5)), "style": 1 / len(chosen)}.get(
                attribute, 0.0
            )
            edges["HAS_VALUE"] += [
                {"source": i, "target": n, "number": number, "imputed": False} for n in chosen
            ]
    nodes: dict[str, list[dict[str, object]]] = {
        "Category": [{"id": c, "name": c.title(), "depth": len(shop.ancestors(c))} for c in TREE],
        "Attribute": [{"id": a.id, "name": a.name(), "type": a.type} for a in shop.attributes.values()],
        "AttributeValue": [{"id": n, "value": n.partition("=")[2]} for ns in NODES_OF.values() for n in ns],
        "Brand": [{"id": "acme", "name": "Acme"}],
        "Item": [{"id": i, "title": f"Item {i}"} for i in ids],
        "User": [{"id": "ann"}, {"id": "bob"}],
        "Segment": [{"id": "young", "name": "Young"}],
        "Ontology": [
            {"id": "ontology", "version": "1", "fingerprint": shop.fingerprint, "document": dump(shop)}
        ],
    }
    return (
        {n: pl.DataFrame(rows, schema={"id": pl.String(), **NODES[n].columns}) for n, rows in nodes.items()},
        {
            e: pl.DataFrame(rows, schema={"source": pl.String(), "target": pl.String(), **EDGES[e].columns})
            for e, rows in edges.items()
        },
    )


def _list_shown(first: int) -> list[dict[str, object]]:
    """Three items that ann was shown, and the one in the middle that she looked at."""
    shown = [
        {
            "source": "ann",
            "target": f"i{first + place}",
            "id": f"e{first}-{place}",
            "kind": "impression",
            "time": first,
            "list": f"l{first}",
            "position": place + 1,
        }
        for place in range(3)
    ]
    return [*shown, {**shown[1], "id": f"e{first}-view", "kind": "view", "position": None}]


def load(store: GraphStore, shop: Example, *, other_version: LearnedWeights | None = None) -> None:
    """Writes a shop into a store, another version of the weights first."""
    store.prepare()
    for label, table in shop.graph.nodes.items():
        store.upsert_nodes(label, table)
    for name, table in shop.graph.edges.items():
        store.upsert_edges(name, table)
    if other_version is not None:
        store.replace_version(other_version.version, *weights_to_tables(other_version))
    store.replace_version(shop.weights.version, *weights_to_tables(shop.weights, shop.transitions))
