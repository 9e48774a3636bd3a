"""Weights of every cell of an ontology, without any learning."""

from __future__ import annotations

from kgrank.graph.schema import NUMBER, UNBOUNDED, value_id
from kgrank.ontology.model import AttributeType, Ontology
from kgrank.weights.model import (
    AttributeWeight,
    CategoryWeights,
    LearnedWeights,
    Population,
    RuleFinding,
    Segment,
    Utility,
)


def invented(ontology: Ontology) -> LearnedWeights:
    """Weights of every cell, each another number."""
    categories = {}
    for c, category in enumerate(ontology.categories):
        applies = ontology.applicable(category)
        size = sum(range(1, len(applies) + 1))
        attributes, utilities = [], []
        for n, a in enumerate(applies, 1):
            attribute = ontology.attributes[a]
            number = attribute.type is AttributeType.NUMBER
            words = "20 to 90, the items' 5th to 95th percentile" if number else "all values"
            share = n / size
            attributes.append(AttributeWeight(a, share, share / 2, share * 1.5, n / 10, words, share, share))
            for k, value in enumerate([NUMBER] if number else attribute.values):
                segment = (
                    Segment(-UNBOUNDED, UNBOUNDED, 0.7, -0.01 * n)
                    if number
                    else Segment(-UNBOUNDED, UNBOUNDED, n + k / 10 + c, 0.0)
                )
                utilities.append(Utility(value_id(a, value), (segment,), 0.1))
        categories[category] = CategoryWeights(
            category, tuple(attributes), tuple(utilities), sum(a.spread for a in attributes), 10, 5, "choices"
        )
    columns = ("inside", "fit=slim", "fit=loose", "heel=*", "color=red")
    covariance = tuple(tuple(float(10 * i + j) for j in range(5)) for i in range(5))
    findings = tuple(RuleFinding(r, "", 0.8, 0.5, 0.5, 0.5, 0.0, "silent", "", 1, 1) for r in ontology.rules)
    return LearnedWeights(
        f"w-1-{ontology.fingerprint[:6]}", "today", "1", ontology.fingerprint, "g", categories,
        findings=findings, population=Population(columns, covariance, (1.0, 2.0, 3.0, 4.0, 5.0)),
    )  # fmt: skip
