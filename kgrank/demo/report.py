"""What was learned of the demo shop, beside the truth it was generated from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from kgrank.demo.files import read_truth
from kgrank.errors import WeightsError
from kgrank.ontology.model import Ontology
from kgrank.ranking.answers import AttributeImportance
from kgrank.ranking.explain.importance import read_importance
from kgrank.weights.model import LearnedWeights, RuleFinding


@dataclass(frozen=True)
class Line:
    """One attribute of a category: what was learned, and its true shares by both definitions.

    ``truth`` is the share for the average shopper, ``shoppers_truth`` the average of the shoppers' own.
    """

    learned: AttributeImportance
    truth: float
    shoppers_truth: float


@dataclass(frozen=True)
class CategoryReport:
    """A leaf category, its attributes by learned share, and the L1 of learned and true shares.

    ``l1_shoppers`` is None where no tastes of people were estimated.
    """

    category: str
    name: str
    lines: tuple[Line, ...]
    l1: float
    l1_shoppers: float | None


@dataclass(frozen=True)
class DemoReport:
    """All leaf categories, and the means of their L1.

    ``covered`` is the share of the 95 % intervals that hold the truth.
    """

    categories: tuple[CategoryReport, ...]
    l1: float
    l1_shoppers: float | None
    covered: float
    findings: tuple[RuleFinding, ...]

    def as_json(self) -> dict[str, Any]:
        """The report as plain values."""
        return {"generated": True, **asdict(self)}


def compare(folder: Path, weights: LearnedWeights, ontology: Ontology) -> DemoReport:
    """Lays learned importance beside the truth of a demo shop.

    Raises:
        InputError: The folder holds no demo shop, or the ontology is not its own.
        WeightsError: The weights lack a category or an attribute of the shop.
    """
    truth = read_truth(folder)["importance"]
    categories = tuple(
        _category(category, shares, truth["average_of_shoppers"][category], weights, ontology)
        for category, shares in truth["average_shopper"].items()
    )
    lines = [line for c in categories for line in c.lines]
    shopper_errors = [c.l1_shoppers for c in categories if c.l1_shoppers is not None]
    return DemoReport(
        categories,
        l1=sum(c.l1 for c in categories) / len(categories),
        l1_shoppers=sum(shopper_errors) / len(shopper_errors)
        if len(shopper_errors) == len(categories)
        else None,
        covered=sum(x.learned.lower <= x.truth <= x.learned.upper for x in lines) / len(lines),
        findings=weights.findings,
    )


def _category(
    category: str,
    truth: Mapping[str, float],
    shoppers: Mapping[str, float],
    weights: LearnedWeights,
    ontology: Ontology,
) -> CategoryReport:
    importance = read_importance(weights, ontology, category)
    learned = {a.attribute: a for a in importance.attributes}
    if set(learned) != set(truth):
        raise WeightsError(
            f"the weights of {category} speak of {', '.join(sorted(learned))}",
            expected=f"the attributes of the demo shop: {', '.join(sorted(truth))}",
            todo="Run kgrank train --config fashion",
        )
    lines = tuple(
        Line(learned[a], truth[a], shoppers[a]) for a in sorted(truth, key=lambda a: -learned[a].share)
    )
    shopper_errors = [
        abs(x.learned.shoppers - x.shoppers_truth) for x in lines if x.learned.shoppers is not None
    ]
    return CategoryReport(
        category,
        importance.name,
        lines,
        l1=sum(abs(x.learned.share - x.truth) for x in lines),
        l1_shoppers=sum(shopper_errors) if len(shopper_errors) == len(lines) else None,
    )
