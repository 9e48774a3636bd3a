"""What is counted from people's orders: links between items, moves between groups, what is popular lately."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import polars as pl
from scipy import sparse

from kgrank.arrays import Floats, Ints
from kgrank.choice.behaviour.histories import Grouping, Histories, Recent
from kgrank.choice.behaviour.sequences import Sequences
from kgrank.choice.behaviour.terms import LATE, LINKED, RECENT, Links, Statistics
from kgrank.choice.behaviour.titles import TitleVectors
from kgrank.choice.data.ragged import gather
from kgrank.weights.artefact import LINK_COLUMNS

REACH, GAP = 20, 0.85
"""Steps within which one item goes after another, and what a step further counts."""

MOST_PAIRS = 5_000_000
LINKS_PER_ITEM = 200
"""Pairs counted at most, and links kept from each item in the graph."""

TRANSITION_REACH = 3

DAY = 86_400
HALF_LIVES = tuple(days * DAY for days in (7, 30, 90, 365))
MOMENTS = 64
"""Half-lives of popularity that are tried, in seconds, and the moments at which it is kept."""

FEW_EVENTS = 10.0
"""Events at the long-run shares that are added to recent ones when half-lives are compared."""


@dataclass(frozen=True)
class EventSequences:
    """People's items in order.

    Attributes:
        item: (events,) item numbers, person after person.
        start: (people + 1,) where each person's items start.
        item_count: Number of items in the shop.
        time: (events,) in seconds; None where times of two people cannot be compared.
    """

    item: Ints
    start: Ints
    item_count: int
    time: Ints | None = None

    def __len__(self) -> int:
        return len(self.start) - 1

    @staticmethod
    def of(sequences: Sequence[Ints], items: int) -> EventSequences:
        """From one array a person."""
        start = np.concatenate([[0], np.cumsum([len(s) for s in sequences])]).astype(np.int64)
        return EventSequences(
            np.concatenate([*sequences, np.empty(0, np.int64)]).astype(np.int64), start, items
        )

    @staticmethod
    def logged(log: Sequences) -> EventSequences:
        """Of a log, each person's each item once, at its first time."""
        return EventSequences(log.item, log.start, len(log.items), log.time if log.dated else None).once()

    @cached_property
    def owner(self) -> Ints:
        """(events,) the person of each event."""
        return np.repeat(np.arange(len(self)), np.diff(self.start))

    def once(self) -> EventSequences:
        """Each item of a person at its first time only."""
        _, first = np.unique(self.owner * self.item_count + self.item, return_index=True)
        first.sort()
        start = np.searchsorted(self.owner[first], np.arange(len(self) + 1))
        return self._at(first, start.astype(np.int64))

    def without_last(self, events: int | Ints) -> EventSequences:
        """Without each person's last events, as many for all or (people,)."""
        size = np.maximum(np.diff(self.start) - events, 0)
        return self._at(*gather(self.start[:-1], size))

    def take(self, which: Ints) -> EventSequences:
        """Some of the people."""
        return self._at(*gather(self.start[:-1][which], np.diff(self.start)[which]))

    def histories(self, time: Ints | None = None) -> Histories:
        """The last ``RECENT`` items of each person, asked about at a time; nobody's may be empty."""
        size = np.minimum(np.diff(self.start), RECENT)
        at, start = gather(self.start[1:] - size, size)
        return Histories(self.item[at], start, time)

    def seen(self) -> sparse.csr_matrix:
        """(people, items) 1 for each item of a person."""
        ones = np.ones(len(self.item))
        return sparse.csr_matrix((ones, self.item, self.start), shape=(len(self), self.item_count))

    def _at(self, events: Ints, start: Ints) -> EventSequences:
        time = None if self.time is None else self.time[events]
        return replace(self, item=self.item[events], start=start, time=time)


@dataclass(frozen=True)
class Counts:
    """All that is counted from people's orders, each item once a person, with the links' matrices."""

    statistics: Statistics
    links: Links
    sequences: EventSequences

    @staticmethod
    def of(
        people: EventSequences,
        groups: tuple[Grouping, ...] = (),
        words: TitleVectors | None = None,
        *,
        reach: int = REACH,
        gap: float = GAP,
        half_lives: Sequence[float] = HALF_LIVES,
    ) -> Counts:
        """Counts people's items, links, moves between groups, and what is popular lately."""
        count = np.bincount(people.item, minlength=people.item_count).astype(float)
        links = count_links(people, reach, gap)
        moves = {g.name: count_transitions(people, g) for g in groups}
        return Counts(Statistics(count, groups, moves, recent(people, half_lives), words), links, people)

    @cached_property
    def matrices(self) -> Mapping[str, sparse.csr_matrix]:
        """The matrices of ``LINKED`` (items, items)."""
        links, count = self.links, self.statistics.count
        shape = (len(count), len(count))
        return {
            name: sparse.csr_matrix((data.astype(np.float32), links.target, links.start), shape=shape)
            for name, data in links.scaled(count).items()
        }

    @cached_property
    def _seen(self) -> tuple[sparse.csr_matrix, sparse.csr_matrix]:
        """(items, people) and (people, items / people's sizes)."""
        seen = sparse.csr_matrix(self.sequences.seen(), dtype=np.float32)
        size = 1.0 + np.diff(self.sequences.start)
        return sparse.csr_matrix(seen.T), sparse.csr_matrix(sparse.diags(1.0 / size) @ seen, dtype=np.float32)

    def after(self, histories: Histories) -> Floats:
        """(histories, items) the amount of ``goes-after`` alone."""
        return self.first(histories, LINKED["goes-after"][0], LATE)

    def first(self, histories: Histories, matrix: str, decay: float) -> Floats:
        """(histories, items) what the items of the histories link to, by recency."""
        weight = self._weights(histories, histories.recency(decay))
        return np.asarray((weight @ self.matrices[matrix]).toarray(), float)

    def walk(self, matrix: str, begun: Floats) -> Floats:
        """(histories, items) one step along the links."""
        return np.asarray(begun.astype(np.float32) @ self.matrices[matrix], float)

    def similar_people(self, histories: Histories) -> Floats:
        """(histories, items) what people took who share items with each history."""
        shared_by, taken = self._seen
        person = self._weights(histories, self.statistics.rarity[histories.item]) @ shared_by
        person.data **= 2
        return np.asarray((person @ taken).toarray(), float)

    def _weights(self, histories: Histories, weight: Floats) -> sparse.csr_matrix:
        shape = (len(histories), len(self.statistics.count))
        return sparse.csr_matrix((weight.astype(np.float32), histories.item, histories.start), shape=shape)


def count_links(people: EventSequences, reach: int = REACH, gap: float = GAP) -> Links:
    """Counts how often items come after one another within reach.

    The pattern is symmetric: a pair has a link each way. In a large log the reach ends where ``MOST_PAIRS``
    are counted: far steps say least, and take the most memory.
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
    columns = (
        sums(forward_number, weight),
        sums(backward_number, weight),
        sums(forward_number, adjacent),
        sums(backward_number, adjacent),
        followed,
        followed + sums(backward_number, ones),
    )
    return Links(start.astype(np.int64), pairs[different] % items, *(f[different] for f in columns))


def count_transitions(people: EventSequences, group: Grouping) -> Floats:
    """(labels, labels) decayed counts of going on from one label to another within three steps."""
    size = len(group.labels)
    label, owner = group.label[people.item], people.owner
    counts = np.zeros(size * size)
    for lag in range(1, min(TRANSITION_REACH, len(label) - 1) + 1):
        near = (owner[:-lag] == owner[lag:]) & (label[:-lag] < size) & (label[lag:] < size)
        cell = label[:-lag][near] * size + label[lag:][near]
        counts += LATE ** (lag - 1) * np.bincount(cell, minlength=size * size)
    return counts.reshape(size, size)


def recent(people: EventSequences, half_lives: Sequence[float] = HALF_LIVES) -> Recent | None:
    """What was popular lately, by the half-life under which it says most of what is taken next.

    Each half-life is judged by the likelihood of the log's later half: an event is drawn by the recent
    counts before it, with ``FEW_EVENTS`` events by the counts of all time so far.
    """
    if people.time is None or not len(people.time) or np.ptp(people.time) < DAY:
        return None
    order = np.argsort(people.time, kind="stable")
    time, item = people.time[order], people.item[order]
    moment = np.unique(np.quantile(time, np.linspace(0, 1, MOMENTS)).astype(np.int64))
    moment = np.append(moment, time[-1] + 1)
    ever = _decayed(item, time, moment, people.item_count, np.inf)
    late = time >= moment[len(moment) // 2]
    best: tuple[float, Recent] | None = None
    for half_life in half_lives:
        tried = Recent(half_life, moment, _decayed(item, time, moment, people.item_count, half_life))
        k = np.searchsorted(moment, time[late], side="right") - 1
        share = ever[k, item[late]] / ever[k].sum(1)
        lately, total = tried.count[k, item[late]], tried.count.sum(1)[k]
        age = 2.0 ** -((time[late] - moment[k]) / half_life)
        odds = (lately * age + FEW_EVENTS * share) / (total * age + FEW_EVENTS)
        likely = float(np.log(np.maximum(odds, 1e-9)).mean())
        best = (likely, tried) if best is None or likely > best[0] else best
    return None if best is None else best[1]


def _decayed(item: Ints, time: Ints, moment: Ints, items: int, half_life: float) -> Floats:
    """(moments, items) Σ 2^(-age / half-life) over the events before each moment; events ascend by time."""
    counts = np.zeros((len(moment), items))
    ends = np.searchsorted(time, moment, side="left")
    for k in range(1, len(moment)):
        new = slice(ends[k - 1], ends[k])
        age = (moment[k] - time[new]) / half_life
        fade = 2.0 ** -((moment[k] - moment[k - 1]) / half_life)
        counts[k] = counts[k - 1] * fade + np.bincount(item[new], 2.0**-age, minlength=items)
    return counts


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
            "weight": links.scaled(counts.statistics.count)["after"],
            **{name: getattr(links, name) for name in LINK_COLUMNS},
        }
    )
    strength_rank = pl.col("weight").rank("ordinal", descending=True).over("source")
    return table.filter(strength_rank <= most)
