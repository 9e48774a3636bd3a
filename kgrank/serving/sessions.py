"""The sessions of shoppers who are here now, in memory; each follows the weights that are served."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, replace

from kgrank.choice.tastes.person import PersonTastes
from kgrank.errors import InputError
from kgrank.ranking.catalogue.shop import Shop
from kgrank.ranking.shopper.session import Event, Session, observe, start, undo

EVENT, SHOWN = 200, 64
"""Bytes that an event takes, and each item that was shown with it."""


@dataclass(frozen=True)
class _Open:
    session: Session
    shop: Shop
    person: PersonTastes | None
    seen: float
    size: int


class SessionBook:
    """Sessions by id; the longest unused are forgotten.

    Args:
        room: Bytes that the sessions take at most. One of 60 part-worths with 20 events on lists of 20 takes
            350 kB.
        idle: Seconds after which one that nothing happens in has ended.

    Attributes:
        taken: Bytes that they take now.
    """

    def __init__(self, room: int = 2 << 30, idle: float = 3600.0) -> None:
        self._room = room
        self._idle = idle
        self._open: OrderedDict[str, _Open] = OrderedDict()
        self.taken = 0

    def __len__(self) -> int:
        return len(self._open)

    def get(self, name: str, shop: Shop, now: float | None = None) -> Session | None:
        """A session under the shop's weights; None where there is none."""
        moment = time.monotonic() if now is None else now
        found = self._open.get(name)
        if found is None or moment - found.seen > self._idle:
            self.end(name)
            return None
        if found.shop is not shop:
            # Another version of the weights, or of the catalogue: the events happen again under it.
            found = replace(found, session=_again(shop, found.session, found.person), shop=shop)
            self._open[name] = found
        return found.session

    def observe(
        self, name: str, shop: Shop, events: Sequence[Event], person: PersonTastes | None = None
    ) -> Session:
        """The session after some more events; all of them count, or none where one is wrong.

        Raises:
            InputError: As in ``kgrank.ranking.shopper.session.observe``.
        """
        before = self.get(name, shop)
        session = start(shop, person) if before is None else before
        for event in events:
            session = observe(shop, session, event)
        known = self._open[name].person if before is not None else person
        self._keep(name, session, shop, known)
        return session

    def undo(self, name: str, shop: Shop, which: int) -> Session:
        """The session as if an event had never happened.

        Raises:
            InputError: There is no such session or event.
        """
        session = self.get(name, shop)
        if session is None:
            raise InputError(f"there is no session {name!r}", todo="It may have ended.")
        left = undo(shop, session, which)
        self._keep(name, left, shop, self._open[name].person)
        return left

    def end(self, name: str) -> bool:
        """Forgets a session; whether there was one."""
        found = self._open.pop(name, None)
        if found is not None:
            self.taken -= found.size
        return found is not None

    def _keep(self, name: str, session: Session, shop: Shop, person: PersonTastes | None) -> None:
        self.end(name)
        found = _Open(session, shop, person, time.monotonic(), _size(session))
        self._open[name] = found
        self.taken += found.size
        while True:
            oldest, other = next(iter(self._open.items()))
            if other is found or (self.taken <= self._room and found.seen - other.seen <= self._idle):
                break
            self.end(oldest)


def _size(session: Session) -> int:
    """Bytes of a session, but for what it shares with others."""
    posterior = session.posterior
    arrays = posterior.window.x.nbytes + posterior.window.offset.nbytes + posterior.information.nbytes
    return arrays + sum(EVENT + SHOWN * len(event.shown) for event in session.events)


def _again(shop: Shop, before: Session, person: PersonTastes | None) -> Session:
    """The events under another shop; those on items that it does not have are left out."""
    session = replace(start(shop, person), forgotten=before.forgotten)
    for event in before.events:
        try:
            session = observe(shop, session, event)
        except InputError:
            continue
    return session
