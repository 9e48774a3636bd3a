"""Columns of a product table as attributes: their ids, types, units and separators, or why they are left out."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Container
from dataclasses import dataclass, replace
from typing import NamedTuple

import polars as pl

from kgrank.errors import InputError
from kgrank.ingest.cells.numbers import read_numbers
from kgrank.ingest.infer import FALSE, TRUE, guess_type, quantity_cells
from kgrank.ingest.mapping import AttributeField
from kgrank.ingest.raw import RawColumn
from kgrank.ingest.rows import LINE
from kgrank.ontology.model import AttributeType
from kgrank.ontology.numerals import COMMA, POINT
from kgrank.ontology.units import find_unit
from kgrank.profiling.cell_contents import ladder, list_separator, no_values, unreadable
from kgrank.profiling.doubts import ColumnRole, Doubt, Findings, Weight, first_few
from kgrank.profiling.headings import head_key, is_id_head, reason_to_leave_out, unit_of_head
from kgrank.profiling.source_table import SourceTable

NO_SEPARATOR = "\x00"
"""What no cell holds, for guessing the type of cells with one value each."""

_LIKE_AN_ID = 0.2
"""Distinct texts for each cell from which a column that is called like an id is one."""

_COMMA_LANGUAGES = frozenset({"de", "fr", "es", "it", "nl", "pt", "ru", "pl"})
"""Languages whose decimal mark is a comma."""

_PRICE = frozenset(
    {
        "price",
        "preis",
        "prix",
        "precio",
        "prezzo",
        "prijs",
        "价格",
        "售价",
        "単価",
        "価格",
        "msrp",
        "verkaufspreis",
    }
)


_LATIN_WITH_ACCENTS = re.compile("([a-z])[\u0300-\u036f]+")
"""A decomposed Latin letter with its accents; in other scripts, marks are part of the letter (й, が)."""


class ProposedAttribute(NamedTuple):
    """An attribute: its id, where its values come from, and what people call it."""

    id: str
    field: AttributeField
    label: str
    other_label: str | None = None


@dataclass(frozen=True)
class Habits:
    """How the shop writes: its language, and the decimal mark of numbers that can be read in two ways."""

    language: str
    decimal: str


def slug(text: str) -> str:
    """A text as an id: lower case, Latin letters without accents, letters of other scripts, digits, hyphens."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    letters = unicodedata.normalize("NFC", _LATIN_WITH_ACCENTS.sub(r"\1", decomposed))
    kept = "".join(c if c.isalnum() or unicodedata.category(c)[0] == "M" else "-" for c in letters)
    return re.sub("-+", "-", kept).strip("-")


def unused_id(text: str, kind: str, taken: Container[str]) -> str:
    """The slug of a text, or its kind where that is empty; numbered where it is taken."""
    base = slug(text)
    numbered = (f"{base or kind}-{n}" if n > 1 or not base else base for n in range(1, 1_000_000))
    return next(name for name in numbered if name not in taken)


def decimal_habit(table: SourceTable, language: str) -> str:
    """The decimal mark of the file's numbers that have one reading, else that of its separator and language."""
    marks = {POINT: 0, COMMA: 0}
    for head in table.heads:
        texts = table.cells(head).unique()
        marks[POINT] += int(texts.str.contains(r"^\D{0,4}\d+\.\d{1,2}(?:\D{0,8})$").sum())
        marks[COMMA] += int(texts.str.contains(r"^\D{0,4}\d+,\d{1,2}(?:\D{0,8})$").sum())
    if marks[POINT] != marks[COMMA]:
        return max(marks, key=lambda mark: marks[mark])
    return COMMA if language in _COMMA_LANGUAGES else POINT


def propose_attribute(
    table: SourceTable,
    head: str,
    label: str,
    habits: Habits,
    taken: Container[str],
    findings: Findings,
    rows: pl.DataFrame | None = None,
) -> ProposedAttribute | None:
    """The attribute of a column; None where it is left out, with the reason among the findings.

    Args:
        table: The file.
        head: The column.
        label: What people call it, which is the head unless another column names it.
        habits: How the shop writes.
        taken: Ids of other attributes.
        findings: Collects what was assumed.
        rows: The rows that count; by default all.
    """
    cells = (table.rows if rows is None else rows).select(pl.col(head).alias("text"), LINE).drop_nulls("text")
    texts = cells["text"]
    examples = first_few(texts)
    share = len(texts) / max(len(table.rows), 1)

    reason = reason_to_leave_out(label) if len(texts) else "empty"
    if reason is None and is_id_head(label) and texts.n_unique() > _LIKE_AN_ID * len(texts):
        reason = "an id, or a group of items"
    if reason is None and texts.n_unique() == 1 and len(texts) == len(table.rows) > 1:
        reason = "the same on every row"
    if reason is None and texts.n_unique() == 1 and texts[0].lower() not in TRUE | FALSE and len(texts) > 1:
        reason = "one value only"
    if reason is not None:
        findings.roles.append(ColumnRole(table.file, head, "left out", reason, share, examples))
        return None
    bare, unit = unit_of_head(label)
    id_ = unused_id(bare, "attribute", taken)
    column = RawColumn(
        id_, AttributeField(column=head, unit=unit), table.path, cells.with_columns(item=pl.lit(""))
    )
    field = _field(column, head, label, unit, table, habits, findings)
    if isinstance(field, str):
        findings.roles.append(ColumnRole(table.file, head, "left out", field, share, examples))
        return None
    return ProposedAttribute(id_, field, label, bare if bare != label else None)


def _field(
    column: RawColumn,
    head: str,
    label: str,
    unit: str | None,
    table: SourceTable,
    habits: Habits,
    findings: Findings,
) -> AttributeField | str:
    """How a column is read as an attribute, or why it is not."""
    texts = column.texts["text"]
    field = column.field
    if steps := ladder(texts):
        findings.doubts.append(
            Doubt(
                Weight.VALUE,
                table.file,
                head,
                f"The values are taken as ordered, least first: {' < '.join(steps)}.",
                len(steps),
                remedy=f"If they have no order, write `type: Choice` for {column.attribute} in mapping.yaml.",
            )
        )
        return replace(field, type=AttributeType.ORDERED, values=steps)
    column = _with_decimal(column, head, habits, findings)
    column = _in_one_currency(column, head, label, findings)
    field = column.field
    kind = field.type or guess_type(label, [column], NO_SEPARATOR)
    if kind is AttributeType.NUMBER:
        return _number(column, head, label, unit, findings)
    field = replace(field, unit=None, decimal=None)
    if kind is AttributeType.TEXT:
        return "a code that names one item"
    if kind is AttributeType.BOOLEAN:
        return field
    if reason := unreadable(texts):
        return reason
    separator = list_separator(texts)
    if separator is not None:
        several = texts.filter(texts.str.contains(separator, literal=True))
        findings.doubts.append(
            Doubt(
                Weight.ATTRIBUTE,
                table.file,
                head,
                f"Cells hold several values, parted by “{separator.strip() or 'a line end'}”.",
                len(several),
                first_few(several),
                f"If a cell is one value, write `type: Choice` for {column.attribute} in mapping.yaml.",
            )
        )
        return replace(field, type=AttributeType.CHOICES, separator=separator)
    _note_mixed_units(column, head, findings)
    return no_values(texts) or field


def _number(column: RawColumn, head: str, label: str, unit: str | None, findings: Findings) -> AttributeField:
    """A number's field, with what is doubtful: its unit, and cells that are no numbers."""
    cells = quantity_cells(column)
    named = cells.filter((pl.col("dimension") != "") & pl.col("dimension").is_not_null())
    plain = cells.filter(pl.col("dimension") == "")
    odd = cells.filter(pl.col("dimension").is_null())
    file = column.path.name
    if len(odd):
        findings.doubts.append(
            Doubt(
                Weight.VALUE,
                file,
                head,
                "The column is read as numbers; these cells are none, and are left out.",
                len(odd),
                first_few(odd["text"]),
                f"If it is no number, write `type: Choice` for {column.attribute} in mapping.yaml.",
            )
        )
    price = not _PRICE.isdisjoint({head_key(label), *head_key(label).split()})
    if len(named) and len(plain) and unit is None:
        most = named["unit"].mode().sort()[0]
        findings.doubts.append(
            Doubt(
                Weight.ATTRIBUTE,
                file,
                head,
                f"Cells without a unit are read as {most}, which most others name.",
                len(plain),
                first_few(plain["text"]),
                f"For another unit, write `unit` for {column.attribute} in mapping.yaml.",
            )
        )
    elif not len(named) and unit is None and price:
        findings.doubts.append(
            Doubt(
                Weight.DETAIL,
                file,
                head,
                "No cell and no head names the currency of these prices.",
                len(plain),
                first_few(plain["text"]),
                f'Write `kg:unit "EUR"` (or another currency) for {column.attribute} in ontology/attributes.ttl.',
            )
        )
    dimension = next(iter(named["dimension"]), None)
    known = find_unit(unit) if unit else None
    if known is not None and dimension is not None and known.dimension != dimension:
        return replace(column.field, unit=None)
    return column.field


def _with_decimal(column: RawColumn, head: str, habits: Habits, findings: Findings) -> RawColumn:
    """The column with a decimal mark where its numbers can be read in two ways."""
    read = read_numbers(column.texts["text"], None)
    unclear = read.filter(pl.col("other").is_not_null())
    if not len(unclear):
        return column
    row = unclear.row(0, named=True)
    by_mark = dict(zip((POINT, COMMA), (row["number"], row["other"]), strict=True))
    findings.doubts.append(
        Doubt(
            Weight.MEANING,
            column.path.name,
            head,
            f"Numbers can be read in two ways; {row['text']} is taken as {by_mark[habits.decimal]:.15g}, not as "
            f"{by_mark[POINT if habits.decimal == COMMA else COMMA]:.15g}.",
            len(unclear),
            first_few(unclear["text"]),
            f"For the other reading, change `decimal` for {column.attribute} in mapping.yaml.",
        )
    )
    return replace(column, field=replace(column.field, decimal=habits.decimal))


def _in_one_currency(column: RawColumn, head: str, label: str, findings: Findings) -> RawColumn:
    """A column of prices in several currencies without the cells in any but one.

    That is the currency that the head names, which is that of cells without one, else the most frequent.
    """
    unit = find_unit(column.field.unit) if column.field.unit else None
    by_head = unit.dimension if unit is not None else ""
    cells = quantity_cells(column).with_columns(pl.col("dimension").replace({"": by_head}))
    priced = cells.filter(pl.col("dimension").str.starts_with("currency"))
    counts = dict(priced.group_by("dimension").len().sort("dimension").iter_rows())
    if len(counts) < 2 or not _are_prices(column, label):
        return column
    main = by_head if by_head in counts else max(counts, key=lambda dimension: counts[dimension])
    rare = priced.filter(pl.col("dimension") != main)
    others = [dimension.removeprefix("currency ") for dimension in counts if dimension != main]
    findings.doubts.append(
        Doubt(
            Weight.MEANING,
            column.path.name,
            head,
            f"The column is read as prices in {main.removeprefix('currency ')} ({counts[main]:,} cells); cells in "
            f"{', '.join(others)} are left out.",
            len(rare),
            first_few(rare["text"]),
            "Convert them in the file (rates change), and take `missing_units` out of mapping.yaml.",
        )
    )
    kept = column.texts.filter(~pl.col("text").is_in(rare["text"].implode()))
    field = replace(column.field, type=AttributeType.NUMBER, missing_units=tuple(others))
    return replace(column, texts=kept, field=field)


def _are_prices(column: RawColumn, label: str) -> bool:
    """Whether a column is of numbers, in one currency or in several."""
    try:
        return guess_type(label, [column], NO_SEPARATOR) is AttributeType.NUMBER
    except InputError:
        return True


def _note_mixed_units(column: RawColumn, head: str, findings: Findings) -> None:
    """Notes a column of quantities of several dimensions, which is no number."""
    try:
        cells = quantity_cells(column)
    except InputError:
        return
    dimensions = set(cells["dimension"].drop_nulls()) - {""}
    if len(dimensions) > 1 and cells["dimension"].null_count() < 0.1 * len(cells):
        findings.doubts.append(
            Doubt(
                Weight.ATTRIBUTE,
                column.path.name,
                head,
                f"Quantities of several kinds ({', '.join(sorted(dimensions))}) are taken as words.",
                len(cells),
                first_few(cells["text"]),
                "Part them into two columns.",
            )
        )
