"""Items of a category by the learned weights: scores that add up, without torch."""

from kgrank.ranking.explain import AttributeReason, Explanation, explain
from kgrank.ranking.importance import AttributeImportance, Importance, Statement, importance, read_importance
from kgrank.ranking.rank import Contribution, RankedItem, rank
from kgrank.ranking.shop import Shop, open_shop

__all__ = [
    "AttributeImportance",
    "AttributeReason",
    "Contribution",
    "Explanation",
    "Importance",
    "RankedItem",
    "Shop",
    "Statement",
    "explain",
    "importance",
    "open_shop",
    "rank",
    "read_importance",
]
