"""What the data say of each rule, in words."""

from __future__ import annotations

import numpy as np

from kgrank.arrays import Floats
from kgrank.choice.data.design import Layout
from kgrank.choice.importance import importance
from kgrank.choice.rules.weigh import Conflict, RuleEvidence, RulePosteriors, verdict
from kgrank.ontology.kinds.kind import Measure
from kgrank.ontology.kinds.table import rule_kind
from kgrank.ontology.model import Ontology, Rule
from kgrank.ontology.sentences import sentence
from kgrank.weights.model import RuleConflict, RuleFinding


def finding(evidence: RuleEvidence, ontology: Ontology, posteriors: RulePosteriors) -> RuleFinding:
    """A rule's evidence as it is stored."""
    return RuleFinding(
        evidence.rule.id,
        sentence(evidence.rule, ontology),
        evidence.rule.sure,
        evidence.prob_prior,
        evidence.prob_data,
        evidence.prob_posterior,
        evidence.log_bayes_factor,
        verdict(evidence.prob_data, evidence.prob_prior),
        _instead(evidence, ontology, posteriors),
        evidence.choice_count,
        evidence.person_count,
        evidence.prob_rule_right if len(evidence.counted) > 1 else None,
    )


def conflict(found: Conflict, ontology: Ontology, posteriors: RulePosteriors) -> RuleConflict:
    """A set of rules that fight, as it is stored."""
    ids = tuple(rule.id for rule in found.rules)
    names = [ontology.categories[c].name() for c in found.categories]
    where = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
    alone = ", ".join(f"{p:.2f}" for p in found.alone)
    said = (_about(rule, ontology, posteriors, found.worst) for rule in found.rules)
    return RuleConflict(
        ids,
        f"{', '.join(ids[:-1])} and {ids[-1]} cannot all be right in {where}: by the choices each may hold "
        f"(probability {alone}), all together with {found.together:.3f}.",
        found.categories,
        found.alone,
        found.together,
        "; ".join(dict.fromkeys(said)),
    )


def _instead(found: RuleEvidence, ontology: Ontology, verdicts: RulePosteriors) -> str:
    """What the data alone say of what the rule speaks about, place by place where they differ."""
    parts = [
        f"{ontology.categories[c].name()}: {_about(found.rule, ontology, verdicts, c)}"
        for c in found.counted[:3]
    ]
    if len(found.counted) > 1:
        held = len(found.counted) - len(found.fails_in)
        parts.insert(0, f"holds in {held} of {len(found.counted)} categories")
    return "; ".join(parts)


def _about(rule: Rule, ontology: Ontology, verdicts: RulePosteriors, category: str) -> str:
    """What the data alone say of what a rule speaks about, in one category."""
    layout, part_worths = verdicts.layouts[category], verdicts.mean_without_rules[category]
    measure = rule_kind(rule.kind).measure
    if measure is not None and not measure.of_shares:
        return _utilities(rule, ontology, layout, part_worths)
    shares = dict(zip(layout.block, importance(layout, part_worths).tolist(), strict=True))
    named = sorted((a for a in rule.attributes if a in shares), key=lambda a: -shares[a])
    return ", ".join(f"{ontology.attributes[a].name()} {shares[a]:.0%}" for a in named)


def _utilities(rule: Rule, ontology: Ontology, layout: Layout, own: Floats) -> str:
    if rule_kind(rule.kind).measure is Measure.DIRECTION:
        block = layout.block[str(rule.attribute)]
        name = ontology.attributes[str(rule.attribute)].name()
        rise = own[block.columns] if block.number else np.diff(own[block.columns])
        if (rise > 0).all():
            return f"more {name} is better"
        return f"less {name} is better" if (rise < 0).all() else f"{name} goes up and down"
    named = [
        n for n in layout.nodes if n.split("=", 1)[1] in (*rule.values, *rule.members)
        and (rule.attribute is None or n.startswith(f"{rule.attribute}="))
    ]  # fmt: skip
    named.sort(key=lambda n: -own[layout.column[n]])
    return " > ".join(f"{n.split('=', 1)[1]} {own[layout.column[n]]:+.2f}" for n in named)
