"""Why a behaviour term counts for an item, in words."""

from __future__ import annotations

from collections.abc import Sequence

from kgrank.choice.behaviour.terms import (
    ALIKE,
    LENGTH,
    LINKED,
    NOW,
    POPULAR,
    STEPS,
    TITLE_TERMS,
    flow,
    grouping_of,
    in_history,
    popular,
    same,
)
from kgrank.ranking.catalogue.behaviour import Behaviour
from kgrank.ranking.catalogue.items import Items
from kgrank.ranking.catalogue.phrases import grouping_name, phrase


def reason(
    behaviour: Behaviour, term: str, history: Sequence[int], item: int, items: Items, language: str
) -> tuple[str | None, str]:
    """The item of the history behind a term, if there is one, and the term in words."""
    for pair in (t for t in behaviour.terms if t.name == term and t.of):
        first, second = (reason(behaviour, name, history, item, items, language) for name in pair.of)
        return first[0], phrase("term-pair", language, first=first[1], second=second[1])
    if term in LINKED:
        return _linked(behaviour, term, history, item, items, language)
    if term in TITLE_TERMS:
        return _worded(behaviour, history, item, items, language)
    if term == ALIKE:
        people = behaviour.similar_people_count(history, item)
        if 0 < people < behaviour.privacy.fewest_people:
            return None, phrase("few-people-like-you", language)
        kind = "people-like-you" if people else "no-people-like-you"
        return None, _by_people(phrase(f"term-{kind}", language), people, language)
    if term == NOW and behaviour.statistics.recent is not None:
        days = behaviour.statistics.recent.half_life / 86_400
        return None, phrase("term-popular-now", language, days=f"{days:g}")
    if term in STEPS or term in (POPULAR, LENGTH):
        return None, phrase(f"term-{term}", language)
    return None, _grouped(behaviour, term, int(history[-1]), item, items, language)


def _linked(
    behaviour: Behaviour, term: str, history: Sequence[int], item: int, items: Items, language: str
) -> tuple[str | None, str]:
    strongest = behaviour.strongest_source(term, history, item)
    if strongest is None:
        return None, phrase("goes-after-none", language)
    if strongest.item is None:
        return None, phrase("few-people", language)
    words = phrase(f"term-{term}", language, title=_title(items, strongest.item))
    return items.ids[strongest.item], _by_people(words, strongest.people, language)


def _by_people(words: str, people: int, language: str) -> str:
    """The words, and how many people they are about."""
    if not people:
        return words
    return phrase("by-person" if people == 1 else "by-people", language, words=words, people=people)


def _worded(
    behaviour: Behaviour, history: Sequence[int], item: int, items: Items, language: str
) -> tuple[str | None, str]:
    vectors = behaviour.statistics.title_vectors
    recent = behaviour.recent(history)[::-1].tolist()
    shared = {source: vectors.shared(item, source) for source in recent} if vectors is not None else {}
    source = max(shared, key=lambda s: len(shared[s]), default=None)
    if source is None or not shared[source]:
        return None, phrase("term-no-words", language)
    named = phrase("and", language).join(f"“{word}”" for word in shared[source][:3])
    return items.ids[source], phrase("term-words", language, words=named, title=_title(items, source))


def _grouped(behaviour: Behaviour, term: str, last: int, item: int, items: Items, language: str) -> str:
    """The words of a term of a grouping, given the last item of the history."""
    group = next(g for g in behaviour.statistics.groupings if g.name == grouping_of(term))
    alike = group.label[last] == group.label[item] < len(group.labels)
    kinds = {
        same(group.name): "same-group" if alike else "other-group",
        in_history(group.name): "group-in-history",
        flow(group.name): "group-flow",
        popular(group.name): "popular-group",
    }
    name = grouping_name(group.name, language)
    return phrase(f"term-{kinds[term]}", language, name=name, title=_title(items, last))


def _title(items: Items, item: int) -> str:
    return items.titles[item] or items.ids[item]
