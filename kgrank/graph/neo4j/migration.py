"""The files of graph/schema for one shop: what they make, and what of it a database has."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from kgrank.graph.labels import PREFIX
from kgrank.resources import migrations

SHOW_INDEXES = """
    SHOW INDEXES YIELD name, state, type, labelsOrTypes, properties, owningConstraint
    RETURN name, state, type, labelsOrTypes AS on, properties, owningConstraint IS NOT NULL AS unique
"""
"""Every index of a database, those of its constraints among them, as ``schema_state`` takes them."""

LABELS_SINCE = 5
"""The first schema with labels of kgrank's own."""

EARLIER_VERSION = """
    MATCH (s:Schema {id: 'schema'}) WHERE s.version IN [1, 2, 3, 4]
    AND EXISTS { MATCH (o:Ontology {id: 'ontology'}) WHERE o.fingerprint IS NOT NULL AND o.document IS NOT NULL }
    RETURN s.version AS version
"""
"""The schema of a database that a kgrank without labels of its own loaded a shop into."""

_CREATE = re.compile(
    r"CREATE (?P<kind>CONSTRAINT|INDEX) (?P<name>\w+) IF NOT EXISTS FOR (?:\(n:(?P<label>\w+)\)|"
    r"\(\)-\[r:(?P<type>\w+)\]-\(\)) (?:REQUIRE|ON) \(?\w\.(?P<property>\w+)"
)


@dataclass(frozen=True)
class Index:
    """A constraint (``unique``) or index by its name, on one property of a label or relationship type."""

    name: str
    on: str
    property: str
    unique: bool


@dataclass(frozen=True)
class SchemaState:
    """Indexes that a database lacks, those whose name it has for something else (and what), those not online."""

    missing: tuple[Index, ...]
    taken: Mapping[str, str]
    offline: tuple[str, ...]


def shop_migrations(prefix: str) -> Iterable[tuple[int, str]]:
    """Number and text of each file, with labels and names that begin as those of the shop."""
    return (
        (n, text.replace(PREFIX, prefix).replace("kgrank_", f"{prefix.lower().rstrip('_')}_"))
        for n, text in migrations()
    )


def split_statements(text: str) -> list[str]:
    """The statements of a file; comments, in lines of their own, are no part of them."""
    code = "\n".join(line for line in text.splitlines() if not line.startswith("//"))
    return [statement for part in code.split(";") if (statement := part.strip())]


def indexes_of(text: str) -> list[Index]:
    """The constraints and indexes that a file makes."""
    return [
        Index(m["name"], m["label"] or m["type"], m["property"], m["kind"] == "CONSTRAINT")
        for m in _CREATE.finditer(text)
    ]


def schema_state(wanted: Iterable[Index], rows: Iterable[Mapping[str, Any]]) -> SchemaState:
    """Compares indexes by label, property and uniqueness with rows of ``SHOW_INDEXES``; names may differ."""
    ranges = [row for row in rows if row["type"] == "RANGE"]
    there = {(row["on"][0], tuple(row["properties"]), row["unique"]): row for row in ranges if row["on"]}
    names = {row["name"]: row for row in rows}
    missing, offline = [], []
    for index in wanted:
        row = there.get((index.on, (index.property,), index.unique))
        if row is None:
            missing.append(index)
        elif row["state"] != "ONLINE":
            offline.append(row["name"])
    taken = {index.name: _described(names[index.name]) for index in missing if index.name in names}
    return SchemaState(tuple(missing), taken, tuple(offline))


def _described(row: Mapping[str, Any]) -> str:
    kind = "constraint" if row["unique"] else "index"
    return f"{'|'.join(row['on'] or ())}({', '.join(row['properties'] or ())}), {kind}"
