"""The sessions of shoppers, in memory; each follows the weights that are served."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from sys import getsizeof

from kgrank.choice.tastes.person import PersonTastes
from kgrank.errors import InputError
from kgrank.ranking.catalogue.shop import Shop
from kgrank.ranking.shopper.session import Event, Session, observe, start, undo

ENTRY = 4096
"""Bytes of the objects of a session without its arrays and events."""


@dataclass(frozen=True)
class _Entry:
    session: Session
    shop: Shop
    user: str | None
    person: PersonTastes | None
    seen: float
    size: int
    worth_count: int


class SessionBook:
    """Sessions by id; the longest unused are forgotten.

    Args:
        room: Bytes that the sessions take at most. One of 60 part-worths with 20 events on lists of 20 takes
            400 kB.
        idle: Seconds without an event after which a session has ended.

    Attributes:
        taken: Bytes that they take now.
    """

    def __init__(self, room: int = 2 << 30, idle: float = 3600.0) -> None:
        self._room = room
        self._idle = idle
        self._open: OrderedDict[str, _Entry] = OrderedDict()
        self.taken = 0

    def __len__(self) -> int:
        return len(self._open)

    def get(self, name: str, shop: Shop, now: float | None = None) -> Session | None:
        """A session under the shop's weights; None where there is none."""
        moment = time.monotonic() if now is None else now
        entry = self._open.get(name)
        if entry is None or moment - entry.seen > self._idle:
            self.end(name)
            return None
        if entry.shop is not shop:
            # Another version of the weights, or of the catalogue: the events happen again under it.
            entry = _weighed(replace(entry, session=_again(shop, entry.session, entry.person), shop=shop))
        elif len(entry.session.worths) != entry.worth_count:
            # A ranking in another category has left there what its values are worth to the shopper.
            entry = _weighed(entry)
        self.taken += entry.size - self._open[name].size
        self._open[name] = entry
        return entry.session

    def shopper(self, name: str) -> tuple[str | None, PersonTastes | None]:
        """The user with whom a session began, and their tastes; None where nobody was named."""
        entry = self._open.get(name)
        return (None, None) if entry is None else (entry.user, entry.person)

    def observe(
        self,
        name: str,
        shop: Shop,
        events: Sequence[Event],
        user: str | None = None,
        person: PersonTastes | None = None,
    ) -> Session:
        """The session after some more events; all of them count, or none where one is wrong.

        Args:
            name: Of the session.
            shop: Where.
            events: What the shopper did, oldest first.
            user: With whom a new session begins.
            person: Their tastes.

        Raises:
            InputError: As in ``kgrank.ranking.shopper.session.observe``.
        """
        before = self.get(name, shop)
        session = start(shop, person) if before is None else before
        for event in events:
            session = observe(shop, session, event)
        shopper = self.shopper(name) if before is not None else (user, person)
        self._store(name, session, shop, *shopper)
        return session

    async def observe_in_turn(
        self,
        name: str,
        shop: Shop,
        events: Sequence[Event],
        user: str | None = None,
        person: PersonTastes | None = None,
    ) -> Session:
        """The same, letting others have their turn after each event.

        Where the session has changed meanwhile, the events come after what changed it.
        """
        while True:
            before = self.get(name, shop)
            session = start(shop, person) if before is None else before
            for event in events:
                session = observe(shop, session, event)
                if len(events) > 1:
                    await asyncio.sleep(0)
            if self.get(name, shop) is before:
                shopper = (user, person) if before is None else self.shopper(name)
                self._store(name, session, shop, *shopper)
                return session

    def undo(self, name: str, shop: Shop, which: int) -> Session:
        """The session as if an event had never happened.

        Raises:
            InputError: There is no such session or event.
        """
        session = self.get(name, shop)
        if session is None:
            raise InputError(f"there is no session {name!r}", todo="It may have ended.")
        undone = undo(shop, session, which)
        self._store(name, undone, shop, *self.shopper(name))
        return undone

    def end(self, name: str) -> bool:
        """Forgets a session; whether there was one."""
        entry = self._open.pop(name, None)
        if entry is not None:
            self.taken -= entry.size
        return entry is not None

    def users(self) -> frozenset[str]:
        """The users with whose own choices, or segment, sessions began."""
        return frozenset(
            entry.user
            for entry in self._open.values()
            if entry.user is not None
            and entry.person is not None
            and (entry.person.is_known or entry.person.posterior is not None)
        )

    def end_of(self, users: Collection[str]) -> None:
        """Ends the sessions that began with some users."""
        for name in [name for name, entry in self._open.items() if entry.user in users]:
            self.end(name)

    def _store(
        self, name: str, session: Session, shop: Shop, user: str | None, person: PersonTastes | None
    ) -> None:
        self.end(name)
        seen = time.monotonic()
        entry = _weighed(
            _Entry(session=session, shop=shop, user=user, person=person, seen=seen, size=0, worth_count=0)
        )
        self._open[name] = entry
        self.taken += entry.size
        while True:
            oldest, other = next(iter(self._open.items()))
            if other is entry or (self.taken <= self._room and entry.seen - other.seen <= self._idle):
                break
            self.end(oldest)


def _weighed(entry: _Entry) -> _Entry:
    """The entry with its size in bytes, but for what it shares with others."""
    session, person = entry.session, entry.person
    posterior, window = session.posterior, session.posterior.window
    arrays = [window.x, window.offset, posterior.information, posterior.mode, posterior.weight]
    if person is not None and person.posterior is not None:
        # A prior of its own, and the posterior from which it was made.
        arrays += [posterior.mean, posterior.precision, person.posterior.mean, person.posterior.covariance]
    size = ENTRY + sum(a.nbytes for a in arrays) + _events_size(session.events)
    size += sum(worth.size for worth in session.worths.values())
    size += sum(liking.size for liking in (session.earlier, session.liking) if liking is not None)
    return replace(entry, size=size, worth_count=len(session.worths))


def _events_size(events: Sequence[Event]) -> int:
    """Bytes of events; the ids of items are strings of the shop, and equal lists are one."""
    lists = {id(event.shown): getsizeof(event.shown) for event in events}
    texts = [t for event in events for t in (event.kind, event.text, event.category) if t is not None]
    return sum(lists.values()) + sum(map(getsizeof, (*events, *texts)))


def _again(shop: Shop, before: Session, person: PersonTastes | None) -> Session:
    """The events under another shop; those on items that it does not have are left out."""
    session = replace(start(shop, person), forgotten=before.forgotten)
    if shop.liking is not None and before.earlier is not None:
        earlier = shop.liking.of(before.earlier)
        session = replace(session, earlier=earlier, liking=earlier)
    for event in before.events:
        try:
            session = observe(shop, session, event)
        except InputError:
            continue
    return session
