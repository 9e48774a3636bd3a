"""What every store can do. Two stores are shipped: the embedded one and Neo4j."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, Self

import polars as pl

from kgrank.graph.health import Check
from kgrank.graph.tables import KnowledgeGraph

Progress = Callable[[str, int, int], None]
"""Called with the table's name, the rows done and the rows in all."""

Row = dict[str, Any]

QUERY_SECONDS = 60.0
"""How long a query may take by default; a careless pattern can take hours."""

START_SECONDS = 30.0
"""How long to wait by default for a server that does not answer yet, or for a process that has the file open."""

PATIENCE_SECONDS = 30.0
"""How long to try again by default where a server has stopped answering."""


class GraphStore(Protocol):
    """A store of the knowledge graph that answers Cypher.

    All writes are idempotent upserts by id (nodes) or by source, target and key (edges); the tables have the
    columns of ``kgrank.graph.schema``. Each call is durable when it returns.
    """

    @property
    def address(self) -> str:
        """Where the store is: a file, or an address without the password."""
        ...

    def prepare(self) -> None:
        """Brings tables, constraints and indexes to this kgrank's schema; a second call changes nothing.

        Raises:
            StoreError: The store was prepared by a newer kgrank.
        """
        ...

    def schema_version(self) -> int:
        """The schema that the store was prepared for last; 0 where it never was."""
        ...

    def upsert_nodes(self, label: str, table: pl.DataFrame, progress: Progress | None = None) -> None:
        """Writes nodes; those that exist get the table's properties."""
        ...

    def upsert_edges(self, name: str, table: pl.DataFrame, progress: Progress | None = None) -> None:
        """Writes edges between nodes that exist; an edge to a missing node is a StoreError."""
        ...

    def replace_edges(self, name: str, sources: pl.Series, table: pl.DataFrame) -> None:
        """The edges of some sources become those of the table; each source's in one transaction.

        Raises:
            StoreError: An edge to a missing node, or of another source.
        """
        ...

    def delete_edges(self, name: str, table: pl.DataFrame) -> None:
        """Deletes the edges of the table; those that the store does not have are passed over."""
        ...

    def delete_nodes(self, label: str, ids: pl.Series) -> None:
        """Deletes nodes with all their edges; ids that the store does not have are passed over."""
        ...

    def compact(self) -> bool:
        """Writes the store's files anew, so that no bytes of what was deleted are left in them.

        Returns:
            Whether it did; False where a server decides when it writes over what was deleted.
        """
        ...

    def query(self, statement: str, parameters: Mapping[str, Any] | None = None) -> list[Row]:
        """Rows of one reading statement, by column name."""
        ...

    def nodes(self, label: str, ids: pl.Series | None = None) -> pl.DataFrame:
        """All nodes of a label, or those with the ids, ordered by id."""
        ...

    def edges(self, name: str, sources: pl.Series | None = None) -> pl.DataFrame:
        """All edges of a type, or those of the sources, ordered by source, target and key."""
        ...

    def replace_version(
        self, version: str, nodes: Mapping[str, pl.DataFrame], edges: Mapping[str, pl.DataFrame]
    ) -> None:
        """Writes one version of learned weights and serves it: readers see the version before, or all of this one.

        Edges of the same version are replaced, other versions stay, and the node (:Served {id: 'weights'})
        names the version when, and only when, all of it is written.
        """
        ...

    def serve(self, version: str, ranked: pl.DataFrame | None = None) -> None:
        """Serves a version that is in the store, and replaces its RANKED edges, in one transaction."""
        ...

    def delete_version(self, version: str) -> None:
        """Deletes a version's node and edges in one transaction; the served one is refused."""
        ...

    def health(self) -> Iterable[Check]:
        """What ``kgrank doctor`` shows of the store itself, its server and its indexes; nothing for a mere file.

        Asked before anything else, of a store that may never have been prepared.
        """
        ...

    def close(self) -> None:
        """Gives the store back to other processes."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...


@dataclass(frozen=True)
class StoreOptions:
    """How a store is opened; a store passes over what it has no use for.

    Attributes:
        user: By default the store's own.
        password: By default the store's own.
        database: Of a server that has several; by default the user's.
        timeout: Seconds after which ``query`` gives up.
        wait: Seconds to wait for a server that does not answer yet, or for a process that has the file open.
        patience: Seconds of trying again after which a server that has stopped answering is an error.
    """

    user: str | None = None
    password: str | None = None
    database: str | None = None
    timeout: float = QUERY_SECONDS
    wait: float = START_SECONDS
    patience: float = PATIENCE_SECONDS


@dataclass(frozen=True)
class StoreKind:
    """One kind of store.

    Attributes:
        schemes: How its addresses begin, without ``://``; ``FILE`` for a path.
        example: An address, as messages show it.
        embedded: Whether one process at a time can have it open, so that readers close it after each read.
        open: Opens the store at an address; it imports the store's module, which others then need not have.
    """

    schemes: tuple[str, ...]
    example: str
    embedded: bool
    open: Callable[[str, StoreOptions], GraphStore]


def load_graph(store: GraphStore, labels: Sequence[str], edges: Sequence[str]) -> KnowledgeGraph:
    """Reads the named tables of a store."""
    return KnowledgeGraph({n: store.nodes(n) for n in labels}, {e: store.edges(e) for e in edges})
