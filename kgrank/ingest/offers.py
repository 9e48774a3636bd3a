"""Offers: what changes about an item over time, from files with periods or read off events and tasks."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path

import polars as pl

from kgrank.errors import InputError
from kgrank.ingest import fields
from kgrank.ingest.cells.times import DAY, seconds
from kgrank.ingest.columns import OFFERS, schema
from kgrank.ingest.items import raw_column
from kgrank.ingest.mapping import AttributeField, Offers, TimeField
from kgrank.ingest.raw import OFFER_COLUMNS, Raw, RawColumn, attribute_fields, with_schema
from kgrank.ingest.read import read_table
from kgrank.ingest.report import Rejects
from kgrank.ingest.rows import LINE
from kgrank.ontology.model import BRAND, Ontology
from kgrank.ontology.units import find_unit

ALWAYS, FOREVER = -(10**15), 10**15
"""The start and the stop of an offer that names none; no store parses infinity."""

_WHO = ["item", "place"]


def read_offers(folder: Path, source: Offers, rejects: Rejects) -> Raw:
    """The offers of a file; where two of an item and place overlap, the one that begins last counts.

    Raises:
        InputError: A column is missing, or there is no attribute.
    """
    path, table = folder / source.file, read_table(folder, source, rejects)
    rejects.read[source.file] = len(table)
    used = fields.columns_of(source.item) | fields.columns_of(source.place)
    used |= {"item", "place", source.start.column, source.end.column}
    used |= {a.column or name for name, a in source.attributes.items()}
    attributes = attribute_fields(table, source.attributes, source.rest, used, source.decimal, path, rejects)
    if not attributes:
        raise InputError(
            "no attributes",
            where=path,
            expected="columns of what changes, such as price",
            todo="Name them in the mapping: attributes, or rest: true.",
        )
    refuse_brand(attributes, path)
    begins, ends = _moments(table, source.start, path), _moments(table, source.end, path)
    frame = table.select(
        fields.required(table, source.item, "item", path),
        fields.text(table, source.place, "place", path),
        begins.alias("start"),
        ends.alias("stop"),
        _cell(table, source.start).alias("from"),
        _cell(table, source.end).alias("to"),
        *(fields.attribute(table, a, n, path).alias(f"a:{n}") for n, a in attributes.items()),
        LINE,
    )
    frame = rejects.drop(frame, pl.col("item").is_null(), "no id", path, id="item", cell=pl.lit("no item id"))
    for moment, cell, key in (("start", "from", "start"), ("stop", "to", "end")):
        unread = pl.col(moment).is_null() & pl.col(cell).is_not_null()
        todo = f'Write how times are written in the mapping: `{key}: {{column: {cell}, format: "%d.%m.%Y"}}`.'
        frame = rejects.drop(frame, unread, "bad time", path, id="item", cell=pl.col(cell), todo=todo)
    # A day without a time of day counts to its end.
    is_day = (pl.col("stop") % DAY == 0) & ~pl.col("to").str.contains(":")
    frame = frame.with_columns(
        pl.col("start").fill_null(ALWAYS),
        pl.when(is_day).then(pl.col("stop") + DAY).otherwise("stop").fill_null(FOREVER).alias("stop"),
    )
    period = pl.format("{} to {}", pl.col("from").fill_null("always"), pl.col("to").fill_null("open"))
    empty = pl.col("stop") <= pl.col("start")
    frame = rejects.drop(frame, empty, "ends before it begins", path, id="item", cell=period)
    data = [c for c in frame.columns if c != LINE]
    again = pl.struct(data).is_first_distinct().not_()
    frame = rejects.drop(frame, again, "duplicate row", path, id="item", cell=period)
    same_period = pl.struct(*_WHO, "start", "stop").is_first_distinct().not_()
    frame = rejects.drop(frame, same_period, "two offers at once", path, id="item", cell=period)
    pieces = _without_overlaps(frame.drop("from", "to"), path, rejects)
    pieces = _with_ids(pieces, [*_WHO, "start", "stop"]).with_columns(pl.lit(False).alias("observed"))
    return Raw(
        offers=with_schema(pieces, OFFER_COLUMNS, path),
        columns=tuple(raw_column(pieces, n, a, path) for n, a in attributes.items()),
    )


def refuse_brand(varying: Iterable[str], path: Path) -> None:
    """InputError where the brand is among the attributes that change over time."""
    if BRAND in varying:
        raise InputError(
            "the brand is among what changes over time",
            where=path,
            expected="one brand of an item; prices, promotions and stock may change",
            todo="Leave the column out (leave_out), or give the items of two brands two ids.",
        )


def observed_offers(
    frame: pl.DataFrame,
    attributes: Mapping[str, AttributeField],
    path: Path,
    rejects: Rejects,
    *,
    clock: bool,
) -> tuple[pl.DataFrame, pl.DataFrame, tuple[RawColumn, ...]]:
    """The events with the id of their offer, the offers, and the texts of their attributes.

    What an item has in successive events of a place is one offer while it stays the same; it holds until an
    event shows another. Without a clock it holds for its own events alone.

    Args:
        frame: Events in the columns user, item, place, time, LINE and an ``a:`` column an attribute.
        attributes: The attributes, by name.
        path: The file.
        rejects: Takes a note where an item has two values on one day.
        clock: Whether times are of a clock.
    """
    texts = [f"a:{n}" for n in attributes]
    valued = pl.col("item").is_not_null() & pl.any_horizontal(pl.col(c).is_not_null() for c in texts)
    state = pl.concat_str([pl.col(c).fill_null("\x00") for c in texts], separator="\x1f").alias("state")
    numbered = frame.with_row_index("event").with_columns(state)
    if not clock:
        numbered = numbered.with_columns(pl.lit(None, pl.String).alias("place"))
    order = [*_WHO, "time"] if clock else ["item", "state"]
    runs = numbered.filter(valued).sort(*order, LINE)
    if clock:
        _note_two_values_a_day(runs, path, rejects)
    runs = runs.with_columns(pl.struct(*_WHO, "state").rle_id().alias("run"))
    offers = runs.group_by("run", maintain_order=True).agg(
        pl.col("item", "place", "state", LINE, *texts).first(), pl.col("time").min().alias("start")
    )
    later = pl.col("start").shift(-1).over(_WHO).fill_null(FOREVER)
    offers = offers.with_columns((later if clock else pl.col("start")).alias("stop"))
    offers = _with_ids(offers, [*_WHO, "start", "state"]).with_columns(pl.lit(True).alias("observed"))
    named = runs.select("event", "run").join(offers.select("run", offer="id"), on="run")
    events = frame.with_row_index("event")
    events = events.join(named.select("event", "offer"), on="event", how="left", maintain_order="left")
    columns = tuple(raw_column(offers, n, a, path) for n, a in attributes.items())
    return events.drop("event", *texts), with_schema(offers, OFFER_COLUMNS, path), columns


def varying_attributes(frame: pl.DataFrame, attributes: Iterable[str]) -> list[str]:
    """The attributes of which some item has two texts, in the columns item and ``a:`` name."""
    counts = frame.group_by("item").agg(pl.col(f"a:{n}").drop_nulls().n_unique() for n in attributes)
    return [n for n in attributes if (counts[f"a:{n}"] > 1).any()]


def task_offers(frame: pl.DataFrame, varying: list[str]) -> tuple[pl.Series, pl.DataFrame]:
    """The offer of each row, and the offers: one for each combination of the varying attributes of an item.

    Each holds for the rows that name it alone: tasks say nothing of what was on offer at other times.

    Args:
        frame: Rows in the columns item, time, LINE and an ``a:`` column an attribute.
        varying: Those that vary.
    """
    texts = [f"a:{n}" for n in varying]
    key = ["item", *texts]
    offers = frame.group_by(key, maintain_order=True).agg(
        pl.col("time").min().alias("start"), pl.col(LINE).first()
    )
    offers = _with_ids(offers, key).with_columns(
        pl.col("start").alias("stop"), pl.lit(None, pl.String).alias("place"), pl.lit(True).alias("observed")
    )
    named = frame.select(key).join(
        offers.select(*key, "id"), on=key, how="left", nulls_equal=True, maintain_order="left"
    )
    return named["id"].alias("offer"), offers


def clean_offers(offers: pl.DataFrame, values: pl.DataFrame) -> pl.DataFrame:
    """Offers with their clean values, in the columns of ``OFFERS``."""
    table = offers.join(values.rename({"item": "id"}).select("id", "attribute", "value", "number"), on="id")
    return table.select([pl.col(c).cast(t) for c, t in schema(OFFERS).items()]).sort(
        "id", "attribute", "value"
    )


def present_values(values: pl.DataFrame, offered: pl.DataFrame, now: int) -> pl.DataFrame:
    """What items have now where the catalogue does not say it: the values of the offer that began last.

    Args:
        values: Of the items, in the columns item and attribute, among others.
        offered: Of the offers, in the same columns and id, item, start.
        now: Offers that begin later do not count, unless an item has no other.
    """
    lacking = offered.join(values, on=["item", "attribute"], how="anti")
    lacking = lacking.sort(pl.col("start") <= now, "start", "id", maintain_order=True)
    return lacking.filter(pl.col("id") == pl.col("id").last().over("item", "attribute"))


def note_prices_of_zero(clean: pl.DataFrame, ontology: Ontology, rejects: Rejects) -> None:
    """Notes offers of an attribute in a currency, or called price, whose number is 0."""
    for attribute in ontology.attributes.values():
        unit = find_unit(attribute.unit) if attribute.unit else None
        if "price" not in attribute.id.lower() and not (unit and unit.dimension.startswith("currency")):
            continue
        zero = clean.filter((pl.col("attribute") == attribute.id) & (pl.col("number") == 0.0))
        if len(zero):
            rejects.notes.append(
                f"{len(zero):,} offers have the {attribute.id} 0, the first of {zero['item'][0]}: it counts as it "
                "is (where 0 means not known, write `missing: ['0']` for the attribute in the mapping)"
            )


def note_purchases_without_offer(events: pl.DataFrame, offers: pl.DataFrame, rejects: Rejects) -> None:
    """Notes how many purchases are of items that offers name, but not at that time and place."""
    dated = offers.filter(~pl.col("observed")).select("item", "place", "start", "stop").unique()
    bought = events.filter((pl.col("kind") == "purchase") & pl.col("offer").is_null())
    bought = bought.select("id", "item", "place", "time").join(dated, on="item", how="semi")
    if bought.is_empty():
        return
    holds = (pl.col("start") <= pl.col("time")) & (pl.col("time") < pl.col("stop"))
    covered = [
        bought.sort("time").join_asof(
            part.sort("start"), left_on="time", right_on="start", by=by, check_sortedness=False
        )
        for part, by in (
            (dated.filter(pl.col("place").is_not_null()), _WHO),
            (dated.filter(pl.col("place").is_null()).drop("place"), ["item"]),
        )
    ]
    count = pl.concat([c.filter(holds).select("id") for c in covered])["id"].n_unique()
    if count < len(bought):
        rejects.notes.append(
            f"{len(bought) - count:,} of {len(bought):,} purchases of items with offers are at a time or place "
            "without one: they count with the values of the last offer before, else with those of the catalogue"
        )


def _cell(table: pl.DataFrame, field: TimeField) -> pl.Expr:
    there = field.column in table.columns
    return pl.col(field.column) if there else pl.lit(None, dtype=pl.String)


def _moments(table: pl.DataFrame, field: TimeField, path: Path) -> pl.Series:
    """Seconds since 1970; null on every row where the file has no such column under its standard name."""
    absent = field.column not in table.columns and field in (TimeField(column="from"), TimeField(column="to"))
    if absent or (field.column in table.columns and table[field.column].is_null().all()):
        return pl.repeat(None, len(table), dtype=pl.Int64, eager=True)
    return seconds(table, field, path)


def _without_overlaps(frame: pl.DataFrame, path: Path, rejects: Rejects) -> pl.DataFrame:
    """Periods cut so that one holds at a time: the one that begins last, of those the one that ends first."""
    frame = frame.sort(*_WHO, "start", "stop")
    follows = (pl.col("start") < pl.col("stop").shift(1).cum_max().over(_WHO)).fill_null(False)
    frame = frame.with_columns(follows.any().over(_WHO).alias("overlaps"))
    apart, over = (frame.filter(flag).drop("overlaps") for flag in (~pl.col("overlaps"), pl.col("overlaps")))
    if over.is_empty():
        return apart
    pairs = over.n_unique(_WHO)
    rejects.notes.append(
        f"{path.name}: offers of {pairs:,} items or places overlap, the first of {over['item'][0]}: of two that "
        "hold at once the one that begins last counts, and the other again when it ends"
    )
    bounds = (
        pl.concat([over.select(*_WHO, at="start"), over.select(*_WHO, at="stop")]).unique().sort(*_WHO, "at")
    )
    spans = bounds.with_columns(pl.col("at").shift(-1).over(_WHO).alias("next")).drop_nulls("next")
    pieces = over.join(spans, on=_WHO, nulls_equal=True)
    pieces = pieces.filter((pl.col("start") <= pl.col("at")) & (pl.col("at") < pl.col("stop")))
    pieces = pieces.sort(*_WHO, "at", "start", pl.col("stop"), descending=[False, False, False, True, False])
    pieces = pieces.unique([*_WHO, "at"], keep="first", maintain_order=True)
    # Pieces of one offer that touch are one again.
    same = (pl.col(LINE) == pl.col(LINE).shift(1)) & (pl.col("at") == pl.col("next").shift(1))
    pieces = pieces.with_columns((~same).fill_null(True).cum_sum().alias("run"))
    data = [c for c in over.columns if c not in ("start", "stop")]
    pieces = pieces.group_by("run", maintain_order=True).agg(
        pl.col(data).first(), pl.col("at").first().alias("start"), pl.col("next").last().alias("stop")
    )
    return pl.concat([apart, pieces.select(apart.columns)])


def _note_two_values_a_day(runs: pl.DataFrame, path: Path, rejects: Rejects) -> None:
    day = pl.col("time") // DAY
    counts = runs.group_by(*_WHO, day.alias("day")).agg(pl.col("state").n_unique())
    twice = counts.filter(pl.col("state") > 1).sort(*_WHO, "day")
    if len(twice):
        rejects.notes.append(
            f"{path.name}: {twice['item'].n_unique():,} items have two values on one day and place, the first is "
            f"{twice['item'][0]}: each event counts with its own"
        )


def _with_ids(offers: pl.DataFrame, content: list[str]) -> pl.DataFrame:
    """Offers with an id, a hash of the content: twelve characters, which stores keep in half the time of more."""
    texts = offers.select(
        pl.concat_str([pl.col(c).cast(pl.String).fill_null("\x00") for c in content], separator="\x1f")
    ).to_series()
    digests = [hashlib.blake2b(t.encode(), digest_size=8).digest() for t in texts]
    ids = ["@" + base64.urlsafe_b64encode(digest).decode().rstrip("=") for digest in digests]
    return offers.with_columns(pl.Series("id", ids, pl.String))
