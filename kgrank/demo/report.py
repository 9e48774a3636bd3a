"""What was learned of the demo shop, beside the truth it was generated from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from kgrank.demo.files import read_truth
from kgrank.errors import WeightsError
from kgrank.ontology.model import Ontology, Rule, RuleKind
from kgrank.weights.model import CategoryWeights, LearnedWeights, RuleFinding


@dataclass(frozen=True)
class Line:
    """One attribute of a category: shares of the decision, learned and true.

    ``shoppers`` is the average of the shoppers' own shares; None where people were not told apart.
    """

    attribute: str
    learned: float
    low: float
    high: float
    truth: float
    shoppers: float | None
    shoppers_truth: float
    rules: tuple[str, ...]


@dataclass(frozen=True)
class CategoryReport:
    """A leaf category; ``l1`` is the sum of the absolute differences from the truth."""

    category: str
    lines: tuple[Line, ...]
    l1: float
    l1_shoppers: float | None


@dataclass(frozen=True)
class DemoReport:
    """All categories, with the means of their L1.

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
        InputError: The folder holds no demo shop.
        WeightsError: The weights lack a category or an attribute of the shop.
    """
    truth = read_truth(folder)["importance"]
    average, shoppers = truth["average_shopper"], truth["average_of_shoppers"]
    categories = tuple(
        _category(_known(weights, category, shares), shares, shoppers[category], ontology)
        for category, shares in average.items()
    )
    lines = [line for c in categories for line in c.lines]
    own = [c.l1_shoppers for c in categories if c.l1_shoppers is not None]
    return DemoReport(
        categories,
        l1=sum(c.l1 for c in categories) / len(categories),
        l1_shoppers=sum(own) / len(own) if len(own) == len(categories) else None,
        covered=sum(x.low <= x.truth <= x.high for x in lines) / len(lines),
        findings=weights.findings,
    )


def _known(weights: LearnedWeights, category: str, shares: Mapping[str, float]) -> CategoryWeights:
    here = weights.categories.get(category)
    lacking = set(shares) - {a.attribute for a in here.attributes} if here else {category}
    if here is None or lacking:
        raise WeightsError(
            f"weights {weights.version} do not know {', '.join(sorted(lacking))}",
            expected="weights that were learned from the demo shop",
            todo="Run python train.py --config configs/fashion.yaml",
        )
    return here


def _category(
    here: CategoryWeights, truth: Mapping[str, float], shoppers: Mapping[str, float], ontology: Ontology
) -> CategoryReport:
    learned = {a.attribute: a for a in here.attributes}
    said = _said(ontology, here.category)
    lines = []
    for attribute in sorted(truth, key=lambda a: -truth[a]):
        w = learned[attribute]
        rules = tuple(said.get(attribute, ()))
        lines.append(
            Line(
                attribute, w.weight, w.low, w.high, truth[attribute], w.shoppers, shoppers[attribute], rules
            )
        )
    own = [abs(x.shoppers - x.shoppers_truth) for x in lines if x.shoppers is not None]
    return CategoryReport(
        here.category,
        tuple(lines),
        l1=sum(abs(x.learned - x.truth) for x in lines),
        l1_shoppers=sum(own) if len(own) == len(lines) else None,
    )


def _said(ontology: Ontology, category: str) -> dict[str, list[str]]:
    """What the rules of a category say of each attribute's importance or direction, in a few words."""
    found: dict[str, list[str]] = {}
    for rule in ontology.rules.values():
        if category in ontology.scope(rule):
            for attribute, words in _words(rule).items():
                found.setdefault(attribute, []).append(words)
    return found


def _words(rule: Rule) -> dict[str, str]:
    """A rule in a few words by attribute; empty for rules that say nothing of importance or taste."""
    if rule.kind is RuleKind.ORDER:
        return {a: f"over {b}" for a, b in zip(rule.order, rule.order[1:], strict=False)}
    if rule.attribute is None:
        return {}
    share = f"{rule.share:.2f}" if rule.share is not None else ""
    words = {
        RuleKind.AT_LEAST: f"at least {share}",
        RuleKind.AT_MOST: f"at most {share}",
        RuleKind.ABOUT: f"{share} ± {rule.within}",
        RuleKind.IRRELEVANT: "does not matter",
        RuleKind.MONOTONE: f"{(rule.better or '').lower()} is better",
        RuleKind.PREFERS: " > ".join(rule.values),
    }.get(rule.kind)
    return {rule.attribute: words} if words else {}
