"""What adding a rule would change: the posteriors that are kept, weighed without it and with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kgrank.arrays import Floats
from kgrank.choice.importance import importance
from kgrank.choice.logit.posterior import CategoryPosterior
from kgrank.choice.rules.findings import conflict, finding
from kgrank.choice.rules.statement import statement
from kgrank.choice.rules.weigh import RuleEvidence, RulePosteriors, log_bayes_factor, verdict, weigh
from kgrank.choice.share_intervals import intervals, quantiles
from kgrank.ontology.model import Ontology
from kgrank.weights.model import RuleConflict, RuleFinding

WITH_INTERVALS = 20
"""Categories that get intervals: those that change most."""

NOTICED = 0.01
"""Change of a probability from which on another rule is named."""


@dataclass(frozen=True)
class RuleInCategory:
    """What the choices of one category say of a rule; see ``RuleFinding``."""

    rule: str
    category: str
    prob_prior: float
    prob_data: float
    prob_posterior: float
    log_bayes_factor: float
    verdict: str
    choice_count: int
    person_count: int


@dataclass(frozen=True)
class Share:
    """A share of the decision and its 95 % interval; None where there are too many categories to work it out."""

    share: float
    lower: float | None = None
    upper: float | None = None


@dataclass(frozen=True)
class ShareChange:
    """An attribute's share of the decision before and after."""

    attribute: str
    before: Share
    after: Share

    @property
    def change(self) -> float:
        """The change."""
        return self.after.share - self.before.share


@dataclass(frozen=True)
class CategoryChange:
    """What would change in one category; attributes by descending change, ``total_change`` is their sum."""

    category: str
    choice_count: int
    person_count: int
    total_change: float
    attributes: tuple[ShareChange, ...]


@dataclass(frozen=True)
class RuleShift:
    """Another rule: probability that it holds, with the data and all rules, before and after."""

    rule: str
    before: float
    after: float


@dataclass(frozen=True)
class WhatIf:
    """What adding rules would change.

    Attributes:
        findings: Each new rule against the choices of all its categories; none for a rule that speaks nowhere.
        rules: The same in each category.
        categories: What changes, from the greatest change down.
        others: Rules that would be believed more, or less.
        conflicts: Sets of rules that fight and that a new rule is part of.
    """

    findings: tuple[RuleFinding, ...]
    rules: tuple[RuleInCategory, ...]
    categories: tuple[CategoryChange, ...]
    others: tuple[RuleShift, ...]
    conflicts: tuple[RuleConflict, ...]


def what_if(
    before: Ontology,
    after: Ontology,
    new: Sequence[str],
    posteriors: Mapping[str, CategoryPosterior],
    seed: int,
) -> WhatIf:
    """Weighs what the choices alone say by the rules of before, and by those of after.

    Args:
        before: The ontology that the weights were learned with.
        after: The same with the new rules.
        new: Their ids.
        posteriors: The posteriors from the choices alone.
        seed: The one of the training, so that the shares before are the served ones.

    Raises:
        RunError: Hard rules exclude each other.
    """
    scopes = [(rule, set(after.scope(rule))) for rule in map(after.rules.__getitem__, new)]
    spoken = [
        c
        for c, p in posteriors.items()
        if any(c in scope and statement(rule, p.layout) for rule, scope in scopes)
    ]
    old, now = (weigh(o, posteriors, seed, only=spoken) for o in (before, after))
    said = [f for f in now.rules if f.rule.id in new]
    changes = sorted((_change(c, posteriors[c], old, now) for c in spoken), key=lambda c: -c.total_change)
    return WhatIf(
        tuple(finding(f, after, now) for f in said),
        tuple(r for f in said for r in _each(f, posteriors)),
        tuple(
            _with_intervals(c, (before, old), (after, now)) if k < WITH_INTERVALS else c
            for k, c in enumerate(changes)
        ),
        _shifts(old, now),
        tuple(conflict(c, after, now) for c in now.conflicts if any(r.id in new for r in c.rules)),
    )


def _each(found: RuleEvidence, places: Mapping[str, CategoryPosterior]) -> list[RuleInCategory]:
    return [
        RuleInCategory(
            found.rule.id,
            category,
            chance,
            data,
            posterior,
            log_bayes_factor(data, chance),
            verdict(data, chance),
            places[category].choice_count,
            places[category].person_count,
        )
        for category, (chance, data, posterior) in zip(
            found.categories, found.by_category.tolist(), strict=True
        )
    ]


def _change(
    category: str, place: CategoryPosterior, old: RulePosteriors, now: RulePosteriors
) -> CategoryChange:
    """Shares without intervals."""
    shares = [importance(place.layout, v.draws[category].mean(0)).tolist() for v in (old, now)]
    attributes = [
        ShareChange(name, Share(a), Share(b)) for name, a, b in zip(place.layout.block, *shares, strict=True)
    ]
    return CategoryChange(
        category,
        place.choice_count,
        place.person_count,
        float(sum(abs(a.change) for a in attributes)),
        tuple(sorted(attributes, key=lambda a: -abs(a.change))),
    )


def _with_intervals(change: CategoryChange, *sides: tuple[Ontology, RulePosteriors]) -> CategoryChange:
    """The intervals are those of the served weights: hard rules are kept to, else levels are pooled."""
    ends: list[tuple[Floats, Floats]] = []
    for ontology, verdicts in sides:
        layout, draws = verdicts.layouts[change.category], verdicts.draws[change.category]
        bound = any(r.hard and change.category in ontology.scope(r) for r in ontology.rules.values())
        ends.append(quantiles(layout, draws) if bound else intervals(layout, draws))
    at = {name: k for k, name in enumerate(layout.block)}
    attributes = tuple(
        ShareChange(
            a.attribute,
            *(
                Share(share.share, float(low[at[a.attribute]]), float(high[at[a.attribute]]))
                for share, (low, high) in zip((a.before, a.after), ends, strict=True)
            ),
        )
        for a in change.attributes
    )
    return CategoryChange(
        change.category, change.choice_count, change.person_count, change.total_change, attributes
    )


def _shifts(old: RulePosteriors, now: RulePosteriors) -> tuple[RuleShift, ...]:
    before = {f.rule.id: f.prob_posterior for f in old.rules}
    found = [
        RuleShift(f.rule.id, before[f.rule.id], f.prob_posterior)
        for f in now.rules
        if f.rule.id in before and abs(f.prob_posterior - before[f.rule.id]) >= NOTICED
    ]
    return tuple(sorted(found, key=lambda s: -abs(s.after - s.before)))
