"""What people did, as choices: what was shown together and taken, ranked, rated, or searched for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from kgrank.choice.data.searches import named_values
from kgrank.graph.tables import KnowledgeGraph
from kgrank.ontology.model import Ontology

RESPONSES = ("view", "cart", "purchase")
"""What people do to an item of a list, from the weakest to the strongest."""

KINDS = ("search", *RESPONSES, "rank", "rating")
"""Kinds of feedback; each has its scale."""

_KIND = pl.Enum(KINDS)

USUAL_TIMES, SHARE = 10.0, 0.01
"""A quantity counts as at most this many times the median of its kind, or this share of all units of the kind,
whichever is more: docs/decisions/bounded-influence.md."""
_STRENGTH = pl.col("kind").replace_strict({k: i for i, k in enumerate(RESPONSES)}, return_dtype=pl.Int64)

SINGLE_POSITIONS = 10
"""Screen positions up to this one have a column each; deeper ones are joined until ``MIN_RESPONSES`` responses."""
MIN_RESPONSES = 30


@dataclass(frozen=True)
class ResponseLog:
    """The choices of a whole shop, before they are given a category's columns.

    Attributes:
        rows: One row an alternative: choice, item, position, chosen (units; of a rating, the rating), offer (the
            id of the offer that its event names).
        heads: One row a choice: choice, user, list, time, place, kind, outside (whether it could have been
            nothing), left (units of the outside option), sampled (whether the other alternatives are still to be
            drawn), category (the lowest that holds all its items).
        searches: One row a value that a search names: choice, user, time, category, attribute, node.
        has_impressions: Whether the log says what was shown.
        is_ratings: Whether there are only ratings.
        entry: The kind of response whose choices have the outside option.
        position_groups: First places of the groups of positions, where positions vary; else empty.
        examination: Probability that a place is looked at, from the first on, where it was given.
        users: User ids in order; ``heads.user`` is their number.
    """

    rows: pl.DataFrame
    heads: pl.DataFrame
    searches: pl.DataFrame
    has_impressions: bool
    is_ratings: bool
    entry: str
    position_groups: tuple[int, ...]
    examination: tuple[float, ...]
    users: tuple[str, ...]


def read_log(
    graph: KnowledgeGraph, ontology: Ontology, examination: Sequence[float] = (), entry: str | None = None
) -> ResponseLog:
    """The choices in a graph's events.

    Where impressions are logged, a list is a ranking by responses: what was bought comes before what was put into
    the cart, that before what was viewed, and that before the rest; of one kind, what came first. Each step is a
    choice from what the steps before left, of its own kind (the exploded logit with a scale a step: Hausman and
    Ruud 1987), so that an item's deeds count once. Units bought are one choice weighted by units. A list
    without a response is a choice of the outside option. Without impressions every response is a choice from
    all items, to be drawn. A ranking is such steps too, and a pair is a ranking of two. Ratings are taken
    against the person's mean and spread. A search that names a value is a choice among its attribute's values.

    Args:
        graph: With the edges INTERACTED, SEARCHED and IN_CATEGORY.
        ontology: The category tree, and what values are called.
        examination: Probability that each place is looked at, from the first on; estimated if empty.
        entry: The kind of response whose choices have the outside option; by default the one that most lists
            have.
    """
    events, users = _numbered(graph)
    item_category = (
        graph.edge("IN_CATEGORY").select(target="source", category="target").sort("target", "category")
    )
    item_category = item_category.unique("target", keep="first", maintain_order=True)
    impressions = events.filter(pl.col("kind") == "impression")
    responses = events.filter(pl.col("kind").is_in(RESPONSES))
    # A quantity of nothing, or one that came back, is no choice.
    responses = responses.filter(pl.col("value").is_null() | (pl.col("value") > 0))
    responses = _bounded(responses)
    taken = _taken_items(impressions, responses)
    entry = entry or _entry(responses)
    if impressions.is_empty():
        parts = [_single_choices(_strongest_of_runs(responses), item_category, sampled=True)]
    else:
        parts = [_joint_choices(*_list_steps(impressions, taken, entry), item_category, ontology)]
    has_impressions = not impressions.is_empty()
    del impressions
    parts.append(
        _joint_choices(*_ranking_steps(events.filter(pl.col("kind") == "rank")), item_category, ontology)
    )
    ratings = events.filter((pl.col("kind") == "rating") & pl.col("value").is_not_null())
    parts.append(_single_choices(_relative(ratings), item_category, sampled=False))
    heads, rows = _stacked(parts)
    searches = _searches(graph, ontology, users).with_row_index("choice", offset=len(heads))
    position_groups = _position_groups(rows) if has_impressions else ()
    ratings_only = len(heads) > 0 and bool((heads["kind"] == "rating").all())
    user_ids = tuple(users["source"])
    return ResponseLog(
        rows=rows,
        heads=heads,
        searches=searches,
        has_impressions=has_impressions,
        is_ratings=ratings_only,
        entry=entry,
        position_groups=position_groups,
        examination=tuple(examination),
        users=user_ids,
    )


_READ = ("target", "kind", "value", "list", "time", "id", "offer", "position", "place")
"""Columns of events that are read here, beside the user."""


def _numbered(graph: KnowledgeGraph) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Events with the user's number, and the numbers (source, user)."""
    events = graph.edge("INTERACTED")
    sources = [events["source"].unique(), graph.edge("SEARCHED")["source"].unique()]
    users = pl.concat(sources).unique().sort()
    numbers = pl.DataFrame({"source": users, "user": np.arange(len(users))})
    # A join would copy all other columns: of millions of impressions that takes more memory than all the rest.
    number = pl.Series("user", users.search_sorted(events["source"]), pl.Int64)
    return events.select(*_READ, number), numbers


def _bounded(responses: pl.DataFrame) -> pl.DataFrame:
    """The deeds with quantities bounded, so that none counts for nearly all (``USUAL_TIMES``, ``SHARE``)."""
    units = pl.col("value").fill_null(1.0)
    most = USUAL_TIMES * units.median().over("kind")
    most = pl.max_horizontal(most, SHARE * pl.min_horizontal(units, most).sum().over("kind"))
    return responses.with_columns(value=pl.when(pl.col("value") > most).then(most).otherwise("value"))


def _relative(ratings: pl.DataFrame) -> pl.DataFrame:
    """Ratings minus the person's mean, in units of their spread; without those that never vary."""
    deviation, spread = (
        pl.col("value") - pl.col("value").mean().over("user"),
        pl.col("value").std().over("user"),
    )
    return ratings.filter(spread > 0).with_columns(value=deviation / spread)


def _strongest_of_runs(responses: pl.DataFrame) -> pl.DataFrame:
    """What follows each other on one item counts once: the purchase of it, not the view before."""
    runs = responses.sort("user", "time", "id").with_columns(run=pl.struct("user", "target").rle_id())
    runs = runs.with_columns(strength=_STRENGTH)
    return runs.filter(pl.col("strength") == pl.col("strength").max().over("run"))


def _single_choices(
    events: pl.DataFrame, item_category: pl.DataFrame, *, sampled: bool
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Every event a choice of one row."""
    taken = events.join(item_category, on="target").sort("time", "id").with_row_index("choice")
    heads = taken.select(
        *("choice", "user", "list", "time", "place", "kind", "category"),
        outside=pl.lit(False),
        left=pl.lit(0.0),
        sampled=pl.lit(sampled),
    )
    rows = taken.select(
        "choice",
        "offer",
        item="target",
        position=pl.lit(None, pl.Int64),
        chosen=pl.col("value").fill_null(1.0),
    )
    return heads, rows


def _taken_items(impressions: pl.DataFrame, responses: pl.DataFrame) -> pl.DataFrame:
    """The items taken in each list by their strongest deed, with its place among the list's steps, ``turn``."""
    key = ["user", "list"]
    has_units = pl.col("value").is_not_null()
    taken = (
        responses.join(impressions.select(*key, "target").unique(), on=[*key, "target"], how="semi")
        .with_columns(strength=_STRENGTH)
        .filter(pl.col("strength") == pl.col("strength").max().over(*key, "target"))
        .sort("time", "id")
        .group_by(*key, "target", "kind", "strength", maintain_order=True)
        .agg(pl.col("time", "offer").first(), pl.col("value").max())
        .sort(*key, "strength", has_units, "time", descending=[False, False, True, True, False])
    )
    opens = ~has_units | (pl.int_range(pl.len()).over(*key, "strength", has_units) == 0)
    return taken.with_columns(turn=opens.cast(pl.Int64).cum_sum().over(key) - 1)


def _list_steps(
    impressions: pl.DataFrame, taken: pl.DataFrame, entry: str
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The steps of each list; a first step of the kind ``entry`` has the outside option."""
    key = ["user", "list"]
    lists = impressions.group_by(key, maintain_order=True).agg(pl.col("time").min())
    untaken = lists.join(taken, on=key, how="anti").with_columns(kind=pl.lit(entry), turn=pl.lit(0, pl.Int64))
    steps = taken.group_by(*key, "turn", maintain_order=True).agg(pl.col("time", "kind").first())
    steps = pl.concat([untaken, steps], how="diagonal_relaxed").sort("time", *key, "turn")
    places = impressions.filter(pl.col("place").is_not_null()).unique(key).select(*key, "place")
    steps = steps.join(places, on=key, how="left", maintain_order="left")
    rows = (
        steps.with_row_index("choice")
        .select("choice", *key, "turn")
        .join(impressions.select(*key, "target", "position", "id", "offer"), on=key)
        .join(
            taken.select(*key, "target", "value", taken_at="turn", taken_with="offer"),
            on=[*key, "target"],
            how="left",
        )
        # What is no longer needed goes before the copies that a filter and a sort are.
        .select(
            *("choice", "turn", "target", "position", "id", "value", "taken_at"),
            offer=pl.coalesce("offer", "taken_with"),
        )
        .filter(pl.col("taken_at").is_null() | (pl.col("taken_at") >= pl.col("turn")))
        .sort("choice", "position", "id")
    )
    # The same item shown twice in a list was taken once.
    first_showing = pl.int_range(pl.len()).over("choice", "target") == 0
    units = pl.when(first_showing & (pl.col("taken_at") == pl.col("turn"))).then(
        pl.col("value").fill_null(1.0)
    )
    rows = rows.with_columns(chosen=units.otherwise(0.0))
    steps = steps.with_row_index("choice").with_columns(
        outside=(pl.col("turn") == 0) & (pl.col("kind") == entry)
    )
    return steps, rows


def _entry(responses: pl.DataFrame) -> str:
    """The kind of response that most lists have, the weaker of two: what comes before all else."""
    lists = responses.select("user", "list", "kind", strength=_STRENGTH).unique()
    counts = lists.group_by("kind", "strength").len().sort("len", "strength", descending=[True, False])
    return counts["kind"][0] if len(counts) else RESPONSES[0]


def _ranking_steps(ranks: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The steps of each ranking: its best item from all, the next from the others; without a place is last."""
    key = ["user", "list"]
    tied = pl.col("value").is_not_null() & pl.struct(*key, "value").is_duplicated()
    twice = pl.struct(*key, "target").is_duplicated()
    ranks = ranks.filter(~(tied | twice).any().over(key))
    steps = (
        ranks.filter(pl.col("value").is_not_null())
        .sort("time", *key, "value")
        .select(*key, "time", "place", "kind", rank="value", outside=pl.lit(False))
        .with_row_index("choice")
    )
    rows = (
        steps.select("choice", *key, "rank")
        .join(ranks.select(*key, "target", "value", "id", "offer"), on=key)
        .filter(pl.col("value").is_null() | (pl.col("value") >= pl.col("rank")))
        .with_columns(
            chosen=(pl.col("value") == pl.col("rank")).fill_null(False).cast(pl.Float64),
            position=pl.lit(None, pl.Int64),
        )
        .sort("choice", "id")
    )
    return steps, rows


def _joint_choices(
    steps: pl.DataFrame, rows: pl.DataFrame, item_category: pl.DataFrame, ontology: Ontology
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Heads and rows of steps among items shown together, without those that left nothing to choose."""
    sizes = rows.group_by("choice").agg(size=pl.len(), total=pl.col("chosen").sum())
    steps = steps.join(sizes, on="choice").filter((pl.col("size") > 1) | pl.col("outside"))
    rows = rows.join(steps.select("choice"), on="choice", how="semi").select(
        "choice", "position", "chosen", "offer", item="target"
    )
    steps = steps.join(_lowest_common(rows, item_category, ontology), on="choice", how="left")
    heads = steps.select(
        *("choice", "user", "list", "time", "place", "kind", "category", "outside"),
        left=(pl.col("total") == 0).cast(pl.Float64),
        sampled=pl.lit(False),
    )
    return heads, rows


def _stacked(parts: list[tuple[pl.DataFrame, pl.DataFrame]]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Heads and rows of all kinds, numbered one kind after the other."""
    heads, rows, offset = [], [], 0
    for part_heads, part_rows in parts:
        number = (pl.col("choice") + offset).cast(pl.UInt32)
        heads.append(
            part_heads.with_columns(number, pl.col("kind").cast(_KIND), pl.col("time").cast(pl.Int64))
        )
        rows.append(part_rows.with_columns(number, pl.col("position").cast(pl.Int64)))
        offset = max((int(h["choice"].max()) + 1 for h in heads if len(h)), default=0)  # type: ignore[arg-type]
    return pl.concat(heads, how="diagonal").sort("choice"), pl.concat(rows, how="diagonal")


def _searches(graph: KnowledgeGraph, ontology: Ontology, users: pl.DataFrame) -> pl.DataFrame:
    """The values that searches name; the same words of one person in one visit count once."""
    searches = graph.edge("SEARCHED").filter(pl.col("query").is_not_null()).sort("time", "id")
    searches = searches.unique(["source", "session", "target", "query"], keep="first", maintain_order=True)
    named = named_values(ontology, searches.select(category="target", query="query").unique())
    return (
        searches.select("source", "time", "id", "query", category="target")
        .join(named, on=["category", "query"])
        .join(users, on="source")
        .sort("time", "id", "attribute")
        .select("user", "time", "category", "attribute", "node")
    )


def _position_groups(rows: pl.DataFrame) -> tuple[int, ...]:
    """First places of the groups of positions; empty where positions do not vary."""
    taken = rows.filter(pl.col("position").is_not_null()).group_by("position").agg(pl.col("chosen").sum())
    if len(taken) < 2:
        return ()
    first_positions: list[int] = []
    responses = float(MIN_RESPONSES)
    for position, chosen in taken.sort("position").iter_rows():
        if len(first_positions) <= SINGLE_POSITIONS or responses >= MIN_RESPONSES:
            first_positions.append(position)
            responses = 0.0
        responses += chosen
    # What is left over at the end joins the group before.
    if len(first_positions) > SINGLE_POSITIONS and responses < MIN_RESPONSES:
        first_positions.pop()
    return tuple(first_positions)


def _lowest_common(rows: pl.DataFrame, item_category: pl.DataFrame, ontology: Ontology) -> pl.DataFrame:
    """The lowest category that holds all items of each choice: choice, category."""
    sets = (
        rows.join(item_category, left_on="item", right_on="target", how="left")
        .group_by("choice")
        .agg(pl.col("category").unique().sort())
    )

    def lowest(members: list[str]) -> str | None:
        return None if None in members else ontology.lowest_common(members)

    distinct = sets.select("category").unique()
    lowest_common = distinct.with_columns(
        lowest=pl.Series([lowest(m) for m in distinct["category"].to_list()], dtype=pl.String())
    )
    return sets.join(lowest_common, on="category").select("choice", category="lowest")
