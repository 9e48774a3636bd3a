"""Why an item has its position in a category: attribute by attribute, in numbers and in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from kgrank.errors import InputError
from kgrank.ranking.answers import AttributeReason, Contribution, Explanation
from kgrank.ranking.catalogue.phrases import attribute_name, phrase, value_words
from kgrank.ranking.catalogue.shop import Shop
from kgrank.ranking.catalogue.top import DECIMALS, position
from kgrank.ranking.explain.liking import liking_reason
from kgrank.ranking.explain.uncertainty import Z_95, standard_errors
from kgrank.ranking.page.answer import score_query
from kgrank.ranking.page.query import Query
from kgrank.ranking.page.score import (
    ScoredCategory,
    member_index,
    population_vector,
    score,
    show,
    value_worths,
)

if TYPE_CHECKING:
    from kgrank.choice.tastes.online import Online
    from kgrank.ranking.shopper.session import Session


def explain(
    shop: Shop,
    item: str,
    category: str,
    *,
    history: Sequence[str] = (),
    person: Mapping[str, float] | None = None,
    session: Session | None = None,
    language: str = "en",
) -> Explanation:
    """Why an item has its position in a category.

    Args:
        shop: Where.
        item: Its id.
        category: The category that is ranked.
        history: Items looked at in this session, oldest first.
        person: A person's deviations, as in ``rank``; a session brings its own.
        session: The shopper's session so far.
        language: Of the words, ``en`` or ``zh``.

    Returns:
        The explanation, the attributes with the largest contributions first.

    Raises:
        InputError: An unknown category or item, or an item outside the category.
        WeightsError: The weights say nothing of the category, or have no term for a history.
    """
    if session is not None:
        query = Query(category, history=tuple(history), session=session, language=language)
        return explain_query(shop, query, item)
    scored = score(shop, category, history, population_vector(shop, person) if person else None)
    return _explanation(shop, scored, item, language)


def _explanation(
    shop: Shop, scored: ScoredCategory, item: str, language: str, tastes: Online | None = None
) -> Explanation:
    """Why an item has its position among scored ones, with the errors of a shopper's tastes in a session."""
    category = scored.category
    member = member_index(shop, category, item)
    rank = position(scored.scores, member)
    (shown,) = show(
        shop, scored, np.array([member]), scored.scores[[member]].round(DECIMALS), (rank,), language
    )
    attributes = [c for c in shown.contributions if c.kind == "attribute"]
    errors = standard_errors(shop, scored, member, tastes=tastes)
    error = dict(zip(scored.names, errors.tolist(), strict=True))
    sentence = phrase(
        "position-of",
        language,
        title=shown.title or item,
        position=rank,
        items=len(scored.scores),
        category=shop.ontology.categories[category].name(language),
        score=shown.score,
    )
    return Explanation(
        version=shop.weights.version,
        category=category,
        item=item,
        title=shown.title,
        position=rank,
        item_count=len(scored.scores),
        score=shown.score,
        sentence=sentence,
        attributes=tuple(_reason(shop, scored, member, c, error[c.name], language) for c in attributes),
        terms=tuple(c for c in shown.contributions if c.kind == "term"),
        liking=liking_reason(shop, scored, member, language),
    )


def explain_query(
    shop: Shop, query: Query, item: str, *, over: str | None = None, into: int | None = None
) -> Explanation:
    """Why an item has its position in the ranking of a query's category, and on demand what would change that.

    Args:
        shop: Where.
        query: Its category, history, shopper, session and language; filters are not considered.
        item: The item's id.
        over: Also compare with this item.
        into: Also say what would bring the item among so many first.

    Raises:
        InputError: No category; else as in ``explain``, ``compare`` and ``counterfactuals``.
        WeightsError: As in ``explain``.
    """
    if query.category is None:
        raise InputError("no category is named", expected="the category that is ranked")
    scored = score_query(shop, query.category, query)
    tastes = query.session.posterior if query.session else None
    explanation = _explanation(shop, scored, item, query.language, tastes)
    if over is not None:
        # Only comparisons need scipy.
        from kgrank.ranking.explain.compare import compare

        explanation = replace(explanation, comparison=compare(shop, query, item, over))
    if into is not None:
        from kgrank.ranking.explain.counterfactuals import counterfactuals

        explanation = replace(explanation, counterfactuals=counterfactuals(shop, query, item, into))
    return explanation


def _reason(
    shop: Shop, scored: ScoredCategory, member: int, part: Contribution, error: float, language: str
) -> AttributeReason:
    table, learned = scored.table, shop.weights_of(scored.category)
    column = table.column(part.name, scored.worth, scored.units)
    values = shop.items.values_of(int(table.rows[member]), part.name)
    rank, count = _value_rank(value_worths(shop, scored.category, part.name, scored.deviations), values)
    name = attribute_name(shop.ontology, part.name, language)
    words = value_words(shop.ontology, values, language)
    average = scored.strength * float(column.mean())
    better_than = float((column < column[member]).mean())
    if part.value is None:
        sentence = phrase("missing", language, name=name)
    else:
        sentence = phrase(
            "adds",
            language,
            what=phrase("is", language, name=name, value=words),
            how=_rank_phrase(rank, count, better_than, language),
            difference=part.logits - average,
        )
    return AttributeReason(
        attribute=part.name,
        name=name,
        value=part.value,
        words=words,
        logits=part.logits,
        average=average,
        share=next(a.share for a in learned.attributes if a.attribute == part.name),
        value_rank=rank,
        value_count=count,
        better_than=better_than,
        sentence=sentence,
        lower=part.logits - Z_95 * error,
        upper=part.logits + Z_95 * error,
    )


def _value_rank(worths: Mapping[str, float], values: Sequence[tuple[str, float]]) -> tuple[int | None, int]:
    """Rank of a single value among the attribute's values, and how many there are."""
    if len(values) != 1 or values[0][0] not in worths:
        return None, len(worths)
    return 1 + sum(w > worths[values[0][0]] for w in worths.values()), len(worths)


def _rank_phrase(rank: int | None, count: int, better_than: float, language: str) -> str:
    if rank is None:
        return phrase("better-than", language, share=f"{better_than:.0%}")
    if count == 1:
        return phrase("only", language)
    key = "best" if rank == 1 else "last" if rank == count else "rank"
    return phrase(key, language, rank=rank, count=count)
