"""A person's liking of items by a linear filter over the graph of purchases, without torch.

The filter is linear in the history up to one norm of the whole of it: a score is the sum of what each bought
item adds through each relation of the target (the item itself, its maker, its type), and of what the average
person takes off.
The vectors and weights come from ``kgrank.learning.network``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kgrank.arrays import Floats, Ints


@dataclass(frozen=True)
class Relation:
    """A relation through which a target is read.

    Attributes:
        name: ``item`` for the item itself, or what its group is called, as in "through its maker".
        group: (items,) the row of ``vectors`` of each item; -1 for none.
        vectors: (groups, width) logits for one unit of each coordinate of the person, the weights of all layers
            added up; width is at most the filter's.
        people: (groups,) how many different people bought an item of it.
    """

    name: str
    group: Ints
    vectors: Floats
    people: Ints

    def of(self, items: Ints) -> Floats:
        """(items, width) the vectors of some items; zeros for those without a group."""
        groups = self.group[items]
        return np.where((groups >= 0)[:, None], self.vectors[groups], 0.0)

    def people_behind(self, item: int) -> int:
        """How many different people the vector of an item rests on."""
        group = int(self.group[item])
        return int(self.people[group]) if group >= 0 else 0


@dataclass(frozen=True)
class PersonVector:
    """What the filter knows of a person.

    Attributes:
        vector: (width,) of length 1; zeros for a person without a known purchase.
        bought: (history,) the items of the history that the graph knows.
        weight: (history,) what each of them adds to ``vector``: weight · the item's vector.
        average: (width,) what the average person is taken off by: ``vector`` = the sum of the above + ``average``.
    """

    vector: Floats
    bought: Ints
    weight: Floats
    average: Floats


@dataclass(frozen=True)
class Contributions:
    """The parts of a score; their sum is the score.

    Attributes:
        bought: (history,) item numbers.
        relations: Their names.
        logits: (history, relations) what each bought item adds through each relation.
        average: (relations,) what the average person takes off.
        people: (history, relations) the people on whom each part rests at most: those behind the bought item, or
            behind the target's vector, whichever are fewer.
    """

    bought: Ints
    relations: tuple[str, ...]
    logits: Floats
    average: Floats
    people: Ints

    @property
    def total(self) -> float:
        """The score."""
        return float(self.logits.sum() + self.average.sum())

    def sentence(self, row: int, name: str, fewest_people: int) -> str:
        """Why, by one bought item: "because you bought X, through its maker".

        The relation is the strongest of those that rest on enough people; without one, the item is not named.
        """
        logits = self.logits[row]
        verb = "because" if logits.sum() >= 0 else "although"
        enough = self.people[row] >= fewest_people
        if not (enough & (logits != 0)).any():
            return f"{verb} you bought something that few people bought"
        relation = self.relations[int(np.argmax(np.where(enough, np.abs(logits), -1.0)))]
        through = "" if relation == ITEM else f", through its {relation}"
        return f"{verb} you bought {name}{through}"


ITEM = "item"
"""The relation of a target to itself."""


def recency_counts(purchases: int, decay: float) -> Floats:
    """(purchases,) counts for ``GraphFilter.person``, oldest first, that weigh each decay^(purchases since)."""
    counts: Floats = np.expm1(np.power(decay, np.arange(purchases)[::-1], dtype=float))
    return counts


@dataclass(frozen=True)
class GraphFilter:
    """Vectors and weights of a filter over the graph of purchases.

    Attributes:
        people: (items,) how many different people bought each.
        strength: (items,) what one purchase of the item weighs, before the logarithm of their number.
        vectors: (items, width) of the items as part of a history.
        mean: (width,) of all persons before they are centred.
        relations: Through which a target is read.
    """

    people: Ints
    strength: Floats
    vectors: Floats
    mean: Floats
    relations: tuple[Relation, ...]

    def person(
        self, bought: Ints | Sequence[int], counts: Floats | Sequence[float] | None = None
    ) -> PersonVector:
        """The vector of a person, from the items bought and how often (once each by default)."""
        items = np.asarray(bought, np.int64)
        times = np.ones(len(items)) if counts is None else np.asarray(counts, float)
        amount = np.log1p(times) * self.strength[items]
        known = amount > 0
        items, amount = items[known], amount[known]
        nothing = np.zeros(self.vectors.shape[1])
        if not len(items):
            return PersonVector(nothing, items, amount, nothing)
        amount = amount / np.linalg.norm(amount)
        centred = amount @ self.vectors[items] - self.mean
        length = float(np.linalg.norm(centred))
        if length == 0.0:
            return PersonVector(nothing, items, 0.0 * amount, nothing)
        return PersonVector(centred / length, items, amount / length, -self.mean / length)

    def scores(self, person: PersonVector, targets: Ints) -> Floats:
        """(targets,) logits of some items."""
        total = np.zeros(len(targets))
        for relation in self.relations:
            # Groups have few vectors: their products with the person are computed once each.
            by_group = np.append(relation.vectors @ person.vector[: relation.vectors.shape[1]], 0.0)
            total = total + by_group[relation.group[targets]]
        return total

    def contributions(self, person: PersonVector, target: int) -> Contributions:
        """The parts of one item's score, by bought item and relation."""
        width = self.vectors.shape[1]
        read = np.zeros((len(self.relations), width))
        for row, relation in enumerate(self.relations):
            read[row, : relation.vectors.shape[1]] = relation.of(np.array([target]))[0]
        logits = (person.weight[:, None] * self.vectors[person.bought]) @ read.T
        names = tuple(relation.name for relation in self.relations)
        behind = [relation.people_behind(target) for relation in self.relations]
        people = np.minimum(self.people[person.bought][:, None], np.array(behind, np.int64)[None])
        return Contributions(person.bought, names, logits, read @ person.average, people)
