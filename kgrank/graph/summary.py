"""What a store holds, in numbers alone: nothing of it names a person, a product or a place."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from kgrank.documents import load_json
from kgrank.graph.doctor import examine
from kgrank.graph.schema import EDGES, NODES
from kgrank.graph.store import GraphStore
from kgrank.resources import schema_version

_TRAINED = re.compile(r"w-\d{8}-\d{6}-[0-9a-f]{6}")
"""Names of versions that training gives; another name may say anything."""


@dataclass(frozen=True)
class ServedWeights:
    """The version that is served: its id, None where somebody named it, and the number of its file format."""

    version: str | None
    format: int | None


@dataclass(frozen=True)
class StoreSummary:
    """Kind, schema, counts, served weights and the state of each check of a store.

    Counts are empty where the store has another schema than this kgrank.
    """

    kind: str
    schema: int
    schema_expected: int
    nodes: Mapping[str, int]
    edges: Mapping[str, int]
    weights: ServedWeights | None
    checks: Mapping[str, str]
    server: str | None = None


def summarise(store: GraphStore) -> StoreSummary:
    """Counts what a store holds.

    Raises:
        StoreError: The store cannot be read.
    """
    version, expected = store.schema_version(), schema_version()
    known = version == expected
    return StoreSummary(
        kind=type(store).__name__,
        schema=version,
        schema_expected=expected,
        nodes={label: _count(store, f"(n:`{label}`)") for label in NODES} if known else {},
        edges={
            name: _count(store, f"(:`{edge.source}`)-[n:`{name}`]->(:`{edge.target}`)")
            for name, edge in EDGES.items()
        }
        if known
        else {},
        weights=_served(store) if known else None,
        checks={check.name: str(check.state) for check in examine(store)},
        server=next((check.found for check in store.health() if check.name == "server"), None),
    )


def _count(store: GraphStore, pattern: str) -> int:
    return int(store.query(f"MATCH {pattern} RETURN count(n) AS size")[0]["size"])


def _served(store: GraphStore) -> ServedWeights | None:
    served = store.nodes("Served")["version"]
    if served.is_empty():
        return None
    version = str(served[0])
    documents = store.nodes("Weights", pl.Series([version]))["document"]
    return ServedWeights(
        version=version if _TRAINED.fullmatch(version) else None,
        format=_format(documents[0]) if len(documents) else None,
    )


def _format(document: str) -> int | None:
    """The number of the format that a document of weights names; None where it names none."""
    try:
        number = load_json(document)["format"]
    except (ValueError, KeyError, TypeError):
        return None
    return number if isinstance(number, int) else None
