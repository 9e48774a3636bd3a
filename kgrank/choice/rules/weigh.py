"""The posterior from the data and the rules together: every category re-weighted by its rules, and the audit."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from zlib import crc32

import numpy as np

from kgrank.arrays import Floats, Ints
from kgrank.choice.data.design import Layout
from kgrank.choice.logit.posterior import CategoryPosterior
from kgrank.choice.rules.author_reliability import (
    RuleSet,
    RulesInCategory,
    applicable_statements,
    factor,
    rules_in_category,
)
from kgrank.choice.rules.bounds import Statements
from kgrank.choice.rules.conflicts import smallest_sets
from kgrank.choice.rules.sampling import DRAWS, Reweighted, allowed, gaussian, reweighted
from kgrank.choice.rules.verdict import UNLIKELY, evidence_of_several, log_bayes_factor
from kgrank.errors import RunError
from kgrank.ontology.model import Ontology, Rule

FEW = 200
"""Effective draws of the data's posterior below which the rules contradict it."""

QUIET = 0.02
"""A rule whose confidence is so little above its prior probability has no effect to be seen."""

MOST_NAMED = 5
"""Names in a note, which counts the others."""

ATTEMPTS = 50
"""How often a smaller set of hard rules that seem to exclude each other is searched for."""


@dataclass(frozen=True)
class RuleEvidence:
    """A rule against the data, over all its categories.

    Attributes:
        rule: The rule.
        categories: The categories that it applies to, and ``by_category`` (categories, 3): probability that it
            holds there under the prior without rules, under the data alone, and under the data and all rules.
        counted: Those whose data count for it: the ones with choices of their own, else all.
        prob_prior: Probability that it holds under the prior without rules, the mean over ``counted``.
        prob_data: The same under the data alone: ``prob_prior`` with ``log_bayes_factor``.
        prob_posterior: Probability that it holds under the data and all rules, the mean over ``counted``.
        prob_rule_right_prior: Probability that the rule is right as a whole before the data about it, by its
            confidence and by the data about its author's other rules.
        prob_rule_right: The same after the data about it.
        log_bayes_factor: Of the statement that it holds, from the data alone; see ``evidence_of_several``.
        has_effect: Whether it is surer than chance, and so acts.
        fails_in: Categories where it rather fails than holds, by the data alone.
        choice_count: Number of choices; ``person_count`` behind them.
    """

    rule: Rule
    categories: tuple[str, ...]
    by_category: Floats
    counted: tuple[str, ...]
    prob_prior: float
    prob_data: float
    prob_posterior: float
    prob_rule_right_prior: float
    prob_rule_right: float
    log_bayes_factor: float
    has_effect: bool
    fails_in: tuple[str, ...]
    choice_count: int
    person_count: int


@dataclass(frozen=True)
class Conflict:
    """Rules of which each may well hold by the data alone, but not all of them together.

    Attributes:
        rules: A smallest set: every part of it may hold together.
        categories: The categories where they are in conflict.
        worst: The one where they hold together most rarely.
        alone: (rules,) probability of each there; ``together`` of all at once.
    """

    rules: tuple[Rule, ...]
    categories: tuple[str, ...]
    worst: str
    alone: tuple[float, ...]
    together: float


@dataclass(frozen=True)
class PosteriorDraws(Mapping[str, Floats]):
    """(draws, columns) of the part-worths of each category, in memory only where rules act.

    Without rules they are drawn again each time, the same ones: those of hundreds of categories do not fit.

    Attributes:
        posteriors: From the data alone, by category.
        seed: Of the draws.
        with_rules: Of the categories to which rules apply.
    """

    posteriors: Mapping[str, CategoryPosterior]
    seed: int
    with_rules: Mapping[str, Floats]

    def __getitem__(self, category: str) -> Floats:
        """The draws of a category."""
        return self.with_rules[category] if category in self.with_rules else self.from_data(category)

    def from_data(self, category: str) -> Floats:
        """Draws from the data alone."""
        posterior = self.posteriors[category]
        return gaussian(posterior.mean, posterior.covariance, _generator(self.seed, category))

    def mean(self, category: str) -> Floats:
        """(columns,) the mean of a category's draws; without rules the optimum itself."""
        drawn = self.with_rules.get(category)
        return self.posteriors[category].mean if drawn is None else np.asarray(drawn.mean(0))

    def __iter__(self) -> Iterator[str]:
        return iter(self.posteriors)

    def __len__(self) -> int:
        return len(self.posteriors)


@dataclass(frozen=True)
class RulePosteriors:
    """The part-worths with the rules, and the audit.

    Attributes:
        layouts: The columns by category.
        draws: (draws, columns) of the part-worths with the rules.
        mean_without_rules: (columns,) their mean without rules.
        ruled: The categories to which rules apply.
        rules: Each rule against the data.
        conflicts: Rules in conflict, by the data.
        notes: What a reader must know of the rules.
    """

    layouts: Mapping[str, Layout]
    draws: PosteriorDraws
    mean_without_rules: Mapping[str, Floats]
    ruled: frozenset[str]
    rules: tuple[RuleEvidence, ...]
    conflicts: tuple[Conflict, ...]
    notes: tuple[str, ...]


def weigh(
    ontology: Ontology,
    posteriors: Mapping[str, CategoryPosterior],
    seed: int = 0,
    only: Container[str] | None = None,
) -> RulePosteriors:
    """Re-weights every category's posterior by the rules, once, and weighs each rule against the data.

    A category's draws depend on the seed, its name and the rules, not on the order of the categories.

    Args:
        ontology: The rules, and the tree of categories.
        posteriors: From the data alone, by category.
        seed: Of the draws.
        only: Categories that are wanted; the data of the others count all the same. By default all.

    Raises:
        RunError: The hard rules of a category cannot hold together, or its posterior is not finite.
    """
    for category, posterior in posteriors.items():
        _refuse_infinite(category, posterior)
    with_rules: dict[str, Floats] = {}
    draws = PosteriorDraws(posteriors, seed, with_rules)
    layouts = {c: p.layout for c, p in posteriors.items()}
    by_category: dict[str, RulesInCategory] = {}
    conflicts: dict[tuple[int, ...], list[_ConflictInCategory]] = {}
    for category, numbered in applicable_statements(ontology, layouts).items():
        with_rules[category] = draws.from_data(category)
        applicable, pieces = rules_in_category(category, posteriors[category], numbered, with_rules[category])
        by_category[category] = applicable
        if posteriors[category].own_choices and (only is None or category in only):
            for numbers, conflict in _conflicts(ontology, applicable, pieces):
                conflicts.setdefault(numbers, []).append(conflict)
    rules = RuleSet(ontology, by_category)
    prob_posterior: dict[str, Floats] = {}
    strained: list[str] = []
    for category, applicable in by_category.items():
        if only is not None and category not in only:
            continue
        drawn = _with_rules(rules, applicable, draws[category], _generator(seed, category, 1))
        with_rules[category] = drawn.draws
        prob_posterior[category] = applicable.statements.share(applicable.statements.pieces(drawn.draws))
        if drawn.effective < FEW:
            strained.append(category)
    audit = _audit(rules, prob_posterior)
    return RulePosteriors(
        layouts=layouts,
        draws=draws,
        mean_without_rules={c: p.mean for c, p in posteriors.items()},
        ruled=frozenset(by_category),
        rules=audit,
        conflicts=tuple(_conflict(rules, numbers, parts) for numbers, parts in conflicts.items()),
        notes=_notes(audit, strained),
    )


@dataclass(frozen=True)
class _ConflictInCategory:
    """A conflict in one category: (rules,) the probability of each alone, and of all together."""

    category: str
    alone: Floats
    together: float


def _generator(seed: int, name: str, turn: int = 0) -> np.random.Generator:
    return np.random.default_rng([seed, crc32(name.encode()), turn])


def _refuse_infinite(category: str, posterior: CategoryPosterior) -> None:
    """Refuses a posterior that the choices left without a finite mean and spread.

    Raises:
        RunError: A number of it is NaN or infinite.
    """
    mean, covariance, deviation = posterior.mean, posterior.covariance, posterior.prior_deviation
    if all(np.isfinite(x).all() for x in (mean, covariance, posterior.prior_mean, deviation)):
        return
    finite = np.isfinite(mean) & np.isfinite(covariance).all(0) & np.isfinite(deviation)
    every = posterior.layout.nodes
    nodes = [node for node, fine in zip(every, finite, strict=True) if not fine] or list(every)
    raise RunError(
        f"the part-worths of {', '.join(nodes[:5])} have no finite posterior",
        where=category,
        expected="a finite mean and covariance from the choices",
        todo="Look at these values in the items and events of the category: check them for infinite numbers.",
    )


def _with_rules(
    rules: RuleSet, applicable: RulesInCategory, draws: Floats, generator: np.random.Generator
) -> Reweighted:
    """Draws of one category's part-worths under its data and its rules, from ``draws`` under its data."""
    posterior, joint = applicable.posterior, factor(rules, applicable)
    mean, covariance = posterior.mean, posterior.covariance
    drawn = reweighted(mean, covariance, draws, joint.log, joint.violation, generator)
    if drawn is None:
        raise _contradiction(rules, applicable, joint.hard, draws, generator)
    return drawn


def _contradiction(
    rules: RuleSet, applicable: RulesInCategory, hard: Ints, draws: Floats, generator: np.random.Generator
) -> RunError:
    """The error that names a smallest set of hard rules that no part-worths keep.

    Draws in which some of the rules hold rule out the sets that hold together there; of what is left the
    smallest set is searched for part-worths that keep it, which rule out more, until none are found.
    """
    statements = applicable.statements
    mean, covariance = applicable.posterior.mean, applicable.posterior.covariance
    wide = [mean + scale * (draws - mean) for scale in (1.0, 4.0, 16.0, 64.0)]
    holds = statements.holds(statements.pieces(np.concatenate(wide)), hard)
    certain = np.ones(len(hard))
    smallest: tuple[int, ...] = tuple(range(len(hard)))
    for _ in range(ATTEMPTS):
        sets = smallest_sets(holds, 1, certain)
        impossible = np.flatnonzero(~holds.any(1))
        smallest = (int(impossible[0]),) if len(impossible) else sets[0] if sets else smallest
        violation = partial(_shortfall, statements, hard[list(smallest)])
        kept = allowed(mean, covariance, violation, generator)
        if kept is None:
            break
        holds = np.hstack([holds, statements.holds(statements.pieces(kept[:64]), hard)])
    names = [rules.rules[int(r)].id for r in applicable.rules[hard[list(smallest)]]]
    return RunError(
        f"no part-worths keep the hard rule{'s' if len(names) > 1 else ''} {' and '.join(names)}"
        + (" together" if len(names) > 1 else ""),
        where=applicable.category,
        expected="hard rules that can hold together",
        todo=f"Give {'one of them' if len(names) > 1 else 'it'} kg:sure 0.95 instead of kg:must.",
    )


def _shortfall(statements: Statements, rules: Ints, part_worths: Floats) -> Floats:
    return statements.shortfall(statements.values(part_worths), rules)


def _conflicts(
    ontology: Ontology, applicable: RulesInCategory, pieces: Ints
) -> list[tuple[tuple[int, ...], _ConflictInCategory]]:
    """The conflicts in a category by its data alone, with the numbers of their rules."""
    rules = tuple(ontology.rules.values())
    plausible = np.flatnonzero(applicable.prob_data >= UNLIKELY)
    if len(plausible) < 2:
        return []
    holds = applicable.statements.holds(pieces, plausible)
    confidence = [rules[r].sure for r in applicable.rules[plausible]]
    conflicts = []
    for smallest in smallest_sets(holds, UNLIKELY * holds.shape[1], confidence):
        rows = plausible[list(smallest)]
        conflict = _ConflictInCategory(
            applicable.category, applicable.prob_data[rows], float(holds[list(smallest)].all(0).mean())
        )
        conflicts.append((tuple(applicable.rules[rows].tolist()), conflict))
    return conflicts


def _conflict(rules: RuleSet, numbers: tuple[int, ...], conflicts: list[_ConflictInCategory]) -> Conflict:
    worst = min(conflicts, key=lambda c: c.together)
    return Conflict(
        tuple(rules.rules[r] for r in numbers),
        tuple(c.category for c in conflicts),
        worst.category,
        tuple(worst.alone.tolist()),
        worst.together,
    )


def _audit(rules: RuleSet, prob_posterior: Mapping[str, Floats]) -> tuple[RuleEvidence, ...]:
    """The rules that apply to a wanted category.

    ``prob_posterior`` is by category, (its rules,) the probability with the data and the rules.
    """
    rows: list[list[tuple[str, int]]] = [[] for _ in rules.rules]
    for category in prob_posterior:
        for row, number in enumerate(rules.by_category[category].rules.tolist()):
            rows[number].append((category, row))
    return tuple(
        _evidence(rules, number, of_rule, prob_posterior) for number, of_rule in enumerate(rows) if of_rule
    )


def _evidence(
    rules: RuleSet, number: int, rows: list[tuple[str, int]], prob_posterior: Mapping[str, Floats]
) -> RuleEvidence:
    """One rule; ``rows`` are its categories, each with its row there."""
    by_category = np.array(
        [
            [rules.by_category[c].prob_prior[k], rules.by_category[c].prob_data[k], prob_posterior[c][k]]
            for c, k in rows
        ]
    )
    has_own_choices = np.array([rules.by_category[c].posterior.own_choices for c, _ in rows])
    counts = has_own_choices if has_own_choices.any() else np.ones(len(rows), bool)
    counted = [row for row, count in zip(rows, counts, strict=True) if count]
    prior, data, posterior = (float(x) for x in by_category[counts].mean(0))
    if len(counted) == 1:
        bayes_factor = log_bayes_factor(data, prior)
    else:
        as_a_whole = sum(float(rules.factors[c][k]) for c, k in counted)
        data, bayes_factor = evidence_of_several(data, prior, as_a_whole)
    right_before, right = (float(x[number]) for x in rules.prob_rule_right)
    return RuleEvidence(
        rule=rules.rules[number],
        categories=tuple(c for c, _ in rows),
        by_category=by_category,
        counted=tuple(c for c, _ in counted),
        prob_prior=prior,
        prob_data=data,
        prob_posterior=posterior,
        prob_rule_right_prior=right_before,
        prob_rule_right=right,
        log_bayes_factor=bayes_factor,
        has_effect=bool(rules.has_effect[number]),
        fails_in=tuple(c for (c, _), p in zip(counted, by_category[counts, 1], strict=True) if p < 0.5),
        choice_count=sum(rules.by_category[c].posterior.choice_count for c, _ in counted),
        person_count=max(rules.by_category[c].posterior.person_count for c, _ in counted),
    )


def _notes(audit: tuple[RuleEvidence, ...], strained: list[str]) -> tuple[str, ...]:
    """What a reader must know: rules without effect, and rules that contradict most of the data's posterior."""
    notes = []
    quiet = [f for f in audit if not f.rule.hard and (not f.has_effect or f.rule.sure - f.prob_prior < QUIET)]
    if quiet:
        notes.append(
            f"{_listed([f'{f.rule.id} (kg:sure {f.rule.sure:g}, by chance {f.prob_prior:.3g})' for f in quiet])}: "
            "no surer than chance, and so without effect."
        )
    if strained:
        notes.append(
            f"{_listed(strained)}: the rules leave less than one draw in {DRAWS // FEW} of what the choices say; "
            "what is served there is mostly the rules' word. See kgrank audit."
        )
    return tuple(notes)


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return ", ".join(names[:MOST_NAMED]) + more
