"""Choice tasks: alternatives offered together and what was chosen, in three forms, as items and events.

Every form is first brought into the long one: one row an alternative, in the columns person, task, order,
chosen, category, outside, and one ``a:`` column an attribute. An alternative becomes an item, whose id is its
category and a hash of its attributes; where the file names its item, what varies between the rows of an item is
an offer that the events name. A task becomes a list of impressions and a purchase of what was chosen, or
a ranking where places are given. The worst alternative is in a ranking of two with each that is neither worst
nor best.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import polars as pl

from kgrank.errors import InputError
from kgrank.ingest import fields
from kgrank.ingest.cells.times import seconds
from kgrank.ingest.choice_tasks.chosen import TASK, chosen_keys, chosen_numbers, first_is_chosen
from kgrank.ingest.choice_tasks.dummies import dummies, marks
from kgrank.ingest.columns import STANDARD
from kgrank.ingest.items import raw_column
from kgrank.ingest.mapping import Alternative, AttributeField, Field, Form, Tasks, TimeField
from kgrank.ingest.offers import refuse_brand, task_offers, varying_attributes
from kgrank.ingest.raw import (
    EVENT_COLUMNS,
    ITEM_COLUMNS,
    OFFER_COLUMNS,
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
    attributes = attribute_fields(table, source.attributes, source.rest, used, source.decimal, path, rejects)
    if not attributes and not fields.given(table, source.item, "item", used):
        raise InputError(
            "no attributes and no items",
            where=path,
            expected="attributes of the alternatives, or ids of items of another file",
            todo="Name them in the mapping: attributes, rest: true, or item.",
        )
    build = {Form.LONG: _long, Form.WIDE: _wide, Form.DIFFERENCES: _differences}[source.form]
    ranked = source.form is Form.LONG and _mark(table, source) == "rank"
    long = build(table, source, attributes, path, used, rejects)
    # The texts of a large file are as large as all that is made of them.
    del table
    long = long.with_columns(category_path(source.category))
    long = _offered(long, path, rejects)
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
    long = long.filter(~pl.col("outside"))
    if "item" in long.columns and long["item"].is_not_null().any():
        long, items, varying, offers = _named_items(long, attributes, path)
        if not attributes:
            # Tasks that only name items say nothing of them: another file does.
            items = items.clear()
    else:
        long = alternatives(long, attributes)
        items = long.unique("id", keep="first", maintain_order=True)
        varying, offers = [], pl.DataFrame(schema=OFFER_COLUMNS)
    columns = [
        raw_column(offers if n in varying else items, n, a, path) for n, a in attributes.items() if n != BRAND
    ]
    task = pl.concat_str([pl.col(c).str.replace_all(STEP, ".") for c in TASK], separator="/")
    if "item" in long.columns and long["item"].is_not_null().any() and _tell_tasks_apart(long):
        # Long names of millions of lists are a third of what a store keeps.
        task = pl.col("task")
    shown = long.select(
        pl.lit("impression").alias("kind"),
        pl.col("person").alias("user"),
        pl.col("id").alias("item"),
        "time",
        task.alias("list"),
        pl.col("chosen").alias("value"),
        pl.col("offer") if varying else pl.lit(None, pl.String).alias("offer"),
        LINE,
    )
    if ranked:
        events = shown.with_columns(pl.lit("rank").alias("kind"))
    else:
        bought = shown.filter(pl.col("value") > 0).with_columns(pl.lit("purchase").alias("kind"))
        impressions = shown.with_columns(pl.lit(None, pl.Float64).alias("value"))
        events = pl.concat([impressions, bought, _below_all(shown, long)])
    return Raw(
        items=with_schema(items, ITEM_COLUMNS, path),
        columns=tuple(columns),
        offers=with_schema(offers, OFFER_COLUMNS, path),
        events=with_schema(events, EVENT_COLUMNS, path),
        clock=clock,
        outside=None if ranked else outside,
        tasks=True,
    )


def _below_all(shown: pl.DataFrame, long: pl.DataFrame) -> pl.DataFrame:
    """The worst alternative of each task as rankings of two, below each that is neither worst nor best."""
    names = ["user", "list"]
    worst = shown.filter(long["worst"] > 0).select(
        *names, pl.col("item").alias("worst"), pl.col("offer").alias("worst_offer")
    )
    others = shown.filter((long["worst"] == 0) & (long["chosen"] == 0))
    pairs = others.join(worst, on=names, maintain_order="left").filter(pl.col("item") != pl.col("worst"))
    number = pl.int_range(1, pl.len() + 1).over(names).cast(pl.String)
    pairs = pairs.with_columns(
        pl.lit("rank").alias("kind"), (pl.col("list") + pl.lit("/worst/") + number).alias("list")
    )
    better = pairs.with_columns(pl.lit(1.0).alias("value"))
    worse = pairs.with_columns(
        pl.lit(2.0).alias("value"), pl.col("worst").alias("item"), pl.col("worst_offer").alias("offer")
    )
    return pl.concat([better, worse]).select(shown.columns)


def _tell_tasks_apart(long: pl.DataFrame) -> bool:
    """Whether a person's tasks have different numbers in different categories."""
    return long.n_unique(["person", "task"]) == long.n_unique(TASK)


def _named_items(
    long: pl.DataFrame, attributes: dict[str, AttributeField], path: Path
) -> tuple[pl.DataFrame, pl.DataFrame, list[str], pl.DataFrame]:
    """Rows with the ids of their items and offers, the items, the attributes that vary, and the offers."""
    varying = varying_attributes(long, attributes)
    refuse_brand(varying, path)
    fixed = [f"a:{n}" for n in attributes if n not in varying]
    items = long.group_by("item", maintain_order=True).agg(
        pl.col("category").first(),
        pl.col("category").n_unique().alias("categories"),
        *(pl.col(c).drop_nulls().first() for c in fixed),
        pl.col(LINE).first(),
    )
    several = items.filter(pl.col("categories") > 1)
    if len(several):
        raise InputError(
            f"item {several['item'][0]!r} is in {several['categories'][0]} categories",
            where=f"{path}:{several[LINE][0]}",
            expected="one category an item",
        )
    brand = pl.col(f"a:{BRAND}") if BRAND in attributes else pl.lit(None, pl.String)
    items = items.rename({"item": "id"}).with_columns(brand.alias("brand"))
    long = long.with_columns(pl.col("item").alias("id"))
    if not varying:
        return long, items, varying, pl.DataFrame(schema=OFFER_COLUMNS)
    named, offers = task_offers(long, varying)
    return long.with_columns(named), items, varying, offers


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
        return [*head, seconds(table, source.time, path).alias("time")]
    return head


def _long(
    table: pl.DataFrame,
    source: Tasks,
    attributes: dict[str, AttributeField],
    path: Path,
    used: frozenset[str],
    rejects: Rejects,
) -> pl.DataFrame:
    mark = _mark(table, source)
    taken = frozenset(source.attributes)
    frame = table.select(
        *_head(table, source, path, used, one_a_row=False),
        fields.text(table, source.alternative, "alternative", path, taken),
        fields.text(table, source.item, "item", path, taken),
        fields.required(table, getattr(source, mark), mark, path, taken).alias("chosen"),
        fields.text(table, source.worst, "worst", path, taken),
        fields.text(table, source.available, "available", path, taken),
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
        pl.struct(*TASK, "alternative").is_duplicated()
    )
    if len(twice):
        row = twice.row(0, named=True)
        same = pl.all_horizontal(pl.col(c) == row[c] for c in (*TASK, "alternative"))
        first, second = twice.filter(same)[LINE][:2]
        raise InputError(
            f"alternative {row['alternative']} of task {row['task']} stands in line {first} and {second}",
            where=f"{path}:{second}",
            expected="each alternative of a person's task once",
            todo="Name the columns that tell tasks apart: person, task, category.",
        )
    return chosen_numbers(frame, mark, path, rejects)


def _mark(table: pl.DataFrame, source: Tasks) -> str:
    """What the long form says of an alternative: ``units``, ``rank`` or ``chosen``."""
    taken = frozenset(source.attributes)
    return next((m for m in ("units", "rank") if fields.given(table, getattr(source, m), m, taken)), "chosen")


def _wide(
    table: pl.DataFrame,
    source: Tasks,
    attributes: dict[str, AttributeField],
    path: Path,
    used: frozenset[str],
    rejects: Rejects,
) -> pl.DataFrame:
    """One row a task becomes one an alternative; one whose columns are all empty is not offered."""
    names = {key: alternative.name or key for key, alternative in source.alternatives.items()}
    cells = table.select(fields.required(table, source.chosen, "chosen", path)).to_series()
    choice = chosen_keys(cells, names, "chosen", path, rejects)
    known = choice.is_not_null()
    if source.outside.rows:
        known = known | table.select(matches(table, source.outside.rows, path)).to_series()
    elif source.outside.exists:
        known = known | cells.is_null()
    _refuse_unknown(cells, known, table, source, "chosen", path)
    worst = pl.repeat(None, len(table), dtype=pl.String, eager=True)
    if fields.given(table, source.worst, "worst"):
        cells = table.select(fields.text(table, source.worst, "worst", path)).to_series()
        worst = chosen_keys(cells, names, "worst", path, rejects)
        _refuse_unknown(cells, worst.is_not_null() | cells.is_null(), table, source, "worst", path)
    head = _head(table, source, path, used, one_a_row=True)
    frames = []
    for key, alternative in source.alternatives.items():
        attribute_fields = {n: _of_alternative(a, n, key, alternative) for n, a in attributes.items()}
        frames.append(
            table.select(
                *head,
                pl.lit(key).alias("alternative"),
                (choice == key).fill_null(False).cast(pl.Float64).alias("chosen"),
                (worst == key).fill_null(False).cast(pl.Float64).alias("worst"),
                fields.text(table, _availability(source.available, key, alternative), "available", path),
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


def _refuse_unknown(
    cells: pl.Series, known: pl.Series, table: pl.DataFrame, source: Tasks, column: str, path: Path
) -> None:
    """Raises for the first cell that names no alternative."""
    if not known.all():
        row = int((~known).arg_max() or 0)
        raise InputError(
            f"the {column} alternative is {cells[row]!r}",
            where=f"{path}:{table[LINE][row]}",
            expected=f"one of {', '.join(source.alternatives)}",
        )


def _availability(field: Field, key: str, alternative: Alternative) -> Field:
    """Where a wide table says whether an alternative was on offer."""
    if "available" in alternative.values:
        return Field(constant=alternative.values["available"])
    if field.column is None:
        return field
    return replace(field, column=field.column.replace("{}", alternative.name or key))


def _offered(long: pl.DataFrame, path: Path, rejects: Rejects) -> pl.DataFrame:
    """The alternatives that were on offer; a task whose choice was not is dropped."""
    if "available" not in long.columns or long["available"].is_null().all():
        return long
    offered = marks(long["available"])
    odd = ~offered.is_in([0.0, 1.0]).fill_null(False)
    if odd.any():
        row = int(odd.arg_max() or 0)
        cell = long["available"][row]
        raise InputError(
            f"available is {repr(cell) if cell else 'empty'}",
            where=f"{path}:{long[LINE][row]}",
            expected="1 where the alternative was on offer, else 0",
        )
    missing = pl.Series("missing", offered == 0.0)
    long = long.with_columns(missing)
    lost = (pl.col("missing") & ((pl.col("chosen") > 0) | (pl.col("worst") > 0))).any().over(TASK)
    name = pl.concat_str(TASK, separator="/")
    long = rejects.drop(long, lost, "not on offer", path, id="task", cell=name)
    count = int(long["missing"].sum())
    if count:
        rejects.notes.append(
            f"{path.name}: {count:,} of {len(long):,} alternatives were not on offer in their tasks"
        )
    return long.filter(~pl.col("missing"))


def _of_alternative(field: AttributeField, name: str, key: str, alternative: Alternative) -> AttributeField:
    """An attribute's field for one alternative: its own value, else the field with ``{}`` filled in."""
    if name in alternative.values:
        return replace(field, constant=alternative.values[name], column=None, one_hot={}, one_hot_base=None)
    word = alternative.name or key
    if field.one_hot:
        return replace(field, one_hot={c.replace("{}", word): v for c, v in field.one_hot.items()})
    if field.constant is not None:
        return replace(field, constant=field.constant.replace("{}", word))
    return replace(field, column=(field.column or name).replace("{}", word))


def _differences(
    table: pl.DataFrame,
    source: Tasks,
    attributes: dict[str, AttributeField],
    path: Path,
    used: frozenset[str],
    rejects: Rejects,
) -> pl.DataFrame:
    """One row a pair: a level at +1 is the first alternative's, at -1 the second's.

    Where the other side of an attribute has no level of its own, it has the base level; where an attribute is
    zero throughout, the pair does not differ in it and neither side gets a value.
    """
    chosen = table.select(fields.required(table, source.chosen, "chosen", path).alias("chosen"), LINE)
    first = first_is_chosen(chosen, path)
    head = _head(table, source, path, used, one_a_row=True)
    frames = [
        table.select(
            *head,
            pl.lit(name).alias("alternative"),
            pick.alias("chosen"),
            pl.lit(0.0).alias("worst"),
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
    for column in field.one_hot:
        require(table, column, path)
    signs = dummies(table, field, name, path)
    cells = {value: pl.lit(signs[column]) for column, value in field.one_hot.items()}
    differs = pl.any_horizontal(c != 0 for c in cells.values())
    value = pl.when(differs).then(pl.lit(field.one_hot_base, dtype=pl.String))
    for word, cell in cells.items():
        value = pl.when(cell == sign).then(pl.lit(word)).otherwise(value)  # type: ignore[assignment]
    return value


def _whole_tasks(
    long: pl.DataFrame, source: Tasks, path: Path, rejects: Rejects, *, ranked: bool
) -> pl.DataFrame:
    """Tasks with one choice among at least two; without a clock, time is the order of a person's tasks."""
    lacking = pl.any_horizontal(pl.col(c).is_null() for c in TASK)
    long = rejects.drop(long, lacking, "no id", path, id="task", cell=pl.lit("no category, person or task"))
    if "item" in long.columns and long["item"].is_not_null().any():
        unnamed = (pl.col("item").is_null() & ~pl.col("outside")).any().over(TASK)
        long = rejects.drop(
            long, unnamed, "no id", path, id="task", cell=pl.lit("an alternative without item")
        )
    total, rows = pl.col("chosen").sum().over(TASK), pl.len().over(TASK)
    name = pl.concat_str(TASK, separator="/")
    free = source.outside.exists and not (source.outside.rows and source.form is Form.LONG)
    if not free or ranked:
        long = rejects.drop(long, total == 0, "no choice", path, id="task", cell=name)
    if not ranked and not _in_units(long, source):
        long = rejects.drop(long, total > 1, "several choices", path, id="task", cell=name)
    if not ranked:
        several = pl.col("worst").sum().over(TASK) > 1
        long = rejects.drop(long, several, "several worst", path, id="task", cell=name)
        both = ((pl.col("worst") > 0) & (pl.col("chosen") > 0)).any().over(TASK)
        long = rejects.drop(long, both, "worst is best", path, id="task", cell=name)
    few = rows + (1 if free else 0) < 2
    long = rejects.drop(long, few, "one alternative", path, id="task", cell=name)
    if source.time is not None:
        return rejects.drop(
            long, pl.col("time").is_null(), "bad time", path, id="task", cell=pl.lit("no time")
        )
    order = pl.col(LINE).min().over(TASK).rank("dense").over("person")
    return long.with_columns(order.cast(pl.Int64).alias("time"))


def _in_units(long: pl.DataFrame, source: Tasks) -> bool:
    return source.units != Field() or bool((long["chosen"] > 1).any())
