"""How many items of a store a change of the ontology touches."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from kgrank.graph.schema import split_value_id
from kgrank.graph.store import GraphStore
from kgrank.ontology.diff import Change
from kgrank.ontology.model import Ontology

_COUNTS = {
    "category": "MATCH (i:Item)-[:IN_CATEGORY]->(t:Category) RETURN t.id AS id, count(i) AS items",
    "brand": "MATCH (i:Item)-[:MADE_BY]->(t:Brand) RETURN t.id AS id, count(i) AS items",
    "node": "MATCH (i:Item)-[:HAS_VALUE]->(t:AttributeValue) RETURN t.id AS id, count(i) AS items",
    "attribute": "MATCH (i:Item)-[:HAS_VALUE]->(v:AttributeValue)-[:OF]->(t:Attribute) "
    "RETURN t.id AS id, count(DISTINCT i) AS items",
}


@dataclass(frozen=True)
class ItemCounts:
    """Items by category, by brand, by attribute that they have, and by value."""

    category: Mapping[str, int]
    brand: Mapping[str, int]
    attribute: Mapping[str, int]
    value: Mapping[str, int]

    def touched(self, change: Change, old: Ontology, new: Ontology) -> int | None:
        """Items in a category (or a rule's scope) and below, with an attribute, of a value or brand.

        None for a change of what items have no part in.
        """
        if change.kind in ("brand", "attribute", "value"):
            known: Mapping[str, int] = getattr(self, change.kind)
            return known.get(change.id, 0)
        if change.kind not in ("category", "rule"):
            return None
        inside: dict[str, None] = {}
        for ontology in (old, new):
            if change.kind == "rule" and change.id in ontology.rules:
                inside |= dict.fromkeys(ontology.scope(ontology.rules[change.id]))
            elif change.id in ontology.categories:
                inside |= dict.fromkeys(ontology.subtree(change.id))
        return sum(self.category.get(c, 0) for c in inside)


def item_counts(store: GraphStore) -> ItemCounts:
    """Counts the items of a store.

    Raises:
        StoreError: It holds no shop, or does not answer.
    """
    counts = {
        name: {row["id"]: row["items"] for row in store.query(statement)}
        for name, statement in _COUNTS.items()
    }
    values: dict[str, int] = {}
    for node, items in counts.pop("node").items():
        _, value = split_value_id(node)
        values[value] = values.get(value, 0) + items
    return ItemCounts(**counts, value=values)
