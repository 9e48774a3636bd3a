"""Values of the behaviour terms: one number for each history and item, before its learned curve is applied.

Learning computes them for many histories at once, a ranking for one; both call ``term_values``, and differ only
in the products of a history with the counts (``CountsLookup``).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np

from kgrank.arrays import Floats, Ints
from kgrank.choice.behaviour.groupings import Grouping
from kgrank.choice.behaviour.popularity import Recent, RecentAt
from kgrank.choice.behaviour.sequences import EventSequences
from kgrank.choice.behaviour.title_tfidf import TitleVectors

BACK, NEAR_BACK = 0.4, 0.3
"""What a step backwards counts against a step forwards: within reach, and between neighbours."""

SMOOTHING = 10.0
FEW = 5.0
LIFT = 2.0
"""Events added before a count is divided: by item, by row of links, by pair of groups."""

LATEST, LAST, LATE, LONG = 0.0, 0.3, 0.6, 0.9
"""How much less an item of the history counts than the one after it."""

AFTER = "after"
"""The matrix of ``goes-after``."""

LINKED: Mapping[str, tuple[str, float, str]] = {
    "goes-after": (AFTER, LATE, "how often people went on from your last items to this one"),
    "goes-after-last": (AFTER, LAST, "the same, of your very last items"),
    "goes-after-all": (AFTER, LONG, "the same, of all your items"),
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

POPULAR, NOW, LENGTH, ALIKE = "popular", "popular-now", "history-length", "people-like-you"
TITLE_TERMS: Mapping[str, tuple[float, str]] = {
    "like-in-words": (LONG, "how much of your items' titles stands in its title, rare words counted most"),
    "like-last-in-words": (LATEST, "the same, of your last item"),
}
PLAIN: Mapping[str, str] = {
    POPULAR: "log(1 + events of the item)",
    NOW: "log(1 + events of the item, each halved with every half-life that has passed since)",
    LENGTH: "log of the events of the history",
    ALIKE: "what people took who share items with you: each counts by the square of what you share",
}

PAIRS = (
    ("goes-after", "same-category"),
    ("goes-after", "same-brand"),
    ("goes-after", POPULAR),
    ("goes-after", LENGTH),
    ("goes-after", "two-steps"),
    ("same-brand", "same-category"),
    ("brand-in-history", "category-in-history"),
    (POPULAR, LENGTH),
    ("category-in-history", LENGTH),
    (ALIKE, LENGTH),
)
"""Named pairs of terms; those whose terms a shop lacks are left out. With the length of the history, a term's
weight is learned by how much is known of the person or the session."""

FAMILIES = ("goes-after", ALIKE, POPULAR, "like-in-words", "same-kind")
"""Families of terms: a category has one weight for each."""


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
    """Name of the term: lift of transitions from the history's groups to this one, against chance."""
    return f"{grouping}-flow"


def popular(grouping: str) -> str:
    """Name of the term: how many events the group has."""
    return f"popular-{grouping}"


def grouping_of(name: str) -> str | None:
    """The grouping that a term belongs to; None for the others."""
    if name in PLAIN or name in LINKED or name in STEPS or name in TITLE_TERMS:
        return None
    for kind in (same, in_history, flow, popular):
        before, after = kind("|").split("|")
        if name.startswith(before) and name.endswith(after) and " × " not in name:
            return name.removeprefix(before).removesuffix(after)
    return None


def family(name: str) -> str:
    """The family of a term, one of ``FAMILIES``; a pair belongs to that of its first term."""
    name = name.partition(" × ")[0]
    if name in (ALIKE, "together"):
        return ALIKE
    if name in LINKED or name in STEPS:
        return "goes-after"
    if name in TITLE_TERMS:
        return "like-in-words"
    return POPULAR if name.startswith(POPULAR) else "same-kind"


def about(name: str, groupings: Collection[str]) -> str:
    """What a term measures, in words."""
    for group in groupings:
        descriptions = {
            same(group): f"1 where your last item has the same {group}",
            in_history(group): f"how many of your items have the same {group}, the last counted most",
            flow(group): f"log of how much more often than chance people go on to this {group} from yours",
            popular(group): f"log(1 + events of the {group})",
        }
        if name in descriptions:
            return descriptions[name]
    if name in LINKED:
        return LINKED[name][2]
    if name in TITLE_TERMS:
        return TITLE_TERMS[name][1]
    return STEPS[name][1] if name in STEPS else PLAIN[name]


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
        people: (links,) how many people had the target within reach after the row's item.
        together: (links,) how many had both within reach, in either order.
    """

    start: Ints
    target: Ints
    forward: Floats
    backward: Floats
    next: Floats
    previous: Floats
    people: Floats
    together: Floats

    def of_people(self, fewest: int) -> Links:
        """The links between items that at least so many people had both of within reach."""
        rests = self.together >= fewest
        start = np.concatenate([[0], np.cumsum(rests)])[self.start].astype(np.int64)
        return Links(
            start=start,
            target=self.target[rests],
            forward=self.forward[rests],
            backward=self.backward[rests],
            next=self.next[rests],
            previous=self.previous[rests],
            people=self.people[rests],
            together=self.together[rests],
        )

    def people_behind(self, term: str) -> Floats:
        """(links,) the different people on whom a term of ``LINKED`` rests: each has a pair of items once."""
        if term == "earlier":
            return self.together - self.people
        return {"together": self.together, "right-after": self.next}.get(term, self.people)

    def scaled(self, count: Floats) -> dict[str, Floats]:
        """(links,) the matrices of ``LINKED``, given the events of each item (items,)."""
        row = np.repeat(np.arange(len(self.start) - 1), np.diff(self.start))
        size = count + SMOOTHING
        scale = size[row] ** -0.5 * size[self.target] ** -0.3
        both = self.forward + BACK * self.backward
        sums = np.bincount(row, both, minlength=len(count))
        return {
            AFTER: scale * both,
            "forward": scale * self.forward,
            "backward": scale * self.backward,
            "next": scale * (self.next + NEAR_BACK * self.previous),
            "share": both / (sums + FEW)[row],
            "together": self.together / np.sqrt(size[row] * size[self.target]),
        }


@dataclass(frozen=True)
class Statistics:
    """Counts for the terms without links.

    Attributes:
        count: (items,) events of each item.
        groupings: Of the items.
        transitions: By grouping, (labels, labels) decayed counts of transitions from one to another.
        recent: What was popular lately; None where the log has no clock.
        title_vectors: Of the items' titles; None where they have none in common.
    """

    count: Floats
    groupings: tuple[Grouping, ...]
    transitions: Mapping[str, Floats]
    recent: Recent | None = None
    title_vectors: TitleVectors | None = None

    @cached_property
    def lifts(self) -> dict[str, Floats]:
        """(labels + 1, labels + 1) log of moves against chance; 0 from and to "none"."""
        return {name: lift(moves) for name, moves in self.transitions.items()}

    @cached_property
    def sizes(self) -> dict[str, Floats]:
        """(labels + 1,) log(1 + events) by grouping; 0 for "none"."""
        sizes = {}
        for g in self.groupings:
            events = np.bincount(g.label, self.count, minlength=len(g.labels) + 1)
            events[-1] = 0.0
            sizes[g.name] = np.log1p(events)
        return sizes

    @cached_property
    def rarity(self) -> Floats:
        """(items,) weight of an item in the similarity of two people: the smaller, the more people have it."""
        return np.asarray((self.count + SMOOTHING) ** -0.5)


def lift(moves: Floats) -> Floats:
    """Log of (moves + 2) / (expected by the margins + 2), with a last row and column of zeros."""
    total = max(float(moves.sum()), 1.0)
    expected = np.outer(moves.sum(1), moves.sum(0)) / total
    return np.pad(np.log((moves + LIFT) / (expected + LIFT)), (0, 1))


class Values(Protocol):
    """The values of a term for histories and items."""

    def of(self, rows: Ints, items: Ints) -> Floats:
        """(pairs,) the values of pairs of a history and an item."""
        ...

    def dense(self) -> Floats:
        """(histories or 1, items) the values of all items."""
        ...


@dataclass(frozen=True)
class TermValues:
    """The values of a term, (histories or 1, k): of the k items themselves, or of the k labels of a grouping."""

    values: Floats
    label: Ints | None = None

    @staticmethod
    def all_of(values: Values) -> TermValues:
        """The values of all items."""
        return values if isinstance(values, TermValues) else TermValues(values.dense())

    def of(self, rows: Ints, items: Ints) -> Floats:
        """The values of pairs of a history and an item."""
        columns = items if self.label is None else self.label[items]
        return np.asarray(self.values[np.minimum(rows, len(self.values) - 1), columns])

    def dense(self) -> Floats:
        """The values of all items (histories or 1, items)."""
        return self.values if self.label is None else self.values[:, self.label]


class CountsLookup(Protocol):
    """Counts over a log, and their products with histories."""

    @property
    def statistics(self) -> Statistics:
        """Counts for the terms without links."""
        ...

    def first(self, histories: EventSequences, matrix: str, decay: float) -> Values:
        """Sums of the links from the items of each history, weighted by recency."""
        ...

    def walk(self, begun: Values) -> Values:
        """One step along the links of ``goes-after``, from weights of items."""
        ...

    def similar_people(self, histories: EventSequences) -> Values:
        """Items of the people who share items with each history, weighted by similarity."""
        ...


def terms_of(statistics: Statistics) -> tuple[str, ...]:
    """The names of all terms that a shop can have."""
    names = [*LINKED, *STEPS, ALIKE, POPULAR, LENGTH]
    names += [NOW] * (statistics.recent is not None) + list(TITLE_TERMS) * (
        statistics.title_vectors is not None
    )
    kinds = (same, in_history, flow, popular)
    return (*names, *(kind(g.name) for g in statistics.groupings for kind in kinds))


def term_values(
    counted: CountsLookup, histories: EventSequences, selected: Collection[str] | None = None
) -> dict[str, Values]:
    """The values of terms, by name.

    Args:
        counted: What was counted.
        histories: Of one or more people.
        selected: Names of terms; by default all that the shop has.
    """
    statistics = counted.statistics
    names = set(terms_of(statistics) if selected is None else selected)
    # A step further needs the steps before it.
    for name in ("three-steps", "two-steps"):
        names |= {STEPS[name][0]} if name in names else set()
    values: dict[str, Values] = {}
    for name in (n for n in LINKED if n in names):
        matrix, decay, _ = LINKED[name]
        values[name] = counted.first(histories, matrix, decay)
    for name in (n for n in STEPS if n in names):
        values[name] = counted.walk(values[STEPS[name][0]])
    if ALIKE in names:
        values[ALIKE] = counted.similar_people(histories)
    if POPULAR in names:
        values[POPULAR] = TermValues(np.log1p(statistics.count)[None])
    if NOW in names and (lately := statistics.recent) is not None:
        asked = histories.asked
        values[NOW] = TermValues(np.log1p(lately.now)[None]) if asked is None else RecentAt(lately, asked)
    if LENGTH in names:
        lengths = np.log(np.diff(histories.start))[:, None]
        values[LENGTH] = TermValues(lengths, np.zeros(len(statistics.count), int))
    for name in (n for n in TITLE_TERMS if n in names and statistics.title_vectors is not None):
        assert statistics.title_vectors is not None
        values[name] = statistics.title_vectors.like(histories, TITLE_TERMS[name][0])
    for group in statistics.groupings:
        values |= _grouped(statistics, group, histories, names)
    return values


def _grouped(
    statistics: Statistics, group: Grouping, histories: EventSequences, names: Collection[str]
) -> dict[str, TermValues]:
    """The values of the terms of one grouping."""
    by_name = {}
    if same(group.name) in names:
        is_last = np.zeros((len(histories), len(group.labels) + 1))
        is_last[np.arange(len(histories)), group.label[histories.last]] = 1.0
        is_last[:, -1] = 0.0
        by_name[same(group.name)] = is_last
    if in_history(group.name) in names:
        by_name[in_history(group.name)] = histories.by_label(group, LONG)
    if flow(group.name) in names:
        late = histories.by_label(group, LATE)
        total = np.bincount(histories.owner, histories.recency(LATE), minlength=len(histories))
        source = np.unique(group.label[histories.item])
        by_name[flow(group.name)] = late[:, source] @ statistics.lifts[group.name][source] / total[:, None]
    if popular(group.name) in names:
        by_name[popular(group.name)] = statistics.sizes[group.name][None]
    return {name: TermValues(values, group.label) for name, values in by_name.items()}


def has_curve(name: str) -> bool:
    """Whether a term has a curve alone: the length of the history is the same for all items and has none."""
    return name != LENGTH
