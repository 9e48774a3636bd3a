"""What was popular lately: counts of events that fade with a half-life learned from the log."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

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
    """Recent popularity of the items at moments of the log.

    Attributes:
        half_life: In seconds.
        moment: (moments,) ascending.
        count: (moments, items) Σ 2^(-age / half_life) over the events before the moment.
    """

    half_life: float
    moment: Ints
    count: Floats

    def at(self, time: Ints | None) -> Floats:
        """(times, items) the counts at each time, by the last moment up to it; (1, items) now."""
        if time is None:
            return self.count[-1:]
        k = np.maximum(np.searchsorted(self.moment, time, side="right") - 1, 0)
        age = np.maximum(time - self.moment[k], 0) / self.half_life
        return np.asarray(self.count[k] * 2.0 ** -age[:, None])


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
