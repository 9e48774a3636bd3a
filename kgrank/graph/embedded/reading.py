"""Reads from the embedded store, over a connection."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import ladybug
import polars as pl

from kgrank.errors import StoreError

LOOKED_UP = 1_000
"""Ids up to which rows are looked up: each takes half a millisecond, as long as reading five hundred edges."""


AT_ONCE = 500_000
"""Edges that are read at once."""


def execute(
    connection: ladybug.Connection, statement: str, parameters: dict[str, Any] | None = None
) -> ladybug.QueryResult:
    """The result of one statement; several in one text are a StoreError."""
    result = connection.execute(statement, parameters)
    if isinstance(result, list):
        raise StoreError("several statements in one text", expected="one statement")
    return result


def values(connection: ladybug.Connection, statement: str) -> list[Any]:
    """The one column of a statement's rows."""
    return [value for (value,) in execute(connection, statement).get_all()]


def matched(
    connection: ladybug.Connection, start: str, rest: str, listed: str, ids: pl.Series | None
) -> pl.DataFrame:
    """The rows of a pattern whose first node is ``start``, of all such nodes or those with the ids."""
    if ids is None or ids.n_unique() > LOOKED_UP:
        rows = execute(connection, f"MATCH {start}){rest} RETURN {listed}").get_as_pl()
        return rows if ids is None else rows.filter(pl.nth(0).is_in(ids.implode()))
    # In the order of the graph, which is that of the file: shuffled ones take twice as long to find.
    wanted = pl.DataFrame({"given": ids.unique(maintain_order=True)}).to_arrow()
    statement = f"LOAD FROM $rows MATCH {start} {{id: given}}){rest} RETURN {listed}"
    return execute(connection, statement, {"rows": wanted}).get_as_pl()


def matched_in_parts(
    connection: ladybug.Connection, start: str, rest: str, listed: str
) -> Iterator[pl.DataFrame]:
    """The rows of a pattern whose first node is ``start``: of one range of its ids after the other, ascending.

    The engine's answer takes several times the memory of the table: of many rows it comes in parts.
    """
    (count,) = values(connection, f"MATCH {start}){rest} RETURN count(*)")
    ids = sorted(values(connection, f"MATCH {start}) RETURN a.id")) if count > AT_ONCE else []
    if not ids:
        yield execute(connection, f"MATCH {start}){rest} RETURN {listed}").get_as_pl()
        return
    width = max(len(ids) * AT_ONCE // count, 1)
    for first in range(0, len(ids), width):
        ends = {"first": ids[first], "last": ids[min(first + width, len(ids)) - 1]}
        statement = f"MATCH {start}){rest} WHERE a.id >= $first AND a.id <= $last RETURN {listed}"
        result = execute(connection, statement, ends)
        yield result.get_as_pl()
        result.close()


def plain(value: Any) -> Any:
    """A sum of whole numbers comes as a Decimal: the schema has no other use for one."""
    return int(value) if isinstance(value, Decimal) else value


def parameter_names(statement: str) -> set[str]:
    """The names of the parameters in a statement; text, names in backticks and comments are passed over."""
    passed = r"""'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"|`[^`]*`|//[^\n]*|/\*.*?\*/"""
    return {name for name in re.findall(rf"{passed}|\$(\w+)", statement, re.DOTALL) if name}
