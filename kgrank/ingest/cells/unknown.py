"""Words that programs write where a value is not known."""

from __future__ import annotations

from collections.abc import Container
from pathlib import Path

import polars as pl

from kgrank.ingest.rows import LINE

ANYWHERE = frozenset({"\\N", "#N/A", "NULL", "<NA>"})
"""What databases and spreadsheets write, in whatever column."""

IN_NUMBERS = frozenset(
    {
        "null",
        "nan",
        "n/a",
        "na",
        "#n/a",
        "<na>",
        "\\n",
        "none",
        "nil",
        "-",
        "--",
        "–",
        "—",
        ".",
        "?",
        "#null!",
    }
)
"""What stands for a missing number, in any case; in a column of words it may be a word."""


def not_known(table: pl.DataFrame, path: Path, words: Container[str]) -> tuple[pl.DataFrame, list[str]]:
    """The table without such words, and a note that counts them.

    In a column in which every other text has a digit, all of ``IN_NUMBERS`` count; elsewhere those of
    ``ANYWHERE``. Words that the mapping names keep the meaning that it gives them.
    """
    counts = []
    for name in (c for c in table.columns if c != LINE):
        cells = table[name]
        odd = cells.str.to_lowercase().is_in(sorted(IN_NUMBERS)).fill_null(False)
        if not odd.any():
            continue
        others = cells.filter(~odd).drop_nulls()
        numbers = len(others) > 0 and others.str.contains(r"\d").all()
        present = cells.filter(odd).unique().sort()
        unknown = [w for w in present if (numbers or w in ANYWHERE) and w not in words]
        if unknown:
            gone = cells.is_in(unknown).fill_null(False)
            table = table.with_columns(pl.when(~gone).then(cells).alias(name))
            counts.append(f"{', '.join(unknown)} in {name} ({gone.sum():,})")
    return table, [f"{path.name}: read as not known: {'; '.join(counts)}"] if counts else []
