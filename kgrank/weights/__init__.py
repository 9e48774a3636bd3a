"""Learned weights: what training writes and ranking reads."""

from kgrank.weights.model import (
    AttributeWeight,
    BehaviourTerm,
    CategoryWeights,
    LearnedWeights,
    RuleFinding,
    Segment,
    SegmentTastes,
    Utility,
)

__all__ = [
    "AttributeWeight",
    "BehaviourTerm",
    "CategoryWeights",
    "LearnedWeights",
    "RuleFinding",
    "Segment",
    "SegmentTastes",
    "Utility",
]
