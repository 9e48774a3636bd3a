"""What matters in a category: learned shares, what the rules say of them, what the data say of the rules."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from kgrank.ontology.kinds.table import rule_kind, share_bounds
from kgrank.ontology.model import Ontology, Rule
from kgrank.ontology.sentences import sentence
from kgrank.ranking.catalogue.phrases import attribute_name, phrase, value_name
from kgrank.ranking.catalogue.shop import Shop, category_weights
from kgrank.weights.model import Concern, LearnedWeights, RuleFinding


@dataclass(frozen=True)
class RuleStatement:
    """What one rule says of one attribute in a category.

    Attributes:
        rule: Its id.
        short: In a few signs, ``≥ 25%`` or ``> price``.
        sentence: In words.
        lower: Smallest share that it allows; None where it sets no bounds.
        upper: Largest share that it allows.
        finding: What the data say of it; None where no audit was made.
    """

    rule: str
    short: str
    sentence: str
    lower: float | None
    upper: float | None
    finding: RuleFinding | None


@dataclass(frozen=True)
class AttributeImportance:
    """One attribute's share of the decision, in a category; the fields are those of ``AttributeWeight``."""

    attribute: str
    name: str
    share: float
    lower: float
    upper: float
    spread: float
    reference: str
    shoppers: float | None
    without_rules: float | None
    rules: tuple[RuleStatement, ...]
    person: float | None = None
    """One person's own share; None where nobody is asked about."""


@dataclass(frozen=True)
class Importance:
    """What matters in a category, most important first; the fields are those of ``CategoryWeights``."""

    category: str
    name: str
    strength: float
    choice_count: int
    person_count: int
    source: str
    attributes: tuple[AttributeImportance, ...]
    notes: tuple[str, ...]
    concerns: tuple[Concern, ...] = ()
    """What is wrong with the data of this category and of those below it."""


def importance(
    shop: Shop, category: str, language: str = "en", *, person: Mapping[str, float] | None = None
) -> Importance:
    """What matters in a category of a shop.

    Args:
        shop: Where.
        category: Its id.
        language: Of names and sentences.
        person: A person's deviations, as in ``rank``: their own shares stand beside the average shopper's.

    Raises:
        InputError: An unknown category.
        WeightsError: The weights say nothing of it.
    """
    found = read_importance(shop.weights, shop.ontology, category, language)
    if not person:
        return found
    from kgrank.ranking.shopper.person import shares

    own = shares(shop, category, person)
    return replace(found, attributes=tuple(replace(a, person=own.get(a.attribute)) for a in found.attributes))


def read_importance(
    weights: LearnedWeights, ontology: Ontology, category: str, language: str = "en"
) -> Importance:
    """What matters in a category, from weights and an ontology alone."""
    learned = category_weights(weights, ontology, category)
    findings = {f.rule: f for f in weights.findings}
    below = frozenset(ontology.subtree(category))
    statements = list(_statements(ontology, category, findings, language))
    ranked = sorted(learned.attributes, key=lambda a: (-a.share, a.attribute))
    return Importance(
        category=category,
        name=ontology.categories[category].name(language),
        strength=learned.strength,
        choice_count=learned.choice_count,
        person_count=learned.person_count,
        source=learned.source,
        attributes=tuple(
            AttributeImportance(
                attribute=a.attribute,
                name=attribute_name(ontology, a.attribute, language),
                share=a.share,
                lower=a.lower,
                upper=a.upper,
                spread=a.spread,
                reference=a.reference,
                shoppers=a.shoppers,
                without_rules=a.without_rules,
                rules=tuple(said for attribute, said in statements if attribute == a.attribute),
            )
            for a in ranked
        ),
        notes=weights.notes,
        concerns=tuple(c for c in weights.concerns if c.category in below),
    )


def _statements(
    ontology: Ontology, category: str, findings: dict[str, RuleFinding], language: str
) -> Iterator[tuple[str, RuleStatement]]:
    """Each attribute and what a rule says of it here, in the order of the rules."""
    applicable = ontology.applicable(category)
    line = {category, *ontology.ancestors(category)}
    for rule in ontology.rules.values():
        inside = not line.isdisjoint(rule.categories) and line.isdisjoint(rule.but_not)
        if not inside or not rule_kind(rule.kind).acts_on_weights:
            continue
        lower, upper = share_bounds(rule) or (None, None)
        for attribute in (*rule.attributes, *rule.members):
            if attribute in applicable:
                yield (
                    attribute,
                    RuleStatement(
                        rule=rule.id,
                        short=_short(rule, attribute, ontology, language),
                        sentence=sentence(rule, ontology, language),
                        lower=lower,
                        upper=upper,
                        finding=findings.get(rule.id),
                    ),
                )


def _short(rule: Rule, attribute: str, ontology: Ontology, language: str) -> str:
    """The short form of the rule's kind, filled in."""
    return (
        rule_kind(rule.kind)
        .short[language]
        .format(
            share=f"{rule.share or 0:.0%}",
            within=f"{rule.within or 0:.0%}",
            neighbours=_neighbours(rule.order, attribute, ontology, language),
            values=" > ".join(value_name(ontology, attribute, v, language) for v in rule.values),
            others=", ".join(m for m in rule.members if m != attribute),
            direction=phrase("more-is-better" if rule.better == "More" else "less-is-better", language),
        )
    )


def _neighbours(order: tuple[str, ...], attribute: str, ontology: Ontology, language: str) -> str:
    """The attributes right before and right after one in an order."""
    if attribute not in order:
        return ""
    at = order.index(attribute)
    return ", ".join(
        sign + attribute_name(ontology, other, language)
        for sign, others in (("< ", order[:at][-1:]), ("> ", order[at + 1 :][:1]))
        for other in others
    )
