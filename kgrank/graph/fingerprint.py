"""One short text that says which graph something was made from."""

from __future__ import annotations

import hashlib

from kgrank.graph.record import ENGINE, total
from kgrank.graph.tables import KnowledgeGraph


def fingerprint(graph: KnowledgeGraph) -> str:
    """16 hexadecimal digits of a graph's rows, whatever their order.

    Rows are hashed by the table engine, so two fingerprints can be compared where its version is the same.
    """
    tables = {**graph.nodes, **graph.edges}
    rows = [f"{name} {len(table)} {total(table)}" for name, table in sorted(tables.items()) if len(table)]
    return hashlib.sha256("\n".join([ENGINE, *rows]).encode()).hexdigest()[:16]
