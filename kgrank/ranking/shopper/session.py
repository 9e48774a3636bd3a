"""A session as it happens: each event is a choice among what was shown, and moves the shopper's own tastes.

The tastes are the mode of the person's posterior (``kgrank.choice.tastes.person``): the population, or what
is known of the shopper, is the prior, and each event adds weight · log P(what was taken | what was shown).
An event of kind k has its utility in the learned scale of that kind (``kgrank.choice.logit.feedback_scales``),
and the weight is ``decay`` to the power of its age in events.

- An event on a shown item is a choice among what was shown, positions on the screen and taking nothing accounted
  for as in training; what was taken from the same list before by an event of the same or a stronger kind is
  no alternative, and a stronger event on an item replaces the weaker one.
- An event that does not say what was shown is a choice against items drawn at random from the category.
- A search that names a value is a choice of it among the values of its attribute.

A purchase also counts at once in what the shopper bought, by which they like items of any category
(``kgrank.choice.tastes.liking``); it counts in full as long as the session lasts.

Choices beyond ``horizon`` count no more. The update is in ``kgrank.choice.tastes.online``: a Newton step an
event.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np

from kgrank.arrays import Floats, Ints
from kgrank.choice.data.responses import RESPONSES
from kgrank.choice.data.searches import values_in_query
from kgrank.choice.logit.choice_sets import INSIDE, SUPPLY, position_span
from kgrank.choice.tastes.liking import PersonLiking
from kgrank.choice.tastes.online import Online
from kgrank.errors import InputError, did_you_mean
from kgrank.ranking.catalogue.scores import Worth
from kgrank.ranking.catalogue.shop import Shop, check_category

SEARCH = "search"
KINDS = (SEARCH, *RESPONSES)
"""Kinds of events, from the weakest to the strongest."""

REMEMBERED = 50
"""Events that a session keeps; an earlier one has .5 % of the weight of the latest."""

if TYPE_CHECKING:
    from kgrank.choice.tastes.person import PersonTastes


@dataclass(frozen=True)
class SessionRule:
    """How events fade. The numbers are conventions, not learned: logs do not say how fast tastes change.

    Attributes:
        decay: What is left of an event's weight one event later.
        horizon: Number of choices that count.
        alternatives: Alternatives of a choice at most; of more, evenly spaced ones (a sample of the alternatives
            leaves the estimate consistent, McFadden 1978).
    """

    decay: float = 0.9
    horizon: int = 20
    alternatives: int = 20


@dataclass(frozen=True, slots=True)
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
        events: The last ``REMEMBERED``, oldest first.
        posterior: Of the shopper's deviations, in the order of the population's columns.
        owners: Numbers of the events behind the choices that count, from the first event of all.
        forgotten: Events before those that are kept.
        earlier: The liking of items before the events that are kept: of a known shopper, as they came; None for
            nobody in particular who had bought nothing.
        liking: The same by now.
    """

    rule: SessionRule
    events: tuple[Event, ...]
    posterior: Online
    owners: tuple[int, ...] = ()
    forgotten: int = 0
    earlier: PersonLiking | None = None
    liking: PersonLiking | None = None
    worths: dict[str, Worth] = field(default_factory=dict, repr=False, compare=False)
    """What values are worth to the shopper, by category; made when first asked for."""

    @property
    def count(self) -> int:
        """Events so far."""
        return self.forgotten + len(self.events)

    @property
    def deviations(self) -> Floats:
        """(columns,) the shopper's tastes by now."""
        return self.posterior.mode

    def worth(self, shop: Shop, category: str) -> Worth:
        """What the values of a category are worth to the shopper by now."""
        worth = self.worths.get(category)
        if worth is None:
            worth = shop.deviation_effects(category).worth(shop.scores(category), self.deviations)
            self.worths[category] = worth
        return worth

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
        covariance, within = person.posterior.covariance, shop.weights.population.within
        # A session is short: what it moves holds wherever it goes, so a departure is part of its prior.
        covariance = covariance + np.array(within) if within else covariance
        precision = np.asarray(np.linalg.inv(covariance), dtype=np.float64)
    used = rule or SessionRule()
    # One alternative more than of items: taking nothing.
    prior = Online.of(mean, precision, used.horizon, used.alternatives + 1)
    known = None if person is None or shop.liking is None else shop.liking.of(person.liking)
    return Session(rule=used, events=(), posterior=prior, earlier=known, liking=known)


def observe(shop: Shop, session: Session, event: Event) -> Session:
    """The session after one more event.

    Raises:
        InputError: An unknown kind, item or category, or an item that was not among those shown.
    """
    category, choices = _choices(shop, session, event)
    number, owners, posterior = session.count, session.owners, session.posterior
    decay, superseded = session.rule.decay, _weaker(session, event)
    for x, offset in choices:
        posterior = posterior.after(x, offset, decay, superseded)
        owners = (*owners, number)[-len(posterior.weight) :]
        # The choices of one event are of one age.
        decay, superseded = 1.0, None
    events = (*session.events, _sharing_strings(shop, session, event))[-REMEMBERED:]
    after = Session(
        rule=session.rule,
        events=events,
        posterior=posterior,
        owners=owners,
        forgotten=session.count + 1 - len(events),
        earlier=_after(shop, session.earlier, session.events[: 1 - REMEMBERED]),
        liking=_after(shop, session.liking, (event,)),
    )
    if category is not None and choices:
        after.worth(shop, category)
    return after


def _after(shop: Shop, liking: PersonLiking | None, events: Sequence[Event]) -> PersonLiking | None:
    """A shopper's liking after what some events bought; the same object where they bought nothing."""
    if shop.liking is not None:
        for event in events:
            number = shop.liking.number.get(event.item or "")
            if number is not None and event.kind in shop.liking.weights.kinds:
                liking = (liking or shop.liking.nobody).after(number)
    return liking


def _sharing_strings(shop: Shop, session: Session, event: Event) -> Event:
    """An equal event, whose ids are the shop's own strings and whose list is that of an earlier event.

    A message has strings of its own: 20 events on a list of 500 items would take half a megabyte.
    """
    ids, index = shop.items.ids, shop.items.index
    shown = next((e.shown for e in session.events if e.shown == event.shown), None)
    if shown is None:
        shown = tuple(ids[index[item]] for item in event.shown)
    item = None if event.item is None else ids[index[event.item]]
    return replace(event, item=item, shown=shown)


def _weaker(session: Session, event: Event) -> int | None:
    """The choice of a weaker event on the same item of the same list, by its number among those that count."""
    if not event.shown:
        return None
    for choice, number in enumerate(session.owners):
        if number < session.forgotten:
            continue
        before = session.events[number - session.forgotten]
        same = (before.item, before.shown) == (event.item, event.shown)
        if same and KINDS.index(before.kind) < KINDS.index(event.kind):
            return choice
    return None


def undo(shop: Shop, session: Session, number: int = -1) -> Session:
    """The session as if an event had never happened, by its number from the first of all; by default the last.

    Raises:
        InputError: There is no such event, or it is no longer kept.
    """
    count = len(session.events)
    index = number - session.forgotten if number >= 0 else number + count
    if not 0 <= index < count:
        expected = f"one of {session.forgotten} to {session.count - 1}" if count else "an event first"
        raise InputError(f"there is no event {number}", expected=expected)
    return replay(shop, session, [e for k, e in enumerate(session.events) if k != index])


def replay(shop: Shop, session: Session, events: Sequence[Event]) -> Session:
    """A session with the same prior and other events, as if they had come one by one."""
    prior, rule = session.posterior, session.rule
    posterior = Online.of(prior.mean, prior.precision, rule.horizon, rule.alternatives + 1)
    session_after = Session(
        rule=rule,
        events=(),
        posterior=posterior,
        forgotten=session.forgotten,
        # What was bought in events that are no longer kept stays bought.
        earlier=session.earlier,
        liking=session.earlier,
    )
    for event in events:
        session_after = observe(shop, session_after, event)
    return session_after


def _choices(shop: Shop, session: Session, event: Event) -> tuple[str | None, list[tuple[Floats, Floats]]]:
    """An event's category, and columns and offsets of the alternatives of its choices, the taken one first."""
    if event.kind not in KINDS:
        raise InputError(f"there is no kind of event {event.kind!r}", todo=did_you_mean(event.kind, KINDS))
    if event.category is not None:
        check_category(shop.ontology, event.category)
    if event.item is not None:
        # Of a search too: an unknown item would be in the history of every ranking from then on.
        shop.item(event.item)
    if event.kind == SEARCH:
        return _search(shop, session, event)
    if event.item is None:
        raise InputError(f"an event of kind {event.kind!r} names no item", expected="an item's id")
    item, index = shop.item(event.item), shop.items.index
    shown = [index[i] if i in index else shop.item(i) for i in event.shown]
    if shown and item not in shown:
        raise InputError(f"item {event.item!r} was not among the {len(shown)} shown", expected="one of them")
    category = event.category or shop.common_category(shown or [item])
    if category is None or category not in shop.weights.categories or not len(session.deviations):
        return None, []
    if not shown:
        rows_inside, count = shop.scores(category).rows, session.rule.alternatives - 1
        drawn = (
            np.random.default_rng(session.count).choice(rows_inside, count)
            if len(rows_inside)
            else rows_inside
        )
        rows = np.concatenate([[item], drawn[drawn != item]])
        return category, _alternatives(shop, session, category, event.kind, rows, None)
    taken = _taken_before(session, event)
    others = [k for k, other in enumerate(shown) if other != item and event.shown[k] not in taken]
    positions = [shown.index(item), *_spaced(others, session.rule.alternatives - 1)]
    rows = np.array([shown[k] for k in positions], dtype=np.int64)
    screen = _Screen(positions, not taken and event.kind == shop.weights.reliability.entry)
    return category, _alternatives(shop, session, category, event.kind, rows, screen)


def _taken_before(session: Session, event: Event) -> set[str]:
    """What was taken from the same list before, by an event of the same or a stronger kind."""
    strength = KINDS.index(event.kind)
    return {
        e.item
        for e in session.events
        if e.item is not None and e.shown == event.shown and KINDS.index(e.kind) >= strength
    } - {event.item}


def _spaced(indices: Sequence[int], count: int) -> list[int]:
    """So many of some indices, evenly spaced."""
    if len(indices) <= count:
        return list(indices)
    return [indices[k] for k in np.linspace(0, len(indices) - 1, count).round().astype(int).tolist()]


@dataclass(frozen=True)
class _Screen:
    """Positions of alternatives on a screen, from 0, and whether nothing could be taken instead."""

    positions: list[int]
    has_outside: bool


def _alternatives(
    shop: Shop, session: Session, category: str, kind: str, rows: Ints, screen: _Screen | None
) -> list[tuple[Floats, Floats]]:
    """The choice of the first of some items, by row; none where it is outside the category."""
    weights, table = shop.weights_of(category), shop.scores(category)
    members = np.minimum(np.searchsorted(table.rows, rows), max(len(table.rows) - 1, 0))
    inside = table.rows[members] == rows if len(table.rows) else np.zeros(len(rows), dtype=bool)
    if not inside[0]:
        return []
    members, scale = members[inside], shop.weights.reliability.scale.get(kind, 1.0)
    count = len(members)
    x, offset = _empty_alternatives(session)
    x[:count] = shop.deviation_effects(category).rows(table, members)
    offset[:count] = table.of_numbers[members] + table.worth.profile[
        table.profiles.item_profiles[members]
    ].sum(axis=1)
    if scale != 1.0:
        x *= scale
        offset[:count] *= scale
    if screen is not None and weights.nuisance:
        # Being looked at, or taking nothing, has nothing to do with how well tastes are followed.
        offset[:count] += _position_effects(weights.nuisance, screen.positions)[inside]
        if INSIDE in weights.nuisance:
            offset[:count] += weights.nuisance[INSIDE]
            x[:count, shop.column.get(INSIDE, slice(0))] = 1.0
            if screen.has_outside:
                offset[count] = 0.0
    return [(x, offset)]


def _empty_alternatives(session: Session) -> tuple[Floats, Floats]:
    """Columns and offsets of no alternatives yet."""
    count = session.rule.alternatives + 1
    return np.zeros((count, len(session.deviations))), np.full(count, -np.inf)


def _position_effects(nuisance: Mapping[str, float], positions: Sequence[int]) -> Floats:
    """(positions,) what being shown at positions of a screen, from 0, adds to a utility."""
    logits = np.zeros(len(positions))
    for name, amount in nuisance.items():
        span = position_span(name)
        if span is not None:
            logits += [amount * (span[0] <= position + 1 <= span[1]) for position in positions]
    return logits


def _search(shop: Shop, session: Session, event: Event) -> tuple[str | None, list[tuple[Floats, Floats]]]:
    """A choice for each attribute of which the words name a value."""
    if not event.text:
        raise InputError("a search has no text", expected="words")
    category = event.category or shop.common_category(shop.text.find(event.text).rows.tolist())
    if category is None or category not in shop.weights.categories or not len(session.deviations):
        return None, []
    weights, effects, layout = (
        shop.weights_of(category),
        shop.deviation_effects(category),
        shop.design(category).layout,
    )
    scale = shop.weights.reliability.scale.get(SEARCH, 1.0)
    utility = {u.node: u.at(1.0) for u in weights.utilities}
    choices = []
    for attribute, node in values_in_query(event.text, shop.phrases(category)).items():
        block = layout.block.get(attribute)
        if block is None or node not in block.nodes or len(block.nodes) < 2:
            continue
        others = _spaced([k for k, n in enumerate(block.nodes) if n != node], session.rule.alternatives - 1)
        values = [block.nodes.index(node), *others]
        x, offset = _empty_alternatives(session)
        for k, value in enumerate(values):
            x[k] = scale * effects.values[block.nodes[value]]
            offset[k] = scale * utility.get(block.nodes[value], 0.0)
            offset[k] += weights.nuisance.get(SUPPLY, 0.0) * np.log(block.share[value])
        choices.append((x, offset))
    return category, choices
