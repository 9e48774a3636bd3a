"""Kinds that act on the prior of part-worths."""

from __future__ import annotations

from collections.abc import Iterator

from kgrank.ontology.kinds.kind import ActsOn, Problem, RuleKind
from kgrank.ontology.model import Ontology, Rule


def _refuse_no_parent(rule: Rule, ontology: Ontology) -> Iterator[Problem]:
    inside = {c for top in rule.categories for c in ontology.subtree(top)}
    if inside and all(ontology.categories[c].parent is None for c in inside):
        text = f"{' and '.join(rule.categories)} has no category above to inherit from: a dead rule"
        yield Problem("R420", "in", text, "Name a category with a parent")


INHERITS = RuleKind(
    name="Inherits",
    needs=("attribute", "share"),
    acts_on=ActsOn.PRIOR,
    may_be_hard=False,
    sentences={"en": "{a} counts as in the category above, to {share}", "zh": "{a}有{share}随上级类目"},
    short={"en": "{share} as the category above", "zh": "{share}随上级类目"},
    check=_refuse_no_parent,
)
