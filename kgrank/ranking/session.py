"""A session as it happens: each event is a choice among what was shown, and moves the shopper's own tastes.

The tastes are the mode of the person's posterior (``kgrank.choice.request``): the population, or what is known of
the shopper, is the prior, and each event adds weight · log P(what was taken | what was shown), where weight is
that of its kind times ``decay`` to the power of its age in events. An event that does not say what was shown is a
choice against items drawn at random from the category; a search is one of the average match against the average
item. Events older than ``horizon`` count no more.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np

from kgrank.choice.online import Online
from kgrank.choice.sets import INSIDE
from kgrank.errors import InputError, nearest
from kgrank.ranking.items import Integers, Reals
from kgrank.ranking.scores import Worth
from kgrank.ranking.shop import Shop, check_category

if TYPE_CHECKING:
    from kgrank.choice.request import PersonTastes

SEARCHED = 64
"""Matches of a search, evenly spaced, that stand for all of them."""


@dataclass(frozen=True)
class SessionRule:
    """How events count. The numbers are conventions, not learned: logs do not say how fast a wish fades.

    Attributes:
        decay: What is left of an event's weight one event later.
        kinds: Weight of an event by its kind.
        horizon: Number of events that count.
        alternatives: Alternatives of a choice at most; of more, evenly spaced ones (a sample of the alternatives
            leaves the estimate consistent, McFadden 1978).
    """

    decay: float = 0.9
    kinds: Mapping[str, float] = field(
        default_factory=lambda: {"search": 1.0, "view": 1.0, "cart": 2.0, "purchase": 3.0}
    )
    horizon: int = 20
    alternatives: int = 20


@dataclass(frozen=True)
class Event:
    """Something a shopper did.

    Attributes:
        kind: ``search``, ``view``, ``cart`` or ``purchase``.
        item: What was looked at, put into the cart or bought; None for a search.
        text: What was searched for.
        shown: What was shown, in the order of the screen; empty where it is not known.
        category: Where it happened; by default the lowest category that holds what was shown.
    """

    kind: str
    item: str | None = None
    text: str | None = None
    shown: tuple[str, ...] = ()
    category: str | None = None


@dataclass(frozen=True)
class Session:
    """A shopper's events so far, and their tastes by them; made by ``start``, ``observe`` and ``undo``.

    Attributes:
        rule: How events count.
        events: Oldest first.
        posterior: Of the shopper's deviations, in the order of the population's columns.
    """

    rule: SessionRule
    events: tuple[Event, ...]
    posterior: Online
    worths: dict[str, Worth] = field(default_factory=dict, repr=False, compare=False)
    """What values are worth to the shopper, by category; made when first asked for."""

    @property
    def deviations(self) -> Reals:
        """(columns,) the shopper's tastes by now."""
        return self.posterior.mode

    @property
    def items(self) -> tuple[str, ...]:
        """The items of the events, oldest first, an item several times in a row once."""
        named = (e.item for e in self.events if e.item is not None)
        return tuple(item for item, _ in groupby(named))


def start(shop: Shop, person: PersonTastes | None = None, rule: SessionRule | None = None) -> Session:
    """A session without events: at the population, or at a known shopper's own tastes."""
    mean, precision = shop.population
    if person is not None and person.posterior is not None:
        mean = person.posterior.mean
        precision = np.asarray(np.linalg.inv(person.posterior.covariance), dtype=np.float64)
    used = rule or SessionRule()
    # One alternative more than of items: taking nothing.
    return Session(used, (), Online.of(mean, precision, used.horizon, used.alternatives + 1))


def observe(shop: Shop, session: Session, event: Event) -> Session:
    """The session after one more event.

    Raises:
        InputError: An unknown kind, item or category, or an item that was not among those shown.
    """
    rule = session.rule
    choice = _choice(shop, session, event)
    events = (*session.events, event)
    if choice is None:
        return replace(session, events=events)
    category, x, offset = choice
    posterior = session.posterior.after(x, offset, rule.kinds[event.kind], rule.decay)
    after = Session(rule, events, posterior)
    worth(shop, after, category)
    return after


def worth(shop: Shop, session: Session, category: str) -> Worth:
    """What the values of a category are worth to the shopper by now."""
    if category not in session.worths:
        session.worths[category] = shop.moves(category).worth(shop.scores(category), session.deviations)
    return session.worths[category]


def undo(shop: Shop, session: Session, which: int = -1) -> Session:
    """The session as if an event had never happened; by default the last one.

    Raises:
        InputError: There is no such event.
    """
    count = len(session.events)
    if not -count <= which < count:
        raise InputError(f"there is no event {which}", expected=f"one of {count} events")
    left = [e for k, e in enumerate(session.events) if k != which % count]
    return replay(shop, session, left)


def replay(shop: Shop, session: Session, events: Sequence[Event]) -> Session:
    """A session with the same prior and other events, as if they had come one by one."""
    prior, rule = session.posterior, session.rule
    fresh = Session(rule, (), Online.of(prior.mean, prior.precision, rule.horizon, rule.alternatives + 1))
    for event in events:
        fresh = observe(shop, fresh, event)
    return fresh


def _choice(shop: Shop, session: Session, event: Event) -> tuple[str, Reals, Reals] | None:
    """Category, columns and offsets of an event's alternatives, the taken one first; None if it says nothing."""
    if event.kind not in session.rule.kinds:
        raise InputError(
            f"there is no kind of event {event.kind!r}", todo=nearest(event.kind, session.rule.kinds)
        )
    if event.category is not None:
        check_category(shop.ontology, event.category)
    if event.kind == "search":
        return _search(shop, session, event)
    if event.item is None:
        raise InputError(f"an event of kind {event.kind!r} names no item", expected="an item's id")
    item, index = shop.item(event.item), shop.items.index
    shown = [index[i] if i in index else shop.item(i) for i in event.shown]
    if shown and item not in shown:
        raise InputError(f"item {event.item!r} was not among the {len(shown)} shown", expected="one of them")
    category = event.category or shop.home(shown or [item])
    if category is None or category not in shop.weights.categories or not len(session.posterior.mean):
        return None
    members = shop.scores(category).members
    if not shown:
        drawn = np.random.default_rng(len(session.events)).choice(members, session.rule.alternatives)
        others = drawn[drawn != item]
        return _padded(shop, session, category, np.concatenate([[item], others[:-1]]), None)
    gone = {shop.item(e.item) for e in session.events if e.item is not None and e.shown == event.shown}
    places = [k for k, other in enumerate(shown) if other != item and other not in gone]
    if len(places) > session.rule.alternatives - 1:
        even = np.linspace(0, len(places) - 1, session.rule.alternatives - 1).round().astype(int)
        places = [places[k] for k in even.tolist()]
    places = [shown.index(item), *places]
    rows = np.array([shown[k] for k in places], dtype=np.int64)
    return _padded(shop, session, category, rows, (places, not gone))


def _padded(
    shop: Shop, session: Session, category: str, items: Integers, screen: tuple[list[int], bool] | None
) -> tuple[str, Reals, Reals] | None:
    """Some items as alternatives; ``screen`` has their places and whether nothing was taken of the list before."""
    learned, table, moved = shop.weights_of(category), shop.scores(category), shop.moves(category)
    at = np.minimum(np.searchsorted(table.members, items), max(len(table.members) - 1, 0))
    inside = table.members[at] == items if len(table.members) else np.zeros(len(items), dtype=bool)
    if not inside[:1].all() or not len(items):
        return None
    at = at[inside]
    width, count = len(session.posterior.mean), len(at)
    x = np.zeros((session.rule.alternatives + 1, width))
    offset = np.full(session.rule.alternatives + 1, -np.inf)
    x[:count] = moved.rows(table, at)
    offset[:count] = table.of_numbers[at] + table.worth.profile[table.profiles.own[at]].sum(axis=1)
    if screen is not None and learned.nuisance:
        places = [k for k, here in zip(screen[0], inside.tolist(), strict=True) if here]
        offset[:count] += [learned.nuisance.get(f"position {k + 1}", 0.0) for k in places]
        if INSIDE in learned.nuisance:
            offset[:count] += learned.nuisance[INSIDE]
            if INSIDE in shop.column:
                x[:count, shop.column[INSIDE]] = 1.0
            if screen[1]:
                # The outside option has utility 0 and could be taken until something else was.
                offset[count] = 0.0
    return category, x, offset


def _search(shop: Shop, session: Session, event: Event) -> tuple[str, Reals, Reals] | None:
    """The average match against the average item, from which all columns are measured."""
    if not event.text:
        raise InputError("a search has no text", expected="words")
    found = shop.text.find(event.text).rows
    category = event.category or shop.home(found.tolist())
    if category is None or category not in shop.weights.categories or not len(session.posterior.mean):
        return None
    table = shop.scores(category)
    at = np.flatnonzero(np.isin(table.members, found, assume_unique=True))
    if not len(at) or len(at) == len(table.members):
        return None
    at = at[np.linspace(0, len(at) - 1, min(len(at), SEARCHED)).round().astype(int)]
    x = np.zeros((session.rule.alternatives + 1, len(session.posterior.mean)))
    offset = np.full(session.rule.alternatives + 1, -np.inf)
    x[0] = shop.moves(category).rows(table, at).mean(axis=0)
    offset[0] = float(table.total[at].mean())
    offset[1] = float(table.total.mean())
    return category, x, offset
