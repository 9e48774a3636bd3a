"""The sessions that a service keeps in memory."""

from __future__ import annotations

import time

from shops import Example

from kgrank.graph.connect import open_store
from kgrank.ranking import open_shop
from kgrank.ranking.shopper.session import Event
from kgrank.serving.sessions import SessionBook


def test_sessions_take_no_more_room_than_they_may_and_the_longest_unused_goes_first(
    stored: str, made: Example
) -> None:
    with open_store(stored) as store:
        shop = open_shop(store)
    book, event = SessionBook(), Event("view", "i1", shown=("i1", "i2"))
    book.observe("one", shop, [event])
    room = 3 * book.taken
    book = SessionBook(room)
    for name in ("one", "two", "three"):
        book.observe(name, shop, [event])
    assert book.get("one", shop) is not None, "as many as there is room for"
    book.observe("four", shop, [event])
    assert [n for n in ("one", "two", "three", "four") if book.get(n, shop)] == ["two", "three", "four"]
    assert book.taken <= room
    assert book.end("two")
    assert book.taken == 2 * room // 3


def test_sessions_in_which_nothing_happens_any_more_give_their_room_back(stored: str) -> None:
    with open_store(stored) as store:
        shop = open_shop(store)
    book, event = SessionBook(idle=0.05), Event("view", "i1", shown=("i1", "i2"))
    for name in ("one", "two"):
        book.observe(name, shop, [event])
    time.sleep(0.1)
    book.observe("three", shop, [event])
    assert len(book) == 1
