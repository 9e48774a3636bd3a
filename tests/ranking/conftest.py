"""A shop in a store, for the tests of the commands; a test file may have its own."""

from __future__ import annotations

import pytest
from shops import Example, example, load

from kgrank.graph.connect import open_store


@pytest.fixture(scope="module")
def made() -> Example:
    return example(3, items=40)


@pytest.fixture(scope="module")
def address(made: Example, tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("shop") / "graph.lb"
    with open_store(str(path)) as store:
        load(store, made)
    return str(path)
