"""What adding a rule would change: the stored posteriors, weighed without it and with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kgrank.arrays import Floats
from kgrank.choice.importance import importance
from kgrank.choice.logit.posterior import CategoryPosterior
from kgrank.choice.rules.findings import stored_conflict, stored_finding
from kgrank.choice.rules.statement import statement
from kgrank.choice.rules.verdict import log_bayes_factor, verdict
from kgrank.choice.rules.weigh import RuleEvidence, RulePosteriors, weigh
from kgrank.choice.share_intervals import intervals, quantiles
from kgrank.ontology.model import Ontology
from kgrank.weights.model import RuleConflict, RuleFinding

MOST_WITH_INTERVALS = 20
"""Categories that get intervals: those that change most."""

NOTICED = 0.01
"""The least change of a probability for which another rule is named."""


@dataclass(frozen=True)
class RuleInCategory:
    """The evidence of one category's choices on a rule; see ``RuleFinding``."""

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
    """A share of the decision and its 95 % interval; None where there are too many categories to compute it."""

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
        findings: Each new rule against the choices of all its categories; none for a rule that applies nowhere.
        rules: The same in each category.
        categories: What changes, from the greatest change down.
        others: Rules that would be believed more, or less.
        conflicts: Conflicts that a new rule is part of.
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
    """Weighs the posteriors from the choices alone by the rules of before, and by those of after.

    Args:
        before: The ontology that the weights were learned with.
        after: The same with the new rules.
        new: Their ids.
        posteriors: The posteriors from the choices alone.
        seed: The one of the training, so that the shares before are the served ones.

    Raises:
        RunError: Hard rules exclude each other.
    """
    everybody = [rule for rule in map(after.rules.__getitem__, new) if not rule.segments]
    scopes = [(rule, set(after.scope(rule))) for rule in everybody]
    affected = [
        c
        for c, p in posteriors.items()
        if any(c in scope and statement(rule, p.layout) for rule, scope in scopes)
    ]
    old, now = (weigh(o, posteriors, seed, only=affected) for o in (before, after))
    new_rules = [evidence for evidence in now.rules if evidence.rule.id in new]
    changes = sorted((_change(c, posteriors[c], old, now) for c in affected), key=lambda c: -c.total_change)
    return WhatIf(
        tuple(stored_finding(evidence, after, now) for evidence in new_rules),
        tuple(r for evidence in new_rules for r in _in_each_category(evidence, posteriors)),
        tuple(
            _with_intervals(c, (before, old), (after, now)) if k < MOST_WITH_INTERVALS else c
            for k, c in enumerate(changes)
        ),
        _shifts(old, now),
        tuple(stored_conflict(c, after, now) for c in now.conflicts if any(r.id in new for r in c.rules)),
    )


def _in_each_category(
    evidence: RuleEvidence, posteriors: Mapping[str, CategoryPosterior]
) -> list[RuleInCategory]:
    return [
        RuleInCategory(
            rule=evidence.rule.id,
            category=category,
            prob_prior=prior,
            prob_data=data,
            prob_posterior=posterior,
            log_bayes_factor=log_bayes_factor(data, prior),
            verdict=verdict(data, prior),
            choice_count=posteriors[category].choice_count,
            person_count=posteriors[category].person_count,
        )
        for category, (prior, data, posterior) in zip(
            evidence.categories, evidence.by_category.tolist(), strict=True
        )
    ]


def _change(
    category: str, posterior: CategoryPosterior, old: RulePosteriors, now: RulePosteriors
) -> CategoryChange:
    """Shares without intervals."""
    shares = [importance(posterior.layout, v.draws[category].mean(0)).tolist() for v in (old, now)]
    attributes = [
        ShareChange(name, Share(a), Share(b))
        for name, a, b in zip(posterior.layout.block, *shares, strict=True)
    ]
    return CategoryChange(
        category,
        posterior.choice_count,
        posterior.person_count,
        float(sum(abs(a.change) for a in attributes)),
        tuple(sorted(attributes, key=lambda a: -abs(a.change))),
    )


def _with_intervals(change: CategoryChange, *sides: tuple[Ontology, RulePosteriors]) -> CategoryChange:
    """A change with the intervals of the served weights: under hard rules quantiles, else pooled over levels."""
    ends: list[tuple[Floats, Floats]] = []
    for ontology, posteriors in sides:
        layout, draws = posteriors.layouts[change.category], posteriors.draws[change.category]
        has_hard = any(r.hard and change.category in ontology.scope(r) for r in ontology.rules.values())
        ends.append(quantiles(layout, draws) if has_hard else intervals(layout, draws))
    index = {name: k for k, name in enumerate(layout.block)}
    attributes = tuple(
        ShareChange(
            a.attribute,
            *(
                Share(share.share, float(lower[index[a.attribute]]), float(upper[index[a.attribute]]))
                for share, (lower, upper) in zip((a.before, a.after), ends, strict=True)
            ),
        )
        for a in change.attributes
    )
    return CategoryChange(
        change.category, change.choice_count, change.person_count, change.total_change, attributes
    )


def _shifts(old: RulePosteriors, now: RulePosteriors) -> tuple[RuleShift, ...]:
    before = {f.rule.id: f.prob_posterior for f in old.rules}
    shifts = [
        RuleShift(f.rule.id, before[f.rule.id], f.prob_posterior)
        for f in now.rules
        if f.rule.id in before and abs(f.prob_posterior - before[f.rule.id]) >= NOTICED
    ]
    return tuple(sorted(shifts, key=lambda s: -abs(s.after - s.before)))
