from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest
from command_line import run

from kgrank.demo.dirt import BOT, DIRT, UNKNOWN
from kgrank.demo.files import write
from kgrank.demo.shop import DemoShop, generate
from kgrank.errors import InputError

FILES = ["README.txt", "events.parquet", "items.csv", "truth.json"]


def test_a_demo_shop_is_four_files_and_nothing_else(shop: DemoShop, tmp_path: Path) -> None:
    write(shop, tmp_path / "shop")
    assert sorted(p.name for p in (tmp_path / "shop").iterdir()) == FILES
    assert [p.name for p in tmp_path.iterdir()] == ["shop"]


def test_it_says_that_it_is_generated(shop: DemoShop, tmp_path: Path) -> None:
    write(shop, tmp_path / "shop")
    assert json.loads((tmp_path / "shop" / "truth.json").read_text())["generated"] is True
    assert "generated" in (tmp_path / "shop" / "README.txt").read_text()


def test_the_damage_is_as_much_as_the_readme_says(shop: DemoShop, tmp_path: Path) -> None:
    write(shop, tmp_path / "shop")
    items = pl.read_csv(tmp_path / "shop" / "items.csv", infer_schema=False)
    events = pl.read_parquet(tmp_path / "shop" / "events.parquet")
    found = [
        len(items) - items["id"].n_unique(),
        items.unique().filter(pl.col("price").cast(pl.Float64) < 0).height,
        items.unique().filter(pl.col("heel").str.ends_with(" cm")).height,
        items.unique().filter(pl.col("color") == "Navy blue").height,
        items.unique().filter(pl.col("color") == "RED").height,
        items.unique().filter((pl.col("material") == "leather") & (pl.col("care") == "machine-wash")).height,
        events.filter((pl.col("user") != BOT) & events.is_duplicated()).height // 2,
        events.filter(pl.col("item") == UNKNOWN).height,
        events.filter(pl.col("time") == "30.02.2026").height,
        events.filter(pl.col("user") == BOT).height,
    ]
    assert found == list(DIRT.values())
    readme = (tmp_path / "shop" / "README.txt").read_text()
    assert all(what in readme for what in DIRT)


def test_clean_rows_are_written_as_they_were_generated(shop: DemoShop, tmp_path: Path) -> None:
    write(shop, tmp_path / "shop")
    events = pl.read_parquet(tmp_path / "shop" / "events.parquet")
    assert events[: len(shop.events)].equals(shop.events)
    items = pl.read_csv(tmp_path / "shop" / "items.csv", infer_schema=False)[: len(shop.items)]
    assert items["title"].equals(shop.items["title"])
    prices = items["price"].cast(pl.Float64)
    assert (prices == shop.items["price"]).sum() == len(items) - 1


def test_a_second_build_writes_the_same_bytes_and_leaves_other_files_alone(tmp_path: Path) -> None:
    shop = generate(3, shoppers=60)
    write(shop, tmp_path / "shop")
    first = {p.name: p.read_bytes() for p in (tmp_path / "shop").iterdir()}
    (tmp_path / "shop" / "graph.lb").write_text("a store")
    write(shop, tmp_path / "shop")
    second = {p.name: p.read_bytes() for p in (tmp_path / "shop").iterdir()}
    assert second.pop("graph.lb") == b"a store"
    assert first == second


def test_a_folder_that_holds_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("three years of work")
    with pytest.raises(InputError, match="not empty"):
        write(generate(3, shoppers=60), tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.txt"]


def test_the_command_builds_it_and_names_the_next_step(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("demo", "build", tmp_path / "shop") == 0
    printed = capsys.readouterr().out
    assert printed.startswith("Generated shop")
    assert "kgrank load" in printed
    assert sorted(p.name for p in (tmp_path / "shop").iterdir()) == FILES


def test_a_negative_seed_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    assert run("demo", "build", tmp_path / "shop", "--seed", "-1") == 2
    assert not (tmp_path / "shop").exists()
