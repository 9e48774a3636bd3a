"""What each behaviour term says of each item after a history, before it passes its learned curve.

Learning computes amounts for many histories at once, a ranking for one; both call ``amounts``, and only the
product of a history with a matrix of links (``Walk``) is theirs. Needs numpy alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from kgrank.choice.runs import gather

Reals = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

RECENT = 50
"""Items of a history that count."""

BACK, NEAR_BACK = 0.4, 0.3
"""What a step backwards counts against a step forwards: within reach, and between neighbours."""

SMOOTHING = 10.0
FEW = 5.0
LIFT = 2.0
"""Events added before a count is divided: by item, by row of links, by pair of groups."""

LATEST, LAST, LATE, LONG = 0.0, 0.3, 0.6, 0.9
"""How much less an item of the history counts than the one after it."""

LINKED: Mapping[str, tuple[str, float, str]] = {
    "goes-after": ("after", LATE, "how often people went on from your last items to this one"),
    "goes-after-last": ("after", LAST, "the same, of your very last items"),
    "goes-after-all": ("after", LONG, "the same, of all your items"),
    "later": ("forward", LATEST, "how often people went on from your last item to this one, this order only"),
    "earlier": ("backward", LATEST, "how often people had this item before your last one"),
    "right-after": ("next", LATEST, "how often this item came right after your last one"),
    "share-of-next": ("share", LATE, "the share of those who had your last items and went on to this one"),
    "together": ("together", LONG, "how often the same people had your items and this one"),
}
"""Terms over links between items: the matrix, the decay by place in the history, and the words."""

STEPS: Mapping[str, tuple[str, str]] = {
    "two-steps": ("goes-after", "goes after what goes after your last items"),
    "three-steps": ("two-steps", "one step further than that"),
}
ATTRIBUTES = "attributes"
"""Name of the attribute score beside the terms."""

POPULAR, LENGTH = "popular", "history-length"
PLAIN: Mapping[str, str] = {
    POPULAR: "log(1 + events of the item)",
    LENGTH: "log of the events of the history",
}

PAIRS = (
    ("goes-after", "same-category"),
    ("goes-after", "same-brand"),
    ("goes-after", POPULAR),
    ("goes-after", LENGTH),
    ("goes-after", "two-steps"),
    ("same-brand", "same-category"),
    ("brand-in-history", "category-in-history"),
)
"""Named pairs of terms; those whose terms a shop lacks are left out."""


def pair_name(pair: tuple[str, str]) -> str:
    """Name of a pair of terms."""
    return " × ".join(pair)


def same(grouping: str) -> str:
    """Name of the term: whether the last item is of the same group."""
    return f"same-{grouping}"


def in_history(grouping: str) -> str:
    """Name of the term: how much of the history is of the group."""
    return f"{grouping}-in-history"


def flow(grouping: str) -> str:
    """Name of the term: how much more often than chance people go on from the history's groups to this."""
    return f"{grouping}-flow"


def popular(grouping: str) -> str:
    """Name of the term: how many events the group has."""
    return f"popular-{grouping}"


def about(name: str, groupings: tuple[str, ...]) -> str:
    """What a term's amount is, in words."""
    for group in groupings:
        words = {
            same(group): f"1 where your last item has the same {group}",
            in_history(group): f"how many of your items have the same {group}, the last counted most",
            flow(group): f"log of how much more often than chance people go on to this {group} from yours",
            popular(group): f"log(1 + events of the {group})",
        }
        if name in words:
            return words[name]
    if name in LINKED:
        return LINKED[name][2]
    return STEPS[name][1] if name in STEPS else PLAIN[name]


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
class Links:
    """Counts between items in rows: row i is ``start[i]:start[i + 1]``.

    Attributes:
        start: (items + 1,).
        target: (links,).
        forward: (links,) Σ gap^(q - p - 1) over people with the row's item at p and the target at q > p.
        backward: (links,) the same with the target first.
        next: (links,) how often the target came right after.
        previous: (links,) how often it came right before.
        together: (links,) how often both came within reach.
    """

    start: Integers
    target: Integers
    forward: Reals
    backward: Reals
    next: Reals
    previous: Reals
    together: Reals

    def scaled(self, count: Reals) -> dict[str, Reals]:
        """(links,) the matrices of ``LINKED``, given the events of each item (items,)."""
        row = np.repeat(np.arange(len(self.start) - 1), np.diff(self.start))
        size = count + SMOOTHING
        scale = size[row] ** -0.5 * size[self.target] ** -0.3
        both = self.forward + BACK * self.backward
        sums = np.bincount(row, both, minlength=len(count))
        return {
            "after": scale * both,
            "forward": scale * self.forward,
            "backward": scale * self.backward,
            "next": scale * (self.next + NEAR_BACK * self.previous),
            "share": both / (sums + FEW)[row],
            "together": self.together / np.sqrt(size[row] * size[self.target]),
        }


@dataclass(frozen=True)
class Statistics:
    """What the terms without links need.

    Attributes:
        count: (items,) events of each item.
        groupings: Of the items.
        moves: By grouping, (labels, labels) decayed counts of going on from one to another.
    """

    count: Reals
    groupings: tuple[Grouping, ...]
    moves: Mapping[str, Reals]

    @cached_property
    def lifts(self) -> dict[str, Reals]:
        """(labels + 1, labels + 1) log of moves against chance; 0 from and to "none"."""
        return {name: lift(moves) for name, moves in self.moves.items()}

    @cached_property
    def sizes(self) -> dict[str, Reals]:
        """(labels + 1,) log(1 + events) by grouping; 0 for "none"."""
        found = {}
        for g in self.groupings:
            events = np.bincount(g.label, self.count, minlength=len(g.labels) + 1)
            events[-1] = 0.0
            found[g.name] = np.log1p(events)
        return found


def lift(moves: Reals) -> Reals:
    """Log of (moves + 2) / (expected by the margins + 2), with a last row and column of zeros."""
    total = max(float(moves.sum()), 1.0)
    expected = np.outer(moves.sum(1), moves.sum(0)) / total
    return np.pad(np.log((moves + LIFT) / (expected + LIFT)), (0, 1))


@dataclass(frozen=True)
class Amount:
    """A term's amounts, (histories or 1, k): of the k items themselves, or of the k labels of a grouping."""

    values: Reals
    label: Integers | None = None

    def of(self, rows: Integers, items: Integers) -> Reals:
        """The amounts of pairs of a history and an item."""
        columns = items if self.label is None else self.label[items]
        return np.asarray(self.values[np.minimum(rows, len(self.values) - 1), columns])

    def dense(self) -> Reals:
        """The amounts of all items (histories or 1, items)."""
        return self.values if self.label is None else self.values[:, self.label]


@dataclass(frozen=True)
class Histories:
    """Histories, oldest item first: history h is ``item[start[h]:start[h + 1]]``, none of them empty."""

    item: Integers
    start: Integers

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
        return Histories(self.item[at], start)


Walk = Callable[[str, Reals], Reals]
"""From the name of a matrix and recency by item (histories, items) to the links' amounts (histories, items)."""

Start = Callable[[Histories, str, float], Reals]
"""From histories, the name of a matrix and a decay to amounts (histories, items)."""


def amounts(statistics: Statistics, histories: Histories, first: Start, walk: Walk) -> dict[str, Amount]:
    """The amounts of all terms that the shop has, by name.

    Args:
        statistics: Popularity and groupings.
        histories: Of one or more people.
        first: What the items of the histories link to.
        walk: One step further.
    """
    found = {name: Amount(first(histories, matrix, decay)) for name, (matrix, decay, _) in LINKED.items()}
    for name, (before, _) in STEPS.items():
        found[name] = Amount(walk("after", found[before].values))
    found[POPULAR] = Amount(np.log1p(statistics.count)[None])
    found[LENGTH] = Amount(np.log(np.diff(histories.start))[:, None], np.zeros(len(statistics.count), int))
    for g in statistics.groupings:
        last = g.label[histories.last]
        own = np.zeros((len(histories), len(g.labels) + 1))
        own[np.arange(len(histories)), last] = 1.0
        own[:, -1] = 0.0
        late = histories.by_label(g, LATE)
        total = np.bincount(histories.owner, histories.recency(LATE), minlength=len(histories))
        found[same(g.name)] = Amount(own, g.label)
        found[in_history(g.name)] = Amount(histories.by_label(g, LONG), g.label)
        found[flow(g.name)] = Amount(late @ statistics.lifts[g.name] / total[:, None], g.label)
        found[popular(g.name)] = Amount(statistics.sizes[g.name][None], g.label)
    return found


def curved(name: str) -> bool:
    """Whether a term has a curve of its own: the length of the history is alike for all items and has none."""
    return name != LENGTH
