"""The stores, for every test that needs one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from kgrank.graph.connect import open_store
from kgrank.graph.store import GraphStore


@pytest.fixture(params=["embedded"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[GraphStore]:
    """An empty, prepared store; a test that asks for it runs once on each kind of store."""
    with open_store(str(tmp_path / "shop.lb")) as opened:
        opened.prepare()
        yield opened
