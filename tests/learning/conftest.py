"""Short runs on a small generated shop."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from generated_shop import ontology, write_files

from kgrank.graph.build import build_graph
from kgrank.graph.connect import open_store
from kgrank.graph.sync import load
from kgrank.ingest.clean import ingest
from kgrank.learning.configuration.config import DataConfig, RunConfig, ValidationConfig

Configure = Callable[..., RunConfig]


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_files(tmp_path_factory.mktemp("files"))


@pytest.fixture
def configure(tmp_path: Path) -> Configure:
    """A short run below the test's folder, without people's tastes and networks unless asked for."""

    def made(**changes: Any) -> RunConfig:
        changes = {"data": DataConfig(store=str(tmp_path / "shop.lb")), **changes}
        short = RunConfig(
            out=str(tmp_path / "out"),
            people=False,
            validation=ValidationConfig(share=0.2),
            data=changes["data"],
            network=None,
        )
        return replace(short, **changes)

    return made


@pytest.fixture(scope="session")
def loaded(tmp_path_factory: pytest.TempPathFactory, files: Path) -> Path:
    """The generated shop in a store, to be copied."""
    path = tmp_path_factory.mktemp("loaded") / "shop.lb"
    with open_store(str(path)) as opened:
        load(opened, build_graph(ingest(files, ontology=ontology())))
    return path


@pytest.fixture
def store(tmp_path: Path, loaded: Path) -> Path:
    """The generated shop in a store of the test's own."""
    return Path(shutil.copy(loaded, tmp_path / "shop.lb"))


@pytest.fixture
def config_file(tmp_path: Path, store: Path) -> Path:
    """A configuration for ``train.py``."""
    path = tmp_path / "config.yaml"
    chosen = {
        "data": {"store": str(store)},
        "out": str(tmp_path / "out"),
        "people": False,
        "validation": {"share": 0.2},
        "network": {"prior_means": {"width": 8, "trainer": {"max_epochs": 2, "accelerator": "cpu"}}},
    }
    path.write_text(yaml.safe_dump(chosen))
    return path


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """Where ``config_file`` writes."""
    return tmp_path / "out"
