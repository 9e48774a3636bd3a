"""The embedded store: one file, no server, one process at a time.

The engine (ladybug) loses data silently when two handles of one process open the same file, so a handle
takes a lock on a file beside the store, and a second handle, here or in another process, is refused.
"""

from __future__ import annotations

import ctypes
import fcntl
import logging
import os
import re
import weakref
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from decimal import Decimal
from pathlib import Path
from typing import IO, Any, Self

import ladybug
import polars as pl

from kgrank.errors import StoreError
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
from kgrank.graph.health import Check
from kgrank.graph.schema import EDGES, LEARNED_EDGES, NODES, EdgeType
from kgrank.graph.store import QUERY_SECONDS, Progress, Row
from kgrank.resources import schema_version

_TYPES: Mapping[pl.DataType, str] = {
    pl.String(): "STRING",
    pl.Float64(): "DOUBLE",
    pl.Int64(): "INT64",
    pl.Boolean(): "BOOLEAN",
}

_log = logging.getLogger(__name__)

BULK = 10_000
"""Edges above which COPY is faster: its commit writes the whole table anew, about 2 s for a million edges."""

LOOKED_UP = 1_000
"""Ids up to which rows are looked up: each takes half a millisecond, as long as reading five hundred edges."""

_NO_ROOM = "IO exception: Cannot write to file"

_abandoned: list[tuple[Any, ...]] = []
"""Databases, with their locks, whose last write failed."""


class LadybugStore:
    """The graph in one file.

    A file that does not exist is made by ``prepare``, so a misspelt path is an error and not an empty store.

    Args:
        path: The file, usually ``*.lb``.
        timeout: Seconds after which ``query`` gives up.
    """

    def __init__(self, path: Path, *, timeout: float = QUERY_SECONDS) -> None:
        self._path = path
        self._timeout = timeout
        self._database: ladybug.Database | None = None
        self._release: weakref.finalize[..., LadybugStore] | None = None
        try:
            is_folder, is_there = path.is_dir(), path.exists()
        except OSError as error:
            raise StoreError(f"cannot look into its folder ({error.strerror})", where=path) from error
        if is_folder:
            raise StoreError("a folder, not a store", where=path, todo="Name a file in it.")
        if is_there:
            self._open()

    @property
    def address(self) -> str:
        """The file."""
        return str(self._path)

    def prepare(self) -> None:
        """Makes the file and its tables; a second call changes nothing."""
        if self._database is None:
            self._open()
        applied = self.schema_version()
        refuse_newer(applied, self.address)
        if applied < schema_version():
            with self._writing() as connection:
                for statement in definitions():
                    connection.execute(statement)
                connection.execute(
                    "MERGE (s:Schema {id: 'schema'}) SET s.version = $version", {"version": schema_version()}
                )

    def schema_version(self) -> int:
        """The number of the schema that the store was prepared for last; 0 for a new one."""
        with self._reading() as connection:
            if "Schema" not in _values(connection, "CALL show_tables() RETURN name"):
                return 0
            return int(max(_values(connection, "MATCH (s:Schema) RETURN s.version"), default=0))

    def upsert_nodes(self, label: str, table: pl.DataFrame, progress: Progress | None = None) -> None:
        """Writes nodes; those that exist get the table's properties."""
        table = checked_nodes(label, table)
        new = changed(table, self.nodes(label, table["id"]))
        if not new.is_empty():
            with self._writing() as connection:
                _merge_nodes(connection, label, new)
        if progress:
            progress(label, len(table), len(table))

    def upsert_edges(self, name: str, table: pl.DataFrame, progress: Progress | None = None) -> None:
        """Writes edges between nodes that exist; an edge to a missing node is a StoreError."""
        table = checked_edges(name, table)
        stored = self.edges(name, table["source"])
        new = changed(table, stored)
        if not new.is_empty():
            with self._writing() as connection:
                _refuse_missing(connection, name, new)
                _delete_edges(connection, name, new.join(stored, on=edge_key(EDGES[name]), how="semi"))
                _insert_edges(connection, name, new)
        if progress:
            progress(name, len(table), len(table))

    def replace_edges(self, name: str, sources: pl.Series, table: pl.DataFrame) -> None:
        """The edges of some sources become those of the table, in one transaction."""
        table = checked_edges(name, table)
        refuse_other_sources(name, sources, table)
        if sources.is_empty():
            return
        edge = EDGES[name]
        start = f"MATCH (a:`{edge.source}` {{id: given}})-[r:`{name}`]->(b:`{edge.target}`)"
        # In the order of the graph, as in ``_matched``.
        rows = pl.DataFrame({"given": sources.unique(maintain_order=True)}).to_arrow()
        with self._writing() as connection:
            _refuse_missing(connection, name, table)
            # Finding what is the same among them would take as long as deleting it.
            connection.execute(f"LOAD FROM $rows {start} DELETE r", {"rows": rows})
            _insert_edges(connection, name, table, bulk=False)

    def delete_edges(self, name: str, table: pl.DataFrame) -> None:
        """Deletes the edges of the table; those that the store does not have are passed over."""
        table = checked_edges(name, table)
        with self._writing() as connection:
            _delete_edges(connection, name, table)

    def delete_nodes(self, label: str, ids: pl.Series) -> None:
        """Deletes nodes with all their edges; ids that the store does not have are passed over."""
        schema = node_schema(label)
        if len(ids):
            rows = pl.DataFrame({"id": ids.cast(schema["id"])}).unique().to_arrow()
            with self._writing() as connection:
                connection.execute(
                    f"LOAD FROM $rows MATCH (n:`{label}` {{id: id}}) DETACH DELETE n", {"rows": rows}
                )

    def query(self, statement: str, parameters: Mapping[str, Any] | None = None) -> list[Row]:
        """Rows of one reading statement, by column name.

        A list parameter needs at least one element unless the statement gives it a type, and rows in a list
        need the same keys: the engine takes types from the values.
        """
        given = dict(parameters or {})
        if missing := _parameters(statement) - set(given):
            # The engine would take them as null, and find nothing.
            raise StoreError(f"no value for ${min(missing)}", where=self.address, expected="all parameters")
        with self._reading(self._timeout) as connection:
            result = _execute(connection, statement, given)
            names = result.get_column_names()
            return [dict(zip(names, map(_plain, row), strict=True)) for row in result.get_all()]

    def nodes(self, label: str, ids: pl.Series | None = None) -> pl.DataFrame:
        """All nodes of a label, or those with the ids, ordered by id."""
        columns = node_schema(label)
        listed = ", ".join(f"n.`{c}` AS `{c}`" for c in columns)
        return self._table(f"(n:`{label}`", "", listed, columns, ids).sort("id")

    def edges(self, name: str, sources: pl.Series | None = None) -> pl.DataFrame:
        """All edges of a type, or those of the sources, ordered by source, target and key."""
        columns = edge_schema(name)
        edge = EDGES[name]
        listed = ", ".join(["a.id AS source", "b.id AS target", *(f"r.`{c}` AS `{c}`" for c in edge.columns)])
        rest = f"-[r:`{edge.name}`]->(b:`{edge.target}`)"
        return self._table(f"(a:`{edge.source}`", rest, listed, columns, sources).sort(edge_key(edge))

    def replace_version(
        self, version: str, nodes: Mapping[str, pl.DataFrame], edges: Mapping[str, pl.DataFrame]
    ) -> None:
        """Writes one version of learned weights, then serves it in one transaction with its node.

        A version that is not served yet has its edges written before, by COPY, of which a kill leaves no trace
        that is served.
        """
        nodes = {label: checked_nodes(label, table) for label, table in nodes.items()}
        edges = {name: checked_edges(name, table) for name, table in edges.items()}
        check_version(version, edges)
        unseen = version not in self.nodes("Served")["version"]
        if unseen:
            with self._writing() as connection:
                _write_version(connection, version, LEARNED_EDGES, edges, bulk=True)
        with self._writing() as connection:
            for label, table in nodes.items():
                _merge_nodes(connection, label, table)
            if not unseen:
                _write_version(connection, version, LEARNED_EDGES, edges, bulk=False)
            _serve(connection, version)

    def serve(self, version: str, ranked: pl.DataFrame | None = None) -> None:
        """Serves a version that stands in the store, and replaces its RANKED edges, in one transaction."""
        edges = {} if ranked is None else {"RANKED": checked_edges("RANKED", ranked)}
        check_version(version, edges)
        with self._writing() as connection:
            _write_version(connection, version, edges, edges, bulk=False)
            _serve(connection, version)

    def delete_version(self, version: str) -> None:
        """Deletes a version's node and edges in one transaction; the served one is refused."""
        with self._writing() as connection:
            refuse_unknown_version(version, _values(connection, "MATCH (w:Weights) RETURN w.id"))
            refuse_served_version(version, _values(connection, "MATCH (s:Served) RETURN s.version"))
            for name in LEARNED_EDGES:
                _remove_version(connection, name, version)
            connection.execute("MATCH (w:Weights {id: $version}) DETACH DELETE w", {"version": version})

    def health(self) -> Iterable[Check]:
        """Nothing: a file that can be opened is whole."""
        return ()

    def close(self) -> None:
        """Gives the file back to other processes."""
        if self._release:
            self._release()
        self._database = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _open(self) -> None:
        lock = _lock(self._path)
        try:
            with self._told():
                self._database = _database(os.path.realpath(self._path))
        except StoreError:
            lock.close()
            raise
        # A handle that is forgotten gives the file back too.
        self._release = weakref.finalize(self, _give_back, self._database, lock)

    def _abandon(self) -> None:
        """Leaves the engine as it is until the process ends: closed after a failed write, it aborts it."""
        if self._release and (detached := self._release.detach()):
            _, _, held, _ = detached
            _abandoned.append(held)
            ctypes.pythonapi.Py_IncRef(ctypes.py_object(self._database))
        self._database = None

    def _table(
        self, start: str, rest: str, listed: str, columns: pl.Schema, ids: pl.Series | None
    ) -> pl.DataFrame:
        """The table of a pattern whose first node is ``start``, of all such nodes or those with the ids."""
        if ids is not None and ids.is_empty():
            return columns.to_frame()
        with self._reading() as connection:
            return _matched(connection, start, rest, listed, ids).cast(columns)

    @contextmanager
    def _reading(self, timeout: float = 0) -> Iterator[ladybug.Connection]:
        with self._transaction("BEGIN TRANSACTION READ ONLY", timeout) as connection:
            yield connection

    @contextmanager
    def _writing(self) -> Iterator[ladybug.Connection]:
        with self._transaction("BEGIN TRANSACTION", 0) as connection:
            yield connection

    @contextmanager
    def _transaction(self, begin: str, timeout: float) -> Iterator[ladybug.Connection]:
        """A connection of its own, so that no plan made for one table is kept for the next."""
        if self._database is None:
            raise StoreError(
                "no store" if not self._path.exists() else "the store is closed",
                where=self.address,
                todo="Load a shop into it first: kgrank load." if not self._path.exists() else None,
            )
        with self._told(), ladybug.Connection(self._database) as connection:
            connection.execute(begin)
            try:
                connection.set_query_timeout(round(timeout * 1000))
                yield connection
                connection.execute("COMMIT")
            except BaseException as error:
                # The engine has already rolled back where a statement failed, and says so.
                with suppress(RuntimeError):
                    connection.execute("ROLLBACK")
                if str(error).startswith(_NO_ROOM):
                    self._abandon()
                raise

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Engine errors as store errors."""
        try:
            yield
        except RuntimeError as error:
            raise _store_error(str(error), self.address, self._timeout) from error


def _execute(
    connection: ladybug.Connection, statement: str, parameters: dict[str, Any] | None = None
) -> ladybug.QueryResult:
    result = connection.execute(statement, parameters)
    if isinstance(result, list):
        raise StoreError("several statements in one text", expected="one statement")
    return result


def definitions() -> Iterator[str]:
    """The statements that make the tables of the schema, and add columns that an earlier schema lacked."""
    for node in NODES.values():
        yield f"CREATE NODE TABLE IF NOT EXISTS `{node.label}`(id STRING, PRIMARY KEY (id))"
    for edge in EDGES.values():
        yield f"CREATE REL TABLE IF NOT EXISTS `{edge.name}`(FROM `{edge.source}` TO `{edge.target}`)"
    columns = {n: t.columns for n, t in NODES.items()} | {n: t.columns for n, t in EDGES.items()}
    for name, kinds in columns.items():
        for column, kind in kinds.items():
            yield f"ALTER TABLE `{name}` ADD IF NOT EXISTS `{column}` {_TYPES[kind]}"


def _pattern(edge: EdgeType) -> str:
    return f"(a:`{edge.source}`)-[r:`{edge.name}`]->(b:`{edge.target}`)"


def _matched(
    connection: ladybug.Connection, start: str, rest: str, listed: str, ids: pl.Series | None
) -> pl.DataFrame:
    """The rows of a pattern whose first node is ``start``, of all such nodes or those with the ids."""
    if ids is None or ids.n_unique() > LOOKED_UP:
        found = _execute(connection, f"MATCH {start}){rest} RETURN {listed}").get_as_pl()
        return found if ids is None else found.filter(pl.nth(0).is_in(ids.implode()))
    # In the order of the graph, which is that of the file: shuffled ones take twice as long to find.
    rows = pl.DataFrame({"given": ids.unique(maintain_order=True)}).to_arrow()
    statement = f"LOAD FROM $rows MATCH {start} {{id: given}}){rest} RETURN {listed}"
    return _execute(connection, statement, {"rows": rows}).get_as_pl()


def _refuse_missing(connection: ladybug.Connection, name: str, table: pl.DataFrame) -> None:
    for end in ("source", "target"):
        known = _matched(
            connection, f"(n:`{getattr(EDGES[name], end)}`", "", "n.id AS id", table[end].unique()
        )
        refuse_missing(name, end, table, known["id"].cast(pl.String()))


def _write_version(
    connection: ladybug.Connection,
    version: str,
    names: Iterable[str],
    edges: Mapping[str, pl.DataFrame],
    *,
    bulk: bool,
) -> None:
    for name in names:
        _remove_version(connection, name, version)
    for name, table in edges.items():
        _refuse_missing(connection, name, table)
        _insert_edges(connection, name, table, bulk=bulk)


def _serve(connection: ladybug.Connection, version: str) -> None:
    refuse_unknown_version(version, _values(connection, "MATCH (w:Weights) RETURN w.id"))
    connection.execute("MERGE (s:Served {id: 'weights'}) SET s.version = $version", {"version": version})


def _remove_version(connection: ladybug.Connection, name: str, version: str) -> None:
    pattern = _pattern(EDGES[name])
    connection.execute(f"MATCH {pattern} WHERE r.version = $version DELETE r", {"version": version})


def _values(connection: ladybug.Connection, statement: str) -> list[Any]:
    """The one column of a statement's rows."""
    return [value for (value,) in _execute(connection, statement).get_all()]


def _merge_nodes(connection: ladybug.Connection, label: str, table: pl.DataFrame) -> None:
    columns = NODES[label].columns
    setting = " SET " + ", ".join(f"n.`{c}` = `{c}`" for c in columns) if columns else ""
    connection.execute(f"LOAD FROM $rows MERGE (n:`{label}` {{id: id}}){setting}", {"rows": table.to_arrow()})


def _insert_edges(
    connection: ladybug.Connection, name: str, table: pl.DataFrame, *, bulk: bool = True
) -> None:
    """New edges; those that stand already must be deleted first, or there are two of each.

    Not ``bulk`` where the rest of the transaction must not stand without them: rows of a COPY are not in the
    engine's log, and a kill in the checkpoint after the commit loses them, but not what the log has.
    """
    if bulk and len(table) > BULK:
        connection.execute(f"COPY `{name}` FROM $rows", {"rows": table.to_arrow()})
    elif len(table):
        edge = EDGES[name]
        columns = ", ".join(f"`{c}`: `{c}`" for c in edge.columns)
        ends = f"MATCH (a:`{edge.source}` {{id: source}}) MATCH (b:`{edge.target}` {{id: target}})"
        created = f"(a)-[:`{name}` {{{columns}}}]->(b)" if columns else f"(a)-[:`{name}`]->(b)"
        connection.execute(f"LOAD FROM $rows {ends} CREATE {created}", {"rows": table.to_arrow()})


def _delete_edges(connection: ladybug.Connection, name: str, table: pl.DataFrame) -> None:
    if table.is_empty():
        return
    edge = EDGES[name]
    keys = table.select(edge_key(edge))
    same = f" WHERE r.`{edge.key}` = `{edge.key}`" if edge.key else ""
    ends = f"(a:`{edge.source}` {{id: source}})-[r:`{name}`]->(b:`{edge.target}` {{id: target}})"
    connection.execute(f"LOAD FROM $rows MATCH {ends}{same} DELETE r", {"rows": keys.to_arrow()})


def _parameters(statement: str) -> set[str]:
    """The names of the parameters in a statement; text, names in backticks and comments are passed over."""
    passed = r"""'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"|`[^`]*`|//[^\n]*|/\*.*?\*/"""
    return {name for name in re.findall(rf"{passed}|\$(\w+)", statement, re.DOTALL) if name}


def _plain(value: Any) -> Any:
    """A sum of whole numbers comes as a Decimal: the schema has no other use for one."""
    return int(value) if isinstance(value, Decimal) else value


def _database(path: str) -> ladybug.Database:
    """The engine, after a write that was cut short too: what was acknowledged before it is kept."""
    try:
        return ladybug.Database(path)
    except RuntimeError as error:
        if "the WAL file is corrupted" not in str(error):
            raise
        _log.warning("%s: the last write was cut short; it is undone, and what came before is kept", path)
        return ladybug.Database(path, throw_on_wal_replay_failure=False)


def _lock(path: Path) -> IO[str]:
    """The lock file beside the store, locked and signed with this process's id."""
    beside = Path(f"{os.path.realpath(path)}.lock")
    try:
        file = beside.open("a+", encoding="ascii")
    except OSError as error:
        raise StoreError(
            f"cannot write {beside.name} beside the store ({error.strerror})",
            where=path,
            expected="an existing folder that may be written to",
        ) from error
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        file.seek(0)
        holder = file.read().strip()
        file.close()
        here = holder == str(os.getpid())
        raise StoreError(
            "the store is open already in this process" if here else f"the store is held by process {holder}",
            where=path,
            expected="one handle at a time",
            todo="Close the other handle, or share it." if here else f"Wait for it, or end process {holder}.",
        ) from error
    file.truncate(0)
    file.write(str(os.getpid()))
    file.flush()
    return file


def _give_back(database: ladybug.Database, lock: IO[str]) -> None:
    database.close()
    # Unlocked by name: a forked child that inherited the file would hold it on.
    fcntl.flock(lock, fcntl.LOCK_UN)
    lock.close()


def _store_error(message: str, address: str, timeout: float) -> StoreError:
    line = message.splitlines()[0] if message else "the engine failed without a message"
    if line.startswith("Interrupted"):
        return StoreError(f"the query took more than {timeout:g} s", where=address, todo="Ask for less.")
    if line.startswith(_NO_ROOM):
        return StoreError(
            "the store cannot grow: the disk is full, or files may not be larger",
            where=address,
            todo="Make room and load again, in a new process; what was written before is kept.",
        )
    if "does not exist" in line and line.startswith("Binder exception: Table"):
        return StoreError(line, where=address, todo="Load a shop into the store first: kgrank load.")
    if line.startswith("Binder exception: Cannot find property"):
        return StoreError(
            f"the store was made by another version of kgrank ({line})",
            where=address,
            todo="Bring it to this version: kgrank doctor --repair.",
        )
    return StoreError(line, where=address)
