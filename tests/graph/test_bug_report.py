"""``kgrank doctor --report`` says what a maintainer needs, and nothing of shoppers, products and places."""

from __future__ import annotations

import getpass
import json
import platform
from importlib.metadata import version
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from generated_shop import Generated
from invented_weights import invented
from typer.testing import CliRunner

import kgrank
from kgrank.cli.main import app
from kgrank.graph.connect import open_store
from kgrank.graph.embedded.store import LadybugStore
from kgrank.graph.neo4j.store import Neo4jStore
from kgrank.graph.schema import EDGES, NODES
from kgrank.graph.store import GraphStore
from kgrank.resources import schema_version
from kgrank.weights.artefact import FORMAT
from kgrank.weights.tables import weights_to_tables

PERSON, PRODUCT, PASSWORD = "anna.berg-1987", "from ben@mail.example", "opensesame-77"
"""Planted where a shop keeps such things; no report may name them."""
TRAINED = "w-20260102-030405-0a1b2c"
"""A version as training names it."""


def text_of(*options: str) -> str:
    """The report as it is printed."""
    done = CliRunner().invoke(app, ["doctor", "--report", *options])
    assert done.exit_code == 0, done.stderr
    return done.stdout


def json_of(*options: str) -> dict[str, Any]:
    """The report as a JSON document."""
    document: dict[str, Any] = json.loads(text_of(*options, "--json"))
    return document


def fill(store: GraphStore, generated: Generated, served: str = TRAINED) -> None:
    """The generated shop with invented weights, a person's id, a title and a search."""
    graph, ontology, _ = generated
    for label, table in graph.nodes.items():
        store.upsert_nodes(label, table)
    for name, table in graph.edges.items():
        store.upsert_edges(name, table)
    item = pl.DataFrame({"id": [f"{PERSON}-shoe"], "title": [PRODUCT], "description": [PERSON]})
    store.upsert_nodes("Item", item)
    store.upsert_nodes("User", pl.DataFrame({"id": [PERSON]}))
    search = {"source": PERSON, "target": "shoes", "id": "s1", "time": 1, "session": PERSON}
    store.upsert_edges("SEARCHED", pl.DataFrame([{**search, "list": "", "query": PRODUCT}]))
    nodes, edges = weights_to_tables(invented(ontology))
    tables = {name: t.with_columns(version=pl.lit(served)) for name, t in edges.items()}
    store.replace_version(served, {"Weights": nodes["Weights"].with_columns(id=pl.lit(served))}, tables)


@pytest.fixture
def filled(embedded_store: LadybugStore, generated: Generated) -> str:
    """The address of an embedded store with the shop, given back by its handle."""
    fill(embedded_store, generated)
    embedded_store.close()
    return embedded_store.address


def assert_names_nothing_private(text: str, *private: str) -> None:
    """Neither what was planted nor where the store is appears in a report, in any form."""
    account = [word for word in (str(Path.home()), getpass.getuser()) if len(word) > 1]
    assert [word for word in (PERSON, PRODUCT, PASSWORD, *private, *account) if word in text] == []
    assert "@" not in text


def test_versions_of_kgrank_python_and_every_package_are_named(filled: str) -> None:
    text, report = text_of("--store", filled), json_of("--store", filled)
    assert f"kgrank {kgrank.__version__}\n" in text
    assert f"Python {platform.python_version()}" in text
    assert f"polars {version('polars')}" in text
    assert report["kgrank"] == kgrank.__version__
    assert report["packages"]["required"]["polars"] == version("polars")
    assert "dev" not in report["packages"]


def test_a_package_of_an_extra_that_is_missing_is_named_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    named = ["numpy>=2.0", "no-such-package-of-kgrank>=1; extra == 'serve'", "kgrank[serve]; extra == 'dev'"]
    monkeypatch.setattr("kgrank.cli.store.bug_report.requires", lambda _: named)
    assert json_of()["packages"]["serve"] == {"no-such-package-of-kgrank": None}
    assert "extra serve: no-such-package-of-kgrank not installed\n" in text_of()


def test_counts_are_those_of_the_store(filled: str, generated: Generated) -> None:
    graph = generated[0]
    summary = json_of("--store", filled)["store"]
    assert (summary["schema"], summary["schema_expected"]) == (schema_version(), schema_version())
    assert set(summary["nodes"]) == set(NODES)
    assert set(summary["edges"]) == set(EDGES)
    assert summary["nodes"]["Item"] == len(graph.nodes["Item"]) + 1
    assert summary["nodes"]["User"] == len(graph.nodes["User"]) + 1
    assert summary["edges"]["INTERACTED"] == len(graph.edges["INTERACTED"])
    assert summary["edges"]["SEARCHED"] == 1
    assert f"Item {len(graph.nodes['Item']) + 1}, " in text_of("--store", filled)


def test_the_served_version_and_its_format_are_named(filled: str) -> None:
    assert json_of("--store", filled)["store"]["weights"] == {"version": TRAINED, "format": FORMAT}
    assert f"weights: {TRAINED}, format {FORMAT}\n" in text_of("--store", filled)


def test_each_check_of_the_doctor_is_there_by_its_outcome_alone(filled: str) -> None:
    checks = json_of("--store", filled)["store"]["checks"]
    assert checks == {"schema": "fine", "shop": "warning", "weights": "fine"}


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_neither_people_nor_titles_nor_searches_nor_places_are_in_it(filled: str, options: list[str]) -> None:
    assert_names_nothing_private(text_of("--store", filled, *options), filled, Path(filled).name)


def test_a_version_that_somebody_named_is_not_repeated(
    embedded_store: LadybugStore, generated: Generated
) -> None:
    fill(embedded_store, generated, served=PERSON)
    embedded_store.close()
    assert_names_nothing_private(text_of("--store", embedded_store.address))
    assert json_of("--store", embedded_store.address)["store"]["weights"]["version"] is None


@pytest.mark.neo4j
def test_a_server_is_reported_like_a_file(
    neo4j_store: Neo4jStore,
    neo4j_address: str,
    generated: Generated,
    filled: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fill(neo4j_store, generated)
    here, there = json_of("--store", filled)["store"], json_of("--store", neo4j_address)["store"]
    assert (there["kind"], here["kind"]) == ("Neo4jStore", "LadybugStore")
    assert there["server"].startswith("Neo4j/")
    assert there["checks"].pop("server") == there["checks"].pop("indexes") == "fine"
    same = ("nodes", "edges", "weights", "checks", "schema")
    assert {name: here[name] for name in same} == {name: there[name] for name in same}
    assert_names_nothing_private(text_of("--store", neo4j_address), neo4j_address, "127.0.0.1", "localhost")
    monkeypatch.setenv("NEO4J_PASSWORD", PASSWORD)
    refused = text_of("--store", neo4j_address)
    assert "store: cannot be read. AccessError: the server refuses user and password" in refused
    assert_names_nothing_private(refused, neo4j_address, "127.0.0.1", "localhost")


def test_it_works_without_a_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert text_of().endswith("store: none is named\n")
    report = json_of()
    assert (report["store"], report["refused"]) == (None, None)


def test_a_store_that_is_not_there_is_said_without_its_path(tmp_path: Path) -> None:
    place = tmp_path / f"{PERSON}.lb"
    text = text_of("--store", str(place))
    assert "store: cannot be read. StoreError: no store\n" in text
    assert_names_nothing_private(text, str(tmp_path))


def test_a_file_that_is_no_store_is_said_without_its_path(tmp_path: Path) -> None:
    place = tmp_path / f"{PERSON} {PASSWORD}" / "shop.lb"
    place.parent.mkdir()
    place.write_text(f"{PRODUCT}\n" * 500, encoding="utf-8")
    text = text_of("--store", str(place))
    assert "store: cannot be read. StoreError: " in text
    assert_names_nothing_private(text, str(tmp_path), "shop.lb")


def test_a_store_that_is_held_is_said_without_its_path(embedded_store: LadybugStore) -> None:
    text = text_of("--store", embedded_store.address)
    assert "StoreError: the store is open already in this process\n" in text
    assert_names_nothing_private(text, embedded_store.address)


@pytest.mark.parametrize(
    "address",
    [
        f"bolt://{PERSON}:{PASSWORD}@shop.example:7687",
        f"bolt://{PERSON}:7687/{PASSWORD}@shop.example",
        f"ftp://{PERSON}:{PASSWORD}@shop.example",
        f"bolt://{PERSON}.invalid:7687",
        f"/no/such/folder/{PERSON}/{PASSWORD}.lb",
    ],
)
def test_neither_names_nor_passwords_of_an_address_are_in_it(address: str) -> None:
    for options in ([], ["--json"]):
        text = text_of("--store", address, *options)
        assert "Error: " in text
        assert_names_nothing_private(text, address, "shop.example", "/no/such")


def test_a_store_of_another_schema_is_reported_without_counts(tmp_path: Path) -> None:
    address = str(tmp_path / "shop.lb")
    with open_store(address) as store:
        store.prepare()
        store.upsert_nodes("Schema", pl.DataFrame({"id": ["schema"], "version": [1]}))
    text = text_of("--store", address)
    assert f"schema: 1 of {schema_version()}\n" in text
    assert "nodes: not counted" in text
    assert "checks: schema wrong\n" in text


def test_a_report_repairs_nothing() -> None:
    done = CliRunner().invoke(app, ["doctor", "--report", "--repair"])
    assert "--repair and --report together" in str(done.exception)
