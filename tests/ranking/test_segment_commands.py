"""Rankings and importances for a segment of people, and for somebody of whom only the segment is known."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from shops import Example, example, load, with_segments

from kgrank.graph.connect import open_store
from kgrank.ranking import Shop, importance, rank
from kgrank.ranking.shopper.person import read_person
from kgrank.serving.current import Current

Run = Callable[..., Any]


@pytest.fixture(scope="module")
def made() -> Example:
    return with_segments(example(3, items=40))


@pytest.fixture(scope="module")
def address(made: Example, tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("segments") / "graph.lb"
    with open_store(str(path)) as store:
        load(store, made)
    return str(path)


def shop_of(made: Example) -> Shop:
    return Shop.of(made.graph, made.ontology, made.weights, made.transitions)


def test_a_ranking_for_a_segment_is_by_its_mean_tastes(kgrank: Run, address: str, made: Example) -> None:
    run = kgrank("rank", "tops", "--store", address, "--segment", "Young", "--json")
    document = json.loads(run.stdout)
    tastes = made.weights.population.segments["young"].mean
    person = dict(zip(made.weights.population.columns, tastes, strict=True))
    want = rank(shop_of(made), "tops", limit=10, person=person)
    assert [i["item"] for i in document["items"]] == [i.item for i in want]
    assert [i["item"] for i in document["items"]] != [i.item for i in rank(shop_of(made), "tops", limit=10)]
    assert document["notes"] == ["By the mean tastes of the segment Young, from choices of 12 people."]


def test_a_user_without_choices_is_ranked_for_by_their_segment(kgrank: Run, address: str) -> None:
    by_user = json.loads(kgrank("rank", "tops", "--store", address, "--user", "cal", "--json").stdout)
    by_segment = json.loads(kgrank("rank", "tops", "--store", address, "--segment", "young", "--json").stdout)
    assert [i["score"] for i in by_user["items"]] == [i["score"] for i in by_segment["items"]]
    assert by_user["user_choice_count"] == 0
    run = kgrank("rank", "tops", "--store", address, "--user", "cal", "--language", "zh")
    assert "人群“年轻”" in run.stderr


def test_importance_for_a_segment_is_beside_the_averages(kgrank: Run, address: str, made: Example) -> None:
    run = kgrank("importance", "tops", "--store", address, "--segment", "young")
    assert run.returncode == 0, run.stderr
    found = importance(shop_of(made), "tops", segment="young")
    assert (found.segment, found.segment_person_count) == ("young", 12)
    for a in found.attributes:
        assert f"{a.segment:.3f}" in run.stdout
        assert f"{a.segment_lower:.3f}–{a.segment_upper:.3f}" in run.stdout
    assert "By the mean tastes of the segment Young" in run.stdout
    document = json.loads(
        kgrank("importance", "tops", "--store", address, "--segment", "young", "--json").stdout
    )
    assert [a["segment"] for a in document["attributes"]] == [a.segment for a in found.attributes]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ("--segment", "yuong"),
            "there is no segment 'yuong'; expected one of young, old. Did you mean young?",
        ),
        (("--segment", "old"), "nothing is known of the tastes of the segment 'old'; expected one of young"),
        (("--segment", "young", "--user", "ann"), "a shopper and a segment at once"),
    ],
)
def test_a_mistake_is_one_line(kgrank: Run, address: str, words: tuple[str, ...], message: str) -> None:
    run = kgrank("rank", "tops", "--store", address, *words)
    assert run.returncode == 2
    assert message in run.stderr
    assert len(run.stderr.splitlines()) == 1


def test_a_service_starts_users_at_their_segments(address: str, made: Example) -> None:
    current = Current(address)
    try:
        current.refresh()
        assert current.served is not None
        ann, bob, cal = (current.person(current.served, user) for user in ("ann", "bob", "cal"))
    finally:
        current.close()
    with open_store(address) as store:
        assert ann == read_person(store, shop_of(made), "ann")
    assert (ann.segment, bob.segment, cal.segment) == ("young", None, "young")
    assert ann.choices > 0 == cal.choices
    assert cal.deviations["color=red"] == 2.0
