"""``kgrank weights``: versions listed, served again, pruned; and the written ranking looked up."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from shops import example, load
from typer.testing import CliRunner

from kgrank.cli.main import app
from kgrank.errors import InputError
from kgrank.graph.connect import open_store
from kgrank.graph.store import GraphStore
from kgrank.ranking import open_shop, rank
from kgrank.ranking.stored.ranked_edges import ranked_edges
from kgrank.resources import cypher

MADE = example(5, items=30)


@pytest.fixture
def address(tmp_path: Path) -> str:
    """A store with the versions v1 and v2, of which v2 is served."""
    path = str(tmp_path / "shop.lb")
    with open_store(path) as store:
        load(store, MADE, other_version=example(1005, version="v1").weights)
    return path


def kgrank(*words: str) -> str:
    done = CliRunner().invoke(app, ["weights", *words, "--json"], catch_exceptions=False)
    assert done.exit_code == 0
    return done.stdout


def test_versions_are_listed_and_the_served_one_is_marked(address: str) -> None:
    found = json.loads(kgrank("list", "--store", address))
    assert {v["version"]: v["served"] for v in found["versions"]} == {"v1": False, "v2": True}


def test_an_earlier_version_ranks_again_after_one_command(address: str) -> None:
    kgrank("serve", "v1", "--store", address)
    with open_store(address) as store:
        assert open_shop(store).weights.version == "v1"


def test_a_version_that_is_not_there_is_refused_with_those_that_are(address: str) -> None:
    with pytest.raises(InputError, match="no version v9 of the weights; expected one of v1, v2"):
        CliRunner().invoke(app, ["weights", "serve", "v9", "--store", address], catch_exceptions=False)


def test_pruning_keeps_the_served_version(address: str) -> None:
    kgrank("serve", "v1", "--store", address)
    kgrank("prune", "--keep", "1", "--store", address)
    kgrank("serve", "v2", "--store", address)
    kgrank("prune", "--keep", "1", "--store", address)
    left = [v["version"] for v in json.loads(kgrank("list", "--store", address))["versions"]]
    assert "v2" in left


def looked_up(store: GraphStore, category: str, limit: int) -> list[tuple[str, float]]:
    rows = store.query(cypher("rank/ranked_items"), {"category": category, "limit": limit})
    for row in rows:
        assert sum(json.loads(row["contributions"]).values()) == pytest.approx(row["score"], abs=1e-9)
    return [(row["id"], row["score"]) for row in rows]


def test_the_written_ranking_is_the_live_one(store: GraphStore) -> None:
    load(store, MADE, other_version=example(1005, version="v1").weights)
    shop = open_shop(store)
    assert looked_up(store, "clothes", 7) == []
    store.serve(shop.weights.version, ranked_edges(shop, 20))
    assert looked_up(store, "clothes", 7) == [(r.item, r.score) for r in rank(shop, "clothes", limit=7)]
    store.serve("v1")
    assert looked_up(store, "clothes", 7) == []
