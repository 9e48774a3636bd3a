"""Items of a category by the learned weights: scores that add up, without torch."""

from kgrank.ranking.rank import Contribution, RankedItem, rank
from kgrank.ranking.shop import Shop, open_shop

__all__ = ["Contribution", "RankedItem", "Shop", "open_shop", "rank"]
