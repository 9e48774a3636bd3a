"""Names for the bare ids of Amazon Beauty, by aligning two published forms of the same items.

One publication has the sequences and, for each item, the ids of its attributes; another has the names of brands
and categories of the same items under other ids. Both are bipartite graphs of items and attributes. Colour
refinement (the Weisfeiler-Leman test of dimension one) gives nodes of both graphs the same colour where nothing
tells them apart: a colour with one attribute on either side names it, with one item on either side identifies it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import unescape
from typing import Any

from kgrank.errors import InputError

ROOTS = {"Beauty", "Clothing, Shoes & Jewelry"}
"""Categories of nearly all items, which the ids leave out."""
LEAST = 5
"""Attributes of fewer items have no id."""

Graph = Mapping[int, Sequence[Hashable]]
"""The attributes of each item."""


@dataclass(frozen=True)
class NamedItem:
    """An item of the other publication."""

    asin: str
    brand: str | None
    """One brand has an empty name; it has an id all the same."""
    categories: tuple[str, ...]

    @property
    def attributes(self) -> list[str]:
        """All that may have an id."""
        return [
            *(() if self.brand is None else [self.brand]),
            *(c for c in self.categories if c not in ROOTS),
        ]


def rows(ids: Graph, named: Sequence[NamedItem], times: Mapping[int, int]) -> Iterable[list[object]]:
    """Item, ASIN (where certain), brand, categories, ids of attributes, and how often the item occurs."""
    count = Counter(a for item in named for a in item.attributes)
    by_name = {n: [a for a in i.attributes if count[a] >= LEAST] for n, i in enumerate(named)}
    item_colour, attribute_colour = _refine(ids, by_name)
    items, attributes = defaultdict(list), defaultdict(list)
    for n in by_name:
        items[item_colour[1, n]].append(named[n])
    for name in sorted({a for names in by_name.values() for a in names}, reverse=True):
        attributes[attribute_colour[1, name]].append(name)
    brands = {i.brand for i in named}
    categories = {c for i in named for c in i.categories}
    for item in sorted(ids):
        alike = items[item_colour[0, item]]
        names = [attributes[attribute_colour[0, a]] for a in ids[item]]
        if not alike or not all(names):
            raise InputError(
                f"item {item} has no counterpart among the named ones",
                expected="two publications of the same items",
            )
        certain = alike[0] if len(alike) == 1 else None
        head = names[0][0]
        # A few names are both a brand's and a category's.
        twice = ids[item].count(ids[item][0]) > 1 or (certain is not None and certain.brand == head)
        brand: str | None
        if head in brands and (head not in categories or twice):
            brand, path = _text(names[0]), names[1:]
        else:
            brand, path = None if certain is None else certain.brand, names
        texts = "|".join(map(_text, path)), " ".join(map(str, ids[item]))
        yield [item, certain and certain.asin, unescaped(brand or "") or None, *texts, times[item]]


def unescaped(name: str) -> str:
    """The name as it is read: some are escaped once, some twice (``&amp;reg;``)."""
    return unescape(unescape(name))


def _text(names: Sequence[str]) -> str:
    return "|".join(map(unescaped, names))


def _refine(*graphs: Graph) -> tuple[dict[tuple[int, int], int], dict[tuple[int, Hashable], int]]:
    """Colours of items and attributes by graph and name, refined until no colour is split any more."""
    links = {
        (number, item): [(number, a) for a in set(attributes)]
        for number, graph in enumerate(graphs)
        for item, attributes in graph.items()
    }
    back: dict[tuple[int, Hashable], list[tuple[int, int]]] = defaultdict(list)
    for item, attributes in links.items():
        for attribute in attributes:
            back[attribute].append(item)
    attribute_colour = dict.fromkeys(back, 0)
    colours = 0
    while True:
        item_colour = _numbered(
            {i: sorted(attribute_colour[a] for a in linked) for i, linked in links.items()}
        )
        attribute_colour = _numbered(
            {a: sorted(item_colour[i] for i in linked) for a, linked in back.items()}
        )
        split = len(set(item_colour.values())) + len(set(attribute_colour.values()))
        if split == colours:
            return item_colour, attribute_colour
        colours = split


def _numbered(signatures: Mapping[Any, Sequence[int]]) -> dict[Any, int]:
    """A number for each different signature."""
    numbers: dict[tuple[int, ...], int] = {}
    return {node: numbers.setdefault(tuple(s), len(numbers)) for node, s in signatures.items()}
