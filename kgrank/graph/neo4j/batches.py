"""Columns in batches, and back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any

import polars as pl


def batches(values: pl.Series, size: int) -> Iterator[list[Any]]:
    """The values in lists of at most ``size``."""
    return (values[start : start + size].to_list() for start in range(0, len(values), size))


def repeated(lists: Iterable[list[Any]], sizes: Iterable[int]) -> Iterator[Any]:
    """The elements of all lists; one of a single element has it as often as its size says."""
    return chain.from_iterable(
        part if len(part) == size else part * size for part, size in zip(lists, sizes, strict=True)
    )


def concatenated(tables: Iterable[pl.DataFrame], schema: pl.Schema) -> pl.DataFrame:
    """Tables of one schema as one; an empty table where there are none."""
    return pl.concat([schema.to_frame(), *tables])
