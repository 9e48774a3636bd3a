"""An additive model of the next item: a sum of learned curves of behaviour terms, fitted as a conditional logit.

Each term has a piecewise-linear curve and each named pair a bilinear surface (a generalised additive model with
pairs: Lou et al. 2013); all their values are estimated together. A term that does not improve the likelihood of
held-out choices is dropped. Each category has weights of its own for families of terms, shrunk towards 1.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from scipy import sparse

from kgrank.arrays import Floats, Ints
from kgrank.choice.behaviour.counts import Counts
from kgrank.choice.behaviour.curves import curve, evaluate_curve, hats, knots, line, outer, pair_hats, surface
from kgrank.choice.behaviour.groupings import Grouping
from kgrank.choice.behaviour.sequences import EventSequences
from kgrank.choice.behaviour.terms import (
    ATTRIBUTES,
    FAMILIES,
    LENGTH,
    NOW,
    PAIRS,
    POPULAR,
    Statistics,
    TermValues,
    about,
    family,
    flow,
    has_curve,
    pair_name,
    term_values,
    terms_of,
)
from kgrank.choice.logit.fit import optimum
from kgrank.choice.logit.likelihood import Choices
from kgrank.weights.model import BehaviourTerm, Curve, Flow

KNOTS, PAIR_KNOTS = 8, 4
ROUNDS, SOME = 3, 1_000
"""Rounds of Laplace EM for the variances of the curves' values, and the choices they are learned on."""

HELD = 4
"""Of the choices every so many is held out to say which terms help."""

ROUNDING = 1e-9
"""Log-likelihood a choice up to which a gain is a rounding error, of a term that is the same for all of a list."""

RUN = 50_000
"""Rows of candidates that are worked on at once."""

FEWEST = 20
"""Choices from which a category has separate weights."""

SPREADS, SPREAD = (1e-4, 1.0), 0.1
"""Bounds of the variance of a family's weight among categories, and where its learning begins."""


@dataclass(frozen=True)
class Examples:
    """Choices among candidates, with the values of the terms.

    Attributes:
        values: (rows, terms) of the terms.
        names: Of the terms.
        choices: Without columns: what was taken of which rows, with the utility that is given.
        item: (rows,) item numbers.
    """

    values: npt.NDArray[np.float32]
    names: tuple[str, ...]
    choices: Choices
    item: Ints

    def column(self, name: str, rows: slice | Ints) -> Floats:
        """(rows,) the values of one term."""
        return np.asarray(self.values[rows, self.names.index(name)], float)

    @property
    def taken(self) -> Ints:
        """Rows that were chosen."""
        return np.flatnonzero(self.choices.chosen > 0)


@dataclass(frozen=True)
class BehaviourModel:
    """The learned model: curves by term name, surfaces by pair, and the counts that they are applied to.

    Attributes:
        counts: Of everybody.
        curves: Of the terms that help.
        pairs: Surfaces of the pairs that help.
        log_likelihood: Mean of the choices it is learned on.
        utility: (items,) the attribute score.
        strength: The weight that was learned for it.
        gains: By name of term, pair or ``attributes``, what held-out choices lose without it, in mean
            log-likelihood; of those that were left out, what they lose with it, at most 0.
        weights: By category, the weight of ``attributes`` and of each family, 1 as in the whole shop.
        examples: The choices that it is learned on.
    """

    counts: Counts
    curves: Mapping[str, Curve] = field(default_factory=dict)
    pairs: Mapping[tuple[str, str], Curve] = field(default_factory=dict)
    log_likelihood: float = float("nan")
    utility: Floats | None = None
    strength: float = 0.0
    gains: Mapping[str, float] = field(default_factory=dict)
    weights: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    examples: Examples | None = field(default=None, repr=False, compare=False)

    def score(self, histories: EventSequences) -> Floats:
        """(histories, items) the sum of all terms."""
        names = {*self.curves, *(n for p in self.pairs for n in p)}
        values = {n: TermValues.all_of(v) for n, v in term_values(self.counts, histories, names).items()}
        total = np.zeros((len(histories), len(self.counts.statistics.count)))
        if self.utility is not None:
            total += self.strength * self.utility
        for name, learned in self.curves.items():
            if values[name].label is None:
                _add(total, values[name].values, learned)
        for label, sums in _by_label(values, self.curves, self.pairs):
            total += sums[:, label]
        for pair, learned in self.pairs.items():
            first, second = (values[name] for name in pair)
            if pair[1] == LENGTH and len(first.values) == 1 and first.label is None:
                total += outer(learned, first.values[0], second.values[:, 0])
            elif pair[1] != LENGTH or first.label is None:
                # A surface is 0 where its first term is at its first knot, as for most items.
                active = np.flatnonzero(np.broadcast_to(first.dense(), total.shape) > learned.knots[0][0])
                rows, items = np.divmod(active, total.shape[1])
                total.reshape(-1)[active] += evaluate_curve(
                    learned, first.of(rows, items), second.of(rows, items)
                )
        return total


def served_utility(model: BehaviourModel, examples: Examples) -> Floats:
    """(rows,) what all terms of a model add in examples, without the weights of single categories."""
    rows = slice(None)
    total = np.zeros(len(examples.item))
    if ATTRIBUTES in examples.names:
        total += model.strength * examples.column(ATTRIBUTES, rows)
    for name, learned in model.curves.items():
        total += evaluate_curve(learned, examples.column(name, rows))
    for (first, second), learned in model.pairs.items():
        total += evaluate_curve(learned, examples.column(first, rows), examples.column(second, rows))
    return total


def _by_label(
    term_values_: Mapping[str, TermValues],
    curves: Mapping[str, Curve],
    pairs: Mapping[tuple[str, str], Curve],
) -> Iterator[tuple[Ints, Floats]]:
    """The terms whose value depends on an item's label alone, added up by label.

    Yields:
        (items,) the label of each item, and (histories, labels) what the terms of a grouping say.
    """
    sums_by_label: dict[int, tuple[Ints, Floats]] = {}

    def add(label: Ints, sums: Floats) -> None:
        sum_so_far = sums_by_label.get(id(label), (label, np.zeros((1, 1))))
        sums_by_label[id(label)] = label, sum_so_far[1] + sums

    for name, learned in curves.items():
        if (label := term_values_[name].label) is not None:
            add(label, evaluate_curve(learned, term_values_[name].values))
    for (first, second), learned in pairs.items():
        values, label = term_values_[first].values, term_values_[first].label
        if second == LENGTH and label is not None:
            add(
                label,
                evaluate_curve(learned, values, np.broadcast_to(term_values_[second].values, values.shape)),
            )
    yield from sums_by_label.values()


def _add(total: Floats, values: Floats, learned: Curve) -> None:
    """Adds a curve's values; one that starts at 0 is 0 for the items without links."""
    if len(values) == len(total) and learned.knots[0][0] == 0.0:
        # Flat indices are computed ten times as fast as rows and columns.
        nonzero = np.flatnonzero(values)
        total.reshape(-1)[nonzero] += evaluate_curve(learned, values.reshape(-1)[nonzero])
    else:
        total += evaluate_curve(learned, values)


Block = str | tuple[str, str]
"""A term or a pair of terms; its columns are adjacent."""


@dataclass(frozen=True)
class _Columns:
    """The columns of all curves: hat functions, their knots, and the width of each block."""

    choices: Choices
    blocks: tuple[Block, ...]
    width: tuple[int, ...]
    at: Mapping[str, tuple[float, ...]]
    coarse: Mapping[str, tuple[float, ...]]

    @property
    def slices(self) -> list[slice]:
        """The columns of each block."""
        return [slice(a, b) for a, b in pairwise(np.cumsum([0, *self.width]).tolist())]

    def curve_of(self, block: Block, values: Floats) -> Curve:
        """The learned curve or surface of a block."""
        if isinstance(block, str):
            return curve(self.at[block], values)
        return surface(self.coarse[block[0]], self.coarse[block[1]], values)


def learn_curves(
    examples: Examples,
    counts: Counts,
    inside: Mapping[str, Ints] | None = None,
    without: Collection[str] = (),
) -> BehaviourModel:
    """Fits the curves, and drops the terms that do not improve the likelihood of held-out choices.

    Args:
        examples: Choices, none of which is among the events that its term values are counted from.
        counts: Of everybody.
        inside: By category, the numbers of its items and of those below it; each gets separate weights.
        without: Names of terms and pairs that get no curve.
    """
    if len(examples.choices) < HELD:
        # None would be held out to say which terms help.
        return BehaviourModel(counts=counts)
    columns = _columns(examples, _blocks(examples, without))
    whole = np.arange(len(columns.choices))
    held_out = whole % HELD == HELD - 1
    mean, precision, start = _variances(columns)
    # A choice that nobody makes says nothing: the held-out ones need no second copy of the others.
    training_chosen = np.where(held_out[columns.choices.choice], 0.0, columns.choices.chosen)
    training = replace(
        columns.choices, chosen=training_chosen, left=np.where(held_out, 0.0, columns.choices.left)
    )
    values, _ = optimum(training, mean, precision, start, tolerance=1e-2)
    helpful, gains = _helpful(columns, columns.choices.take(held_out), values)
    learned = BehaviourModel(counts=counts, gains=gains, examples=examples)
    if not helpful:
        return learned
    pick = np.concatenate([np.arange(s.start, s.stop) for s in (columns.slices[k] for k in helpful)])
    blocks = [columns.blocks[k] for k in helpful]
    del columns, training
    columns = _columns(examples, blocks)
    values, _ = optimum(columns.choices, mean[pick], precision[pick], values[pick], tolerance=1e-4)
    curves_ = {b: columns.curve_of(b, values[s]) for b, s in zip(columns.blocks, columns.slices, strict=True)}
    straight = curves_.pop(ATTRIBUTES, None)
    # Attributes that would lower the score of what they make likely elsewhere get no weight.
    strength = 0.0 if straight is None else straight.values[-1] / float(np.ptp(straight.knots[0]))
    learned = replace(
        learned,
        curves={b: c for b, c in curves_.items() if isinstance(b, str)},
        pairs={b: c for b, c in curves_.items() if not isinstance(b, str)},
        log_likelihood=float(columns.choices.log_likelihood(columns.choices.utility(values)).mean()),
        strength=max(strength, 0.0),
    )
    return replace(learned, weights=_category_weights(examples, columns, values, inside or {}))


def _blocks(examples: Examples, without: Collection[str]) -> list[Block]:
    """The terms that have curves, then the named pairs of terms that are there."""
    singles = [n for n in examples.names if has_curve(n) and n not in without]
    available = {*examples.names} - {*without}
    return [*singles, *(p for p in PAIRS if set(p) <= available and pair_name(p) not in without)]


def _columns(examples: Examples, blocks: Sequence[Block]) -> _Columns:
    """The hat functions of all rows, built in runs of rows to save memory."""
    singles = [b for b in blocks if isinstance(b, str)]
    pairs = [b for b in blocks if not isinstance(b, str)]
    at = {n: knots(examples.column(n, examples.taken), KNOTS) for n in singles}
    if ATTRIBUTES in at:
        at[ATTRIBUTES] = line(examples.column(ATTRIBUTES, slice(None)))
    coarse = {n: knots(examples.column(n, examples.taken), PAIR_KNOTS) for p in pairs for n in p}
    runs, width = [], list[int]()
    for first in range(0, len(examples.item), RUN):
        run = {n: examples.column(n, slice(first, first + RUN)) for n in examples.names}
        fine = {n: hats(run[n], k) for n, k in coarse.items()}
        parts = [hats(run[n], k) for n, k in at.items()] + [pair_hats(fine[a], fine[b]) for a, b in pairs]
        width = [part.shape[1] for part in parts]
        runs.append(sparse.csr_matrix(np.hstack(parts)))
    raw = _stacked(runs)
    choices = replace(examples.choices, raw=raw, centring=np.eye(raw.shape[1]))
    return _Columns(choices, (*singles, *pairs), tuple(width), at, coarse)


def _stacked(runs: list[sparse.csr_matrix]) -> sparse.csr_matrix:
    """The runs one under the other; each is let go when it is copied, so that they take memory once."""
    shape = (sum(r.shape[0] for r in runs), runs[0].shape[1])
    ends = np.cumsum([0, *(r.nnz for r in runs)])
    start = np.concatenate([[0], *(r.indptr[1:] + e for r, e in zip(runs, ends, strict=False))])
    data, indices = np.empty(ends[-1]), np.empty(ends[-1], np.int32)
    for k, end in enumerate(ends[1:]):
        run, runs[k] = runs[k], None
        data[ends[k] : end], indices[ends[k] : end] = run.data, run.indices
    return sparse.csr_matrix((data, indices, start), shape=shape)


def _variances(columns: _Columns) -> tuple[Floats, Floats, Floats]:
    """Prior mean and precision of all values, one variance a block learned on a sample of choices, and a start.

    The attribute score is expected to weigh 1, as it was learned; curves are expected to say nothing.
    """
    block = np.repeat(np.arange(len(columns.width)), columns.width)
    mean = np.zeros(len(block))
    if ATTRIBUTES in columns.blocks:
        mean[columns.slices[columns.blocks.index(ATTRIBUTES)]] = np.ptp(columns.at[ATTRIBUTES])
    precision, values = np.ones(len(block)), mean
    choices = columns.choices
    sample = choices.take(np.arange(0, len(choices), max(len(choices) // SOME, 1)))
    for _ in range(ROUNDS):
        values, hessian = optimum(sample, mean, precision, start=values, tolerance=1e-2)
        spread = (values - mean) ** 2 + np.diag(np.linalg.inv(hessian))
        variance = np.bincount(block, spread) / np.bincount(block)
        precision = 1.0 / np.clip(variance, 1e-2, 1e2)[block]
    return mean, precision, values


def _helpful(columns: _Columns, held_out: Choices, values: Floats) -> tuple[list[int], dict[str, float]]:
    """Backward elimination: the blocks that improve the held-out log-likelihood, and the gain of each.

    The least helpful goes first, until all that is left helps; the curves of the others stay as they are.
    """
    utility = np.column_stack([held_out.raw[:, s] @ values[s] for s in columns.slices])
    total = utility.sum(1) + held_out.offset
    remaining, gains = list(range(len(columns.width))), dict[str, float]()

    def likely(utilities: Floats) -> float:
        return float(held_out.log_likelihood(utilities).mean())

    names = [b if isinstance(b, str) else pair_name(b) for b in columns.blocks]
    while remaining:
        log_likelihood = likely(total)
        brings = {k: log_likelihood - likely(total - utility[:, k]) for k in remaining}
        gains |= {names[k]: gain for k, gain in brings.items()}
        worst = min(remaining, key=lambda k: brings[k])
        if brings[worst] > ROUNDING:
            break
        remaining.remove(worst)
        total -= utility[:, worst]
    return remaining, gains


def _category_weights(
    examples: Examples, columns: _Columns, values: Floats, inside: Mapping[str, Ints]
) -> dict[str, dict[str, float]]:
    """The weight of each family of terms within each category, from its choices among its items.

    A weight is 1 and a deviation, whose variance among the categories is learned for each family.
    """
    family_of_block = [
        ATTRIBUTES if b == ATTRIBUTES else family(b if isinstance(b, str) else b[0]) for b in columns.blocks
    ]
    names = list(dict.fromkeys(family_of_block))
    sums = np.zeros((len(examples.item), len(names)))
    for name, part in zip(family_of_block, columns.slices, strict=True):
        sums[:, names.index(name)] += columns.choices.raw[:, part] @ values[part]
    items = int(examples.item.max(initial=-1)) + 1
    taken = np.bincount(examples.item[examples.taken], minlength=items)
    parts = {c: _within(examples, sums, m) for c, m in inside.items() if taken[m[m < items]].sum() >= FEWEST}
    # A category that holds everything is the whole shop, for which the curves were learned.
    category_choices = {
        c: p for c, p in parts.items() if len(p) >= FEWEST and p.raw.shape[0] < len(examples.item)
    }
    variance, ones = np.full(len(names), SPREAD), np.ones(len(names))
    weights: dict[str, Floats] = {}
    for _ in range(ROUNDS if category_choices else 0):
        spread = np.zeros(len(names))
        for category, choices in category_choices.items():
            weight, hessian = optimum(choices, ones, 1 / variance, weights.get(category), tolerance=1e-4)
            weights[category] = weight
            spread += (weight - 1) ** 2 + np.diag(np.linalg.inv(hessian))
        variance = np.clip(spread / len(category_choices), *SPREADS)
    return {
        c: dict(zip(names, np.maximum(weight, 0.0).tolist(), strict=True)) for c, weight in weights.items()
    }


def _within(examples: Examples, sums: Floats, members: Ints) -> Choices:
    """The choices of a category's items from among its items, by the families' sums."""
    choices, taken = examples.choices, examples.taken
    selected = np.unique(choices.choice[taken[np.isin(examples.item[taken], members)]])
    rows = choices.rows_of(selected)
    rows = rows[np.isin(examples.item[rows], members)]
    size = np.bincount(choices.choice[rows], minlength=len(choices))[selected]
    rows = rows[np.repeat(size > 1, size)]
    selected, size = selected[size > 1], size[size > 1]
    start = np.concatenate([[0], np.cumsum(size)]).astype(np.int64)
    zeros = np.zeros(len(selected))
    return Choices(
        raw=sparse.csr_matrix(sums[rows]),
        centring=np.eye(sums.shape[1]),
        start=start,
        chosen=choices.chosen[rows],
        outside=zeros > 0,
        left=zeros,
        person=choices.person[selected],
        time=choices.time[selected],
        offset=choices.offset[rows],
    )


def behaviour_terms(model: BehaviourModel, items: tuple[str, ...]) -> tuple[BehaviourTerm, ...]:
    """The terms as they are stored: each with its curve, ``popular`` with its counts, flows with moves.

    A term that was dropped has no curve, and its description says so.

    Args:
        model: The layer.
        items: Item ids.
    """
    statistics = model.counts.statistics
    grouping_names = tuple(g.name for g in statistics.groupings)
    settings = {} if statistics.recent is None else {NOW: {"half_life": statistics.recent.half_life}}
    singles = tuple(
        BehaviourTerm(
            name=name,
            about=about(name, grouping_names)
            + ("" if name in model.curves else "; left out: it brings nothing"),
            settings=settings.get(name, {}) | _gain(model, name),
            curve=model.curves.get(name),
        )
        for name in terms_of(statistics)
        if name in model.curves or name in model.gains or name == POPULAR
    )
    pairs = tuple(
        BehaviourTerm(
            name=pair_name(pair),
            about=f"{pair[0]} and {pair[1]} together",
            settings=_gain(model, pair_name(pair)),
            curve=surface,
            of=pair,
        )
        for pair, surface in model.pairs.items()
    )
    return (*(with_counts(term, statistics, items) for term in singles), *pairs)


def with_counts(term: BehaviourTerm, statistics: Statistics, items: tuple[str, ...]) -> BehaviourTerm:
    """A term with what it is made of: the counts of ``popular`` and ``popular-now``, the moves of a flow.

    The counts of ``popular`` scale the links too, so that they stay where the term itself was left out.
    """
    recent = statistics.recent
    if term.name == POPULAR:
        return replace(term, counts=dict(zip(items, statistics.count.tolist(), strict=True)))
    if term.name == NOW and recent is not None:
        return replace(term, counts=dict(zip(items, recent.now.tolist(), strict=True)))
    for group in statistics.groupings:
        if term.name == flow(group.name):
            return replace(term, flows=_flows(group, statistics.transitions[group.name]))
    return term


def no_behaviour() -> BehaviourModel:
    """The model of a shop without items: no terms, no counts."""
    return BehaviourModel(Counts.of(EventSequences.of((), 0)))


def category_terms(learned: BehaviourModel, category: str) -> dict[str, float]:
    """The weights of the attribute score and of each family in a category, as they are stored."""
    if not learned.curves:
        return {ATTRIBUTES: 1.0}
    weights = learned.weights.get(category, {})
    strength = learned.strength * weights.get(ATTRIBUTES, 1.0)
    present = {family(n) for n in (*learned.curves, *(p[0] for p in learned.pairs))}
    return {ATTRIBUTES: strength, **{name: weights.get(name, 1.0) for name in FAMILIES if name in present}}


def _gain(learned: BehaviourModel, name: str) -> dict[str, float]:
    return {"gain": learned.gains[name]} if name in learned.gains else {}


def _flows(group: Grouping, moves: Floats) -> tuple[Flow, ...]:
    source, target = np.nonzero(moves)
    return tuple(
        Flow(group.labels[i], group.labels[j], float(moves[i, j]))
        for i, j in zip(source.tolist(), target.tolist(), strict=True)
    )
