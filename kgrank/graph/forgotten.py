"""The list of forgotten people: salted hashes of their ids, so that no later load brings them back."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, replace
from hashlib import sha256

import polars as pl

from kgrank.graph.schema import EDGES
from kgrank.graph.store import GraphStore
from kgrank.graph.tables import KnowledgeGraph

LABEL, NODE = "Forgotten", "forgotten"
DIGITS = 32
"""Of a hash, in hexadecimal: 128 bits, so that nobody else shares one."""

OF_PEOPLE = tuple(name for name, edge in EDGES.items() if edge.source == "User")
"""Edges that people have."""


@dataclass(frozen=True)
class ForgottenPeople:
    """Hashes of the ids of forgotten people, and the salt, which is the store's own."""

    salt: str
    hashes: frozenset[str] = frozenset()

    def hash_of(self, user: str) -> str:
        """The hash of an id."""
        return hmac.new(bytes.fromhex(self.salt), user.encode(), sha256).hexdigest()[:DIGITS]

    def has(self, user: str) -> bool:
        """Whether somebody is on the list."""
        return self.hash_of(user) in self.hashes

    def with_people(self, users: Iterable[str]) -> ForgottenPeople:
        """The list with some people more."""
        return replace(self, hashes=self.hashes | {self.hash_of(user) for user in users})

    def without_people(self, users: Iterable[str]) -> ForgottenPeople:
        """The list without some people."""
        return replace(self, hashes=self.hashes - {self.hash_of(user) for user in users})


def read_forgotten(store: GraphStore) -> ForgottenPeople:
    """The list of a store, empty in one that never forgot anybody."""
    nodes = store.nodes(LABEL)
    if nodes.is_empty():
        return ForgottenPeople(secrets.token_hex(16))
    return ForgottenPeople(nodes["salt"][0], frozenset(nodes["hashes"][0].split()))


def write_forgotten(store: GraphStore, people: ForgottenPeople) -> None:
    """Replaces the list of a store."""
    row = {"id": NODE, "salt": people.salt, "hashes": "\n".join(sorted(people.hashes))}
    store.upsert_nodes(LABEL, pl.DataFrame([row]))


def without_forgotten(store: GraphStore, graph: KnowledgeGraph) -> tuple[KnowledgeGraph, int]:
    """The graph without the people whom the store has forgotten, and how many they are."""
    forgotten = read_forgotten(store)
    if not forgotten.hashes:
        return graph, 0
    users = graph.node("User")["id"]
    gone = pl.Series([user for user in users if forgotten.has(user)], dtype=pl.String)
    if gone.is_empty():
        return graph, 0
    return without_people(graph, gone), len(gone)


def without_people(graph: KnowledgeGraph, users: pl.Series) -> KnowledgeGraph:
    """The graph without some users and their edges."""
    nodes = {
        label: table.filter(~pl.col("id").is_in(users.implode())) if label == "User" else table
        for label, table in graph.nodes.items()
    }
    edges = {
        name: table.filter(~pl.col("source").is_in(users.implode())) if name in OF_PEOPLE else table
        for name, table in graph.edges.items()
    }
    return KnowledgeGraph(nodes, edges)
