"""``kgrank demo run`` before its work begins; tests/packaging/test_wheel.py runs all of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from command_line import run

from kgrank.cli.learning.demo_run import _steps


def test_a_folder_with_other_files_is_refused_before_any_step(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "thesis.txt").write_text("three years of work")
    assert run("demo", "run", tmp_path) == 2
    printed = capfd.readouterr()
    assert printed.out == ""
    assert "the folder is not empty and holds no demo shop" in printed.err
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_file_in_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "shop").write_text("mine")
    assert run("demo", "run", tmp_path / "shop") == 2
    assert (tmp_path / "shop").read_text() == "mine"


def test_all_results_go_into_the_folder(tmp_path: Path) -> None:
    shop = tmp_path / "my shop"
    steps = list(_steps(shop, build=True, chart=True))
    for option in ("--store", "--data.store", "--data.folder", "--out", "--weights", "--chart"):
        values = [words[words.index(option) + 1] for words in steps if option in words]
        assert values
        assert all(Path(v).is_relative_to(shop) for v in values)


def test_a_demo_shop_that_is_there_is_not_built_again(tmp_path: Path) -> None:
    assert ["demo", "build", str(tmp_path)] in list(_steps(tmp_path, build=True, chart=False))
    assert ["demo", "build", str(tmp_path)] not in list(_steps(tmp_path, build=False, chart=False))
