"""The notebooks run from top to bottom and still say what is saved in them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from benchmarks.data_sets import VARIABLE, data_root

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
NAMES = sorted(p.stem for p in NOTEBOOKS.glob("*.ipynb"))
DATA = {"camera-importance": "choice_camera"}
"""The data sets that notebooks read."""
RUNS = [pytest.param(n, marks=pytest.mark.data(DATA[n]) if n in DATA else ()) for n in NAMES]


def texts(notebook: Any) -> list[str]:
    """What the cells print and show as plain text, floats as they stand; figures by their kind."""
    found = []
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            found.append("image" if "image/png" in data else output.get("text", data.get("text/plain", "")))
    return found


def test_there_are_two() -> None:
    assert NAMES == ["camera-importance", "first-ranking"]


@pytest.mark.long
@pytest.mark.parametrize("name", RUNS)
def test_a_notebook_runs_and_gives_its_saved_outputs(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if name in DATA:
        monkeypatch.setenv(VARIABLE, str(data_root()))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    saved = nbformat.read(NOTEBOOKS / f"{name}.ipynb", as_version=4)
    fresh = nbformat.from_dict(saved)
    NotebookClient(fresh, timeout=300, resources={"metadata": {"path": str(NOTEBOOKS)}}).execute()
    assert [bool(t) for t in texts(fresh)] == [bool(t) for t in texts(saved)]
    errors = [o for c in fresh.cells for o in c.get("outputs", []) if o.output_type in ("error",)]
    warned = [o for c in fresh.cells for o in c.get("outputs", []) if o.get("name") == "stderr"]
    assert errors == warned == []


@pytest.mark.parametrize("name", NAMES)
def test_saved_outputs_are_there_and_small(name: str) -> None:
    notebook = nbformat.read(NOTEBOOKS / f"{name}.ipynb", as_version=4)
    assert "image" in texts(notebook)
    assert (NOTEBOOKS / f"{name}.ipynb").stat().st_size < 250_000
    assert not any(cell.metadata for cell in notebook.cells), "execution times change with every run"
