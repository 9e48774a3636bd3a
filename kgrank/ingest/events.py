"""Behaviour logs: one row an event, or one line a user."""

from __future__ import annotations

import re
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path

import polars as pl

from kgrank.errors import InputError
from kgrank.ingest import fields
from kgrank.ingest.cells.normalise import same
from kgrank.ingest.cells.times import latest, seconds
from kgrank.ingest.columns import KINDS, OTHER_KINDS, STANDARD
from kgrank.ingest.mapping import ORDER, Events, KindField, Sequences, UserField
from kgrank.ingest.offers import observed_offers, refuse_brand
from kgrank.ingest.raw import EVENT_COLUMNS, Raw, attribute_fields, category_path, with_schema
from kgrank.ingest.read import read_lines, read_table, require
from kgrank.ingest.report import Rejects
from kgrank.ingest.returns import RETURNS, without_returned
from kgrank.ingest.rows import ANONYMOUS, LINE
from kgrank.ingest.words import UnknownWord

HOUR = 3_600
HALF_AN_HOUR = 1_800
"""Without sessions, an act belongs to what was shown at most so many seconds before."""
ACTIONS_AN_HOUR = 300
"""More searches, views and carts than this within an hour of the clock are no person's."""
IMPRESSIONS_WITHOUT_ACTION = 500
"""A user with more impressions than this and nothing else is no person."""

_NO_USER = (
    "If these are visits of people who are not signed in, name the column of the visit in the mapping, under "
    "events: `user: {column: user, otherwise: session}`."
)
SYNONYMS: Mapping[str, str] = {
    "click": "view",
    "detail": "view",
    "detail_view": "view",
    "product_view": "view",
    "view_item": "view",
    "pageview": "view",
    "pv": "view",
    "addtocart": "cart",
    "add_to_cart": "cart",
    "add-to-cart": "cart",
    "basket": "cart",
    "transaction": "purchase",
    "order": "purchase",
    "buy": "purchase",
}
"""Words of other programs for kinds of events, proposed where a file has them."""

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
    attributes = attribute_fields(table, source.attributes, False, used, source.decimal, path, rejects)
    refuse_brand(attributes, path)
    fields.required(table, source.kind, "kind", path, used)
    if source.user.otherwise is None:
        fields.required(table, source.user, "user", path, used)
    frame = table.select(
        *(fields.text(table, getattr(source, n), n, path, used) for n in _TEXTS),
        _visitor(table, source.user, path),
        seconds(table, source.time, path).alias("time")
        if clock
        else pl.int_range(1, pl.len() + 1, dtype=pl.Int64).alias("time"),
        table[require(table, source.time.column, path)].alias("clock")
        if clock
        else pl.lit("").alias("clock"),
        *(fields.attribute(table, a, n, path).alias(f"a:{n}") for n, a in attributes.items()),
        LINE,
    )
    frame = _with_visitors(frame, path, rejects)
    frame = _known_kinds(frame, source.kind, path, rejects)
    frame = frame.with_columns(pl.col("kind").replace(dict(OTHER_KINDS)))
    if (frame["kind"] != "search").any() and frame["item"].is_null().all():
        require(table, source.item.column or "item", path)
    frame = _clean_rows(frame, source.decimal, path, rejects)
    frame = without_returned(frame, path, rejects)
    frame = frame.with_columns(category_path(source.category))
    impressions = (frame["kind"] == "impression").any()
    if impressions:
        frame = _lists(frame, clock, path)
    outside = source.outside if source.outside is not None else impressions or None
    if not attributes:
        return Raw(events=with_schema(frame, EVENT_COLUMNS, path), clock=clock, outside=outside)
    frame, offers, columns = observed_offers(frame, attributes, path, rejects, clock=clock)
    return Raw(
        columns=columns,
        offers=offers,
        events=with_schema(frame, EVENT_COLUMNS, path),
        clock=clock,
        outside=outside,
    )


def _visitor(table: pl.DataFrame, user: UserField, path: Path) -> pl.Expr:
    """Who acts on each row where the user is empty; null where the mapping says nothing of it."""
    if user.otherwise is None:
        return pl.lit(None, dtype=pl.String).alias("visitor")
    cell = pl.col(require(table, user.otherwise, path))
    return (pl.lit(user.prefix + ANONYMOUS) + cell).alias("visitor")


def _with_visitors(frame: pl.DataFrame, path: Path, rejects: Rejects) -> pl.DataFrame:
    """The rows with the visitor as the user where the user is empty, which a note counts.

    Raises:
        InputError: A user has the id of a visitor.
    """
    unnamed = frame.filter(pl.col("user").is_null() & pl.col("visitor").is_not_null())
    visitors = unnamed["visitor"].unique().sort()
    same_id = frame.filter(pl.col("user").is_in(visitors.implode()))
    if len(same_id):
        raise InputError(
            f"the user {same_id['user'][0]!r} has the id of a visitor who is not signed in",
            where=f"{path}:{same_id[LINE][0]}",
            expected=f"no user whose id begins with {ANONYMOUS}",
            todo="Write `rename` for this user in the mapping.",
        )
    if len(unnamed):
        rejects.notes.append(
            f"{path.name}: {len(unnamed):,} of {len(frame):,} rows have no user and count as anonymous visits: "
            f"{len(visitors):,} {'person' if len(visitors) == 1 else 'people'}, such as {visitors[0]}"
        )
    return frame.with_columns(pl.coalesce("user", "visitor").alias("user")).drop("visitor")


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
    frame = _known_kinds(frame, source.kind, path, rejects)
    frame = frame.with_columns(pl.col("kind").replace(dict(OTHER_KINDS)))
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


def _known_kinds(frame: pl.DataFrame, field: KindField, path: Path, rejects: Rejects) -> pl.DataFrame:
    """The rows whose kind is known; the other kinds are noted.

    Raises:
        InputError: A row has no kind.
    """
    known = [*KINDS, *OTHER_KINDS, *RETURNS]
    spelled = {
        k: same(k) for k in frame["kind"].drop_nulls().unique().sort() if k not in known and same(k) in known
    }
    if spelled:
        shown = "; ".join(f"{word} = {kind}" for word, kind in spelled.items())
        rejects.notes.append(f"{path.name}: kind in another spelling: {shown}")
        frame = frame.with_columns(pl.col("kind").replace(spelled))
    odd = frame.filter(~pl.col("kind").is_in(known).fill_null(False))
    if not len(odd):
        return frame
    first = odd["kind"][0] or ""
    unknown = odd["kind"].drop_nulls().unique(maintain_order=True).to_list()
    every = f"; all unknown kinds: {', '.join(unknown)} ({len(odd):,} rows)" if len(unknown) > 1 else ""
    error = InputError(
        f"unknown kind of event {first!r}{every}",
        where=f"{path}:{odd[LINE][0]}",
        expected=f"one of {', '.join(known)}",
        todo=_remedy(frame, unknown, known, field),
    )
    if odd["kind"].has_nulls() or field.constant is not None:
        raise error
    meanings = _meanings(unknown, known)
    counts = dict(odd.group_by("kind").len().iter_rows())
    lines = dict(odd.group_by("kind").agg(pl.col(LINE).min()).iter_rows())
    rejects.unknown(
        error, (UnknownWord(path.name, "kind", k, counts[k], lines[k], meanings.get(k, "")) for k in unknown)
    )
    return frame.filter(pl.col("kind").is_in(known))


def _meanings(unknown: list[str], known: list[str]) -> dict[str, str]:
    """Kinds whose meaning is plain, by the word of the file."""
    near = {kind: get_close_matches(kind, known, n=1, cutoff=0.75) for kind in unknown}
    renames = {k: SYNONYMS[k] for k in unknown if k in SYNONYMS}
    renames |= {k: match[0] for k, match in near.items() if match and k not in SYNONYMS}
    for kind in (k for k in unknown if k not in renames):
        parts = {SYNONYMS.get(p, p) for p in re.split(r"[\W_]+", kind.lower())} & set(known)
        if len(parts) == 1:
            renames[kind] = parts.pop()
    return renames


def _remedy(frame: pl.DataFrame, unknown: list[str], known: list[str], field: KindField) -> str:
    """How to leave rows of unknown kinds out, and how to rename those whose meaning is plain."""
    renames = _meanings(unknown, known)
    column = field.column or "kind"
    parts = []
    if renames:
        words = ", ".join(f"{k}: {v}" for k, v in renames.items())
        parts.append(f"Did you mean {' or '.join(dict.fromkeys(renames.values()))}?")
        parts.append(f"Rename it in the mapping: `kind: {{column: {column}, rename: {{{words}}}}}`.")
    if field.constant is None and len(renames) < len(unknown) + int(frame["kind"].has_nulls()):
        in_file = {new: old for old, new in field.rename.items()}
        wanted = [
            in_file.get(k, k) for k in frame["kind"].drop_nulls().unique(maintain_order=True) if k in known
        ]
        words = ", ".join(wanted or ["view", "purchase"])
        parts.append(f"Leave rows of other kinds out by the mapping: `where: {{{column}: [{words}]}}`.")
    return " ".join(parts)


def _clean_rows(frame: pl.DataFrame, decimal: str | None, path: Path, rejects: Rejects) -> pl.DataFrame:
    """Rows with a user, an item, a time that has been, and numbers where numbers belong; each row once."""
    columns = [c for c in frame.columns if c != LINE]
    again = pl.struct(columns).is_first_distinct().not_()
    frame = rejects.drop(frame, again, "duplicate row", path, id="user", cell=pl.col("item"))
    nobody, itemless = pl.col("user").is_null(), pl.col("item").is_null() & (pl.col("kind") != "search")
    frame = rejects.drop(frame, nobody, "no id", path, id="user", cell=pl.lit("no user"), todo=_NO_USER)
    frame = rejects.drop(frame, itemless, "no id", path, id="user", cell=pl.lit("no item"))
    frame = rejects.drop(frame, pl.col("time").is_null(), "bad time", path, id="user", cell=pl.col("clock"))
    late = pl.col("time") > latest()
    frame = rejects.drop(frame, late, "future time", path, id="user", cell=pl.col("clock"))
    for name in ("position", "value"):
        frame = frame.with_columns(fields.numbers(frame, name, decimal, path).alias("number"))
        number = pl.col("number")
        odd = pl.col(name).is_not_null() & number.is_null()
        frame = rejects.drop(frame, odd, "not a number", path, id="user", cell=pl.col(name))
        endless = pl.col(name).is_not_null() & ~number.is_finite()
        frame = rejects.drop(frame, endless, "not finite", path, id="user", cell=pl.col(name))
        frame = frame.with_columns(number.alias(name)).drop("number")
    position = pl.col("position")
    misplaced = frame.filter((position < 1) | (position != position.floor()))
    if len(misplaced):
        raise InputError(
            f"the position {misplaced['position'][0]:.15g}",
            where=f"{path}:{misplaced[LINE][0]}",
            expected="whole numbers, 1 the first place",
            todo="Add 1 to positions that are counted from 0; where a number means that it is not known, write "
            'in the mapping: `position: {column: position, missing: ["0"]}`.',
        )
    return frame.with_columns(position.cast(pl.Int64)).drop("clock")


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
