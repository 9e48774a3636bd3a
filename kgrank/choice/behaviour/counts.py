"""Counts over sequences of events: links between items, transitions between groups, popularity."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy import sparse

from kgrank.arrays import Floats, Ints
from kgrank.choice.behaviour.groupings import Grouping
from kgrank.choice.behaviour.popularity import HALF_LIVES, recent
from kgrank.choice.behaviour.sequences import EventSequences
from kgrank.choice.behaviour.terms import AFTER, LATE, Links, Statistics, Values
from kgrank.choice.behaviour.title_tfidf import TitleVectors
from kgrank.choice.data.ragged import gather
from kgrank.weights.artefact import LINK_COLUMNS

REACH, GAP = 20, 0.85
"""Steps within which one item goes after another, and what a step further counts."""

MOST_PAIRS = 5_000_000
LINKS_PER_ITEM = 200
"""Pairs counted at most, and links kept from each item in the graph."""

TRANSITION_REACH = 3

PRODUCTS = 1_000_000
"""Links that are followed at once for single pairs of a history and an item."""

CELLS = 4_000_000
"""Cells of a dense block (items, items asked for), 16 MB."""

LOOK_UP = 2.0
"""Time of looking up the link between two items, in that of a product of two stored entries."""

DENSE_COST = 0.02
"""Time of a product in a dense block, in that of one of two stored entries of sparse matrices."""

ALL = 0.5
"""Share of the items from which on the values of all are computed when some are asked for."""


@dataclass(frozen=True)
class SparseValues:
    """The values of a term that is 0 for most pairs of a history and an item; (histories, items), sorted."""

    values: sparse.csr_matrix

    @staticmethod
    def of_matrix(values: sparse.csr_matrix) -> SparseValues:
        """Of a matrix whose entries may be in any order."""
        values.sort_indices()
        return SparseValues(values)

    def of(self, rows: Ints, items: Ints) -> Floats:
        """(pairs,) the values of pairs of a history and an item."""
        return np.asarray(self.values[rows, items], float).ravel()

    def dense(self) -> Floats:
        """(histories, items)."""
        return np.asarray(self.values.toarray(), float)


@dataclass(frozen=True)
class LinkValues:
    """The values of a term over links from the items of each history; of few pairs only these are looked up.

    Attributes:
        weight: (histories, items) of the items of each history.
        matrix: (items, items) the links.
    """

    weight: sparse.csr_matrix
    matrix: sparse.csr_matrix

    def of(self, rows: Ints, items: Ints) -> Floats:
        """(pairs,) the values of pairs of a history and an item."""
        links_per_item = self.matrix.nnz / max(self.matrix.shape[0], 1)
        known = np.diff(self.weight.indptr)[rows]
        if LOOK_UP * known.sum() > self.weight.nnz * links_per_item:
            return SparseValues(self.values).of(rows, items)
        entries, start = gather(self.weight.indptr[:-1][rows], known)
        pair = np.repeat(np.arange(len(rows)), np.diff(start))
        links = np.asarray(self.matrix[self.weight.indices[entries], items[pair]], float).ravel()
        return np.bincount(pair, links * self.weight.data[entries], minlength=len(rows)).astype(float)

    def dense(self) -> Floats:
        """(histories, items)."""
        return SparseValues(self.values).dense()

    @cached_property
    def values(self) -> sparse.csr_matrix:
        """(histories, items) of all items, sorted."""
        return SparseValues.of_matrix(self.weight @ self.matrix).values


@dataclass(frozen=True)
class Walk:
    """The values of a term that is one step along links from another term's.

    Attributes:
        begun: The term before.
        matrix: (items, items) the links.
        transposed: Its transpose.
    """

    begun: Values
    matrix: sparse.csr_matrix
    transposed: sparse.csr_matrix

    def of(self, rows: Ints, items: Ints) -> Floats:
        """(pairs,) the values of pairs of a history and an item."""
        if isinstance(self.begun, Walk):
            asked, column = np.unique(items, return_inverse=True)
            if self._products_from(self.begun, asked) < self.begun.products:
                return np.asarray(self._two_steps(self.begun, asked)[rows, column])
        first, size = self.transposed.indptr[items], np.diff(self.transposed.indptr)[items]
        # Pairs in runs, so that the links to the items of a run take little memory.
        run = np.cumsum(size) // PRODUCTS
        values = np.empty(len(items))
        for part in np.split(np.arange(len(items)), np.flatnonzero(np.diff(run)) + 1):
            links, start = gather(first[part], size[part])
            pair = np.repeat(np.arange(len(part)), np.diff(start))
            weight = self._begun[rows[part][pair], self.transposed.indices[links]]
            values[part] = np.bincount(pair, weight * self.transposed.data[links], minlength=len(part))
        return values

    @property
    def _links_per_item(self) -> float:
        per_item: float = self.matrix.nnz / max(self.matrix.shape[0], 1)
        return per_item

    @cached_property
    def products(self) -> float:
        """Products of stored entries that ``dense`` takes."""
        begun = self.begun.values.nnz if isinstance(self.begun, LinkValues) else self._begun.size
        return float(begun) * self._links_per_item

    def _products_from(self, begun: Walk, asked: Ints) -> float:
        """Products that ``_two_steps`` takes, in those of stored entries."""
        links = float(np.diff(self.transposed.indptr)[asked].sum())
        in_blocks = float(begun._begun.size) * len(asked)
        return links * self._links_per_item + DENSE_COST * in_blocks

    def _two_steps(self, begun: Walk, asked: Ints) -> npt.NDArray[np.float32]:
        """(histories, asked) this step and the one before at once, from the items back.

        Two steps from a history reach nearly all items: it is quicker where few of them are asked for.
        """
        width = max(CELLS // self.matrix.shape[0], 1)
        blocks = [asked[first : first + width] for first in range(0, len(asked), width)]
        return np.hstack([begun._begun @ (self.matrix @ self.transposed[b].T).toarray() for b in blocks])

    def dense(self) -> Floats:
        """(histories, items)."""
        begun = self.begun.values if isinstance(self.begun, LinkValues) else sparse.csr_matrix(self._begun)
        return np.asarray((begun @ self.matrix).toarray(), float)

    @cached_property
    def _begun(self) -> npt.NDArray[np.float32]:
        """(histories, items) the values of the term before."""
        return self.begun.dense().astype(np.float32)


@dataclass(frozen=True)
class OfSimilarPeople:
    """What people who share items with each history took; of few items only these are computed.

    Attributes:
        person: (histories, people) the weight of each person.
        taken: (people, items) what they took, over the number of their items.
        fewest: An item that fewer of them took is worth 0.
    """

    person: sparse.csr_matrix
    taken: sparse.csc_matrix
    fewest: int

    def of(self, rows: Ints, items: Ints) -> Floats:
        """(pairs,) the values of pairs of a history and an item."""
        asked, column = np.unique(items, return_inverse=True)
        if len(asked) > ALL * self.taken.shape[1]:
            return self._all.of(rows, items)
        return self._sums(self.taken[:, asked]).of(rows, column)

    def dense(self) -> Floats:
        """(histories, items)."""
        return self._all.dense()

    @cached_property
    def _all(self) -> SparseValues:
        return self._sums(self.taken)

    def _sums(self, taken: sparse.csc_matrix) -> SparseValues:
        taken = sparse.csr_matrix(taken)
        values = SparseValues.of_matrix(self.person @ taken)
        if self.fewest > 1:
            holders = SparseValues.of_matrix(_ones(self.person) @ _ones(taken))
            values.values.data[holders.values.data < self.fewest] = 0.0
        return values


def _ones(matrix: sparse.csr_matrix) -> sparse.csr_matrix:
    """1 where an entry is stored."""
    ones = np.ones(matrix.nnz, np.float32)
    return sparse.csr_matrix((ones, matrix.indices, matrix.indptr), shape=matrix.shape)


@dataclass(frozen=True)
class Counts:
    """All counts over sequences of events, each item once a person, with the matrices of the links.

    Attributes:
        statistics: Counts for the terms without links.
        links: Between items.
        sequences: What was counted.
        fewest: A co-occurrence of fewer people is left out.
    """

    statistics: Statistics
    links: Links
    sequences: EventSequences
    fewest: int = 1

    @staticmethod
    def of(
        people: EventSequences,
        groups: tuple[Grouping, ...] = (),
        title_vectors: TitleVectors | None = None,
        *,
        reach: int = REACH,
        gap: float = GAP,
        half_lives: Sequence[float] = HALF_LIVES,
        fewest: int = 1,
    ) -> Counts:
        """Counts events by item, links, transitions between groups, and recent popularity.

        Links and transitions of fewer than ``fewest`` people are left out.
        """
        count = np.bincount(people.item, minlength=people.item_count).astype(float)
        links = count_links(people, reach, gap)
        moves = {g.name: count_transitions(people, g, fewest) for g in groups}
        return Counts(
            Statistics(count, groups, moves, recent(people, half_lives), title_vectors),
            links.of_people(fewest) if fewest > 1 else links,
            people,
            fewest,
        )

    @cached_property
    def matrices(self) -> Mapping[str, sparse.csr_matrix]:
        """The matrices of ``LINKED`` (items, items)."""
        links, count = self.links, self.statistics.count
        shape = (len(count), len(count))
        # In numbers that scipy keeps as they are, so that all matrices share them.
        target, start = links.target.astype(np.int32), links.start.astype(np.int32)
        return {
            name: sparse.csr_matrix((data.astype(np.float32), target, start), shape=shape)
            for name, data in links.scaled(count).items()
        }

    @cached_property
    def _into(self) -> sparse.csr_matrix:
        """(items, items) the links of ``goes-after`` by the item that they lead to."""
        return sparse.csr_matrix(self.matrices[AFTER].T)

    @cached_property
    def _seen(self) -> tuple[sparse.csr_matrix, sparse.csc_matrix]:
        """(items, people) and (people, items / people's sizes)."""
        seen = sparse.csr_matrix(self.sequences.seen(), dtype=np.float32)
        size = 1.0 + np.diff(self.sequences.start)
        return sparse.csr_matrix(seen.T), sparse.csc_matrix(sparse.diags(1.0 / size) @ seen, dtype=np.float32)

    def after(self, histories: EventSequences) -> Floats:
        """(histories, items) the value of the term ``goes-after``."""
        return self.first(histories, AFTER, LATE).dense()

    def first(self, histories: EventSequences, matrix: str, decay: float) -> LinkValues:
        """Sums of the links from the items of each history, weighted by recency."""
        return LinkValues(self._weights(histories, histories.recency(decay)), self.matrices[matrix])

    def walk(self, begun: Values) -> Walk:
        """One step along the links of ``goes-after``."""
        return Walk(begun, self.matrices[AFTER], self._into)

    def similar_people(self, histories: EventSequences) -> OfSimilarPeople:
        """Items of the people who share items with each history, weighted by similarity."""
        shared_by, taken = self._seen
        person = self._weights(histories, self.statistics.rarity[histories.item]) @ shared_by
        person.data **= 2
        return OfSimilarPeople(person, taken, self.fewest)

    def _weights(self, histories: EventSequences, weight: Floats) -> sparse.csr_matrix:
        shape = (len(histories), len(self.statistics.count))
        return sparse.csr_matrix((weight.astype(np.float32), histories.item, histories.start), shape=shape)


def count_links(people: EventSequences, reach: int = REACH, gap: float = GAP) -> Links:
    """Counts how often items come after one another within reach.

    The pattern is symmetric: a pair has a link each way. In a large log the reach ends where ``MOST_PAIRS``
    are counted: far steps matter least, and take the most memory.
    """
    items, item, owner = people.item_count, people.item, people.owner
    keys, gaps = [np.empty(0, np.int64)], [np.empty(0)]
    for lag in range(1, reach + 1):
        near = owner[:-lag] == owner[lag:]
        if not near.any() or sum(map(len, keys)) > MOST_PAIRS:
            break
        keys.append(item[:-lag][near] * items + item[lag:][near])
        gaps.append(np.full(int(near.sum()), float(lag)))
    key, steps = np.concatenate(keys), np.concatenate(gaps)
    turned = key % items * items + key // items
    pairs, pair_number = np.unique(np.concatenate([key, turned]), return_inverse=True)
    forward_number, backward_number = pair_number[: len(key)], pair_number[len(key) :]
    weight, adjacent, ones = gap ** (steps - 1), (steps == 1).astype(float), np.ones(len(key))

    def sums(pair_numbers: Ints, values: Floats) -> Floats:
        return np.bincount(pair_numbers, values, minlength=len(pairs)).astype(float)

    different = pairs // items != pairs % items
    start = np.searchsorted(pairs[different] // items, np.arange(items + 1))
    followed = sums(forward_number, ones)
    return Links(
        start=start.astype(np.int64),
        target=pairs[different] % items,
        forward=sums(forward_number, weight)[different],
        backward=sums(backward_number, weight)[different],
        next=sums(forward_number, adjacent)[different],
        previous=sums(backward_number, adjacent)[different],
        people=followed[different],
        together=(followed + sums(backward_number, ones))[different],
    )


def count_transitions(people: EventSequences, group: Grouping, fewest: int = 1) -> Floats:
    """(labels, labels) decayed counts of transitions from one label to another within three steps.

    Those of fewer than ``fewest`` people are 0.
    """
    size = len(group.labels)
    label, owner = group.label[people.item], people.owner
    counts = np.zeros(size * size)
    by_person = [np.empty(0, np.int64)]
    for lag in range(1, min(TRANSITION_REACH, len(label) - 1) + 1):
        near = (owner[:-lag] == owner[lag:]) & (label[:-lag] < size) & (label[lag:] < size)
        cell = label[:-lag][near] * size + label[lag:][near]
        counts += LATE ** (lag - 1) * np.bincount(cell, minlength=size * size)
        if fewest > 1:
            by_person.append(owner[:-lag][near] * (size * size) + cell)
    if fewest > 1:
        cells = np.unique(np.concatenate(by_person)) % (size * size)
        counts[np.bincount(cells, minlength=size * size) < fewest] = 0.0
    return counts.reshape(size, size)


def link_table(counts: Counts, items: tuple[str, ...], most: int) -> pl.DataFrame:
    """The links as transitions beside the weights: source, target, weight, and the counts behind it.

    Of each item the ``most`` strongest are kept; ``weight`` is the matrix of ``goes-after``.
    """
    links = counts.links
    row = np.repeat(np.arange(len(items)), np.diff(links.start))
    weight = links.scaled(counts.statistics.count)[AFTER]
    # Names come last: those of all links take more memory than everything that is counted.
    strongest = np.lexsort((-weight, row))
    kept = np.sort(strongest[np.arange(len(row)) - links.start[row[strongest]] < most])
    names = pl.Series(items, dtype=pl.String())
    return pl.DataFrame(
        {
            "source": names.gather(row[kept]),
            "target": names.gather(links.target[kept]),
            "weight": weight[kept],
            **{name: getattr(links, name)[kept] for name in LINK_COLUMNS},
        }
    )
