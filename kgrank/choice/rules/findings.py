"""The evidence on each rule, in words."""

from __future__ import annotations

import numpy as np

from kgrank.arrays import Floats
from kgrank.choice.data.design import Layout
from kgrank.choice.importance import importance
from kgrank.choice.rules.verdict import verdict
from kgrank.choice.rules.weigh import Conflict, RuleEvidence, RulePosteriors
from kgrank.ontology.kinds.kind import Measure
from kgrank.ontology.kinds.table import rule_kind
from kgrank.ontology.model import Ontology, Rule
from kgrank.ontology.sentences import sentence
from kgrank.weights.model import RuleConflict, RuleFinding


def stored_finding(evidence: RuleEvidence, ontology: Ontology, posteriors: RulePosteriors) -> RuleFinding:
    """A rule's evidence as it is stored."""
    as_a_whole = len(evidence.counted) > 1 and evidence.has_effect
    return RuleFinding(
        rule=evidence.rule.id,
        sentence=sentence(evidence.rule, ontology),
        confidence=evidence.rule.sure,
        prob_prior=evidence.prob_prior,
        prob_data=evidence.prob_data,
        prob_posterior=evidence.prob_posterior,
        log_bayes_factor=evidence.log_bayes_factor,
        verdict=verdict(evidence.prob_data, evidence.prob_prior),
        instead=_by_category(evidence, ontology, posteriors),
        choice_count=evidence.choice_count,
        person_count=evidence.person_count,
        prob_rule_right=evidence.prob_rule_right if as_a_whole else None,
        prob_rule_right_prior=evidence.prob_rule_right_prior if as_a_whole else None,
        has_effect=evidence.has_effect,
    )


def stored_conflict(rules: Conflict, ontology: Ontology, posteriors: RulePosteriors) -> RuleConflict:
    """A conflict of rules, with its sentence, as it is kept with the weights."""
    ids = tuple(rule.id for rule in rules.rules)
    names = [ontology.categories[c].name() for c in rules.categories]
    where = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
    alone = ", ".join(f"{p:.2f}" for p in rules.alone)
    by_rule = (_data_alone(rule, ontology, posteriors, rules.worst) for rule in rules.rules)
    return RuleConflict(
        rules=ids,
        sentence=f"{', '.join(ids[:-1])} and {ids[-1]} cannot all be right in {where}: "
        f"by the choices each may hold (probability {alone}), all together with {rules.together:.3f}.",
        categories=rules.categories,
        alone=rules.alone,
        together=rules.together,
        instead="; ".join(dict.fromkeys(by_rule)),
    )


def _by_category(evidence: RuleEvidence, ontology: Ontology, posteriors: RulePosteriors) -> str:
    """The posterior without rules of what a rule is about, category by category where they differ."""
    parts = [
        f"{ontology.categories[c].name()}: {_data_alone(evidence.rule, ontology, posteriors, c)}"
        for c in evidence.counted[:3]
    ]
    if len(evidence.counted) > 1:
        holds = len(evidence.counted) - len(evidence.fails_in)
        parts.insert(0, f"holds in {holds} of {len(evidence.counted)} categories")
    return "; ".join(parts)


def _data_alone(rule: Rule, ontology: Ontology, posteriors: RulePosteriors, category: str) -> str:
    """The posterior without rules of what a rule is about, in one category."""
    layout, part_worths = posteriors.layouts[category], posteriors.mean_without_rules[category]
    measure = rule_kind(rule.kind).measure
    if measure is Measure.DIRECTION:
        return _direction(rule, ontology, layout, part_worths)
    if measure is not None and not measure.of_shares:
        return _utilities(rule, layout, part_worths)
    shares = dict(zip(layout.block, importance(layout, part_worths).tolist(), strict=True))
    named = sorted((a for a in rule.attributes if a in shares), key=lambda a: -shares[a])
    return ", ".join(f"{ontology.attributes[a].name()} {shares[a]:.0%}" for a in named)


def _direction(rule: Rule, ontology: Ontology, layout: Layout, part_worths: Floats) -> str:
    """Whether more or less of an attribute is better."""
    block = layout.block[str(rule.attribute)]
    name = ontology.attributes[str(rule.attribute)].name()
    columns = part_worths[block.columns]
    rise = columns if block.number else np.diff(columns)
    if (rise > 0).all():
        return f"more {name} is better"
    return f"less {name} is better" if (rise < 0).all() else f"{name} goes up and down"


def _utilities(rule: Rule, layout: Layout, part_worths: Floats) -> str:
    """The part-worths of the values that a rule names, the best first."""
    named = [
        n for n in layout.nodes if n.split("=", 1)[1] in (*rule.values, *rule.members)
        and (rule.attribute is None or n.startswith(f"{rule.attribute}="))
    ]  # fmt: skip
    named.sort(key=lambda n: -part_worths[layout.column[n]])
    return " > ".join(f"{n.split('=', 1)[1]} {part_worths[layout.column[n]]:+.2f}" for n in named)
