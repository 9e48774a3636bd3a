"""Opens a store by its address."""

from __future__ import annotations

from pathlib import Path

from kgrank.errors import StoreError
from kgrank.graph.ladybug import LadybugStore
from kgrank.graph.store import QUERY_SECONDS, GraphStore


def open_store(
    address: str,
    *,
    user: str | None = None,
    password: str | None = None,
    database: str | None = None,
    timeout: float = QUERY_SECONDS,
) -> GraphStore:
    """Opens the store at an address, to be closed or used in a ``with`` statement.

    Args:
        address: A file (``shop.lb``) for the embedded store, or ``bolt://`` or ``neo4j://`` (with TLS
            ``bolt+s://`` and so on) for Neo4j.
        user: Neo4j's user; by default NEO4J_USER, else ``neo4j``.
        password: Neo4j's password; by default NEO4J_PASSWORD.
        database: Neo4j's database; by default NEO4J_DATABASE, else ``neo4j``.
        timeout: Seconds after which ``query`` gives up.

    Raises:
        StoreError: The store cannot be opened or reached; it says why and what to do.
    """
    scheme, separator, _ = address.partition("://")
    if not separator:
        return LadybugStore(Path(address).expanduser(), timeout=timeout)
    raise StoreError(f"the address starts with {scheme}://", where=address, expected="a file or bolt://")
