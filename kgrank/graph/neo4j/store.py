"""The store protocol over Neo4j."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Concatenate, ParamSpec, Self, TypeVar

import neo4j
import polars as pl
from neo4j.exceptions import (
    DriverError,
    Neo4jError,
)

from kgrank.errors import AccessError, StoreError
from kgrank.graph.changes import (
    changed,
    check_version,
    checked_edges,
    checked_nodes,
    edge_key,
    edge_schema,
    node_schema,
    refuse_newer,
    refuse_other_sources,
)
from kgrank.graph.health import Check, State
from kgrank.graph.labels import PREFIX, with_prefix
from kgrank.graph.neo4j.address import read_address
from kgrank.graph.neo4j.batches import batches, concatenated, repeated
from kgrank.graph.neo4j.errors import may_be_starting, refuse_old_server, store_error
from kgrank.graph.neo4j.migration import (
    EARLIER_VERSION,
    LABELS_SINCE,
    SHOW_INDEXES,
    Index,
    SchemaState,
    indexes_of,
    schema_state,
    shop_migrations,
    split_statements,
)
from kgrank.graph.neo4j.statements import (
    BATCH,
    all_edges,
    all_nodes,
    merge_nodes,
    nodes_by_id,
    seek_by_id,
)
from kgrank.graph.neo4j.transaction import ShopTransaction
from kgrank.graph.neo4j.writing import (
    change_edges,
    delete_version,
    refuse_missing_ends,
    remove_batch,
    remove_edges,
    serve_version,
    write_edges,
    write_version,
)
from kgrank.graph.schema import EDGES, LEARNED_EDGES
from kgrank.graph.store import PATIENCE_SECONDS, QUERY_SECONDS, START_SECONDS, Progress, Row
from kgrank.resources import schema_version

SOURCES = 2_000
"""Sources whose edges are read in one statement, to be compared with a table."""

P = ParamSpec("P")
R = TypeVar("R")

_log = logging.getLogger(__name__)
# The driver warns of each try while a server starts, and raises the same errors anyway.
logging.getLogger("neo4j").addHandler(logging.NullHandler())


class Neo4jStore:
    """The graph in a Neo4j database.

    Args:
        address: ``bolt://host:7687``, ``neo4j://host``, or one of their forms with TLS; behind it may stand
            ``/DATABASE`` and, where a database holds several shops, ``?shop=NAME``.
        user: The user's name; not needed where the server asks for no password.
        password: The password, or None.
        database: The database's name; None is the address's, else the user's home database.
        timeout: Seconds after which ``query`` gives up.
        wait: Seconds to wait for a server that does not answer yet.
        patience: Seconds of trying again, and of waiting for a connection, after which a server that has stopped
            answering is an error.

    Raises:
        AccessError: A wrong address, user, password or database.
        StoreError: Unknown host, no answer, or a server that is too old.
    """

    def __init__(
        self,
        address: str,
        *,
        user: str = "neo4j",
        password: str | None = None,
        database: str | None = None,
        timeout: float = QUERY_SECONDS,
        wait: float = START_SECONDS,
        patience: float = PATIENCE_SECONDS,
    ) -> None:
        location = read_address(address)
        if database and location.database and database != location.database:
            raise AccessError(f"another database, {database}, is named beside the address", where=address)
        self._address = address
        self._prefix = location.prefix
        self._database = database or location.database
        self._timeout = timeout
        self._driver = neo4j.GraphDatabase.driver(
            location.server,
            auth=None if password is None else (user, password),
            connection_timeout=min(patience, 5),
            connection_acquisition_timeout=patience,
            max_transaction_retry_time=patience,
            # A connection is tried before it is used again: where the server hangs, a read takes minutes.
            liveness_check_timeout=0,
        )
        try:
            self._connect(wait)
            self._warn_of_earlier_labels()
        except BaseException:
            self.close()
            raise

    @property
    def address(self) -> str:
        """The server's address, without the password."""
        return self._address

    def prepare(self) -> None:
        """Applies the files of graph/schema that the database has not seen, or has lost indexes of.

        A second call changes nothing. Only a database that an earlier kgrank has written to has nodes changed.

        Raises:
            StoreError: A newer kgrank prepared it, or the name of a constraint or index is taken.
        """
        applied = self.schema_version()
        refuse_newer(applied, self._address)
        state = self._schema_state()
        if state.taken:
            # The server would make no index, and for some of these report no error.
            raise StoreError(
                f"the database has no {_listed(state)}",
                where=self._address,
                expected="these names to be free",
                todo="Drop or rename what has them, then load again.",
            )
        for number, text in shop_migrations(self._prefix):
            if number > applied or not set(state.missing).isdisjoint(indexes_of(text)):
                # Each statement can be run again, so one that was cut short is completed by the next call.
                for statement in split_statements(text):
                    if applied or statement.startswith("CREATE"):
                        self._run_alone(statement)
        self._run_alone("CALL db.awaitIndexes()")
        if applied < schema_version():
            self._run("MERGE (s:Schema {id: 'schema'}) SET s.version = $number", number=schema_version())

    def schema_version(self) -> int:
        """The number of the last migration that the database has seen; 0 where none."""
        records = self._run("MATCH (s:Schema {id: 'schema'}) RETURN s.version AS version")
        if not records and self._prefix == PREFIX:
            records = self._run_alone(EARLIER_VERSION)
        return int(records[0]["version"]) if records else 0

    def health(self) -> Iterator[Check]:
        """The server with its version, and the indexes of a database with this kgrank's schema."""
        with self._translating_errors():
            agent = self._driver.get_server_info().agent
        yield Check("server", State.FINE, agent)
        if self.schema_version() == schema_version():
            yield _index_check(self._schema_state())

    def _schema_state(self) -> SchemaState:
        """What the database lacks of the constraints and indexes of graph/schema."""
        wanted = [index for _, text in shop_migrations(self._prefix) for index in indexes_of(text)]
        return schema_state(wanted, [row.data() for row in self._run_alone(SHOW_INDEXES)])

    def upsert_nodes(self, label: str, table: pl.DataFrame, progress: Progress | None = None) -> None:
        """Writes nodes; those that exist get the table's properties."""
        table = checked_nodes(label, table)
        new = changed(table, self.nodes(label, table["id"]))
        done = len(table) - len(new)
        for rows in new.iter_slices(BATCH):
            self._run(merge_nodes(label), rows=rows.rows())
            done += len(rows)
            if progress:
                progress(label, done, len(table))
        if progress and new.is_empty():
            progress(label, done, len(table))

    def upsert_edges(self, name: str, table: pl.DataFrame, progress: Progress | None = None) -> None:
        """Writes edges between nodes that exist; an edge to a missing node is a StoreError."""
        table = checked_edges(name, table)
        new = changed(table, self.edges(name, table["source"]))
        with self._translating_errors(), self._driver.session(database=self._database) as session:
            self._read_in(session, refuse_missing_ends, name, new)
            done = len(table) - len(new)
            for rows in new.iter_slices(BATCH):
                self._write(session, write_edges, name, rows)
                done += len(rows)
                if progress:
                    progress(name, done, len(table))
        if progress and new.is_empty():
            progress(name, done, len(table))

    def replace_edges(self, name: str, sources: pl.Series, table: pl.DataFrame) -> None:
        """The edges of some sources become those of the table; each source's in one transaction."""
        table = checked_edges(name, table)
        refuse_other_sources(name, sources, table)
        with self._translating_errors(), self._driver.session(database=self._database) as session:
            self._read_in(session, refuse_missing_ends, name, table)
            for batch in batches(sources.unique(), SOURCES):
                ids = pl.Series(batch, dtype=pl.String)
                stored = self.edges(name, ids)
                wanted = table.filter(pl.col("source").is_in(ids.implode()))
                stale = stored.join(wanted, on=edge_key(EDGES[name]), how="anti")
                self._write(session, change_edges, name, stale, changed(wanted, stored))

    def delete_edges(self, name: str, table: pl.DataFrame) -> None:
        """Deletes the edges of the table; those that the store does not have are passed over."""
        table = checked_edges(name, table)
        with self._translating_errors(), self._driver.session(database=self._database) as session:
            for rows in table.iter_slices(BATCH):
                self._write(session, remove_edges, name, rows)

    def delete_nodes(self, label: str, ids: pl.Series) -> None:
        """Deletes nodes with all their edges; ids that the store does not have are passed over."""
        statement = f"UNWIND $ids AS id {seek_by_id('n', label, 'id')} DETACH DELETE n"
        for batch in batches(ids, SOURCES):
            self._run(statement, ids=batch)

    def compact(self) -> bool:
        """Nothing: the server writes over deleted records, and drops its logs of transactions, when it wants."""
        return False

    def query(self, statement: str, parameters: Mapping[str, Any] | None = None) -> list[Row]:
        """Rows of one reading statement, by column name."""
        with self._translating_errors():
            answer = self._driver.execute_query(
                neo4j.Query(
                    with_prefix(statement, self._prefix),
                    timeout=self._timeout,
                ),
                dict(parameters or {}),
                routing_=neo4j.RoutingControl.READ,
                database_=self._database,
                # A server that came back with an older copy would be waited for until it is as new as before.
                bookmark_manager_=None,
            )
        return [record.data() for record in answer.records]

    def nodes(self, label: str, ids: pl.Series | None = None) -> pl.DataFrame:
        """All nodes of a label, or those with the ids, ordered by id."""
        schema = node_schema(label)
        if ids is None:
            return self._read(all_nodes(label), schema).sort("id")
        parts = batches(ids.unique(), BATCH)
        return concatenated(
            (self._read(nodes_by_id(label), schema, ids=batch) for batch in parts), schema
        ).sort("id")

    def edges(self, name: str, sources: pl.Series | None = None) -> pl.DataFrame:
        """All edges of a type, or those of the sources, ordered by source, target and key."""
        schema = edge_schema(name)
        key = edge_key(EDGES[name])
        if sources is None:
            return self._read(all_edges(EDGES[name]), schema).sort(key)
        statement = all_edges(EDGES[name], of_sources=True)
        parts = batches(sources.unique(), SOURCES)
        return concatenated((self._read(statement, schema, ids=batch) for batch in parts), schema).sort(key)

    def replace_version(
        self, version: str, nodes: Mapping[str, pl.DataFrame], edges: Mapping[str, pl.DataFrame]
    ) -> None:
        """Writes one version of learned weights, then serves it in one transaction with its node.

        The edges of a new version, which nothing names yet, are written in batches before: all of a large shop's
        in one transaction would not fit into the server's memory.
        """
        nodes = {label: checked_nodes(label, table) for label, table in nodes.items()}
        edges = {name: checked_edges(name, table) for name, table in edges.items()}
        check_version(version, edges)
        new = self.nodes("Weights", pl.Series([version])).is_empty()
        with self._translating_errors(), self._driver.session(database=self._database) as session:
            for name, table in edges.items():
                self._read_in(session, refuse_missing_ends, name, table)
            if new:
                self._remove_edges_of(session, version)
                for name, table in edges.items():
                    for rows in table.iter_slices(BATCH):
                        self._write(session, write_edges, name, rows)
            self._write(session, write_version, version, nodes, {} if new else edges, new)

    def serve(self, version: str, ranked: pl.DataFrame | None = None) -> None:
        """Serves a version that is in the store, and replaces its RANKED edges, in one transaction."""
        edges = {} if ranked is None else {"RANKED": checked_edges("RANKED", ranked)}
        check_version(version, edges)
        with self._translating_errors(), self._driver.session(database=self._database) as session:
            self._write(session, serve_version, version, edges)

    def delete_version(self, version: str) -> None:
        """Deletes a version's node, so that nothing can serve it, then its edges; the served one is refused."""
        with self._translating_errors(), self._driver.session(database=self._database) as session:
            self._write(session, delete_version, version)
            self._remove_edges_of(session, version)

    def close(self) -> None:
        """Closes the connections."""
        self._driver.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _connect(self, wait: float) -> None:
        """Waits for the server, and refuses one that is too old or has no such database."""
        deadline = time.monotonic() + wait
        warned = False
        while True:
            try:
                with self._translating_errors():
                    agent = self._driver.get_server_info().agent
                    refuse_old_server(agent, self._address)
                    self._run("RETURN 1")
                return
            except StoreError as error:
                if not may_be_starting(error.__cause__) or time.monotonic() >= deadline:
                    raise
                if not warned:
                    _log.warning("%s does not answer yet; waiting up to %g s for it", self._address, wait)
                    warned = True
                time.sleep(0.5)

    def _warn_of_earlier_labels(self) -> None:
        """A shop that an earlier kgrank loaded has other labels, so that reading would find nothing of it."""
        version = self.schema_version()
        if 0 < version < LABELS_SINCE:
            _log.warning(
                "%s has the schema %d of %d, in which labels were others: kgrank load and kgrank doctor --repair "
                "bring it to this version, and until then nothing of it is read",
                self._address,
                version,
                schema_version(),
            )

    def _run(self, statement: str, **parameters: Any) -> list[neo4j.Record]:
        """Runs a statement over the nodes of the shop."""
        with self._translating_errors():
            return self._driver.execute_query(
                with_prefix(statement, self._prefix),
                parameters,
                database_=self._database,
            ).records

    def _run_alone(self, statement: str) -> list[neo4j.Record]:
        """Runs a statement as it is, outside of a transaction: it may commit in batches."""
        with self._translating_errors(), self._driver.session(database=self._database) as session:
            return list(session.run(statement))

    def _write(
        self,
        session: neo4j.Session,
        work: Callable[Concatenate[ShopTransaction, P], R],
        *arguments: P.args,
        **named: P.kwargs,
    ) -> R:
        """Calls a function over one transaction that may write to the nodes of the shop."""
        return session.execute_write(lambda tx: work(ShopTransaction(tx, self._prefix), *arguments, **named))

    def _read_in(
        self,
        session: neo4j.Session,
        work: Callable[Concatenate[ShopTransaction, P], R],
        *arguments: P.args,
        **named: P.kwargs,
    ) -> R:
        """Calls a function over one transaction that reads the nodes of the shop."""
        return session.execute_read(lambda tx: work(ShopTransaction(tx, self._prefix), *arguments, **named))

    def _read(self, statement: str, schema: pl.Schema, **parameters: Any) -> pl.DataFrame:
        """A table from records whose fields are lists, column by column: ten times faster than by rows.

        A list of one is the value of all rows of its record: most of what a wire carries would be the same null.
        """
        with (
            self._translating_errors(),
            self._driver.session(database=self._database, default_access_mode=neo4j.READ_ACCESS) as session,
        ):
            records = session.execute_read(
                lambda tx: ShopTransaction(tx, self._prefix).run(statement, **parameters).values()
            )
        columns = zip(*records, strict=True) if records else [[] for _ in schema]
        sizes = [max(map(len, record)) for record in records]
        return pl.DataFrame(
            [
                pl.Series(c, list(repeated(lists, sizes)), dtype=t)
                for (c, t), lists in zip(schema.items(), columns, strict=True)
            ]
        )

    def _remove_edges_of(self, session: neo4j.Session, version: str) -> None:
        """Deletes the edges of a version that nothing names, in batches."""
        for name in LEARNED_EDGES:
            while self._write(session, remove_batch, name, version):
                pass

    @contextmanager
    def _translating_errors(self) -> Iterator[None]:
        """Driver and server errors as store errors."""
        try:
            yield
        except (Neo4jError, DriverError) as error:
            raise store_error(error, self._address, self._database, self._timeout) from error


def _index_check(state: SchemaState) -> Check:
    if state.taken:
        todo = "Drop or rename what has the name, then make them anew: kgrank doctor --repair."
        return Check("indexes", State.WRONG, f"missing: {_listed(state)}", todo)
    if state.missing:
        todo = "Make them anew: kgrank doctor --repair."
        return Check("indexes", State.WRONG, f"missing: {_listed(state)}", todo)
    if state.offline:
        todo = "Wait until they are populated; if they have failed, drop them and load again."
        return Check("indexes", State.WARNING, f"not online: {', '.join(state.offline)}", todo)
    return Check("indexes", State.FINE, "all there and online")


def _listed(state: SchemaState) -> str:
    """The missing indexes, each with what has its name."""
    return ", ".join(_described(index, state.taken.get(index.name)) for index in state.missing)


def _described(index: Index, other: str | None) -> str:
    kind = "constraint" if index.unique else "index"
    taken = f" (the name is taken: {other})" if other else ""
    return f"{kind} {index.name} on {index.on}({index.property}){taken}"
