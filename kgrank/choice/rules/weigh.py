"""What the data and the rules say together: every category re-weighted by its rules, and the audit."""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass
from functools import partial
from zlib import crc32

import numpy as np
from scipy import special

from kgrank.arrays import Floats, Ints
from kgrank.choice.data.design import Layout
from kgrank.choice.logit.posterior import CategoryPosterior
from kgrank.choice.rules.beliefs import (
    Factor,
    RuleSet,
    RulesInCategory,
    applicable_statements,
    factor,
    rules_in_category,
)
from kgrank.choice.rules.bounds import Statements
from kgrank.choice.rules.conflicts import smallest_sets
from kgrank.choice.rules.sampling import DRAWS, Reweighted, allowed, gaussian, reweighted
from kgrank.errors import RunError
from kgrank.ontology.model import Ontology, Rule

UNLIKELY = 0.025
"""Probability below which the data contradict a rule, or several rules together."""

FEW = 200
"""Effective draws of the data's posterior below which its rules say something else than the data."""

QUIET = 0.02
"""A rule whose confidence is so near its chance says nothing."""

SHOWN = 5
"""Names in a note; of more it says how many."""

ATTEMPTS = 50
"""How often a smaller set of hard rules that seem to exclude each other is looked for."""


@dataclass(frozen=True)
class RuleEvidence:
    """A rule against the data, over all its places.

    Attributes:
        rule: The rule.
        categories: The categories that it applies to, and ``by_category`` (categories, 3): probability that it
            holds there under the prior without rules, under the data alone, and under the data and all rules.
        counted: Those whose data count for it.
        prob_prior: Probability that it holds under the prior without rules, the mean over the places.
        prob_data: The same under the data alone; ``prob_posterior`` under the data and all rules.
        prob_rule_right: Probability that the rule is right as a whole, from the data of all categories, and what
            they say of its author.
        log_bayes_factor: Log Bayes factor.
        fails_in: Places where it rather fails than holds, by the data alone.
        choice_count: Number of choices; ``person_count`` behind them.
    """

    rule: Rule
    categories: tuple[str, ...]
    by_category: Floats
    counted: tuple[str, ...]
    prob_prior: float
    prob_data: float
    prob_posterior: float
    prob_rule_right: float
    log_bayes_factor: float
    fails_in: tuple[str, ...]
    choice_count: int
    person_count: int


@dataclass(frozen=True)
class Conflict:
    """Rules of which each may well hold by the data alone, but not all of them together.

    Attributes:
        rules: A smallest set: every part of it may hold together.
        categories: The categories where they fight.
        worst: The one where they fight most.
        alone: (rules,) probability of each there; ``together`` of all at once.
    """

    rules: tuple[Rule, ...]
    categories: tuple[str, ...]
    worst: str
    alone: tuple[float, ...]
    together: float


@dataclass(frozen=True)
class RulePosteriors:
    """The part-worths with the rules, and the audit.

    Attributes:
        layouts: The columns by category.
        draws: (draws, columns) of the part-worths with the rules.
        mean_without_rules: (columns,) their mean without rules.
        ruled: The categories where rules speak.
        rules: Each rule against the data.
        conflicts: Rules that fight through the data.
        notes: What a reader must know of the rules.
    """

    layouts: Mapping[str, Layout]
    draws: Mapping[str, Floats]
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
    """Re-weights every category's posterior by the rules, once, and says what the data say of each rule.

    A category's draws depend on the seed, its name and the rules, not on the order of the categories.

    Args:
        ontology: The rules, and the tree of categories.
        posteriors: What the data alone say, by category.
        seed: Of the draws.
        only: Categories that are wanted; the data of the others count all the same. By default all.

    Raises:
        RunError: The hard rules of a category cannot hold together, or its posterior is not finite.
    """
    for name, place in posteriors.items():
        _refuse_infinite(name, place)
    draws = {c: gaussian(p.mean, p.covariance, _generator(seed, c)) for c, p in posteriors.items()}
    layouts = {c: p.layout for c, p in posteriors.items()}
    known: dict[str, RulesInCategory] = {}
    conflicts: dict[tuple[int, ...], list[tuple[str, Floats, float]]] = {}
    for name, said in applicable_statements(ontology, layouts).items():
        known[name], pieces = rules_in_category(name, posteriors[name], said, draws[name])
        if posteriors[name].own_choices and (only is None or name in only):
            for some, alone, together in _fighting(ontology, known[name], pieces):
                conflicts.setdefault(some, []).append((name, alone, together))
    spoken = RuleSet(ontology, known)
    held: dict[str, Floats] = {}
    strained: list[str] = []
    for name, one in known.items():
        if only is not None and name not in only:
            continue
        found = _with_rules(spoken, one, draws[name], _generator(seed, name, 1))
        draws[name] = found.draws
        held[name] = one.statements.share(one.statements.pieces(found.draws))
        if found.effective < FEW:
            strained.append(name)
    audit = _audit(spoken, held)
    return RulePosteriors(
        layouts,
        draws,
        {c: p.mean for c, p in posteriors.items()},
        frozenset(known),
        audit,
        tuple(_conflict(spoken, some, found) for some, found in conflicts.items()),
        _notes(audit, strained),
    )


def _generator(seed: int, name: str, turn: int = 0) -> np.random.Generator:
    return np.random.default_rng([seed, crc32(name.encode()), turn])


def _refuse_infinite(name: str, place: CategoryPosterior) -> None:
    """Rules cannot mend a posterior that the choices left without a finite mean and spread.

    Raises:
        RunError: A number of it is NaN or infinite.
    """
    numbers = (place.mean, place.covariance, place.prior_mean, place.prior_deviation)
    if all(np.isfinite(x).all() for x in numbers):
        return
    bad = ~(
        np.isfinite(place.mean) & np.isfinite(place.covariance).all(0) & np.isfinite(place.prior_deviation)
    )
    nodes = [n for n, b in zip(place.layout.nodes, bad, strict=True) if b] or list(place.layout.nodes)
    raise RunError(
        f"the part-worths of {', '.join(nodes[:5])} have no finite posterior",
        where=name,
        expected="a finite mean and covariance from the choices",
        todo="Look at these values in the items and events of the category: check them for infinite numbers.",
    )


def _with_rules(
    spoken: RuleSet, one: RulesInCategory, free: Floats, generator: np.random.Generator
) -> Reweighted:
    """Draws of one place's part-worths under its data and its rules."""
    place, joint = one.posterior, factor(spoken, one)
    found = reweighted(place.mean, place.covariance, free, joint.log, joint.violation, generator)
    if found is None:
        raise _contradiction(spoken, one, joint, free, generator)
    return found


def _contradiction(
    spoken: RuleSet, one: RulesInCategory, joint: Factor, free: Floats, generator: np.random.Generator
) -> RunError:
    """The error that names a smallest set of hard rules that no part-worths keep.

    Draws in which some of the rules hold rule out the sets that hold together there; of what is left the
    smallest set is searched for part-worths that keep it, which rule out more, until none are found.
    """
    place = one.posterior
    wide = [place.mean + scale * (free - place.mean) for scale in (1.0, 4.0, 16.0, 64.0)]
    held = one.statements.holds(one.statements.pieces(np.concatenate(wide)), joint.hard)
    sure = np.ones(len(joint.hard))
    some: tuple[int, ...] = tuple(range(len(joint.hard)))
    for _ in range(ATTEMPTS):
        sets = smallest_sets(held, 1, sure)
        impossible = np.flatnonzero(~held.any(1))
        some = (int(impossible[0]),) if len(impossible) else sets[0] if sets else some
        rows = joint.hard[list(some)]
        far = partial(_failing, one.statements, rows)
        kept = allowed(place.mean, place.covariance, far, generator)
        if kept is None:
            break
        held = np.hstack([held, one.statements.holds(one.statements.pieces(kept[:64]), joint.hard)])
    names = [spoken.rules[int(r)].id for r in one.rules[joint.hard[list(some)]]]
    return RunError(
        f"no part-worths keep the hard rule{'s' if len(names) > 1 else ''} {' and '.join(names)}"
        + (" together" if len(names) > 1 else ""),
        where=one.category,
        expected="hard rules that can hold together",
        todo=f"Give {'one of them' if len(names) > 1 else 'it'} kg:sure 0.95 instead of kg:must.",
    )


def _failing(said: Statements, rules: Ints, part_worths: Floats) -> Floats:
    return said.shortfall(said.values(part_worths), rules)


def _fighting(
    ontology: Ontology, one: RulesInCategory, pieces: Ints
) -> list[tuple[tuple[int, ...], Floats, float]]:
    """Smallest sets of rules, by number, that fight in a place by its data alone: alone, and together."""
    rules = tuple(ontology.rules.values())
    plausible = np.flatnonzero(one.prob_data >= UNLIKELY)
    if len(plausible) < 2:
        return []
    held = one.statements.holds(pieces, plausible)
    sure = [rules[r].sure for r in one.rules[plausible]]
    found = []
    for some in smallest_sets(held, UNLIKELY * held.shape[1], sure):
        rows = plausible[list(some)]
        together = float(held[list(some)].all(0).mean())
        found.append((tuple(one.rules[rows].tolist()), one.prob_data[rows], together))
    return found


def _conflict(spoken: RuleSet, some: tuple[int, ...], found: list[tuple[str, Floats, float]]) -> Conflict:
    worst, alone, together = min(found, key=lambda f: f[2])
    return Conflict(
        tuple(spoken.rules[r] for r in some),
        tuple(name for name, _, _ in found),
        worst,
        tuple(alone.tolist()),
        together,
    )


def _audit(spoken: RuleSet, held: Mapping[str, Floats]) -> tuple[RuleEvidence, ...]:
    """The rules that speak in a wanted place; ``held`` is by place, (rules here,) with data and rules."""
    rows: list[list[tuple[str, int]]] = [[] for _ in spoken.rules]
    for name in held:
        for k, number in enumerate(spoken.by_category[name].rules.tolist()):
            rows[number].append((name, k))
    return tuple(_evidence(spoken, number, some, held) for number, some in enumerate(rows) if some)


def _evidence(
    spoken: RuleSet, number: int, rows: list[tuple[str, int]], held: Mapping[str, Floats]
) -> RuleEvidence:
    """One rule; ``rows`` are its places, each with its row there."""
    each = np.array(
        [
            [spoken.by_category[c].prob_prior[k], spoken.by_category[c].prob_data[k], held[c][k]]
            for c, k in rows
        ]
    )
    homes = np.array([spoken.by_category[c].posterior.own_choices for c, _ in rows])
    counted = homes if homes.any() else np.ones(len(rows), bool)
    some = [row for row, own in zip(rows, counted, strict=True) if own]
    factors = sum(float(spoken.factors[c][k]) for c, k in some)
    chance, data, posterior = (float(x) for x in each[counted].mean(0))
    return RuleEvidence(
        spoken.rules[number],
        tuple(c for c, _ in rows),
        each,
        tuple(c for c, _ in some),
        chance,
        data,
        posterior,
        float(spoken.prob_rule_right[number]),
        log_bayes_factor(data, chance) if len(some) == 1 else factors,
        tuple(c for (c, _), p in zip(some, each[counted, 1], strict=True) if p < 0.5),
        sum(spoken.by_category[c].posterior.choice_count for c, _ in some),
        max(spoken.by_category[c].posterior.person_count for c, _ in some),
    )


def _notes(audit: tuple[RuleEvidence, ...], strained: list[str]) -> tuple[str, ...]:
    """What a reader must know: rules that say nothing, and rules that leave little of what the data say."""
    notes = []
    quiet = [f for f in audit if not f.rule.hard and abs(f.rule.sure - f.prob_prior) < QUIET]
    if quiet:
        notes.append(
            f"{_listed([f'{f.rule.id} (kg:sure {f.rule.sure:g}, by chance {f.prob_prior:.2f})' for f in quiet])}: "
            "no surer than chance, and so without effect."
        )
    if strained:
        notes.append(
            f"{_listed(strained)}: the rules leave less than one draw in {DRAWS // FEW} of what the choices say; "
            "what is served there is mostly the rules' word. See kgrank audit."
        )
    return tuple(notes)


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more


def log_bayes_factor(prob_data: float, prob_prior: float) -> float:
    """Log Bayes factor of a rule in one place; half a draw on either side keeps it finite."""
    held = np.clip(prob_data, 0.5 / DRAWS, 1 - 0.5 / DRAWS)
    return float(special.logit(held) - special.logit(prob_prior))


def verdict(prob_data: float, prob_prior: float) -> str:
    """What the data alone say of a rule, in one or two words.

    Args:
        prob_data: Probability that it holds, from the data alone.
        prob_prior: The same under the prior without rules.
    """
    if prob_data < UNLIKELY:
        return "contradicted"
    if prob_data > 1 - UNLIKELY and prob_data > prob_prior:
        return "supported"
    evidence = log_bayes_factor(prob_data, prob_prior)
    if abs(evidence) < np.log(3):
        return "silent"
    return "leans for" if evidence > 0 else "leans against"
