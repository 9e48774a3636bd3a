"""``kgrank demo groceries`` with a made-up package: its tables, the folder that is written, the page."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest
from generated_groceries import tables, write_package

from kgrank.cli.learning.demo_groceries import _steps
from kgrank.cli.main import main
from kgrank.codec import encode
from kgrank.demo.groceries import pictures
from kgrank.demo.groceries.choice_sets import CategoryChoices, choice_sets
from kgrank.demo.groceries.folder import MAPPING_FILE, ONTOLOGY, RESULTS, STORE, most_bought, write_folder
from kgrank.demo.groceries.ontology import grocery_ontology
from kgrank.demo.groceries.package import PACKAGE, read_tables
from kgrank.demo.groceries.page import write_page
from kgrank.demo.groceries.page_table import SCRIPT, category_table
from kgrank.demo.groceries.results import grocery_results, most_alike
from kgrank.demo.groceries.segments import COMPOSITIONS
from kgrank.demo.groceries.tasks import TASKS
from kgrank.errors import InputError
from kgrank.graph.connect import open_store
from kgrank.ingest.clean import ingest
from kgrank.ingest.mapping import read_mapping
from kgrank.ontology.model import Ontology
from kgrank.ontology.read import read_ontology
from kgrank.ranking.answers import AttributeImportance, Importance
from kgrank.weights.artefact import read_weights
from kgrank.weights.model import AttributeWeight, CategoryWeights, LearnedWeights, Population

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@pytest.fixture(scope="module")
def categories() -> list[CategoryChoices]:
    return list(choice_sets(tables()))


@pytest.fixture(scope="module")
def folder(categories: list[CategoryChoices], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("groceries") / "[red]shop"
    write_folder(categories, folder, tables().demographics)
    return folder


def installed(folder: Path, monkeypatch: pytest.MonkeyPatch, version: str = "0.1.0") -> Path:
    """A made-up package in place of the real one; the folder of its tables."""
    monkeypatch.syspath_prepend(str(write_package(folder, version)))
    return folder / PACKAGE / "data"


def test_without_the_package_one_error_says_how_to_install_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, PACKAGE, None)
    with pytest.raises(SystemExit) as end:
        main(["demo", "groceries", str(tmp_path / "new")])
    assert end.value.code == 2
    assert capsys.readouterr().err == (
        f"error: the package {PACKAGE} is not installed. Install it: pip install 'kgrank[groceries]'\n"
    )


def test_another_version_of_the_package_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installed(tmp_path, monkeypatch, "0.2.0")
    with pytest.raises(
        InputError, match=rf"^{PACKAGE} 0\.2\.0 is installed; expected version 0\.1\.\*\. Install"
    ):
        read_tables()


def test_the_tables_are_read_without_importing_the_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed(tmp_path, monkeypatch)
    read = read_tables()
    assert len(read.transactions) == len(tables().transactions)
    assert PACKAGE not in sys.modules


@pytest.mark.parametrize("table", ["transactions", "products", "promotions", "demographics"])
def test_a_damaged_or_missing_table_is_one_error(
    table: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = installed(tmp_path, monkeypatch) / f"{table}.parquet"
    pl.DataFrame({"week": [1]}).write_parquet(path)
    with pytest.raises(InputError, match=f"{table}.parquet: no column "):
        read_tables()
    path.write_bytes(b"PAR1 no table")
    with pytest.raises(InputError, match=f"{table}.parquet: cannot be read"):
        read_tables()
    path.unlink()
    with pytest.raises(InputError, match=f"{table}.parquet: cannot be read"):
        read_tables()


def test_households_of_which_the_package_knows_who_lives_there_are_in_segments(folder: Path) -> None:
    ontology = read_ontology(folder / ONTOLOGY)
    clean = ingest(folder, ontology=ontology, mapping=read_mapping(folder / MAPPING_FILE))
    known = tables().demographics.drop_nulls()
    ids = {word: id_ for word, (id_, _) in COMPOSITIONS.items()}
    households = set(clean.events["user"])
    assert clean.people is not None
    assert dict(clean.people.iter_rows()) == {
        str(household): ids[word]
        for household, word in known.select("household_id", "household_comp").iter_rows()
        if str(household) in households
    }
    assert 0 < len(clean.people) < len(households)
    assert ontology.segments["two-adults-children"].name() == "Two adults with children"


def test_a_folder_with_other_files_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(SystemExit) as end:
        main(["demo", "groceries", str(tmp_path)])
    assert end.value.code == 2
    assert [p.name for p in tmp_path.iterdir()] == ["mine.txt"]


def test_the_ontology_passes_its_check_without_a_warning(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        main(["ontology", "check", str(folder / ONTOLOGY)])
    assert end.value.code == 0
    assert "0 errors, 0 warnings" in capsys.readouterr().out


def test_departments_are_above_their_categories(folder: Path) -> None:
    ontology = read_ontology(folder / ONTOLOGY)
    assert {c.name(): c.parent for c in ontology.categories.values()} == {
        "Grocery": None,
        "Drug gm": None,
        "Tea": "grocery",
        "Soup/broth": "grocery",
        "Hostile <b>$x$</b> [red]": "drug-gm",
    }
    assert ontology.attributes["price"].unit == "USD"


def test_names_that_make_the_same_id_get_different_ones(categories: list[CategoryChoices]) -> None:
    first, second, third = categories
    alike = [replace(first, name="A/B"), replace(second, name="A B"), replace(third, name="GROCERY")]
    ids = grocery_ontology(alike).categories
    assert ids == {"A/B": "a-b", "A B": "a-b-2", "GROCERY": "grocery-2"}


def test_every_choice_before_the_test_weeks_is_loaded_and_no_row_is_dropped(
    folder: Path, categories: list[CategoryChoices]
) -> None:
    clean = ingest(
        folder, ontology=read_ontology(folder / ONTOLOGY), mapping=read_mapping(folder / MAPPING_FILE)
    )
    assert not clean.report.counts
    bought = clean.events.filter(pl.col("kind") == "purchase")
    assert len(bought) == sum(sum(c.counts[:2]) for c in categories)
    shown = clean.events.filter(pl.col("kind") == "impression")
    assert len(shown) == sum(int(c.valid[c.part < 2].sum()) for c in categories)


def test_prices_of_the_tasks_are_dollars_and_private_labels_have_no_manufacturer(folder: Path) -> None:
    table = pl.read_parquet(folder / TASKS, glob=False)
    shelf = (
        tables()
        .products.join(tables().transactions, on="product_id")
        .select(
            pl.col("product_id").alias("product"),
            (pl.col("sales_value") + pl.col("retail_disc")).alias("shelf"),
        )
    )
    both = table.join(shelf.unique("product"), on="product")
    # The made-up shelf price of a product never changes.
    assert (both["price"] - both["shelf"]).abs().max() < 0.0051  # type: ignore[operator]
    assert (table["manufacturer"].is_null() == table["private_label"]).all()


def test_a_folder_is_written_again_in_place(categories: list[CategoryChoices], tmp_path: Path) -> None:
    write_folder(categories, tmp_path / "shop", tables().demographics)
    (tmp_path / "shop" / "graph.lb").write_text("kept")
    write_folder(most_bought(categories, 2), tmp_path / "shop", tables().demographics)
    assert (tmp_path / "shop" / "graph.lb").read_text() == "kept"
    tree = read_ontology(tmp_path / "shop" / ONTOLOGY).categories.values()
    assert len([c for c in tree if c.parent]) == 2


def test_the_most_bought_categories_are_taken(categories: list[CategoryChoices]) -> None:
    taken = most_bought(categories, 2)
    left = [c for c in categories if c not in taken]
    assert min(c.purchases_by_part[0] for c in taken) >= max(c.purchases_by_part[0] for c in left)


def learned(ontology: Ontology) -> LearnedWeights:
    """Made-up weights of all categories below a department."""
    attributes = tuple(
        AttributeWeight(a, share, share - 0.05, share + 0.05, 1.0, "p5 to p95", share)
        for a, share in (("price", 0.5), ("brand", 0.3), ("type", 0.2))
    )
    return LearnedWeights(
        version="w",
        created="",
        code="",
        ontology="",
        graph="",
        categories={
            c.id: CategoryWeights(c.id, attributes, (), 1.0, 100, 10, "choices")
            for c in ontology.categories.values()
            if c.parent
        },
        metrics={"held_out_log_likelihood": -2.0},
        population=Population(("price=*", "inside"), ((4.0, 0.0), (0.0, 1.0))),
    )


def test_the_page_has_all_categories_and_pictures_without_ids_of_people(folder: Path, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    ontology = read_ontology(folder / ONTOLOGY)
    tastes = np.repeat([[2.0, 0.0], [-1.0, 0.0]], [10, 20], axis=0)
    results = grocery_results(learned(ontology), ontology, tastes)
    page = write_page(results, tmp_path).read_text(encoding="utf-8")
    assert "Hostile &lt;b&gt;$x$&lt;/b&gt; [red]" in page
    assert "<b>$x$" not in page
    assert page.count("0.50 <small>0.45–0.55</small>") == 3
    pictures = re.findall(r'<img src="([^"]+)"', page)
    # One of all categories, of tastes and of groups; of each department one, and one beside its neighbours.
    assert len(pictures) == len(set(pictures)) == 3 + 2 + 2
    assert all((tmp_path / picture).read_bytes().startswith(b"\x89PNG") for picture in pictures)
    assert [(t.name, t.deviation) for t in results.tastes] == [("Shelf price", 2.0)]
    assert "10 households: like “higher Shelf price” more than the average household." in page
    assert json.loads((tmp_path / "results.json").read_text(encoding="utf-8")) == encode(results)


def test_every_category_of_the_page_is_found_by_name_and_sorted_by_its_numbers(
    folder: Path, tmp_path: Path
) -> None:
    pytest.importorskip("matplotlib")
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed: the page's script is not run")
    ontology = read_ontology(folder / ONTOLOGY)
    table = category_table(grocery_results(learned(ontology), ontology))
    assert table.count("<tr data-words=") == 3
    assert 'data-words="tea grocery"' in table
    checked = subprocess.run([node, "--check", "-"], input=SCRIPT, text=True, capture_output=True)
    assert checked.returncode == 0, checked.stderr


def test_neighbours_are_the_categories_with_most_similar_shares() -> None:
    def category(name: str, share: float) -> Importance:
        attributes = tuple(
            AttributeImportance(a, a, s, s, s, 1.0, "", None, None, ())
            for a, s in (("a", share), ("b", 1 - share))
        )
        return Importance("w", name, name, 1.0, 1, 1, "choices", attributes, (), ())

    all_ = [category(n, s) for n, s in (("x", 0.5), ("far", 0.9), ("near", 0.55), ("middle", 0.3))]
    assert [c.name for c in most_alike(all_[0], all_)] == ["near", "middle", "far"]


def test_the_steps_load_and_train_what_was_written_and_leave_nothing_of_an_earlier_run(
    categories: list[CategoryChoices], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("matplotlib")
    shop = tmp_path / "shop"
    check, load, train = _steps(shop)
    assert check == ["ontology", "check", str(shop / ONTOLOGY)]

    def succeed(words: list[str]) -> None:
        with pytest.raises(SystemExit) as end:
            main(words)
        assert end.value.code == 0, capfd.readouterr().err

    write_folder(categories, shop, tables().demographics)
    succeed(load)
    write_folder(most_bought(categories, 2), shop, tables().demographics)
    succeed(load)
    with open_store(str(shop / STORE)) as store:
        placed = store.edges("IN_CATEGORY")["target"]
        assert {category.partition("-")[0] for category in placed} == {"hostile", "tea"}
    succeed([*train, "--people", "false"])
    results = grocery_results(read_weights(shop / RESULTS / "weights.json"), read_ontology(shop / ONTOLOGY))
    assert {c.name for c in results.categories} == {c.name.capitalize() for c in most_bought(categories, 2)}
    assert write_page(results, shop) == shop / "results.html"


def test_the_whole_demo_runs_on_one_category_and_again_in_its_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("matplotlib")
    installed(tmp_path, monkeypatch)
    shop = tmp_path / "[red]shop"
    for _ in range(2):
        with pytest.raises(SystemExit) as end:
            main(["--quiet", "demo", "groceries", str(shop), "--categories", "1"])
        assert end.value.code == 0, capfd.readouterr().err
        results = json.loads((shop / "results.json").read_text(encoding="utf-8"))
        ((category,),) = results["departments"].values()
        assert category["source"] == "choices"
        assert results["neighbours"] == {category["category"]: []}
        assert {t["attribute"] for t in results["tastes"]} >= {"price", "discount"}
        assert all(g["households"] >= 10 for g in results["groups"]["groups"])
        assert results["metrics"]["held_out_choices"] > 0
        (shop / "results.json").unlink()
    out = capfd.readouterr().out
    assert out.count("Results, with pictures: ") == 2
    assert "$ kgrank train --config " in out


def test_no_interval_of_a_department_is_cut_off_at_the_edge(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("matplotlib")
    ontology = read_ontology(folder / ONTOLOGY)
    results = grocery_results(learned(ontology), ontology)
    first, *others = results.categories
    wide = replace(first, attributes=(*first.attributes[:-1], replace(first.attributes[-1], upper=0.95)))
    limits = []
    save = pictures._save

    def keep(figure: Figure, path: Path) -> None:
        limits.extend(axes.get_xlim() for axes in figure.axes)
        save(figure, path)

    monkeypatch.setattr(pictures, "_save", keep)
    pictures.department_picture("D", (wide, *others), results.attributes, tmp_path / "d.png")
    assert len(limits) == 3
    assert all(left == 0 and right > 0.95 for left, right in limits)
