"""Learned weights: the one value in which training and ranking meet."""

from kgrank.weights.model import (
    AttributeWeight,
    BehaviourTerm,
    CategoryWeights,
    LearnedWeights,
    RuleFinding,
    Segment,
    Utility,
)

__all__ = [
    "AttributeWeight",
    "BehaviourTerm",
    "CategoryWeights",
    "LearnedWeights",
    "RuleFinding",
    "Segment",
    "Utility",
]
