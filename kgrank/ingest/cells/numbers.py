"""Columns of numbers: which decimal mark a column has, and the number and unit of each of its texts."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

import polars as pl

from kgrank.errors import InputError
from kgrank.ingest.rows import LINE
from kgrank.ontology.numerals import COMMA, POINT
from kgrank.ontology.units import Quantity, read_quantity

AMBIGUOUS = r"^[+-]?[1-9]\d{0,2}\.\d{3}$"
"""A number with a point that parts either decimals or thousands; ``read_quantity`` finds those with a comma."""

NUMBERS = {"text": pl.String(), "number": pl.Float64(), "unit": pl.String(), "other": pl.Float64()}
"""Columns of ``read_numbers``; ``other`` is the number under the other decimal mark, where both are possible."""


def read_numbers(texts: Iterable[str], decimal: str | None) -> pl.DataFrame:
    """Number and unit's word of each distinct text (columns of ``NUMBERS``); null where it is no number.

    Without a decimal mark, the texts that have one reading decide it for the others.
    """
    frame = pl.DataFrame({"text": pl.Series("text", texts, pl.String).unique(maintain_order=True)})
    plain = pl.col("text").cast(pl.Float64, strict=False)
    if decimal == COMMA:
        plain = pl.when(~pl.col("text").str.contains(".", literal=True)).then(plain)
    frame = frame.with_columns(plain.alias("number"))
    unclear = pl.col("number").is_null()
    if decimal is None:
        unclear = unclear | pl.col("text").str.contains(AMBIGUOUS)
    clear, rest = frame.filter(~unclear), frame.filter(unclear)["text"]
    quantities = {text: read_quantity(text) for text in rest}
    if decimal is None:
        decimal = _decimal(clear["text"], quantities.values())
    rows = [_row(text, quantity, decimal) for text, quantity in quantities.items()]
    clear = clear.with_columns(pl.lit("").alias("unit"), pl.lit(None, pl.Float64).alias("other"))
    return pl.concat([clear.select(list(NUMBERS)), pl.DataFrame(rows, schema=NUMBERS, orient="row")])


def refuse_two_readings(numbers: pl.DataFrame, texts: pl.DataFrame, name: str, path: Path) -> None:
    """Makes a column that can be read in two ways an error.

    Args:
        numbers: What ``read_numbers`` made of the texts.
        texts: Columns text and LINE.
        name: The attribute.
        path: The file.

    Raises:
        InputError: A text has two readings and no other text decides between them.
    """
    unclear = numbers.filter(pl.col("other").is_not_null())
    if not len(unclear):
        return
    first = texts.join(unclear, on="text").sort(LINE).row(0, named=True)
    raise InputError(
        f"the numbers of {name} can be read in two ways: {first['text']!r} is {first['number']:.15g} with a "
        f"decimal point and {first['other']:.15g} with a decimal comma",
        where=f"{path}:{first[LINE]}",
        expected="a column that has one reading",
        todo=f'Write `decimal: "."` or `decimal: ","` in the mapping, for the file or for {name}; or '
        "`type: Choice` where it is no number.",
    )


def _decimal(plain: pl.Series, quantities: Iterable[Quantity | None]) -> str | None:
    """The decimal mark of the texts that have one reading only; None where they have none, or both."""
    marks = {next(iter(q.readings)) for q in quantities if q is not None and len(q.readings) == 1}
    if plain.str.contains(r"\.").any():
        marks.add(POINT)
    return marks.pop() if len(marks) == 1 else None


def _row(text: str, quantity: Quantity | None, decimal: str | None) -> tuple[object, ...]:
    if quantity is None:
        return text, None, None, None
    readings = quantity.readings
    if decimal is None:
        first = next(iter(readings.values()))
        second = next((n for n in readings.values() if n != first), None)
        return text, first, quantity.word, second
    # A cell that has only the other mark's reading can mean nothing else, unless the mapping says the mark.
    number = readings.get(decimal)
    return text, number, quantity.word if number is not None else None, None


def leading_zero(texts: pl.Series) -> bool:
    """Whether all texts are digits and some begin with a zero that no number has."""
    return bool(texts.str.contains(r"^\d+$").all() and texts.str.contains(r"^0\d").any())


CODE = re.compile(
    r"(?:^|[^a-z])(id|sku|ean|gtin|upc|isbn|asin|mpn|plu|code|barcode|article|artikel)(?:$|[^a-z])"
)
CODE_LENGTH, NAMED_CODE_LENGTH, FEWEST_CODES = 8, 5, 3
"""Digits from which distinct numbers of one length are codes; where the column is named so; of how many."""


def identifiers(name: str, texts: pl.Series) -> bool:
    """Whether a column's texts, one an item, are codes: digits of one length, each once (EAN, GTIN, SKU)."""
    length = texts.str.len_chars()
    least = NAMED_CODE_LENGTH if CODE.search(name.lower()) else CODE_LENGTH
    return bool(
        len(texts) >= FEWEST_CODES
        and texts.str.contains(r"^\d+$").all()
        and length.n_unique() == 1
        and length[0] >= least
        and not texts.is_duplicated().any()
    )
