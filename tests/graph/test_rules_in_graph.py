"""Rules can be asked for in Cypher, and an edit of one is all that the next load writes, on either store."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from test_touched import ITEMS

from kgrank.graph.build import build_graph
from kgrank.graph.store import GraphStore
from kgrank.graph.sync import load
from kgrank.graph.tables import KnowledgeGraph
from kgrank.ingest.clean import ingest
from kgrank.ontology.read import read_ontology
from kgrank.resources import cypher, folder


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """The fashion ontology, to be edited, and a folder of four items."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "items.csv").write_text(ITEMS, encoding="utf-8")
    return Path(shutil.copytree(folder("ontology") / "fashion", tmp_path / "my-shop")), tmp_path / "data"


def graph(files: tuple[Path, Path]) -> KnowledgeGraph:
    return build_graph(ingest(files[1], ontology=read_ontology(files[0])))


def edit(path: Path, *changes: tuple[str, str]) -> None:
    text = path.read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    path.write_text(text, encoding="utf-8")


def rules_about(store: GraphStore, category: str, attribute: str) -> dict[str, int]:
    rows = store.query(cypher("rules/about"), {"category": category, "attribute": attribute})
    return {row["rule"]: row["categories"] for row in rows}


def test_which_rules_speak_about_price_below_shoes(store: GraphStore, files: tuple[Path, Path]) -> None:
    load(store, graph(files))
    ontology = read_ontology(files[0])
    below = set(ontology.subtree("shoes"))
    by_hand = {
        r.id: len(below & set(ontology.scope(r)))
        for r in ontology.rules.values()
        if "price" in r.attributes and below & set(ontology.scope(r))
    }
    assert rules_about(store, "shoes", "price") == by_hand
    assert by_hand == {"cheaper-better": 4, "sneaker-order": 1, "sneaker-price": 1}
    assert rules_about(store, "pumps", "sleeve") == {}


def test_an_edited_rule_is_all_that_the_next_load_writes(store: GraphStore, files: tuple[Path, Path]) -> None:
    load(store, graph(files))
    edit(files[0] / "rules.ttl", ("kg:share 0.2 ;", "kg:share 0.25 ;"))
    assert load(store, graph(files)).compared == {"Rule": 1}
    edit(
        files[0] / "rules.ttl",
        ("kg:in c:sneakers ;\n    kg:attribute a:price", "kg:in c:boots ;\n    kg:attribute a:price"),
    )
    changed = load(store, graph(files)).compared
    assert set(changed) <= {"Rule", "HOLDS_IN"}
    assert rules_about(store, "boots", "price") == {"cheaper-better": 1, "sneaker-price": 1}
    assert "sneaker-price" not in rules_about(store, "sneakers", "price")


def test_a_rule_that_is_taken_out_leaves_the_store(store: GraphStore, files: tuple[Path, Path]) -> None:
    load(store, graph(files))
    path = files[0] / "rules.ttl"
    text = path.read_text(encoding="utf-8")
    start = text.index("r:sneaker-price a")
    path.write_text(text[:start] + text[text.index("r:sneaker-order a") :], encoding="utf-8")
    assert load(store, graph(files)).deleted == {"Rule": 1}
    assert set(rules_about(store, "shoes", "price")) == {"cheaper-better", "sneaker-order"}


def test_a_rule_that_two_values_are_the_same_speaks_of_their_attribute(
    store: GraphStore, files: tuple[Path, Path]
) -> None:
    with (files[0] / "rules.ttl").open("a", encoding="utf-8") as rules:
        rules.write(
            "\nr:blues a kg:SameAs ; kg:in c:shoes ; kg:members ( v:blue v:navy ) ; kg:sure 0.8 ;\n"
            '    kg:because "One blue to most."@en ; dcterms:creator p:shoes-lead ;\n'
            '    dcterms:created "2026-09-20"^^xsd:date .\n'
        )
    load(store, graph(files))
    assert "blues" in rules_about(store, "shoes", "color")
