"""What a file says, before the ontology has had its word: texts of items, values and events."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import polars as pl

from kgrank.ingest.columns import EVENTS, ITEMS, OFFERS, PEOPLE, schema
from kgrank.ingest.mapping import AttributeField, CategoryField
from kgrank.ingest.report import Rejects
from kgrank.ingest.rows import FILE, LINE
from kgrank.ontology.numerals import POINT

STEP = "\x1f"
"""Parts the steps of a category path, from the top, in the column ``category``."""

ITEM_COLUMNS = {**schema(ITEMS), LINE: pl.Int64(), FILE: pl.String()}
EVENT_COLUMNS = {
    **{k: t for k, t in schema(EVENTS).items() if k != "id"},
    LINE: pl.Int64(),
    FILE: pl.String(),
}
OFFER_COLUMNS = {
    **{k: t for k, t in schema(OFFERS).items() if k not in ("attribute", "value", "number")},
    LINE: pl.Int64(),
    FILE: pl.String(),
}
PEOPLE_COLUMNS = {**schema(PEOPLE), LINE: pl.Int64(), FILE: pl.String()}


@dataclass(frozen=True)
class RawColumn:
    """The texts of one attribute in one file: columns item (or offer), text, LINE; one row a known value."""

    attribute: str
    field: AttributeField
    path: Path
    texts: pl.DataFrame
    name: str = ""
    """What the mapping or the file calls the attribute."""

    @property
    def decimal(self) -> str | None:
        """The decimal mark of its texts; scaled numbers were written anew, with a point."""
        scaled = self.field.scale != 1.0 or self.field.decimals is not None
        return POINT if scaled else self.field.decimal


@dataclass(frozen=True)
class Raw:
    """What one file says.

    Attributes:
        items: Columns of ``ITEM_COLUMNS``; the category is a path, its steps parted by ``STEP``.
        columns: The attributes' texts.
        offers: Columns of ``OFFER_COLUMNS``, one row an offer.
        events: Columns of ``EVENT_COLUMNS``.
        people: Columns of ``PEOPLE_COLUMNS``, one row a membership in a segment.
        clock: Whether the events have times of a clock; None where there are no events.
        outside: Whether people could choose nothing; None where the file says nothing of it.
        tasks: Whether the events are choice tasks.
    """

    items: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=ITEM_COLUMNS))
    columns: tuple[RawColumn, ...] = ()
    offers: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=OFFER_COLUMNS))
    events: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=EVENT_COLUMNS))
    people: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=PEOPLE_COLUMNS))
    clock: bool | None = None
    outside: bool | None = None
    tasks: bool = False


def attribute_fields(
    table: pl.DataFrame,
    attributes: Mapping[str, AttributeField],
    rest: bool,
    used: frozenset[str],
    decimal: str | None,
    path: Path,
    rejects: Rejects,
) -> dict[str, AttributeField]:
    """The attributes of a table: those mapped, and with ``rest`` every column that nothing else uses.

    Of the rest, columns that are empty are left out with a note, and so are parts of records. An attribute
    without a decimal mark has that of the file.
    """
    fields = dict(attributes)
    if rest:
        taken = used | rejects.parts[path]
        columns = [c for c in table.columns if c not in taken and c not in (LINE, FILE)]
        empty = [c for c in columns if c not in fields and table[c].is_null().all()]
        if empty:
            rejects.notes.append(f"{path.name}: columns left out, since they are empty: {', '.join(empty)}")
        fields |= {c: AttributeField() for c in columns if c not in empty}
    return {n: f if f.decimal else replace(f, decimal=decimal) for n, f in fields.items()}


def category_path(source: CategoryField) -> pl.Expr:
    """The text in the column ``category`` as a path of steps."""
    cell = pl.col("category")
    renames = {_steps(w, source): _steps(m, source) for w, m in source.rename.items()}
    if source.several is not None:
        cell = cell.str.split(source.several).list.first().str.strip_chars()
    if source.path is not None:
        steps = cell.str.split(source.path).list.eval(pl.element().str.strip_chars())
        cell = steps.list.eval(pl.element().filter(pl.element() != "")).list.join(STEP)
        cell = pl.when(cell != "").then(cell)
        if renames:
            cell = cell.replace(renames)
    top = "" if source.under is None else source.under + STEP
    return (pl.lit(top) + cell).alias("category")


def _steps(text: str, source: CategoryField) -> str:
    """A path as people write it, with " > " or the mark of the file between its steps."""
    parts = text.replace(source.path, " > ").split(" > ") if source.path else [text]
    return STEP.join(step.strip() for step in parts if step.strip())


def with_schema(table: pl.DataFrame, columns: Mapping[str, pl.DataType], path: Path) -> pl.DataFrame:
    """The table in the given columns; those it lacks are null."""
    table = table.with_columns(pl.lit(path.name).alias(FILE))
    lacking = [pl.lit(None, dtype=t).alias(c) for c, t in columns.items() if c not in table.columns]
    return table.with_columns(lacking).select([pl.col(c).cast(t) for c, t in columns.items()])
