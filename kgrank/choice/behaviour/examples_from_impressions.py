"""Training examples of the additive model where impressions are logged: choices among the shown items.

Term values are counted from the earlier part of the log, the curves are learned from choices of the later part.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from kgrank.arrays import Floats, Ints
from kgrank.choice.behaviour.additive import BehaviourModel, Examples, learn_curves
from kgrank.choice.behaviour.counts import Counts
from kgrank.choice.behaviour.event_log import EventLog
from kgrank.choice.behaviour.examples_from_catalogue import EXAMPLES, batch_size, joined
from kgrank.choice.behaviour.groupings import Grouping
from kgrank.choice.behaviour.sequences import RECENT, EventSequences
from kgrank.choice.behaviour.terms import ATTRIBUTES, term_values
from kgrank.choice.behaviour.title_tfidf import TitleVectors
from kgrank.choice.data.ragged import gather
from kgrank.choice.logit.choice_sets import CategoryChoices
from kgrank.choice.steps import Steps, told, untold

EARLY = 0.7
"""The share of the log that is counted; the rest is learned on, so that no term explains itself."""


def learn_from_impressions(
    own_choices: Mapping[str, CategoryChoices],
    part_worths: Mapping[str, Floats],
    log: EventLog,
    users: tuple[str, ...],
    groups: tuple[Grouping, ...] = (),
    title_vectors: TitleVectors | None = None,
    *,
    inside: Mapping[str, Ints] | None = None,
    seed: int = 0,
    fewest: int = 1,
    steps: Steps = untold,
) -> BehaviourModel:
    """Learns curves and pairs by the likelihood of what was taken of what was shown.

    Args:
        own_choices: Choices by category, each choice once.
        part_worths: By category, nuisance included: positions and the outside option stay as they are.
        log: Everyone's events in order.
        users: User ids by the person numbers of the choices.
        groups: What items have in common.
        title_vectors: Of the items' titles.
        inside: By category, the numbers of its items and of those below it.
        seed: Of the choices, where there are more than are needed.
        fewest: Co-occurrences of fewer people are left out.
        steps: Told of each category.
    """
    # Those of the earlier part are let go before the whole log is counted: both together take twice the memory.
    early = _early_counts(log, groups, title_vectors, fewest)
    examples = None if early is None else _collect(own_choices, part_worths, log, users, early, seed, steps)
    del early
    counts = Counts.of(log.events.once(), groups, title_vectors, fewest=fewest)
    return BehaviourModel(counts=counts) if examples is None else learn_curves(examples, counts, inside)


@dataclass(frozen=True)
class _Early:
    """The counts of the earlier part of a log, and when it ends."""

    cut: float
    counts: Counts


def _early_counts(
    log: EventLog, groups: tuple[Grouping, ...], title_vectors: TitleVectors | None, fewest: int
) -> _Early | None:
    """The counts of the earlier part; None of a log without times."""
    events = log.events
    if events.time is None or not len(events.time):
        return None
    cut = float(np.quantile(events.time, EARLY))
    return _Early(cut, Counts.of(events.until(cut).once(), groups, title_vectors, fewest=fewest))


def _collect(
    own_choices: Mapping[str, CategoryChoices],
    part_worths: Mapping[str, Floats],
    log: EventLog,
    users: tuple[str, ...],
    early: _Early,
    seed: int,
    steps: Steps,
) -> Examples | None:
    """Later choices of people with a history, with term values counted from the earlier part of the log."""
    events, random = log.events, np.random.default_rng(seed)
    number = {user: k for k, user in enumerate(log.users)}
    person = np.array([number.get(user, -1) for user in users], dtype=np.int64)
    late = {c: np.flatnonzero(s.choices.time > early.cut) for c, s in own_choices.items()}
    share = EXAMPLES / max(sum(map(len, late.values())), EXAMPLES)
    parts: list[Examples] = []
    for category, which in told(late.items(), steps):
        sampled = np.sort(random.permutation(which)[: int(np.ceil(share * len(which)))])
        before = [
            _before(events, person[p], t)
            for p, t in zip(*_persons_and_times(own_choices[category], sampled), strict=True)
        ]
        with_history = np.array([len(b) > 0 for b in before], dtype=bool)
        if with_history.any():
            histories = [b for b in before if len(b)]
            parts += _batches(
                own_choices[category],
                part_worths[category],
                sampled[with_history],
                histories,
                log,
                early.counts,
            )
    return joined(parts) if parts else None


def _persons_and_times(category_choices: CategoryChoices, which: Ints) -> tuple[list[int], list[int]]:
    return category_choices.choices.person[which].tolist(), category_choices.choices.time[which].tolist()


def _before(events: EventSequences, person: int, time: int) -> Ints:
    """The last items of a person before a time, each at its last time."""
    if person < 0 or events.time is None:
        return np.empty(0, np.int64)
    rows = slice(events.start[person], events.start[person + 1])
    items = events.item[rows][: np.searchsorted(events.time[rows], time, side="left")].tolist()
    distinct = dict.fromkeys(reversed(items))
    return np.array(list(distinct)[:RECENT][::-1], dtype=np.int64)


def _batches(
    category_choices: CategoryChoices,
    part_worths: Floats,
    which: Ints,
    histories: list[Ints],
    log: EventLog,
    early: Counts,
) -> Iterator[Examples]:
    """The choices of a category in batches, with the term values of the shown items."""
    numbers = pl.DataFrame({"item": log.items}).with_row_index("n")
    items = pl.DataFrame({"item": category_choices.design.items}, schema={"item": pl.String})
    item_numbers = (
        items.join(numbers, on="item", how="left", maintain_order="left")["n"].to_numpy().astype(np.int64)
    )
    width = category_choices.design.layout.width
    nuisance = np.concatenate([np.zeros(width), part_worths[width:]])
    size = batch_size(len(log.items))
    for first in range(0, len(which), size):
        batch = which[first : first + size]
        choices = category_choices.choices.take(batch)
        offset = choices.utility(nuisance)
        rows, _ = gather(
            category_choices.choices.start[:-1][batch], np.diff(category_choices.choices.start)[batch]
        )
        people = EventSequences.of(histories[first : first + size], len(log.items))
        asked = choices.time if log.events.dated else None
        values_by_term = term_values(early, replace(people, asked=asked))
        shown_items = item_numbers[category_choices.item_row[rows]]
        values = {name: term.of(choices.choice, shown_items) for name, term in values_by_term.items()}
        values[ATTRIBUTES] = choices.utility(part_worths) - offset
        yield Examples(
            np.column_stack(list(values.values())).astype(np.float32),
            tuple(values),
            choices.without_columns(offset),
            shown_items,
        )
