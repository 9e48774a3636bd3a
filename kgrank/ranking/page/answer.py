"""From a query to one page of a ranking."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from kgrank.errors import InputError, did_you_mean
from kgrank.graph.schema import split_value_id
from kgrank.ontology.kinds.kind import ActsOn
from kgrank.ontology.kinds.table import rule_kind
from kgrank.ontology.model import BRAND
from kgrank.ontology.sentences import sentence
from kgrank.ranking.catalogue.items import Integers, Reals
from kgrank.ranking.catalogue.phrases import attribute_name, phrase, value_name
from kgrank.ranking.catalogue.scores import Worth
from kgrank.ranking.catalogue.shop import Shop, check_category
from kgrank.ranking.catalogue.top import DECIMALS, first
from kgrank.ranking.page.filters import holds, in_words, targets
from kgrank.ranking.page.query import Cap, Contribution, LeftOut, Query, RankedItem, RankedPage
from kgrank.ranking.page.rerank import Limit, RerankRules, rerank
from kgrank.ranking.page.score import ScoredCategory, member_index, population_vector, score, show

LARGEST = 1000
"""Items on a page at most."""

BOOST = "boost"


@dataclass(frozen=True)
class Selection:
    """The items a query is about.

    Attributes:
        category: By whose weights they are ranked.
        some: Their places in the category, ascending; None for all.
        notes: What a reader must know.
    """

    category: str
    some: Integers | None
    notes: tuple[str, ...]


def answer(shop: Shop, query: Query) -> RankedPage:
    """One page of a ranking.

    Deterministic: equal scores stand in the order of their ids, and pages of one query join without gap or
    overlap while shop, session and query stay as they are.

    Raises:
        InputError: An unknown category, item, attribute or value; a candidate outside the category; a number out
            of its range.
        WeightsError: The weights say nothing of the category, or have no term for a history.
    """
    _check(query)
    asked = selection(shop, query)
    category = asked.category
    scored = score_query(shop, category, query)
    some, left_out = _without_excluded(shop, scored, asked.some, query)
    scores = scored.scores if some is None else scored.scores[some]
    added = _boosts(shop, scored, query)
    if added is not None:
        scores = scores + (added if some is None else added[some])
    offset = (query.page - 1) * query.size
    wishes, absent = _wishes(shop, scored, some, query)
    reasons: dict[int, str] = {}
    notes = (*asked.notes, *absent, *_whose(shop, query))
    if wishes:
        ranked = np.arange(len(scores)) if some is None else some
        weights = _importance(shop, scored)
        arranged = rerank(scored.table, weights, ranked, scores, wishes, offset + query.size)
        shown = arranged.places[offset:]
        total = scores[np.searchsorted(ranked, shown)].round(DECIMALS)
        reasons = arranged.reasons
        notes = (*notes, *(phrase("cap-short", query.language, reason=r) for r in arranged.short))
    else:
        places, rounded = first(scores, offset + query.size)
        shown, total = places[offset:], rounded[offset:]
        if some is not None:
            shown = some[shown]
    amounts, names = scored.contributions(shown), scored.names
    if added is not None:
        amounts, names = np.column_stack([amounts, added[shown]]), (*names, BOOST)
    ids = shop.items.ids
    return RankedPage(
        category=category,
        page=query.page,
        size=query.size,
        item_count=len(scores),
        version=shop.weights.version,
        ids=tuple([ids[k] for k in scored.table.members[shown].tolist()]),
        scores=total,
        names=names,
        logits=amounts,
        notes=notes,
        left_out=left_out,
        in_words=lambda: _in_words(shop, scored, shown, total, added, reasons, query),
    )


def score_query(shop: Shop, category: str, query: Query) -> ScoredCategory:
    """The scores of a category's items for the query's shopper, before boosts."""
    history: tuple[str, ...] = query.history
    deviations: Reals | None = None
    known: Worth | None = None
    if query.session is not None:
        deviations = query.session.deviations
        if len(deviations):
            known = query.session.worth(shop, category)
        if history or shop.behaviour is not None:
            history = (*history, *query.session.items)
    elif query.person is not None and query.person.deviations:
        deviations = population_vector(shop, query.person.deviations)
    return score(shop, category, history, deviations, known)


def _check(query: Query) -> None:
    if query.page < 1 or not 0 <= query.size <= LARGEST:
        raise InputError(
            f"page {query.page}, size {query.size}", expected=f"a page from 1, a size from 0 to {LARGEST}"
        )
    if not 0 <= query.diversity < 1:
        raise InputError(f"diversity {query.diversity}", expected="0 or more, below 1")
    for cap in query.caps:
        if not 0 <= cap.share <= 1 or cap.top < 1:
            raise InputError(
                f"a cap of {cap.share} of {cap.top} places", expected="a share from 0 to 1, 1 place or more"
            )
    for boost in query.boosts:
        if not math.isfinite(boost.amount):
            raise InputError(f"a boost of {boost.amount} for {boost.target!r}", expected="a finite number")
    positions = [pin.position for pin in query.pins]
    if any(p < 1 for p in positions) or len(set(positions)) < len(positions):
        raise InputError(f"pins to the places {positions}", expected="places from 1, each once")
    if len({pin.item for pin in query.pins}) < len(query.pins):
        raise InputError("an item is pinned twice", expected="each item at one place")


def selection(shop: Shop, query: Query) -> Selection:
    """The category and the items a query is about, text, candidates and filters applied one after another."""
    if query.category is None and query.text is None and query.candidates is None:
        raise InputError("nothing says what to rank", expected="a category, a text or candidates")
    notes: list[str] = []
    rows: Integers | None = None
    if query.text is not None:
        rows, said = _by_words(shop, query.text, query.language)
        notes += said
    if query.candidates is not None:
        listed = np.unique(np.array([shop.item(i) for i in query.candidates], dtype=np.int64))
        rows = listed if rows is None else np.intersect1d(rows, listed)
    category = query.category or lowest_common(shop, rows if rows is not None else np.empty(0, np.int64))
    check_category(shop.ontology, category)
    if query.candidates is not None:
        for item in query.candidates:
            member_index(shop, category, item)
    members = shop.scores(category).members
    if not len(members):
        name = shop.ontology.categories[category].name(query.language)
        notes.append(phrase("category-empty", query.language, name=name))
    some = None if rows is None else np.flatnonzero(np.isin(members, rows, assume_unique=True))
    for one in query.filters:
        marked = holds(shop, one)[members]
        before = len(members) if some is None else len(some)
        some = np.flatnonzero(marked) if some is None else some[marked[some]]
        if before and not len(some):
            said_filter = in_words(shop, one, query.language)
            notes.append(phrase("filter-empty", query.language, filter=said_filter, items=before))
    return Selection(category, some, tuple(notes))


def _by_words(shop: Shop, text: str, language: str) -> tuple[Integers, list[str]]:
    found = shop.text.find(text)
    if not found.matched:
        near = did_you_mean(found.tokens[0], shop.text.vocabulary) if found.tokens else ""
        return found.rows, [phrase("no-words", language, words=", ".join(found.tokens)) + f" {near}"]
    if found.matched < len(found.tokens):
        key = "some-words" if found.missing else "few-words"
        parts = {"all": len(found.tokens), "matched": found.matched, "missing": ", ".join(found.missing)}
        return found.rows, [phrase(key, language, **parts)]
    return found.rows, []


def lowest_common(shop: Shop, rows: Integers) -> str:
    """The lowest category that holds some items, or all where there are none; of several trees, the largest."""
    counts = dict.fromkeys(shop.ontology.categories, 0)
    wanted = rows if len(rows) else np.arange(len(shop.items.ids))
    for category in counts:
        counts[category] = len(np.intersect1d(shop.items.within(shop.subtree(category)), wanted))
    most = max(counts.values())
    depth = {c: len(shop.ontology.ancestors(c)) for c, n in counts.items() if n == most}
    return max(sorted(depth), key=depth.__getitem__)


def _without_excluded(
    shop: Shop, scored: ScoredCategory, some: Integers | None, query: Query
) -> tuple[Integers | None, tuple[LeftOut, ...]]:
    left_out = []
    for one in query.excludes:
        marked = targets(shop, one.target)[scored.table.members]
        ranked = np.arange(len(marked)) if some is None else some
        some = ranked[~marked[ranked]]
        reason = phrase("excluded", query.language, reason=one.reason).strip(" :：")
        left_out.append(LeftOut(one.target, len(ranked) - len(some), reason))
    return some, tuple(left_out)


def _boosts(shop: Shop, scored: ScoredCategory, query: Query) -> Reals | None:
    """(items,) what boosts add; None without any."""
    if not query.boosts:
        return None
    added = np.zeros(len(scored.scores))
    for boost in query.boosts:
        added[targets(shop, boost.target)[scored.table.members]] += boost.amount
    return added


def _wishes(
    shop: Shop, scored: ScoredCategory, some: Integers | None, query: Query
) -> tuple[RerankRules, tuple[str, ...]]:
    """What is wanted beyond the scores, and a note for each pin that is not among the items."""
    if not (query.pins or query.buries or query.caps or query.exposure or query.diversity):
        return RerankRules(), ()
    members = scored.table.members
    buried: dict[int, str] = {}
    for bury in query.buries:
        said = phrase("buried", query.language, reason=bury.reason).strip(" :：")
        for place in np.flatnonzero(targets(shop, bury.target)[members]).tolist():
            buried.setdefault(place, said)
    pins, absent = {}, []
    ranked = members if some is None else members[some]
    for pin in query.pins:
        row = shop.item(pin.item)
        if np.isin(row, ranked):
            pins[pin.position] = (int(np.searchsorted(members, row)), pin.reason)
        else:
            absent.append(phrase("pin-absent", query.language, item=pin.item))
    caps = (*query.caps, *(exposure_caps(shop, scored.category, query.language) if query.exposure else ()))
    limits = tuple(_limit(shop, members, cap, query.language) for cap in caps)
    return RerankRules(pins, buried, limits, query.diversity, query.language), tuple(absent)


def exposure_caps(shop: Shop, category: str, language: str = "en") -> tuple[Cap, ...]:
    """The ontology's Exposure rules that hold in a category, as caps."""
    return tuple(
        Cap(BRAND, rule.share or 0.0, rule.top or 1, rule.brand, sentence(rule, shop.ontology, language))
        for rule in shop.ontology.rules.values()
        if rule_kind(rule.kind).acts_on is ActsOn.RANKED_LISTS and category in shop.ontology.scope(rule)
    )


def _limit(shop: Shop, members: Integers, cap: Cap, language: str) -> Limit:
    known = {*shop.items.of_attribute, *shop.ontology.attributes}
    if cap.attribute not in known:
        raise InputError(f"there is no attribute {cap.attribute!r}", todo=did_you_mean(cap.attribute, known))

    @cache
    def values(place: int) -> tuple[str, ...]:
        has = [split_value_id(n)[1] for n, _ in shop.items.values_of(int(members[place]), cap.attribute)]
        return tuple(v for v in has if cap.value in (None, v))

    def reason(value: str) -> str:
        said = phrase(
            "capped",
            language,
            name=attribute_name(shop.ontology, cap.attribute, language),
            value=value_name(shop.ontology, cap.attribute, value, language),
            share=f"{cap.share:.0%}",
            top=cap.top,
        )
        return f"{said}. {cap.reason}".strip(" .")

    # A share like .3 of 10 places is 3 places, though .3 · 10 is a little less in binary.
    return Limit(values, math.floor(cap.share * cap.top + 1e-9), cap.top, reason)


def _importance(shop: Shop, scored: ScoredCategory) -> Reals:
    """(attributes,) shares in the order of the table."""
    share = {a.attribute: a.share for a in shop.weights_of(scored.category).attributes}
    return np.array([share[a] for a in scored.table.attributes])


def _whose(shop: Shop, query: Query) -> list[str]:
    if query.session is not None and not shop.weights.population.columns and query.session.events:
        return [phrase("no-population", query.language)]
    if query.session is None and query.person is not None and not query.person.choices:
        return [phrase("nobody-known", query.language)]
    return []


def _in_words(
    shop: Shop,
    scored: ScoredCategory,
    shown: Integers,
    total: Reals,
    added: Reals | None,
    reasons: dict[int, str],
    query: Query,
) -> tuple[RankedItem, ...]:
    items = show(shop, scored, shown, total, query.language)
    found = []
    for place, item in zip(shown.tolist(), items, strict=True):
        why = (reasons[place],) if place in reasons else ()
        parts: Sequence[Contribution] = item.contributions
        if added is not None and added[place]:
            boosts = [b for b in query.boosts if targets(shop, b.target)[scored.table.members[place]]]
            said = "; ".join(phrase("boosted", query.language, reason=b.reason).strip(" :：") for b in boosts)
            own = Contribution(BOOST, BOOST, float(added[place]), None, said)
            parts, why = sorted((*parts, own), key=lambda c: -abs(c.logits)), (said, *why)
        found.append(replace(item, contributions=tuple(parts), reasons=why))
    return tuple(found)
