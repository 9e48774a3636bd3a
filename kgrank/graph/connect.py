"""Opens a store by its address."""

from __future__ import annotations

import os
import re
from pathlib import Path

from kgrank.errors import AccessError, InputError
from kgrank.graph.store import (
    PATIENCE_SECONDS,
    QUERY_SECONDS,
    START_SECONDS,
    GraphStore,
    StoreKind,
    StoreOptions,
)

FILE = ""
"""The scheme of an address that has none: a path."""


def _open_embedded(address: str, options: StoreOptions) -> GraphStore:
    from kgrank.graph.embedded.store import LadybugStore

    return LadybugStore(Path(address).expanduser(), timeout=options.timeout, wait=options.wait)


def _open_neo4j(address: str, options: StoreOptions) -> GraphStore:
    from kgrank.graph.neo4j.address import read_address
    from kgrank.graph.neo4j.store import Neo4jStore

    in_address = read_address(address).database
    return Neo4jStore(
        address,
        user=options.user or os.environ.get("NEO4J_USER", "neo4j"),
        password=options.password if options.password is not None else os.environ.get("NEO4J_PASSWORD"),
        database=options.database or in_address or os.environ.get("NEO4J_DATABASE"),
        timeout=options.timeout,
        wait=options.wait,
        patience=options.patience,
    )


STORES = (
    StoreKind((FILE,), example="shop.lb", embedded=True, open=_open_embedded),
    StoreKind(
        ("bolt", "bolt+s", "bolt+ssc", "neo4j", "neo4j+s", "neo4j+ssc"),
        example="bolt://host:7687",
        embedded=False,
        open=_open_neo4j,
    ),
)
"""The stores that are shipped."""

_stores: dict[str, StoreKind] = {scheme: kind for kind in STORES for scheme in kind.schemes}


def register_store(kind: StoreKind) -> None:
    """Adds a kind of store for the rest of the process.

    Raises:
        InputError: One of its schemes is another store's, or is not written like one.
    """
    for scheme in kind.schemes:
        if scheme in _stores:
            raise InputError(
                f"a store for {f'{scheme}://' if scheme else 'paths'} is registered already",
                expected="a scheme of its own",
            )
        if not re.fullmatch(r"[a-z][a-z0-9+.-]*", scheme):
            raise InputError(
                f"{scheme!r} is no scheme of an address", expected="lower-case letters, digits, + - and ."
            )
    _stores.update(dict.fromkeys(kind.schemes, kind))


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
            ``bolt+s://`` and so on) for Neo4j, with ``/DATABASE`` and ``?shop=NAME`` where needed.
        user: Neo4j's user; by default NEO4J_USER, else ``neo4j``.
        password: Neo4j's password; by default NEO4J_PASSWORD.
        database: Neo4j's database; by default the address's, else NEO4J_DATABASE, else the user's home database.
        timeout: Seconds after which ``query`` gives up.
        wait: Seconds to wait for a server that does not answer yet, or for a process that has the file open.
        patience: Seconds of trying again after which a server that has stopped answering is an error.

    Raises:
        AccessError: A wrong address, user, password or database of Neo4j.
        StoreError: The store cannot be opened or reached; it says why and what to do.
    """
    options = StoreOptions(
        user=user, password=password, database=database, timeout=timeout, wait=wait, patience=patience
    )
    return _store_kind(address).open(address, options)


def is_embedded(address: str) -> bool:
    """Whether one process at a time can have the store at an address open.

    Raises:
        AccessError: No store has such addresses.
    """
    return _store_kind(address).embedded


def file_of(address: str) -> Path | None:
    """The file that a store is; None for a store with another kind of address."""
    return None if _scheme(address) else Path(address).expanduser()


def _scheme(address: str) -> str:
    scheme, separator, _ = address.partition("://")
    return scheme.lower() if separator else FILE


def _store_kind(address: str) -> StoreKind:
    scheme = _scheme(address)
    if scheme not in _stores:
        raise AccessError(
            f"no store has addresses that begin with {scheme}://",
            where=re.sub(r"//.*@", "//…@", address),
            expected=f"one like {' or '.join(dict.fromkeys(kind.example for kind in _stores.values()))}",
        )
    return _stores[scheme]
