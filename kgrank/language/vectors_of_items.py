"""Vectors of images, sound or anything else: one an item, from a Parquet file; some items may have none."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from kgrank.arrays import Floats32, Truths
from kgrank.errors import InputError


@dataclass(frozen=True)
class ItemVectors:
    """Vectors of items.

    Attributes:
        items: Their ids, each once.
        values: (items, width), as the file has them; zeros where an item has none.
        present: Which items have one.
    """

    items: tuple[str, ...]
    values: Floats32
    present: Truths

    def of(self, items: list[str]) -> ItemVectors:
        """The vectors of these items in this order; an item that the file does not name has none."""
        index = {item: i for i, item in enumerate(self.items)}
        at = np.array([index.get(item, -1) for item in items], dtype=np.int64)
        present = (at >= 0) & np.append(self.present, False)[at]
        values = np.zeros((len(items), self.values.shape[1]), dtype=np.float32)
        values[present] = self.values[at[present]]
        return ItemVectors(tuple(items), values, present)


def read_item_vectors(path: Path, *, width: int | None = None) -> ItemVectors:
    """The vectors of a Parquet file with the columns ``item`` and ``vector`` (a list of numbers, or null).

    Args:
        path: The file.
        width: How many numbers a vector must have; None takes the first one's.

    Raises:
        InputError: The file cannot be read, lacks a column, names an item twice, or has a vector of another
            width or with NaN in it.
    """
    frame = _frame(path)
    items = frame["item"].cast(pl.String).to_list()
    if None in items or len(set(items)) != len(items):
        twice = next((i for n, i in enumerate(items) if i is None or i in items[:n]), None)
        raise InputError(
            "a row has no item" if twice is None else f"the item {twice!r} has two rows",
            where=path,
            expected="one row an item",
        )
    vectors = frame["vector"].cast(pl.List(pl.Float32)).to_list()
    present = np.array([v is not None for v in vectors], dtype=bool)
    size = width if width is not None else next((len(v) for v in vectors if v is not None), 0)
    values = np.zeros((len(items), size), dtype=np.float32)
    for row, vector in enumerate(vectors):
        if vector is None:
            continue
        if len(vector) != size:
            raise InputError(
                f"the vector of {items[row]!r} has {len(vector)} numbers", where=path, expected=str(size)
            )
        if None in vector or not np.isfinite(vector).all():
            raise InputError(
                f"the vector of {items[row]!r} has NaN, infinity or nothing in it",
                where=path,
                todo="Leave the vector of an item that has none empty (null).",
            )
        values[row] = vector
    return ItemVectors(tuple(items), values, present)


def _frame(path: Path) -> pl.DataFrame:
    try:
        frame = pl.read_parquet(path)
    except (OSError, pl.exceptions.PolarsError) as error:
        first = str(error).strip().splitlines() or [type(error).__name__]
        raise InputError(f"cannot be read as Parquet ({first[0][:200]})", where=path) from None
    for column in ("item", "vector"):
        if column not in frame.columns:
            raise InputError(
                f"there is no column {column!r}", where=path, expected="the columns item and vector"
            )
    kind = frame.schema["vector"]
    if not isinstance(kind, pl.List | pl.Array) and kind != pl.Null:
        raise InputError(f"the column vector is {kind}", where=path, expected="a list of numbers")
    return frame
