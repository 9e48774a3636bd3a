"""``kgrank doctor`` names what is wrong with a store."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from kgrank.cli.main import app
from kgrank.graph.connect import open_store
from kgrank.graph.embedded.store import LadybugStore
from kgrank.graph.neo4j.store import Neo4jStore


def looked_at(address: str, *options: str) -> tuple[int, dict[str, tuple[str, str]]]:
    """Exit code, and state and todo by check."""
    done = CliRunner().invoke(app, ["doctor", "--store", address, "--json", *options])
    return done.exit_code, {c["name"]: (c["state"], c["todo"]) for c in json.loads(done.stdout)}


def test_a_store_that_is_not_there_is_named(tmp_path: Path) -> None:
    code, found = looked_at(str(tmp_path / "shop.lb"))
    assert code == 1
    assert found["connection"] == ("wrong", "Load a shop into it first: kgrank load.")


def test_a_server_that_does_not_answer_is_named() -> None:
    code, found = looked_at("bolt://127.0.0.1:1")
    assert code == 1
    assert found["connection"][0] == "wrong"


def test_a_store_without_a_shop_is_told_how_to_get_one(embedded_store: LadybugStore) -> None:
    embedded_store.close()
    code, found = looked_at(embedded_store.address)
    assert code == 1
    assert found["schema"][0] == "fine"
    assert found["shop"] == ("wrong", "Load the shop: kgrank load FOLDER.")


def test_an_earlier_schema_is_repaired(tmp_path: Path) -> None:
    address = str(tmp_path / "shop.lb")
    with open_store(address) as store:
        store.prepare()
        store.upsert_nodes("Schema", pl.DataFrame({"id": ["schema"], "version": [1]}))
    code, found = looked_at(address)
    assert (code, found["schema"][0]) == (1, "wrong")
    _, found = looked_at(address, "--repair")
    assert found["schema"][0] == "fine"


@pytest.mark.neo4j
def test_a_missing_index_is_named_and_made_anew(neo4j_store: Neo4jStore, neo4j_address: str) -> None:
    neo4j_store._run("DROP INDEX kgrank_ranked_version")
    _, found = looked_at(neo4j_address)
    assert found["server"][0] == "fine"
    assert found["indexes"] == ("wrong", "Make them anew: kgrank doctor --repair.")
    _, found = looked_at(neo4j_address, "--repair")
    assert found["indexes"][0] == "fine"
