"""The store protocol over the embedded engine."""

from __future__ import annotations

import ctypes
import os
import shutil
import weakref
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Self

import ladybug
import polars as pl

from kgrank.errors import StoreError
from kgrank.files import sync_folder
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
    refuse_served_version,
    refuse_unknown_version,
)
from kgrank.graph.embedded.engine import (
    ABANDONED,
    NO_ROOM,
    copy_mode_to_log,
    give_back,
    lock_file,
    open_database,
    remove_files,
    store_error,
)
from kgrank.graph.embedded.reading import (
    execute,
    matched,
    matched_in_parts,
    parameter_names,
    plain,
    values,
)
from kgrank.graph.embedded.writing import (
    definitions,
    delete_edges,
    insert_edges,
    merge_nodes,
    refuse_missing_ends,
    remove_version,
    serve_version,
    write_version,
)
from kgrank.graph.health import Check
from kgrank.graph.labels import with_prefix
from kgrank.graph.schema import EDGES, LEARNED_EDGES, NODES
from kgrank.graph.store import QUERY_SECONDS, START_SECONDS, Progress, Row
from kgrank.locks import unlock
from kgrank.resources import schema_version

WRITTEN_AT_ONCE = 1_000_000
"""Edges that one transaction writes: more come in several, so that a load that is killed leaves a part of them."""


class LadybugStore:
    """The graph in one file.

    A file that does not exist is made by ``prepare``, so a misspelt path is an error and not an empty store.

    Args:
        path: The file, usually ``*.lb``.
        timeout: Seconds after which ``query`` gives up.
        wait: Seconds to wait for another process that has the file open.
    """

    def __init__(self, path: Path, *, timeout: float = QUERY_SECONDS, wait: float = START_SECONDS) -> None:
        self._path = path
        self._timeout = timeout
        self._wait = wait
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
            # It holds what single people did.
            self._path.chmod(0o600)
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
            if "Schema" not in values(connection, "CALL show_tables() RETURN name"):
                return 0
            return int(max(values(connection, "MATCH (s:Schema) RETURN s.version"), default=0))

    def upsert_nodes(self, label: str, table: pl.DataFrame, progress: Progress | None = None) -> None:
        """Writes nodes; those that exist get the table's properties."""
        table = checked_nodes(label, table)
        new = changed(table, self.nodes(label, table["id"]))
        if not new.is_empty():
            with self._writing() as connection:
                merge_nodes(connection, label, new)
        if progress:
            progress(label, len(table), len(table))

    def upsert_edges(self, name: str, table: pl.DataFrame, progress: Progress | None = None) -> None:
        """Writes edges between nodes that exist; an edge to a missing node is a StoreError."""
        table = checked_edges(name, table)
        stored = self.edges(name, table["source"])
        new = changed(table, stored)
        if not new.is_empty():
            with self._reading() as connection:
                refuse_missing_ends(connection, name, new)
            # What a transaction writes takes several times the memory of the table until it is committed.
            new = new.sort("source") if len(new) > WRITTEN_AT_ONCE else new
            for first in range(0, len(new), WRITTEN_AT_ONCE):
                part = new[first : first + WRITTEN_AT_ONCE]
                with self._writing() as connection:
                    delete_edges(connection, name, part.join(stored, on=edge_key(EDGES[name]), how="semi"))
                    insert_edges(connection, name, part)
                if progress:
                    progress(name, len(table) - len(new) + first + len(part), len(table))
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
        # In the order of the graph, as in ``matched``.
        rows = pl.DataFrame({"given": sources.unique(maintain_order=True)}).to_arrow()
        with self._writing() as connection:
            refuse_missing_ends(connection, name, table)
            # Finding what is the same among them would take as long as deleting it.
            connection.execute(f"LOAD FROM $rows {start} DELETE r", {"rows": rows})
            insert_edges(connection, name, table, bulk=False)

    def delete_edges(self, name: str, table: pl.DataFrame) -> None:
        """Deletes the edges of the table; those that the store does not have are passed over."""
        table = checked_edges(name, table)
        with self._writing() as connection:
            delete_edges(connection, name, table)

    def delete_nodes(self, label: str, ids: pl.Series) -> None:
        """Deletes nodes with all their edges; ids that the store does not have are passed over."""
        schema = node_schema(label)
        if len(ids):
            rows = pl.DataFrame({"id": ids.cast(schema["id"])}).unique().to_arrow()
            with self._writing() as connection:
                connection.execute(
                    f"LOAD FROM $rows MATCH (n:`{label}` {{id: id}}) DETACH DELETE n", {"rows": rows}
                )

    def compact(self) -> bool:
        """Writes all tables into a new file that takes this one's place: the engine never clears what it deletes.

        Needs as much room again; where there is none, the store stays as it was.
        """
        path = Path(os.path.realpath(self._path))
        copy = path.with_name(f"{path.name}.compacted")
        try:
            remove_files(copy)
            with LadybugStore(copy) as compacted:
                compacted.prepare()
                for label in NODES:
                    compacted.upsert_nodes(label, self.nodes(label))
                for name in EDGES:
                    compacted.upsert_edges(name, self.edges(name))
            self._take_place(copy, path)
        finally:
            remove_files(copy)
        return True

    def query(self, statement: str, parameters: Mapping[str, Any] | None = None) -> list[Row]:
        """Rows of one reading statement, by column name.

        A list parameter needs at least one element unless the statement gives it a type, and rows in a list
        need the same keys: the engine takes types from the values.
        """
        values_by_name = dict(parameters or {})
        if missing := parameter_names(statement) - set(values_by_name):
            # The engine would take them as null, and find nothing.
            raise StoreError(f"no value for ${min(missing)}", where=self.address, expected="all parameters")
        with self._reading(self._timeout) as connection:
            result = execute(connection, with_prefix(statement, ""), values_by_name)
            names = result.get_column_names()
            return [dict(zip(names, map(plain, row), strict=True)) for row in result.get_all()]

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
        if sources is None:
            with self._reading() as connection:
                parts = [
                    part.cast(columns).sort(edge_key(edge))
                    for part in matched_in_parts(connection, f"(a:`{edge.source}`", rest, listed)
                ]
            # The parts follow each other by their sources, by which the table is sorted first.
            return pl.concat(parts)
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
                write_version(connection, version, LEARNED_EDGES, edges, bulk=True)
        with self._writing() as connection:
            for label, table in nodes.items():
                merge_nodes(connection, label, table)
            if not unseen:
                write_version(connection, version, LEARNED_EDGES, edges, bulk=False)
            serve_version(connection, version)

    def serve(self, version: str, ranked: pl.DataFrame | None = None) -> None:
        """Serves a version that is in the store, and replaces its RANKED edges, in one transaction."""
        edges = {} if ranked is None else {"RANKED": checked_edges("RANKED", ranked)}
        check_version(version, edges)
        with self._writing() as connection:
            write_version(connection, version, edges, edges, bulk=False)
            serve_version(connection, version)

    def delete_version(self, version: str) -> None:
        """Deletes a version's node and edges in one transaction; the served one is refused."""
        with self._writing() as connection:
            refuse_unknown_version(version, values(connection, "MATCH (w:Weights) RETURN w.id"))
            refuse_served_version(version, values(connection, "MATCH (s:Served) RETURN s.version"))
            for name in LEARNED_EDGES:
                remove_version(connection, name, version)
            connection.execute("MATCH (w:Weights {id: $version}) DETACH DELETE w", {"version": version})

    def health(self) -> Iterable[Check]:
        """Nothing: there is no more than a file, and it is open."""
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
        held = lock_file(self._path, self._wait)
        try:
            with self._translating_errors():
                self._database = open_database(os.path.realpath(self._path))
        except StoreError:
            unlock(held)
            raise
        # A handle that is forgotten gives the file back too.
        self._release = weakref.finalize(self, give_back, self._database, held)

    def _take_place(self, copy: Path, path: Path) -> None:
        """Replaces the file by its copy, under the lock that this handle has."""
        assert self._release is not None
        detached = self._release.detach()
        assert detached is not None
        _, _, (database, lock), _ = detached
        database.close()
        try:
            shutil.copymode(path, copy)
            with copy.open("rb") as file:
                os.fsync(file.fileno())
            copy.replace(path)
            sync_folder(path.parent)
        finally:
            self._database = open_database(str(path))
            self._release = weakref.finalize(self, give_back, self._database, lock)

    def _abandon(self) -> None:
        """Leaves the engine as it is until the process ends: closed after a failed write, it aborts it."""
        if self._release and (detached := self._release.detach()):
            _, _, database_and_lock, _ = detached
            ABANDONED.append(database_and_lock)
            ctypes.pythonapi.Py_IncRef(ctypes.py_object(self._database))
        self._database = None

    def _table(
        self, start: str, rest: str, listed: str, columns: pl.Schema, ids: pl.Series | None
    ) -> pl.DataFrame:
        """The table of a pattern whose first node is ``start``, of all such nodes or those with the ids."""
        if ids is not None and ids.is_empty():
            return columns.to_frame()
        with self._reading() as connection:
            return matched(connection, start, rest, listed, ids).cast(columns)

    @contextmanager
    def _reading(self, timeout: float = 0) -> Iterator[ladybug.Connection]:
        with self._transaction("BEGIN TRANSACTION READ ONLY", timeout) as connection:
            yield connection

    @contextmanager
    def _writing(self) -> Iterator[ladybug.Connection]:
        with self._transaction("BEGIN TRANSACTION", 0) as connection:
            yield connection
        copy_mode_to_log(self._path)

    @contextmanager
    def _transaction(self, begin: str, timeout: float) -> Iterator[ladybug.Connection]:
        """A connection of its own, so that no plan made for one table is kept for the next."""
        if self._database is None:
            raise StoreError(
                "no store" if not self._path.exists() else "the store is closed",
                where=self.address,
                todo="Load a shop into it first: kgrank load." if not self._path.exists() else None,
            )
        with self._translating_errors(), ladybug.Connection(self._database) as connection:
            connection.execute(begin)
            try:
                connection.set_query_timeout(round(timeout * 1000))
                yield connection
                connection.execute("COMMIT")
            except BaseException as error:
                # The engine has already rolled back where a statement failed, and says so.
                with suppress(RuntimeError):
                    connection.execute("ROLLBACK")
                if str(error).startswith(NO_ROOM):
                    self._abandon()
                raise

    @contextmanager
    def _translating_errors(self) -> Iterator[None]:
        """Engine errors as store errors."""
        try:
            yield
        except RuntimeError as error:
            raise store_error(str(error), self.address, self._timeout) from error
