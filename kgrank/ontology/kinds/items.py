"""Kinds that act on the items of the catalogue."""

from __future__ import annotations

from collections.abc import Iterator

from kgrank.ontology.kinds.kind import ActsOn, Problem, RuleKind
from kgrank.ontology.model import AttributeType, Ontology, Rule


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
    phrasings={"en": ("no item has {when} and {then}",)},
    check=_refuse_same_sides,
)
