"""Kinds that compare the part-worths of an attribute's values."""

from __future__ import annotations

from collections.abc import Iterator

from kgrank.ontology.kinds.kind import ActsOn, Measure, Problem, RuleKind, every_language
from kgrank.ontology.model import AttributeType, Ontology, Rule

_DIRECTED = (AttributeType.NUMBER, AttributeType.ORDERED)


def _refuse_undirected(rule: Rule, ontology: Ontology) -> Iterator[Problem]:
    if rule.attribute is None or any(rule.attribute not in ontology.applicable(c) for c in rule.categories):
        return
    type_ = ontology.attributes[rule.attribute].type
    if type_ not in _DIRECTED:
        yield Problem(
            "R429",
            "attribute",
            f"{rule.attribute} is a {type_}: it has no more and less",
            "Take a Number or an Ordered attribute",
        )


MONOTONE = RuleKind(
    name="Monotone",
    needs=("attribute", "better"),
    acts_on=ActsOn.PART_WORTHS,
    measure=Measure.DIRECTION,
    sentences={"en": "a {better} {a} is never worse", "zh": "{a}越{better}越好，至少不会更差"},
    short=every_language("{direction}"),
    phrasings={
        "en": ("a {better} {a} is better", "{better} {a} is better", "{better} {a} is never worse"),
        "zh": ("{a}越{better}越好",),
    },
    check=_refuse_undirected,
)

PREFERS = RuleKind(
    name="Prefers",
    needs=("attribute", "values"),
    acts_on=ActsOn.PART_WORTHS,
    may_be_hard=False,
    measure=Measure.FALL,
    sentences={"en": "the preferred {a} is {values}", "zh": "{a}的偏好顺序为{values}"},
    short=every_language("{values}"),
    phrasings={"en": ("{ranked}",), "zh": ("{ranked}",)},
    pairs={
        "en": (
            "{x} is liked more than {y}",
            "{x} is liked better than {y}",
            "{x} is preferred to {y}",
            "{x} is preferred over {y}",
            "{x} is better than {y}",
            "{x} more than {y}",
        ),
        "zh": ("{x}比{y}更受欢迎", "{x}比{y}好"),
    },
)

SAME_AS = RuleKind(
    name="SameAs",
    needs=("members",),
    acts_on=ActsOn.PART_WORTHS,
    measure=Measure.ALIKE,
    sentences={"en": "{members} mean the same", "zh": "{members}是同一个意思"},
    short=every_language("= {others}"),
    phrasings={"en": ("{members} are the same",), "zh": ("{members}相同",)},
)
