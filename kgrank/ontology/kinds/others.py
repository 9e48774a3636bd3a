"""Kinds that act on the prior, on the catalogue and on ranked lists."""

from __future__ import annotations

from collections.abc import Iterator

from kgrank.ontology.kinds.kind import ActsOn, Problem, RuleKind
from kgrank.ontology.model import AttributeType, Ontology, Rule


def _refuse_no_parent(rule: Rule, ontology: Ontology) -> Iterator[Problem]:
    inside = {c for top in rule.categories for c in ontology.subtree(top)}
    if inside and all(ontology.categories[c].parent is None for c in inside):
        text = f"{' and '.join(rule.categories)} has no category above to inherit from: a dead rule"
        yield Problem("R420", "in", text, "Name a category with a parent")


def _refuse_needed_value(rule: Rule, ontology: Ontology) -> Iterator[Problem]:
    """A rule that fills in an attribute which its own condition needs."""
    if rule.then is None:
        return
    needed = any(c.attribute == rule.then.attribute for c in rule.when)
    if needed and ontology.attributes[rule.then.attribute].type is not AttributeType.CHOICES:
        text = f"kg:then fills in {rule.then.attribute}, which kg:if already needs: a dead rule"
        yield Problem("R420", "then", text, "Let kg:then speak of another attribute")
    else:
        yield from _refuse_same_sides(rule, ontology)


def _refuse_same_sides(rule: Rule, _ontology: Ontology) -> Iterator[Problem]:
    if rule.then is not None and rule.then in rule.when:
        text = "kg:if and kg:then say the same: a dead rule"
        yield Problem("R420", "then", text, "Let kg:then say something else")


INHERITS = RuleKind(
    name="Inherits",
    needs=("attribute", "share"),
    acts_on=ActsOn.PRIOR,
    may_be_hard=False,
    sentences={"en": "{a} counts as in the category above, to {share}", "zh": "{a}有{share}随上级类目"},
    short={"en": "{share} as the category above", "zh": "{share}随上级类目"},
    check=_refuse_no_parent,
)

IMPLIES = RuleKind(
    name="Implies",
    needs=("if", "then"),
    acts_on=ActsOn.MISSING_VALUES,
    sentences={
        "en": "where {when}, a missing {then_a} is filled in: {then}",
        "zh": "若{when}而{then_a}缺失，则补为：{then}",
    },
    check=_refuse_needed_value,
)

EXCLUDES = RuleKind(
    name="Excludes",
    needs=("if", "then"),
    acts_on=ActsOn.ITEMS,
    sentences={"en": "there is no item where {when} and {then}", "zh": "没有{when}而{then}的商品"},
    check=_refuse_same_sides,
)

EXPOSURE = RuleKind(
    name="Exposure",
    needs=("share", "top"),
    may_have=("brand",),
    acts_on=ActsOn.RANKED_LISTS,
    sentences={
        "en": "{brand} {share} of the first {top} places",
        "zh": "在前{top}个位置中，{brand}{share}",
    },
)
