"""Pairs of columns, the name of an attribute and its value: Shopify's options, WooCommerce's attributes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl

from kgrank.profiling.source_table import SourceTable

_NAME = re.compile(
    r"^(?P<stem>(?:option|attribute|attribut|merkmal|eigenschaft|opcion|atributo|属性|规格) ?\d+)"
    r"[ _]*(?:name|nom|nombre|名|名称)$",
    re.I,
)
_VALUE = re.compile(
    r"^(?:values?|value\(s\)|werte?|valeur(?:s|\(s\))?|valor(?:es|\(es\))?|wert\(e\)|值)$", re.I
)

_NO_NAMES = frozenset({"title", "default title"})
"""What Shopify writes for a product without options."""


@dataclass(frozen=True)
class NameValueColumns:
    """Two columns of one pair; ``constant`` where all rows have the same name."""

    name: str
    value: str
    constant: bool

    @property
    def heads(self) -> tuple[str, str]:
        """Both columns."""
        return self.name, self.value

    def rows_by_name(self, table: SourceTable) -> Iterator[tuple[str, pl.DataFrame]]:
        """Each name with the rows that have it; all rows where there is one name."""
        names = table.cells(self.name)
        distinct = names.value_counts(sort=True)[self.name]
        seen: set[str] = set()
        for name in distinct:
            if name.casefold() in _NO_NAMES or name.casefold() in seen:
                continue
            seen.add(name.casefold())
            rows = table.rows
            if not self.constant:
                rows = rows.filter(pl.col(self.name).is_in(list(self.spellings(table, name))))
            yield name, rows

    def spellings(self, table: SourceTable, name: str) -> tuple[str, ...]:
        """All spellings of a name that differ in case only."""
        return tuple(t for t in table.cells(self.name).unique().sort() if t.casefold() == name.casefold())


def name_value_columns(table: SourceTable) -> list[NameValueColumns]:
    """The pairs of a table's columns of which one names what the other holds."""
    pairs = []
    for head in table.heads:
        match = _NAME.match(head)
        if match is None or not len(table.cells(head)):
            continue
        stem = match["stem"]
        value = next(
            (h for h in table.heads if h.startswith(stem) and _VALUE.match(h.removeprefix(stem).strip(" _"))),
            None,
        )
        if value is not None:
            names = {t.casefold() for t in table.cells(head).unique()}
            pairs.append(NameValueColumns(head, value, len(names) == 1 and not names & _NO_NAMES))
    return pairs
