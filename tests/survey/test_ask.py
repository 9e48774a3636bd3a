"""``kgrank ask``: what is missing, what to show together, and answers that come back as choices."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import polars as pl
import pytest
import yaml
from generated_shop import TRUTH, ontology, write_files

from kgrank.cli.main import main
from kgrank.graph.build import build_graph
from kgrank.graph.connect import open_store
from kgrank.graph.sync import load
from kgrank.ingest.clean import ingest
from kgrank.ingest.mapping import read_mapping
from kgrank.learning.configuration.config import DataConfig, RunConfig
from kgrank.learning.run import run
from kgrank.ranking import Shop, open_shop
from kgrank.survey.missing_values import missing_values


def call(*arguments: object) -> int:
    try:
        main([str(a) for a in arguments])
    except SystemExit as stop:
        return int(stop.code or 0)
    return 0


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files of a shop, some of whose items lack a size, a colour or a price, and its trained store."""
    folder = tmp_path_factory.mktemp("ask")
    write_files(folder / "files")
    items = pl.read_csv(folder / "files" / "items.csv", infer_schema=False)
    gaps = {"size": 3, "color": 5, "price": 7}
    row = pl.int_range(pl.len())
    items.with_columns(
        pl.when(row % every != 0).then(pl.col(name)).alias(name) for name, every in gaps.items()
    ).write_csv(folder / "files" / "items.csv")
    store = str(folder / "shop.lb")
    with open_store(store) as opened:
        load(opened, build_graph(ingest(folder / "files", ontology=ontology())))
    run(RunConfig(data=DataConfig(store=store), out=str(folder / "out")))
    return folder


@pytest.fixture(scope="module")
def shop(folder: Path) -> Shop:
    with open_store(str(folder / "shop.lb")) as store:
        return open_shop(store, history=False)


def answered(folder: Path, capsys: pytest.CaptureFixture[str], *options: object) -> dict[str, Any]:
    capsys.readouterr()
    assert call("ask", "dresses", "--store", folder / "shop.lb", "--json", *options) == 0
    return dict(json.loads(capsys.readouterr().out))


def test_every_missing_value_is_named_and_nothing_else(shop: Shop) -> None:
    named = {(m.item, m.attribute) for m in missing_values(shop, "dresses")}
    rows = shop.scores("dresses").rows.tolist()
    lacking = {
        (shop.items.ids[row], attribute)
        for row in rows
        for attribute in ("color", "size", "price", "features")
        if not shop.items.values_of(row, attribute)
    }
    assert named == lacking
    assert {attribute for _, attribute in named} >= {"color", "size", "price"}


def test_a_missing_value_may_move_a_score_as_known_values_do(shop: Shop) -> None:
    """Against the spread of the contributions of the items that have one; a better grouping only narrows it."""
    table = shop.scores("dresses")
    for attribute in ("color", "price"):
        column = table.column(attribute, table.worth)
        has = np.array([bool(shop.items.values_of(row, attribute)) for row in table.rows.tolist()])
        deviations = [m.deviation for m in missing_values(shop, "dresses") if m.attribute == attribute]
        spread = float(column[has].std(ddof=1))
        assert 0 < np.sqrt(np.mean(np.square(deviations))) <= 1.5 * spread


def test_more_people_are_needed_for_narrower_intervals_and_at_random(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wide, narrow = (answered(folder, capsys, "--width", width) for width in (0.05, 0.02))
    assert 0 < wide["people"] < narrow["people"]
    assert narrow["people"] < narrow["people_at_random"]
    assert all(len(set(task["items"])) == 4 for task in narrow["tasks"])


def test_the_same_seed_asks_the_same(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first, second = (answered(folder, capsys, "--seed", 3, "--tasks", 6) for _ in range(2))
    assert first == second


@pytest.mark.parametrize("ending", [".csv", ".xlsx"])
def test_a_survey_that_was_filled_in_is_read_as_choices_and_narrows_the_intervals(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], ending: str
) -> None:
    survey, before = tmp_path / f"survey{ending}", answered(folder, capsys)
    assert call("ask", "dresses", "--store", folder / "shop.lb", "--survey", survey, "--people", 40) == 0
    lines = capsys.readouterr().err
    mapping = yaml.safe_load(lines[lines.index("tasks:") :])
    fill_in(survey)
    for name in ("items.csv", "events.csv"):
        (tmp_path / name).write_bytes((folder / "files" / name).read_bytes())
    mapping |= {"items": [{"file": "items.csv", "rest": True}], "events": [{"file": "events.csv"}]}
    (tmp_path / "mapping.yaml").write_text(yaml.safe_dump(mapping), encoding="utf-8")
    clean = ingest(tmp_path, ontology=ontology(), mapping=read_mapping(tmp_path / "mapping.yaml"))
    assert not clean.report.counts
    store = str(tmp_path / "shop.lb")
    with open_store(store) as opened:
        load(opened, build_graph(clean))
    run(RunConfig(data=DataConfig(store=store), out=str(tmp_path / "out"), people=False))
    after = answered(tmp_path, capsys)
    assert len(clean.events.filter(pl.col("user").str.starts_with("survey-"), kind="purchase")) == 40 * 12
    assert after["width"] < before["width"]


def fill_in(survey: Path) -> None:
    """Everybody takes a red one, if there is one, else the last that is shown."""
    if survey.suffix == ".xlsx":
        book = openpyxl.load_workbook(survey)
        sheet = book.worksheets[0]
        cells = list(sheet.iter_rows())
        heads = [cell.value for cell in cells[0]]
        rows = [dict(zip(heads, (cell.value for cell in row), strict=True)) for row in cells[1:]]
        for row, taken in zip(cells[1:], takes(rows), strict=True):
            row[heads.index("chosen")].value = taken
        book.save(survey)
        return
    rows = list(csv.DictReader(io.StringIO(survey.read_text(encoding="utf-8-sig"))))
    filled = [{**row, "chosen": taken} for row, taken in zip(rows, takes(rows), strict=True)]
    with survey.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(filled)


def takes(rows: list[dict[str, Any]]) -> list[int]:
    """Of each task what has the highest utility by the shop's truth, with the noise of a logit."""
    random, worth = np.random.default_rng(0), TRUTH["dresses"]
    best: dict[tuple[str, str], tuple[float, int]] = {}
    for number, row in enumerate(rows):
        words = (str(row[head] or "").lower() for head in ("Color", "Size"))
        utility = sum(worth.get(word, 0.0) for word in words) + random.gumbel()
        task = (str(row["person"]), str(row["task"]))
        best[task] = max(best.get(task, (-np.inf, 0)), (utility, number))
    taken = {number for _, number in best.values()}
    return [int(number in taken) for number in range(len(rows))]


def test_a_category_without_choices_says_where_to_ask_instead(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_files(tmp_path / "files", categories=("dresses", "shoes"))
    items = (tmp_path / "files" / "items.csv").read_text(encoding="utf-8")
    (tmp_path / "files" / "items.csv").write_text(items + "s1,shirts,red,s,20,\n", encoding="utf-8")
    store = str(tmp_path / "shop.lb")
    with open_store(store) as opened:
        load(opened, build_graph(ingest(tmp_path / "files", ontology=ontology())))
    run(RunConfig(data=DataConfig(store=store), out=str(tmp_path / "out"), people=False))
    assert call("ask", "shirts", "--store", store) == 2
    assert "no choice was made in 'shirts'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--survey", "tasks.txt"], "a survey is not written as this"),
        (["--values", "values.json"], "values are not written as this"),
        (["--items", 1], "--items"),
        (["--width", 0], "--width"),
    ],
)
def test_a_mistake_is_one_line(
    folder: Path, capsys: pytest.CaptureFixture[str], options: list[object], words: str
) -> None:
    assert call("ask", "dresses", "--store", folder / "shop.lb", *options) == 2
    assert words in capsys.readouterr().err


def test_a_survey_that_cannot_be_written_leaves_no_sheet_of_values(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--values", tmp_path / "values.csv", "--survey", tmp_path / "survey.txt"]
    assert call("ask", "dresses", "--store", folder / "shop.lb", *options) == 2
    assert "a survey is not written as this" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
