"""Choice sets: the choices of a log in a category's columns, with sampled alternatives where none were logged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl
from scipy import sparse

from kgrank.arrays import Floats, Ints, Truths
from kgrank.choice.data.design import Design
from kgrank.choice.data.offers import Offers
from kgrank.choice.data.responses import KINDS, RESPONSES, ResponseLog
from kgrank.choice.logit.likelihood import Choices, concatenated
from kgrank.ontology.model import Ontology

SAMPLED = 20
"""Items drawn beside the chosen one where the log does not say what was shown."""

ENOUGH = 20_000
"""Choices of a category that are used at most where sets are sampled: more would only sharpen its intervals."""

VALUES = 50
"""Values of an attribute up to which a search is a choice among all of them; of more, a sample is drawn."""

INSIDE = "inside"
"""The column that sets all items against the outside option; no attribute."""

RATED = "rated"
"""The column of the mean rating in a category; no attribute."""

SUPPLY = "supply"
"""The column that says how many items have the value that a search may name, in logarithms; no attribute."""

POSITION = "position "
"""What the columns of places on the screen are called, before the place."""


@dataclass(frozen=True)
class CategoryChoices:
    """The choices within a category's subtree in its columns, with nuisance columns behind the attributes'.

    Attributes:
        design: The category's columns.
        choices: The choices.
        nuisance: Names of the nuisance columns: ``inside``, ``position 2`` …, ``rated``, ``supply``. They take
            no part in importance.
        item_row: (rows,) the design's row of each alternative; -1 where it is a value that a search may name.
        number: (choices,) the log's number of each choice.
        kind: (choices,) its kind, an index of ``KINDS``.
        sampled: (choices,) whether its other alternatives were drawn.
    """

    design: Design
    choices: Choices
    nuisance: tuple[str, ...]
    item_row: Ints
    number: Ints
    kind: Ints
    sampled: Truths

    def take(self, which: Truths) -> CategoryChoices:
        """The chosen ones, in the same columns."""
        rows = np.repeat(which, np.diff(self.choices.start))
        return replace(
            self,
            choices=self.choices.take(which),
            item_row=self.item_row[rows],
            number=self.number[which],
            kind=self.kind[which],
            sampled=self.sampled[which],
        )

    def of_kinds(self, names: Sequence[str]) -> Truths:
        """(choices,) whether a choice is of one of these kinds."""
        return np.isin(self.kind, [KINDS.index(n) for n in names])


def category_choices(
    log: ResponseLog,
    design: Design,
    ontology: Ontology,
    seed: int = 0,
    *,
    nuisance: Sequence[str] | None = None,
    sampled: int = SAMPLED,
) -> CategoryChoices:
    """The choices among items of a category's subtree; alternatives are sampled where impressions are missing.

    Args:
        log: The choices of a shop, or of one person.
        design: The category's columns.
        ontology: The category tree.
        seed: Of the sampling.
        nuisance: The nuisance columns of a fit, for a part of its choices; else those that these choices need.
        sampled: Items drawn beside the chosen one.
    """
    subtree = pl.Series(ontology.subtree(design.layout.category))
    heads = log.heads.filter(pl.col("category").is_in(subtree.implode()))
    drawn = heads.filter("sampled")
    if len(drawn) > ENOUGH:
        drawn = drawn.sample(ENOUGH, seed=seed)
        heads = pl.concat([heads.filter(~pl.col("sampled")), drawn]).sort("choice")
    rows = _rows(log, heads, design, sampled, seed)
    size = rows.group_by("choice", maintain_order=True).len()
    heads = heads.join(size, on="choice").sort("choice")
    searches = log.searches.filter(
        pl.col("category").is_in(subtree.implode()) & pl.col("node").is_in(list(design.layout.nodes))
    )
    if nuisance is None:
        nuisance = _nuisance(log, heads, searches)
    rated = (heads["kind"] == "rating").to_numpy()
    marks = _nuisance_columns(rows["position"], np.repeat(rated, heads["len"].to_numpy()), nuisance)
    value_row, mark_row, row = _distinct(_value_rows(rows, heads, design), marks)
    raw = sparse.csr_matrix(sparse.hstack([design.rows[value_row], marks[mark_row]], "csr"))
    item_choices = CategoryChoices(
        design=design,
        choices=Choices(
            raw=raw,
            centring=_centring(design, len(nuisance)),
            start=np.concatenate([[0], np.cumsum(heads["len"].to_numpy())]).astype(np.int64),
            chosen=rows["chosen"].to_numpy().astype(float),
            outside=heads["outside"].to_numpy() & (INSIDE in nuisance),
            left=heads["left"].to_numpy().astype(float),
            person=heads["user"].to_numpy().astype(np.int64),
            time=heads["time"].fill_null(0).to_numpy().astype(np.int64),
            offset=_examination_offset(rows["position"], log.examination),
            rated=rated if rated.any() else None,
            row=row,
        ),
        nuisance=tuple(nuisance),
        item_row=rows["at"].to_numpy().astype(np.int64),
        number=heads["choice"].to_numpy().astype(np.int64),
        kind=heads["kind"].to_physical().to_numpy().astype(np.int64),
        sampled=heads["sampled"].to_numpy(),
    )
    return (
        _concatenated(item_choices, _search_choices(searches, design, nuisance, seed))
        if len(searches)
        else item_choices
    )


def _value_rows(rows: pl.DataFrame, heads: pl.DataFrame, design: Design) -> Ints:
    """(rows,) the row of ``design.rows`` with the values that each alternative had when the choice was made."""
    if design.offers is None:
        return rows["at"].to_numpy().astype(np.int64)
    return design.offers.rows(
        rows.join(heads.select("choice", "place", "time"), on="choice", how="left", maintain_order="left")
    )


def _rows(log: ResponseLog, heads: pl.DataFrame, design: Design, sampled: int, seed: int) -> pl.DataFrame:
    """The alternatives of choices with the design's row ``at``, sampled ones included."""
    items = pl.DataFrame({"item": design.items, "at": np.arange(len(design.items))})
    rows = log.rows.join(heads.select("choice", "sampled"), on="choice").join(items, on="item")
    rows = rows.sort("choice", "position")
    drawn = rows.filter("sampled")
    if drawn.is_empty():
        return rows
    if design.offers is not None and design.offers.limits:
        drawn = _sample_on_offer(drawn, heads, design, design.offers, sampled, seed)
    else:
        drawn = _sample(drawn, len(design.items), sampled, seed)
    return pl.concat([drawn, rows.filter(~pl.col("sampled"))], how="diagonal").sort(
        "choice", maintain_order=True
    )


def _nuisance(log: ResponseLog, heads: pl.DataFrame, searches: pl.DataFrame) -> list[str]:
    """The nuisance columns that choices need."""
    names = [INSIDE] if (heads["left"] > 0).any() else []
    if not log.examination:
        names += position_names(log.position_groups)
    if (heads["kind"] == "rating").any():
        names.append(RATED)
    if len(searches):
        names.append(SUPPLY)
    return names


def position_names(positions: Sequence[int]) -> list[str]:
    """A name for each group of places on the screen but the first; the last has no end."""
    ends = [*(p - 1 for p in positions[2:]), None] if len(positions) > 1 else []
    spans = zip(positions[1:], ends, strict=True)
    return [
        f"{POSITION}{a}+" if b is None else f"{POSITION}{a}" + (f"-{b}" if b > a else "") for a, b in spans
    ]


def position_span(name: str) -> tuple[float, float] | None:
    """First and last screen position of a group of positions by its column's name; None for another column."""
    if not name.startswith(POSITION):
        return None
    low, _, high = name.removeprefix(POSITION).rstrip("+").partition("-")
    return float(low), np.inf if name.endswith("+") else float(high or low)


def given_positions(examination: Sequence[float]) -> dict[str, float]:
    """What a given examination curve adds at each place but the first, in logits, by the place's name."""
    odds = np.log(np.asarray(examination, float)) - np.log(examination[0]) if len(examination) else []
    names = position_names(range(1, len(examination) + 1))
    return dict(zip(names, [float(x) for x in odds[1:]], strict=True))


def _examination_offset(position: pl.Series, examination: Sequence[float]) -> Floats:
    """(rows,) the logarithm of how often a place is looked at, against the first; the last has no end."""
    if not examination:
        return np.zeros(len(position))
    odds = np.log(np.asarray(examination, float)) - np.log(examination[0])
    positions = position.fill_null(1).clip(1, len(examination)).to_numpy() - 1
    return np.asarray(odds[positions])


def _nuisance_columns(position: pl.Series, rated: Truths, nuisance: Sequence[str]) -> sparse.csr_matrix:
    """(rows, nuisance columns) ``inside`` marks items, ``rated`` ratings, a position the rows shown there."""
    positions = position.fill_null(0).to_numpy()
    columns = []
    for name in nuisance:
        span = position_span(name)
        if span is not None:
            columns.append((positions >= span[0]) & (positions <= span[1]))
        else:
            columns.append(
                rated if name == RATED else ~rated if name == INSIDE else np.zeros(len(positions), bool)
            )
    if not columns:
        return sparse.csr_matrix((len(positions), 0))
    return sparse.csr_matrix(np.column_stack(columns).astype(float))


def _distinct(value_row: Ints, marks: sparse.csr_matrix) -> tuple[Ints, Ints, Ints]:
    """The distinct rows of alternatives with their values and nuisance columns.

    Returns:
        (distinct rows,) the row of values of each, (distinct rows,) an alternative that has its nuisance columns,
        and (rows,) the distinct row of each alternative.
    """
    # Rows with the same marks have the same number, others almost surely not.
    number = marks @ np.random.default_rng(0).random(marks.shape[1])
    _, combination = np.unique(number, return_inverse=True)
    key = value_row.astype(np.int64) * (int(combination.max(initial=0)) + 1) + combination
    _, first, row = np.unique(key, return_index=True, return_inverse=True)
    return value_row[first], first, row


def _centring(design: Design, nuisance: int) -> Floats:
    """(raw columns, columns): the attributes' centring, and each nuisance column as it is."""
    attributes = design.layout.centring
    centring = np.zeros((attributes.shape[0] + nuisance, attributes.shape[1] + nuisance))
    centring[: attributes.shape[0], : attributes.shape[1]] = attributes
    centring[attributes.shape[0] :, attributes.shape[1] :] = np.eye(nuisance)
    return centring


def _sample(rows: pl.DataFrame, items: int, sampled: int, seed: int) -> pl.DataFrame:
    """Beside each chosen item, others drawn uniformly: consistent without a correction (McFadden 1978)."""
    drawn = _draw_others(rows["at"].to_numpy(), items, min(sampled, items - 1), seed)
    return _with_others(rows, np.repeat(rows["choice"].to_numpy(), drawn.shape[1]), drawn.ravel())


def _sample_on_offer(
    rows: pl.DataFrame, heads: pl.DataFrame, design: Design, offers: Offers, sampled: int, seed: int
) -> pl.DataFrame:
    """Beside each chosen item, others that were on offer then and there: all of them if few, else drawn."""
    generator = np.random.default_rng(seed)
    made = rows.join(heads.select("choice", "place", "time"), on="choice", maintain_order="left")
    taken, choice = made["at"].to_numpy(), made["choice"].to_numpy()
    choices: list[Ints] = []
    others: list[Ints] = []
    for numbers, available in offers.on_offer(made, len(design.items)):
        for number in numbers:
            candidates = np.flatnonzero(available)
            candidates = candidates[candidates != taken[number]]
            if len(candidates) > sampled:
                candidates = candidates[generator.integers(0, len(candidates), sampled)]
            choices.append(np.repeat(choice[number], len(candidates)))
            others.append(candidates)
    return _with_others(rows, np.concatenate(choices), np.concatenate(others))


def _with_others(rows: pl.DataFrame, choice: Ints, at: Ints) -> pl.DataFrame:
    """The chosen rows with others, by choice and the item's row; the chosen one is the first of its choice."""
    others = pl.DataFrame({"choice": choice, "at": at.astype(np.int64)})
    return (
        pl.concat([rows, others.cast({"choice": rows.schema["choice"]})], how="diagonal_relaxed")
        .with_columns(pl.col("chosen").fill_null(0.0))
        .sort("choice", "chosen", descending=[False, True])
    )


def _draw_others(taken: Ints, total: int, count: int, seed: int) -> Ints:
    """(rows, count) numbers below ``total`` drawn uniformly, other than the taken one of each row."""
    drawn = np.random.default_rng(seed).integers(0, max(total - 1, 1), (len(taken), count))
    return np.where(drawn >= taken[:, None], drawn + 1, drawn)


def _search_choices(
    searches: pl.DataFrame, design: Design, nuisance: Sequence[str], seed: int
) -> CategoryChoices:
    """Searches as choices of the value that they name among the values of its attribute."""
    if len(searches) > ENOUGH:
        searches = searches.sample(ENOUGH, seed=seed).sort("choice")
    raws, heads, starts = [], [], []
    raw_width = design.raw.shape[1]
    for mark, block in enumerate(design.layout.blocks):
        of_attribute = searches.filter(pl.col("attribute") == block.attribute)
        count = len(block.nodes)
        if block.number or count < 2 or of_attribute.is_empty():
            continue
        value_number = {node: k for k, node in enumerate(block.nodes)}
        taken = np.array([value_number[n] for n in of_attribute["node"]], dtype=np.int64)
        if count > VALUES:
            offered = np.column_stack([taken, _draw_others(taken, count, VALUES, seed)])
        else:
            offered = (taken[:, None] + np.arange(count)) % count
        n, m = offered.shape
        columns = np.column_stack(
            [block.start + offered.ravel(), np.full(n * m, raw_width - len(design.layout.blocks) + mark)]
        )
        data = np.ones((n * m, 2))
        if SUPPLY in nuisance:
            columns = np.column_stack([columns, np.full(n * m, raw_width + list(nuisance).index(SUPPLY))])
            data = np.column_stack([data, np.log(block.share)[offered.ravel()]])
        pointer = np.arange(0, data.size + 1, data.shape[1])
        raws.append(
            sparse.csr_matrix(
                (data.ravel(), columns.ravel(), pointer), shape=(n * m, raw_width + len(nuisance))
            )
        )
        heads.append(of_attribute)
        starts.append(np.full(n, m))
    return _stacked_searches(raws, heads, starts, design, nuisance)


def _stacked_searches(
    raws: list[sparse.csr_matrix],
    heads: list[pl.DataFrame],
    sizes: list[Ints],
    design: Design,
    nuisance: Sequence[str],
) -> CategoryChoices:
    """The searches of all attributes; the named value is the first row of its choice."""
    queries = pl.concat(heads) if heads else pl.DataFrame({"choice": [], "user": [], "time": []})
    size = np.concatenate(sizes) if sizes else np.empty(0, np.int64)
    start = np.concatenate([[0], np.cumsum(size)]).astype(np.int64)
    rows, count = int(start[-1]), len(queries)
    chosen = np.zeros(rows)
    chosen[start[:-1]] = 1.0
    width = design.raw.shape[1] + len(nuisance)
    choices = Choices(
        raw=sparse.csr_matrix(sparse.vstack(raws) if raws else (0, width)),
        centring=_centring(design, len(nuisance)),
        start=start,
        chosen=chosen,
        outside=np.zeros(count, bool),
        left=np.zeros(count),
        person=queries["user"].to_numpy().astype(np.int64),
        time=queries["time"].fill_null(0).to_numpy().astype(np.int64),
        offset=np.zeros(rows),
    )
    return CategoryChoices(
        design=design,
        choices=choices,
        nuisance=tuple(nuisance),
        item_row=np.full(rows, -1, np.int64),
        number=queries["choice"].to_numpy().astype(np.int64),
        kind=np.full(count, KINDS.index("search"), np.int64),
        sampled=np.zeros(count, bool),
    )


def _concatenated(first: CategoryChoices, second: CategoryChoices) -> CategoryChoices:
    """Choices of the same columns, one after the other."""
    return replace(
        first,
        choices=concatenated([first.choices, second.choices]),
        item_row=np.concatenate([first.item_row, second.item_row]),
        number=np.concatenate([first.number, second.number]),
        kind=np.concatenate([first.kind, second.kind]),
        sampled=np.concatenate([first.sampled, second.sampled]),
    )


def on_items(sets: Mapping[str, CategoryChoices]) -> dict[str, CategoryChoices]:
    """Of each category's choices those of items: views, carts and purchases."""
    of_items = {c: s.take(s.of_kinds(RESPONSES)) for c, s in sets.items()}
    return {c: s for c, s in of_items.items() if len(s.choices)}
