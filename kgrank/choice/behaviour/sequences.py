"""People's events in order, as ragged arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from kgrank.arrays import Floats, Ints
from kgrank.choice.behaviour.groupings import Grouping
from kgrank.choice.data.ragged import gather

if TYPE_CHECKING:
    from scipy import sparse

RECENT = 50
"""Items of a history that count."""


@dataclass(frozen=True)
class EventSequences:
    """The items of people in order: those of person p are ``item[start[p]:start[p + 1]]``, oldest first.

    Attributes:
        item: (events,) item numbers.
        start: (people + 1,) first event of each person.
        item_count: Number of items in the shop.
        time: (events,) when each happened, in the log's clock; None where times are not needed.
        dated: Whether times are seconds, so that those of two people can be compared.
        asked: (people,) the moment at which each is looked at; None is now, the end of the log.
    """

    item: Ints
    start: Ints
    item_count: int
    time: Ints | None = None
    dated: bool = True
    asked: Ints | None = None

    def __len__(self) -> int:
        return len(self.start) - 1

    @staticmethod
    def of(sequences: Sequence[Ints], items: int) -> EventSequences:
        """From one array of item numbers a person."""
        start = np.concatenate([[0], np.cumsum([len(s) for s in sequences])]).astype(np.int64)
        item = np.concatenate([*sequences, np.empty(0, np.int64)]).astype(np.int64)
        return EventSequences(item=item, start=start, item_count=items)

    @cached_property
    def owner(self) -> Ints:
        """(events,) the person of each event."""
        return np.repeat(np.arange(len(self)), np.diff(self.start))

    @cached_property
    def back(self) -> Ints:
        """(events,) steps back from the person's last event, which has 0."""
        return np.repeat(self.start[1:], np.diff(self.start)) - 1 - np.arange(len(self.item))

    @property
    def last(self) -> Ints:
        """(people,) the last item; everyone needs one."""
        return self.item[self.start[1:] - 1]

    def recency(self, decay: float) -> Floats:
        """(events,) decay^back, 1 for the last event also where the decay is 0."""
        return np.asarray(np.power(decay, self.back, dtype=float))

    def by_label(self, grouping: Grouping, decay: float) -> Floats:
        """(people, labels + 1) recency by label; 0 for "none"."""
        width = len(grouping.labels) + 1
        cell = self.owner * width + grouping.label[self.item]
        sums = np.bincount(cell, self.recency(decay), minlength=len(self) * width).astype(float)
        sums = sums.reshape(len(self), width)
        sums[:, -1] = 0.0
        return sums

    def seen(self) -> sparse.csr_matrix:
        """(people, items) 1 for each item of a person."""
        # A ranking by few terms needs sequences, and does without scipy.
        from scipy import sparse

        ones = np.ones(len(self.item))
        return sparse.csr_matrix((ones, self.item, self.start), shape=(len(self), self.item_count))

    def once(self) -> EventSequences:
        """Each item of a person at its first time only."""
        _, first = np.unique(self.owner * self.item_count + self.item, return_index=True)
        first.sort()
        start = np.searchsorted(self.owner[first], np.arange(len(self) + 1))
        return self._events(first, start.astype(np.int64))

    def until(self, time: float) -> EventSequences:
        """The events up to a time."""
        assert self.time is not None
        selected = self.time <= time
        start = np.concatenate([[0], np.cumsum(selected)])[self.start]
        return self._events(np.flatnonzero(selected), start.astype(np.int64))

    def without_last(self, events: int | Ints) -> EventSequences:
        """Without each person's last events, as many for all or (people,)."""
        size = np.maximum(np.diff(self.start) - events, 0)
        return self._events(*gather(self.start[:-1], size))

    def histories(self, asked: Ints | None = None) -> EventSequences:
        """The last ``RECENT`` items of each person, looked at at a time; nobody's may be empty."""
        size = np.minimum(np.diff(self.start), RECENT)
        recent = self._events(*gather(self.start[1:] - size, size))
        return replace(recent, asked=asked)

    def take(self, people: Ints) -> EventSequences:
        """The sequences of the chosen people."""
        chosen = self._events(*gather(self.start[:-1][people], np.diff(self.start)[people]))
        return chosen if self.asked is None else replace(chosen, asked=self.asked[people])

    def _events(self, events: Ints, start: Ints) -> EventSequences:
        time = None if self.time is None else self.time[events]
        return replace(self, item=self.item[events], start=start, time=time)
