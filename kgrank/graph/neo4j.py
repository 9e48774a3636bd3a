"""Neo4j over Bolt, through the official driver.

Statements are built from the names in ``kgrank.graph.schema`` alone; all data goes in as parameters.
"""

from __future__ import annotations

import logging
import re
import socket
import ssl
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import chain
from typing import Any, Self
from urllib.parse import urlsplit

import neo4j
import polars as pl
from neo4j.exceptions import (
    AuthError,
    ConnectionAcquisitionTimeoutError,
    DriverError,
    Neo4jError,
    ServiceUnavailable,
    SessionExpired,
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
    refuse_missing,
    refuse_newer,
    refuse_other_sources,
    refuse_served_version,
    refuse_unknown_version,
)
from kgrank.graph.health import Check, State
from kgrank.graph.schema import EDGES, LEARNED_EDGES, EdgeType
from kgrank.graph.store import PATIENCE_SECONDS, QUERY_SECONDS, START_SECONDS, Progress, Row
from kgrank.resources import migrations, schema_version

BATCH = 10_000
"""Rows in one statement and, but for a version of weights, in one transaction."""

SOURCES = 2_000
"""Sources whose edges are read in one statement, to be compared with a table."""

OLDEST = 5
"""The first major version of the server that works."""

_log = logging.getLogger(__name__)
# The driver warns of each try while a server starts, and raises what it has to say anyway.
logging.getLogger("neo4j").addHandler(logging.NullHandler())


class Neo4jStore:
    """The graph in a Neo4j database.

    Args:
        address: ``bolt://host:7687``, ``neo4j://host``, or one of their forms with TLS.
        user: The user's name; not needed where the server asks for no password.
        password: The password, or None.
        database: The database's name; None is the user's home database.
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
        _check_address(address)
        self._address = address
        self._database = database
        self._timeout = timeout
        self._driver = neo4j.GraphDatabase.driver(
            address,
            auth=None if password is None else (user, password),
            connection_timeout=min(patience, 5),
            connection_acquisition_timeout=patience,
            max_transaction_retry_time=patience,
            # A connection is tried before it is used again: where the server hangs, a read takes minutes.
            liveness_check_timeout=0,
        )
        try:
            self._connect(wait)
        except BaseException:
            self.close()
            raise

    @property
    def address(self) -> str:
        """The server's address, without the password."""
        return self._address

    def prepare(self) -> None:
        """Applies the files of graph/schema that the database has not seen, or has lost indexes of.

        A second call changes nothing.
        """
        applied = self.schema_version()
        refuse_newer(applied, self._address)
        missing = set(self._missing_indexes()[0])
        for number, text in migrations():
            if number > applied or not missing.isdisjoint(_names(text)):
                # Each statement can be run again, so one that was cut short is completed by the next call.
                for statement in _statements(text):
                    self._run(statement)
                self._run("CALL db.awaitIndexes()")
                self._run(
                    "MERGE (s:Schema {id: 'schema'}) SET s.version = $number", number=max(number, applied)
                )

    def schema_version(self) -> int:
        """The number of the last migration that the database has seen; 0 where none."""
        found = self._run("MATCH (s:Schema {id: 'schema'}) RETURN s.version AS version")
        return int(found[0]["version"]) if found else 0

    def health(self) -> Iterator[Check]:
        """The server with its version, and the indexes of a database with this kgrank's schema."""
        with self._told():
            agent = self._driver.get_server_info().agent
        yield Check("server", State.FINE, agent)
        if self.schema_version() == schema_version():
            yield _index_check(*self._missing_indexes())

    def _missing_indexes(self) -> tuple[list[str], list[str]]:
        """Names of constraints and indexes of graph/schema that are not there, and of those not online."""
        named = [name for _, text in migrations() for name in _names(text)]
        found = {row["name"]: row["state"] for row in self._run("SHOW INDEXES YIELD name, state")}
        missing = [name for name in named if name not in found]
        return missing, [name for name in named if found.get(name, "ONLINE") != "ONLINE"]

    def upsert_nodes(self, label: str, table: pl.DataFrame, progress: Progress | None = None) -> None:
        """Writes nodes; those that exist get the table's properties."""
        table = checked_nodes(label, table)
        new = changed(table, self.nodes(label, table["id"]))
        done = len(table) - len(new)
        for rows in new.iter_slices(BATCH):
            self._run(_merge_nodes(label), rows=rows.rows())
            done += len(rows)
            if progress:
                progress(label, done, len(table))
        if progress and new.is_empty():
            progress(label, done, len(table))

    def upsert_edges(self, name: str, table: pl.DataFrame, progress: Progress | None = None) -> None:
        """Writes edges between nodes that exist; an edge to a missing node is a StoreError."""
        table = checked_edges(name, table)
        new = changed(table, self.edges(name, table["source"]))
        with self._told(), self._driver.session(database=self._database) as session:
            session.execute_read(_refuse_missing, name, new)
            done = len(table) - len(new)
            for rows in new.iter_slices(BATCH):
                session.execute_write(_write_edges, name, rows)
                done += len(rows)
                if progress:
                    progress(name, done, len(table))
        if progress and new.is_empty():
            progress(name, done, len(table))

    def replace_edges(self, name: str, sources: pl.Series, table: pl.DataFrame) -> None:
        """The edges of some sources become those of the table; each source's in one transaction."""
        table = checked_edges(name, table)
        refuse_other_sources(name, sources, table)
        with self._told(), self._driver.session(database=self._database) as session:
            session.execute_read(_refuse_missing, name, table)
            for some in _parts(sources.unique(), SOURCES):
                ids = pl.Series(some, dtype=pl.String)
                stored = self.edges(name, ids)
                own = table.filter(pl.col("source").is_in(ids.implode()))
                stale = stored.join(own, on=edge_key(EDGES[name]), how="anti")
                session.execute_write(_change_edges, name, stale, changed(own, stored))

    def delete_edges(self, name: str, table: pl.DataFrame) -> None:
        """Deletes the edges of the table; those that the store does not have are passed over."""
        table = checked_edges(name, table)
        with self._told(), self._driver.session(database=self._database) as session:
            for rows in table.iter_slices(BATCH):
                session.execute_write(_remove_edges, name, rows)

    def delete_nodes(self, label: str, ids: pl.Series) -> None:
        """Deletes nodes with all their edges; ids that the store does not have are passed over."""
        statement = f"UNWIND $ids AS id {_by_id('n', label, 'id')} DETACH DELETE n"
        for some in _parts(ids, SOURCES):
            self._run(statement, ids=some)

    def query(self, statement: str, parameters: Mapping[str, Any] | None = None) -> list[Row]:
        """Rows of one reading statement, by column name."""
        with self._told():
            answer = self._driver.execute_query(
                neo4j.Query(statement, timeout=self._timeout),
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
            return self._read(_all_nodes(label), schema).sort("id")
        parts = _parts(ids.unique(), BATCH)
        return _together((self._read(_nodes_of(label), schema, ids=some) for some in parts), schema).sort(
            "id"
        )

    def edges(self, name: str, sources: pl.Series | None = None) -> pl.DataFrame:
        """All edges of a type, or those of the sources, ordered by source, target and key."""
        schema = edge_schema(name)
        key = edge_key(EDGES[name])
        if sources is None:
            return self._read(_all_edges(EDGES[name]), schema).sort(key)
        statement = _all_edges(EDGES[name], of_sources=True)
        parts = _parts(sources.unique(), SOURCES)
        return _together((self._read(statement, schema, ids=some) for some in parts), schema).sort(key)

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
        with self._told(), self._driver.session(database=self._database) as session:
            for name, table in edges.items():
                session.execute_read(_refuse_missing, name, table)
            if new:
                self._remove_edges_of(session, version)
                for name, table in edges.items():
                    for rows in table.iter_slices(BATCH):
                        session.execute_write(_write_edges, name, rows)
            session.execute_write(_write_version, version, nodes, {} if new else edges, new)

    def serve(self, version: str, ranked: pl.DataFrame | None = None) -> None:
        """Serves a version that stands in the store, and replaces its RANKED edges, in one transaction."""
        edges = {} if ranked is None else {"RANKED": checked_edges("RANKED", ranked)}
        check_version(version, edges)
        with self._told(), self._driver.session(database=self._database) as session:
            session.execute_write(_serve, version, edges)

    def delete_version(self, version: str) -> None:
        """Deletes a version's node, so that nothing can serve it, then its edges; the served one is refused."""
        with self._told(), self._driver.session(database=self._database) as session:
            session.execute_write(_delete_version, version)
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
        told = False
        while True:
            try:
                with self._told():
                    agent = self._driver.get_server_info().agent
                    _refuse_version(agent, self._address)
                    self._run("RETURN 1")
                return
            except StoreError as error:
                if not _may_be_starting(error.__cause__) or time.monotonic() >= deadline:
                    raise
                if not told:
                    _log.warning("%s does not answer yet; waiting up to %g s for it", self._address, wait)
                    told = True
                time.sleep(0.5)

    def _run(self, statement: str, **parameters: Any) -> list[neo4j.Record]:
        with self._told():
            return self._driver.execute_query(statement, parameters, database_=self._database).records

    def _read(self, statement: str, schema: pl.Schema, **parameters: Any) -> pl.DataFrame:
        """A table from records whose fields are lists, column by column: ten times faster than by rows.

        A list of one stands for all rows of its record: most of what a wire carries is else the same nothing.
        """
        with (
            self._told(),
            self._driver.session(database=self._database, default_access_mode=neo4j.READ_ACCESS) as session,
        ):
            records = session.execute_read(lambda tx: tx.run(statement, parameters).values())
        columns = zip(*records, strict=True) if records else [[] for _ in schema]
        sizes = [max(map(len, record)) for record in records]
        return pl.DataFrame(
            [
                pl.Series(c, list(_repeated(lists, sizes)), dtype=t)
                for (c, t), lists in zip(schema.items(), columns, strict=True)
            ]
        )

    def _remove_edges_of(self, session: neo4j.Session, version: str) -> None:
        """Deletes the edges of a version that nothing names, in batches."""
        for name in LEARNED_EDGES:
            while session.execute_write(_remove_some, name, version):
                pass

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Driver and server errors as store errors."""
        try:
            yield
        except (Neo4jError, DriverError) as error:
            raise _store_error(error, self._address, self._database, self._timeout) from error


def _index_check(missing: list[str], offline: list[str]) -> Check:
    if missing:
        todo = "Make them anew: kgrank doctor --repair."
        return Check("indexes", State.WRONG, f"missing: {', '.join(missing)}", todo)
    if offline:
        todo = "Wait until they are populated; if they have failed, drop them and load again."
        return Check("indexes", State.WARNING, f"not online: {', '.join(offline)}", todo)
    return Check("indexes", State.FINE, "all there and online")


def _names(statements: str) -> list[str]:
    """The constraints and indexes that some statements make."""
    return re.findall(r"CREATE (?:CONSTRAINT|INDEX) (\w+)", statements)


def _statements(text: str) -> list[str]:
    """The statements of a file; comments, in lines of their own, are no part of them."""
    code = "\n".join(line for line in text.splitlines() if not line.startswith("//"))
    return [statement for part in code.split(";") if (statement := part.strip())]


def _parts(values: pl.Series, size: int) -> Iterator[list[Any]]:
    return (values[start : start + size].to_list() for start in range(0, len(values), size))


def _repeated(lists: Iterable[list[Any]], sizes: Iterable[int]) -> Iterator[Any]:
    """The elements of all lists; one of a single element has it as often as its size says."""
    return chain.from_iterable(
        part if len(part) == size else part * size for part, size in zip(lists, sizes, strict=True)
    )


def _together(tables: Iterable[pl.DataFrame], schema: pl.Schema) -> pl.DataFrame:
    return pl.concat([schema.to_frame(), *tables])


def _ends(edge: EdgeType) -> str:
    return f"(a:`{edge.source}`)-[r:`{edge.name}`]->(b:`{edge.target}`)"


def _all_nodes(label: str) -> str:
    lists = _lists("part", node_schema(label))
    return f"""
        MATCH (n:`{label}`) WITH collect(n) AS found
        UNWIND range(0, size(found) - 1, {BATCH}) AS start
        WITH found[start .. start + {BATCH}] AS part
        RETURN {lists}
    """


def _nodes_of(label: str) -> str:
    lists = _lists("part", node_schema(label))
    return f"UNWIND $ids AS id {_by_id('n', label, 'id')} WITH collect(n) AS part RETURN {lists}"


def _lists(found: str, columns: Iterable[str]) -> str:
    """The columns of a list of nodes or edges as lists; one null stands for nothing but nulls."""
    return ", ".join(
        f"CASE WHEN any(x IN {found} WHERE x.`{c}` IS NOT NULL) THEN [x IN {found} | x.`{c}`] "
        f"ELSE [x IN {found}[0..1] | null] END AS `{c}`"
        for c in columns
    )


def _by_id(variable: str, label: str, value: str) -> str:
    # Right after a load the planner takes the index for empty, and would scan it for each id.
    return f"MATCH ({variable}:`{label}` {{id: {value}}}) USING INDEX SEEK {variable}:`{label}`(id)"


def _all_edges(edge: EdgeType, of_sources: bool = False) -> str:
    first = f"UNWIND $ids AS id {_by_id('a', edge.source, 'id')}" if of_sources else ""
    lists = f", {_lists('edges', edge.columns)}" if edge.columns else ""
    return f"""
        {first}
        MATCH {_ends(edge)}
        WITH a.id AS source, collect(r) AS edges, collect(b.id) AS target
        RETURN [source] AS source, target{lists}
    """


def _merge_nodes(label: str) -> str:
    at = _positions(node_schema(label))
    return f"UNWIND $rows AS row MERGE (n:`{label}` {{id: {at.pop('id')}}}) {_setting('n', at)}"


def _merge_edges(edge: EdgeType) -> str:
    at = _positions(edge_schema(edge.name))
    source, target = at.pop("source"), at.pop("target")
    key = f" {{`{edge.key}`: {at.pop(edge.key)}}}" if edge.key else ""
    return f"""
        UNWIND $rows AS row
        {_by_id("a", edge.source, source)}
        {_by_id("b", edge.target, target)}
        MERGE (a)-[r:`{edge.name}`{key}]->(b) {_setting("r", at)}
        RETURN count(r) AS written
    """


def _positions(schema: pl.Schema) -> dict[str, str]:
    """Where each column stands in a row: rows travel as lists, a third faster than as maps."""
    return {column: f"row[{i}]" for i, column in enumerate(schema)}


def _setting(variable: str, values: Mapping[str, str]) -> str:
    listed = ", ".join(f"{variable}.`{column}` = {value}" for column, value in values.items())
    return f"SET {listed}" if listed else ""


def _missing(transaction: neo4j.ManagedTransaction, label: str, ids: list[str]) -> list[str]:
    found = _by_id("n", label, "id")
    statement = f"UNWIND $ids AS id OPTIONAL {found} WITH id, n WHERE n IS NULL RETURN id"
    return [id for (id,) in transaction.run(statement, ids=ids).values()]


def _refuse_missing(transaction: neo4j.ManagedTransaction, name: str, table: pl.DataFrame) -> None:
    for end in ("source", "target"):
        ids = table[end].unique()
        label = getattr(EDGES[name], end)
        missing = pl.Series(
            list(chain.from_iterable(_missing(transaction, label, part) for part in _parts(ids, BATCH))),
            dtype=pl.String,
        )
        refuse_missing(name, end, table, ids.filter(~ids.is_in(missing.implode())))


def _change_edges(
    transaction: neo4j.ManagedTransaction, name: str, stale: pl.DataFrame, new: pl.DataFrame
) -> None:
    if len(stale):
        _remove_edges(transaction, name, stale)
    _write_edges(transaction, name, new)


def _write_edges(transaction: neo4j.ManagedTransaction, name: str, table: pl.DataFrame) -> None:
    statement = _merge_edges(EDGES[name])
    for rows in table.iter_slices(BATCH):
        (written,) = transaction.run(statement, rows=rows.rows()).single(strict=True)
        if written != len(rows):
            raise StoreError(
                f"{len(rows) - written:,} of {len(rows):,} {name} edges were not written",
                expected="nodes that stay while their edges are written",
                todo="Write again.",
            )


def _remove_edges(transaction: neo4j.ManagedTransaction, name: str, table: pl.DataFrame) -> None:
    edge = EDGES[name]
    at = _positions(pl.Schema(table.select(edge_key(edge)).schema))
    same = f" WHERE r.`{edge.key}` = {at[edge.key]}" if edge.key else ""
    statement = f"""
        UNWIND $rows AS row
        {_by_id("a", edge.source, at["source"])}
        {_by_id("b", edge.target, at["target"])}
        MATCH (a)-[r:`{name}`]->(b){same} DELETE r
    """
    transaction.run(statement, rows=table.select(edge_key(edge)).rows()).consume()


def _write_version(
    transaction: neo4j.ManagedTransaction,
    version: str,
    nodes: Mapping[str, pl.DataFrame],
    edges: Mapping[str, pl.DataFrame],
    new: bool,
) -> None:
    for name in () if new else LEARNED_EDGES:
        _remove_version(transaction, name, version)
    for label, table in nodes.items():
        transaction.run(_merge_nodes(label), rows=table.rows()).consume()
    _serve(transaction, version, edges)


def _serve(transaction: neo4j.ManagedTransaction, version: str, edges: Mapping[str, pl.DataFrame]) -> None:
    known = transaction.run("MATCH (w:Weights) RETURN w.id AS id").value()
    refuse_unknown_version(version, known)
    for name, table in edges.items():
        _remove_version(transaction, name, version)
        _refuse_missing(transaction, name, table)
        _write_edges(transaction, name, table)
    transaction.run("MERGE (s:Served {id: 'weights'}) SET s.version = $version", version=version).consume()


def _delete_version(transaction: neo4j.ManagedTransaction, version: str) -> None:
    refuse_unknown_version(version, transaction.run("MATCH (w:Weights) RETURN w.id AS id").value())
    refuse_served_version(version, transaction.run("MATCH (s:Served) RETURN s.version AS version").value())
    transaction.run("MATCH (w:Weights {id: $version}) DETACH DELETE w", version=version).consume()


def _remove_some(transaction: neo4j.ManagedTransaction, name: str, version: str) -> int:
    """Deletes a batch of a version's edges; how many there were."""
    statement = f"""
        MATCH {_ends(EDGES[name])} WHERE r.version = $version WITH r LIMIT {BATCH}
        DELETE r RETURN count(*) AS deleted
    """
    (deleted,) = transaction.run(statement, version=version).single(strict=True)
    return int(deleted)


def _remove_version(transaction: neo4j.ManagedTransaction, name: str, version: str) -> None:
    statement = f"MATCH {_ends(EDGES[name])} WHERE r.version = $version DELETE r"
    transaction.run(statement, version=version).consume()


def _check_address(address: str) -> None:
    parts = urlsplit(address)
    try:
        port_is_fine = parts.port is None or parts.port > 0
    except ValueError:
        port_is_fine = False
    if "@" in address or not parts.hostname or not port_is_fine:
        raise AccessError(
            "no address of a Neo4j server",
            where=re.sub(r"//.*@", "//…@", address),
            expected="bolt://host:7687 or neo4j://host:7687",
            todo="User and password go into NEO4J_USER and NEO4J_PASSWORD.",
        )


def _refuse_version(agent: str, address: str) -> None:
    version = re.match(r"Neo4j/v?(\d+)\.", agent)
    if version is None or int(version[1]) < OLDEST:
        raise StoreError(
            f"the server is {agent}",
            where=address,
            expected=f"Neo4j {OLDEST} or later",
            todo="Upgrade it, or start one with `docker compose up`.",
        )


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """An error and all that led to it."""
    while error is not None:
        yield error
        if isinstance(error, BaseExceptionGroup):
            for member in error.exceptions:
                yield from _causes(member)
        error = error.__cause__ or error.__context__


def _may_be_starting(error: BaseException | None) -> bool:
    """Whether waiting can help: not where the name, the port or the encryption is wrong."""
    causes = list(_causes(error))
    return isinstance(error, ServiceUnavailable) and not any(
        isinstance(cause, socket.gaierror | ssl.SSLError) or "looks like HTTP" in str(cause)
        for cause in causes
    )


def _store_error(
    error: Neo4jError | DriverError, address: str, database: str | None, timeout: float
) -> StoreError:
    code = getattr(error, "code", None) or ""
    if isinstance(error, AuthError) or code.endswith("AuthenticationRateLimit"):
        return AccessError(
            f"the server refuses user and password ({error.message})",
            where=address,
            todo="Set NEO4J_USER and NEO4J_PASSWORD.",
        )
    if code.endswith("CredentialsExpired"):
        return AccessError(
            "the first password was not changed yet", where=address, todo="Change it in Neo4j's browser."
        )
    if code.endswith("DatabaseNotFound"):
        return AccessError(
            f"no database {database}", where=address, todo="Name one that exists in NEO4J_DATABASE."
        )
    if code.endswith(("WriteOnReadOnlyAccessDatabase", "ForbiddenOnReadOnlyDatabase")):
        return StoreError(
            "the database is read-only",
            where=address,
            todo="Name another in NEO4J_DATABASE, or let this one be written: server.databases.read_only.",
        )
    if "TransactionTimedOut" in code:
        return StoreError(f"the query took more than {timeout:g} s", where=address, todo="Ask for less.")
    if isinstance(error, Neo4jError):
        return StoreError((error.message or code).splitlines()[0], where=address)
    return _unreachable(error, address)


def _unreachable(error: DriverError, address: str) -> StoreError:
    causes = list(_causes(error))
    if any(isinstance(cause, socket.gaierror) for cause in causes):
        return StoreError("no machine of that name", where=address, todo="Check the address.")
    if any("looks like HTTP" in str(cause) for cause in causes):
        return StoreError(
            "the port speaks HTTP",
            where=address,
            expected="the Bolt port",
            todo="Neo4j's is 7687 by default.",
        )
    if any(isinstance(cause, ssl.SSLError) for cause in causes):
        return StoreError(
            "no encrypted connection", where=address, todo="Use bolt:// where the server has no certificate."
        )
    if isinstance(error, ServiceUnavailable | SessionExpired | ConnectionAcquisitionTimeoutError):
        return StoreError(
            "no server answers",
            where=address,
            expected="a running Neo4j",
            todo="Check the address, or start one with `docker compose up`.",
        )
    return StoreError(str(error).splitlines()[0], where=address)
