"""What the curves are learned on where a log says what was shown: choices among the shown items.

Everything is counted on the earlier part of the log, and learned on choices of the later part.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np
import polars as pl

from kgrank.arrays import Floats, Ints
from kgrank.choice.behaviour.additive import BehaviourModel, Examples, learn_curves
from kgrank.choice.behaviour.counts import Counts, EventSequences
from kgrank.choice.behaviour.from_catalogue import BATCH, EXAMPLES, joined
from kgrank.choice.behaviour.histories import Grouping, Histories
from kgrank.choice.behaviour.sequences import Sequences
from kgrank.choice.behaviour.terms import ATTRIBUTES, RECENT, term_values
from kgrank.choice.behaviour.titles import TitleVectors
from kgrank.choice.data.ragged import gather
from kgrank.choice.logit.choice_sets import CategoryChoices
from kgrank.choice.logit.choices import Choices

EARLY = 0.7
"""The share of the log that is counted; the rest is learned on, so that no term explains itself."""

CELLS = 4_000_000
"""Amounts of one term that are worked on at once, 32 MB."""


def learn_from_impressions(
    home: Mapping[str, CategoryChoices],
    part_worths: Mapping[str, Floats],
    log: Sequences,
    users: tuple[str, ...],
    groups: tuple[Grouping, ...] = (),
    words: TitleVectors | None = None,
    *,
    inside: Mapping[str, Ints] | None = None,
    seed: int = 0,
) -> BehaviourModel:
    """Learns curves and pairs by the likelihood of what was taken of what was shown.

    Args:
        home: Choices by category, each choice once.
        part_worths: By category, nuisance included: positions and the outside option stay as they are.
        log: Everyone's events in order.
        users: User ids by the person numbers of the choices.
        groups: What items have in common.
        words: Of the items' titles.
        inside: By category, the numbers of the items that stand in it or below.
        seed: Of the choices, where there are more than are needed.
    """
    counts = Counts.of(EventSequences.logged(log), groups, words)
    examples = _collect(home, part_worths, log, users, counts, np.random.default_rng(seed))
    return BehaviourModel(counts) if examples is None else learn_curves(examples, counts, inside)


def _collect(
    home: Mapping[str, CategoryChoices],
    part_worths: Mapping[str, Floats],
    log: Sequences,
    users: tuple[str, ...],
    whole: Counts,
    random: np.random.Generator,
) -> Examples | None:
    """Later choices of people with a history, with amounts counted from the earlier part of the log."""
    if not len(log.time):
        return None
    cut = np.quantile(log.time, EARLY)
    early = Counts.of(
        EventSequences.logged(_until(log, cut)), whole.statistics.groupings, whole.statistics.words
    )
    number = {user: k for k, user in enumerate(log.users)}
    person = np.array([number.get(user, -1) for user in users], dtype=np.int64)
    late = {c: np.flatnonzero(s.choices.time > cut) for c, s in home.items()}
    share = EXAMPLES / max(sum(map(len, late.values())), EXAMPLES)
    parts: list[Examples] = []
    for category, which in late.items():
        some = np.sort(random.permutation(which)[: int(np.ceil(share * len(which)))])
        before = [_before(log, person[p], t) for p, t in zip(*_asked(home[category], some), strict=True)]
        able = np.array([len(b) > 0 for b in before], dtype=bool)
        if able.any():
            histories = [b for b in before if len(b)]
            parts += _batches(home[category], part_worths[category], some[able], histories, log, early)
    return joined(parts) if parts else None


def _until(log: Sequences, cut: float) -> Sequences:
    """The events up to a time."""
    kept = log.time <= cut
    ends = np.concatenate([[0], np.cumsum(kept)])[log.start]
    return replace(log, item=log.item[kept], time=log.time[kept], start=ends.astype(np.int64))


def _asked(some: CategoryChoices, which: Ints) -> tuple[list[int], list[int]]:
    return some.choices.person[which].tolist(), some.choices.time[which].tolist()


def _before(log: Sequences, person: int, time: int) -> Ints:
    """The last items of a person before a time, each at its last time."""
    if person < 0:
        return np.empty(0, np.int64)
    own = slice(log.start[person], log.start[person + 1])
    items = log.item[own][: np.searchsorted(log.time[own], time, side="left")].tolist()
    last = dict.fromkeys(reversed(items))
    return np.array(list(last)[:RECENT][::-1], dtype=np.int64)


def _batches(
    some: CategoryChoices,
    part_worths: Floats,
    which: Ints,
    histories: list[Ints],
    log: Sequences,
    early: Counts,
) -> Iterator[Examples]:
    """The choices of a category, some of them at once, with the amounts of what was shown."""
    at = pl.DataFrame({"item": log.items}).with_row_index("n")
    items = pl.DataFrame({"item": some.design.items}, schema={"item": pl.String})
    known = items.join(at, on="item", how="left", maintain_order="left")["n"].to_numpy().astype(np.int64)
    width = some.design.layout.width
    nuisance = np.concatenate([np.zeros(width), part_worths[width:]])
    size = max(min(BATCH, CELLS // max(len(log.items), 1)), 1)
    for first in range(0, len(which), size):
        mine = which[first : first + size]
        choices = some.choices.take(mine)
        offset = choices.utility(nuisance)
        rows, _ = gather(some.choices.start[:-1][mine], np.diff(some.choices.start)[mine])
        people = EventSequences.of(histories[first : first + size], len(log.items))
        time = choices.time if log.dated else None
        found = term_values(early, Histories(people.item, people.start, time))
        shown = known[some.item_row[rows]]
        values = {name: amount.of(choices.choice, shown) for name, amount in found.items()}
        values[ATTRIBUTES] = choices.utility(part_worths) - offset
        yield Examples(
            np.column_stack(list(values.values())).astype(np.float32),
            tuple(values),
            _bare(choices, offset),
            shown,
        )


def _bare(choices: Choices, offset: Floats) -> Choices:
    """The choices without their columns."""
    return replace(choices, raw=choices.raw[:, :0], centring=np.zeros((0, 0)), offset=offset)
