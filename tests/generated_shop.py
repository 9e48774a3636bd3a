"""A small shop generated from known part-worths: 3 categories of 20 items, lists of 5, an outside option."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from kgrank.choice.data.responses import ResponseLog
from kgrank.graph.build import build_graph
from kgrank.graph.tables import KnowledgeGraph
from kgrank.ingest.clean import ingest
from kgrank.ontology.model import Attribute, AttributeType, Category, Need, Ontology, Rule

Shop = tuple[KnowledgeGraph, Ontology]
Generated = tuple[KnowledgeGraph, Ontology, ResponseLog]

CATEGORIES = ("dresses", "shirts", "shoes")
COLORS, SIZES, FEATURES = ("red", "blue", "green"), ("s", "m", "l"), ("pockets", "lining", "belt")
TRUTH: Mapping[str, Mapping[str, float]] = {
    "dresses": {"red": 1.2, "blue": 0.2, "green": -0.6, "s": -0.4, "m": 0.4, "l": 0.1, "price": -1.0},
    "shirts": {"red": 0.2, "blue": 0.8, "green": -0.6, "s": -0.5, "m": 0.3, "l": 0.2, "price": -1.6},
    "shoes": {"red": 0.0, "blue": 0.4, "green": -0.2, "s": -0.8, "m": 0.5, "l": 0.6, "price": -0.8},
}
"""Part-worths in logits; ``price`` over its 30 euros, and no feature matters."""

SHOWN = 5


def ontology(rules: Mapping[str, Rule] | None = None) -> Ontology:
    """The shop's ontology: dresses and shirts below clothing, shoes beside it."""
    uses = dict.fromkeys(("color", "size", "price", "features"), Need.ALLOWED)
    tree = {c: Category(c, names={"en": c.title()}, uses=uses) for c in ("clothing", "shoes")}
    tree |= {c: Category(c, names={"en": c.title()}, parent="clothing") for c in ("dresses", "shirts")}
    attributes = (
        Attribute("color", names={"en": "Color"}, values=COLORS),
        Attribute("size", names={"en": "Size"}, type=AttributeType.ORDERED, values=SIZES),
        Attribute("price", names={"en": "Price"}, type=AttributeType.NUMBER),
        Attribute("features", names={"en": "Features"}, type=AttributeType.CHOICES, values=FEATURES),
    )
    known = {"cheaper": Rule("cheaper", "Monotone", ("clothing", "shoes"), 0.9, attribute="price",
                             better="Less")}  # fmt: skip
    return Ontology("1", tree, {a.id: a for a in attributes}, rules=known if rules is None else rules)


def write_files(
    folder: Path,
    *,
    people: int = 150,
    lists: int = 4,
    seed: int = 0,
    categories: tuple[str, ...] = CATEGORIES,
    segments: Mapping[str, Mapping[str, float]] | None = None,
) -> Path:
    """Writes items.csv and events.csv in the standard names.

    With ``segments``, the departures of their people from ``TRUTH``, also people.csv: people are in one after the
    other, and every last one in none.
    """
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    items: dict[str, list[tuple[str, str, str, int, str]]] = {}
    for category in categories:
        items[category] = [
            (f"{category}-{k}", COLORS[k % 3], "" if k == 7 else SIZES[(k // 3) % 3],
             int(20 + rng.integers(0, 31)), "|".join(f for f in FEATURES if rng.random() < 0.5))
            for k in range(20)
        ]  # fmt: skip
    rows = [(i[0], category, *i[1:]) for category, some in items.items() for i in some]
    _write(folder / "items.csv", ("id", "category", "color", "size", "price", "features"), rows)
    events: list[tuple[object, ...]] = []
    groups = [*(segments or {}), None]
    for person in range(people):
        departure = (segments or {}).get(groups[person % len(groups)] or "", {})
        for turn in range(lists):
            category = categories[int(rng.integers(len(categories)))]
            some = [items[category][k] for k in rng.choice(20, SHOWN, replace=False)]
            moment = f"2026-0{1 + turn % 6}-{1 + person % 28:02d}T10:{person // 28:02d}:00Z"
            who = (moment, f"u{person}", f"u{person}-{turn}")
            events += [(*who, "impression", x[0], p) for p, x in enumerate(some, 1)]
            utility = np.array([0.5, *(_utility(category, x) + _departure(departure, x) for x in some)])
            taken = int(rng.choice(SHOWN + 1, p=np.exp(utility) / np.exp(utility).sum()))
            if taken:
                events.append((*who, "view", some[taken - 1][0], ""))
    _write(folder / "events.csv", ("time", "user", "session", "kind", "item", "position"), events)
    if segments is not None:
        inside = [(f"u{person}", groups[person % len(groups)]) for person in range(people)]
        _write(folder / "people.csv", ("person", "segment"), [(who, group or "") for who, group in inside])
    return folder


def _utility(category: str, item: tuple[str, str, str, int, str]) -> float:
    truth = TRUTH[category]
    return truth[item[1]] + (truth[item[2]] if item[2] else 0.0) + truth["price"] * (item[3] - 35) / 30


def _departure(departure: Mapping[str, float], item: tuple[str, str, str, int, str]) -> float:
    return departure.get(item[1], 0.0) + departure.get("price", 0.0) * (item[3] - 35) / 30


def _write(
    path: Path, header: tuple[str, ...], rows: list[tuple[object, ...]] | list[tuple[str, ...]]
) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, *rows])


def graph_of(folder: Path, known: Ontology | None = None) -> tuple[KnowledgeGraph, Ontology]:
    """The files of a folder as a graph, as a load does it."""
    clean = ingest(folder, ontology=known or ontology())
    return build_graph(clean), clean.ontology


def without_rules() -> Ontology:
    """The shop's ontology, silent."""
    return replace(ontology(), rules={})
