"""Filters in the order of what they decide for shoppers in this session, and the values in each.

For a filter on attribute a over the items that are left, with p the shopper's choice probabilities among them
(the softmax of their scores):

    decides(a) = importance(a) · divides(a) · coverage(a)

- importance(a): the share of the decision, of the average shopper, the person, or the session;
- divides(a) = 1 - Σ_v q_v², the chance that two items drawn by p would answer the filter differently (Gini
  impurity), where q_v is the part of the choice mass with value v over the sum of these parts, and a number is
  cut into ``BINS`` parts at quantiles;
- coverage(a): the part of the choice mass with a known value.

Values are in the order of their choice mass q_v: what this shopper will most probably take first.
"""

from __future__ import annotations

import numpy as np

from kgrank.arrays import Floats, Ints, Truths
from kgrank.ontology.units import number_texts
from kgrank.ranking.answers import Facet, Facets, FacetValue, OmittedFacet
from kgrank.ranking.catalogue.phrases import attribute_name, phrase, value_name
from kgrank.ranking.catalogue.shop import Shop
from kgrank.ranking.page.answer import score_query, selection
from kgrank.ranking.page.query import Query
from kgrank.ranking.page.score import ScoredCategory
from kgrank.ranking.shopper.person import own_shares

BINS = 5
"""Parts that a number is cut into."""

COVERAGE = 0.5
"""A filter is left out where a smaller part of the items has a known value."""


def facets(shop: Shop, query: Query) -> Facets:
    """The filters to show beside a ranking; paging and curation of the query do not matter.

    Raises:
        InputError: As in ``answer``.
        WeightsError: As in ``answer``.
    """
    chosen = selection(shop, query)
    scored = score_query(shop, chosen.category, query)
    members = np.arange(len(scored.scores)) if chosen.members is None else chosen.members
    odds = np.exp(scored.scores[members] - scored.scores[members].max(initial=-np.inf))
    mass = odds / odds.sum() if len(members) else odds
    shares = own_shares(shop, scored.category, scored.deviations)
    shown, left_out = list[Facet](), list[OmittedFacet]()
    for attribute in scored.table.attributes:
        facet = _facet(shop, scored, members, mass, attribute, shares.get(attribute, 0.0), query.language)
        if isinstance(facet, Facet):
            shown.append(facet)
        else:
            left_out.append(facet)
    shown.sort(key=lambda f: (-f.decides, f.attribute))
    return Facets(
        version=shop.weights.version,
        category=chosen.category,
        item_count=len(members),
        facets=tuple(shown),
        left_out=tuple(left_out),
        notes=chosen.notes,
    )


def _facet(
    shop: Shop,
    scored: ScoredCategory,
    members: Ints,
    mass: Floats,
    attribute: str,
    share: float,
    language: str,
) -> Facet | OmittedFacet:
    name = attribute_name(shop.ontology, attribute, language)
    k = scored.table.attributes.index(attribute)
    if k in scored.table.numbers:
        number = scored.table.number[members, scored.table.numbers.index(k)]
        known = ~np.isnan(number)
        values = _ranges(shop, attribute, number[known], mass[known], language)
    else:
        known, values = _values(shop, scored, members, mass, attribute, language)
    covered = float(known.mean()) if len(members) else 0.0
    if len(values) < 2:
        return OmittedFacet(attribute, name, phrase("facet-one", language, name=name, values=len(values)))
    if covered < COVERAGE:
        reason = phrase(
            "facet-covers", language, name=name, coverage=f"{covered:.0%}", least=f"{COVERAGE:.0%}"
        )
        return OmittedFacet(attribute, name, reason)
    coverage = float(mass[known].sum())
    whole = sum(v.share for v in values)
    divides = 1.0 - sum((v.share / whole) ** 2 for v in values) if whole else 0.0
    reason = phrase(
        "facet-reason",
        language,
        name=name,
        share=f"{share:.0%}",
        divides=f"{divides:.0%}",
        coverage=f"{coverage:.0%}",
        first=values[0].name,
    )
    decides = share * divides * coverage
    return Facet(
        attribute=attribute,
        name=name,
        decides=decides,
        importance=share,
        divides=divides,
        coverage=coverage,
        values=tuple(values),
        reason=reason,
    )


def _values(
    shop: Shop, scored: ScoredCategory, members: Ints, mass: Floats, attribute: str, language: str
) -> tuple[Truths, list[FacetValue]]:
    """Whether each item has a known value, and the values that occur, the most probable first."""
    known = np.zeros(len(members), dtype=bool)
    index = np.full(len(shop.items.ids), -1)
    index[scored.table.rows[members]] = np.arange(len(members))
    values = []
    for value, node in shop.items.of_attribute.get(attribute, {}).items():
        having = index[shop.items.having(node)]
        having = having[having >= 0]
        if len(having):
            known[having] = True
            share = float(mass[having].sum())
            name = value_name(shop.ontology, attribute, value, language)
            values.append(
                FacetValue(
                    value=value,
                    minimum=None,
                    maximum=None,
                    name=name,
                    item_count=len(having),
                    share=share,
                    reason=_value_reason(name, len(having), share, len(members), language),
                )
            )
    return known, sorted(values, key=lambda v: (-v.share, v.name))


def _ranges(shop: Shop, attribute: str, number: Floats, mass: Floats, language: str) -> list[FacetValue]:
    """A number's ranges between quantiles of the items, in ascending order; few distinct numbers each alone."""
    if not len(number):
        return []
    edges = np.unique(np.quantile(number, np.linspace(0, 1, BINS + 1), method="nearest"))
    attribute_type = shop.ontology.attributes.get(attribute)
    unit = f" {attribute_type.unit}" if attribute_type and attribute_type.unit else ""
    inside = np.clip(np.searchsorted(edges, number, side="right") - 1, 0, max(len(edges) - 2, 0))
    ranges = []
    for k in range(max(len(edges) - 1, 1)):
        having = np.flatnonzero(inside == k)
        minimum, maximum = float(number[having].min()), float(number[having].max())
        low, high = number_texts((minimum, maximum), attribute_type.unit if attribute_type else None)
        name = f"{low}{unit}" if low == high else phrase("from-to", language, low=low, high=high, unit=unit)
        share = float(mass[having].sum())
        ranges.append(
            FacetValue(
                value=None,
                minimum=minimum,
                maximum=maximum,
                name=name,
                item_count=len(having),
                share=share,
                reason=_value_reason(name, len(having), share, len(number), language),
            )
        )
    return ranges


def _value_reason(name: str, item_count: int, share: float, total: int, language: str) -> str:
    items = item_count / max(total, 1)
    return phrase("facet-value", language, name=name, share=f"{share:.0%}", items=f"{items:.0%}")
