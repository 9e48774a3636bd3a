"""A shop in a store, for the tests of the commands; a test file may have its own."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from shops import Example, example, load

from kgrank.cli.common import err, notes, out
from kgrank.cli.main import main
from kgrank.graph.connect import open_store


@dataclass(frozen=True)
class Done:
    """What a finished command leaves: its exit code, output and messages."""

    returncode: int
    stdout: str
    stderr: str


@pytest.fixture
def kgrank(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Done]:
    """Runs the command line in an empty folder, within this process."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("KGRANK_STORE", raising=False)
    monkeypatch.setenv("COLUMNS", "160")

    def run(*words: str, **variables: str) -> Done:
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        # A console keeps the width that COLUMNS had when another test first used it.
        for console in (out, err, notes):
            monkeypatch.setattr(console, "_width", int(os.environ["COLUMNS"]))
        capfd.readouterr()
        with pytest.raises(SystemExit) as end:
            main(list(words))
        return Done(int(end.value.code or 0), *capfd.readouterr())

    return run


@pytest.fixture(scope="module")
def made() -> Example:
    return example(3, items=40)


@pytest.fixture(scope="module")
def address(made: Example, tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("shop") / "graph.lb"
    with open_store(str(path)) as store:
        load(store, made)
    return str(path)
