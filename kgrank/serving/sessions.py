"""The sessions of shoppers who are here now, in memory; each follows the weights that are served."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

from kgrank.choice.request import PersonTastes
from kgrank.errors import InputError
from kgrank.ranking.session import Event, Session, observe, start, undo
from kgrank.ranking.shop import Shop


@dataclass(frozen=True)
class _Open:
    session: Session
    shop: Shop
    person: PersonTastes | None
    seen: float


class SessionBook:
    """Sessions by id; the longest unused are forgotten.

    Args:
        most: Sessions at most.
        idle: Seconds after which one that nothing happens in has ended.
    """

    def __init__(self, most: int = 50_000, idle: float = 3600.0) -> None:
        self._most = most
        self._idle = idle
        self._open: OrderedDict[str, _Open] = OrderedDict()

    def __len__(self) -> int:
        return len(self._open)

    def get(self, name: str, shop: Shop, now: float | None = None) -> Session | None:
        """A session under the shop's weights; None where there is none."""
        moment = time.monotonic() if now is None else now
        found = self._open.get(name)
        if found is None or moment - found.seen > self._idle:
            self._open.pop(name, None)
            return None
        if found.shop is not shop:
            # Another version of the weights, or of the catalogue: the events happen again under it.
            session = _again(shop, found.session.events, found.person)
            found = _Open(session, shop, found.person, found.seen)
            self._open[name] = found
        return found.session

    def observe(
        self, name: str, shop: Shop, events: Sequence[Event], person: PersonTastes | None = None
    ) -> Session:
        """The session after some more events; all of them count, or none where one is wrong.

        Raises:
            InputError: As in ``kgrank.ranking.session.observe``.
        """
        before = self.get(name, shop)
        session = start(shop, person) if before is None else before
        for event in events:
            session = observe(shop, session, event)
        known = self._open[name].person if before is not None else person
        self._keep(name, _Open(session, shop, known, time.monotonic()))
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
        self._keep(name, _Open(left, shop, self._open[name].person, time.monotonic()))
        return left

    def end(self, name: str) -> bool:
        """Forgets a session; whether there was one."""
        return self._open.pop(name, None) is not None

    def _keep(self, name: str, found: _Open) -> None:
        self._open[name] = found
        self._open.move_to_end(name)
        if len(self._open) > self._most:
            self._open.popitem(last=False)


def _again(shop: Shop, events: Sequence[Event], person: PersonTastes | None) -> Session:
    """The events under another shop; those on items that it does not have are left out."""
    session = start(shop, person)
    for event in events:
        try:
            session = observe(shop, session, event)
        except InputError:
            continue
    return session
