"""Who is in which segment, by the numbers of a log's people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from kgrank.arrays import Ints
from kgrank.graph.tables import KnowledgeGraph


@dataclass(frozen=True)
class Memberships:
    """The segments that have people, and whose they are.

    Attributes:
        segments: Their ids.
        of_person: (people,) number of each person's segment; -1 for none.
    """

    segments: tuple[str, ...] = ()
    of_person: Ints = field(default_factory=lambda: np.zeros(0, np.int64))

    def with_at_least(self, fewest: int, present: Ints) -> Memberships:
        """The segments with so many of the people whose numbers are ``present``; others' people are in none."""
        sizes = np.bincount(self.of_person[present] + 1, minlength=len(self.segments) + 1)[1:]
        kept = np.flatnonzero(sizes >= max(fewest, 1))
        number = np.full(len(self.segments) + 1, -1)
        number[kept] = np.arange(len(kept))
        return Memberships(tuple(self.segments[k] for k in kept), number[self.of_person])


def choice_counts(persons: Ints, groups: Memberships) -> dict[str, tuple[int, int]]:
    """By segment, how many choices its people made and how many of them made one; ``persons`` is who made each."""
    segment = groups.of_person[persons] if groups.segments else np.zeros(0, np.int64)
    return {
        name: (int((segment == k).sum()), len(np.unique(persons[segment == k])))
        for k, name in enumerate(groups.segments)
    }


def memberships(graph: KnowledgeGraph, users: Sequence[str]) -> Memberships:
    """The memberships of a log's people, in the order of their numbers."""
    table = graph.edge("IN_SEGMENT")
    segments = tuple(table["target"].unique().sort())
    number = {segment: k for k, segment in enumerate(segments)}
    of_user = dict(table.select("source", "target").iter_rows())
    of_person = [number[of_user[user]] if user in of_user else -1 for user in users]
    return Memberships(segments, np.array(of_person, np.int64))
