"""Choice tasks: alternatives offered together and what was chosen, in three forms, as items and events.

Every form is first brought into the long one: one row an alternative, in the columns person, task, order,
chosen, category, outside, and one ``a:`` column an attribute. An alternative becomes an item, whose id is its
category and a hash of its attributes; a task becomes a list of impressions and a purchase of what was chosen, or
a ranking where places are given.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import polars as pl

from kgrank.errors import InputError
from kgrank.ingest import fields
from kgrank.ingest.columns import STANDARD
from kgrank.ingest.items import raw_column
from kgrank.ingest.mapping import Alternative, AttributeField, Field, Form, Tasks, TimeField
from kgrank.ingest.raw import (
    EVENT_COLUMNS,
    ITEM_COLUMNS,
    STEP,
    Raw,
    attribute_fields,
    category_path,
    with_schema,
)
from kgrank.ingest.read import matches, read_table, require
from kgrank.ingest.report import Rejects
from kgrank.ingest.rows import LINE
from kgrank.ontology.model import BRAND

_TASK = ["category", "person", "task"]


def read_tasks(folder: Path, source: Tasks, rejects: Rejects) -> Raw:
    """The alternatives of a file as items, its tasks as events.

    Raises:
        InputError: A column is missing, or what is chosen cannot be read.
    """
    path, table = folder / source.file, read_table(folder, source, rejects)
    rejects.read[source.file] = len(table)
    if source.time is None and source.rest and "time" in table.columns and "time" not in source.attributes:
        source = replace(source, time=TimeField())
    used = _used(source)
    attributes = attribute_fields(table, source.attributes, source.rest, used, path, rejects)
    if not attributes:
        raise InputError(
            "no attributes", where=path, todo="Name them in the mapping: attributes, or rest: true."
        )
    build = {Form.LONG: _long, Form.WIDE: _wide, Form.DIFFERENCES: _differences}[source.form]
    long = build(table, source, attributes, path, used)
    long = long.with_columns(category_path(source.category))
    ranked = source.form is Form.LONG and _mark(table, source) == "rank"
    long = _whole_tasks(long, source, path, rejects, ranked=ranked)
    clock, outside = source.time is not None, source.outside.exists
    return _lists(long, attributes, path, clock=clock, outside=outside, ranked=ranked)


def _lists(
    long: pl.DataFrame,
    attributes: dict[str, AttributeField],
    path: Path,
    *,
    clock: bool,
    outside: bool,
    ranked: bool,
) -> Raw:
    """Tasks in the long form as items and events."""
    long = alternatives(long.filter(~pl.col("outside")), attributes)
    items = long.unique("id", keep="first", maintain_order=True)
    columns = [raw_column(items, n, a, path) for n, a in attributes.items() if n != BRAND]
    shown = long.select(
        pl.lit("impression").alias("kind"),
        pl.col("person").alias("user"),
        pl.col("id").alias("item"),
        "time",
        pl.concat_str([pl.col(c).str.replace_all(STEP, ".") for c in _TASK], separator="/").alias("list"),
        pl.col("chosen").alias("value"),
        LINE,
    )
    if ranked:
        events = shown.with_columns(pl.lit("rank").alias("kind"))
    else:
        bought = shown.filter(pl.col("value") > 0).with_columns(pl.lit("purchase").alias("kind"))
        events = pl.concat([shown.with_columns(pl.lit(None, pl.Float64).alias("value")), bought])
    return Raw(
        items=with_schema(items, ITEM_COLUMNS, path),
        columns=tuple(columns),
        events=with_schema(events, EVENT_COLUMNS, path),
        clock=clock,
        outside=None if ranked else outside,
        tasks=True,
    )


def alternatives(table: pl.DataFrame, attributes: dict[str, AttributeField]) -> pl.DataFrame:
    """Rows with ``a:`` columns as items: with id, brand and a title that says the attributes."""
    texts = [pl.lit(f"{n} ") + pl.col(f"a:{n}") for n in attributes]
    return table.with_columns(
        _ids(table, [f"a:{n}" for n in attributes]),
        (pl.col(f"a:{BRAND}") if BRAND in attributes else pl.lit(None, pl.String)).alias("brand"),
        pl.concat_str(texts, separator=", ", ignore_nulls=True).alias("title"),
    )


def _ids(table: pl.DataFrame, names: list[str]) -> pl.Series:
    """The id of each row's alternative: its category and a hash of its attributes; 1.0 and 1 are the same."""
    number = (pl.col(n).cast(pl.Float64, strict=False).cast(pl.String) for n in names)
    same = [pl.coalesce(as_number, n, pl.lit("")) for as_number, n in zip(number, names, strict=True)]
    labelled = [pl.lit(n.removeprefix("a:") + "=") + text for n, text in zip(names, same, strict=True)]
    content = table.select(pl.concat_str("category", *labelled, separator="\n")).to_series()
    ids = {text: _id(text) for text in content.drop_nulls().unique()}
    return content.replace_strict(ids, return_dtype=pl.String).alias("id")


def _id(content: str) -> str:
    category = content.partition("\n")[0].split(STEP)[-1].strip().lower().replace(" ", "-")
    return f"{category}-{hashlib.sha256(content.encode()).hexdigest()[:10]}"


def _used(source: Tasks) -> frozenset[str]:
    """Columns that an attribute or another field names."""
    named = [getattr(source, n) for n in STANDARD["tasks"] if n != "time"]
    used = frozenset().union(*(fields.columns_of(f) for f in named), source.outside.rows)
    used |= frozenset(c for n, a in source.attributes.items() for c in (fields.columns_of(a) or {n}))
    if source.rest:
        used |= frozenset(STANDARD["tasks"]) - frozenset(source.attributes)
    return used


def _head(
    table: pl.DataFrame, source: Tasks, path: Path, used: frozenset[str], *, one_a_row: bool
) -> list[pl.Expr | pl.Series]:
    """Category, person, task and time of each row."""
    taken = used - frozenset(STANDARD["tasks"]) | frozenset(source.attributes)
    row = pl.col(LINE).cast(pl.String)
    if fields.given(table, source.task, "task", taken) or not one_a_row:
        task = fields.required(table, source.task, "task", path, taken)
    else:
        task = row.alias("task")
    person = fields.text(table, source.person, "person", path, taken)
    if not fields.given(table, source.person, "person", taken):
        person = (pl.lit("task-") + task).alias("person")
    head: list[pl.Expr | pl.Series] = [
        fields.required(table, source.category, "category", path, taken),
        person,
        task,
    ]
    if source.time is not None:
        return [*head, fields.seconds(table, source.time, path).alias("time")]
    return head


def _long(
    table: pl.DataFrame,
    source: Tasks,
    attributes: dict[str, AttributeField],
    path: Path,
    used: frozenset[str],
) -> pl.DataFrame:
    mark = _mark(table, source)
    taken = frozenset(source.attributes)
    frame = table.select(
        *_head(table, source, path, used, one_a_row=False),
        fields.text(table, source.alternative, "alternative", path, taken),
        fields.required(table, getattr(source, mark), mark, path, taken).alias("chosen"),
        *(fields.attribute(table, a, n, path).alias(f"a:{n}") for n, a in attributes.items()),
        matches(table, source.outside.rows, path).alias("outside")
        if source.outside.rows
        else pl.lit(False).alias("outside"),
        LINE,
    )
    if source.outside.offered == "all_zero":
        raw = [c for n, a in attributes.items() for c in fields.columns_of(a) or {a.column or n}]
        zero = [(pl.col(c).fill_null("0").cast(pl.Float64, strict=False) == 0).fill_null(False) for c in raw]
        frame = frame.with_columns(table.select(pl.all_horizontal(zero)).to_series().alias("outside"))
    twice = frame.filter(pl.col("alternative").is_not_null()).filter(
        pl.struct(*_TASK, "alternative").is_duplicated()
    )
    if len(twice):
        row = twice.row(0, named=True)
        same = pl.all_horizontal(pl.col(c) == row[c] for c in (*_TASK, "alternative"))
        first, second = twice.filter(same)[LINE][:2]
        raise InputError(
            f"alternative {row['alternative']} of task {row['task']} stands in line {first} and {second}",
            where=f"{path}:{second}",
            expected="each alternative of a person's task once",
            todo="Name the columns that tell tasks apart: person, task, category.",
        )
    return _numbers(frame, mark, path)


def _mark(table: pl.DataFrame, source: Tasks) -> str:
    """What the long form says of an alternative: ``units``, ``rank`` or ``chosen``."""
    taken = frozenset(source.attributes)
    return next((m for m in ("units", "rank") if fields.given(table, getattr(source, m), m, taken)), "chosen")


def _numbers(frame: pl.DataFrame, mark: str, path: Path) -> pl.DataFrame:
    """What is chosen as a number: 0 or 1, units, or a place, null where there is none."""
    if mark == "rank":
        return _places(frame, path)
    words = {"true": "1", "false": "0", "yes": "1", "no": "0", "True": "1", "False": "0"}
    number = pl.col("chosen").replace(words).cast(pl.Float64, strict=False)
    odd = number.is_null() | ~number.is_finite() | (number < 0)
    odd = (odd | ~number.is_in([0.0, 1.0])) if mark == "chosen" else odd
    bad = frame.filter(odd)
    if len(bad):
        todo = "For units bought, name the column in the mapping: units." if mark == "chosen" else None
        raise InputError(
            f"{mark} is {bad['chosen'][0]!r}",
            where=f"{path}:{bad[LINE][0]}",
            expected="0 or 1" if mark == "chosen" else "a number from 0",
            todo=todo,
        )
    return frame.with_columns(number)


def _places(frame: pl.DataFrame, path: Path) -> pl.DataFrame:
    number = pl.col("chosen").cast(pl.Float64, strict=False)
    bad = frame.filter(
        pl.col("chosen").is_not_null() & ~(number.is_finite() & (number >= 1)).fill_null(False)
    )
    if len(bad):
        raise InputError(
            f"rank is {bad['chosen'][0]!r}",
            where=f"{path}:{bad[LINE][0]}",
            expected="a number from 1, the best, or nothing",
        )
    return frame.with_columns(number)


def _wide(
    table: pl.DataFrame,
    source: Tasks,
    attributes: dict[str, AttributeField],
    path: Path,
    used: frozenset[str],
) -> pl.DataFrame:
    """One row a task becomes one an alternative; one whose columns are all empty is not offered."""
    choice = table.select(fields.required(table, source.chosen, "chosen", path)).to_series()
    outside = (
        table.select(matches(table, source.outside.rows, path)).to_series() if source.outside.rows else None
    )
    known = (
        choice.is_in(list(source.alternatives))
        if outside is None
        else choice.is_in(list(source.alternatives)) | outside
    )
    if not known.fill_null(source.outside.exists).all():
        row = int((~known.fill_null(False)).arg_max() or 0)
        raise InputError(
            f"the chosen alternative is {choice[row]!r}",
            where=f"{path}:{table[LINE][row]}",
            expected=f"one of {', '.join(source.alternatives)}",
        )
    head = _head(table, source, path, used, one_a_row=True)
    frames = []
    for key, alternative in source.alternatives.items():
        attribute_fields = {n: _of_alternative(a, n, key, alternative) for n, a in attributes.items()}
        frames.append(
            table.select(
                *head,
                pl.lit(key).alias("alternative"),
                (choice == key).fill_null(False).cast(pl.Float64).alias("chosen"),
                *(fields.attribute(table, a, n, path).alias(f"a:{n}") for n, a in attribute_fields.items()),
                pl.lit(False).alias("outside"),
                LINE,
            ).filter(
                pl.any_horizontal(
                    pl.col(f"a:{n}").is_not_null() for n, a in attribute_fields.items() if a.constant is None
                )
            )
        )
    return pl.concat(frames).sort(LINE, maintain_order=True)


def _of_alternative(field: AttributeField, name: str, key: str, alternative: Alternative) -> AttributeField:
    """An attribute's field for one alternative: its own value, else the field with ``{}`` filled in."""
    if name in alternative.values:
        return replace(field, constant=alternative.values[name], column=None, one_hot={}, one_hot_base=None)
    word = alternative.name or key
    if field.constant is not None:
        return replace(field, constant=field.constant.replace("{}", word))
    return replace(field, column=(field.column or name).replace("{}", word))


def _differences(
    table: pl.DataFrame,
    source: Tasks,
    attributes: dict[str, AttributeField],
    path: Path,
    used: frozenset[str],
) -> pl.DataFrame:
    """One row a pair: a level at +1 is the first alternative's, at -1 the second's.

    Where the other side of an attribute has no level of its own, it has the base level; where an attribute is
    zero throughout, the pair does not differ in it and neither side gets a value.
    """
    chosen = table.select(fields.required(table, source.chosen, "chosen", path).alias("chosen"), LINE)
    first = _numbers(chosen, "chosen", path)["chosen"]
    head = _head(table, source, path, used, one_a_row=True)
    frames = [
        table.select(
            *head,
            pl.lit(name).alias("alternative"),
            pick.alias("chosen"),
            *(_side(table, a, n, sign, path).alias(f"a:{n}") for n, a in attributes.items()),
            pl.lit(False).alias("outside"),
            LINE,
        )
        for name, sign, pick in (("1", 1.0, first), ("2", -1.0, 1.0 - first))
    ]
    return pl.concat(frames).sort(LINE, maintain_order=True)


def _side(table: pl.DataFrame, field: AttributeField, name: str, sign: float, path: Path) -> pl.Expr:
    if not field.one_hot:
        raise InputError(
            f"attribute {name!r} is not one_hot", where=path, expected="one_hot columns of 1, 0 and -1"
        )
    cells = {
        v: pl.col(require(table, c, path)).cast(pl.Float64, strict=False) for c, v in field.one_hot.items()
    }
    differs = pl.any_horizontal(c != 0 for c in cells.values())
    value = pl.when(differs).then(pl.lit(field.one_hot_base, dtype=pl.String))
    for word, cell in cells.items():
        value = pl.when(cell == sign).then(pl.lit(word)).otherwise(value)  # type: ignore[assignment]
    return value


def _whole_tasks(
    long: pl.DataFrame, source: Tasks, path: Path, rejects: Rejects, *, ranked: bool
) -> pl.DataFrame:
    """Tasks with one choice among at least two; without a clock, time is the order of a person's tasks."""
    lacking = pl.any_horizontal(pl.col(c).is_null() for c in _TASK)
    long = rejects.drop(long, lacking, "no id", path, id="task", cell=pl.lit("no category, person or task"))
    total, rows = pl.col("chosen").sum().over(_TASK), pl.len().over(_TASK)
    name = pl.concat_str(_TASK, separator="/")
    free = source.outside.exists and not (source.outside.rows and source.form is Form.LONG)
    if not free or ranked:
        long = rejects.drop(long, total == 0, "no choice", path, id="task", cell=name)
    if not ranked and not _in_units(long, source):
        long = rejects.drop(long, total > 1, "several choices", path, id="task", cell=name)
    few = rows + (1 if free else 0) < 2
    long = rejects.drop(long, few, "one alternative", path, id="task", cell=name)
    if source.time is not None:
        return rejects.drop(
            long, pl.col("time").is_null(), "bad time", path, id="task", cell=pl.lit("no time")
        )
    order = pl.col(LINE).min().over(_TASK).rank("dense").over("person")
    return long.with_columns(order.cast(pl.Int64).alias("time"))


def _in_units(long: pl.DataFrame, source: Tasks) -> bool:
    return source.units != Field() or bool((long["chosen"] > 1).any())
