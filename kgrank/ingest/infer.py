"""An ontology from the data, where none is given: categories from paths, attributes from columns."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import replace

import polars as pl

from kgrank.errors import InputError
from kgrank.ingest.cells.numbers import identifiers, leading_zero, read_numbers
from kgrank.ingest.raw import STEP, RawColumn
from kgrank.ingest.rows import FILE, LINE
from kgrank.ontology.model import BRAND, Attribute, AttributeType, Category, Need, Ontology, Term
from kgrank.ontology.units import find_unit

TRUE = frozenset(
    {
        "true",
        "yes",
        "y",
        "1",
        "1.0",
        "ja",
        "wahr",
        "oui",
        "vrai",
        "sí",
        "si",
        "sì",
        "sim",
        "verdadero",
        "да",
        "是",
        "有",
        "はい",
    }
)
FALSE = frozenset(
    {
        "false",
        "no",
        "n",
        "0",
        "0.0",
        "nein",
        "falsch",
        "non",
        "faux",
        "não",
        "nee",
        "falso",
        "нет",
        "否",
        "无",
        "いいえ",
    }
)


FEWEST_NUMBERS = 3
"""Distinct numbers from which a column with odd cells, or one of codes, is judged."""

MOST_NUMBERS, MOST_WITH_ONE_ODD_TEXT = 0.9, 0.75
"""Shares of cells from which a column is numbers with odd cells; the second where all odd cells are alike."""

AMOUNT = r"(?i)^\s*(?:(?:\p{Sc}|kr\.?)\s*[+-]?\d[\d.,' ]*|[+-]?\d[\d.,' ]*\s*(?:\p{Sc}|kr\.?))(?:[.,]?-)?\s*$"
"""A number with a sign of money, or with "kr", of which no unit is known for certain."""

GRADE = r"^\d+[ABK]$"
"""A size or a grade (75B, 4K), although B, A and K are units too."""


def category_id(path: str) -> str:
    """The id of a category path: lower case, its steps joined by full stops."""
    return ".".join(_step_id(step) for step in path.split(STEP))


def _step_id(step: str) -> str:
    """A name in lower case with hyphens; letters, digits and marks of every script stay."""
    letters = (
        c if c.isalnum() or c in "._" or unicodedata.category(c)[0] == "M" else "-" for c in step.lower()
    )
    return re.sub("-+", "-", "".join(letters)).strip("-.") or "_"


def skeleton(items: pl.DataFrame, columns: Iterable[RawColumn]) -> Ontology:
    """Categories and attributes with their types; the attributes are open and have no values yet."""
    columns = list(columns)
    attributes = {
        name: _attribute(name, [c for c in columns if c.attribute == name]) for name in _names(columns)
    }
    brands = sorted(items["brand"].drop_nulls().unique())
    if brands:
        attributes[BRAND] = Attribute(BRAND, names={"en": "Brand"}, open=True)
    return Ontology(
        version="inferred",
        categories=_tree(items),
        attributes=attributes,
        brands={b: Term(b, names={"en": b}) for b in brands},
        title={"en": "Inferred from the data"},
    )


def with_data_values(ontology: Ontology, items: pl.DataFrame, values: pl.DataFrame) -> Ontology:
    """The skeleton with the values of the data, and each attribute where the data have it.

    Args:
        ontology: What ``skeleton`` made.
        items: Columns id and category (ids).
        values: Columns item, attribute, value; the brand among them.
    """
    placed = values.join(items.select("id", "category"), left_on="item", right_on="id")
    seen = placed.group_by("attribute").agg(pl.col("value").drop_nulls().unique())
    values_of = {name: sorted(texts, key=_natural) for name, texts in seen.iter_rows()}
    attributes = {
        a.id: replace(a, values=tuple(values_of.get(a.id, ())))
        if a.id != BRAND and a.type in (AttributeType.CHOICE, AttributeType.CHOICES)
        else a
        for a in ontology.attributes.values()
    }
    used = dict(placed.group_by("category").agg(pl.col("attribute").unique()).iter_rows())
    return replace(ontology, categories=_uses(ontology, used), attributes=attributes)


def with_segments(ontology: Ontology, texts: pl.Series) -> Ontology:
    """The ontology with a segment for each text; texts that differ in case alone are one."""
    named = {_step_id(text): text for text in texts.unique().sort(descending=True)}
    return replace(ontology, segments={id: Term(id, names={"en": named[id]}) for id in sorted(named)})


def doubts(ontology: Ontology, columns: Iterable[RawColumn]) -> list[str]:
    """One note for each column of numbers with cells that are none, and for each of amounts of money."""
    notes = []
    for column in columns:
        if column.field.type is not None:
            continue
        if ontology.attributes[column.attribute].type is not AttributeType.NUMBER:
            notes += _amounts_of_money(column)
            continue
        cells = quantity_cells(column)
        odd = cells.filter(pl.col("dimension").is_null()).sort(LINE)
        if len(odd):
            notes.append(
                f"{column.attribute} was taken as a Number: {len(cells) - len(odd):,} of {len(cells):,} cells are "
                f"numbers, {odd['text'][0]!r} in {column.path.name}:{odd[LINE][0]} is not "
                "(if all are words, write `type: Choice` in the mapping)"
            )
    return notes


def _amounts_of_money(column: RawColumn) -> list[str]:
    """The note on words that are amounts in a currency that several countries write alike."""
    amounts = column.texts.filter(pl.col("text").str.contains(AMOUNT)).sort(LINE)
    if len(amounts) < MOST_WITH_ONE_ODD_TEXT * len(column.texts):
        return []
    where = f"{column.path.name}:{amounts[LINE][0]}"
    return [
        f"{column.attribute} was not taken as a Number: {len(amounts):,} of {len(column.texts):,} cells are "
        f"amounts in a currency that is not clear, such as {amounts['text'][0]!r} in {where} "
        "(write its code in the file, such as JPY, CNY, SEK or DKK)"
    ]


def describe(ontology: Ontology) -> str:
    """The note that says what was inferred."""
    kinds = ", ".join(
        f"{a.id} ({a.type.value}{f', {len(a.values):,} values' if a.values else ''})"
        for a in ontology.attributes.values()
    )
    contents = kinds or "no attribute"
    return f"no ontology was given; one was inferred from the mapping and the data, with {contents}"


def _names(columns: list[RawColumn]) -> list[str]:
    return list(dict.fromkeys(c.attribute for c in columns))


def _attribute(name: str, columns: list[RawColumn]) -> Attribute:
    first = columns[0].field
    stated = next((c.field.type for c in columns if c.field.type is not None), None)
    kind = stated or guess_type(name, columns, first.separator)
    ordered = kind is AttributeType.ORDERED
    unit = next((c.field.unit for c in columns if c.field.unit is not None), None)
    return Attribute(
        name,
        names={"en": name},
        type=kind,
        values=first.values if ordered else (),
        open=not ordered,
        unit=common_unit(columns) if unit is None and kind is AttributeType.NUMBER else unit,
    )


def guess_type(name: str, columns: Sequence[RawColumn], separator: str) -> AttributeType:
    """Boolean, Text where all are codes, Number where nearly all are numbers, Choices where any is a list."""
    rows = pl.concat([c.texts["text"] for c in columns])
    texts = rows.unique()
    if texts.str.to_lowercase().is_in(sorted(TRUE | FALSE)).all():
        return AttributeType.BOOLEAN
    if identifiers(name, rows) or (leading_zero(texts) and len(texts) == len(rows) >= FEWEST_NUMBERS):
        return AttributeType.TEXT
    if not leading_zero(texts) and _is_number(name, columns, separator):
        return AttributeType.NUMBER
    listed = texts.str.contains(separator, literal=True).any()
    return AttributeType.CHOICES if listed else AttributeType.CHOICE


def _is_number(name: str, columns: Sequence[RawColumn], separator: str) -> bool:
    """Whether all cells are numbers of one dimension; one odd text, or few odd cells, are cells to drop."""
    cells = pl.concat([quantity_cells(c) for c in columns])
    odd = cells.filter(pl.col("dimension").is_null())
    share = 1.0 - len(odd) / len(cells)
    distinct = cells.filter(pl.col("dimension").is_not_null())["text"].n_unique()
    if len(odd) and (
        distinct < FEWEST_NUMBERS
        or odd["text"].str.contains(separator, literal=True).any()
        or share < (MOST_WITH_ONE_ODD_TEXT if odd["text"].n_unique() == 1 else MOST_NUMBERS)
    ):
        return False
    named = cells.filter(pl.col("dimension") != "").unique("dimension", keep="first", maintain_order=True)
    if len(named) > 1 and named["dimension"].str.starts_with("currency").all():
        first, second = named.row(0, named=True), named.row(1, named=True)
        raise InputError(
            f"{name} is in two currencies, {first['text']!r} and {second['text']!r}",
            where=f"{second['path']}:{second[LINE]}",
            expected="one currency, for rates are not constant",
            todo="Convert the column, or write `type: Choice` for it in the mapping.",
        )
    return len(named) <= 1


def quantity_cells(column: RawColumn) -> pl.DataFrame:
    """The cells of a column with the dimension of their unit: empty without unit, null for no number."""
    read = read_numbers(column.texts["text"], column.decimal)
    dimension = {word: known.dimension for word in read["unit"].drop_nulls() if (known := find_unit(word))}
    grade = pl.col("text").str.contains(GRADE)
    read = read.select(
        "text",
        "unit",
        pl.when(~grade)
        .then(pl.col("unit").replace_strict({"": "", **dimension}, default=None, return_dtype=pl.String))
        .alias("dimension"),
    )
    where = pl.lit(str(column.path)).alias("path")
    return column.texts.join(read, on="text", how="left", maintain_order="left").select(
        "text", "unit", "dimension", LINE, where
    )


def common_unit(columns: Sequence[RawColumn]) -> str | None:
    """The unit that most cells name; None where no cell names one."""
    words = pl.concat([quantity_cells(c) for c in columns]).filter(pl.col("dimension") != "")["unit"]
    codes = pl.Series([known.code for word in words if (known := find_unit(word))], dtype=pl.String)
    return str(codes.mode().sort()[0]) if len(codes) else None


def _tree(items: pl.DataFrame) -> dict[str, Category]:
    """The categories of the items' paths, and those above them."""
    paths = items.drop_nulls("category").unique("category", keep="first").sort("category")
    categories: dict[str, Category] = {}
    texts: dict[str, str] = {}
    for path, file, line in paths.select("category", FILE, LINE).iter_rows():
        steps = path.split(STEP)
        for depth in range(1, len(steps) + 1):
            here = STEP.join(steps[:depth])
            id = category_id(here)
            if texts.setdefault(id, here) != here:
                both = " and ".join(repr(t.replace(STEP, " > ")) for t in (texts[id], here))
                raise InputError(
                    f"the categories {both} have the same id {id!r}",
                    where=f"{file}:{line}",
                    expected="names that differ in a letter or a digit",
                    todo="Rename one in the mapping.",
                )
            parent = category_id(STEP.join(steps[: depth - 1])) if depth > 1 else None
            categories.setdefault(id, Category(id, names={"en": steps[depth - 1]}, parent=parent))
    return categories


def _uses(ontology: Ontology, used: dict[str, list[str]]) -> dict[str, Category]:
    """Each attribute at the highest category in all of whose branches the data have it."""
    have: dict[str, set[str]] = {}
    for above in reversed([c for root in ontology.roots for c in ontology.subtree(root)]):
        below = [have[kid] for kid in ontology.children[above]]
        shared = set.intersection(*below) if below else set()
        have[above] = set(used.get(above, ())) | shared
    placed: dict[str, Category] = {}
    for id, category in ontology.categories.items():
        inherited = set().union(*(have[c] for c in ontology.ancestors(id)))
        here = [a for a in ontology.attributes if a in have[id] - inherited]
        placed[id] = replace(category, uses=dict.fromkeys(here, Need.ALLOWED))
    return placed


def _natural(text: str) -> tuple[float, str]:
    try:
        return float(text), text
    except ValueError:
        return float("inf"), text
