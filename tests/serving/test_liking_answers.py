"""The service answers with a shopper's liking of items as Python and the command line do."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import httpx
import pytest
from logged_shop import with_log
from shop_with_liking import liking_of
from shops import Example, example, load
from typer.testing import CliRunner

from kgrank.cli.main import app
from kgrank.graph.connect import open_store
from kgrank.weights.tables import weights_to_tables

Client = Callable[..., AbstractAsyncContextManager[httpx.AsyncClient]]
LOG = {"eve": ["i0", "i5", "i7", "i5", "i2"], "ann": ["i3"]}
OLD = "v1"


@pytest.fixture
def address(tmp_path: Path) -> str:
    """A store that serves v2, which has a liking of items, and holds v1, which has none."""
    made = example(11, items=40)
    path = str(tmp_path / "shop.lb")
    with open_store(path) as store:
        load(store, Example(with_log(made.graph, LOG), made.ontology, made.weights, made.transitions),
             other_version=example(1011, version=OLD).weights)  # fmt: skip
        tables = weights_to_tables(made.weights, made.transitions, liking=liking_of(made))
        store.replace_version(made.weights.version, *tables)
    return path


def asked(
    client: Client, address: str, *questions: tuple[str, str, dict[str, Any] | None]
) -> list[dict[str, Any]]:
    """The answers to some questions: method, path and message."""

    async def answers() -> list[dict[str, Any]]:
        async with client(address) as service:
            found = []
            for method, path, body in questions:
                done = await service.request(method, path, json=body)
                assert done.status_code == 200, done.text
                found.append(done.json())
            return found

    return asyncio.run(answers())


def logits(ranking: dict[str, Any], name: str) -> dict[str, float]:
    """What a summand adds to each item of a page, where it is one."""
    return {
        item["item"]: part["logits"]
        for item in ranking["items"]
        for part in item["contributions"]
        if part["name"] == name
    }


def test_an_explanation_over_http_and_on_the_command_line_names_what_was_bought(
    client: Client, address: str
) -> None:
    for language, words in (("en", "you bought Item i5"), ("zh", "您买过“Item i5”")):
        body = {"item": "i9", "category": "all", "user": "eve", "language": language}
        (answer,) = asked(client, address, ("POST", "/v1/explain", body))
        liking = answer["liking"]
        parts = [b["logits"] for b in liking["bought"]] + [liking["other_logits"], liking["average_logits"]]
        term = next(t for t in answer["terms"] if t["name"] == "liking")
        assert sum(parts) == pytest.approx(term["logits"], abs=1e-9)
        assert sum(a["logits"] for a in answer["attributes"] + answer["terms"]) == pytest.approx(
            answer["score"]
        )
        assert len(liking["bought"]) == 4
        # Fewer people bought i2 than anybody is told of.
        assert {b["item"] for b in liking["bought"]} == {"i0", "i5", "i7", None}
        options = ["--category", "all", "--store", address, "--user", "eve", "--language", language]
        printed = CliRunner().invoke(app, ["explain", "i9", *options, "--json"])
        assert json.loads(printed.stdout) == answer
        text = CliRunner().invoke(app, ["explain", "i9", *options]).stdout
        for bought in liking["bought"]:
            assert bought["sentence"] in text.replace("\n", " ")
        assert any(words in b["sentence"] for b in liking["bought"])


def test_every_endpoint_adds_the_liking_up(client: Client, address: str) -> None:
    query = {"category": "all", "user": "eve"}
    ranking, compared, wanted, facets = asked(
        client, address,
        ("POST", "/v1/rank", {**query, "size": 99}),
        ("POST", "/v1/compare", {**query, "first": "i9", "second": "i4"}),
        ("POST", "/v1/counterfactuals", {**query, "item": "i4", "top": 1}),
        ("POST", "/v1/facets", query),
    )  # fmt: skip
    scores = {item["item"]: item["score"] for item in ranking["items"]}
    for item in ranking["items"]:
        assert sum(c["logits"] for c in item["contributions"]) == pytest.approx(item["score"], abs=1e-9)
    assert set(logits(ranking, "liking")) == set(scores)
    assert compared["difference"] == pytest.approx(scores["i9"] - scores["i4"], abs=1e-9)
    assert {"liking", "buyers"} <= {p["name"] for p in compared["parts"]}
    assert wanted["position"] == next(i["position"] for i in ranking["items"] if i["item"] == "i4")
    assert facets["item_count"] == len(scores)


def test_a_purchase_in_a_session_counts_at_once_and_undone_it_never_was(client: Client, address: str) -> None:
    rank = ("POST", "/v1/rank", {"category": "all", "session": "s1", "size": 99})
    events = "/v1/sessions/s1/events"

    def event(kind: str, item: str) -> tuple[str, str, dict[str, Any]]:
        return "POST", events, {"events": [{"kind": kind, "item": item}], "user": "eve"}

    _, before, _, bought, _, undone = asked(
        client, address, event("view", "i9"), rank, event("purchase", "i9"), rank,
        ("DELETE", f"{events}/1", None), rank,
    )  # fmt: skip
    assert logits(bought, "liking") != logits(before, "liking")
    assert undone == before


def test_a_version_without_a_network_ranks_without_and_the_session_has_its_liking_back(
    client: Client, address: str
) -> None:
    rank = ("POST", "/v1/rank", {"category": "all", "session": "s1", "size": 99})
    person = ("POST", "/v1/rank", {"category": "all", "user": "eve", "size": 99})
    event = (
        "POST",
        "/v1/sessions/s1/events",
        {"events": [{"kind": "purchase", "item": "i9"}], "user": "eve"},
    )
    first = asked(
        client, address, event, rank, person,
        ("PUT", "/v1/weights", {"version": OLD}), rank, person,
        ("PUT", "/v1/weights", {"version": "v2"}), rank, person,
    )  # fmt: skip
    new, old, back = first[1:3], first[4:6], first[7:9]
    assert all(logits(ranking, "liking") for ranking in new)
    assert not any(logits(ranking, "liking") or logits(ranking, "buyers") for ranking in old)
    assert [logits(ranking, "liking") for ranking in back] == [logits(ranking, "liking") for ranking in new]


def test_a_command_for_nobody_reads_no_network_and_one_for_a_user_or_a_session_does(address: str) -> None:
    def names(*options: str) -> set[str]:
        done = CliRunner().invoke(app, ["rank", "all", "--store", address, "--json", *options])
        return {c["name"] for item in json.loads(done.stdout)["items"] for c in item["contributions"]}

    assert not {"liking", "buyers"} & names()
    assert {"liking", "buyers"} <= names("--user", "eve")
    assert {"liking", "buyers"} <= names("--event", "purchase:i4")
    assert not {"liking", "buyers"} & names("--event", "view:i4")


def test_a_user_without_choices_who_bought_something_is_not_said_to_be_unknown(address: str) -> None:
    done = CliRunner().invoke(app, ["rank", "all", "--store", address, "--user", "eve"])
    assert "Nothing tells" not in done.output + done.stderr
