"""Kinds that bound the shares of attributes in the decision."""

from __future__ import annotations

from kgrank.ontology.kinds.kind import INFINITE, ActsOn, Measure, RuleKind, every_language
from kgrank.ontology.model import Rule

NEGLIGIBLE = 0.02
"""The greatest share of an attribute that does not drive the choice."""

WITHIN = 0.05
"""Half-width of an About rule that names none."""


def _from_share(rule: Rule) -> tuple[float, float]:
    return float(rule.share or 0.0), INFINITE


def _up_to_share(rule: Rule) -> tuple[float, float]:
    return -INFINITE, float(rule.share or 0.0)


def _around_share(rule: Rule) -> tuple[float, float]:
    share = float(rule.share or 0.0)
    within = WITHIN if rule.within is None else rule.within
    return share - within, share + within


def _up_to_negligible(_rule: Rule) -> tuple[float, float]:
    return -INFINITE, NEGLIGIBLE


ORDER = RuleKind(
    name="Order",
    needs=("order",),
    acts_on=ActsOn.PART_WORTHS,
    measure=Measure.STEP,
    sentences=every_language("{chain}"),
    short=every_language("{neighbours}"),
    pairs={
        "en": (
            "{x} matters more than {y}",
            "{x} is more important than {y}",
            "{x} counts more than {y}",
            "{x} more than {y}",
        ),
        "zh": ("{x}比{y}更重要", "{x}比{y}重要"),
    },
)

AT_LEAST = RuleKind(
    name="AtLeast",
    needs=("attribute", "share"),
    acts_on=ActsOn.PART_WORTHS,
    measure=Measure.SHARE,
    bounds=_from_share,
    sentences={"en": "{a} is at least {share} of the decision", "zh": "{a}至少占决定的{share}"},
    short=every_language("≥ {share}"),
    phrasings={"en": ("{a} makes up at least {share} of the decision", "{a} is at least {share}")},
)

AT_MOST = RuleKind(
    name="AtMost",
    needs=("attribute", "share"),
    acts_on=ActsOn.PART_WORTHS,
    measure=Measure.SHARE,
    bounds=_up_to_share,
    sentences={"en": "{a} is at most {share} of the decision", "zh": "{a}至多占决定的{share}"},
    short=every_language("≤ {share}"),
    phrasings={"en": ("{a} makes up at most {share} of the decision", "{a} is at most {share}")},
)

ABOUT = RuleKind(
    name="About",
    needs=("attribute", "share", "within"),
    acts_on=ActsOn.PART_WORTHS,
    may_be_hard=False,
    measure=Measure.SHARE,
    bounds=_around_share,
    sentences={
        "en": "{a} is about {share} of the decision, give or take {within}",
        "zh": "{a}约占决定的{share}，上下{within}",
    },
    short=every_language("{share} ± {within}"),
)

IRRELEVANT = RuleKind(
    name="Irrelevant",
    needs=("attribute",),
    acts_on=ActsOn.PART_WORTHS,
    measure=Measure.SHARE,
    bounds=_up_to_negligible,
    sentences={"en": "{a} does not drive the choice", "zh": "{a}不影响选择"},
    short=every_language("≈ 0%"),
    phrasings={"en": ("{a} does not matter", "{a} is irrelevant"), "zh": ("{a}不重要",)},
)
