"""Items of a category by the learned weights: scores that add up, without torch."""

from kgrank.ranking.rank import Contribution, RankedItem, rank
from kgrank.ranking.shop import Shop

__all__ = ["Contribution", "RankedItem", "Shop", "rank"]
