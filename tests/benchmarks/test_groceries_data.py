"""Choice sets for benchmarks: made once, in a folder of the user's, and as the benchmarks read them."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "demo"))

from generated_groceries import tables, write_package

from benchmarks.groceries_choices import read_categories
from benchmarks.groceries_cuts import LATER
from benchmarks.groceries_data import choice_folder
from kgrank.demo.groceries.choice_sets import choice_sets
from kgrank.demo.groceries.package import PACKAGE
from kgrank.errors import InputError


def test_choice_sets_are_made_once_and_read_as_they_were(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(write_package(tmp_path / "site")))
    folder = choice_folder(tmp_path / "[cache]")
    monkeypatch.setitem(sys.modules, PACKAGE, None)
    assert choice_folder(tmp_path / "[cache]") == folder
    made = list(choice_sets(tables()))
    read = read_categories(folder, LATER)
    assert [(c.name, c.department) for c in read] == [(c.name, c.department) for c in made]
    for a, b in zip(made, read, strict=True):
        assert b.sets.choices.person.tolist() == a.household.tolist()
        assert b.week.tolist() == a.week.tolist()
        columns = np.asarray(b.sets.choices.raw[:, : a.x.shape[2]].todense())
        np.testing.assert_allclose(columns, a.x[a.valid])


def test_without_the_package_there_is_one_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, PACKAGE, None)
    with pytest.raises(InputError, match="is not installed"):
        choice_folder(tmp_path / "cache")
    assert not list((tmp_path).rglob("about.json"))
