"""A folder of files as clean tables: read, held to the ontology, every dropped row with its reason."""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from kgrank.errors import InputError
from kgrank.ingest import infer
from kgrank.ingest.cells.normalise import (
    attribute_id,
    brand_ids,
    category_ids,
    find_categories,
    renamed,
    values_of,
)
from kgrank.ingest.cells.spellings import one_spelling, one_spelling_a_step, one_spelling_a_value
from kgrank.ingest.choice_tasks.pairs import read_pairs
from kgrank.ingest.choice_tasks.ratings import read_ratings
from kgrank.ingest.choice_tasks.tasks import read_tasks
from kgrank.ingest.columns import EVENTS, ITEMS, KINDS, OFFERS, VALUES, schema
from kgrank.ingest.events import read_events, read_sequences, without_bots
from kgrank.ingest.feedback import checked
from kgrank.ingest.items import merge_items, read_items
from kgrank.ingest.mapping import Mapping, default_mapping
from kgrank.ingest.offers import (
    clean_offers,
    note_prices_of_zero,
    note_purchases_without_offer,
    present_values,
    read_offers,
)
from kgrank.ingest.people import clean_people, read_people
from kgrank.ingest.raw import EVENT_COLUMNS, Raw, RawColumn
from kgrank.ingest.report import Rejects, Report
from kgrank.ingest.rows import FILE, LINE
from kgrank.ingest.rules import contradictions, impute
from kgrank.ontology.model import BRAND, AttributeType, Ontology

_NEW_CONTENT = ("place", "offer")
"""Columns of events that an earlier kgrank did not have: without them, an event keeps the id that it had."""

_AT_ONCE = 500_000
"""Events whose texts are in memory at once."""


@dataclass(frozen=True)
class Log:
    """What holds of all events, and learning must know.

    Attributes:
        clock: ``utc`` where times are seconds since 1970, ``order`` where they only say what came first.
        outside: Whether people could choose nothing.
        impressions: Whether the log says what was shown.
    """

    clock: str
    outside: bool
    impressions: bool


@dataclass(frozen=True)
class Clean:
    """A shop ready for the graph: the ontology, and tables in the columns of ``kgrank.ingest.columns``.

    ``people`` is None where no file says who is in which segment.
    """

    ontology: Ontology
    items: pl.DataFrame
    values: pl.DataFrame
    events: pl.DataFrame
    report: Report
    log: Log
    notes: tuple[str, ...] = ()
    offers: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=schema(OFFERS)))
    people: pl.DataFrame | None = None


def ingest(folder: Path, *, ontology: Ontology | None = None, mapping: Mapping | None = None) -> Clean:
    """The files of a folder as clean tables.

    Without an ontology, one is inferred from the mapping and the data. Without a mapping, the files and
    columns have the standard names (docs/file-schemas.md).

    Raises:
        InputError: A file, a column or a word is not what it should be; nothing is written in any case.
    """
    mapping = mapping or default_mapping(folder)
    rejects = Rejects()
    raws = _read(folder, mapping, rejects)
    notes = [mapping.about] if mapping.about else []
    items = merge_items([r.items for r in raws if len(r.items)], folder)
    items = rejects.drop_each(
        items, pl.col("category").is_null(), "no category", id="id", cell=pl.lit("no category")
    )
    items = items.with_columns(one_spelling(items["brand"], BRAND, rejects))
    columns = [c for r in raws for c in r.columns]
    given = ontology is not None
    if ontology is None:
        items = items.with_columns(one_spelling_a_step(items["category"], rejects))
        ontology = infer.skeleton(items, columns)
        ids = {path: infer.category_id(path) for path in items["category"].unique()}
        items = items.with_columns(pl.col("category").replace(ids))
    else:
        columns = _known_columns(columns, ontology, rejects)
        items = category_ids(items, ontology, rejects)
        if items["brand"].is_not_null().any():
            attribute_id(BRAND, ontology, items[FILE][0])
    items = brand_ids(items, ontology, rejects)
    offers = _offers(raws, items, rejects)
    # An offer's values are read like those of an item of its category.
    carriers = pl.concat([items.select("id", "category"), offers.select("id", "category")])
    values = _values(items, carriers, columns, ontology, rejects)
    if given:
        for raw in raws:
            category_ids(raw.events, ontology, rejects)
    rejects.refuse_unknown()
    if given:
        values = _applicable(values, carriers, ontology, rejects)
    offered, values = (
        values.join(offers, left_on="item", right_on="id", how=how) for how in ("semi", "anti")
    )
    offered = offered.rename({"item": "id"}).join(offers.select("id", "item", "start"), on="id")
    now = present_values(values, offered, int(time.time()))
    values = pl.concat([values, now.select(values.columns)])
    if given:
        values = impute(values, items, ontology)
        wrong = contradictions(values, items, ontology)
        rejects.keep(wrong, "contradiction", id="id", cell=pl.col("rule"))
    else:
        every = pl.concat([values, offered.select(values.columns)])
        ontology = infer.with_data_values(ontology, items, every)
        notes.append(infer.describe(ontology))
        notes += infer.doubts(ontology, columns)
    people = None
    if mapping.people:
        members = pl.concat([r.people for r in raws])
        ontology = ontology if given else infer.with_segments(ontology, members["segment"])
        people = clean_people(members, ontology, rejects)
    events = _events(raws, items, ontology, folder, rejects, given=given)
    log = _log(raws, events, folder)
    if log.clock == "order" and not offers["observed"].all():
        raise InputError(
            "offers have times of a clock, and the log has only an order",
            where=folder,
            expected="events with the time at which they happened",
            todo="Leave the offers out, or name the log's time in the mapping.",
        )
    table = clean_offers(offers, offered.drop("item").rename({"id": "item"}))
    note_prices_of_zero(table, ontology, rejects)
    note_purchases_without_offer(events, table, rejects)
    notes += rejects.all_notes()
    return Clean(
        ontology, *_tables(items, values, events), rejects.report(), log, tuple(notes), table, people
    )


def _known_columns(columns: list[RawColumn], ontology: Ontology, rejects: Rejects) -> list[RawColumn]:
    """The columns under the ids of their attributes; unknown ones are noted."""
    known = []
    for column in columns:
        try:
            known.append(renamed(column, ontology))
        except InputError as error:
            rejects.unknown(error)
    return known


def _read(folder: Path, mapping: Mapping, rejects: Rejects) -> list[Raw]:
    return [
        *(read_items(folder, s, rejects) for s in mapping.items),
        *(read_offers(folder, s, rejects) for s in mapping.offers),
        *(read_tasks(folder, s, rejects) for s in mapping.tasks),
        *(read_ratings(folder, s, rejects) for s in mapping.ratings),
        *(read_pairs(folder, s, rejects) for s in mapping.pairs),
        *(read_events(folder, s, rejects) for s in mapping.events),
        *(read_sequences(folder, s, rejects) for s in mapping.sequences),
        *(read_people(folder, s, rejects) for s in mapping.people),
    ]


def _offers(raws: list[Raw], items: pl.DataFrame, rejects: Rejects) -> pl.DataFrame:
    """The offers of known items, with the item's category."""
    offers = pl.concat([r.offers for r in raws])
    dated = rejects.drop_each(
        offers.filter(~pl.col("observed")),
        ~pl.col("item").is_in(items["id"].implode()),
        "unknown item",
        id="item",
        cell=pl.col("item"),
    )
    offers = pl.concat([dated, offers.filter("observed")])
    return offers.join(items.select("category", item="id"), on="item", maintain_order="left")


def _values(
    items: pl.DataFrame,
    carriers: pl.DataFrame,
    columns: list[RawColumn],
    ontology: Ontology,
    rejects: Rejects,
) -> pl.DataFrame:
    """All values, the brands among them, with the column ``imputed``; once an item, or offer, and attribute."""
    brands = items.filter(pl.col("brand").is_not_null()).select(
        pl.col("id").alias("item"),
        pl.lit(BRAND).alias("attribute"),
        pl.col("brand").alias("value"),
        pl.lit(None, pl.Float64).alias("number"),
        LINE,
        FILE,
    )
    values = pl.concat([brands, *(values_of(c, ontology, rejects) for c in columns)])
    values = values.filter(pl.col("item").is_in(carriers["id"].implode()))
    values = one_spelling_a_value(values, ontology, rejects)
    values = values.unique(["item", "attribute", "value", "number"], keep="first", maintain_order=True)
    many = [a.id for a in ontology.attributes.values() if a.type is AttributeType.CHOICES]
    single = values.filter(~pl.col("attribute").is_in(many))
    clash = single.filter(pl.struct("item", "attribute").is_duplicated()).sort("item", "attribute")
    if len(clash):
        first, second = clash.row(0, named=True), clash.row(1, named=True)
        shown = [f"{r['value'] or r['number']} in {r[FILE]}:{r[LINE]}" for r in (first, second)]
        raise InputError(
            f"item {first['item']!r} has two values of {first['attribute']}: {' and '.join(shown)}",
            expected="one, or an attribute of type Choices",
        )
    return values.with_columns(pl.lit(False).alias("imputed"))


def _applicable(
    values: pl.DataFrame, carriers: pl.DataFrame, ontology: Ontology, rejects: Rejects
) -> pl.DataFrame:
    """The values of attributes that apply in the item's category and lie in its range."""
    rows = [
        (
            c,
            a.attribute,
            a.minimum,
            a.maximum,
            list(a.values) if _narrowed(ontology, a.attribute, a.values) else None,
        )
        for c in carriers["category"].unique()
        for a in ontology.applicable(c).values()
    ]
    table = pl.DataFrame(
        rows,
        schema={
            "category": pl.String,
            "attribute": pl.String,
            "low": pl.Float64,
            "high": pl.Float64,
            "allowed": pl.List(pl.String),
        },
        orient="row",
    ).with_columns(pl.lit(True).alias("applies"))
    values = values.join(carriers, left_on="item", right_on="id", maintain_order="left")
    values = values.join(table, on=["category", "attribute"], how="left", maintain_order="left")
    text = pl.format("{} = {}", "attribute", pl.coalesce("value", pl.col("number").cast(pl.String)))
    values = rejects.drop_each(values, pl.col("applies").is_null(), "does not apply", id="item", cell=text)
    outside = (pl.col("number") < pl.col("low")) | (pl.col("number") > pl.col("high"))
    values = rejects.drop_each(values, outside, "out of range", id="item", cell=text)
    narrow = pl.col("allowed").is_not_null() & ~pl.col("value").is_in(pl.col("allowed"))
    values = rejects.drop_each(values, narrow, "outside the category", id="item", cell=text)
    return values.drop("category", "low", "high", "allowed", "applies")


def _narrowed(ontology: Ontology, attribute: str, values: tuple[str, ...]) -> bool:
    return set(values) != set(ontology.attributes[attribute].values)


def _events(
    raws: list[Raw], items: pl.DataFrame, ontology: Ontology, folder: Path, rejects: Rejects, *, given: bool
) -> pl.DataFrame:
    """All events on known items, with ids; times of a log without a clock continue from the file before."""
    tables, known, last = [], items["id"].implode(), 0
    for raw in raws:
        events = raw.events
        if not len(events):
            continue
        path = folder / events[FILE][0]
        stray = pl.col("item").is_not_null() & ~pl.col("item").is_in(known)
        events = rejects.drop(events, stray, "unknown item", path, id="user", cell=pl.col("item"))
        if not raw.tasks:
            if raw.clock:
                events = without_bots(events, path, rejects)
            else:
                events = events.with_columns(pl.col("time") + last)
                last = int(events["time"].max() or last)  # type: ignore[arg-type]
        tables.append(events)
    events = checked(pl.concat(tables) if tables else pl.DataFrame(schema=EVENT_COLUMNS), rejects)
    if given:
        events = category_ids(events, ontology, rejects)
    else:
        ids_by_text = find_categories(events["category"], ontology)
        events = events.with_columns(pl.col("category").replace_strict(ids_by_text, return_dtype=pl.String))
    nowhere = events.filter((pl.col("kind") == "search") & pl.col("category").is_null())
    rejects.keep(nowhere, "search without category", id="user", cell=pl.col("query"))
    return _with_ids(events)


def _with_ids(events: pl.DataFrame) -> pl.DataFrame:
    """Events in order, each with an id made of its content; equal events are numbered."""
    order = pl.col("kind").replace_strict({k: i for i, k in enumerate(KINDS)}, return_dtype=pl.Int64)
    content = [c for c in schema(EVENTS) if c not in ("id", *_NEW_CONTENT)]
    events = events.sort(
        "time",
        "user",
        order,
        "list",
        "position",
        "item",
        "category",
        "session",
        "query",
        "value",
        nulls_last=True,
    )
    text = pl.concat_str(
        [pl.col(c).cast(pl.String).fill_null("\x00") for c in content], separator="\x1f"
    ) + pl.concat_str([(pl.lit(f"\x1f{c}=") + pl.col(c)).fill_null("") for c in _NEW_CONTENT])
    # Part by part: the texts of millions of events take more memory than the events.
    digests = [_digests(part.select(text).to_series()) for part in events.iter_slices(_AT_ONCE)]
    events = events.with_columns(pl.concat(digests) if digests else pl.Series("id", [], pl.String))
    if not events["id"].is_duplicated().any():
        return events
    again = pl.int_range(pl.len()).over("id")
    return events.with_columns(
        pl.when(again > 0).then(pl.format("{}-{}", "id", again)).otherwise("id").alias("id")
    )


def _digests(texts: pl.Series) -> pl.Series:
    return pl.Series("id", [hashlib.blake2b(t.encode(), digest_size=8).hexdigest() for t in texts], pl.String)


def _log(raws: list[Raw], events: pl.DataFrame, folder: Path) -> Log:
    clocks = {r.clock for r in raws if r.clock is not None}
    if len(clocks) > 1:
        raise InputError(
            "some files have a clock and some only an order",
            where=folder,
            expected="one or the other",
            todo="Load them into two stores, or write `time: order` for all.",
        )
    outside = {r.outside for r in raws if r.outside is not None}
    if len(outside) > 1:
        raise InputError(
            "people could choose nothing in some files and not in others",
            where=folder,
            expected="one or the other",
            todo="Load them into two stores.",
        )
    return Log(
        clock="order" if clocks == {False} else "utc",
        outside=outside == {True},
        impressions=bool((events["kind"] == "impression").any()),
    )


def _tables(
    items: pl.DataFrame, values: pl.DataFrame, events: pl.DataFrame
) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """The clean tables in their columns and order; the brands go back to the items."""
    brands = values.filter(pl.col("attribute") == BRAND).select(
        pl.col("item").alias("id"), pl.col("value").alias("brand")
    )
    items = items.drop("brand").join(brands, on="id", how="left").select(list(schema(ITEMS))).sort("id")
    values = values.filter(pl.col("attribute") != BRAND).select(list(schema(VALUES)))
    return items, values.sort("item", "attribute", "value"), events.select(list(schema(EVENTS)))
