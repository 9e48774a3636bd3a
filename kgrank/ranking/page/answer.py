"""From a query to one page of a ranking."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from kgrank.arrays import Floats, Truths
from kgrank.choice.tastes.liking import PersonLiking
from kgrank.errors import InputError, did_you_mean
from kgrank.graph.schema import split_value_id
from kgrank.ontology.kinds.kind import ActsOn
from kgrank.ontology.kinds.table import rule_kind
from kgrank.ontology.model import BRAND
from kgrank.ontology.sentences import sentence
from kgrank.ranking.answers import Contribution, LeftOut, RankedItem
from kgrank.ranking.catalogue.items import Members, Rows
from kgrank.ranking.catalogue.phrases import attribute_name, phrase, value_name
from kgrank.ranking.catalogue.scores import Worth
from kgrank.ranking.catalogue.shop import Shop, check_category
from kgrank.ranking.catalogue.top import DECIMALS, top_indices
from kgrank.ranking.page.filters import filter_words, matches, targets
from kgrank.ranking.page.query import Cap, Filter, Query, RankedPage
from kgrank.ranking.page.rerank import Limit, RerankRules, rerank
from kgrank.ranking.page.score import ScoredCategory, member_index, population_vector, score, show

if TYPE_CHECKING:
    from kgrank.choice.tastes.person import PersonTastes

LARGEST = 1000
"""Items on a page at most."""

BOOST = "boost"

LONGEST_REASON = 1000
"""Characters of the reasons of all boosts of an item at most: each item of a page has its own copy of them."""


@dataclass(frozen=True)
class Selection:
    """The items a query is about.

    Attributes:
        category: By whose weights they are ranked.
        members: Their indices among the category's, ascending; None for all.
        notes: What a reader must know.
    """

    category: str
    members: Members | None
    notes: tuple[str, ...]


def answer(shop: Shop, query: Query) -> RankedPage:
    """One page of a ranking.

    Deterministic: equal scores are in the order of their ids, and pages of one query join without gap or
    overlap while shop, session and query stay as they are.

    Raises:
        InputError: An unknown category, item, attribute or value; a candidate outside the category; a number out
            of its range.
        WeightsError: The weights say nothing of the category, or have no term for a history.
    """
    _check(query)
    chosen = selection(shop, query)
    scored = score_query(shop, chosen.category, query)
    members, left_out = _without_excluded(shop, scored, chosen.members, query)
    scores = scored.scores if members is None else scored.scores[members]
    boosts = _boosts(shop, scored, query)
    if boosts is not None:
        scores = scores + (boosts.logits if members is None else boosts.logits[members])
    offset = (query.page - 1) * query.size
    rules, absent = _rerank_rules(shop, scored, members, query)
    reasons: dict[int, str] = {}
    notes = (*chosen.notes, *absent, *_taste_notes(shop, query))
    if rules:
        ranked = np.arange(len(scores)) if members is None else members
        weights = _importance(shop, scored)
        reranked = rerank(scored.table, weights, ranked, scores, rules, offset + query.size)
        shown = reranked.members[offset:]
        total = scores[np.searchsorted(ranked, shown)].round(DECIMALS)
        reasons = reranked.reasons
        notes = (*notes, *(phrase("cap-short", query.language, reason=r) for r in reranked.short))
    else:
        order, rounded = top_indices(scores, offset + query.size)
        shown, total = order[offset:], rounded[offset:]
        if members is not None:
            shown = members[shown]
    logits, names = scored.contributions(shown), scored.names
    if boosts is not None:
        logits, names = np.column_stack([logits, boosts.logits[shown]]), (*names, BOOST)
    ids = shop.items.ids
    return RankedPage(
        category=chosen.category,
        page=query.page,
        size=query.size,
        item_count=len(scores),
        version=shop.weights.version,
        ids=tuple([ids[k] for k in scored.table.rows[shown].tolist()]),
        scores=total,
        names=names,
        logits=logits,
        notes=notes,
        left_out=left_out,
        describe=lambda: _in_words(shop, scored, shown, total, boosts, reasons, query),
    )


def score_query(shop: Shop, category: str, query: Query) -> ScoredCategory:
    """The scores of a category's items for the query's shopper, before boosts."""
    history: tuple[str, ...] = query.history
    deviations: Floats | None = None
    worth: Worth | None = None
    if query.session is not None:
        deviations = query.session.deviations
        if len(deviations):
            worth = query.session.worth(shop, category)
        if history or shop.behaviour is not None:
            history = (*history, *query.session.items)
    elif query.person is not None and query.person.deviations:
        deviations, worth = _own_worth(shop, query.person, category)
    return score(shop, category, history, deviations, worth, _liking(shop, query))


def _own_worth(shop: Shop, person: PersonTastes, category: str) -> tuple[Floats, Worth]:
    """A person's deviations in a category, and what its values are worth by them."""
    kept = shop.kept_worths.get(person, category)
    if kept is None:
        deviations = population_vector(shop, person.deviations_in(category))
        worth = shop.deviation_effects(category).worth(shop.scores(category), deviations)
        kept = deviations, worth
        shop.kept_worths.put(person, category, kept, deviations.nbytes + worth.size)
    return kept


def _liking(shop: Shop, query: Query) -> PersonLiking | None:
    """The shopper's liking of items; None for nobody in particular who has bought nothing."""
    if shop.liking is None:
        return None
    if query.session is not None:
        return query.session.liking
    return None if query.person is None else shop.liking.of(query.person.liking)


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
    rows: Rows | None = None
    listed: Rows = np.empty(0, dtype=np.int64)
    if query.text is not None:
        rows, text_notes = _by_words(shop, query.text, query.language)
        notes += text_notes
    if query.candidates is not None:
        listed = np.unique(np.array([shop.item(i) for i in query.candidates], dtype=np.int64))
        rows = listed if rows is None else np.intersect1d(rows, listed)
    category = query.category or lowest_category(shop, rows if rows is not None else np.empty(0, np.int64))
    check_category(shop.ontology, category)
    in_category = shop.scores(category).rows
    if query.candidates is not None and not np.isin(listed, in_category, assume_unique=True).all():
        for item in query.candidates:
            member_index(shop, category, item)
    if not len(in_category):
        name = shop.ontology.categories[category].name(query.language)
        notes.append(phrase("category-empty", query.language, name=name))
    members = None if rows is None else np.flatnonzero(np.isin(in_category, rows, assume_unique=True))
    for wanted in query.filters:
        members = _filtered(shop, wanted, in_category, members, query.language, notes)
    return Selection(category, members, tuple(notes))


def _filtered(
    shop: Shop, wanted: Filter, rows: Rows, members: Members | None, language: str, notes: list[str]
) -> Members:
    """The members for which a filter holds; a note is added where none is left by it."""
    matching = matches(shop, wanted)[rows]
    before = len(rows) if members is None else len(members)
    after = np.flatnonzero(matching) if members is None else members[matching[members]]
    if before and not len(after):
        words = filter_words(shop, wanted, language)
        notes.append(phrase("filter-empty", language, filter=words, items=before))
    return after


def _by_words(shop: Shop, text: str, language: str) -> tuple[Rows, list[str]]:
    """The rows that match a text, and notes on words that none of them has."""
    text_matches = shop.text.find(text)
    if not text_matches.matched:
        words, vocabulary = text_matches.tokens, shop.text.vocabulary
        near = did_you_mean(words[0], vocabulary, ascending=True) if words else ""
        return text_matches.rows, [
            phrase("no-words", language, words=", ".join(text_matches.tokens)) + f" {near}"
        ]
    if text_matches.matched < len(text_matches.tokens):
        key = "some-words" if text_matches.missing else "few-words"
        parts = {
            "all": len(text_matches.tokens),
            "matched": text_matches.matched,
            "missing": ", ".join(text_matches.missing),
        }
        return text_matches.rows, [phrase(key, language, **parts)]
    return text_matches.rows, []


def lowest_category(shop: Shop, rows: Rows) -> str:
    """The lowest category with all of some items, or with all items where none are given.

    Where no category has all of them (several trees), the one with most; unlike ``Ontology.lowest_common``, an
    item in several categories counts in each.
    """
    counts = dict.fromkeys(shop.ontology.categories, 0)
    wanted = np.full(len(shop.items.ids), not len(rows))
    wanted[rows] = True
    # Of each category only the items that are wanted: all others would be sorted once for each category above.
    placed = {c: inside[wanted[inside]] for c, inside in shop.items.category_rows.items()}
    for category in counts:
        inside = [placed[c] for c in shop.subtree(category) if c in placed and len(placed[c])]
        counts[category] = len(np.unique(np.concatenate(inside))) if inside else 0
    most = max(counts.values())
    depth = {c: len(shop.ontology.ancestors(c)) for c, n in counts.items() if n == most}
    return max(sorted(depth), key=depth.__getitem__)


def _without_excluded(
    shop: Shop, scored: ScoredCategory, members: Members | None, query: Query
) -> tuple[Members | None, tuple[LeftOut, ...]]:
    left_out = []
    for exclude in query.excludes:
        is_target = targets(shop, exclude.target)[scored.table.rows]
        before = np.arange(len(is_target)) if members is None else members
        members = before[~is_target[before]]
        reason = phrase("excluded", query.language, reason=exclude.reason).strip(" :：")
        left_out.append(LeftOut(exclude.target, len(before) - len(members), reason))
    return members, tuple(left_out)


@dataclass(frozen=True)
class _Boosts:
    """What the boosts of a query do.

    Attributes:
        logits: What they add to each item (items,).
        concerned: Whether each boost concerns each item (boosts, items).
    """

    logits: Floats
    concerned: Truths


def _boosts(shop: Shop, scored: ScoredCategory, query: Query) -> _Boosts | None:
    """What boosts add; None without any."""
    if not query.boosts:
        return None
    concerned = np.array([targets(shop, boost.target)[scored.table.rows] for boost in query.boosts])
    logits = np.zeros(concerned.shape[1])
    for boost, items in zip(query.boosts, concerned, strict=True):
        logits[items] += boost.amount
    return _Boosts(logits, concerned)


def _rerank_rules(
    shop: Shop, scored: ScoredCategory, members: Members | None, query: Query
) -> tuple[RerankRules, tuple[str, ...]]:
    """The query's rules of re-ranking, and a note for each pin that is not among the items."""
    if not (query.pins or query.buries or query.caps or query.exposure or query.diversity):
        return RerankRules(), ()
    rows = scored.table.rows
    buried: dict[int, str] = {}
    ahead = np.ones(len(rows), dtype=bool)
    for bury in query.buries:
        reason = phrase("buried", query.language, reason=bury.reason).strip(" :：")
        concerned = targets(shop, bury.target)[rows]
        buried.update(dict.fromkeys(np.flatnonzero(concerned & ahead).tolist(), reason))
        ahead &= ~concerned
    pins, absent = {}, []
    ranked = rows if members is None else rows[members]
    for pin in query.pins:
        row = shop.item(pin.item)
        index = int(np.searchsorted(ranked, row))
        if index < len(ranked) and ranked[index] == row:
            pins[pin.position] = (int(np.searchsorted(rows, row)), pin.reason)
        else:
            absent.append(phrase("pin-absent", query.language, item=pin.item))
    caps = (*query.caps, *(exposure_caps(shop, scored.category, query.language) if query.exposure else ()))
    values_of = _values_by_attribute(shop, rows)
    limits = tuple(_limit(shop, values_of, cap, query.language) for cap in caps)
    return RerankRules(pins, buried, limits, query.diversity, query.language), tuple(absent)


def exposure_caps(shop: Shop, category: str, language: str = "en") -> tuple[Cap, ...]:
    """The ontology's Exposure rules that hold in a category, as caps."""
    return tuple(
        Cap(BRAND, rule.share or 0.0, rule.top or 1, rule.brand, sentence(rule, shop.ontology, language))
        for rule in shop.ontology.rules.values()
        if rule_kind(rule.kind).acts_on is ActsOn.RANKED_LISTS and category in shop.ontology.scope(rule)
    )


Values = Callable[[int], Mapping[str, Sequence[str]]]
"""The values of one of the ranked items, by attribute."""


def _values_by_attribute(shop: Shop, rows: Rows) -> Values:
    @cache
    def values_of(member: int) -> Mapping[str, Sequence[str]]:
        # Once for all caps: with many of them this is most of the work.
        by_attribute: dict[str, list[str]] = {}
        for node, _ in shop.items.values(int(rows[member])):
            attribute, value = split_value_id(node)
            by_attribute.setdefault(attribute, []).append(value)
        return by_attribute

    return values_of


def _limit(shop: Shop, values_of: Values, cap: Cap, language: str) -> Limit:
    attributes = {*shop.items.of_attribute, *shop.ontology.attributes}
    if cap.attribute not in attributes:
        todo = did_you_mean(cap.attribute, attributes)
        raise InputError(f"there is no attribute {cap.attribute!r}", todo=todo)

    @cache
    def values(member: int) -> tuple[str, ...]:
        return tuple(v for v in values_of(member).get(cap.attribute, ()) if cap.value in (None, v))

    @cache
    def reason(value: str) -> str:
        capped = phrase(
            "capped",
            language,
            name=attribute_name(shop.ontology, cap.attribute, language),
            value=value_name(shop.ontology, cap.attribute, value, language),
            share=f"{cap.share:.0%}",
            top=cap.top,
        )
        return f"{capped}. {cap.reason}".strip(" .")

    # A share like .3 of 10 places is 3 places, though .3 · 10 is a little less in binary.
    return Limit(values, math.floor(cap.share * cap.top + 1e-9), cap.top, reason)


def _importance(shop: Shop, scored: ScoredCategory) -> Floats:
    """(attributes,) shares in the order of the table."""
    share = {a.attribute: a.share for a in shop.weights_of(scored.category).attributes}
    return np.array([share[a] for a in scored.table.attributes])


def segment_note(shop: Shop, segment: str, language: str) -> str:
    """Whose mean tastes stand in for those of one shopper."""
    name, people = (
        shop.ontology.segments[segment].name(language),
        shop.weights.population.segments[segment].people,
    )
    return phrase("by-segment", language, segment=name, people=people)


def _taste_notes(shop: Shop, query: Query) -> list[str]:
    """A note where the query names a shopper of whose tastes nothing is known."""
    if query.session is not None and not shop.weights.population.columns and query.session.events:
        return [phrase("no-population", query.language)]
    if query.session is None and query.person is not None and not query.person.is_known:
        if query.person.segment is None:
            return [phrase("nobody-known", query.language)]
        return [segment_note(shop, query.person.segment, query.language)]
    return []


def _in_words(
    shop: Shop,
    scored: ScoredCategory,
    shown: Members,
    total: Floats,
    boosts: _Boosts | None,
    reranked: dict[int, str],
    query: Query,
) -> tuple[RankedItem, ...]:
    """The items of a page with their contributions, boosts among them, and why they are where they are."""
    start = (query.page - 1) * query.size + 1
    items = show(shop, scored, shown, total, range(start, start + len(shown)), query.language)
    explained = []
    for member, item in zip(shown.tolist(), items, strict=True):
        reasons = (reranked[member],) if member in reranked else ()
        parts: Sequence[Contribution] = item.contributions
        if boosts is not None and boosts.logits[member]:
            why = [query.boosts[k].reason for k in np.flatnonzero(boosts.concerned[:, member])]
            words = "; ".join(phrase("boosted", query.language, reason=r).strip(" :：") for r in why)
            if len(words) > LONGEST_REASON:
                words = f"{words[: LONGEST_REASON - 1]}…"
            boost = Contribution(BOOST, BOOST, float(boosts.logits[member]), None, words)
            parts, reasons = sorted((*parts, boost), key=lambda c: -abs(c.logits)), (words, *reasons)
        explained.append(replace(item, contributions=tuple(parts), reasons=reasons))
    return tuple(explained)
