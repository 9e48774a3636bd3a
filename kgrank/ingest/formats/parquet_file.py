"""Parquet: every column as text, records as columns of their own, lists in one cell."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import polars as pl

from kgrank.errors import InputError
from kgrank.ingest.formats.grid import Content, head_names
from kgrank.ingest.formats.json_lines import records_left_out
from kgrank.ingest.rows import LINE, LIST
from kgrank.unpacked import check_parquet

EXACT = 1e15
"""Whole numbers below this are exact as floats."""


def parquet_table(path: Path, unpacked: int) -> Content:
    """All rows as text, numbered from 1; ``unpacked`` is a limit in megabytes.

    Times of day are in UTC, durations in seconds, bytes are UTF-8 where they are text.

    Raises:
        InputError: The file is damaged or too large, or has a column that cannot be read as text.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        metadata = pq.read_metadata(path)
        groups = (metadata.row_group(n) for n in range(metadata.num_row_groups))
        encoded = sum(group.total_byte_size for group in groups)
        check_parquet(path, metadata.num_rows, metadata.num_columns, encoded, unpacked)
        # polars' own reader panics on some damaged files, with lines of its own on standard error.
        # pyarrow's read_table would load pandas first.
        frame = pl.from_arrow(pq.ParquetFile(path).read())
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, pa.ArrowException, OSError, ValueError):
        raise InputError(
            "not a whole Parquet file", where=path, expected="a Parquet file", todo="Write it again."
        ) from None
    table = frame.to_frame() if isinstance(frame, pl.Series) else frame
    parts: set[str] = set()
    columns: list[pl.Series] = []
    left_out: list[str] = []
    for name in table.columns:
        for cells in _unnested(table[name], parts):
            text = _text(cells, path)
            if text is None:
                left_out.append(cells.name)
            else:
                columns.append(text)
    names = head_names([cells.name for cells in columns], str(path))
    columns = [cells.alias(name) for cells, name in zip(columns, names, strict=True)]
    rows = pl.Series(LINE, range(1, len(table) + 1), pl.Int64)
    return Content(pl.DataFrame([*columns, rows]), records_left_out(path, left_out), frozenset(parts))


def _unnested(cells: pl.Series, parts: set[str]) -> Iterator[pl.Series]:
    if not isinstance(cells.dtype, pl.Struct):
        yield cells
        return
    for field in cells.dtype.fields:
        name = f"{cells.name}.{field.name}"
        parts.add(name)
        yield from _unnested(cells.struct.field(field.name).alias(name), parts)


def _text(cells: pl.Series, path: Path) -> pl.Series | None:
    """A column as text; None where its cells are lists of records or other nested things."""
    kind = cells.dtype
    try:
        if isinstance(kind, (pl.List, pl.Array)):
            return _joined(cells)
        if isinstance(kind, pl.Struct):
            return None
        return pl.select(_plain(pl.lit(cells), kind)).to_series().alias(cells.name)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException):
        raise InputError(
            f"the column {cells.name!r} holds {kind}, which cannot be read as text",
            where=path,
            expected="texts, numbers, times, or lists of them",
            todo="Write the column as text.",
        ) from None


def _plain(cell: pl.Expr, kind: pl.DataType) -> pl.Expr:
    if isinstance(kind, pl.Datetime):
        zoned = cell if kind.time_zone else cell.dt.replace_time_zone("UTC")
        return zoned.dt.convert_time_zone("UTC").dt.strftime("%Y-%m-%dT%H:%M:%S%.fZ")
    if isinstance(kind, pl.Duration):
        return (cell.dt.total_microseconds() / 1e6).cast(pl.String).str.strip_suffix(".0")
    if kind.is_float():
        # What pandas makes of whole numbers where some are missing; an id 17 is not called 17.0.
        whole = (cell == cell.round()) & (cell.abs() < EXACT)
        return (
            pl.when(whole)
            .then(cell.cast(pl.Int64, strict=False).cast(pl.String))
            .otherwise(cell.cast(pl.String))
        )
    return cell.cast(pl.String)


def _joined(cells: pl.Series) -> pl.Series | None:
    """The members of each list in one cell, those of lists in lists too; null for an empty list."""
    kind = cells.dtype
    while isinstance(kind, (pl.List, pl.Array)):
        kind = kind.inner  # type: ignore[assignment]
    if kind.is_nested():
        return None
    numbered = pl.DataFrame([cells.alias("cell")]).with_row_index("row")
    rows = numbered
    while isinstance(rows.schema["cell"], (pl.List, pl.Array)):
        rows = rows.explode("cell")
    texts = rows.select("row", _plain(pl.col("cell"), kind).alias("cell")).drop_nulls("cell")
    joined = texts.group_by("row", maintain_order=True).agg(pl.col("cell").str.join(LIST))
    return (
        numbered.select("row")
        .join(joined, on="row", how="left", maintain_order="left")["cell"]
        .alias(cells.name)
    )
