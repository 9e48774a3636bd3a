"""What matters in a category: learned shares, what the rules say of them, what the data say of the rules."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from kgrank.ontology.kinds.table import rule_kind, share_bounds
from kgrank.ontology.model import Ontology, Rule
from kgrank.ontology.sentences import sentence
from kgrank.ranking.answers import AttributeImportance, Importance, RuleStatement
from kgrank.ranking.catalogue.phrases import attribute_name, phrase, value_name
from kgrank.ranking.catalogue.shop import Shop, category_weights
from kgrank.weights.model import LearnedWeights, RuleFinding


def importance(
    shop: Shop,
    category: str,
    language: str = "en",
    *,
    person: Mapping[str, float] | None = None,
    segment: str | None = None,
) -> Importance:
    """What matters in a category of a shop.

    Args:
        shop: Where.
        category: Its id.
        language: Of names and sentences.
        person: A person's deviations, as in ``rank``: their own shares are given beside the average shopper's.
        segment: A segment of people: the shares for its mean tastes are given beside the average shopper's.

    Raises:
        InputError: An unknown category or segment, or a segment of whose tastes nothing is known.
        WeightsError: The weights say nothing of it.
    """
    average = read_importance(shop.weights, shop.ontology, category, language)
    if segment is not None:
        average = _with_segment(shop, average, segment)
    if not person:
        return average
    from kgrank.ranking.shopper.person import shares

    personal = shares(shop, category, person)
    attributes = tuple(replace(a, person=personal.get(a.attribute)) for a in average.attributes)
    return replace(average, attributes=attributes)


def _with_segment(shop: Shop, average: Importance, segment: str) -> Importance:
    from kgrank.ranking.shopper.person import named_segment, segment_shares

    segment = named_segment(shop, segment)
    shares = segment_shares(shop, average.category, segment)
    attributes = []
    for a in average.attributes:
        share, lower, upper = shares.get(a.attribute, (None, None, None))
        attributes.append(replace(a, segment=share, segment_lower=lower, segment_upper=upper))
    return replace(
        average,
        attributes=tuple(attributes),
        segment=segment,
        segment_person_count=shop.weights.population.segments[segment].people,
    )


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
        version=weights.version,
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
                rules=tuple(statement for attribute, statement in statements if attribute == a.attribute),
            )
            for a in ranked
        ),
        concerns=tuple(c for c in weights.concerns if c.category in below),
        notes=weights.notes,
    )


def _statements(
    ontology: Ontology, category: str, findings: dict[str, RuleFinding], language: str
) -> Iterator[tuple[str, RuleStatement]]:
    """Each attribute and what a rule says of it in a category, in the order of the rules."""
    applicable = ontology.applicable(category)
    line = set(ontology.lineage(category))
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
