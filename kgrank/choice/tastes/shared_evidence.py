"""What everyone's choices in all categories say of their tastes in the columns that categories share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from kgrank.choice.logit.choice_sets import CategoryChoices
from kgrank.choice.logit.fit import Fit
from kgrank.choice.tastes.across_categories import Evidence, category_evidence, joined
from kgrank.choice.tastes.shared_columns import column_map, shared_columns, usual_scales


@dataclass(frozen=True)
class SharedEvidence:
    """Evidence on tastes.

    Attributes:
        columns: AttributeValue ids of the shared columns.
        scales: (columns,) the usual scale of each number among them; 0 for all others.
        evidence: By person and category; categories are numbered in their order.
    """

    columns: tuple[str, ...]
    scales: tuple[float, ...]
    evidence: Evidence


def shared_evidence(
    own_choices: Mapping[str, CategoryChoices], fits: Mapping[str, Fit], people: int
) -> SharedEvidence | None:
    """The evidence of all choices, at each category's optimum; None where categories share no column.

    Args:
        own_choices: By category; ``person`` numbers everybody.
        fits: Of these categories.
        people: Number of people in all.
    """
    columns = shared_columns(list(own_choices.values()))
    if not columns:
        return None
    scales = usual_scales([choices.design.layout for choices in own_choices.values()], columns)
    parts = [
        category_evidence(
            choices.choices,
            fits[category].part_worths,
            column_map(choices.design.layout, choices.nuisance, columns, scales),
            number,
            people,
        )
        for number, (category, choices) in enumerate(own_choices.items())
    ]
    return SharedEvidence(columns, scales, joined(parts))
