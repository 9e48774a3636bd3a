"""Kinds that act on ranked lists."""

from __future__ import annotations

from kgrank.ontology.kinds.kind import ActsOn, RuleKind

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
