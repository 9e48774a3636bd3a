"""Rules against rules (codes R43)."""

from __future__ import annotations

from kgrank.ontology.check.graph import Draft
from kgrank.ontology.model import Ontology


def check_conflicts(draft: Draft, ontology: Ontology) -> None:
    """Reports rules that cannot hold together, through the hierarchy."""
