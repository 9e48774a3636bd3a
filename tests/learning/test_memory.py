"""A training that cannot fit says so before it begins."""

from __future__ import annotations

from pathlib import Path

import pytest

from kgrank.errors import RunError
from kgrank.learning import training_data
from kgrank.learning.memory import TrainingSize, _free_of_container, available_memory, require_memory

SIZE = TrainingSize(300_000, 18_000_000, {"shop": 5_000, "cheese": 60}, frozenset({"cheese"}))


def test_a_training_that_cannot_fit_names_the_figures_and_one_that_fits_goes_on() -> None:
    with pytest.raises(RunError) as error:
        require_memory(SIZE, 3_000_000_000)
    text = str(error.value)
    for figure in (
        "3.0 GB are free",
        "300,000 choices",
        "18,000,000 alternatives",
        "5,000 part-worths in shop",
    ):
        assert figure in text
    require_memory(SIZE, 64_000_000_000)
    require_memory(SIZE, None)


def test_the_estimate_grows_with_events_and_columns() -> None:
    more_events = TrainingSize(600_000, 36_000_000, SIZE.columns, SIZE.ruled)
    more_columns = TrainingSize(300_000, 18_000_000, {**SIZE.columns, "wine": 2_000}, SIZE.ruled)
    assert more_events.peak > SIZE.peak
    assert more_columns.peak > SIZE.peak


def test_free_memory_is_what_the_machine_or_the_container_leaves(tmp_path: Path) -> None:
    available = available_memory()
    assert available is None or 0 < available < 1e15
    for name, text in (("max", "6000\n"), ("current", "2500\n"), ("stat", "anon 1500\ninactive_file 900\n")):
        (tmp_path / f"memory.{name}").write_text(text)
    assert _free_of_container(tmp_path) == 4400
    (tmp_path / "memory.max").write_text("max\n")
    assert _free_of_container(tmp_path) is None


def test_learning_stops_before_it_builds_choice_sets(
    generated: tuple[object, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training_data, "available_memory", lambda: 1000)
    monkeypatch.setattr(training_data, "category_choices", None)
    with pytest.raises(RunError, match="memory beside the graph"):
        training_data.read_training_data(*generated[:2], 0)  # type: ignore[arg-type]
