"""The HTTP service answers what the query module answers, and lets in who may ask."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from shops import Example

from kgrank.graph.connect import open_store
from kgrank.ranking import Query, answer, open_shop
from kgrank.ranking.shopper.person import read_person
from kgrank.ranking.shopper.session import Event, observe, start
from kgrank.serving.keys import Role, add_key, remove_key
from kgrank.serving.limits import Limiter
from kgrank.serving.service import Settings


def run(address: str, client: Any, *requests: tuple[Any, ...], **options: Any) -> list[httpx.Response]:
    """The answers to some requests: method, path, and the message or raw bytes."""

    async def ask() -> list[httpx.Response]:
        async with client(address, **options) as http:
            found = []
            for method, path, *rest in requests:
                body = rest[0] if rest else None
                headers = rest[1] if len(rest) > 1 else {}
                if isinstance(body, bytes):
                    headers = {"content-type": "application/json", **headers}
                    found.append(await http.request(method, path, content=body, headers=headers))
                else:
                    found.append(await http.request(method, path, json=body, headers=headers))
            return found

    return asyncio.run(ask())


def error(response: httpx.Response) -> str:
    return " ".join(str(v) for v in response.json()["error"].values() if v)


def test_a_ranking_over_http_is_the_ranking(address: str, client: Any) -> None:
    asked = {"category": "clothes", "size": 7, "filters": [{"attribute": "price", "minimum": 1}]}
    (found,) = run(address, client, ("POST", "/v1/rank", asked))
    with open_store(address) as store:
        shop = open_shop(store)
    from kgrank.ranking import Filter

    want = answer(shop, Query(category="clothes", size=7, filters=(Filter("price", minimum=1),)))
    page = found.json()
    assert found.status_code == 200
    assert [i["item"] for i in page["items"]] == list(want.ids)
    for item in page["items"]:
        assert sum(c["logits"] for c in item["contributions"]) == pytest.approx(item["score"], abs=1e-9)
    assert page["version"] == "v2"


def test_a_session_over_http_moves_the_ranking_as_the_query_module_says(address: str, client: Any) -> None:
    event = {"kind": "view", "item": "i3"}
    told, ranked, _, back = run(
        address,
        client,
        ("POST", "/v1/sessions/s1/events", {"events": [event, event]}),
        ("POST", "/v1/rank", {"category": "clothes", "session": "s1"}),
        ("DELETE", "/v1/sessions/s1/events/1"),
        ("GET", "/v1/sessions/s1"),
    )
    with open_store(address) as store:
        shop = open_shop(store)
    session = start(shop)
    for _ in range(2):
        session = observe(shop, session, Event("view", "i3"))
    want = answer(shop, Query(category="clothes", session=session))
    assert told.json()["event_count"] == 2
    assert [i["item"] for i in ranked.json()["items"]] == list(want.ids)
    assert back.json()["event_count"] == 1


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "words"),
    [
        ("POST", "/v1/rank", {"category": "clohtes"}, 422, "Did you mean clothes"),
        ("POST", "/v1/rank", {"category": "clothes", "szie": 3}, 422, "szie"),
        ("POST", "/v1/rank", {"category": "clothes", "size": "3"}, 422, "$.size"),
        (
            "POST",
            "/v1/rank",
            {"category": "clothes", "filters": [{"attribute": "price", "min": 3}]},
            422,
            "min",
        ),
        ("POST", "/v1/rank", b"{", 400, "no JSON"),
        ("POST", "/v1/rank", b"\xff", 400, "no JSON"),
        ("POST", "/v1/rank", b'{"text":' + b"[" * 100_000, 422, "$.text"),
        ("POST", "/v1/rank", b" " * 2_000_000, 413, "too large"),
        ("GET", "/v1/rank", None, 405, "not allowed"),
        ("GET", "/v1/rnak", None, 404, "/v1/rnak"),
        ("POST", "/v1/compare", {"category": "clothes", "first": "i1", "second": "nope"}, 422, "nope"),
        ("GET", "/v1/importance/nowhere", None, 422, "no category"),
        ("GET", "/v1/sessions/none", None, 422, "no session"),
        ("DELETE", "/v1/sessions/none/events/x", None, 422, "its number, from 0"),
    ],
)
def test_a_wrong_request_is_told_what_is_wrong(
    address: str, client: Any, method: str, path: str, body: Any, status: int, words: str
) -> None:
    (found,) = run(address, client, (method, path, body))
    assert found.status_code == status
    assert words in found.text


def test_a_page_beyond_the_end_is_empty(address: str, client: Any) -> None:
    (found,) = run(address, client, ("POST", "/v1/rank", {"category": "clothes", "page": 10**9}))
    assert found.json()["items"] == []


@pytest.mark.parametrize(
    "text", ["'; DROP TABLE items; --", "x'}) DETACH DELETE n //", "<script>alert(1)</script>"]
)
def test_text_is_text_everywhere(address: str, client: Any, text: str) -> None:
    found = run(
        address,
        client,
        ("POST", "/v1/rank", {"category": "clothes", "text": text}),
        ("POST", "/v1/rank", {"category": text}),
        ("POST", "/v1/rank", {"category": "clothes", "user": text}),
        ("POST", "/v1/sessions/s/events", {"events": [{"kind": "search", "text": text}]}),
        ("POST", "/v1/rank", {"category": "clothes"}),
    )
    assert all(r.status_code in (200, 422) for r in found)
    assert found[-1].json()["item_count"] > 0
    assert all(r.headers["content-type"] == "application/json" for r in found)


def test_a_known_shopper_is_ranked_for_by_their_events_and_searches(address: str, client: Any) -> None:
    (one,) = run(address, client, ("POST", "/v1/rank", {"category": "clothes", "user": "ann", "size": 50}))
    with open_store(address) as store:
        shop = open_shop(store)
        person = read_person(store, shop, "ann")
    want = answer(shop, Query("clothes", person=person, size=50)).items
    assert [(i["item"], i["score"]) for i in one.json()["items"]] == [(i.item, i.score) for i in want]


def test_an_unknown_shopper_gets_the_average_ranking_and_is_told(address: str, client: Any) -> None:
    one, other = run(
        address,
        client,
        ("POST", "/v1/rank", {"category": "clothes"}),
        ("POST", "/v1/rank", {"category": "clothes", "user": "nobody-yet"}),
    )
    assert [i["item"] for i in one.json()["items"]] == [i["item"] for i in other.json()["items"]]
    assert other.json()["notes"] != one.json()["notes"]


def test_keys_open_what_their_role_allows_and_nothing_after_they_are_removed(
    address: str, client: Any, tmp_path: Path
) -> None:
    keys = tmp_path / "keys.json"
    read, write = add_key(keys, "front", Role.READ), add_key(keys, "till", Role.WRITE)
    assert read not in keys.read_text("utf-8")
    rank = ("POST", "/v1/rank", {"category": "clothes"})
    events = ("POST", "/v1/sessions/s/events", {"events": [{"kind": "view", "item": "i1"}]})

    def bearer(secret: str) -> dict[str, str]:
        return {"authorization": f"Bearer {secret}"}

    found = run(
        address,
        client,
        rank,
        (*rank, bearer("kg_wrong")),
        (*rank, bearer(read)),
        (*events, bearer(read)),
        (*events, bearer(write)),
        ("PUT", "/v1/weights", {"version": "v1"}, bearer(write)),
        keys=keys,
    )
    assert [r.status_code for r in found] == [401, 401, 200, 403, 200, 403]
    remove_key(keys, "front")
    (after,) = run(address, client, (*rank, bearer(read)), keys=keys)
    assert after.status_code == 401


def test_who_asks_too_often_is_told_when_to_ask_again(address: str, client: Any) -> None:
    ask = ("GET", "/v1/audit")
    found = run(address, client, ask, ask, ask, settings=Settings(rate=0.1, burst=2, log=False))
    assert [r.status_code for r in found] == [200, 200, 429]
    assert int(found[-1].headers["retry-after"]) >= 1


def test_a_bucket_fills_at_its_rate() -> None:
    limiter = Limiter(rate=2.0, burst=1.0)
    assert limiter.wait("a", now=0.0) == 0.0
    assert limiter.wait("a", now=0.0) == pytest.approx(0.5)
    assert limiter.wait("b", now=0.0) == 0.0
    assert limiter.wait("a", now=0.5) == 0.0


def test_another_version_is_taken_up_and_an_earlier_one_served_again_by_one_request(
    address: str, client: Any
) -> None:
    rank = ("POST", "/v1/rank", {"category": "clothes"})
    before, done, after = run(address, client, rank, ("PUT", "/v1/weights", {"version": "v1"}), rank)
    assert (before.json()["version"], done.status_code, after.json()["version"]) == ("v2", 200, "v1")
    (unknown,) = run(address, client, ("PUT", "/v1/weights", {"version": "v9"}))
    assert unknown.status_code == 422
    assert "no version v9 of the weights" in unknown.text


def test_a_write_to_the_store_is_taken_up_without_a_restart(address: str, client: Any) -> None:
    async def ask() -> str:
        async with client(address, settings=Settings(refresh_seconds=0.05, log=False)) as http:
            with open_store(address) as store:
                store.serve("v1")
            for _ in range(100):
                await asyncio.sleep(0.05)
                found = (await http.get("/v1/weights")).json()["version"]
                if found == "v1":
                    break
            return str(found)

    assert asyncio.run(ask()) == "v1"


def test_a_session_goes_on_under_other_weights(address: str, client: Any) -> None:
    found = run(
        address,
        client,
        ("POST", "/v1/sessions/s/events", {"events": [{"kind": "view", "item": "i1"}]}),
        ("PUT", "/v1/weights", {"version": "v1"}),
        ("POST", "/v1/rank", {"category": "clothes", "session": "s"}),
    )
    assert found[-1].status_code == 200
    assert found[-1].json()["version"] == "v1"


def test_without_a_store_it_says_so_and_is_not_ready(tmp_path: Path, client: Any) -> None:
    ready, rank, health = run(
        str(tmp_path / "none.lb"),
        client,
        ("GET", "/ready"),
        ("POST", "/v1/rank", {"category": "clothes"}),
        ("GET", "/health"),
    )
    assert (ready.status_code, rank.status_code, health.status_code) == (503, 503, 200)
    assert "retry-after" in rank.headers


def test_metrics_count_requests(address: str, client: Any) -> None:
    *_, metrics = run(address, client, ("GET", "/v1/audit"), ("GET", "/v1/audit"), ("GET", "/metrics"))
    assert 'kgrank_requests_total{path="/v1/audit",status="200"} 2.0' in metrics.text


def test_the_log_names_no_user(address: str, client: Any, capsys: pytest.CaptureFixture[str]) -> None:
    asked = {"category": "clothes", "user": "ann@example.org"}
    run(address, client, ("POST", "/v1/rank", asked), settings=Settings())
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [line["path"] for line in lines] == ["/v1/rank"]
    assert "ann" not in json.dumps(lines)
    assert lines[0]["user"]


def test_every_example_of_the_description_is_a_valid_message(address: str, client: Any) -> None:
    (found,) = run(address, client, ("GET", "/openapi.json"))
    paths = found.json()["paths"]
    examples = [
        (
            method.upper(),
            path.replace("{session}", "s"),
            o["requestBody"]["content"]["application/json"]["example"],
        )
        for path, operations in paths.items()
        for method, o in operations.items()
        if "requestBody" in o
    ]
    assert len(examples) >= 7
    for response in run(address, client, *examples):
        assert response.status_code in (200, 422, 503)
        assert "$." not in response.text


def test_the_example_shop_has_people(made: Example) -> None:
    assert made.weights.population.columns
