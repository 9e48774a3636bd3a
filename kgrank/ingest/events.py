"""Behaviour logs: one row an event, or one line a user."""

from __future__ import annotations

import time
from pathlib import Path

import polars as pl

from kgrank.errors import InputError, did_you_mean
from kgrank.ingest import fields
from kgrank.ingest.columns import KINDS, STANDARD
from kgrank.ingest.mapping import ORDER, Events, Sequences
from kgrank.ingest.raw import EVENT_COLUMNS, Raw, category_path, with_schema
from kgrank.ingest.read import read_lines, read_table, require
from kgrank.ingest.report import Rejects
from kgrank.ingest.rows import LINE

DAY = 86_400
HOUR = 3_600
HALF_AN_HOUR = 1_800
"""Without sessions, an act belongs to what was shown at most so many seconds before."""
ACTIONS_AN_HOUR = 300
"""More searches, views and carts than this within an hour of the clock are no person's."""
IMPRESSIONS_WITHOUT_ACTION = 500
"""A user with more impressions than this and nothing else is no person."""

_TEXTS = tuple(name for name in STANDARD["events"] if name != "time")


def read_events(folder: Path, source: Events, rejects: Rejects) -> Raw:
    """The events of a file.

    Raises:
        InputError: A column is missing, a kind is unknown, or most rows are wrong in one way.
    """
    path, table = folder / source.file, read_table(folder, source, rejects)
    rejects.read[source.file] = len(table)
    clock = source.time.column != ORDER
    used = frozenset({source.time.column}).union(*(fields.columns_of(getattr(source, n)) for n in _TEXTS))
    for name in ("user", "kind"):
        fields.required(table, getattr(source, name), name, path, used)
    frame = table.select(
        *(fields.text(table, getattr(source, n), n, path, used) for n in _TEXTS),
        fields.seconds(table, source.time, path).alias("time")
        if clock
        else pl.int_range(1, pl.len() + 1, dtype=pl.Int64).alias("time"),
        table[require(table, source.time.column, path)].alias("clock")
        if clock
        else pl.lit("").alias("clock"),
        LINE,
    )
    _known_kinds(frame, path)
    if (frame["kind"] != "search").any() and frame["item"].is_null().all():
        require(table, source.item.column or "item", path)
    frame = _clean_rows(frame, path, rejects)
    frame = frame.with_columns(category_path(source.category))
    impressions = (frame["kind"] == "impression").any()
    if impressions:
        frame = _lists(frame, clock, path)
    outside = source.outside if source.outside is not None else impressions or None
    return Raw(events=with_schema(frame, EVENT_COLUMNS, path), clock=clock, outside=outside)


def read_sequences(folder: Path, source: Sequences, rejects: Rejects) -> Raw:
    """The events of a file with one line a user; their time is the place in the line, from 1.

    Raises:
        InputError: The file is empty or a line has no item.
    """
    path, lines = folder / source.file, read_lines(folder, source)
    rejects.read[source.file] = len(lines)
    parts = pl.col("text").str.replace_all(r"\s+", " ").str.split(" ")
    if source.separator is not None:
        parts = pl.col("text").str.split(source.separator)
    table = lines.select(parts.alias("parts"), LINE)
    short = table.filter(pl.col("parts").list.len() < 2)
    if len(short):
        raise InputError(
            "a line with one word",
            where=f"{path}:{short[LINE][0]}",
            expected="a user, then at least one item",
        )
    frame = table.select(
        pl.col("parts").list.first().alias("user"),
        pl.col("parts").list.slice(1).alias("item"),
        pl.int_ranges(1, pl.col("parts").list.len(), dtype=pl.Int64).alias("time"),
        LINE,
    ).explode("item", "time")
    frame = frame.with_columns(pl.lit(source.kind.constant).alias("kind"))
    _known_kinds(frame, path)
    return Raw(events=with_schema(frame, EVENT_COLUMNS, path), clock=False)


def without_bots(events: pl.DataFrame, path: Path, rejects: Rejects) -> pl.DataFrame:
    """The events of people.

    A user is a bot if it has more than 300 searches, views and carts within an hour of the clock (where the
    log has hours), or more than 500 impressions and no other event. Choice tasks never come here.
    """
    action = pl.col("kind").is_in(["search", "view", "cart"])
    hours = events.filter(action).group_by("user", pl.col("time") // HOUR).len()
    clock_has_minutes = bool((events["time"] % HOUR != 0).any())
    fast = set(hours.filter(pl.col("len") > ACTIONS_AN_HOUR)["user"]) if clock_has_minutes else set()
    shown = events.group_by("user").agg(
        (pl.col("kind") == "impression").sum().alias("shown"),
        (pl.col("kind") != "impression").any().alias("acts"),
    )
    idle = set(shown.filter((pl.col("shown") > IMPRESSIONS_WITHOUT_ACTION) & ~pl.col("acts"))["user"])
    cause = (
        pl.when(pl.col("user").is_in(list(fast)))
        .then(pl.lit(f"more than {ACTIONS_AN_HOUR} actions in an hour"))
        .otherwise(pl.lit(f"more than {IMPRESSIONS_WITHOUT_ACTION} impressions and nothing else"))
    )
    bots = pl.col("user").is_in(sorted(fast | idle))
    return rejects.drop(events, bots, "bot", path, id="user", cell=cause)


def _known_kinds(frame: pl.DataFrame, path: Path) -> None:
    odd = frame.filter(~pl.col("kind").is_in(list(KINDS)).fill_null(False))
    if len(odd):
        kind = odd["kind"][0] or ""
        raise InputError(
            f"unknown kind of event {kind!r}",
            where=f"{path}:{odd[LINE][0]}",
            expected=f"one of {', '.join(KINDS)}",
            todo=f"{did_you_mean(kind, KINDS)} Or rename it in the mapping: kind: {{rename: {{{kind}: view}}}}.",
        )


def _clean_rows(frame: pl.DataFrame, path: Path, rejects: Rejects) -> pl.DataFrame:
    """Rows with a user, an item, a time that has been, and numbers where numbers belong; each row once."""
    columns = [c for c in frame.columns if c != LINE]
    again = pl.struct(columns).is_first_distinct().not_()
    frame = rejects.drop(frame, again, "duplicate row", path, id="user", cell=pl.col("item"))
    lacking = pl.col("user").is_null() | (pl.col("item").is_null() & (pl.col("kind") != "search"))
    frame = rejects.drop(frame, lacking, "no id", path, id="user", cell=pl.lit("no user or no item"))
    frame = rejects.drop(frame, pl.col("time").is_null(), "bad time", path, id="user", cell=pl.col("clock"))
    late = pl.col("time") > int(time.time()) + DAY
    frame = rejects.drop(frame, late, "future time", path, id="user", cell=pl.col("clock"))
    for name in ("position", "value"):
        number = pl.col(name).cast(pl.Float64, strict=False)
        odd = pl.col(name).is_not_null() & number.is_null()
        frame = rejects.drop(frame, odd, "not a number", path, id="user", cell=pl.col(name))
        endless = pl.col(name).is_not_null() & ~number.is_finite()
        frame = rejects.drop(frame, endless, "not finite", path, id="user", cell=pl.col(name))
    whole = pl.col("position").cast(pl.Float64).cast(pl.Int64)
    return frame.with_columns(whole, pl.col("value").cast(pl.Float64)).drop("clock")


def _lists(frame: pl.DataFrame, clock: bool, path: Path) -> pl.DataFrame:
    """Impressions without a list get one: the user, the session, the query and the time."""
    shown = pl.col("kind") == "impression"
    if not clock and frame.filter(shown)["list"].is_null().any():
        raise InputError(
            "impressions without a list and without a clock",
            where=path,
            expected="a column that says what was shown together",
            todo="Name it in the mapping: list.",
        )
    parts = [pl.col(c).cast(pl.String).fill_null("") for c in ("user", "session", "query", "time")]
    made = pl.concat_str(parts, separator="/")
    frame = frame.with_columns(
        pl.when(shown & pl.col("list").is_null()).then(made).otherwise("list").alias("list")
    )
    return _attributed(frame) if clock else frame


def _attributed(frame: pl.DataFrame) -> pl.DataFrame:
    """Views, carts and purchases without a list get the one in which their user last saw the item.

    It is looked for within the session; where no session is logged, within half an hour.
    """
    session = pl.col("session").fill_null("")
    open_ended = pl.col("list").is_null() & pl.col("kind").is_in(["view", "cart", "purchase"])
    frame = frame.with_row_index("__row__")
    who = ["user", "__session__", "item"]
    seen = frame.filter(pl.col("kind") == "impression").select(
        "user",
        session.alias("__session__"),
        "item",
        "time",
        pl.col("time").alias("__at__"),
        pl.col("list").alias("__list__"),
    )
    acts = frame.filter(open_ended).select("__row__", "user", session.alias("__session__"), "item", "time")
    attributed = acts.sort("time").join_asof(
        seen.sort("time"), on="time", by=who, strategy="backward", check_sortedness=False
    )
    late = (pl.col("__session__") == "") & (pl.col("time") - pl.col("__at__") > HALF_AN_HOUR)
    attributed = attributed.filter(~late.fill_null(True)).select("__row__", "__list__")
    frame = frame.join(attributed, on="__row__", how="left", maintain_order="left")
    return frame.with_columns(pl.coalesce("list", "__list__").alias("list")).drop("__row__", "__list__")
