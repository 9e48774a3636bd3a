"""What goes after what: decayed transitions between items, counted from the order of people's events."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl
from scipy import sparse

from kgrank.choice.layout import Ints
from kgrank.choice.log import RESPONSES
from kgrank.graph.tables import KnowledgeGraph


@dataclass(frozen=True)
class TransitionSettings:
    """How transitions are counted.

    F[i, j] = Σ over people and places p < q ≤ p + reach of gap^(q - p - 1), for i at p and j at q, plus ``back``
    of the same backwards, divided by (n_i + smoothing)^from_power · (n_j + smoothing)^to_power, where n counts
    events. A history's score of j is Σ_k decay^k F[k-th last item, j].
    """

    reach: int = 20
    gap: float = 0.85
    back: float = 0.4
    smoothing: float = 10.0
    from_power: float = 0.5
    to_power: float = 0.3
    decay: float = 0.6

    def numbers(self) -> Mapping[str, float]:
        """For the weights file."""
        return {name: float(getattr(self, name)) for name in self.__dataclass_fields__}


@dataclass(frozen=True)
class Sequences:
    """People's events in order.

    Attributes:
        items: Item ids.
        item: (events,) item numbers, person after person, by time.
        time: (events,) their times.
        start: (people + 1,) where each person's events start.
        users: User ids.
    """

    items: tuple[str, ...]
    item: Ints
    time: Ints
    start: Ints
    users: tuple[str, ...]


def sequences(graph: KnowledgeGraph) -> Sequences:
    """The responses of every user by time; an item seen, carted and bought in a row counts once.

    In a log of ratings alone, rating an item is the response.
    """
    items = graph.edge("IN_CATEGORY")["source"].unique().sort()
    number = pl.DataFrame({"target": items, "item": np.arange(len(items))})
    logged = graph.edge("INTERACTED")
    responses = logged.filter(pl.col("kind").is_in(RESPONSES))
    events = (
        (responses if len(responses) else logged.filter(pl.col("kind") == "rating"))
        .select("source", "target", "time", "id")
        .join(number, on="target")
        .sort("source", "time", "id")
    )
    again = (pl.col("item") == pl.col("item").shift()) & (pl.col("source") == pl.col("source").shift())
    events = events.filter(~again.fill_null(False))
    size = events.group_by("source", maintain_order=True).len()
    start = np.concatenate([[0], np.cumsum(size["len"].to_numpy())]).astype(np.int64)
    return Sequences(
        tuple(items),
        events["item"].to_numpy().astype(np.int64),
        events["time"].fill_null(0).to_numpy().astype(np.int64),
        start,
        tuple(size["source"].to_list()),
    )


def transitions(
    item: Ints, start: Ints, items: int, settings: TransitionSettings | None = None
) -> sparse.csr_matrix:
    """The matrix F (items, items) of ``TransitionSettings``, from events of people in order.

    Args:
        item: (events,) item numbers, person after person.
        start: (people + 1,) where each person's events start.
        items: Number of items.
        settings: How to count.
    """
    how = settings or TransitionSettings()
    owner = np.repeat(np.arange(len(start) - 1), np.diff(start))
    forward = sparse.csr_matrix((items, items))
    for lag in range(1, how.reach + 1):
        same = owner[:-lag] == owner[lag:]
        if not same.any():
            break
        pair = (item[:-lag][same], item[lag:][same])
        weight = np.full(len(pair[0]), how.gap ** (lag - 1))
        forward = forward + sparse.csr_matrix((weight, pair), shape=(items, items))
    both = forward + how.back * forward.T
    count = np.bincount(item, minlength=items) + how.smoothing
    left = sparse.diags(count**-how.from_power)
    right = sparse.diags(count**-how.to_power)
    found = sparse.csr_matrix(left @ both @ right)
    found.setdiag(0.0)
    found.eliminate_zeros()
    return found


def after(matrix: sparse.csr_matrix, item: Ints, start: Ints, decay: float) -> sparse.csr_matrix:
    """(people, items) what the last events of each person call for: Σ_k decay^k F[k-th last item, ·]."""
    people = len(start) - 1
    owner = np.repeat(np.arange(people), np.diff(start))
    back = np.repeat(start[1:], np.diff(start)) - 1 - np.arange(len(item))
    shape = (people, matrix.shape[0])
    history: sparse.csr_matrix = sparse.csr_matrix((decay**back, (owner, item)), shape=shape)
    return sparse.csr_matrix(history @ matrix)


def strongest(matrix: sparse.csr_matrix, most: int) -> sparse.csr_matrix:
    """The ``most`` largest entries of each row."""
    kept = matrix.tocsr(copy=True)
    for row in range(kept.shape[0]):
        span = slice(kept.indptr[row], kept.indptr[row + 1])
        values = kept.data[span]
        if len(values) > most:
            cut = np.partition(values, -most)[-most]
            values[values < cut] = 0.0
    kept.eliminate_zeros()
    return kept


def edges(matrix: sparse.csr_matrix, items: tuple[str, ...]) -> pl.DataFrame:
    """The matrix as a table: source, target, weight."""
    found = matrix.tocoo()
    names = np.array(items, dtype=object)
    return pl.DataFrame(
        {
            "source": pl.Series(names[found.row], dtype=pl.String),
            "target": pl.Series(names[found.col], dtype=pl.String),
            "weight": found.data.astype(float),
        }
    )
