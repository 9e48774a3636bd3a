"""Texts of attributes into value ids and numbers, by the ontology."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import replace

import polars as pl

from kgrank.errors import InputError, did_you_mean
from kgrank.ingest.cells.numbers import read_numbers, refuse_two_readings
from kgrank.ingest.infer import FALSE, TRUE
from kgrank.ingest.raw import STEP, RawColumn
from kgrank.ingest.report import Rejects
from kgrank.ingest.rows import FILE, LINE
from kgrank.ingest.words import UnknownWord, nearest
from kgrank.ontology.model import BRAND, Attribute, AttributeType, Ontology, Term, current
from kgrank.ontology.units import convert, find_unit, unit

_SHOWN = 5
"""Spellings that a note names."""

VALUE_COLUMNS = {
    "item": pl.String(),
    "attribute": pl.String(),
    "value": pl.String(),
    "number": pl.Float64(),
    LINE: pl.Int64(),
    FILE: pl.String(),
}


def same(text: str) -> str:
    """A text as names are compared: one space between words, no case, no width, one Unicode form."""
    return unicodedata.normalize("NFC", " ".join(unicodedata.normalize("NFKC", text).split()).casefold())


def ids_by_name(terms: Iterable[Term]) -> dict[str, str]:
    """Ids by everything a term is called; a name that two terms share is left out, ids always count.

    What a deprecated term is called leads to the one that replaces it.
    """
    known = {term.id: term for term in terms}
    called: dict[str, set[str]] = {}
    for term in known.values():
        texts = [term.notation, *term.names.values(), *(s for all in term.synonyms.values() for s in all)]
        for text in texts:
            if text:
                called.setdefault(same(text), set()).add(current(term.id, known))
    names = {text: next(iter(ids)) for text, ids in called.items() if len(ids) == 1}
    return names | {same(id_): current(id_, known) for id_ in known}


def attribute_id(name: str, ontology: Ontology, where: object) -> str:
    """The attribute that a column is named after: its id, a name or a synonym in any language.

    Raises:
        InputError: The ontology has no such attribute.
    """
    if name in ontology.attributes:
        return name
    known = ids_by_name(replace(a, deprecated=False) for a in ontology.attributes.values())
    if same(name) not in known:
        raise InputError(
            f"unknown attribute {name!r}",
            where=where,
            expected="an attribute of the ontology",
            todo=f"{did_you_mean(name, ontology.attributes)} Or leave the column out by a mapping.",
        )
    return known[same(name)]


def renamed(column: RawColumn, ontology: Ontology) -> RawColumn:
    """The column under its attribute's id; under the one that replaces it where no category has it any more.

    Plain numbers stay in the unit of the attribute that the file names.

    Raises:
        InputError: The ontology has no such attribute.
    """
    named = attribute_id(column.attribute, ontology, column.path)
    here = ontology.attributes[named]
    if not here.deprecated or any(named in c.uses for c in ontology.categories.values()):
        return replace(column, name=column.name or column.attribute, attribute=named)
    field = column.field if column.field.unit else replace(column.field, unit=here.unit)
    return replace(
        column,
        name=column.name or column.attribute,
        attribute=current(named, ontology.attributes),
        field=field,
    )


def category_ids(items: pl.DataFrame, ontology: Ontology, rejects: Rejects) -> pl.DataFrame:
    """The table with the paths in its column ``category`` replaced by ids; unknown ones are noted."""
    ids = find_categories(items["category"], ontology)
    single = {text: id for text, id in ids.items() if STEP not in text}
    if single:
        _note_spellings(str(items[FILE][0]), "category", single, list(ontology.categories.values()), rejects)
    unknown = [text for text, id in ids.items() if id is None]
    if not unknown:
        return items.with_columns(pl.col("category").replace(ids))
    known = names_by_key(ontology.categories.values())
    rows = items.filter(pl.col("category").is_in(unknown)).sort(LINE)
    for (file,), group in rows.group_by(FILE, maintain_order=True):
        text, line = group.row(0, named=True)["category"], group[LINE][0]
        shown = text.replace(STEP, " > ")
        counts = _counts(group, "category")
        more = f" ({len(counts):,} unknown in {len(group):,} rows)" if len(counts) > 1 else ""
        error = InputError(
            f"unknown category {shown!r}{more}",
            where=f"{file}:{line}",
            expected="a category of the ontology",
            todo=did_you_mean(shown.split(" > ")[-1], ontology.categories),
        )
        words = (
            UnknownWord(
                str(file), "category", w.replace(STEP, " > "), n, at, nearest(w.split(STEP)[-1], known)
            )
            for w, n, at in counts
        )
        rejects.unknown(error, words)
    return items.with_columns(pl.col("category").replace(ids))


def names_by_key(terms: Iterable[Term]) -> dict[str, str]:
    """The names of current terms as they are written, by how they are compared; the id of one without."""
    names = {}
    for term in terms:
        if not term.deprecated:
            texts = [*term.names.values(), *(s for all in term.synonyms.values() for s in all), term.id]
            names.update({same(text): term.name() for text in texts if same(text) not in names})
    return names


def _counts(rows: pl.DataFrame, column: str) -> list[tuple[str, int, int]]:
    """The texts of a column with their rows and first line, the most frequent first."""
    counted = rows.group_by(column).agg(pl.len().alias("rows"), pl.col(LINE).min())
    return list(
        counted.sort(["rows", LINE], descending=[True, False]).select(column, "rows", LINE).iter_rows()
    )


def find_categories(texts: pl.Series, ontology: Ontology) -> dict[str, str | None]:
    """The category of each path, else of its last step alone; None where the ontology has neither."""
    known = ids_by_name(ontology.categories.values())
    paths = {_path(ontology, c): current(c, ontology.categories) for c in ontology.categories}
    ids = {}
    for text in texts.drop_nulls().unique().sort():
        steps = tuple(same(step) for step in text.split(STEP))
        ids[text] = paths.get(steps) or known.get(steps[-1])
    return ids


def brand_ids(items: pl.DataFrame, ontology: Ontology, rejects: Rejects) -> pl.DataFrame:
    """The items with brands replaced by their ids; a brand that the ontology does not list keeps its text."""
    known = ids_by_name(ontology.brands.values())
    ids = {
        text: known.get(same(text), " ".join(text.split())) for text in items["brand"].drop_nulls().unique()
    }
    if ids and ontology.brands:
        terms = list(ontology.brands.values())
        _note_spellings(str(items[FILE][0]), BRAND, ids, terms, rejects)
    return items.with_columns(pl.col("brand").replace(ids))


def values_of(column: RawColumn, ontology: Ontology, rejects: Rejects) -> pl.DataFrame:
    """The values of one attribute in one file, in ``VALUE_COLUMNS``.

    Raises:
        InputError: An unknown unit, a value that a closed attribute does not have, or no value left.
    """
    attribute = ontology.attributes[column.attribute]
    before = len(rejects.errors)
    make = {
        AttributeType.NUMBER: _numbers,
        AttributeType.BOOLEAN: _booleans,
        AttributeType.TEXT: _texts,
    }.get(attribute.type, _choices)
    table = make(column, attribute, ontology, rejects)
    if not len(table) and len(rejects.errors) == before:
        raise InputError(
            f"every value of {attribute.id!r} is missing or was dropped",
            where=column.path,
            expected="at least one value",
        )
    lacking = [pl.lit(None, dtype=t).alias(c) for c, t in VALUE_COLUMNS.items() if c not in table.columns]
    table = table.with_columns(lacking).with_columns(
        pl.lit(attribute.id).alias("attribute"), pl.lit(column.path.name).alias(FILE)
    )
    return table.select(pl.col(c).cast(t) for c, t in VALUE_COLUMNS.items())


def _path(ontology: Ontology, category: str) -> tuple[str, ...]:
    steps = tuple(reversed(ontology.lineage(category)))
    return tuple(same(ontology.categories[c].name()) for c in steps)


def _choices(column: RawColumn, attribute: Attribute, ontology: Ontology, rejects: Rejects) -> pl.DataFrame:
    texts = column.texts
    if attribute.type is AttributeType.CHOICES:
        parts = pl.col("text").str.split(column.field.separator).list.unique(maintain_order=True)
        texts = texts.with_columns(parts).explode("text").with_columns(pl.col("text").str.strip_chars())
        texts = texts.filter(pl.col("text") != "")
        if column.field.rename:
            texts = texts.with_columns(pl.col("text").replace(dict(column.field.rename)))
    terms = list(ontology.brands.values()) if attribute.id == BRAND else _values(attribute, ontology)
    known = ids_by_name(terms)
    value_ids = {text: known.get(same(text)) for text in texts["text"].unique()}
    _note_spellings(column.path.name, attribute.id, value_ids, terms, rejects)
    if attribute.open:
        value_ids = {
            text: id or " ".join(unicodedata.normalize("NFC", text).split()) for text, id in value_ids.items()
        }
    unknown = sorted(text for text, id in value_ids.items() if id is None)
    if unknown:
        rows = texts.filter(pl.col("text").is_in(unknown)).sort(LINE)
        first = rows["text"][0]
        error = InputError(
            f"unknown value {first!r} of {attribute.id} ({len(unknown):,} unknown in {len(rows):,} rows)",
            where=f"{column.path}:{rows[LINE][0]}",
            expected="a value of the ontology, its name or a synonym",
            todo=f"{did_you_mean(first, known)} Or rename it, or call it missing, in the mapping.",
        )
        rejects.unknown(error, _words(column, rows, names_by_key(terms)))
        texts = texts.filter(~pl.col("text").is_in(unknown))
    return texts.select(
        "item", pl.col("text").replace_strict(value_ids, return_dtype=pl.String).alias("value"), LINE
    )


def _booleans(column: RawColumn, attribute: Attribute, ontology: Ontology, rejects: Rejects) -> pl.DataFrame:
    word = pl.col("text").str.to_lowercase()
    value = (
        pl.when(word.is_in(sorted(TRUE)))
        .then(pl.lit("true"))
        .when(word.is_in(sorted(FALSE)))
        .then(pl.lit("false"))
    )
    table = column.texts.with_columns(value.alias("value"))
    odd = table.filter(pl.col("value").is_null()).sort(LINE)
    if len(odd):
        error = InputError(
            f"unknown value {odd['text'][0]!r} of {attribute.id}",
            where=f"{column.path}:{odd[LINE][0]}",
            expected="yes or no, true or false, 1 or 0",
        )
        rejects.unknown(error, _words(column, odd, {}))
        table = table.filter(pl.col("value").is_not_null())
    return table.drop("text")


def _note_spellings(
    file: str, name: str, ids: Mapping[str, str | None], terms: Iterable[Term], rejects: Rejects
) -> None:
    """Notes texts that are a known name in other letters, width or Unicode form."""
    written = {
        t.id: {t.id, t.notation, *t.names.values(), *(s for x in t.synonyms.values() for s in x)}
        for t in terms
    }
    called = {t.id: t.name() for t in terms}
    odd = sorted(text for text, id in ids.items() if id in written and text not in written[id])
    if odd:
        shown = "; ".join(f"{text} = {called[str(ids[text])]}" for text in odd[:_SHOWN])
        more = f" and {len(odd) - _SHOWN:,} more" if len(odd) > _SHOWN else ""
        rejects.notes.append(f"{file}: {name} in another spelling: {shown}{more}")


def _values(attribute: Attribute, ontology: Ontology) -> list[Term]:
    return [ontology.values.get(v, Term(v)) for v in attribute.values]


def _words(column: RawColumn, rows: pl.DataFrame, known: Mapping[str, str]) -> list[UnknownWord]:
    """The texts of rows as unknown words of a column, each with the nearest known name."""
    name = column.name or column.attribute
    return [
        UnknownWord(column.path.name, name, word, count, line, nearest(word, known), column.field.column)
        for word, count, line in _counts(rows, "text")
    ]


def _texts(column: RawColumn, attribute: Attribute, ontology: Ontology, rejects: Rejects) -> pl.DataFrame:
    return column.texts.rename({"text": "value"})


def _numbers(column: RawColumn, attribute: Attribute, ontology: Ontology, rejects: Rejects) -> pl.DataFrame:
    factor = _factor(column.field.unit, attribute, column)
    read = read_numbers(column.texts["text"], column.decimal)
    refuse_two_readings(read, column.texts, attribute.id, column.path)
    if factor is not None:
        plain = read["unit"] == ""
        converted = [_convert(n, *factor) if p else n for n, p in zip(read["number"], plain, strict=True)]
        read = read.with_columns(pl.Series("number", converted, pl.Float64))
    line = dict(_firsts(column.texts))
    with_unit, odd = {}, {}
    for text, number, word in read.filter(pl.col("unit") != "").select("text", "number", "unit").rows():
        try:
            with_unit[text] = _in_unit(text, number, word, attribute, f"{column.path}:{line[text]}")
        except InputError as error:
            odd[text] = error
    texts = column.texts
    if odd:
        rows = texts.filter(pl.col("text").is_in(list(odd)))
        rejects.unknown(min(odd.items(), key=lambda e: line[e[0]])[1], _words(column, rows, {}))
        texts = texts.filter(~pl.col("text").is_in(list(odd)))
    number = pl.when(pl.col("unit") == "").then("number")
    quantity = pl.col("text").replace_strict(with_unit, default=None, return_dtype=pl.Float64)
    read = read.select("text", pl.coalesce(number, quantity).alias("number"))
    table = texts.join(read, on="text", how="left", maintain_order="left")
    id, cell = "item", pl.col("text")
    table = rejects.drop(table, pl.col("number").is_null(), "not a number", column.path, id=id, cell=cell)
    table = rejects.drop(table, ~pl.col("number").is_finite(), "not finite", column.path, id=id, cell=cell)
    return table.drop("text")


def _firsts(table: pl.DataFrame) -> Iterable[tuple[str, int]]:
    return table.group_by("text").agg(pl.col(LINE).min()).iter_rows()


def _factor(unit: str | None, attribute: Attribute, column: RawColumn) -> tuple[str, str] | None:
    """From which unit to which plain numbers go; None where they stay."""
    if unit is None or unit == attribute.unit:
        return None
    if attribute.unit is None:
        raise InputError(
            f"the mapping gives {attribute.id} the unit {unit!r}", where=column.path, expected="no unit"
        )
    _converted(1.0, unit, attribute.unit, attribute.id, column.path)
    return unit, attribute.unit


def _convert(number: float | None, source: str, target: str) -> float | None:
    return None if number is None or not math.isfinite(number) else convert(number, source, target)


def _in_unit(text: str, number: float, word: str, attribute: Attribute, where: str) -> float | None:
    """A number with a unit, in the attribute's unit; None where an inferred attribute has no such unit."""
    # Inferred attributes are open: their cells were not written for an ontology, so an odd one is dropped.
    if attribute.open and find_unit(word) is None:
        return None
    try:
        code = unit(word).code
    except InputError as error:
        raise InputError(error.problem, where=where, expected=error.expected, todo=error.todo) from None
    if code == attribute.unit:
        return number
    if attribute.unit is None:
        raise InputError(
            f"{text!r} has a unit, and {attribute.id} has none",
            where=where,
            todo="Write its `unit` in the mapping.",
        )
    return _converted(number, code, attribute.unit, attribute.id, where)


def _converted(number: float, source: str, target: str, attribute: str, where: object) -> float:
    try:
        return convert(number, source, target)
    except InputError as error:
        problem = f"{attribute}: {error.problem}"
        raise InputError(problem, where=where, expected=error.expected, todo=error.todo) from None
