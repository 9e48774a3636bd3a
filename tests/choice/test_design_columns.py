"""The columns of a category: centred, missing is zero, shares for lists of values."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from generated_shop import Generated, graph_of, ontology

from kgrank.choice.data.design import Design, category_design
from kgrank.choice.importance import importance
from kgrank.graph.tables import KnowledgeGraph


@pytest.fixture
def dresses(generated: Generated) -> Design:
    graph, shop_ontology, _ = generated
    return category_design(graph, shop_ontology, "dresses")


def of(tmp_path: Path, rows: str) -> tuple[KnowledgeGraph, Design]:
    (tmp_path / "items.csv").write_text("id,category,color,size,price,features\n" + rows)
    graph, shop_ontology = graph_of(tmp_path, ontology())
    return graph, category_design(graph, shop_ontology, "dresses")


def test_every_column_is_zero_for_the_average_item_that_has_a_value(dresses: Design) -> None:
    assert dresses.centred().mean(0) == pytest.approx(np.zeros(dresses.layout.width), abs=1e-12)


def test_a_missing_value_adds_exactly_nothing(dresses: Design, generated: Generated) -> None:
    graph = generated[0]
    values = graph.edge("HAS_VALUE").filter(pl.col("target").str.starts_with("size="))
    missing = [i for i, item in enumerate(dresses.items) if item not in set(values["source"])]
    assert missing
    size = dresses.layout.block["size"]
    assert (dresses.centred()[missing][:, size.columns] == 0.0).all()


def test_stored_contributions_are_the_columns_times_the_part_worths(dresses: Design) -> None:
    part_worths = np.random.default_rng(0).normal(size=dresses.layout.width)
    x = dresses.centred()
    for block in dresses.layout.blocks:
        utility = x[:, block.columns] @ part_worths[block.columns]
        if block.number:
            (segment,) = block.segments(part_worths)[0]
            number = np.asarray(dresses.raw[:, block.start].todense()).ravel() * block.scale + block.centre
            assert utility == pytest.approx(segment.intercept + segment.slope * number)
        elif block.attribute == "color":
            shown = [s[0].intercept for s in block.segments(part_worths)]
            raw = dresses.raw[:, block.columns].toarray()
            assert utility == pytest.approx(raw @ shown)
            assert block.share @ shown == pytest.approx(0.0)


def test_an_item_with_two_of_several_features_has_half_of_each(tmp_path: Path) -> None:
    rows = "a,dresses,red,s,20,pockets|belt\nb,dresses,red,m,30,lining\nc,dresses,blue,m,40,\n"
    _, design = of(tmp_path, rows)
    block = design.layout.block["features"]
    raw = design.raw[:, block.columns].toarray()
    at = {node: i for i, node in enumerate(block.nodes)}
    assert raw[0, at["features=pockets"]] == raw[0, at["features=belt"]] == 0.5
    assert raw[1, at["features=lining"]] == 1.0
    assert (design.centred()[2, block.columns] == 0.0).all()


def test_a_category_stands_for_all_items_below_it(generated: Generated) -> None:
    graph, shop_ontology, _ = generated
    assert len(category_design(graph, shop_ontology, "clothing").items) == 40


def test_values_no_item_has_get_no_column(tmp_path: Path) -> None:
    _, design = of(tmp_path, "a,dresses,red,s,20,belt\nb,dresses,blue,m,30,belt\n")
    assert design.layout.block["color"].nodes == ("color=red", "color=blue")


@pytest.mark.parametrize(
    "rows",
    ["a,dresses,red,s,20,belt\n", "a,dresses,red,s,20,belt\nb,dresses,red,s,20,belt\n"],
    ids=["one item", "one value everywhere"],
)
def test_what_does_not_vary_has_no_share_and_gives_no_nan(tmp_path: Path, rows: str) -> None:
    _, design = of(tmp_path, rows)
    shares = importance(design.layout, np.ones(design.layout.width))
    assert (shares == 0.0).all()
    assert np.isfinite(design.centred()).all()


def test_one_wild_price_does_not_set_the_range(tmp_path: Path) -> None:
    rows = "".join(f"i{k},dresses,red,s,{20 + k},belt\n" for k in range(40))
    _, design = of(tmp_path, rows + "x,dresses,red,s,100000,belt\n")
    block = design.layout.block["price"]
    assert block.p95 < 60
    assert block.maximum == 100000.0
