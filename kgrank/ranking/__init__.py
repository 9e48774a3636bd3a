"""Items of a category by the learned weights: scores that add up, without torch.

``answer`` ranks; ``explain``, ``compare`` and ``ways_into`` say why; ``facets`` orders filters. Sessions are made
by ``start``, ``observe`` and ``undo`` of ``kgrank.ranking.shopper.session``; ``shifts`` says what they moved.
"""

from kgrank.ranking.catalogue.shop import Shop, open_shop
from kgrank.ranking.explain.importance import (
    AttributeImportance,
    Importance,
    RuleStatement,
    importance,
    read_importance,
)
from kgrank.ranking.explain.item import AttributeReason, Explanation, explain
from kgrank.ranking.page.answer import answer
from kgrank.ranking.page.query import (
    Boost,
    Bury,
    Cap,
    Contribution,
    Exclude,
    Filter,
    LeftOut,
    Pin,
    Query,
    RankedItem,
    RankedPage,
)
from kgrank.ranking.page.score import rank

__all__ = [
    "AttributeImportance",
    "AttributeReason",
    "Boost",
    "Bury",
    "Cap",
    "Contribution",
    "Exclude",
    "Explanation",
    "Filter",
    "Importance",
    "LeftOut",
    "Pin",
    "Query",
    "RankedItem",
    "RankedPage",
    "RuleStatement",
    "Shop",
    "answer",
    "explain",
    "importance",
    "open_shop",
    "rank",
    "read_importance",
]
