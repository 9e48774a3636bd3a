"""The demo shop's truth is written in its own few lines; the package must mean the same by importance."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from kgrank.choice.data.design import Block, category_design
from kgrank.choice.importance import importance
from kgrank.demo.files import write
from kgrank.demo.shop import DemoShop
from kgrank.demo.truth import LEAVES
from kgrank.graph.build import build_graph
from kgrank.graph.tables import KnowledgeGraph
from kgrank.ingest.clean import ingest
from kgrank.ontology.model import Ontology
from kgrank.ontology.read import read_ontology
from kgrank.resources import folder


@pytest.fixture(scope="module")
def loaded(shop: DemoShop, tmp_path_factory: pytest.TempPathFactory) -> tuple[KnowledgeGraph, Ontology]:
    place = tmp_path_factory.mktemp("demo-shop")
    write(shop, place)
    ontology = read_ontology(Path(folder("ontology")) / "fashion")
    return build_graph(ingest(place, ontology=ontology)), ontology


def columns(block: Block, truth: dict[str, float]) -> list[float]:
    """A block's part-worths from the truth document."""
    if block.number:
        return [truth["per_unit"] * block.scale]
    return [truth[node.partition("=")[2]] for node in block.nodes]


@pytest.mark.parametrize("category", LEAVES)
def test_the_true_shares_are_those_of_the_packages_own_definition(
    loaded: tuple[KnowledgeGraph, Ontology], shop: DemoShop, category: str
) -> None:
    layout = category_design(*loaded, category).layout
    truth = shop.truth["part_worths"][category]
    own = np.array([x for b in layout.blocks for x in columns(b, truth[b.attribute])])
    found = dict(zip(layout.block, importance(layout, own), strict=True))
    assert found == pytest.approx(shop.truth["importance"]["average_shopper"][category], abs=2e-3)
