"""A co-occurrence that rests on few people is named nowhere, whatever the log."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from logged_shop import Log, logged_shop
from shops import load
from typer.testing import CliRunner

from kgrank.choice.behaviour.counts import Counts, count_links
from kgrank.choice.behaviour.groupings import Grouping
from kgrank.choice.behaviour.sequences import EventSequences
from kgrank.choice.behaviour.terms import ALIKE, LINKED
from kgrank.cli.main import app
from kgrank.errors import RunError
from kgrank.graph.connect import open_store
from kgrank.learning.configuration.config import PrivacyConfig
from kgrank.ranking import Shop, rank
from kgrank.resources import folder
from kgrank.serving.current import Current
from kgrank.serving.service import Settings, application
from kgrank.weights.artefact import FORMAT, document, seal, weights_of, write_transitions, write_weights
from kgrank.weights.model import PRIVACY_NOTICE, Privacy

ITEMS = [f"i{k}" for k in range(8)]
LOGS = st.lists(st.lists(st.sampled_from(ITEMS), min_size=1, max_size=5), min_size=1, max_size=9)
PAIR = {
    "ann": ["i1", "i2"],
    "bob": ["i1", "i2"],
    "eve": ["i3", "i4"],
    "joe": ["i3", "i4"],
    "kim": ["i3", "i4"],
}
"""Two people went from i1 to i2, and three from i3 to i4."""


def people_of(lists: Sequence[Sequence[str]]) -> Log:
    return {f"u{k}": items for k, items in enumerate(lists)}


def people_behind(term: str, log: Log, first: str, then: str) -> int:
    """How many people a term rests on, counted one by one."""
    count = 0
    for items in log.values():
        once = list(dict.fromkeys(items))
        if first in once and then in once:
            step = once.index(then) - once.index(first)
            count += {"together": True, "earlier": step < 0, "right-after": step == 1}.get(term, step > 0)
    return count


def shop_of(log: Log, privacy: Privacy | None = None) -> Shop:
    made = logged_shop(log, privacy)
    return Shop.of(made.graph, made.ontology, made.weights, made.transitions)


@settings(max_examples=60, deadline=None)
@given(LOGS, st.lists(st.sampled_from(ITEMS), min_size=1, max_size=3, unique=True), st.integers(1, 4))
def test_a_ranking_names_no_pair_of_items_that_fewer_people_took_and_still_adds_up(
    lists: list[list[str]], history: list[str], fewest: int
) -> None:
    log = people_of(lists)
    for ranked in rank(shop_of(log, Privacy(fewest)), "all", limit=99, history=history):
        assert sum(c.logits for c in ranked.contributions) == pytest.approx(ranked.score, abs=1e-8)
        for part in (c for c in ranked.contributions if c.name in LINKED):
            if part.value is None:
                assert not any(f"Item {item}" in part.words for item in ITEMS), part
                assert not re.search(r"\d|one person", part.words), part
            else:
                people = people_behind(part.name, log, part.value, ranked.item)
                assert people >= fewest
                assert part.words.endswith(": one person" if people == 1 else f": {people} people")
        alike = next(c for c in ranked.contributions if c.name == ALIKE)
        counts = [int(number) for number in re.findall(r"(\d+) people", alike.words)]
        assert all(count >= fewest for count in counts)
        assert fewest == 1 or "one person" not in alike.words


@settings(max_examples=60, deadline=None)
@given(LOGS, st.integers(2, 4))
def test_links_left_out_of_scores_are_those_of_fewer_people(lists: list[list[str]], fewest: int) -> None:
    log = people_of(lists)
    numbers = [np.array([ITEMS.index(item) for item in items]) for items in log.values()]
    people = EventSequences.of(numbers, len(ITEMS)).once()
    kept = Counts.of(people, fewest=fewest).links
    row = np.repeat(np.arange(len(ITEMS)), np.diff(kept.start))
    pairs = set(zip(row.tolist(), kept.target.tolist(), strict=True))
    assert pairs == {
        (a, b)
        for a in range(len(ITEMS))
        for b in range(len(ITEMS))
        if a != b and people_behind("together", log, ITEMS[a], ITEMS[b]) >= fewest
    }
    assert count_links(people).of_people(1).target.tolist() == count_links(people).target.tolist()


def test_transitions_between_groups_of_few_people_are_left_out_too() -> None:
    group = Grouping("brand", ("a", "b"), np.array([0, 1]))
    two, three = (EventSequences.of([np.array([0, 1])] * n, 2) for n in (2, 3))
    assert Counts.of(two, (group,), fewest=3).statistics.transitions["brand"].sum() == 0
    assert Counts.of(three, (group,), fewest=3).statistics.transitions["brand"].tolist() == [[0, 3], [0, 0]]


def test_without_few_people_a_ranking_is_as_if_such_pairs_had_never_been_taken() -> None:
    one = shop_of({**PAIR}, Privacy(3, few_in_scores=False))
    parts = {r.item: {c.name: c for c in r.contributions} for r in rank(one, "all", limit=99, history=["i1"])}
    assert all(parts["i2"][name].logits == 0 for name in (*LINKED, ALIKE))
    parts = {r.item: {c.name: c for c in r.contributions} for r in rank(one, "all", limit=99, history=["i3"])}
    assert parts["i4"]["together"].logits > 0
    assert parts["i4"][ALIKE].logits > 0
    assert parts["i4"]["together"].value == "i3"


def test_few_people_is_said_in_english_and_chinese() -> None:
    for language, words in (("en", "few people"), ("zh", "少数")):
        ranked = rank(shop_of(PAIR), "all", limit=99, history=["i1"], language=language)
        parts = {c.name: c.words for c in next(r for r in ranked if r.item == "i2").contributions}
        assert words in parts["goes-after"]
        assert words in parts[ALIKE]


def test_the_words_name_an_item_of_enough_people_where_another_adds_more() -> None:
    log = {**PAIR, **{f"x{k}": ["i5", "i2"] for k in range(3)}}
    ranked = rank(shop_of(log), "all", limit=99, history=["i5", "i1"])
    part = next(c for r in ranked if r.item == "i2" for c in r.contributions if c.name == "goes-after")
    assert (part.value, part.words) == ("i5", "often chosen after Item i5: 3 people")


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = str(tmp_path_factory.mktemp("few") / "shop.lb")
    with open_store(path) as store:
        load(store, logged_shop(PAIR))
    return path


def parts_of(answer: Any) -> Iterator[Mapping[str, Any]]:
    """All terms over links and people, wherever they are in an answer."""
    if isinstance(answer, dict):
        if answer.get("name") in (*LINKED, ALIKE):
            yield answer
        for value in answer.values():
            yield from parts_of(value)
    elif isinstance(answer, list):
        for value in answer:
            yield from parts_of(value)


def assert_names_nobody(answer: Any) -> None:
    for part in parts_of(answer):
        text = json.dumps(part, ensure_ascii=False)
        assert not re.search(r"Item i[12]|\"i[12]\"|[12] people|one person|1 人|2 人", text), text


AFTER_I1: Mapping[str, Any] = {"category": "all", "size": 99, "history": ["i1"]}


def test_no_endpoint_names_the_pair(address: str) -> None:
    events = {"events": [{"kind": "view", "item": "i1"}]}
    asked = [
        ("POST", "/v1/rank", AFTER_I1),
        (
            "POST",
            "/v1/explain",
            {"category": "all", "item": "i2", "history": ["i1"], "over": "i4", "into": 1},
        ),
        ("POST", "/v1/compare", {"category": "all", "first": "i2", "second": "i4", "history": ["i1"]}),
        ("POST", "/v1/counterfactuals", {"category": "all", "item": "i2", "top": 1, "history": ["i1"]}),
        ("POST", "/v1/facets", {"category": "all", "history": ["i1"]}),
        ("POST", "/v1/sessions/s/events", events),
        ("POST", "/v1/rank", {"category": "all", "size": 99, "session": "s", "shifts": True}),
        ("POST", "/v1/explain", {"category": "all", "item": "i2", "session": "s"}),
        ("GET", "/v1/sessions/s", None),
    ]

    async def answers() -> list[Any]:
        service = application(Current(address), None, Settings(log=False))
        async with service.router.router.lifespan_context(service.router):
            transport = httpx.ASGITransport(service)
            async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
                return [(path, await client.request(m, path, json=body)) for m, path, body in asked]

    named = 0
    for path, response in asyncio.run(answers()):
        assert response.status_code == 200, (path, response.text)
        assert_names_nobody(response.json())
        named += len(list(parts_of(response.json())))
    assert named > 0


@pytest.mark.parametrize(
    "words",
    [
        ("rank", "all", "--limit", "99", "--after", "i1"),
        ("rank", "all", "--limit", "99", "--after", "i1", "--language", "zh"),
        ("explain", "i2", "--category", "all", "--after", "i1", "--over", "i4"),
        ("rank", "all", "--limit", "99", "--user", "ann", "--after", "i1"),
    ],
)
def test_no_command_names_the_pair(address: str, words: tuple[str, ...]) -> None:
    done = CliRunner().invoke(app, [*words, "--store", address, "--json"])
    assert done.exit_code == 0, done.output
    assert list(parts_of(json.loads(done.stdout)))
    assert_names_nobody(json.loads(done.stdout))
    printed = CliRunner().invoke(app, [*words, "--store", address])
    assert not re.search(r"after Item i1|[12] people|one person", printed.output)


def test_no_statement_that_is_handed_out_reads_what_holds_co_occurrences() -> None:
    statements = [p for p in folder("graph").rglob("*.cypher") if p.parent.name != "schema"]
    assert len(statements) > 10
    for path in statements:
        assert not re.search(r"GOES_AFTER|\.document", path.read_text(encoding="utf-8")), path.name


def test_weights_files_are_their_owners_alone_and_say_so(tmp_path: Path) -> None:
    made = logged_shop(PAIR)
    write_weights(tmp_path / "weights.json", made.weights)
    write_transitions(tmp_path / "weights.json", made.transitions)
    for name in ("weights.json", "transitions.parquet"):
        assert (tmp_path / name).stat().st_mode & 0o777 == 0o600
    assert PRIVACY_NOTICE in (tmp_path / "weights.json").read_text(encoding="utf-8")
    assert pl.read_parquet_metadata(tmp_path / "transitions.parquet")["privacy"] == PRIVACY_NOTICE


def test_an_embedded_store_is_its_owners_alone(address: str) -> None:
    assert Path(address).stat().st_mode & 0o777 == 0o600


def test_weights_without_the_setting_are_read_and_name_from_three_people_on() -> None:
    text = document(logged_shop(PAIR).weights)
    body = {k: v for k, v in json.loads(text).items() if k not in ("privacy", "checksum", "format")}
    assert weights_of(seal(FORMAT, body)).privacy == Privacy(3, few_in_scores=True)


def test_fewer_than_one_person_is_refused() -> None:
    with pytest.raises(RunError, match=r"privacy.fewest_people is 0"):
        PrivacyConfig(fewest_people=0)
