"""Items of a category by the learned weights: scores that add up, without torch.

``answer`` ranks, and ``ranking`` gives the same page as a document. ``explain`` says why; ``compare`` and
``counterfactuals`` are beside it in ``kgrank.ranking.explain``. ``kgrank.ranking.page.facets`` orders filters.
Sessions are made by ``start``, ``observe`` and ``undo`` of ``kgrank.ranking.shopper.session``, and ``shifts`` says
what they moved. All answers are types of ``kgrank.ranking.answers``.
"""

from kgrank.ranking.answers import (
    AttributeImportance,
    AttributeReason,
    Contribution,
    Explanation,
    Importance,
    LeftOut,
    RankedItem,
    Ranking,
    RuleStatement,
)
from kgrank.ranking.catalogue.shop import Shop, open_shop
from kgrank.ranking.explain.importance import importance, read_importance
from kgrank.ranking.explain.item import explain
from kgrank.ranking.page.answer import answer
from kgrank.ranking.page.document import ranking
from kgrank.ranking.page.query import Boost, Bury, Cap, Exclude, Filter, Pin, Query, RankedPage
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
    "Ranking",
    "RuleStatement",
    "Shop",
    "answer",
    "explain",
    "importance",
    "open_shop",
    "rank",
    "ranking",
    "read_importance",
]
