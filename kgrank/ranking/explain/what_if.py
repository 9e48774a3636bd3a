"""What adding rules would change: the answer to ``kgrank audit --what-if``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kgrank.choice.rules.stored import category_posteriors
from kgrank.choice.rules.what_if import CategoryChange, RuleInCategory, RuleShift, what_if
from kgrank.ontology.model import Ontology
from kgrank.ranking.catalogue.phrases import checked_language
from kgrank.ranking.explain.audit import in_language
from kgrank.weights.model import RuleConflict, RuleFinding
from kgrank.weights.posteriors import Posteriors


@dataclass(frozen=True)
class WhatIfAudit:
    """What adding rules would change.

    Attributes:
        version: Of the weights.
        new_rules: Ids of the rules that are added.
        findings: Each new rule against the choices of all its categories; none for a rule that is about no
            category with choices.
        by_category: The same in each category.
        categories: What changes, from the greatest change down.
        other_rules: Rules that would be believed more, or less.
        conflicts: Sets of rules that cannot all be right and that a new rule is part of.
        notes: What a reader must know.
    """

    version: str
    new_rules: tuple[str, ...]
    findings: tuple[RuleFinding, ...]
    by_category: tuple[RuleInCategory, ...]
    categories: tuple[CategoryChange, ...]
    other_rules: tuple[RuleShift, ...]
    conflicts: tuple[RuleConflict, ...]
    notes: tuple[str, ...] = ()


def what_if_audit(
    before: Ontology,
    after: Ontology,
    new_rules: Sequence[str],
    posteriors: Posteriors,
    language: str = "en",
) -> WhatIfAudit:
    """Weighs the stored posteriors by the rules of before, and by those of after.

    Args:
        before: The ontology that the weights were learned with.
        after: The same with the new rules.
        new_rules: Their ids.
        posteriors: The posteriors from the choices alone, as they are stored beside the weights.
        language: Of the sentences.

    Raises:
        InputError: A language without phrases.
        RunError: Hard rules exclude each other.
    """
    checked_language(language)
    change = what_if(before, after, new_rules, category_posteriors(posteriors.categories), posteriors.seed)
    return WhatIfAudit(
        version=posteriors.version,
        new_rules=tuple(new_rules),
        findings=tuple(in_language(change.findings, language)),
        by_category=change.rules,
        categories=change.categories,
        other_rules=change.others,
        conflicts=tuple(in_language(change.conflicts, language)),
    )
