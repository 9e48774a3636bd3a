"""What the data say of each rule, from the weights alone."""

from __future__ import annotations

from kgrank.ranking.answers import Audit
from kgrank.weights.model import LearnedWeights

VERDICTS = ("supported", "leans for", "silent", "leans against", "contradicted")
"""From the best to the worst for a rule."""


def audit(weights: LearnedWeights) -> Audit:
    """The findings that the weights hold, the worst for a rule first, and the sets of rules in conflict."""
    return Audit(
        version=weights.version,
        findings=tuple(
            sorted(weights.findings, key=lambda f: (-VERDICTS.index(f.verdict), f.log_bayes_factor))
        ),
        conflicts=weights.conflicts,
        notes=weights.notes,
    )
