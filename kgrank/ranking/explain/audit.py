"""What the data say of each rule, from the weights alone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TypeVar

from kgrank.ranking.answers import Audit
from kgrank.ranking.catalogue.phrases import checked_language
from kgrank.weights.model import LearnedWeights, RuleConflict, RuleFinding

_Said = TypeVar("_Said", RuleFinding, RuleConflict)

VERDICTS = ("supported", "leans for", "silent", "leans against", "contradicted")
"""From the best to the worst for a rule."""


def audit(weights: LearnedWeights, language: str = "en") -> Audit:
    """The findings that the weights hold, the worst for a rule first, and the sets of rules in conflict.

    Raises:
        InputError: A language without phrases.
    """
    checked_language(language)
    notes = weights.notes
    translations = [f.translations for f in weights.findings] + [c.translations for c in weights.conflicts]
    if language != "en" and any(language not in known for known in translations):
        notes = (*notes, f"These weights hold sentences in English only; train again for {language}.")
    return Audit(
        version=weights.version,
        findings=tuple(
            sorted(
                in_language(weights.findings, language),
                key=lambda f: (-VERDICTS.index(f.verdict), f.log_bayes_factor),
            )
        ),
        conflicts=tuple(in_language(weights.conflicts, language)),
        notes=notes,
    )


def in_language(said: Iterable[_Said], language: str) -> list[_Said]:
    """Findings or conflicts with their sentences in a language, where they have it."""
    return [
        replace(one, sentence=text.sentence, instead=text.instead)
        if (text := one.translations.get(language)) is not None
        else one
        for one in said
    ]
