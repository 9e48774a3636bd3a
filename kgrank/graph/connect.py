"""Opens a store by its address."""

from __future__ import annotations

import os
from pathlib import Path

from kgrank.graph.ladybug import LadybugStore
from kgrank.graph.store import PATIENCE_SECONDS, QUERY_SECONDS, START_SECONDS, GraphStore


def open_store(
    address: str,
    *,
    user: str | None = None,
    password: str | None = None,
    database: str | None = None,
    timeout: float = QUERY_SECONDS,
    wait: float = START_SECONDS,
    patience: float = PATIENCE_SECONDS,
) -> GraphStore:
    """Opens the store at an address, to be closed or used in a ``with`` statement.

    Args:
        address: A file (``shop.lb``) for the embedded store, or ``bolt://`` or ``neo4j://`` (with TLS
            ``bolt+s://`` and so on) for Neo4j.
        user: Neo4j's user; by default NEO4J_USER, else ``neo4j``.
        password: Neo4j's password; by default NEO4J_PASSWORD.
        database: Neo4j's database; by default NEO4J_DATABASE, else the user's home database.
        timeout: Seconds after which ``query`` gives up.
        wait: Seconds to wait for a server that does not answer yet.
        patience: Seconds of trying again after which a server that has stopped answering is an error.

    Raises:
        AccessError: A wrong address, user, password or database of Neo4j.
        StoreError: The store cannot be opened or reached; it says why and what to do.
    """
    if "://" not in address:
        return LadybugStore(Path(address).expanduser(), timeout=timeout)
    # The driver takes long to import, and most shops are files.
    from kgrank.graph.neo4j import Neo4jStore

    return Neo4jStore(
        address,
        user=user or os.environ.get("NEO4J_USER", "neo4j"),
        password=password if password is not None else os.environ.get("NEO4J_PASSWORD"),
        database=database or os.environ.get("NEO4J_DATABASE"),
        timeout=timeout,
        wait=wait,
        patience=patience,
    )
