from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from shops import Example, load

from kgrank.graph.connect import open_store
from kgrank.ranking import Shop, explain, importance, rank

Run = Callable[..., Any]


def shop_of(made: Example) -> Shop:
    return Shop.of(made.graph, made.ontology, made.weights, made.transitions)


def test_rank_prints_positions_and_scores(kgrank: Run, address: str, made: Example) -> None:
    run = kgrank("rank", "clothes", "--store", address, "--limit", "3")
    assert run.returncode == 0, run.stderr
    rows = re.findall(r"^ (\d) +(i\d+) +Item i\d+ +([+-]\d+\.\d{3})", run.stdout, re.MULTILINE)
    want = rank(shop_of(made), "clothes", limit=3)
    assert rows == [(str(k), r.item, f"{r.score:+.3f}") for k, r in enumerate(want, 1)]
    assert re.search(r"3 of \d+ items in Clothes, weights v2\.", run.stdout)


def test_rank_gives_the_strongest_reasons_on_demand(kgrank: Run, address: str, made: Example) -> None:
    run = kgrank("rank", "clothes", "--store", address, "--limit", "1", "--explain")
    (best,) = rank(shop_of(made), "clothes", limit=1)
    first = best.contributions[0]
    assert f"{first.words} {first.logits:+.3f}" in run.stdout


def test_the_json_of_rank_adds_up_and_follows_the_history(kgrank: Run, address: str, made: Example) -> None:
    run = kgrank("rank", "all", "--store", address, "--after", "i3", "--after", "i1", "--json")
    document = json.loads(run.stdout)
    want = rank(shop_of(made), "all", limit=10, history=["i3", "i1"])
    assert [r["item"] for r in document["items"]] == [r.item for r in want]
    for row in document["items"]:
        assert sum(c["logits"] for c in row["contributions"]) == pytest.approx(row["score"], abs=1e-9)


def test_importance_prints_shares_and_draws_a_chart(
    kgrank: Run, address: str, made: Example, tmp_path: Path
) -> None:
    run = kgrank("importance", "tops", "--store", address, "--language", "zh", "--chart", "chart.png")
    assert run.returncode == 0, run.stderr
    found = importance(shop_of(made), "tops", "zh")
    rows = re.findall(r"^ (\S+) +(0\.\d{3}) +█*", run.stdout, re.MULTILINE)
    assert rows == [(a.name, f"{a.share:.3f}") for a in found.attributes]
    assert (tmp_path / "chart.png").read_bytes().startswith(b"\x89PNG")


def test_importance_and_explanation_are_json_on_demand(kgrank: Run, address: str, made: Example) -> None:
    run = kgrank("importance", "tops", "--store", address, "--json")
    assert sum(a["share"] for a in json.loads(run.stdout)["attributes"]) == pytest.approx(1)
    run = kgrank("explain", "i3", "--category", "all", "--store", address, "--json")
    why = json.loads(run.stdout)
    assert sum(a["logits"] for a in why["attributes"]) == pytest.approx(why["score"], abs=1e-9)


def test_explain_says_it_in_words(kgrank: Run, address: str, made: Example) -> None:
    run = kgrank("explain", "i3", "--category", "all", "--store", address)
    why = explain(shop_of(made), "i3", "all")
    for sentence in (why.sentence, *(a.sentence for a in why.attributes)):
        assert sentence in run.stdout


def test_an_empty_category_is_a_note_and_no_error(kgrank: Run, address: str) -> None:
    run = kgrank("rank", "empty", "--store", address)
    assert (run.returncode, run.stdout, run.stderr) == (0, "", "Empty has no items.\n")
    assert json.loads(kgrank("rank", "empty", "--store", address, "--json").stdout)["items"] == []


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("rank", "dreses"), "there is no category 'dreses'. Did you mean dresses?"),
        (("rank", "all", "--after", "i99"), "there is no item 'i99'."),
        (("rank", "all", "--language", "fr"), "no language 'fr'; expected one of en, zh"),
        (("explain", "i3", "--category", "empty"), "item 'i3' does not stand in 'empty' or below it"),
        (("importance", "all", "--chart", "no/chart.png"), "cannot be written"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_2(
    kgrank: Run, address: str, words: tuple[str, ...], message: str
) -> None:
    run = kgrank(*words, KGRANK_STORE=address)
    assert run.returncode == 2
    assert run.stdout == ""
    assert run.stderr.startswith("error: ")
    assert message in run.stderr
    assert len(run.stderr.splitlines()) == 1


def test_without_a_store_the_error_says_how_to_make_one(kgrank: Run) -> None:
    run = kgrank("rank", "all")
    assert run.returncode == 2
    assert "no store is named; expected --store ADDRESS" in run.stderr
    assert "kgrank demo build demo-shop" in run.stderr


def test_the_demo_shop_is_the_default_store(kgrank: Run, made: Example, tmp_path: Path) -> None:
    (tmp_path / "demo-shop").mkdir()
    with open_store(str(tmp_path / "demo-shop" / "graph.lb")) as store:
        load(store, made)
    assert kgrank("rank", "all").returncode == 0


def test_a_store_without_weights_says_what_to_do(kgrank: Run, made: Example, tmp_path: Path) -> None:
    with open_store(str(tmp_path / "bare.lb")) as store:
        store.prepare()
        for label, table in made.graph.nodes.items():
            store.upsert_nodes(label, table)
    run = kgrank("rank", "all", "--store", "bare.lb")
    assert run.returncode == 2
    assert "no weights are served. Learn some: `kgrank train" in run.stderr


@pytest.mark.parametrize("command", ["rank", "importance", "explain"])
def test_every_help_has_an_example(kgrank: Run, command: str) -> None:
    run = kgrank(command, "--help")
    assert f"Example: kgrank {command} " in run.stdout
