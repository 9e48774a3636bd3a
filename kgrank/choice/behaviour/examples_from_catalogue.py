"""Training examples of the additive model where impressions are not logged: the alternatives are the catalogue.

A person's last item is the choice; its alternatives are the nearest candidates and others drawn from the rest of
the shop. People are divided into folds, and the term values of a fold are counted from the people outside it, so
that no choice explains itself (cross-fitting).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from kgrank.arrays import Floats, Ints, Truths
from kgrank.choice.behaviour.additive import BehaviourModel, Examples, learn_curves
from kgrank.choice.behaviour.counts import Counts
from kgrank.choice.behaviour.groupings import Grouping
from kgrank.choice.behaviour.popularity import HALF_LIVES
from kgrank.choice.behaviour.sequences import EventSequences
from kgrank.choice.behaviour.terms import (
    ALIKE,
    ATTRIBUTES,
    POPULAR,
    TermValues,
    Values,
    in_history,
    term_values,
)
from kgrank.choice.behaviour.title_tfidf import TitleVectors
from kgrank.choice.logit.likelihood import NO_COLUMNS, Choices, concatenated
from kgrank.choice.steps import Steps, told, untold

FOLDS = 10
EXAMPLES = 10_000
"""People at most whose last choice the curves are learned on."""

NEAR, DRAWN = 50, 40
"""Candidates of a choice: the first by each retrieving term, and others drawn from the rest of the shop."""

RETRIEVING = ("goes-after", ALIKE, "two-steps")

BATCH, CELLS = 256, 4_000_000
"""Histories that are worked on at once; fewer in a shop of many items, so that a term takes 32 MB at most."""


def learn_from_catalogue(
    people: EventSequences,
    groups: tuple[Grouping, ...] = (),
    title_vectors: TitleVectors | None = None,
    *,
    utility: Floats | None = None,
    inside: Mapping[str, Ints] | None = None,
    without: Collection[str] = (),
    seed: int = 0,
    fewest: int = 1,
    steps: Steps = untold,
) -> BehaviourModel:
    """Learns curves and pairs by the likelihood of each person's last item among all items.

    Args:
        people: The learning part of the log.
        groups: What items have in common.
        title_vectors: Of the items' titles.
        utility: (items,) the attribute score of each item, whose weight is learned beside.
        inside: By category, the numbers of its items and of those below it.
        without: Names of terms and pairs that get no curve, for ablations.
        seed: Of the people and of the candidates that are drawn, where there are more than are needed.
        fewest: Co-occurrences of fewer people are left out.
        steps: Told of each fold of people.
    """
    people = people.once()
    counts = Counts.of(people, groups, title_vectors, fewest=fewest)
    examples = _collect(people, counts, utility, np.random.default_rng(seed), steps)
    if examples is None:
        return BehaviourModel(counts=counts)
    return replace(learn_curves(examples, counts, inside, without), utility=utility)


def _collect(
    people: EventSequences,
    whole: Counts,
    utility: Floats | None,
    random: np.random.Generator,
    steps: Steps,
) -> Examples | None:
    """The last choice of people in folds, with term values counted from the people of the other folds."""
    candidates = np.flatnonzero(np.diff(people.start) > 1)
    candidates = np.sort(random.permutation(candidates)[:EXAMPLES])
    # Whatever the seed, everybody's fold stays the same, so that two seeds differ in what they draw alone.
    fold = np.random.default_rng(0).permutation(len(people)) % FOLDS
    statistics = whole.statistics
    half_lives = HALF_LIVES if statistics.recent is None else (statistics.recent.half_life,)
    parts: list[Examples] = []
    for number in told(range(FOLDS), steps):
        members = candidates[fold[candidates] == number]
        if len(members):
            others = people.take(np.flatnonzero(fold != number))
            counts = Counts.of(
                others,
                statistics.groupings,
                statistics.title_vectors,
                half_lives=half_lives,
                fewest=whole.fewest,
            )
            parts.extend(_batches(people.take(members), counts, utility, random))
    return joined(parts) if parts else None


def _batches(
    people: EventSequences, counts: Counts, utility: Floats | None, random: np.random.Generator
) -> Iterator[Examples]:
    target = people.last
    time = people.time[people.start[1:] - 1] if people.time is not None and people.dated else None
    before = people.without_last(1)
    size = batch_size(people.item_count)
    for first in range(0, len(people), size):
        which = np.arange(first, min(first + size, len(people)))
        histories_before = before.take(which)
        values = term_values(counts, histories_before.histories(None if time is None else time[which]))
        if utility is not None:
            values[ATTRIBUTES] = TermValues(utility[None])
        groups = counts.statistics.groupings
        yield _candidates(values, target[which], histories_before.seen().toarray() > 0, groups, random)


def batch_size(items: int) -> int:
    """Histories that are worked on at once in a shop of so many items."""
    return max(min(BATCH, CELLS // max(items, 1)), 1)


def _candidates(
    values: Mapping[str, Values],
    target: Ints,
    seen: Truths,
    groups: Sequence[Grouping],
    random: np.random.Generator,
) -> Examples:
    """The nearest items and a sample of the others, with the sampling correction of McFadden (1978)."""
    shape = seen.shape
    near = retrieve(values, groups, seen, NEAR)
    rest = ~near & ~seen
    rank = np.where(rest, random.random(shape, dtype=np.float32), np.float32(2.0))
    drawn = np.zeros(shape, bool)
    count = min(DRAWN, shape[1] - 1)
    np.put_along_axis(drawn, np.argpartition(rank, count, axis=1)[:, :count], True, axis=1)
    drawn &= rest
    remaining, taken = rest.sum(1), np.maximum(drawn.sum(1), 1)
    is_target = np.zeros(shape, bool)
    is_target[np.arange(shape[0]), target] = True
    weight = np.log(np.maximum(remaining, 1) / taken)
    rows, items = np.nonzero(near | drawn | is_target)
    return examples_of(
        values,
        rows,
        items,
        chosen=(items == target[rows]).astype(float),
        offset=np.where(drawn[rows, items], weight[rows], 0.0),
    )


def retrieve(
    values_by_term: Mapping[str, Values], groups: Sequence[Grouping], seen: Truths, most: int
) -> Truths:
    """(histories, items) the first items by each retrieving term and by similarity, without those seen."""
    near = np.zeros(seen.shape, bool)
    if seen.shape[1] <= most:
        return ~seen
    popularity = values_by_term[POPULAR].dense()[0]
    likeness = [values_by_term[in_history(g.name)].dense() for g in groups]
    retrieving = [values_by_term[name].dense() for name in RETRIEVING]
    retrieving.append(np.broadcast_to(sum(likeness, 0.1 * popularity), seen.shape))
    for values in retrieving:
        values = np.where(seen, -np.inf, values)
        first = np.argpartition(-values, most, axis=1)[:, :most]
        near[np.arange(len(seen))[:, None], first] = True
    return near & ~seen


def examples_of(
    values_by_term: Mapping[str, Values], rows: Ints, items: Ints, *, chosen: Floats, offset: Floats
) -> Examples:
    """The choices of histories (rows, ascending) among items, with the values of all terms."""
    start = np.append(np.flatnonzero(np.diff(rows, prepend=-1)), len(rows)).astype(np.int64)
    values = np.column_stack([term.of(rows, items) for term in values_by_term.values()]).astype(np.float32)
    zeros = np.zeros(len(start) - 1)
    number = np.arange(len(zeros))
    choices = Choices(
        raw=NO_COLUMNS,
        centring=np.zeros((0, 0)),
        start=start,
        chosen=chosen,
        outside=zeros > 0,
        left=zeros,
        person=number,
        time=number,
        offset=offset,
    )
    return Examples(values, tuple(values_by_term), choices, items)


def joined(parts: Sequence[Examples]) -> Examples:
    """Examples one after the other."""
    return Examples(
        np.concatenate([p.values for p in parts]),
        parts[0].names,
        concatenated([p.choices for p in parts]),
        np.concatenate([p.item for p in parts]),
    )
