"""Choice sets for benchmarks: kept in a folder, and what is known of a category without its choices."""

from __future__ import annotations

import sys
from dataclasses import fields
from pathlib import Path

import numpy as np
import polars as pl
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "demo"))

from generated_groceries import tables, write_package

from benchmarks.groceries_data import (
    category_features,
    co_purchase,
    developed_on,
    grocery_choices,
    purchases_until,
)
from kgrank.demo.groceries.choice_sets import EARLIER, Cuts, choice_sets
from kgrank.demo.groceries.package import PACKAGE
from kgrank.errors import InputError


def test_choice_sets_are_made_once_and_read_as_they_were(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(write_package(tmp_path / "site")))
    made = grocery_choices(tmp_path / "[cache]")
    monkeypatch.setitem(sys.modules, PACKAGE, None)
    read = grocery_choices(tmp_path / "[cache]")
    for a, b in zip(made, read, strict=True):
        for field in fields(a):
            first, second = getattr(a, field.name), getattr(b, field.name)
            if isinstance(first, pl.DataFrame):
                assert first.equals(second)
            else:
                np.testing.assert_array_equal(first, second)
    with pytest.raises(InputError, match="is not installed"):
        grocery_choices(tmp_path / "[cache]", EARLIER)


def test_a_damaged_cache_is_one_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(write_package(tmp_path / "site")))
    grocery_choices(tmp_path / "cache")
    next((tmp_path / "cache").rglob("000.npz")).write_bytes(b"no array")
    with pytest.raises(InputError, match="Delete it"):
        grocery_choices(tmp_path / "cache")


def test_no_look_that_decides_on_a_design_sees_households_held_back() -> None:
    assert developed_on(np.array([7, 17, 70, 8])).tolist() == [False, False, True, True]


def test_features_and_co_purchase_use_purchases_up_to_a_week_only() -> None:
    purchases = purchases_until(tables(), Cuts().train[1])
    assert purchases["week"].max() == 40
    categories = list(choice_sets(tables()))
    features = category_features(categories[0], purchases.filter(pl.col("category") == categories[0].name))
    assert all(np.isfinite(value) for value in features.values())
    lift = co_purchase(categories, purchases)
    assert lift.shape == (3, 3)
    np.testing.assert_allclose(lift, lift.T)
