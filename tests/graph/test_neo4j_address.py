"""Whatever an address of a Neo4j server says is read or refused, and statements mean the labels of its shop."""

from __future__ import annotations

import pytest

from kgrank.errors import AccessError
from kgrank.graph.connect import open_store
from kgrank.graph.labels import PREFIX, with_prefix
from kgrank.graph.neo4j.address import Neo4jAddress, read_address
from kgrank.resources import folder


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("bolt://host:7687", Neo4jAddress("bolt://host:7687")),
        ("bolt://host:7687/", Neo4jAddress("bolt://host:7687")),
        ("bolt://host:7687/shop.db", Neo4jAddress("bolt://host:7687", "shop.db")),
        ("bolt+s://host/shop?shop=toys", Neo4jAddress("bolt+s://host", "shop", "toys")),
        (
            "neo4j://[::1]:7687?policy=eu&shop=toys",
            Neo4jAddress("neo4j://[::1]:7687?policy=eu", None, "toys"),
        ),
    ],
)
def test_what_follows_the_port_of_an_address_is_read(address: str, expected: Neo4jAddress) -> None:
    assert read_address(address) == expected


@pytest.mark.parametrize(
    "rest",
    [
        "/a/b", "//", "/x%2Fy", "/1st", "?policy=eu", "?shop=", "?shop=Toys", "?shop=a`b", "?shop=a&shop=b",
        "?shop",         "?database=x", "#x", "#", "/db#x", "/db?x=1#y", ";x=1",
    ],
)  # fmt: skip
def test_what_follows_the_port_and_means_nothing_is_refused(rest: str) -> None:
    with pytest.raises(AccessError):
        open_store(f"bolt://127.0.0.1:1{rest}", wait=0)


def test_labels_in_text_and_comments_and_names_that_only_begin_alike_stay() -> None:
    statement = (
        "MATCH (i:Item|Brand {t: ':Item'})-[:OF]->(:`User`) WHERE i:KgrankItem // (:Item)\nAND NOT i:Items"
    )
    assert with_prefix(statement, "X") == (
        "MATCH (i:XItem|XBrand {t: ':Item'})-[:OF]->(:`XUser`) WHERE i:XItem // (:Item)\nAND NOT i:Items"
    )


def test_the_statements_of_the_folder_run_in_the_browser_as_they_are() -> None:
    files = [path for path in folder("graph").rglob("*.cypher") if path.parent.name != "schema"]
    assert files
    for path in files:
        text = path.read_text(encoding="utf-8")
        assert with_prefix(text, PREFIX) == text, path.name
