"""The sessions that a service keeps in memory."""

from __future__ import annotations

import asyncio
import gc
import time
import tracemalloc
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from shops import Example

from kgrank.graph.connect import open_store
from kgrank.ranking import open_shop
from kgrank.ranking.shopper.session import Event
from kgrank.serving.keys import Role, add_key
from kgrank.serving.messages import EventsRequest, session_events
from kgrank.serving.service import Settings
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


def test_a_batch_with_an_unknown_item_counts_not_at_all_and_the_session_still_ranks(
    stored: str, client: Any
) -> None:
    async def ask() -> list[httpx.Response]:
        async with client(stored) as http:
            first = {"events": [{"kind": "view", "item": "i1"}]}
            wrong = {"kind": "search", "text": "green", "item": "no-such-item"}
            return [
                await http.post("/v1/sessions/s/events", json=first),
                await http.post("/v1/sessions/s/events", json={"events": [*first["events"], wrong]}),
                await http.get("/v1/sessions/s"),
                await http.post("/v1/rank", json={"category": "clothes", "session": "s"}),
            ]

    first, refused, state, ranked = asyncio.run(ask())
    assert [r.status_code for r in (first, refused, state, ranked)] == [200, 422, 200, 200]
    assert "no-such-item" in refused.text
    assert state.json()["event_count"] == 1


@pytest.mark.parametrize("shared", [False, True])
def test_a_session_belongs_to_the_key_that_made_it_unless_all_are_shared(
    stored: str, client: Any, tmp_path: Path, shared: bool
) -> None:
    keys = tmp_path / "keys.json"
    mine, other = (
        {"authorization": f"Bearer {add_key(keys, name, Role.WRITE)}"} for name in ("mine", "other")
    )

    async def ask() -> list[int]:
        async with client(stored, keys, Settings(log=False, shared_sessions=shared)) as http:
            event = {"events": [{"kind": "view", "item": "i1"}]}
            await http.post("/v1/sessions/s/events", json=event, headers=mine)
            rank = {"category": "clothes", "session": "s"}
            answers = [
                await http.get("/v1/sessions/s", headers=other),
                await http.post("/v1/rank", json=rank, headers=other),
                await http.delete("/v1/sessions/s/events/0", headers=other),
                await http.delete("/v1/sessions/s", headers=other),
                await http.get("/v1/sessions/s", headers=mine),
            ]
            return [r.status_code for r in answers]

    assert asyncio.run(ask()) == ([200, 200, 200, 200, 422] if shared else [422, 422, 422, 200, 200])


@pytest.mark.parametrize("name", ["a b", "a%2Fb", "x" * 129, "%00", "%E4%BD%A0"])
def test_a_session_has_a_name_of_plain_characters(stored: str, client: Any, name: str) -> None:
    async def ask() -> httpx.Response:
        async with client(stored) as http:
            found: httpx.Response = await http.post(
                f"/v1/sessions/{name}/events", json={"events": [{"kind": "view", "item": "i1"}]}
            )
            return found

    assert asyncio.run(ask()).status_code in (404, 422)


def test_the_room_of_a_session_is_that_of_its_strings_too(stored: str) -> None:
    with open_store(stored) as store:
        shop = open_shop(store)
    book = SessionBook()
    book.observe("short", shop, [Event("search", text="green")])
    short = book.taken
    book.observe("long", shop, [Event("search", text="green " + "x" * 400)])
    assert book.taken - 2 * short >= 400


def test_batches_that_come_at_once_all_count(stored: str) -> None:
    with open_store(stored) as store:
        shop = open_shop(store)
    book, events = SessionBook(), [Event("view", "i1"), Event("view", "i2")]

    async def observe() -> None:
        await asyncio.gather(*(book.observe_in_turn("s", shop, events) for _ in range(5)))

    asyncio.run(observe())
    session = book.get("s", shop)
    assert session is not None
    assert [e.item for e in session.events] == ["i1", "i2"] * 5


@pytest.mark.parametrize(
    "events",
    [
        [{"kind": "view", "item": "i1"}],
        [{"kind": "view", "item": f"i{k % 40}"} for k in range(50)],
        [{"kind": "view", "item": "i1", "shown": [f"i{k % 40}" for k in range(1, 500)]}],
        [{"kind": "search", "text": f"red {'红色 ' * 150}{k}", "category": "clothes"} for k in range(20)],
    ],
    ids=["one", "many", "a long list", "long texts"],
)
def test_the_bytes_of_a_session_are_those_that_it_holds(stored: str, events: list[dict[str, Any]]) -> None:
    with open_store(stored) as store:
        shop = open_shop(store)
    raw = msgspec.json.encode({"events": events})

    def observe(book: SessionBook, name: str) -> None:
        book.observe(name, shop, session_events(msgspec.json.decode(raw, type=EventsRequest), shop))

    book, count = SessionBook(), 30
    observe(book, "first")
    one = book.taken
    gc.collect()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        for number in range(count):
            observe(book, f"s{number}")
        gc.collect()
        held = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert book.taken == one * (count + 1)
    # What sessions share counts for each; nothing that they hold is left out.
    assert 0.4 * one * count < held < 1.15 * one * count
