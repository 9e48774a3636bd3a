"""What the data say of each rule, in words."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from kgrank.choice.evidence import RuleEvidence, Verdicts, verdict
from kgrank.choice.importance import importance
from kgrank.choice.layout import Layout
from kgrank.ontology.model import Ontology, RuleKind
from kgrank.ontology.sentences import sentence
from kgrank.weights.model import RuleFinding


def finding(found: RuleEvidence, ontology: Ontology, verdicts: Verdicts) -> RuleFinding:
    """A rule's evidence as it is stored."""
    return RuleFinding(
        found.rule.id,
        sentence(found.rule, ontology),
        found.rule.sure,
        found.chance,
        found.data,
        found.posterior,
        found.evidence,
        verdict(found),
        _instead(found, ontology, verdicts),
        found.choices,
        found.people,
    )


def _instead(found: RuleEvidence, ontology: Ontology, verdicts: Verdicts) -> str:
    """What the data alone say of what the rule speaks about, place by place where they differ."""
    parts = []
    for category in found.places[:3]:
        layout = verdicts.layouts[category]
        part_worths = verdicts.without[category]
        said = _shares(found, ontology, layout.block, importance(layout, part_worths))
        if found.rule.kind in (RuleKind.MONOTONE, RuleKind.PREFERS, RuleKind.SAME_AS):
            said = _utilities(found, ontology, layout, part_worths)
        parts.append(f"{ontology.categories[category].name()}: {said}")
    if len(found.places) > 1:
        held = len(found.places) - len(found.fails_in)
        parts.insert(0, f"holds in {held} of {len(found.places)} categories")
    return "; ".join(parts)


def _shares(found: RuleEvidence, ontology: Ontology, block: Mapping[str, object], weight: object) -> str:
    at = {attribute: i for i, attribute in enumerate(block)}
    shares = np.asarray(weight)
    named = [a for a in found.rule.attributes if a in at]
    named.sort(key=lambda a: -shares[at[a]])
    return ", ".join(f"{ontology.attributes[a].name()} {shares[at[a]]:.0%}" for a in named)


def _utilities(found: RuleEvidence, ontology: Ontology, layout: Layout, part_worths: object) -> str:
    own = np.asarray(part_worths)
    rule = found.rule
    if rule.kind is RuleKind.MONOTONE:
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
