"""Columns of texts as people see them."""

from __future__ import annotations

import polars as pl

from kgrank.ontology.characters import visible


def visible_column(cells: pl.Series) -> pl.Series:
    """The texts of a column in one Unicode form, without what cannot be seen; an empty one is null."""
    cells = cells.str.strip_chars()
    if cells.str.contains("[^\x20-\x7e]").any():
        odd = cells.filter(cells.str.contains("[^\x20-\x7e]")).unique()
        changed = {text: visible(text) for text in odd if visible(text) != text}
        if changed:
            cells = cells.replace(changed)
    return cells.replace({"": None})
