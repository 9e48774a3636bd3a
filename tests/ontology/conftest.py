from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from kgrank.ontology.model import Ontology
from kgrank.ontology.read import read_ontology
from kgrank.resources import folder

EXAMPLE = Path(__file__).parent / "fashion_example"


@pytest.fixture
def example(tmp_path: Path) -> Path:
    """A copy of the example ontology, to be damaged."""
    return Path(shutil.copytree(EXAMPLE, tmp_path / "fashion"))


@pytest.fixture(scope="session")
def fashion_folder() -> Path:
    return folder("ontology") / "fashion"


@pytest.fixture(scope="session")
def fashion(fashion_folder: Path) -> Ontology:
    return read_ontology(fashion_folder)
