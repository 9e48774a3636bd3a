"""Folders of small files, and the fashion ontology."""

from __future__ import annotations

from pathlib import Path

import pytest
from small_shop import EVENTS, ITEMS, Shop

from kgrank.ontology.model import Ontology
from kgrank.ontology.read import read_ontology


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    """Writes files into an empty folder; without arguments, a small shop in the standard names."""

    def write(**files: str | bytes) -> Path:
        folder = tmp_path / "shop"
        folder.mkdir(exist_ok=True)
        for name, content in (files or {"items_csv": ITEMS, "events_csv": EVENTS}).items():
            path = folder / name.replace("_", ".")
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        return folder

    return write


@pytest.fixture(scope="session")
def fashion() -> Ontology:
    return read_ontology(Path(__file__).parents[2] / "ontology" / "fashion")
