"""Choice sets from the event log: what was shown together, and what of it was taken."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl
from scipy import sparse

from kgrank.choice.layout import Design, Ints, Truths
from kgrank.choice.logit import Choices
from kgrank.graph.tables import KnowledgeGraph
from kgrank.ontology.model import Ontology

RESPONSES = ("view", "cart", "purchase")
SAMPLED = 20
"""Items drawn beside the chosen one where the log does not say what was shown."""

ENOUGH = 20_000
"""Choices of a category that are used at most where sets are sampled: more would only sharpen its intervals."""

INSIDE = "inside"
"""The column that sets all items against the outside option; no attribute."""


@dataclass(frozen=True)
class Log:
    """The choices of a whole shop, before they are given a category's columns.

    Attributes:
        rows: One row an alternative: choice, item, position, chosen (units).
        heads: One row a choice: choice, user, list, time, first (whether it is the first from its list),
            left (units of the outside option), category (the lowest that holds all its items).
        shown: Whether the log says what was shown; if not, sets are sampled.
        rated: Whether items were rated instead of chosen: then a choice is one row, and ``chosen`` the rating.
        positions: Whether places on a screen are known and vary.
        users: User ids in order; ``heads.user`` is their number.
    """

    rows: pl.DataFrame
    heads: pl.DataFrame
    shown: bool
    rated: bool
    positions: bool
    users: tuple[str, ...]


def read_log(graph: KnowledgeGraph, ontology: Ontology) -> Log:
    """The choices in a graph's events.

    Where impressions are logged, each list gives one choice for each response in it, in order of time, from
    what was left of the list (items taken earlier are gone); a list without a response is a choice of the
    outside option. Responses with a quantity (units bought) are one choice weighted by units. Without
    impressions every response is a choice from all items, to be sampled. A log of ratings alone is read as
    ratings.
    """
    events = graph.edge("INTERACTED")
    users = events["source"].unique().sort()
    number = pl.DataFrame({"source": users, "user": np.arange(len(users))})
    events = events.join(number, on="source")
    category = graph.edge("IN_CATEGORY").select(target="source", category="target").sort("target", "category")
    category = category.unique("target", keep="first", maintain_order=True)
    shown = events.filter(pl.col("kind") == "impression")
    responses = events.filter(pl.col("kind").is_in(RESPONSES))
    ratings = events.filter((pl.col("kind") == "rating") & pl.col("value").is_not_null())
    rated = responses.is_empty() and not ratings.is_empty()
    if rated:
        heads, rows = _unshown(_relative(ratings), category)
    elif shown.is_empty():
        heads, rows = _unshown(responses, category)
    else:
        heads, rows = _listed(shown, responses)
        heads = heads.join(_lowest_common(rows, category, ontology), on="choice", how="left")
    positions = rows["position"].n_unique() > 1 if len(rows) else False
    return Log(rows, heads.sort("choice"), not shown.is_empty(), rated, positions, tuple(users))


def _relative(ratings: pl.DataFrame) -> pl.DataFrame:
    """Ratings against the person's own mean, in units of their spread: people use a scale differently."""
    own = pl.col("value") - pl.col("value").mean().over("user")
    return ratings.with_columns(value=own / pl.max_horizontal(own.std(), 1e-9))


def _unshown(responses: pl.DataFrame, category: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    taken = responses.join(category, on="target").sort("time", "id").with_row_index("choice")
    heads = taken.select("choice", "user", "list", "time", "category", first=pl.lit(True), left=pl.lit(0.0))
    rows = taken.select(
        "choice", item="target", position=pl.lit(None, pl.Int64), chosen=pl.col("value").fill_null(1.0)
    )
    return heads, rows


def _listed(shown: pl.DataFrame, responses: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    key = ["user", "list"]
    taken = (
        responses.join(shown.select(key).unique(), on=key, how="semi")
        .sort("time", "id")
        .group_by(*key, "target", maintain_order=True)
        .agg(pl.col("time").first(), pl.col("value").max())
    )
    units = taken.filter(pl.col("value").is_not_null())
    single = taken.filter(pl.col("value").is_null()).with_columns(
        turn=pl.int_range(pl.len()).over(key)  # rows are in order of time
    )
    lists = shown.group_by(key, maintain_order=True).agg(pl.col("time").min())
    turns = pl.concat(
        [
            lists.join(single.select(key).unique(), on=key, how="anti").with_columns(turn=0),
            single.select(*key, "time", "turn"),
        ],
        how="diagonal_relaxed",
    ).sort("time", *key, "turn")
    turns = turns.with_row_index("choice")
    rows = (
        turns.select("choice", *key, "turn")
        .join(shown.select(*key, "target", "position", "id"), on=key)
        .join(single.select(*key, "target", taken_at="turn"), on=[*key, "target"], how="left")
        .join(units.select(*key, "target", "value"), on=[*key, "target"], how="left")
        .filter(pl.col("taken_at").is_null() | (pl.col("taken_at") >= pl.col("turn")))
        .with_columns(
            chosen=pl.coalesce(
                pl.col("value"), (pl.col("taken_at") == pl.col("turn")).cast(pl.Float64)
            ).fill_null(0.0)
        )
        .sort("choice", "position", "id")
    )
    # The same item shown twice in a list was taken once.
    rows = rows.with_columns(
        chosen=pl.when(pl.int_range(pl.len()).over("choice", "target") == 0).then("chosen").otherwise(0.0)
    )
    totals = rows.group_by("choice").agg(pl.col("chosen").sum())
    heads = turns.join(totals, on="choice").select(
        "choice",
        "user",
        "list",
        "time",
        first=pl.col("turn") == 0,
        left=(pl.col("chosen") == 0).cast(pl.Float64),
    )
    return heads, rows.select("choice", "position", "chosen", item="target")


def _lowest_common(rows: pl.DataFrame, category: pl.DataFrame, ontology: Ontology) -> pl.DataFrame:
    """The lowest category that holds all items of each choice: choice, category."""
    sets = (
        rows.join(category, left_on="item", right_on="target", how="left")
        .group_by("choice")
        .agg(pl.col("category").unique().sort())
    )
    paths = {c: (c, *ontology.ancestors(c)) for c in ontology.categories}

    def lowest(members: list[str]) -> str | None:
        if not members or None in members:
            return None
        others = [set(paths[m]) for m in members[1:]]
        return next((c for c in paths[members[0]] if all(c in o for o in others)), None)

    distinct = sets.select("category").unique()
    found = distinct.with_columns(
        lowest=pl.Series([lowest(m) for m in distinct["category"].to_list()], dtype=pl.String())
    )
    return sets.join(found, on="category").select("choice", category="lowest")


@dataclass(frozen=True)
class CategoryChoices:
    """The choices within a category's subtree in its columns, with nuisance columns behind the attributes'.

    ``nuisance`` names them: ``inside`` and ``position 2`` … They take no part in importance.
    """

    design: Design
    choices: Choices
    nuisance: tuple[str, ...]
    item_row: Ints
    """(rows,) the design's row of each alternative."""
    number: Ints
    """(choices,) the log's number of each choice."""
    rated: bool = False
    """Whether the rows are ratings."""

    def take(self, which: Truths) -> CategoryChoices:
        """Some of the choices, in the same columns."""
        rows = np.repeat(which, np.diff(self.choices.start))
        return replace(
            self,
            choices=self.choices.take(which),
            item_row=self.item_row[rows],
            number=self.number[which],
        )


def category_choices(
    log: Log,
    design: Design,
    ontology: Ontology,
    seed: int = 0,
    *,
    nuisance: Sequence[str] | None = None,
    sampled: int = SAMPLED,
) -> CategoryChoices:
    """The choices whose items all stand below a category; sampled uniformly where nothing says what was shown.

    Args:
        log: The choices of a shop, or of one person.
        design: The category's columns.
        ontology: The category tree.
        seed: Of the sampling.
        nuisance: The nuisance columns of a fit, for a part of its choices; otherwise those that these call for.
        sampled: Items drawn beside the chosen one.
    """
    inside = pl.Series(ontology.subtree(design.layout.category))
    heads = log.heads.filter(pl.col("category").is_in(inside.implode()))
    if not log.shown and not log.rated and len(heads) > ENOUGH:
        heads = heads.sample(ENOUGH, seed=seed).sort("choice")
    items = pl.DataFrame({"item": design.items, "at": np.arange(len(design.items))})
    rows = (
        log.rows.join(heads.select("choice"), on="choice").join(items, on="item").sort("choice", "position")
    )
    if not log.shown and not log.rated:
        rows = _sample(rows, len(design.items), sampled, seed)
    size = rows.group_by("choice", maintain_order=True).len()
    heads = heads.join(size, on="choice").sort("choice")
    if nuisance is None:
        nuisance = [INSIDE] if (heads["left"] > 0).any() else []
        nuisance += _positions(rows["position"]) if log.positions else []
    marks = _marks(rows["position"], nuisance)
    raw = sparse.csr_matrix(sparse.hstack([design.raw[rows["at"].to_numpy()], marks], "csr"))
    layout = design.layout
    centring = np.zeros((raw.shape[1], layout.width + len(nuisance)))
    wide = layout.centring.shape[0]
    centring[:wide, : layout.width] = layout.centring
    centring[wide:, layout.width :] = np.eye(len(nuisance))
    choices = Choices(
        raw=raw,
        centring=centring,
        start=np.concatenate([[0], np.cumsum(heads["len"].to_numpy())]).astype(np.int64),
        chosen=rows["chosen"].to_numpy().astype(float),
        outside=(heads["first"].to_numpy() & (INSIDE in nuisance)),
        left=heads["left"].to_numpy().astype(float),
        person=heads["user"].to_numpy().astype(np.int64),
        time=heads["time"].fill_null(0).to_numpy().astype(np.int64),
        offset=np.zeros(len(rows)),
    )
    return CategoryChoices(
        design,
        choices,
        tuple(nuisance),
        rows["at"].to_numpy().astype(np.int64),
        heads["choice"].to_numpy().astype(np.int64),
        log.rated,
    )


def _positions(position: pl.Series) -> list[str]:
    """A name for each place on the screen but the first."""
    return [f"position {p}" for p in position.unique().drop_nulls().sort().to_list()[1:]]


def _marks(position: pl.Series, nuisance: Sequence[str]) -> sparse.csr_matrix:
    """(rows, nuisance columns) 1 where a row has the column's place; the column ``inside`` has every row."""
    column = {name: i for i, name in enumerate(nuisance)}
    at = np.array([column.get(f"position {p}", -1) for p in position.to_list()], dtype=np.int64)
    marked = np.flatnonzero(at >= 0)
    row, place = marked, at[marked]
    if INSIDE in column:
        row = np.concatenate([row, np.arange(len(at))])
        place = np.concatenate([place, np.full(len(at), column[INSIDE])])
    return sparse.csr_matrix((np.ones(len(row)), (row, place)), shape=(len(at), len(nuisance)))


def _sample(rows: pl.DataFrame, items: int, sampled: int, seed: int) -> pl.DataFrame:
    """Beside each chosen item, others drawn uniformly: consistent without a correction (McFadden 1978)."""
    count = min(sampled, items - 1)
    generator = np.random.default_rng(seed)
    drawn = generator.integers(0, max(items - 1, 1), (len(rows), count))
    own = rows["at"].to_numpy()[:, None]
    drawn = np.where(drawn >= own, drawn + 1, drawn)
    others = pl.DataFrame(
        {"choice": np.repeat(rows["choice"].to_numpy(), count), "at": drawn.ravel().astype(np.int64)}
    )
    return (
        pl.concat([rows, others.cast({"choice": rows.schema["choice"]})], how="diagonal_relaxed")
        .with_columns(pl.col("chosen").fill_null(0.0))
        .sort("choice", "chosen", descending=[False, True])
    )
