"""The generated shop: its catalogue, its log and its truth, from a seed.

Every shopper searches about 18 times over the categories of their interest. A search shows 8 to 10 items;
the shopper may view one or two of them, and may put them into the cart and buy them. What is viewed is a
draw from the softmax of the shopper's own utilities and of how well a position is seen; what is shown has
nothing to do with the utilities. After a purchase, the next list may hold the items that go with it, and
these are liked better than they would be otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from kgrank.arrays import Floats, Ints, Truths
from kgrank.demo import catalogue as stock
from kgrank.demo.truth import (
    DECIDEDNESS,
    DEVIATION,
    LEAVES,
    MATERIALS,
    NUMBERS,
    SHARES,
    VALUES,
    Design,
    Tastes,
    design,
    importance,
    tastes,
)

SHOPPERS = 1800
LISTS = 18
"""Searches of a shopper, on average."""
START = datetime(2026, 4, 15, tzinfo=UTC)
DAYS = 168
"""Days of the log; the last one is 29 September 2026."""
EXAMINATION = 0.5
"""The log-propensity of position p is −.5 · ln p."""
UNSEEN = 0.10
"""Share of lists in which nothing is viewed."""
SECOND_VIEW = 0.35
FOLLOWS = 0.45
"""Chance that the list after a purchase holds what goes with it."""
LIFT = 1.8
"""How much better, in logits, an item is liked right after its partner was bought."""
WORDS = 0.25
"""Share of searches that name a colour or a brand."""
_WORD_PULL = 1.2
"""How much more often, in logits, a list shows what the search names."""
_SHOWN_MOST = 10
_SESSION_MOST = 4
_NOTHING = -1
_KINDS = ("search", "impression", "view", "cart", "purchase")


@dataclass(frozen=True)
class DemoShop:
    """A generated shop as frames in the standard columns, before any dirt.

    Attributes:
        items: id, category, brand, the other attributes, title, description.
        events: time, user, session, kind, item, position, query, list, value, category; by time.
        truth: The document that is written to ``truth.json``.
        seed: What it was generated from.
    """

    items: pl.DataFrame
    events: pl.DataFrame
    truth: dict[str, Any]
    seed: int


@dataclass(frozen=True)
class _World:
    """All that the behaviour is drawn from."""

    items: pl.DataFrame
    layout: Design
    tastes: Tastes
    utilities: Floats
    """(shoppers, items), in logits from the average item."""
    outside: Floats
    """(categories,), in logits."""
    popularity: Floats
    """(items,), logarithms; raises how often an item is shown, and nothing else."""
    partners: list[list[int]]


@dataclass
class _Log:
    """Columns of the lists and events, collected round by round."""

    lists: dict[str, list[npt.NDArray[Any]]] = field(default_factory=dict)
    events: dict[str, list[npt.NDArray[Any]]] = field(default_factory=dict)

    @staticmethod
    def add(table: dict[str, list[npt.NDArray[Any]]], **columns: npt.NDArray[Any]) -> None:
        for name, column in columns.items():
            table.setdefault(name, []).append(column)

    @staticmethod
    def frame(table: dict[str, list[npt.NDArray[Any]]]) -> pl.DataFrame:
        return pl.DataFrame({name: np.concatenate(parts) for name, parts in table.items()})


def generate(seed: int = 7, *, shoppers: int = SHOPPERS) -> DemoShop:
    """Generates a shop; the same seed gives the same shop.

    Args:
        seed: Any whole number from 0.
        shoppers: How many people search.
    """
    rng = np.random.default_rng(seed)
    items = stock.catalogue(rng)
    layout = design(items)
    people = tastes(layout, shoppers, rng)
    base = np.einsum("ij,ij->i", layout.items, people.mean[layout.categories])
    utilities = base + people.personal @ layout.items.T
    popularity = rng.normal(scale=0.5, size=len(items))
    pairs = stock.partners(items, rng)
    world = _World(
        items=items,
        layout=layout,
        tastes=people,
        utilities=utilities,
        outside=_outside(utilities, layout, rng),
        popularity=popularity,
        partners=pairs,
    )
    return DemoShop(items, _behaviour(world, rng), _document(world, seed), seed)


def _outside(utilities: Floats, layout: Design, rng: np.random.Generator) -> Floats:
    """The utility of viewing nothing, per category: chosen in ``UNSEEN`` of the lists."""
    constants = np.zeros(len(LEAVES))
    for k in range(len(LEAVES)):
        rows = np.flatnonzero(layout.categories == k)
        people = rng.integers(len(utilities), size=2000)
        shown = rows[rng.random((2000, len(rows))).argpartition(9, axis=1)[:, :9]]
        seen = utilities[people[:, None], shown] - EXAMINATION * np.log(np.arange(1, 10))
        total = np.exp(seen).sum(axis=1)
        low, high = -10.0, 20.0
        for _ in range(50):
            middle = (low + high) / 2
            share = float(np.mean(np.exp(middle) / (np.exp(middle) + total)))
            low, high = (middle, high) if share < UNSEEN else (low, middle)
        constants[k] = (low + high) / 2
    return constants


@dataclass(frozen=True)
class _Plan:
    """Who searches when: (shoppers, rounds) tables, and how many rounds each shopper has."""

    rounds: Ints
    session: Ints
    start: Ints
    interest: Floats


def _plan(shoppers: int, rng: np.random.Generator) -> _Plan:
    """Sessions of 1 to 4 lists on distinct days, in the order of time."""
    rounds = np.clip(rng.poisson(LISTS, size=shoppers), 4, 36)
    width = int(rounds.max())
    fresh = rng.random((shoppers, width)) < 0.45
    fresh[:, 0] = True
    for t in range(_SESSION_MOST, width):
        fresh[:, t] |= ~fresh[:, t - _SESSION_MOST + 1 : t].any(axis=1)
    session = fresh.cumsum(axis=1) - 1
    visits = np.take_along_axis(session, rounds[:, None] - 1, axis=1) + 1
    day = rng.random((shoppers, DAYS)).argsort(axis=1)[:, :width]
    day = np.sort(np.where(np.arange(width) < visits, day, DAYS), axis=1)
    second = rng.integers(7 * 3600, 21 * 3600, size=(shoppers, width))
    opens = day * 86_400 + second + int(START.timestamp())
    step = np.zeros((shoppers, width), dtype=np.int64)
    gaps = rng.integers(480, 900, size=(shoppers, width))
    for t in range(1, width):
        step[:, t] = np.where(fresh[:, t], 0, step[:, t - 1] + gaps[:, t])
    start = np.take_along_axis(opens, session, axis=1) + step
    interest = rng.dirichlet(np.full(len(LEAVES), 0.8), size=shoppers)
    return _Plan(rounds, session, start, 0.9 * interest + 0.1 / len(LEAVES))


def _behaviour(world: _World, rng: np.random.Generator) -> pl.DataFrame:
    """The whole log, round by round: the t-th list of every shopper at once."""
    shoppers = len(world.utilities)
    plan = _plan(shoppers, rng)
    log = _Log()
    bought = np.full(shoppers, _NOTHING)
    for t in range(int(plan.rounds.max())):
        who = np.flatnonzero(plan.rounds > t)
        bought[who] = _round(world, plan, t, who, bought[who], log, rng)
    return _frame(world, _Log.frame(log.lists), _Log.frame(log.events))


def _round(
    world: _World, plan: _Plan, t: int, who: Ints, bought: Ints, log: _Log, rng: np.random.Generator
) -> Ints:
    """One list for each of the shoppers; returns what each bought in it (−1 for nothing)."""
    n, numbers = len(who), np.arange(len(who))
    after = np.zeros((n, len(world.items)), dtype=bool)
    category = (plan.interest[who].cumsum(axis=1) > rng.random((n, 1))).argmax(axis=1)
    follows = (bought != _NOTHING) & (rng.random(n) < FOLLOWS)
    for row in np.flatnonzero(follows):
        mates = world.partners[bought[row]]
        after[row, mates] = True
        category[row] = world.layout.categories[mates[0]]
    word = np.where(follows, _NOTHING, _query_words(world, category, rng))
    shown, count = _shown(world, category, word, after, rng)
    place = np.arange(_SHOWN_MOST)
    listed = place < count[:, None]
    V = world.utilities[who[:, None], shown] + LIFT * np.take_along_axis(after, shown, axis=1)
    draw = V - EXAMINATION * np.log(place + 1) + rng.gumbel(size=shown.shape)
    draw[~listed] = -np.inf
    nothing = world.outside[category] + rng.gumbel(size=n)
    order = np.argsort(-draw, axis=1)
    viewed = draw[numbers, order[:, 0]] > nothing
    twice = viewed & (rng.random(n) < SECOND_VIEW)
    number = len(log.lists.get("list", [])) * 10_000 + numbers
    opened = plan.start[who, t]
    log.add(
        log.lists,
        list=number,
        user=who,
        session=plan.session[who, t],
        start=opened,
        category=category,
        word=word,
    )
    rows, places = np.nonzero(listed)
    _events(log, "impression", number[rows], opened[rows] + 1, shown[rows, places], places + 1)
    last = np.full(n, _NOTHING)
    for view, active in ((0, viewed), (1, twice)):
        at = np.flatnonzero(active)
        spot = order[at, view]
        seen = opened[at] + 5 + 150 * view + rng.integers(0, 60, size=len(at))
        _events(log, "view", number[at], seen, shown[at, spot], spot + 1)
        cart = rng.random(len(at)) < _sigmoid(-1.3 + 0.45 * V[at, spot])
        _events(log, "cart", number[at][cart], seen[cart] + 30, shown[at, spot][cart], spot[cart] + 1)
        buys = cart & (rng.random(len(at)) < _sigmoid(-0.3 + 0.3 * V[at, spot]))
        last[at[buys]] = shown[at, spot][buys]
        _events(
            log, "purchase", number[at][buys], opened[at][buys] + 400, shown[at, spot][buys], spot[buys] + 1
        )
    return last


def _query_words(world: _World, category: Ints, rng: np.random.Generator) -> Ints:
    """The column of the colour or brand that a search names, by the average taste; −1 for none.

    Not by the shopper's own taste: lists that lean to what their reader likes would say more of a taste
    than the choices within them.
    """
    named = np.concatenate([world.layout.columns_of(a) for a in ("color", "brand")])
    liked = world.tastes.mean[category][:, named]
    chosen = (liked + rng.gumbel(size=liked.shape)).argmax(axis=1)
    return np.where(rng.random(len(category)) < WORDS, named[chosen], _NOTHING)


def _shown(
    world: _World, category: Ints, word: Ints, after: Truths, rng: np.random.Generator
) -> tuple[Ints, Ints]:
    """The items of each list in order (lists, 10), and how many of them are shown.

    Popular items and those that the query names come more often and at higher positions; partners of the last
    purchase always come, wherever the others leave them.
    """
    match = np.where(word[:, None] == _NOTHING, 0.0, world.layout.items[:, word].T > 0.5)
    key = world.popularity + _WORD_PULL * match + rng.gumbel(size=after.shape)
    key[world.layout.categories[None, :] != category[:, None]] = -np.inf
    count = rng.integers(8, _SHOWN_MOST + 1, size=len(word))
    best = np.argpartition(-(key + np.where(after, 100.0, 0.0)), _SHOWN_MOST, axis=1)[:, :_SHOWN_MOST]
    # Only the first `count` are shown: partners first, then the others by key.
    forced = np.take_along_axis(after, best, axis=1)
    value = np.take_along_axis(key, best, axis=1)
    rank = np.argsort(np.argsort(-(value + 100.0 * forced), axis=1), axis=1)
    value = np.where(rank < count[:, None], value, -np.inf)
    return np.take_along_axis(best, np.argsort(-value, axis=1), axis=1), count


def _events(log: _Log, kind: str, number: Ints, time: Ints, item: Ints, position: Ints) -> None:
    log.add(
        log.events,
        list=number,
        time=time,
        kind=np.full(len(number), kind),
        item=item,
        position=position,
    )


def _sigmoid(x: Floats) -> Floats:
    result: Floats = 1 / (1 + np.exp(-x))
    return result


def _frame(world: _World, lists: pl.DataFrame, events: pl.DataFrame) -> pl.DataFrame:
    """The log in the standard columns, in the order of time."""
    words = [world.layout.columns[w].partition("=")[2].replace("-", " ") for w in lists["word"]]
    names = [LEAVES[c] for c in lists["category"]]
    asked = ["" if k == _NOTHING else f"{w} " for k, w in zip(lists["word"], words, strict=True)]
    person = (pl.col("user") + 1).cast(pl.String).str.zfill(4)
    searches = (
        lists.with_columns(
            category=pl.Series(names), query=pl.Series([a + n for a, n in zip(asked, names, strict=True)])
        )
        .sort("start", "user")
        .with_row_index("order", offset=1)
        .select(
            "list",
            "start",
            "category",
            "query",
            user=pl.format("shopper-{}", person),
            session=pl.format("s{}-{}", person, (pl.col("session") + 1).cast(pl.String).str.zfill(2)),
            name=pl.format("l{}", pl.col("order").cast(pl.String).str.zfill(5)),
        )
    )
    searched = searches.select(
        pl.lit(_KINDS.index("search")).alias("step"),
        pl.col("start").alias("time"),
        "user",
        "session",
        pl.lit("search").alias("kind"),
        pl.lit(None, dtype=pl.String).alias("item"),
        pl.lit(None, dtype=pl.Int64).alias("position"),
        "query",
        pl.col("name").alias("list"),
        "category",
    )
    ids = world.items["id"].to_numpy()
    shown = (
        events.with_columns(item=pl.Series(ids[events["item"].to_numpy()], dtype=pl.String))
        .join(searches, on="list")
        .select(
            pl.col("kind").replace_strict(_KINDS, range(len(_KINDS)), return_dtype=pl.Int32).alias("step"),
            "time",
            "user",
            "session",
            "kind",
            "item",
            "position",
            pl.lit(None, dtype=pl.String).alias("query"),
            pl.col("name").alias("list"),
            pl.lit(None, dtype=pl.String).alias("category"),
        )
    )
    stamp = pl.from_epoch("time", time_unit="s").dt.strftime("%Y-%m-%dT%H:%M:%SZ")
    return (
        pl.concat([searched, shown])
        .sort("time", "list", "step", "position")
        .select(
            stamp,
            *("user", "session", "kind", "item", "position", "query", "list"),
            pl.when(pl.col("kind") == "purchase").then(1.0).alias("value"),
            "category",
        )
    )


def _document(world: _World, seed: int) -> dict[str, Any]:
    """The truth as one readable document; numbers are rounded to 6 decimals."""
    layout, people = world.layout, world.tastes
    average, shoppers, part_worths = {}, {}, {}
    for k, category in enumerate(LEAVES):
        mean = people.mean[k]
        average[category] = importance(world.items, layout, category, mean[None, :])
        shoppers[category] = importance(world.items, layout, category, mean + people.personal)
        part_worths[category] = _part_worths(layout, category, mean)
    ids = world.items["id"].to_list()
    document = {
        "generated": True,
        "about": "The truth behind the generated demo shop: nothing here was learned or measured.",
        "seed": seed,
        "importance": {"average_shopper": average, "average_of_shoppers": shoppers},
        "part_worths": part_worths,
        "decidedness": dict(DECIDEDNESS),
        "personal_deviation": DEVIATION,
        "outside": {c: float(world.outside[k]) for k, c in enumerate(LEAVES)},
        "examination": EXAMINATION,
        "partners": {ids[i]: [ids[j] for j in mates] for i, mates in enumerate(world.partners)},
        "partner_lift": LIFT,
    }
    rounded: dict[str, Any] = _rounded(document)
    return rounded


def _part_worths(layout: Design, category: str, mean: Floats) -> dict[str, dict[str, float]]:
    """Logits per value, or per unit of a number, by attribute."""
    part_worths: dict[str, dict[str, float]] = {}
    for attribute in SHARES[category]:
        columns = layout.columns_of(attribute)
        if attribute in NUMBERS:
            low, high = layout.ranges[category, attribute]
            part_worths[attribute] = {
                "per_unit": float(mean[columns[0]] / (high - low)),
                "from": low,
                "to": high,
            }
            continue
        sold = MATERIALS[category] if attribute == "material" else VALUES[attribute]
        named = {layout.columns[c].partition("=")[2]: float(mean[c]) for c in columns}
        part_worths[attribute] = {value: named[value] for value in sold}
    return part_worths


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _rounded(v) for k, v in value.items()}
    return round(value, 6) if isinstance(value, float) else value
