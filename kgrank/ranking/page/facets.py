"""Filters in the order of what they decide for shoppers here and now, and the values in each.

For a filter on attribute a over the items that are left, with p the shopper's choice probabilities among them
(the softmax of their scores):

    decides(a) = importance(a) · divides(a) · coverage(a)

- importance(a): the share of the decision, of the average shopper, the person, or the session;
- divides(a) = 1 - Σ_v q_v², the chance that two items drawn by p would answer the filter differently (Gini
  impurity), where q_v is the part of the choice mass with value v over the sum of these parts, and a number is
  cut into ``BINS`` parts at quantiles;
- coverage(a): the part of the choice mass with a known value.

Values stand in the order of their choice mass q_v: what this shopper will most probably take first.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kgrank.ranking.catalogue.items import Integers, Reals
from kgrank.ranking.catalogue.phrases import attribute_name, phrase, value_name
from kgrank.ranking.catalogue.shop import Shop
from kgrank.ranking.page.answer import score_query, selection
from kgrank.ranking.page.filters import Truths
from kgrank.ranking.page.query import Query
from kgrank.ranking.page.score import ScoredCategory
from kgrank.ranking.shopper.person import own_shares

BINS = 5
"""Parts that a number is cut into."""

COVERAGE = 0.5
"""A filter is left out where a smaller part of the items has a known value."""


@dataclass(frozen=True)
class FacetValue:
    """One value of a filter, or one range of a number.

    Attributes:
        value: Its id; None for a range.
        minimum: Lower end of a range.
        maximum: Upper end of a range.
        name: In words.
        item_count: Items that have it.
        share: Part of the choice mass that has it.
        reason: In words.
    """

    value: str | None
    minimum: float | None
    maximum: float | None
    name: str
    item_count: int
    share: float
    reason: str


@dataclass(frozen=True)
class Facet:
    """One filter; ``decides`` = ``importance`` · ``divides`` · ``coverage``."""

    attribute: str
    name: str
    decides: float
    importance: float
    divides: float
    coverage: float
    values: tuple[FacetValue, ...]
    reason: str


@dataclass(frozen=True)
class NoFacet:
    """A filter that is left out, and why."""

    attribute: str
    name: str
    reason: str


@dataclass(frozen=True)
class Facets:
    """The filters of a category, the most decisive first, and those left out.

    Attributes:
        category: Its id.
        item_count: Items that are left after the query's filters.
        facets: The filters.
        left_out: Filters with one value, or of a coverage below ``COVERAGE``.
        notes: What a reader must know.
    """

    category: str
    item_count: int
    facets: tuple[Facet, ...]
    left_out: tuple[NoFacet, ...]
    notes: tuple[str, ...]


def facets(shop: Shop, query: Query) -> Facets:
    """The filters to show beside a ranking; paging and curation of the query do not matter.

    Raises:
        InputError: As in ``answer``.
        WeightsError: As in ``answer``.
    """
    asked = selection(shop, query)
    scored = score_query(shop, asked.category, query)
    some = np.arange(len(scored.scores)) if asked.some is None else asked.some
    odds = np.exp(scored.scores[some] - scored.scores[some].max(initial=-np.inf))
    mass = odds / odds.sum() if len(some) else odds
    shares = own_shares(shop, scored.category, scored.deviations)
    shown, left_out = list[Facet](), list[NoFacet]()
    for attribute in scored.table.attributes:
        found = _facet(shop, scored, some, mass, attribute, shares.get(attribute, 0.0), query.language)
        if isinstance(found, Facet):
            shown.append(found)
        else:
            left_out.append(found)
    shown.sort(key=lambda f: (-f.decides, f.attribute))
    return Facets(asked.category, len(some), tuple(shown), tuple(left_out), asked.notes)


def _facet(
    shop: Shop,
    scored: ScoredCategory,
    some: Integers,
    mass: Reals,
    attribute: str,
    share: float,
    language: str,
) -> Facet | NoFacet:
    name = attribute_name(shop.ontology, attribute, language)
    k = scored.table.attributes.index(attribute)
    if k in scored.table.numbers:
        number = scored.table.number[some, scored.table.numbers.index(k)]
        known = ~np.isnan(number)
        values = _ranges(shop, attribute, number[known], mass[known], language)
    else:
        known, values = _values(shop, scored, some, mass, attribute, language)
    covered = float(known.mean()) if len(some) else 0.0
    if len(values) < 2:
        return NoFacet(attribute, name, phrase("facet-one", language, name=name, values=len(values)))
    if covered < COVERAGE:
        said = phrase("facet-covers", language, name=name, coverage=f"{covered:.0%}", least=f"{COVERAGE:.0%}")
        return NoFacet(attribute, name, said)
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
    return Facet(attribute, name, decides, share, divides, coverage, tuple(values), reason)


def _values(
    shop: Shop, scored: ScoredCategory, some: Integers, mass: Reals, attribute: str, language: str
) -> tuple[Truths, list[FacetValue]]:
    """Whether each item has a known value, and the values that occur, the most probable first."""
    known = np.zeros(len(some), dtype=bool)
    place = np.full(len(shop.items.ids), -1)
    place[scored.table.members[some]] = np.arange(len(some))
    found = []
    for value, node in shop.items.of_attribute.get(attribute, {}).items():
        at = place[shop.items.having(node)]
        at = at[at >= 0]
        if len(at):
            known[at] = True
            share = float(mass[at].sum())
            name = value_name(shop.ontology, attribute, value, language)
            found.append(
                FacetValue(value, None, None, name, len(at), share, _why(name, at, share, some, language))
            )
    return known, sorted(found, key=lambda v: (-v.share, v.name))


def _ranges(shop: Shop, attribute: str, number: Reals, mass: Reals, language: str) -> list[FacetValue]:
    """A number's ranges between quantiles of the items, in ascending order; few distinct numbers each alone."""
    if not len(number):
        return []
    edges = np.unique(np.quantile(number, np.linspace(0, 1, BINS + 1), method="nearest"))
    known = shop.ontology.attributes.get(attribute)
    unit = f" {known.unit}" if known and known.unit else ""
    inside = np.clip(np.searchsorted(edges, number, side="right") - 1, 0, max(len(edges) - 2, 0))
    found = []
    for k in range(max(len(edges) - 1, 1)):
        at = np.flatnonzero(inside == k)
        low, high = float(number[at].min()), float(number[at].max())
        name = phrase("from-to", language, low=f"{low:g}", high=f"{high:g}", unit=unit)
        share = float(mass[at].sum())
        found.append(
            FacetValue(None, low, high, name, len(at), share, _why(name, at, share, number, language))
        )
    return found


def _why(name: str, at: Integers, share: float, among: Integers | Reals, language: str) -> str:
    items = len(at) / max(len(among), 1)
    return phrase("facet-value", language, name=name, share=f"{share:.0%}", items=f"{items:.0%}")
