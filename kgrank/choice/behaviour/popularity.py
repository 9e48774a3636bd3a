"""What was popular lately: counts of events that fade with a half-life learned from the log."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from kgrank.arrays import Floats, Ints
from kgrank.choice.behaviour.sequences import EventSequences

DAY = 86_400
HALF_LIVES = tuple(days * DAY for days in (7, 30, 90, 365))
MOMENTS = 64
"""Half-lives of popularity that are tried, in seconds, and the moments at which it is kept."""

FEW_EVENTS = 10.0
"""Events at the long-run shares that are added to recent ones when half-lives are compared."""


@dataclass(frozen=True)
class Recent:
    """Recent popularity of the items at moments of the log: Σ 2^(-age / half_life) over the events before it.

    An item has an entry for each moment before which it had events since the moment before; in between it fades.

    Attributes:
        half_life: In seconds.
        moment: (moments,) ascending.
        item_count: Number of items in the shop.
        cell: (entries,) item number · moments + number of the moment, ascending.
        count: (entries,) popularity of the item at the moment.
    """

    half_life: float
    moment: Ints
    item_count: int
    cell: Ints
    count: Floats

    @staticmethod
    def at_the_end(half_life: float, count: Floats) -> Recent:
        """Of counts (items,) that are known at one moment only, the end of the log."""
        return Recent(half_life, np.zeros(1, np.int64), len(count), np.arange(len(count)), count)

    @cached_property
    def now(self) -> Floats:
        """(items,) popularity at the last moment."""
        return self._at_moment(np.full(self.item_count, len(self.moment) - 1), np.arange(self.item_count))

    def at(self, time: Ints, item: Ints) -> Floats:
        """(pairs,) popularity of items at times, by the last moment up to each time."""
        k = np.maximum(np.searchsorted(self.moment, time, side="right") - 1, 0)
        age = np.maximum(time - self.moment[k], 0) / self.half_life
        return np.asarray(self._at_moment(k, item) * 2.0**-age)

    def _at_moment(self, k: Ints, item: Ints) -> Floats:
        """(pairs,) popularity of items at moments, by their numbers."""
        moments = len(self.moment)
        entry = np.searchsorted(self.cell, item * moments + k, side="right") - 1
        known = entry >= 0
        entry = np.maximum(entry, 0)
        if not len(self.cell):
            return np.zeros(len(item))
        known &= self.cell[entry] // moments == item
        age = (self.moment[k] - self.moment[self.cell[entry] % moments]) / self.half_life
        return np.where(known, self.count[entry] * 2.0 ** -np.maximum(age, 0.0), 0.0)


@dataclass(frozen=True)
class RecentAt:
    """The term of recent popularity for histories that are each looked at at a time.

    Attributes:
        recent: Popularity at the moments of the log.
        time: (histories,).
    """

    recent: Recent
    time: Ints

    def of(self, rows: Ints, items: Ints) -> Floats:
        """(pairs,) the values of pairs of a history and an item."""
        return np.log1p(self.recent.at(self.time[rows], items))

    def dense(self) -> Floats:
        """(histories, items)."""
        items = np.arange(self.recent.item_count)
        return np.array([np.log1p(self.recent.at(np.full(len(items), t), items)) for t in self.time])


def recent(people: EventSequences, half_lives: Sequence[float] = HALF_LIVES) -> Recent | None:
    """Recent popularity, with the half-life under which it predicts the next events best.

    Each half-life is judged by the likelihood of the log's later half: an event is drawn by the recent
    counts before it, with ``FEW_EVENTS`` events by the counts of all time until then.
    """
    if people.time is None or not people.dated or not len(people.time) or np.ptp(people.time) < DAY:
        return None
    order = np.argsort(people.time, kind="stable")
    time, item = people.time[order], people.item[order]
    moment = np.unique(np.quantile(time, np.linspace(0, 1, MOMENTS)).astype(np.int64))
    moment = np.append(moment, time[-1] + 1)
    late = time >= moment[len(moment) // 2]
    time_late, item_late = time[late], item[late]
    k = np.searchsorted(moment, time_late, side="right") - 1
    before = moment[k]
    ever = _decayed(item, time, moment, people.item_count, np.inf)
    share = ever.at(before, item_late) / _totals(time, moment, np.inf)[k]
    best: tuple[float, Recent] | None = None
    for half_life in half_lives:
        tried = _decayed(item, time, moment, people.item_count, half_life)
        lately, total = tried.at(before, item_late), _totals(time, moment, half_life)[k]
        age = 2.0 ** -((time_late - before) / half_life)
        odds = (lately * age + FEW_EVENTS * share) / (total * age + FEW_EVENTS)
        likely = float(np.log(np.maximum(odds, 1e-9)).mean())
        best = (likely, tried) if best is None or likely > best[0] else best
    return None if best is None else best[1]


def _decayed(item: Ints, time: Ints, moment: Ints, items: int, half_life: float) -> Recent:
    """Popularity at the moments; events ascend by time."""
    count, last = np.zeros(items), np.zeros(items, np.int64)
    ends = np.searchsorted(time, moment, side="left")
    cells, counts = [np.empty(0, np.int64)], [np.empty(0)]
    for k in range(1, len(moment)):
        new = slice(ends[k - 1], ends[k])
        changed, which = np.unique(item[new], return_inverse=True)
        fresh = np.bincount(which, 2.0 ** -((moment[k] - time[new]) / half_life), minlength=len(changed))
        count[changed] = count[changed] * 2.0 ** -((moment[k] - last[changed]) / half_life) + fresh
        last[changed] = moment[k]
        cells.append(changed * len(moment) + k)
        counts.append(count[changed])
    cell = np.concatenate(cells)
    order = np.argsort(cell, kind="stable")
    return Recent(half_life, moment, items, cell[order], np.concatenate(counts)[order])


def _totals(time: Ints, moment: Ints, half_life: float) -> Floats:
    """(moments,) popularity of all items together at each moment; events ascend by time."""
    totals = np.zeros(len(moment))
    ends = np.searchsorted(time, moment, side="left")
    for k in range(1, len(moment)):
        fresh = 2.0 ** -((moment[k] - time[ends[k - 1] : ends[k]]) / half_life)
        totals[k] = totals[k - 1] * 2.0 ** -((moment[k] - moment[k - 1]) / half_life) + fresh.sum()
    return totals
