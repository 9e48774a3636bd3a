"""Histories, and what is known at their moment: what people took before, and what was popular then."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from kgrank.choice.data.ragged import gather

Reals = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Grouping:
    """Items by one thing that each has at most one of: its brand, its category.

    Attributes:
        name: ``brand``, ``category`` …
        labels: Their ids.
        label: (items,) number of each item's label; ``len(labels)`` where it has none.
    """

    name: str
    labels: tuple[str, ...]
    label: Integers


@dataclass(frozen=True)
class Histories:
    """Histories, oldest item first: history h is ``item[start[h]:start[h + 1]]``, none of them empty.

    Attributes:
        item: (events,).
        start: (histories + 1,).
        time: (histories,) when each is asked about, in the log's clock; None is now, the end of the log.
    """

    item: Integers
    start: Integers
    time: Integers | None = None

    def __len__(self) -> int:
        return len(self.start) - 1

    @cached_property
    def owner(self) -> Integers:
        """(events,) the history of each event."""
        return np.repeat(np.arange(len(self)), np.diff(self.start))

    @cached_property
    def back(self) -> Integers:
        """(events,) steps back from the last item, which has 0."""
        return np.repeat(self.start[1:], np.diff(self.start)) - 1 - np.arange(len(self.item))

    @property
    def last(self) -> Integers:
        """(histories,) the last item."""
        return self.item[self.start[1:] - 1]

    def recency(self, decay: float) -> Reals:
        """(events,) decay^back, 1 for the last item also where the decay is 0."""
        return np.asarray(np.power(decay, self.back, dtype=float))

    def by_label(self, grouping: Grouping, decay: float) -> Reals:
        """(histories, labels + 1) recency by label; 0 for "none"."""
        width = len(grouping.labels) + 1
        place = self.owner * width + grouping.label[self.item]
        found = np.bincount(place, self.recency(decay), minlength=len(self) * width).astype(float)
        found = found.reshape(len(self), width)
        found[:, -1] = 0.0
        return found

    def take(self, which: Integers) -> Histories:
        """Some of the histories."""
        at, start = gather(self.start[:-1][which], np.diff(self.start)[which])
        return Histories(self.item[at], start, None if self.time is None else self.time[which])


@dataclass(frozen=True)
class Recent:
    """What was popular lately, at some moments of the log.

    Attributes:
        half_life: In seconds.
        moment: (moments,) ascending.
        count: (moments, items) Σ 2^(-age / half_life) over the events before the moment.
    """

    half_life: float
    moment: Integers
    count: Reals

    def at(self, time: Integers | None) -> Reals:
        """(times, items) the counts at each time, by the last moment up to it; (1, items) now."""
        if time is None:
            return self.count[-1:]
        k = np.maximum(np.searchsorted(self.moment, time, side="right") - 1, 0)
        age = np.maximum(time - self.moment[k], 0) / self.half_life
        return np.asarray(self.count[k] * 2.0 ** -age[:, None])


@dataclass(frozen=True)
class Neighbours:
    """People and their items both ways, for what people like someone took.

    Attributes:
        item, start: Each person's items: those of person p are ``item[start[p]:start[p + 1]]``.
        person, first: Each item's people: those of item i are ``person[first[i]:first[i + 1]]``.
    """

    item: Integers
    start: Integers
    person: Integers
    first: Integers

    @staticmethod
    def of(item: Integers, start: Integers, items: int) -> Neighbours:
        """From each person's items in order, each once."""
        owner = np.repeat(np.arange(len(start) - 1), np.diff(start))
        order = np.argsort(item, kind="stable")
        first = np.searchsorted(item[order], np.arange(items + 1)).astype(np.int64)
        return Neighbours(item, start, owner[order], first)

    def similar_people(self, items: Integers, rarity: Reals) -> tuple[Integers, Reals]:
        """The people who share items with one history, and how alike they are.

        Args:
            items: Of the history, each once.
            rarity: (items of the shop,) what it says to share an item.

        Returns:
            Persons, and (Σ over shared items of rarity)² / (1 + items of the person).
        """
        entries, start = gather(self.first[items], np.diff(self.first)[items])
        shared = np.repeat(rarity[items], np.diff(start))
        person, person_number = np.unique(self.person[entries], return_inverse=True)
        size = np.diff(self.start)[person]
        return person, np.bincount(person_number, shared, minlength=len(person)) ** 2 / (1.0 + size)

    def taken(self, person: Integers, weight: Reals) -> Reals:
        """(items,) Σ of the persons' weights over the items that each has."""
        entries, start = gather(self.start[person], np.diff(self.start)[person])
        weights = np.repeat(weight, np.diff(start))
        return np.bincount(self.item[entries], weights, minlength=len(self.first) - 1).astype(float)
