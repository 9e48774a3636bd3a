"""The ranking layer of logs that do not say what was shown: a whole shop is ranked by one sum of curves.

Each term's amount passes a piecewise-linear curve, named pairs pass a surface, and all values are learned
together on what people chose next. No term explains itself: people stand in folds, and what a fold is
learned on is counted from the people outside it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import polars as pl
from scipy import sparse

from kgrank.choice.amounts import (
    ATTRIBUTES,
    LINKED,
    PAIRS,
    POPULAR,
    RECENT,
    STEPS,
    Amount,
    Grouping,
    Histories,
    Links,
    Statistics,
    about,
    amounts,
    curved,
    flow,
    in_history,
    pair_name,
)
from kgrank.choice.curves import apply, curve, hats, knots, line, pair_hats, surface
from kgrank.choice.layout import Floats, Ints, Truths
from kgrank.choice.logit import Choices, optimum
from kgrank.choice.runs import gather
from kgrank.choice.transitions import TransitionSettings
from kgrank.weights.artefact import LINK_COLUMNS
from kgrank.weights.model import BehaviourTerm, Curve, Flow

FOLDS = 10
EXAMPLES = 10_000
"""People at most whose last choice the curves are learned on."""

NEAR, DRAWN = 50, 40
"""Candidates of a choice: the first by each retrieving term, and others drawn from the rest of the shop."""

KNOTS, PAIR_KNOTS = 8, 4
ROUNDS, SOME = 3, 1_000
"""Rounds of Laplace EM for the variances of the curves' values, and the choices they are learned on."""

BATCH = 256
RUN = 50_000
"""Histories, and rows of candidates, that are worked on at once."""

MOST_PAIRS = 5_000_000


@dataclass(frozen=True)
class People:
    """People's items in order, each person's each item once, at its first time.

    Attributes:
        item: (events,) item numbers, person after person.
        start: (people + 1,) where each person's items start.
        items: Number of items in the shop.
    """

    item: Ints
    start: Ints
    items: int

    def __len__(self) -> int:
        return len(self.start) - 1

    @staticmethod
    def of(sequences: list[Ints], items: int) -> People:
        """From one array a person."""
        start = np.concatenate([[0], np.cumsum([len(s) for s in sequences])]).astype(np.int64)
        return People(np.concatenate([*sequences, np.empty(0, np.int64)]).astype(np.int64), start, items)

    def once(self) -> People:
        """Each item of a person at its first time only."""
        owner = np.repeat(np.arange(len(self)), np.diff(self.start))
        _, first = np.unique(owner * self.items + self.item, return_index=True)
        first.sort()
        start = np.searchsorted(owner[first], np.arange(len(self) + 1))
        return People(self.item[first], start.astype(np.int64), self.items)

    def without_last(self, events: int | Ints) -> People:
        """Without each person's last events, as many for all or (people,)."""
        size = np.maximum(np.diff(self.start) - events, 0)
        return self._first(size)

    def take(self, which: Ints) -> People:
        """Some of the people."""
        found = Histories(self.item, self.start).take(which)
        return People(found.item, found.start, self.items)

    def histories(self) -> Histories:
        """The last ``RECENT`` items of each person; nobody's may be empty."""
        size = np.minimum(np.diff(self.start), RECENT)
        at, start = gather(self.start[1:] - size, size)
        return Histories(self.item[at], start)

    def seen(self) -> sparse.csr_matrix:
        """(people, items) 1 for each item of a person."""
        ones = np.ones(len(self.item))
        return sparse.csr_matrix((ones, self.item, self.start), shape=(len(self), self.items))

    def _first(self, size: Ints) -> People:
        at, start = gather(self.start[:-1], size)
        return People(self.item[at], start, self.items)


@dataclass(frozen=True)
class Counts:
    """All that is counted from people's orders, with the links' matrices."""

    statistics: Statistics
    links: Links
    matrices: Mapping[str, sparse.csr_matrix]

    @staticmethod
    def of(people: People, groups: tuple[Grouping, ...], settings: TransitionSettings) -> Counts:
        """Counts people's items, links and moves between groups."""
        count = np.bincount(people.item, minlength=people.items).astype(float)
        links = count_links(people, settings)
        moves = {g.name: _moves(people, g, settings) for g in groups}
        return Counts.joined(Statistics(count, groups, moves), links)

    @staticmethod
    def joined(statistics: Statistics, links: Links) -> Counts:
        """With the matrices that follow from both."""
        items = len(statistics.count)
        scaled = links.scaled(statistics.count)
        matrices = {
            name: sparse.csr_matrix(
                (data.astype(np.float32), links.target, links.start), shape=(items, items)
            )
            for name, data in scaled.items()
        }
        return Counts(statistics, links, matrices)

    def amounts(self, histories: Histories) -> dict[str, Amount]:
        """The amounts of all terms after histories."""
        return amounts(self.statistics, histories, self._first, self._walk)

    def after(self, histories: Histories) -> Floats:
        """(histories, items) the amount of ``goes-after`` alone."""
        matrix, decay, _ = LINKED["goes-after"]
        return self._first(histories, matrix, decay)

    def _first(self, who: Histories, matrix: str, decay: float) -> Floats:
        shape = (len(who), len(self.statistics.count))
        weight = sparse.csr_matrix((who.recency(decay), who.item, who.start), shape=shape)
        return np.asarray((weight.astype(np.float32) @ self.matrices[matrix]).toarray(), float)

    def _walk(self, matrix: str, begun: Floats) -> Floats:
        return np.asarray(begun.astype(np.float32) @ self.matrices[matrix], float)


def count_links(people: People, settings: TransitionSettings) -> Links:
    """Counts how often items come after one another within reach.

    The pattern is symmetric: a pair has a link each way. In a large log the reach ends where ``MOST_PAIRS``
    are counted: far steps say least, and take the most memory.
    """
    items, item = people.items, people.item
    owner = np.repeat(np.arange(len(people)), np.diff(people.start))
    keys, gaps = [np.empty(0, np.int64)], [np.empty(0)]
    for lag in range(1, settings.reach + 1):
        near = owner[:-lag] == owner[lag:]
        if not near.any() or sum(map(len, keys)) > MOST_PAIRS:
            break
        keys.append(item[:-lag][near] * items + item[lag:][near])
        gaps.append(np.full(int(near.sum()), float(lag)))
    key, gap = np.concatenate(keys), np.concatenate(gaps)
    turned = key % items * items + key // items
    pairs, place = np.unique(np.concatenate([key, turned]), return_inverse=True)
    pairs_at, turned_at = place[: len(key)], place[len(key) :]
    weight, adjacent = settings.gap ** (gap - 1), (gap == 1).astype(float)

    def sums(at: Ints, what: Floats) -> Floats:
        return np.bincount(at, what, minlength=len(pairs)).astype(float)

    kept = pairs // items != pairs % items
    start = np.searchsorted(pairs[kept] // items, np.arange(items + 1))
    found = (
        sums(pairs_at, weight),
        sums(turned_at, weight),
        sums(pairs_at, adjacent),
        sums(turned_at, adjacent),
        sums(pairs_at, np.ones(len(key))) + sums(turned_at, np.ones(len(key))),
    )
    return Links(start.astype(np.int64), pairs[kept] % items, *(f[kept] for f in found))


def _moves(people: People, group: Grouping, settings: TransitionSettings) -> Floats:
    """(labels, labels) decayed counts of going on from one label to another within three steps."""
    size = len(group.labels)
    label = group.label[people.item]
    owner = np.repeat(np.arange(len(people)), np.diff(people.start))
    found = np.zeros(size * size)
    for lag in range(1, min(3, len(label) - 1) + 1):
        near = (owner[:-lag] == owner[lag:]) & (label[:-lag] < size) & (label[lag:] < size)
        place = label[:-lag][near] * size + label[lag:][near]
        found += settings.decay ** (lag - 1) * np.bincount(place, minlength=size * size)
    return found.reshape(size, size)


@dataclass(frozen=True)
class ShopWide:
    """The learned layer: curves by term name, surfaces by pair, and what they are applied to."""

    counts: Counts
    curves: Mapping[str, Curve]
    pairs: Mapping[tuple[str, str], Curve]
    log_likelihood: float
    utility: Floats | None = None
    """(items,) the attribute score, and the weight that was learned for it."""
    strength: float = 0.0

    def score(self, histories: Histories) -> Floats:
        """(histories, items) the sum of all terms."""
        found = self.counts.amounts(histories)
        total = np.zeros((len(histories), len(self.counts.statistics.count)))
        if self.utility is not None:
            total += self.strength * self.utility
        grouped: dict[int, tuple[Ints, Floats]] = {}
        for name, learned in self.curves.items():
            amount = found[name]
            if amount.label is None:
                _add(total, amount.values, learned)
            else:
                # What is alike for all items of a label is added up before it is spread over the items.
                label, sums = grouped.get(id(amount.label), (amount.label, np.zeros((1, 1))))
                grouped[id(amount.label)] = label, sums + apply(learned, amount.values)
        for label, sums in grouped.values():
            total += sums[:, label]
        for pair, learned in self.pairs.items():
            # A surface is 0 where its first term is at its first knot, as for most items.
            at = np.flatnonzero(found[pair[0]].dense() > learned.knots[0][0])
            rows, items = np.divmod(at, total.shape[1])
            total.reshape(-1)[at] += apply(learned, *(found[name].of(rows, items) for name in pair))
        return total


def _add(total: Floats, amounts: Floats, learned: Curve) -> None:
    """Adds what a curve says; one that starts at 0 says nothing of the items without links."""
    if len(amounts) == len(total) and learned.knots[0][0] == 0.0:
        # Flat places are found ten times as fast as rows and columns.
        at = np.flatnonzero(amounts)
        total.reshape(-1)[at] += apply(learned, amounts.reshape(-1)[at])
    else:
        total += apply(learned, amounts)


@dataclass(frozen=True)
class _Examples:
    """Choices from candidates: amounts of the terms, and log weights of drawn candidates."""

    values: Floats
    names: tuple[str, ...]
    start: Ints
    chosen: Ints
    offset: Floats

    def column(self, name: str, rows: slice | Ints) -> Floats:
        return np.asarray(self.values[rows, self.names.index(name)], float)


def learn_shopwide(
    people: People,
    groups: tuple[Grouping, ...],
    settings: TransitionSettings | None = None,
    *,
    utility: Floats | None = None,
    seed: int = 0,
) -> ShopWide:
    """Learns curves and pairs by the likelihood of each person's last item among all items.

    Args:
        people: The learning part of the log.
        groups: What items have in common.
        settings: How transitions are counted.
        utility: (items,) the attribute score of each item, whose weight is learned beside.
        seed: Of the people and of the candidates that are drawn, where there are more than are needed.
    """
    how = settings or TransitionSettings()
    people = people.once()
    examples = _collect(people, groups, how, utility, np.random.default_rng(seed))
    counts = Counts.of(people, groups, how)
    if examples is None:
        return ShopWide(counts, {}, {}, float("nan"))
    learned = _fit(examples, counts)
    if utility is None:
        return learned
    curves = dict(learned.curves)
    straight = curves.pop(ATTRIBUTES)
    # Attributes that would lower the score of what they make likely elsewhere get no weight.
    strength = max(straight.values[-1] / (straight.knots[0][-1] - straight.knots[0][0]), 0.0)
    return replace(learned, curves=curves, utility=utility, strength=strength)


def _collect(
    people: People,
    groups: tuple[Grouping, ...],
    settings: TransitionSettings,
    utility: Floats | None,
    random: np.random.Generator,
) -> _Examples | None:
    """The last choice of people in folds, with amounts counted from the people of the other folds."""
    able = np.flatnonzero(np.diff(people.start) > 1)
    able = np.sort(random.permutation(able)[:EXAMPLES])
    # Whatever the seed, everybody's fold stays the same, so that two seeds differ in what they draw alone.
    fold = np.random.default_rng(0).permutation(len(people)) % FOLDS
    parts: list[_Examples] = []
    for number in range(FOLDS):
        inside = able[fold[able] == number]
        if len(inside):
            others = people.take(np.flatnonzero(fold != number))
            counts = Counts.of(others, groups, settings)
            parts.extend(_batches(people.take(inside), counts, utility, random))
    return _joined(parts) if parts else None


def _batches(
    people: People, counts: Counts, utility: Floats | None, random: np.random.Generator
) -> Iterator[_Examples]:
    target = people.item[people.start[1:] - 1]
    before = people.without_last(1)
    for first in range(0, len(people), BATCH):
        which = np.arange(first, min(first + BATCH, len(people)))
        some = before.take(which)
        found = counts.amounts(some.histories())
        if utility is not None:
            found[ATTRIBUTES] = Amount(utility[None])
        yield _candidates(found, target[which], some.seen().toarray() > 0, counts.statistics, random)


def _candidates(
    found: Mapping[str, Amount],
    target: Ints,
    seen: Truths,
    statistics: Statistics,
    random: np.random.Generator,
) -> _Examples:
    """The nearest items and some others, the others weighted to stand for all the rest of the shop."""
    shape = seen.shape
    near = np.zeros(shape, bool)
    popularity = found[POPULAR].values[0]
    retrieving = [found["goes-after"].values, found["together"].values]
    retrieving += [found[name].values for name in STEPS][:1]
    likeness = [found[in_history(g.name)].dense() for g in statistics.groupings]
    retrieving.append(np.broadcast_to(sum(likeness, 0.1 * popularity), shape))
    for values in retrieving:
        if shape[1] <= NEAR:
            near[:] = True
            break
        values = np.where(seen, -np.inf, values)
        first = np.argpartition(-values, NEAR, axis=1)[:, :NEAR]
        near[np.arange(shape[0])[:, None], first] = True
    near &= ~seen
    rest = ~near & ~seen
    rank = np.where(rest, random.random(shape), 2.0)
    drawn = np.zeros(shape, bool)
    count = min(DRAWN, shape[1] - 1)
    np.put_along_axis(drawn, np.argpartition(rank, count, axis=1)[:, :count], True, axis=1)
    drawn &= rest
    free, taken = rest.sum(1), np.maximum(drawn.sum(1), 1)
    mine = np.zeros(shape, bool)
    mine[np.arange(shape[0]), target] = True
    weight = np.log(np.maximum(free, 1) / taken)
    rows, items = np.nonzero(near | drawn | mine)
    offset = np.where(drawn[rows, items], weight[rows], 0.0)
    names = tuple(found)
    values = np.column_stack([found[name].of(rows, items) for name in names]).astype(np.float32)
    start = np.searchsorted(rows, np.arange(shape[0] + 1)).astype(np.int64)
    return _Examples(values, names, start, np.flatnonzero(items == target[rows]), offset)


def _joined(parts: list[_Examples]) -> _Examples:
    ends = np.cumsum([0, *(len(p.offset) for p in parts)])
    return _Examples(
        np.concatenate([p.values for p in parts]),
        parts[0].names,
        np.concatenate([[0], *(p.start[1:] + e for p, e in zip(parts, ends, strict=False))]).astype(np.int64),
        np.concatenate([p.chosen + e for p, e in zip(parts, ends, strict=False)]),
        np.concatenate([p.offset for p in parts]),
    )


def _fit(examples: _Examples, counts: Counts) -> ShopWide:
    """The curves' values at the optimum of the likelihood, their variances learned by Laplace EM."""
    singles = [n for n in examples.names if curved(n)]
    pairs = [p for p in PAIRS if set(p) <= set(examples.names)]
    at = {n: knots(examples.column(n, examples.chosen), KNOTS) for n in singles}
    if ATTRIBUTES in at:
        at[ATTRIBUTES] = line(examples.column(ATTRIBUTES, slice(None)))
    coarse = {n: knots(examples.column(n, examples.chosen), PAIR_KNOTS) for p in pairs for n in p}
    raw, sizes = _columns(examples, at, coarse, pairs)
    chosen = np.zeros(raw.shape[0])
    chosen[examples.chosen] = 1.0
    none = np.zeros(len(examples.start) - 1)
    choices = Choices(
        raw, np.eye(raw.shape[1]), examples.start, chosen, none > 0, none,
        np.arange(len(none)), np.arange(len(none)), examples.offset,
    )  # fmt: skip
    values = _learned(choices, sizes)
    edges = np.cumsum([0, *sizes])
    part = [values[a:b] for a, b in pairwise(edges.tolist())]
    return ShopWide(
        counts,
        {n: curve(at[n], v) for n, v in zip(singles, part, strict=False)},
        {p: surface(coarse[p[0]], coarse[p[1]], v) for p, v in zip(pairs, part[len(singles) :], strict=True)},
        float(choices.log_likelihood(choices.utility(values)).mean()),
    )


def _columns(
    examples: _Examples,
    at: Mapping[str, tuple[float, ...]],
    coarse: Mapping[str, tuple[float, ...]],
    pairs: list[tuple[str, str]],
) -> tuple[sparse.csr_matrix, list[int]]:
    """The hat functions of all rows, built in runs of rows to save memory, and the width of each block."""
    runs, sizes = [], list[int]()
    for first in range(0, len(examples.offset), RUN):
        run = {n: examples.column(n, slice(first, first + RUN)) for n in examples.names}
        fine = {n: hats(run[n], k) for n, k in coarse.items()}
        blocks = [hats(run[n], k) for n, k in at.items()] + [pair_hats(fine[a], fine[b]) for a, b in pairs]
        sizes = [b.shape[1] for b in blocks]
        runs.append(sparse.csr_matrix(np.hstack(blocks)))
    return sparse.csr_matrix(sparse.vstack(runs, "csr")), sizes


def _learned(choices: Choices, sizes: list[int]) -> Floats:
    """The optimum under one variance a curve, which is learned from the curve's own values on some choices."""
    block = np.repeat(np.arange(len(sizes)), sizes)
    mean = np.zeros(choices.width)
    precision = np.ones(choices.width)
    values = mean
    some = choices.take(np.arange(0, len(choices), max(len(choices) // SOME, 1)))
    for _ in range(ROUNDS):
        values, hessian = optimum(some, mean, precision, start=values, tolerance=1e-2)
        spread = values**2 + np.diag(np.linalg.inv(hessian))
        variance = np.bincount(block, spread) / np.bincount(block)
        precision = 1.0 / np.clip(variance, 1e-2, 1e2)[block]
    return optimum(choices, mean, precision, start=values, tolerance=1e-4)[0]


def behaviour_terms(learned: ShopWide, items: tuple[str, ...]) -> tuple[BehaviourTerm, ...]:
    """The learned terms as they are stored: each with its curve, ``popular`` with its counts, flows with moves.

    Args:
        learned: The layer.
        items: Item ids.
    """
    statistics = learned.counts.statistics
    names = tuple(g.name for g in statistics.groupings)
    flows = {flow(g.name): _flows(g, statistics.moves[g.name]) for g in statistics.groupings}
    counts = dict(zip(items, statistics.count.tolist(), strict=True))
    single = [
        BehaviourTerm(
            name,
            about(name, names),
            curve=learned_curve,
            counts=counts if name == POPULAR else {},
            flows=flows.get(name, ()),
        )
        for name, learned_curve in learned.curves.items()
    ]
    both = [
        BehaviourTerm(pair_name(pair), f"{pair[0]} and {pair[1]} together", curve=learned_curve, of=pair)
        for pair, learned_curve in learned.pairs.items()
    ]
    return (*single, *both)


def _flows(group: Grouping, moves: Floats) -> tuple[Flow, ...]:
    source, target = np.nonzero(moves)
    return tuple(
        Flow(group.labels[i], group.labels[j], float(moves[i, j]))
        for i, j in zip(source.tolist(), target.tolist(), strict=True)
    )


def link_table(counts: Counts, items: tuple[str, ...], most: int) -> pl.DataFrame:
    """The links as transitions beside the weights: source, target, weight, and the counts behind it.

    Of each item the ``most`` strongest are kept; ``weight`` is the matrix of ``goes-after``.
    """
    links = counts.links
    row = np.repeat(np.arange(len(items)), np.diff(links.start))
    names = pl.Series(items, dtype=pl.String)
    table = pl.DataFrame(
        {
            "source": names.gather(row),
            "target": names.gather(links.target),
            "weight": counts.matrices["after"].data.astype(float),
            **{name: getattr(links, name) for name in LINK_COLUMNS},
        }
    )
    place = pl.col("weight").rank("ordinal", descending=True).over("source")
    return table.filter(place <= most)
